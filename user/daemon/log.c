// SPDX-License-Identifier: MIT
/* Log lines on stderr. The one piece of process-wide state in the daemon: there is one stderr. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "log.h"

enum {
	LINE_MAX_LEN = 2048,
	/*
	 * A stranger can make us say something for each datagram: so many lines at once, then so
	 * many a second.
	 */
	BURST = 500,
	LINES_PER_SECOND = 50,
};

static struct {
	enum ike_log_level level;
	bool journal;			/* stderr is the systemd journal: sd-daemon(3) */
	void (*sink)(void *arg, enum ike_log_level level, const char *name, const char *text);
	void *arg;
	bool in_sink;			/* what the sink logs must not come back to it */
	unsigned int tokens;		/* lines that may be said now */
	time_t filled;			/* when tokens were added last */
	unsigned long left_out;
} logger = { .level = IKE_LOG_INFO, .tokens = BURST };

void log_setup(enum ike_log_level level,
	       void (*sink)(void *arg, enum ike_log_level level, const char *name,
			    const char *text),
	       void *arg)
{
	logger.level = level;
	logger.journal = getenv("JOURNAL_STREAM");
	logger.sink = sink;
	logger.arg = arg;
	setvbuf(stderr, NULL, _IOLBF, BUFSIZ);
}

bool log_enabled(enum ike_log_level level)
{
	return level <= logger.level;
}

/* sd-daemon(3): the levels of syslog(3). */
static const char *prefix(enum ike_log_level level)
{
	if (!logger.journal)
		return "";
	switch (level) {
	case IKE_LOG_ERROR:
		return "<3>";
	case IKE_LOG_INFO:
		return "<6>";
	case IKE_LOG_DEBUG:
		break;
	}
	return "<7>";
}

/* A peer's identity may hold anything; it must not make lines of its own. */
static void clean(char *to, size_t size, const char *from)
{
	size_t i;

	for (i = 0; from[i] && i + 1 < size; i++)
		to[i] = (unsigned char)from[i] < ' ' || from[i] == 0x7f ? '?' : from[i];
	to[i] = '\0';
}

static void refill(void)
{
	struct timespec now;
	time_t passed;

	clock_gettime(CLOCK_MONOTONIC, &now);
	passed = now.tv_sec - logger.filled;
	logger.filled = now.tv_sec;
	if (passed >= BURST / LINES_PER_SECOND || logger.tokens + passed * LINES_PER_SECOND > BURST)
		logger.tokens = BURST;
	else
		logger.tokens += passed * LINES_PER_SECOND;
}

/* Who asked for debugging wants all of it. */
static bool may_say(void)
{
	refill();
	if (!logger.tokens && logger.level < IKE_LOG_DEBUG) {
		logger.left_out++;
		return false;
	}
	logger.tokens -= !!logger.tokens;
	if (logger.left_out)
		fprintf(stderr, "%s%lu lines are left out\n", prefix(IKE_LOG_INFO),
			logger.left_out);
	logger.left_out = 0;
	return true;
}

void log_line(enum ike_log_level level, const char *name, const char *text)
{
	char line[LINE_MAX_LEN];

	if (!log_enabled(level) || !may_say())
		return;
	clean(line, sizeof(line), text);
	if (*name)
		fprintf(stderr, "%s[%s] %s\n", prefix(level), name, line);
	else
		fprintf(stderr, "%s%s\n", prefix(level), line);
	if (!logger.sink || logger.in_sink)
		return;
	logger.in_sink = true;
	logger.sink(logger.arg, level, name, line);
	logger.in_sink = false;
}

static void __attribute__((format(printf, 2, 0)))
log_args(enum ike_log_level level, const char *format, va_list args)
{
	char text[LINE_MAX_LEN];

	if (!log_enabled(level))
		return;
	vsnprintf(text, sizeof(text), format, args);
	log_line(level, "", text);
}

void log_error(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	log_args(IKE_LOG_ERROR, format, args);
	va_end(args);
}

void log_info(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	log_args(IKE_LOG_INFO, format, args);
	va_end(args);
}

void log_debug(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	log_args(IKE_LOG_DEBUG, format, args);
	va_end(args);
}
