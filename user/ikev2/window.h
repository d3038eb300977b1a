/* SPDX-License-Identifier: MIT */
/*
 * The message-ID window of an IKE SA, of size 1 in each direction (RFC 7296 sections 2.1 to 2.3):
 * one request of ours may be unanswered, and of the peer's requests the last one's answer is kept,
 * to be sent again, never made again.
 */
#ifndef ESPLANE_IKE_WINDOW_H
#define ESPLANE_IKE_WINDOW_H

#include "ikev2/text.h"
#include "ikev2/wire/bytes.h"

enum {
	IKE_DIGEST_LEN = 32
}; /* SHA2-256, of a request as it came */

enum {
	/* Section 2.2: IDs never wrap. The SA ends before they could. */
	IKE_MESSAGE_ID_LAST = 0xfffffff0,
};

/* Bytes that are owned. */
struct ike_packet {
	uint8_t *p;
	size_t len;
};

IKE_MUST_CHECK bool ike_packet_set(struct ike_packet *packet, struct ike_bytes bytes);
void ike_packet_clear(struct ike_packet *packet);
static inline struct ike_bytes ike_packet_bytes(const struct ike_packet *packet)
{
	return ike_bytes(packet->p, packet->len);
}

struct ike_window {
	/* What we ask. */
	uint32_t next_id;	   /* of our next new request */
	struct ike_packet request; /* unanswered, a flight; its ID is next_id - 1 */
	/* What we are asked. */
	uint32_t expected;		/* ID of the peer's next new request */
	bool answering;			/* the one before it has no answer yet */
	uint8_t digest[IKE_DIGEST_LEN]; /* of the one before it, or its fragment 1 */
	struct ike_packet answer;	/* to the one before it, a flight */
};

void ike_window_clear(struct ike_window *w);
void ike_digest(struct ike_bytes message, uint8_t digest[IKE_DIGEST_LEN]);

enum ike_verdict {
	IKE_REQUEST_NEW,      /* to be opened, and accepted if it is genuine */
	IKE_REQUEST_REPEATED, /* bit by bit the last one, which has been answered: answer again */
	IKE_REQUEST_STALE,    /* nothing to be done with */
};
/* Judges a request by its ID and the digest of its bytes. Changes nothing: it may be forged. */
enum ike_verdict ike_window_judge(const struct ike_window *w, uint32_t id,
				  const uint8_t digest[IKE_DIGEST_LEN]);
/* The request is genuine and is being answered. */
void ike_window_accept(struct ike_window *w, const uint8_t digest[IKE_DIGEST_LEN]);
/* Keeps the answer to the accepted request. */
IKE_MUST_CHECK bool ike_window_answered(struct ike_window *w, struct ike_bytes answer);

/* Keeps our request; its ID was next_id. */
IKE_MUST_CHECK bool ike_window_asked(struct ike_window *w, struct ike_bytes request);
/* True if a response with this ID is awaited. */
bool ike_window_awaits(const struct ike_window *w, uint32_t id);
/* The response came, or is not waited for any more. */
void ike_window_settled(struct ike_window *w);

#endif
