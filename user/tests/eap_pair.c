// SPDX-License-Identifier: MIT
/* A client and a server of EAP that pass packets to each other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ikev2/crypto/legacy.h"
#include "tests/eap_pair.h"
#include "tests/vectors.h"

enum {
	PACKETS_MAX = 300
};

/* RFC 2759 section 9.2: challenges, and what is left of the random bytes. */
static const char *const randoms[] = {
	[CLIENT] = "21402324255E262A28295F2B3A337C7E 00000000000000000000000000000000 00",
	[SERVER] = "5B5D7C7D7B3F2F3E3C2C602132262628 00000000000000000000000000000000 41",
};

void eap_add_secret(struct ike_config *c, const char *user, const char *password)
{
	struct ike_eap_secret_cfg *s;

	c->eap_secrets = reallocarray(c->eap_secrets, c->n_eap_secrets + 1, sizeof(*s));
	s = &c->eap_secrets[c->n_eap_secrets++];
	*s = (struct ike_eap_secret_cfg){.key = (uint8_t *)strdup(password),
					 .key_len = strlen(password)};
	if (!user)
		return;
	s->ids = calloc(1, sizeof(*s->ids));
	s->ids[0] = strdup(user);
	s->n_ids = 1;
}

struct ike_config *eap_config_new(void)
{
	struct ike_config *c = calloc(1, sizeof(*c));

	c->refs = 1;
	c->conns = calloc(1, sizeof(*c->conns));
	c->n_conns = 1;
	c->conns[0].name = strdup("rw");
	c->conns[0].local.method = c->conns[0].remote.method = IKE_AUTH_CFG_EAP;
	c->legacy = ike_legacy_new(NULL);
	assert_non_null(c->legacy);
	return c;
}

struct ike_auth_cfg *eap_cfg(struct eap_pair *p, unsigned int end)
{
	struct ike_conn_cfg *conn = &p->config[end]->conns[0];

	return end == SERVER ? &conn->remote : &conn->local;
}

void eap_pair_start(struct eap_pair *p)
{
	struct ike_id ids[2];

	assert_true(ike_id_parse("a.example.org", &ids[CLIENT], NULL));
	assert_true(ike_id_parse("b.example.org", &ids[SERVER], NULL));
	for (unsigned int i = 0; i < 2; i++) {
		struct ike_eap_setup setup = {
			.server = i == SERVER,
			.config = p->config[i],
			.conn = &p->config[i]->conns[0],
			.client = &ids[CLIENT],
			.responder = &ids[SERVER],
			.now = p->now,
		};
		struct ike_bytes bytes = hex(randoms[i]);
		struct fixed_random random;

		fixed_random_init(&random, bytes);
		p->eap[i] = ike_eap_new(&setup, &random.random);
		assert_non_null(p->eap[i]);
		free((void *)bytes.p);
	}
}

void eap_pair_free(struct eap_pair *p)
{
	for (unsigned int i = 0; i < 2; i++) {
		ike_eap_unref(p->eap[i]);
		ike_config_unref(p->config[i]);
	}
}

/* One step of @end, given @packet; what it sends then is in a copy of exactly its length. */
struct ike_bytes eap_step(struct eap_pair *p, unsigned int end, struct ike_bytes packet)
{
	struct ike_bytes out;

	memset(&p->err[end], 0, sizeof(p->err[end]));
	p->outcome[end] = ike_eap_give(p->eap[end], packet, &p->err[end]) ?
			  ike_eap_run(p->eap[end], &p->err[end]) : IKE_EAP_FAILED;
	out = ike_eap_packet(p->eap[end]);
	p->longest = out.len > p->longest ? out.len : p->longest;
	p->identifier = out.len > 1 ? out.p[1] : 0;
	return ike_bytes(exact(out.p, out.len), out.len);
}

/* Until one end has no more to say, or the other has not failed but ended. */
void eap_talk(struct eap_pair *p)
{
	struct ike_bytes packet = ike_bytes(exact("", 0), 0), next;
	unsigned int end = SERVER;

	eap_pair_start(p);
	for (p->packets = 0; p->packets < PACKETS_MAX; p->packets++, end = !end) {
		next = eap_step(p, end, packet);
		free((void *)packet.p);
		packet = next;
		if (!packet.len || p->outcome[CLIENT])
			break;
		if (p->meddle)
			p->meddle(end, p->packets, (uint8_t *)packet.p, &packet.len);
	}
	free((void *)packet.p);
	assert_int_not_equal(p->packets, PACKETS_MAX);
}

void eap_says(struct eap_pair *p, unsigned int end, const char *text)
{
	if (p->outcome[end] != IKE_EAP_FAILED)
		fail_msg("end %u has not failed: %s", end, p->err[end].text);
	if (strcmp(p->err[end].text, text))
		fail_msg("end %u says \"%s\", not \"%s\"", end, p->err[end].text, text);
	assert_int_equal(p->err[end].notify, IKE_NOTIFY_AUTHENTICATION_FAILED);
}

void eap_succeeds(struct eap_pair *p)
{
	eap_talk(p);
	for (unsigned int i = 0; i < 2; i++)
		if (p->outcome[i] != IKE_EAP_SUCCEEDED)
			fail_msg("end %u: %s", i, p->err[i].text);
	assert_int_equal(ike_eap_msk(p->eap[CLIENT])->len, 64);
	assert_bytes(ike_key_bytes(ike_eap_msk(p->eap[CLIENT])),
		     ike_key_bytes(ike_eap_msk(p->eap[SERVER])));
}

/* Both fail, each with its reason. */
void eap_fails(struct eap_pair *p, const char *client, const char *server)
{
	eap_talk(p);
	eap_says(p, CLIENT, client);
	eap_says(p, SERVER, server);
	eap_pair_free(p);
}

void eap_scripted(struct eap_pair *p, unsigned int end, const char *const *packets, size_t n,
		     const char *why)
{
	eap_pair_start(p);
	for (size_t i = 0; i < n; i++) {
		struct ike_bytes packet = hex(packets[i]);

		free((void *)eap_step(p, end, packet).p);
		free((void *)packet.p);
		if (i + 1 < n)
			assert_int_equal(p->outcome[end], IKE_EAP_GOES_ON);
	}
	eap_says(p, end, why);
	eap_pair_free(p);
}
