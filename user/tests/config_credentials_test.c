// SPDX-License-Identifier: MIT
/*
 * Keys and certificates from the directories beside a configuration, what connections name of them,
 * and what is said of those that are missing, locked or of no use.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>

#include "config/load.h"
#include "tests/pki.h"

static char dir[64];

static const char *path(const char *name)
{
	static char buf[160];

	snprintf(buf, sizeof(buf), "%s/%s", dir, name);
	return buf;
}

static FILE *create(const char *name)
{
	FILE *f = fopen(path(name), "w");

	assert_non_null(f);
	fchmod(fileno(f), 0600);
	return f;
}

static void write_cert(const char *name, const struct pki *p, const struct pki *issuer)
{
	FILE *f = create(name);

	fputs("text in front is passed over\n", f);
	PEM_write_X509(f, p->cert->x509);
	if (issuer)
		PEM_write_X509(f, issuer->cert->x509);
	fclose(f);
}

static void write_key(const char *name, const struct pki *p, const char *passphrase)
{
	FILE *f = create(name);

	PEM_write_PKCS8PrivateKey(f, p->key->evp, passphrase ? EVP_aes_128_cbc() : NULL, passphrase,
				  passphrase ? strlen(passphrase) : 0, NULL, NULL);
	fclose(f);
}

static void write_text(const char *name, const char *text)
{
	FILE *f = create(name);

	fputs(text, f);
	fclose(f);
}

static int set_up(void **state)
{
	static const char *const names[] = {"x509", "x509ca", "private", "pkcs12", "pubkey"};

	strcpy(dir, "/tmp/esplane-credentials-XXXXXX");
	assert_non_null(mkdtemp(dir));
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_int_equal(mkdir(path(names[i]), 0700), 0);
	return 0;
}

static int clean_up(void **state)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -r %s", dir);
	return system(command);
}

/* Loads the text as a file in the directory; says @want, %s in it being the directory. */
static struct daemon_config *loads(const char *text, const char *want)
{
	struct cfg_errors errors = {0};
	struct daemon_config *c;
	char said[4096] = "", full[4096];
	size_t len = 0;

	write_text("t.conf", text);
	c = config_load(path("t.conf"), &errors);
	for (size_t i = 0; i < errors.n; i++) {
		const char *line = errors.list[i].text, *at;

		while ((at = strstr(line, dir))) {
			len += snprintf(said + len, sizeof(said) - len, "%.*s", (int)(at - line),
					line);
			line = at + strlen(dir) + 1;
		}
		len += snprintf(said + len, sizeof(said) - len, "%s\n", line);
	}
	snprintf(full, sizeof(full), "%s", want);
	assert_string_equal(said, full);
	cfg_errors_free(&errors);
	return c;
}

#define CONN(local, remote)                                                                       \
	"connections { c { remote_addrs = 192.0.2.2\n local { " local " }\n remote { " remote      \
	" }\n children { n { } } } }\n"

static void test_directories(void **state)
{
	struct pki ca = pki_ca("CN=CA", NULL), sub = pki_ca("CN=sub", &ca),
		   a = pki_end(&sub, "C=CH, CN=a", "DNS:a.example.org", "P-256");
	struct daemon_config *c;
	struct ike_conn_cfg *conn;

	write_cert("x509ca/ca.pem", &ca, NULL);
	write_cert("x509/a.pem", &a, &sub);
	write_key("private/a.pem", &a, NULL);
	write_text("x509/.hidden", "no certificate");
	/* By name, with its intermediate behind it. */
	c = loads(CONN("certs = a.pem", "id = b.example.org"), "");
	assert_non_null(c);
	conn = &c->ike->conns[0];
	assert_int_equal(conn->local.method, IKE_AUTH_CFG_PUBKEY);
	assert_int_equal(conn->local.certs.n, 1);
	assert_true(ike_cert_equal(conn->local.certs.list[0], a.cert));
	assert_int_equal(c->ike->anchors.n, 1);
	assert_true(ike_cert_equal(c->ike->anchors.list[0], ca.cert));
	assert_int_equal(c->ike->keys.n, 1);
	assert_true(ike_pkey_equal(c->ike->keys.list[0], a.key));
	config_free(c);
	/* By identity; in the certificate's own encoding. */
	c = loads(CONN("id = \"C=ch, CN=A\"\n certs = a.pem", "id = %any\n cacerts = ca.pem"), "");
	assert_non_null(c);
	assert_memory_equal(&c->ike->conns[0].local.id, &a.cert->subject, sizeof(struct ike_id));
	assert_int_equal(c->ike->conns[0].remote.cacerts.n, 1);
	config_free(c);
	c = loads(CONN("id = a.example.org", "auth = pubkey"), "");
	assert_non_null(c);
	config_free(c);
	c = loads(CONN("id = c.example.org\n certs = a.pem", ""),
		  "t.conf:2: connection \"c\": local.id c.example.org is not in its certificate, "
		  "which holds C=CH, CN=a; a.example.org\n");
	assert_non_null(c);
	config_free(c);
	assert_null(loads(CONN("id = c.example.org", ""),
			  "t.conf:2: connection \"c\": we have no certificate for c.example.org "
			  "(local.certs)\n"));
	assert_null(loads(CONN("certs = b.pem", ""),
			  "t.conf:2: cannot read x509/b.pem: No such file or directory\n"));
	assert_null(loads(CONN("auth = rsa\n certs = a.pem", ""),
			  "t.conf:2: connection \"c\": local.auth does not allow the ECDSA-P-256 key "
			  "of our certificate C=CH, CN=a\n"));
	pki_free(&ca);
	pki_free(&sub);
	pki_free(&a);
}

static void test_passphrases(void **state)
{
	struct pki ca = pki_ca("CN=CA", NULL), a = pki_end(&ca, "CN=a", NULL, "RSA");

	write_cert("x509ca/ca.pem", &ca, NULL);
	write_cert("x509/a.pem", &a, NULL);
	write_key("private/a.pem", &a, "open sesame");
	assert_null(loads(CONN("certs = a.pem", ""),
			  "private/a.pem: it is encrypted: add secrets { private { file = ... "
			  "secret = ... } }\n"));
	assert_null(loads(CONN("certs = a.pem", "")
			  "secrets { private-a { file = a.pem\n secret = open } }",
			  "private/a.pem: its passphrase is another\n"));
	assert_null(loads(CONN("certs = a.pem", "")
			  "secrets { private-a { file = b.pem\n secret = open sesame } }",
			  "t.conf:5: file: there is no private/b.pem\n"
			  "private/a.pem: it is encrypted: add secrets { private { file = ... "
			  "secret = ... } }\n"));
	config_free(loads(CONN("certs = a.pem", "")
			  "secrets { private-a { file = a.pem\n secret = open sesame } }", ""));
	assert_null(loads(CONN("certs = a.pem", "")
			  "secrets { private-a { file = a.pem\n secret = open sesame }\n"
			  " rsa { secret = x } }",
			  "t.conf:7: section \"rsa\" has no file\n"));
	pki_free(&ca);
	pki_free(&a);
}

static void test_pkcs12(void **state)
{
	struct pki ca = pki_ca("CN=CA", NULL), a = pki_end(&ca, "CN=a", NULL, "P-384");
	PKCS12 *p12 = PKCS12_create("open sesame", NULL, a.key->evp, a.cert->x509, NULL, 0, 0, 0, 0,
				    0);
	FILE *f = create("pkcs12/a.p12");

	assert_int_equal(i2d_PKCS12_fp(f, p12), 1);
	fclose(f);
	PKCS12_free(p12);
	write_cert("x509ca/ca.pem", &ca, NULL);
	config_free(loads(CONN("id = \"CN=a\"", "")
			  "secrets { pkcs12-a { file = a.p12\n secret = open sesame } }", ""));
	assert_null(loads(CONN("id = \"CN=a\"", ""),
			  "pkcs12/a.p12: it needs a passphrase: add secrets { pkcs12 { file = ... "
			  "secret = ... } }\n"));
	pki_free(&ca);
	pki_free(&a);
}

static void test_raw_keys(void **state)
{
	struct pki a = pki_end(NULL, "CN=a", NULL, "P-256"), b = pki_end(NULL, "CN=b", NULL, NULL);
	struct daemon_config *c;
	FILE *f;

	write_key("private/a.pem", &a, NULL);
	f = create("pubkey/a.pem");
	PEM_write_PUBKEY(f, a.key->evp);
	fclose(f);
	f = create("pubkey/b.der");
	assert_int_equal(i2d_PUBKEY_fp(f, b.key->evp), 1);
	fclose(f);
	c = loads(CONN("id = a\n pubkeys = a.pem", "id = b\n pubkeys = b.der"), "");
	assert_non_null(c);
	assert_true(ike_pkey_equal(c->ike->conns[0].remote.pubkeys.list[0], b.key));
	config_free(c);
	assert_null(loads(CONN("id = a\n pubkeys = b.der", "id = b\n pubkeys = a.pem"),
			  "t.conf:2: connection \"c\": there is no private key for "
			  "local.pubkeys\n"));
	pki_free(&a);
	pki_free(&b);
}

static void test_bad_files(void **state)
{
	struct pki a = pki_end(NULL, "CN=a", NULL, NULL);
	FILE *f;

	write_text("x509/a.pem", "nothing");
	write_text("x509ca/b.der", "\x30\x03\x02\x01\x01");
	write_cert("x509ca/c.pem", &a, NULL);
	write_text("private/d.pem", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n");
	f = create("private/e.pem");
	PEM_write_PrivateKey(f, a.key->evp, NULL, NULL, 0, NULL, NULL);
	fchmod(fileno(f), 0644);
	fclose(f);
	assert_null(loads("",
			  "x509/a.pem: x509/a.pem: 7 bytes that are no X.509 certificate\n"
			  "x509ca/b.der: x509ca/b.der: 5 bytes that are no X.509 certificate\n"
			  "x509ca/c.pem: holds a certificate that is not of an authority "
			  "(basicConstraints, keyUsage): it vouches for nobody\n"
			  "private/d.pem: holds no private key, neither PEM nor DER\n"
			  "private/e.pem: holds a private key, and everybody may read it\n"));
	pki_free(&a);
}

static const struct {
	const char *text;
	ike_scheme_set schemes;
	unsigned int rsa_bits, ec_bits;
	ike_hash_set hashes;
} rules[] = {
	{"pubkey", IKE_SCHEMES_ALL, 0, 0, 0},
	{"ecdsa", 1 << IKE_SCHEME_ECDSA_SHA2_256 | 1 << IKE_SCHEME_ECDSA_SHA2_384 |
		  1 << IKE_SCHEME_ECDSA_SHA2_512, 0, 0, 0},
	{"ed25519", 1 << IKE_SCHEME_ED25519, 0, 0, 0},
	{"rsa/pss-sha384", 1 << IKE_SCHEME_PSS_SHA2_384, 0, 0, 1 << IKE_HASH_SHA2_384},
	{"rsa-sha512", 1 << IKE_SCHEME_RSA_SHA2_512 | 1 << IKE_SCHEME_PSS_SHA2_512, 0, 0,
	 1 << IKE_HASH_SHA2_512},
	{"ecdsa-sha256", 1 << IKE_SCHEME_ECDSA_SHA2_256, 0, 0, 1 << IKE_HASH_SHA2_256},
	{"rsa-3072-sha256-ecdsa-384-sha384",
	 1 << IKE_SCHEME_RSA_SHA2_256 | 1 << IKE_SCHEME_PSS_SHA2_256 |
	 1 << IKE_SCHEME_ECDSA_SHA2_384, 3072, 384,
	 1 << IKE_HASH_SHA2_256 | 1 << IKE_HASH_SHA2_384},
};

/* swanctl.conf(5), remote.auth. */
static void test_rules(void **state)
{
	struct pki ca = pki_ca("CN=CA", NULL);
	struct daemon_config *c;
	char text[400];

	write_cert("x509ca/ca.pem", &ca, NULL);
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		const struct ike_auth_cfg *r;

		snprintf(text, sizeof(text), CONN("auth = psk", "auth = %s")
			 "secrets { ike { secret = x } }", rules[i].text);
		c = loads(text, "");
		assert_non_null(c);
		r = &c->ike->conns[0].remote;
		assert_int_equal(r->schemes, rules[i].schemes);
		assert_int_equal(r->min_bits[IKE_PKEY_RSA], rules[i].rsa_bits);
		assert_int_equal(r->min_bits[IKE_PKEY_ECDSA], rules[i].ec_bits);
		assert_int_equal(r->chain_hashes, rules[i].hashes);
		config_free(c);
	}
	pki_free(&ca);
}

#define RADIUS "radius { servers { main { address = 192.0.2.9\n secret = xyzzy5461 } } }\n"

#define EAP_SECRET "secrets { eap-carol { id = carol\n secret = Ar3etTnp } }\n"

/* The password of one end, the certificate of the other. */
static void test_eap(void **state)
{
	struct pki ca = pki_ca("CN=CA", NULL), own = pki_end(&ca, "CN=b", "DNS:b.example.org", NULL);
	const struct ike_auth_cfg *a;
	struct daemon_config *c;

	write_cert("x509ca/ca.pem", &ca, NULL);
	write_cert("x509/b.pem", &own, NULL);
	write_key("private/b.pem", &own, NULL);
	c = loads(CONN("auth = eap-mschapv2\n eap_id = carol", "id = b.example.org") EAP_SECRET, "");
	assert_non_null(c);
	a = &c->ike->conns[0].local;
	assert_int_equal(a->method, IKE_AUTH_CFG_EAP);
	assert_int_equal(a->eap_type, IKE_EAP_MSCHAPV2);
	assert_string_equal(a->eap_id, "carol");
	assert_int_equal(c->ike->n_eap_secrets, 1);
	assert_int_equal(c->ike->eap_secrets[0].n_ids, 1);
	assert_string_equal(c->ike->eap_secrets[0].ids[0], "carol");
	assert_int_equal(c->ike->eap_secrets[0].key_len, 8);
	assert_memory_equal(c->ike->eap_secrets[0].key, "Ar3etTnp", 8);
	assert_non_null(c->ike->legacy);
	config_free(c);
	/* The identity in IKE is the name; a server may take whom it likes. */
	c = loads(CONN("auth = eap\n id = carol", "id = b.example.org") EAP_SECRET, "");
	assert_non_null(c);
	assert_int_equal(c->ike->conns[0].local.eap_type, 0);
	assert_null(c->ike->conns[0].local.eap_id);
	config_free(c);
	c = loads(CONN("certs = b.pem", "auth = eap-mschapv2\n eap_id = %any") EAP_SECRET, "");
	assert_non_null(c);
	assert_string_equal(c->ike->conns[0].remote.eap_id, "%any");
	config_free(c);
	/* The hash of "clientPass" (RFC 2759 section 9.2) in place of a password. */
	c = loads(CONN("auth = eap-mschapv2\n eap_id = carol", "id = b.example.org")
		  "secrets { ntlm-carol { id = carol\n"
		  "secret = 0x44EBBA8D5312B8D611474411F56989AE } }\n", "");
	assert_non_null(c);
	assert_true(c->ike->eap_secrets[0].nt_hash);
	assert_int_equal(c->ike->eap_secrets[0].key_len, 16);
	assert_int_equal(c->ike->eap_secrets[0].key[15], 0xae);
	config_free(c);
	/* Somebody else knows whom to let in. */
	c = loads(CONN("certs = b.pem", "auth = eap-radius\n eap_id = %any\n groups = staff, net admins") RADIUS
		  "radius { class_group = yes\n nas_identifier = gw\n retransmit_timeout = 0.5\n retransmit_tries = 3\n"
		  "servers { other { address = 2001:db8::9\n auth_port = 1645\n"
		  "secret = 0x0102 } } }\n", "");
	assert_non_null(c);
	assert_true(c->ike->conns[0].remote.eap_radius);
	assert_int_equal(c->ike->conns[0].remote.n_groups, 2);
	assert_string_equal(c->ike->conns[0].remote.groups[0], "staff");
	assert_string_equal(c->ike->conns[0].remote.groups[1], "net admins");
	assert_null(c->ike->legacy);
	assert_string_equal(c->ike->radius.nas_identifier, "gw");
	assert_int_equal(c->ike->radius.timeout_ms, 500);
	assert_int_equal(c->ike->radius.tries, 3);
	assert_int_equal(c->ike->radius.n_servers, 2);
	assert_string_equal(c->ike->radius.servers[0].name, "main");
	assert_int_equal(c->ike->radius.servers[0].port, 1812);
	assert_int_equal(c->ike->radius.servers[0].secret_len, 9);
	assert_int_equal(c->ike->radius.servers[1].addr.family, AF_INET6);
	assert_int_equal(c->ike->radius.servers[1].port, 1645);
	assert_int_equal(c->ike->radius.servers[1].secret_len, 2);
	config_free(c);
	/* Rounds are in the order of their numbers, not of the file. */
	c = loads(CONN("certs = b.pem", "round = 2\n auth = eap-mschapv2\n eap_id = %any }\n"
		       "remote-key { round = 1\n id = a") EAP_SECRET, "");
	assert_non_null(c);
	assert_int_equal(c->ike->conns[0].remote.method, IKE_AUTH_CFG_PUBKEY);
	assert_int_equal(c->ike->conns[0].remote_more.n, 1);
	assert_int_equal(c->ike->conns[0].remote_more.list[0].method, IKE_AUTH_CFG_EAP);
	assert_string_equal(c->ike->conns[0].remote_more.list[0].eap_id, "%any");
	assert_int_equal(c->ike->conns[0].local_more.n, 0);
	config_free(c);
	/* A PPK goes with both. */
	c = loads(CONN("certs = b.pem }\n ppk_id = one\n ppk_required = yes\n local-2 { certs = b.pem",
		       "auth = eap-mschapv2\n eap_id = %any")
		  EAP_SECRET "secrets { ppk { id = one\n secret = x } }", "");
	assert_non_null(c);
	assert_true(c->ike->conns[0].ppk_required);
	assert_int_equal(c->ike->conns[0].local_more.n, 1);
	assert_int_equal(c->ike->conns[0].remote.method, IKE_AUTH_CFG_EAP);
	config_free(c);
	/* By certificates both: no password, no need for old algorithms. */
	c = loads(CONN("auth = eap-tls\n certs = b.pem\n aaa_id = c.example.org", "id = d"), "");
	assert_non_null(c);
	a = &c->ike->conns[0].local;
	assert_int_equal(a->eap_type, IKE_EAP_TLS);
	assert_int_equal(a->certs.n, 1);
	assert_int_equal(a->aaa_id.len, 13);
	assert_null(c->ike->legacy);
	config_free(c);
	c = loads(CONN("certs = b.pem", "auth = eap"), "");
	assert_non_null(c);
	config_free(c);
	c = loads(CONN("auth = psk", "auth = psk") "secrets { ike { secret = x } }", "");
	assert_non_null(c);
	assert_null(c->ike->legacy);
	config_free(c);
	pki_free(&ca);
	pki_free(&own);
}

static void test_eap_errors(void **state)
{
	static const struct {
		const char *text, *want;
	} bad[] = {
		{CONN("auth = eap-md5", "id = b") EAP_SECRET,
		 "t.conf:2: auth: eap-md5 is not supported by esplane yet; eap-mschapv2, eap-tls and eap-radius are\n"},
		{CONN("auth = eap\n id = carol", "auth = psk")
		 EAP_SECRET "secrets { ike { secret = x } }",
		 "t.conf:2: connection \"c\": local.auth is eap, and the other end does not prove "
		 "itself by a signature (auth = pubkey), which RFC 7296 section 2.16 wants\n"},
		{CONN("auth = psk", "auth = eap") EAP_SECRET "secrets { ike { secret = x } }",
		 "t.conf:3: connection \"c\": remote.auth is eap, and the other end does not prove "
		 "itself by a signature (auth = pubkey), which RFC 7296 section 2.16 wants\n"},
		{CONN("auth = eap\n id = dave", "id = b") EAP_SECRET,
		 "t.conf:2: connection \"c\": local.auth is eap, and there is no password of dave: "
		 "add secrets { eap { id = ... secret = ... } }\n"},
		{CONN("auth = eap-mschapv2\n eap_id = carol", "id = b"),
		 "t.conf:2: connection \"c\": local.auth is eap, and there is no password of carol: "
		 "add secrets { eap { id = ... secret = ... } }\n"},
		{CONN("certs = b.pem", "auth = eap-mschapv2"),
		 "t.conf:3: connection \"c\": remote.auth is eap, and there is no password: "
		 "add secrets { eap { id = ... secret = ... } }\n"},
		{CONN("auth = eap\n eap_id = %any", "id = b") EAP_SECRET,
		 "t.conf:2: connection \"c\": local.auth is eap, and there is no password of %any: "
		 "add secrets { eap { id = ... secret = ... } }\n"
		 "t.conf:3: eap_id: %any is nobody's name\n"},
		{CONN("certs = b.pem\n eap_id = carol", "id = b"),
		 "t.conf:3: eap_id: has no meaning without auth = eap\n"},
		{CONN("auth = eap-mschapv2\n eap_id = carol\n certs = b.pem", "id = b") EAP_SECRET,
		 "t.conf:4: certs: has no meaning with EAP by a password\n"},
		{CONN("auth = eap-tls", "id = b"),
		 "t.conf:2: connection \"c\": local.auth is eap-tls and needs local.certs, or an id "
		 "that is in a certificate of x509\n"},
		{CONN("auth = eap-tls\n id = a.example.org", "id = b"),
		 "t.conf:2: connection \"c\": we have no certificate for a.example.org "
		 "(local.certs)\n"},
		{CONN("auth = eap\n pubkeys = b.pub", "id = b") EAP_SECRET,
		 "t.conf:3: pubkeys: has no meaning with EAP\n"
		 "t.conf:3: cannot read pubkey/b.pub: No such file or directory\n"},
		{CONN("certs = b.pem\n aaa_id = c", "id = b"),
		 "t.conf:2: aaa_id: has no meaning but in local, with auth = eap\n"},
		{CONN("certs = b.pem", "auth = eap-mschapv2\n groups = staff") EAP_SECRET,
		 "t.conf:4: groups: has no meaning but in remote, with auth = eap-radius: RADIUS names "
		 "a user's groups (Class)\n"},
		{CONN("certs = b.pem\n groups = staff", "id = b"),
		 "t.conf:3: groups: has no meaning but in remote, with auth = eap-radius: RADIUS names "
		 "a user's groups (Class)\n"},
		{"secrets { ntlm { secret = clientPass } }",
		 "t.conf:1: secret: an NT hash has 16 bytes, behind 0x or 0s, not 10\n"},
		{CONN("auth = eap-radius", "id = b") RADIUS,
		 "t.conf:2: connection \"c\": local.auth is eap-radius, which is for who is asked: "
		 "RADIUS knows the peer, not us\n"},
		{CONN("certs = b.pem", "auth = eap-radius"),
		 "t.conf:3: connection \"c\": remote.auth is eap-radius, and there is no server to "
		 "ask: add radius { servers { NAME { address = ... secret = ... } } }\n"},
		{"radius { servers { a { address = 192.0.2.0/24\n secret = x }\n"
		 "b { address = 192.0.2.9\n port = 0 }\n secret = x\n c { adress = 192.0.2.9\n"
		 "secret = 0sx } }\n retransmit_tries = 11\n accounting = yes }",
		 "t.conf:1: RADIUS server \"a\": address is to be one address\n"
		 "t.conf:3: RADIUS server \"b\" has no secret\n"
		 "t.conf:4: port: \"0\" is no number from 1 to 65535\n"
		 "t.conf:5: key \"secret\" has no meaning here; it belongs in "
		 "radius.servers.<name>\n"
		 "t.conf:6: unknown key \"adress\"; did you mean \"address\"?\n"
		 "t.conf:6: RADIUS server \"c\": address is to be one address\n"
		 "t.conf:6: RADIUS server \"c\" has no secret\n"
		 "t.conf:7: secret: 0s is not followed by base64\n"
		 "t.conf:8: retransmit_tries: must be from 1 to 10\n"
		 "t.conf:9: accounting: known from strongSwan, not supported by esplane yet\n"},
		{"secrets { eap { id = carol } }", "t.conf:1: section \"eap\" has no secret\n"},
		{"secrets { eap { secret = 0xz } }",
		 "t.conf:1: secret: 0x is not followed by pairs of hex digits\n"},
		{"connections { c { remote_addrs = 192.0.2.2\n local { certs = b.pem }\n "
		 "remote { auth = eap }\n children { n { start_action = start } } } }\n" EAP_SECRET,
		 "t.conf:4: child \"n\" is to be initiated, but remote.auth of connection \"c\" is "
		 "eap: only the peer can begin\n"},
	};
	struct pki ca = pki_ca("CN=CA", NULL), own = pki_end(&ca, "CN=b", "DNS:b.example.org", NULL);

	write_cert("x509ca/ca.pem", &ca, NULL);
	write_cert("x509/b.pem", &own, NULL);
	write_key("private/b.pem", &own, NULL);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_null(loads(bad[i].text, bad[i].want));
	pki_free(&ca);
	pki_free(&own);
}

static void test_eap_without_provider(void **state)
{
	struct pki ca = pki_ca("CN=CA", NULL);

	write_cert("x509ca/ca.pem", &ca, NULL);
	setenv("OPENSSL_MODULES", "/nonexistent", 1);
	assert_null(loads(CONN("auth = eap-mschapv2\n id = carol", "id = b") EAP_SECRET,
			  "t.conf:2: connection \"c\": EAP-MSCHAPv2 needs MD4 and DES, and "
			  "OpenSSL's module for them is not there (provider \"legacy\", a file "
			  "legacy.so)\n"));
	unsetenv("OPENSSL_MODULES");
	pki_free(&ca);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_directories, set_up, clean_up),
		cmocka_unit_test_setup_teardown(test_passphrases, set_up, clean_up),
		cmocka_unit_test_setup_teardown(test_pkcs12, set_up, clean_up),
		cmocka_unit_test_setup_teardown(test_raw_keys, set_up, clean_up),
		cmocka_unit_test_setup_teardown(test_bad_files, set_up, clean_up),
		cmocka_unit_test_setup_teardown(test_rules, set_up, clean_up),
		cmocka_unit_test_setup_teardown(test_eap, set_up, clean_up),
		cmocka_unit_test_setup_teardown(test_eap_errors, set_up, clean_up),
		cmocka_unit_test_setup_teardown(test_eap_without_provider, set_up, clean_up),
	};

	return cmocka_run_group_tests_name("config_credentials", tests, NULL, NULL);
}
