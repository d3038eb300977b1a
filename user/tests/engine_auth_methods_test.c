// SPDX-License-Identifier: MIT
/*
 * SUPPORTED_AUTH_METHODS (RFC 9593): of several ways to authenticate itself an end takes one that the
 * other takes, and says why there is none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/pki.h"
#include "tests/world.h"

static const char *const subjects[] = {"CN=a", "CN=b"};
static const char *const names[] = {"DNS:a.example.org", "DNS:b.example.org"};

static struct ike_conn_cfg *conn(struct world *w, unsigned int end)
{
	return &w->end[end].config->conns[0];
}

/* Both ends have two certificates, the first one with an RSA key, the other with one of P-256. */
static struct world *begin(void)
{
	static const char *const kinds[] = {"RSA", "P-256"};
	struct pki ca = pki_ca("CN=CA", NULL);
	struct world *w = world_new();

	w->utc = PKI_NOW;
	for (unsigned int i = 0; i < 4; i++) {
		struct pki own = pki_end(&ca, subjects[i % 2], names[i % 2], kinds[i / 2]);

		conn(w, i % 2)->local.method = IKE_AUTH_CFG_PUBKEY;
		conn(w, i % 2)->remote.method = IKE_AUTH_CFG_PUBKEY;
		pki_add_cert(&conn(w, i % 2)->local.certs, &own);
		pki_add_key(&w->end[i % 2].config->keys, &own);
		pki_free(&own);
	}
	for (unsigned int i = 0; i < 2; i++)
		pki_add_cert(&w->end[i].config->anchors, &ca);
	pki_free(&ca);
	return w;
}

static void comes_up(struct world *w, const char *by_a, const char *by_b)
{
	char line[128];

	world_start(w);
	world_up(w);
	for (unsigned int i = 0; i < 2; i++) {
		snprintf(line, sizeof(line), "peer %s has proven its identity by %s,", names[!i] + 4,
			 i ? by_a : by_b);
		if (!world_logged(&w->end[i], line))
			fail_msg("end %u does not say \"%s\" but:\n%s", i, line, w->end[i].log);
	}
	world_free(w);
}

static void refused(struct world *w, unsigned int who, const char *why)
{
	world_start(w);
	world_initiate(w, "net");
	world_pass(w, 60 * IKE_SECOND);
	for (unsigned int i = 0; i < 2; i++)
		assert_int_equal(world_count_ike(w, i, NULL), 0);
	if (!world_logged(&w->end[who], why))
		fail_msg("end %u does not say \"%s\" but:\n%s", who, why, w->end[who].log);
	world_free(w);
}

/* An end that takes ECDSA alone gets it, although the RSA key comes first. */
static void test_choice(void **state)
{
	struct world *w = begin();

	comes_up(w, "rsa-sha256", "rsa-sha256");
	w = begin();
	conn(w, 1)->remote.schemes = 1u << IKE_SCHEME_ECDSA_SHA2_256;
	comes_up(w, "ecdsa-sha256", "rsa-sha256");
	w = begin();
	conn(w, 0)->remote.schemes = 1u << IKE_SCHEME_ECDSA_SHA2_384 | 1u << IKE_SCHEME_ED25519;
	comes_up(w, "rsa-sha256", "ecdsa-sha384");
	w = begin();
	conn(w, 0)->remote.schemes = 1u << IKE_SCHEME_PSS_SHA2_512;
	conn(w, 1)->remote.schemes = 1u << IKE_SCHEME_RSA_SHA2_384;
	comes_up(w, "rsa-sha384", "rsa/pss-sha512");
}

static void test_none(void **state)
{
	struct world *w = begin();

	conn(w, 1)->remote.schemes = 1u << IKE_SCHEME_ED25519 | 1u << IKE_SCHEME_ED448;
	conn(w, 0)->local.schemes = 1u << IKE_SCHEME_ECDSA_SHA2_256;
	refused(w, 0, "the peer takes only ed25519 ed448 (SUPPORTED_AUTH_METHODS), and we have "
		      "ecdsa-sha256");
	/* The responder finds nothing that the initiator takes. */
	w = begin();
	conn(w, 0)->remote.schemes = 1u << IKE_SCHEME_ED448;
	conn(w, 1)->local.schemes = 1u << IKE_SCHEME_ECDSA_SHA2_384;
	refused(w, 1, "AUTHENTICATION_FAILED: the peer takes only ed448 (SUPPORTED_AUTH_METHODS), and "
		      "we have ecdsa-sha384");
	/* A key where a signature is wanted, and the other way round. */
	w = world_new();
	conn(w, 1)->remote.method = IKE_AUTH_CFG_PUBKEY;
	conn(w, 1)->remote.schemes = 1u << IKE_SCHEME_ED25519;
	refused(w, 0, "the peer takes no pre-shared key (SUPPORTED_AUTH_METHODS), which local.auth "
		      "wants");
	w = begin();
	conn(w, 1)->remote.method = IKE_AUTH_CFG_PSK;
	refused(w, 0, "the peer takes only pre-shared keys (SUPPORTED_AUTH_METHODS), and we have ");
}

/* A responder tells of all that it may mean, having not identified anybody yet. */
static void test_of_any_connection(void **state)
{
	struct world *w = world_new();
	struct ike_config *c = w->end[1].config;
	struct ike_conn_cfg *other;

	c->conns = realloc(c->conns, 2 * sizeof(*c->conns));
	other = &c->conns[c->n_conns++];
	memset(other, 0, sizeof(*other));
	other->name = strdup("other");
	assert_true(ike_proposal_list_copy(&other->proposals, &c->conns[0].proposals));
	assert_true(ike_id_parse("c.example.org", &other->remote.id, NULL));
	other->remote.method = IKE_AUTH_CFG_PUBKEY;
	other->remote.schemes = 1u << IKE_SCHEME_ED25519;
	world_start(w);
	world_up(w);
	assert_int_equal(w->n_sent, 4);
	world_free(w);
}

/* Of what need not be said nothing is said that would need a cookie. */
static void test_not_at_the_price_of_a_cookie(void **state)
{
	struct world *w = begin();

	/* RSA by PSS has the longest announcements. */
	conn(w, 1)->remote.schemes = IKE_SCHEMES_ALL & ~(1u << IKE_SCHEME_ED448);
	world_start(w);
	world_up(w);
	assert_int_equal(w->n_sent, 4);
	assert_true(w->sent[1].len <= w->sent[0].len);
	assert_false(world_sa(w, 0)->peer_takes.told);
	world_free(w);
	w = begin();
	conn(w, 1)->remote.schemes = 1u << IKE_SCHEME_ECDSA_SHA2_256;
	world_start(w);
	world_up(w);
	assert_int_equal(w->n_sent, 4);
	assert_true(world_sa(w, 0)->peer_takes.told);
	world_free(w);
}

/* Announcements as RFC 9593 section 3.2 draws them. */
static void test_wire(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
		struct ike_auth_methods want;
	} cases[] = {
		{"", 0, {0}},
		{"\x02\x02", 2, {.told = true, .psk = true}},
		{"\x02\x0d", 2, {.told = true}},
		{"\x03\x01\x01\x02\x02", 5, {.told = true, .psk = true}},
		{"\x0a\x0e\x01\x30\x05\x06\x03\x2b\x65\x70", 10,
		 {.told = true, .schemes = 1u << IKE_SCHEME_ED25519}},
		{"\x0a\x0e\x00\x30\x05\x06\x03\x2b\x65\x70\x0a\x0e\x00\x30\x05\x06\x03\x2b\x65\x71", 20,
		 {.told = true, .schemes = 1u << IKE_SCHEME_ED25519 | 1u << IKE_SCHEME_ED448}},
		/* An algorithm that nobody knows, a method without one. */
		{"\x0a\x0e\x00\x30\x05\x06\x03\x2b\x65\x7f\x02\x0e", 12, {.told = true}},
		/* Malformed. */
		{"\x00\x02\x02", 3, {0}},
		{"\x01", 1, {0}},
		{"\x02\x02\x03\x01", 4, {0}},
		{"\x0a\x0e\x00\x30\x05\x06\x03\x2b\x65", 9, {0}},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint8_t buf[128], *copy;
		struct ike_auth_methods got;
		struct ike_payloads all;
		struct ike_header h = {.exchange = IKE_EXCHANGE_SA_INIT};
		struct ike_writer w;

		ike_writer_init(&w, buf, sizeof(buf));
		ike_message_begin(&w, &h);
		ike_put_notify(&w, IKE_NOTIFY_SUPPORTED_AUTH_METHODS,
			       ike_bytes(cases[i].bytes, cases[i].len));
		assert_true(ike_message_end(&w));
		copy = malloc(w.len - IKE_HEADER_LEN);
		memcpy(copy, buf + IKE_HEADER_LEN, w.len - IKE_HEADER_LEN);
		assert_true(ike_payloads_decode(&all, IKE_PAYLOAD_NOTIFY,
						ike_bytes(copy, w.len - IKE_HEADER_LEN), NULL));
		ike_auth_methods_find(&all, &got);
		assert_int_equal(got.told, cases[i].want.told);
		assert_int_equal(got.psk, cases[i].want.psk);
		assert_int_equal(got.schemes, cases[i].want.schemes);
		free(copy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_choice),
		cmocka_unit_test(test_none),
		cmocka_unit_test(test_of_any_connection),
		cmocka_unit_test(test_not_at_the_price_of_a_cookie),
		cmocka_unit_test(test_wire),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
