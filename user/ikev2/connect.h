/* SPDX-License-Identifier: MIT */
/*
 * Bringing up a connection or a child of it: whether it is there or on its way, where the peer is,
 * by name if need be, and the IKE SA.
 */
#ifndef ESPLANE_IKE_CONNECT_H
#define ESPLANE_IKE_CONNECT_H

#include "ikev2/engine.h"

/*
 * Is all of @child there that the peer would take, or are CHILD_SAs of this name being made? @child
 * NULL: an IKE SA.
 */
bool ike_is_up(struct ike_engine *e, const char *conn, const struct ike_child_cfg *child);
bool ike_is_coming(struct ike_engine *e, const char *conn, const char *child);
/*
 * Brings up @child (NULL: the IKE SA alone), on an IKE SA that is there or a new one, for which the
 * peer's name may have to be looked up first. False with a text in e->why: the ticket is then
 * untouched.
 */
IKE_MUST_CHECK bool ike_connect(struct ike_engine *e, struct ike_config *config,
				const struct ike_conn_cfg *conn, const struct ike_child_cfg *child,
				uint64_t ticket);
/*
 * Where both ends of a new IKE SA would be; the peer at @at, or, NULL, where it is configured. False
 * with a text in e->why.
 */
IKE_MUST_CHECK bool ike_find_ends(struct ike_engine *e, const struct ike_conn_cfg *conn,
				  const struct ike_addr *at, struct ike_endpoint *local,
				  struct ike_endpoint *remote);
/* What ike_host.resolve() was asked. */
void ike_lookup_answered(struct ike_engine *e, uint64_t id, const struct ike_addr *addrs, size_t n,
			 const char *why);
void ike_lookups_free(struct ike_engine *e);

#endif
