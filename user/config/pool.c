// SPDX-License-Identifier: MIT
/* Pools of addresses for peers: pools.<name>. */
#include <stdlib.h>
#include <string.h>

#include "draft.h"

#define LATER(key) { .name = key }
#define POOL(key, setter, member) { key, setter, offsetof(struct pool_draft, member), NULL }

enum { POOL_MAX = 65536 };	/* addresses: what one lookup may walk over */

struct pool_draft {
	struct addr_list addrs, dns, split;
	struct ike_addr netmask;
};

/* RFC 7296 section 3.15.1: of IPv4; IPv6 has a prefix. */
static void set_netmask(const struct key_call *call)
{
	struct ike_addr *mask = call->field;
	struct ike_error err;
	uint32_t bits = 0;
	struct ike_ts ts;
	size_t i;

	if (ike_ts_parse(call->setting->value, &ts, &err) && ts.first.family == AF_INET &&
	    ike_addr_equal(&ts.first, &ts.last))
		for (i = 0; i < 4; i++)
			bits = bits << 8 | ts.first.bytes[i];
	/* Ones, then zeros. */
	if (bits && !(~bits & (~bits + 1)))
		*mask = ts.first;
	else
		key_error(call, "\"%s\" is no netmask (such as 255.255.255.0)", call->setting->value);
}

static const struct key_def pool_keys[] = {
	POOL("addrs", set_addrs, addrs),
	POOL("dns", set_addrs, dns),
	POOL("split_include", set_addrs, split),
	POOL("subnet", set_addrs, split),
	LATER("nbns"),
	LATER("dhcp"),
	{ "netmask", set_netmask, offsetof(struct pool_draft, netmask), NULL },
	LATER("server"),
	LATER("split_exclude"),
};

const struct key_table pool_table = {
	"pools.<name>", pool_keys, KEY_COUNT(pool_keys), NULL, 0,
};

/* How many addresses lie between two, or POOL_MAX and more. */
static uint64_t distance(const struct ike_addr *first, const struct ike_addr *last)
{
	uint64_t n = 0;
	size_t i;

	for (i = 0; i < ike_addr_len(first); i++) {
		n = n * 256 + last->bytes[i] - first->bytes[i];
		if ((int64_t)n > POOL_MAX)
			return POOL_MAX;
	}
	return n;
}

/* swanctl.conf(5): of a prefix not its first, the network's, nor its last, the broadcast's. */
static void set_range(struct load *l, const struct section *s, const struct ike_ts *ts,
		      struct ike_pool_cfg *pool)
{
	bool prefix = strchr(section_value(s, "addrs")->value, '/');

	pool->first = ts->first;
	pool->last = ts->last;
	if (distance(&ts->first, &ts->last) >= POOL_MAX)
		cfg_error(l->errors, where_of(s, "addrs"),
			  "pool \"%s\": more than %d addresses", s->name, POOL_MAX);
	else if (prefix && distance(&ts->first, &ts->last) > 1) {
		pool->first.bytes[ike_addr_len(&ts->first) - 1]++;
		pool->last.bytes[ike_addr_len(&ts->last) - 1]--;
	}
}

static bool is_prefix(const struct ike_ts *ts)
{
	bool inside = true;
	size_t i, bit;

	for (i = 0; i < ike_addr_len(&ts->first); i++) {
		for (bit = 8; bit--;) {
			bool first = ts->first.bytes[i] >> bit & 1, last = ts->last.bytes[i] >> bit & 1;

			if (inside && first == last)
				continue;
			inside = false;
			if (first || !last)
				return false;
		}
	}
	return true;
}

static void set_dns(struct load *l, const struct section *s, const struct addr_list *from,
		    struct ike_pool_cfg *pool)
{
	size_t i;

	pool->dns = calloc(from->n + 1, sizeof(*pool->dns));
	if (!pool->dns) {
		l->errors->no_memory = true;
		return;
	}
	for (i = 0; i < from->n; i++) {
		if (!ike_addr_equal(&from->list[i].first, &from->list[i].last))
			cfg_error(l->errors, where_of(s, "dns"),
				  "pool \"%s\": a name server is one address, no range", s->name);
		pool->dns[pool->n_dns++] = from->list[i].first;
	}
}

static void check_split(struct load *l, const struct section *s, const struct addr_list *split)
{
	size_t i;

	for (i = 0; i < split->n; i++)
		if (!is_prefix(&split->list[i]))
			cfg_error(l->errors, &s->where,
				  "pool \"%s\": split_include takes prefixes, no ranges", s->name);
}

void load_pool(struct load *l, const struct section *s)
{
	struct ike_config *config = l->out->ike;
	struct pool_draft d = { .addrs = { 0 } };
	struct ike_pool_cfg *list, *pool;

	list = list_grow(l, config->pools, config->n_pools, sizeof(*list));
	if (!list)
		return;
	config->pools = list;
	pool = &list[config->n_pools++];
	*pool = (struct ike_pool_cfg){ .name = strdup(s->name) };
	if (!pool->name)
		l->errors->no_memory = true;
	keys_apply(&pool_table, s, &d, l->errors);
	if (d.addrs.n == 1)
		set_range(l, s, d.addrs.list, pool);
	else
		cfg_error(l->errors, where_of(s, "addrs"),
			  "pool \"%s\": addrs must be one prefix or range", s->name);
	pool->netmask = d.netmask;
	if (d.netmask.family && pool->first.family == AF_INET6)
		cfg_error(l->errors, where_of(s, "netmask"),
			  "pool \"%s\": netmask is for addresses of IPv4", s->name);
	set_dns(l, s, &d.dns, pool);
	check_split(l, s, &d.split);
	pool->split = d.split.list;
	pool->n_split = d.split.n;
	free(d.addrs.list);
	free(d.dns.list);
}
