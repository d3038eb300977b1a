// SPDX-License-Identifier: MIT
/* One end: an engine, the host it lives in, and the configuration it is given. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "ikev2/crypto/legacy.h"
#include "ikev2/job.h"
#include "sim/sim.h"

static const char *const ids[SIM_NODES] = {
	"a.example.org", "b.example.org", "c.example.org", "d.example.org",
	"e.example.org", "f.example.org", "g.example.org", "h.example.org",
};
static const char *const nets[SIM_NODES] = {
	"10.1.0.0/16", "10.2.0.0/16", "10.3.0.0/16", "10.4.0.0/16",
	"10.5.0.0/16", "10.6.0.0/16", "10.7.0.0/16", "10.8.0.0/16",
};

const char *sim_conn_name(unsigned int peer)
{
	static const char *const names[SIM_NODES] = {"to-a", "to-b", "to-c", "to-d",
						     "to-e", "to-f", "to-g", "to-h"};

	return names[peer];
}

unsigned int sim_degree(const struct sim *s, unsigned int index)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < s->n_nodes; i++)
		n += sim_linked(s, index, i);
	return n;
}

struct sim_node *sim_node_at(struct sim *s, const struct ike_addr *addr)
{
	unsigned int index = addr->bytes[3] - 1;

	if (index < s->n_nodes)
		return &s->nodes[index];
	sim_fail(s, "something goes to where nobody ever was");
	return s->nodes;
}

static struct ike_addr address(unsigned int index)
{
	return (struct ike_addr){.family = AF_INET, .bytes = {192, 0, 2, index + 1}};
}

struct ike_addr sim_address(const struct sim_node *n)
{
	struct ike_addr a = address(n->index);

	a.bytes[2] += n->place;
	return a;
}

static void must(bool ok, const struct ike_error *err)
{
	if (ok)
		return;
	fprintf(stderr, "simulator: %s\n", err->text);
	abort();
}

static void *allocate(size_t n, size_t size)
{
	void *p = calloc(n, size);

	if (!p)
		abort();
	return p;
}

/*
 * The lower end of a tunnel wants it up, and up again; in some runs the other one does as well, and
 * they begin at once.
 */
static bool initiates(const struct sim_conditions *c, unsigned int index, unsigned int peer)
{
	return index < peer || c->both;
}

/* Is what end @index has inside its own address, or one that it is given? */
static bool is_dynamic(const struct sim_conditions *c, unsigned int index)
{
	return c->transport || (c->vips && !index);
}

static void propose(struct ike_proposal_list *list, uint8_t protocol, const char *ciphers, bool ke,
		    const struct sim_conditions *conditions, bool guesses)
{
	static const char *const addke[] = {"", "-ke1_ecp384", "-ke1_ecp384-ke2_ecp521"};
	/* Of the wrong first guess the responder says which other it wants. */
	const char *first = conditions->guess && guesses ? "-ecp256-x25519" : "-x25519";
	char text[128];
	struct ike_error err;

	snprintf(text, sizeof(text), "%s%s%s", ciphers, ke ? first : "",
		 ke ? addke[conditions->addke] : "");
	must(ike_proposal_list_parse(list, protocol, text, &err), &err);
}

static void configure_child(struct ike_child_cfg *c, const struct sim_conditions *conditions,
			    unsigned int index, unsigned int peer)
{
	struct ike_error err;

	c->name = strdup("net");
	propose(&c->proposals, IKE_PROTO_ESP, "aes128gcm16", conditions->pfs, conditions,
		index < peer);
	c->mode = conditions->transport ? IKE_MODE_TRANSPORT : IKE_MODE_TUNNEL;
	must(ike_ts_list_parse(is_dynamic(conditions, index) ? "dynamic" : nets[index],
			       &c->local_ts, &c->n_local_ts, &err),
	     &err);
	must(ike_ts_list_parse(is_dynamic(conditions, peer) ? "dynamic" : nets[peer],
			       &c->remote_ts, &c->n_remote_ts, &err),
	     &err);
	c->replay_window = 64;
	if (initiates(conditions, index, peer)) {
		c->start_action = IKE_START_START;
		c->close_action = IKE_START_START;
		c->dpd_action = IKE_START_START;
	}
}

/* Another CHILD_SA, for when somebody asks for it. */
static void configure_extra(struct ike_child_cfg *c, unsigned int index, unsigned int peer)
{
	static const char *const extra[SIM_NODES] = {
		"172.16.1.0/24", "172.16.2.0/24", "172.16.3.0/24", "172.16.4.0/24",
		"172.16.5.0/24", "172.16.6.0/24", "172.16.7.0/24", "172.16.8.0/24",
	};
	struct ike_error err;

	c->name = strdup("extra");
	must(ike_proposal_list_parse(&c->proposals, IKE_PROTO_ESP, "aes128gcm16-x25519", &err),
	     &err);
	must(ike_ts_list_parse(extra[index], &c->local_ts, &c->n_local_ts, &err), &err);
	must(ike_ts_list_parse(extra[peer], &c->remote_ts, &c->n_remote_ts, &err), &err);
	c->replay_window = 64;
}

static void configure_conn(struct ike_conn_cfg *c, const struct sim_conditions *conditions,
			   unsigned int index, unsigned int peer)
{
	struct ike_addr local = address(index), remote = address(peer);
	struct ike_error err;

	c->name = strdup(sim_conn_name(peer));
	c->local_addrs = allocate(1, sizeof(*c->local_addrs));
	c->local_addrs[0] = ike_ts_of_addr(&local);
	c->n_local_addrs = !conditions->mobike;
	/* The first one is where the other end is at home. */
	c->remote_addrs = allocate(2, sizeof(*c->remote_addrs));
	c->remote_addrs[0] = c->remote_addrs[1] = ike_ts_of_addr(&remote);
	c->remote_addrs[1].last.bytes[2] += SIM_PLACES;
	c->n_remote_addrs = 2;
	c->mobike = conditions->mobike;
	c->childless = conditions->childless ? IKE_CHILDLESS_PREFER : IKE_CHILDLESS_ALLOW;
	c->local_port = IKE_PORT;
	c->remote_port = IKE_PORT;
	propose(&c->proposals, IKE_PROTO_IKE, "aes128gcm16-prfsha256", true, conditions,
		index < peer);
	must(ike_id_parse(ids[index], &c->local.id, &err), &err);
	must(ike_id_parse(ids[peer], &c->remote.id, &err), &err);
	c->dpd_delay = 10;
	c->unique = IKE_UNIQUE_REPLACE;
	if (conditions->vips && !index) {
		c->vips = allocate(1, sizeof(*c->vips));
		c->vips[0].family = AF_INET;
		c->n_vips = 1;
	} else if (conditions->vips) {
		c->pools = allocate(1, sizeof(*c->pools));
		c->pools[0] = strdup("pool");
		c->n_pools = 1;
	}
	c->children = allocate(1 + conditions->extra, sizeof(*c->children));
	c->n_children = 1 + conditions->extra;
	configure_child(&c->children[0], conditions, index, peer);
	if (conditions->extra)
		configure_extra(&c->children[1], index, peer);
}

/* Ed25519: what it signs is the same each time, so that a seed stays a seed. */
static struct ike_pkey *signing_key(unsigned int index)
{
	uint8_t raw[32] = {index + 1};
	struct ike_error err;
	struct ike_pkey *k = ike_pkey_new(
		EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, raw, sizeof(raw)), true, &err);

	must(k, &err);
	return k;
}

static void add_key(struct ike_pkey_list *list, struct ike_pkey *k)
{
	list->list = allocate(1, sizeof(*list->list));
	list->list[0] = k;
	list->n = 1;
}

static void configure_signatures(struct ike_conn_cfg *c, struct ike_pkey *own, unsigned int peer)
{
	c->local.method = IKE_AUTH_CFG_PUBKEY;
	c->remote.method = IKE_AUTH_CFG_PUBKEY;
	add_key(&c->local.pubkeys, ike_pkey_ref(own));
	add_key(&c->remote.pubkeys, signing_key(peer));
}

static void configure_user(struct ike_conn_cfg *c, bool client)
{
	struct ike_auth_cfg *user = client ? &c->local : &c->remote;

	user->method = IKE_AUTH_CFG_EAP;
	user->eap_id = strdup(client ? "carol" : "%any");
}

static void configure_password(struct ike_config *c)
{
	struct ike_error err;

	c->eap_secrets = allocate(1, sizeof(*c->eap_secrets));
	c->n_eap_secrets = 1;
	c->eap_secrets->key = (uint8_t *)strdup("simulated");
	c->eap_secrets->key_len = strlen("simulated");
	c->legacy = ike_legacy_new(&err);
	must(c->legacy, &err);
}

static void configure_conns(struct ike_config *c, const struct sim *s, unsigned int index)
{
	c->conns = allocate(s->n_nodes, sizeof(*c->conns));
	for (unsigned int peer = 0; peer < s->n_nodes; peer++) {
		struct ike_conn_cfg *conn = &c->conns[c->n_conns];

		if (!sim_linked(s, index, peer))
			continue;
		c->n_conns++;
		configure_conn(conn, &s->conditions, index, peer);
		if (s->conditions.pubkey)
			configure_signatures(conn, c->keys.list[0], peer);
		if (s->conditions.eap)
			configure_user(conn, index < peer);
	}
}

static struct ike_config *configuration(const struct sim *s, unsigned int index)
{
	const struct sim_conditions *conditions = &s->conditions;
	struct ike_config *c = allocate(1, sizeof(*c));

	c->refs = 1;
	c->settings.retransmit_timeout_ms = 500;
	c->settings.retransmit_tries = 8;
	c->settings.fragment_size = conditions->fragment_size;
	if (conditions->pubkey)
		add_key(&c->keys, signing_key(index));
	configure_conns(c, s, index);
	if (conditions->vips && index) {
		c->pools = allocate(1, sizeof(*c->pools));
		c->pools[0].name = strdup("pool");
		/* Two, as a crash leaves one behind with an IKE SA that nobody misses yet. */
		c->pools[0].first = (struct ike_addr){AF_INET, {10, 9, 0, 1}};
		c->pools[0].last = (struct ike_addr){AF_INET, {10, 9, 0, 2}};
		c->n_pools = 1;
	}
	c->secrets = allocate(1, sizeof(*c->secrets));
	c->n_secrets = 1;
	c->secrets[0].key = (uint8_t *)strdup("simulated");
	c->secrets[0].key_len = strlen("simulated");
	if (conditions->eap)
		configure_password(c);
	return c;
}

static void host_send(void *host, const struct ike_endpoint *local,
		      const struct ike_endpoint *remote, const uint8_t *message, size_t len)
{
	sim_network_send(host, local, remote, message, len);
}

static void host_keepalive(void *host, const struct ike_endpoint *local,
			   const struct ike_endpoint *remote)
{
}

/* One way out: the address of the place it is at. */
static int host_source(void *host, const struct ike_addr *remote, struct ike_addr *local,
		       const char **why)
{
	*local = sim_address(host);
	return 0;
}

static size_t host_addresses(void *host, struct ike_addr *list, size_t max)
{
	list[0] = sim_address(host);
	return 1;
}

static void host_random(void *host, uint8_t *buf, size_t len)
{
	struct sim_node *n = host;

	for (size_t i = 0; i < len; i++)
		buf[i] = sim_rng_next(&n->rng) >> 56;
}

/*
 * Most runs do without the costly arithmetic, so that there can be many: the public value is the
 * private one, the secret of two their difference. All that the engine sees is of the right size.
 */
static void toy_exchange(struct ike_job *job)
{
	const struct ike_dh_group *g = job->key.group;
	struct ike_dh_key *k = &job->key;

	k->pub_len = ike_dh_public_len(g);
	for (size_t i = 0; i < k->pub_len; i++)
		k->pub[i] = k->priv.bytes[i % k->priv.len];
	job->secret.len = job->peer_len ? ike_dh_secret_len(g) : 0;
	for (size_t i = 0; i < job->secret.len; i++)
		job->secret.bytes[i] = k->priv.bytes[i] ^ job->peer[i];
	job->ok = true;
}

struct job_item {
	struct ike_job *job;
	unsigned int life;
};

static void job_ends(void *arg, void *data)
{
	struct sim_node *n = arg;
	struct job_item *item = data;

	if (item->life != n->life) {
		ike_job_free(item->job);
		return;
	}
	if (n->sim->conditions.toy && !item->job->proof && !item->job->eap)
		toy_exchange(item->job);
	else
		ike_job_run(item->job);
	ike_engine_job_done(n->engine, n->sim->clock.now, item->job);
	sim_node_settle(n);
}

static void job_dropped(void *data)
{
	struct job_item *item = data;

	ike_job_free(item->job);
	free(item);
}

static void host_run_job(void *host, struct ike_job *job)
{
	struct sim_node *n = host;
	struct job_item *item = allocate(1, sizeof(*item));

	*item = (struct job_item){job, n->life};
	n->n_jobs++;
	if (n->sim->crossing) {
		sim_crossing_hold(n->sim, SIM_HELD_JOB, n, n->n_jobs, job_ends, job_dropped, item);
		return;
	}
	sim_clock_plan(&n->sim->clock, n->sim->clock.now + sim_rng_below(&n->sim->rng, 3000),
		       job_ends, n, item);
}

static void host_log(void *host, enum ike_log_level level, const char *name, const char *text)
{
	const struct sim_node *n = host;

	if (n->sim->verbose)
		printf("# %10.6f %c %s: %s\n", n->sim->clock.now / 1e6, 'a' + n->index, name, text);
}

static void host_event(void *host, const struct ike_event *event)
{
	struct sim_node *n = host;

	if (event->type == IKE_EVENT_CHILD_REKEYED)
		n->sim->rekeys++;
	if (event->type == IKE_EVENT_IKE_DOWN || event->type == IKE_EVENT_CHILD_DOWN)
		n->sim->disturbed = true;
}

static int host_vip_add(void *host, const struct ike_vip_spec *spec, const char **why)
{
	((struct sim_node *)host)->vips++;
	return 0;
}

static void host_vip_del(void *host, const struct ike_vip_spec *spec)
{
	((struct sim_node *)host)->vips--;
}

static struct ike_host make_host(void)
{
	struct ike_host host = {
		.send = host_send,
		.keepalive = host_keepalive,
		.random = host_random,
		.source = host_source,
		.addresses = host_addresses,
		.run_job = host_run_job,
		.vip_add = host_vip_add,
		.vip_del = host_vip_del,
		.log = host_log,
		.event = host_event,
	};

	sim_plane_host(&host);
	return host;
}

static void make_engine(struct sim_node *n)
{
	static struct ike_host host;
	struct ike_config *config = configuration(n->sim, n->index);

	host = make_host();
	n->engine = ike_engine_new(&host, n, config, n->sim->clock.now);
	ike_config_unref(config);
	if (!n->engine)
		abort();
	ike_engine_start(n->engine, n->sim->clock.now);
	sim_node_settle(n);
}

static void tick(void *arg, void *data)
{
	struct sim_node *n = arg;

	n->tick_planned = 0;
	if (ike_engine_next(n->engine) <= n->sim->clock.now)
		ike_engine_tick(n->engine, n->sim->clock.now);
	sim_node_settle(n);
}

void sim_node_settle(struct sim_node *n)
{
	ike_time next = ike_engine_next(n->engine);

	if (next == UINT64_MAX || (n->tick_planned && n->tick_planned <= next))
		return;
	n->tick_planned = next > n->sim->clock.now ? next : n->sim->clock.now + 1;
	sim_clock_plan(&n->sim->clock, n->tick_planned, tick, n, NULL);
}

void sim_node_begin(struct sim_node *n, struct sim *s, unsigned int index)
{
	memset(n, 0, sizeof(*n));
	n->sim = s;
	n->index = index;
	n->rng.state = s->seed * SIM_NODES + index;
	make_engine(n);
}

void sim_node_restart(struct sim_node *n)
{
	ike_engine_free(n->engine);
	n->life++;
	n->n_requests = 0;
	n->vips = 0;
	n->sim->disturbed = true;
	sim_plane_sweep(n);
	make_engine(n);
}

void sim_node_move(struct sim_node *n, unsigned int place)
{
	if (n->place == place)
		return;
	n->place = place;
	ike_engine_roam(n->engine, n->sim->clock.now);
	sim_node_settle(n);
}

void sim_node_end(struct sim_node *n)
{
	ike_engine_free(n->engine);
}
