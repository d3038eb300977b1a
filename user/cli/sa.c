// SPDX-License-Identifier: MIT
/* esplane sa: the SAs that the module holds, whoever made them; and their keys, if it gives them. */
#include <errno.h>
#include <stdlib.h>

#include "../dataplane/codec.h"
#include "module.h"

struct sa_list {
	struct module_list list;	/* first: module_list_begin() is given it */
	struct module_caps caps;
	uint32_t *ids;			/* whose keys are wanted */
	size_t n_ids;
};

static void on_sa(void *arg, const struct dp_sa *sa)
{
	struct sa_list *l = arg;

	if ((l->list.spi && sa->spi != l->list.spi) || !module_list_add(&l->list, sa))
		return;
	if (l->list.options->dump)
		dump_sad_entry(l->list.page.out, sa);
	else
		show_sad_entry(&l->list.page, sa, &l->caps);
}

static void forget_ids(void *arg)
{
	struct sa_list *l = arg;

	l->n_ids = 0;
}

static void keep_id(void *arg, const struct dp_sa *sa)
{
	enum { STEP = 1024 };
	struct sa_list *l = arg;

	if (l->list.spi && sa->spi != l->list.spi)
		return;
	if (l->n_ids % STEP == 0)
		l->ids = realloc(l->ids, (l->n_ids + STEP) * sizeof(*l->ids));
	if (!l->ids)
		exit(failed("out of memory"));
	l->ids[l->n_ids++] = sa->id;
}

static void on_keys(void *arg, const struct dp_sa *sa)
{
	struct sa_list *l = arg;

	l->list.n++;
	print_wireshark_sa(l->list.page.out, sa, &l->caps);
}

/* One request for each: what asks for all keys at once is not in the contract. */
static int list_keys(struct dp *dp, struct sa_list *l)
{
	int err = 0;
	size_t i;

	if (l->list.id)
		return dp_sa_keys_get(dp, l->list.id, on_keys, l);
	err = dp_sa_dump(dp, forget_ids, keep_id, l);
	for (i = 0; i < l->n_ids && !err; i++) {
		err = dp_sa_keys_get(dp, l->ids[i], on_keys, l);
		/* It went meanwhile. */
		if (err == -ENOENT)
			err = 0;
	}
	free(l->ids);
	return err;
}

static int print_keys(struct dp *dp, struct sa_list *l)
{
	int err = module_caps(dp, &l->caps);

	if (err)
		return module_failed(dp, err);
	if (!l->caps.key_export)
		return failed("the module was built without key export (make KEY_EXPORT=1)");
	module_list_begin(l);
	fputs("# ESP SAs for Wireshark, by esplane: whoever has this can read what they carry.\n",
	      l->list.page.out);
	err = list_keys(dp, l);
	if (!err)
		return module_list_end(&l->list, dp, 0);
	return failed("%s", dp_why(dp));
}

static int print_sas(struct dp *dp, struct sa_list *l)
{
	const struct options *o = l->list.options;
	int err;

	if (!o->json && !o->dump)
		module_caps(dp, &l->caps);
	module_warn(&l->caps);
	module_list_begin(l);
	if (l->list.id)
		err = dp_sa_get(dp, l->list.id, on_sa, l);
	else
		err = dp_sa_dump(dp, module_list_begin, on_sa, l);
	return module_list_end(&l->list, dp, err);
}

static int run(const struct options *options)
{
	struct sa_list l = { .list = { .table = &dp_sa_table, .array = "sas" } };
	int status = module_list_start(&l.list, options);
	struct dp *dp;

	if (status)
		return status;
	dp = module_open();
	if (!dp)
		return EXIT_FAILED;
	status = options->wireshark_keys ? print_keys(dp, &l) : print_sas(dp, &l);
	dp_close(dp);
	return status;
}

const struct command cmd_sa = {
	"sa", run, OPT_JSON | OPT_DUMP | OPT_KEYS, 1, "[ID|0xSPI]",
	"show the module's SAs and what they dropped; needs no daemon",
};
