// SPDX-License-Identifier: MIT
/* The header and the chain of payloads after it (RFC 7296 sections 3.1, 3.2). */
#include "ikev2/wire/decode.h"

#define bad(err, ...) ike_fail_notify(err, IKE_NOTIFY_INVALID_SYNTAX, __VA_ARGS__)

bool ike_header_decode(struct ike_bytes message, struct ike_header *h, struct ike_error *err)
{
	struct ike_cursor c = ike_cursor(message);
	uint8_t version;

	h->spi_i = ike_get64(&c);
	h->spi_r = ike_get64(&c);
	h->next = ike_get8(&c);
	version = ike_get8(&c);
	h->major = version >> 4;
	h->minor = version & 0xf;
	h->exchange = ike_get8(&c);
	h->flags = ike_get8(&c);
	h->message_id = ike_get32(&c);
	h->length = ike_get32(&c);
	if (c.bad)
		return bad(err, "header: %zu bytes where %d are needed", message.len,
			   IKE_HEADER_LEN);
	if (h->length != message.len)
		return bad(err, "header: length %u in a datagram of %zu bytes", h->length,
			   message.len);
	return true;
}

void ike_payload_iter_init(struct ike_payload_iter *it, uint8_t first, struct ike_bytes chain)
{
	*it = (struct ike_payload_iter){
		.c = ike_cursor(chain),
		.total = chain.len,
		.next = first,
	};
}

static enum ike_item chain_end(struct ike_payload_iter *it, struct ike_error *err)
{
	if (!it->c.rest.len)
		return IKE_ITEM_END;
	it->c.bad = true;
	bad(err, "payload chain: %zu bytes after the last payload", it->c.rest.len);
	return IKE_ITEM_BAD;
}

/* Reads one payload of the type announced before it. */
static bool chain_item(struct ike_payload_iter *it, struct ike_payload *p, struct ike_error *err)
{
	size_t left = it->c.rest.len;
	const char *name = ike_payload_name(it->next);
	uint8_t flags;
	uint16_t len;

	p->type = it->next;
	p->offset = it->total - left;
	p->next = ike_get8(&it->c);
	flags = ike_get8(&it->c);
	len = ike_get16(&it->c);
	if (it->c.bad)
		return bad(err, "%s payload: %zu bytes where its header needs %d", name, left,
			   IKE_GENERIC_LEN);
	if (len < IKE_GENERIC_LEN)
		return bad(err, "%s payload: length %u where %d is the least", name, len,
			   IKE_GENERIC_LEN);
	if (len > left)
		return bad(err, "%s payload: length %u where %zu bytes are left", name, len, left);
	p->critical = flags & IKE_CRITICAL;
	p->body = ike_get(&it->c, len - IKE_GENERIC_LEN);
	return true;
}

enum ike_item ike_payload_next(struct ike_payload_iter *it, struct ike_payload *p,
			       struct ike_error *err)
{
	if (!it->c.bad && (it->last || it->next == IKE_PAYLOAD_NONE))
		return chain_end(it, err);
	if (it->count == IKE_PAYLOADS_MAX) {
		it->c.bad = true;
		bad(err, "payload chain: more than %d payloads", IKE_PAYLOADS_MAX);
		return IKE_ITEM_BAD;
	}
	if (!chain_item(it, p, err)) {
		it->c.bad = true;
		if (err)
			err->payload = p->type;
		return IKE_ITEM_BAD;
	}
	it->count++;
	it->next = p->next;
	it->last = p->type == IKE_PAYLOAD_SK || p->type == IKE_PAYLOAD_SKF;
	return IKE_ITEM_ONE;
}

/* Checks @p; keeps it unless it is of an unknown type. */
static bool take(struct ike_payloads *all, const struct ike_payload *p, struct ike_error *err)
{
	if (ike_payload_known(p->type)) {
		all->items[all->n++] = *p;
		return ike_payload_check(p, err);
	}
	if (!p->critical)
		return true;
	ike_fail_notify(err, IKE_NOTIFY_UNSUPPORTED_CRITICAL_PAYLOAD,
			"payload of unknown type %u is marked critical", p->type);
	if (err)
		err->payload = p->type;
	return false;
}

bool ike_payloads_decode(struct ike_payloads *all, uint8_t first, struct ike_bytes chain,
			 struct ike_error *err)
{
	struct ike_payload_iter it;
	struct ike_payload p;
	enum ike_item item;

	all->n = 0;
	ike_payload_iter_init(&it, first, chain);
	while ((item = ike_payload_next(&it, &p, err)) == IKE_ITEM_ONE)
		if (!take(all, &p, err))
			return false;
	return item == IKE_ITEM_END;
}

const struct ike_payload *ike_payloads_find_next(const struct ike_payloads *all, uint8_t type,
						 const struct ike_payload *after)
{
	const struct ike_payload *p = after ? after + 1 : all->items;

	for (; p < all->items + all->n; p++)
		if (p->type == type)
			return p;
	return NULL;
}

const struct ike_payload *ike_payloads_find(const struct ike_payloads *all, uint8_t type)
{
	return ike_payloads_find_next(all, type, NULL);
}

size_t ike_payloads_count(const struct ike_payloads *all, uint8_t type)
{
	size_t count = 0;

	for (size_t i = 0; i < all->n; i++)
		count += all->items[i].type == type;
	return count;
}
