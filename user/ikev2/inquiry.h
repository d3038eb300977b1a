/* SPDX-License-Identifier: MIT */
/*
 * What the proofs of peers want to be fetched (crypto/revocation.h): asked for once, whoever wants it,
 * and kept as long as it is good. A job that waits for an answer is parked here, and run again with
 * it; its IKE SA goes on waiting for the job as if it had never come back.
 *
 * What comes from the net is bytes to this file. Jobs tell what they were worth.
 */
#ifndef ESPLANE_IKE_INQUIRY_H
#define ESPLANE_IKE_INQUIRY_H

#include <sys/queue.h>

#include "ikev2/crypto/revocation.h"
#include "ikev2/ike.h"

struct ike_inquiry;
TAILQ_HEAD(ike_inquiry_list, ike_inquiry);

enum {
	IKE_INQUIRIES_MAX = 512,	   /* answers kept, and questions under way */
	IKE_INQUIRIES_PENDING_MAX = 16,
	IKE_INQUIRIES_BYTES_MAX = 32 << 20, /* of answers */
	IKE_FETCH_TIMEOUT_MS = 10000,
};

struct ike_inquiries {
	struct ike_inquiry_list list; /* what was asked for last is at the end */
	size_t n, pending, bytes;
	uint64_t last_id;
};

void ike_inquiries_init(struct ike_inquiries *q);
/* All that is kept or waits. What the host is fetching is the host's. */
void ike_inquiries_free(struct ike_engine *e);
/* Forgets all answers: who reloads wants to know afresh. */
void ike_inquiries_forget(struct ike_engine *e);
/*
 * @job has come back. True: it wants something, and has been taken over, to come back once more. False:
 * it is done.
 */
bool ike_inquire(struct ike_engine *e, struct ike_job *job);
void ike_inquiry_answered(struct ike_engine *e, struct ike_fetch *fetch, const uint8_t *body,
			  size_t len, const char *why);

#endif
