/* SPDX-License-Identifier: MIT */
/*
 * Leases of addresses (ikev2/lease.h) in a file, so that peers get the same ones after a restart: a
 * line "POOL ADDRESS IDENTITY" for each that was given, the later one of two about one address
 * being true. Read and written anew at the start, while the daemon may still open files; later only
 * appended to.
 */
#ifndef ESPLANE_LEASE_FILE_H
#define ESPLANE_LEASE_FILE_H

#include "ikev2/ike.h"
#include "ikev2/lease.h"

#define LEASE_FILE_DEFAULT "/var/lib/esplane/leases"

struct lease_file {
	int fd;			/* -1: leases are not kept */
	struct ike_leases old;	/* what was in it */
};

/* Returns 0, or -1 after logging why: then leases are given all the same, but not kept. */
int lease_file_open(struct lease_file *f, const char *path);
/* Tells a new engine what was given before. */
void lease_file_restore(struct lease_file *f, struct ike_engine *engine);
void lease_file_keep(struct lease_file *f, const char *pool, const char *identity,
		     const struct ike_addr *addr);
void lease_file_close(struct lease_file *f);

#endif
