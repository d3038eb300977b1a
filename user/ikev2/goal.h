/* SPDX-License-Identifier: MIT */
/*
 * What should be: children that are to be up (start_action, or what close_action and dpd_action
 * say) and children whose traffic is to bring them up (traps). Trying again, with growing pauses.
 */
#ifndef ESPLANE_IKE_GOAL_H
#define ESPLANE_IKE_GOAL_H

#include "ikev2/engine.h"
#include "ikev2/ike_sa.h"

struct ike_goal {
	TAILQ_ENTRY(ike_goal) link;
	struct ike_node by_name;
	struct ike_engine *engine;
	char *conn, *child;
	bool wanted;
	unsigned int tries;	/* failed in a row */
	bool unresolved;	/* the peer's name was not found, and it has been said */
	struct ike_timer timer; /* the next try */
	struct ike_policy *trap;
	bool by_command; /* the trap is, whatever start_action says */
	uint64_t cookie; /* of the trap */
};

/* All children with start_action, and no trap that the configuration does not have any more. */
void ike_goals_start(struct ike_engine *e);
/* The same for the children of the @n connections @names, which are new or changed; none: one has gone. */
void ike_goals_start_conns(struct ike_engine *e, char *const *names, size_t n);
void ike_goals_free(struct ike_engine *e);
/* The trap or shunt of a child, by command. False with a text in e->why. @conn NULL: of any. */
IKE_MUST_CHECK bool ike_goal_install(struct ike_engine *e, const struct ike_conn_cfg *conn,
				     const struct ike_child_cfg *child);
IKE_MUST_CHECK bool ike_goal_uninstall(struct ike_engine *e, const char *conn, const char *child);

/* A child has come up. */
void ike_goal_met(struct ike_engine *e, const char *conn, const char *child);
/* An attempt has failed. */
void ike_goal_failed(struct ike_engine *e, const char *conn, const char *child, const char *why);
/* The peer's name has no address: for ever, whatever keyingtries says, and told once. */
void ike_goal_unresolved(struct ike_engine *e, const char *conn, const char *child, const char *why);
/* How often the connection has failed in a row. */
unsigned int ike_goal_tries(struct ike_engine *e, const char *conn);
void ike_goal_resolved(struct ike_engine *e, const char *conn, const char *child);
/* A CHILD_SA has ended. Call it before its policies go. */
void ike_goal_lost(struct ike_child *c, enum ike_end how);
/* A command wants it down. @child NULL: all of the connection. */
void ike_goal_drop(struct ike_engine *e, const char *conn, const char *child);
/* Traffic has met the trap with this cookie. False: there is none. */
bool ike_goal_trapped(struct ike_engine *e, uint64_t cookie);

#endif
