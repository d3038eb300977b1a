// SPDX-License-Identifier: MIT
/* What a CHILD_SA's command finds in its environment: the names are those of strongSwan's scripts. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "hooks.h"
#include "updown.h"
#include "vici/version.h"

enum { NAME_LEN = 256 };

static void add_addr(struct hooks_request *r, const char *name, const struct ike_addr *addr)
{
	char text[IKE_ADDR_TEXT_MAX];

	hooks_add(r, "%s=%s", name, ike_addr_text(addr, text, sizeof(text)));
}

static void add_ts(struct hooks_request *r, const char *end, const struct ike_ts *ts)
{
	struct ike_ts net = *ts;
	char text[IKE_TS_TEXT_MAX];

	net.protocol = 0;
	net.port_first = 0;
	net.port_last = UINT16_MAX;
	hooks_add(r, "PLUTO_%s_CLIENT=%s", end, ike_ts_text(&net, text, sizeof(text)));
	hooks_add(r, "PLUTO_%s_PORT=%u", end, ts->port_first == ts->port_last ? ts->port_first : 0);
	hooks_add(r, "PLUTO_%s_PROTOCOL=%u", end, ts->protocol);
}

static void add_end(struct hooks_request *r, const char *end, const struct ike_addr *addr,
		    const struct ike_id *id, const struct ike_ts *ts)
{
	char name[sizeof("PLUTO_PEER")], text[IKE_ID_TEXT_MAX];

	snprintf(name, sizeof(name), "PLUTO_%s", !strcmp(end, "MY") ? "ME" : end);
	add_addr(r, name, addr);
	hooks_add(r, "PLUTO_%s_ID=%s", end, ike_id_text(id, text, sizeof(text)));
	add_ts(r, end, ts);
}

/* PLUTO_MY_SOURCEIP is the first, PLUTO_MY_SOURCEIP4_1 and so on are all of a family. */
static void add_vips(struct hooks_request *r, const char *end, const struct ike_addr *list,
		     size_t n)
{
	unsigned int of4 = 0, of6 = 0;
	char name[40];
	size_t i;

	snprintf(name, sizeof(name), "PLUTO_%s_SOURCEIP", end);
	if (n)
		add_addr(r, name, &list[0]);
	for (i = 0; i < n; i++) {
		bool v4 = list[i].family == AF_INET;

		snprintf(name, sizeof(name), "PLUTO_%s_SOURCEIP%c_%u", end, v4 ? '4' : '6',
			 v4 ? ++of4 : ++of6);
		add_addr(r, name, &list[i]);
	}
}

static bool is_host(const struct ike_ts *ts, const struct ike_addr *addr)
{
	return ike_addr_equal(&ts->first, addr) && ike_addr_equal(&ts->last, addr);
}

void updown_request(struct hooks_request *r, const struct ike_updown_spec *spec,
		    const char *interface, const struct ike_ts *local,
		    const struct ike_ts *remote)
{
	char name[NAME_LEN];

	snprintf(name, sizeof(name), "%s[%" PRIu64 "]/%s{%" PRIu64 "}", spec->conn, spec->ike_id,
		 spec->cfg->name, spec->child_id);
	hooks_begin(r, name, spec->cfg->updown);
	hooks_add(r, "PLUTO_VERSION=esplane " ESPLANE_VERSION);
	hooks_add(r, "PLUTO_VERB=%s-%s%s", spec->up ? "up" : "down",
		  is_host(local, &spec->local.addr) ? "host" : "client",
		  spec->local.addr.family == AF_INET6 ? "-v6" : "");
	hooks_add(r, "PLUTO_CONNECTION=%s", spec->cfg->name);
	hooks_add(r, "PLUTO_IKE_CONNECTION=%s", spec->conn);
	hooks_add(r, "PLUTO_INTERFACE=%s", interface);
	hooks_add(r, "PLUTO_REQID=%" PRIu64, spec->child_id);
	hooks_add(r, "PLUTO_UNIQUEID=%" PRIu64, spec->ike_id);
	hooks_add(r, "PLUTO_PROTO=esp");
	add_end(r, "MY", &spec->local.addr, spec->local_id, local);
	add_end(r, "PEER", &spec->remote.addr, spec->remote_id, remote);
	add_vips(r, "MY", spec->local_vips, spec->n_local_vips);
	add_vips(r, "PEER", spec->remote_vips, spec->n_remote_vips);
	if (spec->udp_encap)
		hooks_add(r, "PLUTO_UDP_ENC=%u", spec->remote.port);
	if (spec->cfg->hostaccess)
		hooks_add(r, "PLUTO_HOST_ACCESS=1");
	if (spec->cfg->if_id_in)
		hooks_add(r, "PLUTO_IF_ID_IN=%" PRIu32, spec->cfg->if_id_in);
	if (spec->cfg->if_id_out)
		hooks_add(r, "PLUTO_IF_ID_OUT=%" PRIu32, spec->cfg->if_id_out);
}

void updown_run(struct hooks *h, const struct ike_updown_spec *spec, const char *interface)
{
	static struct hooks_request r;
	size_t i, j;

	for (i = 0; i < spec->n_local_ts; i++)
		for (j = 0; j < spec->n_remote_ts; j++) {
			if (spec->local_ts[i].first.family != spec->remote_ts[j].first.family)
				continue;
			updown_request(&r, spec, interface, &spec->local_ts[i],
				       &spec->remote_ts[j]);
			hooks_run(h, &r);
		}
}
