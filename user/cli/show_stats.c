// SPDX-License-Identifier: MIT
/* Counters that are not zero, each with what it means. */
#include <string.h>

#include "advice.h"
#include "show.h"

/* What the counters of the engine mean, for those whose name does not tell. */
static const struct {
	const char *key, *meaning;
} ike_meanings[] = {
	{ "received", "IKE messages" },
	{ "sent", "IKE messages" },
	{ "retransmitted", "requests sent again because no answer came" },
	{ "refused", "IKE messages that were malformed, out of order or not authentic" },
	{ "half-open", "IKE SAs whose peer is not authenticated yet" },
	{ "cookies-sent", "initiators that had to show they receive at their address" },
};

static const char *ike_meaning(const char *key)
{
	size_t i;

	for (i = 0; i < sizeof(ike_meanings) / sizeof(ike_meanings[0]); i++)
		if (!strcmp(ike_meanings[i].key, key))
			return ike_meanings[i].meaning;
	return "";
}

static bool is_zero(const char *value)
{
	return !value || !strcmp(value, "0");
}

static bool show_ike(const struct page *p, const struct vici_node *ike)
{
	const struct vici_node *n;
	bool any = false;

	for (n = ike ? ike->child : NULL; n; n = n->next) {
		if (is_zero(n->value))
			continue;
		page_line(p, 0, n->name, "%s %s", n->value, ike_meaning(n->name));
		any = true;
	}
	return any;
}

static bool show_packets(const struct page *p, const struct vici_node *esp, const char *label,
			 const char *packets, const char *bytes)
{
	char text[HUMAN_MAX];

	if (is_zero(vici_get(esp, packets)))
		return false;
	page_line(p, 0, label, "%s ESP packets, %s", vici_get(esp, packets),
		  human_bytes(get_number(esp, bytes), text));
	return true;
}

static bool show_drops(const struct page *p, const struct vici_node *drops)
{
	const struct vici_node *n;
	const char *count, *advice;
	bool any = false;

	for (n = drops ? drops->child : NULL; n; n = n->next) {
		count = vici_get(n, "count");
		if (is_zero(count))
			continue;
		page_line(p, 0, n->name, "%s packet%s dropped: %s", count,
			  strcmp(count, "1") ? "s" : "", get_or(n, "meaning", "?"));
		advice = advice_for(n->name);
		if (advice)
			page_line(p, 2, "look at", "%s", advice);
		any = true;
	}
	return any;
}

void show_stats(const struct page *p, const struct vici_node *stats)
{
	const struct vici_node *esp = vici_child(stats, "esp");
	bool any = show_ike(p, vici_child(stats, "ike"));

	any |= show_packets(p, esp, "decrypted", "packets-in", "bytes-in");
	any |= show_packets(p, esp, "encrypted", "packets-out", "bytes-out");
	any |= show_drops(p, vici_child(stats, "drops"));
	if (!any)
		fputs("all counters are zero\n", p->out);
}
