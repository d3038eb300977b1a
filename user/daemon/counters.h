/* SPDX-License-Identifier: MIT */
/*
 * What VICI's get-counters tells: IKE messages by exchange, direction and kind, and rekeyings, of
 * the daemon as a whole. A message in fragments counts once; one that is sent again counts again.
 */
#ifndef ESPLANE_COUNTERS_H
#define ESPLANE_COUNTERS_H

#include "ikev2/ike.h"
#include "vici/vici.h"

/* X(NAME, "name in VICI"). Of each exchange: requests and responses that came, then that went. */
#define COUNTERS(X)							\
	X(IKE_REKEY_INIT, "ike-rekey-init")				\
	X(IKE_REKEY_RESP, "ike-rekey-resp")				\
	X(CHILD_REKEY, "child-rekey")					\
	X(IKE_INIT, "ike-init-in-req")					\
	X(IKE_INIT_IN_RESP, "ike-init-in-resp")				\
	X(IKE_INIT_OUT_REQ, "ike-init-out-req")				\
	X(IKE_INIT_OUT_RESP, "ike-init-out-resp")			\
	X(IKE_AUTH, "ike-auth-in-req")					\
	X(IKE_AUTH_IN_RESP, "ike-auth-in-resp")				\
	X(IKE_AUTH_OUT_REQ, "ike-auth-out-req")				\
	X(IKE_AUTH_OUT_RESP, "ike-auth-out-resp")			\
	X(CREATE_CHILD, "create-child-in-req")				\
	X(CREATE_CHILD_IN_RESP, "create-child-in-resp")			\
	X(CREATE_CHILD_OUT_REQ, "create-child-out-req")			\
	X(CREATE_CHILD_OUT_RESP, "create-child-out-resp")		\
	X(INFO, "info-in-req")						\
	X(INFO_IN_RESP, "info-in-resp")					\
	X(INFO_OUT_REQ, "info-out-req")					\
	X(INFO_OUT_RESP, "info-out-resp")				\
	X(INTERMEDIATE, "intermediate-in-req")				\
	X(INTERMEDIATE_IN_RESP, "intermediate-in-resp")			\
	X(INTERMEDIATE_OUT_REQ, "intermediate-out-req")			\
	X(INTERMEDIATE_OUT_RESP, "intermediate-out-resp")		\
	X(FOLLOWUP, "followup-ke-in-req")				\
	X(FOLLOWUP_IN_RESP, "followup-ke-in-resp")			\
	X(FOLLOWUP_OUT_REQ, "followup-ke-out-req")			\
	X(FOLLOWUP_OUT_RESP, "followup-ke-out-resp")

enum counter {
#define X(name, text) COUNTER_##name,
	COUNTERS(X)
#undef X
	COUNTER_COUNT
};

struct counters {
	uint64_t counts[COUNTER_COUNT];
	uint64_t refused_before;	/* the engine's count when these were reset */
};

void counters_message(struct counters *c, bool sent, const uint8_t *message, size_t len);
/* @refused: the engine's count of now. */
void counters_put(const struct counters *c, uint64_t refused, struct vici_builder *b);
void counters_reset(struct counters *c, uint64_t refused);

#endif
