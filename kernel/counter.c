// SPDX-License-Identifier: GPL-2.0
/*
 * Per-CPU counters, a block of them at a time: the kernel's allocator of per-CPU memory takes as
 * long over eight bytes as all else that a policy needs.
 *
 * Locking: counters_lock, BHs off, guards the list and the blocks' maps; counters are given back
 * from RCU callbacks.
 */
#include <linux/bitmap.h>
#include <linux/list.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#include "counter.h"

enum { PER_BLOCK = 64 };

struct esplane_counter_block {
	struct list_head list;		/* of those with room */
	u64 __percpu *values;
	DECLARE_BITMAP(used, PER_BLOCK);
};

static DEFINE_SPINLOCK(counters_lock);
static LIST_HEAD(with_room);

static struct esplane_counter_block *block_alloc(void)
{
	struct esplane_counter_block *block = kzalloc(sizeof(*block), GFP_KERNEL_ACCOUNT);

	if (!block)
		return NULL;
	block->values = __alloc_percpu_gfp(PER_BLOCK * sizeof(u64), sizeof(u64),
					   GFP_KERNEL_ACCOUNT);
	if (!block->values) {
		kfree(block);
		return NULL;
	}
	return block;
}

static void block_free(struct esplane_counter_block *block)
{
	if (!block)
		return;
	free_percpu(block->values);
	kfree(block);
}

/* From a block that has room. */
static void take(struct esplane_counter *c, struct esplane_counter_block *block)
{
	unsigned int i = find_first_zero_bit(block->used, PER_BLOCK);

	__set_bit(i, block->used);
	if (bitmap_full(block->used, PER_BLOCK))
		list_del_init(&block->list);
	c->block = block;
	c->value = block->values + i;
}

static bool take_from_list(struct esplane_counter *c)
{
	struct esplane_counter_block *block;

	spin_lock_bh(&counters_lock);
	block = list_first_entry_or_null(&with_room, struct esplane_counter_block, list);
	if (block)
		take(c, block);
	spin_unlock_bh(&counters_lock);
	return block;
}

bool esplane_counter_init(struct esplane_counter *c)
{
	struct esplane_counter_block *block;
	int cpu;

	if (!take_from_list(c)) {
		block = block_alloc();
		if (!block)
			return false;
		spin_lock_bh(&counters_lock);
		list_add(&block->list, &with_room);
		take(c, block);
		spin_unlock_bh(&counters_lock);
	}
	for_each_possible_cpu(cpu)
		WRITE_ONCE(*per_cpu_ptr(c->value, cpu), 0);
	return true;
}

void esplane_counter_exit(struct esplane_counter *c)
{
	struct esplane_counter_block *block = c->block;

	if (!block)
		return;
	c->block = NULL;
	spin_lock_bh(&counters_lock);
	if (bitmap_full(block->used, PER_BLOCK))
		list_add(&block->list, &with_room);
	__clear_bit(c->value - block->values, block->used);
	if (bitmap_empty(block->used, PER_BLOCK))
		list_del(&block->list);
	else
		block = NULL;
	spin_unlock_bh(&counters_lock);
	block_free(block);
}

void esplane_counter_move(struct esplane_counter *to, struct esplane_counter *from)
{
	*to = *from;
	from->block = NULL;
}

u64 esplane_counter_sum(const struct esplane_counter *c)
{
	u64 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(*per_cpu_ptr(c->value, cpu));
	return sum;
}
