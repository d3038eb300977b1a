/* SPDX-License-Identifier: MIT */
/*
 * The configuration payload (RFC 7296 sections 2.19 and 3.15): addresses inside of the tunnel, for
 * which "dynamic" selectors stand then. A client asks for conn->vips, a server gives out of
 * conn->pools; the IKE SA holds them, through all rekeying, until it ends.
 */
#ifndef ESPLANE_IKE_CP_H
#define ESPLANE_IKE_CP_H

#include "ikev2/ike_sa.h"

/* Client: CP(CFG_REQUEST), if the connection wants addresses. */
void ike_cp_ask(struct ike_writer *w, const struct ike_sa *sa);
/* Client: takes the addresses of CP(CFG_REPLY) and sets them up at the host. */
IKE_MUST_CHECK bool ike_cp_take(struct ike_sa *sa, const struct ike_payloads *all,
				struct ike_error *err);
/*
 * Server: CP(CFG_REPLY), if the peer asks for addresses and there are pools. False, with
 * INTERNAL_ADDRESS_FAILURE: there is none for it. @share: it may keep what it holds by an IKE SA
 * that this one replaces.
 */
IKE_MUST_CHECK bool ike_cp_answer(struct ike_writer *w, struct ike_sa *sa,
				  const struct ike_payloads *all, bool share,
				  struct ike_error *err);
/* The addresses go to the IKE SA that takes over. */
void ike_cp_move(struct ike_sa *from, struct ike_sa *to);
void ike_cp_end(struct ike_sa *sa);
/* What @sa has from @old, which stays after all. */
void ike_cp_give_back(struct ike_sa *sa, struct ike_sa *old);
/* The ends of the tunnel have other addresses outside now. */
void ike_cp_moved(struct ike_sa *sa);
/* Has this end got @addr from a peer? */
bool ike_cp_is_vip(const struct ike_engine *e, const struct ike_addr *addr);

/*
 * A copy of the selectors @list of the local or the remote end, with the addresses that "dynamic"
 * stands for: those inside, or @outer; what is beyond IKE_TS_MAX is left out. Returns how many.
 */
size_t ike_cp_resolve(const struct ike_sa *sa, bool local, const struct ike_addr *outer,
		      const struct ike_ts *list, size_t n, struct ike_ts out[IKE_TS_MAX]);

#endif
