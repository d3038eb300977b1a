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
		"	--runs N	runs (%d); with --seed: 1\n"
		"	--seed N	the first one's seed (1): each run has the seed after the "
		"last one's\n"
		"	-v		show what both ends log\n",
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

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{"runs", required_argument, NULL, 'r'},
		{"seed", required_argument, NULL, 's'},
		{0},
	};
	struct sim *s = malloc(sizeof(*s));
	uint64_t first = 1, runs = 0, bad = 0;

	bool verbose = false;
	int c;

	while ((c = getopt_long(argc, argv, "v", options, NULL)) != -1) {
		if (c == 'r')
			runs = strtoull(optarg, NULL, 0);
		else if (c == 's')
			first = strtoull(optarg, NULL, 0), runs = runs ? runs : 1;
		else if (c == 'v')
			verbose = true;
		else
			usage();
	}
	if (!s || optind != argc)
		usage();
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
