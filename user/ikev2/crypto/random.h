/* SPDX-License-Identifier: MIT */
/* Where unpredictable bytes come from: always injected, so that a simulator's are seeded. */
#ifndef ESPLANE_IKE_RANDOM_H
#define ESPLANE_IKE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

/* @fill has the form of struct ike_host's random, and cannot fail. */
struct ike_random {
	void (*fill)(void *arg, uint8_t *buf, size_t len);
	void *arg;
};

static inline void ike_random_fill(const struct ike_random *r, uint8_t *buf, size_t len)
{
	r->fill(r->arg, buf, len);
}

/*
 * OpenSSL's generator, for a host's function: aborts the process if there is none, rather than go
 * on without.
 */
void ike_random_system(void *unused, uint8_t *buf, size_t len);

#endif
