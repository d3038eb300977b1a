/* SPDX-License-Identifier: MIT */
/* What of the kernel's SAs or policies this process made: a set ordered by the kernel's ID. */
#ifndef ESPLANE_OWNED_H
#define ESPLANE_OWNED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct owned {
	uint32_t id;
	uint32_t spi;			/* SAs */
	bool inbound;
	bool seen;			/* by the dump under way */
	uint64_t cookie;		/* the engine's */
};

/* Zero-filled is empty. */
struct owned_set {
	struct owned *v;
	size_t n, cap;
};

/* Replaces an entry of the same ID. Returns 0 or -ENOMEM. */
int owned_add(struct owned_set *set, const struct owned *entry);
/* NULL if there is none. Valid until the set changes. */
struct owned *owned_find(const struct owned_set *set, uint32_t id);
bool owned_remove(struct owned_set *set, uint32_t id);
void owned_free(struct owned_set *set);

#endif
