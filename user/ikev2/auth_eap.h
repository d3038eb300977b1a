/* SPDX-License-Identifier: MIT */
/*
 * IKE_AUTH in many rounds, EAP inside (RFC 7296 section 2.16): between auth.c and auth_eap.c.
 *
 *	initiator			responder
 *	IDi, IDr, SA, TSi, TSr   -->			no AUTH: that means EAP
 *				 <--	IDr, CERT, AUTH, EAP	proven by a signature
 *	EAP			 -->
 *				 <--	EAP			...
 *	AUTH			 -->			by the key that EAP has made; with a PPK
 *				 <--	AUTH, SA, TSi, TSr	likewise
 */
#ifndef ESPLANE_IKE_AUTH_EAP_H
#define ESPLANE_IKE_AUTH_EAP_H

#include "ikev2/eap/eap.h"
#include "ikev2/ike_sa.h"

/* Of one IKE SA, until both ends are authenticated. */
struct ike_auth_eap {
	struct ike_eap *eap;
	bool told;		    /* the log knows why it will fail */
	struct ike_aaa_ask *ask;    /* a server of RADIUS is being asked; NULL: none is */
	struct ike_endpoint server; /* the one that answered; port 0: none has yet */
	struct ike_id peer;	    /* who it says it is in IKE */
	uint8_t peer_body[IKE_ID_MAX + IKE_GENERIC_LEN]; /* its ID payload */
	size_t peer_body_len;
};

void ike_auth_eap_free(struct ike_auth_eap *a); /* NULL is nothing */

/* auth_eap.c, initiator. The responder has proven who it is; its answer, with EAP, is @in. */
enum ike_step ike_eap_first_answer(struct ike_sa *sa, struct ike_task *t, struct ike_incoming *in);
void ike_eap_build(struct ike_sa *sa, struct ike_writer *w);
enum ike_step ike_eap_answered(struct ike_sa *sa, struct ike_task *t, struct ike_incoming *in);
/* Responder. The peer has no proof yet. */
void ike_eap_first_request(struct ike_sa *sa, struct ike_incoming *in, struct ike_bytes id_body);
void ike_eap_request(struct ike_sa *sa, struct ike_incoming *in);
/* RADIUS has answered, or has not: what EAP makes of it. @in is the request that waits. */
void ike_eap_server_goes_on(struct ike_sa *sa, struct ike_incoming *in,
			    enum ike_eap_outcome outcome, const struct ike_error *err);
/* AUTH by the key of EAP. */
void ike_eap_put_auth(const struct ike_sa *sa, struct ike_writer *w);

/* auth.c. The AUTH value of one side, by a secret of both. */
IKE_MUST_CHECK bool ike_auth_value(const struct ike_sa *sa, bool of_initiator,
				   struct ike_bytes secret, struct ike_bytes id_body,
				   struct ike_key *value, struct ike_error *err);
/* auth_prepare.c, initiator: the proofs that its first request needs. */
enum ike_step ike_auth_prepare(struct ike_sa *sa, struct ike_task *t);
/*
 * auth_prepare.c, initiator, before its first AUTH if that is by @secret: from here on with our PPK, if
 * there is one; what is to be proven without it has been.
 */
IKE_MUST_CHECK bool ike_auth_mix_ppk(struct ike_sa *sa, struct ike_bytes secret,
				     struct ike_error *err);
void ike_put_id_and_auth(const struct ike_sa *sa, struct ike_writer *w, const struct ike_id *idr);
/* Initiator: the responder has taken a round of ours, and said so in @in. */
enum ike_step ike_auth_round_taken(struct ike_sa *sa, struct ike_task *t,
				   const struct ike_incoming *in);
/* The initiator is not. */
void ike_auth_log_refusal(struct ike_sa *sa, const struct ike_error *err);
void ike_auth_refuse_request(struct ike_sa *sa, const struct ike_incoming *in,
			     const struct ike_error *err);
IKE_MUST_CHECK bool ike_auth_may_stay(const struct ike_sa *sa, bool initial_contact,
				      struct ike_error *err);
/* It is, in this round, as @in has shown. */
void ike_auth_peer_proven(struct ike_sa *sa, struct ike_incoming *in);
/* @in may be the first request, which is kept until the last answer. */
void ike_auth_keep_first(struct ike_sa *sa, struct ike_incoming *in);

#endif
