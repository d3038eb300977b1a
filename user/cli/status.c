// SPDX-License-Identifier: MIT
/* esplane status: every connection, its SAs and what they carry. */
#include <unistd.h>

#include "show.h"

static int run(const struct options *options)
{
	struct page page = { .out = stdout, .color = isatty(STDOUT_FILENO) };
	struct vici_client *c = connect_daemon(options);
	struct listing sas = { 0 }, conns = { 0 };
	int status;

	if (!c)
		return EXIT_FAILED;
	status = list_all(c, "list-sas", "list-sa", options, &sas);
	if (!status && !options->json)
		status = list_all(c, "list-conns", "list-conn", options, &conns);
	if (!status && options->json)
		show_json(stdout, &sas);
	else if (!status)
		show_status(&page, &sas, &conns);
	listing_free(&sas);
	listing_free(&conns);
	vici_client_free(c);
	return status;
}

const struct command cmd_status = {
	"status", run, OPT_JSON | OPT_NAMES, 1, "[CONN]",
	"show connections, their SAs and what they carry (the default)",
};
