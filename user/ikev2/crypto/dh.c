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

#define GROUP(ike_id, openssl, kind, draw, public, answer, secret) \
	.id = IKE_KE_##ike_id, .draw_len = draw, .public_len = public, .answer_len = answer, \
	.secret_len = secret, .name = openssl, .generate = ike_dh_##kind##_generate, \
	.derive = ike_dh_##kind##_derive
#define DH(id, name, kind, draw, public, secret) \
	{GROUP(id, name, kind, draw, public, public, secret)}
#define ML_KEM(bits, public, answer) \
	{GROUP(ML_KEM_##bits, "ML-KEM-" #bits, mlkem, IKE_ML_KEM_SEED_LEN, public, answer, \
	       IKE_ML_KEM_SECRET_LEN), \
	 .encapsulate = ike_dh_mlkem_encapsulate}

static const struct ike_dh_group *find(uint16_t id)
{
	/*
	 * Draws: X25519 and X448 take any bytes (RFC 7748 section 5). ECP draws 64 bits more than
	 * the order has, so that the remainder's bias does not matter (FIPS 186-5 A.2.1). MODP
	 * exponents have the greater of the lengths of RFC 3526 section 8.
	 */
	static const struct ike_dh_group groups[] = {
		DH(CURVE25519, "X25519", xdh, 32, 32, 32),
		DH(CURVE448, "X448", xdh, 56, 56, 56),
		DH(ECP_256, "P-256", ecp, 40, 64, 32),
		DH(ECP_384, "P-384", ecp, 56, 96, 48),
		DH(ECP_521, "P-521", ecp, 74, 132, 66),
		DH(MODP_2048, "modp_2048", modp, 40, 256, 256),
		DH(MODP_3072, "modp_3072", modp, 53, 384, 384),
		DH(MODP_4096, "modp_4096", modp, 60, 512, 512),
		/* FIPS 203 section 8, table 3. */
		ML_KEM(512, 800, 768),
		ML_KEM(768, 1184, 1088),
		ML_KEM(1024, 1568, 1568),
	};

	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++)
		if (groups[i].id == id)
			return &groups[i];
	return NULL;
}

const struct ike_dh_group *ike_dh_find(uint16_t id)
{
	const struct ike_dh_group *g = find(id);

	return g && g->encapsulate && !ike_dh_mlkem_there(g) ? NULL : g;
}

bool ike_dh_is_kem(uint16_t id)
{
	const struct ike_dh_group *g = find(id);

	return g && g->encapsulate;
}

const char *ike_dh_library(void)
{
	return OpenSSL_version(OPENSSL_VERSION);
}

uint16_t ike_dh_id(const struct ike_dh_group *g)
{
	return g->id;
}

size_t ike_dh_public_len(const struct ike_dh_group *g)
{
	return g->public_len;
}

size_t ike_dh_answer_len(const struct ike_dh_group *g)
{
	return g->answer_len;
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

static bool check_len(const struct ike_dh_group *g, struct ike_bytes peer, size_t len,
		      struct ike_error *err)
{
	return peer.len == len ||
	       ike_fail_notify(err, IKE_NOTIFY_INVALID_SYNTAX,
			       "KE payload: %s: the peer's public value has %zu bytes "
			       "where %zu are needed", g->name, peer.len, len);
}

bool ike_dh_derive(const struct ike_dh_key *k, struct ike_bytes peer, struct ike_secret *out,
		   struct ike_error *err)
{
	const struct ike_dh_group *g = k->group;

	out->len = 0;
	if (!k->pub_len)
		return ike_fail(err, "%s: derive before generate", g->name);
	return check_len(g, peer, ike_dh_answer_len(g), err) && g->derive(k, peer, out, err);
}

bool ike_dh_respond(struct ike_dh_key *k, struct ike_bytes peer, struct ike_secret *out,
		    struct ike_error *err)
{
	const struct ike_dh_group *g = k->group;

	out->len = 0;
	if (!check_len(g, peer, g->public_len, err))
		return false;
	if (!g->encapsulate)
		return ike_dh_generate(k, err) && ike_dh_derive(k, peer, out, err);
	k->pub_len = g->answer_len;
	if (g->encapsulate(k, peer, out, err))
		return true;
	ike_dh_clear(k);
	return false;
}

void ike_dh_clear(struct ike_dh_key *k)
{
	const struct ike_dh_group *g = k->group;

	ike_wipe(k, sizeof(*k));
	k->group = g;
}
