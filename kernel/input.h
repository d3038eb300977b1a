/* SPDX-License-Identifier: GPL-2.0 */
/* ESP to cleartext. */
#ifndef _ESPLANE_INPUT_H
#define _ESPLANE_INPUT_H

#include <linux/types.h>

struct esplane_sa;
struct esplane_segment;
struct sk_buff;

/**
 * esplane_input - authenticate, decrypt and deliver what has one SPI
 * @sa: inbound SA; RCU read side is enough
 * @skb: skb_network_offset() at the outer IP header, ESP packets of @size bytes each (the last
 *	may be shorter) from @offset to @end; stays the caller's, who must not change it any more
 * @sport: outer UDP source port, 0 for native ESP
 *
 * BHs off, RCU read side. Drops are counted and traced here.
 *
 * Return: the offset of the first ESP packet that was not taken, because it has another SPI; or
 * @end. The one at @offset always is taken.
 */
unsigned int esplane_input(struct esplane_sa *sa, struct sk_buff *skb, unsigned int offset,
			   unsigned int end, unsigned int size, __be16 sport);

/**
 * esplane_input_packets - the same for packets of native ESP that came together
 * @packets: at most ESPLANE_TRAIN_MAX, linked by next, with one outer source and one TOS or traffic
 *	class; in transport mode a single one; consumed. ESP begins at skb_transport_offset().
 */
void esplane_input_packets(struct esplane_sa *sa, struct sk_buff *packets);

/*
 * For the trace of what goes no further: the number that the sender gave to the ESP packet of @len
 * bytes at @offset; 0 if it is too short to have one.
 */
u32 esplane_input_number(const struct sk_buff *skb, unsigned int offset, unsigned int len);

/*
 * Checks a decrypted segment from the trailer inwards and sets @seg->inner_len.
 * ESPLANE_SEGMENT_GOOD or the reason to drop it. @tos is the outer header's. @like: a segment that
 * was found good before, most likely of the same flow, which then needs no look at the selectors;
 * or NULL.
 */
int esplane_input_open(const struct esplane_sa *sa, struct esplane_segment *seg, u8 tos,
		       const struct esplane_segment *like);

#endif
