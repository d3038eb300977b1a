/* SPDX-License-Identifier: MIT */
/*
 * The sockets that servers of RADIUS are asked from: one of each family, bound to any port before
 * privileges go. What is in the packets is the engine's business (ikev2/aaa.h).
 */
#ifndef ESPLANE_DAEMON_RADIUS_H
#define ESPLANE_DAEMON_RADIUS_H

#include <uv.h>

#include "ikev2/ike.h"

struct host;

enum {
	RADIUS_FAMILIES = 2 /* IPv4, IPv6 */
};

struct radius {
	uv_udp_t udp[RADIUS_FAMILIES];
	bool open[RADIUS_FAMILIES];
	struct host *host;
	uint8_t packet[65536];
};

/* Opens what @config has servers for: others need a restart. Returns 0 or -1 (told). */
int radius_open(struct radius *r, uv_loop_t *loop, const struct ike_config *config);
/* From here on what comes goes to @host's engine. Returns 0 or -1. */
int radius_start(struct radius *r, struct host *host);
void radius_close(struct radius *r);
void radius_send(struct radius *r, const struct ike_endpoint *server, const uint8_t *packet,
		 size_t len);

#endif
