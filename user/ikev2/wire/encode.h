/* SPDX-License-Identifier: MIT */
/*
 * From values to bytes (RFC 7296 section 3). A message is begun, payloads are put one after the
 * other (each patches its type into the one before), and it is ended or sealed (crypto/protect.h).
 * Overflow is sticky in the writer: ask once, at the end.
 *
 * 	ike_writer_init(&w, buf, sizeof(buf));
 * 	ike_message_begin(&w, &header);
 * 	ike_put_ke(&w, group, public);
 * 	ike_put_nonce(&w, nonce);
 * 	if (!ike_message_end(&w))
 * 		...
 */
#ifndef ESPLANE_IKE_ENCODE_H
#define ESPLANE_IKE_ENCODE_H

#include "ikev2/wire/bytes.h"
#include "ikev2/wire/decode.h"

/* Writes @h except next and length, which follow from what is put after it. The version is ours. */
void ike_message_begin(struct ike_writer *w, const struct ike_header *h);
/* Patches the length of a message that has no SK payload. False if something did not fit. */
IKE_MUST_CHECK bool ike_message_end(struct ike_writer *w);

/* Any payload: begin gives the mark that end wants; the body goes in between. */
size_t ike_payload_begin(struct ike_writer *w, uint8_t type);
void ike_payload_end(struct ike_writer *w, size_t mark);
void ike_put_payload(struct ike_writer *w, uint8_t type, struct ike_bytes body);

void ike_put_ke(struct ike_writer *w, uint16_t group, struct ike_bytes data);
/* @type: IKE_PAYLOAD_IDI or _IDR. */
void ike_put_id(struct ike_writer *w, uint8_t type, uint8_t id_type, struct ike_bytes data);
void ike_put_auth(struct ike_writer *w, uint8_t method, struct ike_bytes data);
void ike_put_nonce(struct ike_writer *w, struct ike_bytes nonce);
/* About no SA in particular. */
void ike_put_notify(struct ike_writer *w, uint16_t type, struct ike_bytes data);
/* About an ESP SA: REKEY_SA, CHILD_SA_NOT_FOUND. @spi in host byte order. */
void ike_put_notify_spi32(struct ike_writer *w, uint16_t type, uint8_t protocol, uint32_t spi);
/* The IKE SA itself. */
void ike_put_delete_ike(struct ike_writer *w);
/* SPIs in host byte order. */
void ike_put_delete_esp(struct ike_writer *w, const uint32_t *spis, size_t n);
void ike_put_vendor(struct ike_writer *w, struct ike_bytes data);

/* SA payload: sa_begin, { proposal_begin, transform..., proposal_end }..., sa_end. */
struct ike_sa_writer {
	size_t payload, proposal, transform; /* marks; 0: none yet */
	uint8_t number, n_transforms;
};
void ike_sa_begin(struct ike_writer *w, struct ike_sa_writer *sa);
void ike_proposal_begin(struct ike_writer *w, struct ike_sa_writer *sa, uint8_t number,
			uint8_t protocol, struct ike_bytes spi);
/* @key_bits 0: no Key Length attribute. */
void ike_put_transform(struct ike_writer *w, struct ike_sa_writer *sa, uint8_t type, uint16_t id,
		       uint16_t key_bits);
void ike_proposal_end(struct ike_writer *w, struct ike_sa_writer *sa);
void ike_sa_end(struct ike_writer *w, struct ike_sa_writer *sa);

/* TS payload: begin, selectors, end. @first and @last are 4 or 16 bytes, which says the type. */
struct ike_ts_writer {
	size_t payload;
	uint8_t n;
};
void ike_ts_begin(struct ike_writer *w, struct ike_ts_writer *ts, uint8_t payload_type);
void ike_put_ts(struct ike_writer *w, struct ike_ts_writer *ts, uint8_t protocol,
		uint16_t port_first, uint16_t port_last, struct ike_bytes first,
		struct ike_bytes last);
void ike_ts_end(struct ike_writer *w, struct ike_ts_writer *ts);

#endif
