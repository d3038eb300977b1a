// SPDX-License-Identifier: MIT
/* Addresses: comparing, reading and printing them. */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "ikev2/ts.h"

enum { IPV4_LEN = 4, IPV6_LEN = 16 };

size_t ike_addr_len(const struct ike_addr *a)
{
	switch (a->family) {
	case AF_INET:
		return IPV4_LEN;
	case AF_INET6:
		return IPV6_LEN;
	default:
		return 0;
	}
}

struct ike_bytes ike_addr_bytes(const struct ike_addr *a)
{
	return ike_bytes(a->bytes, ike_addr_len(a));
}

bool ike_addr_from_bytes(struct ike_addr *a, struct ike_bytes b)
{
	if (b.len != IPV4_LEN && b.len != IPV6_LEN)
		return false;
	memset(a, 0, sizeof(*a));
	a->family = b.len == IPV4_LEN ? AF_INET : AF_INET6;
	memcpy(a->bytes, b.p, b.len);
	return true;
}

int ike_addr_compare(const struct ike_addr *a, const struct ike_addr *b)
{
	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	return memcmp(a->bytes, b->bytes, ike_addr_len(a));
}

bool ike_addr_equal(const struct ike_addr *a, const struct ike_addr *b)
{
	return !ike_addr_compare(a, b);
}

bool ike_addr_link_local(const struct ike_addr *a)
{
	return a->family == AF_INET6 && a->bytes[0] == 0xfe && (a->bytes[1] & 0xc0) == 0x80;
}

bool ike_addr_unspecified(const struct ike_addr *a)
{
	static const uint8_t zero[sizeof(a->bytes)];

	return !memcmp(a->bytes, zero, ike_addr_len(a));
}

bool ike_addr_parse(const char *text, struct ike_addr *a, struct ike_error *err)
{
	struct ike_addr parsed = {0};

	if (inet_pton(AF_INET, text, parsed.bytes) == 1)
		parsed.family = AF_INET;
	else if (inet_pton(AF_INET6, text, parsed.bytes) == 1)
		parsed.family = AF_INET6;
	else
		return ike_fail(err, "\"%s\" is not an IP address", text);
	*a = parsed;
	return true;
}

char *ike_addr_text(const struct ike_addr *a, char *buf, size_t cap)
{
	if (!ike_addr_len(a) || !inet_ntop(a->family, a->bytes, buf, cap))
		snprintf(buf, cap, "(none)");
	else if (a->scope)
		snprintf(buf + strlen(buf), cap - strlen(buf), "%%%u", a->scope);
	return buf;
}
