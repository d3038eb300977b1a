// SPDX-License-Identifier: MIT
/* Commands that the daemon works on for a while. */
#include <stdlib.h>

#include "control.h"

struct vici_client *control_connect(const struct options *options)
{
	struct vici_client *c;
	char error[VICI_ERROR_LEN];

	if (!options->argument && !(options->given & OPT_NAMES)) {
		failed("name what is meant: CONN, CONN CHILD, --ike, --child, --ike-id or "
		       "--child-id");
		return NULL;
	}
	c = connect_daemon(options);
	if (c && !options->quiet && vici_register(c, "control-log", error)) {
		failed("%s", error);
		vici_client_free(c);
		c = NULL;
	}
	return c;
}

int control_request(struct vici_client *c, const char *command, const struct options *options,
		    const char *child)
{
	char names[256], what[512];
	struct vici_builder b;
	int status;

	snprintf(what, sizeof(what), "%s %s%s%s", command,
		 names_text(options, names, sizeof(names)), child ? "/" : "", child ? child : "");
	vici_begin(&b, VICI_CMD_REQUEST, command);
	status = put_names_and_child(&b, options, child);
	if (status) {
		vici_abandon(&b);
		return status;
	}
	if (options->timeout)
		vici_fmt(&b, "timeout", "%ld", 1000 * strtol(options->timeout, NULL, 10));
	vici_str(&b, "loglevel", "1");
	return run_request(c, what, &b, print_control_log, NULL);
}

int control_run(const char *command, const struct options *options)
{
	struct vici_client *c = control_connect(options);
	int status;

	if (!c)
		return EXIT_FAILED;
	status = control_request(c, command, options, NULL);
	vici_client_free(c);
	return status;
}
