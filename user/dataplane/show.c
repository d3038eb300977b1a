// SPDX-License-Identifier: MIT
/* Structs of types.h as text for people and as JSON, by table. */
#include <arpa/inet.h>
#include <inttypes.h>
#include <string.h>

#include "codec.h"
#include "types.h"

/* Where the output stands: what comes between two fields. */
struct printer {
	FILE *out;
	bool json;
	bool first;
};

const char *dp_addr_text(const struct dp_addr *a, char *buf, size_t len)
{
	if (!a->len || !inet_ntop(a->len == 4 ? AF_INET : AF_INET6, a->bytes, buf, len))
		buf[0] = '\0';
	return buf;
}

static bool same_char(char a, char b)
{
	return a == b || (a == '-' && b == '_');
}

const struct dp_field *dp_find(const struct dp_table *table, const char *name, size_t len)
{
	const struct dp_field *f;
	size_t at;

	for (f = table->fields; f < table->fields + table->n_fields; f++) {
		for (at = 0; at < len && f->name[at] && same_char(name[at], f->name[at]); at++)
			;
		if (at == len && !f->name[at])
			return f;
	}
	return NULL;
}

static const void *member(const void *object, const struct dp_field *f)
{
	return (const char *)object + f->offset;
}

static size_t count_of(const void *object, const struct dp_field *f)
{
	return *(const size_t *)((const char *)object + f->count_offset);
}

/* The widest number of a numeric field. */
static uint64_t number_of(const struct dp_field *f, const void *at)
{
	switch ((enum dp_kind)f->kind) {
	case DP_U16:
		return *(const uint16_t *)at;
	case DP_U32:
	case DP_BE32:
		return *(const uint32_t *)at;
	case DP_U64:
		return *(const uint64_t *)at;
	case DP_FLAG:
		return *(const bool *)at;
	case DP_U32S:
	case DP_ADDR:
	case DP_BYTES:
	case DP_STRING:
	case DP_NESTS:
		break;
	}
	return 0;
}

static bool is_set(const struct dp_field *f, const void *object)
{
	const void *at = member(object, f);

	switch ((enum dp_kind)f->kind) {
	case DP_ADDR:
		return ((const struct dp_addr *)at)->len;
	case DP_BYTES:
		return false;
	case DP_STRING:
		return *(const char *const *)at;
	case DP_U32S:
	case DP_NESTS:
		return count_of(object, f);
	case DP_U64:
		return f->always || (number_of(f, at) && number_of(f, at) != UINT64_MAX);
	case DP_U16:
	case DP_U32:
	case DP_BE32:
	case DP_FLAG:
		break;
	}
	return f->always || number_of(f, at);
}

static void print_string(const struct printer *p, const char *text)
{
	if (!p->json) {
		fputs(text, p->out);
		return;
	}
	fputc('"', p->out);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			fprintf(p->out, "\\%c", *text);
		else if ((unsigned char)*text < ' ')
			fprintf(p->out, "\\u%04x", *text);
		else
			fputc(*text, p->out);
	}
	fputc('"', p->out);
}

static void print_named(const struct printer *p, const struct dp_field *f, uint64_t number)
{
	char buf[128] = "";
	unsigned int i;

	for (i = 0; f->values[i]; i++) {
		if (f->bits ? !(number >> i & 1) : number != i + 1)
			continue;
		if (buf[0])
			strncat(buf, ",", sizeof(buf) - strlen(buf) - 1);
		strncat(buf, f->values[i], sizeof(buf) - strlen(buf) - 1);
	}
	if (!buf[0])
		snprintf(buf, sizeof(buf), "%" PRIu64, number);
	print_string(p, buf);
}

static void print_scalar(const struct printer *p, const struct dp_field *f, const void *at)
{
	char buf[INET6_ADDRSTRLEN];

	switch ((enum dp_kind)f->kind) {
	case DP_ADDR:
		print_string(p, dp_addr_text(at, buf, sizeof(buf)));
		return;
	case DP_STRING:
		print_string(p, *(const char *const *)at);
		return;
	case DP_BE32:
		snprintf(buf, sizeof(buf), "0x%08" PRIx32, *(const uint32_t *)at);
		print_string(p, buf);
		return;
	case DP_FLAG:
		fputs(p->json ? "true" : "1", p->out);
		return;
	case DP_U16:
	case DP_U32:
	case DP_U64:
		if (f->values)
			print_named(p, f, number_of(f, at));
		else
			fprintf(p->out, "%" PRIu64, number_of(f, at));
		return;
	case DP_BYTES:
	case DP_U32S:
	case DP_NESTS:
		return;
	}
}

static void print_map(struct printer *p, const struct dp_field *f, const void *object)
{
	const struct dp_field *key = f->nest->fields, *value = key + f->nest->n_fields - 1;
	const char *at = member(object, f);
	size_t i, n = count_of(object, f);

	fputc('{', p->out);
	for (i = 0; i < n; i++, at += f->nest->size) {
		fputs(i ? "," : "", p->out);
		print_string(p, *(const char *const *)member(at, key));
		fputc(':', p->out);
		print_scalar(p, value, member(at, value));
	}
	fputc('}', p->out);
}

static void print_list(struct printer *p, const struct dp_field *f, const void *object)
{
	const char *at = member(object, f);
	size_t i, n = count_of(object, f);

	fputc('[', p->out);
	for (i = 0; i < n; i++) {
		fputs(i ? "," : "", p->out);
		if (f->kind == DP_U32S) {
			fprintf(p->out, "%" PRIu32, ((const uint32_t *)at)[i]);
			continue;
		}
		fputs(p->json ? "" : "{", p->out);
		dp_print(p->out, f->nest, at + i * f->nest->size, p->json);
		fputs(p->json ? "" : "}", p->out);
	}
	fputc(']', p->out);
}

static void print_value(struct printer *p, const struct dp_field *f, const void *object)
{
	if (f->map)
		print_map(p, f, object);
	else if (f->kind == DP_U32S || f->kind == DP_NESTS)
		print_list(p, f, object);
	else
		print_scalar(p, f, member(object, f));
}

/*
 * JSON holds numbers even when they are zero, so that a program need not ask whether they are
 * there.
 */
static bool is_shown(const struct printer *p, const struct dp_field *f, const void *object)
{
	if (p->json && !f->values && (f->kind == DP_U16 || f->kind == DP_U32))
		return true;
	if (p->json && f->kind == DP_U64)
		return number_of(f, member(object, f)) != UINT64_MAX;
	return is_set(f, object);
}

void dp_print(FILE *out, const struct dp_table *table, const void *object, bool json)
{
	struct printer p = { out, json, true };
	const struct dp_field *f;

	fputs(json ? "{" : "", out);
	for (f = table->fields; f < table->fields + table->n_fields; f++) {
		if (!is_shown(&p, f, object))
			continue;
		fputs(p.first ? "" : json ? "," : " ", out);
		p.first = false;
		if (json)
			fprintf(out, "\"%s\":", f->name);
		else
			fprintf(out, "%s=", f->name);
		print_value(&p, f, object);
	}
	fputs(json ? "}" : "", out);
}

static bool print_entry(struct printer *p, const struct dp_field *f, const void *object,
			const char *name)
{
	const struct dp_field *key = f->nest->fields, *value = key + f->nest->n_fields - 1;
	const char *at = member(object, f);
	size_t i, n = count_of(object, f);

	for (i = 0; i < n; i++, at += f->nest->size) {
		if (strcmp(*(const char *const *)member(at, key), name))
			continue;
		print_scalar(p, value, member(at, value));
		return true;
	}
	return false;
}

bool dp_print_field(FILE *out, const struct dp_table *table, const void *object, const char *name)
{
	struct printer p = { out, false, true };
	const struct dp_field *f = dp_find(table, name, strlen(name));

	if (f) {
		print_value(&p, f, object);
		return true;
	}
	for (f = table->fields; f < table->fields + table->n_fields; f++)
		if (f->map && print_entry(&p, f, object, name))
			return true;
	return false;
}
