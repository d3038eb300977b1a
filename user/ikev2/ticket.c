// SPDX-License-Identifier: MIT
/* Commands that take time. */
#include <stdio.h>
#include <stdlib.h>

#include "ikev2/ticket.h"

struct ike_ticket {
	TAILQ_ENTRY(ike_ticket) link;
	uint64_t id;
	unsigned int parts;
	bool failed;
	char why[240];
};

static struct ike_ticket *find(struct ike_engine *e, uint64_t id)
{
	struct ike_ticket *t;

	TAILQ_FOREACH(t, &e->tickets, link)
		if (t->id == id)
			return t;
	return NULL;
}

uint64_t ike_ticket_new(struct ike_engine *e)
{
	struct ike_ticket *t = calloc(1, sizeof(*t));

	if (!t)
		return 0;
	t->id = ++e->last_ticket;
	t->parts = 1;
	TAILQ_INSERT_TAIL(&e->tickets, t, link);
	return t->id;
}

void ike_ticket_hold(struct ike_engine *e, uint64_t id)
{
	struct ike_ticket *t = find(e, id);

	if (t)
		t->parts++;
}

void ike_ticket_done(struct ike_engine *e, uint64_t id, bool ok, const char *why)
{
	struct ike_ticket *t = id ? find(e, id) : NULL;

	if (!t)
		return;
	if (!ok && !t->failed) {
		t->failed = true;
		snprintf(t->why, sizeof(t->why), "%s", why);
	}
	if (--t->parts)
		return;
	e->ops->event(e->host, &(struct ike_event){
				       .type = IKE_EVENT_COMMAND_DONE,
				       .ticket = id,
				       .ok = !t->failed,
				       .text = t->why,
			       });
	TAILQ_REMOVE(&e->tickets, t, link);
	free(t);
}

void ike_tickets_free(struct ike_engine *e)
{
	struct ike_ticket *t;

	while ((t = TAILQ_FIRST(&e->tickets))) {
		TAILQ_REMOVE(&e->tickets, t, link);
		free(t);
	}
}
