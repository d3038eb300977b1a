/* SPDX-License-Identifier: MIT */
/* The words of swanctl's proposal syntax and the transforms they stand for. */
#ifndef ESPLANE_IKE_TRANSFORMS_H
#define ESPLANE_IKE_TRANSFORMS_H

#include "ikev2/proposal.h"

/* What @len letters at @word stand for; false if no one knows them. */
bool ike_transform_parse(const char *word, size_t len, struct ike_transform *t);
/* The words known, for ike_text_nearest(). */
const char *ike_transform_word(size_t i);
size_t ike_transform_words(void);
bool ike_transform_same(const struct ike_transform *a, const struct ike_transform *b);
/* Encryption with integrity of its own. */
bool ike_transform_aead(const struct ike_transform *t);
/* The PRF of the same hash as an integrity algorithm; 0 if there is none. */
uint16_t ike_transform_prf_of_integ(uint16_t integ);
/* "encryption", "key exchange", ... */
const char *ike_transform_type_text(uint8_t type);

#endif
