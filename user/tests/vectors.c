// SPDX-License-Identifier: MIT
/* Known answers for tests: one flat JSON object of strings a file. */
#include "tests/vectors.h"

#include <ctype.h>
#include <libgen.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum {
	ENTRIES_MAX = 1024,
	FILE_MAX = 65536,
	KEY_MAX = 64,
};

struct vectors {
	char name[KEY_MAX];
	char text[FILE_MAX];
	struct {
		const char *key, *value;
		uint8_t *bytes;
	} entries[ENTRIES_MAX];
	size_t n;
};

static FILE *open_in(const char *directory, const char *name)
{
	char path[2 * PATH_MAX];

	if (!directory || snprintf(path, sizeof(path), "%s/%s", directory, name) >= sizeof(path))
		return NULL;
	return fopen(path, "r");
}

/* Up from the test's own file until a selftests/vectors is beside. */
static FILE *open_beside(const char *name)
{
	char at[PATH_MAX], directory[PATH_MAX + 32];
	ssize_t len = readlink("/proc/self/exe", at, sizeof(at) - 1);
	FILE *f = NULL;

	if (len < 0)
		return NULL;
	at[len] = '\0';
	while (!f && strlen(dirname(at)) > 1) {
		snprintf(directory, sizeof(directory), "%s/selftests/vectors", at);
		f = open_in(directory, name);
	}
	return f;
}

static char *string_end(char *p)
{
	char *end = strchr(p, '"');

	if (!end)
		fail_msg("vectors: a string without end");
	*end = '\0';
	return end + 1;
}

/* "key": "value", and nothing else: no escapes, no nesting. */
static void parse(struct vectors *v)
{
	char *p = v->text;

	while ((p = strchr(p, '"'))) {
		if (v->n == ENTRIES_MAX)
			fail_msg("vectors: more than %d entries", ENTRIES_MAX);
		v->entries[v->n].key = ++p;
		p = strchr(string_end(p), '"');
		if (!p)
			fail_msg("vectors: a key without value");
		v->entries[v->n].value = ++p;
		p = string_end(p);
		v->n++;
	}
}

struct vectors *vectors_load(const char *name)
{
	struct vectors *v = calloc(1, sizeof(*v));
	FILE *f = open_in(getenv("ESPLANE_VECTORS"), name);

	assert_non_null(v);
	if (!f)
		f = open_beside(name);
	if (!f)
		fail_msg("selftests/vectors/%s: not found; set ESPLANE_VECTORS", name);
	snprintf(v->name, sizeof(v->name), "%s", name);
	assert_true(fread(v->text, 1, sizeof(v->text) - 1, f) > 0);
	fclose(f);
	parse(v);
	return v;
}

void vectors_free(struct vectors *v)
{
	for (size_t i = 0; i < v->n; i++)
		free(v->entries[i].bytes);
	free(v);
}

struct ike_bytes hex(const char *text)
{
	uint8_t *bytes = malloc(strlen(text) / 2 + 1), *out;
	size_t n = 0;
	int at = 0;

	assert_non_null(bytes);
	while (sscanf(text, " %2hhx%n", &bytes[n], &at) == 1) {
		text += at;
		n++;
	}
	assert_string_equal(text + strspn(text, " "), "");
	out = exact(bytes, n);
	free(bytes);
	return ike_bytes(out, n);
}

uint8_t *exact(const void *bytes, size_t len)
{
	uint8_t *copy = malloc(len);

	if (len) {
		assert_non_null(copy);
		memcpy(copy, bytes, len);
	}
	return copy;
}

static struct ike_bytes find(struct vectors *v, const char *key)
{
	for (size_t i = 0; i < v->n; i++) {
		if (strcmp(v->entries[i].key, key) != 0)
			continue;
		if (!v->entries[i].bytes)
			v->entries[i].bytes = (uint8_t *)hex(v->entries[i].value).p;
		return ike_bytes(v->entries[i].bytes, strlen(v->entries[i].value) / 2);
	}
	fail_msg("%s: no %s", v->name, key);
	return ike_bytes(NULL, 0);
}

struct ike_bytes vector(struct vectors *v, const char *fmt, ...)
{
	char key[KEY_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(key, sizeof(key), fmt, ap);
	va_end(ap);
	return find(v, key);
}

struct ike_key vector_key(struct vectors *v, const char *fmt, ...)
{
	struct ike_key k = {0};
	struct ike_bytes b;
	char key[KEY_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(key, sizeof(key), fmt, ap);
	va_end(ap);
	b = find(v, key);
	assert_true(b.len <= sizeof(k.bytes));
	k.len = b.len;
	memcpy(k.bytes, b.p, b.len);
	return k;
}

void assert_bytes_(struct ike_bytes got, struct ike_bytes want, const char *what, const char *file,
		   int line)
{
	if (ike_bytes_equal(got, want))
		return;
	fprintf(stderr, "# %s:%d: %s: %zu bytes, %zu wanted\n# got  ", file, line, what, got.len,
		want.len);
	for (size_t i = 0; i < got.len; i++)
		fprintf(stderr, "%02x", got.p[i]);
	fprintf(stderr, "\n# want ");
	for (size_t i = 0; i < want.len; i++)
		fprintf(stderr, "%02x", want.p[i]);
	fprintf(stderr, "\n");
	_fail(file, line);
}

static void fixed_fill(void *arg, uint8_t *buf, size_t len)
{
	struct fixed_random *r = arg;

	for (size_t i = 0; i < len; i++) {
		buf[i] = r->bytes.len ? *r->bytes.p : 0;
		r->bytes.p += r->bytes.len != 0;
		r->bytes.len -= r->bytes.len != 0;
	}
}

void fixed_random_init(struct fixed_random *r, struct ike_bytes bytes)
{
	*r = (struct fixed_random){.random = {fixed_fill, r}, .bytes = bytes};
}

static void seeded_fill(void *arg, uint8_t *buf, size_t len)
{
	struct seeded_random *r = arg;

	for (size_t i = 0; i < len; i++) {
		uint64_t z = r->state += 0x9e3779b97f4a7c15;

		z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
		z = (z ^ z >> 27) * 0x94d049bb133111eb;
		buf[i] = z ^ z >> 31;
	}
}

void seeded_random_init(struct seeded_random *r, uint64_t seed)
{
	*r = (struct seeded_random){.random = {seeded_fill, r}, .state = seed};
}
