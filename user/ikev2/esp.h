/* SPDX-License-Identifier: MIT */
/* ESP transforms as IKE must know them: which there are, and how much key material each takes. */
#ifndef ESPLANE_IKE_ESP_H
#define ESPLANE_IKE_ESP_H

#include "ikev2/text.h"
#include "ikev2/wire/wire.h"

/* Bytes of one direction. */
struct ike_esp_keys {
	size_t encr;  /* key with its salt (RFC 3686 calls it nonce) */
	size_t integ; /* 0 with an AEAD */
};

/* An encryption transform that some data plane has; @bits 0: no Key Length attribute. */
bool ike_esp_has(uint16_t encr, uint16_t bits);
/* Bytes of an integrity transform's key; 0: not known. */
size_t ike_esp_integ_key(uint16_t integ);
/* Refuses what is not known, an AEAD with integrity and other ciphers without. */
IKE_MUST_CHECK bool ike_esp_keys(struct ike_esp_keys *keys, uint16_t encr, uint16_t bits,
				 uint16_t integ, struct ike_error *err);

#endif
