// SPDX-License-Identifier: GPL-2.0
/*
 * The table of ESP transforms, and how an SA gets its cipher.
 *
 * The kernel's best driver by priority is used, asynchronous or not: on some kernels the SIMD
 * drivers call themselves asynchronous although they complete at once, and a mask for synchronous
 * ones would select plain C.
 */
#include <crypto/aead.h>
#include <kunit/visibility.h>
#include <linux/module.h>
#include <linux/netlink.h>
#include <linux/string.h>

#include "compat.h"
#include "sa.h"
#include "transform.h"

/* IANA "Transform Type 1 - Encryption Algorithm Transform IDs" (RFC 7296 section 3.3.2). */
enum {
	ENCR_AES_GCM_16 = 20,	/* RFC 4106 */
};

/*
 * For tests of a driver that the priorities would not select, such as one that always completes
 * later. Applies to SAs made afterwards, if the driver takes their keys.
 */
static char *aead_override = "";
module_param(aead_override, charp, 0644);
MODULE_PARM_DESC(aead_override, "crypto driver or template to use for new SAs, for tests");

static const struct esplane_transform transforms[] = {
	{
		.encr = ENCR_AES_GCM_16,
		.name = "aes-gcm-16",
		.aead = "rfc4106(gcm(aes))",
		.salt_len = 4,
		.iv_len = 8,
		.icv_len = 16,
		.align = 4,
		.key_bits = { 128, 192, 256 },
	},
};

const struct esplane_transform *esplane_transform_nth(unsigned int i)
{
	return i < ARRAY_SIZE(transforms) ? &transforms[i] : NULL;
}

const struct esplane_transform *esplane_transform_find(u32 encr)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(transforms); i++)
		if (transforms[i].encr == encr)
			return &transforms[i];
	return NULL;
}

static bool takes_key_bits(const struct esplane_transform *t, unsigned int bits)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(t->key_bits) && t->key_bits[i]; i++)
		if (t->key_bits[i] == bits)
			return true;
	return false;
}

static struct crypto_aead *allocate(const struct esplane_transform *t)
{
	char name[CRYPTO_MAX_ALG_NAME];

	/* The parameter's writer may replace the string at any time. */
	kernel_param_lock(THIS_MODULE);
	strscpy(name, aead_override, sizeof(name));
	kernel_param_unlock(THIS_MODULE);
	strim(name);
	return crypto_alloc_aead(name[0] ? name : t->aead, 0, 0);
}

static int key_aead(struct crypto_aead *aead, const struct esplane_transform *t, const u8 *key,
		    unsigned int len, struct netlink_ext_ack *extack)
{
	if (crypto_aead_ivsize(aead) != t->iv_len) {
		NL_SET_ERR_MSG(extack, "the crypto driver's IV length is not the transform's");
		return -EINVAL;
	}
	if (crypto_aead_setkey(aead, key, len) || crypto_aead_setauthsize(aead, t->icv_len)) {
		NL_SET_ERR_MSG(extack, "the crypto driver refuses the key");
		return -EINVAL;
	}
	return 0;
}

int esplane_transform_setup(struct esplane_sa *sa, u32 encr, const u8 *key, unsigned int len,
			    struct netlink_ext_ack *extack)
{
	const struct esplane_transform *t = esplane_transform_find(encr);
	struct crypto_aead *aead;
	int err;

	if (!t) {
		NL_SET_ERR_MSG(extack, "unknown encryption transform");
		return -EINVAL;
	}
	if (len <= t->salt_len || !takes_key_bits(t, (len - t->salt_len) * BITS_PER_BYTE)) {
		NL_SET_ERR_MSG(extack, "key length (with salt) does not fit the transform");
		return -EINVAL;
	}
	aead = allocate(t);
	if (IS_ERR(aead)) {
		NL_SET_ERR_MSG(extack, "this kernel lacks the transform's algorithm");
		return PTR_ERR(aead);
	}
	err = key_aead(aead, t, key, len, extack);
	if (err) {
		crypto_free_aead(aead);
		return err;
	}
	sa->aead = aead;
	sa->transform = t;
	sa->key_bits = (len - t->salt_len) * BITS_PER_BYTE;
	memcpy(sa->salt, key + len - t->salt_len, t->salt_len);
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

void esplane_transform_driver(const struct esplane_transform *t, char *buf, size_t len)
{
	struct crypto_aead *aead = allocate(t);

	buf[0] = '\0';
	if (IS_ERR(aead))
		return;
	strscpy(buf, crypto_tfm_alg_driver_name(crypto_aead_tfm(aead)), len);
	crypto_free_aead(aead);
}
