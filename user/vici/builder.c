// SPDX-License-Identifier: MIT
/* The VICI message builder: one packet, framed, with errors that stick until vici_finish(). */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vici.h"

enum { FIRST_CAPACITY = 256 };

static void fail(struct vici_builder *b, const char *error)
{
	if (!b->error)
		b->error = error;
}

/* Room for @len more bytes, or NULL after an error. */
static uint8_t *reserve(struct vici_builder *b, size_t len)
{
	size_t cap = b->cap ? b->cap : FIRST_CAPACITY;
	uint8_t *buf;

	if (b->error)
		return NULL;
	if (len > VICI_HEADER_LEN + VICI_SEGMENT_MAX - b->len) {
		fail(b, "message longer than a VICI segment may be");
		return NULL;
	}
	while (cap < b->len + len)
		cap *= 2;
	if (cap != b->cap) {
		buf = realloc(b->buf, cap);
		if (!buf) {
			fail(b, "out of memory");
			return NULL;
		}
		b->buf = buf;
		b->cap = cap;
	}
	b->len += len;
	return b->buf + b->len - len;
}

static void put_bytes(struct vici_builder *b, const void *data, size_t len)
{
	uint8_t *at = reserve(b, len);

	if (at && len)
		memcpy(at, data, len);
}

static void put_u8(struct vici_builder *b, uint8_t value)
{
	put_bytes(b, &value, sizeof(value));
}

static void put_name(struct vici_builder *b, const char *name)
{
	size_t len = strlen(name);

	if (len > VICI_NAME_MAX) {
		fail(b, "name longer than 255 bytes");
		return;
	}
	put_u8(b, len);
	put_bytes(b, name, len);
}

static void put_blob(struct vici_builder *b, const void *value, size_t len)
{
	uint8_t head[2] = { len >> 8, len & 0xff };

	if (len > VICI_VALUE_MAX) {
		fail(b, "value longer than 65535 bytes");
		return;
	}
	put_bytes(b, head, sizeof(head));
	put_bytes(b, value, len);
}

void vici_begin(struct vici_builder *b, enum vici_packet_type type, const char *name)
{
	static const uint8_t header[VICI_HEADER_LEN];

	*b = (struct vici_builder){ 0 };
	put_bytes(b, header, sizeof(header));
	put_u8(b, type);
	if (name)
		put_name(b, name);
}

void vici_section(struct vici_builder *b, const char *name)
{
	if (b->in_list)
		fail(b, "section inside a list");
	if (b->depth == VICI_DEPTH_MAX)
		fail(b, "sections nested too deep");
	put_u8(b, VICI_SECTION_START);
	put_name(b, name);
	b->depth++;
}

void vici_section_end(struct vici_builder *b)
{
	if (b->in_list || !b->depth) {
		fail(b, "section end without a section");
		return;
	}
	put_u8(b, VICI_SECTION_END);
	b->depth--;
}

void vici_value(struct vici_builder *b, const char *key, const void *value, size_t len)
{
	if (b->in_list)
		fail(b, "key inside a list");
	put_u8(b, VICI_KEY_VALUE);
	put_name(b, key);
	put_blob(b, value, len);
}

void vici_str(struct vici_builder *b, const char *key, const char *value)
{
	vici_value(b, key, value, strlen(value));
}

void vici_fmt(struct vici_builder *b, const char *key, const char *format, ...)
{
	char *text;
	va_list args;
	int len;

	va_start(args, format);
	len = vasprintf(&text, format, args);
	va_end(args);
	if (len < 0) {
		fail(b, "out of memory");
		return;
	}
	vici_value(b, key, text, len);
	free(text);
}

void vici_list(struct vici_builder *b, const char *name)
{
	if (b->in_list)
		fail(b, "list inside a list");
	put_u8(b, VICI_LIST_START);
	put_name(b, name);
	b->in_list = true;
}

void vici_item(struct vici_builder *b, const char *value)
{
	if (!b->in_list)
		fail(b, "list item outside a list");
	put_u8(b, VICI_LIST_ITEM);
	put_blob(b, value, strlen(value));
}

void vici_list_end(struct vici_builder *b)
{
	if (!b->in_list)
		fail(b, "list end without a list");
	put_u8(b, VICI_LIST_END);
	b->in_list = false;
}

uint8_t *vici_finish(struct vici_builder *b, size_t *len, const char **why)
{
	uint8_t *packet = b->buf;
	size_t body = b->len - VICI_HEADER_LEN;

	if (b->depth || b->in_list)
		fail(b, "section or list left open");
	if (b->error) {
		*why = b->error;
		vici_abandon(b);
		return NULL;
	}
	packet[0] = body >> 24;
	packet[1] = body >> 16;
	packet[2] = body >> 8;
	packet[3] = body;
	*len = b->len;
	*b = (struct vici_builder){ 0 };
	return packet;
}

void vici_abandon(struct vici_builder *b)
{
	free(b->buf);
	*b = (struct vici_builder){ 0 };
}
