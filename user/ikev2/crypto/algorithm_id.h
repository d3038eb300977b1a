/* SPDX-License-Identifier: MIT */
/*
 * AlgorithmIdentifiers of RFC 7427 (appendix A) and RFC 8420. None is ever parsed: each of the few
 * that there are is written, and what a peer sent must be one of them, byte for byte.
 */
#ifndef ESPLANE_IKE_ALGORITHM_ID_H
#define ESPLANE_IKE_ALGORITHM_ID_H

#include "ikev2/crypto/signature.h"

enum {
	IKE_ALGORITHM_ID_MAX = 96
};

/* Writes the one we send. */
void ike_algorithm_id_put(struct ike_writer *w, enum ike_scheme s);
/* Which scheme @der stands for; false if none. */
IKE_MUST_CHECK bool ike_algorithm_id_find(struct ike_bytes der, enum ike_scheme *s);

#endif
