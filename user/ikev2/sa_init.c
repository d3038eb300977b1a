// SPDX-License-Identifier: MIT
/*
 * IKE_SA_INIT (RFC 7296 section 1.2), both roles, with cookies (2.6), other groups (2.7) and NAT
 * detection (2.23).
 */
#include <string.h>

#include "ikev2/conn.h"
#include "ikev2/intermediate.h"
#include "ikev2/nat.h"
#include "ikev2/negotiate.h"
#include "ikev2/ppk.h"
#include "ikev2/prove.h"

enum {
	DEFAULT_COOKIE_THRESHOLD = 30,
	DEFAULT_COOKIE_THRESHOLD_IP = 3,
	DEFAULT_HALF_OPEN_LIMIT = 1000,
	DEFAULT_BLOCK_THRESHOLD = 20,
	RESTARTS_MAX = 5, /* cookies and groups that we follow */
	SENDS_AFTER_REFUSAL =
		3, /* section 2.21.1: a refusal that anybody can forge ends nothing at once */
	EXPLAIN_MAX = 3500,
	/*
	 * Makes up for CHILDLESS_IKEV2_SUPPORTED, CERTREQ for one anchor, and a few
	 * SUPPORTED_AUTH_METHODS.
	 */
	NONCE_MORE = 112,
};

/*
 * Section 2.23: from IKE_AUTH on, port 4500. A port that was configured stays. RFC 4555
 * section 3.3: also without a NAT, if there may be one where the ends move to.
 */
static void float_ports(struct ike_sa *sa)
{
	if (!ike_sa_udp_encap(sa) && !(sa->conn->mobike && sa->nat_aware))
		return;
	sa->local.port = IKE_PORT_NATT;
	if (sa->remote.port == IKE_PORT)
		sa->remote.port = IKE_PORT_NATT;
}

/* RFC 7383 section 2.3. */
static void put_fragmentation(struct ike_writer *w)
{
	ike_put_notify(w, IKE_NOTIFY_IKEV2_FRAGMENTATION_SUPPORTED, ike_bytes(NULL, 0));
}

/* What the peer's notifies say of it and of the way to it. */
static void read_notifies(struct ike_sa *sa, const struct ike_incoming *in)
{
	ike_nat_find(sa, in);
	sa->fragmentation =
		sa->conn->fragmentation != IKE_FRAGMENT_NO &&
		ike_find_notify(&in->all, IKE_NOTIFY_IKEV2_FRAGMENTATION_SUPPORTED, NULL);
	sa->use_ppk = ike_ppk_agreed(sa, &in->all);
	ike_auth_methods_find(&in->all, &sa->peer_takes);
	sa->peer_rounds = ike_find_notify(&in->all, IKE_NOTIFY_MULTIPLE_AUTH_SUPPORTED, NULL);
	sa->peer_childless = ike_find_notify(&in->all, IKE_NOTIFY_CHILDLESS_IKEV2_SUPPORTED, NULL);
}

static bool derive_keys(struct ike_sa *sa, const struct ike_job *job, struct ike_error *err)
{
	struct ike_key IKE_CLEARED_KEY skeyseed = {0};
	struct ike_bytes ni = ike_nonce_bytes(&sa->ni), nr = ike_nonce_bytes(&sa->nr);

	sa->prf = ike_prf_find(sa->suite.prf);
	if (!sa->prf)
		return ike_fail(err, "PRF %u is not supported", sa->suite.prf);
	sa->lower_nonce = *ike_nonce_lower(&sa->ni, &sa->nr);
	return ike_keymat_skeyseed(sa->prf, ni, nr, ike_secret_bytes(&job->secret), &skeyseed,
				   err) &&
	       ike_sa_set_keys(sa, &skeyseed, ni, nr, err);
}

/* Initiator */

static void generated(struct ike_sa *sa, const struct ike_job *job, struct ike_incoming *in)
{
	struct ike_task *t = sa->task;

	if (!job->ok) {
		ike_task_step(sa, ike_task_fail(t, "%s", job->err.text));
		return;
	}
	t->dh = job->key;
	ike_task_step(sa, IKE_STEP_SEND);
}

static enum ike_step generate(struct ike_sa *sa, struct ike_task *t)
{
	if (!ike_job_generate(sa, IKE_ASKING, t->group, ike_bytes(NULL, 0), generated, NULL))
		return ike_task_fail(t, "key exchange %u cannot be used", t->group);
	return IKE_STEP_WAIT;
}

static enum ike_step begin(struct ike_sa *sa, struct ike_task *t)
{
	t->group = ike_proposal_first_ke(&sa->conn->proposals);
	/* Longer than a responder's, so that its whole answer is no longer than our request. */
	ike_nonce_draw(sa, &sa->ni);
	ike_random_fill(&sa->engine->random, sa->ni.bytes + sa->ni.len, NONCE_MORE);
	sa->ni.len += NONCE_MORE;
	return generate(sa, t);
}

static void build(struct ike_sa *sa, struct ike_task *t, struct ike_writer *w)
{
	/* Section 2.6: the cookie comes first. */
	if (t->cookie_len)
		ike_put_notify(w, IKE_NOTIFY_COOKIE, ike_bytes(t->cookie, t->cookie_len));
	ike_put_proposals(w, &sa->conn->proposals, ike_bytes(NULL, 0), false);
	ike_put_ke(w, t->group, ike_dh_public(&t->dh));
	ike_put_nonce(w, ike_nonce_bytes(&sa->ni));
	ike_nat_put(w, sa, &sa->local, &sa->remote);
	if (sa->conn->fragmentation != IKE_FRAGMENT_NO)
		put_fragmentation(w);
	if (ike_proposal_has_addke(&sa->conn->proposals))
		ike_put_notify(w, IKE_NOTIFY_INTERMEDIATE_EXCHANGE_SUPPORTED, ike_bytes(NULL, 0));
	if (sa->conn->ppk_id.type != IKE_ID_ANY)
		ike_put_notify(w, IKE_NOTIFY_USE_PPK, ike_bytes(NULL, 0));
	ike_put_init_auth(w, sa, NULL);
}

/* The same exchange again, with another request under the same ID (sections 2.6, 2.7). */
static void restart(struct ike_sa *sa, struct ike_task *t)
{
	ike_sa_settle(sa);
	sa->window.next_id--;
	t->restarts++;
}

static enum ike_step take_cookie(struct ike_sa *sa, struct ike_task *t,
				 const struct ike_wire_notify *n)
{
	if (n->data.len < IKE_COOKIE_MIN || n->data.len > IKE_COOKIE_MAX)
		return IKE_STEP_WAIT;
	ike_sa_log(sa, IKE_LOG_DEBUG, "the peer wants a cookie");
	memcpy(t->cookie, n->data.p, n->data.len);
	t->cookie_len = n->data.len;
	restart(sa, t);
	return IKE_STEP_SEND;
}

static enum ike_step take_group(struct ike_sa *sa, struct ike_task *t,
				const struct ike_wire_notify *n)
{
	uint16_t group = ike_ke_retry(n, &sa->conn->proposals, t->group);

	if (!group)
		return IKE_STEP_WAIT;
	ike_sa_log(sa, IKE_LOG_INFO, "the peer wants key exchange %s",
		   ike_transform_id_name(IKE_TRANSFORM_KE, group));
	restart(sa, t);
	t->group = group;
	ike_dh_clear(&t->dh);
	return generate(sa, t);
}

static enum ike_step refused(struct ike_sa *sa, struct ike_task *t, const struct ike_incoming *in)
{
	char proposals[EXPLAIN_MAX], buf[32];
	struct ike_wire_notify n;

	if (!ike_find_error(&in->all, &n))
		return IKE_STEP_WAIT;
	if (t->refusals++)
		return IKE_STEP_WAIT;
	ike_task_fail(t, "the peer refuses IKE_SA_INIT: %s", ike_notify_text(n.type, buf));
	if (n.type == IKE_NOTIFY_NO_PROPOSAL_CHOSEN)
		ike_sa_log(
			sa, IKE_LOG_ERROR, "%s; offered: %s", t->why,
			ike_proposal_list_text(&sa->conn->proposals, proposals, sizeof(proposals)));
	else
		ike_sa_log(sa, IKE_LOG_ERROR, "%s", t->why);
	if (sa->sends_max > sa->sends + SENDS_AFTER_REFUSAL - 1)
		sa->sends_max = sa->sends + SENDS_AFTER_REFUSAL - 1;
	return IKE_STEP_WAIT;
}

static enum ike_step take_notify(struct ike_sa *sa, struct ike_task *t,
				 const struct ike_incoming *in)
{
	struct ike_wire_notify n;

	if (t->restarts < RESTARTS_MAX && ike_find_notify(&in->all, IKE_NOTIFY_COOKIE, &n))
		return take_cookie(sa, t, &n);
	if (t->restarts < RESTARTS_MAX &&
	    ike_find_notify(&in->all, IKE_NOTIFY_INVALID_KE_PAYLOAD, &n))
		return take_group(sa, t, &n);
	return refused(sa, t, in);
}

static void derived(struct ike_sa *sa, const struct ike_job *job, struct ike_incoming *in)
{
	struct ike_error err = job->err;

	if (!job->ok || !derive_keys(sa, job, &err)) {
		ike_task_step(sa, ike_task_fail(sa->task, "%s", err.text));
		return;
	}
	float_ports(sa);
	sa->addke = ike_suite_addke(&sa->suite, 0);
	ike_task_step(sa, ike_intermediate_go_on(sa));
}

static bool check_answer(struct ike_sa *sa, struct ike_task *t, const struct ike_incoming *in,
			 struct ike_bytes *peer, struct ike_error *err)
{
	const struct ike_payload *p = ike_payloads_find(&in->all, IKE_PAYLOAD_SA);
	struct ike_proposal_list answer = {0};
	uint8_t wanted[2];
	bool ok;

	if (!in->header.spi_r)
		return ike_fail(err, "the responder's SPI is 0");
	ok = ike_proposal_list_decode(&answer, p->body, err) &&
	     ike_proposal_verify(&sa->conn->proposals, false, &answer, &sa->suite, err) &&
	     ike_nonce_find(&in->all, &sa->nr, err) &&
	     ike_ke_check(&in->all, t->group, peer, wanted, err);
	ike_proposal_list_clear(&answer);
	if (ok && ike_suite_addke(&sa->suite, 0) < IKE_ADDKE_MAX &&
	    !ike_find_notify(&in->all, IKE_NOTIFY_INTERMEDIATE_EXCHANGE_SUPPORTED, NULL))
		return ike_fail(err, "the peer chose additional key exchanges, but knows no "
				"IKE_INTERMEDIATE");
	/* RFC 8784 section 3: nothing is authentic yet, the right answer may still come. */
	if (ok && sa->conn->ppk_required && !ike_ppk_agreed(sa, &in->all))
		return ike_fail(err, "the peer knows no PPKs (USE_PPK), and ppk_required = yes");
	if (ok && sa->suite.ke != t->group)
		return ike_fail(err, "the peer chose key exchange %u, but %u was sent",
				sa->suite.ke, t->group);
	return ok;
}

/*
 * Nothing here is authentic yet: what does not fit is dropped, and the right answer may still come.
 */
static enum ike_step answered(struct ike_sa *sa, struct ike_task *t, struct ike_incoming *in)
{
	struct ike_error err = {0};
	struct ike_bytes peer;

	if (sa->jobs[IKE_ASKING])
		return IKE_STEP_WAIT;
	if (in->form == IKE_FORM_NOTIFY)
		return take_notify(sa, t, in);
	if (!check_answer(sa, t, in, &peer, &err)) {
		ike_sa_log(sa, IKE_LOG_ERROR, "IKE_SA_INIT response not usable: %s", err.text);
		return IKE_STEP_WAIT;
	}
	if (!ike_packet_set(&sa->init_got, ike_bytes(in->bytes, in->len)))
		return IKE_STEP_WAIT;
	ike_sa_set_peer_spi(sa, in->header.spi_r);
	/* The host may have chosen the source address. */
	if (!sa->local.addr.family || ike_addr_unspecified(&sa->local.addr))
		sa->local = in->local;
	read_notifies(sa, in);
	ike_nat_log(sa);
	ike_sa_settle(sa);
	if (!ike_job_derive(sa, IKE_ASKING, &t->dh, peer, derived, NULL))
		return ike_task_fail(t, "out of memory");
	return IKE_STEP_WAIT;
}

const struct ike_task_kind ike_task_init = {
	.name = "IKE_SA_INIT",
	.exchange = IKE_EXCHANGE_SA_INIT,
	.begin = begin,
	.build = build,
	.answered = answered,
};

/* Responder */

/*
 * Without state: no IKE SA is made for it. Never longer than what came: its source may be somebody
 * else, who is not to be flooded.
 */
static void answer_stateless(struct ike_engine *e, const struct ike_incoming *in, uint16_t type,
			     struct ike_bytes data)
{
	uint8_t buf[IKE_HEADER_LEN + IKE_GENERIC_LEN + 4 + IKE_COOKIE_MAX];
	struct ike_header h = {
		.spi_i = in->header.spi_i,
		.exchange = IKE_EXCHANGE_SA_INIT,
		.flags = IKE_FLAG_RESPONSE,
	};
	struct ike_writer w;

	ike_writer_init(&w, buf, sizeof(buf));
	ike_message_begin(&w, &h);
	ike_put_notify(&w, type, data);
	if (ike_message_end(&w) && w.len <= in->len)
		ike_engine_send(e, &in->local, &in->remote, ike_written(&w));
}

/* The IKE SA that this request, or another with the same SPI from the same address, has made. */
static struct ike_sa *find_made(struct ike_engine *e, const struct ike_incoming *in)
{
	struct ike_node *node = NULL;

	while ((node = ike_table_find(&e->by_peer, in->header.spi_i, node))) {
		struct ike_sa *sa = ike_container(node, struct ike_sa, by_peer);

		if (ike_addr_equal(&sa->remote.addr, &in->remote.addr))
			return sa;
	}
	return NULL;
}

static bool cookie_is_good(struct ike_engine *e, const struct ike_incoming *in, struct ike_bytes ni)
{
	struct ike_wire_notify n;

	return ike_find_notify(&in->all, IKE_NOTIFY_COOKIE, &n) &&
	       ike_cookie_check(&e->jar, &e->random, e->now, ni, &in->remote.addr, in->header.spi_i,
				n.data);
}

static void ask_for_cookie(struct ike_engine *e, const struct ike_incoming *in, struct ike_bytes ni)
{
	uint8_t cookie[IKE_COOKIE_LEN];

	e->counters.cookies_sent++;
	if (ike_cookie_make(&e->jar, &e->random, e->now, ni, &in->remote.addr, in->header.spi_i,
			    cookie))
		answer_stateless(e, in, IKE_NOTIFY_COOKIE, ike_bytes(cookie, sizeof(cookie)));
}

static uint32_t or_default(uint32_t value, uint32_t otherwise)
{
	return value ? value : otherwise;
}

/*
 * True if the request may cost us something. What one source has half open without having shown
 * that it receives is kept so low that nobody can block another by using its address.
 */
static bool admit(struct ike_engine *e, const struct ike_incoming *in, struct ike_bytes ni,
		  bool proven)
{
	const struct ike_settings *s = &e->config->settings;
	uint32_t limit = or_default(s->half_open_limit, DEFAULT_HALF_OPEN_LIMIT);
	uint32_t block = or_default(s->block_threshold, DEFAULT_BLOCK_THRESHOLD);
	unsigned int of_source = ike_sa_half_open_of(e, &in->remote.addr);
	char from[IKE_ADDR_TEXT_MAX];

	if (!proven &&
	    (e->counters.half_open >= or_default(s->cookie_threshold, DEFAULT_COOKIE_THRESHOLD) ||
	     of_source >= or_default(s->cookie_threshold_ip, DEFAULT_COOKIE_THRESHOLD_IP))) {
		ask_for_cookie(e, in, ni);
		return false;
	}
	if (e->counters.half_open < limit && of_source < block)
		return true;
	e->counters.refused++;
	if (of_source < block)
		ike_stranger_log(e, IKE_LOG_DEBUG,
			"IKE_SA_INIT dropped: %u IKE SAs are half open already", limit);
	else
		ike_stranger_log(e, IKE_LOG_DEBUG,
			"IKE_SA_INIT dropped: %u IKE SAs of %s are half open already", block,
			ike_addr_text(&in->remote.addr, from, sizeof(from)));
	return false;
}

static void put_answer(struct ike_writer *w, const struct ike_sa *sa, struct ike_bytes public,
		       const struct ike_payloads *request)
{
	ike_put_suite(w, &sa->suite, ike_bytes(NULL, 0));
	ike_put_ke(w, sa->suite.ke, public);
	ike_put_nonce(w, ike_nonce_bytes(&sa->nr));
	if (sa->nat_aware)
		ike_nat_put(w, sa, &sa->local, &sa->remote);
	if (sa->conn->childless != IKE_CHILDLESS_NEVER)
		ike_put_notify(w, IKE_NOTIFY_CHILDLESS_IKEV2_SUPPORTED, ike_bytes(NULL, 0));
	if (sa->fragmentation)
		put_fragmentation(w);
	if (ike_suite_addke(&sa->suite, 0) < IKE_ADDKE_MAX)
		ike_put_notify(w, IKE_NOTIFY_INTERMEDIATE_EXCHANGE_SUPPORTED, ike_bytes(NULL, 0));
	if (sa->use_ppk)
		ike_put_notify(w, IKE_NOTIFY_USE_PPK, ike_bytes(NULL, 0));
	if (!sa->terse)
		ike_put_auth_methods(w, sa);
	ike_put_init_auth(w, sa, request);
}

/*
 * How long the answer will be, before anything has been computed for it. It is put together as the
 * real one will be, with zeros for SPI, nonce and public value, so that nothing can be left out.
 */
static size_t answer_len(struct ike_engine *e, const struct ike_incoming *in,
			 const struct ike_conn_cfg *conn, const struct ike_suite *suite, bool terse)
{
	static const uint8_t zeros[IKE_DH_PUBLIC_MAX];
	struct ike_sa like = {
		.engine = e,
		.config = e->config,
		.conn = conn,
		.local = in->local,
		.remote = in->remote,
		.spi_i = in->header.spi_i,
		.suite = *suite,
		.nr.len = IKE_NONCE_LEN,
		.terse = terse,
	};
	struct ike_outgoing o;

	read_notifies(&like, in);
	ike_outgoing_begin(&o, &like, IKE_EXCHANGE_SA_INIT, 0, true);
	put_answer(&o.w, &like, ike_bytes(zeros, ike_dh_answer_len(ike_dh_find(suite->ke))),
		   &in->all);
	return ike_message_end(&o.w) ? o.w.len : SIZE_MAX;
}

static void answer(struct ike_sa *sa, const struct ike_job *job, struct ike_incoming *in)
{
	struct ike_error err = job->err;
	struct ike_outgoing o;

	if (!job->ok) {
		answer_stateless(sa->engine, in,
				 err.notify ? err.notify : IKE_NOTIFY_TEMPORARY_FAILURE,
				 ike_bytes(NULL, 0));
		ike_sa_close(sa, IKE_END_FAILED, false, err.text);
		return;
	}
	if (!derive_keys(sa, job, &err)) {
		ike_sa_close(sa, IKE_END_FAILED, false, err.text);
		return;
	}
	ike_outgoing_begin(&o, sa, IKE_EXCHANGE_SA_INIT, 0, true);
	put_answer(&o.w, sa, ike_dh_public(&job->key), &in->all);
	ike_sa_answer(sa, in, &o);
	sa->addke = ike_suite_addke(&sa->suite, 0);
	if (sa->addke < IKE_ADDKE_MAX)
		ike_sa_set_state(sa, IKE_SA_ADDKE_GOT);
	if (!ike_packet_set(&sa->init_sent, ike_written(&o.w)))
		ike_sa_close(sa, IKE_END_FAILED, false, "out of memory");
}

static void log_refusal(struct ike_engine *e, const struct ike_incoming *in, const char *what,
			const char *why)
{
	char from[IKE_ADDR_TEXT_MAX];

	e->counters.refused++;
	ike_stranger_log(e, IKE_LOG_ERROR, "%s refused to %s: %s", what,
			 ike_addr_text(&in->remote.addr, from, sizeof(from)), why);
}

/* The connection and the suite; NULL: refused. */
static const struct ike_conn_cfg *choose(struct ike_engine *e, struct ike_incoming *in,
					 struct ike_suite *suite, struct ike_bytes *peer)
{
	const struct ike_payload *sa = ike_payloads_find(&in->all, IKE_PAYLOAD_SA);
	const struct ike_payload *ke = ike_payloads_find(&in->all, IKE_PAYLOAD_KE);
	const struct ike_conn_cfg *conn = NULL;
	struct ike_proposal_list offer = {0};
	struct ike_error err = {0};
	/* RFC 9370 section 2.2.1: without IKE_INTERMEDIATE there is no time for them. */
	struct ike_select how = {
		.without_addke = !ike_find_notify(
			&in->all, IKE_NOTIFY_INTERMEDIATE_EXCHANGE_SUPPORTED, NULL),
	};
	struct ike_wire_ke wire;
	char why[EXPLAIN_MAX];
	uint8_t group[2];

	if (ike_ke_decode(ke->body, &wire, NULL))
		how.ke = wire.group;
	if (!ike_proposal_list_decode(&offer, sa->body, &err)) {
		log_refusal(e, in, "IKE_SA_INIT", err.text);
	} else {
		conn = ike_conn_choose(e, &in->local.addr, &in->remote.addr, &offer, &how, suite,
				       why, sizeof(why));
		if (!conn) {
			log_refusal(e, in, "NO_PROPOSAL_CHOSEN: IKE_SA_INIT", why);
			answer_stateless(e, in, IKE_NOTIFY_NO_PROPOSAL_CHOSEN, ike_bytes(NULL, 0));
		}
	}
	ike_proposal_list_clear(&offer);
	if (!conn || ike_ke_check(&in->all, suite->ke, peer, group, &err))
		return conn;
	ike_stranger_log(e, IKE_LOG_DEBUG, "IKE_SA_INIT: %s", err.text);
	answer_stateless(e, in, err.notify,
			 ike_bytes(group, err.notify == IKE_NOTIFY_INVALID_KE_PAYLOAD ? 2 : 0));
	return NULL;
}

static void make_sa(struct ike_engine *e, struct ike_incoming *in, const struct ike_conn_cfg *conn,
		    const struct ike_suite *suite, const struct ike_nonce *ni,
		    struct ike_bytes peer, bool terse)
{
	struct ike_sa *sa =
		ike_sa_new(e, e->config, conn, false, in->header.spi_i, &in->local, &in->remote);

	if (!sa)
		return;
	sa->suite = *suite;
	sa->terse = terse;
	sa->ni = *ni;
	ike_nonce_draw(sa, &sa->nr);
	ike_window_accept(&sa->window, in->digest);
	ike_timer_set(&e->timers, &sa->life, e->now + IKE_HALF_OPEN_TIME);
	read_notifies(sa, in);
	ike_nat_log(sa);
	if (!ike_packet_set(&sa->init_got, ike_bytes(in->bytes, in->len)) ||
	    !ike_job_generate(sa, IKE_ANSWERING, suite->ke, peer, answer, in))
		ike_sa_close(sa, IKE_END_FAILED, false, "out of memory");
}

void ike_init_request(struct ike_engine *e, struct ike_incoming *in)
{
	const struct ike_conn_cfg *conn;
	struct ike_sa *made = find_made(e, in);
	struct ike_nonce ni;
	struct ike_suite suite;
	struct ike_bytes peer;
	bool proven, terse;

	if (made) {
		if ((made->state == IKE_SA_INIT_GOT || made->state == IKE_SA_ADDKE_GOT) &&
		    ike_window_judge(&made->window, 0, in->digest) == IKE_REQUEST_REPEATED)
			ike_sa_answer_again(made, in);
		return;
	}
	if (e->stopping || !ike_nonce_find(&in->all, &ni, NULL))
		return;
	proven = cookie_is_good(e, in, ike_nonce_bytes(&ni));
	if (!admit(e, in, ike_nonce_bytes(&ni), proven))
		return;
	conn = choose(e, in, &suite, &peer);
	if (!conn)
		return;
	/*
	 * Nobody gets more from us than was sent to us, unless it has shown that it asked for it.
	 * What need not be said is left out then.
	 */
	terse = !proven && answer_len(e, in, conn, &suite, false) > in->len;
	if (terse && answer_len(e, in, conn, &suite, true) > in->len)
		ask_for_cookie(e, in, ike_nonce_bytes(&ni));
	else
		make_sa(e, in, conn, &suite, &ni, peer, terse);
}
