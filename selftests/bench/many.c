// SPDX-License-Identifier: MIT
/*
 * Many SAs and policies at once, given to esplane.ko or to xfrm in the same way: requests in batches, over a bare
 * netlink socket, so that little is counted but the kernel's work. Two SAs and two policies make a tunnel: a host behind
 * this end, one behind the other, and a peer of its own.
 *
 * xfrm is asked for what it does best: policies of single hosts, which it hashes, no answers but to the last request of
 * a batch, and the small window that needs no memory of its own; esplane.ko has its smallest.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <linux/esplane.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <linux/xfrm.h>
#include <sys/socket.h>

#include "program.h"

static const char usage[] =
	"usage: many NAMESPACE esplane|xfrm SAS POLICIES [dump] [flush]\n"
	"adds so many, lists them, takes them away; prints a line for each step: its name, the nanoseconds that the CPU was\n"
	"busy until all was done, also what is done later, and the bytes of memory that it took. Needs esplane_bench.ko.\n";

enum {
	BATCH = 64,
	ROOM = 64 << 10,	/* of a batch */
	ANSWERS = 1 << 20,
	QUIET_US = 50000,
	QUIET_TIMES = 6,	/* grace periods of RCU lie between one step and the next of taking away */
	PRIORITY = 50,
	/* One for all: xfrm hashes it with the addresses, and one that counts up with them undoes their spread. */
	REQID = 1,
	FIRST_SPI = 0x100000,
	REPLAY_WINDOW = 64, XFRM_REPLAY_WINDOW = 32,
	AES_GCM_16 = 20,	/* RFC 7296 section 3.3.2 */
	KEY_LEN = 20,		/* with salt */
	ICV_BITS = 128,
	OUTER = 0xc0000201,	/* 192.0.2.1 */
	PEERS = 0xc6120000,	/* 198.18.0.0 */
	HOST = 0x0a010001,	/* 10.1.0.1 */
	HOSTS = 0x0a400000,	/* 10.64.0.0 */
};

/* Time and memory */

/* Until there has been next to nothing to do for a while. */
static void wait_for_quiet(void)
{
	uint64_t from, rest;
	int quiet = 0;

	while (quiet < QUIET_TIMES) {
		from = now();
		rest = idle();
		usleep(QUIET_US);
		rest = idle() - rest;
		quiet = rest * 10 > (now() - from) * 9 ? quiet + 1 : 0;
	}
}

static int64_t memory(void)
{
	char line[128];
	int64_t kib = -1;
	FILE *file = fopen("/proc/meminfo", "re");

	if (!file)
		die("/proc/meminfo: %s", strerror(errno));
	while (kib < 0 && fgets(line, sizeof(line), file))
		sscanf(line, "MemFree: %" SCNd64, &kib);
	fclose(file);
	return kib * 1024;
}

static struct {
	uint64_t busy;
	int64_t memory;
} begin;

static void step_begin(void)
{
	wait_for_quiet();
	begin.memory = memory();
	begin.busy = busy_time();
}

static void step_end(const char *name)
{
	uint64_t busy;

	wait_for_quiet();
	busy = busy_time() - begin.busy;
	printf("%s %" PRIu64 " %" PRId64 "\n", name, busy, begin.memory - memory());
	fflush(stdout);
}

/* Messages */

static int fd;
static uint8_t batch[ROOM], answers[ANSWERS];
static size_t used;
static struct nlmsghdr *message;
static unsigned int waiting;		/* requests of the batch that are not answered */

static void *append(size_t len)
{
	void *at = batch + used;

	if (used + NLMSG_ALIGN(len) > sizeof(batch))
		die("a batch is too long");
	memset(at, 0, NLMSG_ALIGN(len));
	used += NLMSG_ALIGN(len);
	return at;
}

static void *begin_message(uint16_t type, uint16_t flags, size_t header_len)
{
	message = append(NLMSG_HDRLEN);
	message->nlmsg_type = type;
	message->nlmsg_flags = NLM_F_REQUEST | flags;
	waiting++;
	return append(header_len);
}

static void end_message(void)
{
	message->nlmsg_len = batch + used - (uint8_t *)message;
}

static struct nlattr *begin_attr(uint16_t type)
{
	struct nlattr *attr = append(NLA_HDRLEN);

	attr->nla_type = type;
	return attr;
}

static void end_attr(struct nlattr *attr)
{
	attr->nla_len = batch + used - (uint8_t *)attr;
}

static void put(uint16_t type, const void *data, size_t len)
{
	struct nlattr *attr = begin_attr(type);

	memcpy(append(len), data, len);
	attr->nla_len = NLA_HDRLEN + len;
}

static void put_u32(uint16_t type, uint32_t value) { put(type, &value, sizeof(value)); }
static void put_be32(uint16_t type, uint32_t value) { put_u32(type, htonl(value)); }

static void send_batch(void)
{
	if (used)
		must(send(fd, batch, used, 0), "send");
	used = 0;
}

/* One answer to each of the @n last requests, or one in all if only the last asked for it; 0: all of a dump. */
static unsigned long read_answers(unsigned int n, void (*got)(const struct nlmsghdr *answer))
{
	unsigned long count = 0;
	struct nlmsghdr *answer;
	int len;

	for (;;) {
		len = must(recv(fd, answers, sizeof(answers), 0), "recv");
		for (answer = (struct nlmsghdr *)answers; NLMSG_OK(answer, (unsigned int)len);
		     answer = NLMSG_NEXT(answer, len)) {
			const struct nlmsgerr *error = NLMSG_DATA(answer);

			if (answer->nlmsg_type == NLMSG_DONE)
				return count;
			if (answer->nlmsg_type == NLMSG_ERROR && error->error)
				die("refused: %s", strerror(-error->error));
			count++;
			if (got)
				got(answer);
		}
		if (n && count >= n)
			return count;
	}
}

/* xfrm */

struct tunnel {
	unsigned int i;
	bool out;
	uint32_t src, dst, from, to;	/* outer and inner addresses */
};

/* The 2i-th of all is inbound, the next outbound. */
static struct tunnel tunnel(unsigned int n)
{
	struct tunnel t = { .i = n, .out = n % 2 };
	uint32_t peer = PEERS + n / 2, host = HOSTS + n / 2;

	t.src = t.out ? OUTER : peer;
	t.dst = t.out ? peer : OUTER;
	t.from = t.out ? HOST : host;
	t.to = t.out ? host : HOST;
	return t;
}

static void key_of(uint8_t key[KEY_LEN], unsigned int n)
{
	memset(key, 0x5a, KEY_LEN);
	memcpy(key, &n, sizeof(n));
}

static const struct xfrm_lifetime_cfg forever = { XFRM_INF, XFRM_INF, XFRM_INF, XFRM_INF, 0, 0, 0, 0 };

static void xfrm_sa(unsigned int n, uint16_t flags)
{
	struct xfrm_usersa_info *sa = begin_message(XFRM_MSG_NEWSA, NLM_F_CREATE | NLM_F_EXCL | flags, sizeof(*sa));
	struct tunnel t = tunnel(n);
	struct {
		struct xfrm_algo_aead algorithm;
		uint8_t key[KEY_LEN];
	} aead = { .algorithm = {
		.alg_name = "rfc4106(gcm(aes))", .alg_key_len = KEY_LEN * 8, .alg_icv_len = ICV_BITS,
	} };

	sa->family = AF_INET;
	sa->mode = XFRM_MODE_TUNNEL;
	sa->flags = XFRM_STATE_AF_UNSPEC;
	sa->id.proto = IPPROTO_ESP;
	sa->id.spi = htonl(FIRST_SPI + n);
	sa->id.daddr.a4 = htonl(t.dst);
	sa->saddr.a4 = htonl(t.src);
	sa->reqid = REQID;
	sa->replay_window = XFRM_REPLAY_WINDOW;
	sa->lft = forever;
	key_of((uint8_t *)aead.algorithm.alg_key, n);
	put(XFRMA_ALG_AEAD, &aead.algorithm, sizeof(aead.algorithm) + KEY_LEN);
	end_message();
}

static void xfrm_policy(unsigned int n, uint16_t flags)
{
	struct xfrm_userpolicy_info *policy = begin_message(XFRM_MSG_NEWPOLICY, NLM_F_CREATE | NLM_F_EXCL | flags,
							    sizeof(*policy));
	struct tunnel t = tunnel(n);
	struct xfrm_user_tmpl template = {
		.id = { .daddr.a4 = htonl(t.dst), .proto = IPPROTO_ESP }, .saddr.a4 = htonl(t.src),
		.family = AF_INET, .reqid = REQID, .mode = XFRM_MODE_TUNNEL,
		.aalgos = ~0u, .ealgos = ~0u, .calgos = ~0u,
	};

	policy->sel = (struct xfrm_selector){
		.saddr.a4 = htonl(t.from), .daddr.a4 = htonl(t.to), .prefixlen_s = 32, .prefixlen_d = 32,
		.family = AF_INET,
	};
	policy->lft = forever;
	policy->priority = PRIORITY;
	policy->dir = t.out ? XFRM_POLICY_OUT : XFRM_POLICY_IN;
	put(XFRMA_TMPL, &template, sizeof(template));
	end_message();
}

static void xfrm_request(uint16_t type, uint16_t flags)
{
	/* Of all protocols. Policies have no header here. */
	begin_message(type, flags, type == XFRM_MSG_FLUSHSA ? sizeof(struct xfrm_usersa_flush) : 0);
	end_message();
}

/* esplane */

static uint16_t family;
static uint32_t *sa_ids;
static unsigned int n_ids;

static void begin_genl(uint16_t type, uint8_t command, uint16_t flags)
{
	struct genlmsghdr *header = begin_message(type, flags, GENL_HDRLEN);

	header->cmd = command;
	header->version = 1;
}

static const struct nlattr *first_attr(const struct nlmsghdr *answer)
{
	return (const void *)((const uint8_t *)NLMSG_DATA(answer) + GENL_HDRLEN);
}

static void got_family(const struct nlmsghdr *answer)
{
	const struct nlattr *attr = first_attr(answer);
	const uint8_t *end = (const uint8_t *)answer + answer->nlmsg_len;

	for (; (const uint8_t *)attr < end; attr = (const void *)((const uint8_t *)attr + NLA_ALIGN(attr->nla_len)))
		if (attr->nla_type == CTRL_ATTR_FAMILY_ID)
			memcpy(&family, attr + 1, sizeof(family));
}

static void find_family(void)
{
	begin_genl(GENL_ID_CTRL, CTRL_CMD_GETFAMILY, 0);
	put(CTRL_ATTR_FAMILY_NAME, ESPLANE_FAMILY_NAME, sizeof(ESPLANE_FAMILY_NAME));
	end_message();
	send_batch();
	read_answers(1, got_family);
	waiting = 0;
}

static void put_selector(uint16_t type, const struct tunnel *t)
{
	struct nlattr *nest = begin_attr(type | NLA_F_NESTED);

	put_be32(ESPLANE_A_SELECTOR_SRC_FIRST, t->from);
	put_be32(ESPLANE_A_SELECTOR_SRC_LAST, t->from);
	put_be32(ESPLANE_A_SELECTOR_DST_FIRST, t->to);
	put_be32(ESPLANE_A_SELECTOR_DST_LAST, t->to);
	end_attr(nest);
}

static void esplane_sa(unsigned int n, uint16_t flags)
{
	struct tunnel t = tunnel(n);
	uint8_t key[KEY_LEN];

	key_of(key, n);
	begin_genl(family, ESPLANE_CMD_SA_NEW, 0);
	put_u32(ESPLANE_A_SA_DIRECTION, t.out ? ESPLANE_DIRECTION_OUT : ESPLANE_DIRECTION_IN);
	put_be32(ESPLANE_A_SA_SPI, FIRST_SPI + n);
	put_be32(ESPLANE_A_SA_SRC, t.src);
	put_be32(ESPLANE_A_SA_DST, t.dst);
	put_u32(ESPLANE_A_SA_ENCR, AES_GCM_16);
	put(ESPLANE_A_SA_KEYMAT, key, sizeof(key));
	if (!t.out) {
		put_u32(ESPLANE_A_SA_REPLAY_WINDOW, REPLAY_WINDOW);
		put_selector(ESPLANE_A_SA_SELECTOR, &t);
	}
	end_message();
}

static void got_sa_id(const struct nlmsghdr *answer)
{
	memcpy(&sa_ids[n_ids++], first_attr(answer) + 1, sizeof(*sa_ids));
}

static void esplane_policy(unsigned int n, uint16_t flags)
{
	struct tunnel t = tunnel(n);

	begin_genl(family, ESPLANE_CMD_POLICY_SET, 0);
	put_u32(ESPLANE_A_POLICY_DIRECTION, t.out ? ESPLANE_DIRECTION_OUT : ESPLANE_DIRECTION_IN);
	put_u32(ESPLANE_A_POLICY_ACTION, ESPLANE_ACTION_PROTECT);
	put_u32(ESPLANE_A_POLICY_PRIORITY, PRIORITY);
	put_selector(ESPLANE_A_POLICY_SELECTOR, &t);
	if (t.out && n < n_ids)
		put_u32(ESPLANE_A_POLICY_SA_ID, sa_ids[n]);
	end_message();
}

static void esplane_request(uint16_t type, uint16_t flags)
{
	begin_genl(family, type, flags);
	end_message();
}

static const struct way {
	int protocol;
	bool answers_each;
	void (*sa)(unsigned int n, uint16_t flags);
	void (*policy)(unsigned int n, uint16_t flags);
	void (*got_sa)(const struct nlmsghdr *answer);
	void (*request)(uint16_t type, uint16_t flags);
	uint16_t dump_sa, dump_policy, flush_sa, flush_policy;
} ways[] = {
	{ NETLINK_XFRM, false, xfrm_sa, xfrm_policy, NULL, xfrm_request,
	  XFRM_MSG_GETSA, XFRM_MSG_GETPOLICY, XFRM_MSG_FLUSHSA, XFRM_MSG_FLUSHPOLICY },
	{ NETLINK_GENERIC, true, esplane_sa, esplane_policy, got_sa_id, esplane_request,
	  ESPLANE_CMD_SA_GET, ESPLANE_CMD_POLICY_GET, ESPLANE_CMD_SA_FLUSH, ESPLANE_CMD_POLICY_FLUSH },
};

/* Steps */

static void add(const struct way *way, const char *name, unsigned int n,
		void (*one)(unsigned int n, uint16_t flags), void (*got)(const struct nlmsghdr *answer))
{
	unsigned int i;
	bool last;

	step_begin();
	for (i = 0; i < n; i++) {
		last = waiting == BATCH - 1 || i == n - 1;
		one(i, last ? NLM_F_ACK : 0);
		if (last) {
			send_batch();
			read_answers(way->answers_each ? waiting : 1, got);
			waiting = 0;
		}
	}
	step_end(name);
}

static void list(const struct way *way, const char *name, uint16_t type, unsigned int n)
{
	unsigned long count;

	step_begin();
	way->request(type, NLM_F_DUMP);
	send_batch();
	count = read_answers(0, NULL);
	waiting = 0;
	step_end(name);
	if (count < n)
		die("%s: %lu of %u", name, count, n);
}

static void flush(const struct way *way, const char *name, uint16_t type)
{
	step_begin();
	way->request(type, NLM_F_ACK);
	send_batch();
	read_answers(1, NULL);
	waiting = 0;
	step_end(name);
}

static void enter(const char *namespace)
{
	char path[128];
	int ns;

	snprintf(path, sizeof(path), "/run/netns/%s", namespace);
	ns = must(open(path, O_RDONLY | O_CLOEXEC), path);
	must(setns(ns, CLONE_NEWNET), path);
	close(ns);
}

static void open_socket(const struct way *way)
{
	int room = ANSWERS * 8;

	fd = must(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, way->protocol), "socket");
	must(setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room)), "SO_RCVBUFFORCE");
	if (way->protocol == NETLINK_GENERIC)
		find_family();
}

int main(int argc, char **argv)
{
	const struct way *way;
	unsigned int sas, policies;
	int i;

	if (argc < 5) {
		fputs(usage, stderr);
		return EXIT_FAILURE;
	}
	way = &ways[!strcmp(argv[2], "esplane")];
	sas = strtoul(argv[3], NULL, 0);
	policies = strtoul(argv[4], NULL, 0);
	sa_ids = calloc(sas + 1, sizeof(*sa_ids));
	if (!sa_ids)
		die("no memory");
	memset(sa_ids, 1, (sas + 1) * sizeof(*sa_ids));	/* its pages count for no step */
	enter(argv[1]);
	open_socket(way);
	add(way, "install-sa", sas, way->sa, way->got_sa);
	add(way, "install-policy", policies, way->policy, NULL);
	for (i = 5; i < argc; i++) {
		if (!strcmp(argv[i], "dump")) {
			list(way, "dump-sa", way->dump_sa, sas);
			list(way, "dump-policy", way->dump_policy, policies);
		} else {
			flush(way, "flush-policy", way->flush_policy);
			flush(way, "flush-sa", way->flush_sa);
		}
	}
	return 0;
}
