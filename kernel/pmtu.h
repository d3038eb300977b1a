/* SPDX-License-Identifier: GPL-2.0 */
/* Packets that do not fit the tunnel, and how much does (RFC 4301 section 8). */
#ifndef _ESPLANE_PMTU_H
#define _ESPLANE_PMTU_H

#include <linux/align.h>
#include <linux/minmax.h>
#include <linux/types.h>

#include "esp.h"
#include "transform.h"

struct esplane_net;
struct esplane_outer;
struct esplane_sa;
struct sk_buff;

/* What text is padded to a multiple of. */
static inline unsigned int esplane_pmtu_alignment(const struct esplane_transform *t)
{
	return max_t(unsigned int, t->block, ESPLANE_ESP_ALIGN);
}

/* Bytes of the ESP packet beside its text. */
static inline unsigned int esplane_pmtu_fixed_len(const struct esplane_transform *t)
{
	return sizeof(struct esplane_esp_header) + t->iv_len + t->icv_len;
}

/* Bytes of the ESP packet, from SPI to ICV, that carries @inner bytes. */
static inline unsigned int esplane_pmtu_esp_len(const struct esplane_transform *t,
						unsigned int inner)
{
	return esplane_pmtu_fixed_len(t) +
	       ALIGN(inner + sizeof(struct esplane_esp_trailer), esplane_pmtu_alignment(t));
}

/*
 * Most bytes of an inner packet whose ESP packet fits @outer_mtu with outer headers of @headers
 * bytes; 0 if none.
 */
unsigned int esplane_pmtu_inner(const struct esplane_transform *t, unsigned int outer_mtu,
				unsigned int headers);

/* What an ICMP error says of the path. Only ever lowers; forgotten after some minutes. */
void esplane_pmtu_learn(struct esplane_outer *outer, u32 mtu);
/* The smaller of @link, which the route says, and what was learnt. RCU read side. */
unsigned int esplane_pmtu_path(const struct esplane_outer *outer, unsigned int link);

/**
 * esplane_pmtu_too_big - deal with an inner packet of more than @mtu bytes
 * @skb: not GSO, skb->data at the IP header; consumed
 * @send: takes each fragment of a packet that may be fragmented
 *
 * With DF its sender is told, and the packet dropped. BHs off, RCU read side.
 */
void esplane_pmtu_too_big(struct esplane_net *en, struct esplane_sa *sa, struct sk_buff *skb,
			  unsigned int mtu, void (*send)(void *arg, struct sk_buff *skb),
			  void *arg);

/* Tells the sender that @mtu would fit, and drops the packet. The same context. */
void esplane_pmtu_refuse(struct esplane_net *en, struct esplane_sa *sa, struct sk_buff *skb,
			 unsigned int mtu);

/*
 * A local TCP's super-packet was cut smaller than TCP meant it: its route learns, so that it cuts
 * right
 * from now on. Before it meets an ICMP error, which would make it send all again that is under way.
 */
void esplane_pmtu_teach(struct sk_buff *skb, unsigned int mtu);

#endif
