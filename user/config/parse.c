// SPDX-License-Identifier: MIT
/*
 * The grammar of swanctl.conf: sections, values, inheritance and includes of one text. After a
 * fault it goes on with the next line, so that one run finds them all.
 */
#include <stdlib.h>
#include <string.h>

#include "settings.h"

struct text {
	struct reader *reader;
	const char *at, *end;
	unsigned int line;
	unsigned int depth;		/* of sections */
	bool lost; /* a quote never ended: no more can be said of what follows */
};

static struct cfg_where here(const struct text *t)
{
	return (struct cfg_where){ t->reader->file, t->line };
}

#define FAULT(t, ...)							\
	do {								\
		struct cfg_where where_ = here(t);			\
		cfg_error((t)->reader->errors, &where_, __VA_ARGS__);	\
	} while (0)

/* The next character, '\0' at the end (files with zero bytes never get here). */
static char peek(const struct text *t)
{
	return t->at < t->end ? *t->at : '\0';
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* Printable, and beyond ASCII anything: names may be in any script. */
static bool is_name(char c)
{
	return (unsigned char)c > ' ' && c != 0x7f && !strchr("#{}:.,=\"", c);
}

static void skip_blanks(struct text *t)
{
	while (is_blank(peek(t)))
		t->at++;
}

static void skip_line(struct text *t)
{
	while (t->at < t->end && *t->at != '\n')
		t->at++;
}

/* Blanks, comments and line ends. */
static void skip_space(struct text *t)
{
	for (;;) {
		skip_blanks(t);
		if (peek(t) == '#')
			skip_line(t);
		if (peek(t) != '\n')
			return;
		t->at++;
		t->line++;
	}
}

static size_t take_name(struct text *t, const char **name)
{
	*name = t->at;
	while (is_name(peek(t)))
		t->at++;
	return t->at - *name;
}

/* A string that grows, and leaves no copy of its content behind. */
struct string {
	char *text;
	size_t len, cap;
	bool failed;
};

static void string_add(struct string *s, char c)
{
	size_t cap = s->cap ? 2 * s->cap : 64;
	char *text;

	if (s->len + 1 >= s->cap && !s->failed) {
		text = calloc(1, cap);
		if (text && s->len)
			memcpy(text, s->text, s->len);
		zero_free(s->text);
		s->failed = !text;
		s->text = text;
		s->cap = cap;
	}
	if (s->failed)
		return;
	s->text[s->len++] = c;
	s->text[s->len] = '\0';
}

/* What "\c" stands for inside quotes. */
static char unescape(char c)
{
	switch (c) {
	case 'n':
		return '\n';
	case 'r':
		return '\r';
	case 't':
		return '\t';
	default:
		return c;
	}
}

/* Behind a backslash inside quotes. */
static void take_escape(struct text *t, struct string *s)
{
	if (peek(t) == '\r' && t->at + 1 < t->end && t->at[1] == '\n')
		t->at++;
	if (peek(t) == '\n') {
		t->line++;
		t->at++;
		return;
	}
	if (t->at < t->end)
		string_add(s, unescape(*t->at++));
}

/* From the opening quote to behind the closing one. */
static void take_quoted(struct text *t, struct string *s)
{
	struct cfg_where start = here(t);
	char c;

	for (t->at++; t->at < t->end; ) {
		c = *t->at++;
		if (c == '"')
			return;
		if (c == '\n')
			t->line++;
		if (c == '\\')
			take_escape(t, s);
		else if (c != '\r')
			string_add(s, c);
	}
	t->lost = true;
	cfg_error(t->reader->errors, &start, "the quote that begins here never ends");
}

/*
 * A value up to the end of the line, '#' or '}': bare words and quoted strings, joined by one
 * space each whether they touched or not. Returns -1 when out of memory; *value is NULL for an
 * empty value.
 */
static int take_value(struct text *t, char **value)
{
	struct string s = { 0 };
	bool first = true;

	for (skip_blanks(t); peek(t) && !strchr("#}\n", peek(t)); skip_blanks(t)) {
		if (!first)
			string_add(&s, ' ');
		first = false;
		if (peek(t) == '"') {
			take_quoted(t, &s);
			continue;
		}
		while (peek(t) && !strchr("#}\"\r\n\t ", peek(t)))
			string_add(&s, *t->at++);
	}
	*value = s.text;
	return s.failed ? -1 : 0;
}

static int take_setting(struct text *t, struct section *into, const char *name, size_t len,
			const struct cfg_where *where)
{
	char *value;

	t->at++;
	if (take_value(t, &value))
		return -1;
	if (settings_count(t->reader->settings, into, t->reader->errors, where)) {
		zero_free(value);
		return -1;
	}
	return section_set(into, name, len, value, where);
}

/*
 * The pattern behind "include": a bare word, where a backslash takes the next character as it is,
 * or quoted.
 */
static int take_include(struct text *t, struct section *into)
{
	struct cfg_where where = here(t);
	struct string s = { 0 };
	int result;

	skip_blanks(t);
	if (peek(t) == '"') {
		take_quoted(t, &s);
	} else {
		while (peek(t) && !strchr("\"#}\r\n\t ", peek(t))) {
			if (*t->at == '\\' && t->at + 1 < t->end && strchr("\"#} ", t->at[1]))
				t->at++;
			string_add(&s, *t->at++);
		}
	}
	if (s.failed)
		return -1;
	if (!s.text) {
		cfg_error(t->reader->errors, &where, "include without a file name");
		return 0;
	}
	result = t->lost ? 0 : settings_include(t->reader, into, s.text, &where);
	free(s.text);
	return result;
}

/*
 * ": ref, ref2" up to the brace. Returns 1 if all is well, 0 after a fault, -1 when out of memory.
 */
static int take_refs(struct text *t, struct section *s)
{
	struct cfg_where where;
	const char *path;
	size_t len;

	do {
		t->at++;
		skip_space(t);
		where = here(t);
		path = t->at;
		while (is_name(peek(t)) || peek(t) == '.')
			t->at++;
		len = t->at - path;
		if (!len) {
			FAULT(t, "the name of a section to inherit from is missing here");
			return 0;
		}
		if (section_add_ref(s, path, len, &where))
			return -1;
		skip_space(t);
	} while (peek(t) == ',');
	return 1;
}

static int take_statements(struct text *t, struct section *into, const struct cfg_where *opened);

/* From behind the name of a section to its closing brace. */
static int take_section(struct text *t, struct section *into, const char *name, size_t len,
			const struct cfg_where *where)
{
	struct section *s = section_open(into, name, len, where);
	int got;

	if (!s || settings_count(t->reader->settings, into, t->reader->errors, where))
		return -1;
	if (peek(t) == ':') {
		got = take_refs(t, s);
		if (got <= 0)
			return got;
	}
	skip_space(t);
	if (peek(t) != '{') {
		FAULT(t, "'{' is missing after section \"%s\"", s->name);
		return 0;
	}
	if (t->depth == SETTINGS_SECTION_DEPTH) {
		FAULT(t, "sections nested more than %d deep", SETTINGS_SECTION_DEPTH);
		return -1;
	}
	t->at++;
	t->depth++;
	got = take_statements(t, s, where);
	t->depth--;
	return got;
}

/* Says what stands where a statement should begin, and goes to the next line. */
static void refuse_char(struct text *t)
{
	unsigned char c = peek(t);

	if (c == '"')
		FAULT(t, "a quoted string where a key or section name should be");
	else if (c < ' ' || c >= 0x7f)
		FAULT(t, "unexpected byte 0x%02x", c);
	else
		FAULT(t, "unexpected '%c'", c);
	skip_line(t);
}

/* Is "include" at @name a statement, not a key or section of that name? */
static bool is_include(const struct text *t, const char *name, size_t len)
{
	return len == strlen("include") && !memcmp(name, "include", len) && is_blank(peek(t));
}

static int take_statement(struct text *t, struct section *into)
{
	struct cfg_where where = here(t);
	const char *name;
	size_t len = take_name(t, &name);
	bool include = is_include(t, name, len);

	if (!len) {
		refuse_char(t);
		return 0;
	}
	skip_blanks(t);
	if (peek(t) == '=')
		return take_setting(t, into, name, len, &where);
	if (include && peek(t) != '{' && peek(t) != ':')
		return take_include(t, into);
	if (peek(t) == '\n' || peek(t) == '#')
		skip_space(t);
	if (peek(t) == '{' || peek(t) == ':')
		return take_section(t, into, name, len, &where);
	cfg_error(t->reader->errors, &where, "'=', '{' or ':' is missing after \"%.*s\"", (int)len,
		  name);
	if (t->line == where.line)
		skip_line(t);
	return 0;
}

/*
 * Up to the closing brace of the section that was opened at @opened, or to the end of the text if
 * NULL.
 */
static int take_statements(struct text *t, struct section *into, const struct cfg_where *opened)
{
	for (skip_space(t); t->at < t->end && !t->lost; skip_space(t)) {
		if (*t->at == '}') {
			t->at++;
			if (opened)
				return 0;
			FAULT(t, "'}' without a section to close");
			continue;
		}
		if (take_statement(t, into))
			return -1;
	}
	if (opened && !t->lost)
		cfg_error(t->reader->errors, opened,
			  "section \"%s\" is opened here and never closed", into->name);
	return 0;
}

int settings_parse_text(struct reader *r, struct section *into, const char *text, size_t len)
{
	struct text t = { .reader = r, .at = text, .end = text + len, .line = 1 };

	return take_statements(&t, into, NULL);
}
