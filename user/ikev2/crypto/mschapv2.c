// SPDX-License-Identifier: MIT
/* MS-CHAP-V2: responses, the server's proof, session keys. */
#include "ikev2/crypto/hash.h"
#include "ikev2/crypto/mschapv2.h"

#include <string.h>

enum {
	SHA1_LEN = 20,
	PARTS_MAX = 4,
	MASTER_LEN = 16, /* RFC 3079 section 3.4 */
	PAD_LEN = 40,	 /* likewise, SHSpad1 and SHSpad2 */
	PAD2 = 0xf2,
	UTF16_MAX = 2 * IKE_MSCHAP_PASSWORD_MAX,
	CODE_POINT_MAX = 0x10ffff,
	SURROGATES = 0xd800,
	SURROGATES_END = 0xdfff,
	BEYOND = 0x10000, /* takes two of UTF-16's units */
};

/* Constants of RFC 2759 section 8.7. */
static const char magic1[] = "Magic server to client signing constant",
		  magic2[] = "Pad to make it do more than one iteration";
/* Of RFC 3079 section 3.4. */
static const char master_magic[] = "This is the MPPE Master Key";
static const char client_sends[] = "On the client side, this is the send key; on the server side, "
				   "it is the receive key.",
		  server_sends[] = "On the client side, this is the receive key; on the server "
				   "side, it is the send key.";

static struct ike_bytes text(const char *s)
{
	return ike_bytes(s, strlen(s));
}

static bool sha1(const struct ike_bytes *parts, size_t n, uint8_t digest[SHA1_LEN],
		 struct ike_error *err)
{
	return ike_hash_parts("SHA1", parts, n, digest, err);
}

/* The code point at the front; SURROGATES: there is none. */
static uint32_t utf8_get(struct ike_cursor *c)
{
	static const uint32_t least[] = {0, 0x80, 0x800, BEYOND};
	uint8_t first = ike_get8(c);
	unsigned int more = first < 0x80 ? 0 : first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3;
	uint32_t point = more ? first & (0x3f >> more) : first;

	if ((first & 0xc0) == 0x80 || first >= 0xf8)
		return SURROGATES;
	for (unsigned int i = 0; i < more; i++) {
		uint8_t next = ike_get8(c);

		if (c->bad || (next & 0xc0) != 0x80)
			return SURROGATES;
		point = point << 6 | (next & 0x3f);
	}
	if (point < least[more] || point > CODE_POINT_MAX ||
	    (point >= SURROGATES && point <= SURROGATES_END))
		return SURROGATES;
	return point;
}

static void put_unit(struct ike_writer *w, uint16_t unit)
{
	ike_put8(w, unit);
	ike_put8(w, unit >> 8);
}

static bool to_utf16(struct ike_bytes utf8, struct ike_writer *w, struct ike_error *err)
{
	struct ike_cursor c = ike_cursor(utf8);

	while (c.rest.len) {
		uint32_t point = utf8_get(&c);

		if (point == SURROGATES)
			return ike_fail(err, "the password is not UTF-8");
		if (point >= BEYOND) {
			put_unit(w, SURROGATES | (point - BEYOND) >> 10);
			put_unit(w, 0xdc00 | ((point - BEYOND) & 0x3ff));
		} else {
			put_unit(w, point);
		}
	}
	return !w->overflow || ike_fail(err, "the password is longer than %d characters",
					IKE_MSCHAP_PASSWORD_MAX);
}

bool ike_mschap_hash(const struct ike_legacy *l, struct ike_bytes password,
		     uint8_t hash[IKE_MSCHAP_HASH_LEN], struct ike_error *err)
{
	uint8_t buf[UTF16_MAX];
	struct ike_writer w;
	bool ok;

	ike_writer_init(&w, buf, sizeof(buf));
	ok = to_utf16(password, &w, err) && ike_md4(l, ike_written(&w), hash, err);
	ike_wipe(buf, sizeof(buf));
	return ok;
}

/* RFC 2759 section 8.2: the first 8 bytes are meant. */
static bool challenge_hash(const struct ike_mschap *m, uint8_t digest[SHA1_LEN],
			   struct ike_error *err)
{
	return sha1((struct ike_bytes[]){ike_bytes(m->peer, sizeof(m->peer)),
					 ike_bytes(m->authenticator, sizeof(m->authenticator)),
					 m->user}, 3, digest, err);
}

bool ike_mschap_response(const struct ike_legacy *l, const struct ike_mschap *m,
			 uint8_t response[IKE_MSCHAP_RESPONSE_LEN], struct ike_error *err)
{
	uint8_t challenge[SHA1_LEN], keys[3 * IKE_DES_KEY_LEN] = {0};
	bool ok = challenge_hash(m, challenge, err);

	/* RFC 2759 section 8.5: 16 bytes of hash and 5 of zeros are three keys. */
	memcpy(keys, m->hash, sizeof(m->hash));
	for (unsigned int i = 0; ok && i < 3; i++)
		ok = ike_des(l, keys + i * IKE_DES_KEY_LEN, challenge,
			     response + i * IKE_DES_BLOCK, err);
	ike_wipe(keys, sizeof(keys));
	return ok;
}

bool ike_mschap_proof(const struct ike_legacy *l, const struct ike_mschap *m,
		      const uint8_t response[IKE_MSCHAP_RESPONSE_LEN],
		      char proof[IKE_MSCHAP_PROOF_LEN], struct ike_error *err)
{
	static const char digits[] = "0123456789ABCDEF";
	uint8_t twice[IKE_MSCHAP_HASH_LEN], digest[SHA1_LEN], challenge[SHA1_LEN];
	bool ok;

	ok = ike_md4(l, ike_bytes(m->hash, sizeof(m->hash)), twice, err) &&
	     sha1((struct ike_bytes[]){ike_bytes(twice, sizeof(twice)),
				       ike_bytes(response, IKE_MSCHAP_RESPONSE_LEN), text(magic1)},
		  3, digest, err) &&
	     challenge_hash(m, challenge, err) &&
	     sha1((struct ike_bytes[]){ike_bytes(digest, sizeof(digest)),
				       ike_bytes(challenge, IKE_DES_BLOCK), text(magic2)},
		  3, digest, err);
	ike_wipe(twice, sizeof(twice));
	memcpy(proof, "S=", 2);
	for (unsigned int i = 0; ok && i < SHA1_LEN; i++) {
		proof[2 + 2 * i] = digits[digest[i] >> 4];
		proof[3 + 2 * i] = digits[digest[i] & 0xf];
	}
	return ok;
}

/* RFC 3079 section 3.4, GetAsymmetricStartKey. */
static bool start_key(const uint8_t master[SHA1_LEN], const char *magic, uint8_t *key,
		      struct ike_error *err)
{
	uint8_t pad1[PAD_LEN] = {0}, pad2[PAD_LEN], digest[SHA1_LEN];
	bool ok;

	memset(pad2, PAD2, sizeof(pad2));
	ok = sha1((struct ike_bytes[]){ike_bytes(master, MASTER_LEN), ike_bytes(pad1, PAD_LEN),
				       text(magic), ike_bytes(pad2, PAD_LEN)}, PARTS_MAX, digest,
		  err);
	memcpy(key, digest, IKE_MSCHAP_KEY_LEN);
	ike_wipe(digest, sizeof(digest));
	return ok;
}

bool ike_mschap_msk(const struct ike_legacy *l, const struct ike_mschap *m,
		    const uint8_t response[IKE_MSCHAP_RESPONSE_LEN], struct ike_key *msk,
		    struct ike_error *err)
{
	uint8_t twice[IKE_MSCHAP_HASH_LEN], master[SHA1_LEN];
	bool ok;

	*msk = (struct ike_key){.len = IKE_MSCHAP_MSK_LEN};
	ok = ike_md4(l, ike_bytes(m->hash, sizeof(m->hash)), twice, err) &&
	     sha1((struct ike_bytes[]){ike_bytes(twice, sizeof(twice)),
				       ike_bytes(response, IKE_MSCHAP_RESPONSE_LEN),
				       text(master_magic)}, 3, master, err) &&
	     start_key(master, client_sends, msk->bytes, err) &&
	     start_key(master, server_sends, msk->bytes + IKE_MSCHAP_KEY_LEN, err);
	ike_wipe(twice, sizeof(twice));
	ike_wipe(master, sizeof(master));
	return ok;
}
