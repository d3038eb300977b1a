/* SPDX-License-Identifier: MIT */
/* Hears by rtnetlink that this host's addresses or routes have changed, and tells the engine. */
#ifndef ESPLANE_ROAM_H
#define ESPLANE_ROAM_H

#include <uv.h>

struct host;
struct nl_sock;

struct roam {
	struct host *host;
	struct nl_sock *sock;
	uv_poll_t poll;
	uv_timer_t timer; /* the engine is told when it has been quiet for a moment */
	bool started;
};

/* Opens the socket, before the system calls are filtered. Returns 0, or -1 after logging why. */
int roam_open(struct roam *r, struct host *host);
int roam_start(struct roam *r);
/* Stops; the loop must run once more before roam_free(). */
void roam_close(struct roam *r);
void roam_free(struct roam *r);

#endif
