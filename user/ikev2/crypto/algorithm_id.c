// SPDX-License-Identifier: MIT
/* AlgorithmIdentifiers, written and compared. */
#include "ikev2/crypto/algorithm_id.h"

enum {
	DER_SEQUENCE = 0x30,
	DER_OID = 0x06,
	DER_NULL = 0x05,
	DER_INTEGER = 0x02,
	DER_CONTEXT = 0xa0, /* constructed; the number is added */
	TRAILER_FIELD_BC = 1,	/* RFC 4055 section 3.1 */
	OID_MAX = 9,
};

/*
 * RFC 4055 section 2.1: the parameters of a hash or of PKCS #1 v1.5 are NULL, but who leaves them
 * out must be understood. Section 3.1: the trailer field is left out, being the default, though
 * the examples of RFC 7427 appendix A.4 have it.
 */
enum {
	WITHOUT_NULL = 1,
	WITH_TRAILER = 2,
	VARIANTS = 4
};

struct oid {
	uint8_t len, bytes[OID_MAX];
};

static const struct oid oids[IKE_SCHEMES] = {
	/* pkcs-1 11, 12, 13 (RFC 4055 section 5) */
	[IKE_SCHEME_RSA_SHA2_256] = { 9, { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 11 } },
	[IKE_SCHEME_RSA_SHA2_384] = { 9, { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 12 } },
	[IKE_SCHEME_RSA_SHA2_512] = { 9, { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 13 } },
	/* id-RSASSA-PSS, pkcs-1 10 (RFC 4055 section 3) */
	[IKE_SCHEME_PSS_SHA2_256] = { 9, { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 10 } },
	[IKE_SCHEME_PSS_SHA2_384] = { 9, { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 10 } },
	[IKE_SCHEME_PSS_SHA2_512] = { 9, { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 10 } },
	/* ecdsa-with-SHA256, -SHA384, -SHA512 (RFC 5758 section 3.2) */
	[IKE_SCHEME_ECDSA_SHA2_256] = { 8, { 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2 } },
	[IKE_SCHEME_ECDSA_SHA2_384] = { 8, { 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 3 } },
	[IKE_SCHEME_ECDSA_SHA2_512] = { 8, { 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 4 } },
	/* id-Ed25519, id-Ed448 (RFC 8420 appendix A) */
	[IKE_SCHEME_ED25519] = { 3, { 0x2b, 0x65, 0x70 } },
	[IKE_SCHEME_ED448] = { 3, { 0x2b, 0x65, 0x71 } },
};

/* All lengths are below 128: one byte each. */
static size_t open_der(struct ike_writer *w, uint8_t tag)
{
	ike_put8(w, tag);
	ike_put8(w, 0);
	return w->len;
}

static void close_der(struct ike_writer *w, size_t mark)
{
	ike_patch8(w, mark - 1, w->len - mark);
}

static void put_oid(struct ike_writer *w, const struct oid *oid)
{
	ike_put8(w, DER_OID);
	ike_put8(w, oid->len);
	ike_put(w, ike_bytes(oid->bytes, oid->len));
}

static void put_null(struct ike_writer *w, unsigned int variant)
{
	if (variant & WITHOUT_NULL)
		return;
	ike_put8(w, DER_NULL);
	ike_put8(w, 0);
}

/* id-sha256, -384, -512: their last arc is 1, 2, 3 (RFC 4055 section 2.1). */
static void put_hash(struct ike_writer *w, enum ike_hash hash, unsigned int variant)
{
	struct oid oid = { 9, { 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2,
				hash - IKE_HASH_SHA2_256 + 1 } };
	size_t mark = open_der(w, DER_SEQUENCE);

	put_oid(w, &oid);
	put_null(w, variant);
	close_der(w, mark);
}

/* pkcs-1 8 (RFC 4055 section 2.2), with the same hash. */
static void put_mgf1(struct ike_writer *w, enum ike_hash hash, unsigned int variant)
{
	static const struct oid mgf1 = { 9, { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 8 } };
	size_t mark = open_der(w, DER_SEQUENCE);

	put_oid(w, &mgf1);
	put_hash(w, hash, variant);
	close_der(w, mark);
}

static void put_small_integer(struct ike_writer *w, uint8_t value)
{
	ike_put8(w, DER_INTEGER);
	ike_put8(w, 1);
	ike_put8(w, value);
}

/* RSASSA-PSS-params (RFC 4055 section 3.1); the salt is as long as the hash: 32, 48, 64 bytes. */
static void put_pss(struct ike_writer *w, enum ike_hash hash, unsigned int variant)
{
	size_t params = open_der(w, DER_SEQUENCE), mark;

	mark = open_der(w, DER_CONTEXT + 0);
	put_hash(w, hash, variant);
	close_der(w, mark);
	mark = open_der(w, DER_CONTEXT + 1);
	put_mgf1(w, hash, variant);
	close_der(w, mark);
	mark = open_der(w, DER_CONTEXT + 2);
	put_small_integer(w, 16 * hash);
	close_der(w, mark);
	if (variant & WITH_TRAILER) {
		mark = open_der(w, DER_CONTEXT + 3);
		put_small_integer(w, TRAILER_FIELD_BC);
		close_der(w, mark);
	}
	close_der(w, params);
}

static void put_variant(struct ike_writer *w, enum ike_scheme s, unsigned int variant)
{
	size_t mark = open_der(w, DER_SEQUENCE);

	put_oid(w, &oids[s]);
	if (ike_scheme_is_pss(s))
		put_pss(w, ike_scheme_hash(s), variant);
	else if (ike_scheme_kind(s) == IKE_PKEY_RSA)
		put_null(w, variant);
	close_der(w, mark);
}

void ike_algorithm_id_put(struct ike_writer *w, enum ike_scheme s)
{
	put_variant(w, s, 0);
}

bool ike_algorithm_id_find(struct ike_bytes der, enum ike_scheme *s)
{
	uint8_t buf[IKE_ALGORITHM_ID_MAX];
	struct ike_writer w;

	for (unsigned int i = 0; i < IKE_SCHEMES * VARIANTS; i++) {
		*s = i / VARIANTS;
		if (!oids[*s].len)
			continue;
		ike_writer_init(&w, buf, sizeof(buf));
		put_variant(&w, *s, i % VARIANTS);
		if (!w.overflow && ike_bytes_equal(der, ike_written(&w)))
			return true;
	}
	return false;
}
