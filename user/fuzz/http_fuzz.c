// SPDX-License-Identifier: MIT
/*
 * What a web server can answer: the first byte says in pieces of which size it comes. Cut otherwise it must
 * come to the same. Or, if the first byte is 0, an address, from which a request is made.
 */
#include <stdlib.h>
#include <string.h>

#include "daemon/http.h"
#include "fuzz/interpret.h"

enum {
	BODY_MAX = 5000
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum http_progress feed(struct http_response *r, const uint8_t *data, size_t size, size_t step)
{
	enum http_progress p = HTTP_MORE;

	for (size_t at = 0; at < size && p == HTTP_MORE; at += step)
		p = http_give(r, data + at, size - at < step ? size - at : step);
	return p == HTTP_MORE ? http_end(r) : p;
}

static void answer(const uint8_t *data, size_t size, size_t step)
{
	struct http_response *r = calloc(2, sizeof(*r));
	enum http_progress p[2];

	claim(r);
	for (unsigned int i = 0; i < 2; i++) {
		r[i].max = BODY_MAX;
		p[i] = feed(&r[i], data, size, i ? step : size);
	}
	claim(p[0] == p[1] && p[0] != HTTP_MORE);
	if (p[0] == HTTP_DONE) {
		claim(r[0].len <= BODY_MAX && r[0].len == r[1].len);
		claim(!r[0].len || !memcmp(r[0].body, r[1].body, r[0].len));
	} else {
		claim(r[0].why[0] && !strcmp(r[0].why, r[1].why));
	}
	http_clear(&r[0]);
	http_clear(&r[1]);
	free(r);
}

/* What goes out is one request, whatever the address: its header ends once, at its end. */
static void address(const uint8_t *data, size_t size)
{
	char *text = strndup((const char *)data, size), request[HTTP_REQUEST_MAX];
	struct http_uri uri;
	const char *why = NULL;
	size_t len;

	claim(text);
	if (http_uri_parse(text, &uri, &why)) {
		claim(uri.host[0] && atoi(uri.port) > 0);
		len = http_request(&uri, NULL, 0, request);
		claim(!len || (strstr(request, "\r\n\r\n") == request + len - 4 &&
			       !strncmp(strstr(request, "\r\n"), "\r\nHost: ", 8)));
	} else {
		claim(why);
	}
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!size)
		return 0;
	if (data[0])
		answer(data + 1, size - 1, data[0]);
	else
		address(data + 1, size - 1);
	return 0;
}
