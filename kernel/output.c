// SPDX-License-Identifier: GPL-2.0
/*
 * Cleartext to ESP: one pass for a super-packet, not for each packet.
 *
 *	steer.c (policy mode), netdev.c (route mode)
 *	  esplane_output()		route, tunnel MTU
 *	   (esplane_output_bundle()	bundle.c: forwarded packets that came together)
 *	    output_skb()		cut.c: plan of the segments; pmtu.c: what does not fit
 *	      output_train()		memory (chunk.c), sequence numbers, headers, text
 *	        esplane_train_run()	train.c: the cipher, now or later
 *	          finish()		emit_train(): ESP-in-UDP, one UDP GSO packet
 *					emit_list(): native ESP or a lone packet
 *	                                ip_local_out(), ip6_local_out()
 *
 * Inner headers and text are written once, to where the cipher works on them in place and the
 * network device fetches them. With ESP-in-UDP they cross IP, netfilter and the queues as one.
 *
 * Locking: RCU read side, BHs off. The sequence counter is the only thing that CPUs share.
 */
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/netdevice.h>
#include <linux/percpu.h>
#include <linux/skbuff.h>
#include <linux/udp.h>
#include <net/dst.h>
#include <net/dst_metadata.h>
#include <net/inet_ecn.h>
#include <net/ip.h>
#include <net/ip6_checksum.h>
#include <net/ip6_route.h>
#include <net/ipv6.h>
#include <net/route.h>
#include <net/sock.h>
#include <net/tcp.h>

#include "bundle.h"
#include "chunk.h"
#include "compat.h"
#include "cut.h"
#include "esp.h"
#include "lifetime.h"
#include "net.h"
#include "netdev.h"
#include "output.h"
#include "pmtu.h"
#include "sa.h"
#include "train.h"
#include "transform.h"
#include "transport.h"

enum {
	MAX_NESTING = 4,		/* tunnels within tunnels */
	MAX_TRAIN_BYTES = 0xfc00,	/* IPv4's 16-bit length, less headers */
	HEADROOM_ALIGN = 16,		/* cipher block: text behind header and IV is aligned */
};

static DEFINE_PER_CPU(unsigned int, nesting);

/* What all trains of one super-packet share. */
struct output {
	struct esplane_net *en;
	struct esplane_sa *sa;
	const struct esplane_outer *outer;
	struct dst_entry *dst;
	unsigned int path;	/* MTU of outer packets */
	unsigned int mtu;	/* of inner packets */
	unsigned int whole_mtu;	/* transport: of those that may be cut to pieces afterwards */
	unsigned int headers;	/* bytes of outer IP and UDP */
	struct esplane_insertion at;	/* transport */
	u8 next_header;		/* in the ESP trailer */
	bool fragment;		/* outer packets that exceed the path's MTU */
	bool transport;
};

/* What finish() needs of it, perhaps much later. */
struct output_context {
	struct dst_entry *dst;	/* holds a reference */
	union nf_inet_addr saddr, daddr;
	__be16 sport, dport;	/* 0: native ESP */
	__be16 frag_off;	/* IPv4 */
	u8 tos;
	u8 next_header;
	u8 depth;		/* of nesting */
	bool v6 : 1;		/* outside */
	bool transport : 1;
	bool fragment : 1;
	bool train : 1;		/* one UDP GSO packet, not a list */
	__be32 flow_label;	/* IPv6 */
	u32 mark;
	struct esplane_insertion at;	/* transport */
	u16 first;		/* transport: index of the first segment in the super-packet */
	u16 headers;		/* bytes of outer IP and UDP */
	u16 headroom;		/* of a list's packets */
	u16 piece;		/* IPv6: of what may be fragmented outside, the longest; or 0 */
	u32 bytes;
};

static struct output_context *context_of(struct esplane_train *train)
{
	BUILD_BUG_ON(sizeof(struct output_context) > sizeof(train->context));
	return (struct output_context *)train->context;
}

static void drop_train(struct esplane_train *train, enum esplane_drop_reason reason)
{
	struct esplane_sa *sa = train->sa;
	unsigned int i;

	for (i = 0; i < train->n; i++) {
		struct esplane_segment *seg = &train->segments[i];

		if (seg->memory)
			put_page(virt_to_head_page(seg->memory));
		esplane_drop_count(sa->en, sa, train->skb, reason, sa->spi,
				   lower_32_bits(seg->seq));
	}
}

static unsigned int outer_headers(bool v6, __be16 dport)
{
	return (v6 ? sizeof(struct ipv6hdr) : sizeof(struct iphdr)) +
	       (dport ? sizeof(struct udphdr) : 0);
}

static __sum16 udp_pseudo_sum(const struct output_context *c, unsigned int len)
{
	if (c->v6)
		return ~csum_ipv6_magic(&c->saddr.in6, &c->daddr.in6, len, IPPROTO_UDP, 0);
	return ~csum_tcpudp_magic(c->saddr.ip, c->daddr.ip, len, IPPROTO_UDP, 0);
}

static void push_udp(struct sk_buff *skb, const struct output_context *c)
{
	struct udphdr *uh = skb_push(skb, sizeof(*uh));

	skb_reset_transport_header(skb);
	uh->source = c->sport;
	uh->dest = c->dport;
	uh->len = htons(skb->len);
	if (!c->v6 && !skb_is_gso(skb)) {
		uh->check = 0;	/* RFC 3948 section 2.1 */
		return;
	}
	/*
	 * IPv6 demands one (RFC 8200 section 8.1), for RFC 3948 is none of the protocols that RFC
	 * 6935 excepts. Segmentation knows no UDP packet without. Most devices compute it.
	 */
	uh->check = udp_pseudo_sum(c, skb->len);
	skb->ip_summed = CHECKSUM_PARTIAL;
	skb->csum_start = skb_transport_header(skb) - skb->head;
	skb->csum_offset = offsetof(struct udphdr, check);
}

static void push_ip(struct net *net, struct sk_buff *skb, const struct output_context *c)
{
	struct iphdr *iph = skb_push(skb, sizeof(*iph));

	skb_reset_network_header(skb);
	iph->version = 4;
	iph->ihl = sizeof(*iph) / 4;
	iph->tos = c->tos;
	iph->frag_off = c->frag_off;
	iph->ttl = ip4_dst_hoplimit(c->dst);
	iph->protocol = c->dport ? IPPROTO_UDP : IPPROTO_ESP;
	iph->saddr = c->saddr.ip;
	iph->daddr = c->daddr.ip;
	ip_select_ident_segs(net, skb, NULL, skb_shinfo(skb)->gso_segs ?: 1);
	memset(IPCB(skb), 0, sizeof(*IPCB(skb)));
	IPCB(skb)->flags = IPSKB_XFRM_TRANSFORMED;	/* steer.c lets it pass */
	skb->protocol = htons(ETH_P_IP);
}

static void push_ip6(struct sk_buff *skb, const struct output_context *c)
{
	struct ipv6hdr *ip6h = skb_push(skb, sizeof(*ip6h));

	skb_reset_network_header(skb);
	ip6_flow_hdr(ip6h, c->tos, c->flow_label);
	ip6h->payload_len = htons(skb->len - sizeof(*ip6h));
	ip6h->nexthdr = c->dport ? IPPROTO_UDP : IPPROTO_ESP;
	ip6h->hop_limit = ip6_dst_hoplimit(c->dst);
	ip6h->saddr = c->saddr.in6;
	ip6h->daddr = c->daddr.in6;
	memset(IP6CB(skb), 0, sizeof(*IP6CB(skb)));
	IP6CB(skb)->flags = IP6SKB_XFRM_TRANSFORMED;	/* steer.c lets it pass */
	skb->protocol = htons(ETH_P_IPV6);
}

/* No router does it for us, and the route may know of a wider path than icmp.c does. */
static void limit_fragments(struct sk_buff *skb, const struct output_context *c)
{
	skb->ignore_df = c->fragment;
	if (unlikely(c->piece))
		IP6CB(skb)->frag_max_size = c->piece;
}

/* Does freeing the packet give back send buffer that its sender waits for? */
static bool charges_sender(const struct sk_buff *skb)
{
	const struct sock *sk = skb->sk;

	if (!sk || !sk_fullsock(sk) || !skb->destructor)
		return false;
	if (skb->destructor == sock_wfree)
		return true;
	/* TCP's own are not exported. What may sit on a received packet, which came in, is. */
	return sk->sk_protocol == IPPROTO_TCP && sk->sk_type == SOCK_STREAM &&
	       !skb->skb_iif && skb->destructor != sock_edemux &&
	       skb->destructor != sock_efree && skb->destructor != sock_rfree;
}

/* The sender goes on paying until the device has sent, or queues would grow without bound. */
static void pass_charge(struct sk_buff *to, const struct sk_buff *from)
{
	if (!charges_sender(from))
		return;
	to->sk = from->sk;
	to->destructor = from->destructor;
	refcount_add(to->truesize, &to->sk->sk_wmem_alloc);
}

/* @index: of the (first) segment in the train. */
static void emit(struct esplane_train *train, struct sk_buff *skb, unsigned int index)
{
	const struct output_context *c = context_of(train);
	struct net *net = train->sa->en->net;

	if (c->dport)
		push_udp(skb, c);
	else
		skb_reset_transport_header(skb);
	if (unlikely(c->transport))
		esplane_transport_push(skb, train->skb, &c->at, c->first + index, c->dport);
	else if (IS_ENABLED(CONFIG_IPV6) && c->v6)
		push_ip6(skb, c);
	else
		push_ip(net, skb, c);
	limit_fragments(skb, c);
	skb->priority = train->skb->priority;
	skb->mark = c->mark;
	skb_copy_hash(skb, train->skb);
	skb_dst_set(skb, dst_clone(c->dst));
	if (!c->transport || !c->v6)	/* transport.c: there a socket of ours owns it */
		pass_charge(skb, train->skb);
	if (unlikely(c->transport))
		esplane_transport_emit(train->sa->en, skb);
	else if (IS_ENABLED(CONFIG_IPV6) && c->v6)
		ip6_local_out(net, skb->sk, skb);
	else
		ip_local_out(net, skb->sk, skb);
}

static void add_fragment(struct sk_buff *skb, u8 *memory, unsigned int len)
{
	struct page *page = virt_to_head_page(memory);

	skb_add_rx_frag(skb, skb_shinfo(skb)->nr_frags, page,
			memory - (u8 *)page_address(page), len, len);
}

static void count_output(const struct esplane_train *train, unsigned int n, u32 bytes)
{
	struct esplane_stats *stats = this_cpu_ptr(train->sa->en->stats);

	stats->out_packets += n;
	stats->out_bytes += bytes;
}

static void emit_train(struct esplane_train *train)
{
	const struct output_context *c = context_of(train);
	unsigned int headroom = LL_RESERVED_SPACE(c->dst->dev) + c->headers, i;
	struct sk_buff *skb;

	skb = alloc_skb(headroom, GFP_ATOMIC);
	if (!skb) {
		drop_train(train, ESPLANE_DROP_NO_MEMORY);
		return;
	}
	skb_reserve(skb, headroom);
	for (i = 0; i < train->n; i++)
		if (train->segments[i].memory)
			add_fragment(skb, train->segments[i].memory, train->segments[i].memory_len);
	if (train->n > 1) {	/* memory may have run short */
		skb_shinfo(skb)->gso_type = SKB_GSO_UDP_L4;
		skb_shinfo(skb)->gso_size = esplane_pmtu_esp_len(train->sa->transform,
								 train->segments[0].inner_len);
		skb_shinfo(skb)->gso_segs = train->n;
	}
	count_output(train, train->n, c->bytes);
	emit(train, skb, 0);
}

static void emit_one(struct esplane_train *train, unsigned int i)
{
	struct esplane_segment *seg = &train->segments[i];
	const struct output_context *c = context_of(train);
	struct sk_buff *skb = napi_build_skb(seg->memory, seg->memory_len);

	if (!skb) {
		put_page(virt_to_head_page(seg->memory));
		esplane_drop_count(train->sa->en, train->sa, train->skb, ESPLANE_DROP_NO_MEMORY,
				   train->sa->spi, lower_32_bits(seg->seq));
		return;
	}
	skb_reserve(skb, c->headroom);
	skb_put(skb, esplane_pmtu_esp_len(train->sa->transform, seg->inner_len));
	count_output(train, 1, seg->inner_len);
	emit(train, skb, i);
}

static void emit_list(struct esplane_train *train)
{
	unsigned int i;

	for (i = 0; i < train->n; i++)
		emit_one(train, i);
}

static bool all_encrypted(const struct esplane_train *train)
{
	unsigned int i;

	for (i = 0; i < train->n; i++)
		if (train->segments[i].err)
			return false;
	return true;
}

/* Tunnels within this one are as deep in it if the cipher finished later, on an empty stack. */
static void finish(struct esplane_train *train)
{
	struct output_context *c = context_of(train);
	unsigned int outside = this_cpu_read(nesting);

	this_cpu_write(nesting, c->depth);
	if (!all_encrypted(train)) {
		drop_train(train, ESPLANE_DROP_CRYPTO);
	} else {
		this_cpu_ptr(train->sa->en->stats)->out_trains++;
		if (c->train)
			emit_train(train);
		else
			emit_list(train);
	}
	this_cpu_write(nesting, outside);
	dst_release(c->dst);
	esplane_train_put(train);
}

/* RFC 4303 section 2.4: padding counts 1, 2, 3; the trailer ends it. */
static void write_trailer(u8 *end_of_inner, u8 *end_of_text, u8 next_header)
{
	struct esplane_esp_trailer *trailer = (void *)(end_of_text - sizeof(*trailer));
	u8 *pad = end_of_inner, n = 0;

	while (pad < (u8 *)trailer)
		*pad++ = ++n;
	trailer->pad_len = n;
	trailer->next_header = next_header;
}

static void write_header(const struct esplane_sa *sa, struct esplane_segment *seg)
{
	struct esplane_esp_header *header = (struct esplane_esp_header *)seg->wire;

	header->spi = sa->spi;
	header->seq = cpu_to_be32(lower_32_bits(seg->seq));
	esplane_transform_write_iv(sa->transform, seg->seq, seg->wire + sizeof(*header));
}

static int write_segment(const struct esplane_train *train, const struct esplane_cut *cut,
			 unsigned int index, struct esplane_segment *seg, u8 next_header)
{
	write_header(train->sa, seg);
	write_trailer(seg->text + seg->inner_len, seg->text + seg->text_len, next_header);
	return esplane_cut_write(cut, index, seg->text);
}

static bool take_sequence(struct esplane_sa *sa, unsigned int n, u64 *first)
{
	const bool esn = sa->flags & ESPLANE_SA_FLAG_ESN;
	const u64 end = esplane_sequence_end(esn);
	u64 last = atomic64_add_return(n, &sa->seq);

	if (unlikely(last >= esplane_sequence_soft(esn)))
		esplane_lifetime_sequence(sa, last > end);
	*first = last - n + 1;
	return last <= end;
}

static void place(struct esplane_segment *seg, const struct esplane_transform *t, u8 *wire,
		  unsigned int len, unsigned int inner_len)
{
	seg->wire = wire;
	seg->text = wire + sizeof(struct esplane_esp_header) + t->iv_len;
	seg->inner_len = inner_len;
	seg->text_len = len - (seg->text - seg->wire) - t->icv_len;
	seg->verdict = ESPLANE_SEGMENT_GOOD;
}

/* Memory for one packet of a list: headers before, what build_skb() wants behind. */
static bool place_alone(struct esplane_train *train, unsigned int inner_len)
{
	const struct esplane_transform *t = train->sa->transform;
	struct esplane_segment *seg = &train->segments[train->n];
	unsigned int headroom = context_of(train)->headroom, room;
	unsigned int len = esplane_pmtu_esp_len(t, inner_len);

	seg->memory_len = SKB_DATA_ALIGN(headroom + len) +
			  SKB_DATA_ALIGN(sizeof(struct skb_shared_info));
	seg->memory = esplane_chunk_open(seg->memory_len, true, &room);
	if (!seg->memory)
		return false;
	esplane_chunk_take(seg->memory_len);
	place(seg, t, seg->memory + headroom, len, inner_len);
	train->n++;
	return true;
}

static bool place_list(struct esplane_train *train, const struct esplane_cut *cut,
		       unsigned int first, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		if (!place_alone(train, esplane_cut_len(cut, first + i)))
			break;
	return train->n;
}

/* One run of contiguous packets. Returns how many. */
static unsigned int place_run(struct esplane_train *train, const struct esplane_cut *cut,
			      unsigned int first, unsigned int n)
{
	const struct esplane_transform *t = train->sa->transform;
	struct esplane_segment *head = &train->segments[train->n];
	unsigned int size = esplane_pmtu_esp_len(t, esplane_cut_len(cut, first));
	unsigned int room, used = 0, i;
	u8 *memory = esplane_chunk_open(size, false, &room);

	if (!memory)
		return 0;
	n = min(n, room / size);
	for (i = 0; i < n; i++) {
		struct esplane_segment *seg = &train->segments[train->n++];
		unsigned int inner_len = esplane_cut_len(cut, first + i);
		unsigned int len = esplane_pmtu_esp_len(t, inner_len);

		place(seg, t, memory + used, len, inner_len);
		seg->memory = NULL;
		used += len;
	}
	esplane_chunk_take(used);
	head->memory = memory;
	head->memory_len = used;
	return n;
}

/* As many packets as get memory, in no more runs than an skb can refer to. */
static bool place_train(struct esplane_train *train, const struct esplane_cut *cut,
			unsigned int first, unsigned int n)
{
	unsigned int run, runs;

	for (runs = 0; n && runs < MAX_SKB_FRAGS; runs++, first += run, n -= run) {
		run = place_run(train, cut, first, n);
		if (!run)
			break;
	}
	return train->n;
}

static int write_train(struct esplane_train *train, const struct esplane_cut *cut,
		       unsigned int first)
{
	u8 next_header = context_of(train)->next_header;
	unsigned int i;
	u64 seq;

	if (!esplane_lifetime_charge(train->sa, train->n, context_of(train)->bytes))
		return ESPLANE_DROP_HARD_LIMIT;
	if (!take_sequence(train->sa, train->n, &seq))
		return ESPLANE_DROP_SEQ_EXHAUSTED;
	for (i = 0; i < train->n; i++) {
		train->segments[i].seq = seq + i;
		if (write_segment(train, cut, first + i, &train->segments[i], next_header))
			return ESPLANE_DROP_SEGMENT;
	}
	return ESPLANE_SEGMENT_GOOD;
}

static void set_inner(struct output_context *c, const struct output *o, const struct sk_buff *skb)
{
	const struct iphdr *inner = ip_hdr(skb);

	c->next_header = o->next_header;
	c->fragment = o->fragment;
	if (inner->version == 6) {
		/* As if it had DF set (RFC 4301 section 8.1), but for what must get through. */
		c->frag_off = o->fragment ? 0 : htons(IP_DF);
		c->tos = esplane_outer_tos(o->sa->flags, ipv6_get_dsfield(ipv6_hdr(skb)));
	} else {
		c->frag_off = inner->frag_off & htons(IP_DF);	/* RFC 4301 section 8.1 */
		c->tos = esplane_outer_tos(o->sa->flags, inner->tos);
	}
}

static void set_transport(struct output_context *c, const struct output *o,
			  const struct sk_buff *skb, unsigned int first)
{
	c->transport = o->transport;
	if (likely(!o->transport))
		return;
	c->at = o->at;
	c->first = first;
	c->mark = c->mark ?: skb->mark;
	c->fragment = esplane_transport_may_fragment(skb);
}

static void set_context(struct esplane_train *train, const struct output *o, unsigned int first,
			unsigned int n)
{
	struct output_context *c = context_of(train);
	const struct esplane_outer *outer = o->outer;

	c->dst = dst_clone(o->dst);
	c->depth = this_cpu_read(nesting);
	c->v6 = outer->dst.family == AF_INET6;
	if (c->v6) {
		c->saddr = outer->src.ip;
		c->daddr = outer->dst.ip;
		c->flow_label = outer->flow_label;
	} else {
		c->saddr.ip = outer->src.ip.ip;
		c->daddr.ip = outer->dst.ip.ip;
	}
	c->sport = outer->sport;
	c->dport = outer->dport;
	c->mark = outer->mark;
	set_inner(c, o, train->skb);
	set_transport(c, o, train->skb, first);
	c->piece = c->fragment && c->v6 ? o->path : 0;
	c->train = c->dport && n > 1 && !c->fragment;
	c->headers = o->headers;
	c->headroom = ALIGN(LL_RESERVED_SPACE(o->dst->dev) + o->headers, HEADROOM_ALIGN);
	c->bytes = 0;
}

static void sum_bytes(struct esplane_train *train)
{
	struct output_context *c = context_of(train);
	unsigned int i;

	for (i = 0; i < train->n; i++)
		c->bytes += train->segments[i].inner_len;
}

static void abandon(struct esplane_train *train, enum esplane_drop_reason reason)
{
	dst_release(context_of(train)->dst);
	drop_train(train, reason);
	esplane_train_put(train);
}

/*
 * Sends segments @first to at most @first + @n - 1. Returns how many it disposed of; 0: no
 * memory.
 */
static unsigned int output_train(const struct output *o, struct sk_buff *skb,
				 const struct esplane_cut *cut, unsigned int first, unsigned int n)
{
	struct esplane_train *train = esplane_train_get(o->sa, skb);
	unsigned int placed;
	bool enough;
	int verdict;

	if (!train)
		return 0;
	train->finish = finish;
	set_context(train, o, first, n);
	if (context_of(train)->train)
		enough = place_train(train, cut, first, n);
	else
		enough = place_list(train, cut, first, n);
	placed = train->n;
	sum_bytes(train);
	verdict = enough ? write_train(train, cut, first) : ESPLANE_DROP_NO_MEMORY;
	if (verdict == ESPLANE_SEGMENT_GOOD)
		esplane_train_run(train, true);
	else
		abandon(train, verdict);
	return placed;
}

/* Trains of equal length, for the receiver's sake, none longer than one IP packet can be. */
static unsigned int train_length(const struct output *o, const struct esplane_cut *cut)
{
	unsigned int size = esplane_pmtu_esp_len(o->sa->transform, esplane_cut_len(cut, 0));
	unsigned int most = clamp(MAX_TRAIN_BYTES / size, 1U, (unsigned int)ESPLANE_TRAIN_MAX);

	return DIV_ROUND_UP(cut->n, DIV_ROUND_UP(cut->n, most));
}

/* No memory for the last @n packets of @skb. */
static void drop_uncut(const struct output *o, struct sk_buff *skb, unsigned int n)
{
	for (; n; n--)
		esplane_drop_count(o->en, o->sa, skb, ESPLANE_DROP_NO_MEMORY, o->sa->spi, 0);
	kfree_skb(skb);
}

static void output_cut(const struct output *o, struct sk_buff *skb, const struct esplane_cut *cut)
{
	unsigned int most = train_length(o, cut), first, done;

	for (first = 0; first < cut->n; first += done) {
		done = output_train(o, skb, cut, first, min(most, cut->n - first));
		if (!done) {
			drop_uncut(o, skb, cut->n - first);
			return;
		}
	}
	consume_skb(skb);
}

static void output_skb(void *arg, struct sk_buff *skb);

/* What cut.c cannot cut: the stack's own segmentation, then one by one. */
static void output_segmented(const struct output *o, struct sk_buff *skb)
{
	struct sk_buff *segs, *next;

	segs = skb_gso_segment(skb, NETIF_F_SG | NETIF_F_HW_CSUM | NETIF_F_HIGHDMA);
	if (IS_ERR_OR_NULL(segs)) {
		esplane_drop(o->en, o->sa, skb, ESPLANE_DROP_SEGMENT, o->sa->spi, 0);
		return;
	}
	consume_skb(skb);
	skb_list_walk_safe(segs, segs, next) {
		skb_mark_not_on_list(segs);
		output_skb((void *)o, segs);
	}
}

static unsigned int mtu_for(const struct output *o, const struct sk_buff *skb)
{
	if (unlikely(o->transport) && esplane_transport_may_fragment(skb))
		return o->whole_mtu;
	return o->mtu;
}

static void output_skb(void *arg, struct sk_buff *skb)
{
	const struct output *o = arg;
	struct esplane_cut cut;

	switch (esplane_cut_init(&cut, skb, mtu_for(o, skb))) {
	case 0:
		cut.skip = o->at.offset;
		if (unlikely(cut.shrunk))
			esplane_pmtu_teach(skb, o->mtu);
		output_cut(o, skb, &cut);
		return;
	case -EMSGSIZE:
		if (!skb_is_gso(skb) && o->transport) {
			esplane_pmtu_refuse(o->en, o->sa, skb, o->mtu);
			return;
		}
		if (!skb_is_gso(skb)) {
			esplane_pmtu_too_big(o->en, o->sa, skb, o->mtu, output_skb, arg);
			return;
		}
		fallthrough;
	case -EOPNOTSUPP:
		output_segmented(o, skb);
		return;
	default:
		esplane_drop(o->en, o->sa, skb, ESPLANE_DROP_SEGMENT, o->sa->spi, 0);
	}
}

/* Memory for a route on each CPU, which an SA that never sends does not need. */
static bool has_route_cache(struct esplane_outer *outer)
{
	struct dst_cache made = {};

	if (likely(READ_ONCE(outer->dst_cache.cache)))
		return true;
	if (dst_cache_init(&made, GFP_ATOMIC | __GFP_NOWARN))
		return false;	/* another packet may find memory */
	if (cmpxchg(&outer->dst_cache.cache, NULL, made.cache))
		dst_cache_destroy(&made);
	return true;
}

static struct dst_entry *find_route_v6(struct esplane_net *en, struct esplane_outer *outer)
{
#if IS_ENABLED(CONFIG_IPV6)
	struct flowi6 flow = {
		.saddr = outer->src.ip.in6,
		.daddr = outer->dst.ip.in6,
		.flowlabel = outer->flow_label,
		.flowi6_oif = outer->ifindex,
		.flowi6_mark = outer->mark,
		.flowi6_proto = outer->dport ? IPPROTO_UDP : IPPROTO_ESP,
		.fl6_sport = outer->sport,
		.fl6_dport = outer->dport,
	};
	struct dst_entry *dst;

	dst = dst_cache_get_ip6(&outer->dst_cache, &flow.saddr);
	if (dst)
		return dst;
	dst = ip6_route_output(en->net, NULL, &flow);
	if (dst->error) {
		dst_release(dst);
		return NULL;
	}
	if (has_route_cache(outer))
		dst_cache_set_ip6(&outer->dst_cache, dst, &outer->src.ip.in6);
	return dst;
#else
	return NULL;
#endif
}

static struct dst_entry *find_route(struct esplane_net *en, struct esplane_outer *outer)
{
	struct flowi4 flow = {
		.saddr = outer->src.ip.ip,
		.daddr = outer->dst.ip.ip,
		.flowi4_oif = outer->ifindex,
		.flowi4_mark = outer->mark,
		.flowi4_proto = outer->dport ? IPPROTO_UDP : IPPROTO_ESP,
		.fl4_sport = outer->sport,
		.fl4_dport = outer->dport,
	};
	struct rtable *rt;

	if (outer->dst.family == AF_INET6)
		return find_route_v6(en, outer);
	rt = dst_cache_get_ip4(&outer->dst_cache, &flow.saddr);
	if (rt)
		return &rt->dst;
	rt = ip_route_output_key(en->net, &flow);
	if (IS_ERR(rt))
		return NULL;
	if (has_route_cache(outer))
		dst_cache_set_ip4(&outer->dst_cache, &rt->dst, flow.saddr);
	return &rt->dst;
}

/* The packet's own route, of which only the interface's MTU counts (transport.c). */
static int prepare_transport(struct output *o, const struct sk_buff *skb)
{
	const struct esplane_transform *t = o->sa->transform;
	int verdict = esplane_transport_find(o->outer, skb, &o->at);

	if (verdict != ESPLANE_SEGMENT_GOOD)
		return verdict;
	if (!skb_valid_dst(skb))
		return ESPLANE_DROP_NO_ROUTE;
	o->dst = dst_clone(skb_dst(skb));
	o->transport = true;
	o->next_header = o->at.protocol;
	o->headers = o->at.offset + (o->outer->dport ? sizeof(struct udphdr) : 0);
	o->path = esplane_pmtu_path(o->outer, READ_ONCE(o->dst->dev->mtu));
	o->mtu = o->at.offset + esplane_pmtu_inner(t, o->path, o->headers);
	o->whole_mtu = o->at.offset + esplane_pmtu_inner(t, IP_MAX_MTU, o->headers);
	return ESPLANE_SEGMENT_GOOD;
}

unsigned int esplane_output_mtu(struct esplane_sa *sa)
{
	struct esplane_outer *outer;
	struct dst_entry *dst;
	unsigned int headers, mtu = 0;

	local_bh_disable();
	rcu_read_lock();
	outer = rcu_dereference(sa->outer);
	headers = outer_headers(outer->dst.family == AF_INET6, outer->dport);
	dst = find_route(sa->en, outer);
	if (dst && dst->dev != esplane_netdev_find(sa->en, sa->if_id))
		mtu = esplane_pmtu_inner(sa->transform, dst_mtu(dst), headers);
	dst_release(dst);
	rcu_read_unlock();
	local_bh_enable();
	return mtu;
}

static void find_mtu(struct output *o, const struct sk_buff *skb)
{
	o->headers = outer_headers(o->outer->dst.family == AF_INET6, o->outer->dport);
	o->path = esplane_pmtu_path(o->outer, dst_mtu(o->dst));
	o->mtu = esplane_pmtu_inner(o->sa->transform, o->path, o->headers);
	/* No IPv6 link may have less, so the tunnel fragments outside (RFC 2473 section 7.1). */
	if (skb->protocol == htons(ETH_P_IPV6) && unlikely(o->mtu < IPV6_MIN_MTU)) {
		o->mtu = IPV6_MIN_MTU;
		o->fragment = true;
	}
}

/* Fills @o; the route holds a reference on success. */
static int prepare(struct output *o, const struct sk_buff *skb)
{
	struct esplane_outer *outer = rcu_dereference(o->sa->outer);

	if (skb->protocol != htons(ETH_P_IP) &&
	    (!IS_ENABLED(CONFIG_IPV6) || skb->protocol != htons(ETH_P_IPV6)))
		return ESPLANE_DROP_FAMILY;
	if (esplane_sa_is_dead(o->sa))
		return ESPLANE_DROP_HARD_LIMIT;
	o->outer = outer;
	if (unlikely(o->sa->mode == ESPLANE_MODE_TRANSPORT))
		return prepare_transport(o, skb);
	o->dst = find_route(o->en, outer);
	if (!o->dst)
		return ESPLANE_DROP_NO_ROUTE;
	if (unlikely(o->dst->dev == esplane_netdev_find(o->en, o->sa->if_id))) {
		dst_release(o->dst);
		return ESPLANE_DROP_ROUTE_LOOP;
	}
	o->next_header = skb->protocol == htons(ETH_P_IPV6) ? IPPROTO_IPV6 : IPPROTO_IPIP;
	find_mtu(o, skb);
	return ESPLANE_SEGMENT_GOOD;
}

/* It came in, so others may be behind it. What is made within, for another tunnel, never waits. */
static bool may_wait(const struct sk_buff *skb)
{
	return skb->skb_iif && !skb->sk && !skb_is_gso(skb) && !this_cpu_read(nesting);
}

static bool wait_for_others(const struct output *o, struct sk_buff *skb)
{
	return may_wait(skb) && !o->transport && !o->fragment && skb->len <= o->mtu &&
	       esplane_bundle_add(o->en, o->sa, skb, o->mtu);
}

static void output(struct output *o, struct sk_buff *skb)
{
	if (!this_cpu_read(nesting))
		esplane_bundle_flush(o->en);
	this_cpu_inc(nesting);
	output_skb(o, skb);
	this_cpu_dec(nesting);
}

void esplane_output(struct esplane_net *en, struct esplane_sa *sa, struct sk_buff *skb)
{
	struct output o = { .en = en, .sa = sa };
	int verdict;

	if (may_wait(skb) && esplane_bundle_join(en, sa, skb))
		return;
	verdict = this_cpu_read(nesting) < MAX_NESTING ? prepare(&o, skb) : ESPLANE_DROP_ROUTE_LOOP;
	if (verdict != ESPLANE_SEGMENT_GOOD) {
		esplane_drop(en, sa, skb, verdict, sa->spi, 0);
		return;
	}
	if (!wait_for_others(&o, skb))
		output(&o, skb);
	dst_release(o.dst);
}

/* The route, or what is known of the path, may have changed since they fitted. */
static int prepare_bundle(struct output *o, const struct sk_buff *skb)
{
	int verdict = prepare(o, skb);

	if (verdict == ESPLANE_SEGMENT_GOOD && skb->len > o->mtu) {
		dst_release(o->dst);
		return ESPLANE_DROP_TOO_BIG;
	}
	return verdict;
}

void esplane_output_bundle(struct esplane_sa *sa, struct sk_buff *packets, unsigned int n)
{
	struct output o = { .en = sa->en, .sa = sa };
	struct sk_buff *list[ESPLANE_TRAIN_MAX], *skb, *next;
	struct esplane_cut cut;
	unsigned int i = 0;
	int verdict;

	skb_list_walk_safe(packets, skb, next) {
		skb_mark_not_on_list(skb);
		list[i++] = skb;
	}
	verdict = prepare_bundle(&o, list[0]);
	if (verdict != ESPLANE_SEGMENT_GOOD) {
		for (i = 0; i < n; i++)
			esplane_drop(sa->en, sa, list[i], verdict, sa->spi, 0);
		return;
	}
	esplane_cut_init_list(&cut, list, n);
	this_cpu_inc(nesting);
	output_cut(&o, list[0], &cut);
	this_cpu_dec(nesting);
	for (i = 1; i < n; i++)
		consume_skb(list[i]);
	dst_release(o.dst);
}
