// SPDX-License-Identifier: MIT
/* A capture file of UDP datagrams. Its numbers are in this host's byte order, as its magic tells. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../ikev2/crypto/secret.h"
#include "pcapng.h"

/* draft-ietf-opsawg-pcapng sections 3 and 4 */
enum {
	BLOCK_SECTION = 0x0a0d0d0a,
	BLOCK_INTERFACE = 1,
	BLOCK_PACKET = 6,
	MAGIC = 0x1a2b3c4d,
	VERSION_MAJOR = 1,
	LINKTYPE_RAW = 101,		/* IPv4 or IPv6, as the first nibble tells */
	OPTION_END = 0,
	OPTION_COMMENT = 1,
	OPTION_USER_APPLICATION = 4,
	OPTION_INTERFACE_NAME = 2,
	OPTION_PACKET_FLAGS = 2,
	FLAG_INBOUND = 1,
	FLAG_OUTBOUND = 2,
	BLOCK_OVERHEAD = 12,		/* type, length, length again */
};

enum {
	IPV4_LEN = 20, IPV6_LEN = 40, UDP_LEN = 8, MARKER_LEN = 4, PROTOCOL_UDP = 17, TTL = 64,
	IP_MAX = 65535,
};

/* A block or a datagram as it grows; its room was counted before. */
struct buffer {
	uint8_t *p;
	size_t len;
};

static void put(struct buffer *b, const void *data, size_t len)
{
	if (len)
		memcpy(b->p + b->len, data, len);
	b->len += len;
}

static void put32(struct buffer *b, uint32_t v)
{
	put(b, &v, sizeof(v));
}

static void put16(struct buffer *b, uint16_t v)
{
	put(b, &v, sizeof(v));
}

/* In network byte order. */
static void put_be16(struct buffer *b, uint16_t v)
{
	put16(b, htons(v));
}

static size_t padded(size_t len)
{
	return (len + 3) & ~(size_t)3;
}

static void put_padded(struct buffer *b, const void *data, size_t len)
{
	static const uint8_t zeros[4];

	put(b, data, len);
	put(b, zeros, padded(len) - len);
}

static void put_option(struct buffer *b, uint16_t code, const void *data, size_t len)
{
	put16(b, code);
	put16(b, len);
	put_padded(b, data, len);
}

static int write_block(FILE *out, uint32_t type, const struct buffer *body)
{
	uint32_t head[2] = { type, BLOCK_OVERHEAD + body->len };

	if (fwrite(head, sizeof(head), 1, out) != 1 ||
	    fwrite(body->p, body->len, 1, out) != 1 ||
	    fwrite(&head[1], sizeof(head[1]), 1, out) != 1)
		return -1;
	return fflush(out);
}

int pcapng_begin(FILE *out)
{
	static const char program[] = "esplane trace", name[] = "IKE, decrypted by esplaned";
	uint8_t space[128];
	struct buffer b = { space, 0 };

	put32(&b, MAGIC);
	put16(&b, VERSION_MAJOR);
	put16(&b, 0);
	put32(&b, UINT32_MAX);		/* of a length that is not known, in 64 bits */
	put32(&b, UINT32_MAX);
	put_option(&b, OPTION_USER_APPLICATION, program, sizeof(program) - 1);
	put_option(&b, OPTION_END, NULL, 0);
	if (write_block(out, BLOCK_SECTION, &b))
		return -1;
	b.len = 0;
	put16(&b, LINKTYPE_RAW);
	put16(&b, 0);
	put32(&b, 0);			/* no limit */
	put_option(&b, OPTION_INTERFACE_NAME, name, sizeof(name) - 1);
	put_option(&b, OPTION_END, NULL, 0);
	return write_block(out, BLOCK_INTERFACE, &b);
}

/* RFC 1071, of @len bytes more. */
static uint32_t sum(uint32_t so_far, const uint8_t *p, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		so_far += i & 1 ? p[i] : p[i] << 8;
	while (so_far >> 16)
		so_far = (so_far & 0xffff) + (so_far >> 16);
	return so_far;
}

static void set_checksum(uint8_t *at, uint32_t total)
{
	at[0] = ~total >> 8;
	at[1] = ~total;
}

static void put_ip(struct buffer *b, const struct pcapng_datagram *d, size_t udp_len)
{
	const struct ike_addr *from = &d->from.addr, *to = &d->to.addr;
	static const uint8_t four[] = { 0x45, 0 }, six[] = { 0x60, 0, 0, 0 };
	size_t at = b->len;

	if (from->family == AF_INET6) {
		put(b, six, sizeof(six));
		put_be16(b, udp_len);
		put(b, (uint8_t[]){ PROTOCOL_UDP, TTL }, 2);
	} else {
		put(b, four, sizeof(four));
		put_be16(b, IPV4_LEN + udp_len);
		put(b, (uint8_t[]){ 0, 0, 0, 0, TTL, PROTOCOL_UDP, 0, 0 }, 8);
	}
	put(b, from->bytes, ike_addr_len(from));
	put(b, to->bytes, ike_addr_len(to));
	if (from->family != AF_INET6)
		set_checksum(b->p + at + 10, sum(0, b->p + at, IPV4_LEN));
}

/* RFC 3948 section 2.2: between the ports of NAT traversal a marker tells IKE from ESP. */
static size_t marker_len(const struct pcapng_datagram *d)
{
	return d->from.port == IKE_PORT_NATT || d->to.port == IKE_PORT_NATT ? MARKER_LEN : 0;
}

static void put_udp(struct buffer *b, const struct pcapng_datagram *d, size_t udp_len)
{
	size_t at = b->len;
	uint32_t total;

	put_be16(b, d->from.port);
	put_be16(b, d->to.port);
	put_be16(b, udp_len);
	put_be16(b, 0);
	put(b, (uint8_t[MARKER_LEN]){ 0 }, marker_len(d));
	put(b, d->message, d->len);
	/* RFC 768, with the header before it. */
	total = sum(PROTOCOL_UDP + udp_len, d->from.addr.bytes, ike_addr_len(&d->from.addr));
	total = sum(total, d->to.addr.bytes, ike_addr_len(&d->to.addr));
	set_checksum(b->p + at + 6, sum(total, b->p + at, udp_len));
}

static void put_packet(struct buffer *b, const struct pcapng_datagram *d, size_t packet_len,
		       size_t udp_len)
{
	uint32_t flags = d->sent ? FLAG_OUTBOUND : FLAG_INBOUND;
	size_t before;

	put32(b, 0);			/* the interface */
	put32(b, d->time >> 32);
	put32(b, d->time);
	put32(b, packet_len);
	put32(b, packet_len);
	before = b->len;
	put_ip(b, d, udp_len);
	put_udp(b, d, udp_len);
	put(b, (uint8_t[3]){ 0 }, padded(b->len - before) - (b->len - before));
	put_option(b, OPTION_PACKET_FLAGS, &flags, sizeof(flags));
	put_option(b, OPTION_COMMENT, d->comment, strlen(d->comment));
	put_option(b, OPTION_END, NULL, 0);
}

int pcapng_put(FILE *out, const struct pcapng_datagram *d)
{
	size_t udp_len = UDP_LEN + marker_len(d) + d->len;
	size_t packet_len = (d->from.addr.family == AF_INET6 ? IPV6_LEN : IPV4_LEN) + udp_len;
	size_t room = packet_len + strlen(d->comment) + 128;
	struct buffer b = { malloc(room), 0 };
	int result = -1;

	errno = b.p && packet_len > IP_MAX ? EMSGSIZE : errno;
	if (b.p && packet_len <= IP_MAX && d->from.addr.family == d->to.addr.family) {
		put_packet(&b, d, packet_len, udp_len);
		result = write_block(out, BLOCK_PACKET, &b);
	}
	if (b.p)
		ike_wipe(b.p, room);
	free(b.p);
	return result;
}
