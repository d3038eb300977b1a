// SPDX-License-Identifier: MIT
/*
 * Authorities, CRLs of the directory x509crl, and what a connection demands of the peer's chain; what is
 * said of each that is of no use.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include <openssl/pem.h>

#include "config/load.h"
#include "tests/pki.h"

static char dir[64];
static struct pki ca, end;

static FILE *create(const char *name)
{
	char path[160];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	assert_non_null(f);
	return f;
}

static void write_bytes(const char *name, const void *bytes, size_t len)
{
	FILE *f = create(name);

	assert_int_equal(fwrite(bytes, 1, len, f), len);
	fclose(f);
}

static void write_cert(const char *name, const struct pki *p)
{
	FILE *f = create(name);

	assert_int_equal(PEM_write_X509(f, p->cert->x509), 1);
	fclose(f);
}

static void write_crl(const char *name, const struct pki_crl_order *order, bool pem,
		      unsigned int times)
{
	struct pki_der der = pki_crl(order);
	const unsigned char *at = der.p;
	X509_CRL *crl = d2i_X509_CRL(NULL, &at, der.len);
	FILE *f = create(name);

	for (; times; times--)
		assert_int_equal(pem ? PEM_write_X509_CRL(f, crl) : i2d_X509_CRL_fp(f, crl), 1);
	fclose(f);
	X509_CRL_free(crl);
	pki_der_free(&der);
}

static int set_up(void **state)
{
	static const char *const names[] = {"x509ca", "x509crl"};
	char path[160];

	strcpy(dir, "/tmp/esplane-authority-XXXXXX");
	assert_non_null(mkdtemp(dir));
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		assert_int_equal(mkdir(path, 0700), 0);
	}
	ca = pki_ca("CN=CA", NULL);
	end = pki_end(&ca, "CN=end", NULL, NULL);
	write_cert("x509ca/ca.pem", &ca);
	write_cert("end.pem", &end);
	return 0;
}

static int clean_up(void **state)
{
	char command[128];

	pki_free(&ca);
	pki_free(&end);
	snprintf(command, sizeof(command), "rm -r %s", dir);
	return system(command);
}

/* Loads the text, @ in it being the directory, as a file there; says @want, without the directory. */
static struct daemon_config *loads(const char *text, const char *want)
{
	struct cfg_errors errors = {0};
	char said[2048] = "", path[160];
	struct daemon_config *c;
	FILE *f = create("t.conf");
	const char *at;

	for (at = text; *at; at++) {
		if (*at == '@')
			fputs(dir, f);
		else
			fputc(*at, f);
	}
	fclose(f);
	snprintf(path, sizeof(path), "%s/t.conf", dir);
	c = config_load(path, &errors);
	for (size_t i = 0; i < errors.n; i++) {
		at = errors.list[i].text;
		if (!strncmp(at, dir, strlen(dir)))
			at += strlen(dir) + 1;
		strncat(said, at, sizeof(said) - strlen(said) - 1);
		strncat(said, "\n", sizeof(said) - strlen(said) - 1);
	}
	assert_string_equal(said, want);
	cfg_errors_free(&errors);
	return c;
}

static void test_authority(void **state)
{
	const struct ike_authority_cfg *a;
	struct daemon_config *c;

	c = loads("authorities { one { cacert = ca.pem\n crl_uris = http://a/x.crl, HTTP://b/\n"
		  " ocsp_uris = http://[2001:db8::1]:8888/ } }", "");
	assert_non_null(c);
	assert_int_equal(c->ike->n_authorities, 1);
	a = &c->ike->authorities[0];
	assert_string_equal(a->name, "one");
	assert_true(ike_cert_equal(a->cert, ca.cert));
	assert_int_equal(a->n_crl_uris, 2);
	assert_string_equal(a->crl_uris[1], "HTTP://b/");
	assert_int_equal(a->n_ocsp_uris, 1);
	assert_string_equal(a->ocsp_uris[0], "http://[2001:db8::1]:8888/");
	/* It is in x509ca, and an anchor once. */
	assert_int_equal(c->ike->anchors.n, 1);
	config_free(c);
}

/* One that is elsewhere becomes an anchor. */
static void test_elsewhere(void **state)
{
	struct pki other = pki_ca("CN=other", NULL);
	struct daemon_config *c;

	write_cert("other.pem", &other);
	c = loads("authorities { a { file = @/other.pem } }", "");
	assert_non_null(c);
	assert_int_equal(c->ike->anchors.n, 2);
	assert_true(ike_cert_equal(c->ike->anchors.list[1], other.cert));
	config_free(c);
	pki_free(&other);
}

static void test_authority_errors(void **state)
{
	static const struct {
		const char *text, *want;
	} bad[] = {
		{"authorities { a { crl_uris = http://x/ } }",
		 "t.conf:1: authority \"a\": one of cacert and file is needed\n"},
		{"authorities { a { cacert = ca.pem\n file = /x } }",
		 "t.conf:2: authority \"a\": one of cacert and file is needed\n"},
		{"authorities { a { file = ca.pem } }",
		 "t.conf:1: file: \"ca.pem\" is no absolute path; cacert may be beside the "
		 "configuration, in x509ca\n"},
		{"authorities { a { file = @/end.pem } }", NULL},
		{"authorities { a { cacert = ca.pem\n crl_uris = http://x/, ldap://y/ } }",
		 "t.conf:2: crl_uris: \"ldap://y/\" does not begin with http://, and nothing else is "
		 "asked; CRLs of files go to x509crl\n"},
		{"authorities { a { cacert = ca.pem\n ocsp_uris = https://x/ } }",
		 "t.conf:2: ocsp_uris: \"https://x/\" does not begin with http://, and nothing else "
		 "is asked\n"},
		{"authorities { a { cacert = ca.pem\n cert_uri_base = http://x/ } }",
		 "t.conf:2: cert_uri_base: known from strongSwan, not supported by esplane: "
		 "certificates themselves are sent, never a place to get them from (hash and URL)\n"},
		{"authorities { a { cacert = ca.pem\n crl_uri = http://x/ } }",
		 "t.conf:2: unknown key \"crl_uri\"; did you mean \"crl_uris\"?\n"},
	};
	char want[200];

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(want, sizeof(want), "t.conf:1: file: %s/end.pem is not the certificate of "
			 "an authority (basicConstraints, keyUsage)\n", dir);
		assert_null(loads(bad[i].text, bad[i].want ? bad[i].want : want));
	}
}

static void test_crl_files(void **state)
{
	struct daemon_config *c;

	write_crl("x509crl/a.pem", &(struct pki_crl_order){.issuer = &ca}, true, 1);
	write_crl("x509crl/b.der", &(struct pki_crl_order){.issuer = &ca}, false, 1);
	c = loads("", "");
	assert_non_null(c);
	assert_int_equal(c->ike->crls.n, 2);
	config_free(c);
}

static void test_bad_crl_files(void **state)
{
	char want[400];

	write_bytes("x509crl/a", "nothing", 7);
	write_crl("x509crl/b.pem", &(struct pki_crl_order){.issuer = &ca}, true, 2);
	write_crl("x509crl/c.der", &(struct pki_crl_order){.issuer = &ca, .delta = true}, false, 1);
	write_crl("x509crl/d.der", &(struct pki_crl_order){.issuer = &ca}, false, 2);
	write_cert("x509crl/e.pem", &ca);
	{
		struct stat st[3];
		const char *const names[] = {"b.pem", "d.der", "e.pem"};
		char path[160];

		for (size_t i = 0; i < 3; i++) {
			snprintf(path, sizeof(path), "%s/x509crl/%s", dir, names[i]);
			assert_int_equal(stat(path, &st[i]), 0);
		}
		snprintf(want, sizeof(want),
			 "x509crl/a: 7 bytes that are no CRL\n"
			 "x509crl/b.pem: %zu bytes of a CRL, and more behind it\n"
			 "x509crl/c.der: a delta CRL, which is not supported: the whole one is "
			 "needed\n"
			 "x509crl/d.der: %zu bytes of a CRL, and more behind it\n"
			 "x509crl/e.pem: %zu bytes that are no CRL\n",
			 (size_t)st[0].st_size, (size_t)st[1].st_size, (size_t)st[2].st_size);
	}
	assert_null(loads("", want));
}

#define CONN(remote)                                                                              \
	"connections { c { remote_addrs = 192.0.2.2\n local { auth = psk }\n remote { " remote     \
	" }\n children { n { } } } }\nsecrets { ike { secret = x } }"

static void test_demands(void **state)
{
	static const struct {
		const char *word;
		enum ike_revocation_policy policy;
	} words[] = {
		{"auth = pubkey", IKE_REVOCATION_RELAXED},
		{"revocation = relaxed", IKE_REVOCATION_RELAXED},
		{"revocation = ifuri", IKE_REVOCATION_IFURI},
		{"revocation = strict", IKE_REVOCATION_STRICT},
	};
	const struct ike_auth_cfg *r;
	struct daemon_config *c;
	char text[300];

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		snprintf(text, sizeof(text), CONN("%s"), words[i].word);
		c = loads(text, "");
		assert_non_null(c);
		assert_int_equal(c->ike->conns[0].remote.revocation, words[i].policy);
		config_free(c);
	}
	c = loads(CONN("cert_policy = 1.2.3.4, 2.999.1\n ca_id = \"CN=CA\""), "");
	assert_non_null(c);
	r = &c->ike->conns[0].remote;
	assert_int_equal(r->n_policies, 2);
	assert_string_equal(r->policies[1], "2.999.1");
	assert_true(ike_cert_has_id(ca.cert, &r->ca_id));
	config_free(c);
}

static void test_demand_errors(void **state)
{
	static const struct {
		const char *text, *want;
	} bad[] = {
		{CONN("revocation = yes"),
		 "t.conf:3: revocation: \"yes\" is not relaxed, ifuri or strict\n"},
		{CONN("auth = psk\n revocation = strict"),
		 "t.conf:4: revocation: has no meaning without certificates\n"},
		{CONN("cert_policy = any"),
		 "t.conf:3: cert_policy: \"any\" is no OID (such as 1.3.6.1.4.1.36906.1)\n"},
		{CONN("auth = psk\n ca_id = \"CN=CA\""),
		 "t.conf:3: ca_id: has no meaning but in remote, with certificates that an authority "
		 "has issued\n"},
		{"connections { c { remote_addrs = 192.0.2.2\n local { auth = psk\n revocation = ifuri "
		 "}\n remote { auth = psk }\n children { n { } } } }\nsecrets { ike { secret = x } }",
		 "t.conf:3: revocation: belongs in remote\n"},
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_null(loads(bad[i].text, bad[i].want));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_authority, set_up, clean_up),
		cmocka_unit_test_setup_teardown(test_elsewhere, set_up, clean_up),
		cmocka_unit_test_setup_teardown(test_authority_errors, set_up, clean_up),
		cmocka_unit_test_setup_teardown(test_crl_files, set_up, clean_up),
		cmocka_unit_test_setup_teardown(test_bad_crl_files, set_up, clean_up),
		cmocka_unit_test_setup_teardown(test_demands, set_up, clean_up),
		cmocka_unit_test_setup_teardown(test_demand_errors, set_up, clean_up),
	};

	return cmocka_run_group_tests_name("config_authority", tests, NULL, NULL);
}
