/* SPDX-License-Identifier: MIT */
/* The words of swanctl's proposal syntax and the transforms they stand for. */
#ifndef ESPLANE_IKE_TRANSFORMS_H
#define ESPLANE_IKE_TRANSFORMS_H

#include "ikev2/proposal.h"

/*
 * What @len letters at @word stand for; false if no one knows them. Key exchanges have a prefix if
 * they are additional: "ke1_ecp256".
 */
bool ike_transform_parse(const char *word, size_t len, struct ike_transform *t);
/* How many letters of @word are such a prefix. */
size_t ike_transform_prefix(const char *word, size_t len);
/* The words known, for ike_text_nearest(). */
const char *ike_transform_word(size_t i);
size_t ike_transform_words(void);
bool ike_transform_same(const struct ike_transform *a, const struct ike_transform *b);
/* Of the main key exchange, or of an additional one. */
static inline bool ike_transform_is_addke(uint8_t type)
{
	return type >= IKE_TRANSFORM_ADDKE1 && type <= IKE_TRANSFORM_ADDKE7;
}
static inline bool ike_transform_is_ke(uint8_t type)
{
	return type == IKE_TRANSFORM_KE || ike_transform_is_addke(type);
}
/* Encryption with integrity of its own. */
bool ike_transform_aead(const struct ike_transform *t);
/* The PRF of the same hash as an integrity algorithm; 0 if there is none. */
uint16_t ike_transform_prf_of_integ(uint16_t integ);
/* "encryption", "key exchange", ... */
const char *ike_transform_type_text(uint8_t type);

#endif
