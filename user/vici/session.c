// SPDX-License-Identifier: MIT
/* One client of the VICI server: requests in order, event registrations, replies. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "session.h"

enum {
	/*
	 * Requests may pile up behind a command under way only so far: a few of the largest kind.
	 */
	BACKLOG_MAX = 4 * VICI_SEGMENT_MAX,
};

struct vici_session {
	const struct vici_session_ops *ops;
	void *host;
	struct vici_framer framer;
	bool registered[VICI_EV_COUNT];
	bool busy;			/* a command waits for its answer */
	bool draining;			/* drain() is on the stack */
	const char *broken;		/* why the client is beyond help */
};

const char *vici_event_name(enum vici_event event)
{
	static const char *const names[] = {
#define X(name, wire) [VICI_EV_##name] = wire,
		VICI_EVENTS(X)
#undef X
	};

	return names[event];
}

struct vici_session *vici_session_new(const struct vici_session_ops *ops, void *host)
{
	struct vici_session *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->ops = ops;
	s->host = host;
	vici_framer_init(&s->framer);
	return s;
}

void vici_session_free(struct vici_session *s)
{
	if (!s)
		return;
	vici_framer_free(&s->framer);
	free(s);
}

bool vici_session_busy(const struct vici_session *s)
{
	return s->busy;
}

bool vici_session_wants(const struct vici_session *s, enum vici_event event)
{
	return s->registered[event];
}

/* Sends what @b built. Returns false if there was nothing to send. */
static bool send_built(struct vici_session *s, struct vici_builder *b, const char **why)
{
	size_t len;
	uint8_t *packet = vici_finish(b, &len, why);

	if (!packet)
		return false;
	s->ops->output(s->host, s, packet, len);
	return true;
}

static void send_bare(struct vici_session *s, enum vici_packet_type type)
{
	struct vici_builder b;
	const char *why;

	vici_begin(&b, type, NULL);
	if (!send_built(s, &b, &why))
		s->broken = why;
}

static void set_registered(struct vici_session *s, const char *name, bool on)
{
	enum vici_event event;

	for (event = 0; event < VICI_EV_COUNT; event++) {
		if (strcmp(vici_event_name(event), name))
			continue;
		s->registered[event] = on;
		send_bare(s, VICI_EVENT_CONFIRM);
		return;
	}
	send_bare(s, VICI_EVENT_UNKNOWN);
}

static int run_command(struct vici_session *s, const struct vici_packet *p, const char **why)
{
	struct vici_node *args = vici_tree_parse(p->body, p->body_len, why);

	if (!args)
		return -1;
	s->busy = true;
	if (!s->ops->command(s->host, s, p->name, args)) {
		s->busy = false;
		send_bare(s, VICI_CMD_UNKNOWN);
	}
	vici_tree_free(args);
	return 0;
}

static int take_packet(struct vici_session *s, const struct vici_packet *p, const char **why)
{
	switch (p->type) {
	case VICI_CMD_REQUEST:
		return run_command(s, p, why);
	case VICI_EVENT_REGISTER:
	case VICI_EVENT_UNREGISTER:
		set_registered(s, p->name, p->type == VICI_EVENT_REGISTER);
		return 0;
	default:
		*why = "packet type that only a server sends";
		return -1;
	}
}

/* Takes up packets until one waits for an answer or there is none left. */
static int drain(struct vici_session *s, const char **why)
{
	const uint8_t *segment;
	struct vici_packet p;
	size_t len;
	int got = 1;

	s->draining = true;
	while (!s->busy && !s->broken && got > 0) {
		got = vici_framer_next(&s->framer, &segment, &len, why);
		if (got > 0 &&
		    (vici_packet_parse(&p, segment, len, why) || take_packet(s, &p, why)))
			got = -1;
	}
	s->draining = false;
	if (s->broken)
		*why = s->broken;
	else if (got < 0)
		s->broken = *why;
	return s->broken ? -1 : 0;
}

int vici_session_input(struct vici_session *s, const uint8_t *data, size_t len, const char **why)
{
	if (!s->broken && s->framer.len - s->framer.used + len > BACKLOG_MAX)
		s->broken = "too many requests behind one that is under way";
	if (!s->broken && vici_framer_feed(&s->framer, data, len))
		s->broken = "out of memory";
	return drain(s, why);
}

void vici_reply_begin(struct vici_builder *b)
{
	vici_begin(b, VICI_CMD_RESPONSE, NULL);
}

/* What waited behind the command; a fault in it shows at the next vici_session_input(). */
static void go_on(struct vici_session *s)
{
	const char *why;

	s->busy = false;
	if (!s->draining)
		(void)drain(s, &why);
}

void vici_session_reply(struct vici_session *s, struct vici_builder *b)
{
	const char *why;

	if (!send_built(s, b, &why)) {
		vici_session_reply_error(s, "the reply cannot be sent: %s", why);
		return;
	}
	go_on(s);
}

void vici_session_reply_ok(struct vici_session *s)
{
	struct vici_builder b;

	vici_reply_begin(&b);
	vici_str(&b, "success", "yes");
	vici_session_reply(s, &b);
}

void vici_session_reply_error(struct vici_session *s, const char *format, ...)
{
	struct vici_builder b;
	const char *why;
	char text[4096];	/* all that is wrong with a configuration */
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	vici_reply_begin(&b);
	vici_str(&b, "success", "no");
	vici_str(&b, "errmsg", text);
	if (!send_built(s, &b, &why))
		s->broken = why;
	go_on(s);
}

void vici_event_begin(struct vici_builder *b, enum vici_event event)
{
	vici_begin(b, VICI_EVENT, vici_event_name(event));
}

void vici_session_event(struct vici_session *s, enum vici_event event, const struct vici_builder *b)
{
	struct vici_builder copy = *b;
	const char *why;

	if (!s->registered[event] || b->error)
		return;
	copy.buf = malloc(b->cap);
	if (!copy.buf)
		return;
	memcpy(copy.buf, b->buf, b->len);
	/* An event that cannot be built is left out: it answers nobody. */
	(void)send_built(s, &copy, &why);
}
