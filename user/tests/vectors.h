/* SPDX-License-Identifier: MIT */
/* Known answers from selftests/vectors, and bytes written as hex, for tests. */
#ifndef ESPLANE_TEST_VECTORS_H
#define ESPLANE_TEST_VECTORS_H

#include "ikev2/crypto/random.h"
#include "ikev2/crypto/secret.h"

struct vectors;

/* Reads selftests/vectors/@name; fails the running test if it is not there. */
struct vectors *vectors_load(const char *name);
void vectors_free(struct vectors *v);
/* The value of @key, hex; fails the running test if there is none. Lives as long as @v. */
struct ike_bytes vector(struct vectors *v, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
struct ike_key vector_key(struct vectors *v, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Hex, blanks ignored, as malloc'ed bytes of exactly that length: a sanitizer sees each overrun. */
struct ike_bytes hex(const char *text);
/* A malloc'ed copy of exactly @len bytes. */
uint8_t *exact(const void *bytes, size_t len);

#define assert_bytes(got, want) assert_bytes_(got, want, #got, __FILE__, __LINE__)
void assert_bytes_(struct ike_bytes got, struct ike_bytes want, const char *what, const char *file,
		   int line);

/* A source that gives @bytes, and zeros after them. */
struct fixed_random {
	struct ike_random random;
	struct ike_bytes bytes;
};
void fixed_random_init(struct fixed_random *r, struct ike_bytes bytes);

/* A source that gives what follows from @seed alone (splitmix64). */
struct seeded_random {
	struct ike_random random;
	uint64_t state;
};
void seeded_random_init(struct seeded_random *r, uint64_t seed);

#endif
