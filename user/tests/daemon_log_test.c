// SPDX-License-Identifier: MIT
/* Log lines: what strangers put into them, and how many they can cause. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/log.h"

static char last[4096], last_name[64];
static size_t lines;

static void sink(void *arg, enum ike_log_level level, const char *name, const char *text)
{
	snprintf(last, sizeof(last), "%s", text);
	snprintf(last_name, sizeof(last_name), "%s", name);
	lines++;
	/* What the sink itself says must not come back to it. */
	log_error("from the sink");
}

static int quiet_stderr(void **state)
{
	return freopen("/dev/null", "w", stderr) ? 0 : -1;
}

static void control_characters(void **state)
{
	log_setup(IKE_LOG_INFO, sink, NULL);
	log_line(IKE_LOG_INFO, "site[1]", "peer \"a\nfake[2] line\x1b[2J\x7f\"");
	assert_string_equal(last, "peer \"a?fake[2] line?[2J?\"");
	assert_string_equal(last_name, "site[1]");
}

static void levels(void **state)
{
	log_setup(IKE_LOG_INFO, sink, NULL);
	lines = 0;
	log_debug("not at this level");
	assert_int_equal(lines, 0);
	log_info("at this one");
	assert_int_equal(lines, 1);
	log_setup(IKE_LOG_DEBUG, sink, NULL);
	log_debug("now");
	assert_int_equal(lines, 2);
}

static void flood(void **state)
{
	int i;

	log_setup(IKE_LOG_INFO, sink, NULL);
	lines = 0;
	for (i = 0; i < 5000; i++)
		log_info("refused %d", i);
	/*
	 * 500 at once and 50 a second; two lines each with the sink's, and a second may pass
	 * meanwhile.
	 */
	assert_true(lines >= 200 && lines <= 600);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(control_characters),
		cmocka_unit_test(levels),
		cmocka_unit_test(flood),
	};

	return cmocka_run_group_tests(tests, quiet_stderr, NULL);
}
