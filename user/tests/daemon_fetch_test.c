// SPDX-License-Identifier: MIT
/*
 * The fetcher as the daemon has it: a process of its own, asked over its pipe, against a small server
 * that answers by the path: as it should, with too much, never, or not at all.
 */
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/fetch.h"

enum {
	LARGE = 3 << 20,
	SHORT_MS = 300,
	LONG_MS = 20000,
};

static const struct options options; /* privileges stay as they are */
static uint16_t port;
static pid_t server;

/* The server */

static void say(int fd, const char *text)
{
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

static void say_much(int fd)
{
	static uint8_t body[LARGE];
	size_t at = 0;
	ssize_t n = 1;
	char head[80];

	for (size_t i = 0; i < LARGE; i++)
		body[i] = i % 251;
	snprintf(head, sizeof(head), "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", LARGE);
	say(fd, head);
	for (; at < LARGE && n > 0; at += n)
		n = write(fd, body + at, LARGE - at);
}

static void serve(int fd)
{
	char request[4096] = "", answer[300];
	size_t len = 0;
	ssize_t n;

	/* What is posted has 4 bytes here. */
	while (len < sizeof(request) - 1 &&
	       !(strstr(request, "\r\n\r\n") &&
		 (request[0] == 'G' || !strcmp(strstr(request, "\r\n\r\n") + 4, "ask!"))) &&
	       (n = read(fd, request + len, sizeof(request) - 1 - len)) > 0)
		len += n;
	if (!strncmp(request, "GET /ok ", 8)) {
		say(fd, "HTTP/1.1 200 OK\r\n\r\nfine");
	} else if (!strncmp(request, "POST /echo ", 11)) {
		snprintf(answer, sizeof(answer), "HTTP/1.1 200 OK\r\n\r\n%s",
			 strstr(request, "application/ocsp-request") ? strstr(request, "\r\n\r\n") + 4 :
								       "no type");
		say(fd, answer);
	} else if (!strncmp(request, "GET /moved ", 11)) {
		say(fd, "HTTP/1.1 302 Found\r\nLocation: /ok\r\n\r\n");
	} else if (!strncmp(request, "GET /large ", 11)) {
		say_much(fd);
	} else if (!strncmp(request, "GET /slow ", 10)) {
		say(fd, "HTTP/1.1 200 OK\r\n");
		pause();
	}
	_exit(0);
}

static void listen_and_serve(int fd)
{
	int client;

	signal(SIGCHLD, SIG_IGN);
	while ((client = accept(fd, NULL, NULL)) >= 0) {
		if (!fork()) {
			signal(SIGPIPE, SIG_IGN);
			alarm(60);
			serve(client);
		}
		close(client);
	}
	_exit(0);
}

static int start_server(void **state)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&a, len), 0);
	assert_int_equal(listen(fd, 64), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
	port = ntohs(a.sin_port);
	server = fork();
	if (!server)
		listen_and_serve(fd);
	close(fd);
	return 0;
}

static int stop_server(void **state)
{
	return kill(server, SIGKILL);
}

/* The daemon's end */

struct outcome {
	unsigned int n;
	uint64_t last_id;
	uint8_t *body;
	size_t len;
	char why[200];
};

static uv_loop_t loop;
static struct fetches fetches;
static struct outcome outcome;

static void done(void *arg, struct ike_fetch *fetch, const uint8_t *body, size_t len, const char *why)
{
	outcome.n++;
	outcome.last_id = fetch->id;
	free(outcome.body);
	outcome.body = malloc(len + 1);
	outcome.len = body ? len : 0;
	if (body)
		memcpy(outcome.body, body, len);
	outcome.body[outcome.len] = '\0';
	snprintf(outcome.why, sizeof(outcome.why), "%s", body ? "" : why);
	free(fetch);
}

static int begin(void **state)
{
	memset(&fetches, 0, sizeof(fetches));
	memset(&outcome, 0, sizeof(outcome));
	assert_int_equal(fetches_fork(&fetches, &options), 0);
	uv_loop_init(&loop);
	fetches.done = done;
	assert_int_equal(fetches_start(&fetches, &loop), 0);
	return 0;
}

static int end(void **state)
{
	fetches_close(&fetches);
	uv_run(&loop, UV_RUN_DEFAULT);
	free(outcome.body);
	return uv_loop_close(&loop);
}

static void ask(const char *path, const char *post, size_t max, unsigned int timeout_ms)
{
	static uint64_t id;
	static char uris[FETCHES_MAX][80];
	struct ike_fetch *f = calloc(1, sizeof(*f));
	char *uri = uris[++id % FETCHES_MAX];

	if (*path == '/')
		snprintf(uri, sizeof(uris[0]), "http://127.0.0.1:%u%s", port, path);
	else
		snprintf(uri, sizeof(uris[0]), "%s", path);
	*f = (struct ike_fetch){
		.id = id,
		.uri = uri,
		.post = (const uint8_t *)post,
		.post_len = post ? strlen(post) : 0,
		.max = max,
		.timeout_ms = timeout_ms,
	};
	fetches_ask(&fetches, f);
}

static void wait_for(unsigned int n)
{
	while (outcome.n < n)
		uv_run(&loop, UV_RUN_ONCE);
	assert_int_equal(outcome.n, n);
}

static void test_get_and_post(void **state)
{
	ask("/ok", NULL, 100, LONG_MS);
	wait_for(1);
	assert_string_equal(outcome.body, "fine");
	ask("/echo", "ask!", 100, LONG_MS);
	wait_for(2);
	assert_string_equal(outcome.body, "ask!");
}

/* More than a pipe takes at once. */
static void test_large(void **state)
{
	ask("/large", NULL, LARGE, LONG_MS);
	wait_for(1);
	assert_int_equal(outcome.len, LARGE);
	for (size_t i = 0; i < LARGE; i++)
		assert_int_equal(outcome.body[i], i % 251);
	ask("/large", NULL, LARGE - 1, LONG_MS);
	wait_for(2);
	assert_string_equal(outcome.why, "its answer has 3145728 bytes, of at most 3145727");
}

static void test_failures(void **state)
{
	static const struct {
		const char *path, *why;
	} bad[] = {
		{"/moved", "the server answers 302, and redirects are not followed"},
		{"/nothing", "the server closes without answer"},
		{"http://127.0.0.1:1/", "connection refused"},
		{"https://127.0.0.1/", "it does not begin with http://"},
		{"ftp://127.0.0.1/", "it does not begin with http://"},
	};

	for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ask(bad[i].path, NULL, 100, LONG_MS);
		wait_for(i + 1);
		assert_string_equal(outcome.why, bad[i].why);
	}
	/* It goes on. */
	ask("/ok", NULL, 100, LONG_MS);
	wait_for(sizeof(bad) / sizeof(bad[0]) + 1);
	assert_string_equal(outcome.body, "fine");
}

/* A slow one holds up nobody, and ends in time. */
static void test_slow(void **state)
{
	ask("/slow", NULL, 100, SHORT_MS);
	ask("/ok", NULL, 100, LONG_MS);
	wait_for(1);
	assert_string_equal(outcome.body, "fine");
	wait_for(2);
	assert_string_equal(outcome.why, "no answer in time");
}

static void test_many(void **state)
{
	for (unsigned int i = 0; i < FETCHES_MAX; i++)
		ask(i % 2 ? "/ok" : "/large", NULL, LARGE, LONG_MS);
	wait_for(FETCHES_MAX);
	assert_string_equal(outcome.why, "");
}

/* The fetcher dies: what it was at fails, what comes after it too, and nothing hangs. */
static void test_killed(void **state)
{
	ask("/slow", NULL, 100, LONG_MS);
	for (unsigned int i = 0; i < 100; i++)
		uv_run(&loop, UV_RUN_NOWAIT);
	assert_int_equal(kill(fetches.pid, SIGKILL), 0);
	wait_for(1);
	assert_string_equal(outcome.why, "the fetcher has ended");
	ask("/ok", NULL, 100, LONG_MS);
	assert_int_equal(outcome.n, 1);
	wait_for(2);
	assert_string_equal(outcome.why, "the fetcher has ended");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_get_and_post, begin, end),
		cmocka_unit_test_setup_teardown(test_large, begin, end),
		cmocka_unit_test_setup_teardown(test_failures, begin, end),
		cmocka_unit_test_setup_teardown(test_slow, begin, end),
		cmocka_unit_test_setup_teardown(test_many, begin, end),
		cmocka_unit_test_setup_teardown(test_killed, begin, end),
	};

	return cmocka_run_group_tests_name("daemon_fetch", tests, start_server, stop_server);
}
