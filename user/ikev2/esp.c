// SPDX-License-Identifier: MIT
/* ESP transforms as IKE must know them: which there are, and how much key material each takes. */
#include "ikev2/esp.h"

enum {
	CHACHA_KEY = 32, /* RFC 7634 section 2; it has no Key Length attribute */
};

struct encr {
	uint16_t id;
	uint8_t salt; /* bytes */
	uint8_t key;  /* bytes, where it is fixed */
	bool aes, aead;
};

static const struct encr *encr_find(uint16_t id)
{
	static const struct encr encrs[] = {
		{IKE_ENCR_NULL, 0, 0, false, false},		  /* RFC 2410 */
		{IKE_ENCR_AES_CBC, 0, 0, true, false},		  /* RFC 3602 */
		{IKE_ENCR_AES_CTR, 4, 0, true, false},		  /* RFC 3686 section 5.1 */
		{IKE_ENCR_AES_CCM_8, 3, 0, true, true},		  /* RFC 4309 section 7.1 */
		{IKE_ENCR_AES_CCM_12, 3, 0, true, true},
		{IKE_ENCR_AES_CCM_16, 3, 0, true, true},
		{IKE_ENCR_AES_GCM_8, 4, 0, true, true},		  /* RFC 4106 section 8.1 */
		{IKE_ENCR_AES_GCM_12, 4, 0, true, true},
		{IKE_ENCR_AES_GCM_16, 4, 0, true, true},
		{IKE_ENCR_NULL_AUTH_AES_GMAC, 4, 0, true, true},  /* RFC 4543 section 5.1 */
		{IKE_ENCR_CHACHA20_POLY1305, 4, CHACHA_KEY, false, true},
		{IKE_ENCR_AES_GCM_16_IIV, 4, 0, true, true},	  /* RFC 8750 section 5 */
		{IKE_ENCR_CHACHA20_POLY1305_IIV, 4, CHACHA_KEY, false, true},
	};

	for (size_t i = 0; i < sizeof(encrs) / sizeof(encrs[0]); i++)
		if (encrs[i].id == id)
			return &encrs[i];
	return NULL;
}

static bool takes(const struct encr *e, uint16_t bits)
{
	return e->aes ? bits == 128 || bits == 192 || bits == 256 : !bits;
}

/* RFC 4868 section 2.6 */
size_t ike_esp_integ_key(uint16_t integ)
{
	switch (integ) {
	case IKE_INTEG_HMAC_SHA2_256_128:
		return 32;
	case IKE_INTEG_HMAC_SHA2_384_192:
		return 48;
	case IKE_INTEG_HMAC_SHA2_512_256:
		return 64;
	default:
		return 0;
	}
}

bool ike_esp_has(uint16_t encr, uint16_t bits)
{
	const struct encr *e = encr_find(encr);

	return e && takes(e, bits);
}

bool ike_esp_keys(struct ike_esp_keys *keys, uint16_t encr, uint16_t bits, uint16_t integ,
		  struct ike_error *err)
{
	const struct encr *e = encr_find(encr);

	if (!e || !takes(e, bits))
		return ike_fail(err, "ESP: cipher %u (%s) with %u bits is not supported", encr,
				ike_transform_id_name(IKE_TRANSFORM_ENCR, encr), bits);
	if (e->aead && integ != IKE_INTEG_NONE)
		return ike_fail(err, "ESP: %s next to an AEAD",
				ike_transform_id_name(IKE_TRANSFORM_INTEG, integ));
	if (!e->aead && !ike_esp_integ_key(integ))
		return ike_fail(err, "ESP: integrity algorithm %u (%s) is not supported", integ,
				ike_transform_id_name(IKE_TRANSFORM_INTEG, integ));
	keys->encr = (e->aes ? bits / 8 : e->key) + e->salt;
	keys->integ = e->aead ? 0 : ike_esp_integ_key(integ);
	return true;
}
