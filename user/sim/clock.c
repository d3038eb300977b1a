// SPDX-License-Identifier: MIT
/* Simulated time: a binary heap of what will happen. */
#include <stdlib.h>

#include "sim/clock.h"

static bool before(const struct sim_item *a, const struct sim_item *b)
{
	return a->at != b->at ? a->at < b->at : a->order < b->order;
}

static void swap(struct sim_item *a, struct sim_item *b)
{
	struct sim_item t = *a;

	*a = *b;
	*b = t;
}

void sim_clock_plan(struct sim_clock *c, ike_time at, void (*run)(void *arg, void *data), void *arg,
		    void *data)
{
	size_t i = c->n++;

	if (c->n > c->cap) {
		c->cap = c->cap ? 2 * c->cap : 64;
		c->heap = realloc(c->heap, c->cap * sizeof(*c->heap));
		if (!c->heap)
			abort();
	}
	c->heap[i] = (struct sim_item){at < c->now ? c->now : at, c->planned++, run, arg, data};
	for (; i && before(&c->heap[i], &c->heap[(i - 1) / 2]); i = (i - 1) / 2)
		swap(&c->heap[i], &c->heap[(i - 1) / 2]);
}

ike_time sim_clock_next(const struct sim_clock *c)
{
	return c->n ? c->heap[0].at : UINT64_MAX;
}

static struct sim_item take(struct sim_clock *c)
{
	struct sim_item first = c->heap[0];
	size_t i = 0, child;

	c->heap[0] = c->heap[--c->n];
	while ((child = 2 * i + 1) < c->n) {
		if (child + 1 < c->n && before(&c->heap[child + 1], &c->heap[child]))
			child++;
		if (!before(&c->heap[child], &c->heap[i]))
			break;
		swap(&c->heap[i], &c->heap[child]);
		i = child;
	}
	return first;
}

void sim_clock_step(struct sim_clock *c)
{
	struct sim_item item = take(c);

	c->now = item.at;
	item.run(item.arg, item.data);
	free(item.data);
}

void sim_clock_clear(struct sim_clock *c)
{
	while (c->n)
		free(c->heap[--c->n].data);
	free(c->heap);
	*c = (struct sim_clock){0};
}
