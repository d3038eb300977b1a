// SPDX-License-Identifier: MIT
/*
 * EAP by itself: a client and a server that pass packets to each other, by the examples of RFC 2759
 * and RFC 3079; and what either must refuse, each with its reason.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ikev2/crypto/legacy.h"
#include "tests/eap_pair.h"
#include "tests/vectors.h"

static void user(struct eap_pair *p, unsigned int end, const char *name)
{
	eap_cfg(p, end)->eap_id = strdup(name);
}

/* The user of the example, whom the server asks for its name. */
static struct eap_pair pair_new(void)
{
	struct eap_pair p = {.config = {eap_config_new(), eap_config_new()}};

	eap_add_secret(p.config[CLIENT], NULL, "clientPass");
	eap_add_secret(p.config[SERVER], "User", "clientPass");
	user(&p, CLIENT, "User");
	user(&p, SERVER, "%any");
	return p;
}

/* What goes over the wire, to the byte, and the key (ike_mschapv2_test says where that is from). */
static void test_the_example(void **state)
{
	static const char *const packets[] = {
		"01 42 0005 01",
		"02 42 0009 01 55736572",
		/* Challenge, "b.example.org": 5 + 4 + 1 + 16 + 13 bytes. */
		"01 43 0027 1a 01 43 0022 10 5B5D7C7D7B3F2F3E3C2C602132262628"
		"622e6578616d706c652e6f7267",
		/* Response, "User": 5 + 4 + 1 + 49 + 4. */
		"02 43 003f 1a 02 43 003a 31 21402324255E262A28295F2B3A337C7E 0000000000000000"
		"82309ECD8D708B5EA08FAA3981CD83544233114A3D85D6DF 00 55736572",
		/* "S=407A5589115FD0D6209F510FE9C04566932CDA56 M=Welcome": 5 + 4 + 42 + 10. */
		"01 44 003d 1a 03 43 0038 533d34303741353538393131354644304436323039463531304645"
		"39433034353636393332434441 3536 204d3d57656c636f6d65",
		"02 44 0006 1a 03",
		"03 44 0004",
	};
	struct eap_pair p = pair_new();
	struct ike_bytes packet = ike_bytes(exact("", 0), 0), next, want;
	char text[300];

	eap_pair_start(&p);
	for (unsigned int i = 0; i < 7; i++) {
		next = eap_step(&p, i % 2 ? CLIENT : SERVER, packet);
		want = hex(packets[i]);
		assert_bytes(next, want);
		free((void *)want.p);
		free((void *)packet.p);
		packet = next;
	}
	assert_int_equal(p.outcome[SERVER], IKE_EAP_SUCCEEDED);
	free((void *)eap_step(&p, CLIENT, packet).p);
	free((void *)packet.p);
	assert_int_equal(p.outcome[CLIENT], IKE_EAP_SUCCEEDED);
	want = hex("D5F0E9521E3EA9589645E86051C82226 8B7CDC149B993A1BA118CB153F56DCCB"
		   "0000000000000000000000000000000000000000000000000000000000000000");
	assert_bytes(ike_key_bytes(ike_eap_msk(p.eap[CLIENT])), want);
	assert_bytes(ike_key_bytes(ike_eap_msk(p.eap[SERVER])), want);
	free((void *)want.p);
	assert_string_equal(ike_eap_text(p.eap[SERVER], text, sizeof(text)), "eap-mschapv2 as User");
	eap_pair_free(&p);
}

/* RFC 2759 section 9.2, PasswordHash: either end may know that instead. */
static void test_nt_hash(void **state)
{
	for (unsigned int how = 1; how < 4; how++) {
		struct eap_pair p = pair_new();

		for (unsigned int i = 0; i < 2; i++) {
			struct ike_eap_secret_cfg *s = &p.config[i]->eap_secrets[0];
			struct ike_bytes hash = hex("44EBBA8D5312B8D611474411F56989AE");

			if (how & 1u << i) {
				free(s->key);
				s->key = (uint8_t *)hash.p;
				s->key_len = hash.len;
				s->nt_hash = true;
			} else {
				free((void *)hash.p);
			}
		}
		eap_succeeds(&p);
		eap_pair_free(&p);
	}
}

static void rename_user(struct eap_pair *p, unsigned int end, const char *name)
{
	free(eap_cfg(p, end)->eap_id);
	eap_cfg(p, end)->eap_id = name ? strdup(name) : NULL;
}

static void test_names(void **state)
{
	static const struct {
		const char *client, *server, *secret;
		unsigned int packets; /* of the server, and the client's, and the last step */
	} good[] = {
		{"User", "%any", "User", 7},
		{"User", "User", "User", 5},		/* known: not asked for */
		{"carol@example.org", "*@example.org", "carol@example.org", 7},
		{"DOMAIN\\User", "%any", "User", 7},	/* the secret is of the user alone */
		{"DOMAIN\\User", "%any", "DOMAIN\\User", 7},
		{"DOMAIN\\User", "%any", NULL, 7},	/* of anybody */
		{"DOMAIN\\User", "User", "User", 5},
		{NULL, NULL, "a.example.org", 5},	/* the identity in IKE */
		{NULL, "*.org", "a.example.org", 7},
	};

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct eap_pair p = pair_new();

		rename_user(&p, CLIENT, good[i].client);
		rename_user(&p, SERVER, good[i].server);
		free(p.config[SERVER]->eap_secrets[0].ids[0]);
		if (good[i].secret)
			p.config[SERVER]->eap_secrets[0].ids[0] = strdup(good[i].secret);
		else
			p.config[SERVER]->eap_secrets[0].n_ids = 0;
		eap_succeeds(&p);
		assert_int_equal(p.packets, good[i].packets);
		eap_pair_free(&p);
	}
}

#define THEY_REFUSE(who) "eap-mschapv2 as " who ": the server refuses the user or the " \
	"password: E=691 M=Authentication failed"

static void test_wrong_password(void **state)
{
	struct eap_pair p = pair_new();

	p.config[CLIENT]->eap_secrets[0].key[0] = 'C';
	eap_fails(&p, THEY_REFUSE("User"), "eap-mschapv2 as User: the password is wrong");
}

/* The client is not told which of the two it is. */
static void test_unknown_user(void **state)
{
	struct eap_pair p = pair_new();

	rename_user(&p, CLIENT, "Mallory\x1b");
	eap_fails(&p, THEY_REFUSE("Mallory\\x1b"),
	      "eap-mschapv2 as Mallory\\x1b: there is no secret for that user (secrets.eap)");
}

static void test_wrong_names(void **state)
{
	struct eap_pair p = pair_new();

	rename_user(&p, SERVER, "*@example.org");
	eap_fails(&p, "the server refuses us (EAP-Failure), EAP as User",
	      "EAP as User, but *@example.org is configured (remote.eap_id)");
	/* Asked by name, it answers by another: one that has the same password. */
	p = pair_new();
	eap_add_secret(p.config[SERVER], "Other", "clientPass");
	rename_user(&p, SERVER, "Other");
	eap_fails(&p, THEY_REFUSE("User"), "eap-mschapv2 as Other: its response is another user's");
}

/* A server that lets everybody in, without knowing the password. */
static void forge_proof(unsigned int from, unsigned int n, uint8_t *packet, size_t *len)
{
	if (n == 4)
		packet[12] ^= 1;
}

static void test_server_without_password(void **state)
{
	struct eap_pair p = pair_new();

	p.meddle = forge_proof;
	eap_talk(&p);
	eap_says(&p, CLIENT,
	     "eap-mschapv2 as User: the server does not show that it knows the password");
	assert_int_equal(p.outcome[SERVER], IKE_EAP_GOES_ON);
	eap_pair_free(&p);
}

#define CHALLENGE "01430027 1a01430022 105B5D7C7D7B3F2F3E3C2C602132262628 622e6578616d706c652e6f7267"
#define RESPONSE "0243003f 1a0243003a 3121402324255E262A28295F2B3A337C7E 0000000000000000" \
	"82309ECD8D708B5EA08FAA3981CD83544233114A3D85D6DF 00 55736572"
#define PROOF "0144003d 1a03430038 533d34303741353538393131354644304436323039463531304645" \
	"394330343536363933324344413536 204d3d57656c636f6d65"

static void test_hostile_servers(void **state)
{
	static const struct {
		const char *packets[4];
		size_t n;
		const char *why;
	} scripts[] = {
		/* Early EAP-Success, at each place where it may come. */
		{{"03420004"}, 1, "EAP-Success before any method has come to its end"},
		{{"0142000501", "03420004"}, 2, "EAP-Success before any method has come to its end"},
		{{CHALLENGE, "03430004"}, 2, "EAP-Success before any method has come to its end"},
		{{"0142000404"}, 1, "EAP payload: length 4 in 5 bytes"},
		{{"0242000501"}, 1, "the server sends an EAP response"},
		{{"04420004"}, 1, "the server refuses us (EAP-Failure), EAP as User"},
		{{CHALLENGE, "0143000501"}, 2,
		 "the server asks who we are in the middle of a method"},
		{{CHALLENGE, "014400060d20"}, 2,
		 "the server goes over to eap-tls in the middle of eap-mschapv2"},
		{{CHALLENGE, CHALLENGE}, 2,
		 "eap-mschapv2 as User: the server says neither yes nor no"},
		{{CHALLENGE, PROOF, PROOF}, 3, "the server goes on where EAP is over"},
		{{CHALLENGE, PROOF, "04440004"}, 3,
		 "the server refuses us (EAP-Failure), eap-mschapv2 as User"},
		/* It insists on what we do not have. */
		{{"014200160410000102030405060708090a0b0c0d0e0f", "014300160410000102030405060708"
		  "090a0b0c0d0e0f"}, 2,
		 "the server wants eap-md5, which local.auth does not allow or we have no "
		 "credentials for"},
		/* A challenge of another length, one cut off, one that lies about its length. */
		{{"0143000f 1a0143000a 08 5B5D7C7D7B"}, 1,
		 "eap-mschapv2 as User: what the server begins with is no challenge"},
		{{"0143000f 1a0143000a 10 5B5D7C7D7B"}, 1,
		 "eap-mschapv2 as User: the server's challenge is cut off"},
		{{"0143001a 1a01430023 10 5B5D7C7D7B3F2F3E3C2C602132262628"}, 1,
		 "eap-mschapv2 as User: what the server begins with is no challenge"},
		/* A failure whose text is empty or a mess. */
		{{CHALLENGE, "01440009 1a04430004", "04440004"}, 3,
		 "eap-mschapv2 as User: the server refuses the user or the password: "},
		{{CHALLENGE, "0144000d 1a04430008 1b5b0a25", "04440004"}, 3,
		 "eap-mschapv2 as User: the server refuses the user or the password: "
		 "\\x1b[\\x0a%"},
	};

	for (size_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++) {
		struct eap_pair p = pair_new();

		eap_scripted(&p, CLIENT, scripts[i].packets, scripts[i].n, scripts[i].why);
	}
}

static void test_hostile_clients(void **state)
{
	static const struct {
		const char *packets[4];
		size_t n;
		const char *why;
	} scripts[] = {
		{{"", "0142000501"}, 2,
		 "the peer sends no EAP response to our request 66: code 1, identifier 66"},
		{{"", "0241000901 55736572"}, 2,
		 "the peer sends no EAP response to our request 66: code 2, identifier 65"},
		{{"", "03420004"}, 2,
		 "the peer sends no EAP response to our request 66: code 3, identifier 66"},
		{{"", "0242000501"}, 2, "an EAP-Identity of 0 bytes that is no name"},
		{{"", "0242000901 55730072"}, 2, "an EAP-Identity of 4 bytes that is no name"},
		/* Its name cannot be refused, nor answered by a method. */
		{{"", "024200060304"}, 2, "the peer answers EAP-Identity with EAP-Nak"},
		{{"", "0242003f 1a0242003a"}, 2, "EAP payload: length 63 in 9 bytes"},
		{{"", "0242000901 55736572", "0243000901 55736572"}, 3,
		 "the peer answers eap-mschapv2 with EAP-Identity"},
		{{"", "0242000901 55736572", "02430006030d"}, 3,
		 "the peer does not want eap-mschapv2 but eap-tls (EAP-Nak), which remote.auth does "
		 "not allow or there are no credentials for"},
		{{"", "0242000901 55736572", "024300060300"}, 3,
		 "the peer does not want eap-mschapv2 but nothing else (EAP-Nak), which remote.auth "
		 "does not allow or there are no credentials for"},
		/* Too late for a Nak. */
		{{"", "0242000901 55736572", RESPONSE, "02440006030d"}, 4,
		 "the peer answers eap-mschapv2 with EAP-Nak"},
		/* Acknowledges before there is anything. */
		{{"", "0242000901 55736572", "024300061a03"}, 3,
		 "eap-mschapv2 as User: what answers our challenge is no response to it"},
		/* Of another challenge; a value of another length; lengths that lie. */
		{{"", "0242000901 55736572", "0243003f 1a0244003a 31 00"}, 3,
		 "EAP payload: length 63 in 11 bytes"},
		{{"", "0242000901 55736572", "0243000b 1a02440006 3100"}, 3,
		 "eap-mschapv2 as User: what answers our challenge is no response to it"},
		{{"", "0242000901 55736572", "0243000b 1a02430006 3100"}, 3,
		 "eap-mschapv2 as User: its response has not the length of one"},
		{{"", "0242000901 55736572", "0243000b 1a0243003a 3100"}, 3,
		 "eap-mschapv2 as User: what answers our challenge is no response to it"},
		/* Refuses our proof. */
		{{"", "0242000901 55736572", RESPONSE, "024400061a04"}, 4,
		 "eap-mschapv2 as User: the peer does not accept our proof"},
	};

	for (size_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++) {
		struct eap_pair p = pair_new();

		eap_scripted(&p, SERVER, scripts[i].packets, scripts[i].n, scripts[i].why);
	}
}

/* It says what it would rather do, and does that when it is offered. */
static void test_client_naks(void **state)
{
	struct eap_pair p = pair_new();
	struct ike_bytes request = hex("014200060400"), challenge = hex(CHALLENGE), nak;
	struct ike_bytes want = hex("02420006031a");

	eap_pair_start(&p);
	nak = eap_step(&p, CLIENT, request);
	assert_bytes(nak, want);
	free((void *)eap_step(&p, CLIENT, challenge).p);
	assert_int_equal(p.outcome[CLIENT], IKE_EAP_GOES_ON);
	free((void *)nak.p);
	free((void *)want.p);
	free((void *)request.p);
	free((void *)challenge.p);
	eap_pair_free(&p);
}

/* RFC 3748 section 5.2: notifications are answered, but not for ever. */
static void test_too_many_rounds(void **state)
{
	static const char *const floods[] = {"0142000802 686921", "0142000501"};

	for (size_t i = 0; i < 2; i++) {
		struct eap_pair p = pair_new();
		struct ike_bytes packet = hex(floods[i]);

		eap_pair_start(&p);
		for (unsigned int n = 0; n < 100; n++) {
			struct ike_bytes answer = eap_step(&p, CLIENT, packet);

			assert_int_equal(p.outcome[CLIENT], IKE_EAP_GOES_ON);
			assert_int_equal(answer.len, i ? 9 : 5);
			free((void *)answer.p);
		}
		free((void *)eap_step(&p, CLIENT, packet).p);
		eap_says(&p, CLIENT, "EAP has not ended after 100 packets");
		free((void *)packet.p);
		eap_pair_free(&p);
	}
}

static void test_too_long(void **state)
{
	for (unsigned int end = 0; end < 2; end++) {
		struct eap_pair p = pair_new();
		uint8_t *packet = calloc(1, 4097);

		packet[0] = end == SERVER ? IKE_EAP_RESPONSE : IKE_EAP_REQUEST;
		packet[1] = 0x42;
		packet[2] = 4097 >> 8;
		packet[3] = 4097 & 0xff;
		packet[4] = IKE_EAP_IDENTITY;
		eap_pair_start(&p);
		if (end == SERVER)
			free((void *)eap_step(&p, SERVER, ike_bytes(packet, 0)).p);
		free((void *)eap_step(&p, end, ike_bytes(packet, 4097)).p);
		eap_says(&p, end, "an EAP packet of 4097 bytes, 4096 are the most");
		free(packet);
		eap_pair_free(&p);
	}
}

/* Damage, everywhere: whatever it is, both ends have one key, or one of them has none. */
static unsigned int damaged, damage_at, damage_bit;

static void flip(unsigned int from, unsigned int n, uint8_t *packet, size_t *len)
{
	if (n == damaged && damage_at < *len)
		packet[damage_at] ^= 1 << damage_bit;
}

static void cut(unsigned int from, unsigned int n, uint8_t *packet, size_t *len)
{
	if (n == damaged && damage_at < *len)
		*len = damage_at;
}

static void survive(void (*how)(unsigned int from, unsigned int n, uint8_t *packet, size_t *len))
{
	struct eap_pair p = pair_new();

	p.meddle = how;
	eap_talk(&p);
	if (p.outcome[CLIENT] == IKE_EAP_SUCCEEDED) {
		assert_int_equal(p.outcome[SERVER], IKE_EAP_SUCCEEDED);
		assert_bytes(ike_key_bytes(ike_eap_msk(p.eap[CLIENT])),
			     ike_key_bytes(ike_eap_msk(p.eap[SERVER])));
	}
	eap_pair_free(&p);
}

static void test_damage(void **state)
{
	static const size_t lens[] = {5, 9, 39, 63, 61, 6, 4};

	for (damaged = 0; damaged < 7; damaged++)
		for (damage_at = 0; damage_at < lens[damaged]; damage_at++) {
			survive(cut);
			damage_bit = (damaged + damage_at) % 8;
			survive(flip);
		}
}

static void test_no_provider(void **state)
{
	struct eap_pair p = pair_new();

	ike_legacy_free(p.config[SERVER]->legacy);
	p.config[SERVER]->legacy = NULL;
	eap_fails(&p, "the server refuses us (EAP-Failure), EAP as User",
	      "there are no credentials here for any method of EAP (secrets.eap)");
}

static void test_matching(void **state)
{
	assert_true(ike_eap_name_matches("%any", "x"));
	assert_true(ike_eap_name_matches("*", "x"));
	assert_true(ike_eap_name_matches("*@b", "a@b"));
	assert_true(ike_eap_name_matches("*@b", "@b"));
	assert_false(ike_eap_name_matches("*@b", "b"));
	assert_false(ike_eap_name_matches("*@b", "a@b.c"));
	assert_false(ike_eap_name_matches("a", "A"));
	assert_false(ike_eap_name_matches("a", "ab"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_example),
		cmocka_unit_test(test_nt_hash),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_wrong_password),	cmocka_unit_test(test_unknown_user),
		cmocka_unit_test(test_wrong_names),	cmocka_unit_test(test_server_without_password),
		cmocka_unit_test(test_hostile_servers), cmocka_unit_test(test_hostile_clients),
		cmocka_unit_test(test_client_naks),	cmocka_unit_test(test_too_many_rounds),
		cmocka_unit_test(test_too_long),	cmocka_unit_test(test_damage),
		cmocka_unit_test(test_no_provider),	cmocka_unit_test(test_matching),
	};

	return cmocka_run_group_tests_name("ike_eap", tests, NULL, NULL);
}
