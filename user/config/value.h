/* SPDX-License-Identifier: MIT */
/* The values of swanctl.conf as numbers, times, sizes, yes and no, and secrets. */
#ifndef ESPLANE_CONFIG_VALUE_H
#define ESPLANE_CONFIG_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Each returns false, with *out untouched, for a text that is nothing of the kind. */

/* Decimal, or hexadecimal behind 0x. */
bool value_number(const char *text, uint64_t *out);
/* A number of seconds, or with s, m, h or d behind it. */
bool value_seconds(const char *text, uint64_t *out);
/* A number of bytes, or with k, m or g (of either case) behind it: times 2^10, 2^20, 2^30. */
bool value_bytes(const char *text, uint64_t *out);
/* yes, true, enabled, 1, and their contraries. */
bool value_bool(const char *text, bool *out);
/*
 * 0x and hex digits, 0s and base64, or the text itself. *out is malloc()ed, not empty, to be zeroed
 * by the caller. On failure *why is a static text that holds nothing of the secret.
 */
bool value_secret(const char *text, uint8_t **out, size_t *len, const char **why);

#endif
