// SPDX-License-Identifier: MIT
/* A hash table by 64-bit numbers: chains, the oldest last. */
#include "ikev2/table.h"

/* SPIs are random in all bits, IDs differ in the low ones: folding serves both. */
static size_t bucket_of(uint64_t key)
{
	return (key ^ key >> 32) % IKE_TABLE_BUCKETS;
}

void ike_table_add(struct ike_table *t, struct ike_node *node, uint64_t key)
{
	struct ike_node **head = &t->buckets[bucket_of(key)];

	node->key = key;
	node->next = *head;
	node->at = head;
	if (node->next)
		node->next->at = &node->next;
	*head = node;
}

void ike_table_remove(struct ike_table *t, struct ike_node *node)
{
	if (!node->at)
		return;
	*node->at = node->next;
	if (node->next)
		node->next->at = node->at;
	node->next = NULL;
	node->at = NULL;
}

struct ike_node *ike_table_find(const struct ike_table *t, uint64_t key,
				const struct ike_node *after)
{
	struct ike_node *node = after ? after->next : t->buckets[bucket_of(key)];

	while (node && node->key != key)
		node = node->next;
	return node;
}

uint64_t ike_hash(uint64_t hash, const void *data, size_t len)
{
	const uint8_t *at = data;

	while (len--)
		hash = (hash ^ *at++) * UINT64_C(0x100000001b3);
	return hash;
}
