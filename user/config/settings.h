/* SPDX-License-Identifier: MIT */
/*
 * A swanctl.conf-style file as a tree of sections and values, each with its file and line. Two
 * steps, so that a section may inherit from one that comes later: the files are read into a raw
 * tree (parse.c, files.c), then inheritance is unfolded into a plain one (inherit.c). What the
 * keys mean is not known here.
 *
 * Ownership: a section owns all below it; file names belong to struct settings. Values may be
 * secrets and are zeroed when freed.
 */
#ifndef ESPLANE_CONFIG_SETTINGS_H
#define ESPLANE_CONFIG_SETTINGS_H

#include <sys/types.h>

#include "errors.h"

enum {
	SETTINGS_FILE_MAX = 16 << 20,		/* bytes in one file */
	SETTINGS_FILES_MAX = 256,		/* files in all, each reading counted */
	SETTINGS_INCLUDE_DEPTH = 16,
	SETTINGS_SECTION_DEPTH = 16,
	SETTINGS_NODES_MAX = 500000,		/* sections and values, raw or unfolded */
	SETTINGS_ENTRIES_MAX = 10000,		/* values in one section */
	SETTINGS_SECTIONS_MAX = 100000,		/* sections in one */
	SETTINGS_INHERIT_DEPTH = 32,
};

struct setting {
	char *key;
	char *value;				/* NULL: unset, "key =" */
	struct cfg_where where;
};

/* "name : ref, ref2": absolute dotted path of a section to inherit from */
struct section_ref {
	char *path;
	struct cfg_where where;
};

struct section {
	char *name;
	struct cfg_where where;
	struct setting *values;
	size_t n_values;
	struct section **sections;
	size_t n_sections;
	struct section **by_name;		/* section.c; NULL while there are few */
	size_t n_buckets;
	struct section_ref *refs;		/* raw tree only */
	size_t n_refs;
	bool referenced;			/* raw tree: inherited by another */
	bool expanding;				/* raw tree: inherit.c is at it */
};

struct settings {
	struct section *root;			/* unfolded */
	struct section *raw;
	char **files;
	size_t n_files;
	size_t nodes;
};

/*
 * Reads @path with all it includes and unfolds inheritance. All faults go to @errors. NULL: out of
 * memory.
 */
struct settings *settings_load(const char *path, struct cfg_errors *errors);
/* The same for a text, which may not include files; @name stands for it in messages. */
struct settings *settings_parse(const char *name, const char *text, size_t len,
				struct cfg_errors *errors);
void settings_free(struct settings *s);

const struct setting *section_value(const struct section *s, const char *key);
const struct section *section_child(const struct section *s, const char *name);

/* Between the files of this directory. */
struct section *section_new(const char *name, size_t name_len, const struct cfg_where *where);
void section_free(struct section *s);
struct section *section_find(const struct section *s, const char *name, size_t len);
/* The child of that name, made if need be. NULL: out of memory. */
struct section *section_open(struct section *parent, const char *name, size_t len,
			     const struct cfg_where *where);
/* Sets or replaces; takes @value over, which may be NULL. Returns 0 or -1 (out of memory). */
int section_set(struct section *s, const char *key, size_t len, char *value,
		const struct cfg_where *where);
int section_add_ref(struct section *s, const char *path, size_t len, const struct cfg_where *where);
void zero_free(char *text);

struct reader;

/* parse.c: one text into @into. Returns -1 when out of memory or beyond a limit (reported). */
int settings_parse_text(struct reader *r, struct section *into, const char *text, size_t len);

/* files.c: the files under way */
struct reader {
	struct settings *settings;
	struct cfg_errors *errors;
	const struct reader *parent;		/* the file that includes this one */
	const char *file;
	unsigned long dev, ino;			/* 0: not a file */
	unsigned int depth;			/* of includes */
};

/* Takes "include @pattern" in @r's file at @where. Returns as settings_parse_text(). */
int settings_include(const struct reader *r, struct section *into, const char *pattern,
		     const struct cfg_where *where);
/* Keeps a copy of @name as long as the settings; NULL: out of memory. */
const char *settings_keep_name(struct settings *s, const char *name);
/* Reads all of @fd, at most @size bytes. Returns what was read, or -1 with errno. */
ssize_t settings_read(int fd, char *buf, size_t size);
/* Counts one more section or value in @in. Returns -1 beyond the limits (reported). */
int settings_count(struct settings *s, const struct section *in, struct cfg_errors *errors,
		   const struct cfg_where *where);

/* inherit.c: fills s->root from s->raw. Returns -1 when out of memory. */
int settings_unfold(struct settings *s, struct cfg_errors *errors);

#endif
