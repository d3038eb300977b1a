// SPDX-License-Identifier: MIT
/* Key derivation and the PSK's AUTH value (RFC 7296 sections 2.14, 2.15, 2.17, 2.18). */
#include <string.h>

#include "ikev2/esp.h"
#include "ikev2/keymat.h"

enum {
	IKE_KEYS_MAX = 7 * IKE_KEY_MAX,
	CHILD_KEYS_MAX = 4 * IKE_KEY_MAX,
};

void ike_keys_clear(struct ike_keys *k)
{
	ike_wipe(k, sizeof(*k));
}

void ike_child_keys_clear(struct ike_child_keys *k)
{
	ike_wipe(k, sizeof(*k));
}

bool ike_keymat_skeyseed(const struct ike_prf *prf, struct ike_bytes ni, struct ike_bytes nr,
			 struct ike_bytes g_ir, struct ike_key *skeyseed, struct ike_error *err)
{
	uint8_t nonces[2 * IKE_NONCE_MAX];
	struct ike_writer w;

	ike_writer_init(&w, nonces, sizeof(nonces));
	ike_put(&w, ni);
	ike_put(&w, nr);
	if (w.overflow)
		return ike_fail(err, "nonces of %zu and %zu bytes are too long", ni.len, nr.len);
	return ike_prf(prf, ike_written(&w), &g_ir, 1, skeyseed, err);
}

bool ike_keymat_skeyseed_rekey(const struct ike_prf *old_prf, const struct ike_key *old_sk_d,
			       struct ike_bytes g_ir, struct ike_bytes ni, struct ike_bytes nr,
			       struct ike_bytes more, struct ike_key *skeyseed,
			       struct ike_error *err)
{
	return ike_prf(old_prf, ike_key_bytes(old_sk_d),
		       (struct ike_bytes[]){g_ir, ni, nr, more}, 4, skeyseed, err);
}

/* Takes the next @len bytes of a key stream. */
static void cut(struct ike_cursor *stream, struct ike_key *key, size_t len)
{
	struct ike_bytes bytes = ike_get(stream, len);

	key->len = bytes.len;
	memcpy(key->bytes, bytes.p, bytes.len);
}

static void cut_ike(struct ike_cursor *stream, const struct ike_cipher *c, size_t prf_len,
		    struct ike_keys *keys)
{
	cut(stream, &keys->d, prf_len);
	cut(stream, &keys->ai, c->integ_key_len);
	cut(stream, &keys->ar, c->integ_key_len);
	cut(stream, &keys->ei, ike_cipher_encr_key_len(c));
	cut(stream, &keys->er, ike_cipher_encr_key_len(c));
	cut(stream, &keys->pi, prf_len);
	cut(stream, &keys->pr, prf_len);
}

bool ike_keymat_ike(const struct ike_suite *suite, const struct ike_key *skeyseed,
		    struct ike_bytes ni, struct ike_bytes nr, uint64_t spi_i, uint64_t spi_r,
		    struct ike_keys *keys, struct ike_error *err)
{
	const struct ike_prf *prf = ike_prf_find(suite->prf);
	uint8_t spis[2 * IKE_SPI_LEN], bytes[IKE_KEYS_MAX];
	struct ike_cursor stream;
	struct ike_cipher c;
	struct ike_writer w;
	size_t len;
	bool ok;

	if (!prf)
		return ike_fail(err, "PRF %u is not supported", suite->prf);
	if (!ike_cipher_init(&c, suite->encr, suite->encr_bits, suite->integ, err))
		return false;
	ike_writer_init(&w, spis, sizeof(spis));
	ike_put64(&w, spi_i);
	ike_put64(&w, spi_r);
	len = 3 * ike_prf_len(prf) + 2 * c.integ_key_len + 2 * ike_cipher_encr_key_len(&c);
	ok = ike_prf_plus(prf, ike_key_bytes(skeyseed),
			  (struct ike_bytes[]){ni, nr, ike_written(&w)}, 3, bytes, len, err);
	if (ok) {
		stream = ike_cursor(ike_bytes(bytes, len));
		cut_ike(&stream, &c, ike_prf_len(prf), keys);
	}
	ike_wipe(bytes, sizeof(bytes));
	return ok;
}

/* Encryption before integrity, the initiator's direction before the responder's (section 2.17). */
static void cut_child(struct ike_cursor *stream, const struct ike_esp_keys *lens,
		      struct ike_child_keys *keys)
{
	cut(stream, &keys->encr_i, lens->encr);
	cut(stream, &keys->integ_i, lens->integ);
	cut(stream, &keys->encr_r, lens->encr);
	cut(stream, &keys->integ_r, lens->integ);
}

bool ike_keymat_child(const struct ike_prf *prf, const struct ike_key *sk_d, struct ike_bytes g_ir,
		      struct ike_bytes ni, struct ike_bytes nr, struct ike_bytes more,
		      const struct ike_suite *suite, struct ike_child_keys *keys,
		      struct ike_error *err)
{
	uint8_t bytes[CHILD_KEYS_MAX];
	struct ike_cursor stream;
	struct ike_esp_keys lens;
	size_t len;
	bool ok;

	if (!ike_esp_keys(&lens, suite->encr, suite->encr_bits, suite->integ, err))
		return false;
	len = 2 * (lens.encr + lens.integ);
	ok = ike_prf_plus(prf, ike_key_bytes(sk_d), (struct ike_bytes[]){g_ir, ni, nr, more}, 4,
			  bytes, len, err);
	if (ok) {
		stream = ike_cursor(ike_bytes(bytes, len));
		cut_child(&stream, &lens, keys);
	}
	ike_wipe(bytes, sizeof(bytes));
	return ok;
}

bool ike_keymat_auth_psk(const struct ike_prf *prf, struct ike_bytes psk, struct ike_bytes message,
			 struct ike_bytes other_nonce, const struct ike_key *sk_p,
			 struct ike_bytes id_body, struct ike_bytes int_auth, struct ike_key *auth,
			 struct ike_error *err)
{
	static const char pad[] = "Key Pad for IKEv2";
	struct ike_bytes pad_bytes = ike_bytes(pad, sizeof(pad) - 1);
	struct ike_key IKE_CLEARED_KEY key = {0};
	struct ike_key IKE_CLEARED_KEY maced_id = {0};

	return ike_prf(prf, psk, &pad_bytes, 1, &key, err) &&
	       ike_prf(prf, ike_key_bytes(sk_p), &id_body, 1, &maced_id, err) &&
	       ike_prf(prf, ike_key_bytes(&key),
		       (struct ike_bytes[]){message, other_nonce, ike_key_bytes(&maced_id),
					    int_auth}, 4, auth, err);
}
