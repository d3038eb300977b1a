/* SPDX-License-Identifier: MIT */
/* Hears what the data plane reports and tells the engine; sees to leftovers when they are due. */
#ifndef ESPLANE_WATCH_H
#define ESPLANE_WATCH_H

#include <uv.h>

struct dp_events;
struct host;

struct watch {
	struct host *host;
	struct dp_events *events;
	uv_poll_t poll;
	uv_timer_t timer;		/* leftovers */
	bool started;
};

/* Opens the event socket, before privileges are dropped. Returns 0, or -1 after logging why. */
int watch_open(struct watch *w, struct host *host);
int watch_start(struct watch *w);
/* Stops; the loop must run once more before watch_free(). */
void watch_close(struct watch *w);
void watch_free(struct watch *w);

#endif
