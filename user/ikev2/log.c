// SPDX-License-Identifier: MIT
/* Lines for people, each with the names of the SAs that it is about, and events for programs. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "ikev2/child.h"
#include "ikev2/ike_sa.h"

enum {
	NAME_MAX_LEN = 256,
	LINE_MAX_LEN = 4096, /* two lists of proposals and some words */
};

static void say(struct ike_engine *e, enum ike_log_level level, const char *name, const char *fmt,
		va_list args) IKE_PRINTF(4, 0);
static void say(struct ike_engine *e, enum ike_log_level level, const char *name, const char *fmt,
		va_list args)
{
	char line[LINE_MAX_LEN];

	vsnprintf(line, sizeof(line), fmt, args);
	e->ops->log(e->host, level, name, line);
}

void ike_log(struct ike_engine *e, enum ike_log_level level, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	say(e, level, "", fmt, args);
	va_end(args);
}

void ike_sa_log(const struct ike_sa *sa, enum ike_log_level level, const char *fmt, ...)
{
	char name[NAME_MAX_LEN];
	va_list args;

	snprintf(name, sizeof(name), "%s[%" PRIu64 "]", sa->conn->name, sa->id);
	va_start(args, fmt);
	say(sa->engine, level, name, fmt, args);
	va_end(args);
}

void ike_child_log(const struct ike_child *c, enum ike_log_level level, const char *fmt, ...)
{
	char name[NAME_MAX_LEN];
	va_list args;

	snprintf(name, sizeof(name), "%s[%" PRIu64 "]/%s{%" PRIu64 "}", c->sa->conn->name,
		 c->sa->id, c->cfg->name, c->id);
	va_start(args, fmt);
	say(c->sa->engine, level, name, fmt, args);
	va_end(args);
}

void ike_emit(struct ike_engine *e, enum ike_event_type type, uint64_t ike_id, uint64_t child_id,
	      uint64_t old_id)
{
	e->ops->event(e->host, &(struct ike_event){
				       .type = type,
				       .ike_id = ike_id,
				       .child_id = child_id,
				       .old_id = old_id,
			       });
}
