// SPDX-License-Identifier: MIT
/*
 * The invariants.
 *
 *  - keys: no key is installed twice; both ends of an SPI hold the same one
 *  - make before break: an outbound policy changes to a new SA only when the peer can receive on it
 *  - traffic: what is sent over an SA finds it at the other end, as long as nothing was deleted on
 * purpose
 *  - window: one request at a time, whole or in fragments; a retransmission is the same to the
 * byte
 *  - addresses inside: at rest as many as were asked for
 *  - mode: at rest the one that is configured
 *  - rest: when all is quiet there is exactly one CHILD_SA for each tunnel, no SA, policy or SPI
 * besides, and it works both ways
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "ikev2/engine.h"
#include "ikev2/wire/decode.h"
#include "sim/sim.h"

void sim_fail(struct sim *s, const char *fmt, ...)
{
	va_list args;

	if (s->failure[0])
		return;
	va_start(args, fmt);
	vsnprintf(s->failure, sizeof(s->failure), fmt, args);
	va_end(args);
}

/* FNV-1a, 64 bits. */
uint64_t sim_hash(const void *p, size_t len)
{
	const uint8_t *bytes = p;
	uint64_t hash = 0xcbf29ce484222325;

	while (len--)
		hash = (hash ^ *bytes++) * 0x100000001b3;
	return hash;
}

void sim_check_new_key(struct sim_node *n, const struct sim_sa *sa)
{
	uint64_t hash = sim_hash(sa->key, sa->key_len);
	struct sim *s = n->sim;

	for (size_t i = 0; i < s->n_keys; i++)
		if (s->keys[i] == hash)
			sim_fail(s, "node %u: SPI %08x has a key that was used before", n->index,
				 sa->spi);
	if (s->n_keys < SIM_KEYS)
		s->keys[s->n_keys++] = hash;
	else
		sim_fail(s, "more than %d SAs in one run", SIM_KEYS);
}

void sim_check_swap(struct sim_node *n, const struct sim_sa *old, const struct sim_sa *sa)
{
	struct sim_node *peer = sim_node_at(n->sim, &sa->dst.addr);

	/*
	 * Without an SA before, or one that the peer never came to have, there is nothing to lose;
	 * after a crash the peer's may be gone.
	 */
	if (!old || !sim_plane_by_spi(peer, old->spi) || n->sim->disturbed)
		return;
	if (!sim_plane_by_spi(peer, sa->spi))
		sim_fail(n->sim, "node %u: sends on SPI %08x before the peer can receive", n->index,
			 sa->spi);
}

static struct sim_requests *requests_of(struct sim_node *n, uint64_t spi_i, bool by_initiator)
{
	struct sim_requests *r;

	for (size_t i = 0; i < n->n_requests; i++)
		if (n->requests[i].spi_i == spi_i && n->requests[i].by_initiator == by_initiator)
			return &n->requests[i];
	if (n->n_requests == SIM_IDS)
		return NULL;
	r = &n->requests[n->n_requests++];
	*r = (struct sim_requests){.spi_i = spi_i, .by_initiator = by_initiator};
	return r;
}

/*
 * IKE_SA_INIT may be sent again with a cookie or another key exchange under the same ID
 * (section 2.6).
 */
static bool may_change(const struct ike_header *h)
{
	return h->exchange == IKE_EXCHANGE_SA_INIT;
}

/* Which fragment of how many (RFC 7383 section 2.5); a whole message is 0 of 1. */
static unsigned int fragment_of(const uint8_t *message, size_t len, const struct ike_header *h,
				unsigned int *total)
{
	struct ike_bytes body = ike_bytes(message + IKE_HEADER_LEN + IKE_GENERIC_LEN,
					  len - IKE_HEADER_LEN - IKE_GENERIC_LEN);
	struct ike_wire_skf skf;

	*total = 1;
	if (h->next != IKE_PAYLOAD_SKF || !ike_skf_decode(body, &skf, NULL) ||
	    skf.total > SIM_FRAGMENTS)
		return 0;
	*total = skf.total;
	return skf.number - 1;
}

static void begin_request(struct sim_node *from, struct sim_requests *r, const struct ike_header *h)
{
	if (r->any && !r->answered)
		sim_fail(from->sim, "node %u: request %u before %u was answered", from->index,
			 h->message_id, r->last);
	r->any = true;
	r->answered = false;
	r->last = h->message_id;
	r->got = 0;
	memset(r->len, 0, sizeof(r->len));
}

void sim_check_sent(struct sim_node *from, const uint8_t *message, size_t len)
{
	struct sim_requests *r;
	struct ike_header h;
	unsigned int at, total;

	if (!ike_header_decode(ike_bytes(message, len), &h, NULL)) {
		sim_fail(from->sim, "node %u: sends what is no IKE message", from->index);
		return;
	}
	at = fragment_of(message, len, &h, &total);
	from->sim->fragments += total > 1;
	if (h.flags & IKE_FLAG_RESPONSE)
		return;
	r = requests_of(from, h.spi_i, h.flags & IKE_FLAG_INITIATOR);
	if (!r)
		return;
	if (!r->any || h.message_id == r->last + 1)
		begin_request(from, r, &h);
	else if (h.message_id != r->last)
		sim_fail(from->sim, "node %u: request %u after %u", from->index, h.message_id,
			 r->last);
	else if (!may_change(&h) && r->len[at] &&
		 (r->len[at] != len || r->hash[at] != sim_hash(message, len)))
		sim_fail(from->sim, "node %u: request %u sent again with other bytes", from->index,
			 h.message_id);
	r->len[at] = len;
	r->hash[at] = sim_hash(message, len);
}

void sim_check_received(struct sim_node *to, const uint8_t *message, size_t len)
{
	struct sim_requests *r;
	struct ike_header h;
	unsigned int at, total;

	if (!ike_header_decode(ike_bytes(message, len), &h, NULL) || !(h.flags & IKE_FLAG_RESPONSE))
		return;
	at = fragment_of(message, len, &h, &total);
	r = requests_of(to, h.spi_i, !(h.flags & IKE_FLAG_INITIATOR));
	if (!r || !r->any || r->last != h.message_id)
		return;
	r->got |= 1ull << at;
	if (r->got == (total == SIM_FRAGMENTS ? UINT64_MAX : (1ull << total) - 1))
		r->answered = true;
}

struct census {
	unsigned int ike, ike_up, children, installed;
	char buf[SIM_TEXT];
	struct ike_text text;
};

static void count(void *arg, const struct ike_sa_info *info)
{
	struct census *c = arg;

	c->ike++;
	c->ike_up += !strcmp(info->state, "ESTABLISHED");
	for (size_t i = 0; i < info->n_children; i++) {
		c->children++;
		c->installed += !strcmp(info->children[i].state, "INSTALLED");
	}
	ike_text_add(&c->text, " %s(", info->state);
	for (size_t i = 0; i < info->n_children; i++)
		ike_text_add(&c->text, "%s%s{%llu}", i ? " " : "", info->children[i].state,
			     (unsigned long long)info->children[i].id);
	ike_text_add(&c->text, ")");
}

void sim_show(struct sim *s)
{
	for (unsigned int i = 0; i < s->n_nodes; i++) {
		struct census c = {0};

		ike_text_init(&c.text, c.buf, sizeof(c.buf));
		ike_engine_foreach_sa(s->nodes[i].engine, s->clock.now, count, &c);
		printf("# %10.6f %c has%s\n", s->clock.now / 1e6, 'a' + i, c.buf);
	}
}

/* How many CHILD_SAs there are. */
static unsigned int check_census(struct sim *s, const struct sim_node *n)
{
	unsigned int want = sim_degree(s, n->index);
	struct census c = {0};

	ike_text_init(&c.text, c.buf, sizeof(c.buf));
	ike_engine_foreach_sa(n->engine, s->clock.now, count, &c);
	if (c.ike != want || c.ike_up != want || c.children < want * s->children_least ||
	    c.children > want * s->children_most || c.installed != c.children)
		sim_fail(s, "at rest node %u has not one IKE SA with %u to %u CHILD_SAs for each of "
			 "its %u tunnels, but:%s", n->index, s->children_least, s->children_most,
			 want, c.buf);
	return c.children;
}

/* The address is set up once at end 0, and end 1 has one lease held by one IKE SA. */
static void check_vips(struct sim *s, const struct sim_node *n)
{
	unsigned int want = s->conditions.vips && !n->index, held = 0;
	const struct ike_lease *lease;

	if (n->vips != want)
		sim_fail(s, "at rest node %u has %u addresses of its peer's", n->index, n->vips);
	TAILQ_FOREACH(lease, &n->engine->leases.held, link)
		held += lease->users;
	if (held != (s->conditions.vips && n->index))
		sim_fail(s, "at rest node %u has given %u addresses", n->index, held);
}

static void check_plane(struct sim *s, struct sim_node *n, unsigned int want)
{
	unsigned int in = 0, out = 0, policies_in = 0, policies_out = 0, spis = 0;

	for (size_t i = 0; i < SIM_SAS; i++) {
		in += n->sas[i].id && n->sas[i].inbound;
		out += n->sas[i].id && !n->sas[i].inbound;
		spis += n->spis[i] != 0;
	}
	for (size_t i = 0; i < SIM_POLICIES; i++) {
		policies_in += n->policies[i].id && n->policies[i].inbound;
		policies_out += n->policies[i].id && !n->policies[i].inbound;
	}
	if (in != want || out != want || policies_in != want || policies_out != want || spis)
		sim_fail(s,
			 "at rest node %u has %u inbound and %u outbound SAs, %u and %u policies, "
			 "%u reserved SPIs",
			 n->index, in, out, policies_in, policies_out, spis);
}

static bool is_between(const struct sim_sa *sa, const struct sim_node *from,
		       const struct sim_node *to)
{
	struct ike_addr src = sim_address(from), dst = sim_address(to);

	return ike_addr_equal(&sa->src.addr, &src) && ike_addr_equal(&sa->dst.addr, &dst);
}

/* Does the other end of @sa have it, as the conditions want it? */
static bool is_good(struct sim *s, const struct sim_sa *sa, struct sim_node *from,
		    struct sim_node *to)
{
	const struct sim_sa *other = sim_plane_by_spi(to, sa->spi);

	return other && other->key_len == sa->key_len &&
	       !memcmp(other->key, sa->key, sa->key_len) && is_between(sa, from, to) &&
	       sa->transport == s->conditions.transport && other->transport == sa->transport &&
	       is_between(other, from, to);
}

static void check_pair(struct sim *s, struct sim_node *from, struct sim_node *to)
{
	unsigned int good = 0;

	/* Each CHILD_SA, with other selectors, has a policy of its own. */
	for (size_t i = 0; i < SIM_POLICIES; i++) {
		const struct sim_policy *p = &from->policies[i];
		const struct sim_sa *sa = NULL;

		if (p->id && !p->inbound)
			sa = sim_plane_by_id(from, p->sa_id);
		good += sa && is_good(s, sa, from, to);
	}
	if (good < s->children_least || good > s->children_most)
		sim_fail(s, "at rest node %u reaches node %u by %u policies", from->index,
			 to->index, good);
}

void sim_check_rest(struct sim *s)
{
	for (unsigned int i = 0; i < s->n_nodes; i++) {
		check_plane(s, &s->nodes[i], check_census(s, &s->nodes[i]));
		check_vips(s, &s->nodes[i]);
		for (unsigned int k = 0; k < s->n_nodes; k++)
			if (sim_linked(s, i, k))
				check_pair(s, &s->nodes[i], &s->nodes[k]);
	}
}
