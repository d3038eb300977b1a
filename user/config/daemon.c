// SPDX-License-Identifier: MIT
/* Section "esplaned": what concerns the daemon and its engine as a whole. */
#include <stdlib.h>
#include <string.h>

#include "draft.h"

/* Of an IP packet with a fragment of IKE, in bytes. */
enum { FRAGMENT_SIZE_LEAST = 256, IP_SIZE_MOST = 65535 };

struct daemon_draft {
	struct ike_settings engine;
	uint16_t port, port_nat_t;
	char *socket, *leases, *resolvconf;
	struct log_levels log;
};

#define KEY(key, setter, member, arg) { key, setter, offsetof(struct daemon_draft, member), arg }

/* Zero would mean the default to the engine, not what the file says. */
static void set_positive_u32(const struct key_call *call)
{
	uint32_t *field = call->field;

	*field = UINT32_MAX;
	set_u32(call);
	if (!*field)
		key_error(call, "must be more than 0");
}

static void positive(const struct key_call *call, key_setter *set)
{
	uint64_t *field = call->field;

	*field = KEY_OPEN;
	set(call);
	if (!*field)
		key_error(call, "must be more than 0");
}

static void set_positive_seconds(const struct key_call *call)
{
	positive(call, set_seconds);
}

static void set_positive_milliseconds(const struct key_call *call)
{
	positive(call, set_milliseconds);
}

static void set_fragment_size(const struct key_call *call)
{
	uint32_t *field = call->field;

	*field = FRAGMENT_SIZE_LEAST;
	set_u32(call);
	if (*field < FRAGMENT_SIZE_LEAST || *field > IP_SIZE_MOST)
		key_error(call, "must be from %d to %d", FRAGMENT_SIZE_LEAST, IP_SIZE_MOST);
}

static void set_path(const struct key_call *call)
{
	if (call->setting->value[0] != '/')
		key_error(call, "\"%s\" is no absolute path", call->setting->value);
	else
		set_string(call);
}

static void set_log_levels(const struct key_call *call)
{
	struct ike_error err;

	if (!log_levels_parse(call->field, call->setting->value, &err))
		key_error(call, "%s", err.text);
}

static const struct key_def settings_keys[] = {
	KEY("cookie_threshold", set_positive_u32, engine.cookie_threshold, NULL),
	KEY("cookie_threshold_ip", set_positive_u32, engine.cookie_threshold_ip, NULL),
	KEY("block_threshold", set_positive_u32, engine.block_threshold, NULL),
	KEY("half_open_limit", set_positive_u32, engine.half_open_limit, NULL),
	KEY("retransmit_timeout", set_positive_milliseconds, engine.retransmit_timeout_ms, NULL),
	KEY("retransmit_tries", set_positive_u32, engine.retransmit_tries, NULL),
	KEY("keepalive_interval", set_positive_seconds, engine.keepalive_interval, NULL),
	KEY("fragment_size", set_fragment_size, engine.fragment_size, NULL),
	KEY("port", set_u16, port, NULL),
	KEY("port_nat_t", set_u16, port_nat_t, NULL),
	KEY("socket", set_path, socket, NULL),
	KEY("leases", set_path, leases, NULL),
	KEY("resolvconf", set_path, resolvconf, NULL),
	KEY("log", set_log_levels, log, NULL),
};

const struct key_table settings_table = {
	"esplaned", settings_keys, KEY_COUNT(settings_keys), NULL, 0,
};

void load_daemon(struct load *l, const struct section *s)
{
	struct daemon_draft d = {
		.port = IKE_PORT, .port_nat_t = IKE_PORT_NATT,
	};

	log_levels_all(&d.log, IKE_LOG_INFO);
	if (s)
		keys_apply(&settings_table, s, &d, l->errors);
	if (d.port == d.port_nat_t)
		cfg_error(l->errors, where_of(s, "port_nat_t"),
			  "port and port_nat_t are both %u: they must differ (RFC 3948)", d.port);
	l->out->ike->settings = d.engine;
	l->out->port = d.port;
	l->out->port_nat_t = d.port_nat_t;
	l->out->socket = d.socket;
	l->out->leases = d.leases;
	l->out->resolvconf = d.resolvconf;
	l->out->log = d.log;
}
