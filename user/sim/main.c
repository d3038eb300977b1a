// SPDX-License-Identifier: MIT
/* esplane-sim: many seeded runs, or one of them again. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "sim/sim.h"

enum {
	RUNS = 10000,
	GROUP = 1000,
	SHOWN = 5
};

struct totals {
	uint64_t failed, datagrams, rekeys, fragments, data;
};

static void usage(void)
{
	fprintf(stderr,
		"usage: esplane-sim [--runs N] [--seed N] [-v]\n"
		"       esplane-sim --crossings N\n"
		"	--runs N	runs (%d); with --seed: 1\n"
		"	--seed N	the first one's seed (1): each run has the seed after the "
		"last one's\n"
		"	-v		show what both ends log\n"
		"	--crossings N	instead: two events at the ends of a tunnel, crossing in "
		"every way\n"
		"			there is with up to N messages lost; shows the first that "
		"goes wrong\n",
		RUNS);
	exit(2);
}

static void run_one(struct sim *s, uint64_t seed, bool verbose, struct totals *t)
{
	bool ok = sim_run(s, seed, verbose);

	t->datagrams += s->datagrams;
	t->rekeys += s->rekeys;
	t->fragments += s->fragments;
	for (unsigned int i = 0; i < s->n_nodes; i++)
		t->data += s->nodes[i].data_got;
	if (!ok && t->failed++ < SHOWN)
		printf("# seed %llu: %s (again: esplane-sim --seed %llu -v)\n",
		       (unsigned long long)seed, s->failure, (unsigned long long)seed);
}

static const enum sim_action crossing[] = {
	SIM_CREATE_CHILD,
	SIM_REKEY_CHILD,
	SIM_REKEY_IKE,
	SIM_DELETE_CHILD,
	SIM_DELETE_IKE,
	SIM_CRASH,
};

enum {
	CROSSING = sizeof(crossing) / sizeof(crossing[0]),
	/* One at each end; or two at one end, in either order. */
	PAIRS = CROSSING * CROSSING + CROSSING * (CROSSING + 1),
};

static bool cross(struct sim *s, unsigned int number, const struct sim_event events[2],
		  unsigned int losses)
{
	struct sim_crossing_result r;
	bool ok = sim_crossing_run(s, events, losses, &r);

	if (!ok)
		printf("# %s\n", r.failure);
	printf("%s %u crossing: %c %s, %c %s: %llu states, %llu ends\n", ok ? "ok" : "not ok",
	       number, 'a' + events[0].node, sim_action_name(events[0].action),
	       'a' + events[1].node, sim_action_name(events[1].action),
	       (unsigned long long)r.states, (unsigned long long)r.ends);
	fflush(stdout);
	return ok;
}

static bool cross_all(struct sim *s, unsigned int losses)
{
	unsigned int number = 0, bad = 0;

	printf("TAP version 13\n1..%d\n", PAIRS);
	for (unsigned int i = 0; i < 4 * CROSSING * CROSSING; i++) {
		struct sim_event events[2] = {{i & 1, crossing[i / 4 % CROSSING]},
					      {i >> 1 & 1, crossing[i / 4 / CROSSING]}};

		/* The events are not ordered. */
		if (events[0].node > events[1].node || (events[0].node == events[1].node &&
							events[0].action > events[1].action))
			continue;
		bad += !cross(s, ++number, events, losses);
	}
	return !bad;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{"runs", required_argument, NULL, 'r'},
		{"seed", required_argument, NULL, 's'},
		{"crossings", required_argument, NULL, 'c'},
		{0},
	};
	struct sim *s = malloc(sizeof(*s));
	uint64_t first = 1, runs = 0, bad = 0;

	bool verbose = false;
	int c, losses = -1;

	while ((c = getopt_long(argc, argv, "v", options, NULL)) != -1) {
		if (c == 'r')
			runs = strtoull(optarg, NULL, 0);
		else if (c == 's')
			first = strtoull(optarg, NULL, 0), runs = runs ? runs : 1;
		else if (c == 'c')
			losses = atoi(optarg);
		else if (c == 'v')
			verbose = true;
		else
			usage();
	}
	if (!s || optind != argc)
		usage();
	if (losses >= 0) {
		bool ok = cross_all(s, losses);

		free(s);
		return !ok;
	}
	runs = runs ? runs : RUNS;
	printf("TAP version 13\n1..%llu\n", (unsigned long long)((runs + GROUP - 1) / GROUP));
	for (uint64_t done = 0; done < runs; done += GROUP) {
		uint64_t n = runs - done < GROUP ? runs - done : GROUP;
		struct totals t = {0};

		for (uint64_t i = 0; i < n; i++)
			run_one(s, first + done + i, verbose, &t);
		bad += t.failed;
		printf("%s %llu seeds %llu to %llu: %llu rekeys, %llu datagrams, %llu fragments, "
		       "%llu packets of data\n",
		       t.failed ? "not ok" : "ok", (unsigned long long)(done / GROUP + 1),
		       (unsigned long long)(first + done),
		       (unsigned long long)(first + done + n - 1), (unsigned long long)t.rekeys,
		       (unsigned long long)t.datagrams, (unsigned long long)t.fragments,
		       (unsigned long long)t.data);
		fflush(stdout);
	}
	free(s);
	return bad ? 1 : 0;
}
