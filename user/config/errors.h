/* SPDX-License-Identifier: MIT */
/*
 * Everything that is wrong with a configuration, collected so that one look shows all of it. Each
 * message names its file and line.
 */
#ifndef ESPLANE_CONFIG_ERRORS_H
#define ESPLANE_CONFIG_ERRORS_H

#include <stdbool.h>
#include <stddef.h>

/* @file lives as long as the settings it came from; 0 for @line means the file as a whole. */
struct cfg_where {
	const char *file;
	unsigned int line;
};

enum cfg_severity { CFG_WARNING, CFG_ERROR };

struct cfg_message {
	enum cfg_severity severity;
	char *text;			/* "FILE:LINE: what", without newline */
	/* For cfg_errors_sort(), which is the last to look at them. */
	struct cfg_where where;
	size_t rank, order;		/* of the file, of the message */
};

/* Zero-filled is empty. */
struct cfg_errors {
	struct cfg_message *list;
	size_t n;
	size_t n_errors;		/* those of severity CFG_ERROR, suppressed ones too */
	size_t suppressed;		/* beyond CFG_MESSAGES_MAX */
	bool no_memory;
};

enum { CFG_MESSAGES_MAX = 200 };

/* The same text is kept once, however often an inherited line shows it. */
void cfg_error(struct cfg_errors *errors, const struct cfg_where *where, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void cfg_warning(struct cfg_errors *errors, const struct cfg_where *where, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* By line, files in the order in which they were first told of. To be called while they live. */
void cfg_errors_sort(struct cfg_errors *errors);
void cfg_errors_free(struct cfg_errors *errors);

#endif
