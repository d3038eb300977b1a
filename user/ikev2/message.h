/* SPDX-License-Identifier: MIT */
/* A message that came, opened; a message that goes, being made. */
#ifndef ESPLANE_IKE_MESSAGE_H
#define ESPLANE_IKE_MESSAGE_H

#include "ikev2/ike.h"
#include "ikev2/law.h"
#include "ikev2/window.h"
#include "ikev2/wire/decode.h"
#include "ikev2/wire/encode.h"

enum {
	IKE_MESSAGE_MAX = 16384, /* ours; a peer's may fill a datagram */
};

struct ike_sa;

/* Its views point into @bytes or @whole. Who keeps one, to go on with it later, has a reference. */
struct ike_incoming {
	struct ike_endpoint local, remote;
	struct ike_header header;
	uint8_t digest[IKE_DIGEST_LEN]; /* of the message, or its fragment 1, as it came */
	struct ike_payloads all;	/* those inside SK, if there is one */
	enum ike_form form;
	unsigned int refs;
	struct ike_packet whole; /* what came in fragments (fragment.h), opened */
	struct ike_bytes plain;	 /* what was in SK, or in all of SKF */
	uint8_t first;		 /* type of its first payload */
	size_t len;
	uint8_t bytes[];
};

/* A copy of @message, with nothing decoded yet, and the first reference; NULL without memory. */
struct ike_incoming *ike_incoming_new(const struct ike_endpoint *local,
				      const struct ike_endpoint *remote, struct ike_bytes message);
struct ike_incoming *ike_incoming_ref(struct ike_incoming *in);
/* Freed, and wiped, with the last reference. NULL is nothing. */
void ike_incoming_unref(struct ike_incoming *in);

/* The first notify of @type; false if there is none. @n may be NULL. */
bool ike_find_notify(const struct ike_payloads *all, uint16_t type, struct ike_wire_notify *n);
/* The first notify that is an error (section 3.10.1); false if there is none. */
bool ike_find_error(const struct ike_payloads *all, struct ike_wire_notify *n);
/* "NO_PROPOSAL_CHOSEN" or, of an unknown one, its number. */
const char *ike_notify_text(uint16_t type, char buf[32]);

struct ike_outgoing {
	struct ike_writer w;
	size_t mark; /* of the SK payload, unless @plain */
	uint8_t exchange;
	bool plain;
	uint8_t buf[2 * IKE_MESSAGE_MAX]; /* in fragments it takes more than at once */
};

/* IKE_SA_INIT is plain, all else protected. */
void ike_outgoing_begin(struct ike_outgoing *o, const struct ike_sa *sa, uint8_t exchange,
			uint32_t id, bool response);
/* @o then holds one datagram, or several as one flight (fragment.h). */
IKE_MUST_CHECK bool ike_outgoing_end(struct ike_outgoing *o, struct ike_sa *sa,
				     struct ike_error *err);

#endif
