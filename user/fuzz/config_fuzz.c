// SPDX-License-Identifier: MIT
/*
 * Any text as a configuration file: grammar, inheritance, keys and values. A configuration comes out
 * exactly if nothing was said against the text.
 */
#include <stdlib.h>

#include "config/load.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check_child(const struct ike_child_cfg *c)
{
	const struct ike_lifetime *l = &c->life;

	if (!c->name || !c->n_local_ts || !c->n_remote_ts || !c->proposals.n || !c->replay_window)
		abort();
	if (l->hard_seconds && l->soft_seconds >= l->hard_seconds)
		abort();
	if (l->soft_bytes && l->jitter_bytes >= l->soft_bytes)
		abort();
}

/* What the engine takes for granted. */
static void check_config(const struct daemon_config *config)
{
	const struct ike_conn_cfg *c;
	size_t i, j;

	for (i = 0; i < config->ike->n_conns; i++) {
		c = &config->ike->conns[i];
		if (!c->name || !c->proposals.n || !c->local_port || !c->remote_port)
			abort();
		if (!config->ike->n_secrets)
			abort();
		for (j = 0; j < c->n_children; j++)
			check_child(&c->children[j]);
	}
	for (i = 0; i < config->ike->n_secrets; i++)
		if (!config->ike->secrets[i].key_len)
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct cfg_errors errors = { 0 };
	struct daemon_config *config = config_parse("f.conf", (const char *)data, len, &errors);

	if (!config != !!errors.n_errors && !errors.no_memory)
		abort();
	if (config)
		check_config(config);
	config_free(config);
	cfg_errors_free(&errors);
	return 0;
}
