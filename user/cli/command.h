/* SPDX-License-Identifier: MIT */
/* What the subcommands of esplane share: their table, their options, talking to the daemon. */
#ifndef ESPLANE_CLI_COMMAND_H
#define ESPLANE_CLI_COMMAND_H

#include <stdbool.h>
#include <stdio.h>

#include "../vici/client.h"

enum { EXIT_FAILED = 1, EXIT_USAGE = 2 };

/* Options a subcommand may take. */
enum {
	OPT_JSON = 1 << 0,
	OPT_NAMES = 1 << 1,		/* --ike, --child, --ike-id, --child-id */
	OPT_TIMEOUT = 1 << 2,
	OPT_QUIET = 1 << 3,
	OPT_LOG = 1 << 4,
	OPT_DUMP = 1 << 5,
	OPT_LINK = 1 << 6,		/* --if-id, --default */
	OPT_KEYS = 1 << 7,		/* --wireshark-keys */
};

struct options {
	unsigned int given;		/* OPT_* */
	unsigned int keys;		/* of arguments.c: which ones */
	const char *uri;		/* NULL: the default socket */
	bool json, dump, quiet, log, wireshark_keys;
	const char *ike, *child, *ike_id, *child_id;
	const char *timeout;		/* seconds */
	const char *if_id, *default_action;	/* of an interface */
	const char *argument;		/* the word behind the subcommand, or NULL */
	const char *second;		/* the one behind that, or NULL */
};

struct command {
	const char *name;
	int (*run)(const struct options *options);
	unsigned int takes;		/* OPT_* */
	unsigned int words;		/* how many may stand behind it */
	const char *argument;		/* what they are called */
	const char *help;
};

extern const struct command cmd_status, cmd_dump, cmd_initiate, cmd_terminate, cmd_rekey,
	cmd_check, cmd_monitor, cmd_stats, cmd_sa, cmd_policy, cmd_link, cmd_reload, cmd_trace,
	cmd_version;

/* The whole command. Returns an exit status. */
int esplane_main(int argc, char **argv);

/* "esplane: ..." on stderr. Returns EXIT_FAILED. */
int failed(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Connects, or says why not and returns NULL. */
struct vici_client *connect_daemon(const struct options *options);
/*
 * Sends a request and frees the reply; events go to @fn. Returns an exit status, 0 for
 * success=yes.
 */
int run_request(struct vici_client *c, const char *what, struct vici_builder *b, vici_event_fn *fn,
		void *arg);

/*
 * Puts the SAs or the configuration that the options, "CONN CHILD" or "CONN/CHILD" name into the
 * request. Returns 0, or an exit status after a message.
 */
int put_names(struct vici_builder *b, const struct options *options);
/* The same with the child to put in place of none. */
int put_names_and_child(struct vici_builder *b, const struct options *options, const char *child);
/* For messages: "home/net". Returns @buf. */
char *names_text(const struct options *options, char *buf, size_t cap);

/* An event function that prints the lines of control-log on stderr. */
vici_event_fn print_control_log;

/* The SAs and connections as the daemon told them: roots of list-sa and list-conn messages. */
struct listing {
	struct vici_node **list;
	size_t n;
};

/* An event function that moves the sections of a message into a struct listing. */
vici_event_fn listing_add;
/* Runs a command that streams events. Returns 0, or an exit status after a message. */
int list_all(struct vici_client *c, const char *command, const char *event,
	     const struct options *options, struct listing *out);
void listing_free(struct listing *l);

#endif
