// SPDX-License-Identifier: MIT
/* HTTP: addresses, the request, and answers in pieces of every size. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/http.h"

static void test_addresses(void **state)
{
	static const struct {
		const char *text, *host, *port, *line, *named;
	} good[] = {
		{"http://a.example.org/ca.crl", "a.example.org", "80", "GET /ca.crl HTTP/1.1\r\n",
		 "\r\nHost: a.example.org\r\n"},
		{"HTTP://a", "a", "80", "GET / HTTP/1.1\r\n", "\r\nHost: a\r\n"},
		{"http://a:8080", "a", "8080", "GET / HTTP/1.1\r\n", "\r\nHost: a:8080\r\n"},
		{"http://a:80/x", "a", "80", "GET /x HTTP/1.1\r\n", "\r\nHost: a\r\n"},
		{"http://a:/x", "a", "80", "GET /x HTTP/1.1\r\n", "\r\nHost: a\r\n"},
		{"http://192.0.2.1/a?b=c#d", "192.0.2.1", "80", "GET /a?b=c HTTP/1.1\r\n", "192.0.2.1\r\n"},
		{"http://a?b", "a", "80", "GET /?b HTTP/1.1\r\n", "\r\nHost: a\r\n"},
		{"http://[2001:db8::1]:8888/x", "2001:db8::1", "8888", "GET /x HTTP/1.1\r\n",
		 "\r\nHost: [2001:db8::1]:8888\r\n"},
		{"http://[::1]", "::1", "80", "GET / HTTP/1.1\r\n", "\r\nHost: [::1]\r\n"},
	};
	static const struct {
		const char *text, *why;
	} bad[] = {
		{"https://a/", "it does not begin with http://"},
		{"http:/a/", "it does not begin with http://"},
		{"", "it does not begin with http://"},
		{"http://a/b c", "it holds a blank or a character that is not printable"},
		{"http://a/\r\nHost: b", "it holds a blank or a character that is not printable"},
		{"http://a/\xc3\xa4", "it holds a blank or a character that is not printable"},
		{"http://", "its host is malformed"},
		{"http:///x", "its host is malformed"},
		{"http://user@a/", "its host is malformed"},
		{"http://user:x@a/", "its port is malformed"},
		{"http://[::1/", "its host is malformed"},
		{"http://[::1]x/", "its host is malformed"},
		{"http://[fe80::1%25eth0]/", "its host is malformed"},
		{"http://[]/", "its host is malformed"},
		{"http://a:0/", "its port is malformed"},
		{"http://a:65536/", "its port is malformed"},
		{"http://a:80x/", "its port is malformed"},
	};
	char request[HTTP_REQUEST_MAX], full[HTTP_REQUEST_MAX];
	struct http_uri uri;
	const char *why;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		size_t len;

		assert_true(http_uri_parse(good[i].text, &uri, &why));
		assert_string_equal(uri.host, good[i].host);
		assert_string_equal(uri.port, good[i].port);
		len = http_request(&uri, NULL, 0, request);
		assert_true(len && len == strlen(request));
		assert_memory_equal(request, good[i].line, strlen(good[i].line));
		assert_non_null(strstr(request, good[i].named));
		assert_string_equal(request + len - 4, "\r\n\r\n");
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_false(http_uri_parse(bad[i].text, &uri, &why));
		assert_string_equal(why, bad[i].why);
	}
	memset(full, 'a', sizeof(full));
	full[sizeof(full) - 1] = '\0';
	memcpy(full, "http://a/", 9);
	assert_true(http_uri_parse(full, &uri, &why));
	assert_int_equal(http_request(&uri, NULL, 0, request), 0);
}

static void test_post(void **state)
{
	char request[HTTP_REQUEST_MAX];
	struct http_uri uri;
	const char *why;

	assert_true(http_uri_parse("http://a/", &uri, &why));
	assert_int_not_equal(http_request(&uri, "application/ocsp-request", 83, request), 0);
	assert_string_equal(request, "POST / HTTP/1.1\r\nHost: a\r\nUser-Agent: esplaned\r\n"
				     "Accept: */*\r\nConnection: close\r\n"
				     "Content-Type: application/ocsp-request\r\n"
				     "Content-Length: 83\r\n\r\n");
}

/* In pieces of @step bytes, and then the end. */
static enum http_progress feed(struct http_response *r, const char *text, size_t len, size_t step)
{
	enum http_progress p = HTTP_MORE;

	for (size_t at = 0; at < len && p == HTTP_MORE; at += step)
		p = http_give(r, (const uint8_t *)text + at, len - at < step ? len - at : step);
	return p == HTTP_MORE ? http_end(r) : p;
}

static void test_answers(void **state)
{
	static const char *const good[] = {
		"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
		"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello, and more",
		"HTTP/1.0 200\nContent-length:5\n\nhello",
		"HTTP/1.1 200 OK\r\ncontent-length: 5\r\nContent-Length: 5\r\n\r\nhello",
		"HTTP/1.1 200 OK\r\nServer: x\r\n\r\nhello",
		"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Encoding: identity\r\n\r\nhello",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n2;x=y\r\nhe\r\n03 \r\nllo\r\n0\r\n"
		"Trailer: x\r\n\r\n",
	};
	struct http_response r;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		for (size_t step = 1; step < 200; step++) {
			r = (struct http_response){.max = 5};
			if (feed(&r, good[i], strlen(good[i]), step) != HTTP_DONE)
				fail_msg("%s: %s", good[i], r.why);
			assert_int_equal(r.len, 5);
			assert_memory_equal(r.body, "hello", 5);
			http_clear(&r);
		}
}

#define OK "HTTP/1.1 200 OK\r\n"

static void test_bad_answers(void **state)
{
	static const struct {
		const char *text, *why;
	} bad[] = {
		{"", "the server closes without answer"},
		{"SSH-2.0-OpenSSH_9.2\r\n", "what answers is no HTTP/1.1"},
		{"HTTP/2 200\r\n\r\n", "what answers is no HTTP/1.1"},
		{"HTTP/1.1 2000\r\n\r\n", "what answers is no HTTP/1.1"},
		{"HTTP/1.1 301 Moved\r\nLocation: http://b/\r\n\r\n",
		 "the server answers 301, and redirects are not followed"},
		{"HTTP/1.1 404 Not Found\r\n\r\n", "the server answers 404"},
		{"HTTP/1.1 206 Partial Content\r\n\r\n", "the server answers 206"},
		{OK "Content-Length: 9\r\n\r\n", "its answer has 9 bytes, of at most 5"},
		{OK "Content-Length: 99999999999999999999\r\n\r\n",
		 "the length of its answer is malformed"},
		{OK "Content-Length: -1\r\n\r\n", "the length of its answer is malformed"},
		{OK "Content-Length: 4\r\nContent-Length: 5\r\n\r\n",
		 "the length of its answer is malformed"},
		{OK "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
		 "its answer has two lengths"},
		{OK "Content-Length: 5\r\n\r\nhell", "its answer is cut off"},
		{OK "Content-Length: 5\r\n", "its answer is cut off"},
		{OK "\r\nhello!", "its answer has more than 5 bytes"},
		{OK "Content-Encoding: gzip\r\n\r\nx",
		 "its answer comes in a coding that is not known here"},
		{OK "Transfer-Encoding: gzip, chunked\r\n\r\nx",
		 "its answer comes in a coding that is not known here"},
		{OK "Transfer-Encoding: chunked\r\n\r\nx\r\n", "a chunk of its answer is malformed"},
		{OK "Transfer-Encoding: chunked\r\n\r\n6\r\n", "its answer has more than 5 bytes"},
		{OK "Transfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n4\r\n",
		 "its answer has more than 5 bytes"},
		{OK "Transfer-Encoding: chunked\r\n\r\nffffffff\r\n", "its answer has more than 5 bytes"},
		{OK "Transfer-Encoding: chunked\r\n\r\n123456789\r\n",
		 "a chunk of its answer is malformed"},
		{OK "Transfer-Encoding: chunked\r\n\r\n2\r\nhex\r\n", "a chunk of its answer is malformed"},
		{OK "Transfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n0\r\n", "its answer is cut off"},
	};
	struct http_response r;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		for (size_t step = 1; step < 120; step++) {
			r = (struct http_response){.max = 5};
			assert_int_equal(feed(&r, bad[i].text, strlen(bad[i].text), step),
					 HTTP_FAILED);
			assert_string_equal(r.why, bad[i].why);
			http_clear(&r);
		}
}

static void test_bounds(void **state)
{
	static const char zero[] = OK "X: \0\r\n\r\nhello";
	struct http_response r = {.max = 5};
	char line[HTTP_LINE_MAX + 10];
	enum http_progress p = HTTP_MORE;

	assert_int_equal(feed(&r, zero, sizeof(zero) - 1, 7), HTTP_FAILED);
	assert_string_equal(r.why, "its header is malformed");
	http_clear(&r);
	memset(line, 'x', sizeof(line));
	assert_int_equal(feed(&r, line, sizeof(line), 999), HTTP_FAILED);
	assert_string_equal(r.why, "its header is too long");
	http_clear(&r);
	/* Many short lines. */
	assert_int_equal(http_give(&r, (const uint8_t *)OK, strlen(OK)), HTTP_MORE);
	for (unsigned int i = 0; i < HTTP_HEAD_MAX && p == HTTP_MORE; i++)
		p = http_give(&r, (const uint8_t *)"a: b\r\n", 6);
	assert_int_equal(p, HTTP_FAILED);
	assert_string_equal(r.why, "its header is too long");
	http_clear(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addresses), cmocka_unit_test(test_post),
		cmocka_unit_test(test_answers),	  cmocka_unit_test(test_bad_answers),
		cmocka_unit_test(test_bounds),
	};

	return cmocka_run_group_tests_name("daemon_http", tests, NULL, NULL);
}
