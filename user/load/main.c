// SPDX-License-Identifier: MIT
/*
 * The peers of a daemon that is measured: brings up one IKE SA with its CHILD_SA after the other, each by a
 * connection of its own, leaves them up, and answers what the daemon asks of them. The engine is the daemon's; the
 * data plane is none at all, so that what a responder on the same machine needs is all that is new. Key exchange runs
 * in this thread.
 *
 * usage: esplane-load CONFIG PORT BATCH
 *	CONFIG	connections c1, c2, ..., each with a child "net"
 *	PORT	of UDP, ours; the peer's is what the configuration says
 *	BATCH	so many connections are brought up each time that a line comes in by standard input
 * Lines, and the answer to each
 *	""	"up TOTAL", or "failed WHY"
 *	count	"count IKE CHILD DOWN REKEYED BUSIEST REKEYED BUSIEST": what is up now; since the beginning, how many SAs
 *		of both kinds went down, how many IKE SAs were rekeyed, and how many in the busiest second, and the same
 *		of CHILD_SAs
 *	again	"again": what comes next is c1 once more
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <openssl/rand.h>

#include "config/load.h"

enum {
	MESSAGE_MAX = 65536,
	JOBS_MAX = 16,
	CONN_NAME_MAX = 24,
	NS_PER_US = 1000,
	US_PER_MS = 1000,
	RECEIVE_BUFFER = 64 << 20, /* we stand for thousands of hosts, each with a buffer of its own */
};

/* How something is spread over time. */
struct spread {
	unsigned int n, busiest, in_this_second;
	ike_time second;
};

struct load {
	struct ike_engine *engine;
	int fd;
	struct ike_job *jobs[JOBS_MAX];
	size_t n_jobs;
	uint32_t last_id; /* of SAs, policies and SPIs that nobody has */
	uint64_t ticket;  /* that we wait for */
	bool done, ok;
	char why[256];
	struct spread ike, child;
	unsigned int downs;
	size_t up_ike, up_child;
};

static ike_time now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * (ike_time)IKE_SECOND + t.tv_nsec / NS_PER_US;
}

static void host_send(void *host, const struct ike_endpoint *local,
		      const struct ike_endpoint *remote, const uint8_t *message, size_t len)
{
	struct load *l = host;
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(remote->port) };

	memcpy(&to.sin_addr, remote->addr.bytes, sizeof(to.sin_addr));
	if (sendto(l->fd, message, len, 0, (struct sockaddr *)&to, sizeof(to)) < 0)
		perror("sendto");
}

static void host_keepalive(void *host, const struct ike_endpoint *local,
			   const struct ike_endpoint *remote)
{
}

static int64_t host_utc(void *host)
{
	return time(NULL);
}

static void host_random(void *host, uint8_t *buf, size_t len)
{
	if (len && RAND_priv_bytes(buf, len) != 1)
		abort();
}

static void host_run_job(void *host, struct ike_job *job)
{
	struct load *l = host;

	if (l->n_jobs == JOBS_MAX)
		abort();
	l->jobs[l->n_jobs++] = job;
}

static int host_spi_alloc(void *host, const struct ike_addr *local, uint32_t *spi, const char **why)
{
	*spi = 0x10000 + ++((struct load *)host)->last_id;
	return 0;
}

static void host_spi_free(void *host, const struct ike_addr *local, uint32_t spi)
{
}

static int host_sa_add(void *host, const struct ike_sa_spec *spec, uint32_t *sa_id, const char **why)
{
	*sa_id = ++((struct load *)host)->last_id;
	return 0;
}

static int host_sa_update(void *host, uint32_t sa_id, const struct ike_endpoint *src,
			  const struct ike_endpoint *dst, bool udp_encap, const char **why)
{
	return 0;
}

static int host_sa_query(void *host, uint32_t sa_id, struct ike_usage *usage)
{
	*usage = (struct ike_usage){ .idle_seconds = UINT64_MAX };
	return 0;
}

static void host_del(void *host, uint32_t id)
{
}

static int host_policy_set(void *host, const struct ike_policy_spec *spec, uint32_t *policy_id,
			   const char **why)
{
	*policy_id = ++((struct load *)host)->last_id;
	return 0;
}

static void host_log(void *host, enum ike_log_level level, const char *name, const char *text)
{
	if (level == IKE_LOG_ERROR)
		fprintf(stderr, "# %s: %s\n", name, text);
}

static void spread_add(struct spread *s, ike_time at)
{
	if (at / IKE_SECOND != s->second) {
		s->second = at / IKE_SECOND;
		s->in_this_second = 0;
	}
	s->n++;
	if (++s->in_this_second > s->busiest)
		s->busiest = s->in_this_second;
}

static void host_event(void *host, const struct ike_event *event)
{
	struct load *l = host;

	if (event->type == IKE_EVENT_IKE_REKEYED)
		spread_add(&l->ike, now());
	else if (event->type == IKE_EVENT_CHILD_REKEYED)
		spread_add(&l->child, now());
	else if (event->type == IKE_EVENT_IKE_DOWN || event->type == IKE_EVENT_CHILD_DOWN)
		l->downs++;
	/* One command at a time; what is up already is done before its ticket is known. */
	if (event->type != IKE_EVENT_COMMAND_DONE || (l->ticket && event->ticket != l->ticket))
		return;
	l->done = true;
	l->ok = event->ok;
	snprintf(l->why, sizeof(l->why), "%s", event->text ? event->text : "");
}

static const struct ike_host ops = {
	.send = host_send,
	.keepalive = host_keepalive,
	.utc = host_utc,
	.random = host_random,
	.run_job = host_run_job,
	.spi_alloc = host_spi_alloc,
	.spi_free = host_spi_free,
	.sa_add = host_sa_add,
	.sa_update = host_sa_update,
	.sa_query = host_sa_query,
	.sa_del = host_del,
	.policy_set = host_policy_set,
	.policy_del = host_del,
	.log = host_log,
	.event = host_event,
};

static void run_jobs(struct load *l)
{
	struct ike_job *job;

	while (l->n_jobs) {
		job = l->jobs[--l->n_jobs];
		ike_job_run(job);
		ike_engine_job_done(l->engine, now(), job);
	}
}

static void receive(struct load *l)
{
	struct ike_endpoint local = { .addr.family = AF_INET }, remote = local;
	static uint8_t message[MESSAGE_MAX];
	struct sockaddr_in from, to;
	socklen_t from_len = sizeof(from), to_len = sizeof(to);
	ssize_t len = recvfrom(l->fd, message, sizeof(message), 0, (struct sockaddr *)&from,
			       &from_len);

	if (len <= 0 || getsockname(l->fd, (struct sockaddr *)&to, &to_len))
		return;
	memcpy(local.addr.bytes, &to.sin_addr, sizeof(to.sin_addr));
	memcpy(remote.addr.bytes, &from.sin_addr, sizeof(from.sin_addr));
	local.port = ntohs(to.sin_port);
	remote.port = ntohs(from.sin_port);
	ike_engine_receive(l->engine, now(), &local, &remote, message, len);
}

/* Waits for what comes next, and answers it. @lines: true if it is a line of standard input. */
static bool turn(struct load *l, bool lines)
{
	struct pollfd p[] = { { .fd = l->fd, .events = POLLIN },
			      { .fd = lines ? STDIN_FILENO : -1, .events = POLLIN } };
	ike_time next = ike_engine_next(l->engine), at = now();
	int timeout = next == UINT64_MAX ? -1 : next > at ? (next - at) / US_PER_MS + 1 : 0;

	if (poll(p, 2, timeout) > 0 && p[0].revents)
		receive(l);
	ike_engine_tick(l->engine, now());
	run_jobs(l);
	return lines && p[1].revents;
}

/* Until the command that we wait for is done. */
static void work(struct load *l)
{
	run_jobs(l);
	while (!l->done)
		turn(l, false);
}

static bool bring_up(struct load *l, size_t number)
{
	char name[CONN_NAME_MAX];
	const char *why;

	snprintf(name, sizeof(name), "c%zu", number);
	l->done = false;
	l->ticket = 0;
	l->ticket = ike_engine_initiate(l->engine, now(), name, "net", &why);
	if (!l->ticket)
		snprintf(l->why, sizeof(l->why), "%s", why);
	else
		work(l);
	return l->ticket && l->ok;
}

static int open_socket(struct load *l, const char *address, uint16_t port)
{
	struct sockaddr_in own = { .sin_family = AF_INET, .sin_port = htons(port) };
	int size = RECEIVE_BUFFER;

	l->fd = socket(AF_INET, SOCK_DGRAM, 0);
	if (l->fd < 0 || inet_pton(AF_INET, address, &own.sin_addr) != 1 ||
	    bind(l->fd, (struct sockaddr *)&own, sizeof(own))) {
		perror(address);
		return -1;
	}
	if (setsockopt(l->fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)))
		perror("receive buffer");
	return 0;
}

static struct ike_config *read_config(const char *path)
{
	struct cfg_errors errors = { 0 };
	struct daemon_config *loaded = config_load(path, &errors);
	struct ike_config *config = NULL;
	size_t i;

	for (i = 0; i < errors.n; i++)
		fprintf(stderr, "# %s\n", errors.list[i].text);
	cfg_errors_free(&errors);
	if (loaded) {
		config = loaded->ike;
		loaded->ike = NULL;
	}
	config_free(loaded);
	return config;
}

static void bring_up_batch(struct load *l, size_t *total, size_t batch)
{
	size_t i;

	for (i = 0; i < batch && bring_up(l, *total + 1); i++)
		++*total;
	if (i < batch)
		printf("failed %s\n", l->why);
	else
		printf("up %zu\n", *total);
}

static void count_sa(void *arg, const struct ike_sa_info *sa)
{
	struct load *l = arg;

	l->up_ike += !strcmp(sa->state, "ESTABLISHED");
	for (size_t i = 0; i < sa->n_children; i++)
		l->up_child += !strcmp(sa->children[i].state, "INSTALLED");
}

static void count(struct load *l)
{
	l->up_ike = l->up_child = 0;
	ike_engine_foreach_sa(l->engine, now(), count_sa, l);
	printf("count %zu %zu %u %u %u %u %u\n", l->up_ike, l->up_child, l->downs, l->ike.n,
	       l->ike.busiest, l->child.n, l->child.busiest);
}

/* Who gives the lines waits for the answer to each: more than one is never there. */
static bool read_line(char *line, size_t size)
{
	ssize_t len = read(STDIN_FILENO, line, size - 1);

	if (len <= 0)
		return false;
	line[len] = '\0';
	line[strcspn(line, "\n")] = '\0';
	return true;
}

static void serve(struct load *l, size_t batch)
{
	size_t total = 0;
	char line[16];

	for (;;) {
		while (!turn(l, true))
			;
		if (!read_line(line, sizeof(line)))
			return;
		if (!*line) {
			bring_up_batch(l, &total, batch);
		} else if (!strcmp(line, "count")) {
			count(l);
		} else if (!strcmp(line, "again")) {
			total = 0;
			printf("again\n");
		} else {
			printf("failed %s: no such line\n", line);
		}
		fflush(stdout);
	}
}

int main(int argc, char **argv)
{
	char address[IKE_ADDR_TEXT_MAX];
	struct load l = { 0 };
	struct ike_config *config;

	if (argc != 4) {
		fprintf(stderr, "usage: esplane-load CONFIG PORT BATCH\n");
		return EXIT_FAILURE;
	}
	config = read_config(argv[1]);
	if (!config || !config->n_conns || !config->conns[0].n_local_addrs)
		return EXIT_FAILURE;
	ike_addr_text(&config->conns[0].local_addrs[0].first, address, sizeof(address));
	l.engine = ike_engine_new(&ops, &l, config, now());
	if (!l.engine || open_socket(&l, address, strtoul(argv[2], NULL, 10)))
		return EXIT_FAILURE;
	serve(&l, strtoul(argv[3], NULL, 10));
	ike_engine_free(l.engine);
	ike_config_unref(config);
	return EXIT_SUCCESS;
}
