// SPDX-License-Identifier: MIT
/* Reads configuration files and what they include, within limits. */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "settings.h"

int settings_count(struct settings *s, const struct section *in, struct cfg_errors *errors,
		   const struct cfg_where *where)
{
	if (in->n_values > SETTINGS_ENTRIES_MAX) {
		cfg_error(errors, where, "more than %d entries in a section: reading stops here",
			  SETTINGS_ENTRIES_MAX);
		return -1;
	}
	if (in->n_sections > SETTINGS_SECTIONS_MAX) {
		cfg_error(errors, where, "more than %d sections in one: reading stops here",
			  SETTINGS_SECTIONS_MAX);
		return -1;
	}
	if (s->nodes++ < SETTINGS_NODES_MAX)
		return 0;
	cfg_error(errors, where, "more than %d sections and values: reading stops here",
		  SETTINGS_NODES_MAX);
	return -1;
}

const char *settings_keep_name(struct settings *s, const char *name)
{
	char **list = reallocarray(s->files, s->n_files + 1, sizeof(*list));

	if (!list)
		return NULL;
	s->files = list;
	list[s->n_files] = strdup(name);
	return list[s->n_files] ? list[s->n_files++] : NULL;
}

ssize_t settings_read(int fd, char *buf, size_t size)
{
	size_t len = 0;
	ssize_t n;

	while (len < size) {
		n = read(fd, buf + len, size - len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (!n)
			break;
		len += n;
	}
	return len;
}

static bool includes_itself(const struct reader *r)
{
	const struct reader *p;

	for (p = r->parent; p; p = p->parent)
		if (p->ino == r->ino && p->dev == r->dev)
			return true;
	return false;
}

/* @length: that the file says it has; a pipe has none. */
static int parse_open_file(struct reader *r, struct section *into, int fd, off_t length,
			   const struct cfg_where *where)
{
	struct cfg_where whole = { r->file, 0 };
	size_t size = length > 0 && length < SETTINGS_FILE_MAX ? length + 1 : SETTINGS_FILE_MAX + 1;
	char *buf = malloc(size);
	int result = 0;
	ssize_t len;

	if (!buf)
		return -1;
	len = settings_read(fd, buf, size);
	if (len < 0)
		cfg_error(r->errors, where, "cannot read %s: %s", r->file, strerror(errno));
	else if (len > SETTINGS_FILE_MAX)
		cfg_error(r->errors, &whole, "larger than %d bytes", SETTINGS_FILE_MAX);
	else if (memchr(buf, '\0', len))
		cfg_error(r->errors, &whole, "holds a zero byte: this is no text file");
	else
		result = settings_parse_text(r, into, buf, len);
	explicit_bzero(buf, size);
	free(buf);
	return result;
}

/* @where: the include statement, or the file itself. */
static int parse_file(struct reader *r, struct section *into, const struct cfg_where *where)
{
	struct stat st;
	int result = 0;
	int fd;

	if (r->settings->n_files > SETTINGS_FILES_MAX) {
		cfg_error(r->errors, where, "more than %d files: reading stops here",
			  SETTINGS_FILES_MAX);
		return -1;
	}
	fd = open(r->file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st)) {
		cfg_error(r->errors, where, "cannot open %s: %s", r->file, strerror(errno));
		goto out;
	}
	r->dev = st.st_dev;
	r->ino = st.st_ino;
	if (S_ISDIR(st.st_mode))
		cfg_error(r->errors, where, "%s is a directory", r->file);
	else if (includes_itself(r))
		cfg_error(r->errors, where, "%s includes itself", r->file);
	else
		result = parse_open_file(r, into, fd, st.st_size, where);
out:
	if (fd >= 0)
		close(fd);
	return result;
}

/* @pattern beside the file that names it, unless it is absolute. */
static char *absolute(const char *file, const char *pattern)
{
	char *copy, *path;

	if (*pattern == '/')
		return strdup(pattern);
	copy = strdup(file);
	if (!copy)
		return NULL;
	if (asprintf(&path, "%s/%s", dirname(copy), pattern) < 0)
		path = NULL;
	free(copy);
	return path;
}

static int include_each(const struct reader *r, struct section *into, const glob_t *found,
			const struct cfg_where *where)
{
	int result = 0;
	size_t i;

	for (i = 0; i < found->gl_pathc && !result; i++) {
		struct reader file = {
			.settings = r->settings,
			.errors = r->errors,
			.parent = r,
			.file = settings_keep_name(r->settings, found->gl_pathv[i]),
			.depth = r->depth + 1,
		};

		result = file.file ? parse_file(&file, into, where) : -1;
	}
	return result;
}

/* A glob may match nothing, a plain name may not. */
int settings_include(const struct reader *r, struct section *into, const char *pattern,
		     const struct cfg_where *where)
{
	glob_t found = { 0 };
	char *path;
	int result = 0;
	int got;

	if (!r->ino) {
		cfg_error(r->errors, where, "only a file can include others");
		return 0;
	}
	if (r->depth == SETTINGS_INCLUDE_DEPTH) {
		cfg_error(r->errors, where, "includes nested more than %d deep",
			  SETTINGS_INCLUDE_DEPTH);
		return 0;
	}
	path = absolute(r->file, pattern);
	if (!path)
		return -1;
	got = glob(path, GLOB_ERR, NULL, &found);
	if (!got)
		result = include_each(r, into, &found, where);
	else if (got == GLOB_ABORTED && errno != ENOENT)
		cfg_error(r->errors, where, "cannot read the directory of %s: %s", path,
			  strerror(errno));
	else if (got == GLOB_NOSPACE)
		result = -1;
	else if (!strpbrk(pattern, "*?["))
		cfg_error(r->errors, where, "there is no file %s to include", path);
	globfree(&found);
	free(path);
	return result;
}

static struct settings *settings_new(const char *name)
{
	struct settings *s = calloc(1, sizeof(*s));
	struct cfg_where where = { 0 };

	if (!s)
		return NULL;
	where.file = settings_keep_name(s, name);
	s->raw = where.file ? section_new("", 0, &where) : NULL;
	if (!s->raw) {
		settings_free(s);
		return NULL;
	}
	return s;
}

void settings_free(struct settings *s)
{
	size_t i;

	if (!s)
		return;
	section_free(s->root);
	section_free(s->raw);
	for (i = 0; i < s->n_files; i++)
		free(s->files[i]);
	free(s->files);
	free(s);
}

/* @result: -1 with an error reported is a limit; without one, lack of memory. */
static struct settings *finish(struct settings *s, struct cfg_errors *errors, int result)
{
	if (result && !errors->n_errors)
		goto no_memory;
	if (settings_unfold(s, errors))
		goto no_memory;
	return s;

no_memory:
	settings_free(s);
	return NULL;
}

struct settings *settings_load(const char *path, struct cfg_errors *errors)
{
	struct settings *s = settings_new(path);
	struct reader r = { .settings = s, .errors = errors };
	struct cfg_where where = { 0 };

	if (!s)
		return NULL;
	r.file = s->files[0];
	where.file = r.file;
	return finish(s, errors, parse_file(&r, s->raw, &where));
}

struct settings *settings_parse(const char *name, const char *text, size_t len,
				struct cfg_errors *errors)
{
	struct settings *s = settings_new(name);
	struct reader r = { .settings = s, .errors = errors };
	struct cfg_where where = { 0 };

	if (!s)
		return NULL;
	r.file = s->files[0];
	where.file = r.file;
	if (len > SETTINGS_FILE_MAX)
		cfg_error(errors, &where, "larger than %d bytes", SETTINGS_FILE_MAX);
	else if (memchr(text, '\0', len))
		cfg_error(errors, &where, "holds a zero byte: this is no text file");
	else
		return finish(s, errors, settings_parse_text(&r, s->raw, text, len));
	return finish(s, errors, 0);
}
