/* SPDX-License-Identifier: GPL-2.0 */
/* The SPD (RFC 4301 section 4.4.1): a network namespace's ordered policies and classifier. */
#ifndef _ESPLANE_SPD_H
#define _ESPLANE_SPD_H

#include <linux/types.h>

struct esplane_flow;
struct esplane_net;
struct esplane_policy;
struct esplane_sa;
struct netlink_ext_ack;

/**
 * esplane_spd_lookup - the policy that decides on a flow
 * @direction: enum esplane_direction
 * @if_id: of the esplane interface that the packet uses; 0 in policy mode
 * @mark: of the packet
 *
 * Return: the first match in order of (priority, id), or NULL: no policy covers it.
 * RCU read side. Counts nothing: the caller adds to policy->packets.
 */
struct esplane_policy *esplane_spd_lookup(const struct esplane_net *en, u8 direction,
					  const struct esplane_flow *flow, u32 if_id, u32 mark);

/*
 * Fast ways out of steer.c. Active: is there any policy of this direction without an interface, or
 * does the default discard? Discards: is there an inbound DISCARD policy?
 */
bool esplane_spd_active(const struct esplane_net *en, u8 direction);
bool esplane_spd_discards(const struct esplane_net *en);
/* Does a policy look at packets' marks? */
bool esplane_spd_asks_for_mark(const struct esplane_net *en);

/* What happens to packets of policy mode that no policy covers: BYPASS or DISCARD. */
u8 esplane_spd_default(const struct esplane_net *en, u8 direction);
void esplane_spd_set_default(struct esplane_net *en, u8 direction, u8 action);

/* NULL if there is none. Caller holds esplane_net::lock, as for all below. */
struct esplane_policy *esplane_spd_lookup_id(const struct esplane_net *en, u32 id);
/* Adds @policy (its @id is 0 and set here), with @sa or NULL. Takes @policy over if it succeeds. */
int esplane_spd_add(struct esplane_net *en, struct esplane_policy *policy, struct esplane_sa *sa,
		    struct netlink_ext_ack *extack);
/*
 * Puts @policy, with @sa or NULL, in the place of @old; takes @policy over if it succeeds. If they
 * decide alike, only the SA is swapped. No packet finds neither.
 */
int esplane_spd_replace(struct esplane_net *en, struct esplane_policy *old,
			struct esplane_policy *policy, struct esplane_sa *sa,
			struct netlink_ext_ack *extack);
void esplane_spd_remove(struct esplane_net *en, struct esplane_policy *policy);
void esplane_spd_flush(struct esplane_net *en);
/*
 * True, once, after a change by which lookups may find another policy: a new SA alone is none.
 * Caller holds rtnl and not the lock.
 */
bool esplane_spd_changed_for_flows(struct esplane_net *en);
/* Leaves every policy that uses @sa without one. */
void esplane_spd_forget_sa(struct esplane_net *en, struct esplane_sa *sa);

int esplane_spd_init(struct esplane_net *en);
void esplane_spd_exit(struct esplane_net *en);

#endif
