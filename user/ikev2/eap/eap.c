// SPDX-License-Identifier: MIT
/* One conversation's life, and what both roles share. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ikev2/eap/method.h"

/* In order of preference. */
static const struct ike_eap_method *const methods[] = {
	&ike_eap_mschapv2,
	&ike_eap_tls,
};

enum {
	METHODS = sizeof(methods) / sizeof(methods[0])
};

uint8_t ike_eap_type_find(const char *name)
{
	for (size_t i = 0; i < METHODS; i++)
		if (!strcmp(methods[i]->name, name))
			return methods[i]->type;
	return 0;
}

const char *ike_eap_type_name(uint8_t type)
{
	for (size_t i = 0; i < METHODS; i++)
		if (methods[i]->type == type)
			return methods[i]->name;
	return "eap";
}

static bool allowed(const struct ike_eap *e, const struct ike_eap_method *m)
{
	return e->cfg->eap_type ? e->cfg->eap_type == m->type : m->usable(e);
}

const struct ike_eap_method *ike_eap_method_allowed(const struct ike_eap *e, uint8_t type)
{
	for (size_t i = 0; i < METHODS; i++)
		if (methods[i]->type == type && allowed(e, methods[i]))
			return methods[i];
	return NULL;
}

const struct ike_eap_method *ike_eap_method_nth(const struct ike_eap *e, size_t i)
{
	for (size_t k = 0; k < METHODS; k++)
		if (allowed(e, methods[k]) && !i--)
			return methods[k];
	return NULL;
}

const char *ike_eap_type_text(uint8_t type, char buf[16])
{
	static const struct {
		uint8_t type;
		const char *name;
	} known[] = {
		{IKE_EAP_IDENTITY, "EAP-Identity"}, {IKE_EAP_NOTIFICATION, "EAP-Notification"},
		{IKE_EAP_NAK, "EAP-Nak"}, {4, "eap-md5"}, {6, "eap-gtc"},
		{IKE_EAP_TLS, "eap-tls"}, {18, "eap-sim"}, {21, "eap-ttls"}, {23, "eap-aka"},
		{25, "eap-peap"}, {IKE_EAP_MSCHAPV2, "eap-mschapv2"},
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (known[i].type == type)
			return known[i].name;
	snprintf(buf, 16, "EAP type %u", type);
	return buf;
}

/* Names */

bool ike_eap_name_matches(const char *pattern, const char *name)
{
	size_t len = strlen(name), tail;

	if (!strcmp(pattern, "%any"))
		return true;
	if (*pattern != '*')
		return !strcmp(pattern, name);
	tail = strlen(pattern + 1);
	return len >= tail && !strcmp(name + len - tail, pattern + 1);
}

bool ike_eap_asks(const struct ike_auth_cfg *cfg)
{
	return cfg->eap_id && (*cfg->eap_id == '*' || !strcmp(cfg->eap_id, "%any"));
}

static const struct ike_eap_secret_cfg *secret_of(const struct ike_config *config, const char *name)
{
	for (size_t i = 0; i < config->n_eap_secrets; i++)
		for (size_t k = 0; k < config->eap_secrets[i].n_ids; k++)
			if (!strcmp(config->eap_secrets[i].ids[k], name))
				return &config->eap_secrets[i];
	return NULL;
}

const struct ike_eap_secret_cfg *ike_eap_secret_find(const struct ike_config *config,
						     const char *name)
{
	const struct ike_eap_secret_cfg *found = secret_of(config, name);
	const char *domain = strchr(name, '\\');

	if (!found && domain)
		found = secret_of(config, domain + 1);
	/* One that is for nobody in particular is the last resort. */
	for (size_t i = 0; !found && i < config->n_eap_secrets; i++)
		if (!config->eap_secrets[i].n_ids)
			found = &config->eap_secrets[i];
	return found;
}

/* Packets */

void ike_eap_packet_begin(struct ike_writer *w, uint8_t code, uint8_t identifier, uint8_t type)
{
	ike_put8(w, code);
	ike_put8(w, identifier);
	ike_put16(w, 0);
	if (type)
		ike_put8(w, type);
}

void ike_eap_packet_end(struct ike_writer *w)
{
	ike_patch16(w, 2, w->len);
}

/* Life */

/* The name that is known without asking for it. */
static void set_name(struct ike_eap *e)
{
	char text[IKE_ID_TEXT_MAX];

	if (e->cfg->eap_id && !ike_eap_asks(e->cfg))
		snprintf(e->name, sizeof(e->name), "%s", e->cfg->eap_id);
	else if (!e->cfg->eap_id)
		snprintf(e->name, sizeof(e->name), "%.*s", IKE_EAP_NAME_MAX - 1,
			 ike_id_text(&e->client, text, sizeof(text)));
}

struct ike_eap *ike_eap_new(const struct ike_eap_setup *setup, const struct ike_random *random)
{
	struct ike_eap *e = calloc(1, sizeof(*e));

	if (!e)
		return NULL;
	e->refs = 1;
	e->server = setup->server;
	e->config = ike_config_ref(setup->config);
	e->conn = setup->conn;
	e->cfg = setup->cfg	 ? setup->cfg
		 : setup->server ? &setup->conn->remote
				 : &setup->conn->local;
	e->client = *setup->client;
	e->responder = *setup->responder;
	e->now = setup->now;
	ike_random_fill(random, e->random, sizeof(e->random));
	ike_random_fill(random, &e->identifier, 1);
	set_name(e);
	e->relay.user_len = strlen(e->name);
	memcpy(e->relay.user, e->name, e->relay.user_len);
	return e;
}

struct ike_eap *ike_eap_ref(struct ike_eap *e)
{
	e->refs++;
	return e;
}

void ike_eap_unref(struct ike_eap *e)
{
	if (!e || --e->refs)
		return;
	if (e->method)
		e->method->end(e);
	ike_config_unref(e->config);
	ike_wipe(e, sizeof(*e));
	free(e);
}

bool ike_eap_give(struct ike_eap *e, struct ike_bytes packet, struct ike_error *err)
{
	if (packet.len > sizeof(e->given))
		return ike_fail_notify(err, IKE_NOTIFY_AUTHENTICATION_FAILED,
				       "an EAP packet of %zu bytes, %d are the most", packet.len,
				       IKE_EAP_PACKET_MAX);
	if (packet.len)
		memcpy(e->given, packet.p, packet.len);
	e->given_len = packet.len;
	return true;
}

enum ike_eap_outcome ike_eap_run(struct ike_eap *e, struct ike_error *err)
{
	enum ike_eap_outcome outcome;
	struct ike_writer w;

	e->packet_len = 0;
	if (e->rounds++ >= IKE_EAP_ROUNDS_MAX) {
		ike_fail_notify(err, IKE_NOTIFY_AUTHENTICATION_FAILED,
				"EAP has not ended after %d packets", IKE_EAP_ROUNDS_MAX);
		return IKE_EAP_FAILED;
	}
	ike_writer_init(&w, e->packet, sizeof(e->packet));
	outcome = e->server ? ike_eap_server(e, &w, err) : ike_eap_client(e, &w, err);
	ike_wipe(e->given, e->given_len);
	if (err->text[0])
		err->notify = IKE_NOTIFY_AUTHENTICATION_FAILED;
	if (w.overflow) {
		ike_fail(err, "an EAP packet of ours does not fit");
		return IKE_EAP_FAILED;
	}
	e->packet_len = w.len;
	return outcome;
}

struct ike_bytes ike_eap_packet(const struct ike_eap *e)
{
	return ike_bytes(e->packet, e->packet_len);
}

const struct ike_key *ike_eap_msk(const struct ike_eap *e)
{
	return &e->msk;
}

struct stack_st_X509 *ike_eap_take_chain(struct ike_eap *e)
{
	return e->method && e->method->take_chain ? e->method->take_chain(e) : NULL;
}

char *ike_eap_user(const struct ike_eap *e, char *buf, size_t cap)
{
	struct ike_text t;

	ike_text_init(&t, buf, cap);
	ike_text_add_printable(&t, (const uint8_t *)e->name, strlen(e->name));
	return buf;
}

char *ike_eap_text(const struct ike_eap *e, char *buf, size_t cap)
{
	const char *detail = NULL;
	struct ike_text t;

	if (e->method && e->method->detail)
		detail = e->method->detail(e);
	ike_text_init(&t, buf, cap);
	ike_text_add(&t, "%s%s%s%s as ",
		     e->method		  ? e->method->name
		     : e->cfg->eap_radius ? "eap-radius"
					  : "EAP",
		     detail ? " (" : "",
		     detail ? detail : "", detail ? ")" : "");
	ike_text_add_printable(&t, (const uint8_t *)e->name, strlen(e->name));
	return buf;
}
