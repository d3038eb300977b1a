// SPDX-License-Identifier: MIT
/*
 * The traffic of the packet benchmark. Both ends are this program's, in the namespaces named,
 * and everything is open before the clock starts: between two looks at it nothing happens but
 * packets. On the guest of bench/run the clock counts instructions.
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
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "program.h"

static const char usage[] =
	"usage: flow tcp FROM TO ADDR BYTES           bulk, to ADDR in the namespace TO\n"
	"       flow shares FROM TO ADDR BYTES        the same; what of it the sender took, the\n"
	"                receiver, and neither\n"
	"       flow rr FROM TO ADDR COUNT            a request and its response, so often\n"
	"       flow udp FROM TO ADDR COUNT SIZE...   datagrams of these sizes in turn, sent and\n"
	"                received\n"
	"       flow send FROM ADDR COUNT SIZE...     the same, received by nobody\n"
	"       flow forward TO DEV FROM DEV SRC DST COUNT SIZE...\n"
	"                datagrams that FROM's DEV gets as if from its link, until TO's has sent them\n"
	"       flow source FROM DEV SRC DST COUNT SIZE...      what of that is the making of datagrams\n"
	"prints the nanoseconds that the CPU was busy, or of rr those that passed, without opening and\n"
	"warming up, once for each of two runs; needs esplane_bench.ko\n";

enum {
	PORT = 5201,
	RUNS = 2,
	BLOCK = 128 << 10,	/* of a bulk transfer's system calls, as iperf3 has it */
	WARM_UP_BYTES = 4 << 20,
	WARM_UP_ROUNDS = 30,
	MESSAGE = 64,		/* request and response */
	BATCH = 60,		/* datagrams of a system call, or of an interrupt; 5 rounds of IMIX's 12 */
	MAX_DATAGRAM = 9000,
	RECEIVE_BUFFER = 4 << 20,
	PATIENCE = 2,		/* seconds until what has not come is lost */
};

static unsigned long number(const char *text)
{
	char *end;
	unsigned long value = strtoul(text, &end, 0);

	if (end == text || *end)
		die("'%s' is not a number", text);
	return value;
}

static void enter(const char *namespace)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "/run/netns/%s", namespace);
	fd = must(open(path, O_RDONLY | O_CLOEXEC), path);
	must(setns(fd, CLONE_NEWNET), path);
	close(fd);
}

static struct sockaddr_in address_of(const char *text)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(PORT) };

	if (inet_pton(AF_INET, text, &address.sin_addr) != 1)
		die("'%s' is not an address", text);
	return address;
}

static int open_socket(const char *namespace, int type)
{
	enter(namespace);
	return must(socket(AF_INET, type | SOCK_CLOEXEC, 0), "socket");
}

static void bind_to(int fd, const char *text)
{
	struct sockaddr_in address = address_of(text);

	must(bind(fd, (struct sockaddr *)&address, sizeof(address)), "bind");
}

static void connect_to(int fd, const char *text)
{
	struct sockaddr_in address = address_of(text);

	must(connect(fd, (struct sockaddr *)&address, sizeof(address)), text);
}

/* TCP: two processes, the child being the receiver. */

static void send_all(int fd, const char *data, size_t len)
{
	while (len) {
		ssize_t sent = must(send(fd, data, len, MSG_NOSIGNAL), "send");

		data += sent;
		len -= sent;
	}
}

static bool receive_all(int fd, char *data, size_t len)
{
	while (len) {
		ssize_t got = must(recv(fd, data, len, 0), "recv");

		if (!got)
			return false;
		data += got;
		len -= got;
	}
	return true;
}

static char block[BLOCK];

static void send_bytes(int fd, size_t left)
{
	for (; left > BLOCK; left -= BLOCK)
		send_all(fd, block, BLOCK);
	send_all(fd, block, left);
}

static bool receive_bytes(int fd, size_t left)
{
	while (left) {
		ssize_t got = must(recv(fd, block, left < BLOCK ? left : BLOCK, 0), "recv");

		if (!got)
			return false;
		left -= got;
	}
	return true;
}

/* Forks; the child calls receive() in the namespace TO. Returns the sender's socket. */
static int tcp_pair(char **argv, void (*receive)(int fd, size_t count), size_t count)
{
	int listener = open_socket(argv[1], SOCK_STREAM), on = 1, fd;

	must(setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)), "SO_REUSEADDR");
	bind_to(listener, argv[2]);
	must(listen(listener, 1), "listen");
	if (!must(fork(), "fork")) {
		receive(must(accept(listener, NULL, NULL), "accept"), count);
		exit(EXIT_SUCCESS);
	}
	fd = open_socket(argv[0], SOCK_STREAM);
	connect_to(fd, argv[2]);
	return fd;
}

static void no_failed_child(int fd)
{
	int status;

	close(fd);
	must(wait(&status), "wait");
	if (status)
		die("the receiver failed");
}

/* Answers each transfer by the time of its last byte. */
static void bulk_receiver(int fd, size_t count)
{
	size_t bytes = WARM_UP_BYTES;
	uint64_t time;

	while (receive_bytes(fd, bytes)) {
		time = busy_time();
		send_all(fd, (char *)&time, sizeof(time));
		bytes = count;
	}
}

static uint64_t bulk(int fd, size_t bytes)
{
	uint64_t start = busy_time(), end;

	send_bytes(fd, bytes);
	if (!receive_all(fd, (char *)&end, sizeof(end)))
		die("the receiver is gone");
	return end - start;
}

static void tcp(char **argv)
{
	size_t bytes = number(argv[3]);
	int fd = tcp_pair(argv, bulk_receiver, bytes), i;

	bulk(fd, WARM_UP_BYTES);
	for (i = 0; i < RUNS; i++)
		printf("%" PRIu64 "\n", bulk(fd, bytes));
	no_failed_child(fd);
}

static void account_write(int account, const char *word)
{
	must(write(account, word, strlen(word)), ACCOUNT_FILE);
}

/* Probes that tell whose work is done cost something themselves: hence apart from tcp(). */
static void shares(char **argv)
{
	size_t bytes = number(argv[3]);
	int account = must(open(ACCOUNT_FILE, O_RDWR | O_CLOEXEC), ACCOUNT_FILE);
	int fd = tcp_pair(argv, bulk_receiver, bytes);
	char line[80] = "";

	bulk(fd, WARM_UP_BYTES);
	account_write(account, "sender");
	enter(argv[1]);
	account_write(account, "receiver");
	enter(argv[0]);
	account_write(account, "start");
	bulk(fd, bytes);
	must(pread(account, line, sizeof(line) - 1, 0), ACCOUNT_FILE);
	fputs(line, stdout);
	close(account);
	no_failed_child(fd);
}

static void responder(int fd, size_t count)
{
	char message[MESSAGE];

	while (receive_all(fd, message, sizeof(message)))
		send_all(fd, message, sizeof(message));
}

static uint64_t rounds(int fd, size_t count)
{
	char message[MESSAGE] = "";
	uint64_t start = now();

	for (; count; count--) {
		send_all(fd, message, sizeof(message));
		if (!receive_all(fd, message, sizeof(message)))
			die("the responder is gone");
	}
	return now() - start;
}

static void rr(char **argv)
{
	size_t count = number(argv[3]);
	int fd = tcp_pair(argv, responder, 0), i;

	rounds(fd, WARM_UP_ROUNDS);
	for (i = 0; i < RUNS; i++)
		printf("%" PRIu64 "\n", rounds(fd, count));
	no_failed_child(fd);
}

/* UDP: one process, which sends a batch and then receives it. */

static char datagram[MAX_DATAGRAM];
static char received[BATCH][MAX_DATAGRAM];
static struct iovec pieces_out[BATCH], pieces_in[BATCH];
static struct mmsghdr batch_out[BATCH], batch_in[BATCH];

static void make_batch(char **sizes, int n)
{
	int i;

	for (i = 0; i < BATCH; i++) {
		size_t size = number(sizes[i % n]);

		if (size > MAX_DATAGRAM)
			die("%zu bytes are more than %d", size, MAX_DATAGRAM);
		pieces_out[i] = (struct iovec){ datagram, size };
		pieces_in[i] = (struct iovec){ received[i], MAX_DATAGRAM };
		batch_out[i].msg_hdr = (struct msghdr){ .msg_iov = &pieces_out[i], .msg_iovlen = 1 };
		batch_in[i].msg_hdr = (struct msghdr){ .msg_iov = &pieces_in[i], .msg_iovlen = 1 };
	}
}

static void send_batch(int fd)
{
	int sent = 0;

	while (sent < BATCH)
		sent += must(sendmmsg(fd, batch_out + sent, BATCH - sent, 0), "sendmmsg");
}

static void receive_batch(int fd)
{
	int got = 0, n;

	while (got < BATCH) {
		n = recvmmsg(fd, batch_in + got, BATCH - got, MSG_WAITFORONE, NULL);
		if (n < 0)
			die("%d of %d datagrams came: %s", got, BATCH, strerror(errno));
		got += n;
	}
}

static int udp_receiver(const char *namespace, const char *address)
{
	struct timeval patience = { .tv_sec = PATIENCE };
	int fd = open_socket(namespace, SOCK_DGRAM), size = RECEIVE_BUFFER;

	must(setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)), "SO_RCVBUFFORCE");
	must(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)), "SO_RCVTIMEO");
	bind_to(fd, address);
	return fd;
}

static int udp_sender(const char *namespace, const char *address)
{
	int fd = open_socket(namespace, SOCK_DGRAM);

	connect_to(fd, address);
	return fd;
}

static size_t batches(const char *count) { return (number(count) + BATCH - 1) / BATCH; }

/* For RUNS times: BATCHes of each, after some that do not count. */
static void repeat(void (*one)(void *context), void (*end)(void), void *context, const char *count)
{
	size_t i, n = batches(count);
	int run;

	for (i = 0; i < WARM_UP_ROUNDS; i++)
		one(context);
	for (run = 0; run < RUNS; run++) {
		uint64_t start = busy_time();

		for (i = 0; i < n; i++)
			one(context);
		end();
		printf("%" PRIu64 "\n", (busy_time() - start) * number(count) / (n * BATCH));
	}
}

struct udp_ends {
	int from, to;
};

static void nothing(void) { }

static void udp_round(void *context)
{
	struct udp_ends *ends = context;

	send_batch(ends->from);
	receive_batch(ends->to);
}

static void udp(int argc, char **argv)
{
	struct udp_ends ends;

	make_batch(argv + 4, argc - 4);
	ends.to = udp_receiver(argv[1], argv[2]);
	ends.from = udp_sender(argv[0], argv[2]);
	repeat(udp_round, nothing, &ends, argv[3]);
}

static void set_policy(int policy)
{
	const struct sched_param none = { 0 };

	must(sched_setscheduler(0, policy, &none), "sched_setscheduler");
}

/* On the one CPU who is idle runs again when the kernel's workers are through with all packets. */
static void let_others_finish(void)
{
	int i;

	set_policy(SCHED_IDLE);
	for (i = 0; i < 3; i++)
		sched_yield();
	set_policy(SCHED_OTHER);
}

static void send_round(void *context) { send_batch(*(int *)context); }

static void send_only(int argc, char **argv)
{
	int fd;

	make_batch(argv + 3, argc - 3);
	fd = udp_sender(argv[0], argv[1]);
	repeat(send_round, let_others_finish, &fd, argv[2]);
}

/* Forwarded */

static int open_source(int argc, char **argv, int command)
{
	struct esplane_bench_source source = { .command = command };
	int fd = must(open(SOURCE_FILE, O_RDWR | O_CLOEXEC), SOURCE_FILE), i;

	snprintf(source.dev, sizeof(source.dev), "%s", argv[0]);
	source.src = address_of(argv[1]).sin_addr.s_addr;
	source.dst = address_of(argv[2]).sin_addr.s_addr;
	for (i = 0; i < BATCH; i++)
		source.sizes[i] = number(argv[4 + i % (argc - 4)]);
	source.count = BATCH;
	must(write(fd, &source, sizeof(source)), argv[0]);
	return fd;
}

static void source_round(void *context)
{
	must(write(*(int *)context, "", 1), "write");
	sched_yield();
}

/* How many packets a device has sent, by the /proc of the namespace that this thread is in. */
static uint64_t packets_sent(const char *dev)
{
	FILE *file = fopen("/proc/thread-self/net/dev", "r");
	char line[512], name[64];
	uint64_t packets;

	if (!file)
		die("/proc/thread-self/net/dev: %s", strerror(errno));
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, " %63[^:]: %*u %*u %*u %*u %*u %*u %*u %*u %*u %" SCNu64, name,
			   &packets) == 2 && !strcmp(name, dev)) {
			fclose(file);
			return packets;
		}
	}
	die("no device %s", dev);
}

static void forward(int argc, char **argv)
{
	size_t want = BATCH * (WARM_UP_ROUNDS + RUNS * batches(argv[6])), got;
	uint64_t before;
	int fd;

	enter(argv[2]);
	fd = open_source(argc - 3, argv + 3, SOURCE_RECEIVE);
	enter(argv[0]);
	before = packets_sent(argv[1]);
	set_policy(SCHED_IDLE);
	repeat(source_round, nothing, &fd, argv[6]);
	set_policy(SCHED_OTHER);
	got = packets_sent(argv[1]) - before;
	if (got != want)
		die("%zu of %zu packets came out", got, want);
}

static void source(int argc, char **argv)
{
	int fd;

	enter(argv[0]);
	fd = open_source(argc - 1, argv + 1, SOURCE_DISCARD);
	set_policy(SCHED_IDLE);
	repeat(source_round, nothing, &fd, argv[4]);
}

static bool is(const char *command, const char *name, int argc, int least)
{
	return !strcmp(command, name) && argc >= least;
}

int main(int argc, char **argv)
{
	const char *command = argc > 1 ? argv[1] : "";

	setvbuf(stdout, NULL, _IOLBF, 0);
	argc -= 2;
	argv += 2;
	if (is(command, "tcp", argc, 4))
		tcp(argv);
	else if (is(command, "shares", argc, 4))
		shares(argv);
	else if (is(command, "rr", argc, 4))
		rr(argv);
	else if (is(command, "udp", argc, 5))
		udp(argc, argv);
	else if (is(command, "send", argc, 4))
		send_only(argc, argv);
	else if (is(command, "forward", argc, 8))
		forward(argc, argv);
	else if (is(command, "source", argc, 6))
		source(argc, argv);
	else {
		fputs(usage, stderr);
		return 2;
	}
	return EXIT_SUCCESS;
}
