// SPDX-License-Identifier: MIT
/* Timers of the engine: a binary heap. */
#include <stdlib.h>

#include "ikev2/timer.h"

enum {
	FIRST_CAPACITY = 64
};

bool ike_timers_reserve(struct ike_timers *ts, size_t n)
{
	size_t cap = ts->cap ? ts->cap : FIRST_CAPACITY;
	struct ike_timer **heap;

	while (cap < ts->reserved + n + 1)
		cap *= 2;
	if (cap != ts->cap) {
		heap = realloc(ts->heap, cap * sizeof(struct ike_timer *));
		if (!heap)
			return false;
		ts->heap = heap;
		ts->cap = cap;
	}
	ts->reserved += n;
	return true;
}

void ike_timers_release(struct ike_timers *ts, size_t n)
{
	ts->reserved -= n;
}

void ike_timers_free(struct ike_timers *ts)
{
	free(ts->heap);
}

static bool before(const struct ike_timer *a, const struct ike_timer *b)
{
	return a->at < b->at || (a->at == b->at && a->age < b->age);
}

static void place(struct ike_timers *ts, struct ike_timer *t, size_t slot)
{
	ts->heap[slot] = t;
	t->slot = slot;
}

static void rise(struct ike_timers *ts, struct ike_timer *t, size_t slot)
{
	for (; slot > 1 && before(t, ts->heap[slot / 2]); slot /= 2)
		place(ts, ts->heap[slot / 2], slot);
	place(ts, t, slot);
}

static void sink(struct ike_timers *ts, struct ike_timer *t, size_t slot)
{
	size_t child;

	while ((child = 2 * slot) <= ts->n) {
		if (child < ts->n && before(ts->heap[child + 1], ts->heap[child]))
			child++;
		if (!before(ts->heap[child], t))
			break;
		place(ts, ts->heap[child], slot);
		slot = child;
	}
	place(ts, t, slot);
}

void ike_timer_stop(struct ike_timers *ts, struct ike_timer *t)
{
	size_t slot = t->slot;
	struct ike_timer *last;

	if (!slot)
		return;
	t->slot = 0;
	last = ts->heap[ts->n--];
	if (last == t)
		return;
	if (slot > 1 && before(last, ts->heap[slot / 2]))
		rise(ts, last, slot);
	else
		sink(ts, last, slot);
}

void ike_timer_set(struct ike_timers *ts, struct ike_timer *t, ike_time at)
{
	ike_timer_stop(ts, t);
	if (at == IKE_NEVER)
		return;
	t->at = at;
	t->age = ts->age++;
	rise(ts, t, ++ts->n);
}

ike_time ike_timers_next(const struct ike_timers *ts)
{
	return ts->n ? ts->heap[1]->at : IKE_NEVER;
}

struct ike_timer *ike_timers_take(struct ike_timers *ts, ike_time now)
{
	struct ike_timer *t = ts->n ? ts->heap[1] : NULL;

	if (!t || t->at > now)
		return NULL;
	ike_timer_stop(ts, t);
	return t;
}
