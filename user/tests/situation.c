// SPDX-License-Identifier: MIT
/* Every state that an IKE SA can be in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ikev2/crypto/legacy.h"
#include "tests/eap_pair.h"
#include "tests/pki.h"
#include "tests/situation.h"

enum {
	/* Messages that arrive before the wire is cut. */
	NO_MESSAGE = 0,
	INIT_DONE = 2,
	EAP_BEGUN = 4,
	EAP_DONE = 10,
	ROUND_DONE = 4,
	REKEY_DONE = 2,
	ALL_MESSAGES = 1000,
};

static size_t arriving;

static bool some_arrive(struct world *w, struct world_message *m)
{
	return w->delivered <= arriving;
}

static void let_arrive(struct world *w, size_t n)
{
	arriving = w->n_sent + n;
	w->wire = some_arrive;
}

static struct ike_conn_cfg *conn(struct world *w, unsigned int end)
{
	return &w->end[end].config->conns[0];
}

static void propose(struct ike_proposal_list *list, uint8_t protocol, const char *text)
{
	ike_proposal_list_clear(list);
	assert_true(ike_proposal_list_parse(list, protocol, text, NULL));
}

static struct world *world_with(const char *ike, const char *esp, size_t n)
{
	struct world *w = world_new();

	for (unsigned int i = 0; i < 2; i++) {
		propose(&conn(w, i)->proposals, IKE_PROTO_IKE, ike);
		propose(&conn(w, i)->children[0].proposals, IKE_PROTO_ESP, esp);
	}
	world_start(w);
	let_arrive(w, n);
	world_initiate(w, "net");
	return w;
}

static struct world *psk_world(size_t n)
{
	return world_with("aes128gcm16-prfsha256-x25519", "aes128gcm16", n);
}

/* A user with a password, a server with a raw public key. */
static struct world *eap_world(size_t n)
{
	struct world *w = world_new();
	struct pki server = pki_ca("CN=b", NULL);

	for (unsigned int i = 0; i < 2; i++) {
		w->end[i].config->legacy = ike_legacy_new(NULL);
		eap_add_secret(w->end[i].config, "carol", "Ar3etTnp");
	}
	conn(w, 0)->local.method = IKE_AUTH_CFG_EAP;
	conn(w, 0)->local.eap_id = strdup("carol");
	conn(w, 0)->remote.method = IKE_AUTH_CFG_PUBKEY;
	pki_add_key(&conn(w, 0)->remote.pubkeys, &server);
	conn(w, 1)->local.method = IKE_AUTH_CFG_PUBKEY;
	pki_add_key(&conn(w, 1)->local.pubkeys, &server);
	pki_add_key(&w->end[1].config->keys, &server);
	conn(w, 1)->remote.method = IKE_AUTH_CFG_EAP;
	conn(w, 1)->remote.eap_id = strdup("%any");
	pki_free(&server);
	world_start(w);
	let_arrive(w, n);
	world_initiate(w, "net");
	return w;
}

static const struct ike_match all_ike = {.conn = "site"};
static const struct ike_match all_children = {.conn = "site", .children = true};

static struct world *none(const struct situation *s)
{
	struct world *w = world_new();

	world_start(w);
	return w;
}

static struct world *init_sent(const struct situation *s)
{
	return psk_world(NO_MESSAGE);
}

static struct world *init_done(const struct situation *s)
{
	return psk_world(INIT_DONE);
}

static struct world *init_done_addke(const struct situation *s)
{
	return world_with("aes128gcm16-prfsha256-ecp256-ke1_x25519", "aes128gcm16", INIT_DONE);
}

static struct world *eap_begun(const struct situation *s)
{
	return eap_world(EAP_BEGUN);
}

static struct world *eap_done(const struct situation *s)
{
	return eap_world(EAP_DONE);
}

static void add_round(struct ike_auth_more *more, const char *id)
{
	more->list = calloc(1, sizeof(*more->list));
	more->n = 1;
	more->list->method = IKE_AUTH_CFG_PSK;
	assert_true(ike_id_parse(id, &more->list->id, NULL));
}

/* RFC 4739: both ends have another key to prove themselves with. */
static struct world *round_done(const struct situation *s)
{
	struct world *w = world_new();

	for (unsigned int i = 0; i < 2; i++) {
		add_round(&conn(w, i)->local_more, i ? "b.example.org" : "a.example.org");
		add_round(&conn(w, i)->remote_more, i ? "a.example.org" : "b.example.org");
	}
	world_start(w);
	let_arrive(w, ROUND_DONE);
	world_initiate(w, "net");
	return w;
}

static struct world *established(const struct situation *s)
{
	struct world *w = psk_world(ALL_MESSAGES);

	assert_true(world_connected(w));
	return w;
}

static struct world *rekeys_in(struct world *w, const struct situation *s,
			       const struct ike_match *what, size_t n)
{
	const char *why;

	let_arrive(w, n);
	assert_int_not_equal(ike_engine_rekey(w->end[s->end].engine, w->now, what, &why), 0);
	world_run(w);
	return w;
}

static struct world *rekeys(const struct situation *s, const struct ike_match *what, size_t n)
{
	return rekeys_in(established(s), s, what, n);
}

/* CREATE_CHILD_SA is done, IKE_FOLLOWUP_KE is not. */
static struct world *follows_up(const struct situation *s)
{
	struct world *w = world_with("aes128gcm16-prfsha256-x25519",
				     "aes128gcm16-ecp256-ke1_x25519", ALL_MESSAGES);

	assert_true(world_connected(w));
	return rekeys_in(w, s, &all_children, REKEY_DONE);
}

static struct world *rekeys_child(const struct situation *s)
{
	return rekeys(s, &all_children, NO_MESSAGE);
}

static struct world *rekeys_ike(const struct situation *s)
{
	return rekeys(s, &all_ike, NO_MESSAGE);
}

/* The other end has rekeyed it, and its DELETE has not come. */
static struct world *rekeyed(const struct situation *s)
{
	struct situation other = *s;

	other.end = !s->end;
	return rekeys(&other, &all_ike, REKEY_DONE);
}

static struct world *terminates(const struct situation *s, unsigned int end,
				const struct ike_match *what, size_t n)
{
	struct world *w = established(s);
	const char *why;

	let_arrive(w, n);
	assert_int_not_equal(ike_engine_terminate(w->end[end].engine, w->now, what, &why), 0);
	world_run(w);
	return w;
}

static struct world *deletes_child(const struct situation *s)
{
	return terminates(s, s->end, &all_children, NO_MESSAGE);
}

static struct world *deleting(const struct situation *s)
{
	return terminates(s, s->end, &all_ike, NO_MESSAGE);
}

static struct world *closed(const struct situation *s)
{
	return terminates(s, !s->end, &all_ike, ALL_MESSAGES);
}

#define CREATE IKE_EXCHANGE_CREATE_CHILD_SA
#define INFORMATIONAL IKE_EXCHANGE_INFORMATIONAL

const struct situation situations[] = {
	{ "no IKE SA", IKE_SA_NONE, 1, 0, none },
	{ "IKE_SA_INIT sent", IKE_SA_INIT_SENT, 0, IKE_EXCHANGE_SA_INIT, init_sent },
	{ "IKE_SA_INIT answered", IKE_SA_INIT_GOT, 1, 0, init_done },
	{ "IKE_INTERMEDIATE sent", IKE_SA_ADDKE_SENT, 0, IKE_EXCHANGE_INTERMEDIATE,
	  init_done_addke },
	{ "IKE_INTERMEDIATE to come", IKE_SA_ADDKE_GOT, 1, 0, init_done_addke },
	{ "IKE_AUTH sent", IKE_SA_AUTH_SENT, 0, IKE_EXCHANGE_AUTH, init_done },
	{ "client in EAP", IKE_SA_EAP_SENT, 0, IKE_EXCHANGE_AUTH, eap_begun },
	{ "server in EAP", IKE_SA_EAP_GOT, 1, 0, eap_begun },
	{ "client after EAP", IKE_SA_EAP_PROVING, 0, IKE_EXCHANGE_AUTH, eap_done },
	{ "server after EAP", IKE_SA_EAP_PROVEN, 1, 0, eap_done },
	{ "initiator between rounds", IKE_SA_ROUND_SENT, 0, IKE_EXCHANGE_AUTH, round_done },
	{ "responder between rounds", IKE_SA_ROUND_DUE, 1, 0, round_done },
	{ "initiator", IKE_SA_ESTABLISHED, 0, 0, established },
	{ "responder", IKE_SA_ESTABLISHED, 1, 0, established },
	{ "initiator rekeys a CHILD_SA", IKE_SA_ESTABLISHED, 0, CREATE, rekeys_child },
	{ "responder rekeys a CHILD_SA", IKE_SA_ESTABLISHED, 1, CREATE, rekeys_child },
	{ "initiator follows up", IKE_SA_ESTABLISHED, 0, IKE_EXCHANGE_FOLLOWUP_KE, follows_up },
	{ "responder follows up", IKE_SA_ESTABLISHED, 1, IKE_EXCHANGE_FOLLOWUP_KE, follows_up },
	{ "initiator rekeys the IKE SA", IKE_SA_ESTABLISHED, 0, CREATE, rekeys_ike },
	{ "responder rekeys the IKE SA", IKE_SA_ESTABLISHED, 1, CREATE, rekeys_ike },
	{ "initiator deletes a CHILD_SA", IKE_SA_ESTABLISHED, 0, INFORMATIONAL, deletes_child },
	{ "responder deletes a CHILD_SA", IKE_SA_ESTABLISHED, 1, INFORMATIONAL, deletes_child },
	{ "initiator, rekeyed", IKE_SA_REKEYED, 0, 0, rekeyed },
	{ "responder, rekeyed", IKE_SA_REKEYED, 1, 0, rekeyed },
	{ "initiator deletes the IKE SA", IKE_SA_DELETING, 0, INFORMATIONAL, deleting },
	{ "responder deletes the IKE SA", IKE_SA_DELETING, 1, INFORMATIONAL, deleting },
	{ "initiator, closed", IKE_SA_CLOSED, 0, 0, closed },
	{ "responder, closed", IKE_SA_CLOSED, 1, 0, closed },
	{ NULL },
};

struct ike_sa *situation_sa(struct world *w, const struct situation *s)
{
	struct ike_sa *sa;

	TAILQ_FOREACH(sa, &w->end[s->end].engine->sas, link)
		if (sa->state == s->state)
			return sa;
	return NULL;
}

struct world *situation_world(const struct situation *s)
{
	struct world *w = s->make(s);

	let_arrive(w, NO_MESSAGE);
	if (!situation_sa(w, s) != (s->state == IKE_SA_NONE))
		fail_msg("\"%s\" is not reached", s->name);
	return w;
}
