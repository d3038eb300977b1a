// SPDX-License-Identifier: MIT
/* A set ordered by ID. The kernel counts IDs up, so that almost every addition is at the end. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "owned.h"

enum { FIRST_CAPACITY = 16 };

/* Where @id is or would be. */
static size_t place(const struct owned_set *set, uint32_t id)
{
	size_t low = 0, high = set->n, middle;

	if (high && set->v[high - 1].id < id)
		return high;
	while (low < high) {
		middle = low + (high - low) / 2;
		if (set->v[middle].id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct owned *owned_find(const struct owned_set *set, uint32_t id)
{
	size_t at = place(set, id);

	return at < set->n && set->v[at].id == id ? &set->v[at] : NULL;
}

static int grow(struct owned_set *set)
{
	size_t cap = set->cap ? set->cap * 2 : FIRST_CAPACITY;
	struct owned *v;

	if (set->n < set->cap)
		return 0;
	v = reallocarray(set->v, cap, sizeof(*v));
	if (!v)
		return -ENOMEM;
	set->v = v;
	set->cap = cap;
	return 0;
}

int owned_add(struct owned_set *set, const struct owned *entry)
{
	struct owned *old = owned_find(set, entry->id);
	size_t at;

	if (old) {
		*old = *entry;
		return 0;
	}
	if (grow(set))
		return -ENOMEM;
	at = place(set, entry->id);
	memmove(&set->v[at + 1], &set->v[at], (set->n - at) * sizeof(*set->v));
	set->v[at] = *entry;
	set->n++;
	return 0;
}

bool owned_remove(struct owned_set *set, uint32_t id)
{
	struct owned *entry = owned_find(set, id);
	size_t at;

	if (!entry)
		return false;
	at = entry - set->v;
	set->n--;
	memmove(entry, entry + 1, (set->n - at) * sizeof(*entry));
	return true;
}

void owned_free(struct owned_set *set)
{
	free(set->v);
	memset(set, 0, sizeof(*set));
}
