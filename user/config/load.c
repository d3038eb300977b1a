// SPDX-License-Identifier: MIT
/* From a configuration file to the typed configuration: the top of the tree. */
#include <stdlib.h>
#include <string.h>

#include "draft.h"
#include "ikev2/conn_index.h"

/* Sections that the functions below read. */
#define SECTION(key) { key, only_value, 0, NULL }
#define LATER(key) { .name = key }

static const struct key_def top_sections[] = {
	SECTION("connections"),
	SECTION("secrets"),
	SECTION("esplaned"),
	SECTION("pools"),
	SECTION("radius"),
	SECTION("authorities"),
};

const struct key_table top_table = {
	"the file itself, outside all sections", NULL, 0, top_sections, KEY_COUNT(top_sections),
};

static const struct key_def secret_sections[] = {
	SECTION("ike*"),
	SECTION("eap*"),
	LATER("xauth*"),
	SECTION("ntlm*"),
	SECTION("ppk*"),
	SECTION("private*"),
	SECTION("rsa*"),
	SECTION("ecdsa*"),
	SECTION("pkcs8*"),
	SECTION("pkcs12*"),
	LATER("token*"),
};

static const struct key_table secrets_table = {
	"secrets", NULL, 0, secret_sections, KEY_COUNT(secret_sections),
};

const struct key_table *const all_tables[] = {
	&top_table, &conn_table, &auth_table, &child_table, &secrets_table, &secret_table,
	&ppk_table, &eap_secret_table, &ntlm_secret_table, &file_table,
	&settings_table, &pool_table, &radius_table, &radius_server_table,
	&authority_table,
};

const size_t n_all_tables = KEY_COUNT(all_tables);

const struct cfg_where *where_of(const struct section *s, const char *key)
{
	const struct setting *v = section_value(s, key);

	return v ? &v->where : &s->where;
}

void *list_grow(struct load *l, void *list, size_t n, size_t size)
{
	list = reallocarray(list, n + 1, size);
	if (!list)
		l->errors->no_memory = true;
	return list;
}

/* Doubles where a power of two is full. */
void *list_grow_long(struct load *l, void *list, size_t n, size_t size)
{
	if (n & (n - 1))
		return list;
	return list_grow(l, list, n ? 2 * n - 1 : 0, size);
}

static void load_each(struct load *l, const struct section *s, const char *pattern,
		      void (*load)(struct load *l, const struct section *s))
{
	size_t i;

	for (i = 0; s && i < s->n_sections; i++)
		if (key_matches(pattern, s->sections[i]->name))
			load(l, s->sections[i]);
}

static void load_secrets(struct load *l, const struct section *s)
{
	if (!s)
		return;
	keys_apply(&secrets_table, s, NULL, l->errors);
	load_each(l, s, "ike*", load_secret);
	load_each(l, s, "ppk*", load_ppk);
	load_each(l, s, "eap*", load_eap_secret);
	load_each(l, s, "ntlm*", load_ntlm_secret);
}

/* Keys and certificates are found before connections name them. */
static void load_secrets_and_files(struct load *l, const struct section *s)
{
	load_secrets(l, s);
	load_credentials(l, s);
}

static void load_connections(struct load *l, const struct section *s)
{
	size_t i;

	for (i = 0; s && i < s->n_values; i++)
		cfg_error(l->errors, &s->values[i].where,
			  "key \"%s\" has no meaning here; it belongs in a connection",
			  s->values[i].key);
	load_each(l, s, "*", load_conn);
}

/* Sections at the top that others inherit from need no meaning of their own. */
static void check_top(struct load *l, const struct settings *settings)
{
	struct section top = { .where = settings->root->where };
	const struct section *s, *raw;
	size_t i;

	top.values = settings->root->values;
	top.n_values = settings->root->n_values;
	keys_apply(&top_table, &top, NULL, l->errors);
	for (i = 0; i < settings->root->n_sections; i++) {
		s = settings->root->sections[i];
		raw = section_child(settings->raw, s->name);
		if (raw && raw->referenced)
			continue;
		top.sections = &settings->root->sections[i];
		top.n_sections = 1;
		top.n_values = 0;
		keys_apply(&top_table, &top, NULL, l->errors);
	}
}

static void load_all(struct load *l)
{
	const struct section *root = l->settings->root;

	check_top(l, l->settings);
	load_daemon(l, section_child(root, "esplaned"));
	load_secrets_and_files(l, section_child(root, "secrets"));
	load_radius(l, section_child(root, "radius"));
	load_each(l, section_child(root, "pools"), "*", load_pool);
	load_each(l, section_child(root, "authorities"), "*", load_authority);
	load_connections(l, section_child(root, "connections"));
	if (!l->errors->no_memory)
		check_config(l, root);
}

/* @path: of the file; NULL: a text. */
static struct daemon_config *build(struct settings *settings, const char *path,
				   const struct config_extra *extra, const char *alone,
				   struct cfg_errors *errors)
{
	struct load l = {
		.out = calloc(1, sizeof(*l.out)), .errors = errors, .settings = settings,
		.path = path, .extra = extra, .alone = alone,
	};

	if (l.out)
		l.out->ike = calloc(1, sizeof(*l.out->ike));
	if (l.out && l.out->ike) {
		l.out->ike->refs = 1;
		load_all(&l);
	} else {
		errors->no_memory = true;
	}
	cfg_errors_sort(errors);
	errors->no_memory |= l.out && l.out->ike && !ike_config_index(l.out->ike);
	if (!errors->n_errors && !errors->no_memory)
		return l.out;
	config_free(l.out);
	return NULL;
}

/* Takes @settings over. */
static struct daemon_config *load(struct settings *settings, const char *path,
				  struct cfg_errors *errors)
{
	struct daemon_config *config = NULL;

	if (settings)
		config = build(settings, path, NULL, NULL, errors);
	else
		errors->no_memory = true;
	settings_free(settings);
	return config;
}

struct daemon_config *config_load(const char *path, struct cfg_errors *errors)
{
	return load(settings_load(path, errors), path, errors);
}

struct daemon_config *config_parse(const char *name, const char *text, size_t len,
				   struct cfg_errors *errors)
{
	return load(settings_parse(name, text, len, errors), NULL, errors);
}

/*
 * What is read from directories is named in messages: those names are this run's alone. @only: see
 * config_would_do(); NULL: nothing is left out.
 */
static struct daemon_config *build_both(const struct settings *file, const char *path,
					const struct config_extra *extra, const char *only,
					const char *alone, struct cfg_errors *errors)
{
	struct settings both = { .raw = file->raw, .root = section_copy(file->root) };
	struct daemon_config *config = NULL;
	size_t i;

	if (both.root && !extra_graft(extra, only, both.root, errors))
		config = build(&both, path, extra, alone, errors);
	else
		errors->no_memory = true;
	section_free(both.root);
	for (i = 0; i < both.n_files; i++)
		free(both.files[i]);
	free(both.files);
	return config;
}

struct daemon_config *config_build(const struct settings *file, const char *path,
				   const struct config_extra *extra, const char *alone,
				   struct cfg_errors *errors)
{
	return build_both(file, path, extra, NULL, alone, errors);
}

bool config_would_do(const struct settings *file, const char *path, const struct config_extra *extra,
		     const char *only, struct cfg_errors *errors)
{
	struct daemon_config *config =
		build_both(file, path, extra, only, *only ? only : NULL, errors);

	config_free(config);
	return config;
}

void config_free(struct daemon_config *config)
{
	if (!config)
		return;
	if (config->ike)
		ike_config_unref(config->ike);
	free(config->socket);
	free(config->leases);
	free(config->resolvconf);
	free(config);
}
