// SPDX-License-Identifier: MIT
/* Requests to servers of RADIUS: which one, again, another one, and whose answer it is. */
#include <stdlib.h>
#include <string.h>

#include "ikev2/auth_eap.h"
#include "ikev2/eap/radius.h"

enum {
	DEFAULT_TIMEOUT_MS = 2000,
	DEFAULT_TRIES = 2,
	US_PER_MS = 1000,
	/* Each interval is 1.4 times the one before. */
	BACKOFF = 14,
	BACKOFF_BASE = 10,
	IDENTIFIERS = 256, /* RFC 2865 section 3: requests under way to one server */
	STATION_MAX = IKE_ADDR_TEXT_MAX,
};

/* A server that did not answer is not asked first for so long. */
static const ike_time silent_time = 60 * (ike_time)IKE_SECOND;

struct ike_aaa_ask {
	struct ike_node by_id;
	struct ike_timer timer;
	struct ike_sa *sa;
	struct ike_incoming *in;
	const struct ike_radius_server_cfg *server;
	bool tried[IKE_RADIUS_SERVERS_MAX];
	bool complained; /* of a forged answer: once */
	unsigned int sends;
	ike_time interval;
	struct ike_radius_exchange exchange;
	uint8_t packet[IKE_RADIUS_PACKET_MAX];
	size_t packet_len;
};

static struct ike_endpoint endpoint(const struct ike_radius_server_cfg *s)
{
	return (struct ike_endpoint){s->addr, s->port};
}

static bool same_endpoint(const struct ike_endpoint *a, const struct ike_endpoint *b)
{
	return a->port == b->port && ike_addr_equal(&a->addr, &b->addr);
}

static char *server_text(const struct ike_radius_server_cfg *s, char *buf, size_t cap)
{
	char addr[IKE_ADDR_TEXT_MAX];
	struct ike_text t;

	ike_text_init(&t, buf, cap);
	ike_text_add(&t, "%.60s (%s port %u)", s->name, ike_addr_text(&s->addr, addr, sizeof(addr)),
		     s->port);
	return buf;
}

/* Silence */

static bool is_silent(const struct ike_engine *e, const struct ike_radius_server_cfg *s)
{
	struct ike_endpoint at = endpoint(s);

	for (size_t i = 0; i < IKE_RADIUS_SERVERS_MAX; i++)
		if (e->aaa.silent[i].until > e->now && same_endpoint(&e->aaa.silent[i].at, &at))
			return true;
	return false;
}

/* In the place of the one whose time is over first. */
static void note_silence(struct ike_engine *e, const struct ike_radius_server_cfg *s)
{
	struct ike_endpoint at = endpoint(s);
	size_t place = 0;

	for (size_t i = 0; i < IKE_RADIUS_SERVERS_MAX; i++) {
		if (e->aaa.silent[i].until < e->aaa.silent[place].until)
			place = i;
		if (same_endpoint(&e->aaa.silent[i].at, &at)) {
			place = i;
			break;
		}
	}
	e->aaa.silent[place].at = at;
	e->aaa.silent[place].until = e->now + silent_time;
}

static void note_answer(struct ike_engine *e, const struct ike_endpoint *at)
{
	for (size_t i = 0; i < IKE_RADIUS_SERVERS_MAX; i++)
		if (same_endpoint(&e->aaa.silent[i].at, at))
			e->aaa.silent[i].until = 0;
}

/* Requests under way */

/* Few servers, 256 identifiers each: what falls together is told apart by who looks. */
static uint64_t key_of(const struct ike_endpoint *at, uint8_t identifier)
{
	uint64_t key = at->port;

	for (size_t i = 0; i < ike_addr_len(&at->addr); i++)
		key = key * 31 + at->addr.bytes[i];
	return key * IDENTIFIERS + identifier;
}

static struct ike_aaa_ask *find(const struct ike_engine *e, const struct ike_endpoint *at,
				uint8_t identifier)
{
	const struct ike_node *node = NULL;

	while ((node = ike_table_find(&e->aaa.by_id, key_of(at, identifier), node))) {
		struct ike_aaa_ask *ask = ike_container(node, struct ike_aaa_ask, by_id);
		struct ike_endpoint its = endpoint(ask->server);

		if (same_endpoint(&its, at) && ask->exchange.identifier == identifier)
			return ask;
	}
	return NULL;
}

static bool draw_identifier(struct ike_engine *e, const struct ike_endpoint *at,
			    uint8_t *identifier)
{
	for (unsigned int i = 0; i < IDENTIFIERS; i++) {
		*identifier = ++e->aaa.last_id;
		if (!find(e, at, *identifier))
			return true;
	}
	return false;
}

/* RFC 2865 section 2.5: to the same server again, to the byte. */
static void send_ask(struct ike_aaa_ask *ask)
{
	struct ike_engine *e = ask->sa->engine;
	struct ike_endpoint at = endpoint(ask->server);

	ask->sends++;
	e->ops->radius_send(e->host, &at, ask->packet, ask->packet_len);
	ike_timer_set(&e->timers, &ask->timer, e->now + ike_jitter(e, ask->interval));
	ask->interval = ask->interval * BACKOFF / BACKOFF_BASE;
}

static bool write_ask(struct ike_aaa_ask *ask, struct ike_error *err)
{
	char called[STATION_MAX], calling[STATION_MAX];
	const struct ike_sa *sa = ask->sa;
	const struct ike_radius_cfg *cfg = &sa->config->radius;
	const struct ike_radius_request request = {
		.user = ike_eap_relay_user(sa->eap->eap),
		.eap = ike_eap_packet(sa->eap->eap),
		.state = ike_eap_relay_state(sa->eap->eap),
		.nas_identifier = cfg->nas_identifier ? cfg->nas_identifier : "esplane",
		.nas = sa->local.addr,
		.called = ike_addr_text(&sa->local.addr, called, sizeof(called)),
		.calling = ike_addr_text(&sa->remote.addr, calling, sizeof(calling)),
	};
	struct ike_writer w;

	ike_writer_init(&w, ask->packet, sizeof(ask->packet));
	if (!ike_radius_write(&w, &ask->exchange, &request, err))
		return false;
	ask->packet_len = w.len;
	return true;
}

static bool begin_with(struct ike_aaa_ask *ask, const struct ike_radius_server_cfg *s,
		       struct ike_error *err)
{
	const struct ike_radius_cfg *cfg = &ask->sa->config->radius;
	struct ike_engine *e = ask->sa->engine;
	struct ike_endpoint at = endpoint(s);

	ike_table_remove(&e->aaa.by_id, &ask->by_id);
	if (!draw_identifier(e, &at, &ask->exchange.identifier))
		return ike_fail(err, "RADIUS server %.60s: %d requests wait already", s->name,
				IDENTIFIERS);
	ask->server = s;
	ask->exchange.secret = ike_bytes(s->secret, s->secret_len);
	ike_random_fill(&e->random, ask->exchange.authenticator,
			sizeof(ask->exchange.authenticator));
	if (!write_ask(ask, err))
		return false;
	ike_table_add(&e->aaa.by_id, &ask->by_id, key_of(&at, ask->exchange.identifier));
	ask->sends = 0;
	ask->interval = (cfg->timeout_ms ? cfg->timeout_ms : DEFAULT_TIMEOUT_MS) * US_PER_MS;
	send_ask(ask);
	return true;
}

/* The first that is not known to be silent, else the first. */
static const struct ike_radius_server_cfg *choose(struct ike_aaa_ask *ask)
{
	const struct ike_radius_cfg *cfg = &ask->sa->config->radius;
	const struct ike_auth_eap *a = ask->sa->eap;
	size_t best = cfg->n_servers;

	for (size_t i = cfg->n_servers; i-- > 0;) {
		struct ike_endpoint at = endpoint(&cfg->servers[i]);

		if (ask->tried[i] || (a->server.port && !same_endpoint(&at, &a->server)))
			continue;
		if (best == cfg->n_servers || !is_silent(ask->sa->engine, &cfg->servers[i]) ||
		    is_silent(ask->sa->engine, &cfg->servers[best]))
			best = i;
	}
	if (best == cfg->n_servers)
		return NULL;
	ask->tried[best] = true;
	return &cfg->servers[best];
}

static bool begin_next(struct ike_aaa_ask *ask, struct ike_error *err)
{
	const struct ike_radius_cfg *cfg = &ask->sa->config->radius;
	const struct ike_radius_server_cfg *s = choose(ask);
	char text[IKE_ADDR_TEXT_MAX + 80], list[200];
	struct ike_text t;

	if (s)
		return begin_with(ask, s, err);
	ike_text_init(&t, list, sizeof(list));
	for (size_t i = 0; i < cfg->n_servers; i++)
		if (ask->tried[i])
			ike_text_add(&t, " %s",
				     server_text(&cfg->servers[i], text, sizeof(text)));
	return ike_fail_notify(err, IKE_NOTIFY_AUTHENTICATION_FAILED,
			       "no RADIUS server answers:%s", list);
}

static void ask_free(struct ike_aaa_ask *ask)
{
	struct ike_engine *e = ask->sa->engine;

	ask->sa->eap->ask = NULL;
	ike_table_remove(&e->aaa.by_id, &ask->by_id);
	ike_timer_stop(&e->timers, &ask->timer);
	ike_timers_release(&e->timers, 1);
	ike_wipe(ask, sizeof(*ask));
	free(ask);
}

/* Gives the request that waited back, with what has become of it. */
static void conclude(struct ike_aaa_ask *ask, enum ike_eap_outcome outcome,
		     const struct ike_error *err)
{
	struct ike_incoming *in = ask->in;
	struct ike_sa *sa = ask->sa;

	ask_free(ask);
	ike_eap_server_goes_on(sa, in, outcome, err);
	ike_incoming_unref(in);
}

static void fires(struct ike_timer *t)
{
	struct ike_aaa_ask *ask = ike_container(t, struct ike_aaa_ask, timer);
	const struct ike_radius_cfg *cfg = &ask->sa->config->radius;
	char text[IKE_ADDR_TEXT_MAX + 80];
	struct ike_error err = {0};

	if (ask->sends <= (cfg->tries ? cfg->tries : DEFAULT_TRIES)) {
		send_ask(ask);
		return;
	}
	ike_sa_log(ask->sa, IKE_LOG_ERROR, "RADIUS server %s does not answer (sent %u times)",
		   server_text(ask->server, text, sizeof(text)), ask->sends);
	note_silence(ask->sa->engine, ask->server);
	if (begin_next(ask, &err))
		return;
	ike_eap_relay_failed(ask->sa->eap->eap);
	conclude(ask, IKE_EAP_FAILED, &err);
}

bool ike_aaa_ask(struct ike_sa *sa, struct ike_incoming *in, struct ike_error *err)
{
	struct ike_engine *e = sa->engine;
	struct ike_aaa_ask *ask;

	if (!e->ops->radius_send || !sa->config->radius.n_servers)
		return ike_fail(err, "there is no RADIUS server to ask");
	ask = calloc(1, sizeof(*ask));
	if (!ask || !ike_timers_reserve(&e->timers, 1)) {
		free(ask);
		return ike_fail(err, "out of memory");
	}
	ask->sa = sa;
	ask->in = ike_incoming_ref(in);
	ask->timer.fire = fires;
	sa->eap->ask = ask;
	if (!begin_next(ask, err)) {
		ask_free(ask);
		ike_incoming_unref(in);
		return false;
	}
	return true;
}

/* It may be anybody's: the real answer is waited for. One line tells, not one a packet. */
static void ignore(struct ike_aaa_ask *ask, const struct ike_error *err)
{
	char text[IKE_ADDR_TEXT_MAX + 80];

	ike_sa_log(ask->sa, ask->complained ? IKE_LOG_DEBUG : IKE_LOG_ERROR,
		   "an answer of RADIUS server %s is ignored: %s",
		   server_text(ask->server, text, sizeof(text)), err->text);
	ask->complained = true;
}

void ike_aaa_answer(struct ike_engine *e, const struct ike_endpoint *server,
		    struct ike_bytes packet)
{
	struct ike_radius_answer answer;
	struct ike_error err = {0};
	enum ike_eap_outcome outcome;
	struct ike_aaa_ask *ask;
	uint8_t identifier;

	ask = ike_radius_identifier(packet, &identifier) ? find(e, server, identifier) : NULL;
	if (!ask)
		return;
	if (!ike_radius_read(packet, &ask->exchange, &answer, &err)) {
		ignore(ask, &err);
		return;
	}
	note_answer(e, server);
	ask->sa->eap->server = *server;
	outcome = ike_eap_relayed(ask->sa->eap->eap, &answer, &err);
	ike_wipe(&answer, sizeof(answer));
	conclude(ask, outcome, &err);
}

void ike_aaa_forget(struct ike_sa *sa)
{
	struct ike_incoming *in;

	if (!sa->eap || !sa->eap->ask)
		return;
	in = sa->eap->ask->in;
	ask_free(sa->eap->ask);
	ike_incoming_unref(in);
}
