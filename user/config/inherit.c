// SPDX-License-Identifier: MIT
/*
 * Unfolds inheritance: "name : ref, ref2 {" takes what it does not say itself from the sections
 * named, the first of them first, and so do the sections within it from those of the same name
 * there.
 *
 * A section of the unfolded tree is made from layers: raw sections in order of precedence. The
 * layers of a child are the children of that name in each layer, each followed by what it inherits
 * itself.
 */
#include <stdlib.h>
#include <string.h>

#include "settings.h"

enum {
	LAYERS_MAX = 64,
	WORK_MAX = 5000000,		/* sections visited in all */
};

struct layers {
	struct section *list[LAYERS_MAX];
	size_t n;
};

struct unfold {
	struct settings *settings;
	struct cfg_errors *errors;
	unsigned int depth;		/* of references that lead to references */
	unsigned int work;
	bool no_memory;
};

static bool has_layer(const struct layers *l, const struct section *s)
{
	size_t i;

	for (i = 0; i < l->n; i++)
		if (l->list[i] == s)
			return true;
	return false;
}

/* A base section that somebody inherits from needs no meaning of its own. */
static void mark_referenced(const struct layers *parent, const char *name, size_t len)
{
	struct section *s;
	size_t i;

	for (i = 0; i < parent->n; i++) {
		s = section_find(parent->list[i], name, len);
		if (s)
			s->referenced = true;
	}
}

static void add_ref(struct unfold *u, struct layers *out, const struct section_ref *ref);

/* Adds @s, then what it inherits. */
static void add_section(struct unfold *u, struct layers *out, struct section *s)
{
	size_t i;

	if (s->expanding) {
		cfg_error(u->errors, &s->where, "section \"%s\" inherits from itself", s->name);
		return;
	}
	if (has_layer(out, s))
		return;
	if (out->n == LAYERS_MAX || u->depth == SETTINGS_INHERIT_DEPTH || u->work++ == WORK_MAX) {
		cfg_error(u->errors, &s->where, "section \"%s\" inherits from too many others",
			  s->name);
		return;
	}
	out->list[out->n++] = s;
	s->expanding = true;
	u->depth++;
	for (i = 0; i < s->n_refs; i++)
		add_ref(u, out, &s->refs[i]);
	u->depth--;
	s->expanding = false;
}

/* Adds the child @name of each of @parent. Returns how many there are. */
static size_t add_children(struct unfold *u, struct layers *out, const struct layers *parent,
			   const char *name, size_t len)
{
	struct section *child;
	size_t i, found = 0;

	for (i = 0; i < parent->n; i++) {
		child = section_find(parent->list[i], name, len);
		if (!child)
			continue;
		found++;
		add_section(u, out, child);
	}
	return found;
}

/*
 * Adds the section at the dotted path of @ref. What the last part inherits is looked up once, in
 * @out.
 */
static void add_ref(struct unfold *u, struct layers *out, const struct section_ref *ref)
{
	struct layers at = { .list = { u->settings->raw }, .n = 1 }, next;
	const char *part = ref->path;
	size_t len, found;

	for (;;) {
		len = strcspn(part, ".");
		mark_referenced(&at, part, len);
		if (!part[len])
			break;
		next.n = 0;
		add_children(u, &next, &at, part, len);
		at = next;
		part += len + 1;
	}
	found = add_children(u, out, &at, part, len);
	if (!found)
		cfg_error(u->errors, &ref->where, "there is no section \"%s\" to inherit from",
			  ref->path);
}

/* The first layer that says something of a key has the last word, "key =" included. */
static int take_values(struct unfold *u, struct section *out, const struct layers *l)
{
	const struct setting *v;
	char *value;
	size_t i, j;

	for (i = 0; i < l->n; i++) {
		for (j = 0; j < l->list[i]->n_values; j++) {
			v = &l->list[i]->values[j];
			if (section_value(out, v->key))
				continue;
			if (settings_count(u->settings, out, u->errors, &v->where))
				return -1;
			value = v->value ? strdup(v->value) : NULL;
			if (v->value && !value)
				u->no_memory = true;
			if (section_set(out, v->key, strlen(v->key), value, &v->where))
				u->no_memory = true;
			if (u->no_memory)
				return -1;
		}
	}
	return 0;
}

static int unfold_section(struct unfold *u, struct section *out, const struct layers *l,
			  unsigned int depth);

static int unfold_child(struct unfold *u, struct section *out, const struct layers *l,
			const struct section *raw, unsigned int depth)
{
	struct layers child = { .n = 0 };
	struct section *s;

	if (section_child(out, raw->name))
		return 0;
	if (settings_count(u->settings, out, u->errors, &raw->where))
		return -1;
	add_children(u, &child, l, raw->name, strlen(raw->name));
	s = section_open(out, raw->name, strlen(raw->name), &raw->where);
	if (!s) {
		u->no_memory = true;
		return -1;
	}
	return unfold_section(u, s, &child, depth + 1);
}

static int unfold_section(struct unfold *u, struct section *out, const struct layers *l,
			  unsigned int depth)
{
	size_t i, j;

	/* The raw tree is no deeper. */
	if (depth > SETTINGS_SECTION_DEPTH + 1) {
		cfg_error(u->errors, &out->where, "section \"%s\" inherits a section that holds it",
			  out->name);
		return -1;
	}
	if (take_values(u, out, l))
		return -1;
	for (i = 0; i < l->n; i++)
		for (j = 0; j < l->list[i]->n_sections; j++)
			if (unfold_child(u, out, l, l->list[i]->sections[j], depth))
				return -1;
	return 0;
}

int settings_unfold(struct settings *s, struct cfg_errors *errors)
{
	struct unfold u = { .settings = s, .errors = errors };
	struct layers top = { .list = { s->raw }, .n = 1 };

	s->nodes = 0;
	s->root = section_new("", 0, &s->raw->where);
	if (!s->root)
		return -1;
	(void)unfold_section(&u, s->root, &top, 0);
	return u.no_memory ? -1 : 0;
}
