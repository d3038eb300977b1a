// SPDX-License-Identifier: MIT
/*
 * Crossings (RFC 7296 sections 2.8 and 2.25), not by chance but all of them: two things happen to
 * the two ends of a tunnel, and from then on messages arrive in every order, key exchanges end in
 * every order, and each message may be lost, up to a number of them. Each time that all is quiet a
 * retransmission comes next. At every step nothing may be lost of what is sent inside; at the end
 * there must be one tunnel.
 *
 * An engine cannot be copied, so each way is gone from the beginning, by the same choices. What an
 * end does depends on nothing but what has come to it, in its order: two ways that differ only in
 * how the two ends' affairs interleave are one, and are gone once (the table of states seen).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ikev2/ike_sa.h"
#include "sim/sim.h"

enum {
	ENDS = 2,
	ITEMS_MAX = 64,
	CHOICES_MAX = 2048,
	FIRST_SEEN = 1 << 16,
	/* Seconds: the tunnel is up and known to be, all is over, what was taken down is up again. */
	UP_FOR = 5,
	AFTERWARDS = 120,
	RESUMED = 60,
};

struct item {
	enum sim_held_kind kind;
	unsigned int node;
	uint64_t hash;
	void (*run)(void *arg, void *data);
	void (*drop)(void *data);
	void *arg, *data;
};

struct sim_crossing {
	struct item items[ITEMS_MAX];
	size_t n;
	uint64_t history[ENDS]; /* hash of all that has come to an end */
	unsigned int losses;	/* that may still happen */
	bool deletes;		/* something is to be taken down, or comes down */
};

/* What is being searched. */
struct search {
	struct sim *sim;
	struct sim_crossing crossing;
	struct sim_event events[ENDS];
	unsigned int losses;
	uint16_t path[CHOICES_MAX], of[CHOICES_MAX]; /* the choice taken, of how many */
	size_t depth, forced; /* choices made; of which so many are given */
	uint64_t *seen;
	size_t n_seen, cap;
	uint64_t ends;
};

/* What is on its way */

void sim_crossing_hold(struct sim *s, enum sim_held_kind kind, struct sim_node *n, uint64_t hash,
		       void (*run)(void *arg, void *data), void (*drop)(void *data), void *data)
{
	struct sim_crossing *c = s->crossing;

	if (c->n == ITEMS_MAX) {
		sim_fail(s, "more than %d things on their way", ITEMS_MAX);
		drop(data);
		return;
	}
	c->items[c->n++] = (struct item){kind, n->index, hash, run, drop, n, data};
}

static struct item take(struct sim_crossing *c, size_t i)
{
	struct item item = c->items[i];

	memmove(&c->items[i], &c->items[i + 1], (--c->n - i) * sizeof(item));
	return item;
}

static void mix(uint64_t *hash, uint64_t value)
{
	uint64_t both[2] = {*hash, value};

	*hash = sim_hash(both, sizeof(both));
}

static void happen(struct sim *s, size_t i)
{
	struct item item = take(s->crossing, i);

	mix(&s->crossing->history[item.node], item.hash);
	item.run(item.arg, item.data);
	free(item.data);
}

static void lose(struct sim *s, size_t i)
{
	struct item item = take(s->crossing, i);

	if (s->verbose)
		printf("# %10.6f what was on its way to %c is lost\n", s->clock.now / 1e6,
		       'a' + item.node);
	s->crossing->losses--;
	free(item.data);
}

static void advance(struct sim *s)
{
	sim_clock_step(&s->clock);
	for (unsigned int i = 0; i < ENDS; i++)
		mix(&s->crossing->history[i], s->clock.now);
}

/* In the order in which things were sent, with nothing lost. */
static void calmly(struct sim *s, ike_time until)
{
	while (!s->failure[0]) {
		if (s->crossing->n)
			happen(s, 0);
		else if (sim_clock_next(&s->clock) <= until)
			advance(s);
		else
			return;
	}
}

/* Choices */

static size_t count(const struct sim_crossing *c, enum sim_held_kind kind)
{
	size_t n = 0;

	for (size_t i = 0; i < c->n; i++)
		n += c->items[i].kind == kind;
	return n;
}

/* Is anything still to be asked or answered? */
static bool is_busy(const struct sim *s)
{
	const struct ike_sa *sa;

	for (unsigned int i = 0; i < ENDS; i++)
		TAILQ_FOREACH(sa, &s->nodes[i].engine->sas, link)
			if (sa->task || sa->window.request.p || !TAILQ_EMPTY(&sa->tasks))
				return true;
	return false;
}

static uint64_t state_of(const struct sim *s)
{
	const struct sim_crossing *c = s->crossing;
	uint64_t hash = s->clock.now, sum = 0;

	for (size_t i = 0; i < c->n; i++)
		sum += (c->items[i].hash ^ c->items[i].kind) * 0x9e3779b97f4a7c15;
	mix(&hash, c->history[0]);
	mix(&hash, c->history[1]);
	mix(&hash, c->losses);
	mix(&hash, sum);
	return hash ? hash : 1;
}

static bool insert(uint64_t *table, size_t cap, uint64_t hash)
{
	size_t at = hash & (cap - 1);

	while (table[at]) {
		if (table[at] == hash)
			return false;
		at = (at + 1) & (cap - 1);
	}
	table[at] = hash;
	return true;
}

static void grow(struct search *x)
{
	size_t cap = x->cap ? 2 * x->cap : FIRST_SEEN;
	uint64_t *table = calloc(cap, sizeof(*table));

	if (!table)
		abort();
	for (size_t i = 0; i < x->cap; i++)
		if (x->seen[i])
			insert(table, cap, x->seen[i]);
	free(x->seen);
	x->seen = table;
	x->cap = cap;
}

/* False: it has been gone on from before. */
static bool is_new(struct search *x)
{
	if (2 * x->n_seen >= x->cap)
		grow(x);
	if (!insert(x->seen, x->cap, state_of(x->sim)))
		return false;
	x->n_seen++;
	return true;
}

/* Each thing may happen, each message may be lost, and where neither is left time goes on. */
static size_t count_choices(const struct sim *s)
{
	const struct sim_crossing *c = s->crossing;
	size_t messages = count(c, SIM_HELD_MESSAGE), jobs = count(c, SIM_HELD_JOB);

	return c->n + (c->losses ? messages : 0) + (!messages && !jobs && is_busy(s));
}

static void choose(struct sim *s, size_t choice)
{
	const struct sim_crossing *c = s->crossing;
	size_t i;

	if (choice < c->n) {
		happen(s, choice);
		return;
	}
	choice -= c->n;
	for (i = 0; c->losses && i < c->n; i++)
		if (c->items[i].kind == SIM_HELD_MESSAGE && !choice--)
			break;
	if (c->losses && i < c->n)
		lose(s, i);
	else
		advance(s);
}

/* Invariants of each step; those of the data plane and the windows look for themselves (check.c). */

static bool has_way_out(const struct sim_node *n)
{
	for (size_t i = 0; i < SIM_POLICIES; i++)
		if (n->policies[i].id && !n->policies[i].inbound && n->policies[i].sa_id)
			return true;
	return false;
}

static void check_step(struct sim *s)
{
	for (unsigned int i = 0; i < ENDS; i++) {
		if (!s->crossing->deletes && !has_way_out(&s->nodes[i]))
			sim_fail(s, "node %u has no SA to send on", i);
		sim_plane_traffic(&s->nodes[i]);
	}
	if (s->disturbed && !s->crossing->deletes)
		sim_fail(s, "something was given up that nobody wanted deleted");
}

/* One way, from the beginning */

static void begin(struct search *x, bool verbose)
{
	struct sim *s = x->sim;

	memset(s, 0, offsetof(struct sim, nodes));
	x->crossing = (struct sim_crossing){.losses = 0};
	s->seed = 1;
	s->verbose = verbose;
	s->clock.now = IKE_SECOND;
	s->n_nodes = ENDS;
	s->crossing = &x->crossing;
	s->conditions = (struct sim_conditions){.toy = true, .pfs = true, .extra = true};
	s->children_least = s->children_most = 1;
	for (unsigned int i = 0; i < ENDS; i++)
		sim_node_begin(&s->nodes[i], s, i);
	calmly(s, s->clock.now + UP_FOR * (ike_time)IKE_SECOND);
	s->disturbed = false;
	for (unsigned int i = 0; i < ENDS; i++) {
		const struct sim_event *event = &x->events[i];
		struct sim_node *n = &s->nodes[event->node];

		sim_crossing_hold(s, SIM_HELD_EVENT, n, event->action, sim_act, free,
				  sim_step_new(event->action, !event->node));
		x->crossing.deletes |= event->action == SIM_DELETE_CHILD ||
				       event->action == SIM_DELETE_IKE ||
				       event->action == SIM_CRASH;
		if (event->action == SIM_CREATE_CHILD)
			s->children_most = 2;
	}
	/* One that is taken down is not made again by itself. */
	if (!x->crossing.deletes)
		s->children_least = s->children_most;
	x->crossing.losses = x->losses;
}

/* Goes by the choices that are given and then by the first ones. False: no further than seen. */
static bool go(struct search *x)
{
	struct sim *s = x->sim;
	size_t choices;

	for (x->depth = 0; !s->failure[0] && (choices = count_choices(s)); x->depth++) {
		if (x->depth == CHOICES_MAX) {
			sim_fail(s, "no end after %d choices", CHOICES_MAX);
			break;
		}
		if (x->depth >= x->forced) {
			if (!is_new(x))
				return false;
			x->path[x->depth] = 0;
		}
		x->of[x->depth] = choices;
		choose(s, x->path[x->depth]);
		check_step(s);
	}
	return !s->failure[0];
}

static void end(struct search *x)
{
	struct sim *s = x->sim;

	x->ends++;
	calmly(s, s->clock.now + AFTERWARDS * (ike_time)IKE_SECOND);
	for (unsigned int i = 0; !s->failure[0] && i < ENDS; i++) {
		ike_engine_start(s->nodes[i].engine, s->clock.now);
		sim_node_settle(&s->nodes[i]);
	}
	calmly(s, s->clock.now + RESUMED * (ike_time)IKE_SECOND);
	if (!s->failure[0])
		sim_check_rest(s);
}

static void one_way(struct search *x, bool verbose)
{
	struct sim *s = x->sim;

	begin(x, verbose);
	if (go(x))
		end(x);
	for (unsigned int i = 0; i < ENDS; i++)
		sim_node_end(&s->nodes[i]);
	for (size_t i = 0; i < x->crossing.n; i++)
		x->crossing.items[i].drop(x->crossing.items[i].data);
	sim_clock_clear(&s->clock);
}

/* The next way in order; false: that was the last. */
static bool next_way(struct search *x)
{
	while (x->depth && x->path[x->depth - 1] + 1 == x->of[x->depth - 1])
		x->depth--;
	if (!x->depth)
		return false;
	x->path[x->depth - 1]++;
	x->forced = x->depth;
	return true;
}

bool sim_crossing_run(struct sim *s, const struct sim_event events[2], unsigned int losses,
		      struct sim_crossing_result *result)
{
	struct search *x = calloc(1, sizeof(*x));

	if (!x)
		abort();
	x->sim = s;
	x->losses = losses;
	memcpy(x->events, events, sizeof(x->events));
	do
		one_way(x, false);
	while (!s->failure[0] && next_way(x));
	*result = (struct sim_crossing_result){.states = x->n_seen, .ends = x->ends};
	snprintf(result->failure, sizeof(result->failure), "%s", s->failure);
	if (s->failure[0]) {
		x->forced = x->depth;
		one_way(x, true);
	}
	free(x->seen);
	free(x);
	return !result->failure[0];
}
