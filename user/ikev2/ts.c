// SPDX-License-Identifier: MIT
/* The algebra of traffic selectors (RFC 7296 section 2.9) and their wire form (section 3.13). */
#include <string.h>

#include "ikev2/ts.h"
#include "ikev2/wire/decode.h"

static bool opaque(const struct ike_ts *ts)
{
	return ts->port_first > ts->port_last;
}

static bool any_port(const struct ike_ts *ts)
{
	return ts->port_first == 0 && ts->port_last == IKE_TS_PORT_MAX;
}

struct ike_ts ike_ts_of_addr(const struct ike_addr *a)
{
	struct ike_ts ts = {.first = *a, .last = *a, .port_last = IKE_TS_PORT_MAX};

	ts.first.scope = ts.last.scope = 0;
	return ts;
}

void ike_ts_resolve(struct ike_ts *list, size_t n, const struct ike_addr *a)
{
	for (size_t i = 0; i < n; i++) {
		if (list[i].dynamic) {
			list[i].first = list[i].last = *a;
			list[i].first.scope = list[i].last.scope = 0;
		}
	}
}

bool ike_ts_equal(const struct ike_ts *a, const struct ike_ts *b)
{
	return ike_addr_equal(&a->first, &b->first) && ike_addr_equal(&a->last, &b->last) &&
	       a->protocol == b->protocol && a->port_first == b->port_first &&
	       a->port_last == b->port_last;
}

/* OPAQUE is a value of its own, which "any" holds and no range does. */
static bool ports_contain(const struct ike_ts *outer, const struct ike_ts *inner)
{
	if (any_port(outer))
		return true;
	if (opaque(outer) || opaque(inner))
		return opaque(outer) && opaque(inner);
	return outer->port_first <= inner->port_first && inner->port_last <= outer->port_last;
}

bool ike_ts_contains(const struct ike_ts *outer, const struct ike_ts *inner)
{
	return outer->first.family && outer->first.family == inner->first.family &&
	       ike_addr_compare(&outer->first, &inner->first) <= 0 &&
	       ike_addr_compare(&inner->last, &outer->last) <= 0 &&
	       (!outer->protocol || outer->protocol == inner->protocol) &&
	       ports_contain(outer, inner);
}

bool ike_ts_holds_addr(const struct ike_ts *ts, const struct ike_addr *a)
{
	return ts->first.family == a->family && ike_addr_compare(&ts->first, a) <= 0 &&
	       ike_addr_compare(a, &ts->last) <= 0;
}

static bool ports_intersect(const struct ike_ts *a, const struct ike_ts *b, struct ike_ts *out)
{
	if (any_port(a) || any_port(b)) {
		const struct ike_ts *narrower = any_port(a) ? b : a;

		out->port_first = narrower->port_first;
		out->port_last = narrower->port_last;
		return true;
	}
	if (opaque(a) || opaque(b)) {
		out->port_first = a->port_first;
		out->port_last = a->port_last;
		return opaque(a) && opaque(b);
	}
	out->port_first = a->port_first > b->port_first ? a->port_first : b->port_first;
	out->port_last = a->port_last < b->port_last ? a->port_last : b->port_last;
	return out->port_first <= out->port_last;
}

bool ike_ts_intersect(const struct ike_ts *a, const struct ike_ts *b, struct ike_ts *out)
{
	struct ike_ts both = {.protocol = a->protocol ? a->protocol : b->protocol};

	if (!a->first.family || a->first.family != b->first.family)
		return false;
	if (a->protocol && b->protocol && a->protocol != b->protocol)
		return false;
	both.first = ike_addr_compare(&a->first, &b->first) > 0 ? a->first : b->first;
	both.last = ike_addr_compare(&a->last, &b->last) < 0 ? a->last : b->last;
	if (ike_addr_compare(&both.first, &both.last) > 0 || !ports_intersect(a, b, &both))
		return false;
	*out = both;
	return true;
}

/* Adds @ts unless the list holds it already; drops what it holds. False if there is no room. */
static bool add_maximal(struct ike_ts *list, size_t *n, size_t cap, const struct ike_ts *ts)
{
	size_t kept = 0;

	for (size_t i = 0; i < *n; i++)
		if (ike_ts_contains(&list[i], ts))
			return true;
	for (size_t i = 0; i < *n; i++)
		if (!ike_ts_contains(ts, &list[i]))
			list[kept++] = list[i];
	*n = kept;
	if (*n == cap)
		return false;
	list[(*n)++] = *ts;
	return true;
}

/*
 * The offer's first selector may be that of the packet that asked for the SA; it then lies within a
 * later one, and is swallowed by the intersection with that. What holds it comes first all the
 * same.
 */
static void put_first(struct ike_ts *list, size_t n, const struct ike_ts *wanted)
{
	for (size_t i = 1; i < n; i++) {
		if (ike_ts_contains(&list[i], wanted)) {
			struct ike_ts found = list[i];

			memmove(&list[1], &list[0], i * sizeof(*list));
			list[0] = found;
			return;
		}
	}
}

size_t ike_ts_narrow(const struct ike_ts *ours, size_t n_ours, const struct ike_ts *offer,
		     size_t n_offer, struct ike_ts *out, size_t cap)
{
	struct ike_ts both;
	size_t n = 0;

	for (size_t o = 0; o < n_offer; o++)
		for (size_t i = 0; i < n_ours; i++)
			if (ike_ts_intersect(&ours[i], &offer[o], &both) &&
			    !add_maximal(out, &n, cap, &both))
				return n;
	if (n)
		put_first(out, n, &offer[0]);
	return n;
}

bool ike_ts_subset(const struct ike_ts *offer, size_t n_offer, const struct ike_ts *answer,
		   size_t n_answer)
{
	for (size_t a = 0; a < n_answer; a++) {
		size_t o = 0;

		while (o < n_offer && !ike_ts_contains(&offer[o], &answer[a]))
			o++;
		if (o == n_offer)
			return false;
	}
	return n_answer > 0;
}

static bool from_wire(const struct ike_wire_ts *wire, struct ike_ts *ts, struct ike_error *err)
{
	*ts = (struct ike_ts){
		.protocol = wire->protocol,
		.port_first = wire->port_first,
		.port_last = wire->port_last,
	};
	if (!ike_addr_from_bytes(&ts->first, wire->first) ||
	    !ike_addr_from_bytes(&ts->last, wire->last))
		return ike_fail_notify(err, IKE_NOTIFY_INVALID_SYNTAX,
				       "TS payload: an address of neither 4 nor 16 bytes");
	if (ike_addr_compare(&ts->first, &ts->last) > 0)
		return ike_fail_notify(err, IKE_NOTIFY_INVALID_SYNTAX,
				       "TS payload: a range ends before it begins");
	return true;
}

bool ike_ts_decode(struct ike_bytes body, struct ike_ts *list, size_t cap, size_t *n,
		   struct ike_error *err)
{
	struct ike_wire_ts wire;
	struct ike_ts_iter it;
	enum ike_item item;

	*n = 0;
	if (!ike_ts_iter_init(&it, body, err))
		return false;
	while ((item = ike_ts_next(&it, &wire, err)) == IKE_ITEM_ONE) {
		if (!wire.first.len)
			continue;
		if (*n == cap)
			return ike_fail_notify(err, IKE_NOTIFY_TS_UNACCEPTABLE,
					       "TS payload: more than %zu selectors", cap);
		if (!from_wire(&wire, &list[*n], err))
			return false;
		(*n)++;
	}
	return item == IKE_ITEM_END;
}

void ike_put_ts_list(struct ike_writer *w, uint8_t payload_type, const struct ike_ts *list,
		     size_t n)
{
	struct ike_ts_writer ts;

	ike_ts_begin(w, &ts, payload_type);
	for (size_t i = 0; i < n; i++)
		ike_put_ts(w, &ts, list[i].protocol, list[i].port_first, list[i].port_last,
			   ike_addr_bytes(&list[i].first), ike_addr_bytes(&list[i].last));
	ike_ts_end(w, &ts);
}
