// SPDX-License-Identifier: MIT
/* VICI messages as JSON, with their own key names; numbers and yes become JSON's. */
#include <string.h>

#include "show.h"

/*
 * Keys whose values are numbers; all others may look like one without being one (an SPI, a name).
 */
static bool is_numeric(const char *key)
{
	static const char *const keys[] = {
		"uniqueid", "version", "reqid", "local-port", "remote-port", "encr-keysize",
		"established", "rekey-time", "life-time", "install-time", "bytes-in", "packets-in",
		"use-in", "bytes-out", "packets-out", "use-out", "esn", "count", "level",
		"ikesa-uniqueid", "received", "sent", "retransmitted", "refused", "half-open",
		"cookies-sent", "total", "sas", "policies",
	};
	size_t i;

	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (!strcmp(keys[i], key))
			return true;
	return false;
}

static bool is_flag(const char *key)
{
	return !strncmp(key, "nat-", 4) || !strcmp(key, "initiator") || !strcmp(key, "encap") ||
	       !strcmp(key, "up");
}

/* Bytes that are no UTF-8 for JSON to carry do not occur: names and texts come from the daemon. */
static void put_string(FILE *out, const char *s)
{
	fputc('"', out);
	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			fprintf(out, "\\%c", *s);
		else if ((unsigned char)*s < ' ')
			fprintf(out, "\\u%04x", (unsigned char)*s);
		else
			fputc(*s, out);
	}
	fputc('"', out);
}

static bool is_number(const char *s)
{
	size_t len = strlen(s);

	return len && strspn(s, "0123456789") == len && (len == 1 || *s != '0');
}

static void put_value(FILE *out, const struct vici_node *n)
{
	if (is_numeric(n->name) && is_number(n->value))
		fputs(n->value, out);
	else if (is_flag(n->name) && !strcmp(n->value, "yes"))
		fputs("true", out);
	else
		put_string(out, n->value);
}

static void put_members(FILE *out, const struct vici_node *section, bool first);

static void put_list(FILE *out, const struct vici_node *list)
{
	const struct vici_node *i;

	fputc('[', out);
	for (i = list->child; i; i = i->next) {
		fputs(i == list->child ? "" : ", ", out);
		put_string(out, i->value);
	}
	fputc(']', out);
}

/* Children have names that hold their ID: an array is what programs want to walk. */
static void put_children(FILE *out, const struct vici_node *section)
{
	const struct vici_node *n;

	fputc('[', out);
	for (n = section->child; n; n = n->next) {
		fputs(n == section->child ? "{" : ", {", out);
		put_members(out, n, true);
		fputc('}', out);
	}
	fputc(']', out);
}

static void put_node(FILE *out, const struct vici_node *n)
{
	switch (n->type) {
	case VICI_SECTION_START:
		if (!strcmp(n->name, "child-sas")) {
			put_children(out, n);
			return;
		}
		fputc('{', out);
		put_members(out, n, true);
		fputc('}', out);
		return;
	case VICI_LIST_START:
		put_list(out, n);
		return;
	default:
		put_value(out, n);
	}
}

/* Depth is bounded by VICI_DEPTH_MAX. */
static void put_members(FILE *out, const struct vici_node *section, bool first)
{
	const struct vici_node *n;

	for (n = section->child; n; n = n->next) {
		fputs(first ? "" : ", ", out);
		first = false;
		put_string(out, strcmp(n->name, "child-sas") ? n->name : "children");
		fputs(": ", out);
		put_node(out, n);
	}
}

void show_json_section(FILE *out, const struct vici_node *section)
{
	bool named = *section->name;

	fputc('{', out);
	if (named) {
		fputs("\"name\": ", out);
		put_string(out, section->name);
	}
	put_members(out, section, !named);
	fputc('}', out);
}

void show_json(FILE *out, const struct listing *sas)
{
	size_t i;

	fputs("{\"sas\": [", out);
	for (i = 0; i < sas->n; i++) {
		fputs(i ? ",\n " : "", out);
		show_json_section(out, sas->list[i]);
	}
	fputs("]}\n", out);
}
