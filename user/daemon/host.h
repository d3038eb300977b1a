/* SPDX-License-Identifier: MIT */
/*
 * The engine's host: gives it time, a thread pool, sockets and the data plane, and hears what
 * happens. Everything runs in the thread of the event loop but ike_job_run().
 *
 * Every call to a function of the engine that may act is followed by host_settle(): the engine's
 * functions must not be called from within its own, so what it reports is kept until then.
 */
#ifndef ESPLANE_HOST_H
#define ESPLANE_HOST_H

#include <uv.h>

#include "counters.h"
#include "ikev2/ike.h"
#include "names.h"

struct addresses;
struct fetches;
struct hooks;
struct kernel;
struct lease_file;
struct radius;
struct resolvconf;
struct sockets;

struct host_event {
	struct host_event *next;
	struct ike_event event;
	char *text;			/* event.text points here */
};

struct host_listener {
	void (*event)(void *arg, const struct ike_event *event);
	/* The engine was told to shut down, and all is answered or given up. Once. */
	void (*idle)(void *arg);
	/* ike_engine_trace() */
	void (*trace)(void *arg, const struct ike_trace *t);
	void *arg;
};

struct host {
	uv_loop_t *loop;
	struct ike_engine *engine;
	struct sockets *sockets;
	struct kernel *kernel;
	struct addresses *addresses;
	struct lease_file *leases;
	struct fetches *fetches;
	struct hooks *hooks;
	struct radius *radius;
	struct resolvconf *resolvconf;
	struct host_listener listener;
	struct counters counters;
	struct names names;
	uv_timer_t timer;
	struct host_event *first, **last;
	size_t jobs;			/* in the thread pool */
	bool settling, stopping, stopped;
};

/* Microseconds of the monotonic clock. */
ike_time host_now(void);

/*
 * @h: loop, sockets, kernel and listener set, the rest zero. Returns 0, or -1 when out of memory.
 */
int host_start(struct host *h, struct ike_config *config);
/* See above. Nested calls do nothing: the outer one goes on until all is told. */
void host_settle(struct host *h);
/* SIGTERM: SAs are deleted at the peers; listener.idle() tells when it is done. */
void host_stop(struct host *h);
/* Frees the engine. No job may be under way. */
void host_free(struct host *h);

/* What the fetcher has got, as struct fetches has it. @arg: the host. */
void host_fetched(void *arg, struct ike_fetch *fetch, const uint8_t *body, size_t len,
		  const char *why);
/* One IKE message or keepalive that a socket received. */
void host_receive(struct host *h, const struct ike_endpoint *local,
		  const struct ike_endpoint *remote, const uint8_t *message, size_t len);
/* One packet that came for RADIUS. */
void host_radius(struct host *h, const struct ike_endpoint *server, const uint8_t *packet,
		 size_t len);

#endif
