/* SPDX-License-Identifier: MIT */
/*
 * Log lines: one line each, about what it names, to standard error, as text or as JSON, or to the
 * systemd journal. Nothing secret is ever given to these functions.
 *
 * A file that is not the daemon's in general defines LOG_SUBSYSTEM before it includes this one.
 */
#ifndef ESPLANE_LOG_H
#define ESPLANE_LOG_H

#include <stdbool.h>

#include "config/log_levels.h"

#ifndef LOG_SUBSYSTEM
#define LOG_SUBSYSTEM LOG_DAEMON
#endif

#define LOG_JOURNAL_SOCKET "/run/systemd/journal/socket"

struct log_line {
	enum log_subsystem subsystem;
	enum ike_log_level level;
	const struct ike_log_names *names;	/* NULL: about no SA */
	const char *text;
};

typedef void log_sink(void *arg, const struct log_line *line);

enum log_format { LOG_TEXT, LOG_JSON, LOG_JOURNAL };

/*
 * Lines above their level are left out. Every line that is let through also goes to @sink (may be
 * NULL). May be called again.
 */
void log_setup(const struct log_levels *levels, log_sink *sink, void *arg);
/*
 * @path: of the journal's socket. Text goes to the journal by itself if standard error is
 * connected to it. Returns -1 with errno if there is no journal at @path.
 */
int log_open(enum log_format format, const char *path);
/* In each text control characters are replaced. */
void log_write(const struct log_line *line);
void log_say(enum log_subsystem subsystem, enum ike_log_level level, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#define log_error(...) log_say(LOG_SUBSYSTEM, IKE_LOG_ERROR, __VA_ARGS__)
#define log_info(...) log_say(LOG_SUBSYSTEM, IKE_LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_say(LOG_SUBSYSTEM, IKE_LOG_DEBUG, __VA_ARGS__)

/* log_format.c: one line as JSON, without newline, and as a datagram of the journal's protocol. */
enum { LOG_RECORD_MAX = 16384 };
size_t log_format_json(const struct log_line *line, char *buf, size_t cap);
size_t log_format_journal(const struct log_line *line, char *buf, size_t cap);
/* syslog(3) */
int log_priority(enum ike_log_level level);

#endif
