// SPDX-License-Identifier: MIT
/*
 * What comes in: ESP (RFC 4303, with AES-GCM, RFC 4106) right and wrong, alone, in fragments, in trains.
 *
 * The receiver has two inbound SAs of one key: SPI_STRICT carries 10.1.0.0/24 to 10.2.0.0/24 alone,
 * SPI_OPEN all. What must be counted follows from the bytes that are sent, see expect().
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "packet_fuzz.h"

#define TAP_FROM "198.51.100.1"
#define TAP_TO "198.51.100.2"
#define TAP6_FROM "2001:db8:6::1"
#define TAP6_TO "2001:db8:6::2"
#define OUTER_FROM "192.0.2.1"
#define OUTER_TO "192.0.2.2"

enum {
	SPI_STRICT = 0x1000,
	SPI_OPEN = 0x1001,
	SPI_NOBODY = 0x77000000,	/* and above */
	ENCAP_PORT = 4500,
	NUMBERS = 8192,			/* of sequence, in a round */
	ESP_HEADER = 8,
	IV = 8,				/* RFC 4106 section 3.1 */
	ICV = 16,
	KEY = 16,
	SALT = 4,
	OVERHEAD = ESP_HEADER + IV + 2 + ICV,
	NEXT_IPV4 = 4,
	NEXT_IPV6 = 41,
	NEXT_NONE = 59,
	CE = 3,				/* RFC 3168 */
	TRAIN_MAX = 64,			/* UDP_MAX_SEGMENTS of older kernels */
	TRAIN_BYTES = 65000,
	SEGMENT_MAX = 1472,		/* of an MTU of 1500 */
	INNER_MAX = 1400,
};

static struct {
	int tap, udp, native;		/* the sockets are the sender's */
	uint8_t salt[SALT];
	EVP_CIPHER_CTX *cipher;
	uint32_t sequence;
	uint32_t tcp_sequence;
} in;

static struct packet esp, whole;

/* One ESP packet to be. */
struct plan {
	uint32_t spi, sequence;
	uint8_t next, pad, pad_field;
	uint16_t inner_len;
	uint8_t inner[PACKET_MAX];
};

static struct plan plan;

static void seal(const struct plan *p, struct packet *to)
{
	uint8_t nonce[SALT + IV], *text = to->data + ESP_HEADER + IV;
	size_t len = p->inner_len;
	unsigned int i;
	int n;

	put32(to->data, p->spi);
	put32(to->data + 4, p->sequence);
	put32(to->data + 8, 0);
	put32(to->data + 12, p->sequence);
	memcpy(text, p->inner, len);
	for (i = 1; i <= p->pad; i++)
		text[len++] = i;
	text[len++] = p->pad_field;
	text[len++] = p->next;
	memcpy(nonce, in.salt, SALT);
	memcpy(nonce + SALT, to->data + ESP_HEADER, IV);
	if (!EVP_EncryptInit_ex(in.cipher, NULL, NULL, NULL, nonce) ||
	    !EVP_EncryptUpdate(in.cipher, NULL, &n, to->data, ESP_HEADER) ||
	    !EVP_EncryptUpdate(in.cipher, text, &n, text, len) ||
	    !EVP_EncryptFinal_ex(in.cipher, text + len, &n) ||
	    !EVP_CIPHER_CTX_ctrl(in.cipher, EVP_CTRL_AEAD_GET_TAG, ICV, text + len))
		die("AES-GCM fails");
	to->len = ESP_HEADER + IV + len + ICV;
}

/* A right packet of the next number, with an inner UDP packet of @len bytes in all. */
static void begin(uint32_t spi, size_t len)
{
	plan.spi = spi;
	plan.sequence = ++in.sequence;
	plan.inner_len = len;
	put_ip(plan.inner, "10.1.0.1", "10.2.0.1", IPPROTO_UDP, len - IP_LEN);
	fuzz_fill(plan.inner + IP_LEN, len - IP_LEN);
	/* A port where the receiver expects no ESP. */
	put16(plan.inner + IP_LEN + 2, 9000);
	put16(plan.inner + IP_LEN + 4, len - IP_LEN);
	put16(plan.inner + IP_LEN + 6, 0);
	plan.next = NEXT_IPV4;
	plan.pad = plan.pad_field = -(len + 2) % 4;
}

static void begin_v6(void)
{
	size_t len = fuzz_below(INNER_MAX);

	begin(SPI_OPEN, IP_LEN + UDP_LEN);
	put_ip6(plan.inner, "2001:db8:a::1", "2001:db8:b::1", fuzz_number(), len);
	fuzz_fill(plan.inner + IP6_LEN, len);
	plan.inner_len = IP6_LEN + len;
	plan.next = NEXT_IPV6;
}

static void begin_any(void)
{
	begin(fuzz_one_in(2) ? SPI_STRICT : SPI_OPEN,
	      fuzz_between(IP_LEN + UDP_LEN, INNER_MAX));
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
		return len >= ESP_HEADER && (spi == SPI_STRICT || spi == SPI_OPEN);
	if (len < 4)
		return len > 1 || (len == 1 && *bytes != 0xff);
	return spi != 0;
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
	if (o->v6 || fuzz_one_in(2))
		sum_udp(ip, o, udp, UDP_LEN + len);
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
	seal(&plan, &esp);
}

static void good_v6(void)
{
	begin_v6();
	seal(&plan, &esp);
}

static void replayed(void)
{
	begin_any();
	plan.sequence = in.sequence = in.sequence - 1;
	seal(&plan, &esp);
}

static void old(void)
{
	begin_any();
	plan.sequence = fuzz_below(plan.sequence);
	seal(&plan, &esp);
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
	esp.len = fuzz_below(fuzz_one_in(2) ? OVERHEAD + 4 : esp.len);
}

static void pad_length(void)
{
	begin_any();
	plan.pad_field = fuzz_number();
	seal(&plan, &esp);
}

static void more_padding(void)
{
	begin_any();
	plan.pad = plan.pad_field = fuzz_number();
	seal(&plan, &esp);
}

static void next_header(void)
{
	begin_any();
	plan.next = fuzz_number();
	seal(&plan, &esp);
}

static void dummy(void)
{
	begin_any();
	plan.next = NEXT_NONE;
	seal(&plan, &esp);
}

static void inner_garbage(void)
{
	begin_any();
	plan.inner_len = fuzz_below(fuzz_one_in(2) ? IP6_LEN + 4 : INNER_MAX);
	fuzz_fill(plan.inner, plan.inner_len);
	plan.next = fuzz_one_in(2) ? NEXT_IPV4 : NEXT_IPV6;
	if (plan.inner_len && fuzz_one_in(2))
		plan.inner[0] = (plan.next == NEXT_IPV4 ? 0x40 : 0x60) | (plan.inner[0] & 15);
	seal(&plan, &esp);
}

static void inner_altered(void)
{
	if (fuzz_one_in(2))
		begin_v6();
	else
		begin_any();
	fuzz_flip(plan.inner, plan.next == NEXT_IPV6 ? IP6_LEN : IP_LEN);
	/* As if it were meant: what is behind the checksum is looked at too. */
	if (plan.next == NEXT_IPV4 && (plan.inner[0] & 15) >= 5 && fuzz_one_in(2))
		sum_ip(plan.inner);
	seal(&plan, &esp);
}

static void outside_selectors(void)
{
	begin(SPI_STRICT, fuzz_between(IP_LEN + UDP_LEN, INNER_MAX));
	fuzz_fill(plan.inner + 12, 8);
	sum_ip(plan.inner);
	seal(&plan, &esp);
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

/* One of TCP's, so that what comes out in a row can be joined. */
static void good_tcp(size_t size)
{
	uint8_t *tcp = plan.inner + IP_LEN;

	begin(SPI_OPEN, size - OVERHEAD);
	put_ip(plan.inner, "10.1.0.1", "10.2.0.1", IPPROTO_TCP, size - OVERHEAD - IP_LEN);
	put16(plan.inner + 4, in.sequence);
	sum_ip(plan.inner);
	plan.pad = plan.pad_field = 0;
	put16(tcp, 1024);
	put16(tcp + 2, 1025);
	put32(tcp + 4, in.tcp_sequence);
	put32(tcp + 8, 1);
	tcp[12] = 5 << 4;
	tcp[13] = fuzz_one_in(8) ? fuzz_number() : 0x10;
	put32(tcp + 14, 0x04000000);
	put16(tcp + 18, 0);
	in.tcp_sequence += size - OVERHEAD - IP_LEN - TCP_LEN;
	if (fuzz_one_in(8))
		fuzz_flip(plan.inner, IP_LEN + TCP_LEN);
	seal(&plan, &esp);
}

/* A packet of exactly @size bytes, of any kind that can have it. */
static void segment(size_t size)
{
	if (size >= OVERHEAD + IP_LEN + TCP_LEN && !fuzz_one_in(4)) {
		good_tcp(size);
		if (fuzz_one_in(16))
			fuzz_flip(esp.data, esp.len);
		return;
	}
	kinds[fuzz_below(sizeof(kinds) / sizeof(*kinds))]();
	if (esp.len < size)
		fuzz_fill(esp.data + esp.len, size - esp.len);
	esp.len = size;
}

static struct sockaddr_in target(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(ENCAP_PORT) };

	inet_pton(AF_INET, OUTER_TO, &to.sin_addr);
	return to;
}

static void send_to_target(int fd, const struct packet *p)
{
	struct sockaddr_in to = target();

	if (fd == in.native)
		to.sin_port = 0;
	/* An error of what went before may be told now. */
	while (sendto(fd, p->data, p->len, 0, (struct sockaddr *)&to, sizeof(to)) < 0)
		if (errno != ECONNREFUSED && errno != EPROTO && errno != ENOPROTOOPT)
			die("sendto: %s", strerror(errno));
}

static unsigned int train(void)
{
	static struct packet all;
	size_t size = fuzz_between(1, fuzz_one_in(4) ? 64 : SEGMENT_MAX), last;
	unsigned int n = fuzz_between(2, TRAIN_MAX), i, count = 0;
	int gso = size;

	if (n * size > TRAIN_BYTES)
		n = TRAIN_BYTES / size;
	last = fuzz_between(1, size);
	for (all.len = i = 0; i < n; i++) {
		segment(i + 1 < n ? size : last);
		memcpy(all.data + all.len, esp.data, esp.len);
		all.len += esp.len;
		count += expect(esp.data, esp.len, true);
	}
	if (setsockopt(in.udp, SOL_UDP, UDP_SEGMENT, &gso, sizeof(gso)))
		die("UDP_SEGMENT: %s", strerror(errno));
	send_to_target(in.udp, &all);
	return count;
}

/* More than a link takes: IP cuts it, and at the other end it is a list of fragments. */
static unsigned int giant(void)
{
	bool udp = fuzz_one_in(2);
	int gso = 0;

	begin(SPI_OPEN, fuzz_between(SEGMENT_MAX, 60000));
	if (fuzz_one_in(4))
		plan.pad_field = 255;
	seal(&plan, &esp);
	if (fuzz_one_in(4))
		fuzz_flip(esp.data + 4, esp.len - 4);
	if (setsockopt(in.udp, SOL_UDP, UDP_SEGMENT, &gso, sizeof(gso)))
		die("UDP_SEGMENT: %s", strerror(errno));
	send_to_target(udp ? in.udp : in.native, &esp);
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

static uint8_t hex(const char *text)
{
	unsigned int value;

	if (sscanf(text, "%2x", &value) != 1)
		die("'%s' is no key", text);
	return value;
}

static void open_in(const struct ways *ways)
{
	int off = IP_PMTUDISC_DONT, room = 1 << 22;
	struct sockaddr_in from = { .sin_family = AF_INET, .sin_port = htons(ENCAP_PORT) };
	uint8_t key[KEY + SALT];
	unsigned int i;

	in.tap = ways->tap;
	if (strlen(ways->key) != 2 * sizeof(key))
		die("the key is not one of AES-GCM-128 with its salt");
	for (i = 0; i < sizeof(key); i++)
		key[i] = hex(ways->key + 2 * i);
	memcpy(in.salt, key + KEY, SALT);
	in.cipher = EVP_CIPHER_CTX_new();
	if (!in.cipher || !EVP_EncryptInit_ex(in.cipher, EVP_aes_128_gcm(), NULL, key, NULL))
		die("no AES-GCM");
	in_namespace(ways->sender);
	in.udp = open_socket(AF_INET, SOCK_DGRAM, 0);
	in.native = open_socket(AF_INET, SOCK_RAW, IPPROTO_ESP);
	inet_pton(AF_INET, OUTER_FROM, &from.sin_addr);
	if (bind(in.udp, (struct sockaddr *)&from, sizeof(from)))
		die("port %d: %s", ENCAP_PORT, strerror(errno));
	setsockopt(in.udp, SOL_IP, IP_MTU_DISCOVER, &off, sizeof(off));
	setsockopt(in.native, SOL_IP, IP_MTU_DISCOVER, &off, sizeof(off));
	setsockopt(in.udp, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	setsockopt(in.native, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
}

const struct half fuzz_in = { .open = open_in, .send = send_one };
