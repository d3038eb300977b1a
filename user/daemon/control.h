/* SPDX-License-Identifier: MIT */
/*
 * The VICI server: a unix socket, its clients, the commands they give and the events they hear.
 * control.c has the socket and the clients, commands.c the commands, reports.c the events.
 */
#ifndef ESPLANE_CONTROL_H
#define ESPLANE_CONTROL_H

#include <uv.h>

#include "config/extra.h"
#include "host.h"
#include "ikev2/table.h"
#include "ikev2/timer.h"
#include "vici/session.h"

struct control;
struct log_line;

/* What the server needs of the daemon. */
struct control_ops {
	struct host *(*host)(void *arg);
	const struct ike_config *(*config)(void *arg);
	/*
	 * Reads the configuration again. Returns NULL, or all that is wrong with it, which the
	 * caller frees.
	 */
	char *(*reload)(void *arg);
	/*
	 * What clients have loaded. Having changed it, they have the configuration built again:
	 * @alone as config_build() has it, returns as reload().
	 */
	struct config_extra *(*extra)(void *arg);
	char *(*rebuild)(void *arg, const char *alone);
	/*
	 * The same, of what was added and takes nothing away, but later: soon, or when settle() is called. Whether it
	 * will do is known now, from @conn, a connection that was added ("": something else was), without all the
	 * others that clients have loaded.
	 */
	char *(*add)(void *arg, const char *conn);
	void (*settle)(void *arg);
	/* The configuration file, as it was read last. */
	const struct settings *(*file)(void *arg);
	void *arg;
};

struct client {
	struct client *next, **link;
	struct control *control;
	struct vici_session *session;
	uv_pipe_t pipe;
	uv_timer_t timeout;		/* of the command under way */
	uint64_t ticket;		/* of the command under way; 0: none */
	int loglevel;			/* what control-log lines it asked for */
	size_t matches;			/* SAs that the command acts on */
	bool tracing;			/* trace.c */
	unsigned int handles;		/* not closed yet */
	bool closing;
};

/* SAs that were told of as up: when they are gone, only their names here are left. */
struct known {
	struct ike_node node;
	char *name;			/* of the connection or child */
};

struct control {
	struct control_ops ops;
	uv_loop_t *loop;
	uv_pipe_t server;
	char *path;
	bool listening;
	struct client *clients;
	struct ike_table known;
	ike_time started;
	int64_t since;			/* started, in seconds since the epoch */
};

/*
 * Listens on @path: mode 0660, owned by @uid and @gid, in place of a socket that nobody serves any
 * more. Its directory is made if need be. Returns 0, or -1 after logging why.
 */
int control_open(struct control *c, uv_loop_t *loop, const char *path, uid_t uid, gid_t gid,
		 const struct control_ops *ops);
/* Closes all handles; the loop must run once more. */
void control_close(struct control *c);
/* After that. */
void control_free(struct control *c);

/* commands.c */
bool command_run(struct client *client, const char *name, const struct vici_node *args);
void command_done(struct control *c, const struct ike_event *event);

/* trace.c: decrypted IKE messages, to clients of root's that asked for them, and to nobody else. */
void trace_message(struct control *c, const struct ike_trace *t);
/* @client goes. */
void trace_end(struct client *client);

/* reports.c */
void report_event(struct control *c, const struct ike_event *event);
void report_log(struct control *c, const struct log_line *line);
void report_forget(struct control *c);

#endif
