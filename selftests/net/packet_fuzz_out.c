// SPDX-License-Identifier: MIT
/*
 * What goes out: cleartext right and wrong, to each of the ways in.
 *
 *	ipsec0		route mode; a packet socket, which says what it likes, and a raw one
 *	policy mode	raw sockets and UDP trains of this host; frames on tap0 that it forwards, in pieces
 *			of memory, with what a guest says of its super-packets
 * Policy mode protects what goes to 10.2.0.0/16 and 2001:db8:b::/48, but for UDP port 9, which it
 * discards. Route mode protects all of IPv4 and IPv6 that comes from 10.1.0.0/24 or 2001:db8:a::/48.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <string.h>
#include <sys/socket.h>

#include "packet_fuzz.h"

#define HERE "10.1.0.1"
#define THERE "10.2.0.1"
#define FAR "10.9.0.1"			/* by ipsec0 */
#define HERE6 "2001:db8:a::1"
#define THERE6 "2001:db8:b::1"
#define BEHIND "10.3.0.1"
#define BEHIND6 "2001:db8:c::1"

enum {
	/* 1500 less IP and UDP headers, ESP header, IV and ICV, down to a multiple of 4 (RFC 4303 section
	 * 2.4), less pad length and next header: of a tunnel in UDP.
	 */
	TUNNEL_MTU = (1500 - 20 - 8 - 8 - 8 - 16) / 4 * 4 - 2,
	LINK_MTU = 1500,
	SMALL = 1400,
	DISCARD_PORT = 9,
	TRAIN_MAX = 64,
	TRAIN_BYTES = 65000,
	DONT_FRAGMENT = 0x4000,
	NEXT_ROUTING = 43,
	NEXT_FRAGMENT = 44,
	NEXT_OPTIONS = 60,
	EXTENSIONS = 4,
	GSO_MIN = 8,			/* what newer kernels (TCP_MIN_GSO_SIZE) make of less */
	TCP_MAX = 60,			/* RFC 9293 section 3.1: 15 words */
};

static struct {
	int tap, link, raw, udp;
	int link_index;
} out;

static struct packet packet;

/* Route mode */

static unsigned int to_link(uint16_t ethertype)
{
	struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_protocol = htons(ethertype),
				  .sll_ifindex = out.link_index };

	if (sendto(out.link, packet.data, packet.len, 0, (struct sockaddr *)&to, sizeof(to)) < 0)
		die("ipsec0: %s", strerror(errno));
	return 1;
}

static unsigned int link_garbage(void)
{
	static const uint16_t types[] = { ETHERTYPE_V4, ETHERTYPE_V6, ETH_P_ARP };

	packet.len = fuzz_between(1, fuzz_one_in(2) ? IP6_LEN + 4 : SMALL);
	fuzz_fill(packet.data, packet.len);
	if (fuzz_one_in(2))
		packet.data[0] = (fuzz_one_in(2) ? 0x40 : 0x60) | (packet.data[0] & 15);
	return to_link(fuzz_one_in(8) ? fuzz_between(0x600, 0xffff) : types[fuzz_below(3)]);
}

/* Any protocol; if it has ports, not the one where the receiver expects ESP. */
static void make(bool v6, const char *from, const char *to, size_t payload)
{
	size_t headers;

	headers = v6 ? put_ip6(packet.data, from, to, fuzz_number(), payload) :
		       put_ip(packet.data, from, to, fuzz_number(), payload);
	packet.len = headers + payload;
	fuzz_fill(packet.data + headers, payload);
	if (payload >= 4)
		put16(packet.data + headers + 2, 9000);
}

static unsigned int link_altered(void)
{
	bool v6 = fuzz_one_in(2);

	make(v6, v6 ? HERE6 : HERE, v6 ? THERE6 : THERE, fuzz_below(SMALL - IP6_LEN));
	if (fuzz_one_in(2))
		fuzz_flip(packet.data, v6 ? IP6_LEN : IP_LEN);
	return to_link(v6 ? ETHERTYPE_V6 : ETHERTYPE_V4);
}

/* What no fragmenter can have, for it has no route, or may have (RFC 4301 section 8). */
static unsigned int link_too_big(void)
{
	size_t len = fuzz_between(TUNNEL_MTU + 1, LINK_MTU);
	bool v6 = fuzz_one_in(2);

	make(v6, v6 ? HERE6 : HERE, v6 ? THERE6 : THERE, len - (v6 ? IP6_LEN : IP_LEN));
	if (!v6) {
		put16(packet.data + 6, DONT_FRAGMENT);
		sum_ip(packet.data);
	}
	return to_link(v6 ? ETHERTYPE_V6 : ETHERTYPE_V4);
}

/* The stack fills in identification and checksum. False if it looks like an ICMP error or a reset of
 * this host's: those the test silences.
 */
static bool send_raw(const char *to_address)
{
	struct sockaddr_in to = { .sin_family = AF_INET };

	inet_pton(AF_INET, to_address, &to.sin_addr);
	if (sendto(out.raw, packet.data, packet.len, 0, (struct sockaddr *)&to, sizeof(to)) >= 0)
		return true;
	if (errno != EPERM)
		die("raw socket: %s", strerror(errno));
	return false;
}

/* Goes in two fragments: LINK_MTU is less than twice TUNNEL_MTU. */
static unsigned int link_fragmented(void)
{
	make(false, HERE, FAR, fuzz_between(TUNNEL_MTU + 1, LINK_MTU) - IP_LEN);
	return send_raw(FAR) ? 2 : 0;
}

/* Policy mode */

static unsigned int raw(void)
{
	make(false, HERE, THERE, fuzz_below(SMALL - IP_LEN));
	return send_raw(THERE);
}

static unsigned int train(uint16_t port)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(port) };
	unsigned int n = fuzz_between(1, TRAIN_MAX);
	int size = fuzz_between(1, fuzz_one_in(4) ? 64 : SMALL - IP_LEN - UDP_LEN);

	if (n * size > TRAIN_BYTES)
		n = TRAIN_BYTES / size;
	packet.len = (n - 1) * size + fuzz_between(1, size);
	fuzz_fill(packet.data, packet.len);
	inet_pton(AF_INET, THERE, &to.sin_addr);
	if (setsockopt(out.udp, SOL_UDP, UDP_SEGMENT, &size, sizeof(size)) ||
	    sendto(out.udp, packet.data, packet.len, 0, (struct sockaddr *)&to, sizeof(to)) < 0)
		die("train: %s", strerror(errno));
	return n;
}

static unsigned int any_train(void) { return train(fuzz_between(10, 4499)); }
static unsigned int discarded_train(void) { return train(DISCARD_PORT); }

static unsigned int forward(bool v6)
{
	if (!send_frame(out.tap, v6, packet.data, packet.len, !fuzz_one_in(4), NULL))
		die("tap0: %s", strerror(errno));
	return 1;
}

static unsigned int forwarded(void)
{
	make(false, BEHIND, THERE, fuzz_below(SMALL - IP_LEN));
	/* A fragment, of any offset. */
	if (fuzz_one_in(4))
		put16(packet.data + 6, fuzz_number() & 0x3fff);
	sum_ip(packet.data);
	return forward(false);
}

/* Any chain of headers that no router looks at. */
static unsigned int forwarded_v6(void)
{
	static const uint8_t types[] = { NEXT_ROUTING, NEXT_FRAGMENT, NEXT_OPTIONS };
	size_t payload = fuzz_below(SMALL - IP6_LEN), at = IP6_LEN;
	unsigned int n = fuzz_below(EXTENSIONS + 1);

	make(true, BEHIND6, THERE6, payload);
	packet.data[6] = n ? types[fuzz_below(3)] : IPPROTO_UDP;
	for (; n && at + 8 <= packet.len; n--, at += 8) {
		packet.data[at] = n > 1 ? types[fuzz_below(3)] : fuzz_number();
		if (!fuzz_one_in(8))
			packet.data[at + 1] = 0;
	}
	return forward(true);
}

static const struct offload guest_tcp = { .gso_type = VIRTIO_NET_HDR_GSO_TCPV4,
					  .csum_start = IP_LEN, .csum_offset = 16 };

/* What a guest hands over as one, with the length of TCP's header that it claims. */
static void super_packet(size_t payload, uint16_t size, size_t header)
{
	struct offload o = guest_tcp;
	size_t headers = IP_LEN + TCP_LEN;
	uint8_t *tcp = packet.data + IP_LEN;

	o.size = size;
	o.header = ETH_HLEN + headers;
	packet.len = headers + payload;
	put_ip(packet.data, BEHIND, THERE, IPPROTO_TCP, TCP_LEN + payload);
	fuzz_fill(tcp, TCP_LEN + payload);
	tcp[12] = header / 4 << 4;
	tcp[13] = 0x10;
	/* RFC 9293 section 3.1: the sum of the pseudo header, to be completed. */
	put16(tcp + 16, ~sum_fold(sum_bytes(packet.data + 12, 8, IPPROTO_TCP + TCP_LEN + payload)));
	if (!send_frame(out.tap, false, packet.data, packet.len, fuzz_one_in(2), &o))
		die("tap0: %s", strerror(errno));
}

/* The receiver sees as many packets as the guest's TCP would have made. */
static unsigned int good_super_packet(void)
{
	size_t payload = fuzz_between(GSO_MIN + 1, 30000);
	size_t size = fuzz_between(payload / 200 + GSO_MIN, SMALL - IP_LEN - TCP_LEN);

	if (size >= payload)
		size = payload - 1;
	super_packet(payload, size, TCP_LEN);
	return (payload + size - 1) / size;
}

/* Its header ends behind the packet. */
static unsigned int bad_super_packet(void)
{
	super_packet(fuzz_between(GSO_MIN + 1, TCP_MAX - TCP_LEN), GSO_MIN, TCP_MAX);
	return 1;
}

static unsigned int (*const kinds[])(void) = {
	link_garbage, link_altered, link_too_big, link_fragmented, raw, any_train, discarded_train,
	forwarded, forwarded_v6, good_super_packet, bad_super_packet,
};

static unsigned int send_one(uint32_t round, unsigned int i)
{
	return kinds[i % (sizeof(kinds) / sizeof(*kinds))]();
}

static void open_out(const struct ways *ways)
{
	int room = 1 << 22;

	out.tap = ways->tap;
	in_namespace(ways->sender);
	out.link_index = if_nametoindex("ipsec0");
	if (!out.link_index)
		die("no ipsec0");
	out.link = open_socket(AF_PACKET, SOCK_DGRAM, 0);
	out.raw = open_socket(AF_INET, SOCK_RAW, IPPROTO_RAW);
	out.udp = open_socket(AF_INET, SOCK_DGRAM, 0);
	setsockopt(out.udp, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
}

const struct half fuzz_out = { .open = open_out, .send = send_one };
