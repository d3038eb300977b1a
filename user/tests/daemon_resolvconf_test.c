// SPDX-License-Identifier: MIT
/*
 * The helper that starts resolvconf: what it lets the program see, what it does not do, and what it
 * takes away when the daemon has gone. The program is a script that writes down what it got.
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
#include <signal.h>
#include <uv.h>

#include "daemon/resolvconf.h"

static char dir[] = "/tmp/resolvconf-XXXXXX", program[64], noted[64];

static int set_up(void **state)
{
	FILE *f;

	if (!mkdtemp(dir))
		return -1;
	snprintf(program, sizeof(program), "%s/program", dir);
	snprintf(noted, sizeof(noted), "%s/noted", dir);
	f = fopen(program, "w");
	if (!f)
		return -1;
	fprintf(f, "#!/bin/sh\necho \"$#: $*\" >>%s\ncat >>%s\n", noted, noted);
	fclose(f);
	return chmod(program, 0700);
}

static int tear_down(void **state)
{
	unlink(program);
	unlink(noted);
	return rmdir(dir);
}

static struct ike_addr address(const char *text)
{
	struct ike_addr a;

	assert_true(ike_addr_parse(text, &a, NULL));
	return a;
}

/* A helper of our own, so that its end can be waited for. */
static pid_t begin(struct resolvconf *r)
{
	int fds[2];
	pid_t pid;

	unlink(noted);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), 0);
	pid = fork();
	if (!pid) {
		close(fds[1]);
		resolvconf_serve(fds[0]);
		_exit(0);
	}
	close(fds[0]);
	*r = (struct resolvconf){ .fd = fds[1] };
	return pid;
}

static void ends_having_noted(struct resolvconf *r, pid_t pid, const char *expected)
{
	char text[1024] = "";
	FILE *f;
	int status;

	resolvconf_close(r);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	f = fopen(noted, "r");
	if (f) {
		assert_true(fread(text, 1, sizeof(text) - 1, f) > 0);
		fclose(f);
	}
	assert_string_equal(text, expected);
}

static void test_add_and_del(void **state)
{
	const struct ike_addr servers[] = { address("10.2.0.53"), address("2001:db8::53") };
	struct resolvconf r;
	pid_t pid = begin(&r);

	resolvconf_use(&r, program);
	resolvconf_add(&r, 7, servers, 2);
	resolvconf_del(&r, 7);
	/* Not there, or there no more. */
	resolvconf_del(&r, 7);
	resolvconf_del(&r, 8);
	ends_having_noted(&r, pid, "2: -a esplane.7\nnameserver 10.2.0.53\nnameserver 2001:db8::53\n"
				   "2: -d esplane.7\n");
}

static void test_taken_away_at_the_end(void **state)
{
	const struct ike_addr server = address("10.2.0.53");
	struct resolvconf r;
	pid_t pid = begin(&r);

	resolvconf_use(&r, program);
	resolvconf_add(&r, 1, &server, 1);
	ends_having_noted(&r, pid, "2: -a esplane.1\nnameserver 10.2.0.53\n2: -d esplane.1\n");
}

/*
 * The helper as the daemon makes it, beside a loop of libuv, which has pipes of its own and an eye on
 * fork().
 */
static void test_beside_libuv(void **state)
{
	const struct ike_addr server = address("10.2.0.53");
	struct resolvconf r;
	uv_signal_t signal;
	uv_loop_t loop;

	unlink(noted);
	assert_int_equal(uv_loop_init(&loop), 0);
	assert_int_equal(uv_signal_init(&loop, &signal), 0);
	assert_int_equal(uv_signal_start(&signal, NULL, SIGHUP), 0);
	assert_int_equal(resolvconf_fork(&r), 0);
	resolvconf_use(&r, program);
	resolvconf_add(&r, 1, &server, 1);
	uv_close((uv_handle_t *)&signal, NULL);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&loop), 0);
	ends_having_noted(&r, r.pid, "2: -a esplane.1\nnameserver 10.2.0.53\n2: -d esplane.1\n");
}

/* As struct order of resolvconf.c. */
struct order {
	uint64_t id;
	uint32_t n;
	struct ike_addr servers[RESOLVCONF_SERVERS_MAX];
};

/* From a daemon that is not itself any more. */
static void test_refuses(void **state)
{
	struct order many = { .id = 1, .n = RESOLVCONF_SERVERS_MAX + 1 },
		     odd = { .id = 2, .n = 1, .servers = { { .family = AF_UNIX } } };
	struct resolvconf r;
	pid_t pid = begin(&r);

	resolvconf_use(&r, program);
	assert_true(send(r.fd, &many, sizeof(many), 0) > 0);
	assert_true(send(r.fd, &odd, sizeof(odd), 0) > 0);
	assert_true(send(r.fd, "/bin/sh", 7, 0) > 0);
	assert_true(send(r.fd, &odd, sizeof(odd) - 1, 0) > 0);
	ends_having_noted(&r, pid, "");
}

static void test_none(void **state)
{
	const struct ike_addr server = address("10.2.0.53");
	struct resolvconf r;
	pid_t pid = begin(&r);

	resolvconf_use(&r, NULL);
	assert_int_equal(r.fd, -1);
	resolvconf_add(&r, 1, &server, 1);
	resolvconf_del(&r, 1);
	ends_having_noted(&r, pid, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_add_and_del),
		cmocka_unit_test(test_taken_away_at_the_end),
		cmocka_unit_test(test_beside_libuv),
		cmocka_unit_test(test_refuses),
		cmocka_unit_test(test_none),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
