/* SPDX-License-Identifier: MIT */
/* What a daemon does with decoded payloads, shared by the fuzz targets of messages. */
#ifndef ESPLANE_FUZZ_INTERPRET_H
#define ESPLANE_FUZZ_INTERPRET_H

#include "ikev2/wire/decode.h"

/* Aborts unless @claim holds, whatever NDEBUG says. */
#define claim(c) ((c) ? (void)0 : claim_failed(#c, __FILE__, __LINE__))
void claim_failed(const char *claim, const char *file, int line) __attribute__((noreturn));

/*
 * Decodes and uses every payload of a chain as the engine would: chooses proposals, narrows
 * selectors, prints identities. What is understood is written out, read again, and must be the
 * same.
 */
void interpret_chain(uint8_t first, struct ike_bytes chain);

#endif
