// SPDX-License-Identifier: MIT
/* Of CHILD_SAs that both ends have made at once, which one stays (RFC 7296 sections 2.8.1, 2.25.1). */
#include "ikev2/rivals.h"

/* Initiator */

/* What cannot be sent on is no replacement: it goes, and @old stays. */
static void take_over(struct ike_child *c, struct ike_child *old)
{
	if (!ike_child_use(c))
		ike_child_delete(c, 0, false);
	else if (old)
		ike_child_delete(old, 0, false);
}

/*
 * Both ends have replaced @old. Whose exchange had the lowest nonce deletes what it made
 * (section 2.8.1).
 */
static void settle_rivals(struct ike_task *t, struct ike_child *c, struct ike_child *old,
			  struct ike_child *rival)
{
	if (ike_nonce_compare(&c->lower_nonce, &t->rival_nonce) < 0) {
		ike_child_is_redundant(c);
		c->predecessor = 0;
		if (old)
			old->successor = rival ? rival->id : 0;
		ike_child_delete(c, 0, false);
		return;
	}
	if (rival)
		ike_child_is_redundant(rival);
	take_over(c, old);
}

static void settle_twins(struct ike_sa *sa, struct ike_child *c)
{
	struct ike_child *twin = ike_child_twin(c);

	if (!twin)
		return;
	if (ike_child_survivor(c, twin) == twin)
		ike_child_delete(c, 0, false);
	else
		/* Lets the peer know that we can receive on it, so that it may delete its own. */
		ike_task_add(sa, &ike_task_liveness);
}

/* What was replaced had turned out one too many meanwhile: so has @c. */
static void settle_redundant(struct ike_child *c, struct ike_child *old)
{
	ike_child_is_redundant(c);
	if (c->first_ours)
		ike_child_delete(c, 0, false);
	ike_child_delete(old, 0, false);
}

void ike_rivals_settle(struct ike_sa *sa, struct ike_task *t, struct ike_child *c,
		       struct ike_child *old, struct ike_child *rival)
{
	/* A rival that has gone already leaves @c alone. */
	if (t->rivalled && (rival || !old)) {
		settle_rivals(t, c, old, rival);
		return;
	}
	if (old && old->redundant) {
		settle_redundant(c, old);
		return;
	}
	if (!t->child_id)
		settle_twins(sa, c);
	take_over(c, old);
}

/* Responder */

void ike_rivals_cross(struct ike_child *c)
{
	struct ike_child *twin = ike_child_twin(c);

	if (twin && ike_child_survivor(c, twin) == c)
		ike_child_delete(twin, 0, false);
}

void ike_rivals_note(struct ike_sa *sa, const struct ike_child *c, const struct ike_child *old)
{
	struct ike_task *t = ike_task_find(sa, &ike_task_rekey_child, old->id);

	if (!t)
		return;
	t->rivalled = true;
	t->rival_nonce = c->lower_nonce;
}
