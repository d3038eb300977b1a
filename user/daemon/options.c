// SPDX-License-Identifier: MIT
/* The command line of esplaned. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "config/load.h"
#include "options.h"

enum {
	OPT_CONFIG = 256,
	OPT_VICI,
	OPT_USER,
	OPT_DEBUG,
	OPT_LOG,
	OPT_JSON,
	OPT_JOURNAL,
	OPT_VERSION,
	OPT_NO_PRIVDROP,
	OPT_NO_KERNEL,
	OPT_HELP,
	OPT_FOREGROUND,
};

static const char usage[] =
"usage: esplaned [OPTIONS]\n"
"  --config FILE   connections and secrets (/etc/esplane/esplane.conf)\n"
"  --vici PATH     control socket (/run/esplane/vici.sock)\n"
"  --user NAME     whom to become once the sockets are bound (esplane, if there is such a user)\n"
"  --no-privdrop   stay who we are, without system call filter: for tests in namespaces\n"
"  --no-kernel     negotiate only: needs no module, carries no traffic\n"
"  --foreground    accepted; esplaned never goes to the background\n"
"  --log LEVELS    what is logged: error, info (the default) or debug, also by part, such as\n"
"                  \"info, kernel:debug\" (daemon, config, kernel, net, vici, ike, child)\n"
"  --debug         log what is sent, received and decided: --log debug\n"
"  --json          log lines as JSON objects\n"
"  --journal[=SOCKET]  log to the systemd journal, as a unit does by itself\n"
"  --version\n"
"Signals: HUP reads the configuration again, TERM and INT delete the SAs at the peers and end.\n";

static const struct option long_options[] = {
	{ "config", required_argument, NULL, OPT_CONFIG },
	{ "vici", required_argument, NULL, OPT_VICI },
	{ "user", required_argument, NULL, OPT_USER },
	{ "debug", no_argument, NULL, OPT_DEBUG },
	{ "log", required_argument, NULL, OPT_LOG },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "journal", optional_argument, NULL, OPT_JOURNAL },
	{ "foreground", no_argument, NULL, OPT_FOREGROUND },
	{ "no-privdrop", no_argument, NULL, OPT_NO_PRIVDROP },
	{ "no-kernel", no_argument, NULL, OPT_NO_KERNEL },
	{ "version", no_argument, NULL, OPT_VERSION },
	{ "help", no_argument, NULL, OPT_HELP },
	{ 0 },
};

static bool take_log(struct options *o, int *status)
{
	struct ike_error why;

	o->has_log = log_levels_parse(&o->log, optarg, &why);
	if (o->has_log)
		return true;
	fprintf(stderr, "esplaned: --log %s: %s\n", optarg, why.text);
	*status = EXIT_FAILURE;
	return false;
}

/* Returns true to go on. */
static bool take(struct options *o, int option, int *status)
{
	switch (option) {
	case OPT_CONFIG:
		o->config = optarg;
		return true;
	case OPT_VICI:
		o->vici = optarg;
		return true;
	case OPT_USER:
		o->user = optarg;
		return true;
	case OPT_DEBUG:
		o->has_log = true;
		log_levels_all(&o->log, IKE_LOG_DEBUG);
		return true;
	case OPT_LOG:
		return take_log(o, status);
	case OPT_JSON:
		o->format = LOG_JSON;
		return true;
	case OPT_JOURNAL:
		o->format = LOG_JOURNAL;
		o->journal = optarg ? optarg : o->journal;
		return true;
	case OPT_FOREGROUND:
		return true;
	case OPT_NO_PRIVDROP:
		o->privdrop = false;
		return true;
	case OPT_NO_KERNEL:
		o->kernel = false;
		return true;
	case OPT_VERSION:
		puts("esplaned " ESPLANE_VERSION);
		*status = EXIT_SUCCESS;
		return false;
	case OPT_HELP:
		fputs(usage, stdout);
		*status = EXIT_SUCCESS;
		return false;
	default:
		fputs(usage, stderr);
		*status = EXIT_FAILURE;
		return false;
	}
}

bool options_parse(struct options *o, int argc, char **argv, int *status)
{
	int option;

	*o = (struct options){ .config = CONFIG_DEFAULT_FILE, .privdrop = true, .kernel = true,
			       .journal = LOG_JOURNAL_SOCKET };
	log_levels_all(&o->log, IKE_LOG_INFO);
	while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1)
		if (!take(o, option, status))
			return false;
	if (optind == argc)
		return true;
	fprintf(stderr, "esplaned: what is '%s'?\n%s", argv[optind], usage);
	*status = EXIT_FAILURE;
	return false;
}
