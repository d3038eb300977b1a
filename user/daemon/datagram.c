// SPDX-License-Identifier: MIT
/* UDP datagrams taken apart: no socket is touched here. */
#include <netinet/in.h>
#include <netinet/udp.h>
#include <string.h>

#include "datagram.h"

enum {
	KEEPALIVE = 0xff,		/* RFC 3948 section 2.3 */
	/*
	 * ESP header and the smallest trailer with ICV (RFC 4303 section 2): nothing shorter can be
	 * ESP.
	 */
	SHORTEST_ESP = 8,
};

enum datagram_kind datagram_classify(const uint8_t *data, size_t len)
{
	static const uint8_t marker[DATAGRAM_MARKER_LEN];

	if (len == 1 && data[0] == KEEPALIVE)
		return DATAGRAM_KEEPALIVE;
	if (len >= DATAGRAM_MARKER_LEN && !memcmp(data, marker, DATAGRAM_MARKER_LEN))
		return DATAGRAM_IKE;
	return len >= SHORTEST_ESP ? DATAGRAM_ESP : DATAGRAM_RUNT;
}

void datagram_split(const uint8_t *data, size_t len, size_t segment,
		    void (*fn)(void *arg, const uint8_t *data, size_t len), void *arg)
{
	size_t take;

	do {
		take = segment && segment < len ? segment : len;
		fn(arg, data, take);
		data += take;
		len -= take;
	} while (len);
}

static void take_ipv4(const struct cmsghdr *cmsg, struct datagram_info *info)
{
	struct in_pktinfo p;

	memcpy(&p, CMSG_DATA(cmsg), sizeof(p));
	info->family = AF_INET;
	info->ifindex = p.ipi_ifindex;
	memcpy(info->local, &p.ipi_addr, sizeof(p.ipi_addr));
}

static void take_ipv6(const struct cmsghdr *cmsg, struct datagram_info *info)
{
	struct in6_pktinfo p;

	memcpy(&p, CMSG_DATA(cmsg), sizeof(p));
	info->family = AF_INET6;
	info->ifindex = p.ipi6_ifindex;
	memcpy(info->local, &p.ipi6_addr, sizeof(p.ipi6_addr));
}

static void take_gro(const struct cmsghdr *cmsg, struct datagram_info *info)
{
	int segment;

	memcpy(&segment, CMSG_DATA(cmsg), sizeof(segment));
	info->segment = segment > 0 ? segment : 0;
}

static bool is_message(const struct cmsghdr *cmsg, int level, int type, size_t len)
{
	return cmsg->cmsg_level == level && cmsg->cmsg_type == type &&
	       cmsg->cmsg_len >= CMSG_LEN(len);
}

void datagram_info(struct msghdr *msg, struct datagram_info *info)
{
	struct cmsghdr *cmsg;

	memset(info, 0, sizeof(*info));
	for (cmsg = CMSG_FIRSTHDR(msg); cmsg; cmsg = CMSG_NXTHDR(msg, cmsg)) {
		if (is_message(cmsg, IPPROTO_IP, IP_PKTINFO, sizeof(struct in_pktinfo)))
			take_ipv4(cmsg, info);
		else if (is_message(cmsg, IPPROTO_IPV6, IPV6_PKTINFO, sizeof(struct in6_pktinfo)))
			take_ipv6(cmsg, info);
		else if (is_message(cmsg, IPPROTO_UDP, UDP_GRO, sizeof(int)))
			take_gro(cmsg, info);
	}
}

static void put_message(struct msghdr *msg, union datagram_control *control, int level, int type,
			const void *data, size_t len)
{
	struct cmsghdr *cmsg = &control->align;

	memset(control, 0, sizeof(*control));
	cmsg->cmsg_level = level;
	cmsg->cmsg_type = type;
	cmsg->cmsg_len = CMSG_LEN(len);
	memcpy(CMSG_DATA(cmsg), data, len);
	msg->msg_control = control->buf;
	msg->msg_controllen = CMSG_SPACE(len);
}

void datagram_put_source(struct msghdr *msg, union datagram_control *control, int family,
			 const uint8_t *local, unsigned int scope)
{
	struct in_pktinfo v4 = { 0 };
	struct in6_pktinfo v6 = { 0 };

	if (family == AF_INET) {
		memcpy(&v4.ipi_spec_dst, local, sizeof(v4.ipi_spec_dst));
		put_message(msg, control, IPPROTO_IP, IP_PKTINFO, &v4, sizeof(v4));
	} else if (family == AF_INET6) {
		memcpy(&v6.ipi6_addr, local, sizeof(v6.ipi6_addr));
		v6.ipi6_ifindex = scope;
		put_message(msg, control, IPPROTO_IPV6, IPV6_PKTINFO, &v6, sizeof(v6));
	}
}
