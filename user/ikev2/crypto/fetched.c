// SPDX-License-Identifier: MIT
/* Algorithms of OpenSSL's that were looked up before. */
#include "ikev2/crypto/fetched.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/params.h>

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

/*
 * Locking: none. A slot is written once, by whoever finds the algorithm first; who finds it at the
 * same time gives its own back. One that was not found is looked for again the next time.
 */
struct slot {
	const char *name;
	void *_Atomic found;
};

static struct slot *slot_of(struct slot *slots, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(slots[i].name, name))
			return &slots[i];
	return NULL;
}

/* *@found is what the slot holds from now on. False: that is not @fresh, which the caller frees. */
static bool settle(struct slot *slot, void *fresh, void **found)
{
	*found = NULL;
	if (!fresh || !atomic_compare_exchange_strong(&slot->found, found, fresh))
		return false;
	*found = fresh;
	return true;
}

const EVP_MD *ike_fetched_md(const char *name)
{
	static struct slot slots[] = {
		{.name = "SHA2-256"}, {.name = "SHA1"},	    {.name = "SHA2-384"},
		{.name = "SHA2-512"}, {.name = "MD5"},
	};
	struct slot *slot = slot_of(slots, COUNT(slots), name);
	void *found = slot ? slot->found : NULL;
	EVP_MD *fresh;

	if (found || !slot)
		return found;
	fresh = EVP_MD_fetch(NULL, name, NULL);
	if (!settle(slot, fresh, &found))
		EVP_MD_free(fresh);
	return found;
}

const EVP_CIPHER *ike_fetched_cipher(const char *name)
{
	static struct slot slots[] = {
		{.name = "AES-256-GCM"}, {.name = "AES-128-GCM"}, {.name = "ChaCha20-Poly1305"},
		{.name = "AES-192-GCM"}, {.name = "AES-256-CBC"}, {.name = "AES-128-CBC"},
		{.name = "AES-192-CBC"},
	};
	struct slot *slot = slot_of(slots, COUNT(slots), name);
	void *found = slot ? slot->found : NULL;
	EVP_CIPHER *fresh;

	if (found || !slot)
		return found;
	fresh = EVP_CIPHER_fetch(NULL, name, NULL);
	if (!settle(slot, fresh, &found))
		EVP_CIPHER_free(fresh);
	return found;
}

/* Keyed, if with nothing: one that has no key yet cannot be copied everywhere. */
static EVP_MAC_CTX *make_hmac(const char *digest)
{
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *)digest, 0),
		OSSL_PARAM_construct_end(),
	};
	EVP_MAC *mac = EVP_MAC_fetch(NULL, OSSL_MAC_NAME_HMAC, NULL);
	EVP_MAC_CTX *ctx = mac ? EVP_MAC_CTX_new(mac) : NULL;

	if (ctx && EVP_MAC_init(ctx, (const unsigned char *)"", 0, params) != 1) {
		EVP_MAC_CTX_free(ctx);
		ctx = NULL;
	}
	EVP_MAC_free(mac);
	return ctx;
}

const EVP_MAC_CTX *ike_fetched_hmac(const char *digest)
{
	static struct slot slots[] = {
		{.name = "SHA2-256"}, {.name = "SHA2-384"}, {.name = "SHA2-512"}, {.name = "MD5"},
	};
	struct slot *slot = slot_of(slots, COUNT(slots), digest);
	void *found = slot ? slot->found : NULL;
	EVP_MAC_CTX *fresh;

	if (found || !slot)
		return found;
	fresh = make_hmac(digest);
	if (!settle(slot, fresh, &found))
		EVP_MAC_CTX_free(fresh);
	return found;
}
