// SPDX-License-Identifier: MIT
/* Finds the subcommand that the command line names, and reads its options. */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"

static const struct command *const commands[] = {
	&cmd_status, &cmd_dump, &cmd_initiate, &cmd_terminate, &cmd_rekey, &cmd_monitor,
	&cmd_stats, &cmd_sa, &cmd_policy, &cmd_link, &cmd_check,
	&cmd_reload, &cmd_trace, &cmd_version,
};

enum { N_COMMANDS = sizeof(commands) / sizeof(commands[0]) };

static void print_usage(FILE *out)
{
	char left[64];
	size_t i;

	fputs("usage: esplane [COMMAND] [OPTIONS]\n\n", out);
	for (i = 0; i < N_COMMANDS; i++) {
		snprintf(left, sizeof(left), "%s %s", commands[i]->name, commands[i]->argument);
		fprintf(out, "  %-26s %s\n", left, commands[i]->help);
	}
	fputs("\n"
	      "  --uri unix://PATH          socket of the daemon (" VICI_DEFAULT_SOCKET ")\n"
	      "  --json                     status, monitor, stats, sa, policy, link: for programs\n"
	      "  --dump                     sa, policy, link: columns separated by tabs\n"
	      "  --wireshark-keys           sa: their keys, as Wireshark's file esp_sa has them\n"
	      "  --ike NAME, --child NAME, --ike-id N, --child-id N\n"
	      "                             which SAs, instead of CONN and CHILD\n"
	      "  --timeout SECONDS          initiate, terminate, rekey: wait no longer\n"
	      "  --quiet                    the same: without the daemon's log\n"
	      "  --log                      monitor: with the daemon's log\n"
	      "  --if-id N                  link add: what SAs and policies name it by\n"
	      "  --default reject|discard   link add: packets that no policy of it covers\n", out);
}

static int usage(const char *what, const char *word)
{
	fprintf(stderr, "esplane: %s %s\n", what, word);
	fputs("try: esplane --help\n", stderr);
	return EXIT_USAGE;
}

static const struct command *find_command(const char *name)
{
	size_t i;

	for (i = 0; i < N_COMMANDS; i++)
		if (!strcmp(commands[i]->name, name))
			return commands[i];
	return NULL;
}

enum {
	KEY_URI = 256,
	KEY_JSON,
	KEY_DUMP,
	KEY_IKE,
	KEY_CHILD,
	KEY_IKE_ID,
	KEY_CHILD_ID,
	KEY_TIMEOUT,
	KEY_QUIET,
	KEY_LOG,
	KEY_IF_ID,
	KEY_DEFAULT,
	KEY_WIRESHARK_KEYS,
};

static const struct option long_options[] = {
	{ "help", no_argument, NULL, 'h' },
	{ "uri", required_argument, NULL, KEY_URI },
	{ "json", no_argument, NULL, KEY_JSON },
	{ "dump", no_argument, NULL, KEY_DUMP },
	{ "ike", required_argument, NULL, KEY_IKE },
	{ "child", required_argument, NULL, KEY_CHILD },
	{ "ike-id", required_argument, NULL, KEY_IKE_ID },
	{ "child-id", required_argument, NULL, KEY_CHILD_ID },
	{ "timeout", required_argument, NULL, KEY_TIMEOUT },
	{ "quiet", no_argument, NULL, KEY_QUIET },
	{ "log", no_argument, NULL, KEY_LOG },
	{ "if-id", required_argument, NULL, KEY_IF_ID },
	{ "default", required_argument, NULL, KEY_DEFAULT },
	{ "wireshark-keys", no_argument, NULL, KEY_WIRESHARK_KEYS },
	{ 0 },
};

/* Which of OPT_* an option is; 0 for those that every subcommand takes. */
static unsigned int option_class(int key)
{
	switch (key) {
	case KEY_JSON:
		return OPT_JSON;
	case KEY_DUMP:
		return OPT_DUMP;
	case KEY_IKE:
	case KEY_CHILD:
	case KEY_IKE_ID:
	case KEY_CHILD_ID:
		return OPT_NAMES;
	case KEY_TIMEOUT:
		return OPT_TIMEOUT;
	case KEY_QUIET:
		return OPT_QUIET;
	case KEY_LOG:
		return OPT_LOG;
	case KEY_IF_ID:
	case KEY_DEFAULT:
		return OPT_LINK;
	case KEY_WIRESHARK_KEYS:
		return OPT_KEYS;
	default:
		return 0;
	}
}

static void set_option(struct options *o, int key)
{
	o->given |= option_class(key);
	o->keys |= 1u << (key - KEY_URI);
	switch (key) {
	case KEY_URI:
		o->uri = optarg;
		break;
	case KEY_JSON:
		o->json = true;
		break;
	case KEY_DUMP:
		o->dump = true;
		break;
	case KEY_IKE:
		o->ike = optarg;
		break;
	case KEY_CHILD:
		o->child = optarg;
		break;
	case KEY_IKE_ID:
		o->ike_id = optarg;
		break;
	case KEY_CHILD_ID:
		o->child_id = optarg;
		break;
	case KEY_TIMEOUT:
		o->timeout = optarg;
		break;
	case KEY_QUIET:
		o->quiet = true;
		break;
	case KEY_LOG:
		o->log = true;
		break;
	case KEY_IF_ID:
		o->if_id = optarg;
		break;
	case KEY_DEFAULT:
		o->default_action = optarg;
		break;
	case KEY_WIRESHARK_KEYS:
		o->wireshark_keys = true;
		break;
	default:
		break;
	}
}

static bool is_number(const char *text)
{
	return *text && strspn(text, "0123456789") == strlen(text) && strlen(text) < 10;
}

/* Options that @command does not take, and values that are none. */
static int check_options(const struct command *command, const struct options *o)
{
	unsigned int extra = o->given & ~command->takes;
	char text[64];
	size_t i;

	for (i = 0; long_options[i].name; i++) {
		if (!(option_class(long_options[i].val) & extra) ||
		    !(o->keys & 1u << (long_options[i].val - KEY_URI)))
			continue;
		snprintf(text, sizeof(text), "does not take --%s", long_options[i].name);
		return usage(command->name, text);
	}
	if (o->ike_id && !is_number(o->ike_id))
		return usage("no number behind --ike-id:", o->ike_id);
	if (o->child_id && !is_number(o->child_id))
		return usage("no number behind --child-id:", o->child_id);
	if (o->if_id && (!is_number(o->if_id) || !strtol(o->if_id, NULL, 10)))
		return usage("no number above 0 behind --if-id:", o->if_id);
	if (o->timeout && (!is_number(o->timeout) || !strtol(o->timeout, NULL, 10)))
		return usage("no number of seconds behind --timeout:", o->timeout);
	return 0;
}

int esplane_main(int argc, char **argv)
{
	struct options options = { 0 };
	const struct command *command = &cmd_status;
	int key, status;

	while ((key = getopt_long(argc, argv, "hu:", long_options, NULL)) != -1) {
		if (key == 'h') {
			print_usage(stdout);
			return 0;
		}
		if (key == '?')
			return EXIT_USAGE;
		set_option(&options, key == 'u' ? KEY_URI : key);
	}
	if (optind < argc) {
		command = find_command(argv[optind]);
		if (!command)
			return usage("there is no command", argv[optind]);
		optind++;
	}
	if (optind < argc && command->words > 0)
		options.argument = argv[optind++];
	if (optind < argc && command->words > 1)
		options.second = argv[optind++];
	if (optind < argc)
		return usage("one word too many:", argv[optind]);
	status = check_options(command, &options);
	return status ? status : command->run(&options);
}
