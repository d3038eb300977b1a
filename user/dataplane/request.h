/* SPDX-License-Identifier: MIT */
/* One netlink request and its answer; what ops.c builds on. */
#ifndef ESPLANE_DATAPLANE_REQUEST_H
#define ESPLANE_DATAPLANE_REQUEST_H

#include <stdbool.h>
#include <stdint.h>

struct dp;
struct dp_table;

struct dp_request {
	uint8_t command;		/* ESPLANE_CMD_* */
	const char *name;		/* for messages */
	bool dump;
	const struct dp_table *in;	/* NULL: no attributes */
	const void *object;
	/* Called for each reply, decoded by @out into @reply. */
	const struct dp_table *out;
	void *reply;
	void (*fn)(void *arg, const void *reply);
	void *arg;
};

/* Returns 0 or a negative errno; -EINTR: a dump that was not consistent. */
int dp_request(struct dp *dp, const struct dp_request *request);

#endif
