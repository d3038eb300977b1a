/* SPDX-License-Identifier: MIT */
/*
 * What CHILD_SAs and traps want of the data plane's policies. Those with the same selectors share
 * one pair, inbound and outbound, so that a change from one to another is one replacement and at no
 * moment none is in force.
 */
#ifndef ESPLANE_IKE_SPD_H
#define ESPLANE_IKE_SPD_H

#include "ikev2/engine.h"

struct ike_child;
struct ike_sa;

struct ike_policy {
	TAILQ_ENTRY(ike_policy) link;
	struct ike_node by_selectors;
	struct ike_ts *local_ts, *remote_ts;
	size_t n_local_ts, n_remote_ts;
	enum ike_policy_action action;
	uint32_t if_id_in, if_id_out, priority;
	struct ike_mark mark_in, mark_out;
	uint32_t in, out;	     /* the data plane's IDs; 0: none */
	struct ike_child_list users; /* the newest last: that one is in force */
	uint64_t trap;		     /* cookie of a trap or shunt, or 0 */
};

/* Makes @c the one in force. */
IKE_MUST_CHECK bool ike_spd_attach(struct ike_child *c, struct ike_error *err);
/* Does another CHILD_SA carry what @c would? */
bool ike_spd_in_use(const struct ike_child *c);
/* Does nothing but @c carry what it does? */
bool ike_spd_depends_on(const struct ike_child *c);
/* What its packets would go out on without @c; NULL: nothing. */
struct ike_child *ike_spd_beside(const struct ike_child *c);
/* Without @c: another user is in force, or the trap, or the policies go. */
void ike_spd_detach(struct ike_child *c);

/* A trap, or the shunt that @cfg is. Selectors must be resolved. NULL when it cannot be. */
struct ike_policy *ike_spd_trap(struct ike_engine *e, const struct ike_conn_cfg *conn,
				const struct ike_child_cfg *cfg, const struct ike_ts *local,
				const struct ike_ts *remote, uint64_t cookie,
				struct ike_error *err);
/* Is @p what ike_spd_trap() would make of these? */
bool ike_spd_is_trap(const struct ike_policy *p, const struct ike_conn_cfg *conn,
		     const struct ike_child_cfg *cfg, const struct ike_ts *local,
		     const struct ike_ts *remote);
void ike_spd_untrap(struct ike_engine *e, struct ike_policy *p);
void ike_spd_free(struct ike_engine *e);

/* A child's own interface ID, or else its connection's. */
uint32_t ike_if_id_in(const struct ike_conn_cfg *conn, const struct ike_child_cfg *cfg);
uint32_t ike_if_id_out(const struct ike_conn_cfg *conn, const struct ike_child_cfg *cfg);

#endif
