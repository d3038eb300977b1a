/* SPDX-License-Identifier: MIT */
/*
 * Moves a struct of types.h into and out of netlink attributes, and to and from text, by a table of
 * its fields: one list serves requests, replies, lists for people, JSON and command lines.
 */
#ifndef ESPLANE_DATAPLANE_CODEC_H
#define ESPLANE_DATAPLANE_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct nl_msg;
struct nlattr;
struct dp_addr;
struct dp_table;

enum dp_kind {
	DP_U16,			/* uint16_t, u32 on the wire */
	DP_U32,
	DP_U32S,		/* uint32_t[], one attribute each */
	DP_U64,
	DP_BE32,		/* uint32_t, big-endian on the wire */
	DP_ADDR,		/* struct dp_addr */
	DP_BYTES,		/* struct dp_bytes */
	DP_STRING,		/* const char * */
	DP_FLAG,		/* bool */
	DP_NESTS,		/* struct[], one nest each */
};

struct dp_field {
	const char *name;		/* as in the spec, with _ for - */
	uint16_t attr;
	uint8_t kind;			/* enum dp_kind */
	bool always;			/* put even if zero */
	uint16_t offset;
	/* U32S and NESTS: */
	uint16_t count_offset;		/* of a size_t */
	uint16_t max;
	const struct dp_table *nest;
	bool map;			/* NESTS: shown as {first field: last field} */
	/* U32 with names: values 1, 2, 3… or, if @bits, 1, 2, 4…; NULL-terminated */
	const char *const *values;
	bool bits;
};

struct dp_table {
	const struct dp_field *fields;
	size_t n_fields;
	size_t size;			/* of the struct */
	void (*init)(void *object);	/* what absent attributes mean, if not zero */
};

/* One table per struct of types.h. */
extern const struct dp_table dp_selector_table, dp_sa_table, dp_policy_table, dp_caps_table,
	dp_spd_table, dp_stats_table, dp_spi_table, dp_encap_table, dp_event_table;
extern const struct dp_table dp_policy_id_table, dp_sa_update_table;

/* Returns 0, -EMSGSIZE if @msg is full, -E2BIG if a list is longer than its maximum. */
int dp_put(struct nl_msg *msg, const struct dp_table *table, const void *object);
/*
 * Fills @object from attributes; unknown ones are skipped (a newer module), ill-sized ones refused
 * with -EBADMSG. Strings and bytes point into the message.
 */
int dp_get(const struct nlattr *head, int len, const struct dp_table *table, void *object);

/*
 * "name=value name=value", only what is not zero; @json: one object. Without newline. Keys are
 * never shown.
 */
void dp_print(FILE *out, const struct dp_table *table, const void *object, bool json);
/* The value of one field, or of one entry of a map, by name; false if there is none. */
bool dp_print_field(FILE *out, const struct dp_table *table, const void *object, const char *name);
/* The field of this name (- and _ are alike), or NULL. */
const struct dp_field *dp_find(const struct dp_table *table, const char *name, size_t len);
/* "192.0.2.1", "2001:db8::1" or "" */
const char *dp_addr_text(const struct dp_addr *a, char *buf, size_t len);

#endif
