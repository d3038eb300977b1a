/* SPDX-License-Identifier: MIT */
/*
 * Timers of the engine: a heap ordered by time, and by age among equals, so that a run of the
 * simulator is the same each time. Timers live in the objects they belong to.
 */
#ifndef ESPLANE_IKE_TIMER_H
#define ESPLANE_IKE_TIMER_H

#include "ikev2/ike.h"
#include "ikev2/text.h"

#define IKE_NEVER UINT64_MAX

#define ike_container(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

struct ike_timer {
	ike_time at;
	uint64_t age;
	size_t slot; /* place in the heap, from 1; 0: not armed */
	void (*fire)(struct ike_timer *t);
};

struct ike_timers {
	struct ike_timer **heap; /* from index 1 */
	size_t n, cap, reserved;
	uint64_t age;
};

/*
 * Makes room for @n timers more, so that arming them cannot fail; ike_timers_release() gives back.
 */
IKE_MUST_CHECK bool ike_timers_reserve(struct ike_timers *ts, size_t n);
void ike_timers_release(struct ike_timers *ts, size_t n);
void ike_timers_free(struct ike_timers *ts);

/* Arms @t, or moves it; IKE_NEVER stops it. */
void ike_timer_set(struct ike_timers *ts, struct ike_timer *t, ike_time at);
void ike_timer_stop(struct ike_timers *ts, struct ike_timer *t);
static inline bool ike_timer_armed(const struct ike_timer *t)
{
	return t->slot;
}

ike_time ike_timers_next(const struct ike_timers *ts);
/* Disarms and returns the first timer due at @now, or NULL. */
struct ike_timer *ike_timers_take(struct ike_timers *ts, ike_time now);

#endif
