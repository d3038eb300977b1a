// SPDX-License-Identifier: MIT
/* What a daemon does with decoded payloads, shared by the fuzz targets of messages. */
#include "fuzz/interpret.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ikev2/cookie.h"
#include "ikev2/id.h"
#include "ikev2/nat.h"
#include "ikev2/proposal.h"

enum {
	TEXT = 4096,
	MESSAGE = 1 << 18,
	BODY_AT = IKE_HEADER_LEN + IKE_GENERIC_LEN,
};

void claim_failed(const char *claim, const char *file, int line)
{
	fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, claim);
	abort();
}

/* A refusal has a text; what it says about notify and payload is the peer's business. */
static void refused(const struct ike_error *err)
{
	claim(err->text[0] && strlen(err->text) < sizeof(err->text));
}

static struct ike_writer begin(void)
{
	static uint8_t buf[MESSAGE];
	struct ike_header h = {0};
	struct ike_writer w;

	ike_writer_init(&w, buf, sizeof(buf));
	ike_message_begin(&w, &h);
	return w;
}

/* The body of the one payload that @w holds. */
static struct ike_bytes end(struct ike_writer *w)
{
	claim(ike_message_end(w));
	return ike_bytes(w->buf + BODY_AT, w->len - BODY_AT);
}

static void same_again(const struct ike_proposal_list *list)
{
	static char one[TEXT], two[TEXT];
	struct ike_proposal_list again = {0};
	struct ike_writer w = begin();
	struct ike_error err;

	/* An SPI is written the same for all; protocols without a fixed size take any. */
	ike_put_proposals(&w, list, ike_bytes(list->items[0].spi, list->items[0].spi_len), false);
	if (!ike_proposal_list_decode(&again, end(&w), &err))
		return refused(&err);
	claim(strcmp(ike_proposal_list_text(list, one, sizeof(one)),
		     ike_proposal_list_text(&again, two, sizeof(two))) == 0);
	ike_proposal_list_clear(&again);
}

static void choose(const struct ike_proposal_list *ours, const struct ike_proposal_list *theirs,
		   const struct ike_select *how)
{
	static char text[TEXT];
	struct ike_proposal_list answer = {0};
	struct ike_suite suite, theirs_too;
	struct ike_writer w = begin();
	struct ike_error err = {0};

	if (!ike_proposal_select(ours, theirs, how, &suite)) {
		ike_proposal_explain(ours, theirs, how, text, sizeof(text));
		return;
	}
	ike_put_suite(&w, &suite, ike_bytes(suite.spi, suite.spi_len));
	claim(ike_proposal_list_decode(&answer, end(&w), &err));
	/* Who offered that must find our answer legal, if it numbered a lone proposal rightly. */
	if (suite.number >= 1 && suite.number <= theirs->n)
		claim(ike_proposal_verify(theirs, how->without_ke, &answer, &theirs_too, &err));
	ike_suite_text(&suite, text, sizeof(text));
	ike_proposal_list_clear(&answer);
}

static void use_sa(struct ike_bytes body)
{
	static struct ike_proposal_list ike, esp;
	struct ike_proposal_list theirs = {0};
	struct ike_error err = {0};

	if (!ike.n)
		claim(ike_proposal_list_parse(&ike, IKE_PROTO_IKE, "default", NULL) &&
		      ike_proposal_list_parse(&esp, IKE_PROTO_ESP, "default,aes128-sha256-x25519",
					      NULL));
	if (!ike_proposal_list_decode(&theirs, body, &err))
		return refused(&err);
	same_again(&theirs);
	choose(&ike, &theirs, &(struct ike_select){.ke = IKE_KE_ECP_256});
	choose(&ike, &theirs, &(struct ike_select){.peer_order = true});
	choose(&esp, &theirs, &(struct ike_select){.without_ke = true});
	choose(&esp, &theirs, &(struct ike_select){0});
	ike_proposal_list_clear(&theirs);
}

static void use_id(struct ike_bytes body)
{
	struct ike_wire_id wire;
	struct ike_error err = {0};
	struct ike_id id, again, pattern;
	char text[IKE_ID_TEXT_MAX];
	struct ike_writer w = begin();

	if (!ike_id_decode(body, &wire, &err) || !ike_id_from_wire(&id, &wire, &err))
		return refused(&err);
	ike_id_text(&id, text, sizeof(text));
	for (const char *c = text; *c; c++)
		claim(*c >= ' ' && *c <= '~');
	ike_put_identity(&w, IKE_PAYLOAD_IDI, &id, NULL);
	claim(ike_id_decode(end(&w), &wire, NULL) && ike_id_from_wire(&again, &wire, NULL));
	claim(ike_id_match(&id, &again) == IKE_ID_FIT_EXACT);
	claim(ike_id_parse("*a*b.example.org", &pattern, NULL));
	ike_id_match(&pattern, &id);
	ike_id_match(&id, &pattern);
}

static void use_ts(struct ike_bytes body)
{
	struct ike_ts list[IKE_TS_MAX], again[IKE_TS_MAX], out[IKE_TS_MAX], *ours;
	static char text[TEXT];
	struct ike_error err = {0};
	struct ike_writer w = begin();
	size_t n, m, n_ours;

	if (!ike_ts_decode(body, list, IKE_TS_MAX, &n, &err))
		return refused(&err);
	ike_ts_list_text(list, n, text, sizeof(text));
	if (!n)
		return;
	ike_put_ts_list(&w, IKE_PAYLOAD_TSI, list, n);
	claim(ike_ts_decode(end(&w), again, IKE_TS_MAX, &m, NULL) && m == n);
	for (size_t i = 0; i < n; i++)
		claim(ike_ts_equal(&list[i], &again[i]));
	claim(ike_ts_list_parse("10.1.0.0/16[tcp/22],10.3.0.0/16,::/0[udp]", &ours, &n_ours, NULL));
	m = ike_ts_narrow(ours, n_ours, list, n, out, IKE_TS_MAX);
	claim(!m || (ike_ts_subset(list, n, out, m) && ike_ts_subset(ours, n_ours, out, m)));
	free(ours);
}

static void use_notify(struct ike_bytes body)
{
	struct ike_addr a = {.family = AF_INET};
	struct ike_wire_notify n;

	claim(ike_notify_decode(body, &n, NULL));
	ike_notify_spi32(&n);
	ike_notify_name(n.type);
	claim(!ike_nat_matches(n.data, 1, 2, &a, 500) || n.data.len == IKE_NAT_HASH_LEN);
}

static void use_delete(struct ike_bytes body)
{
	struct ike_wire_delete d;

	claim(ike_delete_decode(body, &d, NULL));
	for (size_t i = 0; i <= d.count; i++)
		ike_delete_spi32(&d, i);
}

static void use(const struct ike_payload *p)
{
	struct ike_bytes nonce;
	struct ike_wire_ke ke;
	struct ike_wire_auth auth;

	switch (p->type) {
	case IKE_PAYLOAD_SA:
		return use_sa(p->body);
	case IKE_PAYLOAD_IDI:
	case IKE_PAYLOAD_IDR:
		return use_id(p->body);
	case IKE_PAYLOAD_TSI:
	case IKE_PAYLOAD_TSR:
		return use_ts(p->body);
	case IKE_PAYLOAD_NOTIFY:
		return use_notify(p->body);
	case IKE_PAYLOAD_DELETE:
		return use_delete(p->body);
	case IKE_PAYLOAD_KE:
		claim(ike_ke_decode(p->body, &ke, NULL) && ke.data.len);
		return;
	case IKE_PAYLOAD_AUTH:
		claim(ike_auth_decode(p->body, &auth, NULL) && auth.data.len);
		return;
	case IKE_PAYLOAD_NONCE:
		claim(ike_nonce_decode(p->body, &nonce, NULL) && nonce.len >= IKE_NONCE_MIN);
		return;
	default:
		claim(ike_payload_known(p->type));
	}
}

void interpret_chain(uint8_t first, struct ike_bytes chain)
{
	struct ike_error err = {0};
	struct ike_payloads all;

	if (!ike_payloads_decode(&all, first, chain, &err)) {
		claim(err.notify == IKE_NOTIFY_INVALID_SYNTAX ||
		      err.notify == IKE_NOTIFY_UNSUPPORTED_CRITICAL_PAYLOAD);
		return refused(&err);
	}
	claim(all.n <= IKE_PAYLOADS_MAX && !err.text[0]);
	for (size_t i = 0; i < all.n; i++) {
		claim(all.items[i].body.p >= chain.p &&
		      all.items[i].body.p + all.items[i].body.len <= chain.p + chain.len);
		use(&all.items[i]);
	}
}
