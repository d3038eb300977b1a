// SPDX-License-Identifier: MIT
/* Counters that are not zero, each with what it means. */
#include <string.h>

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

void show_stats(const struct page *p, const struct vici_node *stats)
{
	const struct vici_node *ike = vici_child(stats, "ike"), *drops = vici_child(stats, "drops");
	const struct vici_node *n;
	bool any = false;

	for (n = ike ? ike->child : NULL; n; n = n->next) {
		if (is_zero(n->value))
			continue;
		page_line(p, 0, n->name, "%s %s", n->value, ike_meaning(n->name));
		any = true;
	}
	for (n = drops ? drops->child : NULL; n; n = n->next) {
		if (is_zero(vici_get(n, "count")))
			continue;
		page_line(p, 0, n->name, "%s packets dropped: %s", vici_get(n, "count"),
			  get_or(n, "meaning", "?"));
		any = true;
	}
	if (!any)
		fputs("all counters are zero\n", p->out);
}
