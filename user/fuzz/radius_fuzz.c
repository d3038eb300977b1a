// SPDX-License-Identifier: MIT
/*
 * What a server of RADIUS can send: attributes, made into an answer that is genuine (first byte even)
 * or left as they are; then given to a conversation of EAP that waits for it.
 */
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "fuzz/interpret.h"
#include "ikev2/eap/eap.h"
#include "ikev2/eap/radius.h"

enum {
	HEADER_LEN = 20,
	MAC_LEN = 16,
	MAC_AT = HEADER_LEN + 2,
	ATTRIBUTES_MAX = IKE_RADIUS_PACKET_MAX - MAC_AT - MAC_LEN,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t secret[] = "fuzzed";

static void fill(void *arg, uint8_t *buf, size_t len)
{
	memset(buf, 'r', len);
}

/* Header, Message-Authenticator, then @attributes. */
static size_t make(uint8_t *p, uint8_t code, struct ike_bytes attributes)
{
	size_t len = MAC_AT + MAC_LEN + attributes.len, secret_len = sizeof(secret) - 1;
	uint8_t all[IKE_RADIUS_PACKET_MAX + sizeof(secret)], mac[MAC_LEN];
	unsigned int n;

	memset(p, 0, MAC_AT + MAC_LEN);
	p[0] = code;
	p[2] = len >> 8;
	p[3] = len;
	p[HEADER_LEN] = 80;
	p[HEADER_LEN + 1] = MAC_AT - HEADER_LEN + MAC_LEN;
	if (attributes.len)
		memcpy(p + MAC_AT + MAC_LEN, attributes.p, attributes.len);
	HMAC(EVP_md5(), secret, secret_len, p, len, mac, &n);
	memcpy(p + MAC_AT, mac, MAC_LEN);
	memcpy(all, p, len);
	memcpy(all + len, secret, secret_len);
	EVP_Digest(all, len + secret_len, p + 4, &n, EVP_md5(), NULL);
	return len;
}

static void relay(const struct ike_radius_answer *a)
{
	struct ike_config config = {.refs = 1};
	struct ike_conn_cfg conn = {.remote = {.method = IKE_AUTH_CFG_EAP, .eap_radius = true}};
	struct ike_random random = {.fill = fill};
	struct ike_eap_setup setup = {.server = true, .config = &config, .conn = &conn};
	char text[2 * IKE_EAP_NAME_MAX];
	struct ike_error err = {0};
	enum ike_eap_outcome outcome;
	struct ike_bytes out;
	struct ike_eap *e;
	struct ike_id id;

	claim(ike_id_parse("fuzz", &id, NULL));
	setup.client = setup.responder = &id;
	e = ike_eap_new(&setup, &random);
	claim(e && ike_eap_give(e, ike_bytes(NULL, 0), &err));
	claim(ike_eap_run(e, &err) == IKE_EAP_RELAYS);
	outcome = ike_eap_relayed(e, a, &err);
	out = ike_eap_packet(e);
	claim(out.len >= 4 && (size_t)(out.p[2] << 8 | out.p[3]) == out.len);
	claim(outcome != IKE_EAP_SUCCEEDED || (out.p[0] == 3 && ike_eap_msk(e)->len == 64));
	claim(outcome != IKE_EAP_GOES_ON || out.p[0] == 1);
	claim(outcome != IKE_EAP_FAILED || (out.p[0] == 4 && err.text[0]));
	/* What a server sent must not reach a terminal raw. */
	for (const char *c = err.text; *c; c++)
		claim((unsigned char)*c >= ' ' && (unsigned char)*c <= '~');
	for (const char *c = ike_eap_text(e, text, sizeof(text)); *c; c++)
		claim((unsigned char)*c >= ' ' && (unsigned char)*c <= '~');
	ike_eap_unref(e);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct ike_radius_exchange x = {.secret = {secret, sizeof(secret) - 1}};
	struct ike_radius_answer a;
	struct ike_error err = {0};
	size_t len = size - 2;
	uint8_t *packet;
	bool genuine;

	if (size < 2 || len > ATTRIBUTES_MAX)
		return 0;
	genuine = !(data[0] & 1);
	/* In a buffer of its own length, so that reading past its end is seen. */
	packet = malloc(genuine ? MAC_AT + MAC_LEN + len : len + 1);
	if (genuine)
		len = make(packet, data[1], ike_bytes(data + 2, len));
	else
		memcpy(packet, data + 2, len);
	if (ike_radius_read(ike_bytes(packet, len), &x, &a, &err)) {
		claim(genuine);
		relay(&a);
	} else {
		claim(err.text[0]);
	}
	free(packet);
	return 0;
}
