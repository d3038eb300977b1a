// SPDX-License-Identifier: MIT
/* A pair of traffic selectors as text, each half as IKE and the configuration write it. */
#include <string.h>

#include <netinet/in.h>

#include "../ikev2/ts.h"
#include "module.h"

static struct ike_addr address(const struct dp_addr *a)
{
	struct ike_addr to = { .family = a->len == 4 ? AF_INET : AF_INET6 };

	memcpy(to.bytes, a->bytes, a->len);
	return to;
}

/* In place of ports: ICMP, mobility headers. */
static bool has_type(uint32_t protocol)
{
	return protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6 || protocol == IPPROTO_MH;
}

/*
 * The data plane has the type in the source, the code in the destination; IKE both in one number.
 */
static void type_ports(const struct dp_selector *s, struct ike_ts *ts)
{
	if (s->src_port_last > UINT8_MAX)
		return;			/* any */
	ts->port_first = s->src_port_first << 8 | (s->dst_port_first & UINT8_MAX);
	ts->port_last = s->src_port_last << 8 | (s->dst_port_last & UINT8_MAX);
}

char *selector_text(const struct dp_selector *s, char *buf)
{
	struct ike_ts src = {
		.first = address(&s->src_first), .last = address(&s->src_last),
		.protocol = s->protocol,
		.port_first = s->src_port_first, .port_last = s->src_port_last,
	}, dst = {
		.first = address(&s->dst_first), .last = address(&s->dst_last),
		.protocol = s->protocol,
		.port_first = s->dst_port_first, .port_last = s->dst_port_last,
	};
	char from[IKE_TS_TEXT_MAX], to[IKE_TS_TEXT_MAX];

	if (has_type(s->protocol)) {
		src.port_first = 0;
		src.port_last = UINT16_MAX;
		type_ports(s, &src);
		dst.port_first = 0;
		dst.port_last = UINT16_MAX;
	}
	snprintf(buf, SELECTOR_TEXT_MAX, "%s -> %s", ike_ts_text(&src, from, sizeof(from)),
		 ike_ts_text(&dst, to, sizeof(to)));
	return buf;
}
