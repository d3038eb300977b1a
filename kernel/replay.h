/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Anti-replay (RFC 4303 section 3.4.3, appendix A): window of up to 4096 packets, 32-bit and
 * extended numbers.
 */
#ifndef _ESPLANE_REPLAY_H
#define _ESPLANE_REPLAY_H

#include <linux/spinlock.h>
#include <linux/types.h>
#include <uapi/linux/esplane.h>

#include "drop.h"

/**
 * struct esplane_replay - ring of bits, one word more than the window
 * @bits: the ring's words, of the caller's memory
 * @top: highest sequence number authenticated; with ESN all 64 bits
 * @late: packets accepted behind @top
 * @window: packets, a multiple of 64
 * @deepest: how far behind @top the latest of them was
 */
struct esplane_replay {
	spinlock_t lock;		/* of all that follows */
	u64 top;
	u64 late;
	u32 window;
	u32 deepest;
	bool esn;
	bool off;			/* accept everything */
	u64 *bits;
};

#define ESPLANE_REPLAY_OK (-1)

/* How many words the ring of a window of so many packets has. */
unsigned int esplane_replay_words(u32 window);

/* @bits: esplane_replay_words() of them */
void esplane_replay_init(struct esplane_replay *r, u64 *bits, u32 window, u64 top, bool esn,
			 bool off);

/* The 64-bit number that @seq stands for (RFC 4303 appendix A2.2). Caller holds r->lock. */
u64 esplane_replay_extend(const struct esplane_replay *r, u32 seq);

/* Before authentication. ESPLANE_REPLAY_OK or the drop reason. Caller holds r->lock. */
int esplane_replay_check(const struct esplane_replay *r, u64 seq);

/*
 * How many numbers of the window were never seen: lost, or still on their way. Caller holds
 * r->lock.
 */
u32 esplane_replay_missing(const struct esplane_replay *r);

/* After authentication: checks again and marks as seen. Same results. Caller holds r->lock. */
int esplane_replay_update(struct esplane_replay *r, u64 seq);

#endif
