/* SPDX-License-Identifier: MIT */
/*
 * Several rounds of authentication (RFC 4739): each end may have to prove more than one identity,
 * or one in more than one way, before the IKE SA stands.
 *
 *	initiator			responder
 *	IDi, AUTH, SA, TSi, TSr, N  -->			N(ANOTHER_AUTH_FOLLOWS) beside each AUTH
 *				   <--	IDr, AUTH	but the last of its end
 *	IDi, [AUTH]		   -->			without AUTH: by EAP
 *				   <--	[IDr, AUTH,]	as long as the responder has more to prove
 *	nothing			   -->			if only the responder has
 *				   <--	[IDr, AUTH,] SA, TSi, TSr	after the last of both
 */
#ifndef ESPLANE_IKE_ROUNDS_H
#define ESPLANE_IKE_ROUNDS_H

#include "ikev2/ike_sa.h"

/* The round that an end is in; NULL: it has proven all there is. */
static inline const struct ike_auth_cfg *ike_own_auth(const struct ike_sa *sa)
{
	return ike_conn_round(&sa->conn->local, &sa->conn->local_more, sa->own_round);
}

static inline const struct ike_auth_cfg *ike_peer_auth(const struct ike_sa *sa)
{
	return ike_conn_round(&sa->conn->remote, &sa->conn->remote_more, sa->peer_round);
}

static inline bool ike_has_rounds(const struct ike_conn_cfg *conn)
{
	return conn->local_more.n || conn->remote_more.n;
}

/* Who an end is in a round of its own that has @cfg. */
void ike_round_local_id(const struct ike_auth_cfg *cfg, const struct ike_addr *local,
			struct ike_id *id);
/* ANOTHER_AUTH_FOLLOWS, if one of ours does. @after: this many that are under way. */
void ike_put_another(struct ike_writer *w, const struct ike_sa *sa, unsigned int after);
/*
 * A round of the peer's is over, in the message @all: on to the next. False: it says otherwise of
 * how many there are than the configuration.
 */
IKE_MUST_CHECK bool ike_round_over(struct ike_sa *sa, const struct ike_payloads *all,
				   struct ike_error *err);
/* Does the message make what only the last one may? */
bool ike_round_premature(const struct ike_payloads *all);
/* Error notifies that are about the CHILD_SA alone (RFC 7296 section 1.2). */
bool ike_refuses_child_only(uint16_t notify);

#endif
