// SPDX-License-Identifier: MIT
/* Key exchange: the table of groups, and what all kinds of them share. */
#include "ikev2/crypto/dh.h"

#include <openssl/crypto.h>

#include "ikev2/crypto/dh_kind.h"

bool ike_dh_openssl_failed(const struct ike_dh_group *g, const char *step, struct ike_error *err)
{
	return ike_fail(err, "%s: OpenSSL could not %s", g->name, step);
}

bool ike_dh_peer_failed(const struct ike_dh_group *g, const char *why, struct ike_error *err)
{
	return ike_fail_notify(err, IKE_NOTIFY_INVALID_SYNTAX,
			       "KE payload: %s: the peer's public value %s", g->name, why);
}

static bool all_zero(const struct ike_secret *s)
{
	uint8_t any = 0;

	for (size_t i = 0; i < s->len; i++)
		any |= s->bytes[i];
	return !any;
}

bool ike_dh_evp_derive(const struct ike_dh_group *g, EVP_PKEY *own, EVP_PKEY *peer,
		       const OSSL_PARAM *params, struct ike_secret *out, struct ike_error *err)
{
	EVP_PKEY_CTX *ctx = own && peer ? EVP_PKEY_CTX_new_from_pkey(NULL, own, NULL) : NULL;
	size_t len = sizeof(out->bytes);
	bool ready, ok;

	/* No second validation: each kind has checked the peer's value before. */
	ready = ctx && EVP_PKEY_derive_init_ex(ctx, params) == 1 &&
		EVP_PKEY_derive_set_peer_ex(ctx, peer, 0) == 1;
	ok = ready && EVP_PKEY_derive(ctx, out->bytes, &len) == 1;
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(own);
	EVP_PKEY_free(peer);
	out->len = g->secret_len;
	if (ok && len == g->secret_len && !all_zero(out))
		return true;
	ike_secret_clear(out);
	if (!ready)
		return ike_dh_openssl_failed(g, "set the keys up", err);
	/* RFC 7748 section 6: X25519 and X448 fail on points of small order, and only then. */
	return ike_dh_peer_failed(g, "gives no secret (point of small order)", err);
}

const struct ike_dh_group *ike_dh_find(uint16_t id)
{
	/*
	 * Draws: X25519 and X448 take any bytes (RFC 7748 section 5). ECP draws 64 bits more than
	 * the order has, so that the remainder's bias does not matter (FIPS 186-5 A.2.1). MODP
	 * exponents have the greater of the lengths of RFC 3526 section 8.
	 */
	static const struct ike_dh_group groups[] = {
		{IKE_KE_CURVE25519, 32, 32, 32, "X25519", ike_dh_xdh_generate, ike_dh_xdh_derive},
		{IKE_KE_CURVE448, 56, 56, 56, "X448", ike_dh_xdh_generate, ike_dh_xdh_derive},
		{IKE_KE_ECP_256, 40, 64, 32, "P-256", ike_dh_ecp_generate, ike_dh_ecp_derive},
		{IKE_KE_ECP_384, 56, 96, 48, "P-384", ike_dh_ecp_generate, ike_dh_ecp_derive},
		{IKE_KE_ECP_521, 74, 132, 66, "P-521", ike_dh_ecp_generate, ike_dh_ecp_derive},
		{IKE_KE_MODP_2048, 40, 256, 256, "modp_2048", ike_dh_modp_generate,
		 ike_dh_modp_derive},
		{IKE_KE_MODP_3072, 53, 384, 384, "modp_3072", ike_dh_modp_generate,
		 ike_dh_modp_derive},
		{IKE_KE_MODP_4096, 60, 512, 512, "modp_4096", ike_dh_modp_generate,
		 ike_dh_modp_derive},
	};

	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++)
		if (groups[i].id == id)
			return &groups[i];
	return NULL;
}

uint16_t ike_dh_id(const struct ike_dh_group *g)
{
	return g->id;
}

size_t ike_dh_public_len(const struct ike_dh_group *g)
{
	return g->public_len;
}

size_t ike_dh_secret_len(const struct ike_dh_group *g)
{
	return g->secret_len;
}

void ike_dh_draw(struct ike_dh_key *k, const struct ike_dh_group *g, const struct ike_random *r)
{
	*k = (struct ike_dh_key){.group = g, .priv.len = g->draw_len};
	ike_random_fill(r, k->priv.bytes, g->draw_len);
}

bool ike_dh_generate(struct ike_dh_key *k, struct ike_error *err)
{
	k->pub_len = k->group->public_len;
	if (k->group->generate(k, err))
		return true;
	ike_dh_clear(k);
	return false;
}

bool ike_dh_derive(const struct ike_dh_key *k, struct ike_bytes peer, struct ike_secret *out,
		   struct ike_error *err)
{
	const struct ike_dh_group *g = k->group;

	out->len = 0;
	if (!k->pub_len)
		return ike_fail(err, "%s: derive before generate", g->name);
	if (peer.len != g->public_len)
		return ike_fail_notify(err, IKE_NOTIFY_INVALID_SYNTAX,
				       "KE payload: %s: the peer's public value has %zu bytes "
				       "where %u are needed",
				       g->name, peer.len, g->public_len);
	return g->derive(k, peer, out, err);
}

void ike_dh_clear(struct ike_dh_key *k)
{
	const struct ike_dh_group *g = k->group;

	ike_wipe(k, sizeof(*k));
	k->group = g;
}
