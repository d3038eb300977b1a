/* SPDX-License-Identifier: MIT */
/*
 * Every state that an IKE SA can be in, as either role, with a request of every exchange out or
 * none: a world each, in which an engine has got there by itself and the wire has been cut.
 */
#ifndef ESPLANE_TESTS_SITUATION_H
#define ESPLANE_TESTS_SITUATION_H

#include "tests/world.h"

struct situation {
	const char *name;
	enum ike_sa_state state;
	unsigned int end; /* that is in it; 0 is the initiator */
	uint8_t asks;	  /* the exchange of its request that is out; 0: none is */
	struct world *(*make)(const struct situation *s);
};

/* Ends with one without name. */
extern const struct situation situations[];

/* The wire is cut; nothing is on its way. */
struct world *situation_world(const struct situation *s);
/* The IKE SA of that state; NULL: there is none. */
struct ike_sa *situation_sa(struct world *w, const struct situation *s);

#endif
