// SPDX-License-Identifier: MIT
/*
 * The engine as a whole, in every state, given what strangers send and what a peer with the right
 * keys may send: two engines, a data plane that takes all, and a script of bytes.
 *
 * The script: a byte that says how far the two have come (with its highest bit the initiator
 * authenticates itself by EAP, else by a key of both; with the next one there are additional key
 * exchanges and a PPK), then records of an operation, a length
 * (16 bits) and as many bytes: a datagram; payloads to be sealed under the other end's keys; time;
 * commands.
 */
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "fuzz/interpret.h"
#include "ikev2/child.h"
#include "ikev2/crypto/legacy.h"
#include "ikev2/ike_sa.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
	QUEUE = 256,
	MESSAGE = 8192,
	JOBS = 64,
	ROUNDS = 64,
	RECORDS = 24,
	FLAGS_AT = 19 /* RFC 7296 section 3.1 */
};

/* How far: what is delivered of the first four messages. */
enum {
	UNTIL_NOTHING,
	UNTIL_INIT_REQUEST,
	UNTIL_INIT_RESPONSE,
	UNTIL_AUTH_REQUEST,
	UNTIL_UP,
	STAGES,
	/* By EAP it takes as many: the name, challenge, proof, success, and AUTH both ways. */
	EAP_STAGES = 13,
	BY_EAP = 0x80,
	/* One exchange more. */
	WITH_ADDKE = 0x40,
	ADDKE_STAGES = 2
};

enum {
	OP_END = 1,
	OP_KIND = 0x0e,
	KIND_DATAGRAM = 0,
	KIND_SEALED = 2,
	KIND_RESPONSE = 4,
	KIND_TIME = 6,
	KIND_COMMAND = 8,
	KIND_DELIVER = 10,
	KIND_EVENT = 12
};

struct datagram {
	unsigned int to;
	size_t len;
	uint8_t bytes[MESSAGE];
};

struct end {
	unsigned int index;
	struct ike_engine *engine;
	uint64_t random;
	uint32_t next_id;
	struct ike_job *jobs[JOBS];
	size_t n_jobs;
};

static struct end ends[2];
static struct datagram *queue;
static size_t head, tail;
static ike_time now;

static struct ike_endpoint endpoint(unsigned int index)
{
	return (struct ike_endpoint){{.family = AF_INET, .bytes = {192, 0, 2, index + 1}},
				     IKE_PORT};
}

/* Host */

static void host_send(void *host, const struct ike_endpoint *local,
		      const struct ike_endpoint *remote, const uint8_t *message, size_t len)
{
	struct end *e = host;

	if (head - tail == QUEUE || len > MESSAGE)
		return;
	queue[head % QUEUE].to = !e->index;
	queue[head % QUEUE].len = len;
	memcpy(queue[head % QUEUE].bytes, message, len);
	head++;
}

static void host_keepalive(void *host, const struct ike_endpoint *local,
			   const struct ike_endpoint *remote)
{
}

static void host_random(void *host, uint8_t *buf, size_t len)
{
	struct end *e = host;

	for (size_t i = 0; i < len; i++) {
		e->random = e->random * 6364136223846793005 + 1442695040888963407;
		buf[i] = e->random >> 56;
	}
}

static void host_run_job(void *host, struct ike_job *job)
{
	struct end *e = host;

	claim(e->n_jobs < JOBS);
	e->jobs[e->n_jobs++] = job;
}

static int host_spi_alloc(void *host, const struct ike_addr *local, uint32_t *spi, const char **why)
{
	*spi = 0x1000 + ++((struct end *)host)->next_id;
	return 0;
}

static void host_spi_free(void *host, const struct ike_addr *local, uint32_t spi)
{
}

static int host_sa_add(void *host, const struct ike_sa_spec *spec, uint32_t *sa_id,
		       const char **why)
{
	claim(spec->encr_key_len && spec->n_src_ts && spec->n_dst_ts);
	*sa_id = ++((struct end *)host)->next_id;
	return 0;
}

static int host_sa_update(void *host, uint32_t sa_id, const struct ike_endpoint *src,
			  const struct ike_endpoint *dst, bool udp_encap, const char **why)
{
	return 0;
}

static int host_sa_query(void *host, uint32_t sa_id, struct ike_usage *usage)
{
	*usage = (struct ike_usage){.idle_seconds = UINT64_MAX};
	return 0;
}

static void host_sa_del(void *host, uint32_t sa_id)
{
	claim(sa_id);
}

static int host_policy_set(void *host, const struct ike_policy_spec *spec, uint32_t *policy_id,
			   const char **why)
{
	claim(spec->n_src_ts && spec->n_dst_ts);
	*policy_id = spec->id ? spec->id : ++((struct end *)host)->next_id;
	return 0;
}

static void host_policy_del(void *host, uint32_t policy_id)
{
	claim(policy_id);
}

static void host_log(void *host, enum ike_log_level level, const char *name, const char *text)
{
	/* What a peer sent must not reach a terminal raw. */
	for (; *text; text++)
		claim((unsigned char)*text >= ' ' && (unsigned char)*text <= '~');
}

static void host_event(void *host, const struct ike_event *event)
{
}

static const struct ike_host host = {
	.send = host_send,
	.keepalive = host_keepalive,
	.random = host_random,
	.run_job = host_run_job,
	.spi_alloc = host_spi_alloc,
	.spi_free = host_spi_free,
	.sa_add = host_sa_add,
	.sa_update = host_sa_update,
	.sa_query = host_sa_query,
	.sa_del = host_sa_del,
	.policy_set = host_policy_set,
	.policy_del = host_policy_del,
	.log = host_log,
	.event = host_event,
};

/* Configuration */

static void configure_conn(struct ike_conn_cfg *c, unsigned int index)
{
	static const char *const ids[] = {"a.example.org", "b.example.org"};
	static const char *const nets[] = {"10.1.0.0/16,dynamic[udp/53]",
					   "10.2.0.0/16,2001:db8::/32"};
	struct ike_addr peer = endpoint(!index).addr, own = endpoint(index).addr;
	struct ike_child_cfg *child = calloc(1, sizeof(*child));

	*c = (struct ike_conn_cfg){.name = strdup("site"), .children = child, .n_children = 1};
	c->local_addrs = calloc(1, sizeof(*c->local_addrs));
	c->remote_addrs = calloc(1, sizeof(*c->remote_addrs));
	*c->local_addrs = ike_ts_of_addr(&own);
	*c->remote_addrs = ike_ts_of_addr(&peer);
	c->n_local_addrs = c->n_remote_addrs = 1;
	c->dpd_delay = 30;
	c->rekey_time = 3600;
	claim(ike_proposal_list_parse(&c->proposals, IKE_PROTO_IKE, "aes128gcm16-prfsha256-x25519",
				      NULL));
	claim(ike_id_parse(ids[index], &c->local.id, NULL) &&
	      ike_id_parse(ids[!index], &c->remote.id, NULL));
	child->name = strdup("net");
	child->close_action = child->dpd_action = index ? IKE_START_TRAP : IKE_START_START;
	claim(ike_proposal_list_parse(&child->proposals, IKE_PROTO_ESP,
				      "aes128gcm16-x25519,aes128gcm16", NULL));
	claim(ike_ts_list_parse(nets[index], &child->local_ts, &child->n_local_ts, NULL));
	claim(ike_ts_list_parse(nets[!index], &child->remote_ts, &child->n_remote_ts, NULL));
}

/* The responder proves itself by a raw key, of 32 bytes "f". */
static void configure_eap(struct ike_config *c, unsigned int index)
{
	struct ike_auth_cfg *user = index ? &c->conns->remote : &c->conns->local,
			    *server = index ? &c->conns->local : &c->conns->remote;
	struct ike_pkey *key;
	uint8_t raw[32];

	memset(raw, 'f', sizeof(raw));
	key = ike_pkey_new(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, raw, sizeof(raw)),
			   true, NULL);
	claim(key);
	server->method = IKE_AUTH_CFG_PUBKEY;
	server->pubkeys.list = calloc(1, sizeof(*server->pubkeys.list));
	server->pubkeys.list[0] = ike_pkey_ref(key);
	server->pubkeys.n = 1;
	c->keys.list = calloc(1, sizeof(*c->keys.list));
	c->keys.list[0] = key;
	c->keys.n = 1;
	user->method = IKE_AUTH_CFG_EAP;
	user->eap_id = strdup(index ? "%any" : "carol");
	c->eap_secrets = calloc(1, sizeof(*c->eap_secrets));
	c->n_eap_secrets = 1;
	c->eap_secrets->key = (uint8_t *)strdup("fuzzed");
	c->eap_secrets->key_len = strlen("fuzzed");
	c->legacy = ike_legacy_new(NULL);
	claim(c->legacy);
}

/* RFC 9370, RFC 8784. */
static void configure_addke(struct ike_config *c)
{
	struct ike_conn_cfg *conn = c->conns;

	ike_proposal_list_clear(&conn->proposals);
	claim(ike_proposal_list_parse(&conn->proposals, IKE_PROTO_IKE,
				      "aes128gcm16-prfsha256-x25519-ke1_ecp256", NULL));
	ike_proposal_list_clear(&conn->children->proposals);
	claim(ike_proposal_list_parse(&conn->children->proposals, IKE_PROTO_ESP,
				      "aes128gcm16-x25519-ke1_ecp256,aes128gcm16", NULL));
	c->ppks = calloc(1, sizeof(*c->ppks));
	c->n_ppks = 1;
	c->ppks->key = (uint8_t *)strdup("fuzzed");
	c->ppks->key_len = strlen("fuzzed");
	c->ppks->ids = calloc(1, sizeof(*c->ppks->ids));
	c->ppks->n_ids = 1;
	claim(ike_id_parse("ppk", c->ppks->ids, NULL));
	conn->ppk_id = c->ppks->ids[0];
}

static struct ike_config *configure(unsigned int index, unsigned int how)
{
	struct ike_config *c = calloc(1, sizeof(*c));

	c->refs = 1;
	c->conns = calloc(1, sizeof(*c->conns));
	c->n_conns = 1;
	configure_conn(c->conns, index);
	c->secrets = calloc(1, sizeof(*c->secrets));
	c->n_secrets = 1;
	c->secrets->key = (uint8_t *)strdup("fuzzed");
	c->secrets->key_len = strlen("fuzzed");
	if (how & WITH_ADDKE)
		configure_addke(c);
	if (how & BY_EAP)
		configure_eap(c, index);
	return c;
}

/* Going on */

static void compute(struct end *e)
{
	while (e->n_jobs) {
		struct ike_job *job = e->jobs[--e->n_jobs];

		ike_job_run(job);
		ike_engine_job_done(e->engine, now, job);
	}
}

static void give(unsigned int to, const uint8_t *bytes, size_t len)
{
	struct ike_endpoint local = endpoint(to), remote = endpoint(!to);
	uint8_t *copy = malloc(len ? len : 1);

	if (len)
		memcpy(copy, bytes, len);
	ike_engine_receive(ends[to].engine, now, &local, &remote, copy, len);
	free(copy);
	compute(&ends[to]);
}

static void deliver(unsigned int n)
{
	while (n-- && tail != head) {
		struct datagram *d = &queue[tail++ % QUEUE];

		give(d->to, d->bytes, d->len);
	}
}

static void set_up(unsigned int stage, unsigned int how)
{
	const char *why;

	head = tail = 0;
	now = 1000 * (ike_time)IKE_SECOND;
	for (unsigned int i = 0; i < 2; i++) {
		struct ike_config *c = configure(i, how);

		ends[i] = (struct end){.index = i, .random = i + 1};
		ends[i].engine = ike_engine_new(&host, &ends[i], c, now);
		ike_config_unref(c);
	}
	claim(ike_engine_initiate(ends[0].engine, now, "site", "net", &why));
	compute(&ends[0]);
	deliver(stage);
}

/* Operations */

static struct ike_sa *any_sa(unsigned int end)
{
	struct ike_sa *sa, *newest = NULL;

	TAILQ_FOREACH(sa, &ends[end].engine->sas, link)
		if (sa->keyed && sa->state != IKE_SA_CLOSED)
			newest = sa;
	return newest;
}

static void give_flight(unsigned int to, struct ike_bytes flight)
{
	while (flight.len) {
		struct ike_bytes one = ike_flight_next(&flight);

		give(to, one.p, one.len);
	}
}

/* One fragment (RFC 7383), whatever it says of itself: number, total, first payload, text. */
static void give_fragment(unsigned int to, struct ike_sa *from, const struct ike_header *h,
			  struct ike_bytes b)
{
	struct ike_cursor c = ike_cursor(b);
	uint16_t number = ike_get16(&c), total = ike_get16(&c);
	uint8_t buf[MESSAGE], first = ike_get8(&c);
	struct ike_writer w;
	size_t mark;

	ike_writer_init(&w, buf, sizeof(buf));
	ike_message_begin(&w, h);
	mark = ike_skf_begin(&w, &from->out, number, total);
	ike_patch8(&w, mark, first);
	ike_put(&w, ike_get_rest(&c));
	if (ike_skf_seal(&w, mark, &from->out, &from->engine->random, NULL))
		give(to, buf, w.len);
}

/* As the other end, with its keys: exchange, first payload, the chain; or a fragment. */
static void give_sealed(unsigned int to, struct ike_bytes b, bool response)
{
	struct ike_sa *from = any_sa(!to), *sa = any_sa(to);
	uint32_t id;
	struct ike_outgoing o;
	uint8_t *plain;

	if (!from || !sa || b.len < 2)
		return;
	id = response ? sa->window.next_id - 1 : sa->window.expected;
	ike_outgoing_begin(&o, from, b.p[0], id, response);
	if (b.p[1] == IKE_PAYLOAD_SKF) {
		struct ike_header h = {
			.spi_i = from->spi_i,
			.spi_r = from->spi_r,
			.exchange = b.p[0],
			.message_id = id,
			.flags = o.buf[FLAGS_AT],
		};

		give_fragment(to, from, &h, ike_bytes(b.p + 2, b.len - 2));
		return;
	}
	/* Not through the encoders: what they would refuse to write is what matters. */
	ike_patch8(&o.w, o.mark, b.p[1]);
	plain = ike_put_room(&o.w, b.len - 2);
	if (!plain || o.plain)
		return;
	memcpy(plain, b.p + 2, b.len - 2);
	if (ike_outgoing_end(&o, from, NULL))
		give_flight(to, ike_written(&o.w));
}

static void command(struct end *e, struct ike_bytes b)
{
	struct ike_match match = {.conn = "site", .children = b.len && b.p[0] & 4};
	const char *why;

	switch (b.len ? b.p[0] & 3 : 0) {
	case 0:
		ike_engine_rekey(e->engine, now, &match, &why);
		break;
	case 1:
		ike_engine_terminate(e->engine, now, &match, &why);
		break;
	case 2:
		ike_engine_initiate(e->engine, now, "site", match.children ? NULL : "net", &why);
		break;
	default:
		ike_engine_start(e->engine, now);
		break;
	}
	compute(e);
}

static void event(struct end *e, struct ike_bytes b)
{
	struct ike_sa *sa = any_sa(e->index);
	struct ike_child *c = sa ? TAILQ_FIRST(&sa->children) : NULL;
	struct ike_endpoint moved = endpoint(!e->index);

	if (!c || !b.len)
		return;
	moved.port = 4500 + b.p[0];
	if (b.p[0] & 4)
		ike_engine_sa_mapping(e->engine, now, c->id, c->spi_in, &moved);
	else
		ike_engine_sa_expire(e->engine, now, c->id, b.p[0] & 1,
				     b.p[0] & 1 ? c->spi_in : c->spi_out, b.p[0] & 2, "bytes");
	compute(e);
}

static void pass(struct ike_bytes b)
{
	now += (b.len ? b.p[0] + 1 : 1) * (ike_time)IKE_SECOND;
	for (unsigned int i = 0; i < 2; i++) {
		ike_engine_tick(ends[i].engine, now);
		compute(&ends[i]);
	}
}

static void operate(uint8_t op, struct ike_bytes b)
{
	unsigned int end = op & OP_END;

	switch (op & OP_KIND) {
	case KIND_DATAGRAM:
		give(end, b.p, b.len);
		break;
	case KIND_SEALED:
		give_sealed(end, b, false);
		break;
	case KIND_RESPONSE:
		give_sealed(end, b, true);
		break;
	case KIND_TIME:
		pass(b);
		break;
	case KIND_COMMAND:
		command(&ends[end], b);
		break;
	case KIND_DELIVER:
		deliver(b.len ? b.p[0] : ROUNDS);
		break;
	case KIND_EVENT:
		event(&ends[end], b);
		break;
	default:
		/* Lost. */
		tail = head;
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ike_cursor c = ike_cursor(ike_bytes(data, size));
	unsigned int how, stages;

	if (!queue)
		queue = malloc(QUEUE * sizeof(*queue));
	how = ike_get8(&c);
	stages = (how & BY_EAP ? EAP_STAGES : STAGES) + (how & WITH_ADDKE ? ADDKE_STAGES : 0);
	set_up((how & ~(BY_EAP | WITH_ADDKE)) % stages, how);
	for (unsigned int i = 0; i < RECORDS && c.rest.len; i++) {
		uint8_t op = ike_get8(&c);
		size_t len = ike_get16(&c);

		operate(op, ike_get(&c, len < c.rest.len ? len : c.rest.len));
	}
	deliver(ROUNDS);
	for (unsigned int i = 0; i < 2; i++)
		ike_engine_free(ends[i].engine);
	return 0;
}
