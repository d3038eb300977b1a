/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Cutting a super-packet: its segments' plain bytes, headers and checksums final, written where
 * they are wanted.
 */
#ifndef _ESPLANE_CUT_H
#define _ESPLANE_CUT_H

#include <linux/types.h>

struct sk_buff;

/* IPv4 and TCP with all options (RFC 791, RFC 9293); IPv6 without extensions is less. */
enum { ESPLANE_CUT_MAX_HEADER = 60 + 60 };

enum esplane_cut_kind {
	ESPLANE_CUT_WHOLE,	/* one packet, as it is but for the checksum */
	ESPLANE_CUT_TCP,
	ESPLANE_CUT_UDP,
	ESPLANE_CUT_LIST,	/* several packets, likewise as they are */
};

/**
 * struct esplane_cut - how a packet becomes segments
 * @list: the packets of ESPLANE_CUT_LIST
 * @n: segments
 * @size: payload bytes of each but the last
 * @header_len: bytes of headers that each segment repeats
 * @l4: offset of the transport header
 * @skip: bytes at the front that are not written: in transport mode the IP header. 0, or set
 *	between init and the first use of the others, to the offset of the transport header or, of a
 *	packet that stays whole, at most that
 * @shrunk: the sender made them larger than they may be
 * @v6: IPv6
 * @fixed: checksum of what is alike in all segments: pseudo header without the length, transport
 *	header without lengths, checksum, TCP's number and flags
 * @header: the super-packet's
 */
struct esplane_cut {
	const struct sk_buff *skb;
	struct sk_buff *const *list;
	enum esplane_cut_kind kind;
	unsigned int n;
	unsigned int size;
	unsigned int header_len;
	unsigned int l4;
	unsigned int skip;
	bool v6;
	bool fixed_id;
	bool shrunk;
	__wsum fixed;
	u8 header[ESPLANE_CUT_MAX_HEADER] __aligned(4);
};

/**
 * esplane_cut_init - plan the cuts
 * @skb: IP packet, skb->data at its header; must stay as it is
 * @mtu: most bytes of one segment
 *
 * Return: 0; -EMSGSIZE: a segment would exceed @mtu and must not be made smaller;
 * -EOPNOTSUPP: only skb_gso_segment() knows how; -EINVAL: not a packet that makes sense.
 */
int esplane_cut_init(struct esplane_cut *cut, const struct sk_buff *skb, unsigned int mtu);

/* The same for @n packets that stay whole, each of which becomes a segment. */
void esplane_cut_init_list(struct esplane_cut *cut, struct sk_buff *const *list, unsigned int n);

/* Bytes of segment @i, less what is skipped. */
unsigned int esplane_cut_len(const struct esplane_cut *cut, unsigned int i);
/* Writes segment @i, esplane_cut_len() bytes. */
int esplane_cut_write(const struct esplane_cut *cut, unsigned int i, u8 *to);

#endif
