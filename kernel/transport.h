/* SPDX-License-Identifier: GPL-2.0 */
/* Transport mode (RFC 4303 section 3.1.1): the packet keeps its IP header. */
#ifndef _ESPLANE_TRANSPORT_H
#define _ESPLANE_TRANSPORT_H

#include <linux/types.h>

struct esplane_net;
struct esplane_outer;
struct esplane_sa;
struct esplane_segment;
struct netlink_ext_ack;
struct sk_buff;
struct sock;

/**
 * struct esplane_insertion - where ESP stands in an IP packet
 * @offset: of ESP, or of the UDP header ahead of it; what is before stays in the clear
 * @field: of the byte in that part which names what follows it
 * @protocol: the value of that byte when there is no ESP
 */
struct esplane_insertion {
	u16 offset;
	u16 field;
	u8 protocol;
};

/*
 * Outbound: where ESP goes. ESPLANE_SEGMENT_GOOD, or why the packet cannot be protected: it is a
 * fragment, or not one between the SA's addresses.
 */
int esplane_transport_find(const struct esplane_outer *outer, const struct sk_buff *skb,
			   struct esplane_insertion *at);
/* May routers, or this host, cut the packet to pieces when it is protected? */
bool esplane_transport_may_fragment(const struct sk_buff *skb);
/*
 * Puts the IP header of @from ahead of @skb, whose data begins where @at says. @index: of the
 * segment among those that @from is cut into.
 */
void esplane_transport_push(struct sk_buff *skb, const struct sk_buff *from,
			    const struct esplane_insertion *at, unsigned int index, bool udp);
/* Sends it. Consumes @skb. */
void esplane_transport_emit(struct esplane_net *en, struct sk_buff *skb);

/* Inbound: where ESP, or the UDP header ahead of it, stands. */
void esplane_transport_locate(const struct sk_buff *skb, struct esplane_insertion *at);
/*
 * Makes a decrypted segment the packet it was, with the IP header of @from. @room: bytes that may
 * be written ahead of the text. @index: of the segment in @from. ESPLANE_SEGMENT_GOOD or the
 * reason to drop it. RCU read side.
 */
int esplane_transport_open(const struct esplane_sa *sa, struct esplane_segment *seg,
			   const struct sk_buff *from, const struct esplane_insertion *at,
			   unsigned int room, unsigned int index);

/*
 * What the first SA in transport mode of this family needs in a namespace. Caller holds
 * esplane_net::lock.
 */
int esplane_transport_prepare(struct esplane_net *en, u16 family, struct netlink_ext_ack *extack);
/* After the last packet has been sent. */
void esplane_transport_exit(struct esplane_net *en);

#endif
