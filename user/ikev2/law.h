/* SPDX-License-Identifier: MIT */
/*
 * Order is law: which exchange, as request or response, in which state of the IKE SA, may hold
 * which payloads. What the table does not allow is refused before anything in it is interpreted
 * (RFC 7296 sections 1.2 to 1.5).
 */
#ifndef ESPLANE_IKE_LAW_H
#define ESPLANE_IKE_LAW_H

#include "ikev2/wire/decode.h"

enum ike_sa_state {
	IKE_SA_NONE,	  /* there is no SA: an IKE_SA_INIT request */
	IKE_SA_INIT_SENT, /* initiator: IKE_SA_INIT is being made, or out */
	IKE_SA_INIT_GOT,  /* responder: IKE_SA_INIT is being answered, or is */
	/* RFC 9370 section 2.2.2: additional key exchanges come before IKE_AUTH. */
	IKE_SA_ADDKE_SENT, /* initiator: IKE_INTERMEDIATE is being made, or out */
	IKE_SA_ADDKE_GOT,  /* responder: it is waited for, or being answered */
	IKE_SA_AUTH_SENT, /* initiator: IKE_AUTH is being made, or out */
	/* Section 2.16: IKE_AUTH goes on. */
	IKE_SA_EAP_SENT,    /* initiator: EAP is going on */
	IKE_SA_EAP_PROVING, /* initiator: EAP has succeeded, AUTH is being made, or out */
	IKE_SA_EAP_GOT,	    /* responder: EAP is going on */
	IKE_SA_EAP_PROVEN,  /* responder: EAP has succeeded, AUTH is waited for */
	/* RFC 4739: IKE_AUTH goes on with another round (rounds.h). */
	IKE_SA_ROUND_SENT, /* initiator: one of its rounds is being made, or out, or it waits */
	IKE_SA_ROUND_DUE,  /* responder: for the next one */
	IKE_SA_ESTABLISHED,
	IKE_SA_REKEYED,	 /* another has its children; waits for its DELETE */
	IKE_SA_DELETING, /* our DELETE is waiting to go, or out */
	IKE_SA_CLOSED,	 /* over: repeats its last answer for a while */
	IKE_SA_STATES,
};

/* What a message is, by the payloads it holds. */
enum ike_form {
	IKE_FORM_NONE, /* refused */
	IKE_FORM_INIT_REQUEST,
	IKE_FORM_INIT_ANSWER,
	IKE_FORM_ADDKE_REQUEST, /* IKE_INTERMEDIATE or IKE_FOLLOWUP_KE */
	IKE_FORM_ADDKE_ANSWER,
	IKE_FORM_AUTH_REQUEST,
	IKE_FORM_AUTH_CHILDLESS_REQUEST,
	IKE_FORM_AUTH_ANSWER,
	IKE_FORM_AUTH_CHILDLESS_ANSWER,
	IKE_FORM_AUTH_EAP_ANSWER, /* the first: the responder's proof, and EAP begins */
	IKE_FORM_EAP,		  /* and goes on, either way */
	IKE_FORM_EAP_PROOF,	  /* the initiator's AUTH after it */
	IKE_FORM_EAP_ANSWER,	  /* the responder's, with the CHILD_SA */
	IKE_FORM_EAP_CHILDLESS_ANSWER,
	IKE_FORM_ROUND_REQUEST,	    /* RFC 4739: another identity of the initiator's */
	IKE_FORM_ROUND_WAIT,	    /* it has none, and waits for the responder's */
	IKE_FORM_ROUND_ANSWER,	    /* the responder has none; or the last, without CHILD_SA */
	IKE_FORM_ROUND_LAST_ANSWER, /* likewise, with the CHILD_SA */
	IKE_FORM_CHILD_REQUEST,
	IKE_FORM_CHILD_ANSWER,
	IKE_FORM_REKEY_REQUEST, /* of the IKE SA */
	IKE_FORM_REKEY_ANSWER,
	IKE_FORM_INFORMATIONAL,
	IKE_FORM_NOTIFY, /* notifies alone: a refusal, or giving up */
	IKE_FORMS,
};

/* Before decryption: may such a message come at all? */
IKE_MUST_CHECK bool ike_law_allows(uint8_t exchange, bool response, enum ike_sa_state state);
/* IKE_FORM_NONE: refused, and @err says what is too much or missing (INVALID_SYNTAX). */
IKE_MUST_CHECK enum ike_form ike_law_form(uint8_t exchange, bool response, enum ike_sa_state state,
					  const struct ike_payloads *all, struct ike_error *err);
/* Outside of SK, or SKF, nothing else may stand, except in IKE_SA_INIT. */
IKE_MUST_CHECK bool ike_law_outer(const struct ike_payloads *all, struct ike_error *err);

/* The table itself, for who goes through all of it, as tests do: false past the end of it. */
struct ike_law_row {
	uint8_t exchange;
	bool response;
	unsigned int states; /* bits, by enum ike_sa_state */
	const enum ike_form *forms;
	size_t n_forms;
};
IKE_MUST_CHECK bool ike_law_row(size_t index, struct ike_law_row *row);
/* Of the payloads of @form the type number @index, and how many of it there may be. */
struct ike_law_part {
	uint8_t type, min, max;
};
IKE_MUST_CHECK bool ike_law_part(enum ike_form form, size_t index, struct ike_law_part *part);

#endif
