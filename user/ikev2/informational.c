// SPDX-License-Identifier: MIT
/*
 * INFORMATIONAL (RFC 7296 section 1.4): deletion, liveness, and the refusal of a responder's
 * authentication.
 */
#include "ikev2/child.h"
#include "ikev2/mobike.h"
#include "ikev2/spd.h"

/* Initiator: liveness (section 2.4) */

static enum ike_step begin_liveness(struct ike_sa *sa, struct ike_task *t)
{
	return IKE_STEP_SEND;
}

static void build_liveness(struct ike_sa *sa, struct ike_task *t, struct ike_writer *w)
{
	ike_mobike_put_check(w, sa);
}

static enum ike_step liveness_answered(struct ike_sa *sa, struct ike_task *t,
				       struct ike_incoming *in)
{
	ike_mobike_take_check(sa, in);
	return IKE_STEP_DONE;
}

const struct ike_task_kind ike_task_liveness = {
	.name = "liveness check",
	.exchange = IKE_EXCHANGE_INFORMATIONAL,
	.begin = begin_liveness,
	.build = build_liveness,
	.answered = liveness_answered,
};

/* Initiator: the responder did not prove who it is */

static void build_refusal(struct ike_sa *sa, struct ike_task *t, struct ike_writer *w)
{
	ike_put_notify(w, IKE_NOTIFY_AUTHENTICATION_FAILED, ike_bytes(NULL, 0));
}

static enum ike_step refusal_answered(struct ike_sa *sa, struct ike_task *t,
				      struct ike_incoming *in)
{
	ike_sa_close(sa, IKE_END_FAILED, false, "the peer did not prove who it is");
	return IKE_STEP_GONE;
}

const struct ike_task_kind ike_task_refuse_auth = {
	.name = "refusal",
	.exchange = IKE_EXCHANGE_INFORMATIONAL,
	.begin = begin_liveness,
	.build = build_refusal,
	.answered = refusal_answered,
};

/* Initiator: deletion of the IKE SA */

/* An IKE SA that goes for another one's sake stays until that can carry all that this one does. */
static bool is_needed(const struct ike_sa *sa)
{
	const struct ike_child *c, *heir;

	TAILQ_FOREACH(c, &sa->children, link) {
		heir = ike_spd_depends_on(c) ? ike_child_heir(c) : NULL;
		if (heir && heir->sa != sa && sa->engine->now < heir->installed + IKE_PROOF_TIME)
			return true;
	}
	return false;
}

static enum ike_step begin_delete_ike(struct ike_sa *sa, struct ike_task *t)
{
	return t->replaced && is_needed(sa) ? IKE_STEP_LATER : IKE_STEP_SEND;
}

static enum ike_end why_deleted(const struct ike_task *t)
{
	if (t->expired)
		return IKE_END_EXPIRED;
	return t->replaced ? IKE_END_REPLACED : IKE_END_COMMAND;
}

static const char *deletion_text(const struct ike_task *t)
{
	if (t->expired)
		return "its lifetime is over";
	return t->replaced ? "another has taken its place" : "deleted by this end";
}

static void build_delete_ike(struct ike_sa *sa, struct ike_task *t, struct ike_writer *w)
{
	ike_put_delete_ike(w);
}

static enum ike_step delete_ike_answered(struct ike_sa *sa, struct ike_task *t,
					 struct ike_incoming *in)
{
	enum ike_end how = why_deleted(t);
	const char *why = deletion_text(t);

	/* Done as it was meant, unlike all else that still waits. */
	ike_task_end(sa, t, true, "");
	ike_sa_close(sa, how, false, why);
	return IKE_STEP_GONE;
}

const struct ike_task_kind ike_task_delete_ike = {
	.name = "deletion of the IKE SA",
	.exchange = IKE_EXCHANGE_INFORMATIONAL,
	.begin = begin_delete_ike,
	.build = build_delete_ike,
	.answered = delete_ike_answered,
};

/* Initiator: deletion of a CHILD_SA */

/*
 * Of two that carry the same one goes: what it carried goes by the other from now on, as soon as the
 * peer is known to have that.
 */
static bool step_aside(struct ike_child *c)
{
	const struct ike_child *other = c->redundant ? ike_spd_beside(c) : NULL;

	if (other && !ike_child_is_known(other))
		return false;
	if (other)
		ike_spd_detach(c);
	return true;
}

static enum ike_step begin_delete_child(struct ike_sa *sa, struct ike_task *t)
{
	struct ike_child *c = ike_child_find(sa->engine, t->child_id), *heir;

	if (t->doomed_spi)
		return IKE_STEP_SEND;
	if (!c || c->sa != sa || c->state == IKE_CHILD_LINGERING)
		return IKE_STEP_DONE;
	heir = c->redundant && ike_spd_depends_on(c) ? ike_child_heir(c) : NULL;
	if (!ike_child_is_known(c) || (heir && sa->engine->now < heir->installed + IKE_PROOF_TIME))
		return IKE_STEP_LATER;
	if (!step_aside(c))
		return IKE_STEP_LATER;
	c->state = IKE_CHILD_DELETING;
	return IKE_STEP_SEND;
}

/* Section 1.4.1: the SPIs that the sender receives on. */
static void build_delete_child(struct ike_sa *sa, struct ike_task *t, struct ike_writer *w)
{
	struct ike_child *c = ike_child_find(sa->engine, t->child_id);

	ike_put_delete_esp(w, c ? &c->spi_in : &t->doomed_spi, 1);
}

static enum ike_step delete_child_answered(struct ike_sa *sa, struct ike_task *t,
					   struct ike_incoming *in)
{
	struct ike_child *c = ike_child_find(sa->engine, t->child_id);

	if (c)
		ike_child_deleted(c, why_deleted(t), deletion_text(t));
	return IKE_STEP_DONE;
}

const struct ike_task_kind ike_task_delete_child = {
	.name = "deletion of a CHILD_SA",
	.exchange = IKE_EXCHANGE_INFORMATIONAL,
	.begin = begin_delete_child,
	.build = build_delete_child,
	.answered = delete_child_answered,
};

/* Responder */

struct answer {
	uint32_t spis[IKE_CHILDREN_MAX];
	size_t n;
	bool ike;
	const char *why;
};

/*
 * Section 1.4.1: a pair goes as one. Section 2.25.1: what we are deleting too needs no word from
 * us.
 */
static void delete_spi(struct ike_sa *sa, uint32_t spi, struct answer *a)
{
	struct ike_child *c = ike_child_by_spi_out(sa, spi);
	bool crossed;

	if (!c) {
		ike_sa_log(sa, IKE_LOG_DEBUG, "the peer deletes SPI %08x, which is not there", spi);
		return;
	}
	crossed = c->state == IKE_CHILD_DELETING;
	if (!crossed && a->n < IKE_CHILDREN_MAX)
		a->spis[a->n++] = c->spi_in;
	ike_child_deleted(c, IKE_END_PEER, "deleted by the peer");
}

static void read_deletes(struct ike_sa *sa, const struct ike_payloads *all, struct answer *a)
{
	const struct ike_payload *p = NULL;
	struct ike_wire_delete d;

	while ((p = ike_payloads_find_next(all, IKE_PAYLOAD_DELETE, p))) {
		if (!ike_delete_decode(p->body, &d, NULL))
			continue;
		if (d.protocol == IKE_PROTO_IKE) {
			a->ike = true;
			a->why = "deleted by the peer";
		}
		for (size_t i = 0; d.protocol == IKE_PROTO_ESP && i < d.count; i++)
			delete_spi(sa, ike_delete_spi32(&d, i), a);
	}
}

static void read_notifies(struct ike_sa *sa, const struct ike_payloads *all, struct answer *a)
{
	struct ike_wire_notify n;
	char buf[32];

	if (!ike_find_error(all, &n))
		return;
	ike_sa_log(sa, IKE_LOG_ERROR, "the peer says: %s", ike_notify_text(n.type, buf));
	/* Section 2.21.2: it does not believe in our identity; it has given the IKE SA up. */
	if (n.type == IKE_NOTIFY_AUTHENTICATION_FAILED) {
		a->ike = true;
		a->why = sa->established ? "the peer does not accept our authentication "
					   "(AUTHENTICATION_FAILED)" :
					   "the peer gives up (AUTHENTICATION_FAILED)";
	}
}

static void end_by_peer(struct ike_sa *sa, const char *why)
{
	struct ike_sa *rival = ike_rekey_rival(sa);

	/* It deletes what its own rekey has replaced; ours is forgotten (section 2.25.2). */
	if (rival)
		ike_rekey_adopt(rival);
	ike_sa_close(sa, IKE_END_PEER, true, why);
	if (rival)
		ike_sa_work(rival);
}

static bool deletes_ike(const struct ike_payloads *all)
{
	const struct ike_payload *p = NULL;
	struct ike_wire_delete d;

	while ((p = ike_payloads_find_next(all, IKE_PAYLOAD_DELETE, p)))
		if (ike_delete_decode(p->body, &d, NULL) && d.protocol == IKE_PROTO_IKE)
			return true;
	return false;
}

void ike_informational_request(struct ike_sa *sa, struct ike_incoming *in)
{
	struct answer a = {.n = 0};
	struct ike_outgoing o;

	/*
	 * Who uses an IKE SA means it: the peer has gone on with what its rekey made, and moved its
	 * CHILD_SAs there.
	 */
	if (sa->rival_of && !deletes_ike(&in->all))
		ike_rekey_adopt(sa);
	read_notifies(sa, &in->all, &a);
	read_deletes(sa, &in->all, &a);
	ike_outgoing_begin(&o, sa, IKE_EXCHANGE_INFORMATIONAL, in->header.message_id, true);
	if (a.n && !a.ike)
		ike_put_delete_esp(&o.w, a.spis, a.n);
	if (!a.ike)
		ike_mobike_request(sa, in, &o.w);
	ike_sa_answer(sa, in, &o);
	if (a.ike) {
		end_by_peer(sa, a.why);
		return;
	}
	ike_sa_work(sa);
}
