// SPDX-License-Identifier: MIT
/*
 * Pre-shared keys: secrets.ike<suffix> and secrets.ppk<suffix>; passwords: secrets.eap<suffix>,
 * or their hashes: secrets.ntlm<suffix>. No message of this file holds a secret.
 */
#include <stdlib.h>
#include <string.h>

#include "draft.h"
#include "ikev2/crypto/mschapv2.h"
#include "ikev2/eap/eap.h"
#include "value.h"

static void set_secret(const struct key_call *call)
{
	struct ike_secret_cfg *secret = call->object;
	const char *why;

	if (!value_secret(call->setting->value, &secret->key, &secret->key_len, &why))
		key_error(call, "%s", why);
}

static void add_id(const struct key_call *call)
{
	struct ike_secret_cfg *secret = call->object;
	struct ike_error err;
	struct ike_id id = { 0 }, *list;

	if (!ike_id_parse(call->setting->value, &id, &err)) {
		key_error(call, "%s", err.text);
		return;
	}
	list = reallocarray(secret->ids, secret->n_ids + 1, sizeof(*list));
	if (!list) {
		call->errors->no_memory = true;
		return;
	}
	secret->ids = list;
	list[secret->n_ids++] = id;
}

static const struct key_def secret_keys[] = {
	{ "secret", set_secret, 0, NULL },
	{ "id*", add_id, 0, NULL },
};

const struct key_table secret_table = {
	"secrets.ike<suffix>", secret_keys, KEY_COUNT(secret_keys), NULL, 0,
};

static void check_secret(struct load *l, const struct section *s)
{
	const struct setting *secret = section_value(s, "secret");

	if (!secret || !secret->value)
		cfg_error(l->errors, &s->where, "section \"%s\" has no secret", s->name);
}

void load_secret(struct load *l, const struct section *s)
{
	struct ike_config *config = l->out->ike;
	struct ike_secret_cfg *list, *secret;

	list = list_grow_long(l, config->secrets, config->n_secrets, sizeof(*list));
	if (!list)
		return;
	config->secrets = list;
	secret = &list[config->n_secrets++];
	*secret = (struct ike_secret_cfg){ 0 };
	keys_apply(&secret_table, s, secret, l->errors);
	check_secret(l, s);
}

/* Post-quantum pre-shared keys (RFC 8784): as the others, but each has a name. */

const struct key_table ppk_table = {
	"secrets.ppk<suffix>", secret_keys, KEY_COUNT(secret_keys), NULL, 0,
};

void load_ppk(struct load *l, const struct section *s)
{
	struct ike_config *config = l->out->ike;
	struct ike_secret_cfg *list, *secret;

	list = list_grow(l, config->ppks, config->n_ppks, sizeof(*list));
	if (!list)
		return;
	config->ppks = list;
	secret = &list[config->n_ppks++];
	*secret = (struct ike_secret_cfg){ 0 };
	keys_apply(&ppk_table, s, secret, l->errors);
	check_secret(l, s);
	if (!secret->n_ids)
		cfg_error(l->errors, &s->where, "section \"%s\" has no id: nothing could name it",
			  s->name);
}

/* Users of EAP */

static void set_password(const struct key_call *call)
{
	struct ike_eap_secret_cfg *secret = call->object;
	const char *why;

	if (!value_secret(call->setting->value, &secret->key, &secret->key_len, &why))
		key_error(call, "%s", why);
}

static void add_user(const struct key_call *call)
{
	struct ike_eap_secret_cfg *secret = call->object;
	char *name = strdup(call->setting->value), **list;

	if (strlen(call->setting->value) >= IKE_EAP_NAME_MAX)
		key_error(call, "a user's name has at most %d bytes", IKE_EAP_NAME_MAX - 1);
	list = reallocarray(secret->ids, secret->n_ids + 1, sizeof(*list));
	if (list)
		secret->ids = list;
	if (!list || !name) {
		call->errors->no_memory = true;
		free(name);
		return;
	}
	list[secret->n_ids++] = name;
}

static const struct key_def eap_secret_keys[] = {
	{ "secret", set_password, 0, NULL },
	{ "id*", add_user, 0, NULL },
};

const struct key_table eap_secret_table = {
	"secrets.eap<suffix>", eap_secret_keys, KEY_COUNT(eap_secret_keys), NULL, 0,
};

static void set_hash(const struct key_call *call)
{
	struct ike_eap_secret_cfg *secret = call->object;

	set_password(call);
	if (secret->key && secret->key_len != IKE_MSCHAP_HASH_LEN)
		key_error(call, "an NT hash has %d bytes, behind 0x or 0s, not %zu",
			  IKE_MSCHAP_HASH_LEN, secret->key_len);
}

static const struct key_def ntlm_secret_keys[] = {
	{ "secret", set_hash, 0, NULL },
	{ "id*", add_user, 0, NULL },
};

const struct key_table ntlm_secret_table = {
	"secrets.ntlm<suffix>", ntlm_secret_keys, KEY_COUNT(ntlm_secret_keys), NULL, 0,
};

static void load_user(struct load *l, const struct section *s, const struct key_table *table,
		      bool nt_hash)
{
	struct ike_config *config = l->out->ike;
	struct ike_eap_secret_cfg *list, *secret;

	list = list_grow_long(l, config->eap_secrets, config->n_eap_secrets, sizeof(*list));
	if (!list)
		return;
	config->eap_secrets = list;
	secret = &list[config->n_eap_secrets++];
	*secret = (struct ike_eap_secret_cfg){ .nt_hash = nt_hash };
	keys_apply(table, s, secret, l->errors);
	check_secret(l, s);
}

void load_eap_secret(struct load *l, const struct section *s)
{
	load_user(l, s, &eap_secret_table, false);
}

void load_ntlm_secret(struct load *l, const struct section *s)
{
	load_user(l, s, &ntlm_secret_table, true);
}
