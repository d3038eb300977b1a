// SPDX-License-Identifier: MIT
/*
 * Post-quantum pre-shared keys (RFC 8784): used when both ends have it, done without where that is
 * allowed, and refused with a reason where it is not. With several rounds of authentication:
 * engine_rounds_test.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ikev2/child.h"
#include "ikev2/crypto/legacy.h"
#include "ikev2/ppk.h"
#include "tests/eap_pair.h"
#include "tests/pki.h"
#include "tests/world.h"

static struct ike_conn_cfg *conn(struct world *w, unsigned int end)
{
	return &w->end[end].config->conns[0];
}

static struct world *signing_world(void)
{
	static const char *const subjects[] = {"CN=a", "CN=b"};
	static const char *const names[] = {"DNS:a.example.org", "DNS:b.example.org"};
	struct pki ca = pki_ca("CN=CA", NULL);
	struct world *w = world_new();

	w->utc = PKI_NOW;
	for (unsigned int i = 0; i < 2; i++) {
		struct pki own = pki_end(&ca, subjects[i], names[i], "P-256");

		conn(w, i)->local.method = IKE_AUTH_CFG_PUBKEY;
		conn(w, i)->remote.method = IKE_AUTH_CFG_PUBKEY;
		pki_add_cert(&conn(w, i)->local.certs, &own);
		pki_add_key(&w->end[i].config->keys, &own);
		pki_add_cert(&w->end[i].config->anchors, &ca);
		pki_free(&own);
	}
	pki_free(&ca);
	return w;
}

/* The initiator proves itself by EAP: by a password, or by a certificate. */
static struct world *eap_world(bool tls)
{
	struct world *w = signing_world();

	conn(w, 0)->local.method = IKE_AUTH_CFG_EAP;
	conn(w, 0)->local.eap_id = strdup(tls ? "a.example.org" : "carol");
	conn(w, 1)->remote.method = IKE_AUTH_CFG_EAP;
	conn(w, 1)->remote.eap_id = strdup("%any");
	conn(w, 1)->remote.eap_type = tls ? IKE_EAP_TLS : IKE_EAP_MSCHAPV2;
	for (unsigned int i = 0; i < 2; i++) {
		w->end[i].config->legacy = ike_legacy_new(NULL);
		eap_add_secret(w->end[i].config, "carol", "Ar3etTnp");
	}
	return w;
}

/* The same story by each of them. */
enum way {
	BY_KEY,
	BY_SIGNATURE,
	BY_PASSWORD,
	BY_TLS,
	WAYS
};

static struct world *begin(enum way way)
{
	switch (way) {
	case BY_KEY:
		return world_new();
	case BY_SIGNATURE:
		return signing_world();
	default:
		return eap_world(way == BY_TLS);
	}
}

/* How many messages it takes without any PPK. */
static size_t messages(enum way way)
{
	static size_t counts[WAYS];
	struct world *w;

	if (counts[way])
		return counts[way];
	w = begin(way);
	world_start(w);
	world_up(w);
	counts[way] = w->n_sent;
	world_free(w);
	return counts[way];
}

static void comes_up(struct world *w, enum way way, bool with)
{
	world_start(w);
	world_up(w);
	for (unsigned int i = 0; i < 2; i++) {
		assert_int_equal(world_count_ike(w, i, "ESTABLISHED"), 1);
		assert_int_equal(world_logged(&w->end[i], ", with PPK"), with);
		assert_int_equal(world_sa(w, i)->has_ppk, with);
	}
	assert_int_equal(w->n_sent, messages(way));
	assert_memory_equal(&world_sa(w, 0)->keys, &world_sa(w, 1)->keys, sizeof(struct ike_keys));
}

static void refused(struct world *w, unsigned int who, const char *why)
{
	world_start(w);
	world_initiate(w, "net");
	world_pass(w, 300 * IKE_SECOND);
	for (unsigned int i = 0; i < 2; i++) {
		assert_int_equal(world_count_ike(w, i, NULL), 0);
		assert_int_equal(world_count_sas(&w->end[i]), 0);
	}
	if (!world_logged(&w->end[who], why))
		fail_msg("end %u does not say \"%s\" but:\n%s", who, why, w->end[who].log);
	world_free(w);
}

static void test_both_have_it(void **state)
{
	for (unsigned int i = 0; i < 2 * WAYS; i++) {
		struct world *w = begin(i % WAYS);
		struct ike_match match = {.conn = "site"};
		const char *why;

		world_give_ppk(w, 0, "ppk-1", "sixteen bytes or more");
		world_give_ppk(w, 1, "another", "this is not the one");
		world_give_ppk(w, 1, "ppk-1", "sixteen bytes or more");
		world_use_ppk(w, 0, "ppk-1", i / WAYS);
		conn(w, 1)->ppk_required = i / WAYS;
		comes_up(w, i % WAYS, true);
		/* What comes from it has it. */
		assert_int_not_equal(ike_engine_rekey(w->end[1].engine, w->now, &match, &why), 0);
		world_run(w);
		world_pass(w, 10 * IKE_SECOND);
		for (unsigned int end = 0; end < 2; end++) {
			assert_int_equal(w->end[end].events[IKE_EVENT_IKE_REKEYED], 1);
			assert_true(world_sa(w, end)->has_ppk);
		}
		assert_true(world_connected(w));
		world_free(w);
	}
}

/* With everything else the same, the keys are others. */
static void test_keys_differ(void **state)
{
	uint8_t keys[2][64];

	for (unsigned int i = 0; i < 2; i++) {
		struct world *w = world_new();

		for (unsigned int end = 0; end < 2; end++)
			world_give_ppk(w, end, "ppk-1", i ? "one key of that name" : "some other key of it");
		world_use_ppk(w, 0, "ppk-1", true);
		comes_up(w, BY_KEY, true);
		memcpy(keys[i], w->end[0].sas[0].key, sizeof(keys[i]));
		world_free(w);
	}
	assert_memory_not_equal(keys[0], keys[1], 20);
}

/* Section 3, the table: one end has none, or not that one, and neither insists. */
static void test_without(void **state)
{
	for (unsigned int i = 0; i < WAYS; i++) {
		struct world *w = begin(i);

		/* The responder knows the extension, but not this PPK: NO_PPK_AUTH. */
		world_give_ppk(w, 0, "ppk-1", "sixteen bytes or more");
		world_give_ppk(w, 1, "another", "this is not the one");
		world_use_ppk(w, 0, "ppk-1", false);
		comes_up(w, i, false);
		assert_true(world_logged(&w->end[1], "not known here: going on without"));
		assert_true(world_logged(&w->end[0], "does not have the PPK: going on without"));
		world_free(w);
		/* It does not know the extension. */
		w = begin(i);
		world_give_ppk(w, 0, "ppk-1", "sixteen bytes or more");
		world_use_ppk(w, 0, "ppk-1", false);
		comes_up(w, i, false);
		world_free(w);
		/* The initiator does not ask for one. */
		w = begin(i);
		world_give_ppk(w, 1, "ppk-1", "sixteen bytes or more");
		comes_up(w, i, false);
		world_free(w);
	}
}

static void test_required(void **state)
{
	for (unsigned int i = 0; i < WAYS; i++) {
		struct world *w = begin(i);

		world_give_ppk(w, 0, "ppk-1", "sixteen bytes or more");
		world_use_ppk(w, 0, "ppk-1", true);
		refused(w, 0, "the peer knows no PPKs (USE_PPK), and ppk_required = yes");
		w = begin(i);
		world_give_ppk(w, 0, "ppk-1", "sixteen bytes or more");
		world_give_ppk(w, 1, "another", "this is not the one");
		world_use_ppk(w, 0, "ppk-1", true);
		refused(w, 1, "AUTHENTICATION_FAILED: the PPK that the peer names is not known here "
			      "(secrets.ppk, ppk_id)");
		w = begin(i);
		world_give_ppk(w, 1, "ppk-1", "sixteen bytes or more");
		conn(w, 1)->ppk_required = true;
		refused(w, 1, "AUTHENTICATION_FAILED: the peer uses no PPK, and ppk_required = yes");
		/* It has another name there, or is not the connection's. */
		w = begin(i);
		world_give_ppk(w, 0, "ppk-1", "sixteen bytes or more");
		world_give_ppk(w, 1, "ppk-1", "sixteen bytes or more");
		world_give_ppk(w, 1, "another", "this is not the one");
		world_use_ppk(w, 0, "ppk-1", false);
		world_use_ppk(w, 1, "another", true);
		refused(w, 1, "AUTHENTICATION_FAILED: the PPK that the peer names is not known here");
	}
}

/* Of the same name, but not the same: no proof without it helps. */
static void test_wrong_key(void **state)
{
	static const char *const why[WAYS] = {
		[BY_KEY] = "AUTHENTICATION_FAILED: the pre-shared key of peer a.example.org is not "
			   "ours",
		[BY_SIGNATURE] = "AUTHENTICATION_FAILED: peer a.example.org: its signature by "
				 "ecdsa-sha256 does not fit its ECDSA-P-256 key",
		[BY_PASSWORD] = "AUTHENTICATION_FAILED: the proof of peer a.example.org after EAP "
				"(PSK) is not by the key that EAP has made and our PPK",
		[BY_TLS] = "AUTHENTICATION_FAILED: the proof of peer a.example.org after EAP (PSK) "
			   "is not by the key that EAP has made and our PPK",
	};

	for (unsigned int i = 0; i < WAYS; i++) {
		struct world *w = begin(i);

		world_give_ppk(w, 0, "ppk-1", "sixteen bytes or more");
		world_give_ppk(w, 1, "ppk-1", "sixteen bytes or less");
		world_use_ppk(w, 0, "ppk-1", false);
		refused(w, 1, why[i]);
	}
}

/*
 * Section 3: with EAP it is named beside the first AUTH of the initiator, behind EAP; what was proven
 * before, by the responder, was proven without. Messages: 0, 1 INIT; 2 to 9 EAP; 10, 11 AUTH.
 */
static bool watch(struct world *w, struct world_message *m)
{
	size_t n = w->delivered - 1;

	for (unsigned int end = 0; n >= 2 && n <= 10 && end < 2; end++) {
		const struct ike_sa *sa = world_sa(w, end);

		assert_true(sa->use_ppk);
		assert_int_equal(sa->ppk && sa->ppk->mixed, !end && n == 10);
	}
	return true;
}

static void test_not_before_eap_ends(void **state)
{
	struct world *w = eap_world(false);

	for (unsigned int end = 0; end < 2; end++)
		world_give_ppk(w, end, "ppk-1", "sixteen bytes or more");
	world_use_ppk(w, 0, "ppk-1", true);
	conn(w, 1)->ppk_required = true;
	w->wire = watch;
	comes_up(w, BY_PASSWORD, true);
	assert_int_equal(w->n_sent, 12);
	world_free(w);
}

/* Somebody between the ends makes it look as if one did not know of them. */
static bool strip(struct world *w, struct world_message *m)
{
	static const uint8_t notify[] = {0, 0, IKE_NOTIFY_USE_PPK >> 8, IKE_NOTIFY_USE_PPK & 0xff};
	uint8_t *at = memmem(m->bytes, m->len, notify, sizeof(notify));

	if (at)
		at[2] = 0xa0;
	return true;
}

static void test_downgrade(void **state)
{
	for (unsigned int i = 0; i < WAYS; i++) {
		struct world *w = begin(i);

		for (unsigned int end = 0; end < 2; end++)
			world_give_ppk(w, end, "ppk-1", "sixteen bytes or more");
		world_use_ppk(w, 0, "ppk-1", false);
		w->wire = strip;
		refused(w, 1, "AUTHENTICATION_FAILED");
	}
}

/* Both this and additional key exchanges, and signatures over all of it. */
static void test_with_addke(void **state)
{
	for (unsigned int i = 0; i < WAYS; i++) {
		struct world *w = begin(i);

		for (unsigned int end = 0; end < 2; end++) {
			ike_proposal_list_clear(&conn(w, end)->proposals);
			assert_true(ike_proposal_list_parse(&conn(w, end)->proposals, IKE_PROTO_IKE,
							    "aes256gcm16-prfsha384-x25519-ke1_x448",
							    NULL));
			world_give_ppk(w, end, "ppk-1", "sixteen bytes or more");
		}
		world_use_ppk(w, 0, "ppk-1", false);
		world_start(w);
		world_up(w);
		for (unsigned int end = 0; end < 2; end++)
			assert_true(world_logged(&w->end[end], "x25519-ke1_x448, with PPK"));
		world_free(w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both_have_it), cmocka_unit_test(test_keys_differ),
		cmocka_unit_test(test_without),	     cmocka_unit_test(test_required),
		cmocka_unit_test(test_wrong_key),    cmocka_unit_test(test_downgrade),
		cmocka_unit_test(test_with_addke),   cmocka_unit_test(test_not_before_eap_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
