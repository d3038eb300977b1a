// SPDX-License-Identifier: MIT
/* esplane monitor: what happens, as it happens. */
#include <time.h>

#include "show.h"

static void print_time(void)
{
	time_t now = time(NULL);
	char text[32] = "";
	struct tm tm;

	if (localtime_r(&now, &tm))
		strftime(text, sizeof(text), "%H:%M:%S", &tm);
	printf("%s ", text);
}

static void on_event(void *arg, const char *event, struct vici_node *message)
{
	const struct options *options = arg;

	if (options->json) {
		printf("{\"event\": \"%s\", \"message\": ", event);
		show_json_section(stdout, message);
		puts("}");
	} else {
		print_time();
		show_event(stdout, event, message);
	}
	fflush(stdout);
}

static int watch(struct vici_client *c, const struct options *options)
{
	static const char *const events[] = {
		"ike-updown", "ike-rekey", "child-updown", "child-rekey", "log",
	};
	size_t i, n = sizeof(events) / sizeof(events[0]) - !options->log;
	char error[VICI_ERROR_LEN];

	for (i = 0; i < n; i++)
		if (vici_register(c, events[i], error))
			return failed("%s", error);
	if (vici_wait(c, on_event, (void *)options, error))
		return failed("%s", error);
	return failed("esplaned closed the connection");
}

static int run(const struct options *options)
{
	struct vici_client *c = connect_daemon(options);
	int status;

	if (!c)
		return EXIT_FAILED;
	status = watch(c, options);
	vici_client_free(c);
	return status;
}

const struct command cmd_monitor = {
	"monitor", run, OPT_JSON | OPT_LOG, 0, "", "show what happens, until interrupted",
};
