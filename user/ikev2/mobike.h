/* SPDX-License-Identifier: MIT */
/*
 * MOBIKE (RFC 4555): the ends' addresses change, and the IKE SA goes along with its CHILD_SAs.
 *
 * Who began the IKE SA, however often it has been rekeyed since, decides which addresses are used
 * (path.c) and tells the other end by UPDATE_SA_ADDRESSES. That one follows, but sends packets of
 * its CHILD_SAs there only after it has seen that the new address answers. Both say where else they
 * may be reached. Messages that merely come from elsewhere, which IKE by itself would follow, move
 * nothing (section 3.8).
 */
#ifndef ESPLANE_IKE_MOBIKE_H
#define ESPLANE_IKE_MOBIKE_H

#include "ikev2/ike_sa.h"

/* IKE_AUTH, both roles: offers MOBIKE, or accepts it, and tells of our other addresses. */
void ike_mobike_put(struct ike_writer *w, struct ike_sa *sa);
/* The peer's IKE_AUTH message: does it do MOBIKE too? */
void ike_mobike_agree(struct ike_sa *sa, const struct ike_payloads *all);
/* The IKE SA is up. */
void ike_mobike_begin(struct ike_sa *sa);
/* It takes over from @old: what that has not finished saying is said again. */
void ike_mobike_inherit(struct ike_sa *sa, const struct ike_sa *old);
/* The host's addresses or routes have changed. */
void ike_mobike_roam(struct ike_sa *sa);

/* An INFORMATIONAL request has come; what it wants to know goes into the answer @w. */
void ike_mobike_request(struct ike_sa *sa, const struct ike_incoming *in, struct ike_writer *w);
/* An authentic response has come this way, which may not be the one we think is in use. */
void ike_mobike_response(struct ike_sa *sa, const struct ike_incoming *in);
/* Liveness checks find out whether a NAT before us has changed its mapping (section 3.8). */
void ike_mobike_put_check(struct ike_writer *w, const struct ike_sa *sa);
void ike_mobike_take_check(struct ike_sa *sa, const struct ike_incoming *in);

/* path.c */

/* Goes over to other addresses if the host's, or its routes, make that necessary. */
void ike_path_review(struct ike_sa *sa);
/* From now on these addresses; what waits for an answer is asked again from there. */
void ike_path_move(struct ike_sa *sa, const struct ike_addr *local, const struct ike_addr *remote);
/* The request in the window has not been answered: tries it on other ways too. */
void ike_path_probe(struct ike_sa *sa);
bool ike_path_is_probed(const struct ike_sa *sa);
/* Addresses of ours that the peer may use besides; at most IKE_PATH_ADDRS_MAX. */
size_t ike_path_others(const struct ike_sa *sa, struct ike_addr list[IKE_PATH_ADDRS_MAX]);

#endif
