/* SPDX-License-Identifier: MIT */
/*
 * Messages made of the table of what may come when (law.h): well-formed payloads of any types, from
 * the other end of an IKE SA, as it would send them or as somebody might who has not understood.
 */
#ifndef ESPLANE_TESTS_ORDER_MESSAGE_H
#define ESPLANE_TESTS_ORDER_MESSAGE_H

#include "tests/situation.h"

enum {
	UNKNOWN = 200, /* a payload type that nobody knows */
	STRANGE_STATUS = 40961, /* section 3.10.1: for private use */
	TYPES_MAX = 32,
};

enum guise {
	GENUINE,
	MIRRORED, /* the flag says that the receiver sent it */
	BARE,	  /* without SK */
	GUISES
};

struct message {
	struct ike_law_row row;
	enum ike_form form; /* whose payloads it was made of */
	uint8_t types[TYPES_MAX];
	size_t n;
	bool critical;
	enum guise guise;
};

/* The other end of @sa, by what @sa knows; where there is none, or without keys, with @donor's. */
struct ike_sa order_peer(const struct ike_sa *sa, const struct ike_sa *donor);
/* @m for end @end, whose IKE SA is @sa (NULL: it has none), from @peer. */
void order_make(struct ike_outgoing *o, const struct ike_sa *sa, const struct ike_sa *peer,
		const struct message *m, unsigned int end);

#endif
