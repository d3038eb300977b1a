// SPDX-License-Identifier: MIT
/*
 * IKE_AUTH (RFC 7296 sections 1.2, 2.15), both roles, and the first CHILD_SA along with it.
 * Pre-shared keys are proven here and at once, signatures by jobs (prove.c).
 */
#include <inttypes.h>
#include <string.h>

#include "ikev2/auth_eap.h"
#include "ikev2/conn.h"
#include "ikev2/connect.h"
#include "ikev2/cp.h"
#include "ikev2/intermediate.h"
#include "ikev2/mobike.h"
#include "ikev2/negotiate.h"
#include "ikev2/ppk.h"
#include "ikev2/prove.h"
#include "ikev2/reauth.h"
#include "ikev2/rounds.h"

static const char failed_tag[] = "AUTHENTICATION_FAILED";

bool ike_auth_value(const struct ike_sa *sa, bool of_initiator, struct ike_bytes secret,
		    struct ike_bytes id_body, struct ike_key *value, struct ike_error *err)
{
	bool ours = of_initiator == sa->initiator;
	uint8_t int_auth[IKE_INT_AUTH_MAX];

	return ike_keymat_auth_psk(sa->prf, secret,
				   ike_packet_bytes(ours ? &sa->init_sent : &sa->init_got),
				   ike_nonce_bytes(of_initiator ? &sa->nr : &sa->ni),
				   of_initiator ? &sa->keys.pi : &sa->keys.pr, id_body,
				   ike_intermediate_proof(sa, int_auth), value, err);
}

static void put_psk_auth(const struct ike_sa *sa, struct ike_writer *w, struct ike_bytes id_body)
{
	const struct ike_secret_cfg *secret =
		ike_psk_find(sa->config, &sa->local_id, &sa->remote_id);
	struct ike_key IKE_CLEARED_KEY value = {0};

	if (secret && ike_auth_value(sa, sa->initiator, ike_bytes(secret->key, secret->key_len),
				     id_body, &value, NULL))
		ike_put_auth(w, IKE_AUTH_METHOD_PSK, ike_key_bytes(&value));
	else
		w->overflow = true;
}

/*
 * Our ID payload and the AUTH payload that proves it, unless EAP will. Failure is an overflow of the
 * message.
 */
void ike_put_id_and_auth(const struct ike_sa *sa, struct ike_writer *w, const struct ike_id *idr)
{
	const struct ike_auth_cfg *own = ike_own_auth(sa);
	uint8_t body[IKE_ID_MAX + IKE_GENERIC_LEN];
	struct ike_bytes written;

	ike_put_identity(w, sa->initiator ? IKE_PAYLOAD_IDI : IKE_PAYLOAD_IDR, &sa->local_id,
			 &written);
	if (w->overflow || written.len > sizeof(body)) {
		w->overflow = true;
		return;
	}
	memcpy(body, written.p, written.len);
	if (own->method == IKE_AUTH_CFG_PUBKEY)
		ike_put_certs(w, sa);
	if (sa->state == IKE_SA_AUTH_SENT)
		ike_put_certreq(w, sa);
	if (idr)
		ike_put_identity(w, IKE_PAYLOAD_IDR, idr, NULL);
	if (own->method == IKE_AUTH_CFG_PUBKEY)
		ike_put_proof(w, sa);
	else if (own->method == IKE_AUTH_CFG_PSK)
		put_psk_auth(sa, w, ike_bytes(body, written.len));
}

static bool take_id(const struct ike_payloads *all, uint8_t type, struct ike_id *id,
		    struct ike_bytes *body, struct ike_error *err)
{
	const struct ike_payload *p = ike_payloads_find(all, type);
	struct ike_wire_id wire;

	if (!p)
		return ike_fail_notify(err, IKE_NOTIFY_INVALID_SYNTAX, "no %s payload",
				       ike_payload_name(type));
	*body = p->body;
	return ike_id_decode(p->body, &wire, err) && ike_id_from_wire(id, &wire, err);
}

/* Does the peer have the key that we share with it? */
static bool verify_psk(const struct ike_sa *sa, const struct ike_payloads *all,
		       const struct ike_id *id, struct ike_bytes id_body, struct ike_error *err)
{
	const struct ike_secret_cfg *secret =
		ike_psk_find(sa->config, &sa->local_id, &sa->remote_id);
	const struct ike_payload *p = ike_payloads_find(all, IKE_PAYLOAD_AUTH);
	struct ike_key IKE_CLEARED_KEY value = {0};
	char text[IKE_ID_TEXT_MAX];
	struct ike_wire_auth auth;

	ike_id_text(id, text, sizeof(text));
	if (!secret)
		return ike_fail_notify(err, IKE_NOTIFY_AUTHENTICATION_FAILED,
				       "there is no pre-shared key for peer %.100s", text);
	if (!p)
		return ike_fail_notify(
			err, IKE_NOTIFY_AUTHENTICATION_FAILED,
			"peer %.100s sends no AUTH payload (EAP?), a pre-shared key is needed",
			text);
	if (!ike_auth_decode(p->body, &auth, err))
		return false;
	if (auth.method != IKE_AUTH_METHOD_PSK)
		return ike_fail_notify(
			err, IKE_NOTIFY_AUTHENTICATION_FAILED,
			"peer %.100s authenticates by %s, a pre-shared key is needed", text,
			ike_auth_method_name(auth.method));
	if (!ike_auth_value(sa, !sa->initiator, ike_bytes(secret->key, secret->key_len), id_body,
			    &value, err))
		return false;
	if (!ike_secret_equal(ike_ppk_proof(sa, all, auth.data), ike_key_bytes(&value)))
		return ike_fail_notify(err, IKE_NOTIFY_AUTHENTICATION_FAILED,
				       "the pre-shared key of peer %.100s is not ours", text);
	return true;
}

static bool uses_psk(const struct ike_conn_cfg *conn)
{
	return conn->local.method == IKE_AUTH_CFG_PSK || conn->remote.method == IKE_AUTH_CFG_PSK;
}

static bool uses_eap(const struct ike_auth_cfg *first, const struct ike_auth_more *more)
{
	const struct ike_auth_cfg *cfg;

	for (size_t i = 0; (cfg = ike_conn_round(first, more, i)); i++)
		if (cfg->method == IKE_AUTH_CFG_EAP)
			return true;
	return false;
}

/* The job has verified the peer's signature, or has not. */
static bool verified(struct ike_sa *sa, const struct ike_job *job, struct ike_error *err)
{
	char text[IKE_ID_TEXT_MAX];

	if (!job->ok) {
		*err = job->err;
		return false;
	}
	ike_sa_log(sa, IKE_LOG_INFO, "peer %s has proven its identity by %s",
		   ike_id_text(&job->proof->id, text, sizeof(text)), job->proof->by);
	ike_prove_note(sa, job);
	return true;
}

/* Users of EAP may all have the same identity in IKE: an address behind a NAT is that of many. */
static bool same_user(const struct ike_sa *a, const struct ike_sa *b)
{
	return a->user && b->user ? !strcmp(a->user, b->user) : a->user == b->user;
}

static bool same_peer(const struct ike_sa *a, const struct ike_sa *b)
{
	return a != b && !strcmp(a->conn->name, b->conn->name) &&
	       ike_id_equal(&a->local_id, &b->local_id) &&
	       ike_id_equal(&a->remote_id, &b->remote_id) && same_user(a, b);
}

/*
 * Both ends have begun at once, and there are two IKE SAs where one was meant. Both know both: that
 * with the lower initiator's SPI goes, deleted by who began it.
 */
static void settle_twins(struct ike_sa *sa)
{
	struct ike_sa *other = NULL, *twin = NULL, *loser, *winner;

	if (sa->conn->unique == IKE_UNIQUE_NEVER)
		return;
	while ((other = ike_sa_kin(sa, other)))
		if (same_peer(sa, other) && ike_sa_usable(other) && other->began != sa->began &&
		    other->authenticated >= sa->created && (!twin || other->id < twin->id))
			twin = other;
	if (!twin)
		return;
	loser = sa->first_spi < twin->first_spi ? sa : twin;
	winner = loser == sa ? twin : sa;
	ike_sa_log(loser, IKE_LOG_INFO, "one too many, both ends began at once: %s deletes it",
		   loser->began ? "this end" : "the peer");
	if (loser->began) {
		ike_sa_delete_replaced(loser);
		return;
	}
	/* Lets the peer know that it may delete its own: we can receive on this one. */
	ike_task_add(winner, &ike_task_liveness);
	ike_sa_work(winner);
}

static bool replaces_older(const struct ike_sa *sa, bool initial_contact)
{
	return sa->conn->unique == IKE_UNIQUE_REPLACE ||
	       (initial_contact && sa->conn->unique != IKE_UNIQUE_NEVER);
}

/*
 * Older IKE SAs with the same peer go: when it says so by INITIAL_CONTACT (section 2.4), or by our
 * own policy. What was authenticated after this one began cannot be from before a crash; what a
 * rekeying made since can, when the peer's last request came late.
 */
static void replace_older(struct ike_sa *sa, bool initial_contact)
{
	struct ike_sa *other, *next;

	if (!replaces_older(sa, initial_contact))
		return;
	for (other = ike_sa_kin(sa, NULL); other; other = next) {
		next = ike_sa_kin(sa, other);
		if (!same_peer(sa, other) || !ike_sa_usable(other) ||
		    other->authenticated >= sa->created)
			continue;
		if (initial_contact) {
			/* Without a DELETE: nobody would answer it. */
			ike_sa_close(other, IKE_END_REPLACED, false,
				     "the peer knows only its new one (INITIAL_CONTACT)");
			continue;
		}
		ike_sa_log(other, IKE_LOG_INFO, "replaced by %s[%" PRIu64 "]", sa->conn->name,
			   sa->id);
		ike_sa_delete_replaced(other);
	}
}

static void come_up(struct ike_sa *sa)
{
	char local[IKE_ID_TEXT_MAX], remote[IKE_ID_TEXT_MAX], suite[IKE_PROPOSAL_TEXT_MAX],
		addr[IKE_ADDR_TEXT_MAX];

	sa->identified = true;
	ike_sa_establish(sa);
	ike_sa_log(sa, IKE_LOG_INFO, "IKE SA is up as %s: %s with %s at %s, %s%s",
		   sa->initiator ? "initiator" : "responder",
		   ike_id_text(&sa->local_id, local, sizeof(local)),
		   ike_id_text(&sa->remote_id, remote, sizeof(remote)),
		   ike_addr_text(&sa->remote.addr, addr, sizeof(addr)),
		   ike_suite_text(&sa->suite, suite, sizeof(suite)), sa->has_ppk ? ", with PPK" : "");
	sa->announced = true;
	ike_emit(sa->engine, IKE_EVENT_IKE_UP, sa->id, 0, 0);
}

/* Initiator */

static bool has_sibling(const struct ike_sa *sa)
{
	struct ike_sa *other = NULL;

	while ((other = ike_sa_of_conn(sa->engine, sa->conn->name, other)))
		if (other != sa && other->state == IKE_SA_ESTABLISHED)
			return true;
	return false;
}

/* The peer has brought up meanwhile what this IKE SA is for. */
static bool is_late(struct ike_sa *sa)
{
	const struct ike_task *create = ike_task_find(sa, &ike_task_create, 0);

	return create && ike_is_up(sa->engine, sa->conn->name, create->cfg);
}

static bool settle_part(struct ike_sa *sa, struct ike_task *t)
{
	struct ike_task *create = t->create;

	ike_part_clear(&create->part);
	if (ike_coverage_rest(sa, create->cfg, create->cfg->single_pair, &create->part) !=
	    IKE_REST_UNKNOWN)
		return true;
	ike_task_fail(t, "out of memory");
	return false;
}

/*
 * The first CHILD_SA comes along, unless it is to be made apart (RFC 6023); without any the peer must
 * know how.
 */
static bool settle_first_child(struct ike_sa *sa, struct ike_task *t)
{
	enum ike_childless how = sa->conn->childless;
	bool apart = how == IKE_CHILDLESS_FORCE ||
		     (how == IKE_CHILDLESS_PREFER && sa->peer_childless);

	if (!apart)
		t->create = ike_task_take_create(sa, NULL);
	if (t->create)
		return settle_part(sa, t);
	if (how == IKE_CHILDLESS_NEVER)
		ike_task_fail(t, "childless = never: name a child");
	else if (!sa->peer_childless)
		ike_task_fail(t, "the peer makes no IKE SA without CHILD_SA (RFC 6023): %s",
			      apart ? "childless = force cannot be" : "name a child");
	return how != IKE_CHILDLESS_NEVER && sa->peer_childless;
}

static enum ike_step begin_round(struct ike_sa *sa, struct ike_task *t)
{
	const struct ike_auth_cfg *own = ike_own_auth(sa);

	return !own || own->method == IKE_AUTH_CFG_EAP ? IKE_STEP_SEND : ike_auth_prepare(sa, t);
}

static enum ike_step begin(struct ike_sa *sa, struct ike_task *t)
{
	struct ike_engine *e = sa->engine;
	struct ike_error err = {0};
	const char *why = "";

	if (!sa->reauth_of && is_late(sa)) {
		ike_task_end(sa, ike_task_take_create(sa, NULL), true, "");
		ike_sa_close(sa, IKE_END_REPLACED, false, "the peer was faster");
		return IKE_STEP_GONE;
	}
	if (!settle_first_child(sa, t))
		return IKE_STEP_FAILED;
	ike_conn_local_id(sa->conn, &sa->local.addr, &sa->local_id);
	sa->remote_id = sa->conn->remote.id;
	/* Whom we expect: an identity if one is configured, else the address. */
	if (sa->remote_id.type == IKE_ID_ANY && ike_reauth_old(sa))
		sa->remote_id = ike_reauth_old(sa)->remote_id;
	if (sa->remote_id.type == IKE_ID_ANY)
		ike_id_from_addr(&sa->remote_id, &sa->remote.addr);
	if (uses_psk(sa->conn) && !ike_psk_find(sa->config, &sa->local_id, &sa->remote_id))
		return ike_task_fail(t, "there is no pre-shared key for this peer");
	t->spi_at = sa->local.addr;
	if (t->create && e->ops->spi_alloc(e->host, &t->spi_at, &t->spi, &why))
		return ike_task_fail(t, "no SPI: %s", why);
	if (uses_eap(&sa->conn->remote, &sa->conn->remote_more))
		return ike_task_fail(t, "EAP is for who begins: the peer has to (remote.auth)");
	if (uses_eap(&sa->conn->local, &sa->conn->local_more) &&
	    sa->conn->remote.method != IKE_AUTH_CFG_PUBKEY)
		return ike_task_fail(t, "EAP needs a responder that proves itself by a signature");
	if (sa->conn->local_more.n && !sa->peer_rounds)
		return ike_task_fail(t, "the peer knows nothing of several rounds of authentication "
				     "(RFC 4739), and local has %zu", sa->conn->local_more.n + 1);
	return ike_ppk_begin(sa, &err) ? begin_round(sa, t) : ike_task_fail(t, "%s", err.text);
}

static void build_round(struct ike_sa *sa, struct ike_writer *w, const struct ike_id *idr)
{
	const struct ike_auth_cfg *own = ike_own_auth(sa);

	/* Only the peer has one: the message waits for it. */
	if (!own)
		return;
	ike_put_id_and_auth(sa, w, idr);
	if (own->method != IKE_AUTH_CFG_EAP)
		ike_put_another(w, sa, 1);
}

static void build(struct ike_sa *sa, struct ike_task *t, struct ike_writer *w)
{
	const struct ike_id *idr = ike_id_has_wildcard(&sa->conn->remote.id) ? NULL : &sa->conn->remote.id;

	if (sa->state == IKE_SA_ROUND_SENT) {
		build_round(sa, w, NULL);
		return;
	}
	if (sa->state != IKE_SA_AUTH_SENT) {
		ike_eap_build(sa, w);
		return;
	}
	build_round(sa, w, idr);
	ike_ppk_put(w, sa);
	ike_put_auth_methods(w, sa);
	if (ike_has_rounds(sa->conn))
		ike_put_notify(w, IKE_NOTIFY_MULTIPLE_AUTH_SUPPORTED, ike_bytes(NULL, 0));
	if (sa->conn->unique != IKE_UNIQUE_NEVER && !has_sibling(sa))
		ike_put_notify(w, IKE_NOTIFY_INITIAL_CONTACT, ike_bytes(NULL, 0));
	ike_mobike_put(w, sa);
	ike_cp_ask(w, sa);
	if (!t->create)
		return;
	ike_put_child_mode(w, sa, t->create, NULL);
	ike_put_child_sa(w, t->create->cfg, t->spi, true);
	ike_put_child_ts(w, sa, t->create, NULL);
}

/* Is that who the round of the peer's is for? */
static bool is_expected(const struct ike_sa *sa, const struct ike_id *id, struct ike_error *err)
{
	char want[IKE_ID_TEXT_MAX], got[IKE_ID_TEXT_MAX];
	const struct ike_id *expected = &ike_peer_auth(sa)->id;

	return ike_id_match(expected, id) ||
	       ike_fail_notify(err, IKE_NOTIFY_AUTHENTICATION_FAILED,
			       "the peer is %.90s, but %.90s is configured (remote.id)",
			       ike_id_text(id, got, sizeof(got)),
			       ike_id_text(expected, want, sizeof(want)));
}

/* Who the responder says it is. */
static bool identify_responder(struct ike_sa *sa, const struct ike_incoming *in, struct ike_id *id,
			       struct ike_bytes *body, struct ike_error *err)
{
	return take_id(&in->all, IKE_PAYLOAD_IDR, id, body, err) && is_expected(sa, id, err);
}

/* Section 2.21.2: the responder has an IKE SA and must learn that it is none. */
static enum ike_step refuse(struct ike_sa *sa, const char *why)
{
	ike_sa_log(sa, IKE_LOG_ERROR, "%s: %s", failed_tag, why);
	ike_sa_set_state(sa, IKE_SA_DELETING);
	ike_tasks_end(sa, why);
	if (ike_task_add(sa, &ike_task_refuse_auth))
		return IKE_STEP_GONE;
	ike_sa_close(sa, IKE_END_FAILED, false, why);
	return IKE_STEP_GONE;
}

static enum ike_step refused(struct ike_sa *sa, struct ike_task *t, const struct ike_incoming *in)
{
	char buf[32], id[IKE_ID_TEXT_MAX];
	struct ike_wire_notify n;

	if (!ike_find_error(&in->all, &n))
		return ike_task_fail(t, "the peer's answer to IKE_AUTH holds nothing");
	ike_task_fail(t, "the peer refuses our identity %.100s or key: %s",
		      ike_id_text(&sa->local_id, id, sizeof(id)), ike_notify_text(n.type, buf));
	return IKE_STEP_FAILED;
}

/* The rest of it, if there is any, is a task of its own. */
static void end_create(struct ike_sa *sa, struct ike_task *create, enum ike_step step)
{
	if (step == IKE_STEP_AGAIN)
		ike_task_put_back(sa, create);
	else
		ike_task_end(sa, create, step == IKE_STEP_DONE, create->why);
}

/* The peer has a CHILD_SA now; if we cannot have it, the IKE SA goes with it. */
static void child_answered(struct ike_sa *sa, struct ike_task *create, uint32_t *spi,
			   const struct ike_incoming *in)
{
	struct ike_choice choice;
	struct ike_making m = {
		.choice = &choice,
		.initiator = true,
		.spi = spi,
		.ni = &sa->ni,
		.nr = &sa->nr,
	};
	struct ike_error err = {0};

	if (ike_cp_take(sa, &in->all, &err) &&
	    ike_child_check(sa, &in->all, create, NULL, true, &choice, &err) &&
	    ike_child_make(sa, &m, &err)) {
		end_create(sa, create, ike_create_goes_on(sa, create));
		return;
	}
	ike_sa_log(sa, IKE_LOG_ERROR, "child %s: %s", create->cfg->name, err.text);
	ike_task_end(sa, create, false, err.text);
	ike_sa_delete_replaced(sa);
}

/* Addresses for CHILD_SAs to come; without them the IKE SA is of no use. */
static void addresses_answered(struct ike_sa *sa, const struct ike_incoming *in)
{
	struct ike_error err = {0};

	if (ike_cp_take(sa, &in->all, &err))
		return;
	ike_sa_log(sa, IKE_LOG_ERROR, "%s", err.text);
	ike_sa_delete_replaced(sa);
}

static enum ike_step up(struct ike_sa *sa, struct ike_task *t, const struct ike_incoming *in)
{
	struct ike_task *create = t->create;

	ike_mobike_agree(sa, &in->all);
	come_up(sa);
	ike_reauth_take(sa, &in->all);
	t->create = NULL;
	if (create && (in->form == IKE_FORM_AUTH_ANSWER || in->form == IKE_FORM_EAP_ANSWER ||
		       in->form == IKE_FORM_ROUND_LAST_ANSWER))
		child_answered(sa, create, &t->spi, in);
	else if (create)
		end_create(sa, create, ike_create_refused(sa, create, &in->all));
	else
		addresses_answered(sa, in);
	/* Two of the same only if this one is to stay. */
	if (sa->state == IKE_SA_ESTABLISHED) {
		ike_mobike_begin(sa);
		settle_twins(sa);
	}
	return sa->task == t ? IKE_STEP_DONE : IKE_STEP_GONE;
}

/* A round of ours has been taken: it is up, or another one follows, of either end's. */
enum ike_step ike_auth_round_taken(struct ike_sa *sa, struct ike_task *t,
				   const struct ike_incoming *in)
{
	const struct ike_auth_cfg *own;
	struct ike_wire_notify n;

	if (ike_own_auth(sa))
		sa->own_round++;
	own = ike_own_auth(sa);
	if (!own && !ike_peer_auth(sa))
		return up(sa, t, in);
	if (ike_find_error(&in->all, &n))
		return refused(sa, t, in);
	if (ike_round_premature(&in->all))
		return refuse(sa, "the peer makes a CHILD_SA before the last round of "
				  "authentication");
	if (own)
		ike_round_local_id(own, &sa->local.addr, &sa->local_id);
	ike_sa_set_state(sa, IKE_SA_ROUND_SENT);
	return begin_round(sa, t);
}

/* What of the answer is about us: the responder's proof, if it had one, is verified. */
static enum ike_step about_us(struct ike_sa *sa, struct ike_task *t, struct ike_incoming *in)
{
	const struct ike_auth_cfg *own = ike_own_auth(sa);

	if (sa->state == IKE_SA_EAP_SENT || sa->state == IKE_SA_EAP_PROVING)
		return ike_eap_answered(sa, t, in);
	return own && own->method == IKE_AUTH_CFG_EAP ? ike_eap_first_answer(sa, t, in) :
							ike_auth_round_taken(sa, t, in);
}

static enum ike_step peer_proven(struct ike_sa *sa, struct ike_task *t, struct ike_incoming *in,
				 const struct ike_id *id)
{
	struct ike_error err = {0};

	sa->remote_id = *id;
	if (!ike_packet_set(&sa->peer_body, ike_payloads_find(&in->all, IKE_PAYLOAD_IDR)->body))
		return ike_task_fail(t, "out of memory");
	return ike_round_over(sa, &in->all, &err) ? about_us(sa, t, in) : refuse(sa, err.text);
}

static void verified_answer(struct ike_sa *sa, const struct ike_job *job, struct ike_incoming *in)
{
	struct ike_error err = {0};

	if (verified(sa, job, &err))
		ike_task_step(sa, peer_proven(sa, sa->task, in, &job->proof->id));
	else
		ike_task_step(sa, refuse(sa, err.text));
}

/* The answer has the responder's proof. */
static enum ike_step take_proof(struct ike_sa *sa, struct ike_task *t, struct ike_incoming *in)
{
	struct ike_error err = {0};
	struct ike_bytes body;
	struct ike_id id;

	if (!ike_peer_auth(sa))
		return refuse(sa, "the peer proves itself in more rounds than remote has");
	if (!identify_responder(sa, in, &id, &body, &err) ||
	    (!sa->peer_round && !ike_ppk_answered(sa, &in->all, &err)))
		return refuse(sa, err.text);
	if (ike_peer_auth(sa)->method == IKE_AUTH_CFG_PUBKEY)
		return ike_prove_verify(sa, IKE_ASKING, &id, body, verified_answer, in, &err) ?
		       IKE_STEP_WAIT : refuse(sa, err.text);
	if (!verify_psk(sa, &in->all, &id, body, &err))
		return refuse(sa, err.text);
	return peer_proven(sa, t, in, &id);
}

/* RFC 4739: of several rounds the last may be answered with the refusal of the CHILD_SA alone. */
static bool is_refusal(const struct ike_incoming *in)
{
	struct ike_wire_notify n;

	return in->form == IKE_FORM_NOTIFY ||
	       (in->form == IKE_FORM_ROUND_ANSWER && ike_find_error(&in->all, &n) &&
		!ike_refuses_child_only(n.type));
}

static enum ike_step answered(struct ike_sa *sa, struct ike_task *t, struct ike_incoming *in)
{
	bool begins = sa->state == IKE_SA_AUTH_SENT || sa->state == IKE_SA_ROUND_SENT;
	const struct ike_auth_cfg *own = ike_own_auth(sa);
	bool eap = ike_payloads_find(&in->all, IKE_PAYLOAD_EAP);

	if (is_refusal(in))
		return refused(sa, t, in);
	if (begins && eap != (own && own->method == IKE_AUTH_CFG_EAP))
		return ike_task_fail(t, "%s", eap ?
				     "the peer wants EAP of us, local.auth does not" :
				     "the peer lets us in without EAP (local.auth): it need not be "
				     "who we think it is");
	if (ike_payloads_find(&in->all, IKE_PAYLOAD_IDR))
		return take_proof(sa, t, in);
	if (begins && ike_peer_auth(sa))
		return refuse(sa, "the peer does not prove itself, and another round of it is due "
				  "(remote)");
	return about_us(sa, t, in);
}

const struct ike_task_kind ike_task_auth = {
	.name = "IKE_AUTH",
	.exchange = IKE_EXCHANGE_AUTH,
	.begin = begin,
	.build = build,
	.answered = answered,
};

/* Responder */

void ike_auth_log_refusal(struct ike_sa *sa, const struct ike_error *err)
{
	char addr[IKE_ADDR_TEXT_MAX];
	bool auth = err->notify == IKE_NOTIFY_AUTHENTICATION_FAILED;

	sa->engine->counters.refused++;
	ike_sa_log(sa, IKE_LOG_ERROR, "%s%s%s (from %s)", auth ? failed_tag : "", auth ? ": " : "",
		   err->text, ike_addr_text(&sa->remote.addr, addr, sizeof(addr)));
}

void ike_auth_refuse_request(struct ike_sa *sa, const struct ike_incoming *in,
			     const struct ike_error *err)
{
	ike_auth_log_refusal(sa, err);
	ike_sa_answer_error(sa, in, err);
	ike_sa_close(sa, IKE_END_FAILED, true, "the peer is not authenticated");
}

/* By which method the peer begins. What is no AUTH payload is refused where it is looked at. */
static enum ike_auth_method method_of(const struct ike_payloads *all)
{
	const struct ike_payload *p = ike_payloads_find(all, IKE_PAYLOAD_AUTH);
	struct ike_error unused = {0};
	struct ike_wire_auth auth;

	if (!p)
		return IKE_AUTH_CFG_EAP;
	if (ike_auth_decode(p->body, &auth, &unused) && auth.method == IKE_AUTH_METHOD_PSK)
		return IKE_AUTH_CFG_PSK;
	return IKE_AUTH_CFG_PUBKEY;
}

static bool identify(struct ike_sa *sa, const struct ike_incoming *in, struct ike_bytes *body,
		     struct ike_error *err)
{
	char them[IKE_ID_TEXT_MAX], us[IKE_ID_TEXT_MAX];
	struct ike_id idi, idr = {0};
	const struct ike_conn_cfg *conn;
	struct ike_bytes unused;

	if (!take_id(&in->all, IKE_PAYLOAD_IDI, &idi, body, err))
		return false;
	if (ike_payloads_find(&in->all, IKE_PAYLOAD_IDR) &&
	    !take_id(&in->all, IKE_PAYLOAD_IDR, &idr, &unused, err))
		return false;
	conn = ike_conn_identify(sa, &idi, &idr, method_of(&in->all),
				 ike_find_notify(&in->all, IKE_NOTIFY_ANOTHER_AUTH_FOLLOWS, NULL));
	if (!conn)
		return ike_fail_notify(
			err, IKE_NOTIFY_AUTHENTICATION_FAILED,
			"no connection is for peer %.80s%s%.80s (remote.id, local.id)",
			ike_id_text(&idi, them, sizeof(them)), idr.type ? ", who wants " : "",
			idr.type ? ike_id_text(&idr, us, sizeof(us)) : "");
	ike_sa_set_conn(sa, conn);
	sa->remote_id = idi;
	sa->peer_rounds = ike_find_notify(&in->all, IKE_NOTIFY_MULTIPLE_AUTH_SUPPORTED, NULL);
	ike_conn_local_id(conn, &sa->local.addr, &sa->local_id);
	return true;
}

bool ike_auth_may_stay(const struct ike_sa *sa, bool initial_contact,
		       struct ike_error *err)
{
	struct ike_sa *other = NULL;

	if (sa->conn->unique != IKE_UNIQUE_KEEP || initial_contact)
		return true;
	while ((other = ike_sa_kin(sa, other)))
		if (same_peer(sa, other) && other->state == IKE_SA_ESTABLISHED)
			return ike_fail_notify(err, IKE_NOTIFY_AUTHENTICATION_FAILED,
					       "the peer has an IKE SA already (unique = keep)");
	return true;
}

static bool may_be_childless(const struct ike_sa *sa, const struct ike_incoming *in,
			     struct ike_error *err)
{
	if (sa->conn->childless != IKE_CHILDLESS_NEVER ||
	    in->form != IKE_FORM_AUTH_CHILDLESS_REQUEST)
		return true;
	return ike_fail_notify(err, IKE_NOTIFY_INVALID_SYNTAX,
			       "the peer wants no CHILD_SA, and childless = never");
}

static void put_child(struct ike_sa *sa, const struct ike_incoming *in, bool share,
		      struct ike_writer *w)
{
	struct ike_engine *e = sa->engine;
	struct ike_choice choice;
	struct ike_error err = {0};
	const char *why = "";
	uint32_t spi = 0;
	struct ike_making m = {
		.choice = &choice,
		.spi = &spi,
		.ni = &sa->ni,
		.nr = &sa->nr,
	};
	struct ike_child *c = NULL;

	if (sa->conn->childless == IKE_CHILDLESS_FORCE)
		ike_fail(&err, "the peer wants one along with the IKE SA, and childless = force");
	else if (ike_cp_answer(w, sa, &in->all, share, &err) &&
	    ike_child_choose(sa, &in->all, NULL, true, &choice, &err)) {
		if (e->ops->spi_alloc(e->host, &sa->local.addr, &spi, &why))
			ike_fail(&err, "no SPI: %s", why);
		else
			c = ike_child_make(sa, &m, &err);
	}
	if (spi)
		e->ops->spi_free(e->host, &sa->local.addr, spi);
	if (!c) {
		ike_sa_log(sa, IKE_LOG_ERROR, "no CHILD_SA: %s", err.text);
		ike_put_notify(w, err.notify ? err.notify : IKE_NOTIFY_NO_ADDITIONAL_SAS,
			       ike_bytes(NULL, 0));
		return;
	}
	/* Without this answer the peer has no IKE SA, and hears nothing else. */
	c->proven = true;
	ike_put_choice_mode(w, &choice);
	ike_put_choice_sa(w, &choice, c->spi_in);
	ike_put_choice_ts(w, &choice);
}

/* Of an IKE SA without CHILD_SA. */
static void put_addresses(struct ike_sa *sa, const struct ike_incoming *in, bool share,
			  struct ike_writer *w)
{
	struct ike_error err = {0};

	if (ike_cp_answer(w, sa, &in->all, share, &err))
		return;
	ike_sa_log(sa, IKE_LOG_ERROR, "%s", err.text);
	ike_put_notify(w, err.notify, ike_bytes(NULL, 0));
}

/* Our proof, if one is due; after EAP it is by its key. */
static void put_own_round(struct ike_sa *sa, struct ike_writer *w)
{
	if (sa->eap) {
		ike_eap_put_auth(sa, w);
		if (sa->peer_round == 1)
			ike_ppk_put(w, sa);
	} else if (ike_own_auth(sa)) {
		ike_put_id_and_auth(sa, w, NULL);
		if (!sa->own_round++)
			ike_ppk_put(w, sa);
	}
}

void ike_auth_keep_first(struct ike_sa *sa, struct ike_incoming *in)
{
	if (!sa->first)
		sa->first = ike_incoming_ref(in);
}

/* The last answer to @in. @asked: the first request, with what is asked for. */
static void answer_last(struct ike_sa *sa, struct ike_incoming *in,
			const struct ike_incoming *asked)
{
	bool initial_contact = ike_find_notify(&asked->all, IKE_NOTIFY_INITIAL_CONTACT, NULL);
	struct ike_outgoing o;

	ike_outgoing_begin(&o, sa, IKE_EXCHANGE_AUTH, in->header.message_id, true);
	put_own_round(sa, &o.w);
	ike_mobike_agree(sa, &asked->all);
	ike_mobike_put(&o.w, sa);
	ike_reauth_put(&o.w, sa);
	come_up(sa);
	if (asked->form == IKE_FORM_AUTH_REQUEST)
		put_child(sa, asked, replaces_older(sa, initial_contact), &o.w);
	else
		put_addresses(sa, asked, replaces_older(sa, initial_contact), &o.w);
	ike_sa_answer(sa, in, &o);
	replace_older(sa, initial_contact);
	settle_twins(sa);
	ike_sa_work(sa);
}

/* Another round follows, of either end's. What is asked for is given in the last. */
static void answer_round(struct ike_sa *sa, struct ike_incoming *in)
{
	struct ike_outgoing o;

	ike_outgoing_begin(&o, sa, IKE_EXCHANGE_AUTH, in->header.message_id, true);
	put_own_round(sa, &o.w);
	ike_put_another(&o.w, sa, 0);
	ike_sa_answer(sa, in, &o);
	ike_auth_eap_free(sa->eap);
	sa->eap = NULL;
	ike_auth_keep_first(sa, in);
	ike_sa_set_state(sa, IKE_SA_ROUND_DUE);
}

/* Does no round follow on the answer that is being made? Behind EAP it has no proof but EAP's. */
static bool is_last(const struct ike_sa *sa)
{
	return !ike_peer_auth(sa) && sa->own_round + !sa->eap >= 1 + sa->conn->local_more.n;
}

static void answer_proven(struct ike_sa *sa, struct ike_incoming *in)
{
	struct ike_incoming *first = sa->first;

	if (!is_last(sa)) {
		answer_round(sa, in);
		return;
	}
	sa->first = NULL;
	answer_last(sa, in, first ? first : in);
	ike_incoming_unref(first);
}

/* The peer may have got another IKE SA meanwhile. */
static bool may_stay(const struct ike_sa *sa, const struct ike_incoming *in, struct ike_error *err)
{
	const struct ike_incoming *asked = sa->first ? sa->first : in;

	return ike_auth_may_stay(
		sa, ike_find_notify(&asked->all, IKE_NOTIFY_INITIAL_CONTACT, NULL), err);
}

static void signed_answer(struct ike_sa *sa, const struct ike_job *job, struct ike_incoming *in)
{
	struct ike_error err = job->err;

	ike_prove_done(sa, job);
	if (job->ok && may_stay(sa, in, &err))
		answer_proven(sa, in);
	else
		ike_auth_refuse_request(sa, in, &err);
}

/* The initiator is who it says, as far as that goes: now this end. */
static void prove_next(struct ike_sa *sa, struct ike_incoming *in)
{
	const struct ike_auth_cfg *own = sa->eap ? NULL : ike_own_auth(sa);
	struct ike_error err = {0};

	if (!may_stay(sa, in, &err) ||
	    (own && own->method == IKE_AUTH_CFG_PSK &&
	     !ike_auth_methods_take_psk(&sa->peer_takes, &err))) {
		ike_auth_refuse_request(sa, in, &err);
		return;
	}
	if (own)
		ike_round_local_id(own, &sa->local.addr, &sa->local_id);
	if (!own || own->method != IKE_AUTH_CFG_PUBKEY) {
		answer_proven(sa, in);
		return;
	}
	/* A fault of ours, but without our proof there is no IKE SA. */
	if (!ike_prove(sa, IKE_ANSWERING, &in->all, signed_answer, in, &err)) {
		err.notify = IKE_NOTIFY_AUTHENTICATION_FAILED;
		ike_auth_refuse_request(sa, in, &err);
	}
}

void ike_auth_peer_proven(struct ike_sa *sa, struct ike_incoming *in)
{
	struct ike_error err = {0};

	if (ike_round_over(sa, &in->all, &err))
		prove_next(sa, in);
	else
		ike_auth_refuse_request(sa, in, &err);
}

static void verified_request(struct ike_sa *sa, const struct ike_job *job, struct ike_incoming *in)
{
	struct ike_error err = {0};

	if (verified(sa, job, &err))
		ike_auth_peer_proven(sa, in);
	else
		ike_auth_refuse_request(sa, in, &err);
}

/* The peer says who it is, and proves it, or will by EAP. */
static void take_round(struct ike_sa *sa, struct ike_incoming *in, struct ike_bytes body)
{
	const struct ike_auth_cfg *peer = ike_peer_auth(sa);
	struct ike_error err = {0};

	if (peer->method == IKE_AUTH_CFG_EAP) {
		ike_eap_first_request(sa, in, body);
	} else if (peer->method == IKE_AUTH_CFG_PUBKEY) {
		if (!ike_prove_verify(sa, IKE_ANSWERING, &sa->remote_id, body, verified_request,
				      in, &err))
			ike_auth_refuse_request(sa, in, &err);
	} else if (verify_psk(sa, &in->all, &sa->remote_id, body, &err)) {
		ike_auth_peer_proven(sa, in);
	} else {
		ike_auth_refuse_request(sa, in, &err);
	}
}

static void first_request(struct ike_sa *sa, struct ike_incoming *in)
{
	struct ike_error err = {0};
	struct ike_bytes body;

	ike_auth_methods_find(&in->all, &sa->peer_takes);
	if (identify(sa, in, &body, &err) && may_be_childless(sa, in, &err) &&
	    ike_ppk_requested(sa, &in->all, &err))
		take_round(sa, in, body);
	else
		ike_auth_refuse_request(sa, in, &err);
}

static bool identify_again(struct ike_sa *sa, const struct ike_incoming *in,
			   struct ike_bytes *body, struct ike_error *err)
{
	struct ike_id id;

	if (!ike_peer_auth(sa))
		return ike_fail_notify(err, IKE_NOTIFY_AUTHENTICATION_FAILED,
				       "the peer proves itself in more rounds than remote has");
	if (!take_id(&in->all, IKE_PAYLOAD_IDI, &id, body, err) || !is_expected(sa, &id, err))
		return false;
	sa->remote_id = id;
	return true;
}

static void round_request(struct ike_sa *sa, struct ike_incoming *in)
{
	struct ike_error err = {0};
	struct ike_bytes body;

	if (in->form == IKE_FORM_ROUND_WAIT && !ike_peer_auth(sa)) {
		prove_next(sa, in);
		return;
	}
	if (in->form == IKE_FORM_ROUND_WAIT)
		ike_fail_notify(&err, IKE_NOTIFY_AUTHENTICATION_FAILED,
				"the peer does not prove itself, and another round of it is due "
				"(remote)");
	else if (identify_again(sa, in, &body, &err)) {
		take_round(sa, in, body);
		return;
	}
	ike_auth_refuse_request(sa, in, &err);
}

void ike_auth_request(struct ike_sa *sa, struct ike_incoming *in)
{
	if (sa->state == IKE_SA_INIT_GOT)
		first_request(sa, in);
	else if (sa->state == IKE_SA_ROUND_DUE)
		round_request(sa, in);
	else
		ike_eap_request(sa, in);
}
