// SPDX-License-Identifier: MIT
/*
 * EAP-TLS by itself: certificates and whose they must be, fragments, and what either end must
 * refuse, each with its reason.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/eap_pair.h"
#include "tests/pki.h"
#include "tests/vectors.h"

static struct ike_conn_cfg *conn(struct eap_pair *p, unsigned int end)
{
	return &p->config[end]->conns[0];
}

static void give(struct eap_pair *p, unsigned int end, const struct pki *own)
{
	pki_add_cert(&conn(p, end)->local.certs, own);
	pki_add_key(&p->config[end]->keys, own);
}

static void trust(struct eap_pair *p, unsigned int end, const struct pki *ca)
{
	pki_add_cert(&p->config[end]->anchors, ca);
}

/* Without keys and certificates. The server has no names to ask for. */
static struct eap_pair bare_pair(void)
{
	struct eap_pair p = {.config = {eap_config_new(), eap_config_new()}, .now = PKI_NOW};

	conn(&p, CLIENT)->remote.method = conn(&p, SERVER)->local.method = IKE_AUTH_CFG_PUBKEY;
	return p;
}

/* An authority that both trust, and a certificate for each: CN=client for @client, CN=server. */
static struct eap_pair named_pair(const char *client, const char *server, const char *key)
{
	struct eap_pair p = bare_pair();
	struct pki ca = pki_ca("CN=CA", NULL), a = pki_end(&ca, "CN=client", client, key),
		   b = pki_end(&ca, "CN=server", server, key);

	give(&p, CLIENT, &a);
	give(&p, SERVER, &b);
	trust(&p, CLIENT, &ca);
	trust(&p, SERVER, &ca);
	pki_free(&ca);
	pki_free(&a);
	pki_free(&b);
	return p;
}

static struct eap_pair usual_pair(void)
{
	return named_pair("DNS:a.example.org", "DNS:b.example.org", NULL);
}

static void test_kinds_of_keys(void **state)
{
	static const char *const keys[] = {"RSA", "P-256", "P-384", "ED25519", "ED448"};
	char text[300];

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		struct eap_pair p = named_pair("DNS:a.example.org", "DNS:b.example.org", keys[i]);

		eap_succeeds(&p);
		assert_string_equal(ike_eap_text(p.eap[SERVER], text, sizeof(text)),
				    "eap-tls (TLSv1.3) as a.example.org");
		eap_pair_free(&p);
	}
}

/* Whom the server takes for whom: the name that the client gives must be in its certificate. */
static void test_names(void **state)
{
	struct eap_pair p = named_pair("email:carol@example.org", "DNS:b.example.org", NULL);

	eap_cfg(&p, CLIENT)->eap_id = strdup("carol@example.org");
	eap_cfg(&p, SERVER)->eap_id = strdup("*@example.org");
	eap_succeeds(&p);
	eap_pair_free(&p);

	p = named_pair("email:carol@example.org", "DNS:b.example.org", NULL);
	eap_cfg(&p, CLIENT)->eap_id = strdup("dave@example.org");
	eap_cfg(&p, SERVER)->eap_id = strdup("%any");
	eap_fails(&p, "eap-tls (TLSv1.3) as dave@example.org: TLS: sslv3 alert bad certificate",
		  "eap-tls (TLSv1.3) as dave@example.org: certificate CN=client: its identity is not "
		  "in it, only CN=client; carol@example.org");
}

/* A client that says its name as it would in IKE: the subject of its certificate, in DER. */
static void test_distinguished_name(void **state)
{
	struct eap_pair p = usual_pair();
	const struct ike_id *subject = &conn(&p, CLIENT)->local.certs.list[0]->subject;
	char text[300];

	eap_cfg(&p, CLIENT)->eap_id = strndup((const char *)subject->data, subject->len);
	assert_int_equal(strlen(eap_cfg(&p, CLIENT)->eap_id), subject->len);
	eap_cfg(&p, SERVER)->eap_id = strdup("*client");
	eap_succeeds(&p);
	assert_string_equal(ike_eap_text(p.eap[SERVER], text, sizeof(text)),
			    "eap-tls (TLSv1.3) as CN=client");
	eap_pair_free(&p);

	p = usual_pair();
	subject = &conn(&p, SERVER)->local.certs.list[0]->subject;
	eap_cfg(&p, CLIENT)->eap_id = strndup((const char *)subject->data, subject->len);
	eap_cfg(&p, SERVER)->eap_id = strdup("%any");
	eap_talk(&p);
	eap_says(&p, SERVER, "eap-tls (TLSv1.3) as CN=server: certificate CN=client: its identity is "
			     "not in it, only CN=client; a.example.org");
	eap_pair_free(&p);
}

static void test_identity_of_the_server(void **state)
{
	struct eap_pair p = named_pair("DNS:a.example.org", "DNS:radius.example.org", NULL);

	assert_true(ike_id_parse("radius.example.org", &eap_cfg(&p, CLIENT)->aaa_id, NULL));
	eap_succeeds(&p);
	eap_pair_free(&p);

	p = named_pair("DNS:a.example.org", "DNS:radius.example.org", NULL);
	eap_fails(&p, "eap-tls (TLSv1.3) as a.example.org: certificate CN=server: its identity is "
		      "not in it, only CN=server; radius.example.org",
		  "eap-tls (TLSv1.3) as a.example.org: TLS: sslv3 alert bad certificate");
}

static void test_another_authority(void **state)
{
	for (unsigned int wrong = 0; wrong < 2; wrong++) {
		struct pki ca = pki_ca("CN=CA", NULL), other = pki_ca("CN=other", NULL);
		struct pki own[] = {pki_end(wrong == CLIENT ? &other : &ca, "CN=client",
					    "DNS:a.example.org", NULL),
				    pki_end(wrong == SERVER ? &other : &ca, "CN=server",
					    "DNS:b.example.org", NULL)};
		struct eap_pair p = bare_pair();

		for (unsigned int i = 0; i < 2; i++) {
			give(&p, i, &own[i]);
			trust(&p, i, &ca);
			pki_free(&own[i]);
		}
		pki_free(&ca);
		pki_free(&other);
		eap_fails(&p, wrong == CLIENT ?
			  "eap-tls (TLSv1.3) as a.example.org: TLS: sslv3 alert bad certificate" :
			  "eap-tls (TLSv1.3) as a.example.org: certificate CN=server: it is not "
			  "trusted: no trust anchor has issued it",
			  wrong == SERVER ?
			  "eap-tls (TLSv1.3) as a.example.org: TLS: sslv3 alert bad certificate" :
			  "eap-tls (TLSv1.3) as a.example.org: certificate CN=client: it is not "
			  "trusted: no trust anchor has issued it");
	}
}

/* Flights of many fragments: RSA all along, and four authorities in between, at both ends. */
static void test_fragments(void **state)
{
	static const char *const subs[] = {"CN=one", "CN=two", "CN=three", "CN=four"};
	struct pki chain[5], own;
	struct eap_pair p = bare_pair();
	unsigned int plain;

	chain[0] = pki_ca("CN=root", NULL);
	for (unsigned int i = 1; i < 5; i++)
		chain[i] = pki_make(&(struct pki_order){.issuer = &chain[i - 1], .subject = subs[i - 1],
							.key = "RSA",
							.basic_constraints = "critical,CA:TRUE",
							.key_usage = "critical,keyCertSign"});
	for (unsigned int end = 0; end < 2; end++) {
		own = pki_end(&chain[4], "CN=end", end ? "DNS:b.example.org" : "DNS:a.example.org",
			      "RSA");
		give(&p, end, &own);
		trust(&p, end, &chain[0]);
		for (unsigned int i = 1; i < 5; i++)
			pki_add_cert(&p.config[end]->certs, &chain[i]);
		pki_free(&own);
	}
	eap_succeeds(&p);
	/*
	 * Start, two flights each, acknowledgement, success; and the client has come to an end. Five
	 * certificates of some 700 bytes each way are three fragments more, and their
	 * acknowledgements.
	 */
	plain = 1 + 2 + 2 + 1 + 1;
	assert_true(p.packets >= plain + 2 * 2 * 3);
	assert_true(p.longest <= 1024 + 10);
	eap_pair_free(&p);
	for (unsigned int i = 0; i < 5; i++)
		pki_free(&chain[i]);
}

/* The server offers a password first; this client has a certificate only, and says so. */
static void test_nak(void **state)
{
	struct eap_pair p = usual_pair();
	char text[300];

	eap_add_secret(p.config[SERVER], NULL, "clientPass");
	eap_succeeds(&p);
	assert_string_equal(ike_eap_text(p.eap[SERVER], text, sizeof(text)),
			    "eap-tls (TLSv1.3) as a.example.org");
	eap_pair_free(&p);
	/* And one that has a password only, with a server that has told to use certificates. */
	p = usual_pair();
	eap_add_secret(p.config[CLIENT], NULL, "clientPass");
	eap_cfg(&p, CLIENT)->eap_type = IKE_EAP_MSCHAPV2;
	eap_cfg(&p, SERVER)->eap_type = IKE_EAP_TLS;
	eap_fails(&p, "the server refuses us (EAP-Failure), EAP as a.example.org",
		  "the peer does not want eap-tls but eap-mschapv2 (EAP-Nak), which remote.auth does "
		  "not allow or there are no credentials for");
}

#define AS "eap-tls as a.example.org: "
#define AS_13 "eap-tls (TLSv1.3) as a.example.org: "

static void test_hostile_servers(void **state)
{
	static const struct {
		const char *packets[4];
		size_t n;
		const char *why;
	} scripts[] = {
		{{"014200060d20", "03420004"}, 2, "EAP-Success before any method has come to its end"},
		{{"014200060d00"}, 1, AS "the server does not begin with a start"},
		{{"014200050d"}, 1, AS "a packet is cut off"},
		{{"014200080d800000"}, 1, AS "a packet is cut off"},
		{{"014200060d20", "014300060d00"}, 2,
		 AS_13 "the peer sends nothing where TLS has to go on"},
		{{"014200060d20", "014300060d40"}, 2, AS_13 "an empty fragment"},
		{{"014200060d20", "0143000b0dc00001000116"}, 2,
		 AS_13 "a flight of TLS of more than 65536 bytes"},
		{{"014200060d20", "0143000b0dc00000000216", "0144000b0dc00000000303"}, 3,
		 AS_13 "a fragment says 3 bytes where another said 2"},
		{{"014200060d20", "0143000b0dc00000000216", "014400080d000303"}, 3,
		 AS_13 "fragments of 3 bytes where 2 were announced"},
		{{"014200060d20", "0143000b0dc00000000116"}, 2,
		 AS_13 "fragments of 1 bytes where 1 were announced"},
		/* A fatal alert instead of anything; then the end. */
		{{"014200060d20", "0143000d0d0015030300020228", "04430004"}, 3,
		 AS_13 "TLS: sslv3 alert handshake failure"},
	};

	for (size_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++) {
		struct eap_pair p = usual_pair();

		eap_scripted(&p, CLIENT, scripts[i].packets, scripts[i].n, scripts[i].why);
	}
}

static void test_hostile_clients(void **state)
{
	static const struct {
		const char *packets[3];
		size_t n;
		const char *why;
	} scripts[] = {
		{{"", "024200060d00"}, 2, AS_13 "the peer sends nothing where TLS has to go on"},
		{{"", "024200050d"}, 2, AS "a packet is cut off"},
		{{"", "0242000b0dc0ffffffff16"}, 2, AS "a flight of TLS of more than 65536 bytes"},
		/* It is told, and hears the end when it has answered. */
		{{"", "0242000d0d0015030300020228", "024300060d00"}, 3,
		 "eap-tls (TLSv1.2) as a.example.org: TLS: unexpected message"},
	};

	for (size_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++) {
		struct eap_pair p = usual_pair();

		eap_scripted(&p, SERVER, scripts[i].packets, scripts[i].n, scripts[i].why);
	}
}

/* Fragments without end: not more than the limit is kept, whatever is announced. */
static void test_endless_fragments(void **state)
{
	struct eap_pair p = usual_pair();
	uint8_t *packet = calloc(1, 2000);
	unsigned int n = 0;

	eap_pair_start(&p);
	free((void *)eap_step(&p, SERVER, ike_bytes(packet, 0)).p);
	packet[0] = IKE_EAP_RESPONSE;
	packet[2] = 2000 >> 8;
	packet[3] = 2000 & 0xff;
	packet[4] = IKE_EAP_TLS;
	packet[5] = 0x40;
	while (p.outcome[SERVER] == IKE_EAP_GOES_ON) {
		struct ike_bytes answer;

		packet[1] = p.identifier;
		answer = eap_step(&p, SERVER, ike_bytes(packet, 2000));
		free((void *)answer.p);
		n++;
	}
	/* 65536 / 1994 fit. */
	assert_int_equal(n, 33);
	eap_says(&p, SERVER, AS "a flight of TLS of more than 65536 bytes");
	free(packet);
	eap_pair_free(&p);
}

/* Damage, here and there: both ends have one key, or one of them has none. */
static unsigned int damaged, damage_at;

static void flip(unsigned int from, unsigned int n, uint8_t *packet, size_t *len)
{
	if (n == damaged && damage_at < *len)
		packet[damage_at] ^= 1 << damage_at % 8;
}

static void test_damage(void **state)
{
	enum {
		STRIDE = 61 /* no power of two */
	};

	for (damaged = 0; damaged < 7; damaged++)
		for (damage_at = damaged % 5; damage_at < 1034; damage_at += STRIDE) {
			struct eap_pair p = usual_pair();

			p.meddle = flip;
			eap_talk(&p);
			if (p.outcome[CLIENT] == IKE_EAP_SUCCEEDED) {
				assert_int_equal(p.outcome[SERVER], IKE_EAP_SUCCEEDED);
				assert_bytes(ike_key_bytes(ike_eap_msk(p.eap[CLIENT])),
					     ike_key_bytes(ike_eap_msk(p.eap[SERVER])));
			}
			eap_pair_free(&p);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kinds_of_keys),	cmocka_unit_test(test_names),
		cmocka_unit_test(test_distinguished_name), cmocka_unit_test(test_identity_of_the_server),
		cmocka_unit_test(test_another_authority), cmocka_unit_test(test_fragments),
		cmocka_unit_test(test_nak),		cmocka_unit_test(test_hostile_servers),
		cmocka_unit_test(test_hostile_clients), cmocka_unit_test(test_endless_fragments),
		cmocka_unit_test(test_damage),
	};

	return cmocka_run_group_tests_name("ike_eap_tls", tests, NULL, NULL);
}
