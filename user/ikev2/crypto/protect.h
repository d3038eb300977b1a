/* SPDX-License-Identifier: MIT */
/*
 * Whole IKE messages with an SK payload (RFC 7296 section 3.14): sealing what a writer holds,
 * opening what came.
 *
 * 	ike_writer_init(&w, buf, sizeof(buf));
 * 	ike_message_begin(&w, &header);
 * 	mark = ike_sk_begin(&w, &out);
 * 	...payloads...
 * 	if (!ike_sk_seal(&w, mark, &out, &random, &err))
 */
#ifndef ESPLANE_IKE_PROTECT_H
#define ESPLANE_IKE_PROTECT_H

#include "ikev2/crypto/cipher.h"
#include "ikev2/crypto/random.h"
#include "ikev2/wire/decode.h"
#include "ikev2/wire/encode.h"

/* One direction of an IKE SA. */
struct ike_protect {
	struct ike_cipher cipher;
	struct ike_key encr, integ; /* SK_e with salt, SK_a */
	uint64_t sealed; /* messages so far: an AEAD's IV (RFC 5282 section 3.1: never twice) */
};

/* Keys must have the lengths that @cipher wants. */
IKE_MUST_CHECK bool ike_protect_init(struct ike_protect *p, const struct ike_cipher *cipher,
				     const struct ike_key *encr, const struct ike_key *integ,
				     struct ike_error *err);
void ike_protect_clear(struct ike_protect *p);

/* Begins the SK payload; payloads put from now on are inside of it. Returns its mark. */
size_t ike_sk_begin(struct ike_writer *w, const struct ike_protect *p);
/* Pads, patches both lengths, encrypts in place and appends the ICV: @w then holds the datagram. */
IKE_MUST_CHECK bool ike_sk_seal(struct ike_writer *w, size_t mark, struct ike_protect *p,
				const struct ike_random *r, struct ike_error *err);
/* How much longer a message becomes by ike_sk_seal(), at most. */
size_t ike_sk_seal_adds(const struct ike_protect *p);

/* Begins an SKF payload (RFC 7383 section 2.5); bytes put from now on are inside of it. */
size_t ike_skf_begin(struct ike_writer *w, const struct ike_protect *p, uint16_t number,
		     uint16_t total);
/* As ike_sk_seal(). */
IKE_MUST_CHECK bool ike_skf_seal(struct ike_writer *w, size_t mark, struct ike_protect *p,
				 const struct ike_random *r, struct ike_error *err);
/* What a message with an SKF payload holds besides the bytes put inside, at most. */
size_t ike_skf_overhead(const struct ike_protect *p);
/*
 * Opens the SK or SKF payload @sk of the message @message, decrypting in place. @sk comes from the
 * chain after the header: its offset counts from there. @plain: the chain of inner payloads, whose
 * first type is sk->next, or a fragment of it. Changes nothing in @p. A wrong ICV is refused with notify 0: such a message is
 * dropped, not answered.
 */
IKE_MUST_CHECK bool ike_sk_open(uint8_t *message, size_t len, const struct ike_payload *sk,
				const struct ike_protect *p, struct ike_bytes *plain,
				struct ike_error *err);

#endif
