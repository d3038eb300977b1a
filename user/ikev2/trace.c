// SPDX-License-Identifier: MIT
/*
 * IKE messages for those who look into them. What was in an SK payload (RFC 7296 section 3.14)
 * takes its place in the chain: the header names the first payload of what it held.
 */
#include <stdlib.h>
#include <string.h>

#include "ikev2/trace.h"

/* Section 3.1. */
enum {
	NEXT_AT = 16,
	FLAGS_AT = 19,
	LENGTH_AT = 24
};

void ike_engine_trace(struct ike_engine *e, bool on)
{
	e->tracing = on && e->ops->trace;
}

static void tell(struct ike_engine *e, const struct ike_trace *t)
{
	e->ops->trace(e->host, t);
}

void ike_trace_clear(struct ike_engine *e, bool sent, const struct ike_endpoint *local,
		     const struct ike_endpoint *remote, struct ike_bytes message)
{
	if (!e->tracing || message.len < IKE_HEADER_LEN ||
	    message.p[NEXT_AT] == IKE_PAYLOAD_SK || message.p[NEXT_AT] == IKE_PAYLOAD_SKF)
		return;
	tell(e, &(struct ike_trace){.sent = sent, .local = *local, .remote = *remote,
				    .message = message.p, .len = message.len});
}

/* @header: 28 bytes that were sent or came. */
static void tell_protected(const struct ike_sa *sa, struct ike_trace *t, const uint8_t *header,
			   uint8_t first, struct ike_bytes plain)
{
	uint8_t *message = malloc(IKE_HEADER_LEN + plain.len);

	if (!message)
		return;
	t->conn = sa->conn->name;
	t->ike_id = sa->id;
	t->decrypted = true;
	t->message = message;
	t->len = IKE_HEADER_LEN + plain.len;
	memcpy(message, header, IKE_HEADER_LEN);
	if (plain.len)
		memcpy(message + IKE_HEADER_LEN, plain.p, plain.len);
	message[NEXT_AT] = first;
	for (size_t i = 0; i < sizeof(uint32_t); i++)
		message[LENGTH_AT + i] = t->len >> 8 * (3 - i);
	tell(sa->engine, t);
	ike_wipe(message, t->len);
	free(message);
}

void ike_trace_opened(const struct ike_sa *sa, const struct ike_incoming *in, uint8_t first,
		      struct ike_bytes plain)
{
	struct ike_trace t = {.local = in->local, .remote = in->remote};

	if (sa->engine->tracing)
		tell_protected(sa, &t, in->bytes, first, plain);
}

void ike_trace_sealing(const struct ike_sa *sa, const struct ike_outgoing *o)
{
	size_t text_at = o->mark + IKE_GENERIC_LEN + sa->out.cipher.iv_len;
	bool answer;
	struct ike_trace t = {.sent = true};

	if (!sa->engine->tracing || o->w.overflow || o->w.len < text_at)
		return;
	answer = o->buf[FLAGS_AT] & IKE_FLAG_RESPONSE;
	t.local = answer ? sa->answered_from : sa->local;
	t.remote = answer ? sa->answered_to : sa->remote;
	tell_protected(sa, &t, o->buf, o->buf[o->mark],
		       ike_bytes(o->buf + text_at, o->w.len - text_at));
}
