/* SPDX-License-Identifier: MIT */
/*
 * Commands that the configuration names, such as updown, run by a process of their own: the daemon
 * itself has given up its privileges and may start no program. That process has the privileges that
 * the daemon began with, holds no secret, and runs nothing but what the configuration file names at
 * that moment, which it reads itself: a daemon that was taken over can at most repeat it.
 *
 * One command at a time, in the order of events. What it prints becomes lines of the log.
 */
#ifndef ESPLANE_HOOKS_H
#define ESPLANE_HOOKS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include <uv.h>

enum {
	HOOKS_MESSAGE_MAX = 32768,
	HOOKS_TIME_LIMIT = 60,		/* seconds that a command may take */
};

struct hooks {
	uv_poll_t poll;
	int fd;				/* -1: closed */
	pid_t pid;
	bool started;
};

/* A request as it is put together: zero-terminated strings, the name for the log and the command first. */
struct hooks_request {
	char bytes[HOOKS_MESSAGE_MAX];
	size_t len;
	bool full;
};

/* Starts the process; @config: the file that names what may be run. Before any thread. Returns 0 or -1. */
int hooks_open(struct hooks *h, const char *config);
int hooks_start(struct hooks *h, uv_loop_t *loop);
/* What has been asked for is still done, by a process that then ends. */
void hooks_close(struct hooks *h);

/* @name: "conn[3]/child{5}", for the log. */
void hooks_begin(struct hooks_request *r, const char *name, const char *command);
/* One variable of the environment, "NAME=value". */
void hooks_add(struct hooks_request *r, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void hooks_run(struct hooks *h, const struct hooks_request *r);

/* hook_process.c: what the other process does; never returns. */
void hook_process(int fd, const char *config) __attribute__((noreturn));
/* Is @command what child.updown says somewhere in the configuration file @path? */
bool hook_is_configured(const char *path, const char *command);

#endif
