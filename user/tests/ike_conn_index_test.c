// SPDX-License-Identifier: MIT
/* The index of connections finds what looking at all of them finds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config/load.h"
#include "ikev2/conn.h"
#include "ikev2/conn_index.h"

enum { PEERS = 500, IDS_MAX = 40 };

/* Peers by name, by pattern, by address, by key ID, by distinguished name, and anybody; some are said twice. */
static struct ike_config *make_config(void)
{
	static const char *const odd[] = {
		"*.example.org", "%any", "C7.EXAMPLE.ORG", "192.0.2.77", "keyid:0x0102", "c7@example.org",
		"*@example.org", "\"C=CH, CN=c7\"", "\"C=CH, CN=*\"", "c8.example.org",
	};
	struct cfg_errors errors = { 0 };
	struct daemon_config *loaded;
	struct ike_config *config;
	size_t len, i;
	char *text;
	FILE *out = open_memstream(&text, &len);

	fprintf(out, "connections {\n");
	for (i = 0; i < sizeof(odd) / sizeof(*odd); i++)
		fprintf(out, "odd%zu {\n remote_addrs = 198.51.100.%zu\n local {\n auth = psk\n }\n remote {\n auth = psk\n"
			     " id = %s\n } }\n", i, i % 3, odd[i]);
	for (i = 1; i <= PEERS; i++)
		fprintf(out, "c%zu {\n local {\n auth = psk\n }\n remote {\n auth = psk\n id = c%zu.example.org\n } }\n", i, i);
	fprintf(out, "}\nsecrets { ike {\n secret = x\n } }\n");
	fclose(out);
	loaded = config_parse("t.conf", text, len, &errors);
	assert_non_null(loaded);
	config = loaded->ike;
	loaded->ike = NULL;
	config_free(loaded);
	cfg_errors_free(&errors);
	free(text);
	assert_non_null(config->index);
	return config;
}

static void finds_names(void **state)
{
	struct ike_config *config = make_config();

	for (size_t i = 0; i < config->n_conns; i++)
		assert_ptr_equal(ike_config_conn(config, config->conns[i].name), &config->conns[i]);
	assert_null(ike_config_conn(config, "c0"));
	assert_null(ike_config_conn(config, ""));
	ike_config_unref(config);
}

/* How often connection @conn comes up for @id. */
static unsigned int candidate(const struct ike_config *config, const struct ike_id *id,
			      const struct ike_conn_cfg *conn)
{
	const struct ike_conn_cfg *found;
	struct ike_conn_iter iter = { 0 };
	unsigned int n = 0;

	while ((found = ike_conn_of_peer(config, id, &iter)))
		n += found == conn;
	return n;
}

static void finds_peers(void **state)
{
	static const char *const ids[] = {
		"c1.example.org", "c7.example.org", "C7.Example.Org", "c500.example.org", "c501.example.org",
		"nobody.example.net", "192.0.2.77", "192.0.2.78", "keyid:0x0102", "c7@example.org",
		"c7@EXAMPLE.org", "C=CH, CN=c7", "C=CH, CN=c8", "C=DE, CN=c7",
	};
	struct ike_config *config = make_config();
	unsigned int seen, fits;
	struct ike_id id;

	for (size_t i = 0; i < sizeof(ids) / sizeof(*ids); i++) {
		assert_true(ike_id_parse(ids[i], &id, NULL));
		fits = 0;
		for (size_t k = 0; k < config->n_conns; k++) {
			seen = candidate(config, &id, &config->conns[k]);
			assert_in_range(seen, 0, 1);
			if (ike_id_match(&config->conns[k].remote.id, &id)) {
				assert_int_equal(seen, 1);
				fits++;
			}
		}
		/* "%any" does */
		assert_in_range(fits, 1, IDS_MAX);
	}
	ike_config_unref(config);
}

static void looks_at_few(void **state)
{
	struct ike_config *config = make_config();
	struct ike_conn_iter iter = { 0 };
	unsigned int n = 0;
	struct ike_id id;

	assert_true(ike_id_parse("c9.example.org", &id, NULL));
	while (ike_conn_of_peer(config, &id, &iter))
		n++;
	/* the one, those with a wildcard or a distinguished name, and who shares a bucket */
	assert_in_range(n, 1, 5 + 12);
	ike_config_unref(config);
}

/* Three of the odd ones' addresses, and none at all. */
static void tells_kinds_apart(void **state)
{
	struct ike_config *config = make_config();
	const char *const wanted[] = { "odd0", "odd1", "odd2", "c1" };
	const struct ike_conn_cfg *conn;
	size_t i;

	for (i = 0; (conn = ike_conn_distinct(config, i)); i++)
		assert_string_equal(conn->name, wanted[i]);
	assert_int_equal(i, 4);
	ike_config_unref(config);
}

static void does_without(void **state)
{
	struct ike_config *config = make_config();
	struct ike_conn_iter iter = { 0 };
	struct ike_id id = { 0 };
	size_t n = 0;

	ike_conn_index_free(config->index);
	config->index = NULL;
	assert_ptr_equal(ike_config_conn(config, "c3"), &config->conns[12]);
	while (ike_conn_of_peer(config, &id, &iter))
		n++;
	assert_int_equal(n, config->n_conns);
	assert_ptr_equal(ike_conn_distinct(config, n - 1), &config->conns[n - 1]);
	assert_null(ike_conn_distinct(config, n));
	ike_config_unref(config);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_names), cmocka_unit_test(finds_peers),
		cmocka_unit_test(looks_at_few), cmocka_unit_test(tells_kinds_apart),
		cmocka_unit_test(does_without),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
