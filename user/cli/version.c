// SPDX-License-Identifier: MIT
/* esplane version: of this command, the daemon and the module; fails if the daemon does not answer. */
#include <unistd.h>

#include "../vici/version.h"
#include "module.h"

/* To root, and of a module that is there: to ask would load it. */
static void print_module(void)
{
	struct module_caps caps;
	const char *why;
	struct dp *dp = access("/sys/module/esplane", F_OK) ? NULL : dp_open(&why);

	if (!dp)
		return;
	if (!module_caps(dp, &caps))
		printf("esplane.ko %s\n", caps.version);
	module_warn(&caps);
	dp_close(dp);
}

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
	print_module();
	vici_tree_free(reply);
	vici_client_free(c);
	return status;
}

const struct command cmd_version = {
	"version", run, 0, 0, "", "of this command, of the daemon and, for root, of the module",
};
