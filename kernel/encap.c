// SPDX-License-Identifier: GPL-2.0
/*
 * Where ESP enters: protocol 50, and ESP-in-UDP (RFC 3948) on registered ports.
 *
 * One netfilter hook at LOCAL_IN, behind the firewall and reassembly, sees both. UDP trains reach
 * it whole, while a socket's encap_rcv would get them cut. No protocol slot and no socket callback
 * is taken: protocol 50 with an SPI that is not ours goes on to whoever else has it (esp4), IKE
 * goes on to the daemon's socket.
 *
 *	local_in(), local_in_v6()	where the upper-layer header lies
 *	  native()			burst.c: together with those behind it
 *	  udp()				takes a train apart where its segments differ in kind
 *	    esplane_input()		input.c
 *	  esplane_icmp_input()		icmp.c: errors that come back
 *
 * Locking: en->ports is an RCU list, changed under en->lock. A port outlives the socket that
 * proved it, so that a tunnel outlives its daemon.
 */
#include <linux/file.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/net.h>
#include <linux/netfilter_ipv4.h>
#include <linux/netfilter_ipv6.h>
#include <linux/netlink.h>
#include <linux/rculist.h>
#include <linux/skbuff.h>
#include <linux/slab.h>
#include <linux/udp.h>
#include <net/inet_sock.h>
#include <net/ip.h>
#include <net/ipv6.h>
#if IS_ENABLED(CONFIG_NF_DEFRAG_IPV6)
#include <net/netfilter/ipv6/nf_defrag_ipv6.h>
#endif

#include "burst.h"
#include "confirm.h"
#include "encap.h"
#include "esp.h"
#include "exthdr.h"
#include "icmp.h"
#include "input.h"
#include "net.h"
#include "sa.h"
#include "sad.h"

/*
 * Behind all but conntrack's confirmation, which for IPv6 is one before the last; steer.c's check
 * of cleartext comes between.
 */
#define HOOK_PRIORITY (NF_IP_PRI_CONNTRACK_CONFIRM - 3)

struct esplane_port {
	struct list_head list;
	struct rcu_head rcu;
	struct esplane_addr addr;	/* no family: any address of this host */
	__be16 port;
	bool ike_only;
};

enum segment_kind {
	SEGMENT_ESP,
	SEGMENT_IKE,
	SEGMENT_KEEPALIVE,
	SEGMENT_RUNT,
};

/* The payload of a UDP packet or train; @l4 is the offset of the UDP header. */
struct datagrams {
	unsigned int l4, offset, end, size;
	__be16 sport;
	__sum16 check;
	bool v6;
};

static bool same_address(const struct esplane_addr *a, const struct esplane_addr *b)
{
	return a->family == b->family && !memcmp(&a->ip, &b->ip, sizeof(a->ip));
}

static struct esplane_port *find_port(const struct esplane_net *en, __be16 port)
{
	struct esplane_port *p;

	list_for_each_entry_rcu(p, &en->ports, list, lockdep_is_held(&en->lock))
		if (p->port == port)
			return p;
	return NULL;
}

static struct esplane_port *find_registered(const struct esplane_net *en, __be16 port,
					    const struct esplane_addr *addr)
{
	struct esplane_port *p;

	list_for_each_entry_rcu(p, &en->ports, list, lockdep_is_held(&en->lock))
		if (p->port == port && same_address(&p->addr, addr))
			return p;
	return NULL;
}

static void destination(const struct sk_buff *skb, bool v6, struct esplane_addr *addr)
{
	memset(addr, 0, sizeof(*addr));
	addr->family = v6 ? AF_INET6 : AF_INET;
	if (v6)
		addr->ip.in6 = ipv6_hdr(skb)->daddr;
	else
		addr->ip.ip = ip_hdr(skb)->daddr;
}

/* As among sockets: who has the packet's own address comes before who has any. */
static struct esplane_port *port_of(const struct esplane_net *en, const struct sk_buff *skb,
				    __be16 port, bool v6)
{
	const struct esplane_addr any = {};
	struct esplane_addr addr;

	if (!find_port(en, port))
		return NULL;
	destination(skb, v6, &addr);
	return find_registered(en, port, &addr) ?: find_registered(en, port, &any);
}

bool esplane_encap_port_exempt(const struct esplane_net *en, __be16 port)
{
	return find_port(en, port);
}

static int check_socket(const struct esplane_net *en, const struct sock *sk,
			struct netlink_ext_ack *extack)
{
	if ((sk->sk_family != AF_INET && sk->sk_family != AF_INET6) ||
	    sk->sk_protocol != IPPROTO_UDP) {
		NL_SET_ERR_MSG(extack, "the file descriptor is not a UDP socket");
		return -EPROTOTYPE;
	}
	if (!net_eq(sock_net(sk), en->net)) {
		NL_SET_ERR_MSG(extack, "the socket belongs to another network namespace");
		return -EXDEV;
	}
	if (!inet_sk(sk)->inet_num) {
		NL_SET_ERR_MSG(extack, "the socket is not bound to a port");
		return -EDESTADDRREQ;
	}
	return 0;
}

/* What the socket is bound to. IPv4's "any" is taken for IPv6 too: ports outlive their sockets. */
static void bound_address(const struct sock *sk, struct esplane_addr *addr)
{
	memset(addr, 0, sizeof(*addr));
	if (sk->sk_family == AF_INET && inet_sk(sk)->inet_rcv_saddr) {
		addr->family = AF_INET;
		addr->ip.ip = inet_sk(sk)->inet_rcv_saddr;
	}
#if IS_ENABLED(CONFIG_IPV6)
	if (sk->sk_family != AF_INET6 || ipv6_addr_any(&sk->sk_v6_rcv_saddr))
		return;
	addr->family = AF_INET6;
	addr->ip.in6 = sk->sk_v6_rcv_saddr;
	if (!ipv6_addr_v4mapped(&sk->sk_v6_rcv_saddr))
		return;
	memset(&addr->ip, 0, sizeof(addr->ip));
	addr->family = AF_INET;
	addr->ip.ip = sk->sk_v6_rcv_saddr.s6_addr32[3];
#endif
}

static int register_port(struct esplane_net *en, const struct sock *sk, bool ike_only,
			 struct netlink_ext_ack *extack)
{
	u16 port = inet_sk(sk)->inet_num;
	struct esplane_addr addr;
	struct esplane_port *p;

	lockdep_assert_held(&en->lock);
	bound_address(sk, &addr);
	p = find_registered(en, htons(port), &addr);
	if (p) {
		WRITE_ONCE(p->ike_only, ike_only);
		return port;
	}
	p = kzalloc(sizeof(*p), GFP_KERNEL);
	if (!p) {
		NL_SET_ERR_MSG(extack, "out of memory");
		return -ENOMEM;
	}
	p->addr = addr;
	p->port = htons(port);
	p->ike_only = ike_only;
	list_add_tail_rcu(&p->list, &en->ports);
	return port;
}

int esplane_encap_add(struct esplane_net *en, u32 fd, bool ike_only, struct netlink_ext_ack *extack)
{
	struct socket *sock;
	int err;

	sock = sockfd_lookup(fd, &err);
	if (!sock) {
		NL_SET_ERR_MSG(extack, "the file descriptor is not a socket of the caller");
		return err;
	}
	err = check_socket(en, sock->sk, extack);
	if (!err)
		err = register_port(en, sock->sk, ike_only, extack);
	sockfd_put(sock);
	return err;
}

/*
 * IPv4's fragments are together at LOCAL_IN, IPv6's only if someone asks for it. That slows down
 * all that passes through the namespace in fragments, so nobody asks before there is need.
 */
int esplane_encap_reassemble(struct esplane_net *en, struct netlink_ext_ack *extack)
{
#if IS_ENABLED(CONFIG_NF_DEFRAG_IPV6)
	int err;

	lockdep_assert_held(&en->lock);
	if (en->reassembles)
		return 0;
	err = nf_defrag_ipv6_enable(en->net);
	if (err) {
		NL_SET_ERR_MSG(extack, "cannot switch the reassembly of IPv6 packets on");
		return err;
	}
	en->reassembles = true;
#endif
	return 0;
}

static void reassemble_no_more(struct esplane_net *en)
{
#if IS_ENABLED(CONFIG_NF_DEFRAG_IPV6)
	if (en->reassembles)
		nf_defrag_ipv6_disable(en->net);
	en->reassembles = false;
#endif
}

int esplane_encap_del(struct esplane_net *en, u16 port, struct netlink_ext_ack *extack)
{
	struct esplane_port *p, *next;
	int err = -ENOENT;

	lockdep_assert_held(&en->lock);
	list_for_each_entry_safe(p, next, &en->ports, list) {
		if (p->port != htons(port))
			continue;
		list_del_rcu(&p->list);
		kfree_rcu(p, rcu);
		err = 0;
	}
	if (err)
		NL_SET_ERR_MSG(extack, "the port is not registered");
	return err;
}

static unsigned int native(struct esplane_net *en, struct sk_buff *skb, unsigned int offset)
{
	const struct esplane_esp_header *header;
	struct esplane_esp_header buf;
	struct esplane_sa *sa;

	header = skb_header_pointer(skb, offset, sizeof(buf), &buf);
	if (!header || skb_is_gso(skb))
		return NF_ACCEPT;
	sa = esplane_burst_find_sa(en, header->spi);
	if (!sa)
		return NF_ACCEPT;
	if (esplane_confirm(skb) != NF_ACCEPT) {
		esplane_drop(en, sa, skb, ESPLANE_DROP_CONNTRACK, sa->spi, 0);
		esplane_sa_put(sa);
		return NF_STOLEN;
	}
	esplane_burst_add(en, sa, skb, offset);
	return NF_STOLEN;
}

static enum segment_kind classify(const struct sk_buff *skb, const struct datagrams *d,
				  unsigned int offset, __be32 *spi)
{
	unsigned int len = min(d->size, d->end - offset);
	const __be32 *word;
	const u8 *byte;
	__be32 buf;

	if (len == ESPLANE_KEEPALIVE_LEN) {
		byte = skb_header_pointer(skb, offset, sizeof(*byte), &buf);
		return byte && *byte == ESPLANE_KEEPALIVE_BYTE ? SEGMENT_KEEPALIVE : SEGMENT_RUNT;
	}
	word = len >= sizeof(buf) ? skb_header_pointer(skb, offset, sizeof(buf), &buf) : NULL;
	if (!word)
		return SEGMENT_RUNT;
	*spi = *word;
	return *word ? SEGMENT_ESP : SEGMENT_IKE;
}

/* A datagram of its own from one segment of a train, as the network would have brought it. */
static struct sk_buff *single_datagram(const struct sk_buff *train, const struct datagrams *d,
				       unsigned int offset)
{
	unsigned int headers = d->offset, len = min(d->size, d->end - offset);
	struct sk_buff *skb = alloc_skb(NET_SKB_PAD + headers + len, GFP_ATOMIC);

	if (!skb)
		return NULL;
	skb_reserve(skb, NET_SKB_PAD);
	if (skb_copy_bits(train, 0, skb_put(skb, headers), headers) ||
	    skb_copy_bits(train, offset, skb_put(skb, len), len)) {
		kfree_skb(skb);
		return NULL;
	}
	skb_reset_mac_header(skb);
	skb_reset_network_header(skb);
	/* Behind IPv6's extension headers or not: as in the packet whose control block it gets. */
	skb_set_transport_header(skb, skb_transport_offset(train));
	((struct udphdr *)(skb->data + d->l4))->len = htons(len + sizeof(struct udphdr));
	if (d->v6) {
		ipv6_hdr(skb)->payload_len = htons(skb->len - sizeof(struct ipv6hdr));
	} else {
		ip_hdr(skb)->tot_len = htons(skb->len);
		ip_send_check(ip_hdr(skb));
	}
	skb->dev = train->dev;
	skb->skb_iif = train->skb_iif;
	skb->protocol = train->protocol;
	skb->ip_summed = CHECKSUM_UNNECESSARY;
	memcpy(skb->cb, train->cb, sizeof(skb->cb));
	skb_dst_copy(skb, train);
	return skb;
}

/* IKE amid ESP: only this segment goes on to the socket. */
static void pass_on(struct esplane_net *en, const struct sk_buff *train, const struct datagrams *d,
		    unsigned int offset, const struct nf_hook_state *state)
{
	struct sk_buff *skb = single_datagram(train, d, offset);

	if (skb)
		state->okfn(state->net, state->sk, skb);
	else
		esplane_drop_count(en, NULL, train, ESPLANE_DROP_NO_MEMORY, 0, 0);
}

static bool all_ike(const struct sk_buff *skb, const struct datagrams *d)
{
	unsigned int offset;
	__be32 spi;

	for (offset = d->offset; offset < d->end; offset += d->size)
		if (classify(skb, d, offset, &spi) != SEGMENT_IKE)
			return false;
	return true;
}

/* ESP from @offset on, as far as its SPI goes. Returns where that ends. */
static unsigned int take_esp(struct esplane_net *en, struct sk_buff *skb,
			     const struct datagrams *d, unsigned int offset, __be32 spi)
{
	struct esplane_sa *sa = esplane_sad_lookup_spi(en, spi);

	if (sa)
		return esplane_input(sa, skb, offset, d->end, d->size, d->sport);
	esplane_drop_count(en, NULL, skb, ESPLANE_DROP_NO_SA, spi,
			   esplane_input_number(skb, offset, min(d->size, d->end - offset)));
	return offset + d->size;
}

static void take_train(struct esplane_net *en, struct sk_buff *skb, const struct datagrams *d,
		       const struct nf_hook_state *state)
{
	unsigned int offset = d->offset;
	__be32 spi = 0;

	while (offset < d->end) {
		switch (classify(skb, d, offset, &spi)) {
		case SEGMENT_ESP:
			offset = take_esp(en, skb, d, offset, spi);
			continue;
		case SEGMENT_IKE:
			pass_on(en, skb, d, offset, state);
			break;
		case SEGMENT_RUNT:
			esplane_drop_count(en, NULL, skb, ESPLANE_DROP_KEEPALIVE_RUNT, 0, 0);
			break;
		case SEGMENT_KEEPALIVE:
			break;
		}
		offset += d->size;
	}
}

/* False if UDP itself would refuse the packet: then it may do so, and count it. */
static bool find_datagrams(struct sk_buff *skb, const struct udphdr *uh, struct datagrams *d)
{
	unsigned int len = ntohs(uh->len);

	d->sport = uh->source;
	d->check = uh->check;
	d->offset = d->l4 + sizeof(*uh);
	if (skb_is_gso(skb)) {
		d->size = skb_shinfo(skb)->gso_size;
		d->end = skb->len;
		return skb_shinfo(skb)->gso_type & SKB_GSO_UDP_L4;
	}
	if (len < sizeof(*uh) || d->l4 + len > skb->len || pskb_trim_rcsum(skb, d->l4 + len))
		return false;
	d->end = skb->len;
	d->size = d->end - d->offset;
	return d->size;
}

/*
 * Trains were checked, segment by segment, by whoever joined them. Without a checksum RFC 3948
 * section 2.1 lets IPv4 packets pass; those of IPv6 RFC 8200 section 8.1 wants dropped.
 */
static bool checksum_wrong(struct sk_buff *skb, const struct datagrams *d)
{
	if (skb_is_gso(skb))
		return false;
	if (d->v6)
		return !d->check ||
		       nf_ip6_checksum(skb, NF_INET_LOCAL_IN, d->l4, IPPROTO_UDP);
	return d->check && nf_ip_checksum(skb, NF_INET_LOCAL_IN, d->l4, IPPROTO_UDP);
}

static unsigned int udp(struct esplane_net *en, struct sk_buff *skb, unsigned int offset,
			const struct nf_hook_state *state)
{
	struct datagrams d = { .l4 = offset, .v6 = state->pf == NFPROTO_IPV6 };
	const struct esplane_port *port;
	const struct udphdr *uh;
	struct udphdr buf;

	uh = skb_header_pointer(skb, offset, sizeof(buf), &buf);
	if (!uh)
		return NF_ACCEPT;
	port = port_of(en, skb, uh->dest, d.v6);
	if (!port || READ_ONCE(port->ike_only))
		return NF_ACCEPT;
	if (!find_datagrams(skb, uh, &d) || all_ike(skb, &d))
		return NF_ACCEPT;
	if (checksum_wrong(skb, &d)) {
		esplane_drop(en, NULL, skb, ESPLANE_DROP_CHECKSUM, 0, 0);
		return NF_STOLEN;
	}
	if (esplane_confirm(skb) != NF_ACCEPT) {
		esplane_drop(en, NULL, skb, ESPLANE_DROP_CONNTRACK, 0, 0);
		return NF_STOLEN;
	}
	take_train(en, skb, &d, state);
	consume_skb(skb);
	return NF_STOLEN;
}

static unsigned int local_in(void *priv, struct sk_buff *skb, const struct nf_hook_state *state)
{
	struct esplane_net *en = esplane_net(state->net);

	switch (ip_hdr(skb)->protocol) {
	case IPPROTO_ESP:
		return native(en, skb, ip_hdrlen(skb));
	case IPPROTO_UDP:
		return udp(en, skb, ip_hdrlen(skb), state);
	case IPPROTO_ICMP:
		esplane_icmp_input(en, skb, ip_hdrlen(skb), false);
		return NF_ACCEPT;
	default:
		return NF_ACCEPT;
	}
}

#if IS_ENABLED(CONFIG_IPV6)
/*
 * Netfilter's reassembly, switched on for our sake, takes the transport header to be what the
 * fragment header was followed by. The stack goes on reading where it stopped, at the header behind
 * IPv6's own or behind hop-by-hop options: with destination options ahead of the fragment header it
 * would take the data for them and drop the packet.
 */
static void mend_reassembled(struct sk_buff *skb)
{
	unsigned int offset = sizeof(struct ipv6hdr);

	if (likely(!(IP6CB(skb)->flags & IP6SKB_FRAGMENTED)))
		return;
	if (IP6CB(skb)->nhoff == offset)
		offset += ipv6_optlen((struct ipv6_opt_hdr *)(skb->data + offset));
	skb_set_transport_header(skb, offset);
}

/*
 * Of the extension headers ahead the stack has seen hop-by-hop options only. What it would have to
 * act upon is left to it: destination options that insist, a routing header that leads on, and
 * fragments.
 */
static unsigned int local_in_v6(void *priv, struct sk_buff *skb, const struct nf_hook_state *state)
{
	struct esplane_bytes bytes = { .skb = skb, .len = skb->len };
	struct esplane_net *en = esplane_net(state->net);
	struct esplane_exthdrs chain;

	mend_reassembled(skb);
	esplane_exthdr_walk(&bytes, &chain);
	if (!chain.whole || chain.fragment || chain.routing || chain.demanding)
		return NF_ACCEPT;
	switch (chain.protocol) {
	case IPPROTO_ESP:
		return native(en, skb, chain.offset);
	case IPPROTO_UDP:
		return udp(en, skb, chain.offset, state);
	case IPPROTO_ICMPV6:
		esplane_icmp_input(en, skb, chain.offset, true);
		return NF_ACCEPT;
	default:
		return NF_ACCEPT;
	}
}
#endif

static const struct nf_hook_ops hooks[] = {
	{
		.hook = local_in,
		.pf = NFPROTO_IPV4,
		.hooknum = NF_INET_LOCAL_IN,
		.priority = HOOK_PRIORITY,
	},
#if IS_ENABLED(CONFIG_IPV6)
	{
		.hook = local_in_v6,
		.pf = NFPROTO_IPV6,
		.hooknum = NF_INET_LOCAL_IN,
		.priority = HOOK_PRIORITY,
	},
#endif
};

int esplane_encap_init(struct esplane_net *en)
{
	INIT_LIST_HEAD(&en->ports);
	return nf_register_net_hooks(en->net, hooks, ARRAY_SIZE(hooks));
}

void esplane_encap_exit(struct esplane_net *en)
{
	struct esplane_port *p, *next;

	nf_unregister_net_hooks(en->net, hooks, ARRAY_SIZE(hooks));
	reassemble_no_more(en);
	list_for_each_entry_safe(p, next, &en->ports, list) {
		list_del_rcu(&p->list);
		kfree_rcu(p, rcu);
	}
}
