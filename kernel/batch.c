// SPDX-License-Identifier: GPL-2.0
/*
 * Packets that wait for those behind them, on their way in (burst.c) and out (bundle.c): until the
 * CPU is through with what the device brought, which is when it comes to tasklets, or until there
 * are as many as a train can hold. A lone packet waits no longer than the softirq it came in takes
 * to come to its end.
 *
 * Locking: a CPU's queue is emptied by the CPU itself with BHs off, by its tasklet, and if the CPU
 * has gone meanwhile, by the tasklet on another; hence its lock. A packet in it holds a reference
 * to its SA, and none to device, route or connection.
 */
#include <linux/netfilter.h>

#include "batch.h"
#include "sa.h"
#include "train.h"

static struct sk_buff *take_train(const struct esplane_batch_kind *kind, struct sk_buff_head *list)
{
	return skb_queue_len(list) == 1 ? __skb_dequeue(list) : kind->take_train(list);
}

void esplane_batch_run(struct esplane_batch *batch)
{
	struct sk_buff_head list;

	__skb_queue_head_init(&list);
	spin_lock(&batch->queue.lock);
	skb_queue_splice_init(&batch->queue, &list);
	spin_unlock(&batch->queue.lock);
	while (!skb_queue_empty(&list)) {
		struct esplane_sa *sa = esplane_waiting(skb_peek(&list))->sa;
		struct sk_buff *packets = take_train(batch->kind, &list), *skb;
		unsigned int n = 0;

		for (skb = packets; skb; skb = skb->next)
			n++;
		batch->kind->send(sa, packets, n);
		while (n--)
			esplane_sa_put(sa);
	}
}

static void tasklet(struct tasklet_struct *t)
{
	struct esplane_batch *batch = container_of(t, struct esplane_batch, tasklet);

	rcu_read_lock();
	esplane_batch_run(batch);
	rcu_read_unlock();
}

void esplane_batch_add(struct esplane_batch __percpu *batches, struct sk_buff *skb,
		       const struct esplane_waiting *waiting)
{
	struct esplane_batch *batch = this_cpu_ptr(batches);
	unsigned int n;

	nf_reset_ct(skb);
	skb_dst_drop(skb);
	skb->dev = NULL;
	*esplane_waiting(skb) = *waiting;
	spin_lock(&batch->queue.lock);
	__skb_queue_tail(&batch->queue, skb);
	n = skb_queue_len(&batch->queue);
	spin_unlock(&batch->queue.lock);
	if (n == ESPLANE_TRAIN_MAX)
		esplane_batch_run(batch);
	else if (n == 1)
		tasklet_schedule(&batch->tasklet);
}

struct esplane_batch __percpu *esplane_batch_alloc(const struct esplane_batch_kind *kind)
{
	struct esplane_batch __percpu *batches = alloc_percpu(struct esplane_batch);
	int cpu;

	if (!batches)
		return NULL;
	for_each_possible_cpu(cpu) {
		struct esplane_batch *batch = per_cpu_ptr(batches, cpu);

		skb_queue_head_init(&batch->queue);
		tasklet_setup(&batch->tasklet, tasklet);
		batch->kind = kind;
	}
	return batches;
}

static void drop_all(struct sk_buff_head *queue)
{
	struct sk_buff *skb;

	while ((skb = __skb_dequeue(queue))) {
		esplane_sa_put(esplane_waiting(skb)->sa);
		kfree_skb(skb);
	}
}

void esplane_batch_free(struct esplane_batch __percpu *batches)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		struct esplane_batch *batch = per_cpu_ptr(batches, cpu);

		tasklet_kill(&batch->tasklet);
		drop_all(&batch->queue);
	}
	free_percpu(batches);
}
