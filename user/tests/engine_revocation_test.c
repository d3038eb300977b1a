// SPDX-License-Identifier: MIT
/*
 * Is a certificate revoked? The responder asks CRLs and OCSP before it lets the initiator in: in which
 * order, what it makes of the answers, how long it keeps them - and never for a certificate that is
 * not trusted, or whose key the peer has not shown to have (CVE-2022-40617).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/ocsp.h>

#include "tests/pki.h"
#include "tests/world.h"

#define CRL_URI "http://crl.example.org/ca.crl"
#define OCSP_URI "http://ocsp.example.org/"

enum {
	DAY = 24 * 3600,
	KEY_COMPROMISE = 1, /* RFC 5280 section 5.3.1 */
};

static struct pki ca, b;

static int make_ca(void **state)
{
	ca = pki_ca("CN=CA", NULL);
	b = pki_end(&ca, "CN=b", "DNS:b.example.org", NULL);
	return 0;
}

static int free_ca(void **state)
{
	pki_free(&ca);
	pki_free(&b);
	return 0;
}

static struct ike_conn_cfg *conn(struct world *w, unsigned int end)
{
	return &w->end[end].config->conns[0];
}

static void policy(struct world *w, enum ike_revocation_policy p)
{
	conn(w, 1)->remote.revocation = p;
}

/* End 0 has @a, which end 1 checks. */
static struct world *world_of(const struct pki *a)
{
	const struct pki *own[] = {a, &b};
	struct world *w = world_new();

	w->utc = PKI_NOW;
	for (unsigned int i = 0; i < 2; i++) {
		conn(w, i)->local.method = IKE_AUTH_CFG_PUBKEY;
		conn(w, i)->remote.method = IKE_AUTH_CFG_PUBKEY;
		pki_add_cert(&conn(w, i)->local.certs, own[i]);
		pki_add_key(&w->end[i].config->keys, own[i]);
		pki_add_cert(&w->end[i].config->anchors, &ca);
	}
	return w;
}

static struct pki make_a(const struct pki *issuer, bool crl, bool ocsp)
{
	return pki_make(&(struct pki_order){
		.issuer = issuer, .subject = "CN=a", .alt_name = "DNS:a.example.org",
		.crl_points = crl ? "URI:" CRL_URI : NULL,
		.access = ocsp ? "OCSP;URI:" OCSP_URI : NULL});
}

static void begin(struct world *w)
{
	world_start(w);
	world_initiate(w, "net");
}

static void answer(struct world *w, const char *uri, struct pki_der der)
{
	world_answer(w, 1, uri, der.p, der.len, NULL);
	pki_der_free(&der);
}

static void ends_up(struct world *w)
{
	if (!world_connected(w))
		fail_msg("it is not up:\n%s", w->end[1].log);
	assert_int_equal(w->end[1].n_fetches, 0);
	world_free(w);
}

static void ends_refused(struct world *w, const char *why)
{
	char line[400];

	world_pass(w, 60 * IKE_SECOND);
	assert_int_equal(world_count_ike(w, 0, NULL), 0);
	assert_int_equal(world_count_ike(w, 1, NULL), 0);
	assert_int_equal(w->end[1].n_fetches, 0);
	snprintf(line, sizeof(line), "AUTHENTICATION_FAILED: peer a.example.org: certificate CN=a: %s",
		 why);
	if (!world_logged(&w->end[1], line))
		fail_msg("not \"%s\" but:\n%s", line, w->end[1].log);
	world_free(w);
}

static void add_crl(struct world *w, struct pki_der der)
{
	struct ike_crl_list *l = &w->end[1].config->crls;
	struct ike_error err = {0};

	l->list = reallocarray(l->list, l->n + 1, sizeof(*l->list));
	l->list[l->n] = ike_crl_parse(ike_bytes(der.p, der.len), &err);
	if (!l->list[l->n++])
		fail_msg("%s", err.text);
	pki_der_free(&der);
}

static char **words(const char *word)
{
	char **list = calloc(1, sizeof(*list));

	list[0] = strdup(word);
	return list;
}

static void add_authority(struct world *w, const char *crl, const char *ocsp)
{
	struct ike_config *c = w->end[1].config;

	c->authorities = calloc(1, sizeof(*c->authorities));
	c->n_authorities = 1;
	c->authorities[0] = (struct ike_authority_cfg){
		.name = strdup("ca"),
		.cert = ike_cert_ref(ca.cert),
		.crl_uris = crl ? words(crl) : NULL,
		.n_crl_uris = crl != NULL,
		.ocsp_uris = ocsp ? words(ocsp) : NULL,
		.n_ocsp_uris = ocsp != NULL,
	};
}

/* CRLs of files */

static void test_file(void **state)
{
	struct pki a = make_a(&ca, false, false), other = pki_ca("CN=other", NULL);
	struct world *w = world_of(&a);

	add_crl(w, pki_crl(&(struct pki_crl_order){.issuer = &ca}));
	policy(w, IKE_REVOCATION_STRICT);
	begin(w);
	ends_up(w);

	w = world_of(&a);
	add_crl(w, pki_crl(&(struct pki_crl_order){.issuer = &other}));
	add_crl(w, pki_crl(&(struct pki_crl_order){.issuer = &ca, .revoked = &a,
						   .reason = KEY_COMPROMISE}));
	begin(w);
	ends_refused(w, "it was revoked at 2027-01-05 08:00 UTC for keyCompromise, a CRL says");

	/* What is over still revokes, and vouches for nobody. */
	w = world_of(&a);
	add_crl(w, pki_crl(&(struct pki_crl_order){.issuer = &ca, .revoked = &a, .from = -9 * DAY,
						   .to = -DAY}));
	begin(w);
	ends_refused(w, "it was revoked at 2027-01-05 08:00 UTC, a CRL says");
	w = world_of(&a);
	add_crl(w, pki_crl(&(struct pki_crl_order){.issuer = &ca, .from = -9 * DAY, .to = -DAY}));
	policy(w, IKE_REVOCATION_STRICT);
	begin(w);
	ends_refused(w, "it may have been revoked (remote.revocation = strict): x509crl: the CRL is "
			"over since 2027-01-14 08:00 UTC");
	pki_free(&a);
	pki_free(&other);
}

/* Without CRL, and without a place to ask. */
static void test_nothing_known(void **state)
{
	struct pki a = make_a(&ca, false, false);
	struct world *w;

	for (unsigned int p = IKE_REVOCATION_RELAXED; p <= IKE_REVOCATION_IFURI; p++) {
		w = world_of(&a);
		policy(w, p);
		begin(w);
		assert_false(world_logged(&w->end[1], "may have been revoked"));
		ends_up(w);
	}
	w = world_of(&a);
	policy(w, IKE_REVOCATION_STRICT);
	begin(w);
	ends_refused(w, "it may have been revoked (remote.revocation = strict): there is no CRL of its "
			"issuer, and no place to ask");
	pki_free(&a);
}

/* HTTP */

static void test_crl_fetched(void **state)
{
	struct pki a = make_a(&ca, true, false);
	struct world *w = world_of(&a);

	policy(w, IKE_REVOCATION_STRICT);
	begin(w);
	/* Nobody is in before the answer is. */
	assert_int_equal(w->end[1].n_fetches, 1);
	assert_null(w->end[1].fetches[0]->post);
	assert_int_equal(w->end[1].fetches[0]->max, 10 << 20);
	assert_int_equal(w->end[1].fetches[0]->timeout_ms, 10000);
	assert_int_equal(world_count_ike(w, 1, "ESTABLISHED"), 0);
	/* The peer asks again meanwhile, which is not asked twice. */
	world_pass(w, 5 * IKE_SECOND);
	assert_int_equal(w->end[1].n_fetches, 1);
	answer(w, CRL_URI, pki_crl(&(struct pki_crl_order){.issuer = &ca}));
	ends_up(w);

	w = world_of(&a);
	begin(w);
	answer(w, CRL_URI, pki_crl(&(struct pki_crl_order){.issuer = &ca, .revoked = &a}));
	ends_refused(w, "it was revoked at 2027-01-05 08:00 UTC, a CRL says");
	pki_free(&a);
}

static void test_ocsp(void **state)
{
	struct pki a = make_a(&ca, false, true);
	struct world *w = world_of(&a);

	policy(w, IKE_REVOCATION_STRICT);
	begin(w);
	assert_int_equal(w->end[1].n_fetches, 1);
	assert_true(w->end[1].fetches[0]->post_len > 40);
	answer(w, OCSP_URI, pki_ocsp(&(struct pki_ocsp_order){.issuer = &ca, .cert = &a}));
	ends_up(w);

	w = world_of(&a);
	begin(w);
	answer(w, OCSP_URI, pki_ocsp(&(struct pki_ocsp_order){
				    .issuer = &ca, .cert = &a,
				    .status = V_OCSP_CERTSTATUS_REVOKED}));
	ends_refused(w, "it was revoked at 2027-01-05 08:00 UTC for keyCompromise, OCSP says");
	pki_free(&a);
}

/* The issuer signs, or who it has empowered; nobody else, certificate of the same issuer or not. */
static void test_ocsp_signers(void **state)
{
	static const char not_signed[] =
		"it may have been revoked (remote.revocation = strict): " OCSP_URI ": OCSP answer: it "
		"is not signed by the issuer of the certificate, nor by whom the issuer has empowered";
	struct pki a = make_a(&ca, false, true), other = pki_ca("CN=CA", NULL);
	struct pki empowered = pki_make(&(struct pki_order){
		.issuer = &ca, .subject = "CN=responder", .extended_key_usage = "OCSPSigning"});
	struct pki old = pki_make(&(struct pki_order){
		.issuer = &ca, .subject = "CN=responder", .extended_key_usage = "OCSPSigning",
		.from = -9 * DAY, .to = -DAY});
	const struct pki *strangers[] = {&b, &other, &old, &a};
	struct world *w = world_of(&a);

	policy(w, IKE_REVOCATION_STRICT);
	begin(w);
	answer(w, OCSP_URI, pki_ocsp(&(struct pki_ocsp_order){.issuer = &ca, .cert = &a,
							      .signer = &empowered}));
	ends_up(w);
	for (size_t i = 0; i < 4; i++) {
		w = world_of(&a);
		policy(w, IKE_REVOCATION_STRICT);
		begin(w);
		answer(w, OCSP_URI, pki_ocsp(&(struct pki_ocsp_order){
					    .issuer = &ca, .cert = &a, .signer = strangers[i]}));
		ends_refused(w, not_signed);
	}
	pki_free(&a);
	pki_free(&other);
	pki_free(&empowered);
	pki_free(&old);
}

/* Answers that are worth nothing: strict refuses, relaxed lets in and says so. */
static void test_ocsp_worthless(void **state)
{
	struct pki a = make_a(&ca, false, true);
	const struct {
		struct pki_ocsp_order order;
		const char *why;
	} cases[] = {
		{{.cert = &b}, "it is of other certificates"},
		{{.cert = &a, .status = V_OCSP_CERTSTATUS_UNKNOWN},
		 "the responder does not know the certificate"},
		{{.cert = &a, .from = -9 * DAY, .to = -DAY}, "it is over since 2027-01-14 08:00 UTC"},
		{{.cert = &a, .no_next = true}, "it is over since 2027-01-14 08:00 UTC"},
		{{.cert = &a, .from = DAY, .to = 2 * DAY},
		 "it is not valid before 2027-01-16 08:00 UTC"},
		{{.cert = &a, .try_later = true}, "trylater"},
	};
	struct world *w;
	char why[300];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (unsigned int strict = 0; strict < 2; strict++) {
			struct pki_ocsp_order order = cases[i].order;

			order.issuer = &ca;
			w = world_of(&a);
			policy(w, strict ? IKE_REVOCATION_STRICT : IKE_REVOCATION_RELAXED);
			begin(w);
			answer(w, OCSP_URI, pki_ocsp(&order));
			snprintf(why, sizeof(why),
				 strict ? "it may have been revoked (remote.revocation = strict): "
					  OCSP_URI ": OCSP answer: %s" :
					  "peer a.example.org: certificate CN=a may have been "
					  "revoked: " OCSP_URI ": OCSP answer: %s", cases[i].why);
			if (strict) {
				ends_refused(w, why);
				continue;
			}
			assert_true(world_logged(&w->end[1], why));
			ends_up(w);
		}
	}
	pki_free(&a);
}

static void test_crl_worthless(void **state)
{
	struct pki a = make_a(&ca, true, false), other = pki_ca("CN=other", NULL),
		   twin = pki_ca("CN=CA", NULL);
	const struct {
		struct pki_crl_order order;
		const char *why;
	} cases[] = {
		{{.issuer = &other}, "the CRL is of another issuer"},
		{{.issuer = &ca, .signer = &twin},
		 "the CRL is not signed by the issuer of the certificate"},
		{{.issuer = &ca, .signer = &twin, .revoked = &a},
		 "the CRL is not signed by the issuer of the certificate"},
		{{.issuer = &ca, .delta = true},
		 "a delta CRL, which is not supported: the whole one is needed"},
		{{.issuer = &ca, .from = -9 * DAY, .to = -DAY},
		 "the CRL is over since 2027-01-14 08:00 UTC"},
		{{.issuer = &ca, .from = DAY, .to = 2 * DAY}, "the CRL is not valid yet"},
		{{.issuer = &ca, .point = "onlyCA:TRUE"}, "the CRL is for other certificates"},
		{{.issuer = &ca, .point = "fullname:URI:http://another.example.org/"},
		 "the CRL is for other certificates"},
		{{.issuer = &ca, .point = "indirectCRL:TRUE"}, "the CRL is for other certificates"},
	};
	struct world *w;
	char why[300];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		w = world_of(&a);
		policy(w, IKE_REVOCATION_IFURI);
		begin(w);
		answer(w, CRL_URI, pki_crl(&cases[i].order));
		snprintf(why, sizeof(why), "it may have been revoked (remote.revocation = ifuri): "
			 CRL_URI ": %s", cases[i].why);
		ends_refused(w, why);
	}
	w = world_of(&a);
	policy(w, IKE_REVOCATION_IFURI);
	begin(w);
	world_answer(w, 1, CRL_URI, (const uint8_t *)"<html>", 6, NULL);
	ends_refused(w, "it may have been revoked (remote.revocation = ifuri): " CRL_URI
			": 6 bytes that are no CRL");
	pki_free(&a);
	pki_free(&other);
	pki_free(&twin);
}

/* An issuer whose key is not for CRLs. */
static void test_no_crl_sign(void **state)
{
	struct pki sub = pki_make(&(struct pki_order){.issuer = &ca, .subject = "CN=sub",
						      .basic_constraints = "critical,CA:TRUE",
						      .key_usage = "critical,keyCertSign"});
	struct pki a = make_a(&sub, true, false);
	struct world *w = world_of(&a);

	pki_add_cert(&w->end[0].config->certs, &sub);
	policy(w, IKE_REVOCATION_IFURI);
	begin(w);
	answer(w, CRL_URI, pki_crl(&(struct pki_crl_order){.issuer = &sub}));
	ends_refused(w, "it may have been revoked (remote.revocation = ifuri): " CRL_URI
			": the CRL's issuer may not sign any (key usage)");
	pki_free(&a);
	pki_free(&sub);
}

/* Nobody is there: the three policies. */
static void test_unreachable(void **state)
{
	static const char down[] = "connection refused";
	struct pki a = make_a(&ca, true, true);
	struct world *w;

	for (unsigned int p = IKE_REVOCATION_RELAXED; p <= IKE_REVOCATION_STRICT; p++) {
		w = world_of(&a);
		policy(w, p);
		begin(w);
		world_answer(w, 1, OCSP_URI, NULL, 0, down);
		world_answer(w, 1, CRL_URI, NULL, 0, down);
		if (p == IKE_REVOCATION_RELAXED) {
			assert_true(world_logged(&w->end[1],
						 "peer a.example.org: certificate CN=a may have been "
						 "revoked: " OCSP_URI ": connection refused"));
			ends_up(w);
		} else {
			ends_refused(w, p == IKE_REVOCATION_IFURI ?
				     "it may have been revoked (remote.revocation = ifuri): "
				     OCSP_URI ": connection refused" :
				     "it may have been revoked (remote.revocation = strict): "
				     OCSP_URI ": connection refused");
		}
	}
	/* OCSP is down, the CRL is there. */
	w = world_of(&a);
	policy(w, IKE_REVOCATION_STRICT);
	begin(w);
	world_answer(w, 1, OCSP_URI, NULL, 0, down);
	answer(w, CRL_URI, pki_crl(&(struct pki_crl_order){.issuer = &ca}));
	ends_up(w);
	pki_free(&a);
}

/* The authority's places come first, the certificate's own behind. */
static void test_authority(void **state)
{
	struct pki a = make_a(&ca, true, true);
	struct world *w = world_of(&a);

	add_authority(w, "http://10.0.0.1/crl", "http://10.0.0.1:8888");
	policy(w, IKE_REVOCATION_STRICT);
	begin(w);
	world_answer(w, 1, "http://10.0.0.1:8888", NULL, 0, "no");
	world_answer(w, 1, OCSP_URI, NULL, 0, "no");
	world_answer(w, 1, "http://10.0.0.1/crl", NULL, 0, "no");
	answer(w, CRL_URI, pki_crl(&(struct pki_crl_order){.issuer = &ca}));
	ends_up(w);
	pki_free(&a);
}

/* Places that are not http:// are not asked, and said to be there. */
static void test_other_schemes(void **state)
{
	static const char *const points[] = {"URI:https://crl.example.org/", "URI:ldap://x/y",
					     "URI:file:///etc/passwd", "URI:http://a/b c"};
	struct pki a;
	struct world *w;

	for (size_t i = 0; i < 4; i++) {
		a = pki_make(&(struct pki_order){.issuer = &ca, .subject = "CN=a",
						 .alt_name = "DNS:a.example.org",
						 .crl_points = points[i]});
		w = world_of(&a);
		policy(w, IKE_REVOCATION_IFURI);
		begin(w);
		assert_int_equal(w->end[1].fetched, 0);
		assert_true(world_logged(&w->end[1], ": only places that begin with http:// are asked"));
		world_free(w);
		pki_free(&a);
	}
}

/* An authority in between that has been revoked by its own. */
static void test_intermediate(void **state)
{
	struct pki sub = pki_make(&(struct pki_order){
		.issuer = &ca, .subject = "CN=sub", .basic_constraints = "critical,CA:TRUE",
		.key_usage = "critical,keyCertSign,cRLSign", .crl_points = "URI:http://root/"});
	struct pki a = make_a(&sub, true, false);
	struct world *w = world_of(&a);

	pki_add_cert(&w->end[0].config->certs, &sub);
	begin(w);
	answer(w, CRL_URI, pki_crl(&(struct pki_crl_order){.issuer = &sub}));
	answer(w, "http://root/", pki_crl(&(struct pki_crl_order){.issuer = &ca, .revoked = &sub}));
	ends_refused(w, "its issuer CN=sub: it was revoked at 2027-01-05 08:00 UTC, a CRL says");
	pki_free(&a);
	pki_free(&sub);
}

/* CVE-2022-40617 */

static void nothing_fetched(struct world *w, const char *why)
{
	policy(w, IKE_REVOCATION_STRICT);
	begin(w);
	world_pass(w, 60 * IKE_SECOND);
	assert_int_equal(w->end[1].fetched, 0);
	assert_false(world_connected(w));
	if (!world_logged(&w->end[1], why))
		fail_msg("not \"%s\" but:\n%s", why, w->end[1].log);
	world_free(w);
}

static void test_untrusted_fetch_nothing(void **state)
{
	struct pki stranger = pki_ca("CN=stranger", NULL), twin = pki_ca("CN=CA", NULL),
		   untrusted = make_a(&stranger, true, true), forged = make_a(&twin, true, true),
		   good = make_a(&ca, true, true);
	struct pki expired = pki_make(&(struct pki_order){
		.issuer = &ca, .subject = "CN=a", .alt_name = "DNS:a.example.org",
		.crl_points = "URI:" CRL_URI, .from = -9 * DAY, .to = -DAY});
	struct pki other_id = pki_make(&(struct pki_order){
		.issuer = &ca, .subject = "CN=a", .alt_name = "DNS:c.example.org",
		.crl_points = "URI:" CRL_URI});
	struct pki no_use = pki_make(&(struct pki_order){
		.issuer = &ca, .subject = "CN=a", .alt_name = "DNS:a.example.org",
		.crl_points = "URI:" CRL_URI, .key_usage = "critical,keyAgreement"});
	struct world *w;

	w = world_of(&untrusted);
	pki_add_cert(&w->end[0].config->certs, &stranger);
	nothing_fetched(w, "it is not trusted");
	nothing_fetched(world_of(&forged), "it is not trusted");
	nothing_fetched(world_of(&expired), "it has expired");
	nothing_fetched(world_of(&other_id), "its identity is not in it");
	nothing_fetched(world_of(&no_use), "its key usage is not for signatures");
	/* A thief of the certificate, without its key: the signature is by another one. */
	w = world_of(&good);
	ike_pkey_unref(good.cert->key);
	good.cert->key = ike_pkey_ref(b.key);
	pki_add_key(&w->end[0].config->keys, &b);
	nothing_fetched(w, "its signature by ed25519 does not fit");
	pki_free(&stranger);
	pki_free(&twin);
	pki_free(&untrusted);
	pki_free(&forged);
	pki_free(&good);
	pki_free(&expired);
	pki_free(&other_id);
	pki_free(&no_use);
}

/* What is kept */

static void reconnect(struct world *w)
{
	struct ike_match match = {.conn = "site"};
	const char *why;

	assert_int_not_equal(ike_engine_terminate(w->end[0].engine, w->now, &match, &why), 0);
	world_run(w);
	assert_false(world_connected(w));
	world_initiate(w, "net");
}

static void test_kept(void **state)
{
	struct pki a = make_a(&ca, true, false);
	struct world *w = world_of(&a);

	policy(w, IKE_REVOCATION_STRICT);
	begin(w);
	answer(w, CRL_URI, pki_crl(&(struct pki_crl_order){.issuer = &ca}));
	assert_true(world_connected(w));
	/* Until its nextUpdate, to the second. */
	w->utc = PKI_NOW + 15 * DAY - 1;
	reconnect(w);
	assert_int_equal(w->end[1].fetched, 1);
	assert_true(world_connected(w));
	w->utc++;
	reconnect(w);
	assert_int_equal(w->end[1].fetched, 2);
	assert_false(world_connected(w));
	answer(w, CRL_URI, pki_crl(&(struct pki_crl_order){.issuer = &ca, .to = 30 * DAY}));
	assert_true(world_connected(w));
	/* Who reloads wants to know afresh. */
	ike_engine_configure(w->end[1].engine, w->end[1].config, w->now);
	reconnect(w);
	assert_int_equal(w->end[1].fetched, 3);
	answer(w, CRL_URI, pki_crl(&(struct pki_crl_order){.issuer = &ca, .to = 30 * DAY}));
	assert_true(world_connected(w));
	/* So does who says so. */
	ike_engine_flush(w->end[1].engine);
	reconnect(w);
	assert_int_equal(w->end[1].fetched, 4);
	answer(w, CRL_URI, pki_crl(&(struct pki_crl_order){.issuer = &ca, .to = 30 * DAY}));
	ends_up(w);
	pki_free(&a);
}

/* What was worth nothing is asked for again, but not at once. */
static void test_worthless_not_kept(void **state)
{
	struct pki a = make_a(&ca, true, false), twin = pki_ca("CN=CA", NULL);
	struct world *w = world_of(&a);

	begin(w);
	answer(w, CRL_URI, pki_crl(&(struct pki_crl_order){.issuer = &ca, .signer = &twin}));
	assert_true(world_connected(w));
	w->utc += 9;
	reconnect(w);
	assert_int_equal(w->end[1].fetched, 1);
	w->utc++;
	reconnect(w);
	assert_int_equal(w->end[1].fetched, 2);
	world_answer(w, 1, CRL_URI, NULL, 0, "down");
	reconnect(w);
	assert_int_equal(w->end[1].fetched, 2);
	w->utc += 10;
	reconnect(w);
	assert_int_equal(w->end[1].fetched, 3);
	answer(w, CRL_URI, pki_crl(&(struct pki_crl_order){.issuer = &ca}));
	ends_up(w);
	pki_free(&a);
	pki_free(&twin);
}

/* Several peers that wait for the same CRL ask for it once. */
static void test_asked_once(void **state)
{
	struct pki a = make_a(&ca, true, false);
	struct world *w = world_of(&a);
	const char *why;

	conn(w, 1)->unique = IKE_UNIQUE_NEVER;
	begin(w);
	/* The first one's IKE SA goes, another one comes. */
	ike_engine_free(w->end[0].engine);
	world_renew(w, 0);
	assert_int_not_equal(ike_engine_initiate(w->end[0].engine, w->now, "site", "net", &why), 0);
	world_run(w);
	assert_int_equal(world_count_ike(w, 1, NULL), 2);
	assert_int_equal(w->end[1].fetched, 1);
	answer(w, CRL_URI, pki_crl(&(struct pki_crl_order){.issuer = &ca}));
	assert_int_equal(world_count_ike(w, 1, "ESTABLISHED"), 2);
	assert_int_equal(w->end[1].fetched, 1);
	world_free(w);
	pki_free(&a);
}

/* Lives that end at the wrong moment */

static void test_gone_meanwhile(void **state)
{
	struct pki a = make_a(&ca, true, false);
	struct world *w = world_of(&a);

	/* A half-open IKE SA has 30 seconds. */
	begin(w);
	world_pass(w, 31 * IKE_SECOND);
	assert_int_equal(world_count_ike(w, 1, "ESTABLISHED"), 0);
	answer(w, CRL_URI, pki_crl(&(struct pki_crl_order){.issuer = &ca}));
	assert_int_equal(world_count_ike(w, 1, "ESTABLISHED"), 0);
	world_free(w);
	/* The whole engine: what it waits for is the host's to free. */
	w = world_of(&a);
	begin(w);
	assert_int_equal(w->end[1].n_fetches, 1);
	world_free(w);
	pki_free(&a);
}

/* Places that are slow: what is asked ends in time for the peer to be let in, or not. */
static void test_slow(void **state)
{
	struct pki a = pki_make(&(struct pki_order){
		.issuer = &ca, .subject = "CN=a", .alt_name = "DNS:a.example.org",
		.crl_points = "URI:http://a/,URI:http://b/,URI:http://c/"});
	struct world *w = world_of(&a);

	begin(w);
	world_pass(w, 10 * IKE_SECOND);
	world_answer(w, 1, "http://a/", NULL, 0, "no answer for 10 s");
	world_pass(w, 10 * IKE_SECOND);
	world_answer(w, 1, "http://b/", NULL, 0, "no answer for 10 s");
	assert_int_equal(w->end[1].fetched, 2);
	ends_up(w);
	pki_free(&a);
}

/* The initiator checks the responder likewise. */
static void test_initiator(void **state)
{
	struct pki revoked = pki_make(&(struct pki_order){
		.issuer = &ca, .subject = "CN=b", .alt_name = "DNS:b.example.org",
		.crl_points = "URI:" CRL_URI}), a = make_a(&ca, false, false);
	struct world *w = world_of(&a);
	struct pki_der der = pki_crl(&(struct pki_crl_order){.issuer = &ca, .revoked = &revoked});

	ike_cert_unref(conn(w, 1)->local.certs.list[0]);
	conn(w, 1)->local.certs.list[0] = ike_cert_ref(revoked.cert);
	pki_add_key(&w->end[1].config->keys, &revoked);
	begin(w);
	assert_int_equal(w->end[0].n_fetches, 1);
	world_answer(w, 0, CRL_URI, der.p, der.len, NULL);
	assert_true(world_logged(&w->end[0], "peer b.example.org: certificate CN=b: it was revoked at "
					     "2027-01-05 08:00 UTC, a CRL says"));
	assert_false(world_connected(w));
	pki_der_free(&der);
	world_free(w);
	pki_free(&a);
	pki_free(&revoked);
}

/* EAP-TLS: the user's certificate is looked into behind TLS, and so is the server's in it. */

static struct world *eap_world(const struct pki *a)
{
	struct world *w = world_of(a);

	for (unsigned int i = 0; i < 2; i++) {
		struct ike_auth_cfg *client = i ? &conn(w, 1)->remote : &conn(w, 0)->local;

		client->method = IKE_AUTH_CFG_EAP;
		client->eap_type = IKE_EAP_TLS;
	}
	return w;
}

static void test_eap_tls(void **state)
{
	struct pki a = make_a(&ca, true, false), stranger = pki_ca("CN=stranger", NULL),
		   untrusted = make_a(&stranger, true, false);
	struct world *w = eap_world(&a);

	policy(w, IKE_REVOCATION_STRICT);
	begin(w);
	assert_int_equal(w->end[1].n_fetches, 1);
	assert_false(world_connected(w));
	answer(w, CRL_URI, pki_crl(&(struct pki_crl_order){.issuer = &ca}));
	assert_true(world_logged(&w->end[1], "has proven its identity by eap-tls"));
	ends_up(w);

	w = eap_world(&a);
	begin(w);
	answer(w, CRL_URI, pki_crl(&(struct pki_crl_order){.issuer = &ca, .revoked = &a}));
	assert_false(world_logged(&w->end[1], "has proven its identity"));
	ends_refused(w, "it was revoked at 2027-01-05 08:00 UTC, a CRL says");

	/* One that nobody has proven to be the owner of, or that is not trusted, asks for nothing. */
	nothing_fetched(eap_world(&untrusted), "it is not trusted");
	pki_free(&a);
	pki_free(&stranger);
	pki_free(&untrusted);
}

/* The client asks about the certificate of IKE, and then of that in TLS: the answer is kept. */
static void test_eap_tls_client(void **state)
{
	struct pki revoked = pki_make(&(struct pki_order){
		.issuer = &ca, .subject = "CN=b", .alt_name = "DNS:b.example.org",
		.crl_points = "URI:" CRL_URI}), a = make_a(&ca, false, false);
	struct pki_der der = pki_crl(&(struct pki_crl_order){.issuer = &ca});
	struct world *w = eap_world(&a);

	ike_cert_unref(conn(w, 1)->local.certs.list[0]);
	conn(w, 1)->local.certs.list[0] = ike_cert_ref(revoked.cert);
	pki_add_key(&w->end[1].config->keys, &revoked);
	conn(w, 0)->remote.revocation = IKE_REVOCATION_STRICT;
	begin(w);
	assert_int_equal(w->end[0].n_fetches, 1);
	world_answer(w, 0, CRL_URI, der.p, der.len, NULL);
	assert_true(world_connected(w));
	assert_int_equal(w->end[0].fetched, 1);
	pki_der_free(&der);
	world_free(w);
	pki_free(&a);
	pki_free(&revoked);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_eap_tls),		cmocka_unit_test(test_eap_tls_client),
		cmocka_unit_test(test_file),		cmocka_unit_test(test_nothing_known),
		cmocka_unit_test(test_crl_fetched),	cmocka_unit_test(test_ocsp),
		cmocka_unit_test(test_ocsp_signers),	cmocka_unit_test(test_ocsp_worthless),
		cmocka_unit_test(test_crl_worthless),	cmocka_unit_test(test_no_crl_sign),
		cmocka_unit_test(test_unreachable),	cmocka_unit_test(test_authority),
		cmocka_unit_test(test_other_schemes),	cmocka_unit_test(test_intermediate),
		cmocka_unit_test(test_untrusted_fetch_nothing),
		cmocka_unit_test(test_kept),		cmocka_unit_test(test_worthless_not_kept),
		cmocka_unit_test(test_asked_once),	cmocka_unit_test(test_gone_meanwhile),
		cmocka_unit_test(test_slow),		cmocka_unit_test(test_initiator),
	};

	return cmocka_run_group_tests_name("engine_revocation", tests, make_ca, free_ca);
}
