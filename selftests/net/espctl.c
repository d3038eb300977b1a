// SPDX-License-Identifier: MIT
/*
 * Sets SAs and policies by hand, and shows what the module knows: one command per operation of the
 * genetlink family, arguments as key=value with the names of include/netlink/esplane.yaml (- and _
 * are alike).
 */
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <net/if.h>
#include <netinet/udp.h>

#include "dataplane/client.h"
#include "dataplane/codec.h"
#include "dataplane/link.h"

static const char usage[] =
	"usage: espctl [--netns NAME] COMMAND [KEY=VALUE...]\n"
	"       espctl [--netns NAME] -         commands from standard input, one a line, until one "
	"fails;\n"
	"         an ID may be \"last\", the one printed last\n"
	"  sa-add direction=in|out spi=N src=ADDR dst=ADDR key=HEX [encr=aes-gcm-16|...|N]\n"
	"         [integ=hmac-sha2-256-128|...|N] [mode=tunnel|transport]\n"
	"         [encap=SPORT:DPORT] [esn=1] [flags=esn,no-replay-check,copy-dscp,no-ecn] "
	"[replay_window=N]\n"
	"         [dev=NAME] [seq=N] [if_id=N] [cookie=N] [selector=SRC,DST[,PROTO[,SPORTS,DPORTS]]]...\n"
	"         [soft_bytes=N] [hard_bytes=N] [soft_packets=N] ... [hard_seconds=N]     prints "
	"the ID\n"
	"         [--count N [--together]]       N of them, their SPIs counted up; together: seconds "
	"limits count\n"
	"         from the start of the command for all; prints the last ID\n"
	"         (HEX is key, salt, integrity key; SRC: 10.0.0.0/8, 10.0.0.1 or "
	"10.0.0.1-10.0.0.9,\n"
	"         or the same in IPv6; SPORTS: N or N-M; NAME: by which outer packets leave)\n"
	"  sa-update id=N [src=ADDR] [dst=ADDR] [dev=NAME] [encap=SPORT:DPORT]     (0:0: native "
	"ESP)\n"
	"  sa-del id=N | sa-list [--json] [id=N] [get=FIELD]\n"
	"  policy-set direction=in|out action=protect|bypass|discard selector=... [priority=N] "
	"[sa_id=N]\n"
	"         [if_id=N] [mark=N] [mark_mask=N] [cookie=N] [hard_seconds=N] [id=N]     prints "
	"the ID\n"
	"         [--count N]    N of them, the destination of the first selector counted up; prints "
	"the last ID\n"
	"  policy-del id=N | policy-list [--json] [id=N] [get=FIELD]\n"
	"  spd-set [default_in=bypass|discard] [default_out=bypass|discard]\n"
	"  spd-get [--json] [get=FIELD]\n"
	"  flush                                  all SAs and policies\n"
	"  spi-alloc dst=ADDR [lowest=N] [highest=N] [timeout=SECONDS]                           prints "
	"the SPI\n"
	"  spi-free spi=N dst=ADDR\n"
	"  encap-add port=N [address=ADDR] [ike_only=1] [gro=0] [--hold]\n"
	"         --hold keeps the socket open and prints what it receives, one JSON a line, until "
	"killed;\n"
	"         the first line is \"ready\"\n"
	"  encap-del port=N\n"
	"  stats [--json] [get=FIELD or drop reason]\n"
	"  caps [--json]\n"
	"  xfrm-encap port=N [address=ADDR] [gro=0]    holds a socket whose ESP goes to the kernel's "
	"own IPsec,\n"
	"         until killed; prints \"ready\"\n"
	"  link-add NAME [if_id=N]                an interface of kind esplane\n"
	"  monitor [--count N] [--timeout SECONDS] [--small]    events, one JSON a line; \"ready\" on "
	"stderr when it listens;\n"
	"         fails if COUNT events do not come in time; --small: of few it loses some\n";

static void __attribute__((noreturn, format(printf, 1, 2))) die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("espctl: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
	exit(EXIT_FAILURE);
}

static struct dp *open_dp(void)
{
	const char *why;
	struct dp *dp = dp_open(&why);

	if (!dp)
		die("%s", why);
	return dp;
}

static void check(struct dp *dp, int err)
{
	if (err)
		die("%s", dp_why(dp));
}

/* Words */

static uint64_t number(const char *text, uint64_t max)
{
	char *end;
	uint64_t value;

	errno = 0;
	value = strtoull(text, &end, 0);
	if (errno || end == text || *end || *text == '-')
		die("'%s' is not a number", text);
	if (value > max)
		die("%s is more than %" PRIu64, text, max);
	return value;
}

static void address(struct dp_addr *a, const char *text)
{
	a->len = inet_pton(AF_INET, text, a->bytes) == 1    ? 4
		 : inet_pton(AF_INET6, text, a->bytes) == 1 ? 16
							    : 0;
	if (!a->len)
		die("'%s' is not an address", text);
}

static unsigned int hex_digit(char c)
{
	if (!isxdigit((unsigned char)c))
		die("'%c' is not a hex digit", c);
	return isdigit((unsigned char)c) ? c - '0' : tolower(c) - 'a' + 10;
}

static struct dp_bytes hex(const char *text)
{
	size_t i, len;
	uint8_t *data;

	text += strncmp(text, "0x", 2) ? 0 : 2;
	len = strlen(text);
	if (len % 2)
		die("an odd number of hex digits");
	data = malloc(len / 2 + 1);
	if (!data)
		die("out of memory");
	for (i = 0; i < len / 2; i++)
		data[i] = hex_digit(text[2 * i]) << 4 | hex_digit(text[2 * i + 1]);
	return (struct dp_bytes){ data, len / 2 };
}

/* One name of an enum or, separated by commas, several of a set of flags; or a number. */
static uint32_t named(const struct dp_field *f, char *text)
{
	char *word, *save = NULL;
	uint32_t value = 0;
	unsigned int i;

	if (isdigit((unsigned char)*text))
		return number(text, UINT32_MAX);
	for (word = strtok_r(text, ",", &save); word; word = strtok_r(NULL, ",", &save)) {
		for (i = 0; f->values[i] && strcmp(f->values[i], word); i++)
			;
		if (!f->values[i])
			die("%s cannot be '%s'", f->name, word);
		value |= f->bits ? 1u << i : i + 1;
	}
	return value;
}

/* What has a name here beside its IANA number (RFC 7296 section 3.3.2). */
struct transform {
	const char *name;
	uint32_t id;
};

static const struct transform encr_names[] = {
	{ "null", 11 },			/* RFC 2410 */
	{ "aes-cbc", 12 },		/* RFC 3602 */
	{ "aes-ctr", 13 },		/* RFC 3686 */
	{ "aes-ccm-8", 14 },		/* RFC 4309 */
	{ "aes-ccm-12", 15 },
	{ "aes-ccm-16", 16 },
	{ "aes-gcm-8", 18 },		/* RFC 4106 */
	{ "aes-gcm-12", 19 },
	{ "aes-gcm-16", 20 },
	{ "aes-gmac", 21 },		/* RFC 4543 */
	{ "chacha20-poly1305", 28 },	/* RFC 7634 */
	{ "aes-gcm-16-iiv", 30 },	/* RFC 8750 */
	{ "chacha20-poly1305-iiv", 31 },
	{ NULL },
};

static const struct transform integ_names[] = {
	{ "hmac-sha2-256-128", 12 },	/* RFC 4868 */
	{ "hmac-sha2-384-192", 13 },
	{ "hmac-sha2-512-256", 14 },
	{ NULL },
};

static uint32_t transform(const struct transform *known, const char *text)
{
	for (; known->name; known++)
		if (!strcmp(known->name, text))
			return known->id;
	return number(text, UINT32_MAX);
}

/* Traffic selectors */

static void prefix(struct dp_addr *first, struct dp_addr *last, unsigned int bits)
{
	unsigned int i;

	if (bits > first->len * 8u)
		die("/%u is too long a prefix", bits);
	for (i = bits; i < first->len * 8u; i++) {
		first->bytes[i / 8] &= ~(0x80 >> i % 8);
		last->bytes[i / 8] |= 0x80 >> i % 8;
	}
}

static void address_range(struct dp_addr *first, struct dp_addr *last, char *text)
{
	char *slash = strchr(text, '/'), *dash = strchr(text, '-');

	if (slash)
		*slash = '\0';
	if (dash)
		*dash = '\0';
	address(first, text);
	*last = *first;
	if (slash)
		prefix(first, last, number(slash + 1, 128));
	else if (dash)
		address(last, dash + 1);
}

static void port_range(uint16_t *first, uint16_t *last, char *text)
{
	char *dash = strchr(text, '-');

	if (dash)
		*dash = '\0';
	*first = number(text, UINT16_MAX);
	*last = dash ? number(dash + 1, UINT16_MAX) : *first;
}

static void selector(struct dp_selector *s, char *text)
{
	char *words[5], *save = NULL;
	size_t n = 0;

	for (text = strtok_r(text, ",", &save); text && n < 5; text = strtok_r(NULL, ",", &save))
		words[n++] = text;
	if (n < 2 || text)
		die("a selector is SRC,DST[,PROTO[,SPORTS,DPORTS]]");
	*s = (struct dp_selector){ .src_port_last = UINT16_MAX, .dst_port_last = UINT16_MAX };
	address_range(&s->src_first, &s->src_last, words[0]);
	address_range(&s->dst_first, &s->dst_last, words[1]);
	if (n > 2)
		s->protocol = number(words[2], UINT8_MAX);
	if (n > 3)
		port_range(&s->src_port_first, &s->src_port_last, words[3]);
	if (n > 4)
		port_range(&s->dst_port_first, &s->dst_port_last, words[4]);
}

static void add_selector(const struct dp_field *f, void *object, char *text)
{
	struct dp_selector *list = (struct dp_selector *)((char *)object + f->offset);
	size_t *n = (size_t *)((char *)object + f->count_offset);

	if (*n == f->max)
		die("more than %u selectors", f->max);
	selector(&list[(*n)++], text);
}

/* What sa-add or policy-set has printed. */
static uint32_t last_id;

static void print_id(uint32_t id)
{
	last_id = id;
	printf("%" PRIu32 "\n", id);
}

/* key=value into a struct of types.h */

static void set_field(const struct dp_field *f, void *object, char *value)
{
	void *at = (char *)object + f->offset;

	switch ((enum dp_kind)f->kind) {
	case DP_U16:
		*(uint16_t *)at = number(value, UINT16_MAX);
		return;
	case DP_U32:
		*(uint32_t *)at = f->values		     ? named(f, value)
				  : !strcmp(f->name, "encr")  ? transform(encr_names, value)
				  : !strcmp(f->name, "integ") ? transform(integ_names, value)
				  : !strcmp(value, "last")    ? last_id
							      : number(value, UINT32_MAX);
		return;
	case DP_BE32:
		*(uint32_t *)at = number(value, UINT32_MAX);
		return;
	case DP_U64:
		*(uint64_t *)at = number(value, UINT64_MAX);
		return;
	case DP_ADDR:
		address(at, value);
		return;
	case DP_BYTES:
		*(struct dp_bytes *)at = hex(value);
		return;
	case DP_FLAG:
		*(bool *)at = number(value, 1);
		return;
	case DP_NESTS:
		if (f->nest == &dp_selector_table) {
			add_selector(f, object, value);
			return;
		}
		break;
	case DP_STRING:
	case DP_U32S:
		break;
	}
	die("%s cannot be set", f->name);
}

static bool is(const char *key, const char *name)
{
	return !strcmp(key, name);
}

/* Short forms of what the spec spells in full. */
static bool set_shorthand(const char *key, char *value, const struct dp_table *table, void *object)
{
	struct dp_sa *sa = object;
	char *colon;

	if (is(key, "selector")) {
		set_field(dp_find(table, "selectors", 9), object, value);
		return true;
	}
	if (table != &dp_sa_table)
		return false;
	if (is(key, "key")) {
		sa->keymat = hex(value);
	} else if (is(key, "dev")) {
		sa->ifindex = if_nametoindex(value);
		if (!sa->ifindex)
			die("no interface '%s'", value);
	} else if (is(key, "esn")) {
		sa->flags |= number(value, 1) ? ESPLANE_SA_FLAG_ESN : 0;
	} else if (is(key, "encap")) {
		colon = strchr(value, ':');
		if (!colon)
			die("encap is SPORT:DPORT");
		*colon = '\0';
		sa->encap_sport = number(value, UINT16_MAX);
		sa->encap_dport = number(colon + 1, UINT16_MAX);
	} else {
		return false;
	}
	return true;
}

/* What is not a field of an object. */
struct options {
	bool json, hold, together, small;
	const char *get, *address;
	bool no_gro;
	uint64_t count, timeout;
};

static bool option(struct options *o, const char *key, const char *value)
{
	if (is(key, "get"))
		o->get = value;
	else if (is(key, "address"))
		o->address = value;
	else if (is(key, "gro"))
		o->no_gro = !number(value, 1);
	else if (is(key, "--count"))
		o->count = number(value, UINT64_MAX);
	else if (is(key, "--timeout"))
		o->timeout = number(value, UINT32_MAX);
	else
		return false;
	return true;
}

static void parse_pair(char *key, char *value, const struct dp_table *table, void *object,
		       struct options *o)
{
	const struct dp_field *f = table ? dp_find(table, key, strlen(key)) : NULL;

	if (option(o, key, value) || (table && set_shorthand(key, value, table, object)))
		return;
	if (!f)
		die("unknown argument '%s'", key);
	set_field(f, object, value);
}

static struct options parse(char **argv, const struct dp_table *table, void *object)
{
	struct options o = { 0 };
	char *equals;

	for (; *argv; argv++) {
		equals = strchr(*argv, '=');
		if (is(*argv, "--json")) {
			o.json = true;
		} else if (is(*argv, "--hold")) {
			o.hold = true;
		} else if (is(*argv, "--together")) {
			o.together = true;
		} else if (is(*argv, "--small")) {
			o.small = true;
		} else if (equals) {
			*equals = '\0';
			parse_pair(*argv, equals + 1, table, object, &o);
		} else if (!strncmp(*argv, "--", 2) && argv[1]) {
			parse_pair(argv[0], argv[1], table, object, &o);
			argv++;
		} else {
			die("what is '%s'?", *argv);
		}
	}
	return o;
}

/* Lists */

struct list {
	const struct dp_table *table;
	struct options o;
	FILE *out;
	char *text;
	size_t len;
	size_t n;
};

static void show(void *arg, const void *object)
{
	struct list *l = arg;

	if (l->o.get) {
		if (!dp_print_field(l->out, l->table, object, l->o.get))
			die("no field '%s'", l->o.get);
		fputc('\n', l->out);
		return;
	}
	fputs(l->o.json && l->n++ ? ",\n " : "", l->out);
	dp_print(l->out, l->table, object, l->o.json);
	fputs(l->o.json ? "" : "\n", l->out);
}

/* A dump that has to start again must not show anything twice: all is kept until it is whole. */
static void list_begin(void *arg)
{
	struct list *l = arg;

	if (l->out)
		fclose(l->out);
	free(l->text);
	l->n = 0;
	l->out = open_memstream(&l->text, &l->len);
	if (!l->out)
		die("out of memory");
}

static void list_print(struct list *l)
{
	bool array = l->o.json && !l->o.get;

	fclose(l->out);
	fputs(array ? "[" : "", stdout);
	fwrite(l->text, 1, l->len, stdout);
	fputs(array ? "]\n" : "", stdout);
	free(l->text);
}

static void show_sa(void *arg, const struct dp_sa *sa)
{
	show(arg, sa);
}

static void show_policy(void *arg, const struct dp_policy *policy)
{
	show(arg, policy);
}

/* Commands */

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

/* What is left of a limit of @seconds, of which some have passed; not 0, which is no limit. */
static uint64_t seconds_left(uint64_t seconds, int64_t passed)
{
	if (!seconds)
		return 0;
	return seconds > (uint64_t)passed ? seconds - passed : 1;
}

static int cmd_sa_add(char **argv)
{
	struct dp_sa sa = { .encr = 20 };	/* ENCR_AES_GCM_16, RFC 4106 */
	struct options o = parse(argv, &dp_sa_table, &sa);
	uint64_t n, soft = sa.soft_seconds, hard = sa.hard_seconds;
	struct dp *dp = open_dp();
	int64_t start = now_ms();

	for (n = 0; n < (o.count ? o.count : 1); n++, sa.spi++) {
		if (o.together) {
			sa.soft_seconds = seconds_left(soft, (now_ms() - start) / 1000);
			sa.hard_seconds = seconds_left(hard, (now_ms() - start) / 1000);
		}
		sa.id = 0;
		check(dp, dp_sa_new(dp, &sa));
	}
	print_id(sa.id);
	dp_close(dp);
	return 0;
}

static void take_ports(void *arg, const struct dp_sa *from)
{
	struct dp_sa *to = arg;

	to->encap_sport = from->encap_sport;
	to->encap_dport = from->encap_dport;
}

static bool has_word(char **argv, const char *key)
{
	for (; *argv; argv++)
		if (!strncmp(*argv, key, strlen(key)))
			return true;
	return false;
}

static int cmd_sa_update(char **argv)
{
	bool ports = has_word(argv, "encap");
	struct dp_sa sa = { 0 };
	struct dp *dp = open_dp();

	parse(argv, &dp_sa_table, &sa);
	if (!ports)
		check(dp, dp_sa_get(dp, sa.id, take_ports, &sa));
	check(dp, dp_sa_update(dp, &sa));
	dp_close(dp);
	return 0;
}

static int cmd_sa_del(char **argv)
{
	struct dp_sa sa = { 0 };
	struct dp *dp = open_dp();

	parse(argv, &dp_sa_table, &sa);
	check(dp, dp_sa_del(dp, sa.id));
	dp_close(dp);
	return 0;
}

static int cmd_sa_list(char **argv)
{
	struct dp_sa sa = { 0 };
	struct list l = { .table = &dp_sa_table, .o = parse(argv, &dp_sa_table, &sa) };
	struct dp *dp = open_dp();

	list_begin(&l);
	if (sa.id)
		check(dp, dp_sa_get(dp, sa.id, show_sa, &l));
	else
		check(dp, dp_sa_dump(dp, list_begin, show_sa, &l));
	list_print(&l);
	dp_close(dp);
	return 0;
}

/* The next address. */
static void count_up(struct dp_addr *a)
{
	uint8_t *byte = a->bytes + a->len;

	while (byte-- > a->bytes && !++*byte)
		;
}

static int cmd_policy_set(char **argv)
{
	struct dp_policy policy = { 0 };
	struct options o = parse(argv, &dp_policy_table, &policy);
	struct dp *dp = open_dp();
	uint32_t id = policy.id;
	uint64_t n;

	for (n = 0; n < (o.count ? o.count : 1); n++) {
		policy.id = id;
		check(dp, dp_policy_set(dp, &policy));
		count_up(&policy.selectors[0].dst_first);
		count_up(&policy.selectors[0].dst_last);
	}
	print_id(policy.id);
	dp_close(dp);
	return 0;
}

static int cmd_policy_del(char **argv)
{
	struct dp_policy policy = { 0 };
	struct dp *dp = open_dp();

	parse(argv, &dp_policy_table, &policy);
	check(dp, dp_policy_del(dp, policy.id));
	dp_close(dp);
	return 0;
}

static int cmd_policy_list(char **argv)
{
	struct dp_policy policy = { 0 };
	struct list l = { .table = &dp_policy_table, .o = parse(argv, &dp_policy_table, &policy) };
	struct dp *dp = open_dp();

	list_begin(&l);
	if (policy.id)
		check(dp, dp_policy_get(dp, policy.id, show_policy, &l));
	else
		check(dp, dp_policy_dump(dp, list_begin, show_policy, &l));
	list_print(&l);
	dp_close(dp);
	return 0;
}

static int cmd_spd_set(char **argv)
{
	struct dp_spd spd = { 0 };
	struct dp *dp = open_dp();

	parse(argv, &dp_spd_table, &spd);
	check(dp, dp_spd_set(dp, &spd));
	dp_close(dp);
	return 0;
}

static void show_spd(void *arg, const struct dp_spd *spd)
{
	show(arg, spd);
}

static int cmd_spd_get(char **argv)
{
	struct list l = { .table = &dp_spd_table, .o = parse(argv, NULL, NULL), .out = stdout };
	struct dp *dp = open_dp();

	check(dp, dp_spd_get(dp, show_spd, &l));
	fputs(l.o.json && !l.o.get ? "\n" : "", stdout);
	dp_close(dp);
	return 0;
}

static int cmd_flush(char **argv)
{
	struct dp *dp = open_dp();

	parse(argv, NULL, NULL);
	check(dp, dp_policy_flush(dp));
	check(dp, dp_sa_flush(dp));
	dp_close(dp);
	return 0;
}

static int cmd_spi_alloc(char **argv)
{
	struct dp_spi spi = { 0 };
	struct dp *dp = open_dp();

	parse(argv, &dp_spi_table, &spi);
	check(dp, dp_spi_alloc(dp, &spi));
	printf("0x%08" PRIx32 "\n", spi.spi);
	dp_close(dp);
	return 0;
}

static int cmd_spi_free(char **argv)
{
	struct dp_spi spi = { 0 };
	struct dp *dp = open_dp();

	parse(argv, &dp_spi_table, &spi);
	check(dp, dp_spi_free(dp, spi.spi, &spi.dst));
	dp_close(dp);
	return 0;
}

/* Any kind of UDP address. */
union udp_address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static union udp_address local_address(const char *text, uint16_t port)
{
	union udp_address local = { .v4.sin_family = AF_INET };

	if (text && inet_pton(AF_INET6, text, &local.v6.sin6_addr) == 1) {
		local.v6.sin6_family = AF_INET6;
		local.v6.sin6_port = htons(port);
		return local;
	}
	local.v4.sin_port = htons(port);
	if (text && inet_pton(AF_INET, text, &local.v4.sin_addr) != 1)
		die("'%s' is not an address", text);
	return local;
}

/* @encap: what the kernel's own code does with its datagrams (UDP_ENCAP), or 0. */
static int bind_udp(const struct options *o, uint16_t port, int encap)
{
	union udp_address local = local_address(o->address, port);
	int on = 1, fd = socket(local.any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		die("socket: %m");
	if (local.any.sa_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	if (encap && setsockopt(fd, IPPROTO_UDP, UDP_ENCAP, &encap, sizeof(encap)))
		die("UDP_ENCAP: %m");
	if (!o->no_gro && setsockopt(fd, IPPROTO_UDP, UDP_GRO, &on, sizeof(on)))
		die("UDP_GRO: %m");
	if (bind(fd, &local.any, sizeof(local)))
		die("UDP port %u: %m", port);
	return fd;
}

static const char *address_text(const union udp_address *a, char *text, size_t len)
{
	if (a->any.sa_family == AF_INET6)
		return inet_ntop(AF_INET6, &a->v6.sin6_addr, text, len);
	return inet_ntop(AF_INET, &a->v4.sin_addr, text, len);
}

static void print_datagrams(int fd)
{
	union udp_address from;
	socklen_t from_len = sizeof(from);
	static uint8_t data[UINT16_MAX];
	char text[INET6_ADDRSTRLEN];
	ssize_t len, i;

	puts("ready");
	fflush(stdout);
	for (;; from_len = sizeof(from)) {
		len = recvfrom(fd, data, sizeof(data), 0, &from.any, &from_len);
		if (len < 0)
			die("receive: %m");
		/* The port lies at the same place in both families. */
		printf("{\"from\":\"%s\",\"port\":%u,\"len\":%zd,\"hex\":\"",
		       address_text(&from, text, sizeof(text)), ntohs(from.v4.sin_port), len);
		for (i = 0; i < len; i++)
			printf("%02x", data[i]);
		puts("\"}");
		fflush(stdout);
	}
}

static int cmd_encap_add(char **argv)
{
	struct dp_encap encap = { 0 };
	struct options o = parse(argv, &dp_encap_table, &encap);
	int fd = bind_udp(&o, encap.port, 0);
	struct dp *dp = open_dp();
	uint16_t port;

	check(dp, dp_encap_add(dp, fd, encap.ike_only, &port));
	dp_close(dp);
	if (o.hold)
		print_datagrams(fd);
	printf("%u\n", port);
	close(fd);
	return 0;
}

static int cmd_xfrm_encap(char **argv)
{
	struct dp_encap encap = { 0 };
	struct options o = parse(argv, &dp_encap_table, &encap);

	bind_udp(&o, encap.port, UDP_ENCAP_ESPINUDP);	/* RFC 3948 */
	puts("ready");
	fflush(stdout);
	pause();
	return 0;
}

static int cmd_encap_del(char **argv)
{
	struct dp_encap encap = { 0 };
	struct dp *dp = open_dp();

	parse(argv, &dp_encap_table, &encap);
	check(dp, dp_encap_del(dp, encap.port));
	dp_close(dp);
	return 0;
}

static void show_stats(void *arg, const struct dp_stats *stats)
{
	show(arg, stats);
}

static void show_caps(void *arg, const struct dp_caps *caps)
{
	show(arg, caps);
}

static int cmd_stats(char **argv)
{
	struct list l = { .table = &dp_stats_table, .o = parse(argv, NULL, NULL), .out = stdout };
	struct dp *dp = open_dp();

	check(dp, dp_stats_get(dp, show_stats, &l));
	fputs(l.o.json && !l.o.get ? "\n" : "", stdout);
	dp_close(dp);
	return 0;
}

static int cmd_caps(char **argv)
{
	struct list l = { .table = &dp_caps_table, .o = parse(argv, NULL, NULL), .out = stdout };
	struct dp *dp = open_dp();

	check(dp, dp_caps_get(dp, show_caps, &l));
	fputs(l.o.json && !l.o.get ? "\n" : "", stdout);
	dp_close(dp);
	return 0;
}

static int cmd_link_add(char **argv)
{
	struct dp_link link = { 0 };
	char why[DP_LINK_WHY];
	struct dp_sa sa = { 0 };

	if (!argv[0])
		die("link-add NAME [if_id=N]");
	parse(argv + 1, &dp_sa_table, &sa);
	snprintf(link.name, sizeof(link.name), "%s", argv[0]);
	link.if_id = sa.if_id;
	if (dp_link_add(&link, why))
		die("link-add %s: %s", argv[0], why);
	return 0;
}

static void show_event(void *arg, const char *name, const struct dp_event *event)
{
	uint64_t *seen = arg;

	printf("{\"event\":\"%s\",\"data\":", name);
	dp_print(stdout, &dp_event_table, event, true);
	puts("}");
	fflush(stdout);
	(*seen)++;
}

static int cmd_monitor(char **argv)
{
	struct options o = parse(argv, NULL, NULL);
	const char *why;
	struct dp *dp = open_dp();	/* loads the module */
	struct dp_events *events = dp_events_open(&why);
	int64_t end = o.timeout ? now_ms() + o.timeout * 1000 : INT64_MAX;
	struct pollfd poll_in = { .events = POLLIN };
	uint64_t seen = 0;
	int64_t left;
	int least = 0;		/* the kernel knows a lower bound */

	if (!events)
		die("%s", why);
	if (o.small)
		setsockopt(dp_events_fd(events), SOL_SOCKET, SO_RCVBUF, &least, sizeof(least));
	fputs("ready\n", stderr);
	poll_in.fd = dp_events_fd(events);
	while (!o.count || seen < o.count) {
		left = end - now_ms();
		if (left <= 0)
			break;
		if (poll(&poll_in, 1, o.timeout ? left : -1) > 0 &&
		    dp_events_read(events, show_event, &seen) == -ENOBUFS)
			puts("{\"event\":\"overrun\"}");
	}
	dp_events_close(events);
	dp_close(dp);
	return seen < o.count ? EXIT_FAILURE : 0;
}

static int run(char **argv)
{
	static const struct {
		const char *name;
		int (*run)(char **argv);
	} commands[] = {
		{ "sa-add", cmd_sa_add },
		{ "sa-update", cmd_sa_update },
		{ "sa-del", cmd_sa_del },
		{ "sa-list", cmd_sa_list },
		{ "policy-set", cmd_policy_set },
		{ "policy-del", cmd_policy_del },
		{ "policy-list", cmd_policy_list },
		{ "spd-set", cmd_spd_set },
		{ "spd-get", cmd_spd_get },
		{ "flush", cmd_flush },
		{ "spi-alloc", cmd_spi_alloc },
		{ "spi-free", cmd_spi_free },
		{ "encap-add", cmd_encap_add },
		{ "encap-del", cmd_encap_del },
		{ "stats", cmd_stats },
		{ "caps", cmd_caps },
		{ "xfrm-encap", cmd_xfrm_encap },
		{ "link-add", cmd_link_add },
		{ "monitor", cmd_monitor },
	};
	size_t i;

	for (i = 0; argv[0] && i < sizeof(commands) / sizeof(*commands); i++)
		if (is(argv[0], commands[i].name))
			return commands[i].run(argv + 1);
	fputs(usage, stderr);
	return EXIT_FAILURE;
}

static int run_line(char *line)
{
	enum { WORDS_MAX = 64 };
	char *words[WORDS_MAX + 1], *save = NULL, *word;
	size_t n = 0;

	for (word = strtok_r(line, " \t\n", &save); word; word = strtok_r(NULL, " \t\n", &save)) {
		if (n == WORDS_MAX)
			die("more than %d words", WORDS_MAX);
		words[n++] = word;
	}
	words[n] = NULL;
	return n ? run(words) : 0;
}

static int run_lines(void)
{
	char *line = NULL;
	size_t cap = 0;
	int status = 0;

	while (!status && getline(&line, &cap, stdin) >= 0)
		status = run_line(line);
	free(line);
	return status;
}

static void enter_netns(const char *name)
{
	char path[PATH_MAX];
	int fd;

	snprintf(path, sizeof(path), "/run/netns/%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWNET))
		die("%s: %m", path);
	close(fd);
}

int main(int argc, char **argv)
{
	argv++;
	if (argc > 2 && is(argv[0], "--netns")) {
		enter_netns(argv[1]);
		argv += 2;
	}
	return argv[0] && is(argv[0], "-") ? run_lines() : run(argv);
}
