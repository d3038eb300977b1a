/* SPDX-License-Identifier: MIT */
/* Times and sizes as people say them, and labels that stand out on a terminal. */
#ifndef ESPLANE_CLI_HUMAN_H
#define ESPLANE_CLI_HUMAN_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum { HUMAN_MAX = 64 };

/* "1 minute, 3 seconds": the two greatest units. Writes HUMAN_MAX bytes at most; returns @buf. */
char *human_duration(uint64_t seconds, char *buf);
/* "512 B", "4.2 MiB" */
char *human_bytes(uint64_t bytes, char *buf);

/* What a status is written to. */
struct page {
	FILE *out;
	bool color;			/* @out is a terminal */
};

/* "  label: text" with @indent blanks in front, the label bold on a terminal. */
void page_line(const struct page *p, int indent, const char *label, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

#endif
