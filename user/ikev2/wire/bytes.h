/* SPDX-License-Identifier: MIT */
/*
 * Bytes that came and bytes that go: a view that owns nothing, a cursor that cannot read past the
 * end of one, and a writer that cannot write past the end of its buffer. Integers are big-endian on
 * the wire, host order here.
 */
#ifndef ESPLANE_IKE_BYTES_H
#define ESPLANE_IKE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ike_bytes {
	const uint8_t *p;
	size_t len;
};

static inline struct ike_bytes ike_bytes(const void *p, size_t len)
{
	return (struct ike_bytes){p, len};
}

/* Not for secrets: the time it takes tells where they differ. */
bool ike_bytes_equal(struct ike_bytes a, struct ike_bytes b);

/*
 * Reads from the front. The first read that wants more than there is sets @bad, consumes nothing,
 * and it and all later reads give zeros (or an empty view): a decoder may read all its fields and
 * ask once.
 */
struct ike_cursor {
	struct ike_bytes rest;
	bool bad;
};

static inline struct ike_cursor ike_cursor(struct ike_bytes b)
{
	return (struct ike_cursor){.rest = b};
}

uint8_t ike_get8(struct ike_cursor *c);
uint16_t ike_get16(struct ike_cursor *c);
uint32_t ike_get32(struct ike_cursor *c);
uint64_t ike_get64(struct ike_cursor *c);
struct ike_bytes ike_get(struct ike_cursor *c, size_t len);
struct ike_bytes ike_get_rest(struct ike_cursor *c);

/*
 * Appends to a caller's buffer. The first write that does not fit sets @overflow; nothing is
 * written from then on, so that an encoder asks once, at the end. @next_at is the encoders'
 * (encode.h).
 */
struct ike_writer {
	uint8_t *buf;
	size_t cap, len;
	bool overflow;
	size_t next_at; /* offset of the "next payload" byte that the next payload's type goes into
			 */
};

void ike_writer_init(struct ike_writer *w, uint8_t *buf, size_t cap);
void ike_put8(struct ike_writer *w, uint8_t v);
void ike_put16(struct ike_writer *w, uint16_t v);
void ike_put32(struct ike_writer *w, uint32_t v);
void ike_put64(struct ike_writer *w, uint64_t v);
void ike_put(struct ike_writer *w, struct ike_bytes b);
/* Makes room for @len zero bytes to be filled in later; NULL after overflow. */
uint8_t *ike_put_room(struct ike_writer *w, size_t len);
/* Overwrites what is already written; outside of it they set overflow. */
void ike_patch8(struct ike_writer *w, size_t at, uint8_t v);
void ike_patch16(struct ike_writer *w, size_t at, uint16_t v);
void ike_patch32(struct ike_writer *w, size_t at, uint32_t v);
/* What was written so far. */
struct ike_bytes ike_written(const struct ike_writer *w);

#endif
