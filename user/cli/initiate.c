// SPDX-License-Identifier: MIT
/* esplane initiate: brings up a child, or all children of a connection. */
#include <string.h>

#include "control.h"

/* Is a connection named, and no child of it? */
static bool whole_connection(const struct options *options)
{
	if (options->child || options->second)
		return false;
	return options->ike || (options->argument && !strchr(options->argument, '/'));
}

/* All children that the daemon has for the connection; without any the IKE SA alone. */
static int initiate_children(struct vici_client *c, const struct options *options)
{
	const struct vici_node *children, *child;
	struct listing conns;
	int status = list_all(c, "list-conns", "list-conn", options, &conns);

	if (status)
		return status;
	children = conns.n ? vici_child(conns.list[0], "children") : NULL;
	child = children ? children->child : NULL;
	if (!child)
		status = control_request(c, "initiate", options, NULL);
	for (; child && !status; child = child->next)
		status = control_request(c, "initiate", options, child->name);
	listing_free(&conns);
	return status;
}

static int run(const struct options *options)
{
	struct vici_client *c = control_connect(options);
	int status;

	if (!c)
		return EXIT_FAILED;
	status = whole_connection(options) ? initiate_children(c, options) :
					     control_request(c, "initiate", options, NULL);
	vici_client_free(c);
	return status;
}

const struct command cmd_initiate = {
	"initiate", run, OPT_NAMES | OPT_TIMEOUT | OPT_QUIET, 2, "CONN [CHILD]",
	"bring up a child, or all children of a connection",
};
