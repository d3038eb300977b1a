/* SPDX-License-Identifier: MIT */
/* How much is logged, for each part of the daemon. */
#ifndef ESPLANE_CONFIG_LOG_LEVELS_H
#define ESPLANE_CONFIG_LOG_LEVELS_H

#include "../ikev2/ike.h"

/* X(NAME, "what it is called") */
#define LOG_SUBSYSTEMS(X)						\
	X(DAEMON, "daemon")	/* start, end, privileges */		\
	X(CONFIG, "config")	/* files, and what is loaded by VICI */	\
	X(KERNEL, "kernel")	/* the data plane, addresses, routes */	\
	X(NET, "net")		/* sockets */				\
	X(VICI, "vici")		/* clients */				\
	X(IKE, "ike")		/* IKE SAs, and datagrams of none */	\
	X(CHILD, "child")	/* CHILD_SAs */

enum log_subsystem {
#define X(name, text) LOG_##name,
	LOG_SUBSYSTEMS(X)
#undef X
	LOG_SUBSYSTEM_COUNT
};

const char *log_subsystem_name(enum log_subsystem s);

struct log_levels {
	enum ike_log_level of[LOG_SUBSYSTEM_COUNT];
};

void log_levels_all(struct log_levels *l, enum ike_log_level level);
/*
 * "info", or "info, kernel:debug, child:error": a level for all that are not named, info unless
 * there is one. False with a text in @why, and *@l untouched.
 */
bool log_levels_parse(struct log_levels *l, const char *text, struct ike_error *why);
const char *log_level_name(enum ike_log_level level);

#endif
