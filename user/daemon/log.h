/* SPDX-License-Identifier: MIT */
/*
 * Log lines on stderr: one line each, with the journal's level prefix where the journal reads it.
 */
#ifndef ESPLANE_LOG_H
#define ESPLANE_LOG_H

#include <stdbool.h>

#include "ikev2/ike.h"

/*
 * Lines above @level are left out. Every line that is let through also goes to @sink (may be NULL).
 */
void log_setup(enum ike_log_level level,
	       void (*sink)(void *arg, enum ike_log_level level, const char *name,
			    const char *text),
	       void *arg);
bool log_enabled(enum ike_log_level level);
/* @name: "conn[3]", "conn[3]/child{5}" or "". Control characters in @text are replaced. */
void log_line(enum ike_log_level level, const char *name, const char *text);
void log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
