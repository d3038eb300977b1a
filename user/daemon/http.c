// SPDX-License-Identifier: MIT
/* HTTP/1.1: one request, and its answer. */
#include "http.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
	STATUS_CONTINUE = 100,
	STATUS_OK = 200,
	STATUS_REDIRECT = 300,		/* and what follows, up to 399 */
	STATUS_ERROR = 400,
	BODY_FIRST = 16384,		/* bytes to begin with */
};

/* Addresses */

static bool refuse(const char **why, const char *text)
{
	*why = text;
	return false;
}

static bool is_host(const char *text, size_t len, bool brackets)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (!(brackets ? isxdigit((unsigned char)text[i]) || strchr(":.", text[i]) :
				 isalnum((unsigned char)text[i]) || strchr("-._", text[i])))
			return false;
	return len && len < HTTP_HOST_MAX;
}

static bool take_port(const char *text, size_t len, struct http_uri *uri)
{
	char *end;
	long port;

	if (!len) {
		strcpy(uri->port, "80");
		return true;
	}
	if (len >= HTTP_PORT_MAX || strspn(text, "0123456789") < len)
		return false;
	memcpy(uri->port, text, len);
	uri->port[len] = '\0';
	port = strtol(uri->port, &end, 10);
	return port > 0 && port <= UINT16_MAX;
}

bool http_uri_parse(const char *text, struct http_uri *uri, const char **why)
{
	static const char scheme[] = "http://";
	const char *at = text + sizeof(scheme) - 1, *host = at;
	size_t len, host_len;

	*uri = (struct http_uri){ .path = "" };
	if (strncasecmp(text, scheme, sizeof(scheme) - 1))
		return refuse(why, "it does not begin with http://");
	for (; *text; text++)
		if (*text <= ' ' || *text > '~')
			return refuse(why, "it holds a blank or a character that is not printable");
	len = strcspn(at, "/?#");
	uri->brackets = *at == '[';
	if (uri->brackets) {
		host++;
		host_len = strcspn(host, "]");
		if (host_len + 2 > len)
			return refuse(why, "its host is malformed");
		at = host + host_len + 1;
	} else {
		host_len = strcspn(at, ":/?#");
		at += host_len;
	}
	if (!is_host(host, host_len, uri->brackets))
		return refuse(why, "its host is malformed");
	memcpy(uri->host, host, host_len);
	host = at - host_len - (uri->brackets ? 2 : 0);
	if (*at == ':')
		at++;
	else if (at != host + len)
		return refuse(why, "its host is malformed");
	if (!take_port(at, host + len - at, uri))
		return refuse(why, "its port is malformed");
	uri->path = host + len;
	uri->path_len = strcspn(uri->path, "#");
	return true;
}

size_t http_request(const struct http_uri *uri, const char *type, size_t post_len,
		    char buf[HTTP_REQUEST_MAX])
{
	const char *open = uri->brackets ? "[" : "", *close = uri->brackets ? "]" : "";
	char posted[128] = "";
	int len;

	if (type)
		snprintf(posted, sizeof(posted), "Content-Type: %s\r\nContent-Length: %zu\r\n", type,
			 post_len);
	len = snprintf(buf, HTTP_REQUEST_MAX, "%s %s%.*s HTTP/1.1\r\n"
		       "Host: %s%s%s%s%s\r\n"
		       "User-Agent: esplaned\r\nAccept: */*\r\nConnection: close\r\n%s\r\n",
		       type ? "POST" : "GET", *uri->path == '/' ? "" : "/", (int)uri->path_len,
		       uri->path, open, uri->host, close, strcmp(uri->port, "80") ? ":" : "",
		       strcmp(uri->port, "80") ? uri->port : "", posted);
	return len < HTTP_REQUEST_MAX ? len : 0;
}

/* Answers */

static enum http_progress __attribute__((format(printf, 2, 3)))
broken(struct http_response *r, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(r->why, sizeof(r->why), format, args);
	va_end(args);
	r->state = HTTP_BROKEN;
	return HTTP_FAILED;
}

static enum http_progress over(struct http_response *r)
{
	r->state = HTTP_OVER;
	return HTTP_DONE;
}

static bool reserve(struct http_response *r, size_t more)
{
	size_t cap = r->cap ? r->cap : BODY_FIRST;
	uint8_t *grown;

	if (more > r->max - r->len) {
		broken(r, "its answer has more than %zu bytes", r->max);
		return false;
	}
	while (cap < r->len + more)
		cap *= 2;
	if (cap > r->max)
		cap = r->max;
	if (cap <= r->cap)
		return true;
	grown = realloc(r->body, cap);
	if (!grown) {
		broken(r, "out of memory");
		return false;
	}
	r->body = grown;
	r->cap = cap;
	return true;
}

/* "HTTP/1.1 200 OK" */
static enum http_progress take_status(struct http_response *r)
{
	unsigned int minor;
	int at = 0;

	if (sscanf(r->line, "HTTP/1.%1u %3u%n", &minor, &r->status, &at) != 2 || !at ||
	    (r->line[at] && r->line[at] != ' '))
		return broken(r, "what answers is no HTTP/1.1");
	r->state = HTTP_FIELDS;
	if (r->status == STATUS_OK || r->status / 100 == 1)
		return HTTP_MORE;
	if (r->status >= STATUS_REDIRECT && r->status < STATUS_ERROR)
		return broken(r, "the server answers %u, and redirects are not followed", r->status);
	return broken(r, "the server answers %u", r->status);
}

static const char *value_of(const char *line, const char *name)
{
	size_t len = strlen(name);

	if (strncasecmp(line, name, len) || line[len] != ':')
		return NULL;
	line += len + 1;
	return line + strspn(line, " \t");
}

static enum http_progress take_length(struct http_response *r, const char *value)
{
	size_t digits = strspn(value, "0123456789");
	unsigned long long len = strtoull(value, NULL, 10);

	if (!digits || digits > 18 || value[digits] || (r->sized && len != r->left))
		return broken(r, "the length of its answer is malformed");
	if (len > r->max)
		return broken(r, "its answer has %llu bytes, of at most %zu", len, r->max);
	r->sized = true;
	r->left = len;
	return HTTP_MORE;
}

/* The end of the header: what kind of body follows? RFC 9112 section 6.3 */
static enum http_progress begin_body(struct http_response *r)
{
	if (r->status / 100 == 1) {
		r->state = HTTP_STATUS;
		return HTTP_MORE;
	}
	if (r->chunked && r->sized)
		return broken(r, "its answer has two lengths");
	r->state = r->chunked ? HTTP_CHUNK : r->sized ? HTTP_BODY : HTTP_REST;
	return r->sized && !r->left ? over(r) : HTTP_MORE;
}

static enum http_progress take_field(struct http_response *r)
{
	const char *value;

	if (!r->line[0])
		return begin_body(r);
	value = value_of(r->line, "content-length");
	if (value)
		return take_length(r, value);
	value = value_of(r->line, "transfer-encoding");
	if (value && strcasecmp(value, "chunked"))
		return broken(r, "its answer comes in a coding that is not known here");
	r->chunked = r->chunked || value;
	value = value_of(r->line, "content-encoding");
	if (value && strcasecmp(value, "identity"))
		return broken(r, "its answer comes in a coding that is not known here");
	return HTTP_MORE;
}

/* "1a;extension" */
static enum http_progress take_chunk(struct http_response *r)
{
	size_t digits = strspn(r->line, "0123456789abcdefABCDEF");

	if (!digits || digits > 8 || (r->line[digits] && !strchr("; \t", r->line[digits])))
		return broken(r, "a chunk of its answer is malformed");
	r->left = strtoul(r->line, NULL, 16);
	if (!r->left) {
		r->state = HTTP_TRAILER;
		return HTTP_MORE;
	}
	if (r->left > r->max - r->len)
		return broken(r, "its answer has more than %zu bytes", r->max);
	r->state = HTTP_CHUNK_DATA;
	return HTTP_MORE;
}

static enum http_progress take_line(struct http_response *r)
{
	switch (r->state) {
	case HTTP_STATUS:
		return take_status(r);
	case HTTP_FIELDS:
		return take_field(r);
	case HTTP_CHUNK:
		return take_chunk(r);
	case HTTP_CHUNK_END:
		r->state = HTTP_CHUNK;
		return r->line[0] ? broken(r, "a chunk of its answer is malformed") : HTTP_MORE;
	default:
		return r->line[0] ? HTTP_MORE : over(r);
	}
}

/* Gathers one line, which ends in LF with or without CR before it. Returns what it has used. */
static size_t give_line(struct http_response *r, const uint8_t *bytes, size_t len,
			enum http_progress *progress)
{
	const uint8_t *lf = memchr(bytes, '\n', len);
	size_t used = lf ? (size_t)(lf - bytes) + 1 : len;

	if (r->line_len + used > HTTP_LINE_MAX || r->head_len + used > HTTP_HEAD_MAX) {
		*progress = broken(r, "its header is too long");
		return len;
	}
	memcpy(r->line + r->line_len, bytes, used);
	r->line_len += used;
	/* Chunks have no bound but the body's, and their lines are bounded by it. */
	if (r->state == HTTP_STATUS || r->state == HTTP_FIELDS || r->state == HTTP_TRAILER)
		r->head_len += used;
	if (!lf)
		return used;
	r->line_len--;
	if (r->line_len && r->line[r->line_len - 1] == '\r')
		r->line_len--;
	r->line[r->line_len] = '\0';
	/* A zero byte would hide what is behind it. */
	*progress = strlen(r->line) == r->line_len ? take_line(r) :
						     broken(r, "its header is malformed");
	r->line_len = 0;
	return used;
}

static size_t give_body(struct http_response *r, const uint8_t *bytes, size_t len,
			enum http_progress *progress)
{
	bool bounded = r->state != HTTP_REST;

	if (bounded && len > r->left)
		len = r->left;
	if (!reserve(r, len)) {
		*progress = HTTP_FAILED;
		return len;
	}
	memcpy(r->body + r->len, bytes, len);
	r->len += len;
	if (!bounded)
		return len;
	r->left -= len;
	if (!r->left && r->state == HTTP_BODY)
		*progress = over(r);
	else if (!r->left)
		r->state = HTTP_CHUNK_END;
	return len;
}

enum http_progress http_give(struct http_response *r, const uint8_t *bytes, size_t len)
{
	enum http_progress progress = HTTP_MORE;
	size_t used;

	if (r->state == HTTP_BROKEN)
		return HTTP_FAILED;
	/* What follows the answer is nobody's. */
	if (r->state == HTTP_OVER)
		return HTTP_DONE;
	for (; len && progress == HTTP_MORE; bytes += used, len -= used) {
		if (r->state == HTTP_BODY || r->state == HTTP_REST || r->state == HTTP_CHUNK_DATA)
			used = give_body(r, bytes, len, &progress);
		else
			used = give_line(r, bytes, len, &progress);
	}
	return progress;
}

enum http_progress http_end(struct http_response *r)
{
	if (r->state == HTTP_BROKEN)
		return HTTP_FAILED;
	if (r->state == HTTP_OVER || r->state == HTTP_REST)
		return over(r);
	return broken(r, r->head_len ? "its answer is cut off" : "the server closes without answer");
}

void http_clear(struct http_response *r)
{
	free(r->body);
	*r = (struct http_response){ .max = r->max };
}
