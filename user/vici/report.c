// SPDX-License-Identifier: MIT
/* VICI's log lines, versions and statistics, and the arguments of commands that name SAs. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>

#include "status.h"
#include "version.h"

/* strongSwan's debug levels: 0 audit, 1 control, 2 controlmore. */
static int strongswan_level(enum ike_log_level level)
{
	switch (level) {
	case IKE_LOG_ERROR:
		return 0;
	case IKE_LOG_INFO:
		return 1;
	default:
		return 2;
	}
}

bool vici_log_wanted(enum ike_log_level level, int loglevel)
{
	return strongswan_level(level) <= loglevel;
}

/* From "conn[3]/child{5}" the connection's name and ID; other names have neither. */
static void put_log_name(struct vici_builder *b, const char *name)
{
	size_t len = strcspn(name, "[");
	size_t digits = name[len] ? strspn(name + len + 1, "0123456789") : 0;

	if (!digits || name[len + 1 + digits] != ']')
		return;
	vici_value(b, "ikesa-name", name, len);
	vici_value(b, "ikesa-uniqueid", name + len + 1, digits);
}

void vici_put_log(struct vici_builder *b, const char *group, enum ike_log_level level,
		  const char *name, const char *text)
{
	vici_str(b, "group", group);
	vici_fmt(b, "level", "%d", strongswan_level(level));
	put_log_name(b, name);
	if (*name)
		vici_fmt(b, "msg", "%s: %s", name, text);
	else
		vici_str(b, "msg", text);
}

void vici_put_version(struct vici_builder *b)
{
	struct utsname u = { 0 };

	uname(&u);
	vici_str(b, "daemon", "esplaned");
	vici_str(b, "version", ESPLANE_VERSION);
	vici_str(b, "sysname", u.sysname);
	vici_str(b, "release", u.release);
	vici_str(b, "machine", u.machine);
}

void vici_put_stats(struct vici_builder *b, const struct vici_daemon_stats *stats)
{
	time_t since = stats->since;
	char text[64] = "";
	struct tm tm;

	if (localtime_r(&since, &tm))
		strftime(text, sizeof(text), "%b %d %H:%M:%S %Y", &tm);
	vici_section(b, "uptime");
	vici_fmt(b, "running", "%" PRIu64 " seconds", stats->uptime_seconds);
	vici_str(b, "since", text);
	vici_section_end(b);
	vici_section(b, "ikesas");
	vici_fmt(b, "total", "%u", stats->ikesas_total);
	vici_fmt(b, "half-open", "%u", stats->ikesas_half_open);
	vici_section_end(b);
}

static void put_count(struct vici_builder *b, const char *key, uint64_t count)
{
	vici_fmt(b, key, "%" PRIu64, count);
}

void vici_put_esplane_stats(struct vici_builder *b, const struct ike_counters *ike,
			    const struct vici_drop *drops, size_t n_drops)
{
	size_t i;

	vici_section(b, "ike");
	put_count(b, "received", ike->received);
	put_count(b, "sent", ike->sent);
	put_count(b, "retransmitted", ike->retransmitted);
	put_count(b, "refused", ike->refused);
	put_count(b, "half-open", ike->half_open);
	put_count(b, "cookies-sent", ike->cookies_sent);
	vici_section_end(b);
	vici_section(b, "drops");
	for (i = 0; i < n_drops; i++) {
		if (!drops[i].count)
			continue;
		vici_section(b, drops[i].name);
		put_count(b, "count", drops[i].count);
		vici_str(b, "meaning", drops[i].meaning ? drops[i].meaning : "");
		vici_section_end(b);
	}
	vici_section_end(b);
}

/* Absent is 0; returns false for what is no number. */
static bool get_id(const struct vici_node *args, const char *key, uint64_t *id)
{
	const char *text = vici_get(args, key);
	char *end;

	*id = 0;
	if (!text)
		return true;
	errno = 0;
	*id = strtoull(text, &end, 10);
	return *text >= '0' && *text <= '9' && !*end && !errno && *id;
}

int vici_get_match(const struct vici_node *args, struct ike_match *match, const char **why)
{
	*match = (struct ike_match){ .conn = vici_get(args, "ike"),
				     .child = vici_get(args, "child") };
	if (!get_id(args, "ike-id", &match->ike_id) ||
	    !get_id(args, "child-id", &match->child_id)) {
		*why = "an ID is no number";
		return -1;
	}
	if (!match->conn && !match->child && !match->ike_id && !match->child_id) {
		*why = "nothing is named: give ike, child, ike-id or child-id";
		return -1;
	}
	return 0;
}
