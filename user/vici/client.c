// SPDX-License-Identifier: MIT
/* The client's end of VICI over a unix socket, blocking. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "client.h"

struct vici_client {
	int fd;
	struct vici_framer framer;
};

__attribute__((format(printf, 2, 3)))
static int fail(char *error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(error, VICI_ERROR_LEN, format, args);
	va_end(args);
	return -1;
}

struct vici_client *vici_client_new(int fd)
{
	struct vici_client *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->fd = fd;
	vici_framer_init(&c->framer);
	return c;
}

void vici_client_free(struct vici_client *c)
{
	if (!c)
		return;
	close(c->fd);
	vici_framer_free(&c->framer);
	free(c);
}

static const char *cause(int error)
{
	switch (error) {
	case ENOENT:
		return "there is no such socket; is esplaned running? Start it with: systemctl "
		       "start esplaned";
	case ECONNREFUSED:
		return "nobody listens there; esplaned is not running. Start it with: systemctl "
		       "start esplaned";
	case EACCES:
		return "permission denied; run as root";
	default:
		return strerror(error);
	}
}

struct vici_client *vici_connect(const char *uri, char *error)
{
	static const char scheme[] = "unix://";
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	const char *path = uri ? uri : VICI_DEFAULT_SOCKET;
	struct vici_client *c;
	int fd;

	if (!strncmp(path, scheme, strlen(scheme)))
		path += strlen(scheme);
	if (*path != '/' || strlen(path) >= sizeof(sun.sun_path)) {
		fail(error, "%s: not unix:// and an absolute path of less than %zu bytes", uri,
		     sizeof(sun.sun_path));
		return NULL;
	}
	strcpy(sun.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&sun, sizeof(sun))) {
		fail(error, "cannot reach esplaned at %s: %s", path, cause(errno));
		if (fd >= 0)
			close(fd);
		return NULL;
	}
	c = vici_client_new(fd);
	if (!c) {
		close(fd);
		fail(error, "out of memory");
	}
	return c;
}

static int send_all(struct vici_client *c, struct vici_builder *b, char *error)
{
	const char *why;
	size_t len, done = 0;
	uint8_t *packet = vici_finish(b, &len, &why);
	ssize_t n;

	if (!packet)
		return fail(error, "cannot build the request: %s", why);
	while (done < len) {
		n = send(c->fd, packet + done, len - done, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			break;
		done += n;
	}
	free(packet);
	return done == len ? 0 : fail(error, "lost esplaned while sending: %s", strerror(errno));
}

/* Returns 1 with a packet, 0 when the server closed the connection, -1 with @error. */
static int receive(struct vici_client *c, struct vici_packet *p, char *error)
{
	uint8_t buf[16384];
	const uint8_t *segment;
	const char *why;
	size_t len;
	ssize_t n;
	int got;

	while (!(got = vici_framer_next(&c->framer, &segment, &len, &why))) {
		n = recv(c->fd, buf, sizeof(buf), 0);
		if (!n)
			return 0;
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail(error, "lost esplaned: %s", strerror(errno));
		if (vici_framer_feed(&c->framer, buf, n))
			return fail(error, "out of memory");
	}
	if (got < 0 || vici_packet_parse(p, segment, len, &why))
		return fail(error, "esplaned sent what is not VICI: %s", why);
	return 1;
}

static int deliver(const struct vici_packet *p, vici_event_fn *fn, void *arg, char *error)
{
	const char *why;
	struct vici_node *message = vici_tree_parse(p->body, p->body_len, &why);

	if (!message)
		return fail(error, "event %s is malformed: %s", p->name, why);
	if (fn)
		fn(arg, p->name, message);
	vici_tree_free(message);
	return 0;
}

/* The next packet that is not an event. */
static int receive_answer(struct vici_client *c, struct vici_packet *p, vici_event_fn *fn,
			  void *arg, char *error)
{
	int got;

	while ((got = receive(c, p, error)) > 0 && p->type == VICI_EVENT)
		if (deliver(p, fn, arg, error))
			return -1;
	if (!got)
		fail(error, "esplaned closed the connection before it answered");
	return got > 0 ? 0 : -1;
}

int vici_register(struct vici_client *c, const char *event, char *error)
{
	struct vici_builder b;
	struct vici_packet p;

	vici_begin(&b, VICI_EVENT_REGISTER, event);
	if (send_all(c, &b, error) || receive_answer(c, &p, NULL, NULL, error))
		return -1;
	if (p.type != VICI_EVENT_CONFIRM)
		return fail(error, "the daemon knows no event %s", event);
	return 0;
}

struct vici_node *vici_request(struct vici_client *c, struct vici_builder *b, vici_event_fn *fn,
			       void *arg, char *error)
{
	struct vici_node *reply;
	struct vici_packet p;
	const char *why;

	if (send_all(c, b, error) || receive_answer(c, &p, fn, arg, error))
		return NULL;
	if (p.type != VICI_CMD_RESPONSE) {
		fail(error, p.type == VICI_CMD_UNKNOWN ? "the daemon does not know this command" :
		     "the daemon answered with a packet that is no answer");
		return NULL;
	}
	reply = vici_tree_parse(p.body, p.body_len, &why);
	if (!reply)
		fail(error, "the reply is malformed: %s", why);
	return reply;
}

int vici_wait(struct vici_client *c, vici_event_fn *fn, void *arg, char *error)
{
	struct vici_packet p;
	int got;

	while ((got = receive(c, &p, error)) > 0)
		if (p.type == VICI_EVENT && deliver(&p, fn, arg, error))
			return -1;
	return got;
}
