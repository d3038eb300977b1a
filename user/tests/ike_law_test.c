// SPDX-License-Identifier: MIT
/*
 * The table of what may come when, exhaustively: every exchange, as request and response, in every
 * state, with every set of payloads. What is right is written here from the RFC, one exchange a
 * function, not as a table.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ikev2/law.h"

static const uint8_t types[] = {
	IKE_PAYLOAD_SA,	    IKE_PAYLOAD_KE,	IKE_PAYLOAD_IDI,   IKE_PAYLOAD_IDR,
	IKE_PAYLOAD_CERT,   IKE_PAYLOAD_CERTREQ, IKE_PAYLOAD_AUTH,  IKE_PAYLOAD_NONCE,
	IKE_PAYLOAD_NOTIFY, IKE_PAYLOAD_DELETE, IKE_PAYLOAD_VENDOR, IKE_PAYLOAD_TSI,
	IKE_PAYLOAD_TSR,    IKE_PAYLOAD_SK,	IKE_PAYLOAD_CP,	   IKE_PAYLOAD_EAP,
	IKE_PAYLOAD_SKF,
};

enum {
	TYPES = sizeof(types) / sizeof(types[0]),
	SETS = 1 << TYPES,
	EXCHANGES = 256
};

/* A set of payload types: the bits of types[]. */
static uint32_t one(uint8_t type)
{
	for (unsigned int i = 0; i < TYPES; i++)
		if (types[i] == type)
			return 1u << i;
	fail_msg("type %u", type);
	return 0;
}

static uint32_t sa, ke, idi, idr, cert, certreq, auth, nonce, notify, delete, vendor, tsi, tsr, cp,
	eap;

static int set_up(void **state)
{
	sa = one(IKE_PAYLOAD_SA);
	ke = one(IKE_PAYLOAD_KE);
	idi = one(IKE_PAYLOAD_IDI);
	idr = one(IKE_PAYLOAD_IDR);
	cert = one(IKE_PAYLOAD_CERT);
	certreq = one(IKE_PAYLOAD_CERTREQ);
	auth = one(IKE_PAYLOAD_AUTH);
	nonce = one(IKE_PAYLOAD_NONCE);
	notify = one(IKE_PAYLOAD_NOTIFY);
	delete = one(IKE_PAYLOAD_DELETE);
	vendor = one(IKE_PAYLOAD_VENDOR);
	tsi = one(IKE_PAYLOAD_TSI);
	tsr = one(IKE_PAYLOAD_TSR);
	cp = one(IKE_PAYLOAD_CP);
	eap = one(IKE_PAYLOAD_EAP);
	return 0;
}

/* Of @set: all of @needed, of the rest only @optional. */
static bool made_of(uint32_t set, uint32_t needed, uint32_t optional)
{
	return (set & needed) == needed && !(set & ~(needed | optional | notify | vendor));
}

/* A refusal: section 2.21. */
static enum ike_form or_refusal(uint32_t set)
{
	return made_of(set, notify, 0) ? IKE_FORM_NOTIFY : IKE_FORM_NONE;
}

/* Section 1.2. */
static enum ike_form init(bool response, enum ike_sa_state state, uint32_t set)
{
	if (!response)
		return state == IKE_SA_NONE && made_of(set, sa | ke | nonce, 0)
			       ? IKE_FORM_INIT_REQUEST
			       : IKE_FORM_NONE;
	if (state != IKE_SA_INIT_SENT)
		return IKE_FORM_NONE;
	return made_of(set, sa | ke | nonce, certreq) ? IKE_FORM_INIT_ANSWER : or_refusal(set);
}

/* RFC 4739 section 3: what may come behind a round of authentication that was not the last. */
static enum ike_form more_rounds(bool response, uint32_t set)
{
	uint32_t child = sa | tsi | tsr;

	if (!response && made_of(set, 0, 0))
		return IKE_FORM_ROUND_WAIT;
	if (!response)
		return made_of(set, idi, idr | auth | cert | certreq) ? IKE_FORM_ROUND_REQUEST :
									 IKE_FORM_NONE;
	if (made_of(set, idr | auth | child, cert | cp))
		return IKE_FORM_AUTH_ANSWER;
	if (made_of(set, idr | auth, cert | cp))
		return IKE_FORM_AUTH_CHILDLESS_ANSWER;
	if (made_of(set, idr | auth | eap, cert))
		return IKE_FORM_AUTH_EAP_ANSWER;
	if (made_of(set, eap, 0))
		return IKE_FORM_EAP;
	if (made_of(set, child, cp))
		return IKE_FORM_ROUND_LAST_ANSWER;
	return made_of(set, 0, cp) ? IKE_FORM_ROUND_ANSWER : IKE_FORM_NONE;
}

/* Section 2.16, behind the first request and its answer. */
static enum ike_form rounds(bool response, enum ike_sa_state state, uint32_t set)
{
	if (state == (response ? IKE_SA_ROUND_SENT : IKE_SA_ROUND_DUE))
		return more_rounds(response, set);
	if (state == (response ? IKE_SA_EAP_SENT : IKE_SA_EAP_GOT) && made_of(set, eap, 0))
		return IKE_FORM_EAP;
	/* A round of the responder's may come along. */
	if (response && state == IKE_SA_EAP_SENT && made_of(set, idr | auth | eap, cert))
		return IKE_FORM_AUTH_EAP_ANSWER;
	if (!response)
		return state == IKE_SA_EAP_PROVEN && made_of(set, auth, 0) ? IKE_FORM_EAP_PROOF :
									      IKE_FORM_NONE;
	if (state == IKE_SA_EAP_PROVING && made_of(set, auth | sa | tsi | tsr, cp))
		return IKE_FORM_EAP_ANSWER;
	if (state == IKE_SA_EAP_PROVING && made_of(set, auth, cp))
		return IKE_FORM_EAP_CHILDLESS_ANSWER;
	return state == IKE_SA_EAP_SENT || state == IKE_SA_EAP_PROVING ? or_refusal(set) :
									  IKE_FORM_NONE;
}

/* Section 1.2; without CHILD_SA RFC 6023 section 3, and answers that refuse it alone. */
static enum ike_form authentication(bool response, enum ike_sa_state state, uint32_t set)
{
	uint32_t child = sa | tsi | tsr;

	if (!response && state == IKE_SA_INIT_GOT) {
		uint32_t optional = idr | auth | cert | certreq | cp;

		if (made_of(set, idi | child, optional))
			return IKE_FORM_AUTH_REQUEST;
		return made_of(set, idi, optional) ? IKE_FORM_AUTH_CHILDLESS_REQUEST
						   : IKE_FORM_NONE;
	}
	if (!response || state != IKE_SA_AUTH_SENT)
		return rounds(response, state, set);
	if (made_of(set, idr | auth | eap, cert))
		return IKE_FORM_AUTH_EAP_ANSWER;
	if (made_of(set, idr | auth | child, cert | cp))
		return IKE_FORM_AUTH_ANSWER;
	if (made_of(set, idr | auth, cert | cp))
		return IKE_FORM_AUTH_CHILDLESS_ANSWER;
	return or_refusal(set);
}

static bool authenticated(enum ike_sa_state state)
{
	return state == IKE_SA_ESTABLISHED || state == IKE_SA_REKEYED || state == IKE_SA_DELETING;
}

/* RFC 9370 sections 2.2.2 and 2.2.4: before IKE_AUTH, and behind CREATE_CHILD_SA. */
static enum ike_form additional(bool allowed, bool response, uint32_t set)
{
	if (!allowed)
		return IKE_FORM_NONE;
	if (made_of(set, ke, 0))
		return response ? IKE_FORM_ADDKE_ANSWER : IKE_FORM_ADDKE_REQUEST;
	return response ? or_refusal(set) : IKE_FORM_NONE;
}

/* Sections 1.3.1 to 1.3.3: what has selectors is about a CHILD_SA, else about the IKE SA. */
static enum ike_form create(bool response, enum ike_sa_state state, uint32_t set)
{
	if (!authenticated(state))
		return IKE_FORM_NONE;
	if (made_of(set, sa | nonce | tsi | tsr, ke | cp))
		return response ? IKE_FORM_CHILD_ANSWER : IKE_FORM_CHILD_REQUEST;
	if (made_of(set, sa | nonce | ke, 0))
		return response ? IKE_FORM_REKEY_ANSWER : IKE_FORM_REKEY_REQUEST;
	return response ? or_refusal(set) : IKE_FORM_NONE;
}

/* Section 1.4; an initiator that gives up in the middle of EAP section 2.21.2. */
static enum ike_form informational(bool response, enum ike_sa_state state, uint32_t set)
{
	if (!response && (state == IKE_SA_EAP_GOT || state == IKE_SA_EAP_PROVEN ||
			  state == IKE_SA_ROUND_DUE))
		return or_refusal(set);
	return authenticated(state) && made_of(set, 0, delete | cp) ? IKE_FORM_INFORMATIONAL
								     : IKE_FORM_NONE;
}

static enum ike_form right(uint8_t exchange, bool response, enum ike_sa_state state, uint32_t set)
{
	switch (exchange) {
	case IKE_EXCHANGE_SA_INIT:
		return init(response, state, set);
	case IKE_EXCHANGE_INTERMEDIATE:
		return additional(state == (response ? IKE_SA_ADDKE_SENT : IKE_SA_ADDKE_GOT),
				  response, set);
	case IKE_EXCHANGE_FOLLOWUP_KE:
		return additional(authenticated(state), response, set);
	case IKE_EXCHANGE_AUTH:
		return authentication(response, state, set);
	case IKE_EXCHANGE_CREATE_CHILD_SA:
		return create(response, state, set);
	case IKE_EXCHANGE_INFORMATIONAL:
		return informational(response, state, set);
	default:
		return IKE_FORM_NONE;
	}
}

static void put(struct ike_payloads *all, uint32_t set)
{
	all->n = 0;
	for (unsigned int i = 0; i < TYPES; i++)
		if (set & 1u << i)
			all->items[all->n++] = (struct ike_payload){.type = types[i]};
}

static const uint8_t exchanges[] = {
	IKE_EXCHANGE_SA_INIT,	      IKE_EXCHANGE_AUTH,	   IKE_EXCHANGE_CREATE_CHILD_SA,
	IKE_EXCHANGE_INFORMATIONAL,   IKE_EXCHANGE_SESSION_RESUME, IKE_EXCHANGE_INTERMEDIATE,
	IKE_EXCHANGE_FOLLOWUP_KE,
};

/* Every set of payloads, each once. */
static void test_every_set(void **state)
{
	struct ike_payloads all;
	unsigned int accepted = 0;

	for (uint32_t set = 0; set < SETS; set++) {
		put(&all, set);
		for (unsigned int i = 0; i < sizeof(exchanges) * 2 * IKE_SA_STATES; i++) {
			uint8_t exchange = exchanges[i / 2 / IKE_SA_STATES];
			enum ike_sa_state s = i / 2 % IKE_SA_STATES;
			enum ike_form want = right(exchange, i % 2, s, set);
			enum ike_form got = ike_law_form(exchange, i % 2, s, &all, NULL);

			if (got != want)
				fail_msg("exchange %u, response %u, state %u, set %x: form %d, "
					 "not %d",
					 exchange, i % 2, s, set, got, want);
			accepted += got != IKE_FORM_NONE;
		}
	}
	/*
	 * Each optional payload doubles a form's sets; NOTIFY and VENDOR are optional in all, and
	 * a refusal has NOTIFY for certain. Requests: IKE_SA_INIT 4; IKE_AUTH 2^5 * 4 * 2;
	 * CREATE_CHILD_SA (2^2 + 1) * 4 in 3 states; INFORMATIONAL 2^2 * 4 in 3. Responses:
	 * 2 * 4 + 2; 2^2 * 4 * 2 + 2; as the request and 2 in 3; as the request. EAP: the first
	 * answer 2 * 4; 4 and 4 + 2 in the rounds; the proof 4, its answer 2 * 4 * 2 + 2; giving up 2 in
	 * 3 states. Several rounds: with EAP 2 * 4; requests 2^4 * 4 and 4; answers with a proof
	 * 2^2 * 4 * 2 and with EAP 2 * 4, without 4, 2 * 4 with a CHILD_SA and as many without.
	 * Additional key exchanges: 4, and 4 + 2, in 1 + 3 states.
	 */
	assert_int_equal(accepted, 4 + 256 + 3 * 20 + 3 * 16 + 10 + 34 + 3 * 22 + 3 * 16 +
				   8 + 4 + 6 + 4 + 18 + 6 + 8 + 68 + 32 + 8 + 4 + 8 + 8 +
				   4 * (4 + 4 + 2));
}

/* Every set that is right, with one of its payloads a second time. */
static void test_every_double(void **state)
{
	uint32_t many = notify | vendor | delete | cert | certreq;
	struct ike_payloads all;

	for (uint32_t set = 0; set < SETS; set++) {
		for (unsigned int i = 0; i < sizeof(exchanges) * 2 * IKE_SA_STATES; i++) {
			uint8_t exchange = exchanges[i / 2 / IKE_SA_STATES];
			enum ike_sa_state s = i / 2 % IKE_SA_STATES;
			enum ike_form want = right(exchange, i % 2, s, set);

			for (unsigned int k = 0; want && k < TYPES; k++) {
				if (!(set & 1u << k))
					continue;
				put(&all, set);
				all.items[all.n++] = (struct ike_payload){.type = types[k]};
				assert_int_equal(ike_law_form(exchange, i % 2, s, &all, NULL),
						 many & 1u << k ? want : IKE_FORM_NONE);
			}
		}
	}
}

/* Every number of an exchange, with what each of them may hold. */
static void test_every_exchange(void **state)
{
	const uint32_t sets[] = {sa | ke | nonce,
				 idi | auth | sa | tsi | tsr,
				 idr | auth | sa | tsi | tsr,
				 sa | nonce | tsi | tsr,
				 idr | auth | eap,
				 eap,
				 auth,
				 ke,
				 notify,
				 delete,
				 0};
	struct ike_payloads all;

	for (unsigned int i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
		put(&all, sets[i]);
		for (unsigned int k = 0; k < EXCHANGES * 2 * IKE_SA_STATES; k++) {
			uint8_t exchange = k / 2 / IKE_SA_STATES;
			enum ike_sa_state s = k / 2 % IKE_SA_STATES;

			assert_int_equal(ike_law_form(exchange, k % 2, s, &all, NULL),
					 right(exchange, k % 2, s, sets[i]));
		}
	}
}

/* Outside of SK nothing may stand beside it, and what is not SK or SKF is nothing by itself. */
static void test_outside(void **state)
{
	struct ike_payloads all;

	for (uint32_t set = 0; set < SETS; set++) {
		put(&all, set);
		assert_int_equal(ike_law_outer(&all, NULL),
				 set == one(IKE_PAYLOAD_SK) || set == one(IKE_PAYLOAD_SKF));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_set),
		cmocka_unit_test(test_every_double),
		cmocka_unit_test(test_every_exchange),
		cmocka_unit_test(test_outside),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
