/* SPDX-License-Identifier: MIT */
/* Commands that the daemon works on for a while: initiate, terminate, rekey. */
#ifndef ESPLANE_CLI_CONTROL_H
#define ESPLANE_CLI_CONTROL_H

#include "command.h"

/* Connects and shows the daemon's log on the way unless options->quiet. NULL after a message. */
struct vici_client *control_connect(const struct options *options);
/* One request; @child (may be NULL) if the options name none. Returns an exit status. */
int control_request(struct vici_client *c, const char *command, const struct options *options,
		    const char *child);
/* terminate and rekey: connect, check that something is named, one request. */
int control_run(const char *command, const struct options *options);

#endif
