/* SPDX-License-Identifier: MIT */
/*
 * Key exchanges, signatures and steps of EAP as jobs of the host. All that a job touches while it runs is its own; the IKE SA
 * that waits for it may be gone when it is done.
 */
#ifndef ESPLANE_IKE_JOB_H
#define ESPLANE_IKE_JOB_H

#include <sys/queue.h>

#include "ikev2/crypto/dh.h"
#include "ikev2/eap/eap.h"
#include "ikev2/ike.h"
#include "ikev2/proof.h"

struct ike_incoming;
struct ike_sa;

/* Which of an IKE SA's two roles waits: each may have one job. */
enum ike_side {
	IKE_ASKING,
	IKE_ANSWERING,
	IKE_SIDES
};

struct ike_job {
	uint64_t own_spi, ike_id; /* of the IKE SA */
	enum ike_side side;
	void (*then)(struct ike_sa *sa, const struct ike_job *job, struct ike_incoming *in);
	struct ike_dh_key key;
	uint8_t peer[IKE_DH_PUBLIC_MAX + 1]; /* one more: what is too long stays so */
	size_t peer_len; /* 0: generate only */
	struct ike_secret secret;
	struct ike_proof *proof; /* NULL: a key exchange, or EAP; owned */
	struct ike_eap *eap;	 /* referenced */
	enum ike_eap_outcome outcome;
	bool ok;
	struct ike_error err;
	TAILQ_ENTRY(ike_job) parked; /* inquiry.c: waits for what its proof wants */
	ike_time give_up;	     /* it asks no further then; 0: it has not yet */
};

TAILQ_HEAD(ike_job_list, ike_job);

typedef void (*ike_job_then)(struct ike_sa *sa, const struct ike_job *job, struct ike_incoming *in);

/* Draws a key of @group and generates it; with @peer not empty it derives the secret as well. */
IKE_MUST_CHECK bool ike_job_generate(struct ike_sa *sa, enum ike_side side, uint16_t group,
				     struct ike_bytes peer, ike_job_then then,
				     struct ike_incoming *in);
/*
 * Derives the secret of @key, generated before, and @peer. @in is kept meanwhile, and given to
 * @then.
 */
IKE_MUST_CHECK bool ike_job_derive(struct ike_sa *sa, enum ike_side side,
				   const struct ike_dh_key *key, struct ike_bytes peer,
				   ike_job_then then, struct ike_incoming *in);
/* Runs @eap, a step of it, on what it has been given. A reference is taken. */
IKE_MUST_CHECK bool ike_job_eap(struct ike_sa *sa, enum ike_side side, struct ike_eap *eap,
				ike_job_then then, struct ike_incoming *in);
/* Makes or verifies @proof, which it takes over even if it fails. */
IKE_MUST_CHECK bool ike_job_prove(struct ike_sa *sa, enum ike_side side, struct ike_proof *proof,
				  ike_job_then then, struct ike_incoming *in);
/* What @sa waits for on @side is not wanted any more. */
void ike_job_forget(struct ike_sa *sa, enum ike_side side);

#endif
