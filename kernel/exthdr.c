// SPDX-License-Identifier: GPL-2.0
/*
 * The chain of IPv6 extension headers.
 *
 * What RFC 4301 section 4.4.1.1 calls the next layer protocol stands behind hop-by-hop options,
 * routing, fragment and destination options headers. ESP, AH and all else are next layers.
 */
#include <linux/in6.h>
#include <linux/ipv6.h>
#include <linux/skbuff.h>
#include <net/ipv6.h>

#include "exthdr.h"

enum {
	MAX_HEADERS = 16,	/* RFC 8200 section 4.1 has 6; what has more is an attempt at DoS */
	FIELD_IPV6 = offsetof(struct ipv6hdr, nexthdr),
	OPTION_ACTION_SHIFT = 6,	/* RFC 8200 section 4.2: the two highest bits */
	FIELD_EXTENSION = offsetof(struct ipv6_opt_hdr, nexthdr),
};

const void *esplane_bytes_at(const struct esplane_bytes *bytes, unsigned int offset,
			     unsigned int len, void *buf)
{
	if (offset > bytes->len || len > bytes->len - offset)
		return NULL;
	if (bytes->skb)
		return skb_header_pointer(bytes->skb, bytes->offset + offset, len, buf);
	return bytes->data + offset;
}

/* Does each option of the header say that it may be skipped? All of it is in the packet. */
static bool may_be_skipped(const struct esplane_bytes *bytes, unsigned int offset,
			   unsigned int end)
{
	const u8 *option;
	u8 buf[2];

	for (offset += sizeof(struct ipv6_opt_hdr); offset < end;) {
		option = esplane_bytes_at(bytes, offset, 1, buf);
		if (!option || *option >> OPTION_ACTION_SHIFT)
			return false;
		if (*option == IPV6_TLV_PAD1) {
			offset++;
			continue;
		}
		option = esplane_bytes_at(bytes, offset, sizeof(buf), buf);
		if (!option)
			return false;
		offset += sizeof(buf) + option[1];
	}
	return offset == end;
}

/* Bytes of the header at to->offset, 0 if it cannot be read. Notes what it says. */
static unsigned int options(const struct esplane_bytes *bytes, struct esplane_exthdrs *to,
			    u8 *next)
{
	const struct ipv6_rt_hdr *header;
	struct ipv6_rt_hdr buf;
	unsigned int len;

	/* All of these have a next header and a length, and 8 bytes at least. */
	header = esplane_bytes_at(bytes, to->offset, sizeof(buf), &buf);
	if (!header)
		return 0;
	*next = header->nexthdr;
	if (to->protocol == NEXTHDR_ROUTING && header->segments_left)
		to->routing = true;
	len = (header->hdrlen + 1) * 8;		/* RFC 8200 sections 4.3, 4.4, 4.6 */
	if (to->protocol == NEXTHDR_DEST && !may_be_skipped(bytes, to->offset, to->offset + len))
		to->demanding = true;
	return len;
}

static unsigned int fragment(const struct esplane_bytes *bytes, struct esplane_exthdrs *to,
			     u8 *next)
{
	const struct frag_hdr *header;
	struct frag_hdr buf;

	header = esplane_bytes_at(bytes, to->offset, sizeof(buf), &buf);
	if (!header)
		return 0;
	*next = header->nexthdr;
	to->fragment |= !!(header->frag_off & htons(IP6_OFFSET | IP6_MF));
	to->later |= !!(header->frag_off & htons(IP6_OFFSET));
	return sizeof(*header);
}

static unsigned int extension(const struct esplane_bytes *bytes, struct esplane_exthdrs *to,
			      u8 *next)
{
	switch (to->protocol) {
	case NEXTHDR_HOP:
	case NEXTHDR_ROUTING:
	case NEXTHDR_DEST:
		return options(bytes, to, next);
	case NEXTHDR_FRAGMENT:
		return fragment(bytes, to, next);
	default:
		return 0;
	}
}

static bool is_extension(u8 protocol)
{
	return protocol == NEXTHDR_HOP || protocol == NEXTHDR_ROUTING ||
	       protocol == NEXTHDR_DEST || protocol == NEXTHDR_FRAGMENT;
}

/* Destination options with no routing header behind them are for the final destination. */
static bool is_for_the_last(u8 protocol, u8 next)
{
	return protocol == NEXTHDR_DEST && next != NEXTHDR_ROUTING;
}

static void walk(const struct esplane_bytes *bytes, struct esplane_exthdrs *to, bool unprotected)
{
	struct ipv6hdr buf;
	const struct ipv6hdr *header = esplane_bytes_at(bytes, 0, sizeof(buf), &buf);
	unsigned int i, len;
	u8 next = 0;

	memset(to, 0, sizeof(*to));
	if (!header)
		return;
	to->protocol = header->nexthdr;
	to->field = FIELD_IPV6;
	to->offset = sizeof(*header);
	for (i = 0; is_extension(to->protocol) && !to->later && i < MAX_HEADERS; i++) {
		len = extension(bytes, to, &next);
		if (!len || to->offset + len > bytes->len)
			return;
		if (unprotected && is_for_the_last(to->protocol, next))
			break;
		to->field = to->offset + FIELD_EXTENSION;
		to->protocol = next;
		to->offset += len;
	}
	to->whole = i < MAX_HEADERS;
}

void esplane_exthdr_walk(const struct esplane_bytes *bytes, struct esplane_exthdrs *to)
{
	walk(bytes, to, false);
}

void esplane_exthdr_walk_unprotected(const struct esplane_bytes *bytes, struct esplane_exthdrs *to)
{
	walk(bytes, to, true);
}
