// SPDX-License-Identifier: MIT
/*
 * esplane trace: the IKE messages that the daemon sends and receives, decrypted, as a capture file
 * for Wireshark, until interrupted.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "pcapng.h"

enum { MODE = 0600 };

static bool get_endpoint(const struct vici_node *n, const char *host, const char *port,
			 struct ike_endpoint *e)
{
	const char *addr = vici_get(n, host), *number = vici_get(n, port);
	struct ike_ts ts;

	if (!addr || !number || !ike_ts_parse(addr, &ts, NULL))
		return false;
	e->addr = ts.first;
	e->port = strtoul(number, NULL, 10);
	return true;
}

static void make_comment(const struct vici_node *n, char *text, size_t cap)
{
	const char *ike = vici_get(n, "ike"), *id = vici_get(n, "ike-id");
	bool decrypted = !strcmp(vici_get(n, "decrypted"), "yes");

	snprintf(text, cap, "%s%s%s%s%s", ike ? ike : "", ike ? "[" : "", ike ? id : "",
		 ike ? "]: " : "", decrypted ? "decrypted: what was in the SK payload takes its place"
					     : "as it was, in the clear");
}

/* What cannot be kept ends the command: a trace with holes would mislead. */
static void on_event(void *arg, const char *event, struct vici_node *n)
{
	const struct vici_node *message = vici_child(n, "message");
	const char *time = vici_get(n, "time"), *sent = vici_get(n, "sent");
	struct ike_endpoint local, remote;
	struct pcapng_datagram d;
	char comment[256];

	if (strcmp(event, "esplane-trace") || !message || !time || !sent ||
	    !vici_get(n, "decrypted") || !get_endpoint(n, "local-host", "local-port", &local) ||
	    !get_endpoint(n, "remote-host", "remote-port", &remote))
		return;
	make_comment(n, comment, sizeof(comment));
	d = (struct pcapng_datagram){
		.time = strtoull(time, NULL, 10), .sent = !strcmp(sent, "yes"),
		.message = (const uint8_t *)message->value, .len = message->value_len,
		.comment = comment,
	};
	d.from = d.sent ? local : remote;
	d.to = d.sent ? remote : local;
	if (pcapng_put(arg, &d) && errno != EMSGSIZE)
		exit(failed("trace: cannot write: %s", strerror(errno)));
}

/* A file of its own, that nobody else reads; "-" is standard output. NULL after a message. */
static FILE *create(const char *path)
{
	FILE *out;
	int fd;

	if (!strcmp(path, "-")) {
		if (!isatty(STDOUT_FILENO))
			return stdout;
		failed("trace: standard output is a terminal: give a file, or pipe it to a program");
		return NULL;
	}
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, MODE);
	out = fd < 0 ? NULL : fdopen(fd, "w");
	if (!out)
		failed("trace: %s: %s", path, strerror(errno));
	return out;
}

static int watch(struct vici_client *c, FILE *out)
{
	char error[VICI_ERROR_LEN];
	struct vici_builder b;
	int status;

	if (vici_register(c, "esplane-trace", error))
		return failed("trace: %s", error);
	vici_begin(&b, VICI_CMD_REQUEST, "esplane-trace");
	status = run_request(c, "trace", &b, on_event, out);
	if (status)
		return status;
	fputs("esplane: tracing until interrupted\n", stderr);
	if (vici_wait(c, on_event, out, error))
		return failed("trace: %s", error);
	return failed("trace: esplaned closed the connection");
}

static int run(const struct options *options)
{
	struct vici_client *c;
	int status = EXIT_FAILED;
	FILE *out;

	if (!options->argument)
		return failed("trace: which file? (\"-\" is standard output)");
	if (geteuid())
		return failed("trace: only root may see decrypted messages");
	c = connect_daemon(options);
	out = c ? create(options->argument) : NULL;
	if (out && pcapng_begin(out))
		failed("trace: cannot write: %s", strerror(errno));
	else if (out)
		status = watch(c, out);
	if (out)
		fclose(out);
	vici_client_free(c);
	return status;
}

const struct command cmd_trace = {
	"trace", run, 0, 1, "FILE", "decrypted IKE messages as pcapng, until interrupted (root)",
};
