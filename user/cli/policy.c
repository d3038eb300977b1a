// SPDX-License-Identifier: MIT
/* esplane policy: the policies that the module holds, whoever made them. */
#include "../dataplane/codec.h"
#include "module.h"

static void on_policy(void *arg, const struct dp_policy *policy)
{
	struct module_list *l = arg;

	if (!module_list_add(l, policy))
		return;
	if (l->options->dump)
		dump_spd_entry(l->page.out, policy);
	else
		show_spd_entry(&l->page, policy);
}

static int run(const struct options *options)
{
	struct module_list l = { .table = &dp_policy_table, .array = "policies" };
	int status = module_list_start(&l, options), err;
	struct dp *dp;

	if (!status && l.spi) {
		failed("a policy has an ID, but no SPI");
		status = EXIT_USAGE;
	}
	if (status)
		return status;
	dp = module_open();
	if (!dp)
		return EXIT_FAILED;
	module_list_begin(&l);
	if (l.id)
		err = dp_policy_get(dp, l.id, on_policy, &l);
	else
		err = dp_policy_dump(dp, module_list_begin, on_policy, &l);
	status = module_list_end(&l, dp, err);
	dp_close(dp);
	return status;
}

const struct command cmd_policy = {
	"policy", run, OPT_JSON | OPT_DUMP, 1, "[ID]",
	"show the module's policies; needs no daemon",
};
