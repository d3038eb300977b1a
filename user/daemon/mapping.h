/* SPDX-License-Identifier: MIT */
/* The engine's wishes in the words of the data plane. Pure: no netlink here. */
#ifndef ESPLANE_MAPPING_H
#define ESPLANE_MAPPING_H

#include "dataplane/types.h"
#include "ikev2/ike.h"

/*
 * "esplaned's boot": the upper half of every cookie that one run of the daemon hands out. Never 0.
 */
uint64_t mapping_cookie(uint32_t boot, uint64_t cookie);
static inline uint32_t mapping_boot(uint64_t cookie)
{
	return cookie >> 32;
}

void mapping_addr(struct dp_addr *to, const struct ike_addr *from);
/* The interface that a link-local address of the two is on; 0: neither is. */
uint32_t mapping_ifindex(const struct ike_addr *src, const struct ike_addr *dst);
/* False if it is neither 4 nor 16 bytes long. */
bool mapping_addr_back(struct ike_addr *to, const struct dp_addr *from);

/*
 * Every pair of a source and a destination of the same family. Returns 0, or a negative errno with
 * a reason in *why (static).
 */
int mapping_selectors(struct dp_selector *to, size_t *n, const struct ike_ts *src, size_t n_src,
		      const struct ike_ts *dst, size_t n_dst, const char **why);

/* The caller zeroes it. */
struct mapping_keymat {
	uint8_t bytes[ESPLANE_MAX_KEYMAT_LEN];
};

/* @to: zeroed by this; its key material lies in @keymat. */
int mapping_sa(struct dp_sa *to, struct mapping_keymat *keymat, const struct ike_sa_spec *spec,
	       uint32_t boot, const char **why);
int mapping_policy(struct dp_policy *to, const struct ike_policy_spec *spec, uint32_t boot,
		   const char **why);

/* Same addresses, protocol and ports, in any order. */
bool mapping_same_selectors(const struct dp_selector *a, size_t n_a, const struct dp_selector *b,
			    size_t n_b);
/* Is there a packet that both lists cover? */
bool mapping_overlap(const struct dp_selector *a, size_t n_a, const struct dp_selector *b,
		     size_t n_b);

#endif
