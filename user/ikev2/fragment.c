// SPDX-License-Identifier: MIT
/* Messages in pieces (RFC 7383). */
#include <stdlib.h>
#include <string.h>

#include "ikev2/fragment.h"
#include "ikev2/ike_sa.h"

enum {
	DEFAULT_SIZE = 1280, /* what every IPv6 path takes (RFC 8200 section 5) */
	IPV4_LEN = 20,
	IPV6_LEN = 40,
	UDP_LEN = 8,
	MARKER_LEN = 4,	    /* RFC 3948 section 2.2 */
	LONGEST_LEAST = 576 - IPV4_LEN - UDP_LEN - MARKER_LEN, /* section 2.5.1 */
	TEXT_LEAST = 16,    /* in a fragment of ours */
	LENGTH_AT = 24,	    /* RFC 7296 section 3.1 */
};

/* Gathering */

void ike_fragments_clear(struct ike_fragments *f)
{
	for (size_t i = 0; i < f->total; i++) {
		if (f->parts[i].p)
			ike_wipe(f->parts[i].p, f->parts[i].len);
		ike_packet_clear(&f->parts[i]);
	}
	free(f->parts);
	*f = (struct ike_fragments){0};
}

static bool is_of(const struct ike_fragments *f, const struct ike_header *h)
{
	return f->total && f->id == h->message_id;
}

/*
 * What can be refused before the costly part. A peer that has tried longer fragments in vain cuts
 * the same message again, into more; what is left of the first cut is of no use (section 2.5.2).
 */
static bool is_wanted(const struct ike_fragments *f, const struct ike_header *h,
		      const struct ike_wire_skf *skf, struct ike_error *err)
{
	if (skf->total > IKE_FRAGMENTS_MAX)
		return ike_fail(err, "SKF payload: %u fragments where %d are the most", skf->total,
				IKE_FRAGMENTS_MAX);
	if (!is_of(f, h))
		return true;
	if (h->exchange != f->exchange)
		return ike_fail(err, "SKF payload: fragments of two exchanges in one message");
	if (skf->total < f->total)
		return ike_fail(err, "SKF payload: of %u fragments, but %u were announced",
				skf->total, f->total);
	if (skf->total == f->total && f->parts[skf->number - 1].p)
		return ike_fail(err, "SKF payload: fragment %u came before", skf->number);
	return true;
}

static bool begin(struct ike_fragments *f, const struct ike_header *h, uint16_t total,
		  struct ike_error *err)
{
	ike_fragments_clear(f);
	f->parts = calloc(total, sizeof(*f->parts));
	if (!f->parts)
		return ike_fail(err, "out of memory");
	f->id = h->message_id;
	f->exchange = h->exchange;
	f->total = total;
	return true;
}

static bool keep(struct ike_fragments *f, const struct ike_incoming *in,
		 const struct ike_payload *skf, uint16_t number, struct ike_bytes text,
		 struct ike_error *err)
{
	if (f->bytes + text.len > IKE_GATHERED_MAX)
		return ike_fail(err, "SKF payload: more than %d bytes in fragments",
				IKE_GATHERED_MAX);
	if (!ike_packet_set(&f->parts[number - 1], text))
		return ike_fail(err, "out of memory");
	f->got++;
	f->bytes += text.len;
	if (in->len > f->longest)
		f->longest = in->len;
	if (number == 1) {
		f->first = skf->next;
		memcpy(f->digest, in->digest, sizeof(f->digest));
	}
	return true;
}

static bool join(const struct ike_fragments *f, struct ike_incoming *in, struct ike_error *err)
{
	size_t at = 0;

	in->whole.p = malloc(f->bytes ? f->bytes : 1);
	if (!in->whole.p)
		return ike_fail(err, "out of memory");
	in->whole.len = f->bytes;
	for (size_t i = 0; i < f->total; i++) {
		if (f->parts[i].len)
			memcpy(in->whole.p + at, f->parts[i].p, f->parts[i].len);
		at += f->parts[i].len;
	}
	in->first = f->first;
	memcpy(in->digest, f->digest, sizeof(in->digest));
	return true;
}

enum ike_gathering ike_fragments_take(struct ike_fragments *f, struct ike_incoming *in,
				      const struct ike_payload *skf, const struct ike_protect *p,
				      struct ike_error *err)
{
	struct ike_wire_skf wire;
	struct ike_bytes text;

	if (!ike_skf_decode(skf->body, &wire, err) || !is_wanted(f, &in->header, &wire, err) ||
	    !ike_sk_open(in->bytes, in->len, skf, p, &text, err))
		return IKE_GATHER_REFUSED;
	if ((!is_of(f, &in->header) || wire.total > f->total) &&
	    !begin(f, &in->header, wire.total, err))
		return IKE_GATHER_REFUSED;
	if (!keep(f, in, skf, wire.number, text, err))
		return IKE_GATHER_REFUSED;
	if (f->got < f->total)
		return IKE_GATHER_MORE;
	return join(f, in, err) ? IKE_GATHER_ALL : IKE_GATHER_REFUSED;
}

/* Cutting */

/* Bytes of an IKE message that one datagram may hold. */
static size_t longest(const struct ike_sa *sa)
{
	uint32_t size = sa->engine->config->settings.fragment_size;
	size_t outer = (sa->remote.addr.family == AF_INET6 ? IPV6_LEN : IPV4_LEN) + UDP_LEN +
		       MARKER_LEN;
	size_t len = size ? size : DEFAULT_SIZE;

	len = len > outer ? len - outer : 0;
	return sa->fragment_longest && sa->fragment_longest < len ? sa->fragment_longest : len;
}

void ike_fragment_learn(struct ike_sa *sa, const struct ike_fragments *f)
{
	if (f->total > 1)
		sa->fragment_longest = f->longest < LONGEST_LEAST ? LONGEST_LEAST : f->longest;
}

bool ike_fragment_needed(const struct ike_outgoing *o, const struct ike_sa *sa)
{
	return sa->fragmentation && sa->conn->fragmentation == IKE_FRAGMENT_YES &&
	       o->w.len + ike_sk_seal_adds(&sa->out) > longest(sa);
}

/* One datagram more of the flight in @w: as the message it is cut from, but for its payload. */
static bool put_fragment(struct ike_writer *w, struct ike_sa *sa, const struct ike_header *h,
			 uint8_t first, struct ike_bytes text, uint16_t number, uint16_t total,
			 struct ike_error *err)
{
	struct ike_writer one;
	size_t mark;

	ike_writer_init(&one, w->buf + w->len, w->cap - w->len);
	ike_message_begin(&one, h);
	mark = ike_skf_begin(&one, &sa->out, number, total);
	/* Section 2.5: the type of the first payload is in the first fragment, and zero elsewhere. */
	ike_patch8(&one, mark, number == 1 ? first : IKE_PAYLOAD_NONE);
	ike_put(&one, text);
	if (!ike_skf_seal(&one, mark, &sa->out, &sa->engine->random, err))
		return false;
	w->len += one.len;
	return true;
}

static bool put_flight(struct ike_outgoing *o, struct ike_sa *sa, const struct ike_header *h,
		       uint8_t first, struct ike_bytes text, struct ike_error *err)
{
	size_t overhead = ike_skf_overhead(&sa->out), max = longest(sa), room, total;

	room = max > overhead + TEXT_LEAST ? max - overhead : TEXT_LEAST;
	total = (text.len + room - 1) / room;
	if (total > IKE_FRAGMENTS_MAX)
		return ike_fail(err, "message: %zu fragments where %d are the most", total,
				IKE_FRAGMENTS_MAX);
	ike_writer_init(&o->w, o->buf, sizeof(o->buf));
	for (size_t i = 0; i < total; i++) {
		size_t len = text.len < room ? text.len : room;

		if (!put_fragment(&o->w, sa, h, first, ike_bytes(text.p, len), i + 1, total, err))
			return false;
		text = ike_bytes(text.p + len, text.len - len);
	}
	return true;
}

bool ike_fragment(struct ike_outgoing *o, struct ike_sa *sa, struct ike_error *err)
{
	size_t text_at = o->mark + IKE_GENERIC_LEN + sa->out.cipher.iv_len, len;
	uint8_t first = o->buf[o->mark], *text;
	struct ike_header h;
	bool ok;

	if (!ike_message_end(&o->w) || !ike_header_decode(ike_written(&o->w), &h, err))
		return ike_fail(err, "message: longer than the %zu bytes there are", o->w.cap);
	len = o->w.len - text_at;
	text = malloc(len ? len : 1);
	if (!text)
		return ike_fail(err, "out of memory");
	memcpy(text, o->buf + text_at, len);
	ok = put_flight(o, sa, &h, first, ike_bytes(text, len), err);
	ike_wipe(text, len);
	free(text);
	return ok;
}

struct ike_bytes ike_flight_next(struct ike_bytes *flight)
{
	struct ike_cursor c = ike_cursor(*flight);
	size_t len;

	ike_get(&c, LENGTH_AT);
	len = ike_get32(&c);
	if (c.bad || len < IKE_HEADER_LEN || len > flight->len)
		len = flight->len;
	*flight = ike_bytes(flight->p + len, flight->len - len);
	return ike_bytes(flight->p - len, len);
}
