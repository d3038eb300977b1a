// SPDX-License-Identifier: MIT
/* esplane check: everything that is wrong with a configuration file, at once. */
#include "../config/load.h"
#include "command.h"

static void print_messages(const struct cfg_errors *errors)
{
	size_t i;

	for (i = 0; i < errors->n; i++)
		fprintf(stderr, "%s%s\n",
			errors->list[i].severity == CFG_WARNING ? "warning: " : "",
			errors->list[i].text);
	if (errors->suppressed)
		fprintf(stderr, "and %zu more\n", errors->suppressed);
	if (errors->no_memory)
		failed("out of memory");
}

static size_t count_children(const struct ike_config *config)
{
	size_t i, n = 0;

	for (i = 0; i < config->n_conns; i++)
		n += config->conns[i].n_children;
	return n;
}

static void print_count(size_t n, const char *what, const char *plural, const char *end)
{
	printf("%zu %s%s", n, n == 1 ? what : plural, end);
}

static int run(const struct options *options)
{
	const char *path = options->argument ? options->argument : CONFIG_DEFAULT_FILE;
	struct cfg_errors errors = { 0 };
	struct daemon_config *config = config_load(path, &errors);

	print_messages(&errors);
	if (config) {
		printf("%s: good: ", path);
		print_count(config->ike->n_conns, "connection", "connections", ", ");
		print_count(count_children(config->ike), "child", "children", ", ");
		print_count(config->ike->n_secrets, "secret\n", "secrets\n", "");
	} else {
		print_count(errors.n_errors, "error\n", "errors\n", "");
	}
	cfg_errors_free(&errors);
	config_free(config);
	return config ? 0 : EXIT_FAILED;
}

const struct command cmd_check = {
	"check", run, 0, 1, "[FILE]", "tell everything that is wrong with a configuration file",
};
