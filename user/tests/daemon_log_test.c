// SPDX-License-Identifier: MIT
/*
 * Log lines: what strangers put into them, how many they can cause, and what programs and the
 * journal get.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/log.h"

static char last[4096], last_name[64];
static size_t lines;
static bool talks;			/* the sink */
static char path[] = "/tmp/esplane-log-XXXXXX";

static void sink(void *arg, const struct log_line *line)
{
	snprintf(last, sizeof(last), "%s", line->text);
	snprintf(last_name, sizeof(last_name), "%s", line->names ? line->names->name : "");
	lines++;
	/* What the sink itself says must not come back to it. */
	if (talks)
		log_error("from the sink");
}

/* Everything at @text's levels. */
static void levels_of(const char *text)
{
	struct log_levels levels;
	struct ike_error why;

	assert_true(log_levels_parse(&levels, text, &why));
	log_setup(&levels, sink, NULL);
	lines = 0;
}

static int stderr_to_file(void **state)
{
	int fd = mkstemp(path);

	if (fd < 0 || !freopen(path, "w", stderr))
		return -1;
	close(fd);
	return 0;
}

static int remove_file(void **state)
{
	return unlink(path);
}

/* How often @text is in what went to standard error so far. */
static size_t said(const char *text)
{
	FILE *f;
	char line[8192];
	size_t n = 0;

	fflush(stderr);
	f = fopen(path, "r");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f))
		n += !!strstr(line, text);
	fclose(f);
	return n;
}

static void log_about(const struct ike_log_names *names, const char *text)
{
	log_write(&(struct log_line){ LOG_IKE, IKE_LOG_INFO, names, text });
}

static const struct ike_log_names site = {
	.name = "site[1]/net{2}", .conn = "site", .child = "net", .ike_id = 1, .child_id = 2,
	.spi_i = 0x2e2d1121179324a0, .spi_r = 0x65dcba10a32e419b,
	.spi_in = 0x93536ffd, .spi_out = 0xcb3730fd,
};

static void control_characters(void **state)
{
	levels_of("info");
	talks = true;
	log_about(&site, "peer \"a\nfake[2] line\x1b[2J\x7f\"");
	assert_string_equal(last, "peer \"a?fake[2] line?[2J?\"");
	assert_string_equal(last_name, "site[1]/net{2}");
	talks = false;
}

static void levels(void **state)
{
	levels_of("info");
	log_debug("not at this level");
	assert_int_equal(lines, 0);
	log_info("at this one");
	assert_int_equal(lines, 1);
	levels_of("debug");
	log_debug("now");
	assert_int_equal(lines, 1);
}

static void levels_by_part(void **state)
{
	levels_of("kernel:debug, error");
	log_say(LOG_KERNEL, IKE_LOG_DEBUG, "of the data plane");
	assert_int_equal(lines, 1);
	log_say(LOG_VICI, IKE_LOG_INFO, "of a client");
	assert_int_equal(lines, 1);
	log_say(LOG_VICI, IKE_LOG_ERROR, "of a client");
	assert_int_equal(lines, 2);
}

static void refused_levels(void **state)
{
	struct log_levels l;
	struct ike_error why;

	assert_false(log_levels_parse(&l, "loud", &why));
	assert_string_equal(why.text, "\"loud\" is no level of logging: error, info or debug");
	assert_false(log_levels_parse(&l, "info, kernl:debug", &why));
	assert_string_equal(why.text, "\"kernl\" is no part that logs: daemon, config, kernel, net, "
			    "vici, ike or child");
	assert_false(log_levels_parse(&l, "kernel:", &why));
	assert_string_equal(why.text, "\"\" is no level of logging: error, info or debug");
}

static void flood(void **state)
{
	int i;

	levels_of("info");
	for (i = 0; i < 5000; i++)
		log_info("refused %d", i);
	/*
	 * 500 at once, some of which have been used, and 50 a second; a second may pass
	 * meanwhile.
	 */
	assert_true(lines >= 400 && lines <= 600);
	/* As many more as this test needs are let through by a level that has no limit. */
	levels_of("debug");
	log_info("after the flood");
	assert_true(said("lines are left out") >= 1);
}

/* 100 at once and 10 a second; and what is ours to say is said all the same. */
static void flood_of_strangers(void **state)
{
	static const struct ike_log_names stranger = { .name = "", .stranger = true };
	size_t i, of_strangers;

	/* Two seconds: 100 lines more of our own, 20 of strangers. */
	sleep(2);
	levels_of("info");
	for (i = 0; i < 5000; i++)
		log_about(&stranger, "refused");
	of_strangers = lines;
	assert_true(of_strangers >= 100 && of_strangers <= 160);
	log_about(&site, "CHILD_SA is up");
	assert_int_equal(lines, of_strangers + 1);
	assert_string_equal(last, "CHILD_SA is up");
	sleep(1);
	log_about(&site, "and on");
	assert_true(said(" lines that strangers caused are left out") >= 1);
}

static void as_json(void **state)
{
	const struct log_line line = { LOG_CHILD, IKE_LOG_INFO, &site,
				       "say \"\\\" \xc3\xa9 \xff \xed\xa0\x80" };
	char record[LOG_RECORD_MAX];

	log_format_json(&line, record, sizeof(record));
	assert_int_equal(strncmp(record, "{\"time\": \"20", 12), 0);
	assert_non_null(strstr(record, "Z\", \"level\": \"info\", \"subsystem\": \"child\", "
			       "\"connection\": \"site\", \"ike_sa\": \"1\", "
			       "\"ike_spis\": \"2e2d1121179324a0_i 65dcba10a32e419b_r\", "
			       "\"child\": \"net\", \"child_sa\": \"2\", "
			       "\"spi_in\": \"93536ffd\", \"spi_out\": \"cb3730fd\", "
			       "\"message\": \"say \\\"\\\\\\\" \xc3\xa9 \\ufffd "
			       "\\ufffd\\ufffd\\ufffd\"}"));
}

static void as_unit(void)
{
	char text[64];
	struct stat st;

	assert_int_equal(fstat(STDERR_FILENO, &st), 0);
	snprintf(text, sizeof(text), "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
	setenv("JOURNAL_STREAM", text, true);
}

/* systemd.io, "Native Journal Protocol". */
static void to_the_journal(void **state)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int journal = socket(AF_UNIX, SOCK_DGRAM, 0);
	char got[4096];
	ssize_t len;

	snprintf(to.sun_path, sizeof(to.sun_path), "%s.socket", path);
	assert_int_equal(log_open(LOG_JOURNAL, to.sun_path), -1);
	assert_int_equal(bind(journal, (struct sockaddr *)&to, sizeof(to)), 0);
	assert_int_equal(log_open(LOG_JOURNAL, to.sun_path), 0);
	levels_of("debug");
	log_about(&site, "CHILD_SA is up");
	len = recv(journal, got, sizeof(got) - 1, 0);
	assert_true(len > 0);
	got[len] = '\0';
	assert_string_equal(got, "MESSAGE=[site[1]/net{2}] CHILD_SA is up\nPRIORITY=6\n"
			    "SYSLOG_IDENTIFIER=esplaned\nESPLANE_SUBSYSTEM=ike\n"
			    "ESPLANE_CONNECTION=site\nESPLANE_IKE_SA=1\n"
			    "ESPLANE_IKE_SPIS=2e2d1121179324a0_i 65dcba10a32e419b_r\n"
			    "ESPLANE_CHILD=net\nESPLANE_CHILD_SA=2\n"
			    "ESPLANE_SPI=93536ffd\nESPLANE_SPI=cb3730fd\n");
	/* systemd.exec(5): a unit whose standard error is the journal is told so. */
	as_unit();
	assert_int_equal(log_open(LOG_TEXT, to.sun_path), 0);
	log_info("of a unit");
	len = recv(journal, got, sizeof(got) - 1, 0);
	assert_true(len > 0);
	got[len] = '\0';
	assert_non_null(strstr(got, "MESSAGE=of a unit\nPRIORITY=6\n"));
	/* A journal that has gone is no reason to be silent. */
	close(journal);
	unlink(to.sun_path);
	log_info("without a journal");
	assert_int_equal(said("<6>without a journal"), 1);
	unsetenv("JOURNAL_STREAM");
	log_open(LOG_TEXT, to.sun_path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(to_the_journal),
		cmocka_unit_test(control_characters),
		cmocka_unit_test(levels),
		cmocka_unit_test(levels_by_part),
		cmocka_unit_test(refused_levels),
		cmocka_unit_test(flood),
		cmocka_unit_test(flood_of_strangers),
		cmocka_unit_test(as_json),
	};

	return cmocka_run_group_tests(tests, stderr_to_file, remove_file);
}
