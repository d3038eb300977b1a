// SPDX-License-Identifier: MIT
/*
 * A TLS session for EAP-TLS against a peer made of OpenSSL's own functions: both roles, TLS 1.2 and
 * 1.3, the key that the peer has by itself, and what must not pass.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/ssl.h>

#include "ikev2/crypto/tls.h"
#include "tests/pki.h"
#include "tests/vectors.h"

enum {
	ROUNDS_MAX = 20
};

/* The one under test, and the peer. */
struct scene {
	struct pki ca, ours, theirs;
	struct ike_tls *tls;
	SSL *peer;
	BIO *in, *out;
	const char *why; /* why the peer's certificate is refused; NULL: it is not */
	struct ike_cert *seen;
	size_t issuers;
	struct ike_error err;
	bool failed;
};

static bool accepts(void *arg, const struct ike_cert *leaf, const struct ike_cert_list *sent,
		    struct ike_error *err)
{
	struct scene *s = arg;

	s->seen = ike_cert_from_der(ike_cert_der(leaf), NULL);
	s->issuers = sent->n;
	return !s->why || ike_fail(err, "%s", s->why);
}

/* What the peer has besides the defaults. */
struct peer_order {
	bool server; /* the peer is */
	int version;
	bool no_cert, trusts_nobody;
};

static int any(X509_STORE_CTX *ctx, void *arg)
{
	X509_STORE_CTX_set_error(ctx, X509_V_OK);
	return 1;
}

static void make_peer(struct scene *s, const struct peer_order *o)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_method());

	assert_non_null(ctx);
	/* Of old versions the peer would take any. */
	SSL_CTX_set_security_level(ctx, 0);
	assert_int_equal(SSL_CTX_set_min_proto_version(ctx, o->version), 1);
	assert_int_equal(SSL_CTX_set_max_proto_version(ctx, o->version), 1);
	if (!o->no_cert) {
		assert_int_equal(SSL_CTX_use_certificate(ctx, s->theirs.cert->x509), 1);
		assert_int_equal(SSL_CTX_use_PrivateKey(ctx, s->theirs.key->evp), 1);
	}
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	if (!o->trusts_nobody)
		SSL_CTX_set_cert_verify_callback(ctx, any, NULL);
	SSL_CTX_set_num_tickets(ctx, 0);
	s->peer = SSL_new(ctx);
	s->in = BIO_new(BIO_s_mem());
	s->out = BIO_new(BIO_s_mem());
	SSL_set_bio(s->peer, s->in, s->out);
	if (o->server)
		SSL_set_accept_state(s->peer);
	else
		SSL_set_connect_state(s->peer);
	SSL_CTX_free(ctx);
}

static struct scene make(const struct peer_order *o)
{
	struct scene s = {.ca = pki_ca("CN=CA", NULL)};

	s.ours = pki_end(&s.ca, "CN=ours", "DNS:a.example.org", "P-256");
	s.theirs = pki_end(&s.ca, "CN=theirs", "DNS:b.example.org", "RSA");
	make_peer(&s, o);
	return s;
}

static void start(struct scene *s, const struct peer_order *o)
{
	struct ike_cert_list anchors = {.list = &s->ca.cert, .n = 1};
	struct ike_tls_setup setup = {
		.server = !o->server,
		.key = s->ours.key,
		.cert = s->ours.cert,
		.chain = {s->ca.cert},
		.anchors = &anchors,
		.accepts = accepts,
		.arg = s,
	};

	s->tls = ike_tls_new(&setup, &s->err);
	assert_non_null(s->tls);
}

static void clear(struct scene *s)
{
	ike_tls_free(s->tls);
	SSL_free(s->peer);
	ike_cert_unref(s->seen);
	pki_free(&s->ca);
	pki_free(&s->ours);
	pki_free(&s->theirs);
}

/* All that either has to say, as long as they have. @step: bytes at a time. */
static void talk(struct scene *s, size_t step)
{
	for (unsigned int i = 0; i < ROUNDS_MAX && !s->failed; i++) {
		struct ike_bytes out;
		char *p;
		long len;

		s->failed = !ike_tls_run(s->tls, &s->err);
		while ((out = ike_tls_waiting(s->tls)).len) {
			size_t n = out.len < step ? out.len : step;

			assert_int_equal(BIO_write(s->in, out.p, n), n);
			ike_tls_sent(s->tls, n);
		}
		if (!SSL_is_init_finished(s->peer))
			SSL_do_handshake(s->peer);
		len = BIO_get_mem_data(s->out, &p);
		for (long at = 0; at < len; at += step)
			assert_true(ike_tls_give(s->tls, ike_bytes(p + at, len - at < step ?
								   len - at : step)));
		BIO_reset(s->out);
	}
}

static void same_key(struct scene *s, int version)
{
	static const uint8_t type = 13; /* RFC 9190 section 2.3 */
	uint8_t theirs[128];
	struct ike_key msk;

	if (version == TLS1_3_VERSION)
		assert_int_equal(SSL_export_keying_material(s->peer, theirs, 128,
			"EXPORTER_EAP_TLS_Key_Material", 29, &type, 1, 1), 1);
	else
		assert_int_equal(SSL_export_keying_material(s->peer, theirs, 128,
			"client EAP encryption", 21, NULL, 0, 0), 1);
	assert_true(ike_tls_msk(s->tls, &msk, NULL));
	assert_bytes(ike_key_bytes(&msk), ike_bytes(theirs, 64));
}

static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

static void test_handshakes(void **state)
{
	static const size_t steps[] = {1, 7, 100000};
	uint8_t byte;

	for (unsigned int i = 0; i < 12; i++) {
		struct peer_order o = {.server = i % 2, .version = versions[i / 2 % 2]};
		struct scene s = make(&o);
		bool tells = o.version == TLS1_3_VERSION;

		start(&s, &o);
		assert_false(ike_tls_finished(s.tls));
		talk(&s, steps[i / 4]);
		assert_string_equal(s.err.text, "");
		assert_true(ike_tls_finished(s.tls));
		assert_int_equal(SSL_is_init_finished(s.peer), 1);
		assert_string_equal(ike_tls_version(s.tls), tells ? "TLSv1.3" : "TLSv1.2");
		assert_true(ike_cert_equal(s.seen, s.theirs.cert));
		assert_int_equal(s.issuers, 0);
		/* Ours came with its issuer. */
		assert_int_equal(sk_X509_num(SSL_get_peer_cert_chain(s.peer)), o.server ? 1 : 2);
		same_key(&s, o.version);
		/* A client waits for the server's byte, if that has one to send. */
		assert_int_equal(ike_tls_told(s.tls), !o.server || !tells);
		if (o.server && tells)
			assert_int_equal(SSL_write(s.peer, "", 1), 1);
		talk(&s, 100000);
		assert_true(ike_tls_told(s.tls));
		assert_int_equal(SSL_read(s.peer, &byte, 1), !o.server && tells ? 1 : -1);
		assert_true(o.server || !tells || !byte);
		same_key(&s, o.version);
		clear(&s);
	}
}

static void fails(struct scene *s, const struct peer_order *o, const char *why)
{
	start(s, o);
	talk(s, 100000);
	assert_true(s->failed);
	assert_string_equal(s->err.text, why);
	assert_int_equal(SSL_is_init_finished(s->peer) && ike_tls_told(s->tls), 0);
	clear(s);
}

static void test_refused_certificate(void **state)
{
	for (unsigned int i = 0; i < 4; i++) {
		struct peer_order o = {.server = i % 2, .version = versions[i / 2]};
		struct scene s = make(&o);

		s.why = "nobody knows it";
		fails(&s, &o, "nobody knows it");
	}
}

static void test_no_certificate(void **state)
{
	for (unsigned int i = 0; i < 2; i++) {
		struct peer_order o = {.version = versions[i], .no_cert = true};
		struct scene s = make(&o);

		fails(&s, &o, "TLS: peer did not return a certificate");
	}
}

/* The peer refuses ours: what it says of that is told. */
static void test_refused_by_peer(void **state)
{
	for (unsigned int i = 0; i < 4; i++) {
		struct peer_order o = {.server = i % 2, .version = versions[i / 2],
				       .trusts_nobody = true};
		struct scene s = make(&o);

		start(&s, &o);
		talk(&s, 100000);
		assert_true(s.failed);
		assert_string_equal(s.err.text, "TLS: tlsv1 alert unknown ca");
		clear(&s);
	}
}

static void test_old_versions(void **state)
{
	static const int old[] = {TLS1_VERSION, TLS1_1_VERSION};

	for (unsigned int i = 0; i < 4; i++) {
		struct peer_order o = {.server = i % 2, .version = old[i / 2]};
		struct scene s = make(&o);

		start(&s, &o);
		talk(&s, 100000);
		assert_true(s.failed);
		assert_false(ike_tls_finished(s.tls));
		clear(&s);
	}
}

/* EAP-TLS carries no data, and a server's byte is zero and comes once. */
static void test_data(void **state)
{
	static const struct {
		bool server; /* the peer is */
		const char *data;
		size_t len;
	} cases[] = {
		{false, "x", 1}, {false, "", 1}, {true, "\1", 1}, {true, "\0\0", 2},
	};

	for (unsigned int i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct peer_order o = {.server = cases[i].server, .version = TLS1_3_VERSION};
		struct scene s = make(&o);

		start(&s, &o);
		talk(&s, 100000);
		assert_false(s.failed);
		SSL_write(s.peer, cases[i].data, cases[i].len);
		talk(&s, 100000);
		assert_true(s.failed);
		assert_string_equal(s.err.text, "TLS: the peer sends data, which EAP-TLS has not");
		clear(&s);
	}
}

static void test_garbage(void **state)
{
	for (unsigned int server = 0; server < 2; server++) {
		struct peer_order o = {.server = server, .version = TLS1_3_VERSION};
		struct scene s = make(&o);

		start(&s, &o);
		assert_true(ike_tls_give(s.tls, ike_bytes("GET / HTTP/1.0\r\n\r\n", 18)));
		assert_false(ike_tls_run(s.tls, &s.err));
		assert_memory_equal(s.err.text, "TLS: ", 5);
		clear(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_handshakes),	cmocka_unit_test(test_refused_certificate),
		cmocka_unit_test(test_no_certificate),	cmocka_unit_test(test_refused_by_peer),
		cmocka_unit_test(test_old_versions),	cmocka_unit_test(test_data),
		cmocka_unit_test(test_garbage),
	};

	return cmocka_run_group_tests_name("ike_tls", tests, NULL, NULL);
}
