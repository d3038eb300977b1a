// SPDX-License-Identifier: MIT
/* The tree that configuration files are read into. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "settings.h"

enum { INDEXED_FROM = 16 };	/* sections in one: looking at each is as quick below */

void zero_free(char *text)
{
	if (text)
		explicit_bzero(text, strlen(text));
	free(text);
}

struct section *section_new(const char *name, size_t name_len, const struct cfg_where *where)
{
	struct section *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->name = strndup(name, name_len);
	if (!s->name) {
		free(s);
		return NULL;
	}
	s->where = *where;
	return s;
}

void section_free(struct section *s)
{
	size_t i;

	if (!s)
		return;
	for (i = 0; i < s->n_values; i++) {
		free(s->values[i].key);
		zero_free(s->values[i].value);
	}
	for (i = 0; i < s->n_sections; i++)
		section_free(s->sections[i]);
	for (i = 0; i < s->n_refs; i++)
		free(s->refs[i].path);
	free(s->values);
	free(s->sections);
	free(s->by_name);
	free(s->refs);
	free(s->name);
	free(s);
}

/* Room for one more in a list of @n; grows by doubling at powers of two. NULL: out of memory. */
static void *grown(void *list, size_t n, size_t size)
{
	if (n & (n - 1))
		return list;
	return reallocarray(list, n ? 2 * n : 1, size);
}

static bool named(const char *have, const char *name, size_t len)
{
	return !strncmp(have, name, len) && !have[len];
}

/* FNV-1a */
static size_t hash(const char *name, size_t len)
{
	uint64_t h = 0xcbf29ce484222325;

	while (len--)
		h = (h ^ (unsigned char)*name++) * 0x100000001b3;
	return h ^ h >> 32;
}

/* Open addressing; half of it is empty at least. The place of @name, or where it would be put. */
static struct section **place_of(const struct section *s, const char *name, size_t len)
{
	size_t i = hash(name, len) % s->n_buckets;

	while (s->by_name[i] && !named(s->by_name[i]->name, name, len))
		i = (i + 1) % s->n_buckets;
	return &s->by_name[i];
}

/* Before one more is added. */
static int index_reserve(struct section *s)
{
	size_t i, n = 4 * s->n_sections;
	struct section **table;

	if (s->n_sections < INDEXED_FROM || s->n_buckets >= 2 * (s->n_sections + 1))
		return 0;
	table = calloc(n, sizeof(*table));
	if (!table)
		return -1;
	free(s->by_name);
	s->by_name = table;
	s->n_buckets = n;
	for (i = 0; i < s->n_sections; i++)
		*place_of(s, s->sections[i]->name, strlen(s->sections[i]->name)) = s->sections[i];
	return 0;
}

struct section *section_find(const struct section *s, const char *name, size_t len)
{
	size_t i;

	if (s->by_name)
		return *place_of(s, name, len);
	for (i = 0; i < s->n_sections; i++)
		if (named(s->sections[i]->name, name, len))
			return s->sections[i];
	return NULL;
}

const struct section *section_child(const struct section *s, const char *name)
{
	return s ? section_find(s, name, strlen(name)) : NULL;
}

static struct setting *find_value(const struct section *s, const char *key, size_t len)
{
	size_t i;

	for (i = 0; i < s->n_values; i++)
		if (named(s->values[i].key, key, len))
			return &s->values[i];
	return NULL;
}

const struct setting *section_value(const struct section *s, const char *key)
{
	return s ? find_value(s, key, strlen(key)) : NULL;
}

struct section *section_open(struct section *parent, const char *name, size_t len,
			     const struct cfg_where *where)
{
	struct section *s = section_find(parent, name, len);
	struct section **list;

	if (s)
		return s;
	list = grown(parent->sections, parent->n_sections, sizeof(*list));
	if (!list)
		return NULL;
	parent->sections = list;
	s = index_reserve(parent) ? NULL : section_new(name, len, where);
	if (!s)
		return NULL;
	list[parent->n_sections++] = s;
	if (parent->by_name)
		*place_of(parent, name, len) = s;
	return s;
}

int section_set(struct section *s, const char *key, size_t len, char *value,
		const struct cfg_where *where)
{
	struct setting *v = find_value(s, key, len);
	struct setting *list;

	if (v) {
		zero_free(v->value);
		v->value = value;
		v->where = *where;
		return 0;
	}
	list = grown(s->values, s->n_values, sizeof(*list));
	if (!list)
		goto no_memory;
	s->values = list;
	v = &list[s->n_values];
	v->key = strndup(key, len);
	if (!v->key)
		goto no_memory;
	v->value = value;
	v->where = *where;
	s->n_values++;
	return 0;

no_memory:
	zero_free(value);
	return -1;
}

int section_add_ref(struct section *s, const char *path, size_t len, const struct cfg_where *where)
{
	struct section_ref *list = grown(s->refs, s->n_refs, sizeof(*list));

	if (!list)
		return -1;
	s->refs = list;
	list[s->n_refs] = (struct section_ref){ strndup(path, len), *where };
	if (!list[s->n_refs].path)
		return -1;
	s->n_refs++;
	return 0;
}
