/* SPDX-License-Identifier: MIT */
/*
 * Messages in pieces (RFC 7383): cutting what is too long, gathering what came cut.
 *
 * A message in pieces is sent, kept and repeated as one: a flight, its datagrams one behind the
 * other, each as long as its header says.
 */
#ifndef ESPLANE_IKE_FRAGMENT_H
#define ESPLANE_IKE_FRAGMENT_H

#include "ikev2/message.h"

struct ike_protect;
struct ike_sa;

/* Limits of ours on what one peer can make us keep. */
enum {
	IKE_FRAGMENTS_MAX = 128,      /* of one message, either way */
	IKE_GATHERED_MAX = 32 * 1024, /* bytes of text in them */
};

/*
 * Pieces of one message that have been opened: authentic, but not all there yet. They stay until
 * the message is complete or comes whole, or those of another come.
 */
struct ike_fragments {
	uint32_t id;
	uint8_t exchange;
	uint8_t first;	/* type of the first payload, of fragment 1 */
	uint16_t total; /* 0: none */
	uint16_t got;
	size_t bytes;
	size_t longest; /* datagram */
	uint8_t digest[IKE_DIGEST_LEN]; /* of fragment 1, as it came */
	struct ike_packet *parts;	/* by number - 1 */
};

enum ike_gathering {
	IKE_GATHER_REFUSED, /* not genuine, or one that a genuine peer would not send */
	IKE_GATHER_MORE,
	IKE_GATHER_ALL, /* in->whole, in->first and in->digest are set */
};

/* Takes the fragment @skf that @in consists of. Forged ones change nothing. */
IKE_MUST_CHECK enum ike_gathering ike_fragments_take(struct ike_fragments *f,
						     struct ike_incoming *in,
						     const struct ike_payload *skf,
						     const struct ike_protect *p,
						     struct ike_error *err);
void ike_fragments_clear(struct ike_fragments *f);

/* Must this message, begun with ike_outgoing_begin(), go in pieces? */
bool ike_fragment_needed(const struct ike_outgoing *o, const struct ike_sa *sa);
/* Seals it as such: o->w then holds a flight. */
IKE_MUST_CHECK bool ike_fragment(struct ike_outgoing *o, struct ike_sa *sa, struct ike_error *err);
/* The peer's fragments are that long at most: longer ones may not get through to it. */
void ike_fragment_learn(struct ike_sa *sa, const struct ike_fragments *f);

/* Takes the next datagram off @flight; empty at the end. */
struct ike_bytes ike_flight_next(struct ike_bytes *flight);

#endif
