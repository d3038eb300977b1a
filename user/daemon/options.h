/* SPDX-License-Identifier: MIT */
/* The command line of esplaned. */
#ifndef ESPLANE_OPTIONS_H
#define ESPLANE_OPTIONS_H

#include <stdbool.h>

#include "log.h"
#include "vici/version.h"

struct options {
	const char *config;		/* --config */
	const char *vici; /* --vici: path of the control socket; NULL: the configuration says */
	const char *user;		/* --user: whom to become */
	bool has_log;			/* --log, --debug: instead of the configuration's */
	struct log_levels log;
	enum log_format format;		/* --json, --journal */
	const char *journal;		/* its socket */
	bool privdrop;			/* not --no-privdrop */
	bool kernel;			/* not --no-kernel */
};

/* Returns true if the daemon shall run; otherwise *status is the exit status. */
bool options_parse(struct options *o, int argc, char **argv, int *status);

#endif
