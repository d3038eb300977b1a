// SPDX-License-Identifier: MIT
/* esplane reload: lets the daemon read its configuration again. */
#include "command.h"

static int run(const struct options *options)
{
	struct vici_client *c = connect_daemon(options);
	struct vici_builder b;
	int status;

	if (!c)
		return EXIT_FAILED;
	vici_begin(&b, VICI_CMD_REQUEST, "reload-settings");
	status = run_request(c, "reload", &b, NULL, NULL);
	vici_client_free(c);
	return status;
}

const struct command cmd_reload = {
	"reload", run, 0, 0, "", "let the daemon read its configuration again; SAs stay",
};
