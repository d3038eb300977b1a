/* SPDX-License-Identifier: MIT */
/*
 * What of a configured child is there, and what is still to be asked for. One CHILD_SA may carry all
 * of it, or a peer takes it in parts only (RFC 7296 section 2.9): SINGLE_PAIR_REQUIRED,
 * ADDITIONAL_TS_POSSIBLE.
 */
#ifndef ESPLANE_IKE_COVERAGE_H
#define ESPLANE_IKE_COVERAGE_H

#include "ikev2/config.h"

struct ike_child;
struct ike_choice;
struct ike_sa;

/* Each local selector with each remote one. None: all of the child. */
struct ike_part {
	struct ike_ts *local, *remote;
	size_t n_local, n_remote;
};

enum {
	IKE_PARTS_MAX = 64, /* requests for one child in a row */
};

void ike_part_clear(struct ike_part *p);
IKE_MUST_CHECK bool ike_part_copy(struct ike_part *to, const struct ike_part *from);
static inline bool ike_part_is_pair(const struct ike_part *p)
{
	return p->n_local == 1 && p->n_remote == 1;
}

/* A part that the peer of an IKE SA does not take. */
struct ike_refusal {
	char *child;
	struct ike_part part;
};
struct ike_refusals {
	struct ike_refusal *list;
	size_t n;
};
/* Of IKE_PARTS_MAX at most, after which, and without memory, nothing is noted. */
void ike_refusals_add(struct ike_refusals *r, const char *child, const struct ike_part *part);
void ike_refusals_clear(struct ike_refusals *r);

enum ike_rest {
	IKE_REST_NONE,
	IKE_REST_WHOLE, /* nothing of it is there */
	IKE_REST_PART,
	IKE_REST_UNKNOWN, /* out of memory */
};

/*
 * What of @cfg is to be asked of @sa's peer next: neither carried by a CHILD_SA of the same connection
 * nor refused by that peer. PART: in *@part, to be cleared, which was empty. @single: one pair of
 * selectors at a time.
 */
enum ike_rest ike_coverage_rest(const struct ike_sa *sa, const struct ike_child_cfg *cfg, bool single,
				struct ike_part *part);
bool ike_coverage_full(const struct ike_sa *sa, const struct ike_child_cfg *cfg);

/*
 * What @c counts for: all that was asked for when the peer answers with less and has no more to give,
 * else what was agreed on. False without memory.
 */
IKE_MUST_CHECK bool ike_coverage_claim(struct ike_child *c, const struct ike_choice *choice,
				       const struct ike_child *old);

#endif
