// SPDX-License-Identifier: GPL-2.0
/*
 * Native ESP packets that come one after the other go on as one train.
 *
 * UDP's have been joined before they reach encap.c. Protocol 50 has no GRO but esp4_offload's,
 * which knows xfrm's SAs only, so each packet comes alone. It waits here for those behind it: until
 * the CPU is through with what the device brought, which is when it comes to tasklets, or until
 * there are as many as a train can hold. Then those of one SA take the replay lock, the cipher and
 * the way to the stack together, and TCP segments among them become a super-packet (join.c). A lone
 * packet waits no longer than the softirq it came in takes to come to its end.
 *
 * Order: packets of an SA stay as they came. Those of different SAs may pass each other.
 *
 * Locking: a CPU's queue is emptied by the CPU itself with BHs off, by its tasklet, and if the CPU
 * has gone meanwhile, by the tasklet on another; hence its lock. A packet in it holds a reference
 * to its SA, and none to device, route or connection.
 */
#include <linux/interrupt.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/percpu.h>
#include <linux/skbuff.h>
#include <net/dsfield.h>

#include "burst.h"
#include "esp.h"
#include "input.h"
#include "net.h"
#include "sa.h"
#include "sad.h"
#include "train.h"

struct esplane_burst {
	struct sk_buff_head queue;
	struct tasklet_struct tasklet;
};

struct waiting {
	struct esplane_sa *sa;
};

static struct waiting *waiting(struct sk_buff *skb)
{
	BUILD_BUG_ON(sizeof(struct waiting) > sizeof(skb->cb));
	return (struct waiting *)skb->cb;
}

/* Addresses, and what the inner packet is told of: one answer must do for all of a train. */
static bool same_outer(const struct sk_buff *a, const struct sk_buff *b)
{
	const struct ipv6hdr *a6 = ipv6_hdr(a), *b6 = ipv6_hdr(b);
	const struct iphdr *a4 = ip_hdr(a), *b4 = ip_hdr(b);

	if (a4->version != b4->version)
		return false;
	if (a4->version == 6)
		return ipv6_get_dsfield(a6) == ipv6_get_dsfield(b6) &&
		       !memcmp(&a6->saddr, &b6->saddr, sizeof(a6->saddr) + sizeof(a6->daddr));
	return a4->tos == b4->tos && a4->saddr == b4->saddr && a4->daddr == b4->daddr;
}

/* In transport mode each packet has an IP header that counts. */
static bool goes_with(struct sk_buff *first, struct sk_buff *skb)
{
	const struct esplane_sa *sa = waiting(first)->sa;

	return waiting(skb)->sa == sa && sa->mode == ESPLANE_MODE_TUNNEL && same_outer(first, skb);
}

/* Takes the first packet and what goes with it off the list, linked by next. */
static struct sk_buff *take_train(struct sk_buff_head *list)
{
	struct sk_buff *first = __skb_dequeue(list), *last = first, *skb, *next;

	skb_queue_walk_safe(list, skb, next) {
		if (!goes_with(first, skb))
			continue;
		__skb_unlink(skb, list);
		last->next = skb;
		last = skb;
	}
	return first;
}

static void run(struct esplane_burst *burst)
{
	struct sk_buff_head list;

	__skb_queue_head_init(&list);
	spin_lock(&burst->queue.lock);
	skb_queue_splice_init(&burst->queue, &list);
	spin_unlock(&burst->queue.lock);
	while (!skb_queue_empty(&list)) {
		struct esplane_sa *sa = waiting(skb_peek(&list))->sa;
		struct sk_buff *packets = take_train(&list), *skb;
		unsigned int n = 0;

		for (skb = packets; skb; skb = skb->next)
			n++;
		esplane_input_packets(sa, packets);
		while (n--)
			esplane_sa_put(sa);
	}
}

static void tasklet(struct tasklet_struct *t)
{
	struct esplane_burst *burst = container_of(t, struct esplane_burst, tasklet);

	rcu_read_lock();
	run(burst);
	rcu_read_unlock();
}

/* Most packets have the SA of the one before. */
static struct esplane_sa *last_sa(struct esplane_burst *burst, __be32 spi)
{
	struct esplane_sa *sa = NULL;
	struct sk_buff *last;

	spin_lock(&burst->queue.lock);
	last = skb_peek_tail(&burst->queue);
	if (last)
		sa = waiting(last)->sa;
	if (sa && (sa->spi != spi || !esplane_sa_get(sa)))
		sa = NULL;
	spin_unlock(&burst->queue.lock);
	return sa;
}

struct esplane_sa *esplane_burst_find_sa(struct esplane_net *en, __be32 spi)
{
	struct esplane_sa *sa = last_sa(this_cpu_ptr(en->burst), spi);

	if (sa)
		return sa;
	sa = esplane_sad_lookup_spi(en, spi);
	return sa && esplane_sa_get(sa) ? sa : NULL;
}

void esplane_burst_add(struct esplane_net *en, struct esplane_sa *sa, struct sk_buff *skb,
		       unsigned int offset)
{
	struct esplane_burst *burst = this_cpu_ptr(en->burst);
	unsigned int n;

	skb_set_transport_header(skb, offset);
	nf_reset_ct(skb);
	skb_dst_drop(skb);
	skb->dev = NULL;
	waiting(skb)->sa = sa;
	spin_lock(&burst->queue.lock);
	__skb_queue_tail(&burst->queue, skb);
	n = skb_queue_len(&burst->queue);
	spin_unlock(&burst->queue.lock);
	if (n == ESPLANE_TRAIN_MAX)
		run(burst);
	else if (n == 1)
		tasklet_schedule(&burst->tasklet);
}

int esplane_burst_init(struct esplane_net *en)
{
	int cpu;

	en->burst = alloc_percpu(struct esplane_burst);
	if (!en->burst)
		return -ENOMEM;
	for_each_possible_cpu(cpu) {
		struct esplane_burst *burst = per_cpu_ptr(en->burst, cpu);

		skb_queue_head_init(&burst->queue);
		tasklet_setup(&burst->tasklet, tasklet);
	}
	return 0;
}

static void drop_all(struct sk_buff_head *queue)
{
	struct sk_buff *skb;

	while ((skb = __skb_dequeue(queue))) {
		esplane_sa_put(waiting(skb)->sa);
		kfree_skb(skb);
	}
}

void esplane_burst_exit(struct esplane_net *en)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		struct esplane_burst *burst = per_cpu_ptr(en->burst, cpu);

		tasklet_kill(&burst->tasklet);
		drop_all(&burst->queue);
	}
	free_percpu(en->burst);
}
