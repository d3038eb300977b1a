// SPDX-License-Identifier: MIT
/*
 * esplane as a person runs it: a command line against a server on a unix socket; what goes to
 * stdout and stderr, how it exits, and what the server was asked.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/command.h"
#include "vici/session.h"
#include "vici/version.h"

enum { OUTPUT_MAX = 16384 };

/* One test's place: DIR/vici.sock, DIR/asked (what the server was asked), DIR/out, DIR/err. */
struct place {
	char dir[64], socket[96], asked[96], out[96], err[96];
	pid_t server;
};

static void note(const char *path, const char *name, const struct vici_node *args)
{
	const struct vici_node *n;
	FILE *f = fopen(path, "a");

	fputs(name, f);
	for (n = args->child; n; n = n->next)
		fprintf(f, " %s=%s", n->name, n->value);
	fputc('\n', f);
	fclose(f);
}

static void send_event(struct vici_session *s, enum vici_event event,
		       void (*put)(struct vici_builder *b))
{
	struct vici_builder b;

	vici_event_begin(&b, event);
	put(&b);
	vici_session_event(s, event, &b);
	vici_abandon(&b);
}

static void put_sa(struct vici_builder *b)
{
	vici_section(b, "home");
	vici_str(b, "uniqueid", "3");
	vici_str(b, "state", "CONNECTING");
	vici_section_end(b);
}

static void put_conn(struct vici_builder *b)
{
	vici_section(b, "home");
	vici_section(b, "children");
	vici_section(b, "net");
	vici_section_end(b);
	vici_section(b, "voice");
	vici_section_end(b);
	vici_section_end(b);
	vici_section_end(b);
}

static void put_log(struct vici_builder *b)
{
	vici_str(b, "msg", "sending IKE_SA_INIT");
}

static bool on_command(void *host, struct vici_session *s, const char *name,
		       const struct vici_node *args)
{
	const struct place *p = host;
	struct vici_builder b;

	note(p->asked, name, args);
	vici_reply_begin(&b);
	if (!strcmp(name, "list-sas"))
		send_event(s, VICI_EV_LIST_SA, put_sa);
	if (!strcmp(name, "list-conns"))
		send_event(s, VICI_EV_LIST_CONN, put_conn);
	if (!strcmp(name, "initiate"))
		send_event(s, VICI_EV_CONTROL_LOG, put_log);
	if (!strcmp(name, "version"))
		vici_str(&b, "daemon", "esplaned");
	if (!strcmp(name, "terminate") || !strcmp(name, "reload-settings")) {
		vici_abandon(&b);
		vici_session_reply_error(s, "no can do");
		return true;
	}
	if (!strcmp(name, "rekey")) {
		vici_abandon(&b);
		return false;
	}
	vici_session_reply(s, &b);
	return true;
}

static int client_fd;

static void on_output(void *host, struct vici_session *s, uint8_t *data, size_t len)
{
	if (write(client_fd, data, len) != (ssize_t)len)
		exit(1);
	free(data);
}

static void serve(struct place *p, int listener)
{
	static const struct vici_session_ops ops = { .command = on_command, .output = on_output };
	struct vici_session *s;
	uint8_t buf[4096];
	const char *why;
	ssize_t n;

	while ((client_fd = accept(listener, NULL, NULL)) >= 0) {
		s = vici_session_new(&ops, p);
		while ((n = read(client_fd, buf, sizeof(buf))) > 0)
			if (vici_session_input(s, buf, n, &why))
				break;
		vici_session_free(s);
		close(client_fd);
	}
	_exit(0);
}

static int start(void **state)
{
	struct place *p = calloc(1, sizeof(*p));
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd;

	strcpy(p->dir, "/tmp/cli_main_testXXXXXX");
	if (!mkdtemp(p->dir))
		return -1;
	snprintf(p->socket, sizeof(p->socket), "%s/vici.sock", p->dir);
	snprintf(p->asked, sizeof(p->asked), "%s/asked", p->dir);
	snprintf(p->out, sizeof(p->out), "%s/out", p->dir);
	snprintf(p->err, sizeof(p->err), "%s/err", p->dir);
	strcpy(sun.sun_path, p->socket);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	if (bind(fd, (struct sockaddr *)&sun, sizeof(sun)) || listen(fd, 4))
		return -1;
	p->server = fork();
	if (!p->server)
		serve(p, fd);
	close(fd);
	*state = p;
	return 0;
}

static int stop(void **state)
{
	struct place *p = *state;
	char command[128];

	kill(p->server, SIGKILL);
	waitpid(p->server, NULL, 0);
	snprintf(command, sizeof(command), "rm -rf %s", p->dir);
	free(p);
	return system(command);
}

/* Runs esplane in a process of its own, as getopt() and stdio keep state. @words end with NULL. */
static int run(const struct place *p, const char *const *words)
{
	char *argv[16] = { "esplane" };
	int status, argc;
	pid_t pid;

	for (argc = 1; words[argc - 1]; argc++)
		argv[argc] = (char *)words[argc - 1];
	pid = fork();
	if (!pid) {
		if (!freopen(p->out, "w", stdout) || !freopen(p->err, "w", stderr))
			_exit(99);
		status = esplane_main(argc, argv);
		fflush(NULL);
		_exit(status);
	}
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void is_text(const char *path, const char *expected)
{
	char text[OUTPUT_MAX] = "";
	FILE *f = fopen(path, "r");
	size_t n = f ? fread(text, 1, sizeof(text) - 1, f) : 0;

	text[n] = '\0';
	if (f)
		fclose(f);
	assert_string_equal(text, expected);
	/* each run is looked at on its own */
	unlink(path);
}

#define RUN(p, ...) run(p, (const char *const[]){ __VA_ARGS__, NULL })
#define URI(p) "--uri", (p)->socket

static void status(void **state)
{
	const struct place *p = *state;

	assert_int_equal(RUN(p, URI(p)), 0);
	is_text(p->out, "connection: home #3\n  state: CONNECTING\n");
	is_text(p->asked, "list-sas\nlist-conns\n");
	assert_int_equal(RUN(p, "--json", URI(p), "status", "home"), 0);
	is_text(p->out,
		"{\"sas\": [{\"name\": \"home\", \"uniqueid\": 3, \"state\": \"CONNECTING\"}]}\n");
	is_text(p->asked, "list-sas ike=home\n");
	is_text(p->err, "");
}

static void initiate(void **state)
{
	const struct place *p = *state;

	assert_int_equal(RUN(p, "initiate", "home/net", "--timeout", "5", URI(p)), 0);
	is_text(p->asked, "initiate ike=home child=net timeout=5000 loglevel=1\n");
	is_text(p->err, "sending IKE_SA_INIT\n");
	assert_int_equal(RUN(p, URI(p), "initiate", "home", "net", "--quiet"), 0);
	is_text(p->asked, "initiate ike=home child=net loglevel=1\n");
	/* a connection alone means all its children */
	assert_int_equal(RUN(p, "initiate", "home", "--quiet", URI(p)), 0);
	is_text(p->asked, "list-conns ike=home\ninitiate ike=home child=net loglevel=1\n"
			  "initiate ike=home child=voice loglevel=1\n");
	is_text(p->err, "");
}

static void refusals_of_the_daemon(void **state)
{
	const struct place *p = *state;

	assert_int_equal(RUN(p, "terminate", "--ike-id", "3", URI(p)), 1);
	is_text(p->err, "esplane: terminate #3: no can do\n");
	is_text(p->asked, "terminate ike-id=3 loglevel=1\n");
	assert_int_equal(RUN(p, "rekey", "home/net", URI(p)), 1);
	is_text(p->err, "esplane: rekey home/net: the daemon does not know this command\n");
	assert_int_equal(RUN(p, "reload", URI(p)), 1);
	is_text(p->err, "esplane: reload: no can do\n");
	assert_int_equal(RUN(p, "trace", URI(p)), 1);
	is_text(p->err, "esplane: trace: which file? (\"-\" is standard output)\n");
}

static void version(void **state)
{
	const struct place *p = *state;

	assert_int_equal(RUN(p, "version", URI(p)), 0);
	is_text(p->out, "esplane " ESPLANE_VERSION "\nesplaned ? (? ?, ?)\n");
	/* scripts wait for the daemon with it */
	assert_int_equal(RUN(p, "version", "--uri", "/nonexistent/sock"), 1);
	is_text(p->out, "esplane " ESPLANE_VERSION "\n");
}

static void wrong_command_lines(void **state)
{
	static const char try[] = "try: esplane --help\n";
	const struct place *p = *state;
	char expected[256];

	assert_int_equal(RUN(p, "statsu"), 2);
	snprintf(expected, sizeof(expected), "esplane: there is no command statsu\n%s", try);
	is_text(p->err, expected);
	assert_int_equal(RUN(p, "stats", "home"), 2);
	snprintf(expected, sizeof(expected), "esplane: one word too many: home\n%s", try);
	is_text(p->err, expected);
	assert_int_equal(RUN(p, "reload", "--json"), 2);
	snprintf(expected, sizeof(expected), "esplane: reload does not take --json\n%s", try);
	is_text(p->err, expected);
	assert_int_equal(RUN(p, "stats", "--child-id", "3"), 2);
	snprintf(expected, sizeof(expected), "esplane: stats does not take --child-id\n%s", try);
	is_text(p->err, expected);
	assert_int_equal(RUN(p, "rekey", "--child-id", "x"), 2);
	snprintf(expected, sizeof(expected), "esplane: no number behind --child-id: x\n%s", try);
	is_text(p->err, expected);
	assert_int_equal(RUN(p, "rekey", "--timeout", "0", "home"), 2);
	snprintf(expected, sizeof(expected),
		 "esplane: no number of seconds behind --timeout: 0\n%s", try);
	is_text(p->err, expected);
	assert_int_equal(RUN(p, "sa", "12x"), 2);
	is_text(p->err, "esplane: 12x is neither an ID (12) nor an SPI (0xc1234567)\n");
	assert_int_equal(RUN(p, "sa", "0x1ffffffff"), 2);
	is_text(p->err, "esplane: 0x1ffffffff is neither an ID (12) nor an SPI (0xc1234567)\n");
	assert_int_equal(RUN(p, "link", "add"), 2);
	is_text(p->err, "esplane: link add: name the interface\n");
	assert_int_equal(RUN(p, "link", "move", "x"), 2);
	is_text(p->err, "esplane: link: there is add, show and del, but no move\n");
	assert_int_equal(RUN(p, "link", "--if-id", "7"), 2);
	is_text(p->err, "esplane: link: --if-id and --default are for add\n");
	assert_int_equal(RUN(p, "link", "add", "x", "--default", "pass"), 2);
	is_text(p->err, "esplane: link: the default is reject or discard, not pass\n");
	assert_int_equal(RUN(p, "link", "add", "a-name-too-long-for-it"), 2);
	is_text(p->err, "esplane: link: a name has 15 letters at most\n");
	assert_int_equal(RUN(p, "link", "add", "x", "--if-id", "0"), 2);
	snprintf(expected, sizeof(expected), "esplane: no number above 0 behind --if-id: 0\n%s",
		 try);
	is_text(p->err, expected);
	assert_int_equal(RUN(p, "policy", "0x1000"), 2);
	is_text(p->err, "esplane: a policy has an ID, but no SPI\n");
	assert_int_equal(RUN(p, "sa", "--json", "--dump"), 2);
	is_text(p->err, "esplane: give either --json or --dump\n");
	assert_int_equal(RUN(p, "sa", "--wireshark-keys", "--json"), 2);
	is_text(p->err, "esplane: --wireshark-keys has a shape of its own, without --json and "
			"--dump\n");
	assert_int_equal(RUN(p, "policy", "--wireshark-keys"), 2);
	snprintf(expected, sizeof(expected), "esplane: policy does not take --wireshark-keys\n%s",
		 try);
	is_text(p->err, expected);
	assert_int_equal(RUN(p, "terminate", "home", "--ike", "home", URI(p)), 2);
	is_text(p->err, "esplane: give either home or --ike, --child, --ike-id and --child-id\n");
	assert_int_equal(RUN(p, "terminate"), 1);
	is_text(p->err, "esplane: name what is meant: CONN, CONN CHILD, --ike, --child, --ike-id "
			"or --child-id\n");
}

static void no_daemon(void **state)
{
	const struct place *p = *state;

	assert_int_equal(RUN(p, "--uri", "unix:///nonexistent/sock"), 1);
	is_text(p->err, "esplane: cannot reach esplaned at /nonexistent/sock: there is no such "
			"socket; is esplaned running? Start it with: systemctl start esplaned\n");
	is_text(p->out, "");
}

static void check(void **state)
{
	const struct place *p = *state;
	char path[128], expected[512];
	FILE *f;

	snprintf(path, sizeof(path), "%s/x.conf", p->dir);
	f = fopen(path, "w");
	fputs("conections { }\nsecrets { ike { secret = x } }\n", f);
	fclose(f);
	assert_int_equal(RUN(p, "check", path), 1);
	snprintf(expected, sizeof(expected), "%s:1: unknown section \"conections\"; did you mean "
					     "\"connections\"?\n", path);
	is_text(p->err, expected);
	is_text(p->out, "1 error\n");
	f = fopen(path, "w");
	fputs("secrets { ike { secret = x } }\n", f);
	fclose(f);
	assert_int_equal(RUN(p, "check", path), 0);
	is_text(p->err, "");
	snprintf(expected, sizeof(expected), "%s: good: 0 connections, 0 children, 1 secret\n",
		 path);
	is_text(p->out, expected);
}

#define WITH_SERVER(test) cmocka_unit_test_setup_teardown(test, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_SERVER(status),
		WITH_SERVER(initiate),
		WITH_SERVER(refusals_of_the_daemon),
		WITH_SERVER(version),
		WITH_SERVER(wrong_command_lines),
		WITH_SERVER(no_daemon),
		WITH_SERVER(check),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
