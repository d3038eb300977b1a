// SPDX-License-Identifier: MIT
/* esplane sa: the SAs that the module holds, whoever made them. */
#include "../dataplane/codec.h"
#include "module.h"

struct sa_list {
	struct module_list list;	/* first: module_list_begin() is given it */
	struct transform_names names;
};

static void on_sa(void *arg, const struct dp_sa *sa)
{
	struct sa_list *l = arg;

	if ((l->list.spi && sa->spi != l->list.spi) || !module_list_add(&l->list, sa))
		return;
	if (l->list.options->dump)
		dump_sad_entry(l->list.page.out, sa);
	else
		show_sad_entry(&l->list.page, sa, &l->names);
}

static int run(const struct options *options)
{
	struct sa_list l = { .list = { .table = &dp_sa_table, .array = "sas" } };
	int status = module_list_start(&l.list, options), err;
	struct dp *dp;

	if (status)
		return status;
	dp = module_open();
	if (!dp)
		return EXIT_FAILED;
	if (!options->json && !options->dump)
		module_transforms(dp, &l.names);
	module_list_begin(&l);
	if (l.list.id)
		err = dp_sa_get(dp, l.list.id, on_sa, &l);
	else
		err = dp_sa_dump(dp, module_list_begin, on_sa, &l);
	status = module_list_end(&l.list, dp, err);
	dp_close(dp);
	return status;
}

const struct command cmd_sa = {
	"sa", run, OPT_JSON | OPT_DUMP, 1, "[ID|0xSPI]",
	"show the module's SAs and what they dropped; needs no daemon",
};
