// SPDX-License-Identifier: MIT
/*
 * The grammar of swanctl.conf as strongswan.conf(5) describes it, corner by corner: what a text
 * unfolds to, written as "path=value" lines in order, and what is said of a faulty one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "config/settings.h"

static void dump(FILE *out, const struct section *s, const char *prefix)
{
	char path[512];
	size_t i;

	for (i = 0; i < s->n_values; i++)
		if (s->values[i].value)
			fprintf(out, "%s%s=%s\n", prefix, s->values[i].key, s->values[i].value);
		else
			fprintf(out, "%s%s unset\n", prefix, s->values[i].key);
	for (i = 0; i < s->n_sections; i++) {
		snprintf(path, sizeof(path), "%s%s.", prefix, s->sections[i]->name);
		if (!s->sections[i]->n_values && !s->sections[i]->n_sections)
			fprintf(out, "%s\n", path);
		dump(out, s->sections[i], path);
	}
}

static char *all_errors(const struct cfg_errors *errors)
{
	char *text;
	size_t i, len;
	FILE *out = open_memstream(&text, &len);

	for (i = 0; i < errors->n; i++)
		fprintf(out, "%s\n", errors->list[i].text);
	fclose(out);
	return text;
}

static void expect(struct settings *s, struct cfg_errors *errors, const char *tree,
		   const char *said)
{
	char *got, *text = all_errors(errors);
	size_t len;
	FILE *out;

	assert_non_null(s);
	assert_string_equal(text, said);
	if (tree) {
		out = open_memstream(&got, &len);
		dump(out, s->root, "");
		fclose(out);
		assert_string_equal(got, tree);
		free(got);
	}
	free(text);
	cfg_errors_free(errors);
	settings_free(s);
}

static void unfolds(const char *text, const char *tree)
{
	struct cfg_errors errors = { 0 };

	expect(settings_parse("t.conf", text, strlen(text), &errors), &errors, tree, "");
}

static void refused(const char *text, const char *said)
{
	struct cfg_errors errors = { 0 };

	expect(settings_parse("t.conf", text, strlen(text), &errors), &errors, NULL, said);
}

static void sections_and_values(void **state)
{
	unfolds("", "");
	unfolds("a = b\n", "a=b\n");
	/*
	 * the last line may lack its newline, a section may be on one line, the brace on the next
	 */
	unfolds("a = b", "a=b\n");
	unfolds("s { a = b }", "s.a=b\n");
	unfolds("s\n{\n\ta=b\r\n}\r\n", "s.a=b\n");
	unfolds("s # why\n# and\n{ }", "s.\n");
	unfolds("s { t { a = 1 } b = 2 }", "s.b=2\ns.t.a=1\n");
	/* what comes later extends and replaces */
	unfolds("s { a = 1\n b = 2 }\ns { b = 3\n c = 4 }", "s.a=1\ns.b=3\ns.c=4\n");
}

static void comments(void **state)
{
	unfolds("# one\na = b # two\n  # three\nc = d", "a=b\nc=d\n");
	unfolds("a = b#c\n", "a=b\n");
	unfolds("a = \"b # c\" # d\n", "a=b # c\n");
}

static void values_are_words_joined_by_one_space(void **state)
{
	unfolds("a =   b \t  c  \n", "a=b c\n");
	unfolds("a = b{=:,.c\n", "a=b{=:,.c\n");
	unfolds("s { a = b}", "s.a=b\n");
	/* strongSwan's own test net2net-psk relies on this one */
	unfolds("secret = 'My \"home\" is my \"castle\"!'\n", "secret='My home is my castle !'\n");
	unfolds("a = \"x  y\"\"z\"w\n", "a=x  y z w\n");
}

static void quoted_strings(void **state)
{
	unfolds("a = \"b\\n\\r\\tc\\\"d\\\\e\\f\"\n", "a=b\n\r\tc\"d\\ef\n");
	/* backslash and line end join lines; a bare line end is kept */
	unfolds("a = \"b\\\nc\"\n", "a=bc\n");
	unfolds("a = \"b\\\r\nc\"\n", "a=bc\n");
	unfolds("a = \"b\nc\"\n", "a=b\nc\n");
	/* no escapes outside quotes */
	unfolds("a = b\\n\n", "a=b\\n\n");
	unfolds("a = \"\"\n", "a unset\n");
}

static void empty_unsets(void **state)
{
	unfolds("a =\nb = c", "a unset\nb=c\n");
	unfolds("a = b\na =\n", "a unset\n");
	unfolds("base { a = 1 }\ns : base { a = }", "base.a=1\ns.a unset\n");
}

/* the example of strongswan.conf(5), "REFERENCING OTHER SECTIONS", with values in it */
static void inheritance(void **state)
{
	unfolds("conn-defaults { p = cd\n x = cd }\n"
		"eap-defaults { p = ed\n y = ed\n remote { auth = eap } }\n"
		"child-defaults { ts = dynamic }\n"
		"connections {\n"
		"  conn-a : conn-defaults, eap-defaults {\n"
		"    z = a\n"
		"    children { child-a : child-defaults { mode = m } }\n"
		"  }\n"
		"  conn-c : connections.conn-a {\n"
		"    remote { id = c }\n"
		"  }\n"
		"}\n",
		"conn-defaults.p=cd\nconn-defaults.x=cd\n"
		"eap-defaults.p=ed\neap-defaults.y=ed\neap-defaults.remote.auth=eap\n"
		"child-defaults.ts=dynamic\n"
		"connections.conn-a.z=a\nconnections.conn-a.p=cd\nconnections.conn-a.x=cd\n"
		"connections.conn-a.y=ed\n"
		"connections.conn-a.children.child-a.mode=m\n"
		"connections.conn-a.children.child-a.ts=dynamic\n"
		"connections.conn-a.remote.auth=eap\n"
		"connections.conn-c.z=a\nconnections.conn-c.p=cd\nconnections.conn-c.x=cd\n"
		"connections.conn-c.y=ed\n"
		"connections.conn-c.remote.id=c\nconnections.conn-c.remote.auth=eap\n"
		"connections.conn-c.children.child-a.mode=m\n"
		"connections.conn-c.children.child-a.ts=dynamic\n");
	/*
	 * a reference may lead ahead, through a section that inherits, and along an inherited
	 * child
	 */
	unfolds("a : b.c { }\nb : d { }\nd { c { k = v } }", "a.k=v\nb.c.k=v\nd.c.k=v\n");
	unfolds("a:b{}b{k=1}", "a.k=1\nb.k=1\n");
}

static void faults_of_inheritance(void **state)
{
	refused("a : nobody {\n}\n", "t.conf:1: there is no section \"nobody\" to inherit from\n");
	refused("b { c { } }\n\na : b.d {\n}\n",
		"t.conf:3: there is no section \"b.d\" to inherit from\n");
	refused("a : a { }", "t.conf:1: section \"a\" inherits from itself\n");
	refused("a : b { }\nb : c { }\nc : a { }",
		"t.conf:1: section \"a\" inherits from itself\n"
		"t.conf:2: section \"b\" inherits from itself\n"
		"t.conf:3: section \"c\" inherits from itself\n");
	refused("a { b : a { } }", "t.conf:1: section \"b\" inherits a section that holds it\n");
	refused("a : { }", "t.conf:1: the name of a section to inherit from is missing here\n"
			   "t.conf:1: unexpected '{'\n");
	refused("a : b, { }\nb { }",
		"t.conf:1: the name of a section to inherit from is missing here\n"
		"t.conf:1: unexpected '{'\n");
}

/* 2^30 ways through 30 sections: each must be walked once, not each way */
static void inheritance_does_not_explode(void **state)
{
	struct cfg_errors errors = { 0 };
	struct settings *s;
	size_t len;
	char *text;
	FILE *out = open_memstream(&text, &len);
	int i;

	for (i = 0; i < 30; i++)
		fprintf(out, "a%d : a%d, a%d { }\n", i, i + 1, i + 1);
	fprintf(out, "a30 { k = v }\n");
	fclose(out);
	s = settings_parse("t.conf", text, len, &errors);
	assert_non_null(s);
	assert_int_equal(errors.n, 0);
	assert_string_equal(section_value(section_child(s->root, "a0"), "k")->value, "v");
	settings_free(s);
	free(text);
}

/* each level holds the next three times: 3^15 of the last are more than the limit */
static void unfolding_is_bounded(void **state)
{
	struct cfg_errors errors = { 0 };
	struct settings *s;
	size_t len;
	char *text;
	FILE *out = open_memstream(&text, &len);
	int i;

	for (i = 0; i < 15; i++)
		fprintf(out, "x%d { a : x%d { }\n b : x%d { }\n c : x%d { } }\n", i, i + 1, i + 1,
			i + 1);
	fprintf(out, "x15 { }\n");
	fclose(out);
	s = settings_parse("t.conf", text, len, &errors);
	assert_non_null(s);
	assert_int_equal(errors.n, 1);
	assert_non_null(strstr(errors.list[0].text,
			       "more than 500000 sections and values: reading stops here"));
	cfg_errors_free(&errors);
	settings_free(s);
	free(text);
}

/* Among many they are found by an index: each once, also those that are opened again. */
static void many_sections(void **state)
{
	struct cfg_errors errors = { 0 };
	const struct section *s;
	struct settings *all;
	char *text, name[16];
	size_t len, i;
	FILE *out = open_memstream(&text, &len);

	for (i = 0; i < 2000; i++)
		fprintf(out, "x%zu { a%zu = v }\n", i % 1000, i);
	fclose(out);
	all = settings_parse("t.conf", text, len, &errors);
	assert_non_null(all);
	assert_int_equal(errors.n, 0);
	assert_int_equal(all->root->n_sections, 1000);
	for (i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "x%zu", i);
		s = section_child(all->root, name);
		assert_ptr_equal(s, all->root->sections[i]);
		assert_int_equal(s->n_values, 2);
	}
	assert_null(section_child(all->root, "x1000"));
	assert_null(section_child(all->root, "x99 "));
	settings_free(all);
	free(text);
}

static void faults_of_syntax(void **state)
{
	refused("a\n", "t.conf:1: '=', '{' or ':' is missing after \"a\"\n");
	refused("a\nb = c\n", "t.conf:1: '=', '{' or ':' is missing after \"a\"\n");
	refused("a b = c\n", "t.conf:1: '=', '{' or ':' is missing after \"a\"\n");
	refused("}\n", "t.conf:1: '}' without a section to close\n");
	refused("s { a = b\n", "t.conf:1: section \"s\" is opened here and never closed\n");
	refused("\n\ns {\nt {\n}\n", "t.conf:3: section \"s\" is opened here and never closed\n");
	refused("= b\n", "t.conf:1: unexpected '='\n");
	refused("a.b = c\n", "t.conf:1: '=', '{' or ':' is missing after \"a\"\n");
	refused("\"a\" = b\n", "t.conf:1: a quoted string where a key or section name should be\n");
	refused("a = b\n\x01\n", "t.conf:2: unexpected byte 0x01\n");
	refused("a = b\nc = \"d\ne = f\n", "t.conf:2: the quote that begins here never ends\n");
	refused("a = \"b\\", "t.conf:1: the quote that begins here never ends\n");
	refused("a : b\nc = d\nb { }", "t.conf:2: '{' is missing after section \"a\"\n");
	refused("include x.conf\n", "t.conf:1: only a file can include others\n");
	/* all at once, with the right lines behind a string of several */
	refused("a = \"1\n2\n3\"\nb\n!\n", "t.conf:4: '=', '{' or ':' is missing after \"b\"\n"
					   "t.conf:5: '=', '{' or ':' is missing after \"!\"\n");
}

static void a_zero_byte_is_no_text(void **state)
{
	struct cfg_errors errors = { 0 };

	expect(settings_parse("t.conf", "a = b\0c", 7, &errors), &errors, NULL,
	       "t.conf: holds a zero byte: this is no text file\n");
}

static void nesting_is_bounded(void **state)
{
	refused("a{a{a{a{a{a{a{a{a{a{a{a{a{a{a{a{a{}}}}}}}}}}}}}}}}}",
		"t.conf:1: sections nested more than 16 deep\n");
}

static void giants_are_refused(void **state)
{
	struct cfg_errors errors = { 0 };
	size_t i, n = SETTINGS_ENTRIES_MAX + 100, len;
	char *text;
	FILE *out = open_memstream(&text, &len);

	for (i = 0; i < n; i++)
		fprintf(out, "k%zu = v\n", i);
	fclose(out);
	/* entry 10,002 is the one too many: the limit is asked before each is added */
	expect(settings_parse("t.conf", text, len, &errors), &errors, NULL,
	       "t.conf:10002: more than 10000 entries in a section: reading stops here\n");
	free(text);

	text = calloc(1, SETTINGS_FILE_MAX + 1);
	memset(text, ' ', SETTINGS_FILE_MAX + 1);
	expect(settings_parse("t.conf", text, SETTINGS_FILE_MAX + 1, &errors), &errors, NULL,
	       "t.conf: larger than 16777216 bytes\n");
	free(text);
}

static void messages_are_bounded(void **state)
{
	struct cfg_errors errors = { 0 };
	char text[2 * 500 + 1];
	struct settings *s;
	size_t i;

	for (i = 0; i < 500; i++)
		memcpy(text + 2 * i, "}\n", 2);
	s = settings_parse("t.conf", text, 2 * 500, &errors);
	assert_int_equal(errors.n, CFG_MESSAGES_MAX);
	assert_int_equal(errors.n_errors, 500);
	assert_int_equal(errors.suppressed, 500 - CFG_MESSAGES_MAX);
	cfg_errors_free(&errors);
	settings_free(s);
}

/* Files in a directory of the test's own. */
struct dir {
	char path[64];
};

static void put(const struct dir *d, const char *name, const char *text)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", d->path, name);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static int make_dir(void **state)
{
	struct dir *d = calloc(1, sizeof(*d));
	char sub[128];

	strcpy(d->path, "/tmp/settings_testXXXXXX");
	if (!mkdtemp(d->path))
		return -1;
	snprintf(sub, sizeof(sub), "%s/conf.d", d->path);
	*state = d;
	return mkdir(sub, 0700);
}

static int remove_dir(void **state)
{
	struct dir *d = *state;
	char command[128];

	snprintf(command, sizeof(command), "rm -rf %s", d->path);
	free(d);
	return system(command);
}

/* @said: with D for the directory. */
static void loads(const struct dir *d, const char *tree, const char *said)
{
	struct cfg_errors errors = { 0 };
	char path[128], expected[2048] = "";
	const char *at;
	size_t len = 0;

	for (at = said; *at; at++)
		len += snprintf(expected + len, sizeof(expected) - len, *at == 'D' ? "%s" : "%.1s",
				*at == 'D' ? d->path : at);
	snprintf(path, sizeof(path), "%s/main.conf", d->path);
	expect(settings_load(path, &errors), &errors, tree, expected);
}

static void includes(void **state)
{
	put(*state, "main.conf", "a = 1\nb = 1\ns { include inner.conf\n k = 2 }\n"
				 "include conf.d/*.conf # all\ninclude \"with blank.conf\"\n"
				 "include with\\ blank.conf\ninclude none/*.conf\n");
	put(*state, "inner.conf", "k = inner\nl = inner\n");
	put(*state, "conf.d/2.conf", "b = 22\nc = 22\n");
	put(*state, "conf.d/1.conf", "b = 11\ninclude ../deep.conf\n");
	put(*state, "conf.d/3.txt", "b = 33\n");
	put(*state, "with blank.conf", "w = 1\n");
	put(*state, "deep.conf", "deep = 1\n");
	/*
	 * relative to the file that includes; sorted; relative to the section the statement is in
	 */
	loads(*state, "a=1\nb=22\ndeep=1\nc=22\nw=1\ns.k=2\ns.l=inner\n", "");
	/* a key and a section may be called include */
	put(*state, "main.conf", "include = x\ninclude { a = b }\n");
	loads(*state, "include=x\ninclude.a=b\n", "");
}

static void faults_of_includes(void **state)
{
	put(*state, "main.conf", "\ninclude nothing.conf\ninclude\ninclude \n");
	loads(*state, NULL, "D/main.conf:2: there is no file D/nothing.conf to include\n"
			    "D/main.conf:3: '=', '{' or ':' is missing after \"include\"\n"
			    "D/main.conf:4: include without a file name\n");
	put(*state, "main.conf", "include main.conf\n");
	loads(*state, NULL, "D/main.conf:1: D/main.conf includes itself\n");
	put(*state, "main.conf", "include b.conf\n");
	put(*state, "b.conf", "x = y\ninclude main.conf\n");
	loads(*state, NULL, "D/b.conf:2: D/main.conf includes itself\n");
	put(*state, "main.conf", "include conf.d\n");
	loads(*state, NULL, "D/main.conf:1: D/conf.d is a directory\n");
	/* a section cannot begin in one file and end in another */
	put(*state, "main.conf", "s {\ninclude b.conf\n");
	put(*state, "b.conf", "}\n");
	loads(*state, NULL, "D/b.conf:1: '}' without a section to close\n"
			    "D/main.conf:1: section \"s\" is opened here and never closed\n");
}

static void an_absent_file(void **state)
{
	struct cfg_errors errors = { 0 };

	expect(settings_load("/nonexistent/x.conf", &errors), &errors, "",
	       "/nonexistent/x.conf: cannot open /nonexistent/x.conf: No such file or directory\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sections_and_values),
		cmocka_unit_test(comments),
		cmocka_unit_test(values_are_words_joined_by_one_space),
		cmocka_unit_test(quoted_strings),
		cmocka_unit_test(empty_unsets),
		cmocka_unit_test(inheritance),
		cmocka_unit_test(faults_of_inheritance),
		cmocka_unit_test(inheritance_does_not_explode),
		cmocka_unit_test(unfolding_is_bounded),
		cmocka_unit_test(many_sections),
		cmocka_unit_test(faults_of_syntax),
		cmocka_unit_test(a_zero_byte_is_no_text),
		cmocka_unit_test(nesting_is_bounded),
		cmocka_unit_test(giants_are_refused),
		cmocka_unit_test(messages_are_bounded),
		cmocka_unit_test_setup_teardown(includes, make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(faults_of_includes, make_dir, remove_dir),
		cmocka_unit_test(an_absent_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
