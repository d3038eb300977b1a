// SPDX-License-Identifier: MIT
/* esplane link: interfaces, with what a stock ip can neither pass nor show. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/esplane_link.h>

#include "../dataplane/link.h"
#include "show.h"

struct link_list {
	const struct options *options;
	const char *name;		/* only this one; NULL: all */
	struct page page;
	size_t n;
};

/* By enum esplane_link_action. */
static const char *const actions[] = { "?", "reject", "discard" };

enum { N_ACTIONS = sizeof(actions) / sizeof(actions[0]) };

static const char *action_text(uint32_t action)
{
	return actions[action < N_ACTIONS ? action : 0];
}

static void show_text(const struct page *p, const struct dp_link *link)
{
	char received[HUMAN_MAX], sent[HUMAN_MAX];

	page_line(p, 0, "interface", "%s", link->name);
	page_line(p, 2, "state", "%s", link->up ? "up" : "down");
	if (link->if_id)
		page_line(p, 2, "if_id", "%" PRIu32, link->if_id);
	else
		page_line(p, 2, "traffic", "of policies without an interface");
	page_line(p, 2, "without a policy", "%s", action_text(link->default_action));
	page_line(p, 2, "mtu", "%" PRIu32, link->mtu);
	if (link->moved)
		page_line(p, 2, "moved", "SAs and outer packets are in the namespace it was made in");
	if (link->rx_packets || link->tx_packets)
		page_line(p, 2, "transfer", "%s received, %s sent",
			  human_bytes(link->rx_bytes, received),
			  human_bytes(link->tx_bytes, sent));
	if (link->tx_errors)
		page_line(p, 2, "refused", "%" PRIu64 " packets: esplane stats says why",
			  link->tx_errors);
}

/* Interface names hold neither blanks nor slashes, but may hold quotes. */
static void show_json_link(FILE *out, const struct dp_link *link)
{
	const char *c;

	fputs("{\"name\":\"", out);
	for (c = link->name; *c; c++)
		fprintf(out, *c == '"' || *c == '\\' ? "\\%c" : "%c", *c);
	fprintf(out, "\",\"up\":%s,\"if_id\":%" PRIu32 ",\"default_action\":\"%s\",\"mtu\":%" PRIu32,
		link->up ? "true" : "false", link->if_id, action_text(link->default_action),
		link->mtu);
	fprintf(out, ",\"moved\":%s,\"rx_packets\":%" PRIu64 ",\"rx_bytes\":%" PRIu64,
		link->moved ? "true" : "false", link->rx_packets, link->rx_bytes);
	fprintf(out, ",\"tx_packets\":%" PRIu64 ",\"tx_bytes\":%" PRIu64 ",\"tx_errors\":%" PRIu64
		"}", link->tx_packets, link->tx_bytes, link->tx_errors);
}

static void show_columns(FILE *out, const struct dp_link *link)
{
	fprintf(out, "%s\t%s\t%" PRIu32 "\t%s\t%" PRIu32 "\t%s\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64
		"\t%" PRIu64 "\t%" PRIu64 "\n", link->name, link->up ? "up" : "down", link->if_id,
		action_text(link->default_action), link->mtu, link->moved ? "moved" : "here",
		link->rx_packets, link->rx_bytes, link->tx_packets, link->tx_bytes,
		link->tx_errors);
}

static void on_link(void *arg, const struct dp_link *link)
{
	struct link_list *l = arg;
	bool first = !l->n;

	if (l->name && strcmp(l->name, link->name))
		return;
	l->n++;
	if (l->options->dump) {
		show_columns(l->page.out, link);
	} else if (l->options->json) {
		fputs(first ? "" : ",\n ", l->page.out);
		show_json_link(l->page.out, link);
	} else {
		fputs(first ? "" : "\n", l->page.out);
		show_text(&l->page, link);
	}
}

static int show(const struct options *options, const char *name)
{
	struct link_list l = {
		.options = options, .name = name,
		.page = { .out = stdout, .color = isatty(STDOUT_FILENO) },
	};
	char why[DP_LINK_WHY];

	if (options->json && options->dump) {
		failed("give either --json or --dump");
		return EXIT_USAGE;
	}
	fputs(options->json ? "{\"links\": [" : "", stdout);
	if (dp_link_dump(on_link, &l, why))
		return failed("link: %s", why);
	fputs(options->json ? "]}\n" : "", stdout);
	return name && !l.n ? failed("link: there is no esplane interface %s", name) : 0;
}

static int get_action(const char *word, uint32_t *action)
{
	for (*action = 1; *action < N_ACTIONS; (*action)++)
		if (!strcmp(actions[*action], word))
			return 0;
	failed("link: the default is reject or discard, not %s", word);
	return EXIT_USAGE;
}

static int add(const struct options *options)
{
	struct dp_link link = { 0 };
	char why[DP_LINK_WHY];
	int status;

	if (strlen(options->second) >= sizeof(link.name)) {
		failed("link: a name has %zu letters at most", sizeof(link.name) - 1);
		return EXIT_USAGE;
	}
	snprintf(link.name, sizeof(link.name), "%s", options->second);
	if (options->if_id)
		link.if_id = strtoul(options->if_id, NULL, 10);
	if (options->default_action) {
		status = get_action(options->default_action, &link.default_action);
		if (status)
			return status;
	}
	if (dp_link_add(&link, why))
		return failed("link: %s: %s", link.name, why);
	return 0;
}

static int del(const struct options *options)
{
	char why[DP_LINK_WHY];

	if (dp_link_del(options->second, why))
		return failed("link: %s: %s", options->second, why);
	return 0;
}

static int run(const struct options *options)
{
	const char *verb = options->argument ? options->argument : "show";
	bool adds = !strcmp(verb, "add"), dels = !strcmp(verb, "del");

	if (!adds && (options->if_id || options->default_action)) {
		failed("link: --if-id and --default are for add");
		return EXIT_USAGE;
	}
	if ((adds || dels) && !options->second) {
		failed("link %s: name the interface", verb);
		return EXIT_USAGE;
	}
	if (adds)
		return add(options);
	if (dels)
		return del(options);
	if (!strcmp(verb, "show"))
		return show(options, options->second);
	failed("link: there is add, show and del, but no %s", verb);
	return EXIT_USAGE;
}

const struct command cmd_link = {
	"link", run, OPT_JSON | OPT_DUMP | OPT_LINK, 2, "[add|show|del] [NAME]",
	"interfaces of kind esplane; needs no daemon",
};
