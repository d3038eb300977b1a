/* SPDX-License-Identifier: MIT */
/* The inbound SAs that packet_fuzz_in.c sends to, and how a packet of one is made. */
#ifndef ESPLANE_PACKET_FUZZ_ESP_H
#define ESPLANE_PACKET_FUZZ_ESP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "packet_fuzz.h"

enum {
	ESP_HEADER = 8,			/* RFC 4303 section 2 */
	ESP_TRAILER = 2,
};

enum fuzz_cipher {
	FUZZ_GCM,			/* RFC 4106 */
	FUZZ_GCM_IMPLICIT,		/* RFC 8750 */
	FUZZ_CBC_HMAC,			/* RFC 3602 and RFC 4868, with SHA-256 */
};

/*
 * struct association - one SA of the receiver
 * @first: its numbers begin behind this one; with extended ones it is shortly before 2^32
 */
struct association {
	uint32_t spi;
	enum fuzz_cipher cipher;
	bool transport, esn;
	uint64_t first;
};

/* One ESP packet to be. */
struct plan {
	const struct association *sa;
	uint64_t sequence;
	uint8_t next, pad, pad_field;
	uint16_t inner_len;
	uint8_t inner[PACKET_MAX];
};

/* KEY is that of AES, the salt of AES-GCM, more up to what CBC's HMAC takes. */
void esp_open(const char *key);

/* The i-th, NULL past the end. The first carries 10.1.0.0/24 to 10.2.0.0/24 alone. */
const struct association *esp_nth(unsigned int i);
const struct association *esp_find(uint32_t spi);
const struct association *esp_any(void);
const struct association *esp_any_tunnel(void);

size_t esp_iv_len(const struct association *sa);
/* Of header, IV, trailer and ICV, without padding. */
size_t esp_overhead(const struct association *sa);
/* What the encrypted text has to be a multiple of: RFC 4303 section 2.4, and the cipher's. */
size_t esp_block(const struct association *sa);

/* As the plan says, right or wrong; text that is no whole block stays as it is. */
void esp_seal(const struct plan *p, struct packet *to);

#endif
