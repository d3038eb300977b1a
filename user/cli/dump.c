// SPDX-License-Identifier: MIT
/* esplane dump: the status for scripts, columns separated by tabs. */
#include "show.h"

static int run(const struct options *options)
{
	struct vici_client *c = connect_daemon(options);
	struct listing sas = { 0 };
	int status;

	if (!c)
		return EXIT_FAILED;
	status = list_all(c, "list-sas", "list-sa", options, &sas);
	if (!status)
		show_dump(stdout, &sas);
	listing_free(&sas);
	vici_client_free(c);
	return status;
}

const struct command cmd_dump = {
	"dump", run, OPT_NAMES, 1, "[CONN]", "the same for scripts: columns separated by tabs",
};
