// SPDX-License-Identifier: MIT
/*
 * The table of what may come when (law.c), at work: each of its messages, and each with a payload
 * too few, twice, too many, of unknown type, from the wrong end, unprotected, is given to an engine
 * in each state and role. It must be dropped without a trace, refused by the notify that RFC 7296
 * names, or handled; and nobody who is not authenticated may have anything installed.
 *
 * What is sent follows from the table: a new row is tried without a word here. That the table
 * itself is right is ike_law_test's business. Payloads are well-formed; AUTH is never right.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ikev2/child.h"
#include "tests/order_message.h"

enum {
	ANY_NOTIFY = 0xffff,
};

/* What the engine had before: compared as a whole, so of one type, without holes. */
struct before {
	uint64_t state, ikes, sas, policies, spis, children, expected, next_id, asked, half_open,
		n_sent;
};

static struct {
	struct world *donor; /* of keys, where there are none */
	struct world *world; /* NULL: the last message changed it */
	const struct situation *at;
	unsigned int dropped, refused, handled;
} all;

static enum ike_form form_of(const struct situation *s, const struct message *m)
{
	struct ike_payloads payloads = {.n = 0};

	for (size_t i = 0; i < m->n; i++)
		if (m->types[i] != UNKNOWN)
			payloads.items[payloads.n++] = (struct ike_payload){.type = m->types[i]};
	return ike_law_form(m->row.exchange, m->row.response, s->state, &payloads, NULL);
}

enum fate {
	DROPPED,
	REFUSED,
	HANDLED
};

static enum fate fate_of(const struct situation *s, const struct message *m)
{
	bool init = m->row.exchange == IKE_EXCHANGE_SA_INIT;

	if (m->guise != GENUINE || (s->state == IKE_SA_NONE && !init) ||
	    !ike_law_allows(m->row.exchange, m->row.response, s->state) ||
	    (m->row.response && s->asks != m->row.exchange))
		return DROPPED;
	/* Section 2.5: a request is refused by name, even one that is not authentic. */
	if (m->critical)
		return init && m->row.response ? DROPPED : REFUSED;
	if (form_of(s, m) == IKE_FORM_NONE)
		/* Section 3.10.1: INVALID_SYNTAX is for what is authentic. */
		return init ? DROPPED : REFUSED;
	return HANDLED;
}

/* Judgement */

static const char *describe(const struct situation *s, const struct message *m)
{
	static const char *const guises[GUISES] = {"", " mirrored", " bare"};
	static char text[512];
	struct ike_text t;

	ike_text_init(&t, text, sizeof(text));
	ike_text_add(&t, "%s: %s %s%s%s of", s->name, ike_exchange_name(m->row.exchange),
		     m->row.response ? "response" : "request", guises[m->guise],
		     m->critical ? " critical" : "");
	for (size_t i = 0; i < m->n; i++)
		ike_text_add(&t, " %s", ike_payload_name(m->types[i]));
	return text;
}

#define MUST(condition)                                                                            \
	do {                                                                                       \
		if (!(condition))                                                                  \
			fail_msg("%s: not so: %s", describe(s, m), #condition);                    \
	} while (0)

static struct before look(struct world *w, const struct situation *s, const struct ike_sa *sa)
{
	const struct world_end *end = &w->end[s->end];

	return (struct before){
		.state = sa ? sa->state : IKE_SA_NONE,
		.ikes = world_count_ike(w, s->end, NULL),
		.sas = world_count_sas(end),
		.policies = world_count_policies(end),
		.spis = end->spis,
		.children = world_count_children(w, s->end, NULL),
		.expected = sa ? sa->window.expected : 0,
		.next_id = sa ? sa->window.next_id : 0,
		.asked = sa && sa->window.request.p,
		.half_open = end->engine->counters.half_open,
		.n_sent = w->n_sent,
	};
}

/* The answer, opened: its payloads; none: there was no answer. */
static void read_answer(struct world *w, const struct ike_sa *peer, const struct before *was,
			const struct situation *s, const struct message *m,
			struct ike_payloads *answer)
{
	const struct world_message *sent = &w->sent[was->n_sent % WORLD_SENT];
	static uint8_t bytes[WORLD_MESSAGE];
	struct ike_bytes plain;
	struct ike_payload sk;
	struct ike_header h;

	answer->n = 0;
	MUST(w->n_sent > was->n_sent && sent->from == s->end);
	memcpy(bytes, sent->bytes, sent->len);
	plain = ike_bytes(bytes + IKE_HEADER_LEN, sent->len - IKE_HEADER_LEN);
	MUST(ike_header_decode(ike_bytes(bytes, sent->len), &h, NULL));
	MUST(h.flags & IKE_FLAG_RESPONSE && h.exchange == m->row.exchange &&
	     h.message_id == was->expected);
	MUST(ike_payloads_decode(answer, h.next, plain, NULL));
	if (m->row.exchange == IKE_EXCHANGE_SA_INIT)
		return;
	MUST(answer->n == 1 && answer->items[0].type == IKE_PAYLOAD_SK);
	sk = answer->items[0];
	MUST(ike_sk_open(bytes, sent->len, &sk, &peer->in, &plain, NULL));
	MUST(ike_payloads_decode(answer, sk.next, plain, NULL));
}

/* Nothing has been believed; who asks for an IKE SA that is not there may be told so. */
static bool judge_dropped(struct world *w, const struct situation *s, const struct message *m,
			  const struct before *was, size_t len)
{
	struct before is = look(w, s, situation_sa(w, s));
	const struct world_message *sent = &w->sent[was->n_sent % WORLD_SENT];
	struct ike_payloads payloads;
	struct ike_wire_notify n;

	if (is.n_sent != was->n_sent) {
		MUST(is.n_sent == was->n_sent + 1 && !m->row.response && sent->len <= len);
		MUST(s->state == IKE_SA_NONE || s->state == IKE_SA_INIT_SENT ||
		     m->guise == MIRRORED);
		MUST(ike_payloads_decode(&payloads, IKE_PAYLOAD_NOTIFY,
					 ike_bytes(sent->bytes + IKE_HEADER_LEN,
						   sent->len - IKE_HEADER_LEN), NULL));
		MUST(ike_find_error(&payloads, &n) && n.type == IKE_NOTIFY_INVALID_IKE_SPI);
		is.n_sent = was->n_sent;
	}
	MUST(!memcmp(&is, was, sizeof(is)));
	return false;
}

static bool closed(struct world *w, const struct situation *s, uint64_t spi)
{
	const struct ike_sa *sa = ike_sa_find(w->end[s->end].engine, spi);

	return !sa || sa->state == IKE_SA_CLOSED;
}

static void nothing_new(struct world *w, const struct situation *s, const struct message *m,
			const struct before *was)
{
	struct before is = look(w, s, NULL);

	MUST(is.sas <= was->sas && is.policies <= was->policies && is.spis <= was->spis);
	MUST(is.children <= was->children && is.ikes <= was->ikes);
}

/* The only IKE SA that there was has left nothing. */
static void nothing_left(struct world *w, const struct situation *s, const struct message *m)
{
	struct before is = look(w, s, NULL);

	if (!is.ikes)
		MUST(!is.sas && !is.policies && !is.spis && !is.half_open);
}

static void answered_nothing(struct world *w, const struct situation *s, const struct message *m,
			     const struct before *was)
{
	struct ike_header h;

	for (size_t i = was->n_sent; i < w->n_sent; i++) {
		const struct world_message *sent = &w->sent[i % WORLD_SENT];

		MUST(ike_header_decode(ike_bytes(sent->bytes, sent->len), &h, NULL));
		MUST(!(h.flags & IKE_FLAG_RESPONSE));
	}
}

/* Sections 2.5 and 2.21.3. */
static bool judge_refused(struct world *w, const struct situation *s, const struct message *m,
			  const struct before *was, const struct ike_sa *peer)
{
	uint16_t why = m->critical ? IKE_NOTIFY_UNSUPPORTED_CRITICAL_PAYLOAD
				   : IKE_NOTIFY_INVALID_SYNTAX;
	uint64_t own = peer->initiator ? peer->spi_r : peer->spi_i;
	bool fatal = s->state < IKE_SA_ESTABLISHED || !m->critical;
	struct ike_payloads answer;
	struct ike_wire_notify n;

	if (m->row.response) {
		answered_nothing(w, s, m, was);
	} else {
		read_answer(w, peer, was, s, m, &answer);
		MUST(answer.n == 1 && ike_find_error(&answer, &n) && n.type == why);
		MUST(n.data.len == m->critical && (!m->critical || n.data.p[0] == UNKNOWN));
	}
	nothing_new(w, s, m, was);
	if (s->state != IKE_SA_NONE && fatal)
		MUST(closed(w, s, own));
	if (!m->row.response && !fatal)
		MUST(situation_sa(w, s));
	nothing_left(w, s, m);
	return true;
}

/*
 * The error that is the answer to a request; 0: none. Sections 2.25.1 and 2.25.2: who is about to
 * close or has replaced the IKE SA makes nothing new there.
 */
static uint16_t error_for(const struct situation *s, const struct message *m)
{
	switch (form_of(s, m)) {
	case IKE_FORM_INIT_REQUEST:
	case IKE_FORM_INFORMATIONAL:
		return 0;
	case IKE_FORM_ADDKE_REQUEST:
		/* RFC 9370 section 2.2.4: nothing of the sort has begun. */
		return s->state < IKE_SA_ESTABLISHED ? 0 : IKE_NOTIFY_STATE_NOT_FOUND;
	case IKE_FORM_AUTH_REQUEST:
	case IKE_FORM_AUTH_CHILDLESS_REQUEST:
	case IKE_FORM_EAP_PROOF:
	case IKE_FORM_ROUND_REQUEST:
	case IKE_FORM_ROUND_WAIT:
		return IKE_NOTIFY_AUTHENTICATION_FAILED;
	case IKE_FORM_CHILD_REQUEST:
	case IKE_FORM_REKEY_REQUEST:
		if (s->state != IKE_SA_ESTABLISHED)
			return IKE_NOTIFY_TEMPORARY_FAILURE;
		return s->asks ? ANY_NOTIFY : 0;
	default:
		return ANY_NOTIFY;
	}
}

static void judge_success(struct world *w, const struct situation *s, const struct message *m,
			  const struct before *was)
{
	struct before is = look(w, s, NULL);

	switch (form_of(s, m)) {
	case IKE_FORM_INIT_REQUEST:
		MUST(is.ikes == 1 && is.half_open == 1 && !is.sas);
		break;
	case IKE_FORM_CHILD_REQUEST:
		MUST(is.children == was->children + 1 && is.sas == was->sas + 2);
		break;
	case IKE_FORM_REKEY_REQUEST:
		MUST(is.ikes == was->ikes + 1 && is.children == was->children);
		break;
	case IKE_FORM_INFORMATIONAL:
		nothing_new(w, s, m, was);
		MUST(situation_sa(w, s));
		break;
	default:
		break;
	}
}

static void judge_answer(struct world *w, const struct situation *s, const struct message *m,
			 const struct before *was, const struct ike_sa *peer)
{
	uint16_t want = error_for(s, m), got;
	struct ike_payloads answer;
	struct ike_wire_notify n;

	read_answer(w, peer, was, s, m, &answer);
	got = ike_find_error(&answer, &n) ? n.type : 0;
	MUST(got != IKE_NOTIFY_INVALID_SYNTAX && got != IKE_NOTIFY_UNSUPPORTED_CRITICAL_PAYLOAD);
	if (want != ANY_NOTIFY && got != want)
		fail_msg("%s: answered with notify %u, not %u", describe(s, m), got, want);
	if (want == IKE_NOTIFY_AUTHENTICATION_FAILED)
		MUST(closed(w, s, peer->initiator ? peer->spi_r : peer->spi_i));
	if (got)
		nothing_new(w, s, m, was);
	else if (want != ANY_NOTIFY)
		judge_success(w, s, m, was);
}

/* Whom nobody knows has nothing installed, and is not taken for anybody. */
static bool judge_handled(struct world *w, const struct situation *s, const struct message *m,
			  const struct before *was, const struct ike_sa *peer)
{
	struct ike_sa *sa = ike_sa_find(w->end[s->end].engine,
					peer->initiator ? peer->spi_r : peer->spi_i);

	if (!m->row.response) {
		judge_answer(w, s, m, was, peer);
	} else {
		answered_nothing(w, s, m, was);
		/* What is not authentic may be passed over (section 2.21.1). */
		if (s->state != IKE_SA_INIT_SENT)
			MUST(!sa || !ike_window_awaits(&sa->window, was->next_id - 1));
	}
	if (s->state < IKE_SA_ESTABLISHED) {
		MUST(!world_count_sas(&w->end[s->end]) && !world_count_policies(&w->end[s->end]));
		MUST(!w->end[s->end].events[IKE_EVENT_IKE_UP]);
		MUST(!sa || (!sa->established && !sa->announced && !sa->identified));
	}
	nothing_left(w, s, m);
	return true;
}

/* One message to one engine. */

static struct world *world_at(const struct situation *s)
{
	if (all.world && all.at != s) {
		world_free(all.world);
		all.world = NULL;
	}
	all.at = s;
	if (!all.world)
		all.world = situation_world(s);
	return all.world;
}

static void try(const struct situation *s, const struct message *m)
{
	struct world *w = world_at(s);
	struct ike_sa *sa = situation_sa(w, s);
	struct ike_sa peer = order_peer(sa, world_sa(all.donor, 0));
	struct before was = look(w, s, sa);
	struct ike_outgoing o;
	bool changed = false;

	order_make(&o, sa, &peer, m, s->end);
	world_inject(w, s->end, o.buf, o.w.len);
	world_run(w);
	switch (fate_of(s, m)) {
	case DROPPED:
		changed = judge_dropped(w, s, m, &was, o.w.len);
		all.dropped++;
		break;
	case REFUSED:
		changed = judge_refused(w, s, m, &was, &peer);
		all.refused++;
		break;
	case HANDLED:
		changed = judge_handled(w, s, m, &was, &peer);
		all.handled++;
		break;
	}
	if (!changed)
		return;
	world_free(w);
	all.world = NULL;
}

/* All messages of one form */

static void add(struct message *m, uint8_t type)
{
	assert_true(m->n < TYPES_MAX);
	m->types[m->n++] = type;
}

/* In every guise. */
static void try_guises(const struct situation *s, struct message m)
{
	for (m.guise = GENUINE; m.guise < GUISES; m.guise++)
		if (m.guise != BARE || m.row.exchange != IKE_EXCHANGE_SA_INIT)
			try(s, &m);
}

static void try_with(const struct situation *s, const struct message *base, uint8_t type,
		     unsigned int times, bool critical)
{
	struct message m = *base;

	while (times--)
		add(&m, type);
	m.critical = critical;
	try(s, &m);
}

static void try_without(const struct situation *s, const struct message *base, size_t index)
{
	struct message m = *base;

	memmove(&m.types[index], &m.types[index + 1], --m.n - index);
	try(s, &m);
}

static void try_form(const struct situation *s, const struct ike_law_row *row, enum ike_form form)
{
	struct message least = {.row = *row, .form = form}, most;
	struct ike_law_part part;

	for (size_t i = 0; ike_law_part(form, i, &part); i++)
		for (unsigned int k = 0; k < part.min; k++)
			add(&least, part.type);
	most = least;
	for (size_t i = 0; ike_law_part(form, i, &part); i++)
		if (!part.min)
			add(&most, part.type);
	try_guises(s, least);
	try_guises(s, most);
	for (size_t i = 0; i < least.n; i++)
		try_without(s, &least, i);
	for (unsigned int type = IKE_PAYLOAD_SA; type <= IKE_PAYLOAD_SKF; type++) {
		if (!ike_payload_known(type))
			continue;
		try_with(s, &least, type, 1, false);
		try_with(s, &least, type, 2, false);
	}
	try_with(s, &least, UNKNOWN, 1, false);
	try_with(s, &least, UNKNOWN, 1, true);
}

static void try_table(const struct situation *s)
{
	struct ike_law_row row;

	for (size_t i = 0; ike_law_row(i, &row); i++)
		for (size_t k = 0; k < row.n_forms; k++)
			try_form(s, &row, row.forms[k]);
}

/* Exchanges that the table does not know: nothing in any state. */
static void try_unknown_exchanges(const struct situation *s)
{
	struct message m = {.form = IKE_FORM_INFORMATIONAL};

	for (unsigned int i = 0; i < 2 * 256; i++) {
		m.row.exchange = i / 2;
		m.row.response = i % 2;
		if (m.row.exchange < IKE_EXCHANGE_SA_INIT ||
		    m.row.exchange > IKE_EXCHANGE_INFORMATIONAL)
			try(s, &m);
	}
}

/* Tests */

static void test_every_message_everywhere(void **state)
{
	for (const struct situation *s = situations; s->name; s++) {
		unsigned int dropped = all.dropped, refused = all.refused, handled = all.handled;

		try_table(s);
		try_unknown_exchanges(s);
		print_message("# %s: %u dropped, %u refused, %u handled\n", s->name,
			      all.dropped - dropped, all.refused - refused,
			      all.handled - handled);
	}
	/* None of the three may be empty for want of a way there. */
	assert_true(all.dropped && all.refused && all.handled);
}

/* There is a situation for each state that the table names, and for what it says of roles. */
static void test_every_row_is_met(void **state)
{
	struct ike_law_row row;

	for (size_t i = 0; ike_law_row(i, &row); i++) {
		for (unsigned int st = 0; st < IKE_SA_STATES; st++) {
			bool met = !(row.states & 1u << st) ||
				   (row.response && st == IKE_SA_REKEYED);

			for (const struct situation *s = situations; s->name; s++)
				met |= s->state == st &&
				       (!row.response || s->asks == row.exchange ||
					st >= IKE_SA_ESTABLISHED);
			if (!met)
				fail_msg("no situation for %s in state %u",
					 ike_exchange_name(row.exchange), st);
		}
	}
}

static int set_up(void **state)
{
	all.donor = world_new();
	world_start(all.donor);
	world_up(all.donor);
	return 0;
}

static int tear_down(void **state)
{
	world_free(all.donor);
	if (all.world)
		world_free(all.world);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_row_is_met),
		cmocka_unit_test(test_every_message_everywhere),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
