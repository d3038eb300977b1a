// SPDX-License-Identifier: MIT
/* The VICI server's socket and clients. */
#define LOG_SUBSYSTEM LOG_VICI

#include <errno.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "control.h"
#include "log.h"

enum {
	BACKLOG = 16,
	CLIENTS_MAX = 64,
	QUEUE_MAX = 64 << 20,		/* bytes a client may leave unread */
	DIRECTORY_MODE = 0755,
	SOCKET_MODE = 0660,
};

struct output {
	uv_write_t request;
	uint8_t *data;
	size_t len;
};

static void on_closed(uv_handle_t *handle)
{
	struct client *client = handle->data;

	if (--client->handles)
		return;
	vici_session_free(client->session);
	free(client);
}

static void client_close(struct client *client)
{
	if (client->closing)
		return;
	client->closing = true;
	trace_end(client);
	*client->link = client->next;
	if (client->next)
		client->next->link = client->link;
	uv_close((uv_handle_t *)&client->pipe, on_closed);
	uv_close((uv_handle_t *)&client->timeout, on_closed);
}

static void on_written(uv_write_t *request, int status)
{
	struct output *out = request->data;

	/* A decrypted message (trace.c), for one. */
	explicit_bzero(out->data, out->len);
	free(out->data);
	free(out);
}

static void session_output(void *arg, struct vici_session *s, uint8_t *data, size_t len)
{
	struct client *client = arg;
	struct output *out = calloc(1, sizeof(*out));
	uv_buf_t buf = uv_buf_init((char *)data, len);

	if (!out || client->closing)
		goto drop;
	if (uv_stream_get_write_queue_size((uv_stream_t *)&client->pipe) > QUEUE_MAX) {
		log_info("VICI: a client does not read what it asked for and is cut off");
		client_close(client);
		goto drop;
	}
	out->data = data;
	out->len = len;
	out->request.data = out;
	if (!uv_write(&out->request, (uv_stream_t *)&client->pipe, &buf, 1, on_written))
		return;
	client_close(client);
drop:
	free(out);
	free(data);
}

static bool session_command(void *arg, struct vici_session *s, const char *name,
			    const struct vici_node *args)
{
	return command_run(arg, name, args);
}

static const struct vici_session_ops session_ops = { .command = session_command,
						     .output = session_output };

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
	*buf = uv_buf_init(malloc(suggested), suggested);
	if (!buf->base)
		buf->len = 0;
}

static void on_read(uv_stream_t *stream, ssize_t len, const uv_buf_t *buf)
{
	struct client *client = stream->data;
	struct host *h = client->control->ops.host(client->control->ops.arg);
	const char *why;

	if (len < 0) {
		client_close(client);
	} else if (len > 0 &&
		   vici_session_input(client->session, (uint8_t *)buf->base, len, &why)) {
		log_info("VICI: a client is cut off: %s", why);
		client_close(client);
	}
	/* It may have been a secret that is loaded. */
	if (buf->base)
		explicit_bzero(buf->base, buf->len);
	free(buf->base);
	host_settle(h);
}

static size_t count_clients(const struct control *c)
{
	const struct client *client;
	size_t n = 0;

	for (client = c->clients; client; client = client->next)
		n++;
	return n;
}

static void client_add(struct control *c, struct client *client)
{
	client->control = c;
	client->next = c->clients;
	client->link = &c->clients;
	if (c->clients)
		c->clients->link = &client->next;
	c->clients = client;
	client->pipe.data = client;
	client->timeout.data = client;
	client->handles = 2;
	uv_pipe_init(c->loop, &client->pipe, 0);
	uv_timer_init(c->loop, &client->timeout);
}

static void on_connection(uv_stream_t *server, int status)
{
	struct control *c = server->data;
	struct client *client = calloc(1, sizeof(*client));

	if (status < 0 || !client)
		goto drop;
	client->session = vici_session_new(&session_ops, client);
	if (!client->session)
		goto drop;
	client_add(c, client);
	if (uv_accept(server, (uv_stream_t *)&client->pipe) ||
	    uv_read_start((uv_stream_t *)&client->pipe, on_alloc, on_read)) {
		client_close(client);
	} else if (count_clients(c) > CLIENTS_MAX) {
		log_info("VICI: more than %d clients", CLIENTS_MAX);
		client_close(client);
	}
	return;
drop:
	log_error("VICI: client not accepted: %s",
		  status < 0 ? uv_strerror(status) : "out of memory");
	free(client);
}

/* Is there somebody at the other end of the socket that lies at @path? */
static bool is_served(const char *path)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool served;

	strncpy(to.sun_path, path, sizeof(to.sun_path) - 1);
	served = fd >= 0 && !connect(fd, (struct sockaddr *)&to, sizeof(to));
	if (fd >= 0)
		close(fd);
	return served;
}

/* The socket is unlinked at the end by the user we become, who must therefore own its directory. */
static int make_directory(const char *path, uid_t uid, gid_t gid)
{
	char *copy = strdup(path), *dir;
	int err = -1;

	if (!copy)
		return -1;
	dir = dirname(copy);
	if (!mkdir(dir, DIRECTORY_MODE))
		err = chown(dir, uid, gid);
	else if (errno == EEXIST)
		err = 0;
	free(copy);
	return err;
}

static int prepare_path(const char *path, uid_t uid, gid_t gid)
{
	struct sockaddr_un probe;

	if (strlen(path) >= sizeof(probe.sun_path)) {
		log_error("VICI socket %s: the path is too long", path);
		return -1;
	}
	if (make_directory(path, uid, gid)) {
		log_error("directory of VICI socket %s: %m", path);
		return -1;
	}
	if (is_served(path)) {
		log_error("VICI socket %s: another daemon serves it", path);
		return -1;
	}
	if (unlink(path) && errno != ENOENT) {
		log_error("VICI socket %s: %m", path);
		return -1;
	}
	return 0;
}

static int bind_path(struct control *c, const char *path, uid_t uid, gid_t gid)
{
	/* Between bind() and chmod() nobody else may connect. */
	mode_t mask = umask(~SOCKET_MODE & 0777);
	int err = uv_pipe_bind(&c->server, path);

	umask(mask);
	if (!err)
		err = uv_listen((uv_stream_t *)&c->server, BACKLOG, on_connection);
	if (!err && (chmod(path, SOCKET_MODE) || chown(path, uid, gid)))
		err = -errno;
	if (err)
		log_error("VICI socket %s: %s", path, uv_strerror(err));
	return err ? -1 : 0;
}

int control_open(struct control *c, uv_loop_t *loop, const char *path, uid_t uid, gid_t gid,
		 const struct control_ops *ops)
{
	memset(c, 0, sizeof(*c));
	c->ops = *ops;
	c->loop = loop;
	c->started = host_now();
	c->since = time(NULL);
	if (prepare_path(path, uid, gid))
		return -1;
	c->path = strdup(path);
	if (!c->path)
		return -1;
	uv_pipe_init(loop, &c->server, 0);
	c->server.data = c;
	c->listening = true;
	return bind_path(c, path, uid, gid);
}

void control_close(struct control *c)
{
	if (!c->listening)
		return;
	c->listening = false;
	/* Takes the socket's name away too. */
	uv_close((uv_handle_t *)&c->server, NULL);
	while (c->clients)
		client_close(c->clients);
}

void control_free(struct control *c)
{
	report_forget(c);
	free(c->path);
	c->path = NULL;
}
