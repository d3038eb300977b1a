/* SPDX-License-Identifier: GPL-2.0 */
/* A train: the segments of one super-packet on their way through the cipher of one SA. */
#ifndef _ESPLANE_TRAIN_H
#define _ESPLANE_TRAIN_H

#include <linux/atomic.h>
#include <linux/list.h>
#include <linux/types.h>

struct esplane_lane;
struct esplane_sa;
struct napi_struct;
struct sk_buff;

enum {
	ESPLANE_TRAIN_MAX = 64,		/* segments; more of them travel as several trains */
	ESPLANE_TRAIN_BLOCKS = 8,	/* of operations in flight, ESPLANE_TRAIN_MAX in all */
	ESPLANE_TRAIN_CONTEXT = 80,	/* bytes for the owner */
	ESPLANE_AAD_ROOM = 32,		/* bytes the cipher may touch ahead of decrypted text */
};

/**
 * struct esplane_segment - one ESP packet of a train
 * @seq: all 64 bits, or the low 32 without extended numbers
 * @wire: contiguous ESP header, IV, text and ICV
 * @text: where the cipher's output goes: within @wire, or apart with ESPLANE_AAD_ROOM ahead of it
 * @text_len: of the text with padding and trailer, without the ICV
 * @inner_len: bytes of the inner packet in the text
 * @ip_len: of them the IP header, without extension headers; set by input.c
 * @memory: piece of chunk.c, of which the segment owns a reference, or NULL
 * @memory_len: of that piece
 * @sum_start: the packet's checksum is yet to be computed from here on (0: it is right), and
 * @sum_field: goes to there; set by transport.c
 * @has_ports: TCP or UDP straight behind the IP header, and no fragment; set by input.c, if the SA
 *	has selectors
 * @verdict: enum esplane_drop_reason: the segment goes no further; or ESPLANE_SEGMENT_GOOD
 * @err: of the cipher
 */
struct esplane_segment {
	u64 seq;
	u8 *wire;
	u8 *text;
	u8 *memory;
	u32 text_len;
	u32 inner_len;
	u32 memory_len;
	int verdict;
	int err;
	u32 ip_len;
	u16 sum_start;
	u16 sum_field;
	bool has_ports;
};

#define ESPLANE_SEGMENT_GOOD (-1)

/**
 * struct esplane_train - taken from and given back to a per-CPU cache
 * @sa: holds a reference
 * @skb: the packet that the segments were made from; holds a reference
 * @others: further ones, linked by next; the train's own
 * @finish: called once, when the cipher is through with all segments: by esplane_train_run()
 *	itself or, if the driver is asynchronous, by its completion. BHs off, RCU read side.
 *	Ends with esplane_train_put().
 * @napi: inbound, by which the packets go to the stack; NULL: the interface has its own
 * @n: segments
 * @context: of output.c or input.c
 */
struct esplane_train {
	struct esplane_sa *sa;
	struct sk_buff *skb;
	struct sk_buff *others;
	void (*finish)(struct esplane_train *train);
	struct napi_struct *napi;
	unsigned int n;
	unsigned long context[ESPLANE_TRAIN_CONTEXT / sizeof(long)];

	/* train.c's own */
	atomic_t pending;		/* operations under way, and one for who starts them */
	unsigned int ops_taken;		/* not to be used again before the end */
	unsigned int op_size;
	u8 *blocks[ESPLANE_TRAIN_BLOCKS];

	/* parallel.c's own, and order.c's */
	struct esplane_lane *lane;
	struct list_head in_order, in_waiting;
	void (*deliver)(struct esplane_train *train);
	u64 began;			/* local_clock() */
	unsigned int came_to;		/* CPU */
	bool through;

	struct esplane_segment segments[ESPLANE_TRAIN_MAX];
};

/*
 * A train without segments, or NULL: no memory, or the SA is on its way out. BHs off, RCU read
 * side.
 */
struct esplane_train *esplane_train_get(struct esplane_sa *sa, struct sk_buff *skb);
/* Drops the references to SA and packets. Any segment's memory must have been disposed of. */
void esplane_train_put(struct esplane_train *train);

/* Encrypts or decrypts every good segment, then finish(). BHs off, RCU read side. */
void esplane_train_run(struct esplane_train *train, bool encrypt);

/* Frees the per-CPU cache. No train is under way. */
void esplane_train_exit(void);

#endif
