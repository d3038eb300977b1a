// SPDX-License-Identifier: MIT
/*
 * Events of the data plane. Those about SAs that are not this process's are leftovers' or somebody
 * else's.
 */
#define LOG_SUBSYSTEM LOG_KERNEL

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host.h"
#include "kernel.h"
#include "log.h"
#include "mapping.h"
#include "watch.h"

enum { LEFTOVERS_PERIOD = 1000 };	/* milliseconds */

enum { LIMIT_TEXT_MAX = 64 };

/* Which limits, in words: "bytes, packets". */
static const char *limit_text(const struct dp_event *event, char *text)
{
	static const char *const names[] = { "bytes", "packets", "time", "sequence numbers",
					     "time of use" };
	size_t i;

	*text = '\0';
	for (i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (!(event->cause >> i & 1))
			continue;
		strcat(text, *text ? ", " : "");
		strcat(text, names[i]);
	}
	return text;
}

static void on_expire(struct host *h, const struct dp_event *event)
{
	struct kernel *k = h->kernel;
	const struct owned *sa = owned_find(&k->sas, event->sa_id);
	char limit[LIMIT_TEXT_MAX];
	uint64_t cookie;

	if (!sa) {
		if (event->hard)
			leftovers_gone(&k->leftovers, event->sa_id);
		return;
	}
	cookie = sa->cookie;
	/* Gone from the kernel already: the engine's sa_del must find nothing to do. */
	if (event->hard)
		owned_remove(&k->sas, event->sa_id);
	ike_engine_sa_expire(h->engine, host_now(), cookie,
			     event->direction == ESPLANE_DIRECTION_IN, event->spi, event->hard,
			     limit_text(event, limit));
}

static void on_acquire(struct host *h, const struct dp_event *event)
{
	const struct owned *policy = owned_find(&h->kernel->policies, event->policy_id);

	if (policy)
		ike_engine_acquire(h->engine, host_now(), policy->cookie);
}

static void on_mapping(struct host *h, const struct dp_event *event)
{
	const struct owned *sa = owned_find(&h->kernel->sas, event->sa_id);
	struct ike_endpoint remote = { .port = event->sport };

	if (sa && mapping_addr_back(&remote.addr, &event->src))
		ike_engine_sa_mapping(h->engine, host_now(), sa->cookie, event->spi, &remote);
}

static void on_event(void *arg, const char *name, const struct dp_event *event)
{
	struct host *h = arg;

	log_debug("data plane: %s of SA %u, policy %u%s", name, event->sa_id, event->policy_id,
		  event->hard ? ", hard" : "");
	if (!strcmp(name, "sa-expire"))
		on_expire(h, event);
	else if (!strcmp(name, "acquire"))
		on_acquire(h, event);
	else if (!strcmp(name, "sa-mapping"))
		on_mapping(h, event);
}

static void begin_resync(void *arg)
{
	struct kernel *k = arg;
	struct owned_set *sas = &k->sas;
	size_t i;

	leftovers_look_begin(&k->leftovers);
	for (i = 0; i < sas->n; i++)
		sas->v[i].seen = false;
}

static void see_sa(void *arg, const struct dp_sa *sa)
{
	struct kernel *k = arg;
	struct owned *known = owned_find(&k->sas, sa->id);

	if (known)
		known->seen = true;
	leftovers_look_at(&k->leftovers, sa->id);
}

/* Any of ours that is not seen. The engine may remove others while it hears of this one. */
static bool take_missing(struct kernel *k, struct owned *missing)
{
	size_t i;

	for (i = 0; i < k->sas.n; i++) {
		if (k->sas.v[i].seen)
			continue;
		*missing = k->sas.v[i];
		owned_remove(&k->sas, missing->id);
		return true;
	}
	return false;
}

/* Events were lost: an SA of ours that the kernel has no more has reached its hard lifetime. */
static void resync(struct host *h)
{
	struct kernel *k = h->kernel;
	struct owned_set gone = { 0 };
	struct owned missing;
	size_t i;

	log_info("data plane: events were lost; looking at what is there");
	if (dp_sa_dump(k->dp, begin_resync, see_sa, k)) {
		log_error("data plane: %s", dp_why(k->dp));
		return;
	}
	leftovers_look_end(&k->leftovers);
	/*
	 * First all that is missing, then the engine, which adds SAs that the dump could not see.
	 */
	while (take_missing(k, &missing))
		if (owned_add(&gone, &missing))
			log_error("out of memory");
	for (i = 0; i < gone.n; i++)
		ike_engine_sa_expire(h->engine, host_now(), gone.v[i].cookie, gone.v[i].inbound,
				     gone.v[i].spi, true, NULL);
	owned_free(&gone);
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
	struct watch *w = poll->data;
	int err;

	if (w->host->stopped)
		return;
	/*
	 * libuv stops a handle whose socket has an error pending, here ENOBUFS; reading takes it
	 * away.
	 */
	if (status < 0)
		uv_poll_start(poll, UV_READABLE, on_readable);
	err = dp_events_read(w->events, on_event, w->host);
	if (err == -ENOBUFS)
		resync(w->host);
	else if (err)
		log_error("data plane: events cannot be read: %s", strerror(-err));
	host_settle(w->host);
}

static void on_leftovers(uv_timer_t *timer)
{
	struct watch *w = timer->data;
	struct leftovers *l = &w->host->kernel->leftovers;

	leftovers_tick(l, host_now());
	if (!leftovers_any(l))
		uv_timer_stop(timer);
}

int watch_open(struct watch *w, struct host *host)
{
	const char *why;

	memset(w, 0, sizeof(*w));
	w->host = host;
	if (!host->kernel->dp)
		return 0;
	w->events = dp_events_open(&why);
	if (!w->events)
		log_error("data plane: events: %s", why);
	return w->events ? 0 : -1;
}

int watch_start(struct watch *w)
{
	if (!w->events)
		return 0;
	w->poll.data = w;
	w->timer.data = w;
	if (uv_poll_init(w->host->loop, &w->poll, dp_events_fd(w->events)) ||
	    uv_timer_init(w->host->loop, &w->timer))
		return -1;
	w->started = true;
	if (leftovers_any(&w->host->kernel->leftovers))
		uv_timer_start(&w->timer, on_leftovers, LEFTOVERS_PERIOD, LEFTOVERS_PERIOD);
	return uv_poll_start(&w->poll, UV_READABLE, on_readable);
}

void watch_close(struct watch *w)
{
	if (!w->started || uv_is_closing((uv_handle_t *)&w->poll))
		return;
	uv_close((uv_handle_t *)&w->poll, NULL);
	uv_close((uv_handle_t *)&w->timer, NULL);
}

void watch_free(struct watch *w)
{
	dp_events_close(w->events);
	w->events = NULL;
}
