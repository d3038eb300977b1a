// SPDX-License-Identifier: MIT
/*
 * Two engines, of which the initiator authenticates itself by EAP and the responder by a
 * certificate: every way to the end, and what a peer that holds the keys of IKE must not get by.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ikev2/auth_eap.h"
#include "ikev2/crypto/legacy.h"
#include "ikev2/fragment.h"
#include "tests/pki.h"
#include "tests/world.h"

static struct ike_conn_cfg *conn(struct world *w, unsigned int end)
{
	return &w->end[end].config->conns[0];
}

static void add_secret(struct ike_config *c, const char *user, const char *password)
{
	struct ike_eap_secret_cfg *s;

	c->eap_secrets = reallocarray(c->eap_secrets, c->n_eap_secrets + 1, sizeof(*s));
	s = &c->eap_secrets[c->n_eap_secrets++];
	*s = (struct ike_eap_secret_cfg){.key = (uint8_t *)strdup(password),
					 .key_len = strlen(password)};
	s->ids = calloc(1, sizeof(*s->ids));
	s->ids[0] = strdup(user);
	s->n_ids = 1;
}

/* "carol" is asked for her name by a server that proves itself by a certificate. */
static struct world *eap_world(void)
{
	struct world *w = world_new();
	struct pki ca = pki_ca("CN=CA", NULL), b = pki_end(&ca, "CN=b", "DNS:b.example.org", NULL);

	w->utc = PKI_NOW;
	for (unsigned int i = 0; i < 2; i++) {
		w->end[i].config->legacy = ike_legacy_new(NULL);
		add_secret(w->end[i].config, "carol", "Ar3etTnp");
	}
	conn(w, 0)->local.method = IKE_AUTH_CFG_EAP;
	conn(w, 0)->local.eap_id = strdup("carol");
	conn(w, 0)->remote.method = IKE_AUTH_CFG_PUBKEY;
	pki_add_cert(&w->end[0].config->anchors, &ca);
	conn(w, 1)->local.method = IKE_AUTH_CFG_PUBKEY;
	conn(w, 1)->remote.method = IKE_AUTH_CFG_EAP;
	conn(w, 1)->remote.eap_id = strdup("%any");
	pki_add_cert(&conn(w, 1)->local.certs, &b);
	pki_add_key(&w->end[1].config->keys, &b);
	pki_free(&ca);
	pki_free(&b);
	return w;
}

static void comes_up(struct world *w)
{
	world_start(w);
	world_up(w);
	for (unsigned int i = 0; i < 2; i++)
		assert_int_equal(world_count_ike(w, i, "ESTABLISHED"), 1);
}

static void says(struct world *w, unsigned int who, const char *why)
{
	if (!world_logged(&w->end[who], why))
		fail_msg("end %u does not say \"%s\" but:\n%s", who, why, w->end[who].log);
}

static void nothing_left(struct world *w)
{
	struct ike_counters counters;

	for (unsigned int i = 0; i < 2; i++) {
		assert_int_equal(world_count_ike(w, i, NULL), 0);
		assert_int_equal(world_count_sas(&w->end[i]), 0);
		assert_int_equal(w->end[i].spis, 0);
		ike_engine_counters(w->end[i].engine, &counters);
		assert_int_equal(counters.half_open, 0);
	}
}

/* It does not come up, and each end says why in one line; NULL: says nothing in particular. */
static void refused(struct world *w, const char *client, const char *server)
{
	world_start(w);
	world_initiate(w, "net");
	world_pass(w, 70 * IKE_SECOND);
	nothing_left(w);
	if (client)
		says(w, 0, client);
	if (server)
		says(w, 1, server);
	world_free(w);
}

static void test_comes_up(void **state)
{
	struct world *w = eap_world();

	comes_up(w);
	says(w, 0, "peer b.example.org has proven its identity by ed25519, certificate CN=b");
	says(w, 1, "peer a.example.org has proven its identity by eap-mschapv2 as carol");
	/*
	 * IKE_SA_INIT; identity asked, challenge, proof, success, and AUTH both ways: six pairs of
	 * messages.
	 */
	assert_int_equal(w->n_sent, 2 + 2 * 5);
	assert_string_equal(world_sa(w, 1)->user, "carol");
	assert_null(world_sa(w, 0)->eap);
	assert_null(world_sa(w, 1)->eap);
	world_free(w);
}

/* Who it is goes on being known. */
static void test_rekeys(void **state)
{
	struct world *w = eap_world();
	struct ike_match match = {.conn = "site"};
	const char *why;

	comes_up(w);
	assert_int_not_equal(ike_engine_rekey(w->end[0].engine, w->now, &match, &why), 0);
	world_run(w);
	assert_int_equal(world_count_ike(w, 1, "ESTABLISHED"), 1);
	assert_int_equal(w->end[1].events[IKE_EVENT_IKE_REKEYED], 1);
	assert_string_equal(world_sa(w, 1)->user, "carol");
	assert_true(world_connected(w));
	world_free(w);
}

/* Each message is lost once, of twelve: it comes up all the same, once. */
static size_t lost;

static bool lose_one(struct world *w, struct world_message *m)
{
	return w->delivered - 1 != lost;
}

static void test_every_loss(void **state)
{
	for (lost = 0; lost < 12; lost++) {
		struct world *w = eap_world();

		w->wire = lose_one;
		world_start(w);
		world_initiate(w, "net");
		world_pass(w, 5 * IKE_SECOND);
		assert_true(world_connected(w));
		for (unsigned int i = 0; i < 2; i++) {
			assert_int_equal(world_count_ike(w, i, NULL), 1);
			assert_int_equal(w->end[i].events[IKE_EVENT_IKE_UP], 1);
		}
		world_free(w);
	}
}

/* From message @lost on none arrives: nothing stays, at either end, wherever that is. */
static bool cut_off(struct world *w, struct world_message *m)
{
	return w->delivered - 1 < lost;
}

static void test_every_end(void **state)
{
	/* Without the eleventh the responder is up. */
	for (lost = 0; lost < 11; lost++) {
		struct world *w = eap_world();

		w->wire = cut_off;
		world_start(w);
		world_initiate(w, "net");
		world_pass(w, 200 * IKE_SECOND);
		nothing_left(w);
		if (lost > 1)
			says(w, 1, "no IKE SA: the peer did not authenticate in time");
		says(w, 0, lost < 2 ? "no answer from 192.0.2.2 (IKE_SA_INIT sent" :
				      "no answer from 192.0.2.2 (IKE_AUTH sent");
		world_free(w);
	}
}

static void test_virtual_address(void **state)
{
	struct world *w = eap_world();
	struct ike_config *c = w->end[1].config;

	c->pools = calloc(1, sizeof(*c->pools));
	c->n_pools = 1;
	c->pools->name = strdup("road");
	c->pools->first = (struct ike_addr){.family = AF_INET, .bytes = {10, 9, 0, 1}};
	c->pools->last = (struct ike_addr){.family = AF_INET, .bytes = {10, 9, 0, 9}};
	conn(w, 1)->pools = calloc(1, sizeof(char *));
	conn(w, 1)->pools[0] = strdup("road");
	conn(w, 1)->n_pools = 1;
	conn(w, 0)->vips = calloc(1, sizeof(struct ike_addr));
	conn(w, 0)->vips[0].family = AF_INET;
	conn(w, 0)->n_vips = 1;
	comes_up(w);
	assert_int_equal(w->end[0].vips[0].bytes[3], 1);
	/* Leased to the user, not to what it calls itself in IKE. */
	assert_string_equal(w->end[1].leases, "road 10.9.0.1 carol\n");
	world_free(w);
}

static void test_wrong_password(void **state)
{
	struct world *w = eap_world();

	w->end[0].config->eap_secrets[0].key[0] = 'a';
	refused(w, "no IKE SA: AUTHENTICATION_FAILED: eap-mschapv2 as carol: the server refuses the "
		   "user or the password: E=691 M=Authentication failed",
		"AUTHENTICATION_FAILED: eap-mschapv2 as carol: the password is wrong (from "
		"192.0.2.1)");
}

static void test_unknown_user(void **state)
{
	struct world *w = eap_world();

	w->end[1].config->eap_secrets[0].ids[0][0] = 'k';
	refused(w, "E=691",
		"AUTHENTICATION_FAILED: eap-mschapv2 as carol: there is no secret for that user "
		"(secrets.eap)");
}

/* What one end wants and the other does not. */
static void test_without_eap(void **state)
{
	struct world *w = eap_world();

	conn(w, 0)->local.method = IKE_AUTH_CFG_PSK;
	refused(w, "the peer refuses our identity a.example.org or key: AUTHENTICATION_FAILED",
		"AUTHENTICATION_FAILED: peer a.example.org authenticates by PSK, EAP is needed "
		"(remote.auth)");
	w = eap_world();
	conn(w, 1)->remote.method = IKE_AUTH_CFG_PSK;
	refused(w, "the peer refuses our identity a.example.org or key: AUTHENTICATION_FAILED",
		"AUTHENTICATION_FAILED: peer a.example.org sends no AUTH payload (EAP?), a "
		"pre-shared key is needed");
	/* A responder that has not shown who it is must not be told a password's hash. */
	w = eap_world();
	conn(w, 1)->local.method = IKE_AUTH_CFG_PSK;
	refused(w, NULL, "AUTHENTICATION_FAILED: peer a.example.org: EAP needs a signature of ours "
			 "first (local.auth)");
	w = eap_world();
	conn(w, 0)->remote.method = IKE_AUTH_CFG_PSK;
	refused(w, "EAP needs a responder that proves itself by a signature", NULL);
	w = eap_world();
	conn(w, 0)->local.method = IKE_AUTH_CFG_PUBKEY;
	conn(w, 0)->remote.method = IKE_AUTH_CFG_EAP;
	refused(w, "EAP is for who begins: the peer has to (remote.auth)", NULL);
}

/* The peer must not begin where this end wants to answer for itself by EAP. */
static void test_backwards(void **state)
{
	struct world *w = eap_world();
	const char *why;

	conn(w, 1)->remote_addrs[0] = ike_ts_of_addr(&w->end[0].addrs[0]);
	conn(w, 1)->n_remote_addrs = 1;
	conn(w, 1)->remote.method = IKE_AUTH_CFG_PSK;
	world_start(w);
	assert_int_not_equal(ike_engine_initiate(w->end[1].engine, w->now, "site", "net", &why), 0);
	world_run(w);
	world_pass(w, 60 * IKE_SECOND);
	nothing_left(w);
	says(w, 0, "no connection is for peer b.example.org, who wants a.example.org");
	world_free(w);
}

/* Of two connections that fit as well, the one that wants EAP is for who wants it, and so round. */
static void test_chooses_connection(void **state)
{
	for (unsigned int eap = 0; eap < 2; eap++) {
		struct world *w = eap_world();
		struct ike_config *c = w->end[1].config;

		c->conns = reallocarray(c->conns, 2, sizeof(*c->conns));
		c->conns[1] = (struct ike_conn_cfg){
			.name = strdup("by key"),
			.local = {.method = IKE_AUTH_CFG_PSK, .id = c->conns[0].local.id},
			.remote = {.method = IKE_AUTH_CFG_PSK, .id = c->conns[0].remote.id},
		};
		assert_true(ike_proposal_list_parse(&c->conns[1].proposals, IKE_PROTO_IKE,
						    "aes128gcm16-prfsha256-x25519", NULL));
		c->conns[1].local_addrs = calloc(1, sizeof(struct ike_ts));
		c->conns[1].local_addrs[0] = c->conns[0].local_addrs[0];
		c->conns[1].n_local_addrs = 1;
		c->n_conns = 2;
		if (!eap)
			conn(w, 0)->local.method = conn(w, 0)->remote.method = IKE_AUTH_CFG_PSK;
		world_start(w);
		world_initiate(w, "net");
		assert_int_equal(world_count_ike(w, 1, "ESTABLISHED"), 1);
		assert_string_equal(world_sa(w, 1)->conn->name, eap ? "site" : "by key");
		world_free(w);
	}
}

/*
 * A peer that has the keys of IKE, and says something else than the engine would: its message
 * number @hold is held back, and this one comes in its place.
 */
static size_t hold;

static bool hold_back(struct world *w, struct world_message *m)
{
	return w->delivered - 1 < hold;
}

static struct world *held_world(struct world *w, size_t message)
{
	hold = message;
	w->wire = hold_back;
	world_start(w);
	world_initiate(w, "net");
	return w;
}

typedef void put_fn(struct ike_writer *w, struct ike_sa *sa);

static void instead(struct world *w, unsigned int from, put_fn *put)
{
	struct ike_sa *sa = world_sa(w, from);
	struct ike_outgoing o;
	struct ike_bytes flight;
	uint32_t id = from ? sa->window.expected - 1 : sa->window.next_id - 1;

	ike_outgoing_begin(&o, sa, IKE_EXCHANGE_AUTH, id, from);
	put(&o.w, sa);
	assert_true(ike_outgoing_end(&o, sa, NULL));
	flight = ike_written(&o.w);
	while (flight.len) {
		struct ike_bytes one = ike_flight_next(&flight);

		world_inject(w, !from, one.p, one.len);
	}
	world_run(w);
}

static void put_early_success(struct ike_writer *w, struct ike_sa *sa)
{
	ike_put_payload(w, IKE_PAYLOAD_EAP, ike_bytes("\x03\x01\x00\x04", 4));
}

static void put_request_of_tls(struct ike_writer *w, struct ike_sa *sa)
{
	ike_put_payload(w, IKE_PAYLOAD_EAP, ike_bytes("\x01\x02\x00\x06\x0d\x20", 6));
}

static void put_long_eap(struct ike_writer *w, struct ike_sa *sa)
{
	static const uint8_t packet[5000] = {1, 2, 5000 >> 8, 5000 & 0xff, 26};

	ike_put_payload(w, IKE_PAYLOAD_EAP, ike_bytes(packet, sizeof(packet)));
}

/* AUTH by what everybody knows: an MSK of zeros, or none. */
static void put_guessed_auth(struct ike_writer *w, struct ike_sa *sa)
{
	static const uint8_t zeros[64];
	struct ike_key value;
	uint8_t body[] = {IKE_ID_FQDN, 0, 0, 0, 'b', '.', 'e', 'x', 'a', 'm', 'p', 'l', 'e', '.',
			  'o', 'r', 'g'};

	if (sa->initiator)
		body[4] = 'a';
	assert_true(ike_auth_value(sa, sa->initiator, ike_bytes(zeros, sizeof(zeros)),
				   ike_bytes(body, sizeof(body)), &value, NULL));
	ike_put_auth(w, IKE_AUTH_METHOD_PSK, ike_key_bytes(&value));
}

static void put_signature(struct ike_writer *w, struct ike_sa *sa)
{
	ike_put_auth(w, IKE_AUTH_METHOD_SIGNATURE, ike_bytes("none", 4));
}

static void put_both(struct ike_writer *w, struct ike_sa *sa)
{
	put_guessed_auth(w, sa);
	put_early_success(w, sa);
}

/* Messages: 0, 1 INIT; 2, 3 identity asked; 4, 5 challenge; 6, 7 proof; 8, 9 success; 10, 11 AUTH. */
static void test_hostile_responders(void **state)
{
	static const struct {
		size_t message;
		put_fn *put;
		const char *why;
	} cases[] = {
		{5, put_early_success, "AUTHENTICATION_FAILED: EAP-Success before any method has "
				       "come to its end"},
		{7, put_early_success, "AUTHENTICATION_FAILED: EAP-Success before any method has "
				       "come to its end"},
		{5, put_request_of_tls, NULL}, /* a Nak goes */
		{7, put_request_of_tls, "the server goes over to eap-tls in the middle of "
					"eap-mschapv2"},
		{5, put_long_eap, "an EAP packet of 5000 bytes, 4096 are the most"},
		/* What comes after EAP comes before its end: the table refuses it. */
		{5, put_guessed_auth, "IKE_AUTH with EAP: holds a AUTH payload, which has no place "
				      "there"},
		{9, put_both, "IKE_AUTH with EAP: holds a AUTH payload, which has no place there"},
		{11, put_early_success, "IKE_AUTH response after EAP: holds a EAP payload, which has "
					"no place there"},
		{11, put_guessed_auth, "AUTHENTICATION_FAILED: the proof of peer b.example.org after "
				       "EAP (PSK) is not by the key that EAP has made"},
		{11, put_signature, "AUTHENTICATION_FAILED: the proof of peer b.example.org after EAP "
				    "(SIGNATURE) is not by the key that EAP has made"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct world *w = held_world(eap_world(), cases[i].message);

		instead(w, 1, cases[i].put);
		assert_int_equal(world_count_ike(w, 0, "ESTABLISHED"), 0);
		assert_int_equal(w->end[0].events[IKE_EVENT_IKE_UP], 0);
		if (cases[i].why) {
			says(w, 0, cases[i].why);
			assert_int_equal(world_count_ike(w, 0, NULL), 0);
		}
		world_free(w);
	}
}

static void test_hostile_initiators(void **state)
{
	static const struct {
		size_t message;
		put_fn *put;
		const char *why;
	} cases[] = {
		{4, put_early_success, "AUTHENTICATION_FAILED: the peer sends no EAP response to our "
				       "request"},
		{6, put_long_eap, "AUTHENTICATION_FAILED: an EAP packet of 5000 bytes, 4096 are the "
				  "most"},
		{4, put_guessed_auth, "IKE_AUTH with EAP: holds a AUTH payload, which has no place "
				      "there"},
		{8, put_guessed_auth, "IKE_AUTH with EAP: holds a AUTH payload, which has no place "
				      "there"},
		{10, put_early_success, "IKE_AUTH request after EAP: holds a EAP payload, which has "
					"no place there"},
		{10, put_guessed_auth, "AUTHENTICATION_FAILED: the proof of peer a.example.org after "
				       "EAP (PSK) is not by the key that EAP has made"},
		{10, put_signature, "AUTHENTICATION_FAILED: the proof of peer a.example.org after EAP "
				    "(SIGNATURE) is not by the key that EAP has made"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct world *w = held_world(eap_world(), cases[i].message);
		struct ike_counters counters;

		/* A stranger to the end. */
		ike_engine_counters(w->end[1].engine, &counters);
		assert_int_equal(counters.half_open, 1);
		instead(w, 0, cases[i].put);
		says(w, 1, cases[i].why);
		assert_int_equal(world_count_ike(w, 1, NULL), 0);
		assert_int_equal(w->end[1].events[IKE_EVENT_IKE_UP], 0);
		world_pass(w, 200 * IKE_SECOND);
		nothing_left(w);
		world_free(w);
	}
}

static void put_own_auth(struct ike_writer *w, struct ike_sa *sa)
{
	ike_eap_put_auth(sa, w);
}

/* RFC 8784: the proof is there, but not the word that it is by the PPK, which is required. */
static void test_hostile_ppk(void **state)
{
	static const struct {
		size_t message;
		put_fn *put;
		const char *why;
	} cases[] = {
		{10, put_own_auth, "AUTHENTICATION_FAILED: the peer uses no PPK, and ppk_required = "
				   "yes"},
		{11, put_guessed_auth, "AUTHENTICATION_FAILED: the peer does not use the PPK, and "
				       "ppk_required = yes"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		unsigned int from = cases[i].message % 2, to = !from;
		struct world *w = eap_world();

		for (unsigned int end = 0; end < 2; end++) {
			world_give_ppk(w, end, "ppk-1", "sixteen bytes or more");
			world_use_ppk(w, end, "ppk-1", true);
		}
		w = held_world(w, cases[i].message);
		instead(w, from, cases[i].put);
		says(w, to, cases[i].why);
		assert_int_equal(world_count_ike(w, to, NULL), 0);
		assert_int_equal(w->end[to].events[IKE_EVENT_IKE_UP], 0);
		world_free(w);
	}
}

static void give_up(struct ike_writer *w, void *unused)
{
	ike_put_notify(w, IKE_NOTIFY_AUTHENTICATION_FAILED, ike_bytes(NULL, 0));
}

/* Section 2.21.2, as strongSwan has it; the responder need not wait for the end of its time. */
static void test_initiator_gives_up(void **state)
{
	struct world *w = held_world(eap_world(), 6);
	struct ike_counters counters;
	struct ike_payloads answer;

	/* Its request with the proof is out, and does not come. */
	world_sa(w, 0)->window.next_id--;
	world_request(w, 0, IKE_EXCHANGE_INFORMATIONAL, give_up, NULL, &answer);
	says(w, 1, "no IKE SA: the peer gives up (AUTHENTICATION_FAILED)");
	assert_int_equal(world_count_ike(w, 1, NULL), 0);
	ike_engine_counters(w->end[1].engine, &counters);
	assert_int_equal(counters.half_open, 0);
	world_free(w);
}

/* Two users who call themselves the same in IKE are two, and one who comes again is one. */
static void test_users_are_told_apart(void **state)
{
	for (unsigned int same = 0; same < 2; same++) {
		struct world *w = eap_world();

		conn(w, 1)->unique = IKE_UNIQUE_REPLACE;
		for (unsigned int i = 0; i < 2; i++)
			add_secret(w->end[i].config, "dave", "W7R0g3do");
		comes_up(w);
		/* A crash, so that nothing is said of it. */
		w->now += IKE_SECOND;
		ike_engine_free(w->end[0].engine);
		if (!same)
			memcpy(conn(w, 0)->local.eap_id, "dave", 5);
		conn(w, 0)->unique = IKE_UNIQUE_NEVER;
		world_renew(w, 0);
		world_initiate(w, "net");
		world_pass(w, 1 * IKE_SECOND);
		assert_int_equal(world_count_ike(w, 1, "ESTABLISHED"), same ? 1 : 2);
		world_free(w);
	}
}

/* The same by certificates at both ends, in messages that IKE has to cut in pieces itself or not. */
static void test_tls(void **state)
{
	for (unsigned int fragments = 0; fragments < 2; fragments++) {
		struct world *w = eap_world();
		struct pki ca = pki_ca("CN=CA of users", NULL),
			   own = pki_end(&ca, "CN=carol", "DNS:carol", "RSA");

		pki_add_cert(&conn(w, 0)->local.certs, &own);
		pki_add_key(&w->end[0].config->keys, &own);
		pki_add_cert(&conn(w, 1)->remote.cacerts, &ca);
		conn(w, 1)->remote.eap_type = IKE_EAP_TLS;
		for (unsigned int i = 0; fragments && i < 2; i++)
			w->end[i].config->settings.fragment_size = 576;
		comes_up(w);
		says(w, 1, "peer a.example.org has proven its identity by eap-tls (TLSv1.3) as carol");
		assert_true(world_connected(w));
		world_free(w);
		pki_free(&ca);
		pki_free(&own);
	}
}

/* An end that goes while its job is being done: nothing is left, and nothing is touched. */
static void test_goes_in_the_middle(void **state)
{
	for (unsigned int end = 0; end < 2; end++) {
		struct world *w = held_world(eap_world(), 5 + end);
		struct world_message *m = &w->sent[5 + end];
		struct ike_sa *sa = world_sa(w, end);

		/* What it does next is not run yet. */
		w->wire = NULL;
		world_inject(w, end, m->bytes, m->len);
		assert_int_equal(w->end[end].n_jobs, 1);
		ike_sa_close(sa, IKE_END_COMMAND, false, "gone");
		ike_engine_bury(w->end[end].engine);
		assert_int_equal(world_count_ike(w, end, NULL), 0);
		world_run(w);
		world_free(w);
	}
}

static void test_no_provider(void **state)
{
	struct world *w = eap_world();

	ike_legacy_free(w->end[1].config->legacy);
	w->end[1].config->legacy = NULL;
	conn(w, 1)->remote.eap_type = IKE_EAP_MSCHAPV2;
	refused(w, "the server refuses us (EAP-Failure)",
		"AUTHENTICATION_FAILED: eap-mschapv2 as carol: OpenSSL's legacy provider, which has "
		"MD4 and DES, is missing");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_comes_up),	  cmocka_unit_test(test_rekeys),
		cmocka_unit_test(test_every_loss),	  cmocka_unit_test(test_every_end),
		cmocka_unit_test(test_virtual_address),	  cmocka_unit_test(test_wrong_password),
		cmocka_unit_test(test_unknown_user),	  cmocka_unit_test(test_without_eap),
		cmocka_unit_test(test_backwards),	  cmocka_unit_test(test_chooses_connection),
		cmocka_unit_test(test_hostile_responders), cmocka_unit_test(test_hostile_initiators),
		cmocka_unit_test(test_initiator_gives_up),
		cmocka_unit_test(test_users_are_told_apart), cmocka_unit_test(test_no_provider),
		cmocka_unit_test(test_tls),		  cmocka_unit_test(test_goes_in_the_middle),
		cmocka_unit_test(test_hostile_ppk),
	};

	return cmocka_run_group_tests_name("engine_eap", tests, NULL, NULL);
}
