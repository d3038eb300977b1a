// SPDX-License-Identifier: MIT
/* Cuts the byte stream of a VICI connection into its length-prefixed segments. */
#include <stdlib.h>
#include <string.h>

#include "vici.h"

enum { FIRST_CAPACITY = 512 };

void vici_framer_init(struct vici_framer *f)
{
	*f = (struct vici_framer){ 0 };
}

void vici_framer_free(struct vici_framer *f)
{
	if (f->buf)
		explicit_bzero(f->buf, f->cap);
	free(f->buf);
	vici_framer_init(f);
}

/* As realloc(), but what was there may hold secrets. */
static int grow(struct vici_framer *f, size_t cap)
{
	uint8_t *buf = malloc(cap);

	if (!buf)
		return -1;
	if (f->buf) {
		memcpy(buf, f->buf, f->len);
		explicit_bzero(f->buf, f->cap);
	}
	free(f->buf);
	f->buf = buf;
	f->cap = cap;
	return 0;
}

int vici_framer_feed(struct vici_framer *f, const uint8_t *data, size_t len)
{
	size_t cap = f->cap ? f->cap : FIRST_CAPACITY;

	if (!len)
		return 0;
	if (f->used) {
		memmove(f->buf, f->buf + f->used, f->len - f->used);
		explicit_bzero(f->buf + f->len - f->used, f->used);
		f->len -= f->used;
		f->used = 0;
	}
	while (cap < f->len + len)
		cap *= 2;
	if (cap != f->cap && grow(f, cap))
		return -1;
	memcpy(f->buf + f->len, data, len);
	f->len += len;
	return 0;
}

int vici_framer_next(struct vici_framer *f, const uint8_t **segment, size_t *len, const char **why)
{
	size_t have = f->len - f->used;
	const uint8_t *at;
	size_t size;

	if (have < VICI_HEADER_LEN)
		return 0;
	at = f->buf + f->used;
	size = (size_t)at[0] << 24 | at[1] << 16 | at[2] << 8 | at[3];
	if (size > VICI_SEGMENT_MAX) {
		*why = "segment longer than 512 KiB";
		return -1;
	}
	if (have - VICI_HEADER_LEN < size)
		return 0;
	*segment = at + VICI_HEADER_LEN;
	*len = size;
	f->used += VICI_HEADER_LEN + size;
	return 1;
}
