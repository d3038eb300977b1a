// SPDX-License-Identifier: MIT
/* Sending, sending again (RFC 7296 section 2.1), and giving up (section 2.4). */
#include "ikev2/mobike.h"
#include "ikev2/trace.h"

enum {
	DEFAULT_TIMEOUT_MS = 2000,
	DEFAULT_TRIES = 5,
	US_PER_MS = 1000,
	/* Each interval is 1.8 times the one before. */
	BACKOFF = 18,
	BACKOFF_BASE = 10,
};

void ike_engine_send(struct ike_engine *e, const struct ike_endpoint *local,
		     const struct ike_endpoint *remote, struct ike_bytes message)
{
	e->counters.sent++;
	ike_trace_clear(e, true, local, remote, message);
	e->ops->send(e->host, local, remote, message.p, message.len);
}

static void send_flight(struct ike_engine *e, const struct ike_endpoint *local,
			const struct ike_endpoint *remote, struct ike_bytes flight)
{
	while (flight.len)
		ike_engine_send(e, local, remote, ike_flight_next(&flight));
}

void ike_sa_send_request(struct ike_sa *sa, const struct ike_endpoint *local,
			 const struct ike_endpoint *remote)
{
	send_flight(sa->engine, local, remote, ike_packet_bytes(&sa->window.request));
}

/* When the peer counts as gone, however often it was asked; UINT64_MAX: there is no such time. */
static ike_time deadline(const struct ike_sa *sa)
{
	return sa->established && sa->conn->dpd_timeout ?
		       sa->asked + sa->conn->dpd_timeout * IKE_SECOND :
		       UINT64_MAX;
}

static void send_request(struct ike_sa *sa)
{
	struct ike_engine *e = sa->engine;
	ike_time again = e->now + ike_jitter(e, sa->interval);

	sa->sent = e->now;
	sa->sends++;
	ike_sa_send_request(sa, &sa->local, &sa->remote);
	ike_path_probe(sa);
	if (again > deadline(sa))
		again = deadline(sa);
	ike_timer_set(&e->timers, &sa->retransmit, again);
	sa->interval = sa->interval * BACKOFF / BACKOFF_BASE;
}

void ike_sa_ask(struct ike_sa *sa)
{
	const struct ike_settings *s = &sa->engine->config->settings;

	sa->asked = sa->engine->now;
	sa->sends = 0;
	sa->sends_max = (s->retransmit_tries ? s->retransmit_tries : DEFAULT_TRIES) + 1;
	sa->interval = (s->retransmit_timeout_ms ? s->retransmit_timeout_ms : DEFAULT_TIMEOUT_MS) *
		       US_PER_MS;
	send_request(sa);
}

void ike_sa_ask_again(struct ike_sa *sa)
{
	if (sa->window.request.p)
		ike_sa_ask(sa);
}

void ike_sa_asked_in_vain(struct ike_timer *timer)
{
	struct ike_sa *sa = ike_container(timer, struct ike_sa, retransmit), *rival;
	char addr[IKE_ADDR_TEXT_MAX], from[IKE_ADDR_TEXT_MAX], why[IKE_TASK_WHY_MAX];
	struct ike_task *t = sa->task;
	struct ike_text text;

	if (sa->sends < sa->sends_max && sa->engine->now < deadline(sa)) {
		sa->engine->counters.retransmitted++;
		ike_sa_log(sa, IKE_LOG_DEBUG, "no answer yet: sending request %u again (%u)",
			   sa->window.next_id - 1, sa->sends);
		send_request(sa);
		return;
	}
	ike_text_init(&text, why, sizeof(why));
	if (t && t->refusals)
		ike_text_add(&text, "%s", t->why);
	else
		ike_text_add(&text, "no answer from %s",
			     ike_addr_text(&sa->remote.addr, addr, sizeof(addr)));
	ike_text_add(&text, " (%s sent %u times from %s to port %u)",
		     t ? t->kind->name : "request", sa->sends,
		     ike_addr_text(&sa->local.addr, from, sizeof(from)), sa->remote.port);
	/* The peer may have gone on with the IKE SA that its own rekey made. */
	rival = ike_rekey_rival(sa);
	if (rival)
		ike_rekey_adopt(rival);
	ike_sa_close(sa, sa->established ? IKE_END_DEAD : IKE_END_FAILED, false, why);
	if (rival)
		ike_sa_work(rival);
}

void ike_sa_settle(struct ike_sa *sa)
{
	ike_window_settled(&sa->window);
	ike_fragments_clear(&sa->fragments[IKE_ASKING]);
	ike_timer_stop(&sa->engine->timers, &sa->retransmit);
}

/* Section 2.11: an answer goes to where the request came from. */
static void send_answer(struct ike_sa *sa)
{
	sa->sent = sa->engine->now;
	send_flight(sa->engine, &sa->answered_from, &sa->answered_to,
		    ike_packet_bytes(&sa->window.answer));
}

void ike_sa_answer(struct ike_sa *sa, const struct ike_incoming *in, struct ike_outgoing *o)
{
	struct ike_error err;

	sa->answered_from = in->local;
	sa->answered_to = in->remote;
	if (!ike_outgoing_end(o, sa, &err)) {
		ike_sa_log(sa, IKE_LOG_ERROR, "answer to %s not sent: %s",
			   ike_exchange_name(in->header.exchange), err.text);
		sa->window.answering = false;
		return;
	}
	if (ike_window_answered(&sa->window, ike_written(&o->w)))
		send_answer(sa);
}

void ike_sa_answer_again(struct ike_sa *sa, const struct ike_incoming *in)
{
	sa->answered_from = in->local;
	sa->answered_to = in->remote;
	sa->engine->counters.retransmitted++;
	send_answer(sa);
}

void ike_sa_answer_notify(struct ike_sa *sa, const struct ike_incoming *in, uint16_t type,
			  struct ike_bytes data)
{
	struct ike_outgoing o;

	ike_outgoing_begin(&o, sa, in->header.exchange, in->header.message_id, true);
	ike_put_notify(&o.w, type, data);
	ike_sa_answer(sa, in, &o);
}

void ike_sa_answer_error(struct ike_sa *sa, const struct ike_incoming *in,
			 const struct ike_error *err)
{
	uint16_t type = err->notify ? err->notify : IKE_NOTIFY_TEMPORARY_FAILURE;
	bool critical = type == IKE_NOTIFY_UNSUPPORTED_CRITICAL_PAYLOAD;

	ike_sa_answer_notify(sa, in, type, ike_bytes(&err->payload, critical ? 1 : 0));
}
