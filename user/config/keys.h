/* SPDX-License-Identifier: MIT */
/*
 * What keys a section may hold and what becomes of them: a table for each kind of section, walked
 * by keys_apply(). Everything that no table knows is an error that names the nearest known key.
 */
#ifndef ESPLANE_CONFIG_KEYS_H
#define ESPLANE_CONFIG_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "settings.h"

/* One key met in a file. */
struct key_call {
	struct cfg_errors *errors;
	const struct setting *setting;		/* value is not NULL */
	void *object, *field;
	const void *arg;			/* from the table */
};

/* Reports "KEY: ..." at the setting. Never with the value of a secret. */
void key_error(const struct key_call *call, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

typedef void key_setter(const struct key_call *call);

struct key_def {
	const char *name;			/* "id*": with any suffix */
	key_setter *set;			/* NULL: strongSwan's, not supported here */
	size_t offset;
	const void *arg;			/* of the setter; without one: why, or what instead */
};

struct key_table {
	const char *place;			/* where such a section stands, for people */
	const struct key_def *keys;		/* may be NULL */
	size_t n_keys;
	const struct key_def *sections;		/* only set counts: NULL or not */
	size_t n_sections;
};

#define KEY_COUNT(list) (sizeof(list) / sizeof((list)[0]))

/* All tables (load.c), so that a key in the wrong place can be told where it belongs. */
extern const struct key_table conn_table, auth_table, child_table, secret_table, file_table,
	eap_secret_table, ntlm_secret_table, ppk_table,
	settings_table, pool_table, radius_table, radius_server_table,
	authority_table, top_table;
extern const struct key_table *const all_tables[];
extern const size_t n_all_tables;

/* Sets the fields of @object from @s's values, and reports keys and sections that @table lacks. */
void keys_apply(const struct key_table *table, const struct section *s, void *object,
		struct cfg_errors *errors);
/* Is @name the one that @pattern means ("ike*": with any suffix)? */
bool key_matches(const char *pattern, const char *name);

/* Setters (setters.c). The type of the field stands behind each. */
key_setter set_seconds;				/* uint64_t */
key_setter set_milliseconds;			/* uint64_t; from seconds, such as 2.5 */
key_setter set_bytes;				/* uint64_t */
key_setter set_u64, set_u32, set_u16;		/* set_u16: a port, not 0 */
key_setter set_bool;				/* bool */
key_setter set_string;				/* char *, malloc()ed */
key_setter set_word;				/* enum; arg: struct key_word list */
key_setter set_mark;				/* struct ike_mark: VALUE or VALUE/MASK */
key_setter set_output_mark;			/* uint32_t: the same, all bits */
key_setter set_interface;			/* uint32_t: if_id; not %unique */
key_setter set_version;				/* no field: 2 or 0 */
key_setter set_id;				/* struct ike_id */
key_setter set_ike_proposals, set_esp_proposals;/* struct ike_proposal_list */
key_setter set_addrs, set_hosts;		/* struct addr_list; hosts: names too */
key_setter set_ts;				/* struct addr_list */
/* Refuses all but one value: what happens anyway. arg: "yes", "no", "0" or a word. */
key_setter only_value;

struct key_word {
	const char *word;			/* NULL ends the list */
	int value;
};

/* Selectors or addresses, as struct ike_conn_cfg and struct ike_child_cfg keep them. */
struct ike_ts;
struct addr_list {
	struct ike_ts *list;
	size_t n;
	char **names;
	size_t n_names;
};

/* A time or count that the file leaves open. */
#define KEY_OPEN UINT64_MAX

#endif
