// SPDX-License-Identifier: MIT
/* How an end authenticates itself: connections.<conn>.local and .remote. */
#include <stdlib.h>
#include <string.h>

#include "draft.h"
#include "ikev2/eap/eap.h"
#include "value.h"

#define AUTH(key, setter, member) { key, setter, offsetof(struct auth_draft, member), NULL }
#define LATER(key) { .name = key }

enum { TOKEN_MAX = 16 };

struct auth_draft {
	struct ike_auth_cfg cfg;
	const struct setting *certs, *cacerts, *pubkeys, *eap_id, *groups, *cert_policy,
		*revocation;
	struct cfg_where where; /* of the section */
	uint32_t round;		/* read by auth_section() */
};

/* Read when the section's other keys are known. */
static void keep_setting(const struct key_call *call)
{
	*(const struct setting **)call->field = call->setting;
}

/* swanctl.conf(5), remote.auth: kinds of keys, each with the least size and hashes behind it. */
static const struct kind {
	const char *word;
	ike_scheme_set schemes;
	bool sized;
	enum ike_pkey_kind kind;		/* if @sized */
} kinds[] = {
	{ "pubkey", IKE_SCHEMES_ALL, false, 0 },
	{ "rsa", 1 << IKE_SCHEME_RSA_SHA1 | 1 << IKE_SCHEME_RSA_SHA2_256 |
		 1 << IKE_SCHEME_RSA_SHA2_384 | 1 << IKE_SCHEME_RSA_SHA2_512 |
		 1 << IKE_SCHEME_PSS_SHA2_256 | 1 << IKE_SCHEME_PSS_SHA2_384 |
		 1 << IKE_SCHEME_PSS_SHA2_512, true, IKE_PKEY_RSA },
	{ "rsa/pss", 1 << IKE_SCHEME_PSS_SHA2_256 | 1 << IKE_SCHEME_PSS_SHA2_384 |
		     1 << IKE_SCHEME_PSS_SHA2_512, true, IKE_PKEY_RSA },
	{ "ecdsa", 1 << IKE_SCHEME_ECDSA_SHA2_256 | 1 << IKE_SCHEME_ECDSA_SHA2_384 |
		   1 << IKE_SCHEME_ECDSA_SHA2_512, true, IKE_PKEY_ECDSA },
	{ "ed25519", 1 << IKE_SCHEME_ED25519, false, 0 },
	{ "ed448", 1 << IKE_SCHEME_ED448, false, 0 },
};

static const struct key_word hashes[] = {
	{ "sha1", IKE_HASH_SHA1 }, { "sha256", IKE_HASH_SHA2_256 },
	{ "sha384", IKE_HASH_SHA2_384 }, { "sha512", IKE_HASH_SHA2_512 },
	{ "identity", IKE_HASH_IDENTITY }, { 0 },
};

/* A kind, and what has been said of it so far. */
struct group {
	const struct kind *kind;
	ike_hash_set hashes;
};

static void end_group(struct ike_auth_cfg *auth, const struct group *g)
{
	enum ike_scheme s;

	for (s = 0; g->kind && s < IKE_SCHEMES; s++)
		if (g->kind->schemes & 1u << s &&
		    (!g->hashes || g->hashes & 1u << ike_scheme_hash(s)))
			auth->schemes |= 1u << s;
	auth->chain_hashes |= g->hashes;
}

static const struct kind *kind_of(const char *word)
{
	size_t i;

	for (i = 0; i < KEY_COUNT(kinds); i++)
		if (!strcmp(kinds[i].word, word))
			return &kinds[i];
	return NULL;
}

/* One word of the list. Returns false when it is none. */
static bool take_token(struct ike_auth_cfg *auth, struct group *g, const char *word)
{
	const struct kind *kind = kind_of(word);
	const struct key_word *hash;
	uint64_t bits;

	if (kind) {
		end_group(auth, g);
		*g = (struct group){ .kind = kind };
		return true;
	}
	for (hash = hashes; g->kind && hash->word; hash++) {
		if (strcmp(hash->word, word))
			continue;
		g->hashes |= 1u << hash->value;
		return true;
	}
	if (!g->kind || !g->kind->sized || !value_number(word, &bits) || bits > UINT16_MAX)
		return false;
	auth->min_bits[g->kind->kind] = bits;
	return true;
}

static bool is_later(const char *text)
{
	static const char *const later[] = { "xauth", "any", "ike:" };
	size_t i;

	for (i = 0; i < KEY_COUNT(later); i++)
		if (!strncmp(text, later[i], strlen(later[i])))
			return true;
	return false;
}

static void set_eap(const struct key_call *call, struct ike_auth_cfg *auth)
{
	const char *name = call->setting->value;

	auth->method = IKE_AUTH_CFG_EAP;
	auth->eap_radius = !strcmp(name, "eap-radius");
	if (!strcmp(name, "eap") || auth->eap_radius)
		return;
	auth->eap_type = ike_eap_type_find(name);
	if (!auth->eap_type)
		key_error(call, "%s is not supported by esplane yet; eap-mschapv2, eap-tls "
			  "and eap-radius are", name);
}

static void set_auth(const struct key_call *call)
{
	const char *at = call->setting->value;
	struct auth_draft *d = call->object;
	struct ike_auth_cfg *auth = &d->cfg;
	struct group g = { 0 };
	char word[TOKEN_MAX];
	size_t len;

	if (!strcmp(at, "psk")) {
		auth->method = IKE_AUTH_CFG_PSK;
		return;
	}
	if (is_later(at)) {
		key_error(call, "%s is not supported by esplane yet; psk, pubkey and eap are", at);
		return;
	}
	if (!strcmp(at, "eap") || !strncmp(at, "eap-", 4)) {
		set_eap(call, auth);
		return;
	}
	for (; *at; at += len + (at[len] == '-')) {
		len = strcspn(at, "-");
		memcpy(word, at, len < TOKEN_MAX ? len : 0);
		word[len < TOKEN_MAX ? len : 0] = '\0';
		if (!take_token(auth, &g, word)) {
			key_error(call, "\"%s\" is no way to authenticate: \"%.*s\" is none of psk, "
				  "pubkey, rsa, rsa/pss, ecdsa, ed25519, ed448, nor a hash or key "
				  "size behind one of them", call->setting->value, (int)len, at);
			return;
		}
	}
	end_group(auth, &g);
	if (!auth->schemes)
		key_error(call, "\"%s\" allows no signature at all", call->setting->value);
}

static void set_revocation(const struct key_call *call)
{
	static const struct key_word words[] = {
		{ "relaxed", IKE_REVOCATION_RELAXED }, { "ifuri", IKE_REVOCATION_IFURI },
		{ "strict", IKE_REVOCATION_STRICT }, { 0 },
	};
	struct auth_draft *d = call->object;
	struct key_call word = *call;

	d->revocation = call->setting;
	word.field = &d->cfg.revocation;
	word.arg = words;
	set_word(&word);
}

static const struct key_def auth_keys[] = {
	AUTH("auth", set_auth, cfg.method),
	AUTH("id", set_id, cfg.id),
	AUTH("certs", keep_setting, certs),
	AUTH("cacerts", keep_setting, cacerts),
	AUTH("pubkeys", keep_setting, pubkeys),
	AUTH("round", set_u32, round),
	LATER("cert*"),
	AUTH("eap_id", keep_setting, eap_id),
	AUTH("aaa_id", set_id, cfg.aaa_id),
	LATER("xauth_id"),
	AUTH("groups", keep_setting, groups),
	AUTH("cert_policy", keep_setting, cert_policy),
	LATER("cacert*"),
	AUTH("ca_id", set_id, cfg.ca_id),
	AUTH("revocation", set_revocation, revocation),
};

static const struct key_def auth_sections[] = {
	LATER("cert*"),
	LATER("cacert*"),
};

const struct key_table auth_table = {
	"connections.<conn>.local or .remote", auth_keys, KEY_COUNT(auth_keys),
	auth_sections, KEY_COUNT(auth_sections),
};

static void load_files(struct load *l, struct auth_draft *d, bool local)
{
	const struct setting *credentials = d->certs ? d->certs : d->pubkeys;

	if (d->cacerts && local)
		cfg_error(l->errors, &d->cacerts->where, "cacerts: belongs in remote");
	if (d->cfg.method == IKE_AUTH_CFG_PSK && credentials)
		cfg_error(l->errors, &credentials->where, "%s: has no meaning with auth = psk",
			  credentials->key);
	if (d->certs && d->pubkeys)
		cfg_error(l->errors, &d->pubkeys->where,
			  "pubkeys: certs are named too; one of both is enough");
	if (d->cfg.eap_type == IKE_EAP_MSCHAPV2 && local && credentials)
		cfg_error(l->errors, &credentials->where, "%s: has no meaning with EAP by a password",
			  credentials->key);
	if (d->cfg.aaa_id.type != IKE_ID_ANY && (!local || d->cfg.method != IKE_AUTH_CFG_EAP))
		cfg_error(l->errors, &d->where, "aaa_id: has no meaning but in local, with "
			  "auth = eap");
	if (d->cfg.method == IKE_AUTH_CFG_EAP && d->pubkeys)
		cfg_error(l->errors, &d->pubkeys->where, "pubkeys: has no meaning with EAP");
	load_named_certs(l, d->certs, "x509", &d->cfg.certs);
	load_named_certs(l, d->cacerts, "x509ca", &d->cfg.cacerts);
	load_named_pubkeys(l, d->pubkeys, &d->cfg.pubkeys);
}

/* What is demanded of the peer's chain. */
static void load_rules(struct load *l, struct auth_draft *d, bool local)
{
	const struct setting *first = d->cert_policy ? d->cert_policy : d->revocation;

	if (first && local)
		cfg_error(l->errors, &first->where, "%s: belongs in remote", first->key);
	else if (first && (d->cfg.method == IKE_AUTH_CFG_PSK || d->pubkeys))
		cfg_error(l->errors, &first->where, "%s: has no meaning without certificates",
			  first->key);
	else if (first && d->certs)
		cfg_error(l->errors, &first->where, "%s: has no meaning with certs, which need no "
			  "authority", first->key);
	if (d->cfg.ca_id.type != IKE_ID_ANY && (local || d->certs || d->pubkeys ||
						d->cfg.method == IKE_AUTH_CFG_PSK))
		cfg_error(l->errors, &d->where, "ca_id: has no meaning but in remote, with "
			  "certificates that an authority has issued");
	load_policies(l, d->cert_policy, &d->cfg);
}

static void load_eap_id(struct load *l, struct auth_draft *d, bool local)
{
	const struct setting *s = d->eap_id;

	if (!s)
		return;
	if (d->cfg.method != IKE_AUTH_CFG_EAP)
		cfg_error(l->errors, &s->where, "eap_id: has no meaning without auth = eap");
	if (strlen(s->value) >= IKE_EAP_NAME_MAX)
		cfg_error(l->errors, &s->where, "eap_id: a user's name has at most %d bytes",
			  IKE_EAP_NAME_MAX - 1);
	d->cfg.eap_id = strdup(s->value);
	if (!d->cfg.eap_id)
		l->errors->no_memory = true;
	else if (local && ike_eap_asks(&d->cfg))
		cfg_error(l->errors, &s->where, "eap_id: %s is nobody's name", s->value);
}

/* Names may have blanks inside. */
static void split_groups(struct load *l, const struct setting *from, struct ike_auth_cfg *auth)
{
	char *copy = strdup(from->value), *at = copy, *name, **list;
	size_t len;

	while (copy && (name = strsep(&at, ","))) {
		name += strspn(name, " \t\n");
		for (len = strlen(name); len && strchr(" \t\n", name[len - 1]); len--)
			name[len - 1] = '\0';
		if (!len)
			continue;
		list = list_grow(l, auth->groups, auth->n_groups, sizeof(*list));
		if (!list)
			break;
		auth->groups = list;
		list[auth->n_groups] = strdup(name);
		if (!list[auth->n_groups])
			break;
		auth->n_groups++;
	}
	l->errors->no_memory |= !copy || at;
	free(copy);
}

/* strongSwan has them from attribute certificates too. */
static void load_groups(struct load *l, struct auth_draft *d, bool local)
{
	if (!d->groups)
		return;
	if (local || !d->cfg.eap_radius)
		cfg_error(l->errors, &d->groups->where, "groups: has no meaning but in remote, with "
			  "auth = eap-radius: RADIUS names a user's groups (Class)");
	split_groups(l, d->groups, &d->cfg);
}

/* swanctl.conf(5): sorted by number; without one, or if equal, as they stand in the file. */
static unsigned long round_of(const struct section *s)
{
	const struct setting *v = section_value(s, "round");

	return v && v->value ? strtoul(v->value, NULL, 10) : 0;
}

const struct section *auth_section(const struct section *conn, const char *pattern, size_t n)
{
	const struct section *s;
	size_t i, k, before;

	for (i = 0; i < conn->n_sections; i++) {
		s = conn->sections[i];
		if (!key_matches(pattern, s->name))
			continue;
		for (before = k = 0; k < conn->n_sections; k++)
			before += key_matches(pattern, conn->sections[k]->name) &&
				  (round_of(conn->sections[k]) < round_of(s) ||
				   (k < i && round_of(conn->sections[k]) == round_of(s)));
		if (before == n)
			return s;
	}
	return NULL;
}

/* @s: NULL if there is none, and the defaults hold. */
static void load_round(struct load *l, const struct section *s, bool local,
		       struct ike_auth_cfg *auth)
{
	struct auth_draft d = { .cfg = { .method = IKE_AUTH_CFG_PUBKEY } };

	if (s) {
		d.where = s->where;
		keys_apply(&auth_table, s, &d, l->errors);
	}
	load_files(l, &d, local);
	load_eap_id(l, &d, local);
	load_groups(l, &d, local);
	load_rules(l, &d, local);
	*auth = d.cfg;
}

void load_auth(struct load *l, const struct section *conn, const char *pattern,
	       struct ike_auth_cfg *auth, struct ike_auth_more *more)
{
	bool local = !strcmp(pattern, "local*");
	size_t before = l->errors->n_errors;
	const struct section *s;
	struct ike_auth_cfg *list;

	load_round(l, auth_section(conn, pattern, 0), local, auth);
	while ((s = auth_section(conn, pattern, more->n + 1))) {
		if (more->n + 1 == IKE_ROUNDS_MAX) {
			cfg_error(l->errors, &s->where, "section \"%s\": there may be %d rounds of "
				  "authentication", s->name, IKE_ROUNDS_MAX);
			break;
		}
		list = list_grow(l, more->list, more->n, sizeof(*list));
		if (!list)
			break;
		more->list = list;
		load_round(l, s, local, &list[more->n++]);
	}
	l->doubtful = l->doubtful || l->errors->n_errors != before;
}
