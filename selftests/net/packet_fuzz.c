// SPDX-License-Identifier: MIT
/*
 * Packets that no right sender makes, by the thousand, at both ends of the data plane; and each must be
 * accounted for: what came in has been delivered or dropped for a reason that has a name.
 *
 * usage: packet_fuzz in|out SENDER TARGET KEY SECONDS SEED [ROUND]
 *	in	ESP of all kinds from namespace SENDER (trains, giants) and tap0 of TARGET (the rest) to
 *		TARGET's SAs of KEY, those of packet_fuzz_esp.c
 *	out	cleartext of all kinds to tap0, ipsec0 and the policies of SENDER, whose ESP goes to TARGET
 * Packets depend on SEED and the number of the round alone. After each round the counters are compared;
 * the first that does not balance is named. ROUND runs it alone and compares after each packet.
 *
 *	packet_fuzz.c		numbers, frames, rounds and the balance
 *	packet_fuzz_in.c	what comes in,
 *	packet_fuzz_esp.c	and how it is made ESP
 *	packet_fuzz_out.c	what goes out
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/if_ether.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "dataplane/client.h"
#include "packet_fuzz.h"

enum {
	ROUND = 96,		/* packets, or trains of them */
	WATCHED = 8,		/* so many rounds with a packet socket, so many without */
	PIECES = 16,		/* MAX_SKB_FRAGS is 17 */
	PIECE_MAX = 4096,	/* what a tap takes for one */
	PATIENCE = 30,		/* seconds until what was sent must have been counted */
};

void die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("packet_fuzz: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
	exit(EXIT_FAILURE);
}

/* Numbers */

static uint64_t state;

/* Steele, Lea, Flood: "Fast splittable pseudorandom number generators", section 5. */
static uint64_t mix(uint64_t z)
{
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

uint32_t fuzz_number(void)
{
	state += 0x9e3779b97f4a7c15;
	return mix(state) >> 32;
}

uint32_t fuzz_below(uint32_t n)
{
	return (uint64_t)fuzz_number() * n >> 32;
}

uint32_t fuzz_between(uint32_t low, uint32_t high)
{
	return low + fuzz_below(high - low + 1);
}

bool fuzz_one_in(uint32_t n)
{
	return !fuzz_below(n);
}

void fuzz_fill(uint8_t *to, size_t len)
{
	while (len--)
		*to++ = fuzz_number();
}

void fuzz_flip(uint8_t *bytes, size_t len)
{
	bytes[fuzz_below(len)] ^= 1 << fuzz_below(8);
}

/* Headers */

void put16(uint8_t *to, uint16_t value)
{
	to[0] = value >> 8;
	to[1] = value;
}

void put32(uint8_t *to, uint32_t value)
{
	put16(to, value >> 16);
	put16(to + 2, value);
}

uint32_t get32(const uint8_t *from)
{
	return (uint32_t)from[0] << 24 | from[1] << 16 | from[2] << 8 | from[3];
}

uint32_t sum_bytes(const uint8_t *bytes, size_t len, uint32_t sum)
{
	size_t i;

	for (i = 0; i < len; i++)
		sum += i % 2 ? bytes[i] : bytes[i] << 8;
	return sum;
}

uint16_t sum_fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

void sum_ip(uint8_t *header)
{
	put16(header + 10, 0);
	put16(header + 10, sum_fold(sum_bytes(header, (header[0] & 15) * 4, 0)));
}

size_t put_ip(uint8_t *to, const char *from_address, const char *to_address, uint8_t protocol,
	      size_t payload)
{
	memset(to, 0, IP_LEN);
	to[0] = 0x45;
	put16(to + 2, IP_LEN + payload);
	put16(to + 4, fuzz_number());
	to[8] = 64;
	to[9] = protocol;
	if (inet_pton(AF_INET, from_address, to + 12) != 1 ||
	    inet_pton(AF_INET, to_address, to + 16) != 1)
		die("bad address %s or %s", from_address, to_address);
	sum_ip(to);
	return IP_LEN;
}

size_t put_ip6(uint8_t *to, const char *from_address, const char *to_address, uint8_t protocol,
	       size_t payload)
{
	memset(to, 0, IP6_LEN);
	put32(to, 6U << 28);
	put16(to + 4, payload);
	to[6] = protocol;
	to[7] = 64;
	if (inet_pton(AF_INET6, from_address, to + 8) != 1 ||
	    inet_pton(AF_INET6, to_address, to + 24) != 1)
		die("bad address %s or %s", from_address, to_address);
	return IP6_LEN;
}

/* Sockets */

void in_namespace(const char *name)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "/run/netns/%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWNET))
		die("%s: %s", path, strerror(errno));
	close(fd);
}

int open_socket(int family, int type, int protocol)
{
	int fd = socket(family, type | SOCK_CLOEXEC, protocol);

	if (fd < 0)
		die("socket: %s", strerror(errno));
	return fd;
}

static int open_tap(const char *name)
{
	struct ifreq request = { .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR | IFF_NAPI |
					      IFF_NAPI_FRAGS };
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);

	strncpy(request.ifr_name, name, IFNAMSIZ - 1);
	if (fd < 0 || ioctl(fd, TUNSETIFF, &request))
		die("%s: %s", name, strerror(errno));
	return fd;
}

/* Each piece becomes a fragment of the skb, the first its linear part. Returns how many there are. */
static int scatter(struct iovec *pieces, uint8_t *frame, size_t len, size_t linear)
{
	size_t left = len - linear, size, least;
	int n = 0;

	pieces[n++] = (struct iovec){ frame, linear };
	for (frame += linear; left; left -= size, frame += size) {
		least = (left + PIECES - n) / (PIECES + 1 - n);
		size = fuzz_between(1, left < PIECE_MAX ? left : PIECE_MAX);
		if (size < least)
			size = least;
		pieces[n++] = (struct iovec){ frame, size };
	}
	return n;
}

bool send_frame(int tap, bool v6, const uint8_t *ip, size_t len, bool scattered,
		const struct offload *o)
{
	static uint8_t frame[sizeof(struct virtio_net_hdr) + ETH_HLEN + PACKET_MAX];
	const size_t headers = sizeof(struct virtio_net_hdr) + ETH_HLEN;
	struct virtio_net_hdr *vnet = (struct virtio_net_hdr *)frame;
	struct iovec pieces[PIECES + 2];
	size_t linear = headers + len;
	int n;

	memset(frame, 0, headers);
	if (o) {
		vnet->gso_type = o->gso_type;
		vnet->gso_size = o->size;
		vnet->hdr_len = o->header;
		vnet->flags = o->csum_start ? VIRTIO_NET_HDR_F_NEEDS_CSUM : 0;
		vnet->csum_start = o->csum_start ? ETH_HLEN + o->csum_start : 0;
		vnet->csum_offset = o->csum_offset;
	}
	memcpy(frame + sizeof(*vnet), "\2\0\0\0\0\2\2\0\0\0\0\1", 2 * ETH_ALEN);
	put16(frame + headers - 2, v6 ? ETHERTYPE_V6 : ETHERTYPE_V4);
	memcpy(frame + headers, ip, len);
	if (scattered && len > 1)
		linear = headers + fuzz_below(len < 100 ? len : 100);
	n = scatter(pieces, frame, headers + len, linear);
	/* Busy: what it was given last is still on its way. */
	while (writev(tap, pieces, n) < 0)
		if (errno != EBUSY && errno != EAGAIN && errno != EINTR)
			return false;
	return true;
}

/* Whoever watches packets makes the stack work on clones. */
static void watch(const char *namespace, bool on)
{
	static int fd = -1;
	int room = 1 << 23;
	uint8_t some[64];

	if (on && fd < 0) {
		in_namespace(namespace);
		fd = open_socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL));
		setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
	} else if (!on && fd >= 0) {
		close(fd);
		fd = -1;
	}
	while (fd >= 0 && recv(fd, some, sizeof(some), MSG_DONTWAIT) >= 0)
		;
}

/* The balance */

struct counts {
	uint64_t in, out, dropped;
	size_t n_reasons;
	char reasons[DP_MAX_DROPS][32];
	uint64_t by_reason[DP_MAX_DROPS];
};

static void take_counts(void *arg, const struct dp_stats *stats)
{
	struct counts *c = arg;
	size_t i;

	*c = (struct counts){ .in = stats->in_packets, .out = stats->out_packets,
			      .n_reasons = stats->n_drops };
	for (i = 0; i < stats->n_drops; i++) {
		snprintf(c->reasons[i], sizeof(c->reasons[i]), "%s", stats->drops[i].reason);
		c->by_reason[i] = stats->drops[i].count;
		c->dropped += stats->drops[i].count;
	}
}

static struct dp *open_dp(const char *namespace)
{
	const char *why;
	struct dp *dp;

	in_namespace(namespace);
	dp = dp_open(&why);
	if (!dp)
		die("%s: %s", namespace, why);
	return dp;
}

static void read_counts(struct dp *dp, struct counts *c)
{
	if (dp_stats_get(dp, take_counts, c))
		die("stats-get: %s", dp_why(dp));
}

/* One end: what it was given, and what became of that. */
struct end {
	const char *name;
	struct dp *dp;
	bool sends;
	struct counts first, now;
};

static uint64_t accounted(struct end *end)
{
	read_counts(end->dp, &end->now);
	return end->now.dropped - end->first.dropped +
	       (end->sends ? end->now.out - end->first.out : end->now.in - end->first.in);
}

static void say_counts(const struct end *end, uint64_t given)
{
	size_t i;

	printf("%s: %" PRIu64 " packets:", end->name, given);
	if (end->sends)
		printf(" %" PRIu64 " sent", end->now.out - end->first.out);
	else
		printf(" %" PRIu64 " delivered", end->now.in - end->first.in);
	for (i = 0; i < end->now.n_reasons; i++)
		if (end->now.by_reason[i] != end->first.by_reason[i])
			printf(", %" PRIu64 " %s", end->now.by_reason[i] - end->first.by_reason[i],
			       end->now.reasons[i]);
	printf("\n");
}

/* False if the counters of this end do not come to what it was given. */
static bool balances(struct end *end, uint64_t given)
{
	const struct timespec pause = { .tv_nsec = 2000000 };
	time_t until = time(NULL) + PATIENCE;

	while (accounted(end) < given && time(NULL) < until)
		nanosleep(&pause, NULL);
	return accounted(end) == given;
}

static bool all_balance(struct end *ends, uint64_t given)
{
	/* What the sending end did not drop is what the other was given. */
	return balances(&ends[0], given) &&
	       (!ends[0].sends || balances(&ends[1], ends[0].now.out - ends[0].first.out));
}

static void say_all(const struct end *ends, uint64_t given)
{
	say_counts(&ends[0], given);
	if (ends[0].sends)
		say_counts(&ends[1], ends[0].now.out - ends[0].first.out);
}

static void begin_round(uint64_t seed, uint32_t round)
{
	state = mix(seed ^ mix(round + 1));
}

static uint64_t one_round(const struct half *half, uint64_t seed, uint32_t round)
{
	uint64_t given = 0;
	unsigned int i;

	begin_round(seed, round);
	for (i = 0; i < ROUND; i++)
		given += half->send(round, i);
	return given;
}

/* Names the first packet that is not accounted for. */
static int look_closely(const struct half *half, struct end *ends, uint64_t seed, uint32_t round)
{
	uint64_t given = 0;
	unsigned int i;

	begin_round(seed, round);
	for (i = 0; i < ROUND; i++) {
		given += half->send(round, i);
		if (!all_balance(ends, given)) {
			printf("seed %" PRIu64 ", round %u, packet %u of it\n", seed, round, i);
			say_all(ends, given);
			return EXIT_FAILURE;
		}
	}
	printf("seed %" PRIu64 ", round %u: all balances\n", seed, round);
	return EXIT_SUCCESS;
}

static uint64_t number(const char *text)
{
	char *end;
	uint64_t value = strtoull(text, &end, 0);

	if (end == text || *end)
		die("'%s' is not a number", text);
	return value;
}

int main(int argc, char **argv)
{
	uint64_t seed, given = 0, before;
	uint32_t round;
	const struct half *half;
	struct end ends[2] = {};
	struct ways ways = {};
	time_t until;

	if (argc < 7)
		die("usage: packet_fuzz in|out SENDER TARGET KEY SECONDS SEED [ROUND]");
	half = strcmp(argv[1], "out") ? &fuzz_in : &fuzz_out;
	ways = (struct ways){ .sender = argv[2], .target = argv[3], .key = argv[4] };
	seed = number(argv[6]);
	ends[0].sends = half == &fuzz_out;
	ends[0].name = ends[0].sends ? ways.sender : ways.target;
	ends[1].name = ways.target;
	ends[0].dp = open_dp(ends[0].name);
	ends[1].dp = open_dp(ends[1].name);
	in_namespace(ends[0].name);
	ways.tap = open_tap("tap0");
	half->open(&ways);
	read_counts(ends[0].dp, &ends[0].first);
	read_counts(ends[1].dp, &ends[1].first);
	if (argc > 7) {
		watch(ends[0].name, number(argv[7]) / WATCHED % 2);
		return look_closely(half, ends, seed, number(argv[7]));
	}
	until = time(NULL) + number(argv[5]);
	for (round = 0; !round || time(NULL) < until; round++) {
		watch(ends[0].name, round / WATCHED % 2);
		before = given;
		given += one_round(half, seed, round);
		if (!all_balance(ends, given)) {
			printf("seed %" PRIu64 ", round %u, %" PRIu64 " packets before it\n", seed, round, before);
			say_all(ends, given);
			return EXIT_FAILURE;
		}
	}
	printf("seed %" PRIu64 ", %u rounds\n", seed, round);
	say_all(ends, given);
	return EXIT_SUCCESS;
}
