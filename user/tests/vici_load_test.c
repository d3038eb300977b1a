// SPDX-License-Identifier: MIT
/*
 * What a client of VICI loads is taken as if it stood in the file, errors included, and beside what
 * does.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config/load.h"
#include "vici/section.h"

static const char file_text[] =
	"connections { filed { remote_addrs = 192.0.2.9\n local { auth = psk }\n"
	" remote { auth = psk }\n children { far { remote_ts = 10.9.0.0/16 } } } }\n"
	"secrets { ike { secret = of-the-file\n id = 192.0.2.9 } }\n";

struct world {
	struct settings *file;
	struct config_extra extra;
};

static int begin(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	struct cfg_errors errors = { 0 };

	extra_init(&w->extra);
	w->file = settings_parse("t.conf", file_text, strlen(file_text), &errors);
	*state = w;
	return errors.n_errors;
}

static int end(void **state)
{
	struct world *w = *state;

	extra_free(&w->extra);
	settings_free(w->file);
	free(w);
	return 0;
}

/* The message that @b holds, as the server reads it. */
static struct vici_node *message(struct vici_builder *b)
{
	struct vici_node *tree;
	struct vici_packet p;
	const char *why = "";
	uint8_t *packet;
	size_t len;

	packet = vici_finish(b, &len, &why);
	assert_string_equal(why, "");
	assert_int_equal(vici_packet_parse(&p, packet + VICI_HEADER_LEN, len - VICI_HEADER_LEN,
					   &why), 0);
	tree = vici_tree_parse(p.body, p.body_len, &why);
	assert_non_null(tree);
	free(packet);
	return tree;
}

static void put_auth(struct vici_builder *b, const char *section, const char *auth)
{
	vici_section(b, section);
	vici_str(b, "auth", auth);
	vici_section_end(b);
}

/* load-conn of "site", with one more key. */
static struct vici_node *site(const char *key, const char *value)
{
	struct vici_builder b;

	vici_begin(&b, VICI_CMD_REQUEST, "load-conn");
	vici_section(&b, "site");
	vici_list(&b, "remote_addrs");
	vici_item(&b, "192.0.2.1");
	vici_item(&b, "192.0.2.2");
	vici_list_end(&b);
	vici_str(&b, key, value);
	put_auth(&b, "local-1", "psk");
	put_auth(&b, "remote-1", "psk");
	vici_section(&b, "children");
	vici_section(&b, "net");
	vici_list(&b, "remote_ts");
	vici_item(&b, "10.2.0.0/24");
	vici_list_end(&b);
	vici_section_end(&b);
	vici_section_end(&b);
	vici_section_end(&b);
	return message(&b);
}

static struct extra_item *take(struct world *w, struct vici_node *args, struct cfg_errors *errors)
{
	struct extra_item *item = vici_load_section(&w->extra, "connections", args, errors);

	vici_tree_free(args);
	if (item)
		TAILQ_INSERT_TAIL(&w->extra.items, item, link);
	return item;
}

static struct daemon_config *build(struct world *w, const char *alone, struct cfg_errors *errors)
{
	return config_build(w->file, NULL, &w->extra, alone, errors);
}

/* @args is refused, by itself or by the whole, with exactly this text. */
static void refused(struct world *w, struct vici_node *args, const char *text)
{
	struct cfg_errors errors = { 0 };

	if (take(w, args, &errors))
		assert_null(build(w, "site", &errors));
	assert_int_equal(errors.n_errors, 1);
	assert_string_equal(errors.list[0].text, text);
	cfg_errors_free(&errors);
}

static void load_secret(struct world *w, const void *data, size_t len, const char *owner)
{
	struct vici_node *args;
	struct extra_item *item;
	struct vici_builder b;
	const char *why = "";

	vici_begin(&b, VICI_CMD_REQUEST, "load-shared");
	vici_str(&b, "id", "unique");
	vici_str(&b, "type", "IKE");
	vici_value(&b, "data", data, len);
	vici_list(&b, "owners");
	vici_item(&b, owner);
	vici_list_end(&b);
	args = message(&b);
	item = vici_load_shared(&w->extra, args, &why);
	vici_tree_free(args);
	assert_non_null(item);
	TAILQ_INSERT_TAIL(&w->extra.items, item, link);
}

static void beside_the_file(void **state)
{
	struct world *w = *state;
	struct cfg_errors errors = { 0 };
	const struct ike_conn_cfg *conn;
	struct daemon_config *c;

	assert_non_null(take(w, site("rekey_time", "2h"), &errors));
	load_secret(w, "a\0b", 3, "192.0.2.1");
	c = build(w, "site", &errors);
	assert_non_null(c);
	assert_non_null(ike_config_conn(c->ike, "filed"));
	conn = ike_config_conn(c->ike, "site");
	assert_non_null(conn);
	assert_int_equal(conn->rekey_time, 2 * 3600);
	assert_int_equal(conn->n_remote_addrs, 2);
	assert_non_null(ike_conn_child(conn, "net"));
	/* Of the file, and the one that was loaded, to the byte. */
	assert_int_equal(c->ike->n_secrets, 2);
	assert_int_equal(c->ike->secrets[1].key_len, 3);
	assert_memory_equal(c->ike->secrets[1].key, "a\0b", 3);
	config_free(c);
	cfg_errors_free(&errors);
}

static void errors_are_as_strict(void **state)
{
	refused(*state, site("rekey_time", "soon"),
		"VICI connections.site: rekey_time: \"soon\" is no time (such as 30, 90s, 15m, 4h or "
		"1d)");
}

static void unknown_keys(void **state)
{
	refused(*state, site("rekey_tme", "1h"),
		"VICI connections.site: unknown key \"rekey_tme\"; did you mean \"rekey_time\"?");
}

static void zero_bytes(void **state)
{
	struct vici_builder b;

	vici_begin(&b, VICI_CMD_REQUEST, "load-conn");
	vici_section(&b, "site");
	vici_section(&b, "local");
	vici_value(&b, "id", "a\0b", 3);
	vici_section_end(&b);
	vici_section_end(&b);
	refused(*state, message(&b),
		"VICI connections.site.local: id: holds a zero byte: this is no text");
}

static void names_with_newlines(void **state)
{
	struct vici_builder b;

	vici_begin(&b, VICI_CMD_REQUEST, "load-conn");
	vici_section(&b, "site\nfake line");
	vici_section_end(&b);
	refused(*state, message(&b),
		"VICI: a name is empty, or has a space or control character in it");
}

static void what_the_file_has(void **state)
{
	struct world *w = *state;
	struct vici_builder b;

	vici_begin(&b, VICI_CMD_REQUEST, "load-conn");
	vici_section(&b, "filed");
	vici_section_end(&b);
	refused(w, message(&b), "VICI connections.filed: t.conf:1 has a section \"filed\" of its "
		"own: change it there and reload");
}

/* For whom it is loaded, and for nobody else. */
static void credentials_may_come_later(void **state)
{
	struct world *w = *state;
	struct cfg_errors errors = { 0 };
	struct daemon_config *c;

	section_free(w->file->root);
	w->file->root = section_new("", 0, &(struct cfg_where){ "t.conf", 0 });
	assert_non_null(take(w, site("mobike", "no"), &errors));
	c = build(w, NULL, &errors);
	assert_non_null(c);
	config_free(c);
	c = build(w, "site", &errors);
	assert_non_null(c);
	assert_int_equal(errors.list[0].severity, CFG_WARNING);
	assert_string_equal(errors.list[0].text, "VICI connections.site: connection \"site\": no "
			    "secret is for peer %any");
	config_free(c);
	cfg_errors_free(&errors);
}

static void the_same_again(void **state)
{
	struct world *w = *state;
	struct cfg_errors errors = { 0 };
	struct extra_item *one = take(w, site("mobike", "no"), &errors);
	struct extra_item *same = take(w, site("mobike", "no"), &errors);
	struct extra_item *other = take(w, site("mobike", "yes"), &errors);

	assert_true(extra_item_equal(one, same));
	assert_false(extra_item_equal(one, other));
	assert_ptr_equal(extra_find(&w->extra, "connections", "site"), one);
	assert_null(extra_find(&w->extra, "pools", "site"));
}

/* Certificates of a connection come along with it, and are compared by content. */
static struct vici_node *with_cert(const uint8_t *der, size_t len)
{
	struct vici_builder b;

	vici_begin(&b, VICI_CMD_REQUEST, "load-conn");
	vici_section(&b, "site");
	vici_section(&b, "remote");
	vici_value(&b, "certs", der, len);
	vici_section_end(&b);
	vici_section_end(&b);
	return message(&b);
}

static void content_of_files(void **state)
{
	struct world *w = *state;
	struct cfg_errors errors = { 0 };
	struct extra_item *one = take(w, with_cert((const uint8_t *)"\x30\x00", 2), &errors);
	struct extra_item *same = take(w, with_cert((const uint8_t *)"\x30\x00", 2), &errors);
	struct extra_item *other = take(w, with_cert((const uint8_t *)"\x30\x01", 2), &errors);
	const struct setting *v = section_value(section_child(one->section, "remote"), "certs");
	const struct extra_blob *blob = extra_blob(&w->extra, v->value);

	assert_non_null(blob);
	assert_int_equal(blob->len, 2);
	assert_true(extra_item_equal(one, same));
	assert_false(extra_item_equal(one, other));
}

static void kinds_of_secrets(void **state)
{
	struct world *w = *state;
	struct vici_node *args;
	struct vici_builder b;
	const char *why;

	vici_begin(&b, VICI_CMD_REQUEST, "load-shared");
	vici_str(&b, "type", "PIN");
	vici_str(&b, "data", "x");
	args = message(&b);
	assert_null(vici_load_shared(&w->extra, args, &why));
	assert_string_equal(why, "type is none of IKE, EAP, XAUTH, NTLM, PPK");
	vici_tree_free(args);
}

int main(void)
{
#define WORLD(f) cmocka_unit_test_setup_teardown(f, begin, end)
	const struct CMUnitTest tests[] = {
		WORLD(beside_the_file),
		WORLD(errors_are_as_strict),
		WORLD(unknown_keys),
		WORLD(zero_bytes),
		WORLD(names_with_newlines),
		WORLD(what_the_file_has),
		WORLD(credentials_may_come_later),
		WORLD(the_same_again),
		WORLD(content_of_files),
		WORLD(kinds_of_secrets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
