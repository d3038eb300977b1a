/* SPDX-License-Identifier: MIT */
/*
 * What is in force beside the configuration file: sections that a client of VICI has loaded, as if
 * they stood in the file, and keys and certificates as if they lay beside it. They go through the
 * same tables and checks as the file's.
 *
 * Ownership: an item owns its section, the names that the section's messages use, and its blobs.
 * All of it is zeroed when freed.
 */
#ifndef ESPLANE_CONFIG_EXTRA_H
#define ESPLANE_CONFIG_EXTRA_H

#include <sys/queue.h>

#include "../ikev2/config.h"
#include "settings.h"

/* What would be a file's content, named by a value: certs, cacerts, pubkeys. */
struct extra_blob {
	char name[32];
	uint8_t *bytes;
	size_t len;
};

struct extra_item {
	TAILQ_ENTRY(extra_item) link;
	const char *place;		/* "connections", "secrets", "pools", "authorities"; static */
	char *id;			/* by which clients name it; NULL: they cannot */
	struct section *section;
	char **names;			/* what section's cfg_where.file points to */
	size_t n_names;
	struct extra_blob *blobs;
	size_t n_blobs;
};

TAILQ_HEAD(extra_items, extra_item);

struct config_extra {
	struct extra_items items;
	uint64_t last;			/* number of a blob or section */
	struct ike_cert_list certs, anchors;
	struct ike_pkey_list keys;	/* private */
};

void extra_init(struct config_extra *x);
void extra_free(struct config_extra *x);

/* @place: static. NULL: out of memory. The section is called @name. */
struct extra_item *extra_item_new(const char *place, const char *id, const char *name);
void extra_item_free(struct extra_item *item);
/* Keeps "VICI <text>" as the place that messages name; NULL: out of memory. */
const char *extra_item_name(struct extra_item *item, const char *text);
/* Keeps a copy of the bytes; returns the name to use as a value, NULL: out of memory. */
const char *extra_item_blob(struct config_extra *x, struct extra_item *item, const void *bytes,
			    size_t len);
/* Do both say the same? */
bool extra_item_equal(const struct extra_item *a, const struct extra_item *b);

struct extra_item *extra_find(const struct config_extra *x, const char *place, const char *id);
/* @x may be NULL, as all may that only look. */
const struct extra_blob *extra_blob(const struct config_extra *x, const char *name);

/*
 * Adds a reference; false without memory. What is there already is not added again. The functions
 * consume no reference.
 */
bool extra_add_cert(struct ike_cert_list *list, struct ike_cert *cert);
bool extra_add_key(struct ike_pkey_list *list, struct ike_pkey *key);
/* Keys, certificates and secrets go. */
void extra_clear_credentials(struct config_extra *x);

/*
 * Copies the sections of @x into @root, and reports those whose name the file has. @only: of the
 * connections none but that; NULL: all. Returns -1 without memory.
 */
int extra_graft(const struct config_extra *x, const char *only, struct section *root,
		struct cfg_errors *errors);
/* A deep copy; NULL: out of memory. */
struct section *section_copy(const struct section *s);

#endif
