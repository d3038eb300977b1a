// SPDX-License-Identifier: MIT
/* The words of swanctl's proposal syntax and the transforms they stand for. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "ikev2/crypto/cipher.h"
#include "ikev2/crypto/dh.h"
#include "ikev2/crypto/prf.h"
#include "ikev2/esp.h"
#include "ikev2/transforms.h"

#define ENCR(id, bits) {IKE_TRANSFORM_ENCR, IKE_ENCR_##id, bits}
#define INTEG(id) {IKE_TRANSFORM_INTEG, IKE_INTEG_##id, 0}
#define PRF(id) {IKE_TRANSFORM_PRF, IKE_PRF_##id, 0}
#define KE(id) {IKE_TRANSFORM_KE, IKE_KE_##id, 0}
#define ESN(id) {IKE_TRANSFORM_ESN, IKE_ESN_##id, 0}

/*
 * The first word of a transform is the one it is printed as. Words of what is not supported are
 * here too: a peer's proposal is printed, and a configuration's is refused by name.
 */
static const struct {
	const char *word;
	struct ike_transform transform;
} words[] = {
	{"aes128gcm16", ENCR(AES_GCM_16, 128)},
	{"aes192gcm16", ENCR(AES_GCM_16, 192)},
	{"aes256gcm16", ENCR(AES_GCM_16, 256)},
	{"aes128gcm128", ENCR(AES_GCM_16, 128)},
	{"aes192gcm128", ENCR(AES_GCM_16, 192)},
	{"aes256gcm128", ENCR(AES_GCM_16, 256)},
	{"aes128gcm", ENCR(AES_GCM_16, 128)},
	{"aes192gcm", ENCR(AES_GCM_16, 192)},
	{"aes256gcm", ENCR(AES_GCM_16, 256)},
	{"aes128", ENCR(AES_CBC, 128)},
	{"aes192", ENCR(AES_CBC, 192)},
	{"aes256", ENCR(AES_CBC, 256)},
	{"aes", ENCR(AES_CBC, 128)},
	{"aes128cbc", ENCR(AES_CBC, 128)},
	{"aes256cbc", ENCR(AES_CBC, 256)},
	{"aes128ctr", ENCR(AES_CTR, 128)},
	{"aes192ctr", ENCR(AES_CTR, 192)},
	{"aes256ctr", ENCR(AES_CTR, 256)},
	{"aes128gcm8", ENCR(AES_GCM_8, 128)},
	{"aes192gcm8", ENCR(AES_GCM_8, 192)},
	{"aes256gcm8", ENCR(AES_GCM_8, 256)},
	{"aes128gcm12", ENCR(AES_GCM_12, 128)},
	{"aes192gcm12", ENCR(AES_GCM_12, 192)},
	{"aes256gcm12", ENCR(AES_GCM_12, 256)},
	{"aes128ccm8", ENCR(AES_CCM_8, 128)},
	{"aes192ccm8", ENCR(AES_CCM_8, 192)},
	{"aes256ccm8", ENCR(AES_CCM_8, 256)},
	{"aes128ccm12", ENCR(AES_CCM_12, 128)},
	{"aes192ccm12", ENCR(AES_CCM_12, 192)},
	{"aes256ccm12", ENCR(AES_CCM_12, 256)},
	{"aes128ccm16", ENCR(AES_CCM_16, 128)},
	{"aes192ccm16", ENCR(AES_CCM_16, 192)},
	{"aes256ccm16", ENCR(AES_CCM_16, 256)},
	{"aes128ccm64", ENCR(AES_CCM_8, 128)},
	{"aes192ccm64", ENCR(AES_CCM_8, 192)},
	{"aes256ccm64", ENCR(AES_CCM_8, 256)},
	{"aes128ccm96", ENCR(AES_CCM_12, 128)},
	{"aes192ccm96", ENCR(AES_CCM_12, 192)},
	{"aes256ccm96", ENCR(AES_CCM_12, 256)},
	{"aes128ccm128", ENCR(AES_CCM_16, 128)},
	{"aes192ccm128", ENCR(AES_CCM_16, 192)},
	{"aes256ccm128", ENCR(AES_CCM_16, 256)},
	{"aes128ccm", ENCR(AES_CCM_16, 128)},
	{"aes192ccm", ENCR(AES_CCM_16, 192)},
	{"aes256ccm", ENCR(AES_CCM_16, 256)},
	{"aes128gcm64", ENCR(AES_GCM_8, 128)},
	{"aes192gcm64", ENCR(AES_GCM_8, 192)},
	{"aes256gcm64", ENCR(AES_GCM_8, 256)},
	{"aes128gcm96", ENCR(AES_GCM_12, 128)},
	{"aes192gcm96", ENCR(AES_GCM_12, 192)},
	{"aes256gcm96", ENCR(AES_GCM_12, 256)},
	{"aes128gmac", ENCR(NULL_AUTH_AES_GMAC, 128)},
	{"aes192gmac", ENCR(NULL_AUTH_AES_GMAC, 192)},
	{"aes256gmac", ENCR(NULL_AUTH_AES_GMAC, 256)},
	{"chacha20poly1305", ENCR(CHACHA20_POLY1305, 0)},
	{"aes128gcm16iiv", ENCR(AES_GCM_16_IIV, 128)},
	{"aes192gcm16iiv", ENCR(AES_GCM_16_IIV, 192)},
	{"aes256gcm16iiv", ENCR(AES_GCM_16_IIV, 256)},
	{"chacha20poly1305iiv", ENCR(CHACHA20_POLY1305_IIV, 0)},
	{"null", ENCR(NULL, 0)},
	{"3des", ENCR(3DES, 0)},
	{"camellia128", ENCR(CAMELLIA_CBC, 128)},
	{"camellia256", ENCR(CAMELLIA_CBC, 256)},

	{"sha256", INTEG(HMAC_SHA2_256_128)},
	{"sha384", INTEG(HMAC_SHA2_384_192)},
	{"sha512", INTEG(HMAC_SHA2_512_256)},
	{"sha2_256", INTEG(HMAC_SHA2_256_128)},
	{"sha2_384", INTEG(HMAC_SHA2_384_192)},
	{"sha2_512", INTEG(HMAC_SHA2_512_256)},
	{"sha1", INTEG(HMAC_SHA1_96)},
	{"sha", INTEG(HMAC_SHA1_96)},
	{"sha1_160", INTEG(HMAC_SHA1_160)},
	{"md5", INTEG(HMAC_MD5_96)},
	{"aesxcbc", INTEG(AES_XCBC_96)},
	{"aescmac", INTEG(AES_CMAC_96)},

	{"prfsha256", PRF(HMAC_SHA2_256)},
	{"prfsha384", PRF(HMAC_SHA2_384)},
	{"prfsha512", PRF(HMAC_SHA2_512)},
	{"prfsha1", PRF(HMAC_SHA1)},
	{"prfmd5", PRF(HMAC_MD5)},
	{"prfaesxcbc", PRF(AES128_XCBC)},
	{"prfaescmac", PRF(AES128_CMAC)},

	{"x25519", KE(CURVE25519)},
	{"curve25519", KE(CURVE25519)},
	{"x448", KE(CURVE448)},
	{"curve448", KE(CURVE448)},
	{"ecp256", KE(ECP_256)},
	{"ecp384", KE(ECP_384)},
	{"ecp521", KE(ECP_521)},
	{"modp2048", KE(MODP_2048)},
	{"modp3072", KE(MODP_3072)},
	{"modp4096", KE(MODP_4096)},
	{"modp1024", KE(MODP_1024)},
	{"modp1536", KE(MODP_1536)},
	{"modp6144", KE(MODP_6144)},
	{"modp8192", KE(MODP_8192)},
	{"ecp192", KE(ECP_192)},
	{"ecp224", KE(ECP_224)},
	{"ecp256bp", KE(BRAINPOOL_256)},
	{"ecp384bp", KE(BRAINPOOL_384)},
	{"ecp512bp", KE(BRAINPOOL_512)},
	{"mlkem512", KE(ML_KEM_512)},
	{"mlkem768", KE(ML_KEM_768)},
	{"mlkem1024", KE(ML_KEM_1024)},
	{"modpnone", KE(NONE)},
	{"none", KE(NONE)},

	{"esn", ESN(YES)},
	{"noesn", ESN(NO)},
};

enum { WORDS = sizeof(words) / sizeof(words[0]), WORD_TEXT_MAX = 32 };

enum { PREFIX_LEN = 4 }; /* "ke1_" */

size_t ike_transform_prefix(const char *word, size_t len)
{
	bool is = len >= PREFIX_LEN && !strncasecmp(word, "ke", 2) && word[2] >= '1' &&
		  word[2] < '1' + IKE_ADDKE_MAX && word[3] == '_';

	return is ? PREFIX_LEN : 0;
}

static bool parse_plain(const char *word, size_t len, struct ike_transform *t)
{
	for (size_t i = 0; i < WORDS; i++) {
		if (strlen(words[i].word) == len && !strncasecmp(words[i].word, word, len)) {
			*t = words[i].transform;
			return true;
		}
	}
	return false;
}

bool ike_transform_parse(const char *word, size_t len, struct ike_transform *t)
{
	size_t prefix = ike_transform_prefix(word, len);

	if (!parse_plain(word + prefix, len - prefix, t))
		return false;
	if (!prefix)
		return true;
	if (t->type != IKE_TRANSFORM_KE)
		return false;
	t->type = IKE_TRANSFORM_ADDKE1 + word[2] - '1';
	return true;
}

const char *ike_transform_word(size_t i)
{
	return words[i].word;
}

size_t ike_transform_words(void)
{
	return WORDS;
}

bool ike_transform_same(const struct ike_transform *a, const struct ike_transform *b)
{
	return a->type == b->type && a->id == b->id && a->key_bits == b->key_bits;
}

bool ike_transform_aead(const struct ike_transform *t)
{
	switch (t->id) {
	case IKE_ENCR_AES_CCM_8 ... IKE_ENCR_AES_CCM_16:
	case IKE_ENCR_AES_GCM_8 ... IKE_ENCR_NULL_AUTH_AES_GMAC:
	case IKE_ENCR_CAMELLIA_CCM_8 ... IKE_ENCR_CHACHA20_POLY1305_IIV:
		return t->type == IKE_TRANSFORM_ENCR;
	default:
		return false;
	}
}

uint16_t ike_transform_prf_of_integ(uint16_t integ)
{
	switch (integ) {
	case IKE_INTEG_HMAC_SHA2_256_128:
		return IKE_PRF_HMAC_SHA2_256;
	case IKE_INTEG_HMAC_SHA2_384_192:
		return IKE_PRF_HMAC_SHA2_384;
	case IKE_INTEG_HMAC_SHA2_512_256:
		return IKE_PRF_HMAC_SHA2_512;
	default:
		return 0;
	}
}

static const char *type_prefix(uint8_t type)
{
	switch (type) {
	case IKE_TRANSFORM_ENCR:
		return "encr";
	case IKE_TRANSFORM_PRF:
		return "prf";
	case IKE_TRANSFORM_INTEG:
		return "integ";
	case IKE_TRANSFORM_KE:
		return "ke";
	case IKE_TRANSFORM_ESN:
		return "esn";
	default:
		return NULL;
	}
}

const char *ike_transform_type_text(uint8_t type)
{
	static const char *const addke[IKE_ADDKE_MAX] = {
		"additional key exchange 1", "additional key exchange 2",
		"additional key exchange 3", "additional key exchange 4",
		"additional key exchange 5", "additional key exchange 6",
		"additional key exchange 7",
	};

	switch (type) {
	case IKE_TRANSFORM_ENCR:
		return "encryption";
	case IKE_TRANSFORM_PRF:
		return "PRF";
	case IKE_TRANSFORM_INTEG:
		return "integrity";
	case IKE_TRANSFORM_KE:
		return "key exchange";
	case IKE_TRANSFORM_ADDKE1 ... IKE_TRANSFORM_ADDKE7:
		return addke[type - IKE_TRANSFORM_ADDKE1];
	case IKE_TRANSFORM_ESN:
		return "kind of sequence numbers";
	default:
		return "transform type";
	}
}

static char *addke_text(const struct ike_transform *t, char *buf, size_t cap)
{
	struct ike_transform main = { .type = IKE_TRANSFORM_KE, .id = t->id };
	char word[WORD_TEXT_MAX];

	/* The first word of none is "modpnone", which has no place here. */
	snprintf(buf, cap, "ke%d_%s", t->type - IKE_TRANSFORM_ADDKE1 + 1,
		 t->id == IKE_KE_NONE ? "none" : ike_transform_text(&main, word, sizeof(word)));
	return buf;
}

char *ike_transform_text(const struct ike_transform *t, char *buf, size_t cap)
{
	const char *prefix = type_prefix(t->type);

	if (ike_transform_is_addke(t->type))
		return addke_text(t, buf, cap);
	for (size_t i = 0; i < WORDS; i++) {
		if (ike_transform_same(&words[i].transform, t)) {
			snprintf(buf, cap, "%s", words[i].word);
			return buf;
		}
	}
	if (!prefix)
		snprintf(buf, cap, "type%u/%u", t->type, t->id);
	else if (t->key_bits)
		snprintf(buf, cap, "%s%u/%u", prefix, t->id, t->key_bits);
	else
		snprintf(buf, cap, "%s%u", prefix, t->id);
	return buf;
}

static bool cipher_supported(const struct ike_transform *t)
{
	struct ike_cipher c;

	return ike_cipher_init(&c, t->id, t->key_bits,
			       ike_transform_aead(t) ? IKE_INTEG_NONE : IKE_INTEG_HMAC_SHA2_256_128,
			       NULL);
}

bool ike_transform_supported(uint8_t protocol, const struct ike_transform *t)
{
	switch (t->type) {
	case IKE_TRANSFORM_ENCR:
		return protocol == IKE_PROTO_ESP ? ike_esp_has(t->id, t->key_bits)
						 : cipher_supported(t);
	case IKE_TRANSFORM_PRF:
		return protocol == IKE_PROTO_IKE && ike_prf_find(t->id);
	case IKE_TRANSFORM_INTEG:
		return t->id == IKE_INTEG_NONE || ike_transform_prf_of_integ(t->id);
	case IKE_TRANSFORM_KE:
		return ike_dh_find(t->id) || (t->id == IKE_KE_NONE && protocol == IKE_PROTO_ESP);
	case IKE_TRANSFORM_ADDKE1 ... IKE_TRANSFORM_ADDKE7:
		return ike_dh_find(t->id) || t->id == IKE_KE_NONE;
	case IKE_TRANSFORM_ESN:
		return protocol == IKE_PROTO_ESP && t->id <= IKE_ESN_YES;
	default:
		return false;
	}
}
