/* SPDX-License-Identifier: MIT */
/*
 * Name servers that peers give to this host, handed to resolvconf(8). That program writes what only
 * root may, and it is a program, which a daemon behind its system call filter cannot start. So a
 * helper starts it: a process that is made before there is a configuration or a key in memory, hears
 * nothing from the network, and takes nothing from the daemon but a number and addresses, each of
 * which it looks at again. Who has taken the daemon over can name false name servers by it, as a
 * peer can, and no more; the other ways, a daemon that keeps CAP_DAC_OVERRIDE and execve, or one that
 * writes /etc/resolv.conf by itself, would give that away with it.
 *
 * When the daemon ends, however it does, the helper takes away what it has set, and ends.
 */
#ifndef ESPLANE_RESOLVCONF_H
#define ESPLANE_RESOLVCONF_H

#include <sys/types.h>

#include "ikev2/ts.h"

struct resolvconf {
	int fd; /* to the helper; -1: there is none, and nothing happens */
	pid_t pid; /* 0: not ours */
};

enum {
	RESOLVCONF_SERVERS_MAX = 8
};

/* Makes the helper. First of all, before anything secret is read. Returns 0, or -1 after logging. */
int resolvconf_fork(struct resolvconf *r);
/*
 * What it will start, once and for all: before privileges are dropped and the first message comes.
 * NULL: nothing, it ends.
 */
void resolvconf_use(struct resolvconf *r, const char *program);
void resolvconf_add(struct resolvconf *r, uint64_t id, const struct ike_addr *servers, size_t n);
void resolvconf_del(struct resolvconf *r, uint64_t id);
void resolvconf_close(struct resolvconf *r);

/* The helper itself, until the other end of @fd is closed. For tests. */
void resolvconf_serve(int fd);

#endif
