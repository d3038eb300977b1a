// SPDX-License-Identifier: MIT
/* Times and sizes as people say them, and labels that stand out on a terminal. */
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "human.h"

char *human_duration(uint64_t seconds, char *buf)
{
	static const struct {
		const char *name;
		uint64_t seconds;
	} units[] = {
		{ "year", 365 * 86400 }, { "day", 86400 }, { "hour", 3600 }, { "minute", 60 },
		{ "second", 1 },
	};
	size_t i, len = 0;
	uint64_t n;
	int parts = 0;

	snprintf(buf, HUMAN_MAX, "0 seconds");
	for (i = 0; i < sizeof(units) / sizeof(units[0]) && parts < 2; i++) {
		n = seconds / units[i].seconds;
		seconds %= units[i].seconds;
		if (n)
			len += snprintf(buf + len, HUMAN_MAX - len, "%s%" PRIu64 " %s%s",
					parts ? ", " : "", n, units[i].name, n == 1 ? "" : "s");
		/* The unit below the greatest ends the text even if there is none of it. */
		parts += n || parts;
	}
	return buf;
}

char *human_bytes(uint64_t bytes, char *buf)
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
	double value = bytes;
	size_t i;

	/* 1023.95 would be written as 1024.0 */
	for (i = 0; value >= 1023.95 && i + 1 < sizeof(units) / sizeof(units[0]); i++)
		value /= 1024;
	snprintf(buf, HUMAN_MAX, "%.*f %s", i ? 1 : 0, value, units[i]);
	return buf;
}

void page_line(const struct page *p, int indent, const char *label, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fprintf(p->out, "%*s%s%s:%s ", indent, "", p->color ? "\033[1m" : "", label,
		p->color ? "\033[0m" : "");
	vfprintf(p->out, format, args);
	fputc('\n', p->out);
	va_end(args);
}
