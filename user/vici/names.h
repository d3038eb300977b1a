/* SPDX-License-Identifier: MIT */
/*
 * Algorithms as strongSwan calls them in VICI, by IANA number: what status tools compare with and
 * people grep for. In most cases that is IANA's own name.
 */
#ifndef ESPLANE_VICI_NAMES_H
#define ESPLANE_VICI_NAMES_H

#include <stdint.h>

enum { VICI_ALG_MAX = 48 };

/* @type: IKE_TRANSFORM_*. Writes VICI_ALG_MAX bytes at most; returns @buf. */
char *vici_alg_name(uint8_t type, uint16_t id, char *buf);

#endif
