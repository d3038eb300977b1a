// SPDX-License-Identifier: GPL-2.0
/*
 * Forwarded packets that come one after the other leave as one train.
 *
 * What a host sends in bulk is a super-packet when it gets to output.c. What it forwards comes one
 * by one, unless GRO has joined it. Those that came together wait here for those behind them, until
 * the CPU is through with what the device brought, which is when it comes to tasklets, or until
 * there are as many as a train can hold. Then those of one flow take sequence numbers and the
 * cipher together, and with ESP-in-UDP cross IP, netfilter and the queues as one. A lone packet
 * waits no longer than the softirq it came in takes to come to its end.
 *
 * Order: packets of one flow, by their hash, stay as they came. So a train ends where the flow goes
 * on with a packet that does not go with the first: UDP's segmentation wants all but the last to be
 * of the same length, and one outer header has to do for all. A packet that cannot wait is preceded
 * by all that do (esplane_bundle_flush()).
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
#include <net/ip.h>

#include "bundle.h"
#include "net.h"
#include "output.h"
#include "pmtu.h"
#include "sa.h"
#include "train.h"

struct esplane_bundle {
	struct sk_buff_head queue;
	struct tasklet_struct tasklet;
};

struct waiting {
	struct esplane_sa *sa;
	unsigned int mtu;	/* of the tunnel, for its protocol */
};

static struct waiting *waiting(struct sk_buff *skb)
{
	BUILD_BUG_ON(sizeof(struct waiting) > sizeof(skb->cb));
	return (struct waiting *)skb->cb;
}

/* Perhaps: a packet may have no hash yet. */
static bool same_flow(struct sk_buff *a, struct sk_buff *b)
{
	u32 x = skb_get_hash_raw(a), y = skb_get_hash_raw(b);

	return waiting(a)->sa == waiting(b)->sa && (x == y || !x || !y);
}

/* What outer headers, queues and filters tell of the packet. */
static bool same_outside(const struct sk_buff *a, const struct sk_buff *b)
{
	const struct iphdr *a4 = ip_hdr(a), *b4 = ip_hdr(b);

	if (a->priority != b->priority || a4->version != b4->version)
		return false;
	if (a4->version == 6)
		return ipv6_get_dsfield(ipv6_hdr(a)) == ipv6_get_dsfield(ipv6_hdr(b));
	return a4->tos == b4->tos && !((a4->frag_off ^ b4->frag_off) & htons(IP_DF));
}

static unsigned int esp_len(struct sk_buff *skb)
{
	return esplane_pmtu_esp_len(waiting(skb)->sa->transform, skb->len);
}

/* Takes the first packet and what goes with it off the list, linked by next. */
static struct sk_buff *take_train(struct sk_buff_head *list)
{
	struct sk_buff *first = __skb_dequeue(list), *last = first, *skb, *next;
	unsigned int len = esp_len(first);

	skb_queue_walk_safe(list, skb, next) {
		if (!same_flow(first, skb))
			continue;
		if (!same_outside(first, skb) || esp_len(skb) > len)
			break;
		__skb_unlink(skb, list);
		last->next = skb;
		last = skb;
		if (esp_len(skb) < len)
			break;
	}
	return first;
}

static void run(struct esplane_bundle *bundle)
{
	struct sk_buff_head list;

	__skb_queue_head_init(&list);
	spin_lock(&bundle->queue.lock);
	skb_queue_splice_init(&bundle->queue, &list);
	spin_unlock(&bundle->queue.lock);
	while (!skb_queue_empty(&list)) {
		struct esplane_sa *sa = waiting(skb_peek(&list))->sa;
		struct sk_buff *packets = take_train(&list), *skb;
		unsigned int n = 0;

		for (skb = packets; skb; skb = skb->next)
			n++;
		esplane_output_bundle(sa, packets, n);
		while (n--)
			esplane_sa_put(sa);
	}
}

static void tasklet(struct tasklet_struct *t)
{
	struct esplane_bundle *bundle = container_of(t, struct esplane_bundle, tasklet);

	rcu_read_lock();
	run(bundle);
	rcu_read_unlock();
}

bool esplane_bundle_add(struct esplane_net *en, struct esplane_sa *sa, struct sk_buff *skb,
			unsigned int mtu)
{
	struct esplane_bundle *bundle = this_cpu_ptr(en->bundle);
	unsigned int n;

	if (atomic_read(&en->dying) || !esplane_sa_get(sa))
		return false;
	nf_reset_ct(skb);
	skb_dst_drop(skb);
	skb->dev = NULL;
	*waiting(skb) = (struct waiting){ .sa = sa, .mtu = mtu };
	spin_lock(&bundle->queue.lock);
	__skb_queue_tail(&bundle->queue, skb);
	n = skb_queue_len(&bundle->queue);
	spin_unlock(&bundle->queue.lock);
	if (n == ESPLANE_TRAIN_MAX)
		run(bundle);
	else if (n == 1)
		tasklet_schedule(&bundle->tasklet);
	return true;
}

bool esplane_bundle_join(struct esplane_net *en, struct esplane_sa *sa, struct sk_buff *skb)
{
	struct esplane_bundle *bundle = this_cpu_ptr(en->bundle);
	struct sk_buff *last;
	unsigned int mtu = 0;

	spin_lock(&bundle->queue.lock);
	last = skb_peek_tail(&bundle->queue);
	if (last && waiting(last)->sa == sa && last->protocol == skb->protocol)
		mtu = waiting(last)->mtu;
	spin_unlock(&bundle->queue.lock);
	return skb->len <= mtu && esplane_bundle_add(en, sa, skb, mtu);
}

void esplane_bundle_flush(struct esplane_net *en)
{
	struct esplane_bundle *bundle = this_cpu_ptr(en->bundle);

	if (unlikely(!skb_queue_empty_lockless(&bundle->queue)))
		run(bundle);
}

int esplane_bundle_init(struct esplane_net *en)
{
	int cpu;

	en->bundle = alloc_percpu(struct esplane_bundle);
	if (!en->bundle)
		return -ENOMEM;
	for_each_possible_cpu(cpu) {
		struct esplane_bundle *bundle = per_cpu_ptr(en->bundle, cpu);

		skb_queue_head_init(&bundle->queue);
		tasklet_setup(&bundle->tasklet, tasklet);
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

void esplane_bundle_exit(struct esplane_net *en)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		struct esplane_bundle *bundle = per_cpu_ptr(en->bundle, cpu);

		tasklet_kill(&bundle->tasklet);
		drop_all(&bundle->queue);
	}
	free_percpu(en->bundle);
}
