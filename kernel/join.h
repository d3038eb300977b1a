/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Joining: decrypted TCP segments that follow one another become one packet again, without a
 * copy.
 */
#ifndef _ESPLANE_JOIN_H
#define _ESPLANE_JOIN_H

struct esplane_segment;
struct sk_buff;

/*
 * How many of the @n segments, 1 or more, beginning with the first, may become one packet. All
 * are good.
 */
unsigned int esplane_join_count(const struct esplane_segment *first, unsigned int n);

/*
 * One packet of @n segments as esplane_join_count() found them; takes over their memory, also on
 * failure. NULL without memory. Device and protocol are not set.
 */
struct sk_buff *esplane_join_build(struct esplane_segment *first, unsigned int n);

#endif
