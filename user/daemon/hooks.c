// SPDX-License-Identifier: MIT
/* The daemon's end of the process that runs commands. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hooks.h"
#include "log.h"

int hooks_open(struct hooks *h, const char *config)
{
	int fds[2];

	memset(h, 0, sizeof(*h));
	h->fd = -1;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds)) {
		log_error("hooks: socketpair: %m");
		return -1;
	}
	h->pid = fork();
	if (!h->pid) {
		close(fds[0]);
		hook_process(fds[1], config);
	}
	close(fds[1]);
	if (h->pid < 0) {
		log_error("hooks: fork: %m");
		close(fds[0]);
		return -1;
	}
	h->fd = fds[0];
	return 0;
}

static void say(enum ike_log_level level, const char *name, const char *text)
{
	log_write(&(struct log_line){ LOG_CHILD, level, &(struct ike_log_names){ .name = name },
				      text });
}

/* "E" or "I", name, text. */
static void take_line(const char *bytes, size_t len)
{
	enum ike_log_level level = *bytes == 'E' ? IKE_LOG_ERROR : IKE_LOG_INFO;
	const char *name = bytes + 1, *text;

	if (len < 3 || bytes[len - 1])
		return;
	text = name + strlen(name) + 1;
	if (text < bytes + len)
		say(level, name, text);
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
	struct hooks *h = poll->data;
	char bytes[HOOKS_MESSAGE_MAX];
	ssize_t len;

	while ((len = recv(h->fd, bytes, sizeof(bytes), MSG_DONTWAIT)) > 0)
		take_line(bytes, len);
	if (!len || (len < 0 && errno != EAGAIN && errno != EINTR)) {
		log_error("the process that runs updown commands has ended; none is run any more");
		hooks_close(h);
	}
}

int hooks_start(struct hooks *h, uv_loop_t *loop)
{
	h->poll.data = h;
	if (uv_poll_init(loop, &h->poll, h->fd))
		return -1;
	h->started = true;
	return uv_poll_start(&h->poll, UV_READABLE, on_readable);
}

void hooks_close(struct hooks *h)
{
	if (h->fd < 0)
		return;
	if (h->started)
		uv_close((uv_handle_t *)&h->poll, NULL);
	/* It has sent what it had to say so far, and may send more: nobody listens any more. */
	close(h->fd);
	h->fd = -1;
}

static void put(struct hooks_request *r, const char *text)
{
	size_t len = strlen(text) + 1;

	if (len > sizeof(r->bytes) - r->len) {
		r->full = true;
		return;
	}
	memcpy(r->bytes + r->len, text, len);
	r->len += len;
}

void hooks_begin(struct hooks_request *r, const char *name, const char *command)
{
	r->len = 0;
	r->full = false;
	put(r, name);
	put(r, command);
}

void hooks_add(struct hooks_request *r, const char *format, ...)
{
	char text[2048];
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (len < 0 || len >= (int)sizeof(text))
		r->full = true;
	else
		put(r, text);
}

void hooks_run(struct hooks *h, const struct hooks_request *r)
{
	const char *name = r->bytes, *why = NULL;

	if (h->fd < 0)
		why = "its process has ended";
	else if (r->full)
		why = "its environment is too long";
	else if (send(h->fd, r->bytes, r->len, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		why = errno == EAGAIN ? "too many others wait" : strerror(errno);
	if (why)
		say(IKE_LOG_ERROR, name, why);
}
