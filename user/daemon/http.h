/* SPDX-License-Identifier: MIT */
/*
 * As much of HTTP/1.1 (RFC 9110, RFC 9112) as fetching one small file takes: addresses, a request, and
 * the answer as it comes in, in pieces of any size. No I/O, and no memory but for the body.
 *
 * Refused: redirects, all but status 200, content codings, what is larger than asked for.
 */
#ifndef ESPLANE_HTTP_H
#define ESPLANE_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	HTTP_HOST_MAX = 256,
	HTTP_PORT_MAX = 6,
	HTTP_LINE_MAX = 4096,
	HTTP_HEAD_MAX = 32768,		/* bytes of all header lines */
	HTTP_REQUEST_MAX = 2048,	/* bytes, without what is posted */
	HTTP_WHY_MAX = 120,
};

/* http://host:port/path?query */
struct http_uri {
	char host[HTTP_HOST_MAX];	/* without the brackets of IPv6 */
	char port[HTTP_PORT_MAX];
	const char *path;		/* in the text that was parsed, "" for the root */
	size_t path_len;
	bool brackets;
};

/* False: *@why says why not. */
bool http_uri_parse(const char *text, struct http_uri *uri, const char **why);
/* GET, or POST of @post_len bytes of @type, which follow it. Returns the length, 0 if it is too long. */
size_t http_request(const struct http_uri *uri, const char *type, size_t post_len,
		    char buf[HTTP_REQUEST_MAX]);

enum http_progress { HTTP_MORE, HTTP_DONE, HTTP_FAILED };

struct http_response {
	size_t max;			/* bytes of the body; set by the caller, the rest zero */
	enum {
		HTTP_STATUS, HTTP_FIELDS, HTTP_BODY, HTTP_REST, HTTP_CHUNK, HTTP_CHUNK_DATA,
		HTTP_CHUNK_END, HTTP_TRAILER, HTTP_OVER, HTTP_BROKEN
	} state;
	char line[HTTP_LINE_MAX];
	size_t line_len, head_len;
	unsigned int status;
	bool chunked, sized;
	size_t left;			/* of the body, or of the chunk */
	uint8_t *body;
	size_t len, cap;
	char why[HTTP_WHY_MAX];		/* HTTP_FAILED */
};

/* The next bytes of the answer. */
enum http_progress http_give(struct http_response *r, const uint8_t *bytes, size_t len);
/* The server has closed. */
enum http_progress http_end(struct http_response *r);
void http_clear(struct http_response *r);

#endif
