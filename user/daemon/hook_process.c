// SPDX-License-Identifier: MIT
/*
 * The process that runs commands: waits for a request, looks into the configuration file whether it
 * may run that, runs it by the shell, passes on what it prints, waits for its end.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "config/settings.h"
#include "hooks.h"

enum {
	ENVIRONMENT_MAX = 64,
	LINE_MAX_LEN = 1024,
	POLL_MS = 50,
	NOT_CONFIGURED = 126,	/* as the shell says that it may not run something */
};

/* One command under way. */
struct run {
	int fd;			/* to the daemon */
	const char *name;
	pid_t pid;
	int output;
	char line[LINE_MAX_LEN];
	size_t len;
};

static bool child_names(const struct section *child, const char *command)
{
	const struct setting *s = section_value(child, "updown");

	return s && s->value && !strcmp(s->value, command);
}

static bool conn_names(const struct section *conn, const char *command)
{
	const struct section *children = section_child(conn, "children");
	size_t i;

	for (i = 0; children && i < children->n_sections; i++)
		if (child_names(children->sections[i], command))
			return true;
	return false;
}

bool hook_is_configured(const char *path, const char *command)
{
	struct cfg_errors errors = { 0 };
	struct settings *settings = settings_load(path, &errors);
	const struct section *conns;
	bool found = false;
	size_t i;

	conns = settings ? section_child(settings->root, "connections") : NULL;
	for (i = 0; conns && i < conns->n_sections && !found; i++)
		found = conn_names(conns->sections[i], command);
	settings_free(settings);
	cfg_errors_free(&errors);
	return found;
}

static void say(const struct run *r, char level, const char *text)
{
	char bytes[HOOKS_MESSAGE_MAX];
	int len = snprintf(bytes, sizeof(bytes), "%c%s%cupdown: %s", level, r->name, '\0', text);

	if (len > 0 && len < (int)sizeof(bytes))
		send(r->fd, bytes, len + 1, MSG_NOSIGNAL);
}

static void end_line(struct run *r)
{
	r->line[r->len] = '\0';
	if (r->len)
		say(r, 'I', r->line);
	r->len = 0;
}

/* Returns false at the end of what it prints. */
static bool pass_on(struct run *r)
{
	char bytes[LINE_MAX_LEN];
	ssize_t len = read(r->output, bytes, sizeof(bytes)), i;

	for (i = 0; i < len; i++) {
		if (bytes[i] == '\n' || r->len == sizeof(r->line) - 1)
			end_line(r);
		if (bytes[i] != '\n')
			r->line[r->len++] = bytes[i];
	}
	return len > 0 || (len < 0 && errno == EINTR);
}

static time_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec;
}

static void report_end(const struct run *r, int status)
{
	char text[80];

	if (WIFEXITED(status) && !WEXITSTATUS(status))
		return;
	if (WIFEXITED(status) && WEXITSTATUS(status) == NOT_CONFIGURED)
		snprintf(text, sizeof(text), "not run, or by the shell refused (status %d)",
			 NOT_CONFIGURED);
	else if (WIFEXITED(status))
		snprintf(text, sizeof(text), "the command failed with status %d",
			 WEXITSTATUS(status));
	else
		snprintf(text, sizeof(text), "the command was ended by signal %d",
			 WTERMSIG(status));
	say(r, 'E', text);
}

/* What it started in the background may keep the pipe open, and is not waited for. */
static void attend(struct run *r)
{
	struct pollfd p = { .fd = r->output, .events = POLLIN };
	time_t limit = now() + HOOKS_TIME_LIMIT;
	bool open = true, killed = false;
	int status = 0;

	while (waitpid(r->pid, &status, WNOHANG) == 0) {
		if (!killed && now() >= limit) {
			say(r, 'E', "the command takes more than a minute: it is ended");
			kill(-r->pid, SIGKILL);
			killed = true;
		}
		if (poll(&p, open, POLL_MS) > 0)
			open = open && pass_on(r);
	}
	while (open && poll(&p, 1, 0) > 0)
		open = pass_on(r);
	end_line(r);
	report_end(r, status);
}

/* In the child. The search path is the system's: nothing of the daemon's environment is handed on. */
static void execute(const char *config, const char *command, char **environment)
{
	if (!hook_is_configured(config, command)) {
		fputs("the configuration file does not name this command (any more)\n", stderr);
		_exit(NOT_CONFIGURED);
	}
	execle("/bin/sh", "sh", "-c", command, (char *)NULL, environment);
	perror("/bin/sh");
	_exit(NOT_CONFIGURED);
}

static void become_command(int output, const char *config, const char *command, char **environment)
{
	setpgid(0, 0);
	signal(SIGTERM, SIG_DFL);
	signal(SIGINT, SIG_DFL);
	signal(SIGHUP, SIG_DFL);
	signal(SIGPIPE, SIG_DFL);
	dup2(output, STDOUT_FILENO);
	dup2(output, STDERR_FILENO);
	execute(config, command, environment);
}

static void run(int fd, const char *config, const char *name, const char *command,
		char **environment)
{
	struct run r = { .fd = fd, .name = name };
	int pipes[2];

	if (pipe2(pipes, O_CLOEXEC)) {
		say(&r, 'E', strerror(errno));
		return;
	}
	r.output = pipes[0];
	r.pid = fork();
	if (!r.pid)
		become_command(pipes[1], config, command, environment);
	close(pipes[1]);
	if (r.pid < 0)
		say(&r, 'E', strerror(errno));
	else
		attend(&r);
	close(pipes[0]);
}

/* @bytes ends with a zero. */
static void take(int fd, const char *config, char *bytes, size_t len)
{
	char *environment[ENVIRONMENT_MAX + 2] = { "PATH=/usr/sbin:/usr/bin:/sbin:/bin" };
	char *name = bytes, *command = name + strlen(name) + 1, *at;
	size_t n = 1;

	if (command >= bytes + len)
		return;
	for (at = command + strlen(command) + 1; at < bytes + len && n <= ENVIRONMENT_MAX;
	     at += strlen(at) + 1)
		environment[n++] = at;
	run(fd, config, name, command, environment);
}

void hook_process(int fd, const char *config)
{
	static char bytes[HOOKS_MESSAGE_MAX];
	ssize_t len;

	prctl(PR_SET_NAME, "esplaned-hooks");
	/* It outlives the daemon's last words: what they ask for is still run. */
	signal(SIGTERM, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	while ((len = recv(fd, bytes, sizeof(bytes), 0)) > 0 || (len < 0 && errno == EINTR))
		if (len > 1 && !bytes[len - 1])
			take(fd, config, bytes, len);
	_exit(0);
}
