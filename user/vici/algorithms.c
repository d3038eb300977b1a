// SPDX-License-Identifier: MIT
/* The reply of get-algorithms: what can be negotiated, and who computes it. */
#include <string.h>

#include "../ikev2/transforms.h"
#include "../ikev2/wire/wire.h"
#include "names.h"
#include "status.h"

/* README "get-algorithms()". */
static const struct {
	const char *name;
	uint8_t type;
	bool aead;
} kinds[] = {
	{ "encryption", IKE_TRANSFORM_ENCR, false }, { "aead", IKE_TRANSFORM_ENCR, true },
	{ "integrity", IKE_TRANSFORM_INTEG, false }, { "prf", IKE_TRANSFORM_PRF, false },
	{ "ke", IKE_TRANSFORM_KE, false },
};

static const char *provider(const struct ike_transform *t)
{
	bool ike = ike_transform_supported(IKE_PROTO_IKE, t);
	bool esp = t->type == IKE_TRANSFORM_ENCR && ike_transform_supported(IKE_PROTO_ESP, t);

	if (!ike && !esp)
		return NULL;
	return !esp ? "openssl" : !ike ? "kernel" : "openssl, kernel";
}

/* Transforms have several words and key sizes; each algorithm is listed once. */
static bool told_before(size_t i, const struct ike_transform *t)
{
	struct ike_transform other;
	const char *word;
	size_t k;

	for (k = 0; k < i; k++) {
		word = ike_transform_word(k);
		if (ike_transform_parse(word, strlen(word), &other) && other.type == t->type &&
		    other.id == t->id && provider(&other))
			return true;
	}
	return false;
}

void vici_put_algorithms(struct vici_builder *b)
{
	char name[VICI_ALG_MAX];
	struct ike_transform t;
	const char *word;
	size_t k, i;

	for (k = 0; k < sizeof(kinds) / sizeof(*kinds); k++) {
		vici_section(b, kinds[k].name);
		for (i = 0; i < ike_transform_words(); i++) {
			word = ike_transform_word(i);
			if (!ike_transform_parse(word, strlen(word), &t) || !t.id ||
			    t.type != kinds[k].type || !provider(&t) || told_before(i, &t) ||
			    (t.type == IKE_TRANSFORM_ENCR && ike_transform_aead(&t) != kinds[k].aead))
				continue;
			vici_str(b, vici_alg_name(t.type, t.id, name), provider(&t));
		}
		vici_section_end(b);
	}
}
