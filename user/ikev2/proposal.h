/* SPDX-License-Identifier: MIT */
/*
 * Proposals (RFC 7296 section 3.3): swanctl's syntax for them, their wire form, choosing one and
 * checking the choice.
 *
 * Order of choice: of our proposals the first that matches any of the peer's; in it, for each
 * transform type, our first that the peer offers. With peer_order the roles are changed.
 * (strongSwan's default is the same.)
 */
#ifndef ESPLANE_IKE_PROPOSAL_H
#define ESPLANE_IKE_PROPOSAL_H

#include "ikev2/text.h"
#include "ikev2/wire/encode.h"
#include "ikev2/wire/wire.h"

enum {
	IKE_PROPOSAL_TRANSFORMS_MAX = 128, /* a proposal with more is refused */
	IKE_PROPOSALS_MAX = 32,		   /* of a peer's SA payload, those after are ignored */
	IKE_PROPOSAL_TEXT_MAX = 1024,	   /* enough for what people configure */
};

struct ike_transform {
	uint8_t type; /* IKE_TRANSFORM_* */
	uint16_t id;
	uint16_t key_bits; /* 0: no Key Length attribute */
};

struct ike_proposal {
	uint8_t number;	  /* from the wire, or 1, 2, ... in a parsed list */
	uint8_t protocol; /* IKE_PROTO_IKE or IKE_PROTO_ESP */
	uint8_t spi_len;  /* from the wire: 0, 4 or 8 */
	uint8_t spi[IKE_SPI_LEN];
	uint8_t n;
	struct ike_transform transforms[IKE_PROPOSAL_TRANSFORMS_MAX];
};

/* Owned: ike_proposal_list_clear(). */
struct ike_proposal_list {
	struct ike_proposal *items;
	size_t n;
};

/* One transform of each type: what was agreed. */
struct ike_suite {
	uint8_t protocol;
	uint8_t number;	 /* of the peer's proposal: the answer must repeat it */
	uint8_t spi_len; /* of the peer's proposal */
	uint8_t spi[IKE_SPI_LEN];
	uint16_t encr, encr_bits; /* encr_bits 0: fixed-length cipher */
	uint16_t integ;		  /* IKE_INTEG_NONE with an AEAD */
	uint16_t prf;		  /* IKE only */
	uint16_t ke;		  /* IKE_KE_NONE: no key exchange (ESP without PFS) */
	/* Additional ones, in the order in which they are done (RFC 9370); IKE_KE_NONE: left out. */
	uint16_t addke[IKE_ADDKE_MAX];
	bool esn;
	bool has_integ, has_ke, has_esn; /* which of the optional types the answer must hold */
	uint8_t has_addke;		 /* likewise, a bit for each */
};

/* The first additional key exchange of @s from index @at on; IKE_ADDKE_MAX: there is none. */
unsigned int ike_suite_addke(const struct ike_suite *s, unsigned int at);

/*
 * Parses "aes256gcm16-prfsha384-ecp384, aes128-sha256-x25519, default" and appends to @list.
 * Ciphers with and without integrity of their own in one proposal become two (section 3.3). err
 * names the token and the nearest known one. On failure @list is as it was.
 */
IKE_MUST_CHECK bool ike_proposal_list_parse(struct ike_proposal_list *list, uint8_t protocol,
					    const char *text, struct ike_error *err);
IKE_MUST_CHECK bool ike_proposal_list_copy(struct ike_proposal_list *to,
					   const struct ike_proposal_list *from);
/* Zero-filled lists are valid and empty. */
void ike_proposal_list_clear(struct ike_proposal_list *list);

/*
 * Decodes the body of an SA payload; transforms that are not known here are kept, but never match.
 */
IKE_MUST_CHECK bool ike_proposal_list_decode(struct ike_proposal_list *list, struct ike_bytes body,
					     struct ike_error *err);
/* An SA payload that offers @list, each proposal with @spi (empty in IKE_SA_INIT). */
void ike_put_proposals(struct ike_writer *w, const struct ike_proposal_list *list,
		       struct ike_bytes spi, bool without_ke);
/* An SA payload that answers with @suite, under our @spi. */
void ike_put_suite(struct ike_writer *w, const struct ike_suite *suite, struct ike_bytes spi);

struct ike_select {
	bool peer_order; /* the peer's preference wins */
	bool without_ke; /* IKE_AUTH: ESP never has a key exchange there (section 1.2) */
	/* The peer cannot do them: what it offers with any is not acceptable. */
	bool without_addke;
	uint16_t ke;	 /* not 0: preferred if both have it (saves INVALID_KE_PAYLOAD) */
};

/* Responder: chooses from @theirs. False: nothing matches; ike_proposal_explain() says why. */
IKE_MUST_CHECK bool ike_proposal_select(const struct ike_proposal_list *ours,
					const struct ike_proposal_list *theirs,
					const struct ike_select *how, struct ike_suite *suite);
/*
 * Initiator: @answer must be one proposal that is one of @offered with exactly one transform of
 * each type that it holds (section 2.7).
 */
IKE_MUST_CHECK bool ike_proposal_verify(const struct ike_proposal_list *offered, bool without_ke,
					const struct ike_proposal_list *answer,
					struct ike_suite *suite, struct ike_error *err);

/* One of the proposals has all of @s, key length included: it may be used under that list. */
bool ike_proposal_allows(const struct ike_proposal_list *list, const struct ike_suite *s);

/* Is any additional key exchange offered? */
bool ike_proposal_adds_ke(const struct ike_proposal *p);
bool ike_proposal_has_addke(const struct ike_proposal_list *list);
/* The first key exchange of the list that is configured; 0 if there is none. */
uint16_t ike_proposal_first_ke(const struct ike_proposal_list *list);
bool ike_proposal_has(const struct ike_proposal_list *list, uint8_t type, uint16_t id);
/* True if this library (IKE) or the engine's key derivation (ESP) can use it. */
bool ike_transform_supported(uint8_t protocol, const struct ike_transform *t);

/*
 * For logs, in swanctl's syntax: "aes256gcm16-prfsha384-ecp384"; unknown ones as "encr99". They
 * return @buf.
 */
char *ike_proposal_text(const struct ike_proposal *p, char *buf, size_t cap);
char *ike_proposal_list_text(const struct ike_proposal_list *list, char *buf, size_t cap);
char *ike_suite_text(const struct ike_suite *s, char *buf, size_t cap);
/* One transform: "aes256gcm16". */
char *ike_transform_text(const struct ike_transform *t, char *buf, size_t cap);
/*
 * Why nothing matches: "configured aes256gcm16-prfsha384-ecp384; peer offers
 * aes128-sha256-prfsha256-modp2048: no common encryption (aes256gcm16 against aes128)". The first
 * type without overlap, of the pair that got furthest.
 */
char *ike_proposal_explain(const struct ike_proposal_list *ours,
			   const struct ike_proposal_list *theirs, const struct ike_select *how,
			   char *buf, size_t cap);

#endif
