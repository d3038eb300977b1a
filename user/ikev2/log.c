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

static void say(struct ike_engine *e, enum ike_log_level level, const struct ike_log_names *names,
		const char *fmt, va_list args) IKE_PRINTF(4, 0);
static void say(struct ike_engine *e, enum ike_log_level level, const struct ike_log_names *names,
		const char *fmt, va_list args)
{
	char line[LINE_MAX_LEN];

	vsnprintf(line, sizeof(line), fmt, args);
	if (e->ops->log_about)
		e->ops->log_about(e->host, level, names, line);
	else
		e->ops->log(e->host, level, names->name, line);
}

void ike_log(struct ike_engine *e, enum ike_log_level level, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	say(e, level, &(struct ike_log_names){.name = ""}, fmt, args);
	va_end(args);
}

void ike_stranger_log(struct ike_engine *e, enum ike_log_level level, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	say(e, level, &(struct ike_log_names){.name = "", .stranger = true}, fmt, args);
	va_end(args);
}

static struct ike_log_names names_of(const struct ike_sa *sa)
{
	return (struct ike_log_names){
		.conn = sa->conn->name,
		.ike_id = sa->id,
		.spi_i = sa->spi_i,
		.spi_r = sa->spi_r,
		.stranger = !sa->initiator && !sa->established,
	};
}

void ike_sa_log(const struct ike_sa *sa, enum ike_log_level level, const char *fmt, ...)
{
	struct ike_log_names names = names_of(sa);
	char name[NAME_MAX_LEN];
	va_list args;

	snprintf(name, sizeof(name), "%s[%" PRIu64 "]", sa->conn->name, sa->id);
	names.name = name;
	va_start(args, fmt);
	say(sa->engine, level, &names, fmt, args);
	va_end(args);
}

void ike_child_log(const struct ike_child *c, enum ike_log_level level, const char *fmt, ...)
{
	struct ike_log_names names = names_of(c->sa);
	char name[NAME_MAX_LEN];
	va_list args;

	snprintf(name, sizeof(name), "%s[%" PRIu64 "]/%s{%" PRIu64 "}", c->sa->conn->name,
		 c->sa->id, c->cfg->name, c->id);
	names.name = name;
	names.child = c->cfg->name;
	names.child_id = c->id;
	names.spi_in = c->spi_in;
	names.spi_out = c->spi_out;
	va_start(args, fmt);
	say(c->sa->engine, level, &names, fmt, args);
	va_end(args);
}

bool ike_refuse(struct ike_engine *e, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(e->why, sizeof(e->why), fmt, args);
	va_end(args);
	return false;
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
