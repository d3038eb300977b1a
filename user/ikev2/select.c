// SPDX-License-Identifier: MIT
/*
 * Choosing a proposal, checking a choice, explaining why there is none (RFC 7296
 * sections 2.7, 3.3).
 */
#include <string.h>

#include "ikev2/proposal.h"
#include "ikev2/transforms.h"

enum {
	WORD_TEXT_MAX = 32
};

/* In this order types are compared, and the first that fails is named. */
static const uint8_t types[] = {
	IKE_TRANSFORM_ENCR,   IKE_TRANSFORM_INTEG,  IKE_TRANSFORM_PRF,	  IKE_TRANSFORM_KE,
	IKE_TRANSFORM_ADDKE1, IKE_TRANSFORM_ADDKE2, IKE_TRANSFORM_ADDKE3, IKE_TRANSFORM_ADDKE4,
	IKE_TRANSFORM_ADDKE5, IKE_TRANSFORM_ADDKE6, IKE_TRANSFORM_ADDKE7, IKE_TRANSFORM_ESN,
};

enum {
	ENCR,
	INTEG,
	PRF,
	KE,
	ADDKE, /* the first of them */
	ESN = ADDKE + IKE_ADDKE_MAX,
	TYPES,
	TYPE_OTHER = TYPES,
	ALL_MATCH
};

static bool has_type(const struct ike_proposal *p, uint8_t type)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->transforms[i].type == type)
			return true;
	return false;
}

static bool holds(const struct ike_proposal *p, const struct ike_transform *t)
{
	for (size_t i = 0; i < p->n; i++)
		if (ike_transform_same(&p->transforms[i], t))
			return true;
	/*
	 * INTEG NONE, KE NONE and ESN "no" have the number 0, and need not be written
	 * (section 3.3.3).
	 */
	return !t->id && t->type != IKE_TRANSFORM_ENCR && t->type != IKE_TRANSFORM_PRF &&
	       !has_type(p, t->type);
}

/* First of @first's transforms of @type that @second has too and @may allows. */
static bool common(const struct ike_proposal *first, const struct ike_proposal *second,
		   uint8_t type, struct ike_transform *found)
{
	const struct ike_transform none = {.type = type};

	for (size_t i = 0; i < first->n; i++) {
		if (first->transforms[i].type == type && holds(second, &first->transforms[i])) {
			*found = first->transforms[i];
			return true;
		}
	}
	*found = none;
	return !has_type(first, type) && holds(first, &none) && holds(second, &none);
}

/*
 * A type that is not known, or has no place in the protocol: the proposal is unacceptable (3.3.6).
 */
static bool foreign_type(const struct ike_proposal *p)
{
	bool ike = p->protocol == IKE_PROTO_IKE;

	for (size_t i = 0; i < p->n; i++) {
		uint8_t type = p->transforms[i].type;

		if (type > IKE_TRANSFORM_ADDKE7 ||
		    type == (ike ? IKE_TRANSFORM_ESN : IKE_TRANSFORM_PRF))
			return true;
	}
	return false;
}

static bool unwanted(const struct ike_proposal *p, uint8_t type, bool without_ke)
{
	return (type == IKE_TRANSFORM_PRF && p->protocol != IKE_PROTO_IKE) ||
	       (type == IKE_TRANSFORM_ESN && p->protocol == IKE_PROTO_IKE) ||
	       (ike_transform_is_ke(type) && without_ke);
}

/*
 * With an AEAD chosen no integrity is (section 3.3), even if the proposal has some for other
 * ciphers.
 */
static bool common_integ(const struct ike_proposal *first, const struct ike_proposal *second,
			 const struct ike_transform *encr, struct ike_transform *integ)
{
	if (ike_transform_aead(encr)) {
		*integ = (struct ike_transform){.type = IKE_TRANSFORM_INTEG};
		return true;
	}
	return common(first, second, IKE_TRANSFORM_INTEG, integ) && integ->id != IKE_INTEG_NONE;
}

/* The key exchange that the peer has begun already, if both have it. */
static void prefer_ke(const struct ike_proposal *first, const struct ike_proposal *second,
		      uint16_t begun, struct ike_transform *ke)
{
	const struct ike_transform wanted = {.type = IKE_TRANSFORM_KE, .id = begun};

	if (begun && holds(first, &wanted) && holds(second, &wanted))
		*ke = wanted;
}

static bool is_taken(const struct ike_transform *ke, size_t n, uint16_t id)
{
	for (size_t i = 0; i < n && id != IKE_KE_NONE; i++)
		if (ke[i].id == id)
			return true;
	return false;
}

/*
 * RFC 9370 section 2.2.1: no method twice, and none beside a main one that is left out. @ke: the @n
 * chosen before.
 */
static bool common_addke(const struct ike_proposal *first, const struct ike_proposal *second,
			 const struct ike_transform *ke, size_t n, struct ike_transform *found)
{
	const struct ike_transform none = *found;

	for (size_t i = 0; i < first->n; i++) {
		const struct ike_transform *t = &first->transforms[i];

		if (t->type != found->type || !holds(second, t) || is_taken(ke, n, t->id) ||
		    (t->id != IKE_KE_NONE && ke->id == IKE_KE_NONE))
			continue;
		*found = *t;
		return true;
	}
	return !has_type(first, found->type) && holds(second, &none);
}

/* Compares all types; returns the index of the first without overlap, or ALL_MATCH. */
static unsigned int match(const struct ike_proposal *first, const struct ike_proposal *second,
			  const struct ike_select *how, struct ike_transform found[TYPES])
{
	if (foreign_type(first) || foreign_type(second))
		return TYPE_OTHER;
	for (unsigned int i = 0; i < TYPES; i++) {
		bool ok;

		found[i] = (struct ike_transform){.type = types[i]};
		if (unwanted(first, types[i], how->without_ke))
			continue;
		if (types[i] == IKE_TRANSFORM_INTEG)
			ok = common_integ(first, second, &found[ENCR], &found[i]);
		else if (ike_transform_is_addke(types[i]))
			ok = common_addke(first, second, &found[KE], i - KE, &found[i]);
		else
			ok = common(first, second, types[i], &found[i]);
		if (!ok)
			return i;
		if (i == KE)
			prefer_ke(first, second, how->ke, &found[KE]);
	}
	return ALL_MATCH;
}

static void fill(struct ike_suite *suite, const struct ike_proposal *theirs, bool without_ke,
		 const struct ike_transform found[TYPES])
{
	*suite = (struct ike_suite){
		.protocol = theirs->protocol,
		.number = theirs->number,
		.spi_len = theirs->spi_len,
		.encr = found[ENCR].id,
		.encr_bits = found[ENCR].key_bits,
		.integ = found[INTEG].id,
		.prf = found[PRF].id,
		.ke = found[KE].id,
		.esn = found[ESN].id == IKE_ESN_YES,
		.has_integ = found[INTEG].id != IKE_INTEG_NONE,
		.has_ke = !without_ke && has_type(theirs, IKE_TRANSFORM_KE),
		.has_esn = has_type(theirs, IKE_TRANSFORM_ESN),
	};
	memcpy(suite->spi, theirs->spi, sizeof(suite->spi));
	for (unsigned int i = 0; i < IKE_ADDKE_MAX && !without_ke; i++) {
		suite->addke[i] = found[ADDKE + i].id;
		suite->has_addke |= has_type(theirs, types[ADDKE + i]) << i;
	}
}

unsigned int ike_suite_addke(const struct ike_suite *s, unsigned int at)
{
	while (at < IKE_ADDKE_MAX && s->addke[at] == IKE_KE_NONE)
		at++;
	return at;
}

/* More is offered than the peer could do. */
static bool cannot_go_on(const struct ike_proposal *theirs, const struct ike_select *how)
{
	return how->without_addke && ike_proposal_adds_ke(theirs);
}

static bool try_pair(const struct ike_proposal *ours, const struct ike_proposal *theirs,
		     const struct ike_select *how, struct ike_suite *suite)
{
	struct ike_transform found[TYPES];
	unsigned int got;

	if (ours->protocol != theirs->protocol || cannot_go_on(theirs, how))
		return false;
	got = how->peer_order ? match(theirs, ours, how, found) : match(ours, theirs, how, found);
	if (got != ALL_MATCH)
		return false;
	fill(suite, theirs, how->without_ke, found);
	return true;
}

bool ike_proposal_select(const struct ike_proposal_list *ours,
			 const struct ike_proposal_list *theirs, const struct ike_select *how,
			 struct ike_suite *suite)
{
	const struct ike_proposal_list *outer = how->peer_order ? theirs : ours;
	const struct ike_proposal_list *inner = how->peer_order ? ours : theirs;

	for (size_t o = 0; o < outer->n; o++)
		for (size_t i = 0; i < inner->n; i++)
			if (how->peer_order
				    ? try_pair(&inner->items[i], &outer->items[o], how, suite)
				    : try_pair(&outer->items[o], &inner->items[i], how, suite))
				return true;
	return false;
}

static bool holds_suite(const struct ike_proposal *p, const struct ike_suite *s)
{
	struct ike_transform wanted[TYPES] = {
		[ENCR] = {IKE_TRANSFORM_ENCR, s->encr, s->encr_bits},
		[INTEG] = {IKE_TRANSFORM_INTEG, s->integ, 0},
		[PRF] = {IKE_TRANSFORM_PRF, s->prf, 0},
		[KE] = {IKE_TRANSFORM_KE, s->ke, 0},
		[ESN] = {IKE_TRANSFORM_ESN, s->esn ? IKE_ESN_YES : IKE_ESN_NO, 0},
	};

	if (p->protocol != s->protocol)
		return false;
	for (unsigned int i = 0; i < IKE_ADDKE_MAX; i++)
		wanted[ADDKE + i] = (struct ike_transform){types[ADDKE + i], s->addke[i], 0};
	for (unsigned int i = 0; i < TYPES; i++)
		if (!unwanted(p, types[i], false) && !holds(p, &wanted[i]))
			return false;
	return true;
}

bool ike_proposal_allows(const struct ike_proposal_list *list, const struct ike_suite *s)
{
	for (size_t i = 0; i < list->n; i++)
		if (holds_suite(&list->items[i], s))
			return true;
	return false;
}

static bool refuse_answer(struct ike_error *err, const char *why, const struct ike_transform *t)
{
	char word[WORD_TEXT_MAX];

	return ike_fail_notify(err, IKE_NOTIFY_NO_PROPOSAL_CHOSEN,
			       "peer's choice of proposal: %s %s", why,
			       ike_transform_text(t, word, sizeof(word)));
}

/* The same method in two key exchanges (RFC 9370 section 2.2.1). */
static bool repeats_ke(const struct ike_transform *a, const struct ike_transform *b)
{
	return ike_transform_is_ke(a->type) && ike_transform_is_ke(b->type) && a->id == b->id &&
	       a->id != IKE_KE_NONE;
}

static bool check_transforms(const struct ike_proposal *offered, bool without_ke,
			     const struct ike_proposal *answer, struct ike_error *err)
{
	for (size_t i = 0; i < answer->n; i++) {
		const struct ike_transform *t = &answer->transforms[i];

		if (without_ke && ike_transform_is_ke(t->type) && t->id == IKE_KE_NONE)
			continue;
		if (!holds(offered, t) || (without_ke && ike_transform_is_ke(t->type)))
			return refuse_answer(err, "we did not offer", t);
		for (size_t k = 0; k < i; k++) {
			if (answer->transforms[k].type == t->type)
				return refuse_answer(err, "more than one of a type:", t);
			if (repeats_ke(&answer->transforms[k], t))
				return refuse_answer(err, "the same key exchange twice:", t);
		}
	}
	return true;
}

bool ike_proposal_verify(const struct ike_proposal_list *offered, bool without_ke,
			 const struct ike_proposal_list *answer, struct ike_suite *suite,
			 struct ike_error *err)
{
	const struct ike_select how = {.without_ke = without_ke};
	struct ike_transform found[TYPES];
	const struct ike_proposal *ours, *theirs;
	unsigned int got;

	if (answer->n != 1)
		return ike_fail_notify(err, IKE_NOTIFY_NO_PROPOSAL_CHOSEN,
				       "peer's choice of proposal: %zu proposals where 1 is needed",
				       answer->n);
	theirs = &answer->items[0];
	if (!theirs->number || theirs->number > offered->n)
		return ike_fail_notify(err, IKE_NOTIFY_NO_PROPOSAL_CHOSEN,
				       "peer's choice of proposal: number %u was not offered",
				       theirs->number);
	ours = &offered->items[theirs->number - 1];
	if (ours->protocol != theirs->protocol)
		return ike_fail_notify(err, IKE_NOTIFY_NO_PROPOSAL_CHOSEN,
				       "peer's choice of proposal: protocol %u was not offered",
				       theirs->protocol);
	if (!check_transforms(ours, without_ke, theirs, err))
		return false;
	got = match(theirs, ours, &how, found);
	if (got != ALL_MATCH)
		return ike_fail_notify(
			err, IKE_NOTIFY_NO_PROPOSAL_CHOSEN, "peer's choice of proposal: no %s",
			got < TYPES ? ike_transform_type_text(types[got]) : "known type");
	fill(suite, theirs, without_ke, found);
	return true;
}

static void add_of_type(struct ike_text *text, const struct ike_proposal *p, uint8_t type)
{
	char word[WORD_TEXT_MAX];
	bool any = false;

	for (size_t i = 0; i < p->n; i++) {
		if (p->transforms[i].type != type)
			continue;
		ike_text_add(text, "%s%s", any ? "-" : "",
			     ike_transform_text(&p->transforms[i], word, sizeof(word)));
		any = true;
	}
	if (!any)
		ike_text_add(text, "none");
}

struct failure {
	const struct ike_proposal *ours, *theirs;
	unsigned int at;
};

static struct failure furthest(const struct ike_proposal_list *ours,
			       const struct ike_proposal_list *theirs, const struct ike_select *how)
{
	struct ike_transform found[TYPES];
	struct failure best = {0};

	for (size_t o = 0; o < ours->n; o++) {
		for (size_t t = 0; t < theirs->n; t++) {
			unsigned int at = match(&ours->items[o], &theirs->items[t], how, found);

			if (at >= TYPES || cannot_go_on(&theirs->items[t], how))
				continue;
			if (!best.ours || at > best.at)
				best = (struct failure){&ours->items[o], &theirs->items[t], at};
		}
	}
	return best;
}

char *ike_proposal_explain(const struct ike_proposal_list *ours,
			   const struct ike_proposal_list *theirs, const struct ike_select *how,
			   char *buf, size_t cap)
{
	char list[IKE_PROPOSAL_TEXT_MAX];
	struct failure f = furthest(ours, theirs, how);
	struct ike_text text;

	ike_text_init(&text, buf, cap);
	ike_text_add(&text, "configured %s; ", ike_proposal_list_text(ours, list, sizeof(list)));
	ike_text_add(&text, "peer offers %s", ike_proposal_list_text(theirs, list, sizeof(list)));
	if (!f.ours && how->without_addke && ike_proposal_has_addke(theirs)) {
		ike_text_add(&text, ": it knows no IKE_INTERMEDIATE, which they need");
		return buf;
	}
	if (!f.ours) {
		ike_text_add(&text, ": the peer's has transform types that are not supported");
		return buf;
	}
	ike_text_add(&text, ": no common %s (", ike_transform_type_text(types[f.at]));
	add_of_type(&text, f.ours, types[f.at]);
	ike_text_add(&text, " against ");
	add_of_type(&text, f.theirs, types[f.at]);
	ike_text_add(&text, ")");
	return buf;
}
