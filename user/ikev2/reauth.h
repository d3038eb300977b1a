/* SPDX-License-Identifier: MIT */
/*
 * Re-authentication (RFC 7296 section 2.8.3): both ends prove anew who they are, by a new IKE SA. It
 * comes up beside the old one, with the same CHILD_SAs and addresses, and only then the old one is
 * deleted: there is always one that carries traffic.
 *
 * Who began the IKE SA begins that as well, after reauth_time or in the time that its peer asks for
 * by AUTH_LIFETIME (RFC 4478). The peer only does it if that comes to nothing.
 */
#ifndef ESPLANE_IKE_REAUTH_H
#define ESPLANE_IKE_REAUTH_H

#include "ikev2/ike_sa.h"

/*
 * Begins; the command of @ticket (0: none) ends when the first CHILD_SA is up. False: it cannot,
 * e->why says why.
 */
bool ike_reauth(struct ike_sa *old, uint64_t ticket);
/* @sa is authenticated: sets its timer. */
void ike_reauth_schedule(struct ike_sa *sa);
void ike_reauth_due(struct ike_timer *t);
/* When @sa ends if nothing has taken its place; IKE_NEVER: that is not set. */
ike_time ike_reauth_deadline(const struct ike_sa *sa);

/* AUTH_LIFETIME: of who answers, and for who asked. */
void ike_reauth_put(struct ike_writer *w, const struct ike_sa *sa);
void ike_reauth_take(struct ike_sa *sa, const struct ike_payloads *all);

/* What @sa is to take the place of, or NULL. */
struct ike_sa *ike_reauth_old(const struct ike_sa *sa);
/* Nothing is left to be asked for on @sa: if it was made for this, it takes over. */
void ike_reauth_settle(struct ike_sa *sa);
/* @sa ends. If it should have taken another's place, that one tries again. */
void ike_reauth_failed(struct ike_sa *sa, const char *why);
/* Rekeying: what referred to @old is about @sa now. */
void ike_reauth_inherit(struct ike_sa *sa, const struct ike_sa *old);

#endif
