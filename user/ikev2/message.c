// SPDX-License-Identifier: MIT
/* A message that came, opened; a message that goes, being made. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ikev2/fragment.h"
#include "ikev2/ike_sa.h"
#include "ikev2/intermediate.h"
#include "ikev2/message.h"
#include "ikev2/trace.h"

struct ike_incoming *ike_incoming_new(const struct ike_endpoint *local,
				      const struct ike_endpoint *remote, struct ike_bytes message)
{
	struct ike_incoming *in = malloc(sizeof(*in) + message.len);

	if (!in)
		return NULL;
	in->local = *local;
	in->remote = *remote;
	in->all.n = 0;
	in->form = IKE_FORM_NONE;
	in->refs = 1;
	in->whole = (struct ike_packet){0};
	in->plain = ike_bytes(NULL, 0);
	in->len = message.len;
	memcpy(in->bytes, message.p, message.len);
	ike_digest(message, in->digest);
	return in;
}

struct ike_incoming *ike_incoming_ref(struct ike_incoming *in)
{
	in->refs++;
	return in;
}

/* What was decrypted in it may hold secrets of later payload kinds: nothing is left behind. */
void ike_incoming_unref(struct ike_incoming *in)
{
	if (!in || --in->refs)
		return;
	ike_wipe(in->bytes, in->len);
	if (in->whole.p)
		ike_wipe(in->whole.p, in->whole.len);
	ike_packet_clear(&in->whole);
	free(in);
}

bool ike_find_notify(const struct ike_payloads *all, uint16_t type, struct ike_wire_notify *n)
{
	const struct ike_payload *p = NULL;
	struct ike_wire_notify found;

	while ((p = ike_payloads_find_next(all, IKE_PAYLOAD_NOTIFY, p))) {
		if (!ike_notify_decode(p->body, &found, NULL) || found.type != type)
			continue;
		if (n)
			*n = found;
		return true;
	}
	return false;
}

bool ike_find_error(const struct ike_payloads *all, struct ike_wire_notify *n)
{
	const struct ike_payload *p = NULL;

	while ((p = ike_payloads_find_next(all, IKE_PAYLOAD_NOTIFY, p)))
		if (ike_notify_decode(p->body, n, NULL) && n->type < IKE_NOTIFY_STATUS_FIRST)
			return true;
	return false;
}

const char *ike_notify_text(uint16_t type, char buf[32])
{
	const char *name = ike_notify_name(type);

	if (strcmp(name, "unknown"))
		return name;
	snprintf(buf, 32, "notify %u", type);
	return buf;
}

void ike_outgoing_begin(struct ike_outgoing *o, const struct ike_sa *sa, uint8_t exchange,
			uint32_t id, bool response)
{
	struct ike_header h = {
		.spi_i = sa->spi_i,
		.spi_r = sa->spi_r,
		.exchange = exchange,
		.message_id = id,
		.flags = (sa->initiator ? IKE_FLAG_INITIATOR : 0) |
			 (response ? IKE_FLAG_RESPONSE : 0),
	};

	ike_writer_init(&o->w, o->buf, IKE_MESSAGE_MAX);
	ike_message_begin(&o->w, &h);
	o->exchange = exchange;
	o->plain = exchange == IKE_EXCHANGE_SA_INIT;
	o->mark = o->plain ? 0 : ike_sk_begin(&o->w, &sa->out);
}

/* IKE_AUTH will have to prove what is in it, before it is encrypted or cut. */
static bool note_intermediate(const struct ike_outgoing *o, struct ike_sa *sa,
			      struct ike_error *err)
{
	size_t text_at = o->mark + IKE_GENERIC_LEN + sa->out.cipher.iv_len;

	if (o->plain || o->exchange != IKE_EXCHANGE_INTERMEDIATE || o->w.overflow)
		return true;
	return ike_intermediate_note(sa, sa->initiator, o->buf, o->buf[o->mark],
				     ike_bytes(o->buf + text_at, o->w.len - text_at), err);
}

bool ike_outgoing_end(struct ike_outgoing *o, struct ike_sa *sa, struct ike_error *err)
{
	if (!note_intermediate(o, sa, err))
		return false;
	if (!o->plain)
		ike_trace_sealing(sa, o);
	if (!o->plain && ike_fragment_needed(o, sa))
		return ike_fragment(o, sa, err);
	if (!o->plain)
		return ike_sk_seal(&o->w, o->mark, &sa->out, &sa->engine->random, err);
	if (!ike_message_end(&o->w))
		return ike_fail(err, "message: longer than the %zu bytes there are", o->w.cap);
	return true;
}
