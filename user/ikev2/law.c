// SPDX-License-Identifier: MIT
/* The table of what may come when. */
#include "ikev2/law.h"

enum {
	PARTS_MAX = 12,
	FORMS_MAX = 6,
	MANY = IKE_PAYLOADS_MAX,
};

struct part {
	uint8_t type, min, max;
};

#define NOTIFIES { IKE_PAYLOAD_NOTIFY, 0, MANY }, { IKE_PAYLOAD_VENDOR, 0, MANY }
#define ONE(type) { type, 1, 1 }
#define MAYBE(type) { type, 0, 1 }
#define ANY(type) { type, 0, MANY }

/* What a form holds; an entry of type 0 ends the list. Not listed is not allowed. */
static const struct form {
	const char *name;
	struct part parts[PARTS_MAX];
} forms[IKE_FORMS] = {
	/* Section 1.2. */
	[IKE_FORM_INIT_REQUEST] = { "IKE_SA_INIT request", {
		ONE(IKE_PAYLOAD_SA), ONE(IKE_PAYLOAD_KE), ONE(IKE_PAYLOAD_NONCE), NOTIFIES } },
	[IKE_FORM_INIT_ANSWER] = { "IKE_SA_INIT response", {
		ONE(IKE_PAYLOAD_SA), ONE(IKE_PAYLOAD_KE), ONE(IKE_PAYLOAD_NONCE),
		ANY(IKE_PAYLOAD_CERTREQ), NOTIFIES } },
	/* RFC 9370 sections 2.2.2 and 2.2.4. */
	[IKE_FORM_ADDKE_REQUEST] = { "request for an additional key exchange", {
		ONE(IKE_PAYLOAD_KE), NOTIFIES } },
	[IKE_FORM_ADDKE_ANSWER] = { "response for an additional key exchange", {
		ONE(IKE_PAYLOAD_KE), NOTIFIES } },
	/* CP is understood by name only, and left aside. */
	[IKE_FORM_AUTH_REQUEST] = { "IKE_AUTH request", {
		ONE(IKE_PAYLOAD_IDI), MAYBE(IKE_PAYLOAD_IDR), MAYBE(IKE_PAYLOAD_AUTH),
		ONE(IKE_PAYLOAD_SA), ONE(IKE_PAYLOAD_TSI), ONE(IKE_PAYLOAD_TSR),
		ANY(IKE_PAYLOAD_CERT), ANY(IKE_PAYLOAD_CERTREQ), MAYBE(IKE_PAYLOAD_CP),
		NOTIFIES } },
	/* RFC 6023 section 3. */
	[IKE_FORM_AUTH_CHILDLESS_REQUEST] = { "IKE_AUTH request without CHILD_SA", {
		ONE(IKE_PAYLOAD_IDI), MAYBE(IKE_PAYLOAD_IDR), MAYBE(IKE_PAYLOAD_AUTH),
		ANY(IKE_PAYLOAD_CERT), ANY(IKE_PAYLOAD_CERTREQ), MAYBE(IKE_PAYLOAD_CP),
		NOTIFIES } },
	[IKE_FORM_AUTH_ANSWER] = { "IKE_AUTH response", {
		ONE(IKE_PAYLOAD_IDR), ONE(IKE_PAYLOAD_AUTH), ONE(IKE_PAYLOAD_SA),
		ONE(IKE_PAYLOAD_TSI), ONE(IKE_PAYLOAD_TSR), ANY(IKE_PAYLOAD_CERT),
		MAYBE(IKE_PAYLOAD_CP), NOTIFIES } },
	/* The CHILD_SA was refused or not asked for; the IKE SA stands (section 1.2). */
	[IKE_FORM_AUTH_CHILDLESS_ANSWER] = { "IKE_AUTH response without CHILD_SA", {
		ONE(IKE_PAYLOAD_IDR), ONE(IKE_PAYLOAD_AUTH), ANY(IKE_PAYLOAD_CERT),
		MAYBE(IKE_PAYLOAD_CP), NOTIFIES } },
	/* Section 2.16. Not RFC 5998: the responder's own proof comes first. */
	[IKE_FORM_AUTH_EAP_ANSWER] = { "IKE_AUTH response with EAP", {
		ONE(IKE_PAYLOAD_IDR), ONE(IKE_PAYLOAD_AUTH), ONE(IKE_PAYLOAD_EAP),
		ANY(IKE_PAYLOAD_CERT), NOTIFIES } },
	[IKE_FORM_EAP] = { "IKE_AUTH with EAP", { ONE(IKE_PAYLOAD_EAP), NOTIFIES } },
	[IKE_FORM_EAP_PROOF] = { "IKE_AUTH request after EAP", {
		ONE(IKE_PAYLOAD_AUTH), NOTIFIES } },
	[IKE_FORM_EAP_ANSWER] = { "IKE_AUTH response after EAP", {
		ONE(IKE_PAYLOAD_AUTH), ONE(IKE_PAYLOAD_SA), ONE(IKE_PAYLOAD_TSI),
		ONE(IKE_PAYLOAD_TSR), MAYBE(IKE_PAYLOAD_CP), NOTIFIES } },
	[IKE_FORM_EAP_CHILDLESS_ANSWER] = { "IKE_AUTH response after EAP, without CHILD_SA", {
		ONE(IKE_PAYLOAD_AUTH), MAYBE(IKE_PAYLOAD_CP), NOTIFIES } },
	/* RFC 4739 section 3. */
	[IKE_FORM_ROUND_REQUEST] = { "IKE_AUTH request of another round", {
		ONE(IKE_PAYLOAD_IDI), MAYBE(IKE_PAYLOAD_IDR), MAYBE(IKE_PAYLOAD_AUTH),
		ANY(IKE_PAYLOAD_CERT), ANY(IKE_PAYLOAD_CERTREQ), NOTIFIES } },
	[IKE_FORM_ROUND_WAIT] = { "IKE_AUTH request that waits", { NOTIFIES } },
	[IKE_FORM_ROUND_ANSWER] = { "IKE_AUTH response to another round", {
		MAYBE(IKE_PAYLOAD_CP), NOTIFIES } },
	[IKE_FORM_ROUND_LAST_ANSWER] = { "IKE_AUTH response to the last round", {
		ONE(IKE_PAYLOAD_SA), ONE(IKE_PAYLOAD_TSI), ONE(IKE_PAYLOAD_TSR),
		MAYBE(IKE_PAYLOAD_CP), NOTIFIES } },
	/* Sections 1.3.1 and 1.3.3. */
	[IKE_FORM_CHILD_REQUEST] = { "CREATE_CHILD_SA request", {
		ONE(IKE_PAYLOAD_SA), ONE(IKE_PAYLOAD_NONCE), MAYBE(IKE_PAYLOAD_KE),
		ONE(IKE_PAYLOAD_TSI), ONE(IKE_PAYLOAD_TSR), MAYBE(IKE_PAYLOAD_CP), NOTIFIES } },
	[IKE_FORM_CHILD_ANSWER] = { "CREATE_CHILD_SA response", {
		ONE(IKE_PAYLOAD_SA), ONE(IKE_PAYLOAD_NONCE), MAYBE(IKE_PAYLOAD_KE),
		ONE(IKE_PAYLOAD_TSI), ONE(IKE_PAYLOAD_TSR), MAYBE(IKE_PAYLOAD_CP), NOTIFIES } },
	/* Section 1.3.2. */
	[IKE_FORM_REKEY_REQUEST] = { "CREATE_CHILD_SA request for the IKE SA", {
		ONE(IKE_PAYLOAD_SA), ONE(IKE_PAYLOAD_NONCE), ONE(IKE_PAYLOAD_KE), NOTIFIES } },
	[IKE_FORM_REKEY_ANSWER] = { "CREATE_CHILD_SA response for the IKE SA", {
		ONE(IKE_PAYLOAD_SA), ONE(IKE_PAYLOAD_NONCE), ONE(IKE_PAYLOAD_KE), NOTIFIES } },
	/* Section 1.4. */
	[IKE_FORM_INFORMATIONAL] = { "INFORMATIONAL", {
		ANY(IKE_PAYLOAD_DELETE), MAYBE(IKE_PAYLOAD_CP), NOTIFIES } },
	[IKE_FORM_NOTIFY] = { "message with an error", {
		{ IKE_PAYLOAD_NOTIFY, 1, MANY }, ANY(IKE_PAYLOAD_VENDOR) } },
};

#define IN(state) (1u << (state))
#define AFTER_AUTH (IN(IKE_SA_ESTABLISHED) | IN(IKE_SA_REKEYED) | IN(IKE_SA_DELETING))

/*
 * Nothing but IKE_SA_INIT, IKE_INTERMEDIATE and IKE_AUTH, in this order, comes before both ends are
 * authenticated, and the news that an end gives up.
 */
static const struct row {
	uint8_t exchange;
	bool response;
	unsigned int states;
	enum ike_form forms[FORMS_MAX];
} rows[] = {
	{ IKE_EXCHANGE_SA_INIT, false, IN(IKE_SA_NONE), { IKE_FORM_INIT_REQUEST } },
	{ IKE_EXCHANGE_SA_INIT, true, IN(IKE_SA_INIT_SENT),
	  { IKE_FORM_INIT_ANSWER, IKE_FORM_NOTIFY } },
	{ IKE_EXCHANGE_INTERMEDIATE, false, IN(IKE_SA_ADDKE_GOT), { IKE_FORM_ADDKE_REQUEST } },
	{ IKE_EXCHANGE_INTERMEDIATE, true, IN(IKE_SA_ADDKE_SENT),
	  { IKE_FORM_ADDKE_ANSWER, IKE_FORM_NOTIFY } },
	{ IKE_EXCHANGE_AUTH, false, IN(IKE_SA_INIT_GOT),
	  { IKE_FORM_AUTH_REQUEST, IKE_FORM_AUTH_CHILDLESS_REQUEST } },
	{ IKE_EXCHANGE_AUTH, true, IN(IKE_SA_AUTH_SENT),
	  { IKE_FORM_AUTH_ANSWER, IKE_FORM_AUTH_CHILDLESS_ANSWER, IKE_FORM_AUTH_EAP_ANSWER,
	    IKE_FORM_NOTIFY } },
	{ IKE_EXCHANGE_AUTH, false, IN(IKE_SA_EAP_GOT), { IKE_FORM_EAP } },
	{ IKE_EXCHANGE_AUTH, true, IN(IKE_SA_EAP_SENT),
	  { IKE_FORM_EAP, IKE_FORM_AUTH_EAP_ANSWER, IKE_FORM_NOTIFY } },
	{ IKE_EXCHANGE_AUTH, false, IN(IKE_SA_EAP_PROVEN), { IKE_FORM_EAP_PROOF } },
	{ IKE_EXCHANGE_AUTH, true, IN(IKE_SA_EAP_PROVING),
	  { IKE_FORM_EAP_ANSWER, IKE_FORM_EAP_CHILDLESS_ANSWER, IKE_FORM_NOTIFY } },
	{ IKE_EXCHANGE_AUTH, false, IN(IKE_SA_ROUND_DUE),
	  { IKE_FORM_ROUND_REQUEST, IKE_FORM_ROUND_WAIT } },
	/* A refusal and the last one without CHILD_SA look the same: auth.c tells them apart. */
	{ IKE_EXCHANGE_AUTH, true, IN(IKE_SA_ROUND_SENT),
	  { IKE_FORM_AUTH_ANSWER, IKE_FORM_AUTH_CHILDLESS_ANSWER, IKE_FORM_AUTH_EAP_ANSWER,
	    IKE_FORM_EAP, IKE_FORM_ROUND_LAST_ANSWER, IKE_FORM_ROUND_ANSWER } },
	{ IKE_EXCHANGE_CREATE_CHILD_SA, false, AFTER_AUTH,
	  { IKE_FORM_CHILD_REQUEST, IKE_FORM_REKEY_REQUEST } },
	{ IKE_EXCHANGE_CREATE_CHILD_SA, true, AFTER_AUTH,
	  { IKE_FORM_CHILD_ANSWER, IKE_FORM_REKEY_ANSWER, IKE_FORM_NOTIFY } },
	{ IKE_EXCHANGE_FOLLOWUP_KE, false, AFTER_AUTH, { IKE_FORM_ADDKE_REQUEST } },
	{ IKE_EXCHANGE_FOLLOWUP_KE, true, AFTER_AUTH, { IKE_FORM_ADDKE_ANSWER, IKE_FORM_NOTIFY } },
	{ IKE_EXCHANGE_INFORMATIONAL, false, AFTER_AUTH, { IKE_FORM_INFORMATIONAL } },
	{ IKE_EXCHANGE_INFORMATIONAL, true, AFTER_AUTH, { IKE_FORM_INFORMATIONAL } },
	/* Section 2.21.2: an initiator may say that it gives up. It ends nothing but its own. */
	{ IKE_EXCHANGE_INFORMATIONAL, false, IN(IKE_SA_EAP_GOT) | IN(IKE_SA_EAP_PROVEN) |
	  IN(IKE_SA_ROUND_DUE), { IKE_FORM_NOTIFY } },
};

static const struct row *find_row(uint8_t exchange, bool response, enum ike_sa_state state)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].exchange == exchange && rows[i].response == response &&
		    rows[i].states & IN(state))
			return &rows[i];
	return NULL;
}

bool ike_law_allows(uint8_t exchange, bool response, enum ike_sa_state state)
{
	return find_row(exchange, response, state);
}

static const struct part *find_part(const struct form *f, uint8_t type)
{
	for (const struct part *p = f->parts; p < f->parts + PARTS_MAX && p->type; p++)
		if (p->type == type)
			return p;
	return NULL;
}

/* How many payloads of @all there are of the type of each part, and none of another type. */
static bool fits(const struct form *f, const struct ike_payloads *all, struct ike_error *err)
{
	for (size_t i = 0; i < all->n; i++)
		if (!find_part(f, all->items[i].type))
			return ike_fail_notify(err, IKE_NOTIFY_INVALID_SYNTAX,
					       "%s: holds a %s payload, which has no place there",
					       f->name, ike_payload_name(all->items[i].type));
	for (const struct part *p = f->parts; p < f->parts + PARTS_MAX && p->type; p++) {
		size_t n = ike_payloads_count(all, p->type);

		if (n < p->min || n > p->max)
			return ike_fail_notify(err, IKE_NOTIFY_INVALID_SYNTAX,
					       "%s: %zu %s payloads where %u to %u are allowed",
					       f->name, n, ike_payload_name(p->type), p->min,
					       p->max);
	}
	return true;
}

enum ike_form ike_law_form(uint8_t exchange, bool response, enum ike_sa_state state,
			   const struct ike_payloads *all, struct ike_error *err)
{
	const struct row *row = find_row(exchange, response, state);
	struct ike_error first = { 0 };

	if (!row) {
		ike_fail_notify(err, IKE_NOTIFY_INVALID_SYNTAX, "%s %s: not allowed now",
				ike_exchange_name(exchange), response ? "response" : "request");
		return IKE_FORM_NONE;
	}
	for (size_t i = 0; i < FORMS_MAX && row->forms[i]; i++)
		if (fits(&forms[row->forms[i]], all, i ? NULL : &first))
			return row->forms[i];
	/* The first form is the one that people mean. */
	if (err)
		*err = first;
	return IKE_FORM_NONE;
}

bool ike_law_outer(const struct ike_payloads *all, struct ike_error *err)
{
	if (all->n == 1 &&
	    (all->items[0].type == IKE_PAYLOAD_SK || all->items[0].type == IKE_PAYLOAD_SKF))
		return true;
	return ike_fail(err, "unprotected payloads where one SK payload is needed");
}

bool ike_law_row(size_t index, struct ike_law_row *row)
{
	const struct row *r = &rows[index];

	if (index >= sizeof(rows) / sizeof(rows[0]))
		return false;
	*row = (struct ike_law_row){r->exchange, r->response, r->states, r->forms, 0};
	while (row->n_forms < FORMS_MAX && r->forms[row->n_forms])
		row->n_forms++;
	return true;
}

bool ike_law_part(enum ike_form form, size_t index, struct ike_law_part *part)
{
	const struct part *p = &forms[form].parts[index];

	if (index >= PARTS_MAX || !p->type)
		return false;
	*part = (struct ike_law_part){p->type, p->min, p->max};
	return true;
}
