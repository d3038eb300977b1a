// SPDX-License-Identifier: MIT
/* What a client loads, as the section of a configuration file that says the same. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "section.h"

struct conversion {
	struct config_extra *extra;
	struct extra_item *item;
	struct cfg_errors *errors;
};

/* README "load-conn()", "load-authority()": what is the content of a file there. */
static bool is_content(const char *key)
{
	static const char *const keys[] = { "certs", "cacerts", "pubkeys", "cacert" };
	size_t i;

	for (i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		if (!strcmp(keys[i], key))
			return true;
	return false;
}

/* Behind what @text holds, with a comma between. Takes @text over; NULL without memory. */
static char *appended(char *text, const char *more)
{
	char *longer = NULL;

	if (text && asprintf(&longer, "%s%s%s", text, *text ? ", " : "", more) < 0)
		longer = NULL;
	zero_free(text);
	return longer;
}

/* One value, or one item of a list, as text; NULL after an error. */
static const char *value_text(struct conversion *c, const struct section *s, const char *key,
			      const struct vici_node *n)
{
	const char *name;

	if (is_content(key) && n->value_len) {
		name = extra_item_blob(c->extra, c->item, n->value, n->value_len);
		c->errors->no_memory |= !name;
		return name;
	}
	if (!memchr(n->value, '\0', n->value_len))
		return n->value;
	cfg_error(c->errors, &s->where, "%s: holds a zero byte: this is no text", key);
	return NULL;
}

static void convert_value(struct conversion *c, struct section *s, const struct vici_node *n)
{
	const struct vici_node *item = n->type == VICI_LIST_START ? n->child : n;
	char *text = strdup("");
	const char *one;

	for (; item; item = n->type == VICI_LIST_START ? item->next : NULL) {
		one = value_text(c, s, n->name, item);
		if (one)
			text = appended(text, one);
	}
	if (!text || section_set(s, n->name, strlen(n->name), text, &s->where))
		c->errors->no_memory = true;
}

/* Names are in log lines and messages, and in paths with dots between. */
static bool is_name(const char *name)
{
	const char *at;

	for (at = name; *at; at++)
		if ((unsigned char)*at <= ' ' || *at == 0x7f)
			return false;
	return *name;
}

static bool check_name(struct conversion *c, const struct cfg_where *where, const char *name)
{
	if (is_name(name))
		return true;
	cfg_error(c->errors, where, "a name is empty, or has a space or control character in it");
	return false;
}

/* VICI_DEPTH_MAX bounds the recursion. */
static void convert(struct conversion *c, struct section *s, const struct vici_node *from)
{
	struct cfg_where where = { 0 };
	const struct vici_node *n;
	struct section *child;
	char path[512];

	for (n = from->child; n && !c->errors->no_memory; n = n->next) {
		if (!check_name(c, &s->where, n->name))
			continue;
		if (n->type != VICI_SECTION_START) {
			convert_value(c, s, n);
			continue;
		}
		/* "VICI " is put in front again. */
		snprintf(path, sizeof(path), "%s.%s", s->where.file + strlen("VICI "), n->name);
		where.file = extra_item_name(c->item, path);
		child = where.file ? section_open(s, n->name, strlen(n->name), &where) : NULL;
		if (child)
			convert(c, child, n);
		else
			c->errors->no_memory = true;
	}
}

struct extra_item *vici_load_section(struct config_extra *x, const char *place,
				     const struct vici_node *args, struct cfg_errors *errors)
{
	struct conversion c = { .extra = x, .errors = errors };
	const struct vici_node *n = args->child;
	struct cfg_where where = { "VICI", 0 };

	if (!n || n->type != VICI_SECTION_START || n->next) {
		cfg_error(errors, &where, "one section of %s is needed, and nothing else", place);
		return NULL;
	}
	if (!check_name(&c, &where, n->name))
		return NULL;
	c.item = extra_item_new(place, n->name, n->name);
	if (!c.item) {
		errors->no_memory = true;
		return NULL;
	}
	convert(&c, c.item->section, n);
	if (!errors->n_errors && !errors->no_memory)
		return c.item;
	extra_item_free(c.item);
	return NULL;
}

/* "0x" and hex digits, as a file has bytes that are no text. */
static char *hex(const struct vici_node *data)
{
	char *text = malloc(2 + 2 * data->value_len + 1), *at = text;
	size_t i;

	if (!text)
		return NULL;
	at = stpcpy(at, "0x");
	for (i = 0; i < data->value_len; i++)
		at += sprintf(at, "%02x", (uint8_t)data->value[i]);
	return text;
}

static const char *stem_of(const char *type)
{
	static const struct {
		const char *type, *stem;
	} stems[] = {
		{ "IKE", "ike" }, { "EAP", "eap" }, { "XAUTH", "xauth" }, { "NTLM", "ntlm" },
		{ "PPK", "ppk" },
	};
	size_t i;

	for (i = 0; type && i < sizeof(stems) / sizeof(*stems); i++)
		if (!strcasecmp(stems[i].type, type))
			return stems[i].stem;
	return NULL;
}

static bool set_owners(struct extra_item *item, const struct vici_node *owners)
{
	struct section *s = item->section;
	const struct vici_node *n;
	unsigned int i = 0;
	char key[16], *value;

	for (n = owners ? owners->child : NULL; n; n = n->next) {
		snprintf(key, sizeof(key), "id-%u", ++i);
		/* Without its owners it would be a secret for anybody. */
		value = strdup(n->value);
		if (!value || section_set(s, key, strlen(key), value, &s->where))
			return false;
	}
	return true;
}

struct extra_item *vici_load_shared(struct config_extra *x, const struct vici_node *args,
				    const char **why)
{
	const struct vici_node *data = vici_child(args, "data");
	const char *stem = stem_of(vici_get(args, "type")), *id = vici_get(args, "id");
	struct extra_item *item;
	char name[64];

	*why = "type is none of IKE, EAP, XAUTH, NTLM, PPK";
	if (!stem)
		return NULL;
	*why = "data is missing or empty";
	if (!data || data->type != VICI_KEY_VALUE || !data->value_len)
		return NULL;
	*why = "out of memory";
	snprintf(name, sizeof(name), "%s-vici-%llu", stem, (unsigned long long)++x->last);
	item = extra_item_new("secrets", id, name);
	if (item && !section_set(item->section, "secret", strlen("secret"), hex(data),
				 &item->section->where) &&
	    set_owners(item, vici_child(args, "owners")))
		return item;
	extra_item_free(item);
	return NULL;
}
