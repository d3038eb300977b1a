// SPDX-License-Identifier: MIT
/*
 * Keys and certificates from files, found where swanctl.conf(5) has them: in directories beside the
 * configuration.
 *
 *	x509		certificates of ends, and intermediate ones
 *	x509ca		those of the authorities that we trust
 *	x509crl		CRLs
 *	pubkey		raw public keys, for those who name them
 *	private, rsa, ecdsa, pkcs8	private keys
 *	pkcs12		containers of a private key and its certificates
 *
 * No message of this file holds a passphrase.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "draft.h"
#include "ikev2/crypto/pkcs12.h"
#include "ikev2/crypto/secret.h"

enum {
	FILE_MAX = 1 << 20,
	FILES_MAX = 10000,			/* in one directory */
};

/* secrets.private<suffix> and the like: the passphrase of a file. */
struct passphrase {
	const struct setting *file, *secret;
};

static void keep_setting(const struct key_call *call)
{
	*(const struct setting **)call->field = call->setting;
}

static const struct key_def file_keys[] = {
	{ "file", keep_setting, offsetof(struct passphrase, file), NULL },
	{ "secret", keep_setting, offsetof(struct passphrase, secret), NULL },
};

const struct key_table file_table = {
	"secrets.private, rsa, ecdsa, pkcs8 or pkcs12<suffix>", file_keys, KEY_COUNT(file_keys),
	NULL, 0,
};

/* Files */

struct content {
	struct ike_bytes bytes;
	char *buf;
	size_t size;
};

static void content_free(struct content *c)
{
	if (c->buf)
		ike_wipe(c->buf, c->size);
	free(c->buf);
}

/* What a client of VICI has sent in place of a file. */
static bool read_blob(struct load *l, const struct extra_blob *blob, struct content *c,
		      struct stat *st)
{
	*st = (struct stat){ 0 };
	*c = (struct content){ .buf = malloc(blob->len + 1), .size = blob->len + 1 };
	if (!c->buf) {
		l->errors->no_memory = true;
		return false;
	}
	memcpy(c->buf, blob->bytes, blob->len);
	c->bytes = ike_bytes(c->buf, blob->len);
	return true;
}

/* @why: where to report that it cannot be read. False after an error. */
static bool read_large(struct load *l, const char *path, const struct cfg_where *why, size_t max,
		       struct content *c, struct stat *st)
{
	const struct extra_blob *blob = extra_blob(l->extra, path);
	ssize_t len = -1;
	int fd;

	if (blob)
		return read_blob(l, blob, c, st);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	*c = (struct content){ .buf = malloc(max + 1), .size = max + 1 };
	if (!c->buf)
		l->errors->no_memory = true;
	else if (fd < 0 || fstat(fd, st) ||
		 (len = settings_read(fd, c->buf, max + 1)) < 0)
		cfg_error(l->errors, why, "cannot read %s: %s", path, strerror(errno));
	else if ((size_t)len > max)
		cfg_error(l->errors, why, "%s is larger than %zu bytes", path, max);
	else
		c->bytes = ike_bytes(c->buf, len);
	if (fd >= 0)
		close(fd);
	if (c->bytes.p)
		return true;
	content_free(c);
	return false;
}

static bool read_file(struct load *l, const char *path, const struct cfg_where *why,
		      struct content *c, struct stat *st)
{
	return read_large(l, path, why, FILE_MAX, c, st);
}

/* Lists */

/* Takes the reference @c over. */
static void add_cert(struct load *l, struct ike_cert_list *list, struct ike_cert *c)
{
	struct ike_cert **grown = list_grow(l, list->list, list->n, sizeof(*grown));

	if (!grown) {
		ike_cert_unref(c);
		return;
	}
	list->list = grown;
	grown[list->n++] = c;
}

static void add_key(struct load *l, struct ike_pkey_list *list, struct ike_pkey *k)
{
	struct ike_pkey **grown = list_grow(l, list->list, list->n, sizeof(*grown));

	if (!grown) {
		ike_pkey_unref(k);
		return;
	}
	list->list = grown;
	grown[list->n++] = k;
}

/* All certificates of a file: the first into @list, those behind it, its issuers, into @rest. */
static void add_certs(struct load *l, const char *path, const struct cfg_where *why,
		      struct ike_cert_list *list, struct ike_cert_list *rest)
{
	struct ike_bytes at;
	struct ike_error err;
	struct content c;
	struct ike_cert *cert;
	struct stat st;

	if (!read_file(l, path, why, &c, &st))
		return;
	at = c.bytes;
	do {
		cert = ike_cert_read(&at, &err);
		if (cert)
			add_cert(l, list, cert);
		else
			cfg_error(l->errors, why, "%s: %s", path, err.text);
		list = rest;
	} while (cert && at.len);
	content_free(&c);
}

/* Directories */

struct directory {
	const char *name;
	void (*add)(struct load *l, const char *path, const struct cfg_where *where,
		    const char *passphrase);
};

static void add_x509(struct load *l, const char *path, const struct cfg_where *where,
		     const char *passphrase)
{
	add_certs(l, path, where, &l->out->ike->certs, &l->out->ike->certs);
}

static void add_x509ca(struct load *l, const char *path, const struct cfg_where *where,
		       const char *passphrase)
{
	struct ike_cert_list *anchors = &l->out->ike->anchors;
	size_t i = anchors->n;

	add_certs(l, path, where, anchors, anchors);
	for (; i < anchors->n; i++)
		if (!anchors->list[i]->ca)
			cfg_warning(l->errors, where, "holds a certificate that is not of an "
				    "authority (basicConstraints, keyUsage): it vouches for "
				    "nobody");
}

static void add_x509crl(struct load *l, const char *path, const struct cfg_where *where,
			const char *passphrase)
{
	struct ike_crl_list *crls = &l->out->ike->crls;
	struct X509_crl_st **grown = list_grow(l, crls->list, crls->n, sizeof(*grown));
	struct ike_error err;
	struct content c;
	struct stat st;

	if (grown)
		crls->list = grown;
	if (!grown || !read_large(l, path, where, IKE_CRL_MAX, &c, &st))
		return;
	grown[crls->n] = ike_crl_parse(c.bytes, &err);
	if (grown[crls->n])
		crls->n++;
	else
		cfg_error(l->errors, where, "%s", err.text);
	content_free(&c);
}

static void warn_of_readers(struct load *l, const struct cfg_where *where, const struct stat *st)
{
	if (st->st_mode & S_IRWXO)
		cfg_warning(l->errors, where, "holds a private key, and everybody may read it");
}

static void add_private(struct load *l, const char *path, const struct cfg_where *where,
			const char *passphrase)
{
	struct ike_error err;
	struct ike_pkey *key;
	struct content c;
	struct stat st;
	bool locked;

	if (!read_file(l, path, where, &c, &st))
		return;
	warn_of_readers(l, where, &st);
	key = ike_pkey_read_private(c.bytes, passphrase, &locked, &err);
	content_free(&c);
	if (key)
		add_key(l, &l->out->ike->keys, key);
	else
		cfg_error(l->errors, where, "%s%s", err.text, locked && !passphrase ?
			  ": add secrets { private { file = ... secret = ... } }" : "");
}

static void add_pkcs12(struct load *l, const char *path, const struct cfg_where *where,
		       const char *passphrase)
{
	struct ike_pkcs12 p12;
	struct ike_error err;
	struct content c;
	struct stat st;
	size_t i;

	if (!read_file(l, path, where, &c, &st))
		return;
	warn_of_readers(l, where, &st);
	if (ike_pkcs12_read(c.bytes, passphrase, &p12, &err)) {
		add_key(l, &l->out->ike->keys, p12.key);
		for (i = 0; i < p12.n; i++)
			add_cert(l, &l->out->ike->certs, p12.certs[i]);
	} else {
		cfg_error(l->errors, where, "%s", err.text);
	}
	content_free(&c);
}

static const struct directory directories[] = {
	{ "x509", add_x509 }, { "x509ca", add_x509ca }, { "x509crl", add_x509crl },
	{ "private", add_private }, { "rsa", add_private }, { "ecdsa", add_private },
	{ "pkcs8", add_private }, { "pkcs12", add_pkcs12 },
};

/* Beside the configuration; malloc()ed, NULL without memory. */
static char *beside(struct load *l, const char *directory, const char *name)
{
	char *copy = strdup(l->path), *path = NULL;

	if (!copy || asprintf(&path, "%s/%s%s%s", dirname(copy), directory, *name ? "/" : "",
			      name) < 0) {
		l->errors->no_memory = true;
		path = NULL;
	}
	free(copy);
	return path;
}

/* What the secrets have for @file of the directory; NULL: nothing. */
static const char *passphrase_of(struct load *l, const struct section *secrets,
				 const struct directory *d, const char *file)
{
	const struct setting *name, *secret;
	char pattern[16];
	size_t i;

	snprintf(pattern, sizeof(pattern), "%s*", d->name);
	for (i = 0; secrets && i < secrets->n_sections; i++) {
		if (!key_matches(pattern, secrets->sections[i]->name))
			continue;
		name = section_value(secrets->sections[i], "file");
		secret = section_value(secrets->sections[i], "secret");
		if (name && name->value && !strcmp(name->value, file) && secret)
			return secret->value;
	}
	return NULL;
}

static int visible_file(const struct dirent *entry)
{
	return entry->d_name[0] != '.' && entry->d_type != DT_DIR;
}

static void load_directory(struct load *l, const struct section *secrets,
			   const struct directory *d)
{
	char *path = beside(l, d->name, "");
	struct dirent **entries = NULL;
	struct cfg_where where = { 0 };
	int n, i;

	n = path ? scandir(path, &entries, visible_file, alphasort) : 0;
	if (n < 0 && errno != ENOENT && errno != ENOTDIR) {
		where.file = settings_keep_name(l->settings, path);
		cfg_error(l->errors, &where, "cannot read: %s", strerror(errno));
	}
	for (i = 0; i < n; i++) {
		char *file = i < FILES_MAX ? beside(l, d->name, entries[i]->d_name) : NULL;

		where.file = file ? settings_keep_name(l->settings, file) : NULL;
		if (where.file)
			d->add(l, file, &where, passphrase_of(l, secrets, d, entries[i]->d_name));
		free(file);
		free(entries[i]);
	}
	free(entries);
	free(path);
}

/* A passphrase for a file that is not there is a slip of the fingers. */
static void check_passphrase(struct load *l, const struct section *s, const struct directory *d)
{
	struct passphrase p = { 0 };
	char *path;

	keys_apply(&file_table, s, &p, l->errors);
	if (!p.file || !p.secret) {
		cfg_error(l->errors, &s->where, "section \"%s\" has no %s", s->name,
			  p.file ? "secret" : "file");
		return;
	}
	if (!l->path)
		return;
	path = beside(l, d->name, p.file->value);
	if (path && access(path, F_OK))
		cfg_error(l->errors, &p.file->where, "file: there is no %s", path);
	free(path);
}

/* As if they lay in one of the directories. */
static void add_extra(struct load *l)
{
	struct ike_config *config = l->out->ike;
	const struct config_extra *x = l->extra;
	bool ok = true;
	size_t i;

	for (i = 0; x && i < x->certs.n; i++)
		ok = extra_add_cert(&config->certs, x->certs.list[i]) && ok;
	for (i = 0; x && i < x->anchors.n; i++)
		ok = extra_add_cert(&config->anchors, x->anchors.list[i]) && ok;
	for (i = 0; x && i < x->keys.n; i++)
		ok = extra_add_key(&config->keys, x->keys.list[i]) && ok;
	l->errors->no_memory |= !ok;
}

void load_credentials(struct load *l, const struct section *secrets)
{
	size_t before = l->errors->n_errors, i, k;
	char pattern[16];

	for (i = 0; i < KEY_COUNT(directories); i++) {
		/* Certificates and CRLs have no passphrases. */
		bool public = !strncmp(directories[i].name, "x509", 4);

		snprintf(pattern, sizeof(pattern), "%s*", directories[i].name);
		for (k = 0; secrets && k < secrets->n_sections && !public; k++)
			if (key_matches(pattern, secrets->sections[k]->name))
				check_passphrase(l, secrets->sections[k], &directories[i]);
		if (l->path)
			load_directory(l, secrets, &directories[i]);
	}
	add_extra(l);
	l->doubtful = l->errors->n_errors != before;
}

/* What keys of connections name */

typedef void add_named(struct load *l, const char *path, const struct cfg_where *where, void *list);

static void add_named_cert(struct load *l, const char *path, const struct cfg_where *where,
			   void *list)
{
	add_certs(l, path, where, list, &l->out->ike->certs);
}

static void add_named_pubkey(struct load *l, const char *path, const struct cfg_where *where,
			     void *list)
{
	struct ike_error err;
	struct ike_pkey *key;
	struct content c;
	struct stat st;

	if (!read_file(l, path, where, &c, &st))
		return;
	key = ike_pkey_read_public(c.bytes, &err);
	if (key)
		add_key(l, list, key);
	else
		cfg_error(l->errors, where, "%s: %s", path, err.text);
	content_free(&c);
}

static void load_named(struct load *l, const struct setting *names, const char *directory,
		       add_named *add, void *list)
{
	char *copy = names ? strdup(names->value) : NULL, *at = copy, *name, *path;

	if (names && !copy)
		l->errors->no_memory = true;
	while (copy && (name = strsep(&at, ","))) {
		name += strspn(name, " \t\n");
		name[strcspn(name, " \t\n")] = '\0';
		if (!*name)
			continue;
		if (extra_blob(l->extra, name)) {
			add(l, name, &names->where, list);
			continue;
		}
		if (*name != '/' && !l->path) {
			cfg_error(l->errors, &names->where, "%s: %s is beside no file", names->key,
				  name);
			continue;
		}
		path = *name == '/' ? strdup(name) : beside(l, directory, name);
		if (path)
			add(l, path, &names->where, list);
		else
			l->errors->no_memory = true;
		free(path);
	}
	free(copy);
}

void load_named_certs(struct load *l, const struct setting *names, const char *directory,
		      struct ike_cert_list *list)
{
	load_named(l, names, directory, add_named_cert, list);
}

void load_named_pubkeys(struct load *l, const struct setting *names, struct ike_pkey_list *list)
{
	load_named(l, names, "pubkey", add_named_pubkey, list);
}
