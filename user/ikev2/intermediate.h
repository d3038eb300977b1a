/* SPDX-License-Identifier: MIT */
/*
 * IKE_INTERMEDIATE (RFC 9242), which carries the additional key exchanges that IKE_SA_INIT agreed
 * on (RFC 9370 section 2.2.2), and what IKE_AUTH proves of it.
 */
#ifndef ESPLANE_IKE_INTERMEDIATE_H
#define ESPLANE_IKE_INTERMEDIATE_H

#include "ikev2/ike_sa.h"

enum {
	IKE_INT_AUTH_MAX = 2 * IKE_KEY_MAX + 4 /* IntAuth_i, IntAuth_r, message ID */
};

/*
 * Takes a message into IntAuth_i or _r, by the keys that protect it: before they change.
 * @message: as it is sent, of which only what comes before the IV is looked at. @first: type of the
 * first payload in @plain, the payloads inside of SK, of all fragments if it was cut.
 */
IKE_MUST_CHECK bool ike_intermediate_note(struct ike_sa *sa, bool of_initiator,
					  const uint8_t *message, uint8_t first,
					  struct ike_bytes plain, struct ike_error *err);
/* IntAuth, written into @buf; empty if there was no IKE_INTERMEDIATE. */
struct ike_bytes ike_intermediate_proof(const struct ike_sa *sa, uint8_t buf[IKE_INT_AUTH_MAX]);
/*
 * Initiator: the task being done is over, and what comes next is queued: IKE_INTERMEDIATE for
 * sa->addke, or IKE_AUTH.
 */
enum ike_step ike_intermediate_go_on(struct ike_sa *sa);

#endif
