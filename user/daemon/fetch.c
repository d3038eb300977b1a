// SPDX-License-Identifier: MIT
/* The daemon's end of the fetcher: questions out, answers in, and none that stays out for ever. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fetch.h"
#include "log.h"

_Static_assert(FETCHES_MAX >= (int)IKE_INQUIRIES_PENDING_MAX, "the engine's bound");

enum {
	GRACE_MS = 5000,		/* behind the fetcher's own time limit */
	READ_MAX = 65536,
};

static const char gone[] = "the fetcher has ended";

int fetches_fork(struct fetches *f, const struct options *options)
{
	int fds[2];
	pid_t pid;

	f->fd = -1;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds)) {
		log_error("the fetcher: %m");
		return -1;
	}
	pid = fork();
	if (pid < 0) {
		log_error("the fetcher: %m");
		close(fds[0]);
		close(fds[1]);
		return -1;
	}
	if (!pid) {
		close(fds[0]);
		fetcher_run(fds[1], options);
	}
	close(fds[1]);
	f->fd = fds[0];
	f->pid = pid;
	return 0;
}

/* Pending ones */

static struct ike_fetch *take(struct fetches *f, size_t i)
{
	struct ike_fetch *fetch = f->list[i].fetch;

	f->list[i] = f->list[--f->n];
	return fetch;
}

static void on_timer(uv_timer_t *timer);

static void rearm(struct fetches *f)
{
	uint64_t first = UINT64_MAX, now;
	size_t i;

	uv_update_time(f->loop);
	now = uv_now(f->loop);
	for (i = 0; i < f->n; i++)
		if (f->list[i].until < first)
			first = f->list[i].until;
	if (f->n)
		uv_timer_start(&f->timer, on_timer, first > now ? first - now : 0, 0);
	else
		uv_timer_stop(&f->timer);
}

static void on_timer(uv_timer_t *timer)
{
	struct fetches *f = timer->data;
	uint64_t now = uv_now(f->loop);
	size_t i = 0;

	while (i < f->n) {
		if (f->list[i].until <= now)
			f->done(f->arg, take(f, i), NULL, 0, f->alive ? "no answer" : gone);
		else
			i++;
	}
	rearm(f);
}

/* From now on all fails, in a moment: also what is pending. */
static void part(struct fetches *f, const char *why)
{
	size_t i;

	if (!f->alive)
		return;
	log_error("%s: no CRL and no OCSP answer can be fetched any more", why);
	f->alive = false;
	uv_read_stop((uv_stream_t *)&f->pipe);
	for (i = 0; i < f->n; i++)
		f->list[i].until = 0;
	rearm(f);
}

/* Answers */

static struct fetch_pending *find(struct fetches *f, uint64_t id)
{
	size_t i;

	for (i = 0; i < f->n; i++)
		if (f->list[i].fetch->id == id)
			return &f->list[i];
	return NULL;
}

/* The head is there: is it one that may be? */
static bool begin_body(struct fetches *f)
{
	struct fetch_pending *p = find(f, f->head.id);
	size_t total = (size_t)f->head.len + f->head.why_len;

	/* One that was given up here is too late, and read over: it has a bound all the same. */
	if (f->head.len > (p ? p->fetch->max : IKE_CRL_MAX) || f->head.why_len > FETCH_WHY_MAX)
		return false;
	f->body = malloc(total + 1);
	f->len = 0;
	return f->body;
}

static void end_body(struct fetches *f)
{
	struct fetch_pending *p = find(f, f->head.id);
	const char *why;

	f->body[f->head.len + f->head.why_len] = '\0';
	why = (const char *)f->body + f->head.len;
	if (p)
		f->done(f->arg, take(f, p - f->list), f->head.len ? f->body : NULL, f->head.len,
			*why ? why : "an empty answer");
	free(f->body);
	f->body = NULL;
	f->head_len = 0;
	rearm(f);
}

/* Returns false when it makes no sense. */
static bool give(struct fetches *f, const uint8_t *bytes, size_t len)
{
	size_t part_len;

	for (; len || (f->body && f->len == f->head.len + f->head.why_len);
	     bytes += part_len, len -= part_len) {
		if (!f->body) {
			part_len = sizeof(f->head) - f->head_len;
			part_len = part_len < len ? part_len : len;
			memcpy((uint8_t *)&f->head + f->head_len, bytes, part_len);
			f->head_len += part_len;
			if (f->head_len == sizeof(f->head) && !begin_body(f))
				return false;
			continue;
		}
		part_len = (size_t)f->head.len + f->head.why_len - f->len;
		part_len = part_len < len ? part_len : len;
		memcpy(f->body + f->len, bytes, part_len);
		f->len += part_len;
		if (f->len == (size_t)f->head.len + f->head.why_len)
			end_body(f);
	}
	return true;
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
	*buf = uv_buf_init(malloc(READ_MAX), READ_MAX);
	if (!buf->base)
		buf->len = 0;
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct fetches *f = stream->data;

	if (n < 0)
		part(f, gone);
	else if (n && !give(f, (const uint8_t *)buf->base, n))
		part(f, "the fetcher makes no sense");
	free(buf->base);
}

/* Questions */

struct question {
	uv_write_t write;
	struct fetch_question head;
	uint8_t bytes[];
};

static void on_written(uv_write_t *write, int status)
{
	free(write->data);
}

static bool send_question(struct fetches *f, const struct ike_fetch *fetch)
{
	size_t uri_len = strlen(fetch->uri), post_len = fetch->post ? fetch->post_len : 0;
	struct question *q;
	uv_buf_t buf;

	if (uri_len >= FETCH_URI_MAX || post_len > FETCH_POST_MAX)
		return false;
	q = malloc(sizeof(*q) + uri_len + post_len);
	if (!q)
		return false;
	q->head = (struct fetch_question){
		.id = fetch->id,
		.max = fetch->max,
		.timeout_ms = fetch->timeout_ms,
		.uri_len = uri_len,
		.post_len = post_len,
	};
	memcpy(q->bytes, fetch->uri, uri_len);
	if (post_len)
		memcpy(q->bytes + uri_len, fetch->post, post_len);
	q->write.data = q;
	buf = uv_buf_init((char *)&q->head, q->bytes + uri_len + post_len - (uint8_t *)&q->head);
	if (!uv_write(&q->write, (uv_stream_t *)&f->pipe, &buf, 1, on_written))
		return true;
	free(q);
	return false;
}

void fetches_ask(struct fetches *f, struct ike_fetch *fetch)
{
	bool sent;

	if (f->closed) {
		ike_fetch_free(fetch);
		return;
	}
	/* Who asks keeps to this bound. */
	if (f->n == FETCHES_MAX) {
		log_error("%s: too much is being fetched", fetch->uri);
		abort();
	}
	sent = f->alive && send_question(f, fetch);
	f->list[f->n++] = (struct fetch_pending){
		.fetch = fetch,
		.until = sent ? uv_now(f->loop) + fetch->timeout_ms + GRACE_MS : 0,
	};
	rearm(f);
}

/* Life */

int fetches_start(struct fetches *f, uv_loop_t *loop)
{
	/* Nobody waits for it: it leaves no zombie. */
	signal(SIGCHLD, SIG_IGN);
	f->loop = loop;
	f->timer.data = f;
	f->pipe.data = f;
	uv_timer_init(loop, &f->timer);
	uv_pipe_init(loop, &f->pipe, 0);
	f->started = true;
	if (f->fd < 0 || uv_pipe_open(&f->pipe, f->fd))
		return -1;
	f->fd = -1;
	f->alive = true;
	return uv_read_start((uv_stream_t *)&f->pipe, on_alloc, on_read);
}

void fetches_close(struct fetches *f)
{
	if (f->closed)
		return;
	f->closed = true;
	f->alive = false;
	if (f->fd >= 0)
		close(f->fd);
	f->fd = -1;
	while (f->n)
		ike_fetch_free(take(f, f->n - 1));
	free(f->body);
	f->body = NULL;
	if (!f->started)
		return;
	uv_close((uv_handle_t *)&f->timer, NULL);
	uv_close((uv_handle_t *)&f->pipe, NULL);
}
