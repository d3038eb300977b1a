// SPDX-License-Identifier: MIT
/* Messages made of the table of what may come when. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "tests/order_message.h"

/* TSi is of the end that asks, TSr of the other. */
static void put_selector(struct ike_writer *w, const struct message *m, uint8_t type,
			 unsigned int end)
{
	unsigned int asker = m->row.response ? end : !end;
	bool first = (type == IKE_PAYLOAD_TSI) == !asker;
	struct ike_ts ts = {0};

	assert_true(ike_ts_parse(first ? "10.1.0.0/16" : "10.2.0.0/16", &ts, NULL));
	ike_put_ts_list(w, type, &ts, 1);
}

static void put_proposal(struct ike_writer *w, enum ike_form form)
{
	bool init = form == IKE_FORM_INIT_REQUEST || form == IKE_FORM_INIT_ANSWER;
	bool rekey = form == IKE_FORM_REKEY_REQUEST || form == IKE_FORM_REKEY_ANSWER;
	static const uint8_t spi[IKE_SPI_LEN] = {0xaa, 1, 2, 3, 4, 5, 6, 7};
	struct ike_proposal_list list = {0};

	assert_true(ike_proposal_list_parse(
		&list, init || rekey ? IKE_PROTO_IKE : IKE_PROTO_ESP,
		init || rekey ? "aes128gcm16-prfsha256-x25519" : "aes128gcm16", NULL));
	ike_put_proposals(w, &list, ike_bytes(spi, init ? 0 : rekey ? IKE_SPI_LEN : 4), false);
	ike_proposal_list_clear(&list);
}

static void put_identity(struct ike_writer *w, uint8_t type)
{
	struct ike_id id;

	assert_true(ike_id_parse(type == IKE_PAYLOAD_IDI ? "a.example.org" : "b.example.org", &id,
				 NULL));
	ike_put_identity(w, type, &id, NULL);
}

static void put_one(struct ike_writer *w, const struct message *m, uint8_t type,
		    unsigned int end)
{
	static const uint8_t base[32] = {9}; /* RFC 7748 section 4.1: a good point */
	static const uint8_t some[48] = {1, 4};
	static const uint32_t foreign_spi = 0xdeadbeef;

	switch (type) {
	case IKE_PAYLOAD_SA:
		put_proposal(w, m->form);
		break;
	case IKE_PAYLOAD_KE:
		ike_put_ke(w, IKE_KE_CURVE25519, ike_bytes(base, sizeof(base)));
		break;
	case IKE_PAYLOAD_IDI:
	case IKE_PAYLOAD_IDR:
		put_identity(w, type);
		break;
	case IKE_PAYLOAD_AUTH:
		ike_put_auth(w, IKE_AUTH_METHOD_PSK, ike_bytes(some, 32));
		break;
	case IKE_PAYLOAD_NONCE:
		ike_put_nonce(w, ike_bytes(some, sizeof(some)));
		break;
	case IKE_PAYLOAD_NOTIFY:
		ike_put_notify(w, m->form == IKE_FORM_NOTIFY ? IKE_NOTIFY_NO_PROPOSAL_CHOSEN
							     : STRANGE_STATUS,
			       ike_bytes(NULL, 0));
		break;
	case IKE_PAYLOAD_DELETE:
		ike_put_delete_esp(w, &foreign_spi, 1);
		break;
	case IKE_PAYLOAD_TSI:
	case IKE_PAYLOAD_TSR:
		put_selector(w, m, type, end);
		break;
	case IKE_PAYLOAD_CP:
		ike_put_payload(w, type, ike_bytes("\1\0\0\0", 4)); /* CFG_REQUEST of nothing */
		break;
	case IKE_PAYLOAD_EAP:
		ike_put_payload(w, type, ike_bytes(m->row.response ? "\1\7\0\5\1" : "\2\7\0\5\1", 5));
		break;
	case IKE_PAYLOAD_SKF:
		ike_put_payload(w, type, ike_bytes("\0\1\0\1", 4));
		break;
	default:
		ike_put_payload(w, type, ike_bytes(some, sizeof(some)));
		break;
	}
}

struct ike_sa order_peer(const struct ike_sa *sa, const struct ike_sa *donor)
{
	struct ike_sa peer = sa ? *sa : *donor;

	if (sa) {
		peer.initiator = !sa->initiator;
		peer.in = sa->out;
		peer.out = sa->in;
	}
	if (!peer.keyed) {
		peer.in = donor->in;
		peer.out = donor->out;
		peer.prf = donor->prf;
	}
	if (!peer.spi_r)
		peer.spi_r = 0xbb;
	peer.fragmentation = false;
	return peer;
}

static uint32_t id_for(const struct ike_sa *sa, const struct message *m)
{
	if (!sa)
		return m->row.exchange == IKE_EXCHANGE_SA_INIT ? 0 : 1;
	return m->row.response ? sa->window.next_id - 1 : sa->window.expected;
}

void order_make(struct ike_outgoing *o, const struct ike_sa *sa, const struct ike_sa *peer,
		const struct message *m, unsigned int end)
{
	struct ike_sa sender = *peer;
	struct ike_error err;
	size_t mark;

	if (m->guise == MIRRORED)
		sender.initiator = !sender.initiator;
	if (!sa && m->row.exchange == IKE_EXCHANGE_SA_INIT)
		sender.spi_r = 0;
	ike_outgoing_begin(o, &sender, m->row.exchange, id_for(sa, m), m->row.response);
	if (m->guise == BARE && !o->plain) {
		o->plain = true;
		o->w.len = IKE_HEADER_LEN;
		ike_patch8(&o->w, 16, IKE_PAYLOAD_NONE); /* next payload */
		o->w.next_at = 16;
	}
	for (size_t i = 0; i < m->n; i++) {
		mark = o->w.len;
		put_one(&o->w, m, m->types[i], end);
		if (m->types[i] == UNKNOWN && m->critical)
			ike_patch8(&o->w, mark + 1, IKE_CRITICAL);
	}
	assert_true(ike_outgoing_end(o, &sender, &err));
}
