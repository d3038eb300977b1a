// SPDX-License-Identifier: MIT
/* esplane version: of this command and of the daemon; fails if that does not answer. */
#include "../vici/version.h"
#include "show.h"

static int run(const struct options *options)
{
	char error[VICI_ERROR_LEN];
	struct vici_client *c = vici_connect(options->uri, error);
	struct vici_node *reply = NULL;
	struct vici_builder b;
	int status = 0;

	puts("esplane " ESPLANE_VERSION);
	if (c) {
		vici_begin(&b, VICI_CMD_REQUEST, "version");
		reply = vici_request(c, &b, NULL, NULL, error);
	}
	if (reply)
		printf("%s %s (%s %s, %s)\n", get_or(reply, "daemon", "?"),
		       get_or(reply, "version", "?"), get_or(reply, "sysname", "?"),
		       get_or(reply, "release", "?"), get_or(reply, "machine", "?"));
	else
		status = failed("%s", error);
	vici_tree_free(reply);
	vici_client_free(c);
	return status;
}

const struct command cmd_version = {
	"version", run, 0, 0, "", "of this command and of the daemon",
};
