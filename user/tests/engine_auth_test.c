// SPDX-License-Identifier: MIT
/*
 * Two engines that authenticate each other by signatures: certificates, chains and raw keys, every
 * kind of key, both roles, and each reason to refuse in one line of the log.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/pki.h"
#include "tests/world.h"

static const char *const names[] = {"DNS:a.example.org", "DNS:b.example.org"};
static const char *const subjects[] = {"C=CH, O=Example, CN=a", "C=CH, O=Example, CN=b"};

static struct ike_conn_cfg *conn(struct world *w, unsigned int end)
{
	return &w->end[end].config->conns[0];
}

static struct world *pubkey_world(void)
{
	struct world *w = world_new();

	w->utc = PKI_NOW;
	for (unsigned int i = 0; i < 2; i++) {
		conn(w, i)->local.method = IKE_AUTH_CFG_PUBKEY;
		conn(w, i)->remote.method = IKE_AUTH_CFG_PUBKEY;
	}
	return w;
}

/* End @i has this certificate and key. */
static void give(struct world *w, unsigned int i, const struct pki *own)
{
	pki_add_cert(&conn(w, i)->local.certs, own);
	pki_add_key(&w->end[i].config->keys, own);
}

static void trust(struct world *w, unsigned int i, const struct pki *ca)
{
	pki_add_cert(&w->end[i].config->anchors, ca);
}

/* A CA that both trust, and a certificate for each. */
static struct world *usual_world(const char *key)
{
	struct world *w = pubkey_world();
	struct pki ca = pki_ca("C=CH, O=Example, CN=CA", NULL);

	for (unsigned int i = 0; i < 2; i++) {
		struct pki own = pki_end(&ca, subjects[i], names[i], key);

		give(w, i, &own);
		trust(w, i, &ca);
		pki_free(&own);
	}
	pki_free(&ca);
	return w;
}

static void comes_up(struct world *w)
{
	world_start(w);
	world_up(w);
	for (unsigned int i = 0; i < 2; i++)
		assert_int_equal(world_count_ike(w, i, "ESTABLISHED"), 1);
}

/* It does not come up, and end @who says @why in one line. */
static void refused(struct world *w, unsigned int who, const char *why)
{
	world_start(w);
	world_initiate(w, "net");
	world_pass(w, 60 * IKE_SECOND);
	for (unsigned int i = 0; i < 2; i++) {
		assert_int_equal(world_count_ike(w, i, NULL), 0);
		assert_int_equal(world_count_sas(&w->end[i]), 0);
	}
	if (!world_logged(&w->end[who], why))
		fail_msg("end %u does not say \"%s\" but:\n%s", who, why, w->end[who].log);
	world_free(w);
}

static void test_kinds_of_keys(void **state)
{
	static const struct {
		const char *key, *by;
	} kinds[] = {
		{"RSA", "rsa-sha256"},	   {"P-256", "ecdsa-sha256"}, {"P-384", "ecdsa-sha384"},
		{"P-521", "ecdsa-sha512"}, {"ED25519", "ed25519"},    {"ED448", "ed448"},
	};
	char line[160];

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct world *w = usual_world(kinds[i].key);

		comes_up(w);
		for (unsigned int end = 0; end < 2; end++) {
			snprintf(line, sizeof(line),
				 "peer %s has proven its identity by %s, certificate %s",
				 names[!end] + 4, kinds[i].by, subjects[!end]);
			assert_true(world_logged(&w->end[end], line));
		}
		/* Still four messages. */
		assert_int_equal(w->n_sent, 4);
		world_free(w);
	}
}

static bool drop_hashes(struct world *w, struct world_message *m)
{
	/* The notify's type (RFC 7427 section 4) becomes one that nobody knows. */
	static const uint8_t type[] = {0x40, 0x2f};

	for (size_t i = IKE_HEADER_LEN; m->bytes[18] == IKE_EXCHANGE_SA_INIT && i + 4 < m->len; i++)
		if (!memcmp(m->bytes + i, type, 2) && m->bytes[i - 2] == 0 && m->bytes[i - 1] == 0)
			m->bytes[i + 1] = 0xff;
	return true;
}

/*
 * With a peer that knows nothing of RFC 7427 there are methods 1 and 9 to 11, and none for Ed25519.
 * Both engines' IKE_SA_INIT messages are changed on the wire, so what each has signed is not what
 * the other has got, and no signature fits; but which one was chosen is seen.
 */
static void test_old_methods(void **state)
{
	static const struct {
		const char *key, *why;
	} kinds[] = {
		{"RSA", "its signature by rsa-sha1 does not fit its RSA-2048 key"},
		{"P-384", "its signature by ecdsa-sha384 does not fit its ECDSA-P-384 key"},
	};

	for (size_t i = 0; i < 2; i++) {
		struct world *w = usual_world(kinds[i].key);

		w->wire = drop_hashes;
		refused(w, 1, kinds[i].why);
	}
	{
		struct world *w = usual_world("ED25519");

		w->wire = drop_hashes;
		refused(w, 0, "the peer knows no RFC 7427 signatures (SIGNATURE_HASH_ALGORITHMS), "
			      "without which our Ed25519 key");
	}
}

/* The responder tells of SHA-1 four times instead of what it knows. */
static bool only_sha1(struct world *w, struct world_message *m)
{
	static const uint8_t hashes[] = {0x40, 0x2f, 0, 2, 0, 3, 0, 4, 0, 5},
			     other[] = {0x40, 0x2f, 0, 1, 0, 1, 0, 1, 0, 1};

	for (size_t i = IKE_HEADER_LEN; m->from == 1 && i + sizeof(hashes) <= m->len; i++)
		if (!memcmp(m->bytes + i, hashes, sizeof(hashes)))
			memcpy(m->bytes + i, other, sizeof(other));
	return true;
}

static void test_no_common_hash(void **state)
{
	static const char *const keys[] = {"RSA", "P-256", "ED25519"};

	for (size_t i = 0; i < 3; i++) {
		struct world *w = usual_world(keys[i]);

		w->wire = only_sha1;
		refused(w, 0, "none of the peer's hashes (SIGNATURE_HASH_ALGORITHMS) is one with "
			      "which our ");
	}
}

static void test_pss(void **state)
{
	struct world *w = usual_world("RSA");

	conn(w, 0)->local.schemes = 1 << IKE_SCHEME_PSS_SHA2_384;
	conn(w, 1)->remote.schemes = 1 << IKE_SCHEME_PSS_SHA2_384;
	comes_up(w);
	assert_true(world_logged(&w->end[1], "by rsa/pss-sha384, certificate"));
	world_free(w);
	/* So long that the responder leaves out what it takes (SUPPORTED_AUTH_METHODS). */
	w = usual_world("RSA");
	conn(w, 1)->remote.schemes = 1 << IKE_SCHEME_PSS_SHA2_256 | 1 << IKE_SCHEME_PSS_SHA2_384 |
				     1 << IKE_SCHEME_PSS_SHA2_512;
	refused(w, 1, "AUTHENTICATION_FAILED: peer a.example.org: a signature by rsa-sha256, but "
		      "remote.auth allows rsa/pss-sha256 rsa/pss-sha384 rsa/pss-sha512");
}

/* Intermediates are sent along; the peer knows the root alone. */
static void test_chain(void **state)
{
	struct pki root = pki_ca("CN=root", NULL), sub = pki_ca("CN=sub", &root),
		   a = pki_end(&sub, subjects[0], names[0], NULL),
		   b = pki_end(&root, subjects[1], names[1], NULL);
	struct world *w = pubkey_world();

	give(w, 0, &a);
	give(w, 1, &b);
	pki_add_cert(&w->end[0].config->certs, &sub);
	trust(w, 0, &root);
	trust(w, 1, &root);
	comes_up(w);
	world_free(w);

	w = pubkey_world();
	give(w, 0, &a);
	give(w, 1, &b);
	trust(w, 0, &root);
	trust(w, 1, &root);
	refused(w, 1, "peer a.example.org: certificate C=CH, O=Example, CN=a: it is not trusted: no "
		      "trust anchor has issued it");
	pki_free(&root);
	pki_free(&sub);
	pki_free(&a);
	pki_free(&b);
}

static void test_dn_identities(void **state)
{
	struct world *w = usual_world(NULL);

	for (unsigned int i = 0; i < 2; i++) {
		conn(w, i)->local.id = (struct ike_id){0};
		assert_true(ike_id_parse("C=ch, O=example, CN=*", &conn(w, i)->remote.id, NULL));
	}
	comes_up(w);
	assert_true(world_logged(&w->end[0],
				 "C=CH, O=Example, CN=a with C=CH, O=Example, CN=b at 192.0.2.2"));
	world_free(w);
	w = usual_world(NULL);
	conn(w, 0)->local.id = (struct ike_id){0};
	assert_true(ike_id_parse("C=CH, O=Other, CN=*", &conn(w, 1)->remote.id, NULL));
	refused(w, 1, "no connection is for peer C=CH, O=Example, CN=a, who wants b.example.org");
}

/* One end by a key, the other by a signature. */
static void test_mixed(void **state)
{
	for (unsigned int psk = 0; psk < 2; psk++) {
		struct world *w = usual_world("P-256");

		conn(w, psk)->local.method = IKE_AUTH_CFG_PSK;
		conn(w, !psk)->remote.method = IKE_AUTH_CFG_PSK;
		comes_up(w);
		assert_true(world_logged(&w->end[psk], "has proven its identity by ecdsa-sha256"));
		world_free(w);
		w = usual_world("P-256");
		conn(w, psk)->local.method = IKE_AUTH_CFG_PSK;
		refused(w, !psk, psk ? "peer b.example.org authenticates by PSK, a signature is "
				       "needed (remote.auth)" :
				       "peer a.example.org authenticates by PSK, a signature is "
				       "needed (remote.auth)");
	}
}

/* Of two connections for the same peer the one that fits its address better wants a key: that is not what it has. */
static void test_method_chooses_connection(void **state)
{
	struct world *w = usual_world("P-256");
	struct ike_config *c = w->end[1].config;
	struct ike_conn_cfg *other;

	c->conns = reallocarray(c->conns, 2, sizeof(*c->conns));
	other = &c->conns[c->n_conns++];
	*other = (struct ike_conn_cfg){
		.name = strdup("by key"),
		.local = {.method = IKE_AUTH_CFG_PSK, .id = c->conns[0].local.id},
		.remote = {.method = IKE_AUTH_CFG_PSK, .id = c->conns[0].remote.id},
	};
	assert_true(ike_proposal_list_parse(&other->proposals, IKE_PROTO_IKE, "aes128gcm16-prfsha256-x25519", NULL));
	other->local_addrs = calloc(1, sizeof(struct ike_ts));
	other->local_addrs[other->n_local_addrs++] = c->conns[0].local_addrs[0];
	other->remote_addrs = calloc(1, sizeof(struct ike_ts));
	other->remote_addrs[other->n_remote_addrs++] = conn(w, 0)->local_addrs[0];
	free(c->conns[0].remote_addrs);
	c->conns[0].remote_addrs = NULL;
	c->conns[0].n_remote_addrs = 0;
	comes_up(w);
	assert_string_equal(world_sa(w, 1)->conn->name, "site");
	world_free(w);
}

static void test_raw_keys(void **state)
{
	struct pki keys[3];
	struct world *w = pubkey_world();

	for (unsigned int i = 0; i < 3; i++)
		keys[i] = pki_end(NULL, "CN=unused", NULL, i == 1 ? "RSA" : "P-256");
	for (unsigned int i = 0; i < 2; i++) {
		pki_add_key(&conn(w, i)->local.pubkeys, &keys[i]);
		pki_add_key(&conn(w, i)->remote.pubkeys, &keys[!i]);
		pki_add_key(&w->end[i].config->keys, &keys[i]);
	}
	comes_up(w);
	assert_true(world_logged(&w->end[1], "by ecdsa-sha256, raw public key ECDSA-P-256"));
	world_free(w);

	w = pubkey_world();
	for (unsigned int i = 0; i < 2; i++) {
		pki_add_key(&conn(w, i)->local.pubkeys, &keys[i]);
		pki_add_key(&conn(w, i)->remote.pubkeys, &keys[2 * i]);
		pki_add_key(&w->end[i].config->keys, &keys[i]);
	}
	refused(w, 1, "peer a.example.org: its signature by ecdsa-sha256 does not fit its "
		      "ECDSA-P-256 key");
	for (unsigned int i = 0; i < 3; i++)
		pki_free(&keys[i]);
}

/* Of several certificates, the one of a CA that the peer asks for. */
static void test_certreq_chooses(void **state)
{
	struct pki ca[] = {pki_ca("CN=CA one", NULL), pki_ca("CN=CA two", NULL)};
	struct world *w = pubkey_world();

	for (unsigned int k = 0; k < 2; k++) {
		struct pki a = pki_end(&ca[k], subjects[0], names[0], NULL),
			   b = pki_end(&ca[k], subjects[1], names[1], NULL);

		give(w, 0, &a);
		give(w, 1, &b);
		pki_free(&a);
		pki_free(&b);
	}
	trust(w, 0, &ca[1]);
	trust(w, 1, &ca[1]);
	comes_up(w);
	world_free(w);
	pki_free(&ca[0]);
	pki_free(&ca[1]);
}

/* send_cert = never, and a peer that has the certificate in a file. */
static void test_known_certificates(void **state)
{
	struct world *w = usual_world("P-256");

	for (unsigned int i = 0; i < 2; i++) {
		struct pki own = {conn(w, i)->local.certs.list[0], NULL};

		conn(w, i)->send_cert = IKE_SEND_CERT_NEVER;
		pki_add_cert(&w->end[!i].config->certs, &own);
	}
	comes_up(w);
	world_free(w);
	w = usual_world("P-256");
	conn(w, 0)->send_cert = IKE_SEND_CERT_NEVER;
	refused(w, 1, "peer a.example.org: no certificate: it sends none, and none of that "
		      "identity is known here");
	/* Asked for nothing, it sends nothing. */
	w = usual_world("P-256");
	conn(w, 1)->no_certreq = true;
	refused(w, 1, "peer a.example.org: no certificate: it sends none");
}

/* remote.certs: that one and no other, whoever has issued it. */
static void test_pinned(void **state)
{
	struct world *w = usual_world(NULL);
	struct pki self = pki_end(NULL, subjects[0], names[0], NULL);

	pki_add_cert(&conn(w, 1)->remote.certs, &self);
	refused(w, 1, "certificate C=CH, O=Example, CN=a: it is none of remote.certs");
	w = usual_world(NULL);
	conn(w, 0)->local.certs.n = 0;
	ike_cert_unref(conn(w, 0)->local.certs.list[0]);
	give(w, 0, &self);
	pki_add_cert(&conn(w, 1)->remote.certs, &self);
	comes_up(w);
	world_free(w);
	pki_free(&self);
}

/* One thing is wrong with the certificate of end 0; end 1 says what. */
static void wrong_certificate(const struct pki_order *how, int64_t later, const char *why)
{
	struct pki ca = pki_ca("CN=CA", NULL), b = pki_end(&ca, subjects[1], names[1], NULL), a;
	struct pki_order order = *how;
	struct world *w = pubkey_world();
	char line[300];

	order.issuer = order.issuer ? order.issuer : &ca;
	order.subject = "CN=a";
	order.alt_name = order.alt_name ? order.alt_name : names[0];
	a = pki_make(&order);
	give(w, 0, &a);
	give(w, 1, &b);
	trust(w, 0, &ca);
	trust(w, 1, &ca);
	if (order.issuer != &ca)
		pki_add_cert(&w->end[0].config->certs, order.issuer);
	w->utc += later;
	snprintf(line, sizeof(line), "AUTHENTICATION_FAILED: peer a.example.org: certificate CN=a: %s",
		 why);
	refused(w, 1, line);
	pki_free(&ca);
	pki_free(&a);
	pki_free(&b);
}

static void test_wrong_certificates(void **state)
{
	enum {
		DAY = 24 * 3600
	};
	struct pki other = pki_ca("CN=CA", NULL), no_ca = pki_end(NULL, "CN=no CA", NULL, NULL);

	wrong_certificate(&(struct pki_order){.from = -DAY, .to = DAY}, 2 * DAY, "it has expired");
	wrong_certificate(&(struct pki_order){.from = DAY, .to = 2 * DAY}, 0,
			  "it is not valid before ");
	/* The same name, another key. */
	wrong_certificate(&(struct pki_order){.issuer = &other}, 0,
			  "it is not trusted: its issuer's key has not signed it");
	wrong_certificate(&(struct pki_order){.issuer = &no_ca}, 0, "it is not trusted");
	wrong_certificate(&(struct pki_order){.alt_name = "DNS:c.example.org,IP:192.0.2.1"}, 0,
			  "its identity is not in it, only CN=a; c.example.org; 192.0.2.1");
	wrong_certificate(&(struct pki_order){.alt_name = "DNS:*.example.org"}, 0,
			  "its identity is not in it");
	wrong_certificate(&(struct pki_order){.alt_name = "email:a@a.example.org"}, 0,
			  "its identity is not in it");
	wrong_certificate(&(struct pki_order){.key_usage = "critical,keyEncipherment"}, 0,
			  "its key usage is not for signatures");
	wrong_certificate(&(struct pki_order){.extended_key_usage = "codeSigning"}, 0,
			  "its extended key usage is not for IKE");
	pki_free(&other);
	pki_free(&no_ca);
}

/* 112 bits all along: a signature with SHA-1 is worth less. */
static void test_weak_chain(void **state)
{
	struct pki ca = pki_make(&(struct pki_order){.subject = "CN=CA", .key = "RSA",
						     .basic_constraints = "critical,CA:TRUE",
						     .key_usage = "critical,keyCertSign"});
	struct pki a = pki_make(&(struct pki_order){.issuer = &ca, .subject = "CN=a",
						    .alt_name = names[0], .md = "SHA1"}),
		   b = pki_end(&ca, "CN=b", names[1], NULL);
	struct world *w = pubkey_world();

	give(w, 0, &a);
	give(w, 1, &b);
	trust(w, 0, &ca);
	trust(w, 1, &ca);
	refused(w, 1, "certificate CN=a: CA signature digest algorithm too weak");
	pki_free(&ca);
	pki_free(&a);
	pki_free(&b);
}

/*
 * A responder with two connections from anywhere, each with an authority of its own, asks for both;
 * the initiator has a certificate of the second one's only.
 */
static void test_two_authorities(void **state)
{
	struct pki ca[] = {pki_ca("CN=one", NULL), pki_ca("CN=two", NULL)},
		   a = pki_end(&ca[1], subjects[0], names[0], NULL),
		   b = pki_end(&ca[1], subjects[1], names[1], NULL);
	struct world *w = pubkey_world();
	struct ike_config *c = w->end[1].config;
	struct ike_conn_cfg *first;

	give(w, 0, &a);
	trust(w, 0, &ca[1]);
	give(w, 1, &b);
	pki_add_cert(&conn(w, 1)->remote.cacerts, &ca[1]);
	/* One more in front of it, for others. */
	c->conns = reallocarray(c->conns, 2, sizeof(*c->conns));
	c->conns[1] = c->conns[0];
	c->n_conns = 2;
	first = &c->conns[0];
	*first = (struct ike_conn_cfg){
		.name = strdup("other"),
		.local = {.method = IKE_AUTH_CFG_PUBKEY},
		.remote = {.method = IKE_AUTH_CFG_PUBKEY},
	};
	assert_true(ike_proposal_list_parse(&first->proposals, IKE_PROTO_IKE,
					    "aes128gcm16-prfsha256-x25519", NULL));
	assert_true(ike_id_parse("c.example.org", &first->remote.id, NULL));
	pki_add_cert(&first->remote.cacerts, &ca[0]);
	comes_up(w);
	world_free(w);
	pki_free(&ca[0]);
	pki_free(&ca[1]);
	pki_free(&a);
	pki_free(&b);
}

static void test_usages_that_pass(void **state)
{
	static const char *const usages[] = {"1.3.6.1.5.5.7.3.17", "anyExtendedKeyUsage",
					     "serverAuth", "codeSigning,clientAuth"};

	for (size_t i = 0; i < 4; i++) {
		struct pki p = pki_make(&(struct pki_order){.subject = "CN=a",
							    .key_usage = "nonRepudiation",
							    .extended_key_usage = usages[i]});

		assert_true(ike_cert_may_authenticate(p.cert, NULL));
		pki_free(&p);
	}
}

/* An intermediate that may vouch for one domain only, and vouches for another. */
static void test_name_constraints(void **state)
{
	struct pki root = pki_ca("CN=root", NULL);
	struct pki sub = pki_make(&(struct pki_order){
		.issuer = &root, .subject = "CN=sub", .basic_constraints = "critical,CA:TRUE",
		.key_usage = "critical,keyCertSign",
		.name_constraints = "critical,permitted;DNS:sub.example.org"});
	struct pki a = pki_end(&sub, "CN=a", names[0], NULL),
		   b = pki_end(&root, "CN=b", names[1], NULL);
	struct world *w = pubkey_world();

	give(w, 0, &a);
	give(w, 1, &b);
	pki_add_cert(&w->end[0].config->certs, &sub);
	trust(w, 0, &root);
	trust(w, 1, &root);
	refused(w, 1, "certificate CN=a: a name in it is outside of its issuer's name constraints");
	pki_free(&root);
	pki_free(&sub);
	pki_free(&a);
	pki_free(&b);
}

static void test_chain_rules(void **state)
{
	struct world *w = usual_world("RSA");

	conn(w, 1)->remote.min_bits[IKE_PKEY_RSA] = 3072;
	refused(w, 1, "certificate C=CH, O=Example, CN=a: it has a key of 2048 bits, and "
		      "remote.auth wants 3072");
	w = usual_world(NULL);
	conn(w, 1)->remote.min_bits[IKE_PKEY_RSA] = 3072;
	comes_up(w);
	world_free(w);
}

static void test_no_private_key(void **state)
{
	for (unsigned int end = 0; end < 2; end++) {
		struct world *w = usual_world(NULL);
		struct ike_pkey_list *keys = &w->end[end].config->keys;

		ike_pkey_unref(keys->list[--keys->n]);
		refused(w, end, end ? "there is no private key for our certificate C=CH, "
				      "O=Example, CN=b" :
				      "there is no private key for our certificate C=CH, "
				      "O=Example, CN=a");
	}
}

/* A key that is not that of the certificate: what a thief of certificates has. */
static void test_wrong_key(void **state)
{
	for (unsigned int end = 0; end < 2; end++) {
		struct world *w = usual_world("P-256");
		struct pki thief = pki_end(NULL, "CN=thief", NULL, "P-256");
		struct ike_cert *own = conn(w, end)->local.certs.list[0];

		/* Its own certificate object claims the thief's key. */
		ike_pkey_unref(own->key);
		own->key = ike_pkey_ref(thief.key);
		pki_add_key(&w->end[end].config->keys, &thief);
		refused(w, !end, "its signature by ecdsa-sha256 does not fit its ECDSA-P-256 key");
		pki_free(&thief);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kinds_of_keys),	   cmocka_unit_test(test_old_methods),
		cmocka_unit_test(test_no_common_hash),	   cmocka_unit_test(test_pss),
		cmocka_unit_test(test_chain),
		cmocka_unit_test(test_dn_identities),	   cmocka_unit_test(test_mixed),
		cmocka_unit_test(test_method_chooses_connection),
		cmocka_unit_test(test_raw_keys),	   cmocka_unit_test(test_certreq_chooses),
		cmocka_unit_test(test_known_certificates), cmocka_unit_test(test_pinned),
		cmocka_unit_test(test_wrong_certificates), cmocka_unit_test(test_usages_that_pass),
		cmocka_unit_test(test_weak_chain),	   cmocka_unit_test(test_two_authorities),
		cmocka_unit_test(test_name_constraints),   cmocka_unit_test(test_chain_rules),
		cmocka_unit_test(test_no_private_key),	   cmocka_unit_test(test_wrong_key),
	};

	return cmocka_run_group_tests_name("engine_auth", tests, NULL, NULL);
}
