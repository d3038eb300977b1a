/* SPDX-License-Identifier: MIT */
/* Seeded pseudo-random numbers (splitmix64): the same seed gives the same run on every machine. */
#ifndef ESPLANE_SIM_RNG_H
#define ESPLANE_SIM_RNG_H

#include <stdbool.h>
#include <stdint.h>

struct sim_rng {
	uint64_t state;
};

static inline uint64_t sim_rng_next(struct sim_rng *r)
{
	uint64_t z = r->state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

/* 0 to @n - 1. */
static inline uint64_t sim_rng_below(struct sim_rng *r, uint64_t n)
{
	return n ? sim_rng_next(r) % n : 0;
}

static inline bool sim_rng_percent(struct sim_rng *r, unsigned int percent)
{
	return sim_rng_below(r, 100) < percent;
}

#endif
