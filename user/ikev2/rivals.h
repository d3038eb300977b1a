/* SPDX-License-Identifier: MIT */
/* CHILD_SAs that both ends have made at once. */
#ifndef ESPLANE_IKE_RIVALS_H
#define ESPLANE_IKE_RIVALS_H

#include "ikev2/child.h"

/*
 * @t has made @c, in @old's place if that is not NULL. Who begins the exchange sees to it that what it
 * made superfluous goes. @rival: what the peer made in @old's place.
 */
void ike_rivals_settle(struct ike_sa *sa, struct ike_task *t, struct ike_child *c,
		       struct ike_child *old, struct ike_child *rival);
/* The peer has made @c. Both ends made the same: ours, done before, may be the one to go. */
void ike_rivals_cross(struct ike_child *c);
/*
 * The peer has made @c in @old's place. Our own rekeying of the same may be out: its answer finds here
 * what to compare.
 */
void ike_rivals_note(struct ike_sa *sa, const struct ike_child *c, const struct ike_child *old);

#endif
