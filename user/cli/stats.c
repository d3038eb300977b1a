// SPDX-License-Identifier: MIT
/* esplane stats: counters of the engine, and why packets were dropped. */
#include <string.h>
#include <unistd.h>

#include "show.h"

static int run(const struct options *options)
{
	struct page page = { .out = stdout, .color = isatty(STDOUT_FILENO) };
	struct vici_client *c = connect_daemon(options);
	char error[VICI_ERROR_LEN];
	struct vici_node *reply;
	struct vici_builder b;
	int status = 0;

	if (!c)
		return EXIT_FAILED;
	vici_begin(&b, VICI_CMD_REQUEST, "esplane-stats");
	reply = vici_request(c, &b, NULL, NULL, error);
	if (!reply)
		status = failed("stats: %s", error);
	else if (!strcmp(get_or(reply, "success", "yes"), "no"))
		status =
			failed("stats: %s", get_or(reply, "errmsg", "the daemon does not say why"));
	else if (options->json)
		show_json_section(stdout, reply);
	else
		show_stats(&page, reply);
	if (!status && options->json)
		putchar('\n');
	vici_tree_free(reply);
	vici_client_free(c);
	return status;
}

const struct command cmd_stats = {
	"stats", run, OPT_JSON, 0, "", "counters that are not zero, and why packets were dropped",
};
