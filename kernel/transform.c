// SPDX-License-Identifier: GPL-2.0
/*
 * The table of ESP transforms, and how an SA gets its cipher.
 *
 * The kernel's best driver by priority is used, asynchronous or not: on some kernels the SIMD
 * drivers call themselves asynchronous although they complete at once, and a mask for synchronous
 * ones would select plain C.
 */
#include <crypto/aead.h>
#include <crypto/authenc.h>
#include <kunit/visibility.h>
#include <linux/module.h>
#include <linux/netlink.h>
#include <linux/random.h>
#include <linux/rtnetlink.h>
#include <linux/string.h>

#include "compat.h"
#include "sa.h"
#include "transform.h"

/* IANA "Transform Type 1 - Encryption Algorithm Transform IDs" (RFC 7296 section 3.3.2). */
enum {
	ENCR_NULL = 11,				/* RFC 2410 */
	ENCR_AES_CBC = 12,			/* RFC 3602 */
	ENCR_AES_CTR = 13,			/* RFC 3686 */
	ENCR_AES_CCM_8 = 14,			/* RFC 4309 */
	ENCR_AES_CCM_12 = 15,
	ENCR_AES_CCM_16 = 16,
	ENCR_AES_GCM_8 = 18,			/* RFC 4106 */
	ENCR_AES_GCM_12 = 19,
	ENCR_AES_GCM_16 = 20,
	ENCR_NULL_AUTH_AES_GMAC = 21,		/* RFC 4543 */
	ENCR_CHACHA20_POLY1305 = 28,		/* RFC 7634 */
	ENCR_AES_GCM_16_IIV = 30,		/* RFC 8750 */
	ENCR_CHACHA20_POLY1305_IIV = 31,
};

/* IANA "Transform Type 3 - Integrity Algorithm Transform IDs" (RFC 7296 section 3.3.2). */
enum {
	INTEG_HMAC_SHA2_256_128 = 12,		/* RFC 4868 */
	INTEG_HMAC_SHA2_384_192 = 13,
	INTEG_HMAC_SHA2_512_256 = 14,
};

/*
 * For tests of a driver that the priorities would not select, such as one that always completes
 * later. Applies to SAs made afterwards, if the driver takes their keys.
 */
static char *aead_override = "";
module_param(aead_override, charp, 0644);
MODULE_PARM_DESC(aead_override, "crypto driver or template to use for new SAs, for tests");

#define ALGORITHM(name_) { name_, "this kernel lacks " name_ }

/* Salts: RFC 4106 section 4, RFC 4309 section 4, RFC 4543 section 3.2, RFC 7634 section 2. */
#define AEAD(encr_, name_, aead_, salt_, icv_, ...)				\
	{									\
		.encr = encr_, .name = name_, .aead = ALGORITHM(aead_),		\
		.iv = ESPLANE_IV_COUNTER, .iv_len = 8,				\
		.icv_len = icv_, .salt_len = salt_, .block = 1,			\
		.key_bits = { __VA_ARGS__ },					\
	}

/*
 * RFC 8750. The kernel's templates for ESP take the IV from behind the ESP header; it is not there,
 * so these are the ciphers below, which take a whole nonce.
 */
#define AEAD_IMPLICIT(encr_, name_, aead_, ...)					\
	{									\
		.encr = encr_, .name = name_, .aead = ALGORITHM(aead_),		\
		.iv = ESPLANE_IV_IMPLICIT,					\
		.icv_len = 16, .salt_len = 4, .block = 1,			\
		.key_bits = { __VA_ARGS__ },					\
	}

/* RFC 4868 section 2.6: keys as long as the hash, ICVs of half its length. */
#define HMAC(encr_, integ_, name_, cipher, hash, bytes, ...)			\
	{									\
		.encr = encr_, .integ = integ_, .name = name_,			\
		.aead = ALGORITHM("authenc(hmac(" hash ")," cipher ")"),	\
		.aead_esn = ALGORITHM("authencesn(hmac(" hash ")," cipher ")"),	\
		.icv_len = (bytes) / 2, .integ_len = bytes, __VA_ARGS__		\
	}
#define HMACS(encr_, name_, cipher, ...)					\
	HMAC(encr_, INTEG_HMAC_SHA2_256_128, name_ "-hmac-sha2-256-128", cipher, \
	     "sha256", 32, __VA_ARGS__),					\
	HMAC(encr_, INTEG_HMAC_SHA2_384_192, name_ "-hmac-sha2-384-192", cipher, \
	     "sha384", 48, __VA_ARGS__),					\
	HMAC(encr_, INTEG_HMAC_SHA2_512_256, name_ "-hmac-sha2-512-256", cipher, \
	     "sha512", 64, __VA_ARGS__)

static const struct esplane_transform transforms[] = {
	AEAD(ENCR_AES_GCM_16, "aes-gcm-16", "rfc4106(gcm(aes))", 4, 16, 128, 192, 256),
	AEAD(ENCR_AES_GCM_12, "aes-gcm-12", "rfc4106(gcm(aes))", 4, 12, 128, 192, 256),
	AEAD(ENCR_AES_GCM_8, "aes-gcm-8", "rfc4106(gcm(aes))", 4, 8, 128, 192, 256),
	AEAD(ENCR_CHACHA20_POLY1305, "chacha20-poly1305", "rfc7539esp(chacha20,poly1305)", 4, 16,
	     256),
	AEAD(ENCR_AES_CCM_16, "aes-ccm-16", "rfc4309(ccm(aes))", 3, 16, 128, 192, 256),
	AEAD(ENCR_AES_CCM_12, "aes-ccm-12", "rfc4309(ccm(aes))", 3, 12, 128, 192, 256),
	AEAD(ENCR_AES_CCM_8, "aes-ccm-8", "rfc4309(ccm(aes))", 3, 8, 128, 192, 256),
	AEAD(ENCR_NULL_AUTH_AES_GMAC, "aes-gmac", "rfc4543(gcm(aes))", 4, 16, 128, 192, 256),
	AEAD_IMPLICIT(ENCR_AES_GCM_16_IIV, "aes-gcm-16-iiv", "gcm(aes)", 128, 192, 256),
	AEAD_IMPLICIT(ENCR_CHACHA20_POLY1305_IIV, "chacha20-poly1305-iiv",
		      "rfc7539(chacha20,poly1305)", 256),
	/* RFC 3602 sections 2 and 3 */
	HMACS(ENCR_AES_CBC, "aes-cbc", "cbc(aes)", .iv = ESPLANE_IV_RANDOM, .iv_len = 16,
	      .block = 16, .key_bits = { 128, 192, 256 }),
	/* RFC 3686 sections 3.1, 5.1 and 6: its nonce is what others call salt */
	HMACS(ENCR_AES_CTR, "aes-ctr", "rfc3686(ctr(aes))", .iv = ESPLANE_IV_COUNTER, .iv_len = 8,
	      .salt_len = 4, .block = 1, .key_bits = { 128, 192, 256 }),
	HMACS(ENCR_NULL, "null", "ecb(cipher_null)", .iv = ESPLANE_IV_NONE, .block = 1),
};

const struct esplane_transform *esplane_transform_nth(unsigned int i)
{
	return i < ARRAY_SIZE(transforms) ? &transforms[i] : NULL;
}
EXPORT_SYMBOL_IF_KUNIT(esplane_transform_nth);

const struct esplane_transform *esplane_transform_find(u32 encr, u32 integ)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(transforms); i++)
		if (transforms[i].encr == encr && transforms[i].integ == integ)
			return &transforms[i];
	return NULL;
}
EXPORT_SYMBOL_IF_KUNIT(esplane_transform_find);

bool esplane_transform_knows(u32 encr)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(transforms); i++)
		if (transforms[i].encr == encr)
			return true;
	return false;
}

static bool takes_key_bits(const struct esplane_transform *t, unsigned int bits)
{
	unsigned int i;

	if (!t->key_bits[0])
		return !bits;
	for (i = 0; i < ARRAY_SIZE(t->key_bits) && t->key_bits[i]; i++)
		if (t->key_bits[i] == bits)
			return true;
	return false;
}

static const struct esplane_algorithm *algorithm(const struct esplane_transform *t, bool esn)
{
	return esn && t->aead_esn.name ? &t->aead_esn : &t->aead;
}

static struct crypto_aead *allocate(const struct esplane_algorithm *algorithm)
{
	char name[CRYPTO_MAX_ALG_NAME];

	/* The parameter's writer may replace the string at any time. */
	kernel_param_lock(THIS_MODULE);
	strscpy(name, aead_override, sizeof(name));
	kernel_param_unlock(THIS_MODULE);
	strim(name);
	return crypto_alloc_aead(name[0] ? name : algorithm->name, 0, 0);
}

/* The kernel's own form: a netlink attribute, then the keys, that of integrity first. */
static int set_two_keys(struct crypto_aead *aead, const u8 *encr, unsigned int encr_len,
			const u8 *integ, unsigned int integ_len)
{
	struct {
		struct rtattr attr;
		struct crypto_authenc_key_param param;
		u8 keys[ESPLANE_MAX_KEYMAT_LEN];
	} blob = {
		.attr = {
			.rta_len = RTA_LENGTH(sizeof(blob.param)),
			.rta_type = CRYPTO_AUTHENC_KEYA_PARAM,
		},
		.param = { .enckeylen = cpu_to_be32(encr_len) },
	};
	int err;

	BUILD_BUG_ON(offsetof(typeof(blob), param) != RTA_LENGTH(0));
	if (integ_len + encr_len > sizeof(blob.keys))
		return -EINVAL;
	memcpy(blob.keys, integ, integ_len);
	memcpy(blob.keys + integ_len, encr, encr_len);
	err = crypto_aead_setkey(aead, (u8 *)&blob,
				 offsetof(typeof(blob), keys) + integ_len + encr_len);
	memzero_explicit(&blob, sizeof(blob));
	return err;
}

static int set_key(struct crypto_aead *aead, const struct esplane_transform *t, const u8 *key,
		   unsigned int len)
{
	unsigned int encr_len = len - t->integ_len;

	if (t->integ)
		return set_two_keys(aead, key, encr_len, key + encr_len, t->integ_len);
	if (t->iv == ESPLANE_IV_IMPLICIT)
		return crypto_aead_setkey(aead, key, len - t->salt_len);
	return crypto_aead_setkey(aead, key, len);
}

/* What the driver takes as IV: what is sent, or a whole nonce of salt and sequence number. */
static unsigned int driver_iv_len(const struct esplane_transform *t)
{
	return t->iv == ESPLANE_IV_IMPLICIT ? t->salt_len + sizeof(u64) : t->iv_len;
}

static int key_aead(struct crypto_aead *aead, const struct esplane_transform *t, const u8 *key,
		    unsigned int len, struct netlink_ext_ack *extack)
{
	int err;

	if (crypto_aead_ivsize(aead) != driver_iv_len(t)) {
		NL_SET_ERR_MSG(extack, "the crypto driver's IV length is not the transform's");
		return -EINVAL;
	}
	err = set_key(aead, t, key, len) ?: crypto_aead_setauthsize(aead, t->icv_len);
	if (err == -ENOMEM) {
		NL_SET_ERR_MSG(extack, "no memory for the crypto driver");
		return err;
	}
	if (err) {
		NL_SET_ERR_MSG(extack, "the crypto driver refuses the key");
		return -EINVAL;
	}
	return 0;
}

static struct crypto_aead *make_aead(const struct esplane_transform *t, bool esn, const u8 *key,
				     unsigned int len, struct netlink_ext_ack *extack)
{
	struct crypto_aead *aead = allocate(algorithm(t, esn));
	int err;

	if (aead == ERR_PTR(-ENOMEM)) {
		NL_SET_ERR_MSG(extack, "no memory for the crypto driver");
		return aead;
	}
	if (IS_ERR(aead)) {
		if (extack)
			extack->_msg = algorithm(t, esn)->missing;
		return aead;
	}
	err = key_aead(aead, t, key, len, extack);
	if (!err)
		return aead;
	crypto_free_aead(aead);
	return ERR_PTR(err);
}

int esplane_transform_setup(struct esplane_sa *sa, u32 encr, u32 integ, const u8 *key,
			    unsigned int len, struct netlink_ext_ack *extack)
{
	const struct esplane_transform *t = esplane_transform_find(encr, integ);
	struct crypto_aead *aead;
	unsigned int bits;

	if (!t) {
		NL_SET_ERR_MSG(extack, "unknown transform");
		return -EINVAL;
	}
	bits = (len - t->salt_len - t->integ_len) * BITS_PER_BYTE;
	if (len < t->salt_len + t->integ_len || !takes_key_bits(t, bits)) {
		NL_SET_ERR_MSG(extack,
			       "key length (with salt and integrity key) does not fit the transform");
		return -EINVAL;
	}
	aead = make_aead(t, sa->flags & ESPLANE_SA_FLAG_ESN, key, len, extack);
	if (IS_ERR(aead))
		return PTR_ERR(aead);
	sa->aead = aead;
	sa->transform = t;
	sa->key_bits = bits;
	memcpy(sa->salt, key + bits / BITS_PER_BYTE, t->salt_len);
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(esplane_transform_setup);

void esplane_transform_teardown(struct esplane_sa *sa)
{
	crypto_free_aead(sa->aead);
	sa->aead = NULL;
	memzero_explicit(sa->salt, sizeof(sa->salt));
}
EXPORT_SYMBOL_IF_KUNIT(esplane_transform_teardown);

void esplane_transform_write_iv(const struct esplane_transform *t, u64 seq, u8 *wire)
{
	switch (t->iv) {
	case ESPLANE_IV_COUNTER:
		/*
		 * RFC 4106 section 3.1, and the others alike: never twice with one key. Neither is
		 * the number (RFC 4303 section 3.3.3).
		 */
		put_unaligned_be64(seq, wire);
		break;
	case ESPLANE_IV_RANDOM:
		/*
		 * RFC 3602 section 3: nobody who can choose text may know the IV that it will
		 * meet, so no counter. What the kernel's generator gives next does not follow from
		 * what it gave before and went over the wire. It works per CPU and needs no key of
		 * its own; a counter encrypted under the SA's key would do too, at a cipher call
		 * more.
		 */
		get_random_bytes(wire, t->iv_len);
		break;
	case ESPLANE_IV_NONE:
	case ESPLANE_IV_IMPLICIT:
		break;
	}
}
EXPORT_SYMBOL_IF_KUNIT(esplane_transform_write_iv);

int esplane_transform_driver(const struct esplane_transform *t, char *buf, size_t len)
{
	struct crypto_aead *aead = allocate(&t->aead);

	buf[0] = '\0';
	if (IS_ERR(aead))
		return PTR_ERR(aead) == -ENOMEM ? -ENOMEM : 0;
	strscpy(buf, crypto_tfm_alg_driver_name(crypto_aead_tfm(aead)), len);
	crypto_free_aead(aead);
	return 0;
}
