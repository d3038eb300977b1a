// SPDX-License-Identifier: MIT
/* VICI packets and messages, read by a cursor that cannot pass their end. */
#include <string.h>

#include "vici.h"

static bool has_name(enum vici_packet_type type)
{
	return type == VICI_CMD_REQUEST || type == VICI_EVENT_REGISTER ||
	       type == VICI_EVENT_UNREGISTER || type == VICI_EVENT;
}

/*
 * Reads a name behind its 8-bit length. Returns the bytes read, 0 if there are too few or a zero
 * among them.
 */
static size_t read_name(char *name, const uint8_t *at, const uint8_t *end)
{
	size_t len;

	if (at == end)
		return 0;
	len = *at++;
	if (len > (size_t)(end - at) || memchr(at, '\0', len))
		return 0;
	memcpy(name, at, len);
	name[len] = '\0';
	return 1 + len;
}

int vici_packet_parse(struct vici_packet *p, const uint8_t *segment, size_t len, const char **why)
{
	const uint8_t *at = segment, *end = segment + len;
	size_t used;

	if (!len) {
		*why = "empty packet";
		return -1;
	}
	if (*at > VICI_EVENT) {
		*why = "unknown packet type";
		return -1;
	}
	p->type = *at++;
	p->name[0] = '\0';
	if (has_name(p->type)) {
		used = read_name(p->name, at, end);
		if (!used) {
			*why = "packet name cut short or with a zero byte";
			return -1;
		}
		at += used;
	}
	p->body = at;
	p->body_len = end - at;
	return 0;
}

void vici_cursor_init(struct vici_cursor *c, const uint8_t *body, size_t len)
{
	*c = (struct vici_cursor){ .at = body, .end = body + len };
}

static int refuse(struct vici_cursor *c, const char *error)
{
	c->error = error;
	c->at = c->end;
	return -1;
}

static int take_name(struct vici_cursor *c, struct vici_element *e)
{
	size_t used = read_name(e->name, c->at, c->end);

	if (!used)
		return refuse(c, "name cut short or with a zero byte");
	c->at += used;
	return 1;
}

static int take_value(struct vici_cursor *c, struct vici_element *e)
{
	size_t have = c->end - c->at;
	size_t len;

	if (have < sizeof(uint16_t))
		return refuse(c, "value cut short");
	len = c->at[0] << 8 | c->at[1];
	if (have - sizeof(uint16_t) < len)
		return refuse(c, "value cut short");
	e->value = c->at + sizeof(uint16_t);
	e->value_len = len;
	c->at = e->value + len;
	return 1;
}

static int take_section_start(struct vici_cursor *c, struct vici_element *e)
{
	if (c->depth == VICI_DEPTH_MAX)
		return refuse(c, "sections nested too deep");
	c->depth++;
	return take_name(c, e);
}

static int take_section_end(struct vici_cursor *c)
{
	if (!c->depth)
		return refuse(c, "section end without a section");
	c->depth--;
	return 1;
}

/* Inside a list only items may stand, and items only there (README "Lists"). */
static bool fits_list(const struct vici_cursor *c, enum vici_element_type type)
{
	return c->in_list == (type == VICI_LIST_ITEM || type == VICI_LIST_END);
}

static int take_end(struct vici_cursor *c)
{
	if (c->error)
		return -1;
	if (c->depth || c->in_list)
		return refuse(c, "section or list left open");
	return 0;
}

int vici_cursor_next(struct vici_cursor *c, struct vici_element *e)
{
	if (c->at == c->end)
		return take_end(c);
	*e = (struct vici_element){ .type = *c->at++ };
	if (e->type < VICI_SECTION_START || e->type > VICI_LIST_END)
		return refuse(c, "unknown element type");
	if (!fits_list(c, e->type))
		return refuse(c, c->in_list ? "only items may stand in a list"
					    : "list item outside a list");
	switch (e->type) {
	case VICI_SECTION_START:
		return take_section_start(c, e);
	case VICI_SECTION_END:
		return take_section_end(c);
	case VICI_KEY_VALUE:
		return take_name(c, e) < 0 ? -1 : take_value(c, e);
	case VICI_LIST_START:
		c->in_list = true;
		return take_name(c, e);
	case VICI_LIST_ITEM:
		return take_value(c, e);
	case VICI_LIST_END:
		c->in_list = false;
		return 1;
	default:
		return refuse(c, "unknown element type");
	}
}
