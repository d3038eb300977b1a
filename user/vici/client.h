/* SPDX-License-Identifier: MIT */
/*
 * The client's end of VICI over a unix socket, blocking: what a command-line tool or a test needs.
 */
#ifndef ESPLANE_VICI_CLIENT_H
#define ESPLANE_VICI_CLIENT_H

#include "vici.h"

#define VICI_DEFAULT_SOCKET "/run/esplane/vici.sock"

enum { VICI_ERROR_LEN = 512 };

struct vici_client;

/*
 * @uri: "unix://PATH" or PATH; NULL means VICI_DEFAULT_SOCKET. Returns NULL with a text for people
 * in @error (VICI_ERROR_LEN bytes).
 */
struct vici_client *vici_connect(const char *uri, char *error);
/* The same on a socket that is connected already; takes it over. */
struct vici_client *vici_client_new(int fd);
void vici_client_free(struct vici_client *c);

/* An event that came. @message is freed after the call, but for what was taken from it. */
typedef void vici_event_fn(void *arg, const char *event, struct vici_node *message);

/* Returns 0, or -1 with @error. Must precede vici_request() or vici_wait(). */
int vici_register(struct vici_client *c, const char *event, char *error);

/*
 * Sends a request begun with vici_begin(b, VICI_CMD_REQUEST, name) (consumed) and returns the
 * reply, which the caller frees; NULL with @error. Events that come meanwhile go to @fn.
 */
struct vici_node *vici_request(struct vici_client *c, struct vici_builder *b, vici_event_fn *fn,
			       void *arg, char *error);

/* Hands events to @fn until the server goes (returns 0) or breaks the protocol (-1 with @error). */
int vici_wait(struct vici_client *c, vici_event_fn *fn, void *arg, char *error);

#endif
