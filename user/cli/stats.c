// SPDX-License-Identifier: MIT
/*
 * esplane stats: counters of the engine, and why packets were dropped.
 *
 * The daemon tells of the engine. The rest is the module's, which is asked itself where that is
 * allowed: it answers without a daemon. Otherwise the daemon tells of both.
 */
#include <string.h>
#include <unistd.h>

#include "module.h"

static struct vici_node *ask_daemon(const struct options *options, char *why)
{
	struct vici_client *c = vici_connect(options->uri, why);
	struct vici_node *reply;
	struct vici_builder b;

	if (!c)
		return NULL;
	vici_begin(&b, VICI_CMD_REQUEST, "esplane-stats");
	reply = vici_request(c, &b, NULL, NULL, why);
	vici_client_free(c);
	if (!reply || strcmp(get_or(reply, "success", "yes"), "no"))
		return reply;
	snprintf(why, VICI_ERROR_LEN, "%s", get_or(reply, "errmsg", "the daemon does not say why"));
	vici_tree_free(reply);
	return NULL;
}

static struct vici_node *ask_module(const struct vici_node *engine, char *why)
{
	struct vici_node *stats = NULL;
	const char *text;
	struct dp *dp = dp_open(&text);

	if (dp) {
		stats = module_stats(dp, engine);
		text = dp_why(dp);
	}
	if (!stats)
		snprintf(why, VICI_ERROR_LEN, "%s", text);
	dp_close(dp);
	return stats;
}

static int run(const struct options *options)
{
	struct page page = { .out = stdout, .color = isatty(STDOUT_FILENO) };
	char no_daemon[VICI_ERROR_LEN] = "", no_module[VICI_ERROR_LEN] = "";
	struct vici_node *daemon = ask_daemon(options, no_daemon);
	struct vici_node *module = ask_module(vici_child(daemon, "ike"), no_module);
	const struct vici_node *stats = module ? module : daemon;
	int status = 0;

	if (!stats)
		status = failed("stats: %s; and %s", no_module, no_daemon);
	else if (options->json)
		show_json_section(stdout, stats);
	else
		show_stats(&page, stats);
	if (!status && options->json)
		putchar('\n');
	vici_tree_free(daemon);
	vici_tree_free(module);
	return status;
}

const struct command cmd_stats = {
	"stats", run, OPT_JSON, 0, "", "counters that are not zero, why packets were dropped",
};
