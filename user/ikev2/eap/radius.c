// SPDX-License-Identifier: MIT
/* Packets of RADIUS: attributes, and the three uses of its secret. */
#include "ikev2/eap/radius.h"

#include <string.h>

#include "ikev2/crypto/hash.h"
#include "ikev2/crypto/hmac.h"

/* RFC 2865 section 5, unless another one is named. */
enum attribute {
	USER_NAME = 1,
	NAS_IP_ADDRESS = 4,
	SERVICE_TYPE = 6,
	REPLY_MESSAGE = 18,
	STATE = 24,
	CLASS = 25,
	VENDOR_SPECIFIC = 26,
	CALLED_STATION_ID = 30,
	CALLING_STATION_ID = 31,
	NAS_IDENTIFIER = 32,
	NAS_PORT_TYPE = 61,
	EAP_MESSAGE = 79,	    /* RFC 3579 section 3.1 */
	MESSAGE_AUTHENTICATOR = 80, /* RFC 3579 section 3.2 */
	NAS_IPV6_ADDRESS = 95,	    /* RFC 3162 section 2.1 */
};

enum {
	HEADER_LEN = 20,
	AUTHENTICATOR_AT = 4,
	LENGTH_AT = 2,
	ATTRIBUTE_HEADER_LEN = 2,
	FRAMED = 2,	  /* Service-Type */
	VIRTUAL = 5,	  /* NAS-Port-Type */
	MD5_LEN = 16,
	MICROSOFT = 311,  /* RFC 2548 */
	MPPE_SEND_KEY = 16, /* RFC 2548 section 2.4.2 */
	MPPE_RECV_KEY = 17, /* RFC 2548 section 2.4.3 */
	SALT_LEN = 2,
	MPPE_KEY_MAX = IKE_RADIUS_MSK_LEN / 2,
	PARTS_MAX = 6,
};

static bool md5(const struct ike_bytes *parts, size_t n, uint8_t digest[MD5_LEN],
		struct ike_error *err)
{
	return ike_hash_parts("MD5", parts, n, digest, err);
}

/* Writing */

static void put(struct ike_writer *w, uint8_t type, struct ike_bytes value)
{
	if (value.len > IKE_RADIUS_VALUE_MAX) {
		w->overflow = true;
		return;
	}
	ike_put8(w, type);
	ike_put8(w, ATTRIBUTE_HEADER_LEN + value.len);
	ike_put(w, value);
}

static void put_text(struct ike_writer *w, uint8_t type, const char *text)
{
	if (text && *text)
		put(w, type, ike_bytes(text, strlen(text)));
}

static void put_number(struct ike_writer *w, uint8_t type, uint32_t number)
{
	ike_put8(w, type);
	ike_put8(w, ATTRIBUTE_HEADER_LEN + sizeof(number));
	ike_put32(w, number);
}

static void put_nas(struct ike_writer *w, const struct ike_addr *nas)
{
	if (!ike_addr_unspecified(nas))
		put(w, nas->family == AF_INET6 ? NAS_IPV6_ADDRESS : NAS_IP_ADDRESS,
		    ike_addr_bytes(nas));
}

/* RFC 3579 section 3.1: pieces follow each other. */
static void put_eap(struct ike_writer *w, struct ike_bytes eap)
{
	while (eap.len) {
		size_t len = eap.len < IKE_RADIUS_VALUE_MAX ? eap.len : IKE_RADIUS_VALUE_MAX;

		put(w, EAP_MESSAGE, ike_bytes(eap.p, len));
		eap = ike_bytes(eap.p + len, eap.len - len);
	}
}

bool ike_radius_write(struct ike_writer *w, const struct ike_radius_exchange *x,
		      const struct ike_radius_request *r, struct ike_error *err)
{
	static const uint8_t zeros[MD5_LEN];
	uint8_t mac[IKE_HMAC_MAX];
	struct ike_bytes whole;
	size_t mac_at;

	ike_put8(w, IKE_RADIUS_ACCESS_REQUEST);
	ike_put8(w, x->identifier);
	ike_put16(w, 0);
	ike_put(w, ike_bytes(x->authenticator, sizeof(x->authenticator)));
	/* In front: no prefix of the packet makes sense without it. */
	mac_at = w->len + ATTRIBUTE_HEADER_LEN;
	put(w, MESSAGE_AUTHENTICATOR, ike_bytes(zeros, sizeof(zeros)));
	put(w, USER_NAME, r->user);
	put_number(w, SERVICE_TYPE, FRAMED);
	put_number(w, NAS_PORT_TYPE, VIRTUAL);
	put_text(w, NAS_IDENTIFIER, r->nas_identifier);
	put_nas(w, &r->nas);
	put_text(w, CALLED_STATION_ID, r->called);
	put_text(w, CALLING_STATION_ID, r->calling);
	if (r->state.len)
		put(w, STATE, r->state);
	put_eap(w, r->eap);
	ike_patch16(w, LENGTH_AT, w->len);
	whole = ike_written(w);
	if (w->overflow || whole.len > IKE_RADIUS_PACKET_MAX)
		return ike_fail(err, "an Access-Request of RADIUS does not fit: user's name of %zu "
				     "bytes, EAP packet of %zu", r->user.len, r->eap.len);
	if (!ike_hmac("MD5", x->secret, &whole, 1, mac, err))
		return false;
	for (size_t i = 0; i < MD5_LEN; i++)
		ike_patch8(w, mac_at + i, mac[i]);
	return true;
}

/* Reading */

/* An answer's header, whose length is that of @packet, from then on. */
static bool read_header(struct ike_bytes *packet, uint8_t *code, uint8_t *identifier)
{
	struct ike_cursor c = ike_cursor(*packet);
	uint16_t len;

	*code = ike_get8(&c);
	*identifier = ike_get8(&c);
	len = ike_get16(&c);
	/* Section 3: what is behind the length is padding, a packet that is shorter is none. */
	if (c.bad || len < HEADER_LEN || len > packet->len || len > IKE_RADIUS_PACKET_MAX)
		return false;
	packet->len = len;
	return true;
}

bool ike_radius_identifier(struct ike_bytes packet, uint8_t *identifier)
{
	uint8_t code;

	return read_header(&packet, &code, identifier);
}

/* The next attribute; false at the end, or if it is cut off (then c->bad). */
static bool next(struct ike_cursor *c, uint8_t *type, struct ike_bytes *value)
{
	uint8_t len;

	if (!c->rest.len)
		return false;
	*type = ike_get8(c);
	len = ike_get8(c);
	c->bad = c->bad || len < ATTRIBUTE_HEADER_LEN;
	*value = c->bad ? ike_bytes(NULL, 0) : ike_get(c, len - ATTRIBUTE_HEADER_LEN);
	return !c->bad;
}

static struct ike_cursor attributes(struct ike_bytes packet)
{
	return ike_cursor(ike_bytes(packet.p + HEADER_LEN, packet.len - HEADER_LEN));
}

/* The only Message-Authenticator of @packet. */
static bool find_mac(struct ike_bytes packet, struct ike_bytes *mac, struct ike_error *err)
{
	struct ike_cursor c = attributes(packet);
	struct ike_bytes value;
	unsigned int n = 0;
	uint8_t type;

	while (next(&c, &type, &value))
		if (type == MESSAGE_AUTHENTICATOR && !n++)
			*mac = value;
	if (c.bad)
		return ike_fail(err, "an attribute is cut off");
	if (!n)
		return ike_fail(err, "there is no Message-Authenticator in it");
	return (n == 1 && mac->len == MD5_LEN) ||
	       ike_fail(err, "its Message-Authenticator is malformed");
}

/* RFC 2865 section 3: MD5 over code, identifier, length, the request's authenticator, the rest. */
static bool check_authenticator(struct ike_bytes packet, const struct ike_radius_exchange *x,
				struct ike_error *err)
{
	const struct ike_bytes parts[] = {
		{packet.p, AUTHENTICATOR_AT},
		{x->authenticator, sizeof(x->authenticator)},
		{packet.p + HEADER_LEN, packet.len - HEADER_LEN},
		x->secret,
	};
	uint8_t digest[MD5_LEN];

	if (!md5(parts, 4, digest, err))
		return false;
	return ike_secret_equal(ike_bytes(digest, sizeof(digest)),
				ike_bytes(packet.p + AUTHENTICATOR_AT, sizeof(digest))) ||
	       ike_fail(err, "its Response Authenticator is wrong: the secret is another, or it is "
			     "forged");
}

/* RFC 3579 section 3.2: the same with HMAC, and zeros where it stands itself. */
static bool check_mac(struct ike_bytes packet, const struct ike_radius_exchange *x,
		      struct ike_error *err)
{
	static const uint8_t zeros[MD5_LEN];
	uint8_t wanted[IKE_HMAC_MAX];
	struct ike_bytes mac = {0};
	struct ike_bytes parts[PARTS_MAX];

	if (!find_mac(packet, &mac, err))
		return false;
	parts[0] = ike_bytes(packet.p, AUTHENTICATOR_AT);
	parts[1] = ike_bytes(x->authenticator, sizeof(x->authenticator));
	parts[2] = ike_bytes(packet.p + HEADER_LEN, mac.p - packet.p - HEADER_LEN);
	parts[3] = ike_bytes(zeros, sizeof(zeros));
	parts[4] = ike_bytes(mac.p + mac.len, packet.p + packet.len - mac.p - mac.len);
	if (!ike_hmac("MD5", x->secret, parts, 5, wanted, err))
		return false;
	return ike_secret_equal(mac, ike_bytes(wanted, MD5_LEN)) ||
	       ike_fail(err, "its Message-Authenticator is wrong: it is forged");
}

/* RFC 2548 section 2.4.2: each block is hidden behind the MD5 of the secret and the one before. */
static bool reveal(struct ike_bytes hidden, const struct ike_radius_exchange *x,
		   uint8_t plain[IKE_RADIUS_VALUE_MAX], struct ike_error *err)
{
	struct ike_bytes parts[] = {
		x->secret,
		{x->authenticator, sizeof(x->authenticator)},
		{hidden.p, SALT_LEN},
	};
	size_t n = sizeof(parts) / sizeof(parts[0]);
	uint8_t mask[MD5_LEN];

	for (size_t at = SALT_LEN; at < hidden.len; at += MD5_LEN) {
		if (!md5(parts, n, mask, err))
			return false;
		for (size_t i = 0; i < MD5_LEN; i++)
			plain[at - SALT_LEN + i] = hidden.p[at + i] ^ mask[i];
		parts[1] = ike_bytes(hidden.p + at, MD5_LEN);
		n = 2;
	}
	ike_wipe(mask, sizeof(mask));
	return true;
}

static bool take_key(struct ike_bytes value, const struct ike_radius_exchange *x,
		     struct ike_key *key, struct ike_error *err)
{
	uint8_t plain[IKE_RADIUS_VALUE_MAX];
	bool ok;

	if (value.len < SALT_LEN + MD5_LEN || (value.len - SALT_LEN) % MD5_LEN)
		return ike_fail(err, "a key of %zu bytes in it is malformed", value.len);
	ok = reveal(value, x, plain, err);
	if (ok && (!plain[0] || plain[0] > MPPE_KEY_MAX || plain[0] >= value.len - SALT_LEN)) {
		ok = ike_fail(err, "a key in it has a length of %u", plain[0]);
	} else if (ok) {
		key->len = plain[0];
		memcpy(key->bytes, plain + 1, key->len);
	}
	ike_wipe(plain, sizeof(plain));
	return ok;
}

/* The keys of one answer. */
struct mppe {
	struct ike_key recv, send;
};

static bool take_vendor(struct ike_bytes value, const struct ike_radius_exchange *x,
			struct mppe *keys, struct ike_error *err)
{
	struct ike_cursor c = ike_cursor(value);
	struct ike_bytes inner;
	uint8_t type;

	if (ike_get32(&c) != MICROSOFT)
		return true;
	while (next(&c, &type, &inner)) {
		if (type == MPPE_RECV_KEY && !take_key(inner, x, &keys->recv, err))
			return false;
		if (type == MPPE_SEND_KEY && !take_key(inner, x, &keys->send, err))
			return false;
	}
	return !c.bad || ike_fail(err, "a vendor's attribute is cut off");
}

static bool take(struct ike_radius_answer *a, uint8_t type, struct ike_bytes value,
		 const struct ike_radius_exchange *x, struct mppe *keys, struct ike_error *err)
{
	switch (type) {
	case USER_NAME:
		a->user = value;
		return true;
	case STATE:
		a->state = value;
		return true;
	case CLASS:
		if (a->n_classes < IKE_RADIUS_CLASSES_MAX)
			a->classes[a->n_classes++] = value;
		return true;
	case REPLY_MESSAGE:
		a->message = value;
		return true;
	case EAP_MESSAGE:
		/* All of them are of one packet, which is no longer. */
		if (value.len)
			memcpy(a->eap + a->eap_len, value.p, value.len);
		a->eap_len += value.len;
		return true;
	case VENDOR_SPECIFIC:
		return take_vendor(value, x, keys, err);
	default:
		return true;
	}
}

/* RFC 2548: what the client sends with comes first. What is missing behind is zero. */
static void make_msk(const struct mppe *keys, struct ike_key *msk)
{
	memset(msk, 0, sizeof(*msk));
	if (!keys->recv.len || !keys->send.len)
		return;
	memcpy(msk->bytes, keys->recv.bytes, keys->recv.len);
	memcpy(msk->bytes + keys->recv.len, keys->send.bytes, keys->send.len);
	msk->len = IKE_RADIUS_MSK_LEN;
}

static bool take_all(struct ike_bytes packet, const struct ike_radius_exchange *x,
		     struct ike_radius_answer *a, struct ike_error *err)
{
	struct ike_cursor c = attributes(packet);
	struct mppe keys = {0};
	struct ike_bytes value;
	bool ok = true;
	uint8_t type;

	while (ok && next(&c, &type, &value))
		ok = take(a, type, value, x, &keys, err);
	if (ok && a->code == IKE_RADIUS_ACCESS_ACCEPT)
		make_msk(&keys, &a->msk);
	ike_wipe(&keys, sizeof(keys));
	return ok;
}

bool ike_radius_read(struct ike_bytes packet, const struct ike_radius_exchange *x,
		     struct ike_radius_answer *a, struct ike_error *err)
{
	uint8_t identifier;

	memset(a, 0, sizeof(*a));
	if (!read_header(&packet, &a->code, &identifier) || identifier != x->identifier)
		return ike_fail(err, "it is no answer of RADIUS to what was asked");
	if (a->code != IKE_RADIUS_ACCESS_ACCEPT && a->code != IKE_RADIUS_ACCESS_REJECT &&
	    a->code != IKE_RADIUS_ACCESS_CHALLENGE)
		return ike_fail(err, "its code %u is none of an answer", a->code);
	return check_authenticator(packet, x, err) && check_mac(packet, x, err) &&
	       take_all(packet, x, a, err);
}
