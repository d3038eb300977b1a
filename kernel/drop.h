/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Why packets are dropped: the one list that feeds the counters, the tracepoint, netlink and the
 * command line.
 * No packet is dropped without one of these.
 */
#ifndef _ESPLANE_DROP_H
#define _ESPLANE_DROP_H

#include <linux/types.h>

/* X(NAME, "meaning, one line for people") */
#define ESPLANE_DROP_REASONS(X)							\
	X(RUNT, "shorter than an ESP header, IV and ICV")			\
	X(NO_SA, "no SA for this SPI")						\
	X(CHECKSUM, "outer UDP checksum wrong or, over IPv6, missing")			\
	X(REPLAY, "sequence number already seen")				\
	X(REPLAY_WINDOW, "sequence number left of the replay window")		\
	X(AUTH, "integrity check failed: wrong key or altered packet")		\
	X(PADDING, "bad ESP padding or trailer")				\
	X(NEXT_HEADER, "next header is not what the SA's mode carries")		\
	X(DUMMY, "dummy packet, made to be dropped (RFC 4303 section 2.6)")	\
	X(INNER_HEADER, "decrypted packet is not a valid IP packet")		\
	X(SELECTOR, "decrypted packet is outside the SA's traffic selectors")	\
	X(POLICY_IN, "cleartext arrived where a policy demands protection")	\
	X(DISCARD, "a DISCARD policy covers the packet")			\
	X(NO_OUT_SA, "policy has no SA yet, and the packet could not wait for one")	\
	X(HOLD_EXPIRED, "waited for an SA that did not come")			\
	X(NO_POLICY, "no policy covers the packet, and without one it may not pass")	\
	X(HARD_LIMIT, "hard lifetime of the SA reached")			\
	X(SEQ_EXHAUSTED, "sequence numbers of the SA used up")			\
	X(NO_ROUTE, "no route to the peer")					\
	X(ROUTE_LOOP, "route to the peer leads into the tunnel itself")		\
	X(TOO_BIG, "packet exceeds the tunnel's MTU")				\
	X(CRYPTO, "the crypto driver failed")					\
	X(NO_MEMORY, "out of memory")						\
	X(SEGMENT, "super-packet could not be segmented")			\
	X(ECN, "outer and inner ECN contradict (RFC 6040)")			\
	X(DEV_DOWN, "esplane interface is down")				\
	X(BACKLOG, "more decrypted packets than this CPU's queue may hold")	\
	X(CONNTRACK, "connection tracking would not take the packet's flow")	\
	X(FAMILY, "address family the SA or module cannot carry")		\
	X(TRANSPORT_ADDRESS, "packet is not between the addresses of its transport mode SA") \
	X(TRANSPORT_FRAGMENT, "fragment, but transport mode protects whole packets only") \
	X(KEEPALIVE_RUNT, "UDP packet on the encap port too short to be ESP or IKE")

enum esplane_drop_reason {
#define X(name, meaning) ESPLANE_DROP_##name,
	ESPLANE_DROP_REASONS(X)
#undef X
	ESPLANE_DROP_COUNT
};

struct esplane_net;
struct esplane_sa;
struct sk_buff;

const char *esplane_drop_name(enum esplane_drop_reason reason);
const char *esplane_drop_meaning(enum esplane_drop_reason reason);

/**
 * esplane_drop - count, trace and free a packet
 * @en: namespace to charge
 * @sa: SA to charge too, or NULL
 * @skb: packet or list of segments (skb->next); consumed; its gso_segs count
 * @spi: of the packet, 0 if unknown
 * @seq: low 32 bits of the sequence number, host byte order, 0 if unknown
 *
 * Any context.
 */
void esplane_drop(struct esplane_net *en, struct esplane_sa *sa, struct sk_buff *skb,
		  enum esplane_drop_reason reason, __be32 spi, u32 seq);

/*
 * The same without a packet to free: one segment of a train. @skb, for the addresses in the
 * trace, may be NULL.
 */
void esplane_drop_count(struct esplane_net *en, struct esplane_sa *sa, const struct sk_buff *skb,
			enum esplane_drop_reason reason, __be32 spi, u32 seq);

#endif
