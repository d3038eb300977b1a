// SPDX-License-Identifier: MIT
/* Between structs and netlink attributes, by table. */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include <netlink/attr.h>
#include <netlink/msg.h>

#include "codec.h"
#include "types.h"

static const void *member(const void *object, const struct dp_field *f)
{
	return (const char *)object + f->offset;
}

static size_t *count_of(void *object, const struct dp_field *f)
{
	return (size_t *)((char *)object + f->count_offset);
}

static int put_number(struct nl_msg *msg, const struct dp_field *f, uint32_t value)
{
	return value || f->always ? nla_put_u32(msg, f->attr, value) : 0;
}

static int put_addr(struct nl_msg *msg, const struct dp_field *f, const struct dp_addr *a)
{
	return a->len ? nla_put(msg, f->attr, a->len, a->bytes) : 0;
}

static int put_nest(struct nl_msg *msg, const struct dp_field *f, const void *object)
{
	struct nlattr *nest = nla_nest_start(msg, f->attr | NLA_F_NESTED);

	if (!nest || dp_put(msg, f->nest, object))
		return -EMSGSIZE;
	return nla_nest_end(msg, nest);
}

static int put_list(struct nl_msg *msg, const struct dp_field *f, const void *object)
{
	size_t n = *count_of((void *)object, f), i;
	const char *at = member(object, f);
	int err = 0;

	if (n > f->max)
		return -E2BIG;
	for (i = 0; i < n && !err; i++) {
		if (f->kind == DP_NESTS)
			err = put_nest(msg, f, at + i * f->nest->size);
		else
			err = nla_put_u32(msg, f->attr, ((const uint32_t *)at)[i]);
	}
	return err ? -EMSGSIZE : 0;
}

static int put_field(struct nl_msg *msg, const struct dp_field *f, const void *object)
{
	const void *at = member(object, f);
	const struct dp_bytes *bytes = at;
	uint32_t u32;
	uint64_t u64;

	switch ((enum dp_kind)f->kind) {
	case DP_U16:
		return put_number(msg, f, *(const uint16_t *)at);
	case DP_U32:
		return put_number(msg, f, *(const uint32_t *)at);
	case DP_BE32:
		u32 = *(const uint32_t *)at;
		return u32 ? nla_put_u32(msg, f->attr, htonl(u32)) : 0;
	case DP_U64:
		u64 = *(const uint64_t *)at;
		return u64 ? nla_put_u64(msg, f->attr, u64) : 0;
	case DP_ADDR:
		return put_addr(msg, f, at);
	case DP_BYTES:
		return bytes->len ? nla_put(msg, f->attr, bytes->len, bytes->data) : 0;
	case DP_STRING:
		return *(const char *const *)at
			       ? nla_put_string(msg, f->attr, *(const char *const *)at)
			       : 0;
	case DP_FLAG:
		return *(const bool *)at ? nla_put_flag(msg, f->attr) : 0;
	case DP_U32S:
	case DP_NESTS:
		return put_list(msg, f, object);
	}
	return -EINVAL;
}

int dp_put(struct nl_msg *msg, const struct dp_table *table, const void *object)
{
	size_t i;
	int err;

	for (i = 0; i < table->n_fields; i++) {
		err = put_field(msg, &table->fields[i], object);
		if (err)
			return err == -E2BIG ? err : -EMSGSIZE;
	}
	return 0;
}

static int get_u32(const struct nlattr *attr, uint32_t *value)
{
	if (nla_len(attr) != sizeof(*value))
		return -EBADMSG;
	*value = nla_get_u32(attr);
	return 0;
}

static int get_u16(const struct nlattr *attr, uint16_t *value)
{
	uint32_t wide;
	int err = get_u32(attr, &wide);

	if (err || wide > UINT16_MAX)
		return -EBADMSG;
	*value = wide;
	return 0;
}

static int get_be32(const struct nlattr *attr, uint32_t *value)
{
	int err = get_u32(attr, value);

	if (!err)
		*value = ntohl(*value);
	return err;
}

static int get_u64(const struct nlattr *attr, uint64_t *value)
{
	if (nla_len(attr) != sizeof(*value))
		return -EBADMSG;
	*value = nla_get_u64(attr);
	return 0;
}

static int get_addr(const struct nlattr *attr, struct dp_addr *a)
{
	int len = nla_len(attr);

	if (len != 4 && len != 16)
		return -EBADMSG;
	a->len = len;
	memcpy(a->bytes, nla_data(attr), len);
	return 0;
}

static int get_string(const struct nlattr *attr, const char **text)
{
	const char *data = nla_data(attr);
	int len = nla_len(attr);

	if (len < 1 || data[len - 1])
		return -EBADMSG;
	*text = data;
	return 0;
}

/* Elements beyond the maximum are a newer module's: left out rather than refused. */
static int get_element(const struct nlattr *attr, const struct dp_field *f, void *object)
{
	size_t *n = count_of(object, f);
	char *at = (char *)member(object, f);
	int err;

	if (*n >= f->max)
		return 0;
	if (f->kind == DP_NESTS)
		err = dp_get(nla_data(attr), nla_len(attr), f->nest, at + *n * f->nest->size);
	else
		err = get_u32(attr, (uint32_t *)at + *n);
	*n += !err;
	return err;
}

static int get_field(const struct nlattr *attr, const struct dp_field *f, void *object)
{
	void *at = (void *)member(object, f);

	switch ((enum dp_kind)f->kind) {
	case DP_U16:
		return get_u16(attr, at);
	case DP_U32:
		return get_u32(attr, at);
	case DP_BE32:
		return get_be32(attr, at);
	case DP_U64:
		return get_u64(attr, at);
	case DP_ADDR:
		return get_addr(attr, at);
	case DP_BYTES:
		*(struct dp_bytes *)at = (struct dp_bytes){ nla_data(attr), nla_len(attr) };
		return 0;
	case DP_STRING:
		return get_string(attr, at);
	case DP_FLAG:
		*(bool *)at = true;
		return 0;
	case DP_U32S:
	case DP_NESTS:
		return get_element(attr, f, object);
	}
	return -EINVAL;
}

/* The field of @type, looked for from @hint on: a reply's order is much like the table's. */
static const struct dp_field *find_field(const struct dp_table *table, int type, size_t *hint)
{
	size_t n = table->n_fields, i;

	for (i = 0; i < n; i++, *hint = *hint + 1 < n ? *hint + 1 : 0)
		if (table->fields[*hint].attr == type)
			return &table->fields[*hint];
	return NULL;
}

int dp_get(const struct nlattr *head, int len, const struct dp_table *table, void *object)
{
	const struct dp_field *f;
	struct nlattr *attr;
	size_t hint = 0;
	int rem, err;

	memset(object, 0, table->size);
	if (table->init)
		table->init(object);
	nla_for_each_attr(attr, (struct nlattr *)head, len, rem) {
		f = find_field(table, nla_type(attr), &hint);
		err = f ? get_field(attr, f, object) : 0;
		if (err)
			return err;
	}
	return rem ? -EBADMSG : 0;
}
