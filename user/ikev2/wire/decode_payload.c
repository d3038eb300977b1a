// SPDX-License-Identifier: MIT
/* The inside of every payload but SA (RFC 7296 sections 3.4 to 3.16, RFC 7383), and their check. */
#include <string.h>

#include "ikev2/wire/decode.h"

#define bad(err, ...) ike_fail_notify(err, IKE_NOTIFY_INVALID_SYNTAX, __VA_ARGS__)

static bool too_short(struct ike_error *err, const char *payload, size_t len, size_t least)
{
	return bad(err, "%s payload: %zu bytes where %zu are the least", payload, len, least);
}

bool ike_ke_decode(struct ike_bytes body, struct ike_wire_ke *ke, struct ike_error *err)
{
	struct ike_cursor c = ike_cursor(body);

	ke->group = ike_get16(&c);
	ike_get16(&c);
	ke->data = ike_get_rest(&c);
	if (c.bad || !ke->data.len)
		return too_short(err, "KE", body.len, 5);
	return true;
}

/* ID and AUTH: a byte, three reserved ones, data. */
static bool typed_decode(struct ike_bytes body, uint8_t *type, struct ike_bytes *data)
{
	struct ike_cursor c = ike_cursor(body);

	*type = ike_get8(&c);
	ike_get(&c, 3);
	*data = ike_get_rest(&c);
	return !c.bad;
}

bool ike_id_decode(struct ike_bytes body, struct ike_wire_id *id, struct ike_error *err)
{
	id->body = body;
	if (!typed_decode(body, &id->type, &id->data))
		return too_short(err, "ID", body.len, 4);
	return true;
}

bool ike_auth_decode(struct ike_bytes body, struct ike_wire_auth *auth, struct ike_error *err)
{
	if (!typed_decode(body, &auth->method, &auth->data) || !auth->data.len)
		return too_short(err, "AUTH", body.len, 5);
	return true;
}

bool ike_cert_decode(struct ike_bytes body, struct ike_wire_cert *cert, struct ike_error *err)
{
	struct ike_cursor c = ike_cursor(body);

	cert->encoding = ike_get8(&c);
	cert->data = ike_get_rest(&c);
	if (c.bad)
		return too_short(err, "CERT or CERTREQ", body.len, 1);
	return true;
}

bool ike_nonce_decode(struct ike_bytes body, struct ike_bytes *nonce, struct ike_error *err)
{
	if (body.len < IKE_NONCE_MIN || body.len > IKE_NONCE_MAX)
		return bad(err, "Nonce payload: %zu bytes where %d to %d are allowed", body.len,
			   IKE_NONCE_MIN, IKE_NONCE_MAX);
	*nonce = body;
	return true;
}

bool ike_notify_decode(struct ike_bytes body, struct ike_wire_notify *n, struct ike_error *err)
{
	struct ike_cursor c = ike_cursor(body);
	uint8_t spi_len;

	n->protocol = ike_get8(&c);
	spi_len = ike_get8(&c);
	n->type = ike_get16(&c);
	n->spi = ike_get(&c, spi_len);
	n->data = ike_get_rest(&c);
	if (c.bad)
		return too_short(err, "N", body.len, 4 + spi_len);
	return true;
}

static uint32_t spi32(struct ike_bytes b)
{
	struct ike_cursor c = ike_cursor(b);

	return ike_get32(&c);
}

static bool has_spi32(uint8_t protocol)
{
	return protocol == IKE_PROTO_ESP || protocol == IKE_PROTO_AH;
}

uint32_t ike_notify_spi32(const struct ike_wire_notify *n)
{
	if (!has_spi32(n->protocol) || n->spi.len != IKE_ESP_SPI_LEN)
		return 0;
	return spi32(n->spi);
}

bool ike_delete_decode(struct ike_bytes body, struct ike_wire_delete *d, struct ike_error *err)
{
	struct ike_cursor c = ike_cursor(body);

	d->protocol = ike_get8(&c);
	d->spi_len = ike_get8(&c);
	d->count = ike_get16(&c);
	d->spis = ike_get_rest(&c);
	if (c.bad)
		return too_short(err, "D", body.len, 4);
	if (d->protocol != IKE_PROTO_IKE && !has_spi32(d->protocol))
		return bad(err, "D payload: unknown protocol %u", d->protocol);
	if (d->spi_len != (has_spi32(d->protocol) ? IKE_ESP_SPI_LEN : 0))
		return bad(err, "D payload: SPIs of %u bytes for %s", d->spi_len,
			   ike_protocol_name(d->protocol));
	if (d->spis.len != (size_t)d->count * d->spi_len)
		return bad(err, "D payload: %zu bytes for %u SPIs of %u bytes", d->spis.len,
			   d->count, d->spi_len);
	return true;
}

uint32_t ike_delete_spi32(const struct ike_wire_delete *d, size_t i)
{
	if (d->spi_len != IKE_ESP_SPI_LEN || i >= d->count)
		return 0;
	return spi32(ike_bytes(d->spis.p + i * IKE_ESP_SPI_LEN, IKE_ESP_SPI_LEN));
}

bool ike_ts_iter_init(struct ike_ts_iter *it, struct ike_bytes body, struct ike_error *err)
{
	*it = (struct ike_ts_iter){.c = ike_cursor(body)};
	it->announced = ike_get8(&it->c);
	ike_get(&it->c, 3);
	if (it->c.bad)
		return too_short(err, "TS", body.len, 4);
	if (!it->announced)
		return bad(err, "TS payload: no selector");
	return true;
}

/* The length that a selector of @type must have; 0: only the header's is known. */
static uint16_t ts_len(uint8_t type)
{
	switch (type) {
	case IKE_TS_IPV4_ADDR_RANGE:
		return IKE_TS_IPV4_LEN;
	case IKE_TS_IPV6_ADDR_RANGE:
		return IKE_TS_IPV6_LEN;
	default:
		return 0;
	}
}

static void ts_fields(struct ike_wire_ts *ts)
{
	struct ike_cursor c = ike_cursor(ts->raw);
	size_t addr_len;

	ike_get8(&c);
	ts->protocol = ike_get8(&c);
	ike_get16(&c);
	ts->port_first = ike_get16(&c);
	ts->port_last = ike_get16(&c);
	addr_len = c.rest.len / 2;
	ts->first = ike_get(&c, addr_len);
	ts->last = ike_get(&c, addr_len);
}

static bool ts_next(struct ike_ts_iter *it, struct ike_wire_ts *ts, struct ike_error *err)
{
	unsigned int n = it->count + 1;
	struct ike_cursor peek = it->c;
	size_t left = it->c.rest.len;
	uint16_t len;

	*ts = (struct ike_wire_ts){.type = ike_get8(&peek)};
	ike_get8(&peek);
	len = ike_get16(&peek);
	if (peek.bad)
		return bad(err, "TS payload: selector %u: %zu bytes left where %d are needed", n,
			   left, IKE_GENERIC_LEN);
	if (len < IKE_GENERIC_LEN || (ts_len(ts->type) && len != ts_len(ts->type)))
		return bad(err, "TS payload: selector %u: length %u where %u is needed", n, len,
			   ts_len(ts->type) ? ts_len(ts->type) : IKE_GENERIC_LEN);
	ts->raw = ike_get(&it->c, len);
	if (it->c.bad)
		return bad(err, "TS payload: selector %u: length %u where %zu bytes are left", n,
			   len, left);
	if (ts_len(ts->type))
		ts_fields(ts);
	return true;
}

enum ike_item ike_ts_next(struct ike_ts_iter *it, struct ike_wire_ts *ts, struct ike_error *err)
{
	if (!it->c.bad && it->count == it->announced && !it->c.rest.len)
		return IKE_ITEM_END;
	if (!it->c.bad && it->count == it->announced) {
		it->c.bad = true;
		bad(err, "TS payload: %zu bytes after selector %u, the last", it->c.rest.len,
		    it->count);
		return IKE_ITEM_BAD;
	}
	if (!ts_next(it, ts, err)) {
		it->c.bad = true;
		return IKE_ITEM_BAD;
	}
	it->count++;
	return IKE_ITEM_ONE;
}

bool ike_cp_iter_init(struct ike_cp_iter *it, struct ike_bytes body, struct ike_error *err)
{
	*it = (struct ike_cp_iter){.c = ike_cursor(body)};
	it->type = ike_get8(&it->c);
	ike_get(&it->c, 3);
	if (it->c.bad)
		return too_short(err, "CP", body.len, 4);
	return true;
}

enum ike_item ike_cp_next(struct ike_cp_iter *it, struct ike_wire_cp_attribute *a,
			  struct ike_error *err)
{
	size_t left = it->c.rest.len;
	uint16_t len;

	if (!left && !it->c.bad)
		return IKE_ITEM_END;
	a->type = ike_get16(&it->c) & ~IKE_ATTRIBUTE_TV; /* its highest bit is reserved here */
	len = ike_get16(&it->c);
	a->data = ike_get(&it->c, len);
	it->count++;
	if (!it->c.bad)
		return IKE_ITEM_ONE;
	bad(err, "CP payload: attribute %u: longer than the %zu bytes left", it->count, left);
	return IKE_ITEM_BAD;
}

bool ike_eap_decode(struct ike_bytes body, struct ike_wire_eap *eap, struct ike_error *err)
{
	struct ike_cursor c = ike_cursor(body);
	uint16_t len;

	*eap = (struct ike_wire_eap){.code = ike_get8(&c)};
	eap->identifier = ike_get8(&c);
	len = ike_get16(&c);
	if (c.bad || len != body.len)
		return bad(err, "EAP payload: length %u in %zu bytes", len, body.len);
	switch (eap->code) {
	case IKE_EAP_REQUEST:
	case IKE_EAP_RESPONSE:
		eap->type = ike_get8(&c);
		eap->data = ike_get_rest(&c);
		return c.bad ? too_short(err, "EAP", body.len, 5) : true;
	case IKE_EAP_SUCCESS:
	case IKE_EAP_FAILURE:
		return c.rest.len ? bad(err, "EAP payload: %zu bytes in a success or failure",
					body.len)
				  : true;
	default:
		return bad(err, "EAP payload: unknown code %u", eap->code);
	}
}

bool ike_skf_decode(struct ike_bytes body, struct ike_wire_skf *skf, struct ike_error *err)
{
	struct ike_cursor c = ike_cursor(body);

	skf->number = ike_get16(&c);
	skf->total = ike_get16(&c);
	skf->sealed = ike_get_rest(&c);
	if (c.bad)
		return too_short(err, "SKF", body.len, 4);
	if (!skf->number || skf->number > skf->total)
		return bad(err, "SKF payload: fragment %u of %u", skf->number, skf->total);
	return true;
}

static bool check_transforms(const struct ike_wire_proposal *p, struct ike_error *err)
{
	struct ike_transform_iter transforms;
	struct ike_attribute_iter attributes;
	struct ike_wire_attribute a;
	struct ike_wire_transform t;
	enum ike_item item;

	ike_transform_iter_init(&transforms, p);
	while ((item = ike_transform_next(&transforms, &t, err)) == IKE_ITEM_ONE) {
		ike_attribute_iter_init(&attributes, &t);
		while ((item = ike_attribute_next(&attributes, &a, err)) == IKE_ITEM_ONE)
			;
		if (item == IKE_ITEM_BAD)
			return false;
	}
	return item == IKE_ITEM_END;
}

static bool check_sa(struct ike_bytes body, struct ike_error *err)
{
	struct ike_wire_proposal p;
	struct ike_sa_iter it;
	enum ike_item item;

	ike_sa_iter_init(&it, body);
	while ((item = ike_sa_next(&it, &p, err)) == IKE_ITEM_ONE)
		if (!check_transforms(&p, err))
			return false;
	return item == IKE_ITEM_END;
}

static bool check_ts(struct ike_bytes body, struct ike_error *err)
{
	struct ike_wire_ts ts;
	struct ike_ts_iter it;
	enum ike_item item;

	if (!ike_ts_iter_init(&it, body, err))
		return false;
	while ((item = ike_ts_next(&it, &ts, err)) == IKE_ITEM_ONE)
		;
	return item == IKE_ITEM_END;
}

static bool check_cp(struct ike_bytes body, struct ike_error *err)
{
	struct ike_wire_cp_attribute a;
	struct ike_cp_iter it;
	enum ike_item item;

	if (!ike_cp_iter_init(&it, body, err))
		return false;
	while ((item = ike_cp_next(&it, &a, err)) == IKE_ITEM_ONE)
		;
	return item == IKE_ITEM_END;
}

/* Room for what any of the decoders gives, when only their verdict is wanted. */
union any {
	struct ike_wire_ke ke;
	struct ike_wire_id id;
	struct ike_wire_cert cert;
	struct ike_wire_auth auth;
	struct ike_bytes nonce;
	struct ike_wire_notify notify;
	struct ike_wire_delete del;
	struct ike_wire_eap eap;
	struct ike_wire_skf skf;
};

static bool check_body(const struct ike_payload *p, struct ike_error *err)
{
	union any any;

	switch (p->type) {
	case IKE_PAYLOAD_SA:
		return check_sa(p->body, err);
	case IKE_PAYLOAD_KE:
		return ike_ke_decode(p->body, &any.ke, err);
	case IKE_PAYLOAD_IDI:
	case IKE_PAYLOAD_IDR:
		return ike_id_decode(p->body, &any.id, err);
	case IKE_PAYLOAD_CERT:
	case IKE_PAYLOAD_CERTREQ:
		return ike_cert_decode(p->body, &any.cert, err);
	case IKE_PAYLOAD_AUTH:
		return ike_auth_decode(p->body, &any.auth, err);
	case IKE_PAYLOAD_NONCE:
		return ike_nonce_decode(p->body, &any.nonce, err);
	case IKE_PAYLOAD_NOTIFY:
		return ike_notify_decode(p->body, &any.notify, err);
	case IKE_PAYLOAD_DELETE:
		return ike_delete_decode(p->body, &any.del, err);
	case IKE_PAYLOAD_TSI:
	case IKE_PAYLOAD_TSR:
		return check_ts(p->body, err);
	case IKE_PAYLOAD_CP:
		return check_cp(p->body, err);
	case IKE_PAYLOAD_EAP:
		return ike_eap_decode(p->body, &any.eap, err);
	case IKE_PAYLOAD_SKF:
		return ike_skf_decode(p->body, &any.skf, err);
	case IKE_PAYLOAD_VENDOR:
	case IKE_PAYLOAD_SK:
		return true;
	default:
		return bad(err, "payload of unknown type %u", p->type);
	}
}

bool ike_payload_check(const struct ike_payload *p, struct ike_error *err)
{
	if (check_body(p, err))
		return true;
	if (err)
		err->payload = p->type;
	return false;
}

bool ike_payload_known(uint8_t type)
{
	return (type >= IKE_PAYLOAD_SA && type <= IKE_PAYLOAD_EAP) || type == IKE_PAYLOAD_SKF;
}
