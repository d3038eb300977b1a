/* SPDX-License-Identifier: MIT */
/* Looks up host names for the engine, in libuv's thread pool. */
#ifndef ESPLANE_NAMES_H
#define ESPLANE_NAMES_H

#include <stdbool.h>
#include <stdint.h>

struct host;
struct name_lookup;

struct names {
	struct name_lookup *first;
	bool closed;
};

/* ike_engine_resolved() is told the addresses, or why there are none, later. */
void names_resolve(struct host *h, uint64_t id, const char *name);
/*
 * Nothing is told any more. A look-up that a name server lets wait cannot be called back: if there is
 * one the loop is stopped instead of waiting for it.
 */
void names_close(struct host *h);

#endif
