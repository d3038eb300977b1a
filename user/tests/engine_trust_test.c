// SPDX-License-Identifier: MIT
/*
 * A peer that comes again: its certificate is not parsed and traced to an anchor again, and for all
 * that it is refused whenever one seen for the first time would be.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ikev2/engine.h"
#include "ikev2/proof.h"
#include "tests/pki.h"
#include "tests/world.h"

enum {
	DAY = 24 * 3600
};

static struct pki root, sub, a, b;

static int make_all(void **state)
{
	root = pki_ca("CN=root", NULL);
	sub = pki_make(&(struct pki_order){.issuer = &root, .subject = "CN=sub", .from = -9 * DAY,
					   .to = 9 * DAY, .basic_constraints = "critical,CA:TRUE",
					   .key_usage = "critical,keyCertSign,cRLSign"});
	a = pki_make(&(struct pki_order){.issuer = &sub, .subject = "CN=a", .from = -DAY, .to = 20 * DAY,
					 .alt_name = "DNS:a.example.org"});
	b = pki_end(&root, "CN=b", "DNS:b.example.org", NULL);
	return 0;
}

static int free_all(void **state)
{
	pki_free(&root);
	pki_free(&sub);
	pki_free(&a);
	pki_free(&b);
	return 0;
}

static void set_up(struct ike_config *c, const struct pki *own, const struct pki *anchor)
{
	c->conns[0].local.method = IKE_AUTH_CFG_PUBKEY;
	c->conns[0].remote.method = IKE_AUTH_CFG_PUBKEY;
	pki_add_cert(&c->conns[0].local.certs, own);
	pki_add_key(&c->keys, own);
	pki_add_cert(&c->anchors, anchor);
}

static const struct ike_trust *trust(struct world *w)
{
	return &w->end[1].engine->trust;
}

/* Until both have forgotten it. */
static void down(struct world *w)
{
	struct ike_match match = {.conn = "site"};
	const char *why;

	assert_int_not_equal(ike_engine_terminate(w->end[0].engine, w->now, &match, &why), 0);
	world_run(w);
	world_pass(w, 60 * IKE_SECOND);
	assert_int_equal(world_count_ike(w, 1, NULL), 0);
	world_forget_log(w);
}

/* End 1 knows end 0's certificate; no IKE SA is up. */
static struct world *met(void)
{
	struct world *w = world_new();

	w->utc = PKI_NOW;
	set_up(w->end[0].config, &a, &root);
	set_up(w->end[1].config, &b, &root);
	pki_add_cert(&w->end[0].config->certs, &sub);
	world_start(w);
	world_up(w);
	assert_int_equal(trust(w)->n, 1);
	assert_int_equal(trust(w)->uses, 1);
	down(w);
	return w;
}

static void refused(struct world *w, const char *why)
{
	char line[300];

	world_initiate(w, "net");
	world_pass(w, 60 * IKE_SECOND);
	assert_int_equal(world_count_ike(w, 1, NULL), 0);
	snprintf(line, sizeof(line), "AUTHENTICATION_FAILED: peer a.example.org: %s", why);
	if (!world_logged(&w->end[1], line))
		fail_msg("not \"%s\" but:\n%s", line, w->end[1].log);
	world_free(w);
}

/* Known: used, and nothing new is learnt. The line in the log is that of the first time. */
static void test_again(void **state)
{
	struct world *w = met();
	const struct ike_cert *leaf = trust(w)->list[0].leaf;

	for (unsigned int i = 0; i < 3; i++) {
		world_up(w);
		assert_true(world_connected(w));
		assert_true(world_logged(&w->end[1], "certificate CN=a"));
		down(w);
		assert_int_equal(trust(w)->n, 1);
		assert_int_equal(trust(w)->uses, 2 + i);
		assert_ptr_equal(trust(w)->list[0].leaf, leaf);
	}
	world_free(w);
}

/* A proof of @id to end 1 by @key, with the certificate that it knows. */
static bool proves(struct world *w, const char *text, const struct ike_pkey *key,
		   struct ike_error *err)
{
	struct ike_bytes octets = ike_bytes("octets", 6);
	struct ike_config *config = w->end[1].config;
	struct ike_proof *p;
	struct ike_id id;
	bool ok;

	assert_true(ike_id_parse(text, &id, err));
	p = ike_proof_new(config, &config->conns[0].remote, &id, &octets, 1);
	assert_true(ike_proof_add_cert(p, ike_cert_der(a.cert), err));
	assert_true(ike_signature_make(key, IKE_AUTH_METHOD_SIGNATURE, IKE_SCHEME_ED25519, octets,
				       &p->signature, err));
	p->now = PKI_NOW;
	ike_trust_recall(w->end[1].engine, p);
	assert_non_null(p->known);
	ok = ike_proof_run(p, err);
	assert_null(p->leaf); /* nothing was parsed */
	ike_proof_free(p);
	return ok;
}

/* Who shows another's certificate has to have its key. */
static void test_stolen(void **state)
{
	struct world *w = met();
	struct ike_error err = {0};

	assert_true(proves(w, "a.example.org", a.key, &err));
	assert_false(proves(w, "a.example.org", b.key, &err));
	assert_int_equal(err.notify, IKE_NOTIFY_AUTHENTICATION_FAILED);
	assert_string_equal(err.text, "peer a.example.org: its signature by ed25519 does not fit its "
				      "Ed25519 key");
	world_free(w);
}

/* Another's identity is not in it, however well it is known. */
static void test_other_identity(void **state)
{
	struct world *w = met();
	struct ike_error err = {0};

	assert_false(proves(w, "x.example.org", a.key, &err));
	assert_non_null(strstr(err.text, "peer x.example.org: certificate CN=a: its identity is not in "
					 "it, only CN=a; a.example.org"));
	world_free(w);
}

/* Time goes on, and back: of the certificate itself, and of what is between. */
static void test_out_of_time(void **state)
{
	struct world *w = met();

	w->utc += 10 * DAY;
	refused(w, "certificate CN=a: its issuer CN=sub: it has expired, at 2027-01-24 08:00 UTC");
	w = met();
	w->utc += 30 * DAY;
	refused(w, "certificate CN=a: it");
	w = met();
	w->utc -= 2 * DAY;
	refused(w, "certificate CN=a: it is not valid before 2027-01-14 08:00 UTC");
}

/* An authority that was renewed: the chain of before is over, and there is another. */
static void test_renewed(void **state)
{
	struct world *w = met();
	struct pki renewed = pki_make(&(struct pki_order){
		.issuer = &root, .renews = &sub, .subject = "CN=sub", .to = 30 * DAY,
		.basic_constraints = "critical,CA:TRUE",
		.key_usage = "critical,keyCertSign,cRLSign"});

	w->utc += 10 * DAY;
	pki_add_cert(&w->end[1].config->certs, &renewed);
	world_up(w);
	assert_true(world_connected(w));
	assert_int_equal(trust(w)->n, 1);
	down(w);
	world_up(w);
	assert_true(world_connected(w));
	world_free(w);
	pki_free(&renewed);
}

static void test_revoked(void **state)
{
	struct pki_der der = pki_crl(&(struct pki_crl_order){.issuer = &sub, .revoked = &a});
	struct world *w = met();
	struct ike_crl_list *crls = &w->end[1].config->crls;
	struct ike_error err;

	crls->list = calloc(1, sizeof(*crls->list));
	crls->list[crls->n++] = ike_crl_parse(ike_bytes(der.p, der.len), &err);
	assert_non_null(crls->list[0]);
	refused(w, "certificate CN=a: it was revoked at 2027-01-05 08:00 UTC, a CRL says");
	pki_der_free(&der);
}

/* What is remembered is the old configuration's. */
static void test_reload(void **state)
{
	struct pki other = pki_ca("CN=other", NULL);
	struct ike_config *fresh = world_configure(1);
	struct world *w = met();

	set_up(fresh, &b, &other);
	world_reload(w, 1, fresh);
	assert_int_equal(trust(w)->n, 0);
	refused(w, "certificate CN=a: its issuer CN=sub: it is not trusted");
	pki_free(&other);
}

static void test_flush(void **state)
{
	struct world *w = met();

	ike_engine_flush(w->end[1].engine);
	assert_int_equal(trust(w)->n, 0);
	world_up(w);
	assert_int_equal(trust(w)->n, 1);
	world_free(w);
}

/* Only so many; the one that nobody needed for the longest time goes. */
static void test_bounded(void **state)
{
	struct world *w = met();
	struct ike_engine *e = w->end[1].engine;
	static struct ike_auth_cfg sections[IKE_TRUSTED_MAX];
	struct ike_proof p = {.config = w->end[1].config, .leaf = a.cert, .n_certs = 1,
			      .certs = a.cert->der, .cert_len = {a.cert->der_len}};

	for (unsigned int i = 0; i < IKE_TRUSTED_MAX - 1; i++) {
		p.cfg = &sections[i];
		ike_trust_learn(e, &p);
	}
	assert_int_equal(e->trust.n, IKE_TRUSTED_MAX);
	p.cfg = e->trust.list[0].cfg;
	ike_trust_recall(e, &p);
	assert_non_null(p.known);
	ike_cert_unref(p.known);
	ike_chain_free(p.known_chain);
	p.known = NULL;
	p.cfg = &sections[IKE_TRUSTED_MAX - 1];
	ike_trust_learn(e, &p);
	assert_int_equal(e->trust.n, IKE_TRUSTED_MAX);
	p.cfg = &sections[0];
	ike_trust_recall(e, &p);
	assert_null(p.known);
	world_up(w);
	assert_true(world_connected(w));
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_again),	    cmocka_unit_test(test_stolen),
		cmocka_unit_test(test_other_identity),
		cmocka_unit_test(test_out_of_time), cmocka_unit_test(test_renewed),
		cmocka_unit_test(test_revoked),	    cmocka_unit_test(test_reload),
		cmocka_unit_test(test_flush),	    cmocka_unit_test(test_bounded),
	};

	return cmocka_run_group_tests_name("engine_trust", tests, make_all, free_all);
}
