// SPDX-License-Identifier: MIT
/*
 * What a peer can send by EAP, to a client (first byte odd) or a server, with a password, a
 * certificate, or both (next bits): packets, each behind its length (2 bytes). The identifier of
 * each, and the lengths of its header, are set right, so that what is inside is read.
 */
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/x509v3.h>

#include "fuzz/interpret.h"
#include "ikev2/crypto/legacy.h"
#include "ikev2/eap/eap.h"

enum {
	NOW = 1800000000,
	YEAR = 365 * 24 * 3600,
	CLIENT = 1,
	PASSWORD = 2,
	CERTIFICATE = 4,
	ASKS = 8,
	HOW = 16,
	LEN_AT = 2, /* RFC 3748 section 4 */
};

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct ike_config *configs[HOW];

static void fill(void *arg, uint8_t *buf, size_t len)
{
	memset(buf, 'r', len);
}

/* One key for both ends: Ed25519, its private key 32 bytes of "f". Its certificate is trusted. */
static void add_certificate(struct ike_config *c)
{
	unsigned char *der = NULL;
	X509 *x509 = X509_new();
	uint8_t raw[32];
	EVP_PKEY *key;
	int len;

	memset(raw, 'f', sizeof(raw));
	key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, raw, sizeof(raw));
	X509_NAME_add_entry_by_txt(X509_get_subject_name(x509), "CN", MBSTRING_ASC,
				   (const unsigned char *)"fuzz", -1, -1, 0);
	X509_set_issuer_name(x509, X509_get_subject_name(x509));
	ASN1_TIME_set(X509_getm_notBefore(x509), NOW - YEAR);
	ASN1_TIME_set(X509_getm_notAfter(x509), NOW + YEAR);
	X509_set_pubkey(x509, key);
	claim(X509_sign(x509, key, NULL) > 0);
	len = i2d_X509(x509, &der);
	c->anchors.list = calloc(1, sizeof(*c->anchors.list));
	c->anchors.list[0] = ike_cert_from_der(ike_bytes(der, len), NULL);
	claim(c->anchors.list[0]);
	c->anchors.n = 1;
	c->conns->local.certs.list = calloc(1, sizeof(*c->anchors.list));
	c->conns->local.certs.list[0] = ike_cert_ref(c->anchors.list[0]);
	c->conns->local.certs.n = 1;
	c->keys.list = calloc(1, sizeof(*c->keys.list));
	c->keys.list[0] = ike_pkey_new(key, true, NULL);
	claim(c->keys.list[0]);
	c->keys.n = 1;
	OPENSSL_free(der);
	X509_free(x509);
}

static struct ike_config *configure(unsigned int how)
{
	struct ike_config *c = calloc(1, sizeof(*c));

	c->refs = 1;
	c->conns = calloc(1, sizeof(*c->conns));
	c->n_conns = 1;
	c->conns->name = strdup("fuzz");
	if (how & CLIENT)
		c->conns->local.method = IKE_AUTH_CFG_EAP;
	else
		c->conns->remote.method = IKE_AUTH_CFG_EAP;
	if (how & ASKS && !(how & CLIENT))
		c->conns->remote.eap_id = strdup("%any");
	if (how & PASSWORD) {
		c->eap_secrets = calloc(1, sizeof(*c->eap_secrets));
		c->n_eap_secrets = 1;
		c->eap_secrets->key = (uint8_t *)strdup("fuzzed");
		c->eap_secrets->key_len = strlen("fuzzed");
		c->legacy = ike_legacy_new(NULL);
	}
	if (how & CERTIFICATE)
		add_certificate(c);
	return c;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	for (unsigned int i = 0; i < HOW; i++)
		configs[i] = configure(i);
	return 0;
}

/* Returns the identifier of our next packet. */
static uint8_t step(struct ike_eap *e, struct ike_bytes packet, enum ike_eap_outcome *outcome)
{
	struct ike_error err = {0};
	struct ike_bytes out;
	char text[2 * IKE_EAP_NAME_MAX];

	*outcome = IKE_EAP_FAILED;
	if (ike_eap_give(e, packet, &err))
		*outcome = ike_eap_run(e, &err);
	if (*outcome == IKE_EAP_FAILED)
		claim(err.text[0]);
	/* What a peer sent must not reach a terminal raw. */
	for (const char *c = err.text; *c; c++)
		claim((unsigned char)*c >= ' ' && (unsigned char)*c <= '~');
	for (const char *c = ike_eap_text(e, text, sizeof(text)); *c; c++)
		claim((unsigned char)*c >= ' ' && (unsigned char)*c <= '~');
	out = ike_eap_packet(e);
	claim(*outcome != IKE_EAP_GOES_ON || out.len >= IKE_EAP_HEADER_LEN);
	claim(out.len < IKE_EAP_HEADER_LEN || (size_t)(out.p[2] << 8 | out.p[3]) == out.len);
	return out.len > 1 ? out.p[1] : 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ike_random random = {.fill = fill};
	struct ike_cursor c = ike_cursor(ike_bytes(data, size));
	unsigned int how = ike_get8(&c) % HOW;
	enum ike_eap_outcome outcome = IKE_EAP_GOES_ON;
	struct ike_eap_setup setup = {
		.server = !(how & CLIENT),
		.config = configs[how],
		.conn = configs[how]->conns,
		.now = NOW,
	};
	uint8_t identifier = 0;
	struct ike_id id;
	struct ike_eap *e;

	claim(ike_id_parse("CN=fuzz", &id, NULL));
	setup.client = setup.responder = &id;
	e = ike_eap_new(&setup, &random);
	claim(e);
	if (setup.server)
		identifier = step(e, ike_bytes(NULL, 0), &outcome);
	while (c.rest.len && outcome == IKE_EAP_GOES_ON) {
		size_t len = ike_get16(&c);
		struct ike_bytes in = ike_get(&c, len < c.rest.len ? len : c.rest.len);
		/* In a buffer of its own, so that reading past its end is seen. */
		uint8_t *packet = malloc(in.len ? in.len : 1);

		if (in.len)
			memcpy(packet, in.p, in.len);
		if (in.len >= IKE_EAP_HEADER_LEN) {
			packet[LEN_AT - 1] = identifier;
			packet[LEN_AT] = in.len >> 8;
			packet[LEN_AT + 1] = in.len;
		}
		identifier = step(e, ike_bytes(packet, in.len), &outcome);
		free(packet);
	}
	/* Nobody gets in without the password, or a certificate of the authority's. */
	claim(outcome != IKE_EAP_SUCCEEDED);
	ike_eap_unref(e);
	return 0;
}
