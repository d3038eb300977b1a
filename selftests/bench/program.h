/* SPDX-License-Identifier: MIT */
/* What programs of the benchmark say when they fail, and how long the CPU was busy. */
#ifndef BENCH_PROGRAM_H
#define BENCH_PROGRAM_H

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "module/source.h"

static inline void __attribute__((noreturn, format(printf, 1, 2))) die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fprintf(stderr, "%s: ", program_invocation_short_name);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
	exit(EXIT_FAILURE);
}

static inline int must(int result, const char *what)
{
	if (result < 0)
		die("%s: %s", what, strerror(errno));
	return result;
}

static inline uint64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * UINT64_C(1000000000) + time.tv_nsec;
}

static inline uint64_t idle(void)
{
	static int file = -1;
	char text[32] = "";

	if (file < 0)
		file = must(open(IDLE_FILE, O_RDONLY | O_CLOEXEC), IDLE_FILE);
	must(pread(file, text, sizeof(text) - 1, 0), IDLE_FILE);
	return strtoull(text, NULL, 10);
}

/* How long the CPU has been busy, up to a common offset. */
static inline uint64_t busy_time(void) { return now() - idle(); }

#endif
