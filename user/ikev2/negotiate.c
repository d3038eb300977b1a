// SPDX-License-Identifier: MIT
/* What both ends must agree on for a CHILD_SA. */
#include <string.h>

#include "ikev2/cp.h"
#include "ikev2/negotiate.h"

enum {
	EXPLAIN_MAX = 3000
};

/* How well a peer's selectors fit a child, the best last. */
enum {
	FITS_IN_PART = 1,
	FITS_WHOLE,
	FITS_EXACTLY
};
enum {
	MODES = 2 /* of two that fit as well, the one in the mode that is asked for */
};

static struct ike_bytes spi_bytes(uint32_t spi, uint8_t buf[IKE_ESP_SPI_LEN])
{
	struct ike_writer w;

	ike_writer_init(&w, buf, IKE_ESP_SPI_LEN);
	ike_put32(&w, spi);
	return ike_written(&w);
}

void ike_put_child_sa(struct ike_writer *w, const struct ike_child_cfg *cfg, uint32_t spi,
		      bool without_ke)
{
	uint8_t buf[IKE_ESP_SPI_LEN];

	ike_put_proposals(w, &cfg->proposals, spi_bytes(spi, buf), without_ke);
}

struct both_ts {
	struct ike_ts local[IKE_TS_MAX], remote[IKE_TS_MAX];
	size_t n_local, n_remote;
};

/* Transport mode (sections 1.3.1 and 2.23.1) */

/* The one host that all selectors of the list mean. */
static bool is_host(const struct ike_ts *list, size_t n, struct ike_addr *host)
{
	for (size_t i = 0; i < n; i++)
		if (!ike_addr_equal(&list[i].first, &list[0].first) ||
		    !ike_addr_equal(&list[i].last, &list[0].first))
			return false;
	*host = n ? list[0].first : (struct ike_addr){0};
	return n;
}

/* Only their addresses change: protocol and ports stay. */
static void set_host(struct ike_ts *list, size_t n, const struct ike_addr *host)
{
	struct ike_ts at = ike_ts_of_addr(host);

	for (size_t i = 0; i < n; i++)
		list[i].first = list[i].last = at.first;
}

static bool is_end(const struct ike_ts *list, size_t n, const struct ike_endpoint *end)
{
	struct ike_addr host;

	return is_host(list, n, &host) && ike_addr_equal(&host, &end->addr);
}

static bool between_ends(const struct ike_sa *sa, const struct both_ts *ts)
{
	return is_end(ts->local, ts->n_local, &sa->local) &&
	       is_end(ts->remote, ts->n_remote, &sa->remote);
}

/*
 * Each end speaks of the addresses that it sees. What a NAT has made of them is put in their place
 * (section 2.23.1).
 */
static void see_through_nat(const struct ike_sa *sa, struct both_ts *ts)
{
	if (sa->nat_local)
		set_host(ts->local, ts->n_local, &sa->local.addr);
	if (sa->nat_remote)
		set_host(ts->remote, ts->n_remote, &sa->remote.addr);
}

/* Where both ends are, or were when something was asked for. */
struct places {
	const struct ike_addr *local, *remote;
};

static struct places places_now(const struct ike_sa *sa)
{
	return (struct places){&sa->local.addr, &sa->remote.addr};
}

/*
 * What we allow, or offer of it, to ends at @at. A rekeyed CHILD_SA is offered what it has: never
 * narrower than in use (section 2.9.2), and nothing that the peer has refused once. In transport
 * mode that is the ends themselves, wherever they are now.
 */
static void our_ts(const struct ike_sa *sa, const struct ike_child_cfg *cfg,
		   const struct ike_part *part, const struct ike_child *like,
		   const struct places *at, struct both_ts *ts)
{
	struct ike_part from = {cfg->local_ts, cfg->remote_ts, cfg->n_local_ts, cfg->n_remote_ts};

	if (like)
		from = (struct ike_part){like->local_ts, like->remote_ts, like->n_local_ts,
					 like->n_remote_ts};
	else if (part && part->n_local)
		from = *part;
	ts->n_local = ike_cp_resolve(sa, true, at->local, from.local, from.n_local, ts->local);
	ts->n_remote = ike_cp_resolve(sa, false, at->remote, from.remote, from.n_remote,
				      ts->remote);
	if (like && like->transport) {
		set_host(ts->local, ts->n_local, at->local);
		set_host(ts->remote, ts->n_remote, at->remote);
	}
}

static bool wants_transport(const struct ike_sa *sa, const struct ike_task *t,
			    const struct ike_child *like)
{
	const struct places now = places_now(sa);
	struct both_ts ts;

	if (like ? !like->transport : t->cfg->mode != IKE_MODE_TRANSPORT)
		return false;
	our_ts(sa, t->cfg, &t->part, like, &now, &ts);
	return between_ends(sa, &ts);
}

void ike_put_child_mode(struct ike_writer *w, const struct ike_sa *sa, struct ike_task *t,
			const struct ike_child *like)
{
	t->transport = wants_transport(sa, t, like);
	t->asked_local = sa->local.addr;
	t->asked_remote = sa->remote.addr;
	if (t->transport)
		ike_put_notify(w, IKE_NOTIFY_USE_TRANSPORT_MODE, ike_bytes(NULL, 0));
	else if (!like && t->cfg->mode == IKE_MODE_TRANSPORT)
		ike_sa_log(sa, IKE_LOG_INFO,
			   "child %s: not between the addresses of the IKE SA: tunnel mode",
			   t->cfg->name);
}

void ike_put_child_ts(struct ike_writer *w, const struct ike_sa *sa, const struct ike_task *t,
		      const struct ike_child *like)
{
	const struct places now = places_now(sa);
	struct both_ts ts;

	our_ts(sa, t->cfg, &t->part, like, &now, &ts);
	ike_put_ts_list(w, IKE_PAYLOAD_TSI, ts.local, ts.n_local);
	ike_put_ts_list(w, IKE_PAYLOAD_TSR, ts.remote, ts.n_remote);
}

void ike_put_choice_sa(struct ike_writer *w, const struct ike_choice *c, uint32_t spi)
{
	uint8_t buf[IKE_ESP_SPI_LEN];

	ike_put_suite(w, &c->suite, spi_bytes(spi, buf));
}

void ike_put_choice_mode(struct ike_writer *w, const struct ike_choice *c)
{
	if (c->transport)
		ike_put_notify(w, IKE_NOTIFY_USE_TRANSPORT_MODE, ike_bytes(NULL, 0));
}

/* The initiator's selectors are the remote ones here. */
void ike_put_choice_ts(struct ike_writer *w, const struct ike_choice *c)
{
	struct ike_ts local[IKE_TS_MAX], remote[IKE_TS_MAX];

	memcpy(local, c->local, c->n_local * sizeof(*local));
	memcpy(remote, c->remote, c->n_remote * sizeof(*remote));
	if (c->transport) {
		set_host(local, c->n_local, &c->told_local);
		set_host(remote, c->n_remote, &c->told_remote);
	}
	ike_put_ts_list(w, IKE_PAYLOAD_TSI, remote, c->n_remote);
	ike_put_ts_list(w, IKE_PAYLOAD_TSR, local, c->n_local);
	if (c->more)
		ike_put_notify(w, IKE_NOTIFY_ADDITIONAL_TS_POSSIBLE, ike_bytes(NULL, 0));
}

static bool decode_ts(const struct ike_payloads *all, uint8_t local_type, uint8_t remote_type,
		      struct both_ts *ts, struct ike_error *err)
{
	const struct ike_payload *local = ike_payloads_find(all, local_type);
	const struct ike_payload *remote = ike_payloads_find(all, remote_type);

	if (!local || !remote)
		return ike_fail_notify(err, IKE_NOTIFY_INVALID_SYNTAX, "no traffic selectors");
	return ike_ts_decode(local->body, ts->local, IKE_TS_MAX, &ts->n_local, err) &&
	       ike_ts_decode(remote->body, ts->remote, IKE_TS_MAX, &ts->n_remote, err);
}

static void log_ts(const struct ike_sa *sa, const char *what, const struct ike_child_cfg *cfg,
		   const struct both_ts *ours, const struct both_ts *theirs)
{
	char a[4 * IKE_TS_TEXT_MAX], b[4 * IKE_TS_TEXT_MAX], c[4 * IKE_TS_TEXT_MAX],
		d[4 * IKE_TS_TEXT_MAX];

	ike_sa_log(sa, IKE_LOG_ERROR, "TS_UNACCEPTABLE: child %s has %s === %s, %s %s === %s",
		   cfg->name, ike_ts_list_text(ours->local, ours->n_local, a, sizeof(a)),
		   ike_ts_list_text(ours->remote, ours->n_remote, b, sizeof(b)), what,
		   ike_ts_list_text(theirs->local, theirs->n_local, c, sizeof(c)),
		   ike_ts_list_text(theirs->remote, theirs->n_remote, d, sizeof(d)));
}

static bool contains(const struct both_ts *outer, const struct both_ts *inner)
{
	return ike_ts_subset(outer->local, outer->n_local, inner->local, inner->n_local) &&
	       ike_ts_subset(outer->remote, outer->n_remote, inner->remote, inner->n_remote);
}

/* How well @offer fits what @cfg allows, to which @choice is narrowed; 0: not at all. */
static unsigned int narrow(const struct ike_sa *sa, const struct ike_child_cfg *cfg,
			   const struct both_ts *offer, struct ike_choice *choice)
{
	const struct places now = places_now(sa);
	struct both_ts ours;

	our_ts(sa, cfg, NULL, NULL, &now, &ours);
	choice->whole = contains(offer, &ours);
	choice->n_local = ike_ts_narrow(ours.local, ours.n_local, offer->local, offer->n_local,
					choice->local, IKE_TS_MAX);
	choice->n_remote = ike_ts_narrow(ours.remote, ours.n_remote, offer->remote, offer->n_remote,
					 choice->remote, IKE_TS_MAX);
	if (!choice->n_local || !choice->n_remote)
		return 0;
	if (!contains(&ours, offer))
		return FITS_IN_PART;
	return choice->whole ? FITS_EXACTLY : FITS_WHOLE;
}

/* What the peer asks for. */
struct offer {
	bool transport;
	struct both_ts told; /* as it says */
	struct both_ts seen; /* if @transport: as it is here */
};

static bool take_offer(const struct ike_sa *sa, const struct ike_payloads *all, struct offer *offer,
		       struct ike_error *err)
{
	struct ike_addr host;

	/* TSi is the peer's side. */
	if (!decode_ts(all, IKE_PAYLOAD_TSR, IKE_PAYLOAD_TSI, &offer->told, err))
		return false;
	offer->transport = ike_find_notify(all, IKE_NOTIFY_USE_TRANSPORT_MODE, NULL) &&
			   is_host(offer->told.local, offer->told.n_local, &host) &&
			   is_host(offer->told.remote, offer->told.n_remote, &host);
	offer->seen = offer->told;
	if (offer->transport)
		see_through_nat(sa, &offer->seen);
	return true;
}

/*
 * Two hosts behind one NAT look like one: packets to both would go to the last that came. Its own
 * older SA is in nobody's way.
 */
static bool is_taken(const struct ike_sa *sa, const struct ike_choice *choice)
{
	const struct ike_child *c;
	const struct ike_sa *other;
	struct ike_ts both;

	TAILQ_FOREACH(other, &sa->engine->sas, link) {
		if (ike_id_equal(&other->remote_id, &sa->remote_id))
			continue;
		TAILQ_FOREACH(c, &other->children, link)
			for (size_t i = 0; c->transport && i < c->n_remote_ts; i++)
				for (size_t k = 0; k < choice->n_remote; k++)
					if (ike_ts_intersect(&c->remote_ts[i], &choice->remote[k],
							     &both))
						return true;
	}
	return false;
}

static unsigned int try_transport(const struct ike_sa *sa, const struct ike_child_cfg *cfg,
				  const struct offer *offer, struct ike_choice *choice)
{
	unsigned int fit = narrow(sa, cfg, &offer->seen, choice);

	if (!fit || !is_end(choice->local, choice->n_local, &sa->local) ||
	    !is_end(choice->remote, choice->n_remote, &sa->remote))
		return 0;
	if (is_taken(sa, choice)) {
		ike_sa_log(sa, IKE_LOG_ERROR,
			   "child %s: another peer has transport mode at the same address", cfg->name);
		return 0;
	}
	choice->transport = true;
	choice->told_local = offer->told.local[0].first;
	choice->told_remote = offer->told.remote[0].first;
	return fit;
}

/* As above, in the mode that is asked for if @cfg has it, else in tunnel mode. */
static unsigned int fit_child(const struct ike_sa *sa, const struct ike_child_cfg *cfg,
			      const struct offer *offer, struct ike_choice *choice)
{
	unsigned int fit;

	choice->transport = false;
	if (offer->transport && cfg->mode == IKE_MODE_TRANSPORT) {
		fit = try_transport(sa, cfg, offer, choice);
		if (fit)
			return MODES * fit + 1;
	}
	fit = narrow(sa, cfg, &offer->told, choice);
	return fit ? MODES * fit + (!offer->transport && cfg->mode == IKE_MODE_TUNNEL) : 0;
}

/* The configured child that the offer fits best; NULL: none. */
static const struct ike_child_cfg *find_child(const struct ike_sa *sa, const struct offer *offer,
					      struct ike_choice *choice)
{
	const struct ike_child_cfg *best = NULL;
	unsigned int best_fit = 0, fit;

	for (size_t i = 0; i < sa->conn->n_children; i++) {
		if (ike_is_shunt(&sa->conn->children[i]))
			continue;
		fit = fit_child(sa, &sa->conn->children[i], offer, choice);
		if (fit <= best_fit)
			continue;
		best_fit = fit;
		best = &sa->conn->children[i];
	}
	return best;
}

static bool refuse_ts(const struct ike_sa *sa, const struct both_ts *offer, struct ike_error *err)
{
	const struct places now = places_now(sa);
	struct both_ts ours;

	for (size_t i = 0; i < sa->conn->n_children; i++) {
		if (ike_is_shunt(&sa->conn->children[i]))
			continue;
		our_ts(sa, &sa->conn->children[i], NULL, NULL, &now, &ours);
		log_ts(sa, "the peer offers", &sa->conn->children[i], &ours, offer);
	}
	return ike_fail_notify(err, IKE_NOTIFY_TS_UNACCEPTABLE,
			       "the traffic selectors have nothing in common");
}

/* Has another child some of the offer that @choice has not? */
static bool others_have(const struct ike_sa *sa, const struct offer *offer,
			const struct ike_choice *choice)
{
	struct ike_choice other;

	for (size_t i = 0; i < sa->conn->n_children; i++) {
		const struct ike_child_cfg *cfg = &sa->conn->children[i];

		if (cfg == choice->cfg || ike_is_shunt(cfg) || !narrow(sa, cfg, &offer->told, &other))
			continue;
		if (!ike_ts_subset(choice->local, choice->n_local, other.local, other.n_local) ||
		    !ike_ts_subset(choice->remote, choice->n_remote, other.remote, other.n_remote))
			return true;
	}
	return false;
}

static bool is_single(const struct ike_ts *ts)
{
	return ike_addr_equal(&ts->first, &ts->last);
}

/*
 * single_pair (section 2.9): of an offer that begins with a packet's addresses, or is a single pair
 * itself, what has these; of others it is not known which pair is meant.
 */
static bool choose_pair(const struct both_ts *offer, struct ike_choice *choice,
			struct ike_error *err)
{
	if (choice->n_local == 1 && choice->n_remote == 1)
		return true;
	if ((offer->n_local > 1 || offer->n_remote > 1) &&
	    !(is_single(&offer->local[0]) && is_single(&offer->remote[0])))
		return ike_fail_notify(err, IKE_NOTIFY_SINGLE_PAIR_REQUIRED,
				       "child %s: single_pair = yes, and the peer asks for more "
				       "than one pair of selectors", choice->cfg->name);
	choice->n_local = choice->n_remote = 1;
	choice->whole = false;
	choice->more = true;
	return true;
}

static bool take_peer_spi(struct ike_choice *choice, struct ike_error *err)
{
	struct ike_cursor c = ike_cursor(ike_bytes(choice->suite.spi, choice->suite.spi_len));

	choice->spi = ike_get32(&c);
	if (choice->suite.spi_len != IKE_ESP_SPI_LEN || !choice->spi)
		return ike_fail_notify(err, IKE_NOTIFY_INVALID_SYNTAX,
				       "SA payload: no SPI for ESP");
	return true;
}

static bool choose_suite(struct ike_sa *sa, const struct ike_payloads *all, bool in_auth,
			 struct ike_choice *choice, struct ike_error *err)
{
	const struct ike_payload *p = ike_payloads_find(all, IKE_PAYLOAD_SA);
	const struct ike_payload *ke = ike_payloads_find(all, IKE_PAYLOAD_KE);
	struct ike_select how = {.without_ke = in_auth};
	struct ike_proposal_list theirs = {0};
	char why[EXPLAIN_MAX];
	struct ike_wire_ke wire;
	bool ok;

	if (ke && ike_ke_decode(ke->body, &wire, NULL))
		how.ke = wire.group;
	if (!ike_proposal_list_decode(&theirs, p->body, err)) {
		ike_proposal_list_clear(&theirs);
		return false;
	}
	ok = ike_proposal_select(&choice->cfg->proposals, &theirs, &how, &choice->suite);
	if (!ok) {
		ike_sa_log(sa, IKE_LOG_ERROR, "NO_PROPOSAL_CHOSEN: child %s: %s", choice->cfg->name,
			   ike_proposal_explain(&choice->cfg->proposals, &theirs, &how, why,
						sizeof(why)));
		ike_fail_notify(err, IKE_NOTIFY_NO_PROPOSAL_CHOSEN,
				"the proposals have nothing in common");
	}
	ike_proposal_list_clear(&theirs);
	return ok && take_peer_spi(choice, err);
}

bool ike_child_choose(struct ike_sa *sa, const struct ike_payloads *all,
		      const struct ike_child *old, bool in_auth, struct ike_choice *choice,
		      struct ike_error *err)
{
	struct offer offer;

	*choice = (struct ike_choice){0};
	if (!take_offer(sa, all, &offer, err))
		return false;
	choice->config = old ? old->config : sa->config;
	choice->cfg = old ? old->cfg : find_child(sa, &offer, choice);
	if (!choice->cfg || !fit_child(sa, choice->cfg, &offer, choice))
		return refuse_ts(sa, &offer.told, err);
	if (offer.transport && !choice->transport)
		ike_sa_log(sa, IKE_LOG_INFO, "child %s: transport mode is declined: tunnel mode",
			   choice->cfg->name);
	if (!old && choice->cfg->single_pair && !choose_pair(&offer.told, choice, err))
		return false;
	if (!old && !choice->transport)
		choice->more |= others_have(sa, &offer, choice);
	return choose_suite(sa, all, in_auth, choice, err);
}

static bool check_suite(const struct ike_payloads *all, bool in_auth, struct ike_choice *choice,
			struct ike_error *err)
{
	const struct ike_payload *p = ike_payloads_find(all, IKE_PAYLOAD_SA);
	struct ike_proposal_list answer = {0};
	bool ok =
		ike_proposal_list_decode(&answer, p->body, err) &&
		ike_proposal_verify(&choice->cfg->proposals, in_auth, &answer, &choice->suite, err);

	ike_proposal_list_clear(&answer);
	return ok && take_peer_spi(choice, err);
}

/* The peer may decline transport mode, but not choose it. */
static bool check_mode(const struct ike_sa *sa, const struct ike_payloads *all,
		       const struct ike_task *t, bool *transport, struct ike_error *err)
{
	*transport = ike_find_notify(all, IKE_NOTIFY_USE_TRANSPORT_MODE, NULL);
	if (*transport && !t->transport)
		return ike_fail(err,
				"the peer answers with transport mode, which was not asked for");
	if (t->transport && !*transport)
		ike_sa_log(sa, IKE_LOG_INFO, "child %s: the peer declines transport mode: tunnel mode",
			   t->cfg->name);
	return true;
}

/* What a NAT has made of the ends' addresses may be in the answer of a peer that does not undo it. */
static void as_asked(const struct ike_sa *sa, const struct ike_task *t, struct both_ts *answer)
{
	if (sa->nat_local)
		set_host(answer->local, answer->n_local, &t->asked_local);
	if (sa->nat_remote)
		set_host(answer->remote, answer->n_remote, &t->asked_remote);
}

bool ike_child_check(struct ike_sa *sa, const struct ike_payloads *all, const struct ike_task *t,
		     const struct ike_child *old, bool in_auth, struct ike_choice *choice,
		     struct ike_error *err)
{
	const struct places then = {&t->asked_local, &t->asked_remote};
	struct both_ts ours, answer;

	choice->config = t->config;
	choice->cfg = t->cfg;
	if (!check_suite(all, in_auth, choice, err) ||
	    !check_mode(sa, all, t, &choice->transport, err) ||
	    !decode_ts(all, IKE_PAYLOAD_TSI, IKE_PAYLOAD_TSR, &answer, err))
		return false;
	our_ts(sa, t->cfg, &t->part, old, &then, &ours);
	if (choice->transport)
		as_asked(sa, t, &answer);
	if (!ike_ts_subset(ours.local, ours.n_local, answer.local, answer.n_local) ||
	    !ike_ts_subset(ours.remote, ours.n_remote, answer.remote, answer.n_remote)) {
		log_ts(sa, "the peer answers", t->cfg, &ours, &answer);
		return ike_fail(err, "the peer answers with selectors that were not offered");
	}
	memcpy(choice->local, answer.local, sizeof(answer.local));
	memcpy(choice->remote, answer.remote, sizeof(answer.remote));
	choice->n_local = answer.n_local;
	choice->n_remote = answer.n_remote;
	choice->more = ike_find_notify(all, IKE_NOTIFY_ADDITIONAL_TS_POSSIBLE, NULL);
	choice->whole = !choice->more && !t->part.n_local;
	choice->claim = choice->more ? NULL : &t->part;
	return true;
}

static bool refuse_ke(uint16_t wanted, uint16_t got, uint8_t answer[2], struct ike_error *err)
{
	answer[0] = wanted >> 8;
	answer[1] = wanted;
	return ike_fail_notify(err, IKE_NOTIFY_INVALID_KE_PAYLOAD,
			       "key exchange %s where %s is needed",
			       ike_transform_id_name(IKE_TRANSFORM_KE, got),
			       ike_transform_id_name(IKE_TRANSFORM_KE, wanted));
}

bool ike_ke_check(const struct ike_payloads *all, uint16_t wanted, struct ike_bytes *peer,
		  uint8_t answer[2], struct ike_error *err)
{
	const struct ike_payload *p = ike_payloads_find(all, IKE_PAYLOAD_KE);
	struct ike_wire_ke ke = {0};

	*peer = ike_bytes(NULL, 0);
	if (wanted == IKE_KE_NONE)
		return true;
	if (p && !ike_ke_decode(p->body, &ke, err))
		return false;
	if (ke.group != wanted)
		return refuse_ke(wanted, ke.group, answer, err);
	*peer = ke.data;
	if (!peer->len)
		return ike_fail_notify(err, IKE_NOTIFY_INVALID_SYNTAX, "KE payload: empty");
	return true;
}

uint16_t ike_ke_retry(const struct ike_wire_notify *n, const struct ike_proposal_list *list,
		      uint16_t sent)
{
	struct ike_cursor c = ike_cursor(n->data);
	uint16_t group = ike_get16(&c);

	if (c.bad || group == sent || !ike_dh_find(group) ||
	    !ike_proposal_has(list, IKE_TRANSFORM_KE, group))
		return 0;
	return group;
}

const char *ike_child_refused(struct ike_sa *sa, const struct ike_child_cfg *cfg,
			      const struct ike_payloads *all, char *why, size_t cap)
{
	char ours[EXPLAIN_MAX], theirs[EXPLAIN_MAX], buf[32];
	struct ike_wire_notify n = {0};
	struct ike_text text;

	ike_text_init(&text, why, cap);
	ike_text_add(&text, "the peer refuses child %.60s: %s", cfg->name,
		     ike_find_error(all, &n) ? ike_notify_text(n.type, buf) : "no reason given");
	if (n.type == IKE_NOTIFY_NO_PROPOSAL_CHOSEN)
		ike_sa_log(sa, IKE_LOG_ERROR, "%s; configured: %s", why,
			   ike_proposal_list_text(&cfg->proposals, ours, sizeof(ours)));
	else if (n.type == IKE_NOTIFY_TS_UNACCEPTABLE)
		ike_sa_log(sa, IKE_LOG_ERROR, "%s; configured: %s === %s", why,
			   ike_ts_list_text(cfg->local_ts, cfg->n_local_ts, ours, sizeof(ours)),
			   ike_ts_list_text(cfg->remote_ts, cfg->n_remote_ts, theirs,
					    sizeof(theirs)));
	else
		ike_sa_log(sa, IKE_LOG_ERROR, "%s", why);
	return why;
}
