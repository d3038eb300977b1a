/* SPDX-License-Identifier: MIT */
/* A hash table by 64-bit numbers that are random already (SPIs) or count up (IDs). */
#ifndef ESPLANE_IKE_TABLE_H
#define ESPLANE_IKE_TABLE_H

#include <stdint.h>
#include <stddef.h>

enum {
	IKE_TABLE_BUCKETS = 1024
};

/* Part of what is in the table. Several with the same key are allowed. */
struct ike_node {
	uint64_t key;
	struct ike_node *next, **at; /* @at: what points to it; NULL: it is in no table */
};

struct ike_table {
	struct ike_node *buckets[IKE_TABLE_BUCKETS];
};

void ike_table_add(struct ike_table *t, struct ike_node *node, uint64_t key);
/* A node that is not in the table is left alone. */
void ike_table_remove(struct ike_table *t, struct ike_node *node);
/* The first of @key after @after (NULL: the first), or NULL. */
struct ike_node *ike_table_find(const struct ike_table *t, uint64_t key,
				const struct ike_node *after);

/* FNV-1a: makes such numbers of anything. Begin with IKE_HASH_START. */
#define IKE_HASH_START UINT64_C(0xcbf29ce484222325)
uint64_t ike_hash(uint64_t hash, const void *data, size_t len);

#endif
