/* SPDX-License-Identifier: MIT */
/*
 * Post-quantum pre-shared keys (RFC 8784): USE_PPK in IKE_SA_INIT, PPK_IDENTITY and NO_PPK_AUTH in
 * IKE_AUTH, in the first request that has AUTH, and its answer: that is the first of all, and with EAP
 * that behind it. What was proven before was without the PPK, such as the responder's signature before
 * EAP. What comes later, such as another round of authentication, has the keys as they are then.
 */
#ifndef ESPLANE_IKE_PPK_H
#define ESPLANE_IKE_PPK_H

#include "ikev2/ike_sa.h"

/* Both ends know of PPKs; until authenticated. */
struct ike_ppk {
	bool mixed;		  /* the keys in use are those with the PPK */
	bool declined;		  /* responder: it takes the proof without, from NO_PPK_AUTH */
	struct ike_key d, pi, pr; /* those without it, SK_d', SK_pi', SK_pr' */
	/* Initiator: our proof without it, for a responder that does not have it; len 0: none. */
	struct ike_signature without;
};

/* In IKE_SA_INIT: what the peer's message says of them. */
bool ike_ppk_agreed(const struct ike_sa *sa, const struct ike_payloads *init);

/* Initiator, before IKE_AUTH. False: it cannot go on. No PPK at all is none of its concerns. */
IKE_MUST_CHECK bool ike_ppk_begin(struct ike_sa *sa, struct ike_error *err);
/* Is a proof without it wanted, before ike_ppk_mix()? */
static inline bool ike_ppk_wants_other(const struct ike_sa *sa)
{
	return sa->ppk && !sa->conn->ppk_required;
}
/* From here on the keys are those with our PPK, if there is one. */
IKE_MUST_CHECK bool ike_ppk_mix(struct ike_sa *sa, struct ike_error *err);
/* By the answer to our first AUTH: does the peer use it? */
IKE_MUST_CHECK bool ike_ppk_answered(struct ike_sa *sa, const struct ike_payloads *all,
				     struct ike_error *err);

/*
 * Responder: by the first request, when sa->conn is known, and by that behind EAP if it is the peer's
 * first round; before its AUTH is looked at.
 */
IKE_MUST_CHECK bool ike_ppk_requested(struct ike_sa *sa, const struct ike_payloads *all,
				      struct ike_error *err);

/* The data of the peer's AUTH, or what stands in its place. */
struct ike_bytes ike_ppk_proof(const struct ike_sa *sa, const struct ike_payloads *all,
			       struct ike_bytes auth);
/* PPK_IDENTITY, of both roles; NO_PPK_AUTH of the initiator. */
void ike_ppk_put(struct ike_writer *w, const struct ike_sa *sa);
void ike_ppk_free(struct ike_ppk *ppk); /* NULL is nothing */

#endif
