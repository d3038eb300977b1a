// SPDX-License-Identifier: MIT
/* Distinguished names: Name ::= SEQUENCE OF SET OF SEQUENCE { type OID, value string }. */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "ikev2/dn.h"

enum {
	DER_SEQUENCE = 0x30,
	DER_SET = 0x31,
	DER_OID = 0x06,
	DER_UTF8_STRING = 0x0c,
	DER_PRINTABLE_STRING = 0x13,
	DER_IA5_STRING = 0x16,
	DER_LONG = 0x80, /* of a length: the bytes of it that follow */
	VALUE_MAX = 255,
	OID_MAX = 10,
};

/* The first name of an attribute is the one we write. */
static const struct attribute {
	const char *name;
	uint8_t tag; /* 0: Printable if it can be, else UTF-8 */
	uint8_t oid_len, oid[OID_MAX];
} attributes[] = {
	/* id-at (RFC 5280 appendix A.1) */
	{"CN", 0, 3, {0x55, 4, 3}},
	{"C", DER_PRINTABLE_STRING, 3, {0x55, 4, 6}},
	{"O", 0, 3, {0x55, 4, 10}},
	{"OU", 0, 3, {0x55, 4, 11}},
	{"ST", 0, 3, {0x55, 4, 8}},
	{"L", 0, 3, {0x55, 4, 7}},
	{"serialNumber", DER_PRINTABLE_STRING, 3, {0x55, 4, 5}},
	{"SN", DER_PRINTABLE_STRING, 3, {0x55, 4, 5}},
	{"S", 0, 3, {0x55, 4, 4}}, /* surname */
	{"G", 0, 3, {0x55, 4, 42}}, /* given name */
	{"I", 0, 3, {0x55, 4, 43}}, /* initials */
	{"T", 0, 3, {0x55, 4, 12}}, /* title */
	{"D", 0, 3, {0x55, 4, 13}}, /* description */
	{"N", 0, 3, {0x55, 4, 41}}, /* name */
	{"postalCode", 0, 3, {0x55, 4, 17}},
	{"dnQualifier", DER_PRINTABLE_STRING, 3, {0x55, 4, 46}},
	{"DC", DER_IA5_STRING, 10, {0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 1, 25}},
	{"UID", 0, 10, {0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 1, 1}},
	{"E", DER_IA5_STRING, 9, {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 1}},
	{"emailAddress", DER_IA5_STRING, 9, {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 1}},
	{"Email", DER_IA5_STRING, 9, {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 1}},
};

enum {
	ATTRIBUTES = sizeof(attributes) / sizeof(attributes[0])
};

/* Reading */

static uint8_t get_tlv(struct ike_cursor *c, struct ike_bytes *value)
{
	uint8_t tag = ike_get8(c);
	size_t len = ike_get8(c), n;

	if (len & DER_LONG) {
		n = len & ~DER_LONG;
		len = n == 1 ? ike_get8(c) : ike_get16(c);
		/* Two bytes hold all that an identity may have; DER wants the shortest form. */
		if (n < 1 || n > 2 || len < (n == 1 ? 128 : 256))
			c->bad = true;
	}
	*value = ike_get(c, len);
	return c->bad ? 0 : tag;
}

struct part {
	bool first; /* of its SET: multi-valued RDNs have more */
	struct ike_bytes oid, value;
	uint8_t tag;
};

struct parts {
	struct ike_cursor sets, set;
	bool bad;
};

static struct parts parts_of(struct ike_bytes der)
{
	struct ike_cursor c = ike_cursor(der);
	struct ike_bytes sets = {0};
	struct parts p = {0};

	p.bad = get_tlv(&c, &sets) != DER_SEQUENCE || c.rest.len;
	p.sets = ike_cursor(sets);
	return p;
}

static bool next_part(struct parts *p, struct part *part)
{
	struct ike_bytes body;
	struct ike_cursor c;

	part->first = !p->set.rest.len;
	if (p->bad || (part->first && !p->sets.rest.len))
		return false;
	if (part->first) {
		p->bad = get_tlv(&p->sets, &body) != DER_SET || !body.len;
		p->set = ike_cursor(body);
	}
	p->bad = p->bad || get_tlv(&p->set, &body) != DER_SEQUENCE;
	c = ike_cursor(p->bad ? ike_bytes(NULL, 0) : body);
	p->bad = p->bad || get_tlv(&c, &part->oid) != DER_OID || !part->oid.len;
	part->tag = p->bad ? 0 : get_tlv(&c, &part->value);
	p->bad = p->bad || !part->tag || c.rest.len;
	return !p->bad;
}

bool ike_dn_valid(struct ike_bytes der)
{
	struct parts p = parts_of(der);
	struct part part;

	while (next_part(&p, &part))
		;
	return !p.bad;
}

/* Comparing */

/* The next letter in lower case, runs of blanks as one, none at the ends; -1 at the end. */
static int next_letter(struct ike_bytes *rest, bool begin)
{
	bool blank = false;
	int c;

	while (rest->len && rest->p[0] == ' ') {
		*rest = ike_bytes(rest->p + 1, rest->len - 1);
		blank = true;
	}
	if (!rest->len)
		return -1;
	if (blank && !begin)
		return ' ';
	c = rest->p[0];
	*rest = ike_bytes(rest->p + 1, rest->len - 1);
	return c < 0x80 ? tolower(c) : c;
}

static bool same_value(struct ike_bytes a, struct ike_bytes b)
{
	int c = next_letter(&a, true), d = next_letter(&b, true);

	while (c == d && c >= 0) {
		c = next_letter(&a, false);
		d = next_letter(&b, false);
	}
	return c == d;
}

static bool is_star(const struct part *part)
{
	return part->value.len == 1 && part->value.p[0] == '*';
}

bool ike_dn_match(struct ike_bytes pattern, struct ike_bytes der, bool *wild)
{
	struct parts p = parts_of(pattern), q = parts_of(der);
	struct part a, b;

	*wild = false;
	for (;;) {
		bool more = next_part(&p, &a), also = next_part(&q, &b);

		if (p.bad || q.bad || more != also)
			return false;
		if (!more)
			return true;
		if (a.first != b.first || !ike_bytes_equal(a.oid, b.oid))
			return false;
		if (same_value(a.value, b.value))
			continue;
		if (!is_star(&a))
			return false;
		*wild = true;
	}
}

bool ike_dn_has_wildcard(struct ike_bytes der)
{
	struct parts p = parts_of(der);
	struct part part;

	while (next_part(&p, &part))
		if (is_star(&part))
			return true;
	return false;
}

/* Text */

static const char *oid_name(struct ike_bytes oid)
{
	for (size_t i = 0; i < ATTRIBUTES; i++)
		if (ike_bytes_equal(oid, ike_bytes(attributes[i].oid, attributes[i].oid_len)))
			return attributes[i].name;
	return NULL;
}

/* What separates values in the text would otherwise end one. */
static void add_value(struct ike_text *t, struct ike_bytes value)
{
	bool quote = false;

	for (size_t i = 0; i < value.len; i++)
		quote = quote || (value.p[i] && strchr(",/+=", value.p[i]));
	ike_text_add(t, quote ? "\"" : "");
	ike_text_add_printable(t, value.p, value.len);
	ike_text_add(t, quote ? "\"" : "");
}

void ike_dn_text(struct ike_text *t, struct ike_bytes der)
{
	struct parts p = parts_of(der);
	const char *separator = "", *name;
	struct part part;

	while (next_part(&p, &part)) {
		ike_text_add(t, "%s", part.first ? separator : "+");
		name = oid_name(part.oid);
		if (name)
			ike_text_add(t, "%s=", name);
		else
			ike_text_add_hex(t, part.oid.p, part.oid.len);
		if (!name)
			ike_text_add(t, "=");
		add_value(t, part.value);
		separator = ", ";
	}
	if (p.bad || !*separator)
		ike_text_add(t, p.bad ? "(malformed)" : "(empty)");
}

/* Writing */

static bool is_printable_string(struct ike_bytes value)
{
	for (size_t i = 0; i < value.len; i++)
		/* X.680 section 41.4; the star is ours, for patterns. */
		if (!value.p[i] || (!isalnum(value.p[i]) && !strchr(" '()+,-./:=?*", value.p[i])))
			return false;
	return true;
}

static const struct attribute *attribute_of(const char *name, size_t len)
{
	for (size_t i = 0; i < ATTRIBUTES; i++)
		if (strlen(attributes[i].name) == len &&
		    !strncasecmp(attributes[i].name, name, len))
			return &attributes[i];
	return NULL;
}

static void put_header(struct ike_writer *w, uint8_t tag, size_t len)
{
	ike_put8(w, tag);
	if (len >= 256) {
		ike_put8(w, DER_LONG | 2);
		ike_put16(w, len);
		return;
	}
	if (len >= 128)
		ike_put8(w, DER_LONG | 1);
	ike_put8(w, len);
}

static size_t header_len(size_t len)
{
	return len >= 256 ? 4 : len >= 128 ? 3 : 2;
}

static void put_rdn(struct ike_writer *w, const struct attribute *a, struct ike_bytes value)
{
	size_t sequence = 2 + a->oid_len + header_len(value.len) + value.len;
	uint8_t tag = a->tag ? a->tag :
		      is_printable_string(value) ? DER_PRINTABLE_STRING : DER_UTF8_STRING;

	put_header(w, DER_SET, header_len(sequence) + sequence);
	put_header(w, DER_SEQUENCE, sequence);
	put_header(w, DER_OID, a->oid_len);
	ike_put(w, ike_bytes(a->oid, a->oid_len));
	put_header(w, tag, value.len);
	ike_put(w, value);
}

/* Reads a value up to @separator; returns what is behind it, NULL when the text is wrong. */
static const char *take_value(const char *text, char separator, char *value, size_t *len,
			      struct ike_error *err)
{
	bool quoted = false;
	const char *at;

	*len = 0;
	for (at = text; *at && (quoted || *at != separator); at++) {
		if (*at == '"') {
			quoted = !quoted;
			continue;
		}
		if (*at == '\\' && at[1])
			at++;
		if (*len == VALUE_MAX) {
			ike_fail(err, "a value longer than %d bytes", VALUE_MAX);
			return NULL;
		}
		value[(*len)++] = *at;
	}
	while (*len && value[*len - 1] == ' ')
		(*len)--;
	if (!quoted && *len)
		return *at ? at + 1 : at;
	ike_fail(err, quoted ? "a quote without its end" : "an empty value");
	return NULL;
}

static bool put_rdns(const char *at, char separator, struct ike_writer *w, struct ike_error *err)
{
	char value[VALUE_MAX];

	while (*(at += strspn(at, " "))) {
		size_t name_len = strcspn(at, "= "), len;
		const struct attribute *a = attribute_of(at, name_len);
		const char *name = at;

		at += name_len + strspn(at + name_len, " ");
		if (*at != '=')
			return ike_fail(err, "\"%.40s\": NAME=VALUE is needed", name);
		if (!a)
			return ike_fail(err, "unknown attribute \"%.*s\"",
					(int)(name_len > 40 ? 40 : name_len), name);
		at++;
		at = take_value(at + strspn(at, " "), separator, value, &len, err);
		if (!at)
			return false;
		put_rdn(w, a, ike_bytes(value, len));
	}
	return true;
}

bool ike_dn_parse(const char *text, struct ike_writer *w, struct ike_error *err)
{
	char separator = *text == '/' ? '/' : ',';
	uint8_t buf[1024];
	struct ike_writer body;
	struct ike_error why = {0};

	ike_writer_init(&body, buf, sizeof(buf));
	if (!put_rdns(text + (separator == '/'), separator, &body, &why))
		return ike_fail(err, "distinguished name \"%.80s\": %.120s", text, why.text);
	put_header(w, DER_SEQUENCE, body.len);
	ike_put(w, ike_written(&body));
	if (body.overflow || w->overflow || !body.len)
		return ike_fail(err, "distinguished name \"%.80s\" is %s", text,
				body.len ? "too long" : "empty");
	return true;
}
