// SPDX-License-Identifier: MIT
/* Texts for people: errors, lines that grow, and "did you mean". */
#include "ikev2/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
	NEAREST_WORD_MAX = 40, /* longer words have no near one */
};

static void __attribute__((format(printf, 3, 0)))
fill(struct ike_error *e, uint16_t notify, const char *fmt, va_list ap)
{
	if (!e)
		return;
	e->notify = notify;
	e->payload = 0;
	vsnprintf(e->text, sizeof(e->text), fmt, ap);
}

bool ike_fail(struct ike_error *e, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fill(e, 0, fmt, ap);
	va_end(ap);
	return false;
}

bool ike_fail_notify(struct ike_error *e, uint16_t notify, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fill(e, notify, fmt, ap);
	va_end(ap);
	return false;
}

bool ike_fail_at(struct ike_error *e, const char *fmt, ...)
{
	char was[sizeof(e->text)];
	struct ike_text t;
	va_list ap;

	if (!e)
		return false;
	memcpy(was, e->text, sizeof(was));
	va_start(ap, fmt);
	vsnprintf(e->text, sizeof(e->text), fmt, ap);
	va_end(ap);
	t = (struct ike_text){e->text, sizeof(e->text), strlen(e->text)};
	ike_text_add(&t, ": %s", was);
	return false;
}

void ike_text_init(struct ike_text *t, char *buf, size_t cap)
{
	*t = (struct ike_text){buf, cap, 0};
	if (cap)
		buf[0] = '\0';
}

void ike_text_add(struct ike_text *t, const char *fmt, ...)
{
	size_t room = t->cap - t->len;
	va_list ap;
	int n;

	if (room < 2)
		return;
	va_start(ap, fmt);
	n = vsnprintf(t->buf + t->len, room, fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	t->len += (size_t)n < room ? (size_t)n : room - 1;
}

static bool is_plain(uint8_t c)
{
	return c >= ' ' && c <= '~' && c != '"' && c != '\'' && c != '\\';
}

void ike_text_add_printable(struct ike_text *t, const uint8_t *bytes, size_t len)
{
	size_t i = 0, from;

	while (i < len) {
		for (from = i; i < len && is_plain(bytes[i]); i++)
			;
		ike_text_add(t, "%.*s", (int)(i - from), (const char *)bytes + from);
		if (i < len)
			ike_text_add(t, "\\x%02x", bytes[i++]);
	}
}

void ike_text_add_hex(struct ike_text *t, const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		ike_text_add(t, "%02x", bytes[i]);
}

static size_t min3(size_t a, size_t b, size_t c)
{
	size_t m = a < b ? a : b;

	return m < c ? m : c;
}

/* Levenshtein's distance, one row at a time. */
static size_t edits(const char *a, const char *b)
{
	size_t row[NEAREST_WORD_MAX + 1], n = strlen(b);

	if (n > NEAREST_WORD_MAX)
		return SIZE_MAX;
	for (size_t j = 0; j <= n; j++)
		row[j] = j;
	for (size_t i = 0; a[i]; i++) {
		size_t diagonal = row[0];

		row[0] = i + 1;
		for (size_t j = 0; j < n; j++) {
			size_t above = row[j + 1];

			row[j + 1] = min3(above + 1, row[j] + 1, diagonal + (a[i] != b[j]));
			diagonal = above;
		}
	}
	return row[n];
}

const char *ike_text_nearest(const char *word, const char *(*name)(size_t i), size_t n)
{
	size_t len = strlen(word), best = len / 2 + 1;
	const char *nearest = NULL;

	if (len > NEAREST_WORD_MAX)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		size_t d = edits(word, name(i));

		if (d < best) {
			best = d;
			nearest = name(i);
		}
	}
	return nearest;
}
