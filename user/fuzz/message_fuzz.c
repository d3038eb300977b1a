// SPDX-License-Identifier: MIT
/*
 * What anybody can send: a datagram, from the header to the use of each payload, and an SK payload
 * that is opened with keys that may or may not be right.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz/interpret.h"
#include "ikev2/crypto/protect.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void protect_for(struct ike_protect *p, bool gcm)
{
	struct ike_key encr = {0}, integ = {0};
	struct ike_cipher c;

	claim(ike_cipher_init(&c, gcm ? IKE_ENCR_AES_GCM_16 : IKE_ENCR_AES_CBC, 128,
			      gcm ? IKE_INTEG_NONE : IKE_INTEG_HMAC_SHA2_256_128, NULL));
	encr.len = ike_cipher_encr_key_len(&c);
	integ.len = c.integ_key_len;
	claim(ike_protect_init(p, &c, &encr, &integ, NULL));
}

static void open_sk(const uint8_t *data, size_t size, const struct ike_payload *sk, bool gcm)
{
	struct ike_error err = {0};
	struct ike_protect p;
	struct ike_bytes plain;
	uint8_t *copy = malloc(size);

	claim(copy);
	memcpy(copy, data, size);
	protect_for(&p, gcm);
	if (ike_sk_open(copy, size, sk, &p, &plain, &err))
		interpret_chain(sk->next, plain);
	else
		claim(err.text[0]);
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ike_error err = {0};
	const struct ike_payload *sk;
	struct ike_payloads all;
	struct ike_bytes chain;
	struct ike_header h;

	if (!ike_header_decode(ike_bytes(data, size), &h, &err)) {
		claim(err.text[0]);
		return 0;
	}
	chain = ike_bytes(data + IKE_HEADER_LEN, size - IKE_HEADER_LEN);
	interpret_chain(h.next, chain);
	if (!ike_payloads_decode(&all, h.next, chain, NULL))
		return 0;
	sk = ike_payloads_find(&all, IKE_PAYLOAD_SK);
	if (sk) {
		open_sk(data, size, sk, true);
		open_sk(data, size, sk, false);
	}
	return 0;
}
