/* SPDX-License-Identifier: MIT */
/*
 * One client of the VICI server, without I/O: the host gives it the bytes that came and sends
 * those that it makes. Requests are answered in order, one at a time (README "Commands"); what
 * comes while a command is under way waits.
 */
#ifndef ESPLANE_VICI_SESSION_H
#define ESPLANE_VICI_SESSION_H

#include "vici.h"

/* Events a client may register for. X(NAME, "name on the wire") */
#define VICI_EVENTS(X)							\
	X(LOG, "log")							\
	X(CONTROL_LOG, "control-log")					\
	X(LIST_SA, "list-sa")						\
	X(LIST_CONN, "list-conn")					\
	X(LIST_POLICY, "list-policy")					\
	X(LIST_CERT, "list-cert")					\
	X(LIST_AUTHORITY, "list-authority")				\
	X(IKE_UPDOWN, "ike-updown")					\
	X(IKE_REKEY, "ike-rekey")					\
	X(CHILD_UPDOWN, "child-updown")					\
	X(CHILD_REKEY, "child-rekey")					\
	X(ESPLANE_TRACE, "esplane-trace")

enum vici_event {
#define X(name, wire) VICI_EV_##name,
	VICI_EVENTS(X)
#undef X
	VICI_EV_COUNT
};

const char *vici_event_name(enum vici_event event);

struct vici_session;

struct vici_session_ops {
	/*
	 * A command. @args are valid during the call. Answer with vici_session_reply() now or
	 * later (once), or return false for a command that does not exist.
	 */
	bool (*command)(void *host, struct vici_session *s, const char *name,
			const struct vici_node *args);
	/* Bytes for the client, in order. The host owns @data (malloc) from here on. */
	void (*output)(void *host, struct vici_session *s, uint8_t *data, size_t len);
};

/* @ops must outlive the session. NULL when out of memory. */
struct vici_session *vici_session_new(const struct vici_session_ops *ops, void *host);
void vici_session_free(struct vici_session *s);

/*
 * Bytes from the client. Returns 0, or -1 with @why (static) when the client breaks the protocol:
 * close it. Must not be called from within the session's own ops.
 */
int vici_session_input(struct vici_session *s, const uint8_t *data, size_t len, const char **why);

/* Is a command waiting for its answer? */
bool vici_session_busy(const struct vici_session *s);

/*
 * Answers the command under way and takes up what waited behind it. @b: begun by
 * vici_reply_begin(), with what the reply holds; consumed. A reply that cannot be built becomes an
 * error reply.
 */
void vici_reply_begin(struct vici_builder *b);
void vici_session_reply(struct vici_session *s, struct vici_builder *b);
/* success = yes */
void vici_session_reply_ok(struct vici_session *s);
/* success = no, errmsg = ... */
void vici_session_reply_error(struct vici_session *s, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

bool vici_session_wants(const struct vici_session *s, enum vici_event event);

/*
 * An event for one client, if it registered for it: begin with vici_event_begin(), add the
 * content, then vici_session_event() for each session (copies), then vici_abandon().
 */
void vici_event_begin(struct vici_builder *b, enum vici_event event);
void vici_session_event(struct vici_session *s, enum vici_event event,
			const struct vici_builder *b);

#endif
