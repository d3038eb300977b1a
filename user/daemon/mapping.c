// SPDX-License-Identifier: MIT
/* The engine's wishes in the words of the data plane. */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "mapping.h"

enum {
	ICMP_ANY_CODE = UINT8_MAX,
	/* RFC 7296 section 3.13.1: type in the upper, code in the lower byte. */
	ICMP_TYPE_SHIFT = 8,
};

uint64_t mapping_cookie(uint32_t boot, uint64_t cookie)
{
	return (uint64_t)boot << 32 | (uint32_t)cookie;
}

void mapping_addr(struct dp_addr *to, const struct ike_addr *from)
{
	memset(to, 0, sizeof(*to));
	to->len = from->family == AF_INET ? 4 : from->family == AF_INET6 ? 16 : 0;
	memcpy(to->bytes, from->bytes, to->len);
}

uint32_t mapping_ifindex(const struct ike_addr *src, const struct ike_addr *dst)
{
	return src->scope ? src->scope : dst->scope;
}

bool mapping_addr_back(struct ike_addr *to, const struct dp_addr *from)
{
	memset(to, 0, sizeof(*to));
	to->family = from->len == 4 ? AF_INET : from->len == 16 ? AF_INET6 : AF_UNSPEC;
	memcpy(to->bytes, from->bytes, from->len <= sizeof(to->bytes) ? from->len : 0);
	return to->family != AF_UNSPEC;
}

/* In place of ports: ICMP, mobility headers. */
static bool has_type(uint8_t protocol)
{
	return protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6 || protocol == IPPROTO_MH;
}

static bool any_port(const struct ike_ts *ts)
{
	return ts->port_first == 0 && ts->port_last == UINT16_MAX;
}

static bool opaque_port(const struct ike_ts *ts)
{
	return ts->port_first > ts->port_last;
}

/*
 * The data plane has the type in the source, the code in the destination; IKE both in one number.
 */
static void type_ports(struct dp_selector *s, const struct ike_ts *ts)
{
	uint8_t first = ts->port_first >> ICMP_TYPE_SHIFT, last = ts->port_last >> ICMP_TYPE_SHIFT;

	s->src_port_first = first;
	s->src_port_last = last;
	/* Codes of a range of types make sense only if they are all of them. */
	s->dst_port_first = first == last ? ts->port_first & UINT8_MAX : 0;
	s->dst_port_last = first == last ? ts->port_last & UINT8_MAX : ICMP_ANY_CODE;
}

static void ports(struct dp_selector *s, const struct ike_ts *src, const struct ike_ts *dst)
{
	s->src_port_first = src->port_first;
	s->src_port_last = src->port_last;
	s->dst_port_first = dst->port_first;
	s->dst_port_last = dst->port_last;
	if (has_type(s->protocol) && !(any_port(src) && any_port(dst)))
		type_ports(s, any_port(src) ? dst : src);
}

static bool pair_fits(const struct ike_ts *src, const struct ike_ts *dst)
{
	return src->first.family == dst->first.family &&
	       (src->protocol == dst->protocol || !src->protocol || !dst->protocol);
}

int mapping_selectors(struct dp_selector *to, size_t *n, const struct ike_ts *src, size_t n_src,
		      const struct ike_ts *dst, size_t n_dst, const char **why)
{
	struct dp_selector *s;
	size_t i;

	*n = 0;
	for (i = 0; i < n_src * n_dst; i++) {
		const struct ike_ts *from = &src[i / n_dst], *too = &dst[i % n_dst];

		if (!pair_fits(from, too))
			continue;
		if (opaque_port(from) || opaque_port(too)) {
			*why = "the data plane knows no OPAQUE ports";
			return -EOPNOTSUPP;
		}
		if (*n == ESPLANE_MAX_SELECTORS) {
			*why = "more pairs of traffic selectors than the data plane takes";
			return -E2BIG;
		}
		s = &to[(*n)++];
		memset(s, 0, sizeof(*s));
		mapping_addr(&s->src_first, &from->first);
		mapping_addr(&s->src_last, &from->last);
		mapping_addr(&s->dst_first, &too->first);
		mapping_addr(&s->dst_last, &too->last);
		s->protocol = from->protocol ? from->protocol : too->protocol;
		ports(s, from, too);
	}
	if (*n)
		return 0;
	*why = "no pair of traffic selectors of the same address family and protocol";
	return -EINVAL;
}

static void lifetime(struct dp_sa *to, const struct ike_lifetime *life)
{
	to->soft_bytes = life->soft_bytes;
	to->hard_bytes = life->hard_bytes;
	to->soft_packets = life->soft_packets;
	to->hard_packets = life->hard_packets;
	to->soft_seconds = life->soft_seconds;
	to->hard_seconds = life->hard_seconds;
}

/* The data plane takes both keys as one: encryption with its salt, then integrity. */
static int keys(struct dp_sa *to, struct mapping_keymat *keymat, const struct ike_sa_spec *spec,
		const char **why)
{
	if (spec->encr_key_len + spec->integ_key_len > sizeof(keymat->bytes)) {
		*why = "the keys are longer than the data plane takes";
		return -EINVAL;
	}
	if (spec->encr_key_len)
		memcpy(keymat->bytes, spec->encr_key, spec->encr_key_len);
	if (spec->integ_key_len)
		memcpy(keymat->bytes + spec->encr_key_len, spec->integ_key, spec->integ_key_len);
	to->encr = spec->encr;
	to->integ = spec->integ;
	to->keymat = (struct dp_bytes){ keymat->bytes, spec->encr_key_len + spec->integ_key_len };
	return 0;
}

int mapping_sa(struct dp_sa *to, struct mapping_keymat *keymat, const struct ike_sa_spec *spec,
	       uint32_t boot, const char **why)
{
	int err;

	memset(to, 0, sizeof(*to));
	err = keys(to, keymat, spec, why);
	if (err)
		return err;
	to->direction = spec->inbound ? ESPLANE_DIRECTION_IN : ESPLANE_DIRECTION_OUT;
	to->mode = spec->transport ? ESPLANE_MODE_TRANSPORT : ESPLANE_MODE_TUNNEL;
	to->spi = spec->spi;
	mapping_addr(&to->src, &spec->src.addr);
	mapping_addr(&to->dst, &spec->dst.addr);
	to->ifindex = mapping_ifindex(&spec->src.addr, &spec->dst.addr);
	to->flags = (spec->esn ? ESPLANE_SA_FLAG_ESN : 0) |
		    (spec->copy_dscp ? ESPLANE_SA_FLAG_COPY_DSCP : 0) |
		    (spec->no_ecn ? ESPLANE_SA_FLAG_NO_ECN : 0);
	to->output_mark = spec->output_mark;
	to->replay_window = spec->inbound ? spec->replay_window : 0;
	if (spec->udp_encap) {
		to->encap_sport = spec->src.port;
		to->encap_dport = spec->dst.port;
	}
	to->if_id = spec->if_id;
	to->cookie = mapping_cookie(boot, spec->cookie);
	lifetime(to, &spec->life);
	/* What enters an outbound SA, its policy decides. */
	if (!spec->inbound)
		return 0;
	return mapping_selectors(to->selectors, &to->n_selectors, spec->src_ts, spec->n_src_ts,
				 spec->dst_ts, spec->n_dst_ts, why);
}

int mapping_policy(struct dp_policy *to, const struct ike_policy_spec *spec, uint32_t boot,
		   const char **why)
{
	static const uint32_t actions[] = {
		[IKE_POLICY_PROTECT] = ESPLANE_ACTION_PROTECT,
		[IKE_POLICY_BYPASS] = ESPLANE_ACTION_BYPASS,
		[IKE_POLICY_DISCARD] = ESPLANE_ACTION_DISCARD,
	};

	memset(to, 0, sizeof(*to));
	to->id = spec->id;
	to->direction = spec->inbound ? ESPLANE_DIRECTION_IN : ESPLANE_DIRECTION_OUT;
	to->action = actions[spec->action];
	to->priority = spec->priority;
	to->sa_id = spec->inbound ? 0 : spec->sa_id;
	to->if_id = spec->if_id;
	to->mark = spec->mark.value;
	to->mark_mask = spec->mark.mask;
	to->cookie = mapping_cookie(boot, spec->cookie);
	return mapping_selectors(to->selectors, &to->n_selectors, spec->src_ts, spec->n_src_ts,
				 spec->dst_ts, spec->n_dst_ts, why);
}

static bool same_selector(const struct dp_selector *a, const struct dp_selector *b)
{
	/* Unused bytes of addresses are zero, and there is no padding that anybody writes to. */
	return !memcmp(&a->src_first, &b->src_first, sizeof(a->src_first)) &&
	       !memcmp(&a->src_last, &b->src_last, sizeof(a->src_last)) &&
	       !memcmp(&a->dst_first, &b->dst_first, sizeof(a->dst_first)) &&
	       !memcmp(&a->dst_last, &b->dst_last, sizeof(a->dst_last)) &&
	       a->protocol == b->protocol && a->src_port_first == b->src_port_first &&
	       a->src_port_last == b->src_port_last && a->dst_port_first == b->dst_port_first &&
	       a->dst_port_last == b->dst_port_last;
}

static bool holds_selector(const struct dp_selector *list, size_t n, const struct dp_selector *s)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (same_selector(&list[i], s))
			return true;
	return false;
}

bool mapping_same_selectors(const struct dp_selector *a, size_t n_a, const struct dp_selector *b,
			    size_t n_b)
{
	size_t i;

	if (n_a != n_b)
		return false;
	for (i = 0; i < n_a; i++)
		if (!holds_selector(b, n_b, &a[i]) || !holds_selector(a, n_a, &b[i]))
			return false;
	return true;
}

static bool addresses_meet(const struct dp_addr *a_first, const struct dp_addr *a_last,
			   const struct dp_addr *b_first, const struct dp_addr *b_last)
{
	return a_first->len == b_first->len &&
	       memcmp(a_first->bytes, b_last->bytes, a_first->len) <= 0 &&
	       memcmp(b_first->bytes, a_last->bytes, a_first->len) <= 0;
}

static bool selectors_meet(const struct dp_selector *a, const struct dp_selector *b)
{
	return addresses_meet(&a->src_first, &a->src_last, &b->src_first, &b->src_last) &&
	       addresses_meet(&a->dst_first, &a->dst_last, &b->dst_first, &b->dst_last) &&
	       (a->protocol == b->protocol || !a->protocol || !b->protocol) &&
	       a->src_port_first <= b->src_port_last && b->src_port_first <= a->src_port_last &&
	       a->dst_port_first <= b->dst_port_last && b->dst_port_first <= a->dst_port_last;
}

bool mapping_overlap(const struct dp_selector *a, size_t n_a, const struct dp_selector *b,
		     size_t n_b)
{
	size_t i, j;

	for (i = 0; i < n_a; i++)
		for (j = 0; j < n_b; j++)
			if (selectors_meet(&a[i], &b[j]))
				return true;
	return false;
}
