// SPDX-License-Identifier: MIT
/* Traffic selectors as people write them: swanctl's syntax, both ways. */
#include <ctype.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "ikev2/ts.h"

enum {
	WORD_MAX = 128,
	ICMP_SHIFT = 8,
	ICMP_MASK = 0xff
};

static bool number(const char *text, unsigned long max, unsigned long *value)
{
	char *end;

	if (!isdigit((unsigned char)text[0]))
		return false;
	errno = 0;
	*value = strtoul(text, &end, 10);
	return !*end && !errno && *value <= max;
}

/* Known here too, so that configurations are read alike where there is no /etc/protocols. */
static const struct {
	const char *name;
	uint8_t number;
} protocols[] = {
	{"icmp", IPPROTO_ICMP},
	{"tcp", IPPROTO_TCP},
	{"udp", IPPROTO_UDP},
	{"gre", IPPROTO_GRE},
	{"ipv6-icmp", IPPROTO_ICMPV6},
	{"sctp", IPPROTO_SCTP},
	{"ospf", 89},
	{"l2tp", 115},
};

static bool known_protocol(const char *text, uint8_t *protocol)
{
	for (size_t i = 0; i < sizeof(protocols) / sizeof(protocols[0]); i++) {
		if (!strcmp(protocols[i].name, text)) {
			*protocol = protocols[i].number;
			return true;
		}
	}
	return false;
}

static bool parse_protocol(const char *text, uint8_t *protocol, struct ike_error *err)
{
	const struct protoent *entry;
	unsigned long value;

	if (!strcmp(text, "%any") || !strcmp(text, "any")) {
		*protocol = IKE_TS_ANY_PROTOCOL;
		return true;
	}
	if (number(text, UINT8_MAX, &value)) {
		*protocol = value;
		return true;
	}
	if (known_protocol(text, protocol))
		return true;
	entry = getprotobyname(text);
	if (!entry)
		return ike_fail(err, "\"%s\" is not a protocol", text);
	*protocol = entry->p_proto;
	return true;
}

/* In place of ports: ICMP, mobility headers. */
static bool has_type(uint8_t protocol)
{
	return protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6 || protocol == IPPROTO_MH;
}

/*
 * ICMP: type, or type/code, as one 16-bit number; a mobility header's type with 0 for a code (RFC 7296
 * section 3.13.1).
 */
static bool parse_type(const char *text, struct ike_ts *ts, struct ike_error *err)
{
	char type[WORD_MAX], *slash;
	unsigned long value, code = 0;
	bool coded;

	strcpy(type, text);
	slash = strchr(type, '/');
	if (slash)
		*slash = '\0';
	if (!number(type, ICMP_MASK, &value) || (slash && !number(slash + 1, ICMP_MASK, &code)))
		return ike_fail(err, "\"%s\" is not an ICMP type or type/code", text);
	coded = slash || ts->protocol == IPPROTO_MH;
	ts->port_first = value << ICMP_SHIFT | code;
	ts->port_last = value << ICMP_SHIFT | (coded ? code : ICMP_MASK);
	return true;
}

static bool parse_service(const char *text, uint8_t protocol, uint16_t *port, struct ike_error *err)
{
	const struct protoent *entry = getprotobynumber(protocol);
	const struct servent *service;
	unsigned long value;

	if (number(text, IKE_TS_PORT_MAX, &value)) {
		*port = value;
		return true;
	}
	service = getservbyname(text, entry ? entry->p_name : NULL);
	if (!service)
		return ike_fail(err, "\"%s\" is not a port", text);
	*port = ntohs(service->s_port);
	return true;
}

static bool parse_ports(const char *text, struct ike_ts *ts, struct ike_error *err)
{
	char first[WORD_MAX], *dash;

	if (!strcmp(text, "%any") || !strcmp(text, "any"))
		return true;
	if (!strcmp(text, "opaque")) {
		ts->port_first = IKE_TS_PORT_MAX;
		ts->port_last = 0;
		return true;
	}
	if (has_type(ts->protocol))
		return parse_type(text, ts, err);
	/* A name such as "ftp-data" has a dash of its own: only digits begin a range. */
	strcpy(first, text);
	dash = isdigit((unsigned char)first[0]) ? strchr(first, '-') : NULL;
	if (dash)
		*dash = '\0';
	if (!parse_service(first, ts->protocol, &ts->port_first, err))
		return false;
	ts->port_last = ts->port_first;
	if (dash && !parse_service(dash + 1, ts->protocol, &ts->port_last, err))
		return false;
	if (ts->port_first > ts->port_last)
		return ike_fail(err, "port range \"%s\" ends before it begins", text);
	return true;
}

/* What stands between the brackets: "proto", "proto/port", "/port". */
static bool parse_upper(char *text, struct ike_ts *ts, struct ike_error *err)
{
	char *slash = strchr(text, '/');

	if (slash)
		*slash = '\0';
	if (text[0] && !parse_protocol(text, &ts->protocol, err))
		return false;
	return !slash || !slash[1] || parse_ports(slash + 1, ts, err);
}

static void set_host_bits(struct ike_addr *a, unsigned int prefix, bool ones)
{
	for (unsigned int bit = prefix; bit < ike_addr_len(a) * 8; bit++) {
		uint8_t mask = 0x80 >> bit % 8;

		if (ones)
			a->bytes[bit / 8] |= mask;
		else
			a->bytes[bit / 8] &= ~mask;
	}
}

static bool parse_prefix(char *text, char *slash, struct ike_ts *ts, struct ike_error *err)
{
	struct ike_addr network;
	unsigned long prefix;

	*slash = '\0';
	if (!ike_addr_parse(text, &ts->first, err))
		return false;
	if (!number(slash + 1, ike_addr_len(&ts->first) * 8, &prefix))
		return ike_fail(err, "\"%s\" is not a prefix length for %s", slash + 1, text);
	network = ts->first;
	set_host_bits(&network, prefix, false);
	if (!ike_addr_equal(&network, &ts->first)) {
		char right[IKE_ADDR_TEXT_MAX];

		return ike_fail(err, "%s/%s has host bits set: the network is %s/%s", text,
				slash + 1, ike_addr_text(&network, right, sizeof(right)),
				slash + 1);
	}
	ts->last = network;
	set_host_bits(&ts->last, prefix, true);
	return true;
}

static bool parse_range(char *text, char *dash, struct ike_ts *ts, struct ike_error *err)
{
	*dash = '\0';
	if (!ike_addr_parse(text, &ts->first, err) || !ike_addr_parse(dash + 1, &ts->last, err))
		return false;
	if (ts->first.family != ts->last.family)
		return ike_fail(err, "range %s-%s mixes IPv4 and IPv6", text, dash + 1);
	if (ike_addr_compare(&ts->first, &ts->last) > 0)
		return ike_fail(err, "range %s-%s ends before it begins", text, dash + 1);
	return true;
}

static bool parse_addresses(char *text, struct ike_ts *ts, struct ike_error *err)
{
	char *mark;

	if (!strcmp(text, "dynamic")) {
		ts->dynamic = true;
		return true;
	}
	mark = strchr(text, '/');
	if (mark)
		return parse_prefix(text, mark, ts, err);
	mark = strchr(text, '-');
	if (mark)
		return parse_range(text, mark, ts, err);
	if (!ike_addr_parse(text, &ts->first, err))
		return false;
	ts->last = ts->first;
	return true;
}

bool ike_ts_parse(const char *text, struct ike_ts *ts, struct ike_error *err)
{
	struct ike_ts parsed = {.port_last = IKE_TS_PORT_MAX};
	char word[WORD_MAX], *bracket, *end;

	if (strlen(text) >= sizeof(word))
		return ike_fail(err, "traffic selector \"%.20s...\" is too long", text);
	strcpy(word, text);
	bracket = strchr(word, '[');
	if (bracket) {
		end = strchr(bracket, ']');
		if (!end || end[1])
			return ike_fail(err, "traffic selector \"%s\": \"]\" is missing at its end",
					text);
		*bracket++ = '\0';
		*end = '\0';
		if (!parse_upper(bracket, &parsed, err))
			return ike_fail_at(err, "traffic selector \"%s\"", text);
	}
	if (!parse_addresses(word, &parsed, err))
		return ike_fail_at(err, "traffic selector \"%s\"", text);
	*ts = parsed;
	return true;
}

static size_t count_items(const char *text)
{
	size_t n = 1;

	for (; *text; text++)
		n += *text == ',';
	return n;
}

/* The next item without blanks around it; moves *@text behind its comma, or to NULL at the end. */
static bool next_item(const char **text, char *item, size_t cap, struct ike_error *err)
{
	const char *begin = *text + strspn(*text, " \t"), *comma = strchr(begin, ',');
	size_t len = comma ? (size_t)(comma - begin) : strlen(begin);

	*text = comma ? comma + 1 : NULL;
	while (len && isspace((unsigned char)begin[len - 1]))
		len--;
	if (len >= cap)
		return ike_fail(err, "traffic selector \"%.20s...\" is too long", begin);
	memcpy(item, begin, len);
	item[len] = '\0';
	return true;
}

bool ike_ts_list_parse(const char *text, struct ike_ts **list, size_t *n, struct ike_error *err)
{
	struct ike_ts *parsed = calloc(count_items(text), sizeof(*parsed));
	char item[WORD_MAX];
	size_t count = 0;

	if (!parsed)
		return ike_fail(err, "out of memory");
	while (text) {
		if (!next_item(&text, item, sizeof(item), err))
			goto fail;
		if (!item[0])
			continue;
		if (count == IKE_TS_MAX) {
			ike_fail(err, "more than %d traffic selectors", IKE_TS_MAX);
			goto fail;
		}
		if (!ike_ts_parse(item, &parsed[count++], err))
			goto fail;
	}
	if (!count) {
		ike_fail(err, "no traffic selector given");
		goto fail;
	}
	*list = parsed;
	*n = count;
	return true;
fail:
	free(parsed);
	return false;
}

/* The prefix length that first..last is, or -1. */
static int prefix_of(const struct ike_ts *ts)
{
	unsigned int bits = ike_addr_len(&ts->first) * 8, prefix = 0;
	struct ike_addr first = ts->first, last = ts->first;

	while (prefix < bits &&
	       !((ts->first.bytes[prefix / 8] ^ ts->last.bytes[prefix / 8]) & 0x80 >> prefix % 8))
		prefix++;
	set_host_bits(&first, prefix, false);
	set_host_bits(&last, prefix, true);
	if (!ike_addr_equal(&first, &ts->first) || !ike_addr_equal(&last, &ts->last))
		return -1;
	return prefix;
}

static void add_addresses(struct ike_text *t, const struct ike_ts *ts)
{
	char first[IKE_ADDR_TEXT_MAX], last[IKE_ADDR_TEXT_MAX];
	int prefix = prefix_of(ts);

	ike_addr_text(&ts->first, first, sizeof(first));
	if (prefix >= 0)
		ike_text_add(t, "%s/%d", first, prefix);
	else
		ike_text_add(t, "%s-%s", first, ike_addr_text(&ts->last, last, sizeof(last)));
}

static void add_protocol(struct ike_text *t, uint8_t protocol)
{
	switch (protocol) {
	case IKE_TS_ANY_PROTOCOL:
		return;
	case IPPROTO_TCP:
		ike_text_add(t, "tcp");
		return;
	case IPPROTO_UDP:
		ike_text_add(t, "udp");
		return;
	case IPPROTO_ICMP:
		ike_text_add(t, "icmp");
		return;
	default:
		ike_text_add(t, "%u", protocol);
	}
}

static void add_ports(struct ike_text *t, const struct ike_ts *ts)
{
	unsigned int first = ts->port_first, last = ts->port_last;

	if (first == 0 && last == IKE_TS_PORT_MAX)
		return;
	if (first > last)
		ike_text_add(t, "/opaque");
	else if (has_type(ts->protocol) && first == last)
		ike_text_add(t, "/%u/%u", first >> ICMP_SHIFT, first & ICMP_MASK);
	else if (has_type(ts->protocol))
		ike_text_add(t, "/%u", first >> ICMP_SHIFT);
	else if (first == last)
		ike_text_add(t, "/%u", first);
	else
		ike_text_add(t, "/%u-%u", first, last);
}

char *ike_ts_text(const struct ike_ts *ts, char *buf, size_t cap)
{
	struct ike_text t;

	ike_text_init(&t, buf, cap);
	if (ts->first.family)
		add_addresses(&t, ts);
	else
		ike_text_add(&t, "dynamic");
	if (ts->protocol || ts->port_first != 0 || ts->port_last != IKE_TS_PORT_MAX) {
		ike_text_add(&t, "[");
		add_protocol(&t, ts->protocol);
		add_ports(&t, ts);
		ike_text_add(&t, "]");
	}
	return buf;
}

char *ike_ts_list_text(const struct ike_ts *list, size_t n, char *buf, size_t cap)
{
	char one[IKE_TS_TEXT_MAX];
	struct ike_text t;

	ike_text_init(&t, buf, cap);
	if (!n)
		ike_text_add(&t, "(none)");
	for (size_t i = 0; i < n; i++)
		ike_text_add(&t, "%s%s", i ? " " : "", ike_ts_text(&list[i], one, sizeof(one)));
	return buf;
}
