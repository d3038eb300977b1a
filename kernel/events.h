/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the module reports up: sa-expire, policy-expire, acquire, sa-mapping. Any context, blocks no
 * packet.
 */
#ifndef _ESPLANE_EVENTS_H
#define _ESPLANE_EVENTS_H

#include <linux/types.h>

struct esplane_addr;
struct esplane_flow;
struct esplane_net;
struct esplane_policy;
struct esplane_sa;

/* @cause: bits of enum esplane_expire_cause. */
void esplane_event_expire(struct esplane_sa *sa, u32 cause, bool hard);
void esplane_event_policy_expire(struct esplane_net *en, const struct esplane_policy *policy);
/* Rate-limited here, per policy. */
void esplane_event_acquire(struct esplane_net *en, struct esplane_policy *policy,
			   const struct esplane_flow *flow);
/* The outer source of an authenticated packet differs from the SA's; rate-limited here per SA. */
void esplane_event_mapping(struct esplane_sa *sa, const struct esplane_addr *src, __be16 sport);

/* No event is sent any more, nor being sent. May sleep. */
void esplane_events_stop(void);

#endif
