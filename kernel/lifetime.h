/* SPDX-License-Identifier: GPL-2.0 */
/* Soft and hard limits of an SA (RFC 4301 section 4.4.2.1): arithmetic and consequences. */
#ifndef _ESPLANE_LIFETIME_H
#define _ESPLANE_LIFETIME_H

#include <linux/atomic.h>
#include <linux/bits.h>
#include <linux/limits.h>
#include <linux/types.h>

struct esplane_sa;

/* Zero means no limit. Seconds count from the SA's birth, use seconds from its first packet. */
struct esplane_limits {
	u64 soft_bytes, hard_bytes;
	u64 soft_packets, hard_packets;
	u64 soft_seconds, hard_seconds;
	u64 soft_use_seconds, hard_use_seconds;
};

struct esplane_usage {
	atomic64_t bytes;
	atomic64_t packets;
};

enum esplane_lifetime_state {
	ESPLANE_LIFETIME_WITHIN,
	ESPLANE_LIFETIME_SOFT,	/* at or over the soft limit */
	ESPLANE_LIFETIME_HARD,	/* just reached the hard limit: the last that may pass */
	ESPLANE_LIFETIME_OVER,	/* the hard limit was reached before */
};

/* Where @used, of which @added just came, stands between two limits; 0 is no limit. Pure. */
enum esplane_lifetime_state esplane_lifetime_judge(u64 used, u64 added, u64 soft, u64 hard);
/*
 * Jiffies until the next of two limits is due; 0: now, U64_MAX: never. The limits are in seconds,
 * @age in jiffies: rounded to seconds, an SA whose timer once came late would end up to a second
 * early. Pure.
 */
u64 esplane_lifetime_due(u64 age, u64 soft, u64 hard, bool soft_done);
/*
 * For how many jiffies to arm a timer that is to fire in @wait, and arms itself again if it fires
 * before. The kernel lets a timer come late by up to 8/63 of its time, all of the same two minutes
 * together if they are an hour away: keys would be used beyond their hard limit, and who spread
 * their renewal at random would have it in herds. Pure.
 */
unsigned long esplane_lifetime_step(u64 wait);
/* Jiffies since the SA was made. */
u64 esplane_lifetime_age(const struct esplane_sa *sa);

/**
 * esplane_lifetime_charge - account a train and act on the limits it crosses
 * @sa: SA, held by RCU or reference
 * @packets: number of segments
 * @bytes: inner bytes of all of them
 *
 * Crossing a soft limit sends sa-expire once per cause. Crossing a hard limit
 * kills the SA (work item removes it and sends sa-expire hard).
 * Any context, no locks.
 *
 * Return: true if the train may pass, false if the SA was already at its hard limit.
 */
bool esplane_lifetime_charge(struct esplane_sa *sa, u32 packets, u64 bytes);

/* The last number that may be sent (RFC 4303 section 3.3.3): it must not cycle. */
static inline u64 esplane_sequence_end(bool esn)
{
	/* Concurrent takers may overshoot the end by a train each before the SA is dead. */
	return esn ? U64_MAX - BIT_ULL(32) : U32_MAX;
}

/* From 7/8 of the space on a new SA should be negotiated. */
static inline u64 esplane_sequence_soft(bool esn)
{
	return 7ULL << (esn ? 61 : 29);
}

/* Sequence space: output.c calls it from the soft margin on, and at the end. */
void esplane_lifetime_sequence(struct esplane_sa *sa, bool hard);

/* Arms, and stops for good (may sleep), the SA's timer for seconds limits. */
void esplane_lifetime_start(struct esplane_sa *sa);
void esplane_lifetime_stop(struct esplane_sa *sa);

#endif
