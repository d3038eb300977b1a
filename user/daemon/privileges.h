/* SPDX-License-Identifier: MIT */
/* What the daemon gives up before it hears the first stranger. */
#ifndef ESPLANE_PRIVILEGES_H
#define ESPLANE_PRIVILEGES_H

#include <sys/types.h>

/* Memory is not swapped, not dumped, not readable by a debugger. Before privileges_drop(). */
void privileges_protect_memory(void);

/*
 * Private keys that are read from now on get a heap of their own, between pages that nothing may
 * touch: what a stranger's certificate is parsed into lies elsewhere.
 */
void privileges_part_keys(void);

struct privileges_identity {
	uid_t uid;
	gid_t gid;
};

/*
 * Whom to become: @user, or without a name "esplane" if there is such a user, else who we are.
 * Returns 0, or -1 after logging why.
 */
int privileges_find(const char *user, struct privileges_identity *identity);
/* Becomes @identity with CAP_NET_ADMIN alone. Returns 0, or -1 after logging why. */
int privileges_drop(const struct privileges_identity *identity);

/* Becomes @identity without any capability. Likewise. */
int privileges_drop_all(const struct privileges_identity *identity);

/*
 * Only the system calls that the running daemon needs, for all threads. Last. Returns 0, or -1
 * after logging why.
 */
int sandbox_enter(void);
/* The same for the fetcher: it may open connections, and look names up, but reach nobody's memory. */
int sandbox_enter_fetcher(void);

#endif
