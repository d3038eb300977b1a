// SPDX-License-Identifier: MIT
/* One TLS session between two memory buffers. */
#include "ikev2/crypto/tls.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

enum {
	KEY_MATERIAL_LEN = 128, /* MSK and EMSK, RFC 5216 section 2.3 */
	MSK_LEN = 64,
	SECURITY_LEVEL = 2, /* 112 bits, as for chains (chain.c) */
	EAP_TYPE_TLS = 13,
};

struct ike_tls {
	bool server;
	SSL *ssl;
	BIO *in, *out; /* @ssl's */
	bool told;
	bool (*accepts)(void *arg, const struct ike_cert *leaf, const struct ike_cert_list *sent,
			struct ike_error *err);
	void *arg;
	struct ike_error refusal; /* of the peer's certificates */
};

/* The peer's certificates */

static struct ike_cert *copy_of(X509 *x509, struct ike_error *err)
{
	unsigned char *der = NULL;
	int len = i2d_X509(x509, &der);
	struct ike_cert *cert = NULL;

	if (len > 0)
		cert = ike_cert_from_der(ike_bytes(der, len), err);
	else
		ike_fail(err, "it cannot be read");
	OPENSSL_free(der);
	return cert;
}

static bool judge(struct ike_tls *t, X509 *leaf, STACK_OF(X509) *sent)
{
	struct ike_cert *certs[IKE_TLS_PEERS_MAX] = {0};
	struct ike_cert_list rest = {.list = certs + 1};
	struct ike_error unused;
	bool ok;

	certs[0] = copy_of(leaf, &t->refusal);
	/* What is wrong with the others shows when the chain lacks them. */
	for (int i = 0; i < sk_X509_num(sent) && rest.n + 1 < IKE_TLS_PEERS_MAX; i++) {
		if (sk_X509_value(sent, i) == leaf)
			continue;
		certs[1 + rest.n] = copy_of(sk_X509_value(sent, i), &unused);
		rest.n += certs[1 + rest.n] != NULL;
	}
	ok = certs[0] && t->accepts(t->arg, certs[0], &rest, &t->refusal);
	for (size_t i = 0; i < 1 + rest.n; i++)
		ike_cert_unref(certs[i]);
	return ok;
}

/* Instead of OpenSSL's own judgment; what it has found decides which alert goes. */
static int verify(X509_STORE_CTX *ctx, void *arg)
{
	struct ike_tls *t = arg;

	if (judge(t, X509_STORE_CTX_get0_cert(ctx), X509_STORE_CTX_get0_untrusted(ctx))) {
		X509_STORE_CTX_set_error(ctx, X509_V_OK);
		return 1;
	}
	X509_STORE_CTX_set_error(ctx, X509_V_ERR_CERT_UNTRUSTED);
	return 0;
}

/* Life */

static bool show_own(SSL_CTX *ctx, const struct ike_tls_setup *s)
{
	if (SSL_CTX_use_certificate(ctx, s->cert->x509) != 1 ||
	    SSL_CTX_use_PrivateKey(ctx, s->key->evp) != 1)
		return false;
	for (size_t i = 0; i < IKE_TLS_CHAIN_MAX && s->chain[i]; i++)
		if (SSL_CTX_add1_chain_cert(ctx, s->chain[i]->x509) != 1)
			return false;
	for (size_t i = 0; s->server && i < s->anchors->n; i++)
		if (SSL_CTX_add_client_CA(ctx, s->anchors->list[i]->x509) != 1)
			return false;
	return true;
}

static SSL_CTX *context(struct ike_tls *t, const struct ike_tls_setup *s)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_method());

	if (!ctx)
		return NULL;
	SSL_CTX_set_security_level(ctx, SECURITY_LEVEL);
	SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
	/*
	 * strongSwan's TLS does not know of RFC 5746. What that is against, a session that an attacker
	 * has begun and a client's that follows in it, has no place where nothing is renegotiated and
	 * all is inside of an IKE SA with a server that has proven itself before.
	 */
	SSL_CTX_set_options(ctx, SSL_OP_LEGACY_SERVER_CONNECT);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	SSL_CTX_set_cert_verify_callback(ctx, verify, t);
	/* Its issuers are those that we name, and no others that happen to lie about. */
	SSL_CTX_set_mode(ctx, SSL_MODE_NO_AUTO_CHAIN);
	if (SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) == 1 &&
	    SSL_CTX_set_num_tickets(ctx, 0) == 1 && show_own(ctx, s))
		return ctx;
	SSL_CTX_free(ctx);
	return NULL;
}

static bool connect_buffers(struct ike_tls *t)
{
	t->in = BIO_new(BIO_s_mem());
	t->out = BIO_new(BIO_s_mem());
	if (!t->in || !t->out) {
		BIO_free(t->in);
		BIO_free(t->out);
		return false;
	}
	SSL_set_bio(t->ssl, t->in, t->out);
	return true;
}

struct ike_tls *ike_tls_new(const struct ike_tls_setup *setup, struct ike_error *err)
{
	struct ike_tls *t = calloc(1, sizeof(*t));
	SSL_CTX *ctx = t ? context(t, setup) : NULL;

	if (ctx) {
		t->server = setup->server;
		t->accepts = setup->accepts;
		t->arg = setup->arg;
		t->ssl = SSL_new(ctx);
	}
	SSL_CTX_free(ctx);
	ERR_clear_error();
	if (!t || !t->ssl || !connect_buffers(t)) {
		ike_tls_free(t);
		ike_fail(err, "TLS cannot begin with our certificate and key");
		return NULL;
	}
	if (t->server)
		SSL_set_accept_state(t->ssl);
	else
		SSL_set_connect_state(t->ssl);
	return t;
}

void ike_tls_free(struct ike_tls *t)
{
	if (!t)
		return;
	SSL_free(t->ssl);
	free(t);
}

/* Running */

bool ike_tls_give(struct ike_tls *t, struct ike_bytes bytes)
{
	return !bytes.len || BIO_write(t->in, bytes.p, bytes.len) == (int)bytes.len;
}

static bool is_13(const struct ike_tls *t)
{
	return SSL_version(t->ssl) >= TLS1_3_VERSION;
}

/* @result of a call that may want more input. */
static bool only_waits(const struct ike_tls *t, int result, struct ike_error *err)
{
	unsigned long code;

	if (SSL_get_error(t->ssl, result) == SSL_ERROR_WANT_READ)
		return true;
	if (t->refusal.text[0]) {
		*err = t->refusal;
		return false;
	}
	code = ERR_peek_error();
	return ike_fail(err, "TLS: %s", code ? ERR_reason_error_string(code) : "the peer ends it");
}

static bool tell(struct ike_tls *t, struct ike_error *err)
{
	static const uint8_t zero;
	int n = SSL_write(t->ssl, &zero, 1);

	t->told = n == 1;
	return t->told || only_waits(t, n, err);
}

/* Whatever is behind the handshake. Nothing but a server's byte has a meaning. */
static bool hear(struct ike_tls *t, struct ike_error *err)
{
	uint8_t byte[2];
	int n = SSL_read(t->ssl, byte, sizeof(byte));

	if (n <= 0)
		return only_waits(t, n, err);
	if (t->server || !is_13(t) || t->told || n != 1 || byte[0])
		return ike_fail(err, "TLS: the peer sends data, which EAP-TLS has not");
	t->told = true;
	return true;
}

bool ike_tls_run(struct ike_tls *t, struct ike_error *err)
{
	int n;
	bool ok;

	ERR_clear_error();
	if (!SSL_is_init_finished(t->ssl)) {
		n = SSL_do_handshake(t->ssl);
		ok = n == 1 || only_waits(t, n, err);
	} else {
		ok = true;
	}
	if (ok && SSL_is_init_finished(t->ssl)) {
		ok = hear(t, err);
		if (ok && t->server && is_13(t) && !t->told)
			ok = tell(t, err);
	}
	ERR_clear_error();
	return ok;
}

struct ike_bytes ike_tls_waiting(const struct ike_tls *t)
{
	char *p;
	long len = BIO_get_mem_data(t->out, &p);

	return ike_bytes(p, len > 0 ? len : 0);
}

void ike_tls_sent(struct ike_tls *t, size_t len)
{
	uint8_t gone[256];
	int n;

	for (; len; len -= n) {
		n = BIO_read(t->out, gone, len < sizeof(gone) ? len : sizeof(gone));
		if (n <= 0)
			return;
	}
}

bool ike_tls_finished(const struct ike_tls *t)
{
	return SSL_is_init_finished(t->ssl);
}

bool ike_tls_told(const struct ike_tls *t)
{
	return ike_tls_finished(t) && (t->told || !is_13(t));
}

const char *ike_tls_version(const struct ike_tls *t)
{
	return SSL_get_version(t->ssl);
}

bool ike_tls_msk(const struct ike_tls *t, struct ike_key *msk, struct ike_error *err)
{
	static const char label12[] = "client EAP encryption",
			  label13[] = "EXPORTER_EAP_TLS_Key_Material";
	static const uint8_t type = EAP_TYPE_TLS; /* RFC 9190 section 2.3: the context */
	const char *label = is_13(t) ? label13 : label12;
	uint8_t material[KEY_MATERIAL_LEN];
	int ok = SSL_export_keying_material(t->ssl, material, sizeof(material), label,
					    strlen(label), &type, is_13(t), is_13(t));

	if (ok == 1) {
		msk->len = MSK_LEN;
		memcpy(msk->bytes, material, MSK_LEN);
	}
	ike_wipe(material, sizeof(material));
	ERR_clear_error();
	return ok == 1 || ike_fail(err, "TLS gives no key");
}
