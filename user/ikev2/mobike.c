// SPDX-License-Identifier: MIT
/* MOBIKE: what is said of addresses, and what is done when the peer says it. */
#include <string.h>

#include "ikev2/child.h"
#include "ikev2/conn.h"
#include "ikev2/mobike.h"
#include "ikev2/nat.h"

enum {
	COOKIE2_LEN = 16,	  /* ours; section 4.2.5 allows 8 to 64 */
	PORTS_LEN = 2 * 2,	  /* of NO_NATS_ALLOWED (section 4.2.6) */
};

static const struct ike_bytes empty;

/* Where else an end may be reached (section 3.6) */

static bool is_address(uint16_t type)
{
	return type == IKE_NOTIFY_ADDITIONAL_IP4_ADDRESS ||
	       type == IKE_NOTIFY_ADDITIONAL_IP6_ADDRESS;
}

static void put_addresses(struct ike_writer *w, struct ike_sa *sa)
{
	struct ike_mobike *m = &sa->mobike;

	m->n_told = ike_path_others(sa, m->told);
	for (size_t i = 0; i < m->n_told; i++)
		ike_put_notify(w,
			       m->told[i].family == AF_INET6 ? IKE_NOTIFY_ADDITIONAL_IP6_ADDRESS
							     : IKE_NOTIFY_ADDITIONAL_IP4_ADDRESS,
			       ike_addr_bytes(&m->told[i]));
}

static void put_address_list(struct ike_writer *w, struct ike_sa *sa)
{
	put_addresses(w, sa);
	if (!sa->mobike.n_told)
		ike_put_notify(w, IKE_NOTIFY_NO_ADDITIONAL_ADDRESSES, empty);
}

static bool told_all(const struct ike_sa *sa)
{
	struct ike_addr now[IKE_PATH_ADDRS_MAX];
	size_t n = ike_path_others(sa, now);

	if (n != sa->mobike.n_told)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!ike_addr_equal(&now[i], &sa->mobike.told[i]))
			return false;
	return true;
}

/* A list replaces the one before; without any such notify there is none. */
static bool take_addresses(struct ike_sa *sa, const struct ike_payloads *all)
{
	struct ike_mobike *m = &sa->mobike;
	const struct ike_payload *p = NULL;
	struct ike_wire_notify n;
	struct ike_addr addr;
	bool any = false;

	while ((p = ike_payloads_find_next(all, IKE_PAYLOAD_NOTIFY, p))) {
		if (!ike_notify_decode(p->body, &n, NULL) ||
		    (!is_address(n.type) && n.type != IKE_NOTIFY_NO_ADDITIONAL_ADDRESSES))
			continue;
		if (!any)
			m->n_others = 0;
		any = true;
		if (is_address(n.type) && m->n_others < IKE_PATH_ADDRS_MAX &&
		    ike_addr_from_bytes(&addr, n.data) && !ike_addr_unspecified(&addr))
			m->others[m->n_others++] = addr;
	}
	return any;
}

static bool is_other(const struct ike_sa *sa, const struct ike_addr *addr)
{
	for (size_t i = 0; i < sa->mobike.n_others; i++)
		if (ike_addr_equal(&sa->mobike.others[i], addr))
			return true;
	return false;
}

/* IKE_AUTH (section 3.2) */

void ike_mobike_put(struct ike_writer *w, struct ike_sa *sa)
{
	if (!(sa->initiator ? sa->conn->mobike : sa->mobike.on))
		return;
	ike_put_notify(w, IKE_NOTIFY_MOBIKE_SUPPORTED, empty);
	put_addresses(w, sa);
}

void ike_mobike_agree(struct ike_sa *sa, const struct ike_payloads *all)
{
	sa->mobike.on = sa->conn->mobike && ike_find_notify(all, IKE_NOTIFY_MOBIKE_SUPPORTED, NULL);
	if (sa->mobike.on)
		take_addresses(sa, all);
}

void ike_mobike_begin(struct ike_sa *sa)
{
	/* What the NAT has made of our address is to be known before it makes something else. */
	if (sa->mobike.on && sa->began && sa->nat_local)
		ike_task_add(sa, &ike_task_liveness);
}

/* NATs */

/* After the peer's word about them: in UDP or not, kept alive or not, at the right addresses. */
static void apply_nat(struct ike_sa *sa)
{
	struct ike_child *c;

	TAILQ_FOREACH(c, &sa->children, link)
		ike_child_readdress(c);
	if (sa->nat_local)
		ike_timer_set(&sa->engine->timers, &sa->keepalive, sa->engine->now);
}

static bool has_nat(const struct ike_incoming *in)
{
	return ike_find_notify(&in->all, IKE_NOTIFY_NAT_DETECTION_SOURCE_IP, NULL) &&
	       ike_find_notify(&in->all, IKE_NOTIFY_NAT_DETECTION_DESTINATION_IP, NULL);
}

/* How the peer sees us; true: otherwise than before. */
static bool note_seen(struct ike_sa *sa, const struct ike_incoming *in)
{
	struct ike_mobike *m = &sa->mobike;
	struct ike_wire_notify n;
	bool other;

	if (!ike_find_notify(&in->all, IKE_NOTIFY_NAT_DETECTION_DESTINATION_IP, &n) ||
	    n.data.len != sizeof(m->seen))
		return false;
	other = m->has_seen && memcmp(m->seen, n.data.p, sizeof(m->seen));
	memcpy(m->seen, n.data.p, sizeof(m->seen));
	m->has_seen = true;
	return other;
}

void ike_mobike_put_check(struct ike_writer *w, const struct ike_sa *sa)
{
	if (sa->mobike.on && sa->began && sa->nat_local)
		ike_nat_put(w, sa, &sa->local, &sa->remote);
}

static void queue_update(struct ike_sa *sa)
{
	struct ike_task *t = ike_task_find(sa, &ike_task_update_addresses, 0);

	sa->mobike.untold = true;
	if (!t || t == sa->task)
		ike_task_add_first(sa, &ike_task_update_addresses);
}

void ike_mobike_take_check(struct ike_sa *sa, const struct ike_incoming *in)
{
	if (!sa->mobike.on || !sa->began || !note_seen(sa, in))
		return;
	ike_sa_log(sa, IKE_LOG_INFO, "a NAT has changed the address that the peer sees");
	queue_update(sa);
}

/* Who began tells of new addresses (section 3.5) */

static enum ike_step begin_update(struct ike_sa *sa, struct ike_task *t)
{
	if (!sa->mobike.untold)
		return IKE_STEP_DONE;
	sa->mobike.untold = false;
	return IKE_STEP_SEND;
}

static void build_update(struct ike_sa *sa, struct ike_task *t, struct ike_writer *w)
{
	ike_put_notify(w, IKE_NOTIFY_UPDATE_SA_ADDRESSES, empty);
	if (sa->nat_aware)
		ike_nat_put(w, sa, &sa->local, &sa->remote);
	put_address_list(w, sa);
}

static enum ike_step update_answered(struct ike_sa *sa, struct ike_task *t,
				     struct ike_incoming *in)
{
	struct ike_wire_notify n;
	char buf[32];

	/* It has changed again meanwhile: what is said about this one does not count. */
	if (sa->mobike.untold)
		return IKE_STEP_DONE;
	if (ike_find_error(&in->all, &n)) {
		ike_sa_log(sa, IKE_LOG_ERROR, "the peer does not follow to the new addresses: %s",
			   ike_notify_text(n.type, buf));
		return IKE_STEP_DONE;
	}
	if (has_nat(in)) {
		ike_nat_find(sa, in);
		ike_nat_log(sa);
		note_seen(sa, in);
		apply_nat(sa);
	}
	ike_sa_log(sa, IKE_LOG_INFO, "the peer follows to the new addresses");
	return IKE_STEP_DONE;
}

const struct ike_task_kind ike_task_update_addresses = {
	.name = "update of addresses",
	.exchange = IKE_EXCHANGE_INFORMATIONAL,
	.begin = begin_update,
	.build = build_update,
	.answered = update_answered,
};

/* Either end tells of its other addresses */

static enum ike_step begin_tell(struct ike_sa *sa, struct ike_task *t)
{
	return told_all(sa) && !sa->mobike.untold ? IKE_STEP_DONE : IKE_STEP_SEND;
}

static void build_tell(struct ike_sa *sa, struct ike_task *t, struct ike_writer *w)
{
	sa->mobike.untold = false;
	put_address_list(w, sa);
}

static enum ike_step told(struct ike_sa *sa, struct ike_task *t, struct ike_incoming *in)
{
	return IKE_STEP_DONE;
}

const struct ike_task_kind ike_task_tell_addresses = {
	.name = "list of addresses",
	.exchange = IKE_EXCHANGE_INFORMATIONAL,
	.begin = begin_tell,
	.build = build_tell,
	.answered = told,
};

void ike_mobike_roam(struct ike_sa *sa)
{
	if (!sa->mobike.on || sa->state < IKE_SA_ESTABLISHED || sa->state == IKE_SA_CLOSED)
		return;
	ike_path_review(sa);
	/* One that is to be deleted, or that another replaces, has nothing more to tell. */
	if (!ike_sa_usable(sa))
		return;
	if (sa->began && sa->mobike.untold)
		queue_update(sa);
	else if ((sa->mobike.untold || !told_all(sa)) &&
		 !ike_task_find(sa, &ike_task_tell_addresses, 0))
		ike_task_add_first(sa, &ike_task_tell_addresses);
	ike_sa_work(sa);
}

/* The other end: does the new address answer (section 3.7)? */

static enum ike_step begin_check(struct ike_sa *sa, struct ike_task *t)
{
	if (!sa->mobike.unproven)
		return IKE_STEP_DONE;
	ike_random_fill(&sa->engine->random, t->cookie, COOKIE2_LEN);
	t->cookie_len = COOKIE2_LEN;
	t->checked = sa->remote;
	return IKE_STEP_SEND;
}

static void build_check(struct ike_sa *sa, struct ike_task *t, struct ike_writer *w)
{
	ike_put_notify(w, IKE_NOTIFY_COOKIE2, ike_bytes(t->cookie, t->cookie_len));
}

static void queue_check(struct ike_sa *sa)
{
	struct ike_task *t = ike_task_find(sa, &ike_task_check_route, 0);

	sa->mobike.unproven = true;
	if (!t || t == sa->task)
		ike_task_add_first(sa, &ike_task_check_route);
}

static enum ike_step check_answered(struct ike_sa *sa, struct ike_task *t, struct ike_incoming *in)
{
	struct ike_wire_notify n;

	if (!ike_find_notify(&in->all, IKE_NOTIFY_COOKIE2, &n) ||
	    !ike_secret_equal(n.data, ike_bytes(t->cookie, t->cookie_len))) {
		ike_sa_close(sa, IKE_END_PEER, false,
			     "the peer does not show that it receives at its new address (COOKIE2)");
		return IKE_STEP_GONE;
	}
	/* Sent again to another address than it was made for, it has shown nothing. */
	if (!ike_addr_equal(&t->checked.addr, &sa->remote.addr)) {
		queue_check(sa);
		return IKE_STEP_DONE;
	}
	sa->mobike.unproven = false;
	apply_nat(sa);
	ike_sa_log(sa, IKE_LOG_INFO, "the peer answers at its new address");
	return IKE_STEP_DONE;
}

const struct ike_task_kind ike_task_check_route = {
	.name = "check of the peer's new address",
	.exchange = IKE_EXCHANGE_INFORMATIONAL,
	.begin = begin_check,
	.build = build_check,
	.answered = check_answered,
};

void ike_mobike_inherit(struct ike_sa *sa, const struct ike_sa *old)
{
	const struct ike_task_kind *asking = old->task ? old->task->kind : NULL;

	if (!old->mobike.on)
		return;
	sa->mobike = old->mobike;
	sa->local = old->local;
	sa->remote = old->remote;
	if (sa->began &&
	    (sa->mobike.untold || asking == &ike_task_update_addresses))
		queue_update(sa);
	if (sa->mobike.unproven)
		queue_check(sa);
}

/* Section 3.9: the peer says what it has sent, and that no NAT may have changed it. */
static bool is_translated(const struct ike_sa *sa, const struct ike_incoming *in)
{
	struct ike_wire_notify n;
	uint8_t buf[2 * sizeof(in->local.addr.bytes) + PORTS_LEN];
	struct ike_writer w;

	if (!ike_find_notify(&in->all, IKE_NOTIFY_NO_NATS_ALLOWED, &n))
		return false;
	ike_writer_init(&w, buf, sizeof(buf));
	ike_put(&w, ike_addr_bytes(&in->remote.addr));
	ike_put(&w, ike_addr_bytes(&in->local.addr));
	ike_put16(&w, in->remote.port);
	ike_put16(&w, in->local.port);
	return !ike_bytes_equal(n.data, ike_written(&w));
}

/* Why the peer may not move here; 0: it may. */
static uint16_t objection(const struct ike_sa *sa, const struct ike_incoming *in)
{
	if (is_translated(sa, in))
		return IKE_NOTIFY_UNEXPECTED_NAT_DETECTED;
	if (!ike_conn_fit(sa->conn, &in->local.addr, &in->remote.addr))
		return IKE_NOTIFY_UNACCEPTABLE_ADDRESSES;
	return 0;
}

static void follow(struct ike_sa *sa, const struct ike_incoming *in, struct ike_writer *w)
{
	char was[IKE_ADDR_TEXT_MAX], is[IKE_ADDR_TEXT_MAX], buf[32];
	bool moved = !ike_addr_equal(&in->remote.addr, &sa->remote.addr);
	uint16_t no = objection(sa, in);

	ike_sa_log(sa, no ? IKE_LOG_ERROR : IKE_LOG_INFO, "the peer moves from %s to %s%s%s",
		   ike_addr_text(&sa->remote.addr, was, sizeof(was)),
		   ike_addr_text(&in->remote.addr, is, sizeof(is)), no ? ", refused: " : "",
		   no ? ike_notify_text(no, buf) : "");
	if (no) {
		ike_put_notify(w, no, empty);
		return;
	}
	sa->local = in->local;
	sa->remote = in->remote;
	if (has_nat(in)) {
		ike_nat_find(sa, in);
		ike_nat_log(sa);
	}
	if (moved) {
		ike_sa_ask_again(sa);
		queue_check(sa);
	} else if (!sa->mobike.unproven) {
		apply_nat(sa);
	}
}

/*
 * The other end says where it may be reached, and does so from somewhere else: where it was it is
 * no more, unless the list still holds that.
 */
static void go_after(struct ike_sa *sa, const struct ike_incoming *in)
{
	if (ike_addr_equal(&in->remote.addr, &sa->remote.addr) || is_other(sa, &sa->remote.addr))
		return;
	ike_path_move(sa, &in->local.addr, &in->remote.addr);
	queue_update(sa);
}

void ike_mobike_request(struct ike_sa *sa, const struct ike_incoming *in, struct ike_writer *w)
{
	struct ike_wire_notify n;
	bool listed;

	if (!sa->mobike.on)
		return;
	listed = take_addresses(sa, &in->all);
	if (!sa->began && ike_find_notify(&in->all, IKE_NOTIFY_UPDATE_SA_ADDRESSES, NULL))
		follow(sa, in, w);
	else if (sa->began && listed)
		go_after(sa, in);
	if (has_nat(in))
		ike_nat_put(w, sa, &in->local, &in->remote);
	if (ike_find_notify(&in->all, IKE_NOTIFY_COOKIE2, &n))
		ike_put_notify(w, IKE_NOTIFY_COOKIE2, n.data);
}

/* Only what has been sent other ways too can come back another way. */
void ike_mobike_response(struct ike_sa *sa, const struct ike_incoming *in)
{
	if (!sa->began || !ike_path_is_probed(sa) ||
	    (ike_addr_equal(&in->local.addr, &sa->local.addr) &&
	     ike_addr_equal(&in->remote.addr, &sa->remote.addr)))
		return;
	ike_path_move(sa, &in->local.addr, &in->remote.addr);
	queue_update(sa);
}
