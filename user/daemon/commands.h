/* SPDX-License-Identifier: MIT */
/* The VICI commands, one function each: those of commands.c, loads.c and lists.c. */
#ifndef ESPLANE_COMMANDS_H
#define ESPLANE_COMMANDS_H

#include <string.h>

#include "control.h"

typedef void vici_command(struct client *client, const struct vici_node *args);

/* loads.c */
vici_command cmd_load_conn, cmd_unload_conn, cmd_get_conns, cmd_load_pool, cmd_unload_pool,
	cmd_load_authority, cmd_unload_authority, cmd_get_authorities, cmd_load_shared,
	cmd_unload_shared, cmd_get_shared, cmd_load_cert, cmd_load_key, cmd_unload_key,
	cmd_get_keys, cmd_clear_creds;
/* trace.c */
vici_command cmd_esplane_trace;
/* lists.c */
vici_command cmd_list_certs, cmd_list_authorities, cmd_list_policies, cmd_get_pools,
	cmd_get_algorithms, cmd_get_counters, cmd_reset_counters;

static inline struct host *host_of(const struct client *client)
{
	return client->control->ops.host(client->control->ops.arg);
}

static inline const struct ike_config *config_of(const struct client *client)
{
	return client->control->ops.config(client->control->ops.arg);
}

/* What clients have loaded, and the file, as it was read last. */
static inline struct config_extra *extra_of(const struct client *client)
{
	return client->control->ops.extra(client->control->ops.arg);
}

static inline const struct settings *file_of(const struct client *client)
{
	return client->control->ops.file(client->control->ops.arg);
}

/* Is @name the one that @args asks for under @key, or does it ask for any? */
static inline bool name_matches(const struct vici_node *args, const char *key, const char *name)
{
	const char *wanted = vici_get(args, key);

	return !wanted || !strcmp(wanted, name);
}

static inline bool says_yes(const struct vici_node *args, const char *key)
{
	const char *value = vici_get(args, key);

	return value && !strcmp(value, "yes");
}

static inline void reply_empty(struct client *client)
{
	struct vici_builder b;

	vici_reply_begin(&b);
	vici_session_reply(client->session, &b);
}

#endif
