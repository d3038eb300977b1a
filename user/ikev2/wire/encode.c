// SPDX-License-Identifier: MIT
/* From values to bytes: messages, payloads and what is in them (RFC 7296 section 3). */
#include "ikev2/wire/encode.h"

enum {
	/* Section 3.1, offset in the header. */
	HEADER_LENGTH_AT = 24,
	PAYLOAD_LENGTH_AT = 2,	 /* section 3.2: offset in the generic header */
	SUBSTRUCT_LENGTH_AT = 2, /* sections 3.3.1, 3.3.2 */
	PROPOSAL_COUNT_AT = 7,	 /* section 3.3.1 */
};

void ike_message_begin(struct ike_writer *w, const struct ike_header *h)
{
	ike_put64(w, h->spi_i);
	ike_put64(w, h->spi_r);
	w->next_at = w->len;
	ike_put8(w, IKE_PAYLOAD_NONE);
	ike_put8(w, IKE_VERSION_MAJOR << 4 | IKE_VERSION_MINOR);
	ike_put8(w, h->exchange);
	ike_put8(w, h->flags);
	ike_put32(w, h->message_id);
	ike_put32(w, 0);
}

bool ike_message_end(struct ike_writer *w)
{
	ike_patch32(w, HEADER_LENGTH_AT, w->len);
	return !w->overflow;
}

size_t ike_payload_begin(struct ike_writer *w, uint8_t type)
{
	size_t mark = w->len;

	ike_patch8(w, w->next_at, type);
	w->next_at = mark;
	ike_put8(w, IKE_PAYLOAD_NONE);
	ike_put8(w, 0);
	ike_put16(w, 0);
	return mark;
}

/* A length that does not fit into 16 bits is an overflow like any other. */
static void patch_length(struct ike_writer *w, size_t mark, size_t at)
{
	if (w->overflow || mark > w->len || w->len - mark > UINT16_MAX) {
		w->overflow = true;
		return;
	}
	ike_patch16(w, mark + at, w->len - mark);
}

void ike_payload_end(struct ike_writer *w, size_t mark)
{
	patch_length(w, mark, PAYLOAD_LENGTH_AT);
}

void ike_put_payload(struct ike_writer *w, uint8_t type, struct ike_bytes body)
{
	size_t mark = ike_payload_begin(w, type);

	ike_put(w, body);
	ike_payload_end(w, mark);
}

void ike_put_ke(struct ike_writer *w, uint16_t group, struct ike_bytes data)
{
	size_t mark = ike_payload_begin(w, IKE_PAYLOAD_KE);

	ike_put16(w, group);
	ike_put16(w, 0);
	ike_put(w, data);
	ike_payload_end(w, mark);
}

/* ID and AUTH have the same shape: a byte, three reserved ones, data (sections 3.5, 3.8). */
static void put_typed(struct ike_writer *w, uint8_t payload, uint8_t type, struct ike_bytes data)
{
	size_t mark = ike_payload_begin(w, payload);

	ike_put8(w, type);
	ike_put8(w, 0);
	ike_put16(w, 0);
	ike_put(w, data);
	ike_payload_end(w, mark);
}

void ike_put_id(struct ike_writer *w, uint8_t type, uint8_t id_type, struct ike_bytes data)
{
	put_typed(w, type, id_type, data);
}

void ike_put_auth(struct ike_writer *w, uint8_t method, struct ike_bytes data)
{
	put_typed(w, IKE_PAYLOAD_AUTH, method, data);
}

void ike_put_nonce(struct ike_writer *w, struct ike_bytes nonce)
{
	ike_put_payload(w, IKE_PAYLOAD_NONCE, nonce);
}

void ike_put_notify(struct ike_writer *w, uint16_t type, struct ike_bytes data)
{
	size_t mark = ike_payload_begin(w, IKE_PAYLOAD_NOTIFY);

	ike_put8(w, IKE_PROTO_NONE);
	ike_put8(w, 0);
	ike_put16(w, type);
	ike_put(w, data);
	ike_payload_end(w, mark);
}

void ike_put_notify_spi32(struct ike_writer *w, uint16_t type, uint8_t protocol, uint32_t spi)
{
	size_t mark = ike_payload_begin(w, IKE_PAYLOAD_NOTIFY);

	ike_put8(w, protocol);
	ike_put8(w, IKE_ESP_SPI_LEN);
	ike_put16(w, type);
	ike_put32(w, spi);
	ike_payload_end(w, mark);
}

void ike_put_delete_ike(struct ike_writer *w)
{
	size_t mark = ike_payload_begin(w, IKE_PAYLOAD_DELETE);

	ike_put8(w, IKE_PROTO_IKE);
	ike_put8(w, 0);
	ike_put16(w, 0);
	ike_payload_end(w, mark);
}

void ike_put_delete_esp(struct ike_writer *w, const uint32_t *spis, size_t n)
{
	size_t mark = ike_payload_begin(w, IKE_PAYLOAD_DELETE);

	ike_put8(w, IKE_PROTO_ESP);
	ike_put8(w, IKE_ESP_SPI_LEN);
	ike_put16(w, n);
	for (size_t i = 0; i < n; i++)
		ike_put32(w, spis[i]);
	ike_payload_end(w, mark);
}

void ike_put_vendor(struct ike_writer *w, struct ike_bytes data)
{
	ike_put_payload(w, IKE_PAYLOAD_VENDOR, data);
}

void ike_sa_begin(struct ike_writer *w, struct ike_sa_writer *sa)
{
	*sa = (struct ike_sa_writer){.payload = ike_payload_begin(w, IKE_PAYLOAD_SA)};
}

void ike_proposal_begin(struct ike_writer *w, struct ike_sa_writer *sa, uint8_t number,
			uint8_t protocol, struct ike_bytes spi)
{
	if (sa->proposal)
		ike_patch8(w, sa->proposal, IKE_MORE_PROPOSALS);
	sa->proposal = w->len;
	sa->transform = 0;
	sa->n_transforms = 0;
	ike_put8(w, IKE_LAST);
	ike_put8(w, 0);
	ike_put16(w, 0);
	ike_put8(w, number);
	ike_put8(w, protocol);
	ike_put8(w, spi.len);
	ike_put8(w, 0);
	ike_put(w, spi);
}

void ike_put_transform(struct ike_writer *w, struct ike_sa_writer *sa, uint8_t type, uint16_t id,
		       uint16_t key_bits)
{
	if (sa->n_transforms == UINT8_MAX)
		w->overflow = true;
	if (sa->transform)
		ike_patch8(w, sa->transform, IKE_MORE_TRANSFORMS);
	sa->transform = w->len;
	sa->n_transforms++;
	ike_put8(w, IKE_LAST);
	ike_put8(w, 0);
	ike_put16(w, 0);
	ike_put8(w, type);
	ike_put8(w, 0);
	ike_put16(w, id);
	if (key_bits) {
		ike_put16(w, IKE_ATTRIBUTE_TV | IKE_ATTRIBUTE_KEY_LENGTH);
		ike_put16(w, key_bits);
	}
	patch_length(w, sa->transform, SUBSTRUCT_LENGTH_AT);
}

void ike_proposal_end(struct ike_writer *w, struct ike_sa_writer *sa)
{
	patch_length(w, sa->proposal, SUBSTRUCT_LENGTH_AT);
	ike_patch8(w, sa->proposal + PROPOSAL_COUNT_AT, sa->n_transforms);
}

void ike_sa_end(struct ike_writer *w, struct ike_sa_writer *sa)
{
	ike_payload_end(w, sa->payload);
}

void ike_ts_begin(struct ike_writer *w, struct ike_ts_writer *ts, uint8_t payload_type)
{
	*ts = (struct ike_ts_writer){.payload = ike_payload_begin(w, payload_type)};
	ike_put32(w, 0); /* number of selectors, and reserved */
}

void ike_put_ts(struct ike_writer *w, struct ike_ts_writer *ts, uint8_t protocol,
		uint16_t port_first, uint16_t port_last, struct ike_bytes first,
		struct ike_bytes last)
{
	bool v6 = first.len != 4;

	if (ts->n == UINT8_MAX || first.len != last.len)
		w->overflow = true;
	ts->n++;
	ike_put8(w, v6 ? IKE_TS_IPV6_ADDR_RANGE : IKE_TS_IPV4_ADDR_RANGE);
	ike_put8(w, protocol);
	ike_put16(w, v6 ? IKE_TS_IPV6_LEN : IKE_TS_IPV4_LEN);
	ike_put16(w, port_first);
	ike_put16(w, port_last);
	ike_put(w, first);
	ike_put(w, last);
}

void ike_ts_end(struct ike_writer *w, struct ike_ts_writer *ts)
{
	ike_patch8(w, ts->payload + IKE_GENERIC_LEN, ts->n);
	ike_payload_end(w, ts->payload);
}
