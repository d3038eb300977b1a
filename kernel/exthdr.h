/* SPDX-License-Identifier: GPL-2.0 */
/* IPv6 extension headers (RFC 8200 section 4): where a packet's upper-layer header lies. */
#ifndef _ESPLANE_EXTHDR_H
#define _ESPLANE_EXTHDR_H

#include <linux/types.h>

struct sk_buff;

/**
 * struct esplane_bytes - a packet from its IP header on, wherever it lies
 * @skb: or NULL, if @data is all there is
 * @data: contiguous bytes, without @skb
 * @offset: of the IP header in @skb
 * @len: bytes from the IP header on
 */
struct esplane_bytes {
	const struct sk_buff *skb;
	const u8 *data;
	unsigned int offset;
	unsigned int len;
};

/* @len bytes at @offset from the IP header; copied to @buf where needed. NULL: not that many. */
const void *esplane_bytes_at(const struct esplane_bytes *bytes, unsigned int offset,
			     unsigned int len, void *buf);

/**
 * struct esplane_exthdrs - where the walk ended
 * @protocol: of the header at @offset
 * @offset: of the first header that is none of those walked over, from the IP header; in a later
 *	fragment, of its data
 * @field: offset of the byte that names @protocol
 * @fragment: the packet is a fragment, first or later (not one that is whole, RFC 6946)
 * @later: it has no upper-layer header, because an earlier fragment has it
 * @demanding: a destination option wants whoever does not know it to go no further (RFC 8200
 *	section 4.2)
 * @routing: a routing header with segments left was walked over
 * @whole: false if the chain is cut short or absurdly long: @protocol is as far as one can tell
 */
struct esplane_exthdrs {
	unsigned int offset;
	unsigned int field;
	u8 protocol;
	bool fragment;
	bool later;
	bool demanding;
	bool routing;
	bool whole;
};

/*
 * Walks over hop-by-hop options, destination options, routing and fragment headers. @bytes holds at
 * least an IPv6 header.
 */
void esplane_exthdr_walk(const struct esplane_bytes *bytes, struct esplane_exthdrs *to);

/*
 * Where ESP begins in transport mode (RFC 4303 section 3.1.1): behind what routers and the
 * destinations of a routing header read, and ahead of all else. As esplane_exthdr_walk(), but ends
 * there: the options for the final destination are protected.
 */
void esplane_exthdr_walk_unprotected(const struct esplane_bytes *bytes,
				     struct esplane_exthdrs *to);

#endif
