/* SPDX-License-Identifier: MIT */
/*
 * IKE_AUTH by signatures: from the messages of an exchange to proofs (proof.h), and back to the
 * payloads CERT, CERTREQ and AUTH (RFC 7296 sections 3.6 to 3.8), SIGNATURE_HASH_ALGORITHMS.
 */
#ifndef ESPLANE_IKE_PROVE_H
#define ESPLANE_IKE_PROVE_H

#include "ikev2/ike_sa.h"

/* In IKE_SA_INIT, of both roles. @all: the request that is answered, or NULL. */
void ike_put_init_auth(struct ike_writer *w, const struct ike_sa *sa,
		       const struct ike_payloads *request);

/*
 * Has our key sign for the peer; @requests may hold its CERTREQs. @then is to call ike_prove_done().
 * False: @err says why not.
 */
IKE_MUST_CHECK bool ike_prove(struct ike_sa *sa, enum ike_side side,
			      const struct ike_payloads *requests, ike_job_then then,
			      struct ike_incoming *in, struct ike_error *err);
/* Keeps what the job made for ike_put_proof(). */
void ike_prove_done(struct ike_sa *sa, const struct ike_job *job);
/* CERT payloads, if the peer is to have them: behind our ID. */
void ike_put_certs(struct ike_writer *w, const struct ike_sa *sa);
/* CERTREQ payload, if the peer authenticates by a certificate. */
void ike_put_certreq(struct ike_writer *w, const struct ike_sa *sa);
/* The body of our ID payload, written into @buf. */
struct ike_bytes ike_own_id_body(const struct ike_sa *sa, uint8_t *buf, size_t cap);
/* AUTH, by the signature that was made. */
void ike_put_proof(struct ike_writer *w, const struct ike_sa *sa);

/*
 * Has the peer's proof of @id in @all verified, and @then called with the outcome in job->ok and
 * job->err. False: @err says what was wrong at once.
 */
IKE_MUST_CHECK bool ike_prove_verify(struct ike_sa *sa, enum ike_side side, const struct ike_id *id,
				     struct ike_bytes id_body, ike_job_then then,
				     struct ike_incoming *in, struct ike_error *err);

/*
 * The same for a certificate that the peer has proven itself by elsewhere (EAP): may it have been
 * revoked? @chain is taken over.
 */
IKE_MUST_CHECK bool ike_prove_unrevoked(struct ike_sa *sa, enum ike_side side,
					const struct ike_id *id, struct stack_st_X509 *chain,
					ike_job_then then, struct ike_incoming *in,
					struct ike_error *err);
/* Tells people what could not be found out about the peer's certificate, if anything. */
void ike_prove_note(const struct ike_sa *sa, const struct ike_job *job);

/* A proof made and not sent yet. */
struct ike_proven {
	struct ike_signature signature;
	const struct ike_cert *cert;
	bool send_cert;
};

#endif
