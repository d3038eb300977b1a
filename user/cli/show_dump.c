// SPDX-License-Identifier: MIT
/* SAs as lines of columns: fixed order, raw numbers, "(none)" for what there is not. */
#include <string.h>

#include "show.h"

static void put_keys(FILE *out, const struct vici_node *n, const char *const *keys, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		fprintf(out, "\t%s", get_or(n, keys[i], "(none)"));
}

static void put_column(FILE *out, const struct vici_node *n, const char *key)
{
	const struct vici_node *list = vici_child(n, key), *i;

	fputs(list && list->child ? "\t" : "\t(none)", out);
	for (i = list ? list->child : NULL; i; i = i->next)
		fprintf(out, "%s%s", i == list->child ? "" : ",", i->value);
}

static void dump_child(FILE *out, const struct vici_node *sa, const struct vici_node *child)
{
	static const char *const keys[] = {
		"name", "uniqueid", "state", "spi-in", "spi-out", "encap", "encr-alg",
		"encr-keysize", "integ-alg", "bytes-in", "packets-in", "use-in", "bytes-out",
		"packets-out", "use-out", "install-time", "rekey-time", "life-time",
	};

	fprintf(out, "child\t%s\t%s", sa->name, get_or(sa, "uniqueid", "(none)"));
	put_keys(out, child, keys, sizeof(keys) / sizeof(keys[0]));
	put_column(out, child, "local-ts");
	put_column(out, child, "remote-ts");
	fputc('\n', out);
}

static void dump_sa(FILE *out, const struct vici_node *sa)
{
	static const char *const keys[] = {
		"uniqueid", "state", "local-host", "local-port", "local-id", "remote-host",
		"remote-port", "remote-id", "initiator", "initiator-spi", "responder-spi",
		"encr-alg", "encr-keysize", "integ-alg", "prf-alg", "dh-group", "established",
		"rekey-time",
	};
	const struct vici_node *children = vici_child(sa, "child-sas"), *child;

	fprintf(out, "ike\t%s", sa->name);
	put_keys(out, sa, keys, sizeof(keys) / sizeof(keys[0]));
	fputc('\n', out);
	for (child = children ? children->child : NULL; child; child = child->next)
		dump_child(out, sa, child);
}

void show_dump(FILE *out, const struct listing *sas)
{
	size_t i;

	for (i = 0; i < sas->n; i++)
		dump_sa(out, sas->list[i]);
}
