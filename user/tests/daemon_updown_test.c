// SPDX-License-Identifier: MIT
/*
 * Commands of the configuration: what their environment holds, what is run and what is not, what becomes of their
 * output. The process is the real one; its log lines are caught.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/hooks.h"
#include "daemon/log.h"
#include "daemon/updown.h"

#define CONF "connections { home { remote_addrs = 192.0.2.2\n children { net { updown = %s\n } } } }\n"

static char directory[] = "/tmp/updown-XXXXXX";
static char config[64];

static void write_config(const char *command)
{
	FILE *f = fopen(config, "w");

	assert_non_null(f);
	fprintf(f, CONF, command);
	fclose(f);
}

static int set_up(void **state)
{
	strcpy(directory, "/tmp/updown-XXXXXX");
	assert_non_null(mkdtemp(directory));
	snprintf(config, sizeof(config), "%s/conf", directory);
	return 0;
}

static int tear_down(void **state)
{
	unlink(config);
	return rmdir(directory);
}

static void parse_addr(const char *text, struct ike_addr *addr)
{
	struct ike_error err;

	assert_true(ike_addr_parse(text, addr, &err));
}

/* Runs @command, which the daemon asks for, and gathers the lines it gets back, one after the other. */
static void run_command(const char *command, char *lines, size_t cap)
{
	static struct hooks_request r;
	char bytes[2048];
	struct hooks h;
	ssize_t len;

	assert_int_equal(hooks_open(&h, config), 0);
	hooks_begin(&r, "home[1]/net{2}", command);
	hooks_add(&r, "PLUTO_VERB=up-client");
	hooks_run(&h, &r);
	/* It has nothing more to do: it answers, and ends. */
	shutdown(h.fd, SHUT_WR);
	lines[0] = '\0';
	while ((len = recv(h.fd, bytes, sizeof(bytes), 0)) > 0) {
		assert_int_equal(bytes[len - 1], 0);
		assert_string_equal(bytes + 1, "home[1]/net{2}");
		snprintf(lines + strlen(lines), cap - strlen(lines), "%c %s\n", bytes[0],
			 bytes + 1 + strlen(bytes + 1) + 1);
	}
	hooks_close(&h);
	assert_int_equal(waitpid(h.pid, NULL, 0), h.pid);
}

static void runs_what_is_configured_and_logs_its_output(void **state)
{
	const char *command = "echo verb $PLUTO_VERB; echo two >&2";
	char lines[4096];

	write_config(command);
	run_command(command, lines, sizeof(lines));
	assert_string_equal(lines, "I updown: verb up-client\nI updown: two\n");
}

static void runs_nothing_that_is_not_configured(void **state)
{
	char lines[4096];

	write_config("/bin/true");
	run_command("/bin/echo stolen", lines, sizeof(lines));
	assert_null(strstr(lines, "stolen"));
	assert_non_null(strstr(lines, "I updown: the configuration file does not name this command"));
	assert_non_null(strstr(lines, "E updown: not run"));
}

static void a_failure_is_an_error(void **state)
{
	char lines[4096];

	write_config("exit 3");
	run_command("exit 3", lines, sizeof(lines));
	assert_string_equal(lines, "E updown: the command failed with status 3\n");
}

static void the_background_is_not_waited_for(void **state)
{
	char lines[4096];

	write_config("\"sleep 30 & echo done\"");
	run_command("sleep 30 & echo done", lines, sizeof(lines));
	assert_string_equal(lines, "I updown: done\n");
}

static bool has(const struct hooks_request *r, const char *variable)
{
	const char *at;

	for (at = r->bytes; at < r->bytes + r->len; at += strlen(at) + 1)
		if (!strcmp(at, variable))
			return true;
	return false;
}

static void the_environment_is_what_scripts_know(void **state)
{
	static struct hooks_request r;
	struct ike_child_cfg cfg = { .name = "net", .updown = "x", .hostaccess = true, .if_id_out = 7 };
	struct ike_ts local, remote;
	struct ike_id me, peer;
	struct ike_addr vips[2];
	struct ike_updown_spec spec = {
		.up = true, .cfg = &cfg, .conn = "home", .ike_id = 3, .child_id = 5, .local_id = &me,
		.remote_id = &peer, .local_vips = vips, .n_local_vips = 2, .udp_encap = true,
		.remote.port = 4500,
	};
	struct ike_error err;

	parse_addr("192.0.2.1", &spec.local.addr);
	parse_addr("192.0.2.2", &spec.remote.addr);
	parse_addr("10.9.0.1", &vips[0]);
	parse_addr("fd00::1", &vips[1]);
	assert_true(ike_ts_parse("10.1.0.0/24[tcp/22]", &local, &err));
	assert_true(ike_ts_parse("10.2.0.0/24", &remote, &err));
	assert_true(ike_id_parse("a.example.org", &me, &err));
	assert_true(ike_id_parse("b.example.org", &peer, &err));
	updown_request(&r, &spec, "eth0", &local, &remote);
	assert_true(has(&r, "PLUTO_INTERFACE=eth0"));
	assert_false(r.full);
	assert_string_equal(r.bytes, "home[3]/net{5}");
	assert_true(has(&r, "PLUTO_VERB=up-client"));
	assert_true(has(&r, "PLUTO_CONNECTION=net"));
	assert_true(has(&r, "PLUTO_ME=192.0.2.1"));
	assert_true(has(&r, "PLUTO_MY_ID=a.example.org"));
	assert_true(has(&r, "PLUTO_MY_CLIENT=10.1.0.0/24"));
	assert_true(has(&r, "PLUTO_MY_PORT=22"));
	assert_true(has(&r, "PLUTO_MY_PROTOCOL=6"));
	assert_true(has(&r, "PLUTO_MY_SOURCEIP=10.9.0.1"));
	assert_true(has(&r, "PLUTO_MY_SOURCEIP4_1=10.9.0.1"));
	assert_true(has(&r, "PLUTO_MY_SOURCEIP6_1=fd00::1"));
	assert_true(has(&r, "PLUTO_PEER=192.0.2.2"));
	assert_true(has(&r, "PLUTO_PEER_CLIENT=10.2.0.0/24"));
	assert_true(has(&r, "PLUTO_PEER_PORT=0"));
	assert_true(has(&r, "PLUTO_UDP_ENC=4500"));
	assert_true(has(&r, "PLUTO_HOST_ACCESS=1"));
	assert_true(has(&r, "PLUTO_IF_ID_OUT=7"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(runs_what_is_configured_and_logs_its_output),
		cmocka_unit_test(runs_nothing_that_is_not_configured),
		cmocka_unit_test(a_failure_is_an_error),
		cmocka_unit_test(the_background_is_not_waited_for),
		cmocka_unit_test(the_environment_is_what_scripts_know),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
