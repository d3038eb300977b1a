/* SPDX-License-Identifier: MIT */
/* Key derivation and the PSK's AUTH value (RFC 7296 sections 2.14, 2.15, 2.17, 2.18). */
#ifndef ESPLANE_IKE_KEYMAT_H
#define ESPLANE_IKE_KEYMAT_H

#include "ikev2/crypto/cipher.h"
#include "ikev2/crypto/prf.h"
#include "ikev2/proposal.h"

/* Section 2.14. Clear with ike_keys_clear(). */
struct ike_keys {
	struct ike_key d, ai, ar, ei, er, pi, pr; /* SK_d, SK_ai, ... ; ai, ar empty with an AEAD */
};

/*
 * Section 2.17: keys of the traffic that the initiator of the exchange sends (i) and that it
 * receives (r).
 */
struct ike_child_keys {
	struct ike_key encr_i, integ_i, encr_r,
		integ_r; /* encr with salt; integ empty with an AEAD */
};

void ike_keys_clear(struct ike_keys *k);
void ike_child_keys_clear(struct ike_child_keys *k);

/* SKEYSEED = prf(Ni | Nr, g^ir) (section 2.14). */
IKE_MUST_CHECK bool ike_keymat_skeyseed(const struct ike_prf *prf, struct ike_bytes ni,
					struct ike_bytes nr, struct ike_bytes g_ir,
					struct ike_key *skeyseed, struct ike_error *err);
/*
 * SKEYSEED = prf(SK_d (old), g^ir (new) | Ni | Nr [| more]) with the old SA's prf (section 2.18).
 * @more: the secrets of additional key exchanges, one behind the other (RFC 9370 section 2.2.4). In
 * IKE_INTERMEDIATE it is empty, and each secret makes a SKEYSEED by itself (section 2.2.2).
 */
IKE_MUST_CHECK bool ike_keymat_skeyseed_rekey(const struct ike_prf *old_prf,
					      const struct ike_key *old_sk_d, struct ike_bytes g_ir,
					      struct ike_bytes ni, struct ike_bytes nr,
					      struct ike_bytes more, struct ike_key *skeyseed,
					      struct ike_error *err);
/*
 * The seven keys for @suite (an IKE one), SPIs in host byte order: prf+(SKEYSEED, Ni | Nr | SPIi |
 * SPIr).
 */
IKE_MUST_CHECK bool ike_keymat_ike(const struct ike_suite *suite, const struct ike_key *skeyseed,
				   struct ike_bytes ni, struct ike_bytes nr, uint64_t spi_i,
				   uint64_t spi_r, struct ike_keys *keys, struct ike_error *err);
/*
 * KEYMAT = prf+(SK_d, [g^ir |] Ni | Nr [| more]) with the IKE SA's prf, cut for @suite (an ESP
 * one). @g_ir empty: without PFS; @more as above. Nonces are those of the exchange that makes the
 * CHILD_SA.
 */
IKE_MUST_CHECK bool ike_keymat_child(const struct ike_prf *prf, const struct ike_key *sk_d,
				     struct ike_bytes g_ir, struct ike_bytes ni,
				     struct ike_bytes nr, struct ike_bytes more,
				     const struct ike_suite *suite, struct ike_child_keys *keys,
				     struct ike_error *err);
/*
 * AUTH of one side with a shared secret (section 2.15): prf(prf(Shared Secret, "Key Pad for
 * IKEv2"), RealMessage | Nonce of the other side | prf(SK_p of this side, RestOfIDPayload) [|
 * IntAuth]), the last of RFC 9242 section 3.3.2, if there was IKE_INTERMEDIATE. @message: this
 * side's first message as sent (of IKE_SA_INIT, with cookie and all); @id_body: its ID payload
 * without generic header (struct ike_wire_id.body).
 */
IKE_MUST_CHECK bool ike_keymat_auth_psk(const struct ike_prf *prf, struct ike_bytes psk,
					struct ike_bytes message, struct ike_bytes other_nonce,
					const struct ike_key *sk_p, struct ike_bytes id_body,
					struct ike_bytes int_auth, struct ike_key *auth,
					struct ike_error *err);

#endif
