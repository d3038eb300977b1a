// SPDX-License-Identifier: MIT
/* What is in force beside the configuration file. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "extra.h"

void extra_init(struct config_extra *x)
{
	*x = (struct config_extra){ 0 };
	TAILQ_INIT(&x->items);
}

void extra_item_free(struct extra_item *item)
{
	size_t i;

	if (!item)
		return;
	section_free(item->section);
	for (i = 0; i < item->n_names; i++)
		free(item->names[i]);
	for (i = 0; i < item->n_blobs; i++) {
		explicit_bzero(item->blobs[i].bytes, item->blobs[i].len);
		free(item->blobs[i].bytes);
	}
	free(item->names);
	free(item->blobs);
	free(item->id);
	free(item);
}

static void clear_certs(struct ike_cert_list *list)
{
	size_t i;

	for (i = 0; i < list->n; i++)
		ike_cert_unref(list->list[i]);
	free(list->list);
	*list = (struct ike_cert_list){ 0 };
}

static void clear_keys(struct ike_pkey_list *list)
{
	size_t i;

	for (i = 0; i < list->n; i++)
		ike_pkey_unref(list->list[i]);
	free(list->list);
	*list = (struct ike_pkey_list){ 0 };
}

/* @place: NULL: all. */
static void remove_items(struct config_extra *x, const char *place)
{
	struct extra_item *item, *next;

	for (item = TAILQ_FIRST(&x->items); item; item = next) {
		next = TAILQ_NEXT(item, link);
		if (place && strcmp(item->place, place))
			continue;
		TAILQ_REMOVE(&x->items, item, link);
		extra_item_free(item);
	}
}

void extra_clear_credentials(struct config_extra *x)
{
	remove_items(x, "secrets");
	clear_certs(&x->certs);
	clear_certs(&x->anchors);
	clear_keys(&x->keys);
}

void extra_free(struct config_extra *x)
{
	extra_clear_credentials(x);
	remove_items(x, NULL);
}

const char *extra_item_name(struct extra_item *item, const char *text)
{
	char **list = reallocarray(item->names, item->n_names + 1, sizeof(*list));

	if (!list)
		return NULL;
	item->names = list;
	if (asprintf(&list[item->n_names], "VICI %s", text) < 0)
		return NULL;
	return list[item->n_names++];
}

struct extra_item *extra_item_new(const char *place, const char *id, const char *name)
{
	struct extra_item *item = calloc(1, sizeof(*item));
	struct cfg_where where = { 0 };
	char text[512];

	if (!item)
		return NULL;
	item->place = place;
	snprintf(text, sizeof(text), "%s.%s", place, name);
	where.file = extra_item_name(item, text);
	item->section = where.file ? section_new(name, strlen(name), &where) : NULL;
	item->id = id ? strdup(id) : NULL;
	if (item->section && (item->id || !id))
		return item;
	extra_item_free(item);
	return NULL;
}

const char *extra_item_blob(struct config_extra *x, struct extra_item *item, const void *bytes,
			    size_t len)
{
	struct extra_blob *list = reallocarray(item->blobs, item->n_blobs + 1, sizeof(*list));
	struct extra_blob *blob;

	if (!list)
		return NULL;
	item->blobs = list;
	blob = &list[item->n_blobs];
	blob->len = len;
	blob->bytes = malloc(len + 1);
	if (!blob->bytes)
		return NULL;
	memcpy(blob->bytes, bytes, len);
	snprintf(blob->name, sizeof(blob->name), "vici:%" PRIu64, ++x->last);
	item->n_blobs++;
	return blob->name;
}

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

/* Blobs have other names in each item; they are compared by their order. */
static bool same_value(const struct extra_item *a, const struct setting *v,
		       const struct extra_item *b, const struct setting *w)
{
	if (a->n_blobs && v->value && w->value && !strncmp(v->value, "vici:", 5))
		return !strncmp(w->value, "vici:", 5);
	return same_text(v->value, w->value);
}

static bool same_section(const struct extra_item *a, const struct section *s,
			 const struct extra_item *b, const struct section *t)
{
	const struct setting *w;
	const struct section *c;
	size_t i;

	if (s->n_values != t->n_values || s->n_sections != t->n_sections)
		return false;
	for (i = 0; i < s->n_values; i++) {
		w = section_value(t, s->values[i].key);
		if (!w || !same_value(a, &s->values[i], b, w))
			return false;
	}
	for (i = 0; i < s->n_sections; i++) {
		c = section_child(t, s->sections[i]->name);
		if (!c || !same_section(a, s->sections[i], b, c))
			return false;
	}
	return true;
}

bool extra_item_equal(const struct extra_item *a, const struct extra_item *b)
{
	size_t i;

	if (a->n_blobs != b->n_blobs || !same_section(a, a->section, b, b->section))
		return false;
	for (i = 0; i < a->n_blobs; i++)
		if (a->blobs[i].len != b->blobs[i].len ||
		    memcmp(a->blobs[i].bytes, b->blobs[i].bytes, a->blobs[i].len))
			return false;
	return true;
}

struct extra_item *extra_find(const struct config_extra *x, const char *place, const char *id)
{
	struct extra_item *item;

	if (!x)
		return NULL;
	TAILQ_FOREACH(item, &x->items, link)
		if (!strcmp(item->place, place) && item->id && !strcmp(item->id, id))
			return item;
	return NULL;
}

const struct extra_blob *extra_blob(const struct config_extra *x, const char *name)
{
	const struct extra_item *item;
	size_t i;

	if (!x || strncmp(name, "vici:", 5))
		return NULL;
	TAILQ_FOREACH(item, &x->items, link)
		for (i = 0; i < item->n_blobs; i++)
			if (!strcmp(item->blobs[i].name, name))
				return &item->blobs[i];
	return NULL;
}

bool extra_add_cert(struct ike_cert_list *list, struct ike_cert *cert)
{
	struct ike_cert **grown;
	size_t i;

	for (i = 0; i < list->n; i++)
		if (ike_cert_equal(list->list[i], cert))
			return true;
	grown = reallocarray(list->list, list->n + 1, sizeof(*grown));
	if (!grown)
		return false;
	list->list = grown;
	grown[list->n++] = ike_cert_ref(cert);
	return true;
}

bool extra_add_key(struct ike_pkey_list *list, struct ike_pkey *key)
{
	struct ike_pkey **grown;
	size_t i;

	for (i = 0; i < list->n; i++)
		if (ike_pkey_equal(list->list[i], key))
			return true;
	grown = reallocarray(list->list, list->n + 1, sizeof(*grown));
	if (!grown)
		return false;
	list->list = grown;
	grown[list->n++] = ike_pkey_ref(key);
	return true;
}

/* Copies what @from holds into the empty @to. */
static int copy_into(struct section *to, const struct section *from)
{
	const struct setting *v;
	struct section *child;
	char *value;
	size_t i;

	for (i = 0; i < from->n_values; i++) {
		v = &from->values[i];
		value = v->value ? strdup(v->value) : NULL;
		if (v->value && !value)
			return -1;
		if (section_set(to, v->key, strlen(v->key), value, &v->where))
			return -1;
	}
	for (i = 0; i < from->n_sections; i++) {
		child = section_open(to, from->sections[i]->name, strlen(from->sections[i]->name),
				     &from->sections[i]->where);
		if (!child || copy_into(child, from->sections[i]))
			return -1;
	}
	return 0;
}

struct section *section_copy(const struct section *s)
{
	struct section *copy = section_new(s->name, strlen(s->name), &s->where);

	if (!copy || !copy_into(copy, s))
		return copy;
	section_free(copy);
	return NULL;
}

static int graft(const struct extra_item *item, struct section *root, struct cfg_errors *errors)
{
	const struct section *s = item->section;
	struct section *place = section_open(root, item->place, strlen(item->place), &s->where);
	const struct section *there = section_child(place, s->name);
	struct section *to;

	if (!place)
		return -1;
	if (there) {
		cfg_error(errors, &s->where, "%s:%u has a section \"%s\" of its own: change it "
			  "there and reload", there->where.file, there->where.line, s->name);
		return 0;
	}
	to = section_open(place, s->name, strlen(s->name), &s->where);
	return to ? copy_into(to, s) : -1;
}

static bool is_left_out(const struct extra_item *item, const char *only)
{
	return only && !strcmp(item->place, "connections") && strcmp(item->id, only);
}

int extra_graft(const struct config_extra *x, const char *only, struct section *root,
		struct cfg_errors *errors)
{
	const struct extra_item *item;

	if (!x)
		return 0;
	TAILQ_FOREACH(item, &x->items, link)
		if (!is_left_out(item, only) && graft(item, root, errors))
			return -1;
	return 0;
}
