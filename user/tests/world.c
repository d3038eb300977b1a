// SPDX-License-Identifier: MIT
/* Two engines in one process. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ikev2/child.h"
#include "tests/world.h"

static const char *const ids[] = {"a.example.org", "b.example.org"};
static const char *const nets[] = {"10.1.0.0/16", "10.2.0.0/16"};

enum {
	NAT_PORTS = 10000,
	QUIET_MAX = 10000
};

static struct ike_addr address(unsigned int index)
{
	return (struct ike_addr){.family = AF_INET, .bytes = {192, 0, 2, index + 1}};
}

static struct ike_addr outside(void)
{
	return (struct ike_addr){.family = AF_INET, .bytes = {198, 51, 100, 1}};
}

/* Host */

static void host_send(void *host, const struct ike_endpoint *local,
		      const struct ike_endpoint *remote, const uint8_t *message, size_t len)
{
	struct world_end *end = host;
	struct world *w = end->world;
	struct world_message *m = &w->sent[w->n_sent % WORLD_SENT];

	assert_true(len <= WORLD_MESSAGE);
	*m = (struct world_message){.from = end->index, .src = *local, .dst = *remote, .len = len};
	memcpy(m->bytes, message, len);
	w->n_sent++;
}

static void host_radius_send(void *host, const struct ike_endpoint *server, const uint8_t *packet,
			     size_t len)
{
	struct world_end *end = host;
	struct world *w = end->world;

	assert_true(len <= WORLD_MESSAGE && w->n_asked < WORLD_RADIUS);
	w->n_radius++;
	w->asked[w->n_asked] = (struct world_radius){.from = end->index, .server = *server, .len = len};
	memcpy(w->asked[w->n_asked++].bytes, packet, len);
}

static int host_source(void *host, const struct ike_addr *remote, struct ike_addr *local,
		       const char **why)
{
	struct world_end *end = host;

	*why = "there is no route";
	if (!end->n_addrs)
		return -1;
	*local = end->addrs[0];
	return 0;
}

static void host_resolve(void *host, uint64_t id, const char *name)
{
	struct world_end *end = host;

	end->lookup = id;
	end->lookups++;
	snprintf(end->looked_up, sizeof(end->looked_up), "%s", name);
}

static size_t host_addresses(void *host, struct ike_addr *list, size_t max)
{
	struct world_end *end = host;

	memcpy(list, end->addrs, end->n_addrs * sizeof(*list));
	return end->n_addrs;
}

static void host_keepalive(void *host, const struct ike_endpoint *local,
			   const struct ike_endpoint *remote)
{
	((struct world_end *)host)->keepalives++;
}

static int64_t host_utc(void *host)
{
	return ((struct world_end *)host)->world->utc;
}

/* xorshift64: a test is the same each time. */
static void host_random(void *host, uint8_t *buf, size_t len)
{
	struct world_end *end = host;

	for (size_t i = 0; i < len; i++) {
		end->random ^= end->random << 13;
		end->random ^= end->random >> 7;
		end->random ^= end->random << 17;
		buf[i] = end->random >> 32;
	}
}

static void host_run_job(void *host, struct ike_job *job)
{
	struct world_end *end = host;

	assert_true(end->n_jobs < 16);
	end->jobs[end->n_jobs++] = job;
}

/* Once, and from then on all is well again. */
static bool refuses(struct world_end *end, const char **why)
{
	*why = "the data plane has a bad moment";
	return ++end->asked == end->refuse_at;
}

static int host_spi_alloc(void *host, const struct ike_addr *local, uint32_t *spi, const char **why)
{
	struct world_end *end = host;

	if (refuses(end, why))
		return -1;
	*spi = ++end->next_spi;
	end->spis++;
	end->spi_allocs++;
	return 0;
}

static void host_spi_free(void *host, const struct ike_addr *local, uint32_t spi)
{
	((struct world_end *)host)->spis--;
}

static int host_sa_add(void *host, const struct ike_sa_spec *spec, uint32_t *sa_id,
		       const char **why)
{
	struct world_end *end = host;

	if (refuses(end, why))
		return -1;
	*why = "the data plane is full";
	if (end->refuse_sa)
		return -1;
	for (size_t i = 0; i < WORLD_SAS; i++) {
		struct world_sa *sa = &end->sas[i];

		if (sa->id)
			continue;
		*sa = (struct world_sa){.id = ++end->next_id, .spec = *spec};
		assert_true(spec->encr_key_len <= sizeof(sa->key));
		memcpy(sa->key, spec->encr_key, spec->encr_key_len);
		end->spis -= spec->inbound;
		*sa_id = sa->id;
		return 0;
	}
	return -1;
}

static struct world_sa *find_sa(struct world_end *end, uint32_t id)
{
	for (size_t i = 0; id && i < WORLD_SAS; i++)
		if (end->sas[i].id == id)
			return &end->sas[i];
	return NULL;
}

static int host_sa_update(void *host, uint32_t sa_id, const struct ike_endpoint *src,
			  const struct ike_endpoint *dst, bool udp_encap, const char **why)
{
	struct world_end *end = host;
	struct world_sa *sa = find_sa(end, sa_id);

	assert_non_null(sa);
	sa->spec.src = *src;
	sa->spec.dst = *dst;
	sa->spec.udp_encap = udp_encap;
	end->updates++;
	return 0;
}

static int host_sa_query(void *host, uint32_t sa_id, struct ike_usage *usage)
{
	struct world_sa *sa = find_sa(host, sa_id);

	((struct world_end *)host)->queries++;
	*usage = (struct ike_usage){.idle_seconds = UINT64_MAX};
	if (!sa)
		return -1;
	usage->packets = sa->packets;
	if (sa->used)
		usage->idle_seconds = (((struct world_end *)host)->world->now - sa->used) / IKE_SECOND;
	return 0;
}

static void host_sa_del(void *host, uint32_t sa_id)
{
	struct world_end *end = host;
	struct world_sa *sa = find_sa(end, sa_id);

	assert_non_null(sa);
	sa->id = 0;
}

static struct world_policy *find_policy(struct world_end *end, uint32_t id)
{
	for (size_t i = 0; i < WORLD_POLICIES; i++)
		if (end->policies[i].id == id)
			return &end->policies[i];
	return NULL;
}

static int host_policy_set(void *host, const struct ike_policy_spec *spec, uint32_t *policy_id,
			   const char **why)
{
	struct world_end *end = host;
	struct world_policy *p = find_policy(end, spec->id);

	assert_non_null(p);
	if (refuses(end, why))
		return -1;
	*policy_id = spec->id ? spec->id : ++end->next_id;
	*p = (struct world_policy){
		.id = *policy_id,
		.inbound = spec->inbound,
		.action = spec->action,
		.sa_id = spec->sa_id,
		.priority = spec->priority,
		.cookie = spec->cookie,
	};
	ike_ts_list_text(spec->src_ts, spec->n_src_ts, p->src, sizeof(p->src));
	ike_ts_list_text(spec->dst_ts, spec->n_dst_ts, p->dst, sizeof(p->dst));
	return 0;
}

static void host_policy_del(void *host, uint32_t policy_id)
{
	struct world_policy *p = find_policy(host, policy_id);

	assert_true(policy_id && p);
	p->id = 0;
}

static int host_vip_add(void *host, const struct ike_vip_spec *spec, const char **why)
{
	struct world_end *end = host;

	for (size_t i = 0; i < 8; i++) {
		if (end->vips[i].family)
			continue;
		end->vips[i] = spec->addr;
		end->outer = spec->outer;
		ike_ts_list_text(spec->nets, spec->n_nets, end->nets, sizeof(end->nets));
		return 0;
	}
	return -1;
}

static void host_vip_del(void *host, const struct ike_vip_spec *spec)
{
	struct world_end *end = host;

	for (size_t i = 0; i < 8; i++) {
		if (!ike_addr_equal(&end->vips[i], &spec->addr))
			continue;
		end->vips[i].family = 0;
		return;
	}
	fail_msg("an address that was not there is taken away");
}

static void host_dns_add(void *host, uint64_t id, const struct ike_addr *servers, size_t n)
{
	char *at = ((struct world_end *)host)->dns, text[IKE_ADDR_TEXT_MAX];

	assert_string_equal(at, "");
	at += sprintf(at, "%u", (unsigned int)id);
	for (size_t i = 0; i < n; i++)
		at += sprintf(at, " %s", ike_addr_text(&servers[i], text, sizeof(text)));
}

static void host_dns_del(void *host, uint64_t id)
{
	char *at = ((struct world_end *)host)->dns;

	assert_int_equal(strtoul(at, NULL, 10), id);
	*at = '\0';
}

static void host_lease_keep(void *host, const char *pool, const char *identity,
			    const struct ike_addr *addr)
{
	struct world_end *end = host;
	size_t len = strlen(end->leases);
	char text[IKE_ADDR_TEXT_MAX];

	snprintf(end->leases + len, sizeof(end->leases) - len, "%s %s %s\n", pool,
		 ike_addr_text(addr, text, sizeof(text)), identity);
}

static void host_fetch(void *host, struct ike_fetch *fetch)
{
	struct world_end *end = host;

	assert_true(end->n_fetches < sizeof(end->fetches) / sizeof(end->fetches[0]));
	end->fetches[end->n_fetches++] = fetch;
	end->fetched++;
}

static void host_log(void *host, enum ike_log_level level, const char *name, const char *text)
{
	struct world_end *end = host;
	int n = snprintf(end->log + end->log_len, WORLD_LOG - end->log_len, "%s: %s\n", name, text);

	end->errors += level == IKE_LOG_ERROR;
	if (getenv("WORLD_VERBOSE"))
		printf("# %c %s: %s\n", 'a' + end->index, name, text);
	if (n > 0 && (size_t)n < WORLD_LOG - end->log_len)
		end->log_len += n;
}

static void host_event(void *host, const struct ike_event *event)
{
	struct world_end *end = host;

	end->events[event->type]++;
	if (event->type != IKE_EVENT_COMMAND_DONE)
		return;
	end->last_done = *event;
	snprintf(end->done_text, sizeof(end->done_text), "%s", event->text ? event->text : "");
}

static void host_trace(void *host, const struct ike_trace *t)
{
	struct world_end *end = host;
	struct world_traced *traced = calloc(1, sizeof(*traced));

	assert_true(end->n_traced < WORLD_TRACED && t->len <= WORLD_MESSAGE);
	traced->sent = t->sent;
	traced->decrypted = t->decrypted;
	traced->ike_id = t->ike_id;
	traced->len = t->len;
	memcpy(traced->bytes, t->message, t->len);
	end->traced[end->n_traced++] = traced;
}

static const struct ike_host host = {
	.send = host_send,
	.radius_send = host_radius_send,
	.keepalive = host_keepalive,
	.utc = host_utc,
	.random = host_random,
	.source = host_source,
	.addresses = host_addresses,
	.resolve = host_resolve,
	.run_job = host_run_job,
	.spi_alloc = host_spi_alloc,
	.spi_free = host_spi_free,
	.sa_add = host_sa_add,
	.sa_update = host_sa_update,
	.sa_query = host_sa_query,
	.sa_del = host_sa_del,
	.policy_set = host_policy_set,
	.policy_del = host_policy_del,
	.vip_add = host_vip_add,
	.vip_del = host_vip_del,
	.dns_add = host_dns_add,
	.dns_del = host_dns_del,
	.lease_keep = host_lease_keep,
	.fetch = host_fetch,
	.log = host_log,
	.event = host_event,
	.trace = host_trace,
};

/* Configuration */

static void configure_child(struct ike_child_cfg *c, unsigned int index)
{
	c->name = strdup("net");
	assert_true(
		ike_proposal_list_parse(&c->proposals, IKE_PROTO_ESP, "aes128gcm16-x25519", NULL));
	assert_true(ike_ts_list_parse(nets[index], &c->local_ts, &c->n_local_ts, NULL));
	assert_true(ike_ts_list_parse(nets[!index], &c->remote_ts, &c->n_remote_ts, NULL));
}

static void configure_conn(struct ike_conn_cfg *c, unsigned int index)
{
	struct ike_addr local = address(index), remote = address(!index);

	c->name = strdup("site");
	c->local_addrs = calloc(1, sizeof(*c->local_addrs));
	c->local_addrs[0] = ike_ts_of_addr(&local);
	c->n_local_addrs = 1;
	c->remote_addrs = calloc(1, sizeof(*c->remote_addrs));
	c->remote_addrs[0] = ike_ts_of_addr(&remote);
	c->n_remote_addrs = index ? 0 : 1;
	assert_true(ike_proposal_list_parse(&c->proposals, IKE_PROTO_IKE,
					    "aes128gcm16-prfsha256-x25519", NULL));
	assert_true(ike_id_parse(ids[index], &c->local.id, NULL));
	assert_true(ike_id_parse(ids[!index], &c->remote.id, NULL));
	c->children = calloc(1, sizeof(*c->children));
	c->n_children = 1;
	configure_child(&c->children[0], index);
}

struct ike_config *world_configure(unsigned int index)
{
	struct ike_config *c = calloc(1, sizeof(*c));

	c->refs = 1;
	c->conns = calloc(1, sizeof(*c->conns));
	c->n_conns = 1;
	configure_conn(&c->conns[0], index);
	c->secrets = calloc(1, sizeof(*c->secrets));
	c->n_secrets = 1;
	c->secrets[0].key = (uint8_t *)strdup("a secret between two");
	c->secrets[0].key_len = strlen("a secret between two");
	return c;
}

/* Life */

struct world *world_new(void)
{
	struct world *w = calloc(1, sizeof(*w));

	w->sent = calloc(WORLD_SENT, sizeof(*w->sent));
	w->asked = calloc(WORLD_RADIUS, sizeof(*w->asked));
	w->now = 1000 * IKE_SECOND;
	for (unsigned int i = 0; i < 2; i++) {
		w->end[i].world = w;
		w->end[i].index = i;
		w->end[i].random = 0x9e3779b97f4a7c15 + i;
		w->end[i].next_spi = 0x1000 * (i + 1);
		w->end[i].config = world_configure(i);
		w->end[i].addrs[0] = address(i);
		w->end[i].n_addrs = 1;
	}
	return w;
}

void world_give_ppk(struct world *w, unsigned int end, const char *name, const char *key)
{
	struct ike_config *c = w->end[end].config;
	struct ike_secret_cfg *s;

	c->ppks = realloc(c->ppks, (c->n_ppks + 1) * sizeof(*c->ppks));
	s = &c->ppks[c->n_ppks++];
	*s = (struct ike_secret_cfg){.n_ids = 1, .key = (uint8_t *)strdup(key), .key_len = strlen(key)};
	s->ids = calloc(1, sizeof(*s->ids));
	assert_true(ike_id_parse(name, &s->ids[0], NULL));
}

void world_use_ppk(struct world *w, unsigned int end, const char *name, bool required)
{
	struct ike_conn_cfg *conn = &w->end[end].config->conns[0];

	assert_true(ike_id_parse(name, &conn->ppk_id, NULL));
	conn->ppk_required = required;
}

void world_start(struct world *w)
{
	for (unsigned int i = 0; i < 2; i++)
		world_renew(w, i);
	world_run(w);
}

void world_renew(struct world *w, unsigned int end)
{
	struct world_end *at = &w->end[end];

	/* They go with who has set them. */
	at->dns[0] = '\0';
	at->engine = ike_engine_new(&host, at, at->config, w->now);
	assert_non_null(at->engine);
	ike_engine_start(at->engine, w->now);
}

void world_reload(struct world *w, unsigned int end, struct ike_config *config)
{
	struct world_end *at = &w->end[end];

	ike_engine_configure(at->engine, config, w->now);
	ike_config_unref(at->config);
	at->config = config;
	ike_engine_start(at->engine, w->now);
	world_run(w);
}

void world_free(struct world *w)
{
	for (unsigned int i = 0; i < 2; i++) {
		while (w->end[i].n_jobs)
			ike_job_free(w->end[i].jobs[--w->end[i].n_jobs]);
		while (w->end[i].n_fetches)
			ike_fetch_free(w->end[i].fetches[--w->end[i].n_fetches]);
		while (w->end[i].n_traced)
			free(w->end[i].traced[--w->end[i].n_traced]);
		ike_engine_free(w->end[i].engine);
		ike_config_unref(w->end[i].config);
	}
	free(w->sent);
	free(w->asked);
	free(w);
}

/* Time and messages */

static void translate(struct world *w, struct world_message *m)
{
	if (!w->nat)
		return;
	if (m->from == 0) {
		m->src.addr = outside();
		m->src.port += NAT_PORTS + w->nat_restarts;
	} else {
		m->dst.addr = w->end[0].addrs[0];
		m->dst.port -= NAT_PORTS + w->nat_restarts;
	}
}

static bool reaches_end(const struct world_end *end, const struct world_message *m)
{
	/* What comes to a port that a NAT knows no more. */
	if (m->dst.port != IKE_PORT && m->dst.port != IKE_PORT_NATT)
		return false;
	for (size_t i = 0; i < end->n_addrs; i++)
		if (ike_addr_equal(&end->addrs[i], &m->dst.addr))
			return true;
	return false;
}

static bool deliver_one(struct world *w)
{
	struct world_message *m;
	struct ike_engine *to;

	if (w->delivered == w->n_sent)
		return false;
	m = &w->sent[w->delivered++ % WORLD_SENT];
	to = w->end[!m->from].engine;
	translate(w, m);
	if ((!w->wire || w->wire(w, m)) && reaches_end(&w->end[!m->from], m))
		ike_engine_receive(to, w->now, &m->dst, &m->src, m->bytes, m->len);
	return true;
}

static bool compute_one(struct world_end *end)
{
	struct ike_job *job;

	if (!end->n_jobs)
		return false;
	job = end->jobs[0];
	memmove(end->jobs, end->jobs + 1, --end->n_jobs * sizeof(*end->jobs));
	ike_job_run(job);
	ike_engine_job_done(end->engine, end->world->now, job);
	return true;
}

static bool ask_one(struct world *w)
{
	struct world_radius packet;

	if (!w->n_asked)
		return false;
	packet = w->asked[0];
	memmove(w->asked, w->asked + 1, --w->n_asked * sizeof(*w->asked));
	if (w->radius)
		w->radius(w, &packet);
	return true;
}

void world_run(struct world *w)
{
	for (unsigned int i = 0; i < QUIET_MAX; i++)
		if (!deliver_one(w) && !compute_one(&w->end[0]) && !compute_one(&w->end[1]) &&
		    !ask_one(w))
			return;
	fail_msg("never quiet");
}

void world_answer(struct world *w, unsigned int end, const char *uri, const uint8_t *body,
		  size_t len, const char *why)
{
	struct world_end *at = &w->end[end];
	struct ike_fetch *fetch = at->fetches[0];

	assert_true(at->n_fetches > 0);
	assert_string_equal(fetch->uri, uri);
	memmove(at->fetches, at->fetches + 1, --at->n_fetches * sizeof(at->fetches[0]));
	ike_engine_fetch_done(at->engine, w->now, fetch, body, len, why);
	world_run(w);
}

void world_move(struct world *w, unsigned int end, uint8_t last)
{
	w->end[end].addrs[0] = (struct ike_addr){.family = AF_INET, .bytes = {203, 0, 113, last}};
	w->end[end].n_addrs = 1;
	ike_engine_roam(w->end[end].engine, w->now);
	world_run(w);
}

void world_pass(struct world *w, ike_time span)
{
	ike_time until = w->now + span;

	for (;;) {
		ike_time a = ike_engine_next(w->end[0].engine),
			 b = ike_engine_next(w->end[1].engine);
		ike_time next = a < b ? a : b;

		if (next > until)
			break;
		if (next > w->now)
			w->now = next;
		ike_engine_tick(w->end[0].engine, w->now);
		ike_engine_tick(w->end[1].engine, w->now);
		world_run(w);
	}
	w->now = until;
}

uint64_t world_initiate(struct world *w, const char *child)
{
	const char *why = NULL;
	uint64_t ticket = ike_engine_initiate(w->end[0].engine, w->now, "site", child, &why);

	world_run(w);
	return ticket;
}

void world_up(struct world *w)
{
	assert_int_not_equal(world_initiate(w, "net"), 0);
	assert_true(world_connected(w));
}

/* What there is */

struct count {
	const char *state;
	unsigned int ike, children;
};

static void count_one(void *arg, const struct ike_sa_info *info)
{
	struct count *c = arg;

	c->ike += !c->state || !strcmp(info->state, c->state);
	for (size_t i = 0; i < info->n_children; i++)
		c->children += !c->state || !strcmp(info->children[i].state, c->state);
}

unsigned int world_count_ike(struct world *w, unsigned int end, const char *state)
{
	struct count c = {.state = state};

	ike_engine_foreach_sa(w->end[end].engine, w->now, count_one, &c);
	return c.ike;
}

unsigned int world_count_children(struct world *w, unsigned int end, const char *state)
{
	struct count c = {.state = state};

	ike_engine_foreach_sa(w->end[end].engine, w->now, count_one, &c);
	return c.children;
}

unsigned int world_count_sas(const struct world_end *end)
{
	unsigned int n = 0;

	for (size_t i = 0; i < WORLD_SAS; i++)
		n += end->sas[i].id != 0;
	return n;
}

unsigned int world_count_policies(const struct world_end *end)
{
	unsigned int n = 0;

	for (size_t i = 0; i < WORLD_POLICIES; i++)
		n += end->policies[i].id != 0;
	return n;
}

struct ike_sa *world_sa(struct world *w, unsigned int end)
{
	struct ike_sa *sa, *newest = NULL;

	TAILQ_FOREACH(sa, &w->end[end].engine->sas, link)
		if (sa->state != IKE_SA_CLOSED)
			newest = sa;
	return newest;
}

struct ike_child *world_child(struct world *w, unsigned int end)
{
	struct ike_sa *sa = world_sa(w, end);

	return sa ? TAILQ_LAST(&sa->children, ike_child_list) : NULL;
}

static bool reaches(struct world_end *from, struct world_end *to)
{
	for (size_t i = 0; i < WORLD_POLICIES; i++) {
		struct world_sa *out = find_sa(from, from->policies[i].sa_id);

		if (!from->policies[i].id || from->policies[i].inbound || !out)
			continue;
		for (size_t k = 0; k < WORLD_SAS; k++)
			if (to->sas[k].id && to->sas[k].spec.inbound &&
			    to->sas[k].spec.spi == out->spec.spi &&
			    !memcmp(to->sas[k].key, out->key, sizeof(out->key)))
				return true;
	}
	return false;
}

bool world_connected(struct world *w)
{
	return reaches(&w->end[0], &w->end[1]) && reaches(&w->end[1], &w->end[0]);
}

bool world_logged(const struct world_end *end, const char *text)
{
	return strstr(end->log, text);
}

void world_forget_log(struct world *w)
{
	for (unsigned int i = 0; i < 2; i++) {
		w->end[i].log_len = 0;
		w->end[i].log[0] = '\0';
	}
}

struct world_message *world_last(struct world *w, unsigned int from)
{
	for (size_t i = w->n_sent; i--;)
		if (w->sent[i % WORLD_SENT].from == from)
			return &w->sent[i % WORLD_SENT];
	return NULL;
}

void world_inject(struct world *w, unsigned int to, const uint8_t *bytes, size_t len)
{
	struct ike_sa *sa = world_sa(w, to);
	struct ike_endpoint local = {address(to), IKE_PORT}, remote = {address(!to), IKE_PORT};
	uint8_t *copy = malloc(len ? len : 1);

	/* In a buffer of its own, so that reading past its end is seen. */
	memcpy(copy, bytes, len);
	ike_engine_receive(w->end[to].engine, w->now, sa ? &sa->local : &local,
			   sa ? &sa->remote : &remote, copy, len);
	free(copy);
}

static void read_answer(struct world *w, struct ike_sa *sa, uint32_t id,
			struct ike_payloads *answer)
{
	static uint8_t bytes[WORLD_MESSAGE];
	struct world_message *m = world_last(w, !w->end[0].index);
	struct ike_payloads outer;
	struct ike_header h;
	struct ike_bytes plain;

	answer->n = 0;
	m = world_last(w, sa->engine == w->end[0].engine ? 1 : 0);
	if (!m)
		return;
	memcpy(bytes, m->bytes, m->len);
	if (!ike_header_decode(ike_bytes(bytes, m->len), &h, NULL) || h.message_id != id ||
	    !(h.flags & IKE_FLAG_RESPONSE) ||
	    !ike_payloads_decode(&outer, h.next,
				 ike_bytes(bytes + IKE_HEADER_LEN, m->len - IKE_HEADER_LEN),
				 NULL) ||
	    !ike_sk_open(bytes, m->len, &outer.items[0], &sa->in, &plain, NULL) ||
	    !ike_payloads_decode(answer, outer.items[0].next, plain, NULL))
		answer->n = 0;
}

void world_request(struct world *w, unsigned int from, uint8_t exchange,
		   void (*put)(struct ike_writer *w, void *arg), void *arg,
		   struct ike_payloads *answer)
{
	struct ike_sa *sa = world_sa(w, from);
	uint32_t id = sa->window.next_id++;
	struct ike_outgoing o;
	struct ike_error err;

	ike_outgoing_begin(&o, sa, exchange, id, false);
	if (put)
		put(&o.w, arg);
	assert_true(ike_outgoing_end(&o, sa, &err));
	world_inject(w, !from, o.buf, o.w.len);
	while (compute_one(&w->end[!from]))
		;
	if (answer)
		read_answer(w, sa, id, answer);
	/*
	 * Nobody asked for the answer: it must not reach the engine that the request pretended to
	 * be from.
	 */
	while (w->delivered < w->n_sent && w->sent[w->delivered % WORLD_SENT].from == !from)
		w->delivered++;
	world_run(w);
}
