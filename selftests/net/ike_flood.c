// SPDX-License-Identifier: MIT
/*
 * ike_flood ADDRESS LEAST RATE: IKE_SA_INIT requests to that address, RATE a second, each from another
 * address in 198.18.0.0/15 (RFC 2544), which nobody has. They are well-formed: only that their sender
 * does not get what is answered can show what they are. It goes on until SIGTERM, and until LEAST were
 * tried. Prints how many were sent, how many bytes of IKE that was, and in how many seconds. Wants
 * CAP_NET_RAW.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

enum {
	IKE_PORT = 500,
	BATCH = 64,
	SPI_AT = 0,
	KE_AT = 28 + 40 + 8, /* IKE header, SA payload, KE payload until its data */
	SOURCES = 0xc6120000, /* 198.18.0.0 */
	SOURCES_MASK = 0x1ffff,
};

/*
 * RFC 7296 section 3: header; SA with one proposal of AES-GCM-16 with 128 bits, PRF_HMAC_SHA2_256 and
 * CURVE25519; KE; a nonce of 44 bytes, which makes room for the whole of an answer.
 */
static const uint8_t template[] = {
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 33, 0x20, 34, 0x08, 0, 0, 0, 0,
	0, 0, 0, 28 + 40 + 40 + 48,
	34, 0, 0, 40, 0, 0, 0, 36, 1, 1, 0, 3,
	3, 0, 0, 12, 1, 0, 0, 20, 0x80, 14, 0, 128,
	3, 0, 0, 8, 2, 0, 0, 5,
	0, 0, 0, 8, 4, 0, 0, 31,
	40, 0, 0, 40, 0, 31, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0,
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	0, 0, 0, 48, 'a', ' ', 'n', 'o', 'n', 'c', 'e', ' ', 'o', 'f', ' ', 'n', 'o', 'b', 'o', 'd',
	'y', '\'', 's', ',', ' ', 'l', 'o', 'n', 'g', ' ', 'e', 'n', 'o', 'u', 'g', 'h', ' ', 'f', 'o',
	'r', ' ', 'a', 'n', 's', 'w', 'e', 'r', 's',
};

_Static_assert(sizeof(template) == 28 + 40 + 40 + 48, "its lengths are those that it tells");

struct packet {
	struct iphdr ip;
	struct udphdr udp;
	uint8_t ike[sizeof(template)];
};

static uint64_t state = 88172645463325252;

/* xorshift64: the same flood each time. */
static uint64_t next_random(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

static void make(struct packet *p, in_addr_t to)
{
	uint64_t spi = next_random();

	*p = (struct packet){
		.ip = {.version = 4, .ihl = 5, .ttl = 64, .protocol = IPPROTO_UDP, .daddr = to,
		       .saddr = htonl(SOURCES | (next_random() & SOURCES_MASK)),
		       .tot_len = htons(sizeof(*p))},
		.udp = {.source = htons(IKE_PORT), .dest = htons(IKE_PORT),
			.len = htons(sizeof(*p) - sizeof(p->ip))},
	};
	memcpy(p->ike, template, sizeof(template));
	memcpy(p->ike + SPI_AT, &spi, sizeof(spi));
	/* Another point each time: the last bit of an u-coordinate is ignored, all others are good. */
	memcpy(p->ike + KE_AT, &spi, sizeof(spi));
}

static volatile sig_atomic_t asked_to_end;

static void on_term(int signal_number)
{
	(void)signal_number;
	asked_to_end = 1;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static void wait_until(double when)
{
	double left = when - now();
	struct timespec t = {left, (left - (long)left) * 1e9};

	if (left > 0)
		nanosleep(&t, NULL);
}

static unsigned int send_batch(int fd, const struct sockaddr_in *to)
{
	static struct packet packets[BATCH];
	struct mmsghdr messages[BATCH] = {0};
	struct iovec parts[BATCH];
	int sent;

	for (unsigned int i = 0; i < BATCH; i++) {
		make(&packets[i], to->sin_addr.s_addr);
		parts[i] = (struct iovec){&packets[i], sizeof(packets[i])};
		messages[i].msg_hdr = (struct msghdr){.msg_name = (void *)to,
						      .msg_namelen = sizeof(*to),
						      .msg_iov = &parts[i],
						      .msg_iovlen = 1};
	}
	sent = sendmmsg(fd, messages, BATCH, 0);
	if (sent < 0 && errno != ENOBUFS && errno != EAGAIN) {
		perror("sendmmsg");
		exit(1);
	}
	return sent > 0 ? sent : 0;
}

int main(int argc, char **argv)
{
	struct sockaddr_in to = {.sin_family = AF_INET};
	unsigned long least, rate, sent = 0, tried = 0;
	double start = now();
	int fd;

	if (argc != 4 || inet_pton(AF_INET, argv[1], &to.sin_addr) != 1) {
		fprintf(stderr, "usage: ike_flood ADDRESS LEAST RATE\n");
		return 2;
	}
	least = strtoul(argv[2], NULL, 10);
	rate = strtoul(argv[3], NULL, 10);
	fd = socket(AF_INET, SOCK_RAW, IPPROTO_RAW);
	if (fd < 0 || !rate) {
		perror("socket");
		return 1;
	}
	signal(SIGTERM, on_term);
	while (tried < least || !asked_to_end) {
		sent += send_batch(fd, &to);
		tried += BATCH;
		wait_until(start + (double)tried / rate);
	}
	printf("%lu %lu %.1f\n", sent, sent * sizeof(template), now() - start);
	return 0;
}
