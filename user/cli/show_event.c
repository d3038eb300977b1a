// SPDX-License-Identifier: MIT
/* An event of the daemon as one line for people. */
#include <string.h>

#include "show.h"

static const struct vici_node *first_section(const struct vici_node *n)
{
	const struct vici_node *c;

	for (c = n ? n->child : NULL; c; c = c->next)
		if (c->type == VICI_SECTION_START)
			return c;
	return NULL;
}

static void print_list(FILE *out, const struct vici_node *n, const char *key)
{
	const struct vici_node *list = vici_child(n, key), *i;

	for (i = list ? list->child : NULL; i; i = i->next)
		fprintf(out, "%s%s", i == list->child ? "" : ", ", i->value);
}

static void print_traffic(FILE *out, const struct vici_node *child)
{
	const struct vici_node *ts = vici_child(child, "local-ts");

	if (!ts || !ts->child)
		return;
	fputs(": ", out);
	print_list(out, child, "local-ts");
	fputs(" <=> ", out);
	print_list(out, child, "remote-ts");
}

static void print_ike(FILE *out, const struct vici_node *sa, const char *what)
{
	fprintf(out, "%s[%s] %s", sa->name, get_or(sa, "uniqueid", "?"), what);
	if (vici_get(sa, "remote-host"))
		fprintf(out, ": %s at %s", get_or(sa, "remote-id", "%any"),
			vici_get(sa, "remote-host"));
}

static void print_child(FILE *out, const struct vici_node *sa, const struct vici_node *child,
		       const char *what)
{
	fprintf(out, "%s[%s]/%s{%s} %s", sa->name, get_or(sa, "uniqueid", "?"),
		get_or(child, "name", "?"), get_or(child, "uniqueid", "?"), what);
	print_traffic(out, child);
}

static void print_rekey(FILE *out, const struct vici_node *sa, const struct vici_node *child)
{
	const struct vici_node *at = child ? child : sa;
	char what[64];

	snprintf(what, sizeof(what), "rekeyed, replaces #%.20s",
		 get_or(vici_child(at, "old"), "uniqueid", "?"));
	if (child)
		print_child(out, sa, vici_child(child, "new"), what);
	else
		fprintf(out, "%s[%s] %s", sa->name,
			get_or(vici_child(sa, "new"), "uniqueid", "?"), what);
}

void show_event(FILE *out, const char *event, const struct vici_node *message)
{
	const struct vici_node *sa = first_section(message);
	const struct vici_node *child = first_section(vici_child(sa, "child-sas"));
	const char *what = vici_get(message, "up") ? "up" : "down";

	if (!strcmp(event, "log") || !strcmp(event, "control-log"))
		fputs(get_or(message, "msg", ""), out);
	else if (sa && !strcmp(event, "ike-updown"))
		print_ike(out, sa, what);
	else if (child && !strcmp(event, "child-updown"))
		print_child(out, sa, child, what);
	else if (sa && !strcmp(event, "ike-rekey"))
		print_rekey(out, sa, NULL);
	else if (child && !strcmp(event, "child-rekey"))
		print_rekey(out, sa, child);
	else
		fprintf(out, "%s", event);
	fputc('\n', out);
}
