/* SPDX-License-Identifier: MIT */
/*
 * SAs and policies that an earlier esplaned left in the kernel when it died. They go on carrying
 * traffic until the engine has brought up what replaces them:
 *
 * - A new policy with the selectors of a leftover one takes its place and ID in one atomic step, so
 *   that at no moment two are in force, or none.
 * - A new policy for a trap (without an SA) goes on using the leftover SA until there is a new one.
 * - A leftover policy that would shadow a new one goes.
 * - The SAs of a replaced CHILD_SA go: outbound at once, inbound after a delay for packets on
 *   their way.
 * - What nothing replaces stays until its hard lifetime, or for an hour if it has none; then its
 *   policies go too.
 *
 * They are known by their cookie: its upper half is a number that each run of the daemon makes
 * anew. What has none (upper half 0) is somebody else's and left alone.
 */
#ifndef ESPLANE_LEFTOVERS_H
#define ESPLANE_LEFTOVERS_H

#include "dataplane/client.h"
#include "ikev2/ike.h"

struct leftover_sa {
	uint32_t id;
	bool inbound;
	bool seen;			/* by a later look */
	uint64_t cookie;
	ike_time remove_at;		/* UINT64_MAX: its own lifetime ends it */
};

struct leftover_policy {
	uint32_t id, direction, if_id, priority, sa_id, mark, mark_mask;
	bool taken;			/* its ID is a policy's of ours; the SA may still be at work */
	uint64_t cookie;
	struct dp_selector *selectors;
	size_t n_selectors;
};

struct leftovers {
	struct dp *dp;
	uint32_t boot;			/* ours */
	struct leftover_sa *sas;
	size_t n_sas;
	struct leftover_policy *policies;
	size_t n_policies;
	ike_time now;			/* of the dump */
	bool no_memory;
};

/* Looks what is there. Returns 0 or a negative errno (see dp_why()). */
int leftovers_find(struct leftovers *l, struct dp *dp, uint32_t boot, ike_time now);
bool leftovers_any(const struct leftovers *l);

/*
 * Before policy-set of a new @policy: gives it the ID of the leftover one whose place it takes and,
 * if it has no SA, that one's SA.
 */
void leftovers_inherit(struct leftovers *l, struct dp_policy *policy);
/*
 * After each policy-set: what @policy replaces goes, the leftover SAs too if it has a new one, and
 * what would shadow it.
 */
void leftovers_settle(struct leftovers *l, const struct dp_policy *policy, ike_time now);

/* The kernel removed an SA. True if it was a leftover. */
bool leftovers_gone(struct leftovers *l, uint32_t sa_id);
/* The same by a dump, after events were lost: begin, each SA that is there, end. */
void leftovers_look_begin(struct leftovers *l);
void leftovers_look_at(struct leftovers *l, uint32_t sa_id);
void leftovers_look_end(struct leftovers *l);
/* Removes what is due; when to come next, UINT64_MAX for never. */
ike_time leftovers_tick(struct leftovers *l, ike_time now);
/* Removes all from the kernel. */
void leftovers_clear(struct leftovers *l);
void leftovers_free(struct leftovers *l);

#endif
