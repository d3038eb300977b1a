/* SPDX-License-Identifier: MIT */
/*
 * VICI, the control protocol of strongSwan's swanctl, as its published README describes it:
 * packets in length-prefixed segments, messages as a tree of sections, key/values and lists. No
 * I/O here: bytes in, bytes out. What the two sides do with them is in session.h (server) and
 * client.h (client); what a status looks like is in status.h.
 */
#ifndef ESPLANE_VICI_H
#define ESPLANE_VICI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* README "Packet layer" */
enum vici_packet_type {
	VICI_CMD_REQUEST = 0,		/* named */
	VICI_CMD_RESPONSE = 1,
	VICI_CMD_UNKNOWN = 2,
	VICI_EVENT_REGISTER = 3,	/* named */
	VICI_EVENT_UNREGISTER = 4,	/* named */
	VICI_EVENT_CONFIRM = 5,
	VICI_EVENT_UNKNOWN = 6,
	VICI_EVENT = 7,			/* named */
};

/* README "Message format" */
enum vici_element_type {
	VICI_SECTION_START = 1,
	VICI_SECTION_END = 2,
	VICI_KEY_VALUE = 3,
	VICI_LIST_START = 4,
	VICI_LIST_ITEM = 5,
	VICI_LIST_END = 6,
};

enum {
	VICI_HEADER_LEN = 4, /* README "Transport protocol": length of what follows, big endian */
	VICI_SEGMENT_MAX = 512 * 1024,	/* the same */
	VICI_NAME_MAX = UINT8_MAX,
	VICI_VALUE_MAX = UINT16_MAX,
	VICI_DEPTH_MAX = 32,		/* ours: sections within sections */
};

/*
 * Builder: one packet, framed. Errors stick (no memory, unbalanced, too long) and show in
 * vici_finish(), so that callers need not check each step. Zero-fill by vici_begin(); owned by the
 * caller until vici_finish().
 */
struct vici_builder {
	uint8_t *buf;
	size_t len, cap;
	unsigned int depth;
	bool in_list;
	const char *error;		/* static text of the first error, or NULL */
};

/* @name: NULL for the unnamed types. */
void vici_begin(struct vici_builder *b, enum vici_packet_type type, const char *name);
void vici_section(struct vici_builder *b, const char *name);
void vici_section_end(struct vici_builder *b);
void vici_value(struct vici_builder *b, const char *key, const void *value, size_t len);
void vici_str(struct vici_builder *b, const char *key, const char *value);
void vici_fmt(struct vici_builder *b, const char *key, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void vici_list(struct vici_builder *b, const char *name);
void vici_item(struct vici_builder *b, const char *value);
void vici_list_end(struct vici_builder *b);
/*
 * The framed packet, header and all; the caller frees it. NULL: nothing to send, @why (static)
 * tells.
 */
uint8_t *vici_finish(struct vici_builder *b, size_t *len, const char **why);
/* Gives up a packet that was begun. */
void vici_abandon(struct vici_builder *b);

/*
 * Framer: cuts a byte stream into segments. Memory follows what arrived, not what a header
 * promises.
 */
struct vici_framer {
	uint8_t *buf;
	size_t len, cap;
	size_t used;			/* of buf, by segments already handed out */
};

void vici_framer_init(struct vici_framer *f);
void vici_framer_free(struct vici_framer *f);
/* Returns 0, or -1 when out of memory. */
int vici_framer_feed(struct vici_framer *f, const uint8_t *data, size_t len);
/*
 * Returns 1 with a segment (valid until the next feed), 0 when more bytes are needed, -1 with @why
 * (static).
 */
int vici_framer_next(struct vici_framer *f, const uint8_t **segment, size_t *len, const char **why);

/* What a segment holds. @body points into it. */
struct vici_packet {
	enum vici_packet_type type;
	char name[VICI_NAME_MAX + 1];	/* empty for the unnamed types */
	const uint8_t *body;
	size_t body_len;
};

/* Returns 0, or -1 with @why (static). */
int vici_packet_parse(struct vici_packet *p, const uint8_t *segment, size_t len, const char **why);

/*
 * Cursor: walks a message element by element; cannot read past its end, and refuses what is
 * unbalanced.
 */
struct vici_cursor {
	const uint8_t *at, *end;
	unsigned int depth;
	bool in_list;
	const char *error;		/* static */
};

struct vici_element {
	enum vici_element_type type;
	char name[VICI_NAME_MAX + 1];	/* section, key or list */
	const uint8_t *value;		/* key/value or list item; not terminated */
	size_t value_len;
};

void vici_cursor_init(struct vici_cursor *c, const uint8_t *body, size_t len);
/* Returns 1 with an element, 0 at the end of a balanced message, -1 with c->error set. */
int vici_cursor_next(struct vici_cursor *c, struct vici_element *e);

/*
 * Tree: a whole message, for those who look things up by name. Children keep the order of the
 * message.
 */
struct vici_node {
	enum vici_element_type type;	/* SECTION_START, KEY_VALUE, LIST_START or LIST_ITEM */
	char *name;			/* "" for the root and for list items */
	char *value; /* key/value, list item: terminated, but may hold zero bytes */
	size_t value_len;
	struct vici_node *parent, *child, *last_child, *next;
};

/* Returns the root (a section), or NULL with @why (static). */
struct vici_node *vici_tree_parse(const uint8_t *body, size_t len, const char **why);
void vici_tree_free(struct vici_node *root);
/* Takes the first child out of the tree, for the caller to free; NULL if there is none. */
struct vici_node *vici_tree_take(struct vici_node *n);
/* A direct child by name, or NULL. @n may be NULL. */
const struct vici_node *vici_child(const struct vici_node *n, const char *name);
/* The value of a direct child, or NULL if there is none. @n may be NULL. */
const char *vici_get(const struct vici_node *n, const char *key);

#endif
