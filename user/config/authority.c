// SPDX-License-Identifier: MIT
/* Where to ask whether certificates have been revoked: authorities.<name>. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <openssl/objects.h>

#include "draft.h"

#define AUTHORITY(key, member) { key, keep_setting, offsetof(struct authority_draft, member), NULL }
#define LATER(key) { .name = key }

enum {
	WORDS_MAX = 16,		/* in one list */
};

struct authority_draft {
	const struct setting *cacert, *file, *crl_uris, *ocsp_uris;
};

static void keep_setting(const struct key_call *call)
{
	*(const struct setting **)call->field = call->setting;
}

static const struct key_def authority_keys[] = {
	AUTHORITY("cacert", cacert),
	AUTHORITY("file", file),
	AUTHORITY("crl_uris", crl_uris),
	AUTHORITY("ocsp_uris", ocsp_uris),
	{ .name = "cert_uri_base", .arg = "certificates themselves are sent, never a place to get them "
	  "from (hash and URL)" },
	LATER("handle"),
	LATER("slot"),
	LATER("module"),
};

const struct key_table authority_table = {
	"authorities.<name>", authority_keys, KEY_COUNT(authority_keys), NULL, 0,
};

void load_words(struct load *l, const struct setting *from, char ***list, size_t *n)
{
	char *copy = strdup(from->value), *at = copy, *word, **grown;

	while (copy && (word = strsep(&at, ", \t\n"))) {
		if (!*word)
			continue;
		if (*n == WORDS_MAX) {
			cfg_error(l->errors, &from->where, "%s: more than %d", from->key, WORDS_MAX);
			break;
		}
		grown = list_grow(l, *list, *n, sizeof(*grown));
		if (!grown)
			break;
		*list = grown;
		grown[*n] = strdup(word);
		if (!grown[*n])
			break;
		++*n;
	}
	l->errors->no_memory |= !copy || (at && *n != WORDS_MAX);
	free(copy);
}

static bool is_http(const char *uri)
{
	static const char scheme[] = "http://";
	const char *at;

	for (at = uri; *at; at++)
		if (*at <= ' ' || *at > '~')
			return false;
	return !strncasecmp(uri, scheme, sizeof(scheme) - 1) && strlen(uri) < IKE_URI_MAX;
}

static void load_uris(struct load *l, const struct setting *from, const char *instead, char ***list,
		      size_t *n)
{
	size_t i;

	if (!from)
		return;
	load_words(l, from, list, n);
	for (i = 0; i < *n; i++)
		if (!is_http((*list)[i]))
			cfg_error(l->errors, &from->where, "%s: \"%s\" does not begin with http://, "
				  "and nothing else is asked%s", from->key, (*list)[i], instead);
}

/* What vouches for nobody is no authority; else it is an anchor, named here or in x509ca. */
static void add_anchor(struct load *l, struct ike_cert *cert)
{
	struct ike_cert_list *anchors = &l->out->ike->anchors;
	struct ike_cert **grown;
	size_t i;

	for (i = 0; i < anchors->n; i++)
		if (ike_cert_equal(anchors->list[i], cert))
			return;
	grown = list_grow(l, anchors->list, anchors->n, sizeof(*grown));
	if (!grown)
		return;
	anchors->list = grown;
	grown[anchors->n++] = ike_cert_ref(cert);
}

static void load_cert(struct load *l, const struct section *s, const struct authority_draft *d,
		      struct ike_authority_cfg *a)
{
	const struct setting *from = d->cacert ? d->cacert : d->file;
	struct ike_cert_list certs = { 0 };
	size_t i;

	if (!from || (d->cacert && d->file)) {
		cfg_error(l->errors, from ? &d->file->where : &s->where, "authority \"%s\": one of "
			  "cacert and file is needed", s->name);
		return;
	}
	if (from == d->file && *from->value != '/') {
		cfg_error(l->errors, &from->where, "file: \"%s\" is no absolute path; cacert may be "
			  "beside the configuration, in x509ca", from->value);
		return;
	}
	load_named_certs(l, from, "x509ca", &certs);
	if (certs.n > 1)
		cfg_error(l->errors, &from->where, "%s: one certificate, not %zu", from->key,
			  certs.n);
	if (certs.n && !certs.list[0]->ca)
		cfg_error(l->errors, &from->where, "%s: %s is not the certificate of an authority "
			  "(basicConstraints, keyUsage)", from->key, from->value);
	if (certs.n) {
		a->cert = ike_cert_ref(certs.list[0]);
		add_anchor(l, a->cert);
	}
	for (i = 0; i < certs.n; i++)
		ike_cert_unref(certs.list[i]);
	free(certs.list);
}

void load_authority(struct load *l, const struct section *s)
{
	struct ike_config *config = l->out->ike;
	struct authority_draft d = { 0 };
	struct ike_authority_cfg *list, *a;
	size_t before = l->errors->n_errors;

	list = list_grow(l, config->authorities, config->n_authorities, sizeof(*list));
	if (!list)
		return;
	config->authorities = list;
	a = &list[config->n_authorities++];
	*a = (struct ike_authority_cfg){ .name = strdup(s->name) };
	if (!a->name)
		l->errors->no_memory = true;
	keys_apply(&authority_table, s, &d, l->errors);
	load_cert(l, s, &d, a);
	l->doubtful = l->doubtful || l->errors->n_errors != before;
	load_uris(l, d.crl_uris, "; CRLs of files go to x509crl", &a->crl_uris, &a->n_crl_uris);
	load_uris(l, d.ocsp_uris, "", &a->ocsp_uris, &a->n_ocsp_uris);
}

/* connections.<conn>.remote */

void load_policies(struct load *l, const struct setting *from, struct ike_auth_cfg *auth)
{
	ASN1_OBJECT *oid;
	size_t i;

	if (!from)
		return;
	load_words(l, from, &auth->policies, &auth->n_policies);
	for (i = 0; i < auth->n_policies; i++) {
		oid = OBJ_txt2obj(auth->policies[i], 1);
		if (!oid)
			cfg_error(l->errors, &from->where, "cert_policy: \"%s\" is no OID (such as "
				  "1.3.6.1.4.1.36906.1)", auth->policies[i]);
		ASN1_OBJECT_free(oid);
	}
}
