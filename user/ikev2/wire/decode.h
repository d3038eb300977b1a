/* SPDX-License-Identifier: MIT */
/*
 * From bytes to typed views (RFC 7296 section 3). No state, no allocation, no interpretation: views
 * point into the message and live as long as it does. Every length is checked against the one that
 * encloses it.
 */
#ifndef ESPLANE_IKE_DECODE_H
#define ESPLANE_IKE_DECODE_H

#include "ikev2/text.h"
#include "ikev2/wire/bytes.h"
#include "ikev2/wire/wire.h"

struct ike_header {
	uint64_t spi_i, spi_r;
	uint8_t next; /* type of the first payload */
	uint8_t major, minor;
	uint8_t exchange;
	uint8_t flags; /* IKE_FLAG_*; other bits are as they came, and ignored (section 3.1) */
	uint32_t message_id;
	uint32_t length; /* of the whole message; encoders set it themselves */
};

/*
 * Decodes the fixed header; @message is one whole datagram without non-ESP marker, and the header's
 * length must be its length. Versions are not judged (section 2.5 wants an answer for a higher
 * major one).
 */
IKE_MUST_CHECK bool ike_header_decode(struct ike_bytes message, struct ike_header *h,
				      struct ike_error *err);

/* What an iterator came upon. */
enum ike_item {
	IKE_ITEM_END,
	IKE_ITEM_ONE,
	IKE_ITEM_BAD
};

/* One payload: generic header decoded, body untouched. */
struct ike_payload {
	uint8_t type;
	bool critical;
	uint8_t next;	       /* for SK and SKF: type of the first payload inside */
	size_t offset;	       /* of the generic header, from the start of the chain's bytes */
	struct ike_bytes body; /* without the generic header */
};

struct ike_payload_iter {
	struct ike_cursor c;
	size_t total;
	uint8_t next;
	unsigned int count;
	bool last; /* an SK or SKF payload was seen: it ends the chain (section 3.14) */
};

/*
 * @chain: all that follows the header (first = header.next), or what was in SK (first = that
 * payload's next).
 */
void ike_payload_iter_init(struct ike_payload_iter *it, uint8_t first, struct ike_bytes chain);
IKE_MUST_CHECK enum ike_item ike_payload_next(struct ike_payload_iter *it, struct ike_payload *p,
					      struct ike_error *err);

/* A whole chain at once, in order. */
struct ike_payloads {
	struct ike_payload items[IKE_PAYLOADS_MAX];
	size_t n;
};

/*
 * Decodes a chain, checks the inside of every payload that this library knows, and refuses unknown
 * ones that are critical (notify UNSUPPORTED_CRITICAL_PAYLOAD, err->payload its type; everything
 * else is INVALID_SYNTAX). Unknown ones that are not critical are left out of @all (section 2.5).
 */
IKE_MUST_CHECK bool ike_payloads_decode(struct ike_payloads *all, uint8_t first,
					struct ike_bytes chain, struct ike_error *err);
/* The first payload of @type, or NULL. */
const struct ike_payload *ike_payloads_find(const struct ike_payloads *all, uint8_t type);
/* The one of @type after @after (NULL: the first), or NULL: for NOTIFY, DELETE, CERT, VENDOR. */
const struct ike_payload *ike_payloads_find_next(const struct ike_payloads *all, uint8_t type,
						 const struct ike_payload *after);
size_t ike_payloads_count(const struct ike_payloads *all, uint8_t type);

bool ike_payload_known(uint8_t type);
/*
 * Checks everything inside of @p that the functions below would; true for types without inner
 * structure.
 */
IKE_MUST_CHECK bool ike_payload_check(const struct ike_payload *p, struct ike_error *err);

/* Section 3.3. SA, its proposals, their transforms, their attributes: an iterator each. */
struct ike_sa_iter {
	struct ike_cursor c;
	unsigned int count;
	bool last;
};

struct ike_wire_proposal {
	uint8_t number;
	uint8_t protocol;
	struct ike_bytes spi;
	uint8_t n_transforms;
	struct ike_bytes transforms;
};

struct ike_wire_transform {
	uint8_t type;
	uint16_t id;
	struct ike_bytes attributes;
};

struct ike_wire_attribute {
	uint16_t type; /* without IKE_ATTRIBUTE_TV */
	bool tv;
	uint16_t value;	       /* if @tv */
	struct ike_bytes data; /* if not */
};

struct ike_transform_iter {
	struct ike_cursor c;
	unsigned int count, announced;
	bool last;
};

struct ike_attribute_iter {
	struct ike_cursor c;
	unsigned int count;
};

void ike_sa_iter_init(struct ike_sa_iter *it, struct ike_bytes body);
/*
 * Proposal numbers must begin at 1 and go up by 1 (section 3.3), except that a lone one may have
 * any.
 */
IKE_MUST_CHECK enum ike_item ike_sa_next(struct ike_sa_iter *it, struct ike_wire_proposal *p,
					 struct ike_error *err);
void ike_transform_iter_init(struct ike_transform_iter *it, const struct ike_wire_proposal *p);
IKE_MUST_CHECK enum ike_item ike_transform_next(struct ike_transform_iter *it,
						struct ike_wire_transform *t,
						struct ike_error *err);
void ike_attribute_iter_init(struct ike_attribute_iter *it, const struct ike_wire_transform *t);
IKE_MUST_CHECK enum ike_item ike_attribute_next(struct ike_attribute_iter *it,
						struct ike_wire_attribute *a,
						struct ike_error *err);

/* Section 3.4. */
struct ike_wire_ke {
	uint16_t group;
	struct ike_bytes data;
};
IKE_MUST_CHECK bool ike_ke_decode(struct ike_bytes body, struct ike_wire_ke *ke,
				  struct ike_error *err);

/* Section 3.5. @body is RestOfIDPayload of section 2.15, reserved bytes as they came. */
struct ike_wire_id {
	uint8_t type;
	struct ike_bytes data;
	struct ike_bytes body;
};
IKE_MUST_CHECK bool ike_id_decode(struct ike_bytes body, struct ike_wire_id *id,
				  struct ike_error *err);

/* Sections 3.6 and 3.7: CERT and CERTREQ. */
struct ike_wire_cert {
	uint8_t encoding;
	struct ike_bytes data;
};
IKE_MUST_CHECK bool ike_cert_decode(struct ike_bytes body, struct ike_wire_cert *cert,
				    struct ike_error *err);

/* Section 3.8. */
struct ike_wire_auth {
	uint8_t method;
	struct ike_bytes data;
};
IKE_MUST_CHECK bool ike_auth_decode(struct ike_bytes body, struct ike_wire_auth *auth,
				    struct ike_error *err);

/* Section 3.9: checks the length (section 2.10). */
IKE_MUST_CHECK bool ike_nonce_decode(struct ike_bytes body, struct ike_bytes *nonce,
				     struct ike_error *err);

/* Section 3.10. */
struct ike_wire_notify {
	uint8_t protocol;
	struct ike_bytes spi; /* of any length that fits; see ike_notify_spi32() */
	uint16_t type;
	struct ike_bytes data;
};
IKE_MUST_CHECK bool ike_notify_decode(struct ike_bytes body, struct ike_wire_notify *n,
				      struct ike_error *err);
/*
 * The SPI of an ESP or AH SA, host byte order; 0 (never a legal SPI) if protocol or length are
 * others.
 */
uint32_t ike_notify_spi32(const struct ike_wire_notify *n);

/* Section 3.11. */
struct ike_wire_delete {
	uint8_t protocol;
	uint8_t spi_len; /* 0 for IKE, 4 for ESP and AH; other combinations are refused */
	uint16_t count;
	struct ike_bytes spis;
};
IKE_MUST_CHECK bool ike_delete_decode(struct ike_bytes body, struct ike_wire_delete *d,
				      struct ike_error *err);
/* The @i-th SPI, host byte order; 0 if there is none. */
uint32_t ike_delete_spi32(const struct ike_wire_delete *d, size_t i);

/*
 * Section 3.13. Types other than the IP ranges give empty @first and @last, and the whole in @raw.
 */
struct ike_wire_ts {
	uint8_t type;
	uint8_t protocol;
	uint16_t port_first, port_last;
	struct ike_bytes first, last;
	struct ike_bytes raw;
};

struct ike_ts_iter {
	struct ike_cursor c;
	unsigned int count, announced;
};

IKE_MUST_CHECK bool ike_ts_iter_init(struct ike_ts_iter *it, struct ike_bytes body,
				     struct ike_error *err);
IKE_MUST_CHECK enum ike_item ike_ts_next(struct ike_ts_iter *it, struct ike_wire_ts *ts,
					 struct ike_error *err);

/* Section 3.15. */
struct ike_wire_cp_attribute {
	uint16_t type;
	struct ike_bytes data;
};

struct ike_cp_iter {
	struct ike_cursor c;
	uint8_t type; /* IKE_CFG_* */
	unsigned int count;
};

IKE_MUST_CHECK bool ike_cp_iter_init(struct ike_cp_iter *it, struct ike_bytes body,
				     struct ike_error *err);
IKE_MUST_CHECK enum ike_item ike_cp_next(struct ike_cp_iter *it, struct ike_wire_cp_attribute *a,
					 struct ike_error *err);

/* Section 3.16. */
struct ike_wire_eap {
	uint8_t code, identifier;
	uint8_t type; /* 0 in Success and Failure */
	struct ike_bytes data;
};
IKE_MUST_CHECK bool ike_eap_decode(struct ike_bytes body, struct ike_wire_eap *eap,
				   struct ike_error *err);

/* RFC 7383 section 2.5. */
struct ike_wire_skf {
	uint16_t number, total;
	struct ike_bytes sealed; /* IV, ciphertext, ICV */
};
IKE_MUST_CHECK bool ike_skf_decode(struct ike_bytes body, struct ike_wire_skf *skf,
				   struct ike_error *err);

#endif
