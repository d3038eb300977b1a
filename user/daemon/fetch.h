/* SPDX-License-Identifier: MIT */
/*
 * What the engine wants to be fetched, by a process of its own: fetcher.c. It is forked before a
 * secret is read or a socket bound, gives up every privilege, and lives as long as the daemon: what a
 * stranger's name server or web server could do to a resolver or an HTTP client is done where there are
 * no keys, no capabilities, and no way to the data plane. The daemon's own filter of system calls
 * lets it open no connection, and stays so.
 *
 * The two speak over a pair of sockets: heads as below in the byte order of the machine, with what
 * they announce behind them. What comes from the fetcher is a stranger's to the daemon.
 */
#ifndef ESPLANE_FETCH_H
#define ESPLANE_FETCH_H

#include <uv.h>

#include "ikev2/inquiry.h"
#include "options.h"

enum {
	FETCHES_MAX = 16,		/* the engine has no more of them under way */
	FETCH_WHY_MAX = 160,
	FETCH_URI_MAX = 512,
	FETCH_POST_MAX = 1024,
};

struct fetch_question {
	uint64_t id;
	uint32_t max, timeout_ms;
	uint16_t uri_len, post_len;	/* behind it, without terminators */
};

/* One of the two is 0. */
struct fetch_answer {
	uint64_t id;
	uint32_t len, why_len;		/* behind it, without terminators */
};

/* The daemon's end. */
struct fetch_pending {
	struct ike_fetch *fetch;
	uint64_t until;			/* uv_now() when the fetcher itself must have given up */
};

struct fetches {
	int fd;				/* -1: the pipe has it, or there is no fetcher */
	pid_t pid;			/* never waited for */
	uv_loop_t *loop;
	uv_pipe_t pipe;
	uv_timer_t timer;
	bool started, alive, closed;
	struct fetch_pending list[FETCHES_MAX];
	size_t n;
	/* What is coming in: the head, then all that it announces. */
	struct fetch_answer head;
	size_t head_len;
	uint8_t *body;
	size_t len;
	/* @body NULL: @why says why. Not from within fetches_ask(). */
	void (*done)(void *arg, struct ike_fetch *fetch, const uint8_t *body, size_t len,
		     const char *why);
	void *arg;
};

/* Forks. Before the loop and threads are made. Returns 0, or -1 after logging why. */
int fetches_fork(struct fetches *f, const struct options *options);
/* f->done and f->arg are set. */
int fetches_start(struct fetches *f, uv_loop_t *loop);
void fetches_ask(struct fetches *f, struct ike_fetch *fetch);
/* The fetcher ends; what it was fetching is freed without a word. */
void fetches_close(struct fetches *f);

/* fetcher.c: the process. Does not return. */
_Noreturn void fetcher_run(int fd, const struct options *options);

#endif
