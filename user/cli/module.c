// SPDX-License-Identifier: MIT
/* The data plane asked directly: opening it, lists of what it holds, its counters. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../dataplane/codec.h"
#include "module.h"

struct dp *module_open(void)
{
	const char *why;
	struct dp *dp = dp_open(&why);

	if (!dp)
		failed("%s", why);
	return dp;
}

/* The two words are told apart by their form: IDs are counted from 1, SPIs are random. */
static int parse_object(struct module_list *l, const char *word)
{
	bool hex = !strncmp(word, "0x", 2);
	unsigned long value;
	char *end;

	errno = 0;
	value = strtoul(word, &end, hex ? 16 : 10);
	if (*word < '0' || *word > '9' || *end || errno || !value || value > UINT32_MAX) {
		failed("%s is neither an ID (12) nor an SPI (0xc1234567)", word);
		return EXIT_USAGE;
	}
	if (hex)
		l->spi = value;
	else
		l->id = value;
	return 0;
}

int module_list_start(struct module_list *l, const struct options *options)
{
	l->options = options;
	if (options->wireshark_keys && (options->json || options->dump)) {
		failed("--wireshark-keys has a shape of its own, without --json and --dump");
		return EXIT_USAGE;
	}
	if (options->json && options->dump) {
		failed("give either --json or --dump");
		return EXIT_USAGE;
	}
	return options->argument ? parse_object(l, options->argument) : 0;
}

void module_list_begin(void *arg)
{
	struct module_list *l = arg;

	if (l->page.out)
		fclose(l->page.out);
	free(l->text);
	l->text = NULL;
	l->n = 0;
	l->page.color = isatty(STDOUT_FILENO);
	l->page.out = open_memstream(&l->text, &l->len);
	if (!l->page.out)
		exit(failed("out of memory"));
}

bool module_list_add(struct module_list *l, const void *object)
{
	const struct options *o = l->options;
	bool first = !l->n++;

	if (!o->json) {
		fputs(first || o->dump ? "" : "\n", l->page.out);
		return true;
	}
	fputs(first ? "" : ",\n ", l->page.out);
	dp_print(l->page.out, l->table, object, true);
	return false;
}

int module_failed(const struct dp *dp, int err)
{
	if (err == -EPERM)
		return failed("%s: only root may see this (CAP_NET_ADMIN)", dp_why(dp));
	if (err == -EINTR)
		return failed("%s: it changes all the time, no list is whole", dp_why(dp));
	return failed("%s", dp_why(dp));
}

int module_list_end(struct module_list *l, const struct dp *dp, int err)
{
	int status = err ? module_failed(dp, err) : 0;

	fclose(l->page.out);
	if (!status && l->spi && !l->n)
		status = failed("no SA has the SPI 0x%08" PRIx32, l->spi);
	if (!status && l->options->json)
		printf("{\"%s\": [%s]}\n", l->array, l->text);
	else if (!status)
		fwrite(l->text, 1, l->len, stdout);
	free(l->text);
	return status;
}

static void keep_caps(void *arg, const struct dp_caps *from)
{
	struct module_caps *to = arg;
	size_t i;

	to->key_export = from->key_export;
	snprintf(to->version, sizeof(to->version), "%s", from->version ? from->version : "?");
	for (i = 0; i < from->n_transforms; i++) {
		if (!from->transforms[i].name)
			continue;
		to->list[to->n].encr = from->transforms[i].encr;
		to->list[to->n].integ = from->transforms[i].integ;
		snprintf(to->list[to->n].name, sizeof(to->list[0].name), "%s",
			 from->transforms[i].name);
		to->n++;
	}
}

int module_caps(struct dp *dp, struct module_caps *caps)
{
	memset(caps, 0, sizeof(*caps));
	return dp_caps_get(dp, keep_caps, caps);
}

void module_warn(const struct module_caps *caps)
{
	if (caps->key_export)
		fputs("esplane: warning: the module gives the keys of SAs to root, it was built with "
		      "KEY_EXPORT=1\n", stderr);
}

struct counters {
	const struct vici_node *engine;
	struct vici_builder b;
};

static void put_number(struct vici_builder *b, const char *key, uint64_t value)
{
	vici_fmt(b, key, "%" PRIu64, value);
}

static void put_engine(struct vici_builder *b, const struct vici_node *engine)
{
	const struct vici_node *n;

	if (!engine)
		return;
	vici_section(b, engine->name);
	for (n = engine->child; n; n = n->next)
		if (n->type == VICI_KEY_VALUE)
			vici_value(b, n->name, n->value, n->value_len);
	vici_section_end(b);
}

static void put_counters(void *arg, const struct dp_stats *s)
{
	struct counters *c = arg;
	struct vici_builder *b = &c->b;
	size_t i;

	put_engine(b, c->engine);
	vici_section(b, "esp");
	put_number(b, "sas", s->sas);
	put_number(b, "policies", s->policies);
	put_number(b, "packets-in", s->in_packets);
	put_number(b, "bytes-in", s->in_bytes);
	put_number(b, "packets-out", s->out_packets);
	put_number(b, "bytes-out", s->out_bytes);
	vici_section_end(b);
	vici_section(b, "drops");
	for (i = 0; i < s->n_drops; i++) {
		vici_section(b, s->drops[i].reason);
		put_number(b, "count", s->drops[i].count);
		vici_str(b, "meaning", s->drops[i].meaning);
		vici_section_end(b);
	}
	vici_section_end(b);
}

struct vici_node *module_stats(struct dp *dp, const struct vici_node *engine)
{
	struct counters c = { .engine = engine };
	struct vici_node *tree = NULL;
	struct vici_packet packet;
	const char *why;
	uint8_t *bytes;
	size_t len;

	vici_begin(&c.b, VICI_CMD_RESPONSE, NULL);
	if (dp_stats_get(dp, put_counters, &c)) {
		vici_abandon(&c.b);
		return NULL;
	}
	bytes = vici_finish(&c.b, &len, &why);
	if (bytes && !vici_packet_parse(&packet, bytes + VICI_HEADER_LEN, len - VICI_HEADER_LEN,
					&why))
		tree = vici_tree_parse(packet.body, packet.body_len, &why);
	free(bytes);
	return tree;
}
