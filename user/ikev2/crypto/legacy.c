// SPDX-License-Identifier: MIT
/* MD4 and DES out of OpenSSL's legacy provider. */
#include "ikev2/crypto/legacy.h"

#include <stdlib.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/provider.h>

struct ike_legacy {
	OSSL_LIB_CTX *ctx;
	OSSL_PROVIDER *provider;
	EVP_MD *md4;
	EVP_CIPHER *des;
};

struct ike_legacy *ike_legacy_new(struct ike_error *err)
{
	struct ike_legacy *l = calloc(1, sizeof(*l));

	if (l)
		l->ctx = OSSL_LIB_CTX_new();
	if (l && l->ctx)
		l->provider = OSSL_PROVIDER_load(l->ctx, "legacy");
	if (l && l->provider) {
		l->md4 = EVP_MD_fetch(l->ctx, "MD4", NULL);
		l->des = EVP_CIPHER_fetch(l->ctx, "DES-ECB", NULL);
	}
	ERR_clear_error();
	if (l && l->md4 && l->des)
		return l;
	ike_legacy_free(l);
	ike_fail(err, "EAP-MSCHAPv2 needs MD4 and DES, and OpenSSL's module for them is not there "
		      "(provider \"legacy\", a file legacy.so)");
	return NULL;
}

void ike_legacy_free(struct ike_legacy *l)
{
	if (!l)
		return;
	EVP_MD_free(l->md4);
	EVP_CIPHER_free(l->des);
	if (l->provider)
		OSSL_PROVIDER_unload(l->provider);
	OSSL_LIB_CTX_free(l->ctx);
	free(l);
}

bool ike_md4(const struct ike_legacy *l, struct ike_bytes data, uint8_t digest[IKE_MD4_LEN],
	     struct ike_error *err)
{
	unsigned int len;

	if (EVP_Digest(data.p, data.len, digest, &len, l->md4, NULL) == 1 && len == IKE_MD4_LEN)
		return true;
	return ike_fail(err, "MD4 has failed");
}

/* 56 bits as 64: seven of them in front of each parity bit, which nobody looks at. */
static void spread(const uint8_t key[IKE_DES_KEY_LEN], uint8_t spread[IKE_DES_BLOCK])
{
	unsigned int carried = 0;

	for (unsigned int i = 0; i < IKE_DES_KEY_LEN; i++) {
		spread[i] = (carried | key[i] >> i) & 0xfe;
		carried = key[i] << (7 - i);
	}
	spread[IKE_DES_KEY_LEN] = carried & 0xfe;
}

bool ike_des(const struct ike_legacy *l, const uint8_t key[IKE_DES_KEY_LEN],
	     const uint8_t in[IKE_DES_BLOCK], uint8_t out[IKE_DES_BLOCK], struct ike_error *err)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	uint8_t wide[IKE_DES_BLOCK];
	int len = 0;
	bool ok;

	spread(key, wide);
	ok = ctx && EVP_EncryptInit_ex2(ctx, l->des, wide, NULL, NULL) == 1 &&
	     EVP_CIPHER_CTX_set_padding(ctx, 0) == 1 &&
	     EVP_EncryptUpdate(ctx, out, &len, in, IKE_DES_BLOCK) == 1 && len == IKE_DES_BLOCK;
	EVP_CIPHER_CTX_free(ctx);
	ike_wipe(wide, sizeof(wide));
	return ok || ike_fail(err, "DES has failed");
}
