/* SPDX-License-Identifier: MIT */
/*
 * Texts for people: the error that every refusing function fills in, and a buffer to build lines
 * in. Nothing here allocates; what does not fit is cut.
 */
#ifndef ESPLANE_IKE_TEXT_H
#define ESPLANE_IKE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define IKE_MUST_CHECK __attribute__((warn_unused_result))

/*
 * Why something was refused. Functions with a last argument of this type return false (or NULL, or
 * IKE_ITEM_BAD) after filling it in; it may be NULL. On success it is not touched.
 */
struct ike_error {
	uint16_t notify; /* IKE_NOTIFY_* that answers a peer, or 0 when the cause is not the peer's
			  */
	uint8_t payload; /* type of the payload at fault, or 0; the data of
			    UNSUPPORTED_CRITICAL_PAYLOAD */
	char text[240];	 /* place and reason, without newline: "TS payload: selector 2: length 8
			    where 16 is needed" */
};

/*
 * Fills in @e (unless NULL) with notify and payload 0. Returns false, so that it can end a
 * function.
 */
bool ike_fail(struct ike_error *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The same for what a peer sent: answered with @notify. */
bool ike_fail_notify(struct ike_error *e, uint16_t notify, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* Puts "<fmt>: " before the text of @e, for a caller that knows the place better. Returns false. */
bool ike_fail_at(struct ike_error *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* A text that grows at its end; always terminated, cut when full. */
struct ike_text {
	char *buf;
	size_t cap, len;
};

void ike_text_init(struct ike_text *t, char *buf, size_t cap);
void ike_text_add(struct ike_text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Bytes of a peer's as printable text: control characters, quotes and non-ASCII become \xNN. */
void ike_text_add_printable(struct ike_text *t, const uint8_t *bytes, size_t len);
void ike_text_add_hex(struct ike_text *t, const uint8_t *bytes, size_t len);

/*
 * Of @n names the one nearest to @word by edits (at most half of its letters), or NULL. For "did
 * you mean".
 */
const char *ike_text_nearest(const char *word, const char *(*name)(size_t i), size_t n);

#endif
