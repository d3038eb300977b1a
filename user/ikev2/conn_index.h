/* SPDX-License-Identifier: MIT */
/*
 * Finding connections among thousands. Each function gives what looking at all of them in their order would give;
 * without an index (ike_config_index()) that is what it does.
 */
#ifndef ESPLANE_IKE_CONN_INDEX_H
#define ESPLANE_IKE_CONN_INDEX_H

#include "ikev2/config.h"

/* Of a configuration whose connections do not change any more. False: out of memory. */
bool ike_config_index(struct ike_config *c);
void ike_conn_index_free(struct ike_conn_index *index);

/*
 * Connection @i of those that differ in what matters before the peer has said who it is: addresses, proposals,
 * authentication. Of some that are the same in all this the first stands for all. NULL: there are no more.
 */
const struct ike_conn_cfg *ike_conn_distinct(const struct ike_config *c, size_t i);

/* Those that the peer's identity may fit, in no order; zero-filled to begin with. */
struct ike_conn_iter {
	size_t seen;
	uint32_t next;
};
const struct ike_conn_cfg *ike_conn_of_peer(const struct ike_config *c, const struct ike_id *id,
					    struct ike_conn_iter *iter);

#endif
