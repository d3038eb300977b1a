// SPDX-License-Identifier: MIT
/* Name servers by resolvconf(8): the daemon's end, and the helper. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "log.h"
#include "resolvconf.h"

enum {
	ENTRIES_MAX = 256,	/* IKE SAs with name servers at a time */
	TEXT_MAX = RESOLVCONF_SERVERS_MAX * (IKE_ADDR_TEXT_MAX + sizeof("nameserver \n")),
	KEY_MAX = 40,
	HELPER_FD = STDERR_FILENO + 1,
};

/* What the daemon says: all of one size. */
struct order {
	uint64_t id;
	uint32_t n;		/* 0: take it away */
	struct ike_addr servers[RESOLVCONF_SERVERS_MAX];
};

/* The helper */

struct helper {
	char program[PATH_MAX];
	uint64_t ids[ENTRIES_MAX];
	size_t n_ids;
};

/*
 * Not fork(), at which libuv closes what it thinks are its pipes: in the helper they are others.
 * Returns the process, or -1.
 */
static pid_t spawn(struct helper *h, char *const words[], int input)
{
	static char *const environment[] = {
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", NULL
	};
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t how;
	sigset_t defaults;
	pid_t pid;
	int err;

	sigemptyset(&defaults);
	sigaddset(&defaults, SIGPIPE);
	sigaddset(&defaults, SIGTERM);
	sigaddset(&defaults, SIGINT);
	sigaddset(&defaults, SIGHUP);
	posix_spawnattr_init(&how);
	posix_spawnattr_setflags(&how, POSIX_SPAWN_SETSIGDEF);
	posix_spawnattr_setsigdefault(&how, &defaults);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
	err = posix_spawn(&pid, h->program, &actions, &how, words, environment);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&how);
	errno = err;
	return err ? -1 : pid;
}

/* Feeds @text to the program, whose only words are a flag and a name made of a number. */
static void start_program(struct helper *h, const char *flag, uint64_t id, const char *text)
{
	char key[KEY_MAX], *const words[] = { h->program, (char *)flag, key, NULL };
	int ends[2], status;
	pid_t pid;

	snprintf(key, sizeof(key), "esplane.%" PRIu64, id);
	if (pipe2(ends, O_CLOEXEC)) {
		log_error("%s: %m", h->program);
		return;
	}
	pid = spawn(h, words, ends[0]);
	if (pid < 0)
		log_error("%s: %m", h->program);
	close(ends[0]);
	if (pid > 0 && write(ends[1], text, strlen(text)) < 0 && errno != EPIPE)
		log_error("%s: %m", h->program);
	close(ends[1]);
	if (pid > 0 && waitpid(pid, &status, 0) == pid && (!WIFEXITED(status) || WEXITSTATUS(status)))
		log_error("%s %s %s: %s %d", h->program, flag, key,
			  WIFEXITED(status) ? "exit status" : "signal",
			  WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
}

static void forget(struct helper *h, uint64_t id)
{
	size_t i;

	for (i = 0; i < h->n_ids; i++) {
		if (h->ids[i] != id)
			continue;
		h->ids[i] = h->ids[--h->n_ids];
		start_program(h, "-d", id, "");
		return;
	}
}

/* False: an address is none. */
static bool write_text(const struct order *o, char text[TEXT_MAX])
{
	char addr[IKE_ADDR_TEXT_MAX];
	size_t i, len = 0;

	for (i = 0; i < o->n; i++) {
		if (o->servers[i].family != AF_INET && o->servers[i].family != AF_INET6)
			return false;
		len += snprintf(text + len, TEXT_MAX - len, "nameserver %s\n",
				ike_addr_text(&o->servers[i], addr, sizeof(addr)));
	}
	return true;
}

static void obey(struct helper *h, const struct order *o)
{
	char text[TEXT_MAX];

	if (!o->n) {
		forget(h, o->id);
		return;
	}
	if (o->n > RESOLVCONF_SERVERS_MAX || h->n_ids == ENTRIES_MAX || !write_text(o, text)) {
		log_error("name servers: an order that is none");
		return;
	}
	forget(h, o->id);
	h->ids[h->n_ids++] = o->id;
	start_program(h, "-a", o->id, text);
}

void resolvconf_serve(int fd)
{
	static struct helper h;
	struct order o;
	ssize_t len;

	h.n_ids = 0;
	len = recv(fd, h.program, sizeof(h.program) - 1, 0);
	if (len <= 0)
		return;
	h.program[len] = '\0';
	while ((len = recv(fd, &o, sizeof(o), 0)) > 0 || (len < 0 && errno == EINTR))
		if (len == sizeof(o))
			obey(&h, &o);
	while (h.n_ids)
		forget(&h, h.ids[0]);
}

/* What ends the daemon tells the helper by the end of the socket: it has something to do then. */
static void run_helper(int fd)
{
	/* Other helpers must see their sockets end too. */
	if (dup2(fd, HELPER_FD) < 0 || close_range(HELPER_FD + 1, UINT_MAX, 0))
		_exit(EXIT_FAILURE);
	signal(SIGTERM, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	resolvconf_serve(HELPER_FD);
	_exit(EXIT_SUCCESS);
}

/* The daemon's end */

int resolvconf_fork(struct resolvconf *r)
{
	int fds[2];
	pid_t pid;

	r->fd = -1;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds)) {
		log_error("a socket for name servers: %m");
		return -1;
	}
	pid = fork();
	if (!pid)
		run_helper(fds[0]);
	close(fds[0]);
	r->fd = fds[1];
	r->pid = pid;
	if (pid > 0)
		return 0;
	log_error("a process for name servers: %m");
	resolvconf_close(r);
	return -1;
}

void resolvconf_close(struct resolvconf *r)
{
	if (r->fd >= 0)
		close(r->fd);
	r->fd = -1;
}

/* A helper that is busy for so long that the socket is full loses orders, and the daemon no time. */
static void say(struct resolvconf *r, const void *what, size_t len)
{
	if (r->fd >= 0 && send(r->fd, what, len, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		log_error("name servers: %m");
}

void resolvconf_use(struct resolvconf *r, const char *program)
{
	if (program && strlen(program) < PATH_MAX)
		say(r, program, strlen(program));
	else
		resolvconf_close(r);
	/* Later it cannot be waited for, and need not. */
	if (r->fd < 0 && r->pid > 0)
		waitpid(r->pid, NULL, 0);
}

void resolvconf_add(struct resolvconf *r, uint64_t id, const struct ike_addr *servers, size_t n)
{
	struct order o = { .id = id };

	for (; o.n < n && o.n < RESOLVCONF_SERVERS_MAX; o.n++)
		o.servers[o.n] = servers[o.n];
	say(r, &o, sizeof(o));
}

void resolvconf_del(struct resolvconf *r, uint64_t id)
{
	const struct order o = { .id = id };

	say(r, &o, sizeof(o));
}
