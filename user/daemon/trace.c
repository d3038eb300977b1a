// SPDX-License-Identifier: MIT
/*
 * VICI's esplane-trace, a command of ours: decrypted IKE messages as events of that name, for as
 * long as the client is there. It must be root's: what it sees, others keep secret from each other.
 */
#define LOG_SUBSYSTEM LOG_VICI

#include <inttypes.h>
#include <sys/socket.h>
#include <time.h>

#include "commands.h"
#include "log.h"

enum { US_PER_SECOND = 1000000, NS_PER_US = 1000 };

/* unix(7): who has connected, and has it from the kernel. Returns false if that is not known. */
static bool peer_of(const struct client *client, struct ucred *peer)
{
	socklen_t len = sizeof(*peer);
	uv_os_fd_t fd;

	return !uv_fileno((const uv_handle_t *)&client->pipe, &fd) &&
	       !getsockopt(fd, SOL_SOCKET, SO_PEERCRED, peer, &len);
}

static bool anybody_traces(const struct control *c)
{
	const struct client *client;

	for (client = c->clients; client; client = client->next)
		if (client->tracing)
			return true;
	return false;
}

void cmd_esplane_trace(struct client *client, const struct vici_node *args)
{
	struct ucred peer;

	if (!peer_of(client, &peer) || peer.uid) {
		log_error("a client that is not root's asks for decrypted messages, and is refused");
		vici_session_reply_error(client->session, "only root may see decrypted messages");
		return;
	}
	if (!client->tracing)
		log_info("decrypted IKE messages go to process %d of root's from now on", peer.pid);
	client->tracing = true;
	ike_engine_trace(host_of(client)->engine, true);
	vici_session_reply_ok(client->session);
}

void trace_end(struct client *client)
{
	struct control *c = client->control;

	if (!client->tracing)
		return;
	client->tracing = false;
	log_info("decrypted IKE messages go to that process no longer");
	ike_engine_trace(host_of(client)->engine, anybody_traces(c));
}

static void put_endpoint(struct vici_builder *b, const char *host, const char *port,
			 const struct ike_endpoint *e)
{
	char text[IKE_ADDR_TEXT_MAX];

	vici_str(b, host, ike_addr_text(&e->addr, text, sizeof(text)));
	vici_fmt(b, port, "%u", e->port);
}

void trace_message(struct control *c, const struct ike_trace *t)
{
	struct client *client, *next;
	struct timespec now;
	struct vici_builder b;

	clock_gettime(CLOCK_REALTIME, &now);
	vici_event_begin(&b, VICI_EV_ESPLANE_TRACE);
	vici_fmt(&b, "time", "%" PRIu64, (uint64_t)now.tv_sec * US_PER_SECOND +
		 now.tv_nsec / NS_PER_US);
	vici_str(&b, "sent", t->sent ? "yes" : "no");
	vici_str(&b, "decrypted", t->decrypted ? "yes" : "no");
	put_endpoint(&b, "local-host", "local-port", &t->local);
	put_endpoint(&b, "remote-host", "remote-port", &t->remote);
	if (t->conn) {
		vici_str(&b, "ike", t->conn);
		vici_fmt(&b, "ike-id", "%" PRIu64, t->ike_id);
	}
	vici_value(&b, "message", t->message, t->len);
	for (client = c->clients; client; client = next) {
		next = client->next;
		if (client->tracing)
			vici_session_event(client->session, VICI_EV_ESPLANE_TRACE, &b);
	}
	if (b.buf)
		explicit_bzero(b.buf, b.len);
	vici_abandon(&b);
}
