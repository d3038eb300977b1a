// SPDX-License-Identifier: MIT
/* Log lines. The one piece of process-wide state in the daemon: there is one standard error. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "log.h"

enum {
	LINE_MAX_LEN = 2048,
	/*
	 * So many lines at once, then so many a second. What anybody can cause without being
	 * authenticated has a share of its own: it must not keep out what else there is to say.
	 */
	BURST = 500,
	LINES_PER_SECOND = 50,
	BURST_OF_STRANGERS = 100,
	LINES_PER_SECOND_OF_STRANGERS = 10,
};

struct bucket {
	unsigned int burst, per_second;
	unsigned int tokens;		/* lines that may be said now */
	time_t filled;			/* when tokens were added last */
	unsigned long left_out;
};

static struct {
	struct log_levels levels;
	enum log_format format;
	int journal;			/* its socket; -1: none */
	log_sink *sink;
	void *arg;
	bool in_sink;			/* what the sink logs must not come back to it */
	struct bucket ours, strangers;
} logger = {
	.levels = { { [0 ... LOG_SUBSYSTEM_COUNT - 1] = IKE_LOG_INFO } },
	.journal = -1,
	.ours = { BURST, LINES_PER_SECOND, BURST, 0, 0 },
	.strangers = { BURST_OF_STRANGERS, LINES_PER_SECOND_OF_STRANGERS, BURST_OF_STRANGERS, 0, 0 },
};

void log_setup(const struct log_levels *levels, log_sink *sink, void *arg)
{
	logger.levels = *levels;
	logger.sink = sink;
	logger.arg = arg;
	setvbuf(stderr, NULL, _IOLBF, BUFSIZ);
}

static int journal_connect(const char *path)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int fd, saved;

	if (strlen(path) >= sizeof(to.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	strcpy(to.sun_path, path);
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || !connect(fd, (struct sockaddr *)&to, sizeof(to)))
		return fd;
	saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

/* systemd.exec(5), JOURNAL_STREAM: device and inode that standard error has if it is the journal. */
static bool stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	char text[64];
	struct stat st;

	if (!stream || fstat(STDERR_FILENO, &st))
		return false;
	snprintf(text, sizeof(text), "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
	return !strcmp(text, stream);
}

int log_open(enum log_format format, const char *path)
{
	logger.format = format;
	if (format == LOG_TEXT && stderr_is_journal())
		logger.format = LOG_JOURNAL;
	if (logger.format != LOG_JOURNAL)
		return 0;
	logger.journal = journal_connect(path);
	if (logger.journal >= 0)
		return 0;
	logger.format = LOG_TEXT;
	return format == LOG_JOURNAL ? -1 : 0;
}

/* A peer's identity may hold anything; it must not make lines of its own. */
static void clean(char *to, size_t size, const char *from)
{
	size_t i;

	for (i = 0; from[i] && i + 1 < size; i++)
		to[i] = (unsigned char)from[i] < ' ' || from[i] == 0x7f ? '?' : from[i];
	to[i] = '\0';
}

/* With the journal's level in front where standard error leads there (sd-daemon(3)). */
static void write_text(const struct log_line *line)
{
	const char *name = line->names ? line->names->name : "";

	if (getenv("JOURNAL_STREAM"))
		fprintf(stderr, "<%d>", log_priority(line->level));
	if (*name)
		fprintf(stderr, "[%s] %s\n", name, line->text);
	else
		fprintf(stderr, "%s\n", line->text);
}

static void write_record(const struct log_line *line)
{
	char record[LOG_RECORD_MAX];
	size_t len;

	switch (logger.format) {
	case LOG_JSON:
		log_format_json(line, record, sizeof(record));
		fprintf(stderr, "%s\n", record);
		return;
	case LOG_JOURNAL:
		len = log_format_journal(line, record, sizeof(record));
		if (send(logger.journal, record, len, MSG_NOSIGNAL) >= 0)
			return;
		break;
	case LOG_TEXT:
		break;
	}
	write_text(line);
}

static void refill(struct bucket *b)
{
	struct timespec now;
	time_t passed;

	clock_gettime(CLOCK_MONOTONIC, &now);
	passed = now.tv_sec - b->filled;
	b->filled = now.tv_sec;
	if (passed >= b->burst / b->per_second || b->tokens + passed * b->per_second > b->burst)
		b->tokens = b->burst;
	else
		b->tokens += passed * b->per_second;
}

static void tell_left_out(struct bucket *b)
{
	char text[80];

	if (!b->left_out)
		return;
	snprintf(text, sizeof(text), "%lu lines%s are left out", b->left_out,
		 b == &logger.strangers ? " that strangers caused" : "");
	b->left_out = 0;
	write_record(&(struct log_line){ LOG_DAEMON, IKE_LOG_INFO, NULL, text });
}

/* Who asked for debugging wants all of it. */
static bool may_say(struct bucket *b, const struct log_line *line)
{
	refill(b);
	if (!b->tokens && logger.levels.of[line->subsystem] < IKE_LOG_DEBUG) {
		b->left_out++;
		return false;
	}
	b->tokens -= !!b->tokens;
	return true;
}

static void give_to_sink(const struct log_line *line)
{
	if (!logger.sink || logger.in_sink)
		return;
	logger.in_sink = true;
	logger.sink(logger.arg, line);
	logger.in_sink = false;
}

void log_write(const struct log_line *given)
{
	bool stranger = given->names && given->names->stranger;
	struct log_line line = *given;
	char text[LINE_MAX_LEN];

	if (line.level > logger.levels.of[line.subsystem] ||
	    !may_say(stranger ? &logger.strangers : &logger.ours, &line))
		return;
	tell_left_out(&logger.ours);
	refill(&logger.strangers);
	if (logger.strangers.tokens)
		tell_left_out(&logger.strangers);
	clean(text, sizeof(text), line.text);
	line.text = text;
	write_record(&line);
	give_to_sink(&line);
}

void log_say(enum log_subsystem subsystem, enum ike_log_level level, const char *format, ...)
{
	char text[LINE_MAX_LEN];
	va_list args;

	if (level > logger.levels.of[subsystem])
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	log_write(&(struct log_line){ subsystem, level, NULL, text });
}
