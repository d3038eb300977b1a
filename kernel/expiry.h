/* SPDX-License-Identifier: GPL-2.0 */
/* Policies that end by themselves. */
#ifndef _ESPLANE_EXPIRY_H
#define _ESPLANE_EXPIRY_H

#include <linux/types.h>

struct esplane_net;
struct esplane_policy;

/* An unpublished policy is to end after @seconds; 0: never. */
void esplane_expiry_set(struct esplane_policy *policy, u32 seconds);
/* Seconds, rounded up; 0: it does not end, or is about to. */
u32 esplane_expiry_left(const struct esplane_policy *policy);
/* @policy has been published. Caller holds esplane_net::lock. */
void esplane_expiry_await(struct esplane_net *en, const struct esplane_policy *policy);

void esplane_expiry_init(struct esplane_net *en);
/* Call when nobody adds policies any more, without esplane_net::lock. */
void esplane_expiry_exit(struct esplane_net *en);

#endif
