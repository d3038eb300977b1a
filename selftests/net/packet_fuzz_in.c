// SPDX-License-Identifier: MIT
/*
 * What comes in: ESP (RFC 4303) right and wrong, alone, in fragments, in trains, over IPv4 and IPv6.
 *
 * The receiver has the inbound SAs of packet_fuzz_esp.c: tunnel and transport mode, extended numbers or
 * not, ciphers of several kinds. What must be counted follows from the bytes that are sent, see expect().
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <string.h>
#include <sys/socket.h>

#include "packet_fuzz.h"
#include "packet_fuzz_esp.h"

#define TAP_FROM "198.51.100.1"
#define TAP_TO "198.51.100.2"
#define TAP6_FROM "2001:db8:6::1"
#define TAP6_TO "2001:db8:6::2"
#define OUTER_TO "192.0.2.2"
#define OUTER6_TO "2001:db8:7::2"

enum {
	SPI_NOBODY = 0x77000000,	/* and above */
	ENCAP_PORT = 4500,
	NUMBERS = 8192,			/* of sequence, in a round */
	NEXT_IPV4 = 4,
	NEXT_IPV6 = 41,
	NEXT_NONE = 59,
	CE = 3,				/* RFC 3168 */
	TRAIN_MAX = 64,			/* UDP_MAX_SEGMENTS of older kernels, */
	LONG_TRAIN_MAX = 128,		/* and of newer ones */
	TRAIN_BYTES = 65000,
	SEGMENT_MAX = 1472,		/* of an MTU of 1500, over IPv4 */
	SEGMENT6_MAX = 1452,
	INNER_MAX = 1400,
};

static struct {
	int tap, udp[2], native[2];	/* the sockets are the sender's, of IPv4 and IPv6 */
	unsigned int train_max;
	uint32_t sequence;
	uint32_t tcp_sequence;
} in;

static struct packet esp, whole;

static struct plan plan;

static void pad_right(void)
{
	plan.pad = plan.pad_field = -(plan.inner_len + ESP_TRAILER) & (esp_block(plan.sa) - 1);
}

/* A right packet of the next number, with a UDP packet of @len bytes in all. */
static void begin(const struct association *sa, size_t len)
{
	uint8_t *udp = plan.inner;

	plan.sa = sa;
	plan.sequence = sa->first + ++in.sequence;
	len -= IP_LEN;
	if (!sa->transport)
		udp += put_ip(plan.inner, "10.1.0.1", "10.2.0.1", IPPROTO_UDP, len);
	fuzz_fill(udp, len);
	/* A port where the receiver expects no ESP. */
	put16(udp + 2, 9000);
	put16(udp + 4, len);
	if (fuzz_one_in(2))
		put16(udp + 6, 0);
	plan.next = sa->transport ? IPPROTO_UDP : NEXT_IPV4;
	plan.inner_len = udp + len - plan.inner;
	pad_right();
}

static void begin_v6(void)
{
	size_t len = fuzz_below(INNER_MAX);

	begin(esp_any_tunnel(), IP_LEN + UDP_LEN);
	put_ip6(plan.inner, "2001:db8:a::1", "2001:db8:b::1", fuzz_number(), len);
	fuzz_fill(plan.inner + IP6_LEN, len);
	plan.inner_len = IP6_LEN + len;
	plan.next = NEXT_IPV6;
	pad_right();
}

static void begin_any(void)
{
	begin(esp_any(), fuzz_between(IP_LEN + UDP_LEN, INNER_MAX));
}

/*
 * How often a packet is counted, when these bytes follow the IP or UDP header. In UDP a byte of 0xff is a
 * keepalive, which is nothing (RFC 3948 section 2.3), four of zero begin IKE (section 2.2), which is the
 * daemon's; an empty datagram is UDP's. Protocol 50 is ours by an SPI of ours only: who else has it
 * may see the rest.
 */
static unsigned int expect(const uint8_t *bytes, size_t len, bool udp)
{
	uint32_t spi = len >= 4 ? get32(bytes) : 0;

	if (!udp)
		return len >= ESP_HEADER && esp_find(spi);
	if (len < 4)
		return len > 1 || (len == 1 && *bytes != 0xff);
	return spi != 0;
}

/* Over IPv6, without a checksum (RFC 8200 section 8.1): all but what is not ours is dropped. */
static unsigned int expect_unsummed(const uint8_t *bytes, size_t len)
{
	return len && !(len >= 4 && !get32(bytes));
}

/* What is wrong outside ESP. */
enum flaw {
	NO_FLAW,
	UDP_CHECKSUM,
	UDP_LENGTH,
	OUTER,
	FLAWS,
};

struct outside {
	bool v6, udp;
	uint8_t tos;
	enum flaw flaw;
};

/* RFC 768, RFC 8200 section 8.1. */
static void sum_udp(uint8_t *ip, const struct outside *o, uint8_t *udp, size_t len)
{
	uint32_t sum = o->v6 ? sum_bytes(ip + 8, 32, 0) : sum_bytes(ip + 12, 8, 0);
	uint16_t folded;

	put16(udp + 6, 0);
	folded = sum_fold(sum_bytes(udp, len, sum + IPPROTO_UDP + len));
	put16(udp + 6, folded ? folded : 0xffff);
}

/* Another value than is there, and not the zero that says that there is none. */
static void spoil_checksum(uint8_t *field)
{
	uint16_t old = field[0] << 8 | field[1];

	if (old)
		put16(field, old ^ (old == 0x0101 ? 0x0202 : 0x0101));
}

/* The header in front of esp. Returns how often it is to be counted. */
static unsigned int put_udp(uint8_t *ip, uint8_t *udp, const struct outside *o)
{
	size_t len = esp.len;

	/* Less than there is: the rest is no part of it. More: UDP itself refuses it. */
	if (o->flaw == UDP_LENGTH)
		len = fuzz_below(2 * esp.len);
	put16(udp, fuzz_one_in(2) ? ENCAP_PORT : fuzz_between(1024, 65535));
	put16(udp + 2, ENCAP_PORT);
	put16(udp + 4, UDP_LEN + len);
	put16(udp + 6, 0);
	if (len > esp.len)
		return 0;
	if (!fuzz_one_in(o->v6 ? 8 : 2))
		sum_udp(ip, o, udp, UDP_LEN + len);
	else if (o->v6)
		return expect_unsummed(esp.data, len);
	if (o->flaw == UDP_CHECKSUM)
		spoil_checksum(udp + 6);
	return expect(esp.data, len, true);
}

/* Writes esp behind outer headers to whole; returns how often it is to be counted. */
static unsigned int wrap(const struct outside *o)
{
	size_t upper = esp.len + (o->udp ? UDP_LEN : 0), headers;
	uint8_t protocol = o->udp ? IPPROTO_UDP : IPPROTO_ESP;

	if (o->v6) {
		headers = put_ip6(whole.data, TAP6_FROM, TAP6_TO, protocol, upper);
		put16(whole.data, 6 << 12 | o->tos << 4);
	} else {
		headers = put_ip(whole.data, TAP_FROM, TAP_TO, protocol, upper);
		whole.data[1] = o->tos;
		sum_ip(whole.data);
	}
	whole.len = headers + upper;
	memcpy(whole.data + whole.len - esp.len, esp.data, esp.len);
	return o->udp ? put_udp(whole.data, whole.data + headers, o) :
			expect(esp.data, esp.len, false);
}

/* An IPv4 header that no receiver accepts (RFC 791 section 3.1, RFC 1122 section 3.2.1). */
static void spoil_outer(void)
{
	switch (fuzz_below(3)) {
	case 0:
		whole.data[11] ^= 1;
		return;
	case 1:
		whole.data[0] = 0x44;
		break;
	default:
		put16(whole.data + 2, whole.len + fuzz_between(1, 1000));
	}
	if ((whole.data[0] & 15) >= 5)
		sum_ip(whole.data);
}

/* Fragments */

enum {
	PARTS = 4,
	FRAGMENT_HEADER = 8,
	MORE = 0x2000,
	MORE6 = 1,
	NEXT_FRAGMENT = 44,
	FRAGMENTED = 128,		/* packets of a round, at most: IPv4 has but 16 bits */
};

static uint32_t fragment_id;

/* Bytes @from to @to behind the IP header of whole, both multiples of 8 but for the end. */
static void send_part(bool v6, size_t from, size_t to, bool scattered)
{
	static uint8_t part[PACKET_MAX];
	size_t headers = v6 ? IP6_LEN : IP_LEN, all = whole.len - headers;

	memcpy(part, whole.data, headers);
	if (v6) {
		put16(part + 4, FRAGMENT_HEADER + to - from);
		part[IP6_LEN] = part[6];
		part[6] = NEXT_FRAGMENT;
		part[IP6_LEN + 1] = 0;
		put16(part + IP6_LEN + 2, from | (to < all ? MORE6 : 0));
		put32(part + IP6_LEN + 4, fragment_id);
		headers += FRAGMENT_HEADER;
	} else {
		put16(part + 2, IP_LEN + to - from);
		put16(part + 4, fragment_id);
		put16(part + 6, from / 8 | (to < all ? MORE : 0));
		sum_ip(part);
	}
	memcpy(part + headers, whole.data + whole.len - all + from, to - from);
	send_frame(in.tap, v6, part, headers + to - from, scattered, NULL);
}

/* In any order; or with one missing, or one that overlaps another, and then never whole. False if so. */
static bool send_parts(bool v6, bool scattered)
{
	size_t all = whole.len - (v6 ? IP6_LEN : IP_LEN), cut[PARTS + 1], at;
	unsigned int n = fuzz_between(2, PARTS), order[PARTS], i, j, swap;
	bool missing = fuzz_one_in(16), overlaps = !missing && fuzz_one_in(8);

	for (i = 0; i < n; i++) {
		cut[i] = all * i / n / 8 * 8;
		order[i] = i;
	}
	cut[n] = all;
	for (i = n - 1; i; i--) {
		j = fuzz_below(i + 1);
		swap = order[i];
		order[i] = order[j];
		order[j] = swap;
	}
	fragment_id++;
	for (i = 0; i < n - missing; i++) {
		at = order[i];
		send_part(v6, cut[at], cut[at + 1], scattered);
		/* RFC 5722 section 3, and Linux for IPv4 too: no part of it is used any more. */
		if (overlaps && !i)
			send_part(v6, at ? cut[at] - 8 : 0, at ? cut[at] + 8 : cut[1] + 8, scattered);
	}
	return !missing && !overlaps;
}

static unsigned int send_outside(const struct outside *o)
{
	unsigned int count = wrap(o);
	bool scattered = fuzz_one_in(2), parts = fuzz_one_in(4);

	if (o->flaw == OUTER && !o->v6) {
		spoil_outer();
		count = 0;
	} else if (parts && whole.len >= IP6_LEN + 16 * PARTS) {
		return send_parts(o->v6, scattered) ? count : 0;
	}
	if (!send_frame(in.tap, o->v6, whole.data, whole.len, scattered, NULL))
		die("tap0: %s", strerror(errno));
	return count;
}

/* Kinds: each leaves a packet in esp. */

static void good(void)
{
	begin_any();
	esp_seal(&plan, &esp);
}

static void good_v6(void)
{
	begin_v6();
	esp_seal(&plan, &esp);
}

static void replayed(void)
{
	begin_any();
	plan.sequence--;
	in.sequence--;
	esp_seal(&plan, &esp);
}

static void old(void)
{
	begin_any();
	plan.sequence = plan.sa->first + fuzz_below(in.sequence);
	esp_seal(&plan, &esp);
}

/* Anywhere but in the SPI. */
static void corrupt(void)
{
	good();
	fuzz_flip(esp.data + 4, esp.len - 4);
}

static void cut(void)
{
	good();
	esp.len = fuzz_below(fuzz_one_in(2) ? esp_overhead(plan.sa) + 4 : esp.len);
}

static void pad_length(void)
{
	begin_any();
	plan.pad_field = fuzz_number();
	esp_seal(&plan, &esp);
}

static void more_padding(void)
{
	begin_any();
	plan.pad = fuzz_number();
	/* As many whole blocks as there is room for; or what no block cipher can have made. */
	if (fuzz_one_in(2))
		plan.pad -= (plan.inner_len + plan.pad + ESP_TRAILER) & (esp_block(plan.sa) - 1);
	plan.pad_field = plan.pad;
	esp_seal(&plan, &esp);
}

static void next_header(void)
{
	begin_any();
	plan.next = fuzz_number();
	esp_seal(&plan, &esp);
}

static void dummy(void)
{
	begin_any();
	plan.next = NEXT_NONE;
	esp_seal(&plan, &esp);
}

static void inner_garbage(void)
{
	begin_any();
	plan.inner_len = fuzz_below(fuzz_one_in(2) ? IP6_LEN + 4 : INNER_MAX);
	fuzz_fill(plan.inner, plan.inner_len);
	if (fuzz_one_in(2))
		pad_right();
	if (plan.sa->transport) {
		plan.next = fuzz_one_in(2) ? IPPROTO_UDP : IPPROTO_TCP;
		if (plan.inner_len >= 4)
			put16(plan.inner + 2, 9000);
		esp_seal(&plan, &esp);
		return;
	}
	plan.next = fuzz_one_in(2) ? NEXT_IPV4 : NEXT_IPV6;
	if (plan.inner_len && fuzz_one_in(2))
		plan.inner[0] = (plan.next == NEXT_IPV4 ? 0x40 : 0x60) | (plan.inner[0] & 15);
	esp_seal(&plan, &esp);
}

static void inner_altered(void)
{
	if (fuzz_one_in(2))
		begin_v6();
	else
		begin_any();
	fuzz_flip(plan.inner, plan.sa->transport ? UDP_LEN : plan.next == NEXT_IPV6 ? IP6_LEN : IP_LEN);
	/* As if it were meant: what is behind the checksum is looked at too. */
	if (plan.next == NEXT_IPV4 && (plan.inner[0] & 15) >= 5 && fuzz_one_in(2))
		sum_ip(plan.inner);
	esp_seal(&plan, &esp);
}

static void outside_selectors(void)
{
	begin(esp_nth(0), fuzz_between(IP_LEN + UDP_LEN, INNER_MAX));
	fuzz_fill(plan.inner + 12, 8);
	sum_ip(plan.inner);
	esp_seal(&plan, &esp);
}

/* Not a word of it is authentic, nor can it be: no SA, or IKE. */
static void spi_zero(void) { good(); put32(esp.data, 0); }
/* RFC 4303 section 2.1 */
static void spi_reserved(void) { good(); put32(esp.data, fuzz_between(1, 255)); }
static void spi_nobody(void) { good(); put32(esp.data, SPI_NOBODY + fuzz_below(1000)); }

static void garbage(void)
{
	esp.len = fuzz_below(fuzz_one_in(2) ? 12 : INNER_MAX);
	fuzz_fill(esp.data, esp.len);
}

static void keepalive(void)
{
	esp.len = 1;
	esp.data[0] = 0xff;
}

static void (*const kinds[])(void) = {
	good, good_v6, replayed, old, corrupt, cut, pad_length, more_padding, next_header, dummy,
	inner_garbage, inner_altered, outside_selectors, spi_zero, spi_reserved, spi_nobody, garbage,
	keepalive,
};

/* Trains */

/* All of one SA and kind, so that what comes out in a row can be joined. */
struct run {
	const struct association *sa;
	bool inner_v6;
	size_t headers;			/* of IP and TCP */
};

static struct run begin_run(void)
{
	struct run run = { .sa = esp_any(), .headers = TCP_LEN };

	run.inner_v6 = !run.sa->transport && fuzz_one_in(3);
	if (!run.sa->transport)
		run.headers += run.inner_v6 ? IP6_LEN : IP_LEN;
	return run;
}

static void good_tcp(const struct run *run, size_t size)
{
	size_t len = size - esp_overhead(run->sa), ip = run->headers - TCP_LEN;
	uint8_t *tcp = plan.inner + ip;

	begin(run->sa, IP_LEN + UDP_LEN);
	plan.next = IPPROTO_TCP;
	plan.pad = plan.pad_field = 0;
	plan.inner_len = len;
	fuzz_fill(tcp, len - ip);
	if (run->inner_v6) {
		put_ip6(plan.inner, "2001:db8:a::1", "2001:db8:b::1", IPPROTO_TCP, len - ip);
		plan.next = NEXT_IPV6;
	} else if (ip) {
		put_ip(plan.inner, "10.1.0.1", "10.2.0.1", IPPROTO_TCP, len - ip);
		put16(plan.inner + 4, in.sequence);
		sum_ip(plan.inner);
		plan.next = NEXT_IPV4;
	}
	put16(tcp, 1024);
	put16(tcp + 2, 1025);
	put32(tcp + 4, in.tcp_sequence);
	put32(tcp + 8, 1);
	tcp[12] = 5 << 4;
	tcp[13] = fuzz_one_in(8) ? fuzz_number() : 0x10;
	put32(tcp + 14, 0x04000000);
	put16(tcp + 18, 0);
	in.tcp_sequence += len - run->headers;
	if (fuzz_one_in(8))
		fuzz_flip(plan.inner, run->headers);
	esp_seal(&plan, &esp);
}

/* A packet of exactly @size bytes, of any kind that can have it. */
static void segment(const struct run *run, size_t size)
{
	if (size >= esp_overhead(run->sa) + run->headers && !fuzz_one_in(4)) {
		good_tcp(run, size);
		if (fuzz_one_in(16))
			fuzz_flip(esp.data, esp.len);
		return;
	}
	kinds[fuzz_below(sizeof(kinds) / sizeof(*kinds))]();
	if (esp.len < size)
		fuzz_fill(esp.data + esp.len, size - esp.len);
	esp.len = size;
}

/* What a block cipher makes of so many bytes at most. */
static size_t whole_blocks(const struct association *sa, size_t size)
{
	size_t around = esp_overhead(sa) - ESP_TRAILER, block = esp_block(sa);

	return size < around + block ? size : around + (size - around) / block * block;
}

static void send_to_target(bool v6, bool udp, const struct packet *p)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(udp ? ENCAP_PORT : 0) };
	struct sockaddr_in6 to6 = { .sin6_family = AF_INET6, .sin6_port = to.sin_port };
	const struct sockaddr *address = v6 ? (struct sockaddr *)&to6 : (struct sockaddr *)&to;
	int fd = udp ? in.udp[v6] : in.native[v6];

	inet_pton(AF_INET, OUTER_TO, &to.sin_addr);
	inet_pton(AF_INET6, OUTER6_TO, &to6.sin6_addr);
	/* An error of what went before may be told now. */
	while (sendto(fd, p->data, p->len, 0, address, v6 ? sizeof(to6) : sizeof(to)) < 0)
		if (errno != ECONNREFUSED && errno != EPROTO && errno != ENOPROTOOPT)
			die("sendto: %s", strerror(errno));
}

static void set_segment_size(bool v6, int size)
{
	if (setsockopt(in.udp[v6], SOL_UDP, UDP_SEGMENT, &size, sizeof(size)))
		die("UDP_SEGMENT: %s", strerror(errno));
}

static unsigned int train(void)
{
	static struct packet all;
	const bool v6 = fuzz_one_in(2);
	const size_t limits[] = { 64, TRAIN_BYTES / LONG_TRAIN_MAX, v6 ? SEGMENT6_MAX : SEGMENT_MAX };
	struct run run = begin_run();
	size_t size = whole_blocks(run.sa, fuzz_between(1, limits[fuzz_below(3)])), last;
	unsigned int n = fuzz_between(2, in.train_max), i, count = 0;

	if (n * size > TRAIN_BYTES)
		n = TRAIN_BYTES / size;
	last = fuzz_between(1, size);
	for (all.len = i = 0; i < n; i++) {
		segment(&run, i + 1 < n ? size : last);
		memcpy(all.data + all.len, esp.data, esp.len);
		all.len += esp.len;
		count += expect(esp.data, esp.len, true);
	}
	set_segment_size(v6, size);
	send_to_target(v6, true, &all);
	return count;
}

/* More than a link takes: IP cuts it, and at the other end it is a list of fragments. */
static unsigned int giant(void)
{
	bool v6 = fuzz_one_in(2), udp = fuzz_one_in(2);

	begin(esp_any(), fuzz_between(SEGMENT_MAX, 60000));
	if (fuzz_one_in(4))
		plan.pad_field = 255;
	esp_seal(&plan, &esp);
	if (fuzz_one_in(4))
		fuzz_flip(esp.data + 4, esp.len - 4);
	set_segment_size(v6, 0);
	send_to_target(v6, udp, &esp);
	return 1;
}

static unsigned int send_one(uint32_t round, unsigned int i)
{
	const unsigned int n_kinds = sizeof(kinds) / sizeof(*kinds);
	struct outside o = { .v6 = fuzz_one_in(3), .udp = fuzz_one_in(2),
			     .tos = fuzz_one_in(8) ? CE : 0 };

	if (!i) {
		in.sequence = round * NUMBERS;
		in.tcp_sequence = fuzz_number();
		fragment_id = round * FRAGMENTED;
	}
	i %= n_kinds + 6;
	if (i < n_kinds) {
		kinds[i]();
		return send_outside(&o);
	}
	i -= n_kinds;
	switch (i) {
	case 0:
		return giant();
	case 1:
	case 2:
		return train();
	default:
		good();
		o.flaw = i - 3 + UDP_CHECKSUM;
		o.udp = o.udp || o.flaw != OUTER;
		return send_outside(&o);
	}
}

static void open_sender(bool v6)
{
	struct sockaddr_in any = { .sin_family = AF_INET, .sin_port = htons(ENCAP_PORT) };
	struct sockaddr_in6 any6 = { .sin6_family = AF_INET6, .sin6_port = any.sin_port };
	int family = v6 ? AF_INET6 : AF_INET, level = v6 ? SOL_IPV6 : SOL_IP;
	int option = v6 ? IPV6_MTU_DISCOVER : IP_MTU_DISCOVER;
	int off = IP_PMTUDISC_DONT, on = 1, room = 1 << 22;

	in.udp[v6] = open_socket(family, SOCK_DGRAM, 0);
	in.native[v6] = open_socket(family, SOCK_RAW, IPPROTO_ESP);
	if (v6)
		setsockopt(in.udp[v6], SOL_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	if (bind(in.udp[v6], v6 ? (struct sockaddr *)&any6 : (struct sockaddr *)&any,
		 v6 ? sizeof(any6) : sizeof(any)))
		die("port %d: %s", ENCAP_PORT, strerror(errno));
	setsockopt(in.udp[v6], level, option, &off, sizeof(off));
	setsockopt(in.native[v6], level, option, &off, sizeof(off));
	setsockopt(in.udp[v6], SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	setsockopt(in.native[v6], SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
}

/* By keepalives, which are nothing. */
static bool takes_long_trains(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(ENCAP_PORT) };
	uint8_t keepalives[LONG_TRAIN_MAX];

	memset(keepalives, 0xff, sizeof(keepalives));
	inet_pton(AF_INET, OUTER_TO, &to.sin_addr);
	set_segment_size(false, 1);
	return sendto(in.udp[false], keepalives, sizeof(keepalives), 0, (struct sockaddr *)&to,
		      sizeof(to)) > 0;
}

static void open_in(const struct ways *ways)
{
	in.tap = ways->tap;
	esp_open(ways->key);
	in_namespace(ways->sender);
	open_sender(false);
	open_sender(true);
	in.train_max = takes_long_trains() ? LONG_TRAIN_MAX : TRAIN_MAX;
}

const struct half fuzz_in = { .open = open_in, .send = send_one };
