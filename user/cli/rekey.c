// SPDX-License-Identifier: MIT
/* esplane rekey: new keys for an IKE SA, or for children. */
#include "control.h"

static int run(const struct options *options)
{
	return control_run("rekey", options);
}

const struct command cmd_rekey = {
	"rekey", run, OPT_NAMES | OPT_TIMEOUT | OPT_QUIET, 2, "CONN [CHILD]",
	"new keys for the IKE SA of a connection, or for one child of it",
};
