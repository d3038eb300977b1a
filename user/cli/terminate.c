// SPDX-License-Identifier: MIT
/* esplane terminate: deletes an IKE SA with its children, or children alone. */
#include "control.h"

static int run(const struct options *options)
{
	return control_run("terminate", options);
}

const struct command cmd_terminate = {
	"terminate", run, OPT_NAMES | OPT_TIMEOUT | OPT_QUIET, 2, "CONN [CHILD]",
	"delete the IKE SA of a connection, or one child of it",
};
