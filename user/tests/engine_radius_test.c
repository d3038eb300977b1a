// SPDX-License-Identifier: MIT
/*
 * Two engines, of which the responder knows no user and asks a server of RADIUS: one that is made here,
 * with a conversation of EAP behind it, and others that are silent, or lie, or say too little.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "ikev2/auth_eap.h"
#include "ikev2/crypto/legacy.h"
#include "ikev2/eap/radius.h"
#include "tests/eap_pair.h"
#include "tests/pki.h"
#include "tests/vectors.h"
#include "tests/world.h"

#define SECRET "xyzzy5461"

static struct ike_conn_cfg *conn(struct world *w, unsigned int end)
{
	return &w->end[end].config->conns[0];
}

/* What the server does besides its duty. */
static struct {
	struct ike_config *users;
	struct ike_eap *eap;
	unsigned int requests;	  /* to the one that answers */
	uint8_t silent;		  /* last byte of the address of one that is; 0: none */
	unsigned int silent_after; /* requests; 0: never */
	bool lies, lies_without_mac; /* answers in front of the real one */
	bool only_lies;
	bool without_keys, success_in_challenge, failure_in_accept;
	const char *name;	  /* User-Name in Access-Accept */
	const char *groups[2];	  /* Class there; NULL: none */
	char seen_user[64], seen_calling[64], seen_nas[64];
	uint8_t last_authenticator[16];
} server;

/* Attributes, by hand. */
static size_t find(const uint8_t *packet, size_t len, uint8_t type, uint8_t *out)
{
	size_t n = 0;

	for (size_t at = 20; at + 2 <= len && packet[at + 1] >= 2; at += packet[at + 1]) {
		if (packet[at] != type)
			continue;
		memcpy(out + n, packet + at + 2, packet[at + 1] - 2);
		n += packet[at + 1] - 2;
	}
	return n;
}

static void find_text(const struct world_radius *p, uint8_t type, char *text)
{
	text[find(p->bytes, p->len, type, (uint8_t *)text)] = '\0';
}

/* RFC 3579 section 3.2: of a request it is over the request itself. */
static void request_is_genuine(const struct world_radius *p)
{
	uint8_t copy[WORLD_MESSAGE], got[16], mac[16];
	unsigned int n;

	assert_int_equal(p->bytes[20], 80);
	memcpy(got, p->bytes + 22, 16);
	memcpy(copy, p->bytes, p->len);
	memset(copy + 22, 0, 16);
	HMAC(EVP_md5(), SECRET, strlen(SECRET), copy, p->len, mac, &n);
	assert_memory_equal(got, mac, 16);
}

struct made {
	uint8_t bytes[WORLD_MESSAGE];
	size_t len;
};

static void add(struct made *m, uint8_t type, const void *value, size_t len)
{
	m->bytes[m->len++] = type;
	m->bytes[m->len++] = 2 + len;
	memcpy(m->bytes + m->len, value, len);
	m->len += len;
}

static void md5(const void *data, size_t len, uint8_t out[16])
{
	unsigned int n;

	EVP_Digest(data, len, out, &n, EVP_md5(), NULL);
}

/* RFC 2548 section 2.4.2, 32 bytes. */
static void add_key(struct made *m, const struct world_radius *p, uint8_t type, const uint8_t *key)
{
	uint8_t plain[48] = {32}, value[56] = {0, 0, 1, 0x37, type, 52, 0x80 | type, 1};
	uint8_t hashed[64], mask[16];
	size_t secret = strlen(SECRET);

	memcpy(plain + 1, key, 32);
	memcpy(hashed, SECRET, secret);
	memcpy(hashed + secret, p->bytes + 4, 16);
	memcpy(hashed + secret + 16, value + 6, 2);
	for (size_t at = 0; at < 48; at += 16) {
		md5(hashed, secret + (at ? 16 : 18), mask);
		for (size_t i = 0; i < 16; i++)
			value[8 + at + i] = plain[at + i] ^ mask[i];
		memcpy(hashed + secret, value + 8 + at, 16);
	}
	add(m, 26, value, sizeof(value));
}

static void give(struct world *w, const struct world_radius *p, struct made *m, const char *secret,
		 bool with_mac)
{
	uint8_t zeros[16] = {0}, all[WORLD_MESSAGE + 64];
	unsigned int n;

	if (with_mac)
		add(m, 80, zeros, sizeof(zeros));
	m->bytes[1] = p->bytes[1];
	m->bytes[2] = m->len >> 8;
	m->bytes[3] = m->len;
	memcpy(m->bytes + 4, p->bytes + 4, 16);
	if (with_mac)
		HMAC(EVP_md5(), secret, strlen(secret), m->bytes, m->len,
		     m->bytes + m->len - 16, &n);
	memcpy(all, m->bytes, m->len);
	memcpy(all + m->len, secret, strlen(secret));
	md5(all, m->len + strlen(secret), m->bytes + 4);
	ike_engine_radius(w->end[p->from].engine, w->now, &p->server, m->bytes, m->len);
}

static struct made begin(uint8_t code)
{
	struct made m = {.bytes = {code}, .len = 20};

	return m;
}

static void lie(struct world *w, const struct world_radius *p, const char *secret, bool with_mac)
{
	static const uint8_t success[] = {3, 1, 0, 4};
	uint8_t zeros[32] = {0};
	struct made m = begin(IKE_RADIUS_ACCESS_ACCEPT);

	add(&m, 79, success, sizeof(success));
	add_key(&m, p, 16, zeros);
	add_key(&m, p, 17, zeros);
	give(w, p, &m, secret, with_mac);
}

/* Its user is asked by what it sends first: an identity. */
static void converse(const uint8_t *eap, size_t len)
{
	struct seeded_random seeded;
	struct ike_id id;
	struct ike_error err = {0};
	struct ike_eap_setup setup = {.server = true, .config = server.users,
				      .conn = server.users->conns, .client = &id, .responder = &id};

	if (eap[4] == 1) {
		seeded_random_init(&seeded, 1);
		assert_true(ike_id_parse("radius", &id, NULL));
		ike_eap_unref(server.eap);
		server.eap = ike_eap_new(&setup, &seeded.random);
		assert_true(ike_eap_give(server.eap, ike_bytes(NULL, 0), &err));
	} else {
		assert_true(ike_eap_give(server.eap, ike_bytes(eap, len), &err));
	}
}

static void answer(struct world *w, const struct world_radius *p)
{
	static const uint8_t success[] = {3, 1, 0, 4}, failure[] = {4, 1, 0, 4};
	enum ike_eap_outcome outcome;
	struct ike_error err = {0};
	struct ike_bytes packet;
	struct made m;

	outcome = ike_eap_run(server.eap, &err);
	packet = ike_eap_packet(server.eap);
	m = begin(outcome == IKE_EAP_GOES_ON  ? IKE_RADIUS_ACCESS_CHALLENGE :
		  outcome == IKE_EAP_SUCCEEDED ? IKE_RADIUS_ACCESS_ACCEPT :
						 IKE_RADIUS_ACCESS_REJECT);
	if (outcome == IKE_EAP_GOES_ON && server.success_in_challenge)
		packet = ike_bytes(success, 4);
	if (outcome == IKE_EAP_SUCCEEDED && server.failure_in_accept)
		packet = ike_bytes(failure, 4);
	while (packet.len) {
		size_t len = packet.len < 100 ? packet.len : 100;

		add(&m, 79, packet.p, len);
		packet = ike_bytes(packet.p + len, packet.len - len);
	}
	add(&m, 24, &server.requests, sizeof(server.requests));
	if (outcome == IKE_EAP_SUCCEEDED && !server.without_keys) {
		add_key(&m, p, 17, ike_eap_msk(server.eap)->bytes);
		add_key(&m, p, 16, ike_eap_msk(server.eap)->bytes + 32);
	}
	for (size_t i = 0; outcome == IKE_EAP_SUCCEEDED && i < 2; i++)
		if (server.groups[i])
			add(&m, 25, server.groups[i], strlen(server.groups[i]));
	if (outcome == IKE_EAP_FAILED)
		add(&m, 18, "not you\n", 8);
	if (server.name)
		add(&m, 1, server.name, strlen(server.name));
	give(w, p, &m, SECRET, true);
}

static void radius(struct world *w, const struct world_radius *p)
{
	uint8_t eap[WORLD_MESSAGE], state[256];
	size_t len = find(p->bytes, p->len, 79, eap);
	unsigned int previous = server.requests;

	request_is_genuine(p);
	assert_int_equal(p->bytes[0], IKE_RADIUS_ACCESS_REQUEST);
	if (p->server.addr.bytes[3] == server.silent ||
	    (server.silent_after && server.requests >= server.silent_after))
		return;
	server.requests++;
	if (server.lies)
		lie(w, p, "another", true);
	if (server.lies_without_mac)
		lie(w, p, SECRET, false);
	if (server.only_lies)
		return;
	/* No two requests have the same authenticator. */
	assert_memory_not_equal(server.last_authenticator, p->bytes + 4, 16);
	memcpy(server.last_authenticator, p->bytes + 4, 16);
	find_text(p, 1, server.seen_user);
	find_text(p, 31, server.seen_calling);
	find_text(p, 32, server.seen_nas);
	if (previous) {
		assert_int_equal(find(p->bytes, p->len, 24, state), sizeof(previous));
		assert_memory_equal(state, &previous, sizeof(previous));
	}
	converse(eap, len);
	answer(w, p);
}

static void add_server(struct ike_config *c, const char *name, uint8_t last)
{
	struct ike_radius_server_cfg *s;

	c->radius.servers = reallocarray(c->radius.servers, c->radius.n_servers + 1, sizeof(*s));
	s = &c->radius.servers[c->radius.n_servers++];
	*s = (struct ike_radius_server_cfg){
		.name = strdup(name),
		.addr = {.family = AF_INET, .bytes = {198, 51, 100, last}},
		.port = IKE_RADIUS_PORT,
		.secret = (uint8_t *)strdup(SECRET),
		.secret_len = strlen(SECRET),
	};
}

static struct world *radius_world(const char *password)
{
	struct world *w = world_new();
	struct pki ca = pki_ca("CN=CA", NULL), b = pki_end(&ca, "CN=b", "DNS:b.example.org", NULL);

	memset(&server, 0, sizeof(server));
	server.users = eap_config_new();
	eap_add_secret(server.users, "carol", "Ar3etTnp");
	server.users->conns[0].remote.eap_id = strdup("carol");
	w->radius = radius;
	w->utc = PKI_NOW;
	w->end[0].config->legacy = ike_legacy_new(NULL);
	eap_add_secret(w->end[0].config, "carol", password);
	conn(w, 0)->local.method = IKE_AUTH_CFG_EAP;
	conn(w, 0)->local.eap_id = strdup("carol");
	conn(w, 0)->remote.method = IKE_AUTH_CFG_PUBKEY;
	pki_add_cert(&w->end[0].config->anchors, &ca);
	conn(w, 1)->local.method = IKE_AUTH_CFG_PUBKEY;
	conn(w, 1)->remote.method = IKE_AUTH_CFG_EAP;
	conn(w, 1)->remote.eap_radius = true;
	conn(w, 1)->remote.eap_id = strdup("%any");
	pki_add_cert(&conn(w, 1)->local.certs, &b);
	pki_add_key(&w->end[1].config->keys, &b);
	add_server(w->end[1].config, "main", 1);
	pki_free(&ca);
	pki_free(&b);
	return w;
}

static void end_world(struct world *w)
{
	ike_eap_unref(server.eap);
	ike_config_unref(server.users);
	world_free(w);
}

static void says(struct world *w, unsigned int who, const char *why)
{
	if (!world_logged(&w->end[who], why))
		fail_msg("end %u does not say \"%s\" but:\n%s", who, why, w->end[who].log);
}

static void refused(struct world *w, const char *why)
{
	struct ike_counters counters;

	world_start(w);
	world_initiate(w, "net");
	world_pass(w, 70 * IKE_SECOND);
	for (unsigned int i = 0; i < 2; i++) {
		assert_int_equal(world_count_ike(w, i, NULL), 0);
		assert_int_equal(w->end[i].events[IKE_EVENT_IKE_UP], 0);
		ike_engine_counters(w->end[i].engine, &counters);
		assert_int_equal(counters.half_open, 0);
	}
	says(w, 1, why);
	end_world(w);
}

static void test_comes_up(void **state)
{
	struct world *w = radius_world("Ar3etTnp");

	world_start(w);
	world_up(w);
	says(w, 1, "peer a.example.org has proven its identity by eap-radius as carol");
	assert_string_equal(world_sa(w, 1)->user, "carol");
	/* Identity, response, acknowledgement. */
	assert_int_equal(server.requests, 3);
	assert_string_equal(server.seen_user, "carol");
	assert_string_equal(server.seen_calling, "192.0.2.1");
	assert_string_equal(server.seen_nas, "esplane");
	end_world(w);
}

/* RFC 4739: a key first, and RADIUS for the second round. */
static void test_second_round(void **state)
{
	struct world *w = radius_world("Ar3etTnp");

	for (unsigned int i = 0; i < 2; i++) {
		struct ike_auth_cfg *first = i ? &conn(w, i)->remote : &conn(w, i)->local;
		struct ike_auth_more *more = i ? &conn(w, i)->remote_more : &conn(w, i)->local_more;

		more->list = calloc(1, sizeof(*more->list));
		more->n = 1;
		more->list[0] = *first;
		*first = (struct ike_auth_cfg){.method = IKE_AUTH_CFG_PSK, .id = first->id};
		w->end[i].config->secrets[0].n_ids = 0;
	}
	world_start(w);
	world_up(w);
	says(w, 1, "peer a.example.org has proven its identity by eap-radius as carol");
	/* INIT, the key, four of EAP and its proof. */
	assert_int_equal(w->n_sent, 2 * (2 + 5));
	end_world(w);
}

/* The name that is known is told, though the peer was not asked. */
static void test_known_name(void **state)
{
	static const char *const names[] = {NULL, "carol"};

	for (size_t i = 0; i < 2; i++) {
		struct world *w = radius_world("Ar3etTnp");

		free(conn(w, 1)->remote.eap_id);
		conn(w, 1)->remote.eap_id = names[i] ? strdup(names[i]) : NULL;
		world_start(w);
		world_up(w);
		assert_string_equal(server.seen_user, names[i] ? "carol" : "a.example.org");
		end_world(w);
	}
}

/* The server knows better who it is. */
static void test_real_name(void **state)
{
	struct world *w = radius_world("Ar3etTnp");

	server.name = "carol@example.org";
	world_start(w);
	world_up(w);
	assert_string_equal(world_sa(w, 1)->user, "carol@example.org");
	end_world(w);
}

static struct world *for_groups(const char *first, const char *second)
{
	struct world *w = radius_world("Ar3etTnp");
	struct ike_auth_cfg *remote = &conn(w, 1)->remote;

	remote->groups = calloc(2, sizeof(*remote->groups));
	remote->groups[0] = strdup("staff");
	remote->groups[1] = strdup("admins");
	remote->n_groups = 2;
	server.groups[0] = first;
	server.groups[1] = second;
	return w;
}

/* RADIUS names the groups of who has given the right password: one of ours has to be among them. */
static void test_groups(void **state)
{
	struct world *w = for_groups("guests", "admins");

	world_start(w);
	world_up(w);
	end_world(w);
	refused(for_groups(NULL, NULL),
		"AUTHENTICATION_FAILED: eap-radius as carol: the user is in none of the groups that are "
		"let in (remote.groups: staff admins); RADIUS names (Class) none");
	/* Neither part of a name nor more than it. */
	refused(for_groups("admin", "staff2"),
		"AUTHENTICATION_FAILED: eap-radius as carol: the user is in none of the groups that are "
		"let in (remote.groups: staff admins); RADIUS names (Class) admin staff2");
}

static void test_wrong_password(void **state)
{
	refused(radius_world("Wrong"), "AUTHENTICATION_FAILED: eap-radius as carol: the RADIUS server "
				       "refuses the user (Access-Reject): not you\\x0a (from 192.0.2.1)");
}

/* Each message of IKE is lost once: asked again is only the peer, not RADIUS. */
static size_t lost;

static bool lose_one(struct world *w, struct world_message *m)
{
	return w->delivered - 1 != lost;
}

static void test_every_loss(void **state)
{
	for (lost = 0; lost < 12; lost++) {
		struct world *w = radius_world("Ar3etTnp");

		w->wire = lose_one;
		world_start(w);
		world_initiate(w, "net");
		world_pass(w, 5 * IKE_SECOND);
		assert_true(world_connected(w));
		assert_int_equal(w->n_radius, 3);
		end_world(w);
	}
}

/* The same packet again, to the byte (RFC 2865 section 2.5). */
static struct world_radius kept;

static void deaf_once(struct world *w, const struct world_radius *p)
{
	if (w->n_radius == 1) {
		kept = *p;
		return;
	}
	if (w->n_radius == 2) {
		assert_int_equal(p->len, kept.len);
		assert_memory_equal(p->bytes, kept.bytes, p->len);
	}
	radius(w, p);
}

static void test_sent_again(void **state)
{
	struct world *w = radius_world("Ar3etTnp");

	w->radius = deaf_once;
	world_start(w);
	world_initiate(w, "net");
	assert_false(world_connected(w));
	world_pass(w, 4 * IKE_SECOND);
	assert_true(world_connected(w));
	assert_int_equal(w->n_radius, 4);
	end_world(w);
}

/* The second server takes over, and is asked first for a while. */
static void test_silent_server(void **state)
{
	struct world *w = radius_world("Ar3etTnp");
	struct ike_match match = {.conn = "site"};
	const char *why;

	add_server(w->end[1].config, "other", 2);
	server.silent = 1;
	world_start(w);
	world_initiate(w, "net");
	/* 2 + 2.8 + 3.92 seconds, a tenth more at most. */
	world_pass(w, 10 * IKE_SECOND);
	assert_true(world_connected(w));
	says(w, 1, "RADIUS server main (198.51.100.1 port 1812) does not answer (sent 3 times)");
	assert_int_equal(w->n_radius, 3 + 3);
	assert_int_not_equal(ike_engine_terminate(w->end[0].engine, w->now, &match, &why), 0);
	world_run(w);
	server.requests = 0;
	world_up(w);
	assert_int_equal(w->n_radius, 3 + 3 + 3);
	end_world(w);
}

static void test_no_server(void **state)
{
	struct world *w = radius_world("Ar3etTnp");

	add_server(w->end[1].config, "other", 2);
	w->radius = NULL;
	refused(w, "AUTHENTICATION_FAILED: no RADIUS server answers: main (198.51.100.1 port 1812) other "
		   "(198.51.100.2 port 1812)");
	w = radius_world("Ar3etTnp");
	w->end[1].config->radius.n_servers = 0;
	free(w->end[1].config->radius.servers[0].name);
	free(w->end[1].config->radius.servers[0].secret);
	refused(w, "AUTHENTICATION_FAILED: there is no RADIUS server to ask");
}

/* In the midst of a conversation no other server knows what it was about. */
static void test_falls_silent(void **state)
{
	struct world *w = radius_world("Ar3etTnp");

	add_server(w->end[1].config, "other", 2);
	server.silent_after = 2;
	refused(w, "AUTHENTICATION_FAILED: no RADIUS server answers: main (198.51.100.1 port 1812) "
		   "(from");
}

static void test_forged(void **state)
{
	struct world *w = radius_world("Ar3etTnp");

	server.lies = server.lies_without_mac = true;
	world_start(w);
	world_up(w);
	says(w, 1, "an answer of RADIUS server main (198.51.100.1 port 1812) is ignored: its Response "
		   "Authenticator is wrong");
	says(w, 1, "is ignored: there is no Message-Authenticator in it");
	assert_int_equal(server.requests, 3);
	end_world(w);
	/* Alone it is nobody's. */
	w = radius_world("Ar3etTnp");
	server.lies = server.lies_without_mac = server.only_lies = true;
	refused(w, "AUTHENTICATION_FAILED: no RADIUS server answers");
}

static void test_incomplete(void **state)
{
	struct world *w = radius_world("Ar3etTnp");

	server.without_keys = true;
	refused(w, "AUTHENTICATION_FAILED: eap-radius as carol: the Access-Accept of RADIUS has no keys");
	w = radius_world("Ar3etTnp");
	server.failure_in_accept = true;
	refused(w, "an Access-Accept of RADIUS holds no EAP-Success");
	w = radius_world("Ar3etTnp");
	server.success_in_challenge = true;
	refused(w, "an Access-Challenge of RADIUS holds no EAP request");
}

/* What comes when nothing is asked, or from elsewhere. */
static void test_unasked(void **state)
{
	struct world *w = radius_world("Ar3etTnp");
	struct ike_endpoint elsewhere = {.addr = {.family = AF_INET, .bytes = {198, 51, 100, 7}},
					 .port = IKE_RADIUS_PORT};
	uint8_t packet[20] = {2, 1, 0, 20};

	w->radius = NULL;
	world_start(w);
	ike_engine_radius(w->end[1].engine, w->now, &elsewhere, packet, sizeof(packet));
	world_initiate(w, "net");
	world_forget_log(w);
	for (unsigned int i = 0; i < 256; i++) {
		packet[1] = i;
		ike_engine_radius(w->end[1].engine, w->now, &elsewhere, packet, sizeof(packet));
	}
	assert_string_equal(w->end[1].log, "");
	/* It ends while it waits. */
	ike_engine_shutdown(w->end[1].engine, w->now);
	assert_true(ike_engine_idle(w->end[1].engine));
	end_world(w);
	/* Or is just forgotten. */
	w = radius_world("Ar3etTnp");
	w->radius = NULL;
	world_start(w);
	world_initiate(w, "net");
	end_world(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_comes_up),
		cmocka_unit_test(test_second_round),
		cmocka_unit_test(test_known_name),
		cmocka_unit_test(test_real_name),
		cmocka_unit_test(test_groups),
		cmocka_unit_test(test_wrong_password),
		cmocka_unit_test(test_every_loss),
		cmocka_unit_test(test_sent_again),
		cmocka_unit_test(test_silent_server),
		cmocka_unit_test(test_no_server),
		cmocka_unit_test(test_falls_silent),
		cmocka_unit_test(test_forged),
		cmocka_unit_test(test_incomplete),
		cmocka_unit_test(test_unasked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
