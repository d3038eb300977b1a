// SPDX-License-Identifier: MIT
/*
 * A log line for programs: as JSON, and in the systemd journal's native protocol (systemd.io,
 * JOURNAL_NATIVE_PROTOCOL: fields NAME=value, a newline behind each; values here hold none).
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "log.h"

/* RFC 5424 section 6.2.1. */
enum { PRIORITY_ERROR = 3, PRIORITY_INFO = 6, PRIORITY_DEBUG = 7 };

/* A record as it grows. What does not fit is left out whole, so that the record stays well-formed. */
struct record {
	char *buf;
	size_t cap, len;
	bool json;
};

int log_priority(enum ike_log_level level)
{
	switch (level) {
	case IKE_LOG_ERROR:
		return PRIORITY_ERROR;
	case IKE_LOG_INFO:
		return PRIORITY_INFO;
	default:
		return PRIORITY_DEBUG;
	}
}

/* Bytes of the UTF-8 character at @p (RFC 3629 section 4); 0: it is none. */
static size_t utf8_len(const unsigned char *p)
{
	size_t n = *p < 0x80 ? 1 : *p >= 0xc2 && *p < 0xe0 ? 2 : (*p & 0xf0) == 0xe0 ? 3 :
		   *p >= 0xf0 && *p < 0xf5 ? 4 : 0, i;

	for (i = 1; i < n; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	/* Overlong ones, surrogates, and beyond U+10FFFF */
	if ((*p == 0xe0 && p[1] < 0xa0) || (*p == 0xed && p[1] > 0x9f) ||
	    (*p == 0xf0 && p[1] < 0x90) || (*p == 0xf4 && p[1] > 0x8f))
		return 0;
	return n;
}

/* RFC 8259 section 7. Returns the bytes written; @to has room for 6 times @from. */
static size_t escape(char *to, const char *from)
{
	const unsigned char *at = (const unsigned char *)from;
	char *begin = to;
	size_t n;

	while (*at) {
		n = utf8_len(at);
		if (*at == '"' || *at == '\\')
			*to++ = '\\';
		if (!n || *at < ' ') {
			to += sprintf(to, "\\u%04x", n ? *at : 0xfffd);
			at++;
			continue;
		}
		memcpy(to, at, n);
		to += n;
		at += n;
	}
	*to = '\0';
	return to - begin;
}

__attribute__((format(printf, 3, 4)))
static void put(struct record *r, const char *key, const char *format, ...)
{
	char value[2400], quoted[6 * sizeof(value)];
	const char *text = value;
	va_list args;
	size_t need;

	va_start(args, format);
	vsnprintf(value, sizeof(value), format, args);
	va_end(args);
	if (r->json) {
		escape(quoted, value);
		text = quoted;
	}
	need = strlen(key) + strlen(text) + sizeof(", \"\": \"\"}");
	if (r->len + need >= r->cap)
		return;
	r->len += snprintf(r->buf + r->len, r->cap - r->len, r->json ? "%s\"%s\": \"%s\"" : "%s%s=%s\n",
			   r->json && r->len > 1 ? ", " : "", key, text);
}

/* @json, @journal: what the field is called in either. */
#define PUT(r, json_name, journal_name, ...) \
	put(r, (r)->json ? json_name : journal_name, __VA_ARGS__)

static void put_names(struct record *r, const struct ike_log_names *n)
{
	if (n->conn)
		PUT(r, "connection", "ESPLANE_CONNECTION", "%s", n->conn);
	if (n->ike_id)
		PUT(r, "ike_sa", "ESPLANE_IKE_SA", "%" PRIu64, n->ike_id);
	if (n->spi_i || n->spi_r)
		PUT(r, "ike_spis", "ESPLANE_IKE_SPIS", "%016" PRIx64 "_i %016" PRIx64 "_r",
		    n->spi_i, n->spi_r);
	if (n->child)
		PUT(r, "child", "ESPLANE_CHILD", "%s", n->child);
	if (n->child_id)
		PUT(r, "child_sa", "ESPLANE_CHILD_SA", "%" PRIu64, n->child_id);
	/* The journal lets a field have several values: either finds the line. */
	if (n->spi_in)
		PUT(r, "spi_in", "ESPLANE_SPI", "%08x", n->spi_in);
	if (n->spi_out)
		PUT(r, "spi_out", "ESPLANE_SPI", "%08x", n->spi_out);
}

static void put_time(struct record *r)
{
	char text[32] = "";
	struct timespec now;
	struct tm tm;

	clock_gettime(CLOCK_REALTIME, &now);
	if (gmtime_r(&now.tv_sec, &tm))
		strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
	put(r, "time", "%s.%06ldZ", text, now.tv_nsec / 1000);
}

size_t log_format_json(const struct log_line *line, char *buf, size_t cap)
{
	struct record r = { .buf = buf, .cap = cap, .json = true };

	r.len = snprintf(buf, cap, "{");
	put_time(&r);
	put(&r, "level", "%s", log_level_name(line->level));
	put(&r, "subsystem", "%s", log_subsystem_name(line->subsystem));
	if (line->names)
		put_names(&r, line->names);
	put(&r, "message", "%s", line->text);
	return r.len + snprintf(buf + r.len, cap - r.len, "}");
}

size_t log_format_journal(const struct log_line *line, char *buf, size_t cap)
{
	const char *name = line->names ? line->names->name : "";
	struct record r = { .buf = buf, .cap = cap };

	put(&r, "MESSAGE", *name ? "[%s] %s" : "%s%s", name, line->text);
	put(&r, "PRIORITY", "%d", log_priority(line->level));
	put(&r, "SYSLOG_IDENTIFIER", "esplaned");
	put(&r, "ESPLANE_SUBSYSTEM", "%s", log_subsystem_name(line->subsystem));
	if (line->names)
		put_names(&r, line->names);
	return r.len;
}
