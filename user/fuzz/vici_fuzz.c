// SPDX-License-Identifier: MIT
/*
 * Any bytes as what a client of the VICI socket sends, cut in two at any place. A message that was
 * understood must encode to the very bytes that it came from.
 */
#include <stdlib.h>
#include <string.h>

#include "config/load.h"
#include "vici/section.h"
#include "vici/session.h"
#include "vici/status.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void encode(struct vici_builder *b, const struct vici_node *section)
{
	const struct vici_node *n, *i;

	for (n = section->child; n; n = n->next) {
		switch (n->type) {
		case VICI_SECTION_START:
			vici_section(b, n->name);
			encode(b, n);
			vici_section_end(b);
			break;
		case VICI_LIST_START:
			vici_list(b, n->name);
			for (i = n->child; i; i = i->next)
				if (strlen(i->value) == i->value_len)
					vici_item(b, i->value);
			vici_list_end(b);
			break;
		default:
			vici_value(b, n->name, n->value, n->value_len);
		}
	}
}

/* Items of a list are texts to the builder: one with a zero byte cannot be made again. */
static bool has_binary_item(const struct vici_node *section)
{
	const struct vici_node *n;

	for (n = section->child; n; n = n->next)
		if ((n->type == VICI_LIST_ITEM && strlen(n->value) != n->value_len) ||
		    has_binary_item(n))
			return true;
	return false;
}

/* As something to load, beside an empty file. */
static void load(const struct vici_node *root)
{
	static const char *const places[] = { "connections", "pools" };
	struct cfg_errors errors = { 0 }, refusal;
	struct settings *file = settings_parse("empty", "", 0, &errors);
	struct config_extra x;
	struct extra_item *item;
	const char *why;
	size_t i;

	extra_init(&x);
	for (i = 0; i < sizeof(places) / sizeof(*places); i++) {
		refusal = (struct cfg_errors){ 0 };
		item = vici_load_section(&x, places[i], root, &refusal);
		if (item)
			TAILQ_INSERT_TAIL(&x.items, item, link);
		cfg_errors_free(&refusal);
	}
	item = vici_load_shared(&x, root, &why);
	if (item)
		TAILQ_INSERT_TAIL(&x.items, item, link);
	if (file)
		config_free(config_build(file, NULL, &x, NULL, &errors));
	cfg_errors_free(&errors);
	settings_free(file);
	extra_free(&x);
}

static void round_trip(const uint8_t *body, size_t len)
{
	enum { HEAD = VICI_HEADER_LEN + 1 };		/* length and packet type */
	struct vici_builder b;
	const char *why;
	struct vici_node *root = vici_tree_parse(body, len, &why);
	uint8_t *packet;
	size_t got;

	if (!root)
		return;
	vici_begin(&b, VICI_CMD_RESPONSE, NULL);
	encode(&b, root);
	packet = vici_finish(&b, &got, &why);
	if (!has_binary_item(root) &&
	    (!packet || got != HEAD + len || memcmp(packet + HEAD, body, len)))
		abort();
	free(packet);
	load(root);
	vici_tree_free(root);
}

/* "later" is answered after all input, "stats" by an error, all else at once. */
static bool on_command(void *host, struct vici_session *s, const char *name,
		       const struct vici_node *args)
{
	struct ike_match match;
	const char *why = "";

	if (!strcmp(name, "absent"))
		return false;
	if (!strcmp(name, "later"))
		return true;
	if (vici_get_match(args, &match, &why))
		vici_session_reply_error(s, "%s", why);
	else
		vici_session_reply_ok(s);
	return true;
}

/* Every packet that goes out must be one that a client can read. */
static void on_output(void *host, struct vici_session *s, uint8_t *data, size_t len)
{
	struct vici_packet p;
	const char *why;

	if (vici_packet_parse(&p, data + VICI_HEADER_LEN, len - VICI_HEADER_LEN, &why))
		abort();
	free(data);
}

static void feed(struct vici_session *s, const uint8_t *data, size_t len)
{
	const char *why = NULL;

	if (vici_session_input(s, data, len, &why) && !why)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const struct vici_session_ops ops = { .command = on_command, .output = on_output };
	struct vici_session *s;
	size_t cut;

	if (!len)
		return 0;
	round_trip(data + 1, len - 1);
	s = vici_session_new(&ops, NULL);
	cut = 1 + *data % len;
	feed(s, data + 1, cut - 1);
	feed(s, data + cut, len - cut);
	if (vici_session_busy(s))
		vici_session_reply_ok(s);
	vici_session_free(s);
	return 0;
}
