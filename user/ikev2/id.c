// SPDX-License-Identifier: MIT
/* Identities: reading, comparing and printing them. */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "ikev2/dn.h"
#include "ikev2/id.h"
#include "ikev2/table.h"
#include "ikev2/wire/decode.h"

static bool set(struct ike_id *id, uint8_t type, const void *data, size_t len,
		struct ike_error *err)
{
	if (len > IKE_ID_MAX)
		return ike_fail(err, "identity of %zu bytes; at most %d can be", len, IKE_ID_MAX);
	memset(id, 0, sizeof(*id));
	id->type = type;
	id->len = len;
	memcpy(id->data, data, len);
	return true;
}

static bool set_text(struct ike_id *id, uint8_t type, const char *text, struct ike_error *err)
{
	if (!*text)
		return ike_fail(err, "identity is empty after its prefix");
	return set(id, type, text, strlen(text), err);
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = tolower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool set_hex(struct ike_id *id, uint8_t type, const char *text, struct ike_error *err)
{
	uint8_t data[IKE_ID_MAX];
	size_t n = strlen(text) / 2;

	if (!n || strlen(text) % 2 || n > sizeof(data))
		return ike_fail(err, "identity \"%s\": an even number of hex digits is needed",
				text);
	for (size_t i = 0; i < n; i++) {
		int high = hex_digit(text[2 * i]), low = hex_digit(text[2 * i + 1]);

		if (high < 0 || low < 0)
			return ike_fail(err, "identity \"%s\": not a hex digit at %zu", text,
					2 * i);
		data[i] = high << 4 | low;
	}
	return set(id, type, data, n, err);
}

static bool set_addr(struct ike_id *id, const char *text, uint8_t family, struct ike_error *err)
{
	struct ike_addr a;

	if (!ike_addr_parse(text, &a, err))
		return false;
	if (family && a.family != family)
		return ike_fail(err, "%s is not an address of the family its prefix names", text);
	ike_id_from_addr(id, &a);
	return true;
}

static bool set_keyid(struct ike_id *id, const char *text, struct ike_error *err)
{
	if (!strncmp(text, "0x", 2))
		return set_hex(id, IKE_ID_KEY_ID, text + 2, err);
	return set_text(id, IKE_ID_KEY_ID, text, err);
}

static bool set_dn(struct ike_id *id, const char *text, struct ike_error *err)
{
	uint8_t der[IKE_ID_MAX];
	struct ike_writer w;

	if (strncmp(text, "0x", 2)) {
		ike_writer_init(&w, der, sizeof(der));
		return ike_dn_parse(text, &w, err) && set(id, IKE_ID_DER_ASN1_DN, der, w.len, err);
	}
	if (!set_hex(id, IKE_ID_DER_ASN1_DN, text + 2, err))
		return false;
	return ike_dn_valid(ike_bytes(id->data, id->len)) ||
	       ike_fail(err, "identity \"%.100s\" is no DER of a distinguished name", text);
}

static bool set_ipv4(struct ike_id *id, const char *text, struct ike_error *err)
{
	return set_addr(id, text, AF_INET, err);
}

static bool set_ipv6(struct ike_id *id, const char *text, struct ike_error *err)
{
	return set_addr(id, text, AF_INET6, err);
}

static bool set_fqdn(struct ike_id *id, const char *text, struct ike_error *err)
{
	return set_text(id, IKE_ID_FQDN, text, err);
}

static bool set_rfc822(struct ike_id *id, const char *text, struct ike_error *err)
{
	return set_text(id, IKE_ID_RFC822_ADDR, text, err);
}

static const struct {
	const char *prefix;
	bool (*set)(struct ike_id *id, const char *text, struct ike_error *err);
} prefixes[] = {
	{"ipv4:", set_ipv4},	{"ipv6:", set_ipv6},   {"fqdn:", set_fqdn}, {"rfc822:", set_rfc822},
	{"email:", set_rfc822}, {"keyid:", set_keyid}, {"asn1dn:", set_dn},
};

static bool set_at(struct ike_id *id, const char *text, struct ike_error *err)
{
	if (text[0] == '#')
		return set_hex(id, IKE_ID_KEY_ID, text + 1, err);
	if (text[0] == '@')
		return set_rfc822(id, text + 1, err);
	return set_fqdn(id, text, err);
}

bool ike_id_parse(const char *text, struct ike_id *id, struct ike_error *err)
{
	struct ike_addr a;

	if (!*text || !strcmp(text, "%any")) {
		memset(id, 0, sizeof(*id));
		return true;
	}
	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
		if (!strncmp(text, prefixes[i].prefix, strlen(prefixes[i].prefix)))
			return prefixes[i].set(id, text + strlen(prefixes[i].prefix), err);
	if (text[0] == '@')
		return set_at(id, text + 1, err);
	if (ike_addr_parse(text, &a, NULL)) {
		ike_id_from_addr(id, &a);
		return true;
	}
	if (strchr(text, '='))
		return set_dn(id, text, err);
	return strchr(text, '@') ? set_rfc822(id, text, err) : set_fqdn(id, text, err);
}

void ike_id_from_addr(struct ike_id *id, const struct ike_addr *a)
{
	memset(id, 0, sizeof(*id));
	id->type = a->family == AF_INET ? IKE_ID_IPV4_ADDR : IKE_ID_IPV6_ADDR;
	id->len = ike_addr_len(a);
	memcpy(id->data, a->bytes, id->len);
}

static size_t wanted_len(uint8_t type)
{
	switch (type) {
	case IKE_ID_IPV4_ADDR:
		return 4;
	case IKE_ID_IPV6_ADDR:
		return 16;
	default:
		return 0;
	}
}

bool ike_id_from_wire(struct ike_id *id, const struct ike_wire_id *wire, struct ike_error *err)
{
	size_t wanted = wanted_len(wire->type);

	if (wanted && wire->data.len != wanted)
		return ike_fail_notify(err, IKE_NOTIFY_INVALID_SYNTAX,
				       "ID payload: an address of %zu bytes where %zu are needed",
				       wire->data.len, wanted);
	if (!wire->data.len && wire->type != IKE_ID_NULL)
		return ike_fail_notify(err, IKE_NOTIFY_INVALID_SYNTAX,
				       "ID payload: empty identity");
	if (wire->type == IKE_ID_ANY || wire->data.len > IKE_ID_MAX)
		return ike_fail_notify(err, IKE_NOTIFY_INVALID_SYNTAX,
				       "ID payload: type %u with %zu bytes", wire->type,
				       wire->data.len);
	if (wire->type == IKE_ID_DER_ASN1_DN && !ike_dn_valid(wire->data))
		return ike_fail_notify(err, IKE_NOTIFY_INVALID_SYNTAX,
				       "ID payload: no DER of a distinguished name");
	return set(id, wire->type, wire->data.p, wire->data.len, err);
}

void ike_put_identity(struct ike_writer *w, uint8_t payload_type, const struct ike_id *id,
		      struct ike_bytes *body)
{
	size_t at = w->len + IKE_GENERIC_LEN;

	ike_put_id(w, payload_type, id->type, ike_bytes(id->data, id->len));
	if (body)
		*body = w->overflow ? ike_bytes(NULL, 0) : ike_bytes(w->buf + at, w->len - at);
}

static bool same_letter(uint8_t a, uint8_t b, bool fold)
{
	return a == b || (fold && tolower(a) == tolower(b));
}

/* DNS names are compared without case (RFC 4343), the part before "@" with it (RFC 5321 2.4). */
static bool folds_at(const struct ike_id *id, size_t i)
{
	const uint8_t *at;

	if (id->type == IKE_ID_FQDN)
		return true;
	if (id->type != IKE_ID_RFC822_ADDR)
		return false;
	at = memchr(id->data, '@', id->len);
	return at && i > (size_t)(at - id->data);
}

static bool match_dn(const struct ike_id *pattern, const struct ike_id *id, bool *wild)
{
	return pattern->type == IKE_ID_DER_ASN1_DN && id->type == IKE_ID_DER_ASN1_DN &&
	       ike_dn_match(ike_bytes(pattern->data, pattern->len), ike_bytes(id->data, id->len),
			    wild);
}

bool ike_id_has_wildcard(const struct ike_id *id)
{
	if (id->type == IKE_ID_DER_ASN1_DN)
		return ike_dn_has_wildcard(ike_bytes(id->data, id->len));
	return id->type == IKE_ID_ANY || ((id->type == IKE_ID_FQDN ||
					   id->type == IKE_ID_RFC822_ADDR) &&
					  memchr(id->data, '*', id->len));
}

bool ike_id_equal(const struct ike_id *a, const struct ike_id *b)
{
	bool wild;

	if (a->type == IKE_ID_DER_ASN1_DN && match_dn(a, b, &wild))
		return !wild;
	if (a->type != b->type || a->len != b->len)
		return false;
	for (size_t i = 0; i < a->len; i++)
		if (!same_letter(a->data[i], b->data[i], folds_at(b, i)))
			return false;
	return true;
}

/*
 * "*" stands for any run of letters. Goes back to the last "*" on a mismatch: linear for one of
 * them.
 */
static bool glob(const struct ike_id *pattern, const struct ike_id *id)
{
	size_t p = 0, i = 0, star = SIZE_MAX, mark = 0;

	while (i < id->len) {
		if (p < pattern->len && pattern->data[p] == '*') {
			star = p++;
			mark = i;
		} else if (p < pattern->len &&
			   same_letter(pattern->data[p], id->data[i], folds_at(id, i))) {
			p++;
			i++;
		} else if (star != SIZE_MAX) {
			p = star + 1;
			i = ++mark;
		} else {
			return false;
		}
	}
	while (p < pattern->len && pattern->data[p] == '*')
		p++;
	return p == pattern->len;
}

uint64_t ike_id_hash(const struct ike_id *id)
{
	uint64_t h = ike_hash(IKE_HASH_START, &id->type, sizeof(id->type));

	/* What is the same name may be written otherwise. */
	if (id->type == IKE_ID_DER_ASN1_DN)
		return h;
	for (size_t i = 0; i < id->len; i++) {
		uint8_t c = tolower(id->data[i]);

		h = ike_hash(h, &c, 1);
	}
	return h;
}

enum ike_id_fit ike_id_match(const struct ike_id *pattern, const struct ike_id *id)
{
	bool wild;

	if (pattern->type == IKE_ID_ANY)
		return IKE_ID_FIT_ANY;
	if (match_dn(pattern, id, &wild))
		return wild ? IKE_ID_FIT_WILDCARD : IKE_ID_FIT_EXACT;
	if (ike_id_equal(pattern, id))
		return IKE_ID_FIT_EXACT;
	if (pattern->type != id->type ||
	    (id->type != IKE_ID_FQDN && id->type != IKE_ID_RFC822_ADDR))
		return IKE_ID_FIT_NO;
	return memchr(pattern->data, '*', pattern->len) && glob(pattern, id) ? IKE_ID_FIT_WILDCARD
									     : IKE_ID_FIT_NO;
}

static bool printable(const struct ike_id *id)
{
	for (size_t i = 0; i < id->len; i++)
		if (!isgraph(id->data[i]))
			return false;
	return true;
}

static void add_addr(struct ike_text *t, const struct ike_id *id)
{
	char text[IKE_ADDR_TEXT_MAX];
	struct ike_addr a;

	if (ike_addr_from_bytes(&a, ike_bytes(id->data, id->len)))
		ike_text_add(t, "%s", ike_addr_text(&a, text, sizeof(text)));
}

char *ike_id_text(const struct ike_id *id, char *buf, size_t cap)
{
	struct ike_text t;

	ike_text_init(&t, buf, cap);
	switch (id->type) {
	case IKE_ID_ANY:
		ike_text_add(&t, "%%any");
		break;
	case IKE_ID_IPV4_ADDR:
	case IKE_ID_IPV6_ADDR:
		add_addr(&t, id);
		break;
	case IKE_ID_FQDN:
	case IKE_ID_RFC822_ADDR:
		ike_text_add_printable(&t, id->data, id->len);
		break;
	case IKE_ID_DER_ASN1_DN:
		ike_dn_text(&t, ike_bytes(id->data, id->len));
		break;
	case IKE_ID_KEY_ID:
		ike_text_add(&t, "keyid:");
		if (printable(id)) {
			ike_text_add_printable(&t, id->data, id->len);
			break;
		}
		ike_text_add(&t, "0x");
		ike_text_add_hex(&t, id->data, id->len);
		break;
	default:
		ike_text_add(&t, "type%u:0x", id->type);
		ike_text_add_hex(&t, id->data, id->len);
	}
	return buf;
}
