// SPDX-License-Identifier: GPL-2.0
/*
 * ESP to cleartext: a UDP train is taken whole, and native packets that came together.
 *
 *	encap.c, burst.c		find the SA
 *	  esplane_input(), esplane_input_packets()
 *	    gather()			where each packet lies, its number, memory (chunk.c)
 *	    check_replay()		replay.c, before the cipher
 *	    esplane_parallel_run()	parallel.c: here or on another CPU, but in the same order
 *	      esplane_train_run()	train.c: the cipher, now or later
 *	      finish()
 *	        update_replay()		replay.c, after the cipher
 *	        esplane_input_open()	trailer, inner header, ECN, selectors (quote.c: of what an
 *					ICMP error is about); or transport.c
 *	        deliver()		join.c: packets; netdev.c: the interface they come in on
 *
 * Text is decrypted from where it arrived to memory of our own, never in place: pages that came in
 * may be shared with whoever sent them, even with the page cache (splice over a local link), and
 * decryption writes before authentication has its say.
 *
 * Locking: RCU read side, BHs off. A train takes the SA's replay lock twice.
 */
#include <kunit/visibility.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/netdevice.h>
#include <linux/skbuff.h>
#include <linux/udp.h>
#include <net/inet_ecn.h>
#include <net/ip.h>
#include <net/ipv6.h>

#include "chunk.h"
#include "compat.h"
#include "esp.h"
#include "events.h"
#include "input.h"
#include "join.h"
#include "lifetime.h"
#include "net.h"
#include "netdev.h"
#include "parallel.h"
#include "quote.h"
#include "sa.h"
#include "train.h"
#include "transform.h"
#include "transport.h"

enum {
	IP_VERSION_4 = 4,
	IP_VERSION_6 = 6,
	IP_MIN_IHL = 5,		/* RFC 791 section 3.1 */
	IP_NO_NEXT_HEADER = 59,	/* RFC 4303 section 2.6: a dummy packet */
	HEADROOM = 128,		/* ahead of each inner packet; ESPLANE_AAD_ROOM is part of it */
};

/* What finish() needs of the outer packet, perhaps much later. */
struct input_context {
	struct esplane_addr src;
	struct esplane_insertion at;	/* transport mode */
	__be16 sport;
	u8 tos;
	bool newest;		/* a number of this train is the highest so far */
};

/* Walks through a packet's memory, forwards only. */
struct reader {
	const struct sk_buff *skb;
	u8 *base;
	unsigned int start, end;	/* offsets that @base stands for */
	int next_frag;
};

static struct input_context *context_of(struct esplane_train *train)
{
	BUILD_BUG_ON(sizeof(struct input_context) > sizeof(train->context));
	return (struct input_context *)train->context;
}

static void drop_segment(struct esplane_train *train, struct esplane_segment *seg, int reason)
{
	struct esplane_sa *sa = train->sa;

	seg->verdict = reason;
	if (seg->memory)
		put_page(virt_to_head_page(seg->memory));
	seg->memory = NULL;
	esplane_drop_count(sa->en, sa, train->skb, reason, sa->spi, lower_32_bits(seg->seq));
}

static bool reader_advance(struct reader *r)
{
	const skb_frag_t *frag;

	if (r->next_frag >= skb_shinfo(r->skb)->nr_frags)
		return false;
	frag = &skb_shinfo(r->skb)->frags[r->next_frag++];
	r->start = r->end;
	r->end += skb_frag_size(frag);
	r->base = PageHighMem(skb_frag_page(frag)) ? NULL : skb_frag_address(frag);
	return true;
}

/* The bytes, if they are contiguous in memory, else NULL. */
static u8 *reader_at(struct reader *r, unsigned int offset, unsigned int len)
{
	while (offset >= r->end)
		if (!reader_advance(r))
			return NULL;
	return r->base && offset + len <= r->end ? r->base + (offset - r->start) : NULL;
}

static bool take_memory(struct esplane_segment *seg, const struct esplane_transform *t)
{
	unsigned int room;

	seg->memory_len = SKB_DATA_ALIGN(HEADROOM + seg->text_len + t->icv_len) +
			  SKB_DATA_ALIGN(sizeof(struct skb_shared_info));
	seg->memory = esplane_chunk_open(seg->memory_len, true, &room);
	if (!seg->memory)
		return false;
	esplane_chunk_take(seg->memory_len);
	seg->text = seg->memory + HEADROOM;
	return true;
}

/*
 * authencesn() puts the high half of the number behind the text while it hashes. What it does when
 * text goes to other memory has differed: the older write behind the text there, some then looked
 * for it in the wrong place. All of them copy the packet first. So it is copied here, and they work
 * in place, which all do alike, on memory that is ours up to the end of the ICV.
 */
static bool wants_copy(const struct esplane_sa *sa)
{
	return sa->transform->integ && sa->flags & ESPLANE_SA_FLAG_ESN;
}

/* Sets up one segment of @len bytes, that lie at @wire if they are contiguous. */
static int gather_one(struct esplane_segment *seg, const struct esplane_sa *sa,
		      const struct sk_buff *skb, unsigned int offset, unsigned int len, u8 *wire)
{
	const struct esplane_transform *t = sa->transform;
	unsigned int header = sizeof(struct esplane_esp_header) + t->iv_len;

	if (len < header + sizeof(struct esplane_esp_trailer) + t->icv_len)
		return ESPLANE_DROP_RUNT;
	seg->text_len = len - header - t->icv_len;
	if (seg->text_len % t->block)
		return ESPLANE_DROP_PADDING;
	if (!take_memory(seg, t))
		return ESPLANE_DROP_NO_MEMORY;
	seg->wire = wire;
	if (wire && !wants_copy(sa))
		return ESPLANE_SEGMENT_GOOD;
	seg->wire = seg->text - header;
	if (skb_copy_bits(skb, offset, seg->wire, len))
		return ESPLANE_DROP_RUNT;
	return ESPLANE_SEGMENT_GOOD;
}

/* Adds what has the SA's SPI, the first in any case; returns where that ends. */
static unsigned int gather(struct esplane_train *train, const struct sk_buff *skb,
			   unsigned int offset, unsigned int end, unsigned int size)
{
	struct reader r = { .skb = skb, .base = skb->data, .end = skb_headlen(skb) };
	const struct esplane_esp_header *header;
	struct esplane_esp_header buf;
	bool first = true;

	while (offset < end && train->n < ESPLANE_TRAIN_MAX) {
		struct esplane_segment *seg = &train->segments[train->n];
		unsigned int len = min(size, end - offset);
		u8 *wire = reader_at(&r, offset, len);

		header = (const struct esplane_esp_header *)wire;
		if (!wire || len < sizeof(*header))
			header = skb_header_pointer(skb, offset, sizeof(buf), &buf);
		/* What is too short for an SPI is not ESP: encap.c knows keepalives and runts. */
		if (!first && (len < sizeof(*header) || !header || header->spi != train->sa->spi))
			break;
		first = false;
		train->n++;
		seg->seq = header ? be32_to_cpu(header->seq) : 0;
		seg->memory = NULL;
		seg->sum_start = 0;
		seg->err = 0;
		seg->verdict = gather_one(seg, train->sa, skb, offset, len, wire);
		offset += len;
	}
	return offset;
}

static void check_replay(struct esplane_train *train)
{
	struct esplane_replay *r = &train->sa->replay;
	unsigned int i;

	spin_lock(&r->lock);
	for (i = 0; i < train->n; i++) {
		struct esplane_segment *seg = &train->segments[i];

		if (seg->verdict != ESPLANE_SEGMENT_GOOD)
			continue;
		seg->seq = esplane_replay_extend(r, seg->seq);
		seg->verdict = esplane_replay_check(r, seg->seq);
	}
	spin_unlock(&r->lock);
}

static int cipher_verdict(int err)
{
	switch (err) {
	case 0:
		return ESPLANE_SEGMENT_GOOD;
	case -EBADMSG:
		return ESPLANE_DROP_AUTH;
	case -ENOMEM:
		return ESPLANE_DROP_NO_MEMORY;
	default:
		return ESPLANE_DROP_CRYPTO;
	}
}

static void update_replay(struct esplane_train *train)
{
	struct esplane_replay *r = &train->sa->replay;
	unsigned int i;
	u64 before;

	spin_lock(&r->lock);
	before = r->top;
	for (i = 0; i < train->n; i++) {
		struct esplane_segment *seg = &train->segments[i];

		if (seg->verdict == ESPLANE_SEGMENT_GOOD)
			seg->verdict = cipher_verdict(seg->err);
		if (seg->verdict == ESPLANE_SEGMENT_GOOD)
			seg->verdict = esplane_replay_update(r, seg->seq);
	}
	context_of(train)->newest = r->top > before;
	spin_unlock(&r->lock);
}

enum { ECN_CONTRADICTION = 2 };

/* RFC 6040 section 4.2. */
static int decapsulate_ecn(struct iphdr *iph, u8 outer)
{
	bool set_ce = false;

	if (!((outer ^ iph->tos) & INET_ECN_MASK))
		return ESPLANE_SEGMENT_GOOD;
	if (__INET_ECN_decapsulate(outer, iph->tos, &set_ce) == ECN_CONTRADICTION)
		return ESPLANE_DROP_ECN;
	if (set_ce)
		IP_ECN_set_ce(iph);
	else if ((outer & INET_ECN_MASK) == INET_ECN_ECT_1)
		IP_ECN_set_ect1(iph);
	return ESPLANE_SEGMENT_GOOD;
}

static int decapsulate_ecn_v6(struct ipv6hdr *ip6h, u8 outer)
{
	u8 inner = ipv6_get_dsfield(ip6h);
	bool set_ce = false;

	if (!((outer ^ inner) & INET_ECN_MASK))
		return ESPLANE_SEGMENT_GOOD;
	if (__INET_ECN_decapsulate(outer, inner, &set_ce) == ECN_CONTRADICTION)
		return ESPLANE_DROP_ECN;
	if (set_ce)
		ipv6_change_dsfield(ip6h, (u8)~INET_ECN_MASK, INET_ECN_CE);
	else if ((outer & INET_ECN_MASK) == INET_ECN_ECT_1 &&
		 (inner & INET_ECN_MASK) == INET_ECN_ECT_0)
		ipv6_change_dsfield(ip6h, (u8)~INET_ECN_MASK, INET_ECN_ECT_1);
	return ESPLANE_SEGMENT_GOOD;
}

/*
 * The inner packet, in at most @room bytes. More room than it needs is traffic flow confidentiality
 * (RFC 4303 section 2.7).
 */
static int open_v4(struct esplane_segment *seg, unsigned int room, u8 tos)
{
	struct iphdr *iph = (struct iphdr *)seg->text;
	unsigned int len;

	if (room < sizeof(*iph) || iph->version != IP_VERSION_4 || iph->ihl < IP_MIN_IHL)
		return ESPLANE_DROP_INNER_HEADER;
	len = ntohs(iph->tot_len);
	if (iph->ihl * 4 > len || len > room || ip_fast_csum(iph, iph->ihl))
		return ESPLANE_DROP_INNER_HEADER;
	seg->inner_len = len;
	seg->ip_len = iph->ihl * 4;
	return decapsulate_ecn(iph, tos);
}

/* A jumbo payload (RFC 2675) says 0 here and is dropped by the stack: none fits an ESP packet. */
static int open_v6(struct esplane_segment *seg, unsigned int room, u8 tos)
{
	struct ipv6hdr *ip6h = (struct ipv6hdr *)seg->text;
	unsigned int len;

	if (room < sizeof(*ip6h) || ip6h->version != IP_VERSION_6)
		return ESPLANE_DROP_INNER_HEADER;
	len = sizeof(*ip6h) + ntohs(ip6h->payload_len);
	if (len > room)
		return ESPLANE_DROP_INNER_HEADER;
	seg->inner_len = len;
	seg->ip_len = sizeof(*ip6h);
	return decapsulate_ecn_v6(ip6h, tos);
}

static int open_inner(struct esplane_segment *seg, u8 next_header, unsigned int room, u8 tos)
{
	switch (next_header) {
	case IPPROTO_IPIP:
		return open_v4(seg, room, tos);
	case IPPROTO_IPV6:
		return IS_ENABLED(CONFIG_IPV6) ? open_v6(seg, room, tos) : ESPLANE_DROP_FAMILY;
	case IP_NO_NEXT_HEADER:
		return ESPLANE_DROP_DUMMY;
	default:
		return ESPLANE_DROP_NEXT_HEADER;
	}
}

/* TCP or UDP straight behind the IP header, and no fragment. */
static bool has_ports(const struct esplane_segment *seg)
{
	const struct iphdr *iph = (const struct iphdr *)seg->text;
	const struct ipv6hdr *ip6h = (const struct ipv6hdr *)seg->text;
	u8 protocol = iph->version == IP_VERSION_6 ? ip6h->nexthdr : iph->protocol;

	if (seg->inner_len < seg->ip_len + sizeof(struct udphdr))
		return false;
	if (iph->version == IP_VERSION_4 && ip_is_fragment(iph))
		return false;
	return protocol == IPPROTO_TCP || protocol == IPPROTO_UDP;
}

/* All that a selector looks at is the same in both. */
static bool same_flow(const struct esplane_segment *a, const struct esplane_segment *b)
{
	const struct ipv6hdr *a6 = (const struct ipv6hdr *)a->text;
	const struct ipv6hdr *b6 = (const struct ipv6hdr *)b->text;
	const struct iphdr *a4 = (const struct iphdr *)a->text;
	const struct iphdr *b4 = (const struct iphdr *)b->text;

	if (a4->version != b4->version || a->ip_len != b->ip_len || !a->has_ports ||
	    !b->has_ports || memcmp(a->text + a->ip_len, b->text + b->ip_len, 2 * sizeof(__be16)))
		return false;
	if (a4->version == IP_VERSION_6)
		return a6->nexthdr == b6->nexthdr &&
		       !memcmp(&a6->saddr, &b6->saddr, sizeof(a6->saddr) + sizeof(a6->daddr));
	return a4->protocol == b4->protocol && a4->saddr == b4->saddr && a4->daddr == b4->daddr;
}

static bool selectors_allow(const struct esplane_sa *sa, struct esplane_segment *seg,
			    const struct esplane_segment *like)
{
	struct esplane_flow flow;

	if (!sa->n_selectors)
		return true;
	seg->has_ports = has_ports(seg);
	if (like && same_flow(seg, like))
		return true;
	if (!esplane_flow_from_bytes(seg->text, seg->inner_len, &flow))
		return false;
	return esplane_selectors_match(sa->selectors, sa->n_selectors, &flow) ||
	       esplane_quote_match(sa->selectors, sa->n_selectors, seg->text, seg->inner_len,
				   &flow);
}

int esplane_input_open(const struct esplane_sa *sa, struct esplane_segment *seg, u8 tos,
		       const struct esplane_segment *like)
{
	const struct esplane_esp_trailer *trailer;
	unsigned int room = seg->text_len - sizeof(*trailer);
	int verdict;

	trailer = (const struct esplane_esp_trailer *)(seg->text + room);
	if (trailer->pad_len > room)
		return ESPLANE_DROP_PADDING;
	if (sa->flags & ESPLANE_SA_FLAG_NO_ECN)
		tos = 0;	/* as if the outer header knew nothing of ECN */
	verdict = open_inner(seg, trailer->next_header, room - trailer->pad_len, tos);
	if (verdict != ESPLANE_SEGMENT_GOOD)
		return verdict;
	return selectors_allow(sa, seg, like) ? ESPLANE_SEGMENT_GOOD : ESPLANE_DROP_SELECTOR;
}
EXPORT_SYMBOL_IF_KUNIT(esplane_input_open);

static int open_segment(struct esplane_train *train, unsigned int i,
			const struct esplane_segment *like)
{
	struct esplane_segment *seg = &train->segments[i];
	const struct input_context *c = context_of(train);

	if (likely(train->sa->mode == ESPLANE_MODE_TUNNEL))
		return esplane_input_open(train->sa, seg, c->tos, like);
	return esplane_transport_open(train->sa, seg, train->skb, &c->at, HEADROOM, i);
}

/*
 * The peer's NAT gave it another address: told only by who holds the key, and not by packets that
 * were on their way when it happened.
 */
static void report_mapping(struct esplane_train *train)
{
	const struct esplane_outer *outer = rcu_dereference(train->sa->outer);
	const struct input_context *c = context_of(train);

	if (!c->newest || !c->sport || !esplane_outer_is_udp(outer) ||
	    outer->src.family != c->src.family)
		return;
	if (outer->sport != c->sport || memcmp(&outer->src.ip, &c->src.ip, sizeof(c->src.ip)))
		esplane_event_mapping(train->sa, &c->src, c->sport);
}

static void count_delivered(struct esplane_train *train, const struct esplane_segment *seg,
			    unsigned int n)
{
	struct esplane_stats *stats = this_cpu_ptr(train->sa->en->stats);

	stats->in_packets += n;
	for (; n; n--, seg++)
		stats->in_bytes += seg->inner_len;
}

/* Good packets that could not be put together or handed on; the memory of their text is freed. */
static void count_lost(struct esplane_train *train, const struct esplane_segment *seg,
		       unsigned int n, enum esplane_drop_reason reason)
{
	struct esplane_sa *sa = train->sa;

	for (; n; n--, seg++)
		esplane_drop_count(sa->en, sa, train->skb, reason, sa->spi,
				   lower_32_bits(seg->seq));
}

static void drop_rest(struct esplane_train *train, unsigned int i, enum esplane_drop_reason reason)
{
	for (; i < train->n; i++)
		if (train->segments[i].verdict == ESPLANE_SEGMENT_GOOD)
			drop_segment(train, &train->segments[i], reason);
}

/* How many good segments stand in a row here. */
static unsigned int good_row(const struct esplane_train *train, unsigned int i)
{
	unsigned int n = 0;

	while (i + n < train->n && train->segments[i + n].verdict == ESPLANE_SEGMENT_GOOD)
		n++;
	return n;
}

static void deliver_row(struct esplane_train *train, struct net_device *dev, unsigned int i,
			unsigned int n)
{
	struct esplane_segment *first = &train->segments[i];
	u32 mark = rcu_dereference(train->sa->outer)->mark;
	unsigned int joined;
	struct sk_buff *skb;

	for (; n; n -= joined, first += joined) {
		joined = esplane_join_count(first, n);
		skb = esplane_join_build(first, joined);
		if (skb && unlikely(mark))
			skb->mark = mark;
		if (!skb)
			count_lost(train, first, joined, ESPLANE_DROP_NO_MEMORY);
		else if (esplane_netdev_receive(dev, skb, joined, train->napi))
			count_delivered(train, first, joined);
		else
			count_lost(train, first, joined, ESPLANE_DROP_BACKLOG);
	}
}

static void deliver(struct esplane_train *train)
{
	struct net_device *dev = esplane_netdev_find(train->sa->en, train->sa->if_id);
	unsigned int i, n;

	if (!dev || !(READ_ONCE(dev->flags) & IFF_UP)) {
		drop_rest(train, 0, ESPLANE_DROP_DEV_DOWN);
		return;
	}
	this_cpu_ptr(train->sa->en->stats)->in_trains++;
	for (i = 0; i < train->n; i += max(n, 1U)) {
		n = good_row(train, i);
		deliver_row(train, dev, i, n);
	}
}

static void finish(struct esplane_train *train)
{
	const struct esplane_segment *last = NULL;
	unsigned int i, packets = 0;
	u64 bytes = 0;

	update_replay(train);
	for (i = 0; i < train->n; i++) {
		struct esplane_segment *seg = &train->segments[i];

		if (seg->verdict == ESPLANE_SEGMENT_GOOD)
			seg->verdict = open_segment(train, i, last);
		if (seg->verdict != ESPLANE_SEGMENT_GOOD) {
			drop_segment(train, seg, seg->verdict);
			continue;
		}
		last = seg;
		packets++;
		bytes += seg->inner_len;
	}
	if (packets) {
		report_mapping(train);
		if (esplane_lifetime_charge(train->sa, packets, bytes))
			deliver(train);
		else
			drop_rest(train, 0, ESPLANE_DROP_HARD_LIMIT);
	}
	esplane_train_put(train);
}

static void set_context(struct esplane_train *train, __be16 sport)
{
	const struct iphdr *iph = ip_hdr(train->skb);
	const struct ipv6hdr *ip6h = ipv6_hdr(train->skb);
	struct input_context *c = context_of(train);

	*c = (struct input_context){ .sport = sport };
	if (iph->version == IP_VERSION_6) {
		c->src.family = AF_INET6;
		c->src.ip.in6 = ip6h->saddr;
		c->tos = ipv6_get_dsfield(ip6h);
	} else {
		c->src.family = AF_INET;
		c->src.ip.ip = iph->saddr;
		c->tos = iph->tos;
	}
	if (unlikely(train->sa->mode == ESPLANE_MODE_TRANSPORT))
		esplane_transport_locate(train->skb, &c->at);
}

u32 esplane_input_number(const struct sk_buff *skb, unsigned int offset, unsigned int len)
{
	const struct esplane_esp_header *header = NULL;
	struct esplane_esp_header buf;

	if (len >= sizeof(buf))
		header = skb_header_pointer(skb, offset, sizeof(buf), &buf);
	return header ? be32_to_cpu(header->seq) : 0;
}

/* The SA is on its way out, or memory is short. */
static void count_unopened(struct esplane_sa *sa, const struct sk_buff *skb, unsigned int offset,
			   unsigned int len)
{
	enum esplane_drop_reason reason = ESPLANE_DROP_NO_MEMORY;

	if (esplane_sa_is_dead(sa))
		reason = ESPLANE_DROP_HARD_LIMIT;
	esplane_drop_count(sa->en, sa, skb, reason, sa->spi,
			   esplane_input_number(skb, offset, len));
}

static struct esplane_train *open_train(struct esplane_sa *sa, struct sk_buff *skb, __be16 sport)
{
	struct esplane_train *train = NULL;

	if (!esplane_sa_is_dead(sa))
		train = esplane_train_get(sa, skb);
	if (!train)
		return NULL;
	train->finish = finish;
	set_context(train, sport);
	return train;
}

unsigned int esplane_input(struct esplane_sa *sa, struct sk_buff *skb, unsigned int offset,
			   unsigned int end, unsigned int size, __be16 sport)
{
	struct esplane_train *train = open_train(sa, skb, sport);

	if (!train) {
		count_unopened(sa, skb, offset, min(size, end - offset));
		return min(offset + size, end);
	}
	offset = gather(train, skb, offset, end, size);
	check_replay(train);
	esplane_parallel_run(train);
	return offset;
}

static unsigned int esp_len(const struct sk_buff *skb)
{
	return skb->len - skb_transport_offset(skb);
}

static void drop_packets(struct esplane_sa *sa, struct sk_buff *packets)
{
	struct sk_buff *skb;

	for (skb = packets; skb; skb = skb->next)
		count_unopened(sa, skb, skb_transport_offset(skb), esp_len(skb));
	kfree_skb_list(packets);
}

void esplane_input_packets(struct esplane_sa *sa, struct sk_buff *packets)
{
	struct esplane_train *train = open_train(sa, packets, 0);
	struct sk_buff *skb;

	if (!train) {
		drop_packets(sa, packets);
		return;
	}
	for (skb = packets; skb; skb = skb->next)
		gather(train, skb, skb_transport_offset(skb), skb->len, esp_len(skb));
	train->others = packets->next;
	skb_mark_not_on_list(packets);
	check_replay(train);
	esplane_parallel_run(train);
	consume_skb(packets);
}
