// SPDX-License-Identifier: MIT
/* Leases in a file: what is written is read again, whatever else is in it. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/lease_file.h"

static char dir[] = "/tmp/leases-XXXXXX", path[64];

static int set_up(void **state)
{
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/leases", dir);
	return 0;
}

static int tear_down(void **state)
{
	unlink(path);
	return rmdir(dir);
}

static void write_file(const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	fclose(f);
}

static void assert_file(const char *text)
{
	char buf[1024];
	FILE *f = fopen(path, "r");
	size_t n;

	assert_non_null(f);
	n = fread(buf, 1, sizeof(buf) - 1, f);
	buf[n] = '\0';
	fclose(f);
	assert_string_equal(buf, text);
}

static void test_again(void **state)
{
	struct ike_addr addr;
	struct lease_file f;

	unlink(path);
	assert_int_equal(lease_file_open(&f, path), 0);
	assert_true(ike_addr_parse("10.9.0.1", &addr, NULL));
	lease_file_keep(&f, "four", "a.example.org", &addr);
	assert_true(ike_addr_parse("2001:db8::1", &addr, NULL));
	lease_file_keep(&f, "six", "CN=a b, O=c", &addr);
	lease_file_close(&f);
	assert_file("four 10.9.0.1 a.example.org\nsix 2001:db8::1 CN=a b, O=c\n");
	assert_int_equal(lease_file_open(&f, path), 0);
	assert_string_equal(TAILQ_FIRST(&f.old.idle)->identity, "a.example.org");
	assert_string_equal(TAILQ_LAST(&f.old.idle, ike_lease_list)->identity, "CN=a b, O=c");
	lease_file_close(&f);
	assert_file("four 10.9.0.1 a.example.org\nsix 2001:db8::1 CN=a b, O=c\n");
}

/* The later line about an address counts; what is no line, or was cut by a crash, is left out. */
static void test_damaged(void **state)
{
	struct lease_file f;

	write_file("four 10.9.0.1 a\nfour 10.9.0.2 b\n\n \nfour\nfour 10.9.0.3\nfour 10.9.0.x c\n"
		   "four 10.9.0.1 d\nfour 10.9.0.4 ");
	assert_int_equal(lease_file_open(&f, path), 0);
	lease_file_close(&f);
	assert_file("four 10.9.0.2 b\nfour 10.9.0.1 d\n");
}

/* Without a place to write leases are not kept, and nothing else is wrong. */
static void test_nowhere(void **state)
{
	struct ike_addr addr = {.family = AF_INET};
	struct lease_file f;

	assert_int_equal(lease_file_open(&f, "/nonexistent/leases"), -1);
	lease_file_keep(&f, "p", "i", &addr);
	lease_file_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_again),
		cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_nowhere),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
