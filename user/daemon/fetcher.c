// SPDX-License-Identifier: MIT
/*
 * The fetcher: a process that turns questions into HTTP requests, a connection each. It knows nothing
 * of IKE, and has nothing to lose. Errors are words for the daemon's log; it says nothing itself.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <netdb.h>

#include "fetch.h"
#include "http.h"
#include "log.h"
#include "privileges.h"

enum {
	READ_MAX = 65536,
	QUESTION_MAX = FETCH_URI_MAX + FETCH_POST_MAX,
};

struct fetcher {
	uv_loop_t loop;
	uv_pipe_t pipe;
	uv_work_t warm_up;
	struct fetch_question head;
	uint8_t rest[QUESTION_MAX];
	size_t got;		/* of the head, then of what is behind it */
};

/* One question. Freed when nothing of libuv's points to it any more. */
struct item {
	struct fetcher *fetcher;
	struct fetch_question head;
	char uri[FETCH_URI_MAX + 1];
	uint8_t post[FETCH_POST_MAX];
	struct http_uri where;
	char request[HTTP_REQUEST_MAX];
	uv_getaddrinfo_t look_up;
	uv_tcp_t tcp;
	uv_connect_t connect;
	uv_write_t write;
	uv_timer_t timer;
	struct addrinfo *found, *next;
	struct http_response response;
	unsigned int users;	/* handles and requests */
	bool over, open;	/* open: @tcp is */
	const char *why;	/* the last address was of no use */
};

static void put(struct item *i)
{
	if (--i->users)
		return;
	uv_freeaddrinfo(i->found);
	http_clear(&i->response);
	free(i);
}

static void on_closed(uv_handle_t *handle)
{
	put(handle->data);
}

/* The answer to the daemon */

struct answer {
	uv_write_t write;
	struct fetch_answer head;
	uint8_t *body;
	char why[FETCH_WHY_MAX];
};

static void on_told(uv_write_t *write, int status)
{
	struct answer *a = write->data;

	free(a->body);
	free(a);
}

/* @why: NULL if the body is there. */
static void tell(struct item *i, const char *why)
{
	struct answer *a = calloc(1, sizeof(*a));
	uv_buf_t bufs[2];

	/* The daemon has a time limit of its own. */
	if (!a)
		return;
	a->write.data = a;
	a->head.id = i->head.id;
	if (why) {
		strncat(a->why, why, sizeof(a->why) - 1);
		a->head.why_len = strlen(a->why);
		bufs[1] = uv_buf_init(a->why, a->head.why_len);
	} else {
		a->body = i->response.body;
		a->head.len = i->response.len;
		i->response.body = NULL;
		bufs[1] = uv_buf_init((char *)a->body, a->head.len);
	}
	bufs[0] = uv_buf_init((char *)&a->head, sizeof(a->head));
	if (uv_write(&a->write, (uv_stream_t *)&i->fetcher->pipe, bufs, 2, on_told))
		on_told(&a->write, 0);
}

static void finish(struct item *i, const char *why)
{
	if (i->over)
		return;
	i->over = true;
	tell(i, why);
	uv_close((uv_handle_t *)&i->timer, on_closed);
	if (i->open) {
		i->open = false;
		uv_close((uv_handle_t *)&i->tcp, on_closed);
	}
}

static void on_timeout(uv_timer_t *timer)
{
	finish(timer->data, "no answer in time");
}

/* The connection */

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
	*buf = uv_buf_init(malloc(READ_MAX), READ_MAX);
	if (!buf->base)
		buf->len = 0;
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct item *i = stream->data;
	enum http_progress progress = HTTP_MORE;

	if (n > 0)
		progress = http_give(&i->response, (const uint8_t *)buf->base, n);
	else if (n == UV_EOF)
		progress = http_end(&i->response);
	else if (n < 0)
		finish(i, uv_strerror(n));
	free(buf->base);
	if (progress != HTTP_MORE)
		finish(i, progress == HTTP_DONE ? NULL : i->response.why);
}

static void on_sent(uv_write_t *write, int status)
{
	struct item *i = write->data;

	/* A server may answer before it has heard all, and close: its answer counts. */
	put(i);
}

static bool send_request(struct item *i)
{
	const char *type = i->head.post_len ? "application/ocsp-request" : NULL;
	uv_buf_t bufs[2];
	size_t len;

	len = http_request(&i->where, type, i->head.post_len, i->request);
	bufs[0] = uv_buf_init(i->request, len);
	bufs[1] = uv_buf_init((char *)i->post, i->head.post_len);
	i->write.data = i;
	if (!len || uv_write(&i->write, (uv_stream_t *)&i->tcp, bufs, type ? 2 : 1, on_sent))
		return false;
	i->users++;
	return !uv_read_start((uv_stream_t *)&i->tcp, on_alloc, on_read);
}

static void connect_next(struct item *i, const char *why);

static void on_closed_for_next(uv_handle_t *handle)
{
	struct item *i = handle->data;

	if (!i->over)
		connect_next(i, i->why);
	put(i);
}

static void on_connected(uv_connect_t *connect, int status)
{
	struct item *i = connect->data;

	if (!i->over && status) {
		i->why = uv_strerror(status);
		i->open = false;
		uv_close((uv_handle_t *)&i->tcp, on_closed_for_next);
	} else if (!i->over && !send_request(i)) {
		finish(i, "the request cannot be sent");
	}
	put(i);
}

/* One address after the other, until one takes the connection. @why: what was wrong with the last. */
static void connect_next(struct item *i, const char *why)
{
	struct addrinfo *to = i->next;

	if (!to) {
		finish(i, why);
		return;
	}
	i->next = to->ai_next;
	uv_tcp_init(&i->fetcher->loop, &i->tcp);
	i->tcp.data = i;
	i->connect.data = i;
	i->users++;
	i->open = true;
	if (uv_tcp_connect(&i->connect, &i->tcp, to->ai_addr, on_connected))
		finish(i, "the connection cannot be opened");
	else
		i->users++;
}

static void on_found(uv_getaddrinfo_t *look_up, int status, struct addrinfo *found)
{
	struct item *i = look_up->data;

	i->found = i->next = found;
	if (!i->over && status)
		finish(i, uv_strerror(status));
	else if (!i->over)
		connect_next(i, "its name has no address");
	put(i);
}

static void start(struct fetcher *f)
{
	static const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct item *i = calloc(1, sizeof(*i));
	const char *why;

	if (!i)
		return;
	i->fetcher = f;
	i->head = f->head;
	memcpy(i->uri, f->rest, f->head.uri_len);
	memcpy(i->post, f->rest + f->head.uri_len, f->head.post_len);
	i->response.max = f->head.max;
	i->look_up.data = i;
	i->timer.data = i;
	uv_timer_init(&f->loop, &i->timer);
	uv_timer_start(&i->timer, on_timeout, f->head.timeout_ms, 0);
	i->users = 2;
	if (!http_uri_parse(i->uri, &i->where, &why))
		finish(i, why);
	else if (uv_getaddrinfo(&f->loop, &i->look_up, on_found, i->where.host, i->where.port,
				&hints))
		finish(i, "its name cannot be looked up");
	else
		i->users++;
	put(i);
}

/* Questions */

static size_t question_len(const struct fetcher *f)
{
	return sizeof(f->head) + f->head.uri_len + f->head.post_len;
}

static void take(struct fetcher *f, const uint8_t *bytes, size_t len)
{
	uint8_t *at;
	size_t want, part;

	for (; len; bytes += part, len -= part) {
		bool head = f->got < sizeof(f->head);

		want = head ? sizeof(f->head) - f->got : question_len(f) - f->got;
		part = want < len ? want : len;
		at = head ? (uint8_t *)&f->head + f->got : f->rest + f->got - sizeof(f->head);
		memcpy(at, bytes, part);
		f->got += part;
		if (f->got == sizeof(f->head) &&
		    (f->head.uri_len > FETCH_URI_MAX || f->head.post_len > FETCH_POST_MAX))
			_exit(EXIT_FAILURE);
		if (f->got < sizeof(f->head) || f->got < question_len(f))
			continue;
		start(f);
		f->got = 0;
	}
}

static void on_question(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	/* The daemon has gone. */
	if (n < 0)
		_exit(EXIT_SUCCESS);
	take(stream->data, (const uint8_t *)buf->base, n);
	free(buf->base);
}

/* Life */

static void nothing(uv_work_t *work)
{
}

static void warmed_up(uv_work_t *work, int status)
{
}

static bool restrict_all(struct fetcher *f, const struct options *options)
{
	struct privileges_identity identity;

	if (options->privdrop && (privileges_find(options->user, &identity) ||
				  privileges_drop_all(&identity)))
		return false;
	/* Threads are made before the filter, which would not allow it. */
	if (uv_queue_work(&f->loop, &f->warm_up, nothing, warmed_up))
		return false;
	return !options->privdrop || !sandbox_enter_fetcher();
}

_Noreturn void fetcher_run(int fd, const struct options *options)
{
	static struct fetcher f;

	/* Told to end along with the daemon, it waits for that: there may be something to fetch yet. */
	signal(SIGTERM, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	prctl(PR_SET_NAME, "esplaned-fetch");
	f.pipe.data = &f;
	if (uv_loop_init(&f.loop) || uv_pipe_init(&f.loop, &f.pipe, 0) ||
	    uv_pipe_open(&f.pipe, fd) || !restrict_all(&f, options) ||
	    uv_read_start((uv_stream_t *)&f.pipe, on_alloc, on_question)) {
		log_error("the fetcher cannot run");
		_exit(EXIT_FAILURE);
	}
	uv_run(&f.loop, UV_RUN_DEFAULT);
	_exit(EXIT_SUCCESS);
}
