// SPDX-License-Identifier: GPL-2.0
/*
 * Traffic selectors against a naive model that enumerates every address and port of a range, in a
 * universe small enough for that, and packets' flows against headers of RFC 791 and RFC 8200
 * written by hand.
 */
#include <kunit/test.h>
#include <linux/icmp.h>
#include <linux/ip.h>
#include <linux/prandom.h>
#include <linux/skbuff.h>
#include <linux/tcp.h>

#include "compat.h"
#include "import.h"
#include "selector.h"

enum {
	ROUNDS = 100000,
	UNIVERSE = 12,		/* addresses 10.0.0.250 on, across an octet's end; ports 0 on */
	BASE = 0x0a0000fa,
	SEED = 20261124,
};

/* The ends of a range of the universe, as likely one value as many. */
static void random_range(struct rnd_state *rnd, u32 *first, u32 *last)
{
	u32 a = prandom_u32_state(rnd) % UNIVERSE, b = prandom_u32_state(rnd) % UNIVERSE;

	*first = min(a, b);
	*last = max(a, b);
}

static void random_addrs(struct rnd_state *rnd, union nf_inet_addr *first,
			 union nf_inet_addr *last)
{
	u32 a, b;

	random_range(rnd, &a, &b);
	first->ip = htonl(BASE + a);
	last->ip = htonl(BASE + b);
}

static void random_ports(struct rnd_state *rnd, u16 *first, u16 *last)
{
	u32 a, b;

	random_range(rnd, &a, &b);
	*first = a;
	*last = b;
	if (prandom_u32_state(rnd) % 2) {
		*first = 0;
		*last = U16_MAX;
	}
}

static const u8 protocols[] = { 0, IPPROTO_TCP, IPPROTO_UDP };

static struct esplane_selector random_selector(struct rnd_state *rnd)
{
	struct esplane_selector s = { .family = AF_INET };

	s.protocol = protocols[prandom_u32_state(rnd) % ARRAY_SIZE(protocols)];
	random_addrs(rnd, &s.src_first, &s.src_last);
	random_addrs(rnd, &s.dst_first, &s.dst_last);
	random_ports(rnd, &s.sport_first, &s.sport_last);
	random_ports(rnd, &s.dport_first, &s.dport_last);
	return s;
}

static struct esplane_flow random_flow(struct rnd_state *rnd)
{
	struct esplane_flow f = { .family = AF_INET };

	f.protocol = protocols[1 + prandom_u32_state(rnd) % (ARRAY_SIZE(protocols) - 1)];
	f.src.ip = htonl(BASE + prandom_u32_state(rnd) % UNIVERSE);
	f.dst.ip = htonl(BASE + prandom_u32_state(rnd) % UNIVERSE);
	f.ports = prandom_u32_state(rnd) % 8;
	if (f.ports) {
		f.sport = prandom_u32_state(rnd) % UNIVERSE;
		f.dport = prandom_u32_state(rnd) % UNIVERSE;
	}
	return f;
}

/* The model: looks at each value of a range in turn. */
static bool naive_within(u32 value, u32 first, u32 last)
{
	u32 i;

	for (i = first; i <= last; i++)
		if (i == value)
			return true;
	return false;
}

static bool naive_any_port(const struct esplane_selector *s)
{
	return s->sport_first == 0 && s->sport_last == 65535 && s->dport_first == 0 &&
	       s->dport_last == 65535;
}

static bool naive_match(const struct esplane_selector *s, const struct esplane_flow *f)
{
	if (s->protocol != 0 && s->protocol != f->protocol)
		return false;
	if (!naive_within(ntohl(f->src.ip), ntohl(s->src_first.ip), ntohl(s->src_last.ip)))
		return false;
	if (!naive_within(ntohl(f->dst.ip), ntohl(s->dst_first.ip), ntohl(s->dst_last.ip)))
		return false;
	if (!f->ports)
		return naive_any_port(s);
	return naive_within(f->sport, s->sport_first, s->sport_last) &&
	       naive_within(f->dport, s->dport_first, s->dport_last);
}

static void match_random(struct kunit *test)
{
	unsigned int i, matches = 0;
	struct rnd_state rnd;

	prandom_seed_state(&rnd, SEED);
	for (i = 0; i < ROUNDS; i++) {
		struct esplane_selector s = random_selector(&rnd);
		struct esplane_flow f = random_flow(&rnd);
		bool expected = naive_match(&s, &f);

		KUNIT_ASSERT_EQ_MSG(test, esplane_selector_match(&s, &f), expected, "round %u", i);
		matches += expected;
	}
	/* Neither outcome is so rare that the rounds say nothing about it. */
	KUNIT_EXPECT_GT(test, matches, ROUNDS / 100);
	KUNIT_EXPECT_LT(test, matches, ROUNDS - ROUNDS / 100);
}

/*
 * First and last value that both ranges have; false if none. Walks once over all values, noting
 * where each range begins and ends.
 */
static bool naive_common(u32 a_first, u32 a_last, u32 b_first, u32 b_last, u32 *first, u32 *last)
{
	bool in_a = false, in_b = false, found = false;
	u32 i;

	for (i = min(a_first, b_first); i <= max(a_last, b_last); i++) {
		in_a |= i == a_first;
		in_b |= i == b_first;
		if (in_a && in_b) {
			if (!found)
				*first = i;
			*last = i;
			found = true;
		}
		in_a &= i != a_last;
		in_b &= i != b_last;
	}
	return found;
}

struct naive_box {
	u32 first[4], last[4];	/* source, destination, their ports */
	u8 protocol;
};

static struct naive_box to_box(const struct esplane_selector *s)
{
	return (struct naive_box){
		.first = { ntohl(s->src_first.ip), ntohl(s->dst_first.ip), s->sport_first,
			   s->dport_first },
		.last = { ntohl(s->src_last.ip), ntohl(s->dst_last.ip), s->sport_last,
			  s->dport_last },
		.protocol = s->protocol,
	};
}

static bool naive_intersect(const struct naive_box *a, const struct naive_box *b,
			    struct naive_box *out)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(a->first); i++)
		if (!naive_common(a->first[i], a->last[i], b->first[i], b->last[i],
				  &out->first[i], &out->last[i]))
			return false;
	if (a->protocol == 0)
		out->protocol = b->protocol;
	else if (b->protocol == 0 || b->protocol == a->protocol)
		out->protocol = a->protocol;
	else
		return false;
	return true;
}

/* Fewer rounds: where all ports are allowed the model enumerates 65,536 of them. */
static void intersect_random(struct kunit *test)
{
	unsigned int i, common = 0, rounds = ROUNDS / 100;
	struct rnd_state rnd;

	prandom_seed_state(&rnd, SEED + 1);
	for (i = 0; i < rounds; i++) {
		struct esplane_selector a = random_selector(&rnd), b = random_selector(&rnd);
		struct naive_box box_a = to_box(&a), box_b = to_box(&b), expected;
		struct esplane_selector out, before;
		bool any = naive_intersect(&box_a, &box_b, &expected);
		struct naive_box got;

		memset(&out, 0x5a, sizeof(out));
		before = out;
		KUNIT_ASSERT_EQ_MSG(test, esplane_selector_intersect(&a, &b, &out), any,
				    "round %u", i);
		if (!any) {
			KUNIT_ASSERT_EQ(test, memcmp(&out, &before, sizeof(out)), 0);
			continue;
		}
		common++;
		got = to_box(&out);
		KUNIT_ASSERT_EQ(test, memcmp(got.first, expected.first, sizeof(got.first)), 0);
		KUNIT_ASSERT_EQ(test, memcmp(got.last, expected.last, sizeof(got.last)), 0);
		KUNIT_ASSERT_EQ(test, got.protocol, expected.protocol);
		KUNIT_ASSERT_EQ(test, out.family, AF_INET);
		cond_resched();
	}
	KUNIT_EXPECT_GT(test, common, rounds / 100);
	KUNIT_EXPECT_LT(test, common, rounds - rounds / 100);
}

/* A flow is in the intersection exactly if both selectors match it. */
static void intersect_means_both(struct kunit *test)
{
	struct rnd_state rnd;
	unsigned int i;

	prandom_seed_state(&rnd, SEED + 2);
	for (i = 0; i < ROUNDS; i++) {
		struct esplane_selector a = random_selector(&rnd), b = random_selector(&rnd), out;
		struct esplane_flow f = random_flow(&rnd);
		bool both = esplane_selector_match(&a, &f) && esplane_selector_match(&b, &f);
		bool any = esplane_selector_intersect(&a, &b, &out);

		KUNIT_ASSERT_EQ_MSG(test, any && esplane_selector_match(&out, &f), both,
				    "round %u", i);
	}
}

static void list_matches_if_any_does(struct kunit *test)
{
	struct esplane_selector s[2] = {
		{ .family = AF_INET, .protocol = IPPROTO_TCP,
		  .src_last.ip = ~0, .dst_last.ip = ~0, .sport_last = 65535, .dport_last = 65535 },
		{ .family = AF_INET, .protocol = IPPROTO_UDP,
		  .src_last.ip = ~0, .dst_last.ip = ~0, .sport_last = 65535, .dport_last = 65535 },
	};
	struct esplane_flow f = { .family = AF_INET, .protocol = IPPROTO_UDP, .ports = true };

	KUNIT_EXPECT_TRUE(test, esplane_selectors_match(s, 2, &f));
	KUNIT_EXPECT_FALSE(test, esplane_selectors_match(s, 1, &f));
	KUNIT_EXPECT_TRUE(test, esplane_selectors_match(NULL, 0, &f));
	f.protocol = IPPROTO_ICMP;
	KUNIT_EXPECT_FALSE(test, esplane_selectors_match(s, 2, &f));
}

static void families_never_meet(struct kunit *test)
{
	struct esplane_selector all4 = {
		.family = AF_INET, .src_last.ip = ~0, .dst_last.ip = ~0,
		.sport_last = 65535, .dport_last = 65535,
	}, all6 = all4, out;
	struct esplane_flow f6 = { .family = AF_INET6, .ports = true };

	all6.family = AF_INET6;
	memset(&all6.src_last, 0xff, sizeof(all6.src_last));
	memset(&all6.dst_last, 0xff, sizeof(all6.dst_last));
	KUNIT_EXPECT_TRUE(test, esplane_selector_match(&all6, &f6));
	KUNIT_EXPECT_FALSE(test, esplane_selector_match(&all4, &f6));
	KUNIT_EXPECT_FALSE(test, esplane_selector_intersect(&all4, &all6, &out));
	/* 8000:: is above 7fff:..., whatever the machine's byte order. */
	all6.src_last.in6.s6_addr[0] = 0x7f;
	f6.src.in6.s6_addr[0] = 0x80;
	KUNIT_EXPECT_FALSE(test, esplane_selector_match(&all6, &f6));
}

static void flaws_are_named(struct kunit *test)
{
	const struct esplane_selector good = {
		.family = AF_INET, .src_first.ip = htonl(5), .src_last.ip = htonl(0x100),
		.dst_first.ip = htonl(5), .dst_last.ip = htonl(5),
		.sport_first = 7, .sport_last = 7, .dport_last = 65535,
	};
	struct esplane_selector s = good;

	KUNIT_EXPECT_NULL(test, esplane_selector_flaw(&s));
	s.src_last.ip = htonl(4);
	KUNIT_EXPECT_NOT_NULL(test, esplane_selector_flaw(&s));
	s = good;
	s.dst_first.ip = htonl(6);
	KUNIT_EXPECT_NOT_NULL(test, esplane_selector_flaw(&s));
	s = good;
	s.sport_first = 8;
	KUNIT_EXPECT_NOT_NULL(test, esplane_selector_flaw(&s));
	s = good;
	s.dport_first = 1;
	s.dport_last = 0;
	KUNIT_EXPECT_NOT_NULL(test, esplane_selector_flaw(&s));
	/* The same bytes are an IPv6 range, and the last byte decides as much as the first. */
	s = good;
	s.family = AF_INET6;
	KUNIT_EXPECT_NULL(test, esplane_selector_flaw(&s));
	s.dst_first.in6.s6_addr[15] = 1;
	KUNIT_EXPECT_NOT_NULL(test, esplane_selector_flaw(&s));
}

/* An IPv4 header of @words 32-bit words, then 8 bytes that begin with ports 0x1234 and 0x5678. */
static unsigned int write_packet(u8 *to, u8 words, u8 protocol, u16 frag_off)
{
	static const u8 upper[] = { 0x12, 0x34, 0x56, 0x78, 0, 0, 0, 0 };
	unsigned int len = words * 4;

	memset(to, 0, len);
	to[0] = 0x40 | words;
	to[6] = frag_off >> 8;
	to[7] = frag_off;
	to[9] = protocol;
	memcpy(to + 12, ((const u8[]){ 10, 0, 0, 1, 192, 0, 2, 255 }), 8);
	memcpy(to + len, upper, sizeof(upper));
	return len + sizeof(upper);
}

static void flow_of_packets(struct kunit *test)
{
	const struct {
		const char *name;
		u8 words, protocol;
		u16 frag_off;
		int cut;	/* bytes missing at the end */
		bool ports;
		u16 sport, dport;
	} rows[] = {
		{ "TCP", 5, IPPROTO_TCP, 0, 0, true, 0x1234, 0x5678 },
		{ "UDP", 5, IPPROTO_UDP, 0, 0, true, 0x1234, 0x5678 },
		{ "SCTP", 5, IPPROTO_SCTP, 0, 0, true, 0x1234, 0x5678 },
		{ "ICMP: type and code", 5, IPPROTO_ICMP, 0, 0, true, 0x12, 0x34 },
		{ "IP options", 15, IPPROTO_UDP, 0, 0, true, 0x1234, 0x5678 },
		{ "don't fragment", 5, IPPROTO_UDP, 0x4000, 0, true, 0x1234, 0x5678 },
		{ "first fragment", 5, IPPROTO_UDP, 0x2000, 0, true, 0x1234, 0x5678 },
		{ "later fragment", 5, IPPROTO_UDP, 0x2001, 0, false, 0, 0 },
		{ "last fragment", 5, IPPROTO_UDP, 0x1fff, 0, false, 0, 0 },
		{ "just the ports", 5, IPPROTO_UDP, 0, 4, true, 0x1234, 0x5678 },
		{ "a byte less", 5, IPPROTO_UDP, 0, 5, false, 0, 0 },
		{ "a protocol without ports", 5, IPPROTO_GRE, 0, 8, true, 0, 0 },
	};
	struct esplane_flow f;
	unsigned int i, len;
	u8 packet[80];

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		len = write_packet(packet, rows[i].words, rows[i].protocol, rows[i].frag_off);
		KUNIT_EXPECT_TRUE_MSG(test, esplane_flow_from_bytes(packet, len - rows[i].cut, &f),
				      "%s", rows[i].name);
		KUNIT_EXPECT_EQ_MSG(test, f.ports, rows[i].ports, "%s", rows[i].name);
		KUNIT_EXPECT_EQ_MSG(test, f.sport, rows[i].sport, "%s", rows[i].name);
		KUNIT_EXPECT_EQ_MSG(test, f.dport, rows[i].dport, "%s", rows[i].name);
		KUNIT_EXPECT_EQ(test, f.family, AF_INET);
		KUNIT_EXPECT_EQ(test, f.protocol, rows[i].protocol);
		KUNIT_EXPECT_EQ(test, ntohl(f.src.ip), 0x0a000001);
		KUNIT_EXPECT_EQ(test, ntohl(f.dst.ip), 0xc00002ff);
	}
}

static void no_flow_without_header(struct kunit *test)
{
	struct esplane_flow f;
	u8 packet[80];

	write_packet(packet, 5, IPPROTO_UDP, 0);
	KUNIT_EXPECT_FALSE(test, esplane_flow_from_bytes(packet, 19, &f));
	KUNIT_EXPECT_FALSE(test, esplane_flow_from_bytes(packet, 0, &f));
	KUNIT_EXPECT_TRUE(test, esplane_flow_from_bytes(packet, 20, &f));
	packet[0] = 0x55;	/* version 5 */
	KUNIT_EXPECT_FALSE(test, esplane_flow_from_bytes(packet, 28, &f));
	packet[0] = 0x65;	/* version 6, whose header has 40 bytes */
	KUNIT_EXPECT_FALSE(test, esplane_flow_from_bytes(packet, 28, &f));
	packet[0] = 0x44;	/* 16 bytes of header */
	KUNIT_EXPECT_FALSE(test, esplane_flow_from_bytes(packet, 28, &f));
	packet[0] = 0x48;	/* 32 bytes, there are 28 */
	KUNIT_EXPECT_FALSE(test, esplane_flow_from_bytes(packet, 28, &f));
}

/* 2001:db8::b:ffff:fffa on, across the end of a 32-bit word. */
static void to_v6(union nf_inet_addr *addr, u32 value)
{
	static const u8 prefix[8] = { 0x20, 0x01, 0x0d, 0xb8 };
	u64 low = 0xbfffffffaULL + value;

	memcpy(addr->in6.s6_addr, prefix, sizeof(prefix));
	put_unaligned_be64(low, addr->in6.s6_addr + sizeof(prefix));
}

/* The IPv4 object's counterpart: each address by its distance from the universe's first. */
static struct esplane_selector selector_to_v6(const struct esplane_selector *s)
{
	struct esplane_selector v6 = *s;

	v6.family = AF_INET6;
	to_v6(&v6.src_first, ntohl(s->src_first.ip) - BASE);
	to_v6(&v6.src_last, ntohl(s->src_last.ip) - BASE);
	to_v6(&v6.dst_first, ntohl(s->dst_first.ip) - BASE);
	to_v6(&v6.dst_last, ntohl(s->dst_last.ip) - BASE);
	return v6;
}

/* In IPv6 a flow matches exactly if the model says so of its counterpart. */
static void match_random_v6(struct kunit *test)
{
	unsigned int i, matches = 0;
	struct rnd_state rnd;

	prandom_seed_state(&rnd, SEED + 4);
	for (i = 0; i < ROUNDS; i++) {
		struct esplane_selector s = random_selector(&rnd), s6 = selector_to_v6(&s);
		struct esplane_flow f = random_flow(&rnd), f6 = f;
		bool expected = naive_match(&s, &f);

		f6.family = AF_INET6;
		to_v6(&f6.src, ntohl(f.src.ip) - BASE);
		to_v6(&f6.dst, ntohl(f.dst.ip) - BASE);
		KUNIT_ASSERT_EQ_MSG(test, esplane_selector_match(&s6, &f6), expected, "round %u",
				    i);
		matches += expected;
	}
	KUNIT_EXPECT_GT(test, matches, ROUNDS / 100);
	KUNIT_EXPECT_LT(test, matches, ROUNDS - ROUNDS / 100);
}

/* Distance from the universe's first address, of what to_v6() made. */
static u32 from_v6(const union nf_inet_addr *addr)
{
	return get_unaligned_be64(addr->in6.s6_addr + 8) - 0xbfffffffaULL;
}

static void intersect_random_v6(struct kunit *test)
{
	struct rnd_state rnd;
	unsigned int i;

	prandom_seed_state(&rnd, SEED + 5);
	for (i = 0; i < ROUNDS / 100; i++) {
		struct esplane_selector a = random_selector(&rnd), b = random_selector(&rnd);
		struct esplane_selector a6 = selector_to_v6(&a), b6 = selector_to_v6(&b), out;
		struct naive_box box_a = to_box(&a), box_b = to_box(&b), expected;
		bool any = naive_intersect(&box_a, &box_b, &expected);

		KUNIT_ASSERT_EQ_MSG(test, esplane_selector_intersect(&a6, &b6, &out), any,
				    "round %u", i);
		if (!any)
			continue;
		KUNIT_ASSERT_EQ(test, BASE + from_v6(&out.src_first), expected.first[0]);
		KUNIT_ASSERT_EQ(test, BASE + from_v6(&out.src_last), expected.last[0]);
		KUNIT_ASSERT_EQ(test, BASE + from_v6(&out.dst_first), expected.first[1]);
		KUNIT_ASSERT_EQ(test, BASE + from_v6(&out.dst_last), expected.last[1]);
		KUNIT_ASSERT_EQ(test, out.protocol, expected.protocol);
		cond_resched();
	}
}

/* Extension headers by RFC 8200: next header, length beyond 8 bytes in units of 8, contents. */
#define HOP(next)	next, 0, 1, 4, 0, 0, 0, 0
#define DEST(next)	next, 1, 1, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
#define ROUTING(next)	next, 0, 0, 0, 0, 0, 0, 0
#define FRAGMENT(next, offset, more)	\
	next, 0, (offset) >> 8, ((offset) & 0xf8) | (more), 0, 0, 0, 1
#define UPPER		0x12, 0x34, 0x56, 0x78, 0, 0, 0, 0
#define CHAIN(...)	.bytes = { __VA_ARGS__ }, .len = sizeof((u8[]){ __VA_ARGS__ })

/* An IPv6 header (RFC 8200 section 3) and what follows it. */
static unsigned int write_v6(u8 *to, u8 next, const u8 *bytes, unsigned int len)
{
	memset(to, 0, 40);
	to[0] = 0x60;
	to[5] = len;
	to[6] = next;
	to[7] = 64;
	memcpy(to + 8, ((const u8[]){ 0x20, 1, 0xd, 0xb8 }), 4);
	to[23] = 1;
	memcpy(to + 24, to + 8, 16);
	to[39] = 2;
	memcpy(to + 40, bytes, len);
	return 40 + len;
}

static void flow_of_v6_packets(struct kunit *test)
{
	enum {
		TCP = 6, UDP = 17, RH = 43, FH = 44, ESP = 50, ICMPV6 = 58, NONE = 59, DO = 60,
		MH = 135,
	};
	static const struct {
		const char *name;
		u8 first;
		u8 bytes[64];
		unsigned int len;
		u8 protocol;
		bool ports;
		u16 sport, dport;
	} rows[] = {
		{ "TCP", TCP, CHAIN(UPPER), TCP, true, 0x1234, 0x5678 },
		{ "UDP", UDP, CHAIN(UPPER), UDP, true, 0x1234, 0x5678 },
		{ "just the ports", UDP, CHAIN(0x12, 0x34, 0x56, 0x78), UDP, true, 0x1234, 0x5678 },
		{ "a byte less", UDP, CHAIN(0x12, 0x34, 0x56), UDP, false, 0, 0 },
		{ "ICMPv6: type and code", ICMPV6, CHAIN(UPPER), ICMPV6, true, 0x12, 0x34 },
		{ "mobility header: type", MH, CHAIN(NONE, 0, 5, 0), MH, true, 5, 0 },
		{ "mobility header cut short", MH, CHAIN(NONE, 0), MH, false, 0, 0 },
		{ "ESP", ESP, CHAIN(UPPER), ESP, true, 0, 0 },
		{ "no next header", NONE, CHAIN(UPPER), NONE, true, 0, 0 },
		{ "hop-by-hop options", 0, CHAIN(HOP(TCP), UPPER), TCP, true, 0x1234, 0x5678 },
		{ "destination options of 16 bytes", DO, CHAIN(DEST(UDP), UPPER), UDP, true,
		  0x1234, 0x5678 },
		{ "routing header", RH, CHAIN(ROUTING(UDP), UPPER), UDP, true, 0x1234, 0x5678 },
		{ "all in RFC 8200's order", 0,
		  CHAIN(HOP(DO), DEST(RH), ROUTING(FH), FRAGMENT(DO, 0, 1), DEST(UDP), UPPER), UDP,
		  true, 0x1234, 0x5678 },
		{ "first fragment", FH, CHAIN(FRAGMENT(UDP, 0, 1), UPPER), UDP, true, 0x1234,
		  0x5678 },
		{ "later fragment", FH, CHAIN(FRAGMENT(UDP, 8, 1), UPPER), UDP, false, 0, 0 },
		{ "last fragment", FH, CHAIN(FRAGMENT(UDP, 0xfff8, 0), UPPER), UDP, false, 0, 0 },
		{ "whole in a fragment header (RFC 6946)", FH, CHAIN(FRAGMENT(UDP, 0, 0), UPPER),
		  UDP, true, 0x1234, 0x5678 },
		/* What follows the options only the first fragment tells. */
		{ "later fragment of options", FH, CHAIN(FRAGMENT(DO, 8, 0), UDP, 0), DO, false, 0,
		  0 },
		{ "no ports, in a first fragment", FH, CHAIN(FRAGMENT(ESP, 0, 1), UPPER), ESP,
		  false, 0, 0 },
		{ "options longer than the packet", DO, CHAIN(UDP, 9, 1, 4, 0, 0, 0, 0), DO, false,
		  0, 0 },
		{ "options cut short", DO, CHAIN(UDP, 0, 1), DO, false, 0, 0 },
		{ "fragment header cut short", FH, CHAIN(UDP, 0, 0, 0), FH, false, 0, 0 },
	};
	struct esplane_flow f;
	unsigned int i, len;
	u8 packet[128];

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		len = write_v6(packet, rows[i].first, rows[i].bytes, rows[i].len);
		KUNIT_EXPECT_TRUE_MSG(test, esplane_flow_from_bytes(packet, len, &f), "%s",
				      rows[i].name);
		KUNIT_EXPECT_EQ_MSG(test, f.protocol, rows[i].protocol, "%s", rows[i].name);
		KUNIT_EXPECT_EQ_MSG(test, f.ports, rows[i].ports, "%s", rows[i].name);
		KUNIT_EXPECT_EQ_MSG(test, f.sport, rows[i].sport, "%s", rows[i].name);
		KUNIT_EXPECT_EQ_MSG(test, f.dport, rows[i].dport, "%s", rows[i].name);
		KUNIT_EXPECT_EQ(test, f.family, AF_INET6);
		KUNIT_EXPECT_EQ(test, memcmp(&f.src, packet + 8, 16), 0);
		KUNIT_EXPECT_EQ(test, memcmp(&f.dst, packet + 24, 16), 0);
		KUNIT_EXPECT_FALSE(test, esplane_flow_from_bytes(packet, 39, &f));
	}
}

/* A chain without end, as long as a packet can be, is given up: nothing of its ports is known. */
static void endless_chain(struct kunit *test)
{
	static const u8 link[] = { HOP(60) };
	unsigned int len = 40 + 2000 * sizeof(link), i;
	u8 *packet = kunit_kzalloc(test, len, GFP_KERNEL);
	struct esplane_flow f;

	KUNIT_ASSERT_NOT_NULL(test, packet);
	write_v6(packet, 60, link, 0);
	for (i = 40; i < len; i += sizeof(link))
		memcpy(packet + i, link, sizeof(link));
	KUNIT_EXPECT_TRUE(test, esplane_flow_from_bytes(packet, len, &f));
	KUNIT_EXPECT_EQ(test, f.protocol, 60);
	KUNIT_EXPECT_FALSE(test, f.ports);
}

/* The bytes in an skb whose first @linear are linear, the others in a page. */
static struct sk_buff *skb_of(struct kunit *test, const u8 *bytes, unsigned int len,
			      unsigned int linear)
{
	struct sk_buff *skb = alloc_skb(len, GFP_KERNEL);
	struct page *page = alloc_page(GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, skb);
	KUNIT_ASSERT_NOT_NULL(test, page);
	skb_reset_network_header(skb);
	skb_put_data(skb, bytes, linear);
	memcpy(page_address(page), bytes + linear, len - linear);
	skb_add_rx_frag(skb, 0, page, 0, len - linear, PAGE_SIZE);
	return skb;
}

/* Both readers agree about any bytes, wherever they lie. */
static void flow_of_skb_is_flow_of_bytes(struct kunit *test)
{
	struct esplane_flow a, b;
	struct rnd_state rnd;
	struct sk_buff *skb;
	unsigned int i, len;
	bool expected;
	u8 packet[80];

	prandom_seed_state(&rnd, SEED + 3);
	for (i = 0; i < ROUNDS / 20; i++) {
		len = write_packet(packet, 4 + prandom_u32_state(&rnd) % 12,
				   prandom_u32_state(&rnd) % 64, prandom_u32_state(&rnd) & 0x2001);
		len -= prandom_u32_state(&rnd) % 12;
		expected = esplane_flow_from_bytes(packet, len, &a);
		skb = skb_of(test, packet, len, prandom_u32_state(&rnd) % len);
		KUNIT_ASSERT_EQ_MSG(test, esplane_flow_from_skb(skb, &b), expected, "round %u", i);
		if (expected)
			KUNIT_ASSERT_EQ_MSG(test, memcmp(&a, &b, sizeof(a)), 0, "round %u", i);
		kfree_skb(skb);
	}
}

/* The same for IPv6, with chains of any headers, lengths and fragment offsets. */
static void flow_of_skb_is_flow_of_bytes_v6(struct kunit *test)
{
	static const u8 nexts[] = { 0, 6, 17, 43, 44, 50, 58, 59, 60, 255 };
	struct esplane_flow a, b;
	struct rnd_state rnd;
	struct sk_buff *skb;
	unsigned int i, j, len;
	u8 packet[128], chain[64];

	prandom_seed_state(&rnd, SEED + 6);
	for (i = 0; i < ROUNDS / 20; i++) {
		for (j = 0; j < sizeof(chain); j++)
			chain[j] = prandom_u32_state(&rnd) % 3;
		for (j = 0; j < sizeof(chain); j += 8)
			chain[j] = nexts[prandom_u32_state(&rnd) % ARRAY_SIZE(nexts)];
		len = write_v6(packet, nexts[prandom_u32_state(&rnd) % ARRAY_SIZE(nexts)], chain,
			       prandom_u32_state(&rnd) % (sizeof(chain) + 1));
		KUNIT_ASSERT_TRUE(test, esplane_flow_from_bytes(packet, len, &a));
		skb = skb_of(test, packet, len, prandom_u32_state(&rnd) % len);
		KUNIT_ASSERT_TRUE(test, esplane_flow_from_skb(skb, &b));
		KUNIT_ASSERT_EQ_MSG(test, memcmp(&a, &b, sizeof(a)), 0, "round %u", i);
		kfree_skb(skb);
	}
}

static struct kunit_case cases[] = {
	KUNIT_CASE(match_random),
	KUNIT_CASE(match_random_v6),
	KUNIT_CASE(intersect_random_v6),
	KUNIT_CASE(flow_of_v6_packets),
	KUNIT_CASE(endless_chain),
	KUNIT_CASE(flow_of_skb_is_flow_of_bytes_v6),
	KUNIT_CASE(intersect_random),
	KUNIT_CASE(intersect_means_both),
	KUNIT_CASE(list_matches_if_any_does),
	KUNIT_CASE(families_never_meet),
	KUNIT_CASE(flaws_are_named),
	KUNIT_CASE(flow_of_packets),
	KUNIT_CASE(no_flow_without_header),
	KUNIT_CASE(flow_of_skb_is_flow_of_bytes),
	{}
};

static struct kunit_suite suite = {
	.name = "esplane_selector",
	.test_cases = cases,
};

kunit_test_suite(suite);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("KUnit tests of esplane's traffic selectors");
