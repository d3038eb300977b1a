// SPDX-License-Identifier: MIT
/*
 * Errors that speak: for each way in which a tunnel does not come up, one line at the default level
 * says what is wrong with what, on which side, with both sides shown. The line must hold all of it:
 * who reads it has no other.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/world.h"

static struct ike_conn_cfg *conn(struct world *w, unsigned int end)
{
	return &w->end[end].config->conns[0];
}

static void set_proposals(struct ike_proposal_list *list, uint8_t protocol, const char *text)
{
	ike_proposal_list_clear(list);
	assert_true(ike_proposal_list_parse(list, protocol, text, NULL));
}

static void set_ts(struct ike_ts **list, size_t *n, const char *text)
{
	free(*list);
	*list = NULL;
	*n = 0;
	assert_true(ike_ts_list_parse(text, list, n, NULL));
}

static bool holds_all(const char *line, size_t len, const char *const *parts)
{
	for (; *parts; parts++)
		if (!memmem(line, len, *parts, strlen(*parts)))
			return false;
	return true;
}

/* One line of @end's log has all of these in it. */
static void says_all(struct world *w, unsigned int end, const char *const *parts)
{
	const char *line = w->end[end].log, *next;

	for (; (next = strchr(line, '\n')); line = next + 1)
		if (holds_all(line, next - line, parts))
			return;
	fail_msg("end %u has no line with \"%s\" and the rest of it, but:\n%s", end, parts[0],
		 w->end[end].log);
}
#define SAYS(w, end, ...) says_all(w, end, (const char *const[]){__VA_ARGS__, NULL})

static struct world *attempt(struct world *w)
{
	world_start(w);
	world_initiate(w, "net");
	world_pass(w, 200 * (ike_time)IKE_SECOND);
	assert_false(w->end[0].last_done.ok);
	assert_int_equal(world_count_sas(&w->end[0]), 0);
	assert_int_equal(world_count_sas(&w->end[1]), 0);
	return w;
}

/* Each transform type in turn is the first without overlap; the ones before it agree. */
static void test_ike_proposals(void **state)
{
	static const struct {
		const char *ours, *missing;
	} cases[] = {
		{"aes256gcm16-prfsha256-x25519", "no common encryption"},
		{"aes128gcm16-prfsha384-x25519", "no common PRF"},
		{"aes128gcm16-prfsha256-ecp384", "no common key exchange"},
		{"aes256gcm16-prfsha512-ecp521", "no common encryption"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct world *w = world_new();

		set_proposals(&conn(w, 1)->proposals, IKE_PROTO_IKE, cases[i].ours);
		attempt(w);
		SAYS(w, 1, "NO_PROPOSAL_CHOSEN", "192.0.2.1", cases[i].missing, cases[i].ours,
		     "aes128gcm16-prfsha256-x25519");
		SAYS(w, 0, "site[1]", "NO_PROPOSAL_CHOSEN", "aes128gcm16-prfsha256-x25519");
		assert_non_null(strstr(w->end[0].done_text, "NO_PROPOSAL_CHOSEN"));
		world_free(w);
	}
}

static void test_ike_integrity(void **state)
{
	struct world *w = world_new();

	set_proposals(&conn(w, 0)->proposals, IKE_PROTO_IKE, "aes128-sha256-x25519");
	set_proposals(&conn(w, 1)->proposals, IKE_PROTO_IKE, "aes128-sha512-prfsha256-x25519");
	attempt(w);
	SAYS(w, 1, "NO_PROPOSAL_CHOSEN", "integrity", "sha256", "sha512");
	world_free(w);
}

static void test_esp_proposals(void **state)
{
	struct world *w = world_new();

	set_proposals(&conn(w, 1)->children[0].proposals, IKE_PROTO_ESP, "aes256gcm16-x25519");
	attempt(w);
	SAYS(w, 1, "site[1]", "NO_PROPOSAL_CHOSEN", "child net", "no common encryption",
	     "aes256gcm16", "aes128gcm16");
	SAYS(w, 0, "site[1]", "child net", "NO_PROPOSAL_CHOSEN", "aes128gcm16");
	world_free(w);
}

static void test_wrong_psk(void **state)
{
	struct world *w = world_new();

	w->end[1].config->secrets[0].key[0] ^= 1;
	attempt(w);
	SAYS(w, 1, "site[1]", "AUTHENTICATION_FAILED", "pre-shared key", "a.example.org",
	     "192.0.2.1");
	SAYS(w, 0, "site[1]", "AUTHENTICATION_FAILED", "a.example.org");
	world_free(w);
}

/* Its key is another one as soon as the request is out, as if the responder had signed by another. */
static bool responder_has_another(struct world *w, struct world_message *m)
{
	struct ike_header h;

	if (m->from == 1 && ike_header_decode(ike_bytes(m->bytes, m->len), &h, NULL) &&
	    h.exchange == IKE_EXCHANGE_AUTH && (h.flags & IKE_FLAG_RESPONSE))
		w->end[0].config->secrets[0].key[0] ^= 1;
	return true;
}

/* What the responder proves itself by is wrong: only the initiator can see that. */
static void test_wrong_psk_of_responder(void **state)
{
	struct world *w = world_new();

	w->wire = responder_has_another;
	attempt(w);
	SAYS(w, 0, "site[1]", "AUTHENTICATION_FAILED",
	     "the pre-shared key of peer b.example.org is not ours");
	SAYS(w, 1, "site[1]", "AUTHENTICATION_FAILED");
	world_free(w);
}

/* It is asked for an identity that none of its connections has. */
static void test_responder_asked_for_another(void **state)
{
	struct world *w = world_new();

	assert_true(ike_id_parse("z.example.org", &conn(w, 0)->remote.id, NULL));
	attempt(w);
	SAYS(w, 1, "AUTHENTICATION_FAILED", "no connection is for peer a.example.org",
	     "z.example.org");
	world_free(w);
}

static void test_wrong_id(void **state)
{
	struct world *w = world_new();

	assert_true(ike_id_parse("c.example.org", &conn(w, 1)->remote.id, NULL));
	attempt(w);
	/* Who came, whom it asked for, and whom the connections are for. */
	SAYS(w, 1, "AUTHENTICATION_FAILED", "a.example.org", "b.example.org", "192.0.2.1");
	SAYS(w, 0, "site[1]", "AUTHENTICATION_FAILED", "a.example.org");
	world_free(w);
}

/* The responder is somebody else than was asked for, and says so. */
static void test_wrong_id_of_responder(void **state)
{
	struct world *w = world_new();

	assert_true(ike_id_parse("c.example.org", &conn(w, 1)->local.id, NULL));
	conn(w, 0)->remote.id.type = 0;
	assert_true(ike_id_parse("*.example.com", &conn(w, 0)->remote.id, NULL));
	attempt(w);
	SAYS(w, 0, "site[1]", "AUTHENTICATION_FAILED", "example.com");
	world_free(w);
}

static void test_selectors(void **state)
{
	struct world *w = world_new();

	set_ts(&conn(w, 0)->children[0].remote_ts, &conn(w, 0)->children[0].n_remote_ts,
	       "10.9.0.0/16[tcp/443],10.8.0.0/16");
	attempt(w);
	SAYS(w, 1, "site[1]", "TS_UNACCEPTABLE", "child net", "10.2.0.0/16 === 10.1.0.0/16",
	     "10.9.0.0/16[tcp/443]", "10.8.0.0/16");
	SAYS(w, 0, "site[1]", "child net", "TS_UNACCEPTABLE", "10.9.0.0/16[tcp/443]");
	world_free(w);
}

/* No connection for that address. */
static void test_no_connection(void **state)
{
	struct world *w = world_new();
	struct ike_addr elsewhere = {AF_INET, {203, 0, 113, 9}};

	conn(w, 1)->remote_addrs[0] = ike_ts_of_addr(&elsewhere);
	conn(w, 1)->n_remote_addrs = 1;
	attempt(w);
	SAYS(w, 1, "no connection", "192.0.2.1", "192.0.2.2");
	SAYS(w, 0, "site[1]", "NO_PROPOSAL_CHOSEN");
	world_free(w);
}

static bool nothing_arrives(struct world *w, struct world_message *m)
{
	return false;
}

/* What was tried, how often, where, from where. */
static void test_silent_peer(void **state)
{
	struct world *w = world_new();

	w->wire = nothing_arrives;
	attempt(w);
	SAYS(w, 0, "site[1]", "no answer from 192.0.2.2", "IKE_SA_INIT", "sent 6 times",
	     "port 500", "192.0.2.1");
	assert_non_null(strstr(w->end[0].done_text, "no answer from 192.0.2.2"));
	world_free(w);
}

static bool only_init(struct world *w, struct world_message *m)
{
	struct ike_header h;

	return ike_header_decode(ike_bytes(m->bytes, m->len), &h, NULL) &&
	       h.exchange == IKE_EXCHANGE_SA_INIT;
}

/* Silent later, on another port: a firewall that lets only port 500 through looks like this. */
static void test_silent_after_init(void **state)
{
	struct world *w = world_new();

	w->wire = only_init;
	w->nat = true;
	attempt(w);
	SAYS(w, 0, "site[1]", "no answer from 192.0.2.2", "IKE_AUTH", "sent 6 times", "port 4500");
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ike_proposals),
		cmocka_unit_test(test_ike_integrity),
		cmocka_unit_test(test_esp_proposals),
		cmocka_unit_test(test_wrong_psk),
		cmocka_unit_test(test_wrong_psk_of_responder),
		cmocka_unit_test(test_responder_asked_for_another),
		cmocka_unit_test(test_wrong_id),
		cmocka_unit_test(test_wrong_id_of_responder),
		cmocka_unit_test(test_selectors),
		cmocka_unit_test(test_no_connection),
		cmocka_unit_test(test_silent_peer),
		cmocka_unit_test(test_silent_after_init),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
