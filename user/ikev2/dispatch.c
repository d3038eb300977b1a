// SPDX-License-Identifier: MIT
/*
 * A datagram's way: header, version, IKE SA, may it come now, message ID, decryption, payloads,
 * form - and only then its exchange. Until the SK payload has been opened nothing is believed, and
 * nothing is torn down.
 */
#include "ikev2/child.h"
#include "ikev2/dispatch.h"
#include "ikev2/mobike.h"
#include "ikev2/trace.h"

static void drop(struct ike_engine *e, const struct ike_incoming *in, const char *why)
{
	char from[IKE_ADDR_TEXT_MAX];

	e->counters.refused++;
	ike_stranger_log(e, IKE_LOG_DEBUG, "dropped a message from %s port %u: %s",
		ike_addr_text(&in->remote.addr, from, sizeof(from)), in->remote.port, why);
}

/* Section 2.5 and 2.21.4. Unprotected, so few of them: they must not serve to flood anybody. */
static void complain(struct ike_engine *e, const struct ike_incoming *in, uint16_t type,
		     struct ike_bytes data)
{
	uint8_t buf[IKE_HEADER_LEN + 2 * IKE_GENERIC_LEN + 1];
	struct ike_header h = in->header;
	struct ike_writer w;

	if (e->now - e->complaints_since >= IKE_SECOND) {
		e->complaints_since = e->now;
		e->complaints = 0;
	}
	h.flags = IKE_FLAG_RESPONSE | (~in->header.flags & IKE_FLAG_INITIATOR);
	ike_writer_init(&w, buf, sizeof(buf));
	ike_message_begin(&w, &h);
	ike_put_notify(&w, type, data);
	/* Never more than came: whose address that is has not been shown. */
	if (ike_message_end(&w) && w.len <= in->len && e->complaints++ < IKE_STATELESS_MAX)
		ike_engine_send(e, &in->local, &in->remote, ike_written(&w));
}

static bool is_response(const struct ike_incoming *in)
{
	return in->header.flags & IKE_FLAG_RESPONSE;
}

static struct ike_bytes chain(const struct ike_incoming *in)
{
	return ike_bytes(in->bytes + IKE_HEADER_LEN, in->len - IKE_HEADER_LEN);
}

enum opening {
	OPEN_FORGED, /* or not for us to answer */
	OPEN_PART,   /* a genuine fragment of what is not complete yet */
	OPEN_BROKEN, /* genuine, but malformed */
	OPEN_WELL,
};

static bool read_outer(struct ike_incoming *in, struct ike_payload *sk, struct ike_error *err)
{
	if (!ike_payloads_decode(&in->all, in->header.next, chain(in), err) ||
	    !ike_law_outer(&in->all, err))
		return false;
	*sk = in->all.items[0];
	return true;
}

static enum opening open_fragment(struct ike_sa *sa, struct ike_incoming *in,
				  struct ike_fragments *f, const struct ike_payload *skf,
				  struct ike_error *err)
{
	if (!sa->fragmentation) {
		ike_fail(err, "a fragment, though none were agreed on");
		return OPEN_FORGED;
	}
	switch (ike_fragments_take(f, in, skf, &sa->in, err)) {
	case IKE_GATHER_REFUSED:
		return OPEN_FORGED;
	case IKE_GATHER_MORE:
		return OPEN_PART;
	case IKE_GATHER_ALL:
		break;
	}
	ike_fragment_learn(sa, f);
	in->plain = ike_packet_bytes(&in->whole);
	ike_trace_opened(sa, in, in->first, in->plain);
	return ike_payloads_decode(&in->all, in->first, in->plain, err)
		       ? OPEN_WELL
		       : OPEN_BROKEN;
}

static enum opening read_plain(struct ike_sa *sa, struct ike_incoming *in, uint8_t first,
			       struct ike_error *err)
{
	in->first = first;
	ike_trace_opened(sa, in, first, in->plain);
	return ike_payloads_decode(&in->all, first, in->plain, err) ? OPEN_WELL : OPEN_BROKEN;
}

/* Outer payloads, decryption. */
static enum opening open_sk(struct ike_sa *sa, struct ike_incoming *in, struct ike_error *err)
{
	struct ike_fragments *f = &sa->fragments[is_response(in) ? IKE_ASKING : IKE_ANSWERING];
	struct ike_payload sk;
	enum opening opening;

	if (!read_outer(in, &sk, err))
		return OPEN_FORGED;
	if (sk.type == IKE_PAYLOAD_SKF)
		opening = open_fragment(sa, in, f, &sk, err);
	else if (!ike_sk_open(in->bytes, in->len, &sk, &sa->in, &in->plain, err))
		opening = err->notify ? OPEN_BROKEN : OPEN_FORGED;
	else
		opening = read_plain(sa, in, sk.next, err);
	if (opening == OPEN_BROKEN || opening == OPEN_WELL)
		ike_fragments_clear(f);
	return opening;
}

/*
 * RFC 7383 section 2.6.1: of a request that came in fragments the first one asks for the answer
 * again, and that alone. It need not be the same to the byte: the peer may have cut anew.
 */
static bool is_cut_anew(struct ike_sa *sa, struct ike_incoming *in)
{
	struct ike_wire_skf skf;
	struct ike_payload sk;
	struct ike_bytes text;

	return sa->fragmentation && sa->window.answer.p &&
	       in->header.message_id + 1 == sa->window.expected && read_outer(in, &sk, NULL) &&
	       sk.type == IKE_PAYLOAD_SKF && ike_skf_decode(sk.body, &skf, NULL) &&
	       skf.number == 1 && ike_sk_open(in->bytes, in->len, &sk, &sa->in, &text, NULL);
}

static bool read_form(struct ike_sa *sa, struct ike_incoming *in, struct ike_error *err)
{
	in->form = ike_law_form(in->header.exchange, is_response(in), sa->state, &in->all, err);
	return in->form != IKE_FORM_NONE;
}

static void take_genuine(struct ike_sa *sa, const struct ike_incoming *in)
{
	ike_sa_heard(sa);
	/* RFC 4555 section 3.8: with MOBIKE the peer says where it is. */
	if (!sa->mobike.on)
		ike_sa_follow(sa, &in->local, &in->remote);
}

/* Section 2.21.3: what is malformed though genuine ends the IKE SA at both ends. */
static void refuse_request(struct ike_sa *sa, const struct ike_incoming *in,
			   const struct ike_error *err)
{
	sa->engine->counters.refused++;
	ike_sa_log(sa, IKE_LOG_ERROR, "%s request refused: %s",
		   ike_exchange_name(in->header.exchange), err->text);
	ike_sa_answer_error(sa, in, err);
	if (err->notify == IKE_NOTIFY_INVALID_SYNTAX || sa->state < IKE_SA_ESTABLISHED)
		ike_sa_close(sa, sa->established ? IKE_END_PEER : IKE_END_FAILED, true,
			     "a malformed request (INVALID_SYNTAX)");
}

static void handle_request(struct ike_sa *sa, struct ike_incoming *in)
{
	switch (in->header.exchange) {
	case IKE_EXCHANGE_INTERMEDIATE:
		ike_intermediate_request(sa, in);
		break;
	case IKE_EXCHANGE_AUTH:
		ike_auth_request(sa, in);
		break;
	case IKE_EXCHANGE_FOLLOWUP_KE:
		ike_followup_request(sa, in);
		break;
	case IKE_EXCHANGE_CREATE_CHILD_SA:
		ike_create_child_request(sa, in);
		break;
	case IKE_EXCHANGE_INFORMATIONAL:
		ike_informational_request(sa, in);
		break;
	default:
		/* The table lets nothing else through. */
		break;
	}
}

static void take_request(struct ike_sa *sa, struct ike_incoming *in)
{
	struct ike_error err = {0};
	enum opening opening;

	switch (ike_window_judge(&sa->window, in->header.message_id, in->digest)) {
	case IKE_REQUEST_REPEATED:
		ike_sa_answer_again(sa, in);
		return;
	case IKE_REQUEST_STALE:
		if (is_cut_anew(sa, in)) {
			ike_sa_answer_again(sa, in);
			return;
		}
		drop(sa->engine, in, "a request whose turn is over or has not come");
		return;
	case IKE_REQUEST_NEW:
		break;
	}
	if (!sa->keyed || !ike_law_allows(in->header.exchange, false, sa->state)) {
		drop(sa->engine, in, "a request that is not allowed now");
		return;
	}
	opening = open_sk(sa, in, &err);
	if (opening == OPEN_FORGED)
		drop(sa->engine, in, err.text);
	if (opening == OPEN_FORGED || opening == OPEN_PART)
		return;
	ike_window_accept(&sa->window, in->digest);
	take_genuine(sa, in);
	ike_children_proven(sa);
	if (opening == OPEN_WELL && read_form(sa, in, &err))
		handle_request(sa, in);
	else
		refuse_request(sa, in, &err);
}

/* A response that cannot be understood ends what was asked; malformed ones end the IKE SA. */
static void refuse_response(struct ike_sa *sa, const struct ike_error *err)
{
	ike_sa_log(sa, IKE_LOG_ERROR, "response refused: %s", err->text);
	if (sa->state < IKE_SA_ESTABLISHED || err->notify == IKE_NOTIFY_INVALID_SYNTAX)
		ike_sa_close(sa, sa->established ? IKE_END_PEER : IKE_END_FAILED, false, err->text);
	else if (sa->task)
		ike_task_step(sa, ike_task_fail(sa->task, "%s", err->text));
	else
		ike_sa_work(sa);
}

static bool syntax_refused(struct ike_sa *sa, const struct ike_incoming *in)
{
	if (!ike_find_notify(&in->all, IKE_NOTIFY_INVALID_SYNTAX, NULL))
		return false;
	ike_sa_close(sa, sa->established ? IKE_END_PEER : IKE_END_FAILED, false,
		     "the peer takes our request for malformed (INVALID_SYNTAX)");
	return true;
}

static void take_response(struct ike_sa *sa, struct ike_incoming *in)
{
	struct ike_error err = {0};
	enum opening opening;

	if (!ike_window_awaits(&sa->window, in->header.message_id) || !sa->keyed ||
	    (sa->task && ike_task_exchange(sa->task) != in->header.exchange) ||
	    !ike_law_allows(in->header.exchange, true, sa->state)) {
		drop(sa->engine, in, "a response that nobody waits for");
		return;
	}
	opening = open_sk(sa, in, &err);
	if (opening == OPEN_FORGED)
		drop(sa->engine, in, err.text);
	if (opening == OPEN_FORGED || opening == OPEN_PART)
		return;
	take_genuine(sa, in);
	ike_sa_settle(sa);
	if (sa->mobike.on)
		ike_mobike_response(sa, in);
	if (opening != OPEN_WELL || !read_form(sa, in, &err)) {
		refuse_response(sa, &err);
		return;
	}
	if (syntax_refused(sa, in))
		return;
	if (sa->task)
		ike_task_step(sa, sa->task->kind->answered(sa, sa->task, in));
	else
		ike_sa_work(sa);
}

/*
 * What is malformed gets no answer, as anybody may have sent it (section 3.10.1); but that a
 * payload which must be understood is not must be said (section 2.5).
 */
static void refuse_init(struct ike_engine *e, const struct ike_incoming *in,
			const struct ike_error *err)
{
	drop(e, in, err->text);
	if (!is_response(in) && err->notify == IKE_NOTIFY_UNSUPPORTED_CRITICAL_PAYLOAD)
		complain(e, in, err->notify, ike_bytes(&err->payload, 1));
}

/* IKE_SA_INIT is in the clear, and half of it about no IKE SA yet. */
static void take_init(struct ike_engine *e, struct ike_incoming *in)
{
	bool initiator = in->header.flags & IKE_FLAG_INITIATOR, response = is_response(in);
	enum ike_sa_state state = IKE_SA_NONE;
	struct ike_error err = {0};
	struct ike_sa *sa = NULL;

	if (response) {
		sa = ike_sa_find(e, in->header.spi_i);
		if (!sa || !sa->initiator || initiator ||
		    !ike_window_awaits(&sa->window, in->header.message_id) ||
		    !ike_law_allows(IKE_EXCHANGE_SA_INIT, true, sa->state) || !sa->task) {
			drop(e, in, "an IKE_SA_INIT response that nobody waits for");
			return;
		}
		state = sa->state;
	} else if (!initiator || in->header.spi_r || in->header.message_id || !in->header.spi_i) {
		drop(e, in, "an IKE_SA_INIT request with a wrong header");
		return;
	}
	if (ike_payloads_decode(&in->all, in->header.next, chain(in), &err))
		in->form = ike_law_form(IKE_EXCHANGE_SA_INIT, response, state, &in->all, &err);
	if (in->form == IKE_FORM_NONE) {
		refuse_init(e, in, &err);
		return;
	}
	if (sa)
		ike_task_step(sa, sa->task->kind->answered(sa, sa->task, in));
	else
		ike_init_request(e, in);
}

/* The flag tells who sends, and so which of the SPIs is ours. */
static struct ike_sa *find_sa(struct ike_engine *e, const struct ike_incoming *in)
{
	bool from_initiator = in->header.flags & IKE_FLAG_INITIATOR;
	struct ike_sa *sa = ike_sa_find(e, from_initiator ? in->header.spi_r : in->header.spi_i);
	uint64_t theirs = from_initiator ? in->header.spi_i : in->header.spi_r;

	if (!sa || sa->initiator == from_initiator || ike_sa_peer_spi(sa) != theirs)
		return NULL;
	return sa;
}

static void take(struct ike_engine *e, struct ike_incoming *in)
{
	static const uint8_t major = IKE_VERSION_MAJOR;
	struct ike_sa *sa;

	if (in->header.major != IKE_VERSION_MAJOR) {
		drop(e, in, "another major version of IKE");
		if (in->header.major > IKE_VERSION_MAJOR && !is_response(in))
			complain(e, in, IKE_NOTIFY_INVALID_MAJOR_VERSION, ike_bytes(&major, 1));
		return;
	}
	if (in->header.exchange == IKE_EXCHANGE_SA_INIT) {
		take_init(e, in);
		return;
	}
	sa = find_sa(e, in);
	if (!sa) {
		drop(e, in, "no such IKE SA");
		if (!is_response(in))
			complain(e, in, IKE_NOTIFY_INVALID_IKE_SPI, ike_bytes(NULL, 0));
		return;
	}
	if (is_response(in))
		take_response(sa, in);
	else
		take_request(sa, in);
}

void ike_dispatch(struct ike_engine *e, const struct ike_endpoint *local,
		  const struct ike_endpoint *remote, struct ike_bytes message)
{
	struct ike_incoming *in = ike_incoming_new(local, remote, message);
	struct ike_error err;

	if (!in)
		return;
	ike_trace_clear(e, false, local, remote, message);
	if (ike_header_decode(ike_bytes(in->bytes, in->len), &in->header, &err))
		take(e, in);
	else
		drop(e, in, err.text);
	ike_incoming_unref(in);
}
