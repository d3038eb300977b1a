/* SPDX-License-Identifier: GPL-2.0 */
/* Packets that wait for those behind them until the softirq that they came in is at its end. */
#ifndef _ESPLANE_BATCH_H
#define _ESPLANE_BATCH_H

#include <linux/interrupt.h>
#include <linux/percpu.h>
#include <linux/skbuff.h>

struct esplane_sa;

/**
 * struct esplane_batch_kind - what becomes of packets that have waited
 * @take_train: takes the first packet and what goes with it off the list, linked by next
 * @send: those, @n packets of @sa, which are taken over. BHs off, RCU read side
 */
struct esplane_batch_kind {
	struct sk_buff *(*take_train)(struct sk_buff_head *list);
	void (*send)(struct esplane_sa *sa, struct sk_buff *packets, unsigned int n);
};

/**
 * struct esplane_batch - those of one CPU
 * @queue: under its own lock, which who looks at it takes too
 */
struct esplane_batch {
	struct sk_buff_head queue;
	struct tasklet_struct tasklet;
	const struct esplane_batch_kind *kind;
};

/* In the control block of a packet that waits. It holds a reference to @sa. */
struct esplane_waiting {
	struct esplane_sa *sa;
	unsigned int mtu;	/* bundle.c: of the tunnel, for the packet's protocol */
};

static inline struct esplane_waiting *esplane_waiting(struct sk_buff *skb)
{
	BUILD_BUG_ON(sizeof(struct esplane_waiting) > sizeof(skb->cb));
	return (struct esplane_waiting *)skb->cb;
}

/* May sleep. NULL: no memory. */
struct esplane_batch __percpu *esplane_batch_alloc(const struct esplane_batch_kind *kind);
/* Frees what waits. Nothing is added any more. May sleep. */
void esplane_batch_free(struct esplane_batch __percpu *batches);
/*
 * Puts @skb aside on this CPU until it is through with what came together, or there are
 * ESPLANE_TRAIN_MAX of them. Takes over packet and reference. BHs off, RCU read side.
 */
void esplane_batch_add(struct esplane_batch __percpu *batches, struct sk_buff *skb,
		       const struct esplane_waiting *waiting);
/* Sends what waits. BHs off, RCU read side. */
void esplane_batch_run(struct esplane_batch *batch);

#endif
