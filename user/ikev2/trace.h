/* SPDX-License-Identifier: MIT */
/*
 * IKE messages for those who look into them: as they were before encryption or after decryption.
 * Off unless the host asks for it (ike_engine_trace()).
 */
#ifndef ESPLANE_IKE_TRACE_H
#define ESPLANE_IKE_TRACE_H

#include "ikev2/ike_sa.h"
#include "ikev2/message.h"

/* Of what is in the clear: if it is, and if anybody looks. */
void ike_trace_clear(struct ike_engine *e, bool sent, const struct ike_endpoint *local,
		     const struct ike_endpoint *remote, struct ike_bytes message);
/* @in was opened: @first is the type of the first payload of @plain. */
void ike_trace_opened(const struct ike_sa *sa, const struct ike_incoming *in, uint8_t first,
		      struct ike_bytes plain);
/* @o is about to be sealed. */
void ike_trace_sealing(const struct ike_sa *sa, const struct ike_outgoing *o);

#endif
