// SPDX-License-Identifier: MIT
/*
 * Chains of certificates, each with one thing wrong: which, and on which certificate, is what the one
 * line in the log says. And what remote.ca_id and remote.cert_policy demand of chains.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/pki.h"
#include "tests/world.h"

enum {
	DAY = 24 * 3600
};

static struct ike_conn_cfg *conn(struct world *w, unsigned int end)
{
	return &w->end[end].config->conns[0];
}

/* End 0 sends @a and @sent, end 1 trusts @root. */
static struct world *world_of(const struct pki *root, const struct pki *a, const struct pki *sent,
			      size_t n_sent)
{
	struct pki b = pki_end(root, "CN=b", "DNS:b.example.org", NULL);
	const struct pki *own[] = {a, &b};
	struct world *w = world_new();

	w->utc = PKI_NOW;
	for (unsigned int i = 0; i < 2; i++) {
		conn(w, i)->local.method = IKE_AUTH_CFG_PUBKEY;
		conn(w, i)->remote.method = IKE_AUTH_CFG_PUBKEY;
		pki_add_cert(&conn(w, i)->local.certs, own[i]);
		pki_add_key(&w->end[i].config->keys, own[i]);
		pki_add_cert(&w->end[i].config->anchors, root);
	}
	for (size_t i = 0; i < n_sent; i++)
		pki_add_cert(&w->end[0].config->certs, &sent[i]);
	pki_free(&b);
	return w;
}

static void passes(struct world *w)
{
	world_start(w);
	world_up(w);
	world_free(w);
}

static void refused(struct world *w, const char *why)
{
	char line[300];

	world_start(w);
	world_initiate(w, "net");
	world_pass(w, 60 * IKE_SECOND);
	assert_int_equal(world_count_ike(w, 1, NULL), 0);
	snprintf(line, sizeof(line), "AUTHENTICATION_FAILED: peer a.example.org: certificate CN=a: %s",
		 why);
	if (!world_logged(&w->end[1], line))
		fail_msg("not \"%s\" but:\n%s", line, w->end[1].log);
	world_free(w);
}

/* One authority between the root and the end, made as @how says. */
static void wrong_between(const struct pki_order *how, const char *why)
{
	struct pki root = pki_ca("CN=root", NULL), sub, a;
	struct pki_order order = *how;
	struct world *w;

	order.issuer = &root;
	order.subject = "CN=sub";
	sub = pki_make(&order);
	a = pki_end(&sub, "CN=a", "DNS:a.example.org", NULL);
	w = world_of(&root, &a, &sub, 1);
	/* Nobody sends one that is of no authority: known to end 1, it is looked at all the same. */
	pki_add_cert(&w->end[1].config->certs, &sub);
	refused(w, why);
	pki_free(&root);
	pki_free(&sub);
	pki_free(&a);
}

static void test_between(void **state)
{
	static const char ca[] = "critical,CA:TRUE", sign[] = "critical,keyCertSign";

	wrong_between(&(struct pki_order){.basic_constraints = ca, .key_usage = sign,
					  .from = -9 * DAY, .to = -DAY},
		      "its issuer CN=sub: it has expired, at 2027-01-14 08:00 UTC");
	wrong_between(&(struct pki_order){.basic_constraints = ca, .key_usage = sign, .from = DAY,
					  .to = 2 * DAY},
		      "its issuer CN=sub: it is not valid before 2027-01-16 08:00 UTC");
	wrong_between(&(struct pki_order){.basic_constraints = ca,
					  .key_usage = "critical,digitalSignature"},
		      "its issuer CN=sub: it may not issue certificates (basicConstraints, key usage)");
	wrong_between(&(struct pki_order){.basic_constraints = "critical,CA:FALSE"},
		      "its issuer CN=sub: it may not issue certificates (basicConstraints, key usage)");
	wrong_between(&(struct pki_order){.basic_constraints = ca, .key_usage = sign,
					  .name_constraints = "critical,permitted;DNS:example.net"},
		      "a name in it is outside of its issuer's name constraints");
	wrong_between(&(struct pki_order){.basic_constraints = ca, .key_usage = sign,
					  .name_constraints = "critical,excluded;DNS:example.org"},
		      "a name in it is excluded by its issuer's name constraints");
}

/* CERTREQ's name for a key (RFC 7296 section 3.7): whatever it was read from. */
static void test_key_id(void **state)
{
	static const char *const kinds[] = {"RSA", "P-256", "P-521", "ED25519"};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct pki a = pki_make(&(struct pki_order){.subject = "CN=a", .key = kinds[i]});

		assert_memory_equal(a.cert->key->id, a.key->id, IKE_PKEY_ID_LEN);
		pki_free(&a);
	}
}

/* An authority that may have none below it, and has. */
static void test_path_length(void **state)
{
	struct pki root = pki_ca("CN=root", NULL), subs[2], a;

	subs[0] = pki_make(&(struct pki_order){.issuer = &root, .subject = "CN=sub",
					       .basic_constraints = "critical,CA:TRUE,pathlen:0",
					       .key_usage = "critical,keyCertSign"});
	subs[1] = pki_ca("CN=below", &subs[0]);
	a = pki_end(&subs[1], "CN=a", "DNS:a.example.org", NULL);
	refused(world_of(&root, &a, subs, 2), "its issuer CN=sub: more authorities are below it than "
					      "its path length allows");
	pki_free(&a);
	a = pki_end(&subs[0], "CN=a", "DNS:a.example.org", NULL);
	passes(world_of(&root, &a, subs, 2));
	pki_free(&root);
	pki_free(&subs[0]);
	pki_free(&subs[1]);
	pki_free(&a);
}

/* Of several authorities below one root, only one is for these peers. */
static void test_ca_id(void **state)
{
	struct pki root = pki_ca("CN=root", NULL);
	struct pki sub = pki_make(&(struct pki_order){
		.issuer = &root, .subject = "CN=sub", .alt_name = "DNS:sub.example.org",
		.basic_constraints = "critical,CA:TRUE", .key_usage = "critical,keyCertSign"});
	struct pki a = pki_end(&sub, "CN=a", "DNS:a.example.org", NULL);
	static const char *const good[] = {"CN=sub", "sub.example.org", "CN=root"},
				 *const bad[] = {"CN=a", "CN=other", "a.example.org"};
	struct world *w;
	char why[100];

	for (size_t i = 0; i < 3; i++) {
		w = world_of(&root, &a, &sub, 1);
		assert_true(ike_id_parse(good[i], &conn(w, 1)->remote.ca_id, NULL));
		passes(w);
		w = world_of(&root, &a, &sub, 1);
		assert_true(ike_id_parse(bad[i], &conn(w, 1)->remote.ca_id, NULL));
		snprintf(why, sizeof(why), "none of its issuers is %s (remote.ca_id)", bad[i]);
		refused(w, why);
	}
	pki_free(&root);
	pki_free(&sub);
	pki_free(&a);
}

static void demand(struct world *w, const char *first, const char *second)
{
	struct ike_auth_cfg *r = &conn(w, 1)->remote;

	r->policies = calloc(2, sizeof(*r->policies));
	r->policies[r->n_policies++] = strdup(first);
	if (second)
		r->policies[r->n_policies++] = strdup(second);
}

/* Policies hold if all of the chain has them (RFC 5280 section 6.1), and each that is demanded does. */
static void test_policies(void **state)
{
	struct pki root = pki_ca("CN=root", NULL);
	struct pki sub = pki_make(&(struct pki_order){
		.issuer = &root, .subject = "CN=sub", .policies = "1.2.3.4,1.2.3.5",
		.basic_constraints = "critical,CA:TRUE", .key_usage = "critical,keyCertSign"});
	struct pki a = pki_make(&(struct pki_order){
		.issuer = &sub, .subject = "CN=a", .alt_name = "DNS:a.example.org",
		.policies = "1.2.3.4,1.2.3.5,1.2.3.6"});
	struct world *w;

	w = world_of(&root, &a, &sub, 1);
	demand(w, "1.2.3.4", "1.2.3.5");
	passes(w);
	/* The end claims one that its issuer may not give. */
	w = world_of(&root, &a, &sub, 1);
	demand(w, "1.2.3.4", "1.2.3.6");
	refused(w, "it is not issued under policy 1.2.3.6 (remote.cert_policy)");
	w = world_of(&root, &a, &sub, 1);
	demand(w, "1.2.3.7", NULL);
	refused(w, "it is not issued under policy 1.2.3.7 (remote.cert_policy)");
	pki_free(&root);
	pki_free(&sub);
	pki_free(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_key_id),
		cmocka_unit_test(test_between),
		cmocka_unit_test(test_path_length),
		cmocka_unit_test(test_ca_id),
		cmocka_unit_test(test_policies),
	};

	return cmocka_run_group_tests_name("engine_chain", tests, NULL, NULL);
}
