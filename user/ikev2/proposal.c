// SPDX-License-Identifier: MIT
/*
 * Lists of proposals: reading swanctl's syntax, printing it, the wire form (RFC 7296 section 3.3).
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "ikev2/crypto/dh.h"
#include "ikev2/proposal.h"
#include "ikev2/transforms.h"
#include "ikev2/wire/decode.h"

enum {
	WORD_TEXT_MAX = 32
};

/* What strongSwan offers by default and is supported here, but longer keys first. */
static const char ike_default[] = "aes256gcm16-aes192gcm16-aes128gcm16-chacha20poly1305-"
				  "prfsha256-prfsha384-prfsha512-"
				  "x25519-ecp256-ecp384-ecp521-x448-modp3072-modp4096-modp2048,"
				  "aes256-aes192-aes128-sha256-sha384-sha512-"
				  "x25519-ecp256-ecp384-ecp521-x448-modp3072-modp4096-modp2048";
static const char esp_default[] = "aes256gcm16-aes192gcm16-aes128gcm16,"
				  "aes256-aes192-aes128-sha256-sha384-sha512";

static bool append(struct ike_proposal_list *list, const struct ike_proposal *p,
		   struct ike_error *err)
{
	struct ike_proposal *items;

	if (list->n == IKE_PROPOSALS_MAX)
		return ike_fail(err, "more than %d proposals", IKE_PROPOSALS_MAX);
	items = realloc(list->items, (list->n + 1) * sizeof(*items));
	if (!items)
		return ike_fail(err, "out of memory");
	list->items = items;
	items[list->n] = *p;
	items[list->n].number = list->n + 1;
	list->n++;
	return true;
}

void ike_proposal_list_clear(struct ike_proposal_list *list)
{
	free(list->items);
	list->items = NULL;
	list->n = 0;
}

bool ike_proposal_list_copy(struct ike_proposal_list *to, const struct ike_proposal_list *from)
{
	to->n = 0;
	to->items = NULL;
	if (!from->n)
		return true;
	to->items = malloc(from->n * sizeof(*to->items));
	if (!to->items)
		return false;
	memcpy(to->items, from->items, from->n * sizeof(*to->items));
	to->n = from->n;
	return true;
}

static bool has_type(const struct ike_proposal *p, uint8_t type)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->transforms[i].type == type)
			return true;
	return false;
}

static bool add_transform(struct ike_proposal *p, const struct ike_transform *t,
			  struct ike_error *err)
{
	for (size_t i = 0; i < p->n; i++)
		if (ike_transform_same(&p->transforms[i], t))
			return true;
	if (p->n == IKE_PROPOSAL_TRANSFORMS_MAX)
		return ike_fail(err, "more than %d algorithms", IKE_PROPOSAL_TRANSFORMS_MAX);
	p->transforms[p->n++] = *t;
	return true;
}

static bool refuse_word(const char *word, size_t len, struct ike_error *err)
{
	size_t prefix = ike_transform_prefix(word, len);
	struct ike_transform t;
	char text[WORD_TEXT_MAX];
	const char *nearest;

	if (prefix && ike_transform_parse(word + prefix, len - prefix, &t))
		return ike_fail(err, "algorithm \"%.*s\": that is no key exchange", (int)len, word);
	if (len >= sizeof(text))
		return ike_fail(err, "algorithm \"%.20s...\" is unknown", word);
	memcpy(text, word, len);
	text[len] = '\0';
	nearest = ike_text_nearest(text + prefix, ike_transform_word, ike_transform_words());
	return nearest ? ike_fail(err, "algorithm \"%s\" is unknown; the nearest is \"%.*s%s\"",
				  text, (int)prefix, text, nearest)
		       : ike_fail(err, "algorithm \"%s\" is unknown", text);
}

static bool parse_word(struct ike_proposal *p, const char *word, size_t len, struct ike_error *err)
{
	struct ike_transform t;

	if (!len)
		return ike_fail(err, "an algorithm is missing between two \"-\"");
	if (!ike_transform_parse(word, len, &t))
		return refuse_word(word, len, err);
	/* ESP has no PRF; but one proposal is often written for both, and strongSwan allows it. */
	if (p->protocol == IKE_PROTO_ESP && t.type == IKE_TRANSFORM_PRF)
		return true;
	if (ike_transform_supported(p->protocol, &t))
		return add_transform(p, &t, err);
	if (p->protocol == IKE_PROTO_IKE && t.type == IKE_TRANSFORM_ESN)
		return ike_fail(err, "\"%.*s\": sequence numbers are for ESP, not for IKE",
				(int)len, word);
	if (ike_transform_is_ke(t.type) && ike_dh_is_kem(t.id))
		return ike_fail(err,
				"algorithm \"%.*s\" needs OpenSSL 3.5 or later, and this is %s",
				(int)len, word, ike_dh_library());
	return ike_fail(err, "algorithm \"%.*s\" is known but not supported", (int)len, word);
}

static bool parse_words(struct ike_proposal *p, const char *text, size_t len, struct ike_error *err)
{
	const char *end = text + len;

	for (;;) {
		const char *dash = memchr(text, '-', end - text);

		if (!parse_word(p, text, (dash ? dash : end) - text, err))
			return false;
		if (!dash)
			return true;
		text = dash + 1;
	}
}

/* "sha256" names the PRF as well, unless one is named itself. */
static bool add_implied_prfs(struct ike_proposal *p, struct ike_error *err)
{
	size_t n = p->n;

	if (has_type(p, IKE_TRANSFORM_PRF))
		return true;
	for (size_t i = 0; i < n; i++) {
		struct ike_transform prf = {.type = IKE_TRANSFORM_PRF};

		if (p->transforms[i].type != IKE_TRANSFORM_INTEG)
			continue;
		prf.id = ike_transform_prf_of_integ(p->transforms[i].id);
		if (prf.id && !add_transform(p, &prf, err))
			return false;
	}
	return true;
}

/*
 * The part of @p whose ciphers do, or do not, bring integrity of their own. A word such as "sha256"
 * beside nothing but the former has only named the PRF, for IKE, or nothing: so does strongSwan.
 */
static void take_kind(const struct ike_proposal *p, bool aead, struct ike_proposal *out)
{
	*out = *p;
	out->n = 0;
	for (size_t i = 0; i < p->n; i++) {
		const struct ike_transform *t = &p->transforms[i];

		if (t->type == IKE_TRANSFORM_ENCR && ike_transform_aead(t) != aead)
			continue;
		if (t->type == IKE_TRANSFORM_INTEG && aead)
			continue;
		out->transforms[out->n++] = *t;
	}
}

bool ike_proposal_adds_ke(const struct ike_proposal *p)
{
	for (size_t i = 0; i < p->n; i++)
		if (ike_transform_is_addke(p->transforms[i].type))
			return true;
	return false;
}

bool ike_proposal_has_addke(const struct ike_proposal_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		if (ike_proposal_adds_ke(&list->items[i]))
			return true;
	return false;
}

/* Would a peer with the very same proposal find anything to choose? */
static bool may_be_chosen(const struct ike_proposal *p)
{
	struct ike_proposal copy = *p;
	const struct ike_proposal_list list = {.items = &copy, .n = 1};
	struct ike_suite suite;

	return !ike_proposal_adds_ke(p) ||
	       ike_proposal_select(&list, &list, &(struct ike_select){0}, &suite);
}

static bool judge(const struct ike_proposal *p, struct ike_error *err)
{
	struct ike_proposal plain;

	take_kind(p, false, &plain);
	if (!has_type(p, IKE_TRANSFORM_ENCR))
		return ike_fail(err, "no encryption algorithm");
	if (has_type(&plain, IKE_TRANSFORM_ENCR) && !has_type(p, IKE_TRANSFORM_INTEG))
		return ike_fail(
			err,
			"no integrity algorithm, such as sha256, for a cipher without its own");
	if (ike_proposal_adds_ke(p) && !has_type(p, IKE_TRANSFORM_KE))
		return ike_fail(err, "additional key exchanges, but no first one, such as x25519");
	if (!may_be_chosen(p))
		return ike_fail(err,
				"no key exchange may come twice, and there is no other choice");
	if (p->protocol != IKE_PROTO_IKE)
		return true;
	if (!has_type(p, IKE_TRANSFORM_PRF))
		return ike_fail(err, "no PRF, such as prfsha256");
	if (!has_type(p, IKE_TRANSFORM_KE))
		return ike_fail(err, "no key exchange, such as x25519");
	return true;
}

static bool complete(struct ike_proposal *p, struct ike_error *err)
{
	const struct ike_transform no_esn = {.type = IKE_TRANSFORM_ESN, .id = IKE_ESN_NO};

	if (p->protocol == IKE_PROTO_IKE)
		return add_implied_prfs(p, err);
	return has_type(p, IKE_TRANSFORM_ESN) || add_transform(p, &no_esn, err);
}

static bool parse_one(struct ike_proposal_list *list, uint8_t protocol, const char *text,
		      size_t len, struct ike_error *err)
{
	struct ike_proposal p = {.protocol = protocol}, part;

	if (!parse_words(&p, text, len, err) || !complete(&p, err) || !judge(&p, err))
		return ike_fail_at(err, "proposal \"%.*s\"", (int)len, text);
	for (int aead = 1; aead >= 0; aead--) {
		take_kind(&p, aead, &part);
		if (has_type(&part, IKE_TRANSFORM_ENCR) && !append(list, &part, err))
			return false;
	}
	return true;
}

static bool parse_list(struct ike_proposal_list *list, uint8_t protocol, const char *text,
		       struct ike_error *err)
{
	while (text) {
		const char *begin = text + strspn(text, " \t"), *comma = strchr(begin, ',');
		size_t len = comma ? (size_t)(comma - begin) : strlen(begin);

		text = comma ? comma + 1 : NULL;
		while (len && isspace((unsigned char)begin[len - 1]))
			len--;
		if (!len)
			return ike_fail(err, "a proposal is missing");
		if (len == strlen("default") && !strncasecmp(begin, "default", len)) {
			if (!parse_list(list, protocol,
					protocol == IKE_PROTO_IKE ? ike_default : esp_default, err))
				return false;
		} else if (!parse_one(list, protocol, begin, len, err)) {
			return false;
		}
	}
	return true;
}

bool ike_proposal_list_parse(struct ike_proposal_list *list, uint8_t protocol, const char *text,
			     struct ike_error *err)
{
	size_t before = list->n;

	if (parse_list(list, protocol, text, err))
		return true;
	list->n = before;
	if (!before)
		ike_proposal_list_clear(list);
	return false;
}

/* A Key Length attribute; any other makes the transform one that nobody here knows. */
static bool decode_attributes(const struct ike_wire_transform *wire, struct ike_transform *t,
			      struct ike_error *err)
{
	struct ike_wire_attribute a;
	struct ike_attribute_iter it;
	enum ike_item item;

	ike_attribute_iter_init(&it, wire);
	while ((item = ike_attribute_next(&it, &a, err)) == IKE_ITEM_ONE) {
		if (a.type == IKE_ATTRIBUTE_KEY_LENGTH && a.tv)
			t->key_bits = a.value;
		else
			t->type = 0;
	}
	return item == IKE_ITEM_END;
}

static bool decode_transforms(const struct ike_wire_proposal *wire, struct ike_proposal *p,
			      struct ike_error *err)
{
	struct ike_wire_transform wire_t;
	struct ike_transform_iter it;
	enum ike_item item;

	ike_transform_iter_init(&it, wire);
	while ((item = ike_transform_next(&it, &wire_t, err)) == IKE_ITEM_ONE) {
		struct ike_transform t = {.type = wire_t.type, .id = wire_t.id};

		if (!decode_attributes(&wire_t, &t, err))
			return false;
		if (!add_transform(p, &t, err))
			return ike_fail_notify(err, IKE_NOTIFY_INVALID_SYNTAX,
					       "SA payload: proposal %u: more than %d transforms",
					       wire->number, IKE_PROPOSAL_TRANSFORMS_MAX);
	}
	return item == IKE_ITEM_END;
}

bool ike_proposal_list_decode(struct ike_proposal_list *list, struct ike_bytes body,
			      struct ike_error *err)
{
	struct ike_wire_proposal wire;
	struct ike_sa_iter it;
	enum ike_item item;

	ike_sa_iter_init(&it, body);
	while ((item = ike_sa_next(&it, &wire, err)) == IKE_ITEM_ONE) {
		struct ike_proposal p = {.protocol = wire.protocol, .spi_len = wire.spi.len};

		if (wire.spi.len > sizeof(p.spi)) {
			ike_fail_notify(err, IKE_NOTIFY_INVALID_SYNTAX,
					"SA payload: proposal %u: SPI of %zu bytes", wire.number,
					wire.spi.len);
			goto fail;
		}
		memcpy(p.spi, wire.spi.p, wire.spi.len);
		if (!decode_transforms(&wire, &p, err))
			goto fail;
		if (list->n == IKE_PROPOSALS_MAX)
			continue;
		if (!append(list, &p, err))
			goto fail;
		list->items[list->n - 1].number = wire.number;
	}
	if (item == IKE_ITEM_END)
		return true;
fail:
	ike_proposal_list_clear(list);
	return false;
}

void ike_put_proposals(struct ike_writer *w, const struct ike_proposal_list *list,
		       struct ike_bytes spi, bool without_ke)
{
	struct ike_sa_writer sa;

	ike_sa_begin(w, &sa);
	for (size_t i = 0; i < list->n; i++) {
		const struct ike_proposal *p = &list->items[i];

		ike_proposal_begin(w, &sa, i + 1, p->protocol, spi);
		for (size_t k = 0; k < p->n; k++) {
			const struct ike_transform *t = &p->transforms[k];

			if (!without_ke || !ike_transform_is_ke(t->type))
				ike_put_transform(w, &sa, t->type, t->id, t->key_bits);
		}
		ike_proposal_end(w, &sa);
	}
	ike_sa_end(w, &sa);
}

void ike_put_suite(struct ike_writer *w, const struct ike_suite *s, struct ike_bytes spi)
{
	struct ike_sa_writer sa;

	ike_sa_begin(w, &sa);
	ike_proposal_begin(w, &sa, s->number, s->protocol, spi);
	ike_put_transform(w, &sa, IKE_TRANSFORM_ENCR, s->encr, s->encr_bits);
	if (s->protocol == IKE_PROTO_IKE)
		ike_put_transform(w, &sa, IKE_TRANSFORM_PRF, s->prf, 0);
	if (s->has_integ)
		ike_put_transform(w, &sa, IKE_TRANSFORM_INTEG, s->integ, 0);
	if (s->has_ke)
		ike_put_transform(w, &sa, IKE_TRANSFORM_KE, s->ke, 0);
	for (unsigned int i = 0; i < IKE_ADDKE_MAX; i++)
		if (s->has_addke & 1u << i)
			ike_put_transform(w, &sa, IKE_TRANSFORM_ADDKE1 + i, s->addke[i], 0);
	if (s->has_esn)
		ike_put_transform(w, &sa, IKE_TRANSFORM_ESN, s->esn, 0);
	ike_proposal_end(w, &sa);
	ike_sa_end(w, &sa);
}

uint16_t ike_proposal_first_ke(const struct ike_proposal_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		for (size_t k = 0; k < list->items[i].n; k++)
			if (list->items[i].transforms[k].type == IKE_TRANSFORM_KE &&
			    list->items[i].transforms[k].id != IKE_KE_NONE)
				return list->items[i].transforms[k].id;
	return 0;
}

bool ike_proposal_has(const struct ike_proposal_list *list, uint8_t type, uint16_t id)
{
	for (size_t i = 0; i < list->n; i++)
		for (size_t k = 0; k < list->items[i].n; k++)
			if (list->items[i].transforms[k].type == type &&
			    list->items[i].transforms[k].id == id)
				return true;
	return false;
}

static void add_type(struct ike_text *text, const struct ike_proposal *p, uint8_t type)
{
	char word[WORD_TEXT_MAX];

	for (size_t i = 0; i < p->n; i++)
		if (p->transforms[i].type == type)
			ike_text_add(text, "%s%s", text->len ? "-" : "",
				     ike_transform_text(&p->transforms[i], word, sizeof(word)));
}

static bool offers_esn(const struct ike_proposal *p)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->transforms[i].type == IKE_TRANSFORM_ESN &&
		    p->transforms[i].id == IKE_ESN_YES)
			return true;
	return false;
}

char *ike_proposal_text(const struct ike_proposal *p, char *buf, size_t cap)
{
	char word[WORD_TEXT_MAX];
	struct ike_text text;

	ike_text_init(&text, buf, cap);
	add_type(&text, p, IKE_TRANSFORM_ENCR);
	add_type(&text, p, IKE_TRANSFORM_INTEG);
	add_type(&text, p, IKE_TRANSFORM_PRF);
	add_type(&text, p, IKE_TRANSFORM_KE);
	for (unsigned int i = 0; i < IKE_ADDKE_MAX; i++)
		add_type(&text, p, IKE_TRANSFORM_ADDKE1 + i);
	if (offers_esn(p))
		add_type(&text, p, IKE_TRANSFORM_ESN);
	for (size_t i = 0; i < p->n; i++)
		if (!p->transforms[i].type || p->transforms[i].type > IKE_TRANSFORM_ADDKE7)
			ike_text_add(&text, "%s%s", text.len ? "-" : "",
				     ike_transform_text(&p->transforms[i], word, sizeof(word)));
	return buf;
}

char *ike_proposal_list_text(const struct ike_proposal_list *list, char *buf, size_t cap)
{
	struct ike_text text;

	ike_text_init(&text, buf, cap);
	for (size_t i = 0; i < list->n && text.len + 2 < cap; i++) {
		if (i)
			ike_text_add(&text, ", ");
		ike_proposal_text(&list->items[i], buf + text.len, cap - text.len);
		text.len += strlen(buf + text.len);
	}
	if (!list->n)
		ike_text_add(&text, "(none)");
	return buf;
}

char *ike_suite_text(const struct ike_suite *s, char *buf, size_t cap)
{
	struct ike_proposal p = {.protocol = s->protocol};

	p.transforms[p.n++] = (struct ike_transform){IKE_TRANSFORM_ENCR, s->encr, s->encr_bits};
	if (s->integ != IKE_INTEG_NONE)
		p.transforms[p.n++] = (struct ike_transform){IKE_TRANSFORM_INTEG, s->integ, 0};
	if (s->protocol == IKE_PROTO_IKE)
		p.transforms[p.n++] = (struct ike_transform){IKE_TRANSFORM_PRF, s->prf, 0};
	if (s->ke != IKE_KE_NONE)
		p.transforms[p.n++] = (struct ike_transform){IKE_TRANSFORM_KE, s->ke, 0};
	for (unsigned int i = 0; i < IKE_ADDKE_MAX; i++)
		if (s->addke[i] != IKE_KE_NONE)
			p.transforms[p.n++] =
				(struct ike_transform){IKE_TRANSFORM_ADDKE1 + i, s->addke[i], 0};
	if (s->esn)
		p.transforms[p.n++] = (struct ike_transform){IKE_TRANSFORM_ESN, IKE_ESN_YES, 0};
	return ike_proposal_text(&p, buf, cap);
}
