// SPDX-License-Identifier: MIT
/* A policy as the module holds it: for people, and as columns for scripts. */
#include <inttypes.h>

#include "module.h"

static const char *direction(uint32_t value)
{
	return value == ESPLANE_DIRECTION_IN ? "in" : "out";
}

static const char *action(uint32_t value)
{
	switch (value) {
	case ESPLANE_ACTION_PROTECT:
		return "protect";
	case ESPLANE_ACTION_BYPASS:
		return "bypass";
	case ESPLANE_ACTION_DISCARD:
		return "discard";
	default:
		return "?";		/* of a newer module */
	}
}

static bool wants_sa(const struct dp_policy *policy)
{
	return policy->direction == ESPLANE_DIRECTION_OUT &&
	       policy->action == ESPLANE_ACTION_PROTECT;
}

void show_spd_entry(const struct page *p, const struct dp_policy *policy)
{
	char text[SELECTOR_TEXT_MAX];
	size_t i;

	page_line(p, 0, "policy", "%s %s #%u", direction(policy->direction),
		  action(policy->action), policy->id);
	page_line(p, 2, "priority", "%u", policy->priority);
	for (i = 0; i < policy->n_selectors; i++)
		page_line(p, 2, "traffic", "%s", selector_text(&policy->selectors[i], text));
	if (policy->if_id)
		page_line(p, 2, "interface", "if_id %u", policy->if_id);
	if (policy->sa_id)
		page_line(p, 2, "sa", "#%u", policy->sa_id);
	else if (wants_sa(policy))
		page_line(p, 2, "sa", "none yet");
	if (policy->left_seconds)
		page_line(p, 2, "ends", "in %u seconds", policy->left_seconds);
	if (policy->packets)
		page_line(p, 2, "packets", "%" PRIu64, policy->packets);
}

void dump_spd_entry(FILE *out, const struct dp_policy *policy)
{
	char text[SELECTOR_TEXT_MAX];
	size_t i;

	fprintf(out, "%u\t%s\t%s\t%u\t%u\t%u\t%" PRIu64, policy->id,
		direction(policy->direction), action(policy->action), policy->priority,
		policy->sa_id, policy->if_id, policy->packets);
	for (i = 0; i < policy->n_selectors; i++)
		fprintf(out, "%c%s", i ? ',' : '\t', selector_text(&policy->selectors[i], text));
	fputs(policy->n_selectors ? "\n" : "\t(none)\n", out);
}
