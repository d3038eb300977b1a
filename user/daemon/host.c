// SPDX-License-Identifier: MIT
/* The engine's host: its clock, its timer, its jobs, and the order in which things are told. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/rand.h>

#include "addresses.h"
#include "fetch.h"
#include "host.h"
#include "kernel.h"
#include "hooks.h"
#include "lease_file.h"
#include "log.h"
#include "radius.h"
#include "resolvconf.h"
#include "sockets.h"
#include "updown.h"

enum {
	NS_PER_US = 1000,		/* uv_hrtime() counts nanoseconds */
	US_PER_MS = 1000,		/* libuv's timers count milliseconds */
};

struct job {
	uv_work_t work;
	struct host *host;
	struct ike_job *job;
};

ike_time host_now(void)
{
	return uv_hrtime() / NS_PER_US;
}

static void op_send(void *arg, const struct ike_endpoint *local, const struct ike_endpoint *remote,
		    const uint8_t *message, size_t len)
{
	struct host *h = arg;

	counters_message(&h->counters, true, message, len);
	sockets_send(h->sockets, local, remote, message, len);
}

static void op_keepalive(void *arg, const struct ike_endpoint *local,
			 const struct ike_endpoint *remote)
{
	sockets_keepalive(((struct host *)arg)->sockets, local, remote);
}

static void op_radius_send(void *arg, const struct ike_endpoint *server, const uint8_t *packet,
			   size_t len)
{
	radius_send(((struct host *)arg)->radius, server, packet, len);
}

static int64_t op_utc(void *arg)
{
	return time(NULL);
}

/* Keys must never be made from anything less: without randomness there is no going on. */
static void op_random(void *arg, uint8_t *buf, size_t len)
{
	if (len && RAND_priv_bytes(buf, len) != 1) {
		log_error("no random numbers");
		abort();
	}
}

static void job_run(uv_work_t *work)
{
	struct job *j = work->data;

	ike_job_run(j->job);
}

static void job_done(uv_work_t *work, int status)
{
	struct job *j = work->data;
	struct host *h = j->host;

	h->jobs--;
	ike_engine_job_done(h->engine, host_now(), j->job);
	free(j);
	host_settle(h);
}

static void op_run_job(void *arg, struct ike_job *job)
{
	struct host *h = arg;
	struct job *j = calloc(1, sizeof(*j));

	/*
	 * There is no way to refuse: a host that cannot keep 100 bytes cannot do key exchange
	 * either.
	 */
	if (!j) {
		log_error("out of memory");
		abort();
	}
	j->host = h;
	j->job = job;
	j->work.data = j;
	h->jobs++;
	if (uv_queue_work(h->loop, &j->work, job_run, job_done)) {
		log_error("the thread pool takes no work");
		abort();
	}
}

static int op_source(void *arg, const struct ike_addr *remote, struct ike_addr *local,
		     const char **why)
{
	return sockets_source(((struct host *)arg)->sockets, remote, local, why);
}

static void op_resolve(void *arg, uint64_t id, const char *name)
{
	names_resolve(arg, id, name);
}

static size_t op_addresses(void *arg, struct ike_addr *list, size_t max)
{
	return addresses_list(((struct host *)arg)->addresses, list, max);
}

static int op_spi_alloc(void *arg, const struct ike_addr *local, uint32_t *spi, const char **why)
{
	return kernel_spi_alloc(((struct host *)arg)->kernel, local, spi, why);
}

static void op_spi_free(void *arg, const struct ike_addr *local, uint32_t spi)
{
	kernel_spi_free(((struct host *)arg)->kernel, local, spi);
}

static int op_sa_add(void *arg, const struct ike_sa_spec *spec, uint32_t *sa_id, const char **why)
{
	return kernel_sa_add(((struct host *)arg)->kernel, spec, sa_id, why);
}

static int op_sa_update(void *arg, uint32_t sa_id, const struct ike_endpoint *src,
			const struct ike_endpoint *dst, bool udp_encap, const char **why)
{
	return kernel_sa_update(((struct host *)arg)->kernel, sa_id, src, dst, udp_encap, why);
}

static int op_sa_query(void *arg, uint32_t sa_id, struct ike_usage *usage)
{
	return kernel_sa_query(((struct host *)arg)->kernel, sa_id, usage);
}

static void op_sa_del(void *arg, uint32_t sa_id)
{
	kernel_sa_del(((struct host *)arg)->kernel, sa_id);
}

static int op_policy_set(void *arg, const struct ike_policy_spec *spec, uint32_t *policy_id,
			 const char **why)
{
	return kernel_policy_set(((struct host *)arg)->kernel, spec, policy_id, why);
}

static void op_policy_del(void *arg, uint32_t policy_id)
{
	kernel_policy_del(((struct host *)arg)->kernel, policy_id);
}

static int op_vip_add(void *arg, const struct ike_vip_spec *spec, const char **why)
{
	return addresses_add(((struct host *)arg)->addresses, spec, why);
}

static void op_vip_del(void *arg, const struct ike_vip_spec *spec)
{
	addresses_del(((struct host *)arg)->addresses, spec);
}

static void op_updown(void *arg, const struct ike_updown_spec *spec)
{
	struct host *h = arg;
	char interface[IF_NAMESIZE];

	addresses_interface(h->addresses, &spec->local.addr, interface);
	updown_run(h->hooks, spec, interface);
}

static void op_dns_add(void *arg, uint64_t id, const struct ike_addr *servers, size_t n)
{
	resolvconf_add(((struct host *)arg)->resolvconf, id, servers, n);
}

static void op_dns_del(void *arg, uint64_t id)
{
	resolvconf_del(((struct host *)arg)->resolvconf, id);
}

static void op_lease_keep(void *arg, const char *pool, const char *identity,
			  const struct ike_addr *addr)
{
	lease_file_keep(((struct host *)arg)->leases, pool, identity, addr);
}

static void op_fetch(void *arg, struct ike_fetch *fetch)
{
	fetches_ask(((struct host *)arg)->fetches, fetch);
}

static void op_log(void *arg, enum ike_log_level level, const struct ike_log_names *names,
		   const char *text)
{
	log_write(&(struct log_line){ names->child ? LOG_CHILD : LOG_IKE, level, names, text });
}

static void op_trace(void *arg, const struct ike_trace *t)
{
	struct host *h = arg;

	h->listener.trace(h->listener.arg, t);
}

static void op_event(void *arg, const struct ike_event *event)
{
	struct host *h = arg;
	struct host_event *e = calloc(1, sizeof(*e));

	if (!e || (event->text && !(e->text = strdup(event->text)))) {
		log_error("out of memory: an event is lost");
		free(e);
		return;
	}
	e->event = *event;
	e->event.text = e->text;
	*h->last = e;
	h->last = &e->next;
}

static const struct ike_host ops = {
	.send = op_send,
	.keepalive = op_keepalive,
	.radius_send = op_radius_send,
	.random = op_random,
	.utc = op_utc,
	.run_job = op_run_job,
	.source = op_source,
	.addresses = op_addresses,
	.resolve = op_resolve,
	.spi_alloc = op_spi_alloc,
	.spi_free = op_spi_free,
	.sa_add = op_sa_add,
	.sa_update = op_sa_update,
	.sa_query = op_sa_query,
	.sa_del = op_sa_del,
	.policy_set = op_policy_set,
	.policy_del = op_policy_del,
	.vip_add = op_vip_add,
	.vip_del = op_vip_del,
	.updown = op_updown,
	.dns_add = op_dns_add,
	.dns_del = op_dns_del,
	.lease_keep = op_lease_keep,
	.fetch = op_fetch,
	.log_about = op_log,
	.trace = op_trace,
	.event = op_event,
};

static void on_timer(uv_timer_t *timer)
{
	struct host *h = timer->data;

	ike_engine_tick(h->engine, host_now());
	host_settle(h);
}

static void rearm(struct host *h)
{
	ike_time next = ike_engine_next(h->engine), now = host_now();

	if (next == UINT64_MAX) {
		uv_timer_stop(&h->timer);
		return;
	}
	/* libuv's idea of now is that of the start of this turn of the loop. */
	uv_update_time(h->loop);
	uv_timer_start(&h->timer, on_timer,
		       next > now ? (next - now + US_PER_MS - 1) / US_PER_MS : 0, 0);
}

static void tell_events(struct host *h)
{
	struct host_event *e;

	while ((e = h->first)) {
		h->first = e->next;
		if (!h->first)
			h->last = &h->first;
		h->listener.event(h->listener.arg, &e->event);
		free(e->text);
		free(e);
	}
}

void host_settle(struct host *h)
{
	if (h->settling || h->stopped)
		return;
	h->settling = true;
	tell_events(h);
	h->settling = false;
	rearm(h);
	if (h->stopping && !h->jobs && ike_engine_idle(h->engine)) {
		h->stopped = true;
		uv_timer_stop(&h->timer);
		h->listener.idle(h->listener.arg);
	}
}

int host_start(struct host *h, struct ike_config *config)
{
	h->last = &h->first;
	h->timer.data = h;
	uv_timer_init(h->loop, &h->timer);
	h->engine = ike_engine_new(&ops, h, config, host_now());
	return h->engine ? 0 : -1;
}

void host_stop(struct host *h)
{
	if (h->stopping)
		return;
	h->stopping = true;
	ike_engine_shutdown(h->engine, host_now());
	host_settle(h);
}

void host_free(struct host *h)
{
	struct host_event *e;

	while ((e = h->first)) {
		h->first = e->next;
		free(e->text);
		free(e);
	}
	ike_engine_free(h->engine);
	h->engine = NULL;
}

void host_fetched(void *arg, struct ike_fetch *fetch, const uint8_t *body, size_t len,
		  const char *why)
{
	struct host *h = arg;

	ike_engine_fetch_done(h->engine, host_now(), fetch, body, len, why);
	host_settle(h);
}

void host_receive(struct host *h, const struct ike_endpoint *local,
		  const struct ike_endpoint *remote, const uint8_t *message, size_t len)
{
	if (h->stopped)
		return;
	counters_message(&h->counters, false, message, len);
	ike_engine_receive(h->engine, host_now(), local, remote, message, len);
	host_settle(h);
}

void host_radius(struct host *h, const struct ike_endpoint *server, const uint8_t *packet,
		 size_t len)
{
	if (h->stopped)
		return;
	ike_engine_radius(h->engine, host_now(), server, packet, len);
	host_settle(h);
}
