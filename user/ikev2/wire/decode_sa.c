// SPDX-License-Identifier: MIT
/* The SA payload: proposals, their transforms, their attributes (RFC 7296 section 3.3). */
#include "ikev2/wire/decode.h"

#define bad(err, ...) ike_fail_notify(err, IKE_NOTIFY_INVALID_SYNTAX, __VA_ARGS__)

void ike_sa_iter_init(struct ike_sa_iter *it, struct ike_bytes body)
{
	*it = (struct ike_sa_iter){.c = ike_cursor(body)};
}

/* What "Last Substruc" says must fit what is left behind the substructure. */
static bool last_is_right(uint8_t last, uint8_t more, size_t left)
{
	return left ? last == more : last == IKE_LAST;
}

/* The SPI's size follows from the protocol (section 3.3.1); unknown protocols may have any. */
static bool spi_len_is_right(uint8_t protocol, uint8_t len)
{
	switch (protocol) {
	case IKE_PROTO_IKE:
		return len == 0 || len == IKE_SPI_LEN;
	case IKE_PROTO_AH:
	case IKE_PROTO_ESP:
		return len == IKE_ESP_SPI_LEN;
	default:
		return true;
	}
}

static bool proposal_fields(struct ike_cursor c, unsigned int n, struct ike_wire_proposal *p,
			    struct ike_error *err)
{
	uint8_t spi_len;

	p->number = ike_get8(&c);
	p->protocol = ike_get8(&c);
	spi_len = ike_get8(&c);
	p->n_transforms = ike_get8(&c);
	p->spi = ike_get(&c, spi_len);
	p->transforms = ike_get_rest(&c);
	if (c.bad)
		return bad(err, "SA payload: proposal %u: too short for an SPI of %u bytes", n,
			   spi_len);
	if (!spi_len_is_right(p->protocol, spi_len))
		return bad(err, "SA payload: proposal %u: SPI of %u bytes for %s", n, spi_len,
			   ike_protocol_name(p->protocol));
	if (!p->n_transforms)
		return bad(err, "SA payload: proposal %u: no transform", n);
	return true;
}

static bool proposal_next(struct ike_sa_iter *it, struct ike_wire_proposal *p,
			  struct ike_error *err)
{
	unsigned int n = it->count + 1;
	size_t left = it->c.rest.len;
	struct ike_bytes fields;
	uint8_t last;
	uint16_t len;

	last = ike_get8(&it->c);
	ike_get8(&it->c);
	len = ike_get16(&it->c);
	if (it->c.bad || len < IKE_PROPOSAL_LEN || len > left)
		return bad(err, "SA payload: proposal %u: length %u where %zu bytes are left", n,
			   len, left);
	fields = ike_get(&it->c, len - IKE_GENERIC_LEN);
	if (!last_is_right(last, IKE_MORE_PROPOSALS, it->c.rest.len))
		return bad(err, "SA payload: proposal %u: marked %u with %zu bytes after it", n,
			   last, it->c.rest.len);
	if (!proposal_fields(ike_cursor(fields), n, p, err))
		return false;
	it->last = last == IKE_LAST;
	if (p->number != n && !(n == 1 && it->last))
		return bad(err, "SA payload: proposal %u: has number %u", n, p->number);
	return true;
}

enum ike_item ike_sa_next(struct ike_sa_iter *it, struct ike_wire_proposal *p,
			  struct ike_error *err)
{
	if (it->last)
		return IKE_ITEM_END;
	if (!proposal_next(it, p, err)) {
		it->c.bad = true;
		return IKE_ITEM_BAD;
	}
	it->count++;
	return IKE_ITEM_ONE;
}

void ike_transform_iter_init(struct ike_transform_iter *it, const struct ike_wire_proposal *p)
{
	*it = (struct ike_transform_iter){
		.c = ike_cursor(p->transforms),
		.announced = p->n_transforms,
	};
}

static bool transform_next(struct ike_transform_iter *it, struct ike_wire_transform *t,
			   struct ike_error *err)
{
	unsigned int n = it->count + 1;
	size_t left = it->c.rest.len;
	uint8_t last;
	uint16_t len;

	last = ike_get8(&it->c);
	ike_get8(&it->c);
	len = ike_get16(&it->c);
	t->type = ike_get8(&it->c);
	ike_get8(&it->c);
	t->id = ike_get16(&it->c);
	if (it->c.bad || len < IKE_TRANSFORM_LEN || len > left)
		return bad(err, "SA payload: transform %u: length %u where %zu bytes are left", n,
			   len, left);
	t->attributes = ike_get(&it->c, len - IKE_TRANSFORM_LEN);
	if (!last_is_right(last, IKE_MORE_TRANSFORMS, it->c.rest.len))
		return bad(err, "SA payload: transform %u: marked %u with %zu bytes after it", n,
			   last, it->c.rest.len);
	it->last = last == IKE_LAST;
	if (it->last ? n != it->announced : n >= it->announced)
		return bad(err, "SA payload: transform %u%s where %u are announced", n,
			   it->last ? " is the last" : "", it->announced);
	return true;
}

enum ike_item ike_transform_next(struct ike_transform_iter *it, struct ike_wire_transform *t,
				 struct ike_error *err)
{
	if (it->last)
		return IKE_ITEM_END;
	if (!transform_next(it, t, err)) {
		it->c.bad = true;
		it->last = false;
		return IKE_ITEM_BAD;
	}
	it->count++;
	return IKE_ITEM_ONE;
}

void ike_attribute_iter_init(struct ike_attribute_iter *it, const struct ike_wire_transform *t)
{
	*it = (struct ike_attribute_iter){.c = ike_cursor(t->attributes)};
}

enum ike_item ike_attribute_next(struct ike_attribute_iter *it, struct ike_wire_attribute *a,
				 struct ike_error *err)
{
	size_t left = it->c.rest.len;
	uint16_t type, value;

	if (!left && !it->c.bad)
		return IKE_ITEM_END;
	type = ike_get16(&it->c);
	value = ike_get16(&it->c);
	a->type = type & ~IKE_ATTRIBUTE_TV;
	a->tv = type & IKE_ATTRIBUTE_TV;
	a->value = a->tv ? value : 0;
	a->data = ike_get(&it->c, a->tv ? 0 : value);
	it->count++;
	if (!it->c.bad)
		return IKE_ITEM_ONE;
	bad(err, "SA payload: attribute %u: longer than the %zu bytes left", it->count, left);
	return IKE_ITEM_BAD;
}
