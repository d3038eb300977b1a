/* SPDX-License-Identifier: MIT */
/*
 * What the keys of a section fill in before it becomes part of the configuration: the typed object
 * and what it cannot hold while values may still be missing. Between the files of this directory.
 */
#ifndef ESPLANE_CONFIG_DRAFT_H
#define ESPLANE_CONFIG_DRAFT_H

#include "extra.h"
#include "keys.h"
#include "load.h"

struct load {
	struct daemon_config *out;
	struct cfg_errors *errors;
	struct settings *settings;
	const char *path;		/* of the file; NULL: a text, which has no directories */
	size_t round;			/* of authentication: the one that check.c is at */
	bool doubtful;			/* keys or certificates are missing for a reason told */
	const struct config_extra *extra;	/* beside the file; NULL: nothing */
	const char *alone;			/* config_build() */
};

struct child_draft {
	struct ike_child_cfg cfg;
	struct addr_list local_ts, remote_ts;
};

struct conn_draft {
	struct ike_conn_cfg cfg;
	struct addr_list local_addrs, remote_addrs, vips;
};

/* conn.c, child.c, secret.c, pool.c, daemon.c: one section of the file each, put in its place. */
void load_conn(struct load *l, const struct section *s);
void load_child(struct load *l, const struct section *s, struct ike_conn_cfg *conn);
void load_secret(struct load *l, const struct section *s);
void load_ppk(struct load *l, const struct section *s);
void load_eap_secret(struct load *l, const struct section *s);
void load_ntlm_secret(struct load *l, const struct section *s);
/* auth.c: the sections of @conn that @pattern means, a round of authentication each */
void load_auth(struct load *l, const struct section *conn, const char *pattern,
	       struct ike_auth_cfg *auth, struct ike_auth_more *more);
/* The one of round @n, from 0; NULL: there are fewer. */
const struct section *auth_section(const struct section *conn, const char *pattern, size_t n);
/*
 * credentials.c: keys and certificates of the directories beside the file, for which @secrets may
 * have passphrases; and those that a key of a connection names, comma-separated.
 */
void load_credentials(struct load *l, const struct section *secrets);
void load_named_certs(struct load *l, const struct setting *names, const char *directory,
		      struct ike_cert_list *list);
void load_named_pubkeys(struct load *l, const struct setting *names, struct ike_pkey_list *list);
void load_pool(struct load *l, const struct section *s);
/* authority.c; load_words(): what is between commas and blanks, added to the list */
void load_authority(struct load *l, const struct section *s);
void load_policies(struct load *l, const struct setting *from, struct ike_auth_cfg *auth);
void load_words(struct load *l, const struct setting *from, char ***list, size_t *n);
void load_radius(struct load *l, const struct section *s);
void load_daemon(struct load *l, const struct section *s);

/* Where @key is set in @s, or @s itself is. */
const struct cfg_where *where_of(const struct section *s, const char *key);
/* Room for one more object of @size in the list; NULL and no_memory if there is none. */
void *list_grow(struct load *l, void *list, size_t n, size_t size);
/* The same for one that may become long: all its elements were added by this. */
void *list_grow_long(struct load *l, void *list, size_t n, size_t size);

/* check.c: what only the whole can show */
void check_config(struct load *l, const struct section *root);

#endif
