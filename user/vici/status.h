/* SPDX-License-Identifier: MIT */
/*
 * What the engine knows, in the sections and keys that swanctl and the tools built on VICI expect
 * (README "list-sa" and its neighbours). Nothing secret ever enters. Functions that begin
 * "vici_put" write into an event or reply that the caller began; pointers inside the infos may be
 * NULL, and what is not known is left out, so that an SA that is gone can be told of by id and
 * name alone.
 */
#ifndef ESPLANE_VICI_STATUS_H
#define ESPLANE_VICI_STATUS_H

#include "../ikev2/ike.h"
#include "vici.h"

/* list-sa: section @sa->conn with all children. */
void vici_put_sa(struct vici_builder *b, const struct ike_sa_info *sa, ike_time now);

/* list-conn */
void vici_put_conn(struct vici_builder *b, const struct ike_conn_cfg *conn);

/* list-policy: section @name with a trap or shunt */
void vici_put_policy(struct vici_builder *b, const char *name, const char *conn,
		     const struct ike_child_cfg *child);

/* reply of get-algorithms */
void vici_put_algorithms(struct vici_builder *b);

/* ike-updown; child-updown: @sa's own children are not listed, only @child */
void vici_put_ike_updown(struct vici_builder *b, bool up, const struct ike_sa_info *sa,
			 ike_time now);
void vici_put_child_updown(struct vici_builder *b, bool up, const struct ike_sa_info *sa,
			   const struct ike_child_info *child, ike_time now);

/* ike-rekey, child-rekey */
void vici_put_ike_rekey(struct vici_builder *b, const struct ike_sa_info *old,
			const struct ike_sa_info *new, ike_time now);
void vici_put_child_rekey(struct vici_builder *b, const struct ike_sa_info *sa,
			  const struct ike_child_info *old, const struct ike_child_info *new,
			  ike_time now);

/* log, control-log. @name as struct ike_host's log gets it: "conn[3]", "conn[3]/child{5}" or "". */
void vici_put_log(struct vici_builder *b, const char *group, enum ike_log_level level,
		  const char *name, const char *text);

/* Does a client that asked for strongSwan log level @loglevel (-1 to 4) want a line of @level? */
bool vici_log_wanted(enum ike_log_level level, int loglevel);

/* reply of version */
void vici_put_version(struct vici_builder *b);

/* reply of stats: strongSwan's keys, those that mean something here */
struct vici_daemon_stats {
	uint64_t uptime_seconds;
	int64_t since;				/* seconds since the epoch */
	unsigned int ikesas_total, ikesas_half_open;
};

void vici_put_stats(struct vici_builder *b, const struct vici_daemon_stats *stats);

/* One count of the data plane, as the kernel names and explains it. */
struct vici_drop {
	const char *name;			/* "NO_SA" */
	const char *meaning;			/* "no SA for this SPI" */
	uint64_t count;
};

/*
 * Reply of esplane-stats, a command of ours:
 *	ike { received sent retransmitted refused half-open cookies-sent }
 *	drops { NAME { count meaning } } (those that are not zero)
 */
void vici_put_esplane_stats(struct vici_builder *b, const struct ike_counters *ike,
			    const struct vici_drop *drops, size_t n_drops);

/*
 * Arguments of terminate and rekey (ike, child, ike-id, child-id). The strings live in @args.
 * Returns 0, or -1 with @why (static).
 */
int vici_get_match(const struct vici_node *args, struct ike_match *match, const char **why);

#endif
