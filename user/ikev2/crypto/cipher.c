// SPDX-License-Identifier: MIT
/*
 * Authenticated encryption of one text: AES-GCM, ChaCha20-Poly1305, and AES-CBC with HMAC-SHA2 over
 * the result.
 */
#include "ikev2/crypto/cipher.h"

#include <string.h>

#include "ikev2/crypto/fetched.h"
#include "ikev2/crypto/hmac.h"

enum {
	AES_BLOCK = 16,
	AEAD_SALT = 4, /* RFC 5282 section 4, RFC 7634 section 2: nonce = salt | IV */
	AEAD_IV = 8,
	AEAD_NONCE = AEAD_SALT + AEAD_IV,
	CHACHA_KEY = 32, /* RFC 7634 section 2 */
};

struct integ {
	uint16_t id;
	uint8_t key_len, icv_len; /* RFC 4868 sections 2.1.1, 2.3 */
	const char *digest;
};

static const struct integ *integ_find(uint16_t id)
{
	static const struct integ integs[] = {
		{IKE_INTEG_HMAC_SHA2_256_128, 32, 16, "SHA2-256"},
		{IKE_INTEG_HMAC_SHA2_384_192, 48, 24, "SHA2-384"},
		{IKE_INTEG_HMAC_SHA2_512_256, 64, 32, "SHA2-512"},
	};

	for (size_t i = 0; i < sizeof(integs) / sizeof(integs[0]); i++)
		if (integs[i].id == id)
			return &integs[i];
	return NULL;
}

/* Bytes of the tag; 0: not an AEAD that is supported. */
static uint8_t tag_len(uint16_t encr)
{
	switch (encr) {
	case IKE_ENCR_AES_GCM_8:
		return 8;
	case IKE_ENCR_AES_GCM_12:
		return 12;
	case IKE_ENCR_AES_GCM_16:
	case IKE_ENCR_CHACHA20_POLY1305:
		return 16;
	default:
		return 0;
	}
}

/* OpenSSL's name; NULL for what is not supported. @bits: of the Key Length attribute, 0 without. */
static const char *cipher_name(uint16_t encr, uint16_t bits)
{
	bool gcm = tag_len(encr);

	if (encr == IKE_ENCR_CHACHA20_POLY1305)
		return bits ? NULL : "ChaCha20-Poly1305";
	if (!gcm && encr != IKE_ENCR_AES_CBC)
		return NULL;
	switch (bits) {
	case 128:
		return gcm ? "AES-128-GCM" : "AES-128-CBC";
	case 192:
		return gcm ? "AES-192-GCM" : "AES-192-CBC";
	case 256:
		return gcm ? "AES-256-GCM" : "AES-256-CBC";
	default:
		return NULL;
	}
}

static bool init_aead(struct ike_cipher *c, struct ike_error *err)
{
	if (c->integ != IKE_INTEG_NONE)
		return ike_fail(err, "cipher: %s next to an AEAD (RFC 5282 section 8)",
				ike_transform_id_name(IKE_TRANSFORM_INTEG, c->integ));
	c->aead = true;
	c->salt_len = AEAD_SALT;
	c->iv_len = AEAD_IV;
	c->block_len = 1;
	c->icv_len = tag_len(c->encr);
	return true;
}

static bool init_cbc(struct ike_cipher *c, struct ike_error *err)
{
	const struct integ *integ = integ_find(c->integ);

	if (!integ)
		return ike_fail(err, "cipher: integrity algorithm %u (%s) is not supported",
				c->integ, ike_transform_id_name(IKE_TRANSFORM_INTEG, c->integ));
	c->integ_key_len = integ->key_len;
	c->iv_len = AES_BLOCK;
	c->block_len = AES_BLOCK;
	c->icv_len = integ->icv_len;
	return true;
}

bool ike_cipher_init(struct ike_cipher *c, uint16_t encr, uint16_t bits, uint16_t integ,
		     struct ike_error *err)
{
	if (!cipher_name(encr, bits))
		return ike_fail(err, "cipher: %u (%s) with %u bits is not supported", encr,
				ike_transform_id_name(IKE_TRANSFORM_ENCR, encr), bits);
	*c = (struct ike_cipher){.encr = encr, .integ = integ, .bits = bits};
	c->key_len = encr == IKE_ENCR_CHACHA20_POLY1305 ? CHACHA_KEY : bits / 8;
	return tag_len(encr) ? init_aead(c, err) : init_cbc(c, err);
}

/* One run of a cipher, from keying to freeing. */
struct run {
	EVP_CIPHER_CTX *ctx;
};

static bool run_begin(struct run *r, const struct ike_cipher *c, const uint8_t *key,
		      const uint8_t *iv, bool encrypt)
{
	const EVP_CIPHER *cipher = ike_fetched_cipher(cipher_name(c->encr, c->bits));

	r->ctx = EVP_CIPHER_CTX_new();
	return cipher && r->ctx &&
	       EVP_CipherInit_ex2(r->ctx, cipher, key, iv, encrypt, NULL) == 1 &&
	       EVP_CIPHER_CTX_set_padding(r->ctx, 0) == 1;
}

static void run_end(struct run *r)
{
	EVP_CIPHER_CTX_free(r->ctx);
}

/* @text in place; @aad NULL-length for CBC. */
static bool run_text(struct run *r, struct ike_bytes aad, uint8_t *text, size_t len)
{
	int n;

	if (len > INT32_MAX || aad.len > INT32_MAX)
		return false;
	if (aad.len && EVP_CipherUpdate(r->ctx, NULL, &n, aad.p, aad.len) != 1)
		return false;
	return !len || (EVP_CipherUpdate(r->ctx, text, &n, text, len) == 1 && n == (int)len);
}

static bool run_final(struct run *r)
{
	uint8_t none[AES_BLOCK];
	int n;

	return EVP_CipherFinal_ex(r->ctx, none, &n) == 1;
}

static bool aead(const struct ike_cipher *c, struct ike_bytes key, struct ike_bytes aad,
		 const uint8_t *iv, uint8_t *text, size_t len, uint8_t *tag, bool encrypt)
{
	uint8_t nonce[AEAD_NONCE];
	struct run r;
	bool ok;

	memcpy(nonce, key.p + c->key_len, AEAD_SALT);
	memcpy(nonce + AEAD_SALT, iv, AEAD_IV);
	ok = run_begin(&r, c, key.p, nonce, encrypt);
	if (!encrypt)
		ok = ok &&
		     EVP_CIPHER_CTX_ctrl(r.ctx, EVP_CTRL_AEAD_SET_TAG, c->icv_len, tag) == 1;
	ok = ok && run_text(&r, aad, text, len) && run_final(&r);
	if (encrypt)
		ok = ok &&
		     EVP_CIPHER_CTX_ctrl(r.ctx, EVP_CTRL_AEAD_GET_TAG, c->icv_len, tag) == 1;
	run_end(&r);
	return ok;
}

static bool cbc(const struct ike_cipher *c, struct ike_bytes key, const uint8_t *iv, uint8_t *text,
		size_t len, bool encrypt)
{
	struct run r;
	bool ok;

	ok = run_begin(&r, c, key.p, iv, encrypt) && run_text(&r, ike_bytes(NULL, 0), text, len) &&
	     run_final(&r);
	run_end(&r);
	return ok;
}

/* RFC 7296 section 3.14: from the header's first byte to the last of the ciphertext. */
static bool cbc_icv(const struct ike_cipher *c, struct ike_bytes key, struct ike_bytes aad,
		    const uint8_t *iv, const uint8_t *text, size_t len, uint8_t *mac,
		    struct ike_error *err)
{
	struct ike_bytes parts[] = {aad, ike_bytes(iv, c->iv_len), ike_bytes(text, len)};

	return ike_hmac(integ_find(c->integ)->digest, key, parts, 3, mac, err);
}

static bool sizes_are_right(const struct ike_cipher *c, struct ike_bytes encr_key,
			    struct ike_bytes integ_key, size_t len, struct ike_error *err)
{
	if (encr_key.len != ike_cipher_encr_key_len(c) || integ_key.len != c->integ_key_len)
		return ike_fail(
			err, "cipher: keys of %zu and %zu bytes where %zu and %u are needed",
			encr_key.len, integ_key.len, ike_cipher_encr_key_len(c), c->integ_key_len);
	if (len % c->block_len)
		return ike_fail(err, "cipher: text of %zu bytes is no multiple of %u", len,
				c->block_len);
	return true;
}

bool ike_cipher_encrypt(const struct ike_cipher *c, struct ike_bytes encr_key,
			struct ike_bytes integ_key, struct ike_bytes aad, const uint8_t *iv,
			uint8_t *text, size_t len, uint8_t *icv, struct ike_error *err)
{
	uint8_t mac[IKE_HMAC_MAX];

	if (!sizes_are_right(c, encr_key, integ_key, len, err))
		return false;
	if (c->aead)
		return aead(c, encr_key, aad, iv, text, len, icv, true) ||
		       ike_fail(err, "cipher: OpenSSL could not encrypt");
	if (!cbc(c, encr_key, iv, text, len, true))
		return ike_fail(err, "cipher: OpenSSL could not encrypt");
	if (!cbc_icv(c, integ_key, aad, iv, text, len, mac, err))
		return false;
	memcpy(icv, mac, c->icv_len);
	return true;
}

bool ike_cipher_decrypt(const struct ike_cipher *c, struct ike_bytes encr_key,
			struct ike_bytes integ_key, struct ike_bytes aad, const uint8_t *iv,
			uint8_t *text, size_t len, const uint8_t *icv, struct ike_error *err)
{
	uint8_t mac[IKE_HMAC_MAX];

	if (!sizes_are_right(c, encr_key, integ_key, len, err))
		return false;
	if (c->aead) {
		memcpy(mac, icv, c->icv_len);
		if (aead(c, encr_key, aad, iv, text, len, mac, false))
			return true;
		ike_wipe(text, len);
		return ike_fail(err, "cipher: ICV is wrong");
	}
	if (!cbc_icv(c, integ_key, aad, iv, text, len, mac, err))
		return false;
	if (!ike_secret_equal(ike_bytes(mac, c->icv_len), ike_bytes(icv, c->icv_len)))
		return ike_fail(err, "cipher: ICV is wrong");
	return cbc(c, encr_key, iv, text, len, false) ||
	       ike_fail(err, "cipher: OpenSSL could not decrypt");
}
