// SPDX-License-Identifier: MIT
/* Walks a section by its table of keys, and explains what the table lacks. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "keys.h"
#include "near.h"

void key_error(const struct key_call *call, const char *format, ...)
{
	char what[512];
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	cfg_error(call->errors, &call->setting->where, "%s: %s", call->setting->key, what);
}

static size_t stem(const char *pattern)
{
	return strcspn(pattern, "*");
}

bool key_matches(const char *pattern, const char *name)
{
	return pattern[stem(pattern)] ? !strncmp(pattern, name, stem(pattern)) :
					!strcmp(pattern, name);
}

static const struct key_def *find(const struct key_def *list, size_t n, const char *name)
{
	const struct key_def *prefixed = NULL;
	size_t i;

	for (i = 0; i < n; i++) {
		if (!strcmp(list[i].name, name))
			return &list[i];
		if (key_matches(list[i].name, name))
			prefixed = &list[i];
	}
	return prefixed;
}

/* Of @list the one nearest to @name; of equals, one that is supported. */
static const struct key_def *nearest(const struct key_def *list, size_t n, const char *name,
				     unsigned int *distance)
{
	const struct key_def *best = NULL;
	unsigned int d;
	size_t i;

	for (i = 0; i < n; i++) {
		d = edit_distance(list[i].name, name);
		if (best && (d > *distance || (d == *distance && (best->set || !list[i].set))))
			continue;
		best = &list[i];
		*distance = d;
	}
	return best;
}

/* Where else a key or section of that name has a meaning, or NULL. */
static const char *other_place(const char *name, bool section)
{
	const struct key_table *t;
	size_t i;

	for (i = 0; i < n_all_tables; i++) {
		t = all_tables[i];
		if (section ? !!find(t->sections, t->n_sections, name) :
			      !!find(t->keys, t->n_keys, name))
			return t->place;
	}
	return NULL;
}

/* Is @name the stem of one of @list itself, not just something that begins so? */
static bool is_stem(const struct key_def *list, size_t n, const char *name)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (strlen(name) == stem(list[i].name) &&
		    !strncmp(list[i].name, name, strlen(name)))
			return true;
	return false;
}

/* Near enough to be a slip of the fingers: a third of the letters, and two at least. */
static bool is_slip(const char *name, unsigned int distance)
{
	size_t bound = strlen(name) / 3;

	return distance <= (bound < 2 ? 2 : bound) && distance < strlen(name);
}

static void refuse_unknown(const struct key_def *list, size_t n, const char *name, bool section,
			   const struct cfg_where *where, struct cfg_errors *errors)
{
	const char *what = section ? "section" : "key", *place = other_place(name, section);
	const struct key_def *near;
	unsigned int distance = 0;

	near = nearest(list, n, name, &distance);
	if (near && is_slip(name, distance))
		cfg_error(errors, where, "unknown %s \"%s\"; did you mean \"%s\"%s?", what, name,
			  near->name, near->set ? "" : ", which is not supported yet");
	else if (place)
		cfg_error(errors, where, "%s \"%s\" has no meaning here; it belongs in %s", what,
			  name, place);
	else if (near)
		cfg_error(errors, where, "unknown %s \"%s\"; the nearest known one is \"%s\"%s",
			  what, name, near->name, near->set ? "" : ", which is not supported yet");
	else
		cfg_error(errors, where, "no %s may stand here, but there is \"%s\"", what, name);
}

static void apply(const struct key_table *table, const struct setting *v, void *object,
		  struct cfg_errors *errors)
{
	const struct key_def *def = find(table->keys, table->n_keys, v->key);
	struct key_call call = { .errors = errors, .setting = v, .object = object };

	if (!def && is_stem(table->sections, table->n_sections, v->key)) {
		cfg_error(errors, &v->where, "\"%s\" is a section: write %s { ... }", v->key,
			  v->key);
		return;
	}
	if (!def) {
		refuse_unknown(table->keys, table->n_keys, v->key, false, &v->where, errors);
		return;
	}
	if (!v->value)
		return;
	if (!def->set) {
		key_error(&call, "known from strongSwan, not supported by esplane%s%s",
			  def->arg ? ": " : " yet", def->arg ? (const char *)def->arg : "");
		return;
	}
	call.field = (char *)object + def->offset;
	call.arg = def->arg;
	def->set(&call);
}

static void check_section(const struct key_table *table, const struct section *s,
			  struct cfg_errors *errors)
{
	const struct key_def *def = find(table->sections, table->n_sections, s->name);
	const struct key_def *same = find(table->keys, table->n_keys, s->name);
	bool key = same && !strcmp(same->name, s->name);

	if (def && def->set && !key)
		return;
	if (def && !key)
		cfg_error(errors, &s->where,
			  "section \"%s\": known from strongSwan, not supported by esplane yet",
			  s->name);
	else if (key)
		cfg_error(errors, &s->where, "\"%s\" is a key: write %s = ...", s->name, s->name);
	else
		refuse_unknown(table->sections, table->n_sections, s->name, true, &s->where,
			       errors);
}

void keys_apply(const struct key_table *table, const struct section *s, void *object,
		struct cfg_errors *errors)
{
	size_t i;

	for (i = 0; i < s->n_values; i++)
		apply(table, &s->values[i], object, errors);
	for (i = 0; i < s->n_sections; i++)
		check_section(table, s->sections[i], errors);
}
