// SPDX-License-Identifier: MIT
/* Collects what is wrong with a configuration. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "errors.h"

static char *prefixed(const struct cfg_where *where, const char *what)
{
	char *text;
	int len;

	if (where->line)
		len = asprintf(&text, "%s:%u: %s", where->file, where->line, what);
	else
		len = asprintf(&text, "%s: %s", where->file, what);
	return len < 0 ? NULL : text;
}

static bool known_already(const struct cfg_errors *errors, const char *text)
{
	size_t i;

	for (i = 0; i < errors->n; i++)
		if (!strcmp(errors->list[i].text, text))
			return true;
	return false;
}

/* Takes @text over. */
static void append(struct cfg_errors *errors, enum cfg_severity severity,
		   const struct cfg_where *where, char *text)
{
	struct cfg_message *list;

	if (known_already(errors, text)) {
		free(text);
		return;
	}
	if (severity == CFG_ERROR)
		errors->n_errors++;
	list = reallocarray(errors->list, errors->n + 1, sizeof(*list));
	if (!list) {
		errors->no_memory = true;
		free(text);
		return;
	}
	errors->list = list;
	list[errors->n] = (struct cfg_message){ severity, text, *where, 0, errors->n };
	errors->n++;
}

__attribute__((format(printf, 4, 0)))
static void add(struct cfg_errors *errors, enum cfg_severity severity,
		const struct cfg_where *where, const char *format, va_list args)
{
	char *what, *text = NULL;

	if (errors->n == CFG_MESSAGES_MAX) {
		errors->suppressed++;
		errors->n_errors += severity == CFG_ERROR;
		return;
	}
	if (vasprintf(&what, format, args) >= 0) {
		text = prefixed(where, what);
		free(what);
	}
	if (text) {
		append(errors, severity, where, text);
	} else {
		errors->no_memory = true;
		errors->n_errors++;
	}
}

void cfg_error(struct cfg_errors *errors, const struct cfg_where *where, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add(errors, CFG_ERROR, where, format, args);
	va_end(args);
}

void cfg_warning(struct cfg_errors *errors, const struct cfg_where *where, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add(errors, CFG_WARNING, where, format, args);
	va_end(args);
}

static int compare(size_t a, size_t b)
{
	return a < b ? -1 : a > b;
}

static int by_place(const void *a, const void *b)
{
	const struct cfg_message *x = a, *y = b;
	int c = compare(x->rank, y->rank);

	if (!c)
		c = compare(x->where.line, y->where.line);
	return c ? c : compare(x->order, y->order);
}

void cfg_errors_sort(struct cfg_errors *errors)
{
	struct cfg_message *list = errors->list;
	size_t i, first;

	for (i = 0; i < errors->n; i++) {
		for (first = 0; strcmp(list[first].where.file, list[i].where.file); first++)
			;
		list[i].rank = first;
	}
	if (errors->n)
		qsort(list, errors->n, sizeof(*list), by_place);
}

void cfg_errors_free(struct cfg_errors *errors)
{
	size_t i;

	for (i = 0; i < errors->n; i++)
		free(errors->list[i].text);
	free(errors->list);
	*errors = (struct cfg_errors){ 0 };
}
