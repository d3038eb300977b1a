/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where ESP enters and leaves: the local-input hook, registered UDP ports, protocol 50, emission.
 */
#ifndef _ESPLANE_ENCAP_H
#define _ESPLANE_ENCAP_H

#include <linux/types.h>

struct esplane_net;
struct netlink_ext_ack;

/*
 * netlink: the socket of @fd proves that its port, at the address that it is bound to or at all of
 * them, is the caller's. Returns the port (host order) or an error. del: at all addresses.
 * A port that is registered already stays so and takes the new @ike_only: a restarted daemon
 * adopts it.
 * Both: caller holds esplane_net::lock.
 */
int esplane_encap_add(struct esplane_net *en, u32 fd, bool ike_only,
		      struct netlink_ext_ack *extack);
int esplane_encap_del(struct esplane_net *en, u16 port, struct netlink_ext_ack *extack);
/*
 * Fragments of outer IPv6 packets are put together from now on. Caller holds esplane_net::lock; may
 * sleep.
 */
int esplane_encap_reassemble(struct esplane_net *en, struct netlink_ext_ack *extack);
/* True if UDP from this local port passes the SPD: IKE's, or our own ESP-in-UDP. RCU read side. */
bool esplane_encap_port_exempt(const struct esplane_net *en, __be16 port);

int esplane_encap_init(struct esplane_net *en);
void esplane_encap_exit(struct esplane_net *en);

#endif
