// SPDX-License-Identifier: MIT
/* The cursor that cannot read past its end and the writer that cannot write past its own. */
#include "ikev2/wire/bytes.h"

#include <string.h>

bool ike_bytes_equal(struct ike_bytes a, struct ike_bytes b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
}

struct ike_bytes ike_get(struct ike_cursor *c, size_t len)
{
	struct ike_bytes got = {c->rest.p, len};

	if (c->bad || len > c->rest.len) {
		c->bad = true;
		return ike_bytes(NULL, 0);
	}
	if (len) {
		c->rest.p += len;
		c->rest.len -= len;
	}
	return got;
}

struct ike_bytes ike_get_rest(struct ike_cursor *c)
{
	return ike_get(c, c->rest.len);
}

/* A big-endian integer of @len bytes; 0 if they are not there. */
static uint64_t get_int(struct ike_cursor *c, size_t len)
{
	struct ike_bytes b = ike_get(c, len);
	uint64_t v = 0;

	for (size_t i = 0; i < b.len; i++)
		v = v << 8 | b.p[i];
	return v;
}

uint8_t ike_get8(struct ike_cursor *c)
{
	return get_int(c, sizeof(uint8_t));
}

uint16_t ike_get16(struct ike_cursor *c)
{
	return get_int(c, sizeof(uint16_t));
}

uint32_t ike_get32(struct ike_cursor *c)
{
	return get_int(c, sizeof(uint32_t));
}

uint64_t ike_get64(struct ike_cursor *c)
{
	return get_int(c, sizeof(uint64_t));
}

void ike_writer_init(struct ike_writer *w, uint8_t *buf, size_t cap)
{
	*w = (struct ike_writer){.buf = buf, .cap = cap};
}

uint8_t *ike_put_room(struct ike_writer *w, size_t len)
{
	uint8_t *room;

	if (w->overflow || len > w->cap - w->len) {
		w->overflow = true;
		return NULL;
	}
	room = w->buf + w->len;
	if (len)
		memset(room, 0, len);
	w->len += len;
	return room;
}

void ike_put(struct ike_writer *w, struct ike_bytes b)
{
	uint8_t *room = ike_put_room(w, b.len);

	if (room && b.len)
		memcpy(room, b.p, b.len);
}

static void store(uint8_t *to, uint64_t v, size_t len)
{
	while (len--) {
		to[len] = v;
		v >>= 8;
	}
}

static void put_int(struct ike_writer *w, uint64_t v, size_t len)
{
	uint8_t *room = ike_put_room(w, len);

	if (room)
		store(room, v, len);
}

void ike_put8(struct ike_writer *w, uint8_t v)
{
	put_int(w, v, sizeof(v));
}

void ike_put16(struct ike_writer *w, uint16_t v)
{
	put_int(w, v, sizeof(v));
}

void ike_put32(struct ike_writer *w, uint32_t v)
{
	put_int(w, v, sizeof(v));
}

void ike_put64(struct ike_writer *w, uint64_t v)
{
	put_int(w, v, sizeof(v));
}

static void patch_int(struct ike_writer *w, size_t at, uint64_t v, size_t len)
{
	if (w->overflow || at > w->len || len > w->len - at) {
		w->overflow = true;
		return;
	}
	store(w->buf + at, v, len);
}

void ike_patch8(struct ike_writer *w, size_t at, uint8_t v)
{
	patch_int(w, at, v, sizeof(v));
}

void ike_patch16(struct ike_writer *w, size_t at, uint16_t v)
{
	patch_int(w, at, v, sizeof(v));
}

void ike_patch32(struct ike_writer *w, size_t at, uint32_t v)
{
	patch_int(w, at, v, sizeof(v));
}

struct ike_bytes ike_written(const struct ike_writer *w)
{
	return ike_bytes(w->buf, w->len);
}
