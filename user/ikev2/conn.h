/* SPDX-License-Identifier: MIT */
/*
 * Which connection a peer means: by addresses first, by identities later; and which key is for it.
 */
#ifndef ESPLANE_IKE_CONN_H
#define ESPLANE_IKE_CONN_H

#include "ikev2/config.h"
#include "ikev2/ike_sa.h"

/* Does @list, of local_addrs or remote_addrs, name @a? An empty one names all. */
bool ike_conn_takes(const struct ike_ts *list, size_t n, const struct ike_addr *a);
/* How well the addresses fit, 0: not at all. */
unsigned int ike_conn_fit(const struct ike_conn_cfg *conn, const struct ike_addr *local,
			  const struct ike_addr *remote);
/*
 * Responder, IKE_SA_INIT: the connection that fits the addresses best and has a proposal in common.
 * NULL: @err says why not, at length.
 */
const struct ike_conn_cfg *ike_conn_choose(struct ike_engine *e, const struct ike_addr *local,
					   const struct ike_addr *remote,
					   const struct ike_proposal_list *offer,
					   const struct ike_select *how, struct ike_suite *suite,
					   char *why, size_t cap);
/*
 * Responder, IKE_AUTH: of those that want the method by which the peer authenticates, or if there is none of all,
 * the one that fits identities best too, and among those one that wants several rounds if the peer does.
 * @idr: what the peer expects of us; ANY: nothing.
 */
const struct ike_conn_cfg *ike_conn_identify(const struct ike_sa *sa, const struct ike_id *idi,
					     const struct ike_id *idr, enum ike_auth_method method,
					     bool rounds);
/* Our identity: the configured one, or the address. */
void ike_conn_local_id(const struct ike_conn_cfg *conn, const struct ike_addr *local,
		       struct ike_id *id);
/* The first single address; family 0 if there is none. */
struct ike_addr ike_conn_first_addr(const struct ike_ts *addrs, size_t n);

/* The pre-shared key between two identities; NULL if there is none. */
const struct ike_secret_cfg *ike_psk_find(const struct ike_config *config,
					  const struct ike_id *local, const struct ike_id *remote);

#endif
