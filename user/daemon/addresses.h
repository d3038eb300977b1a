/* SPDX-License-Identifier: MIT */
/*
 * Addresses that peers give to this host (the configuration payload), on the interface that has the
 * address outside of the tunnel, and routes that prefer them as source for what is behind the peer,
 * the same way as to the peer: by rtnetlink, for which CAP_NET_ADMIN is enough. A route that is
 * there already stays as it is, and none is made for everything: what leads to the peer must not be
 * replaced.
 */
#ifndef ESPLANE_ADDRESSES_H
#define ESPLANE_ADDRESSES_H

#include <net/if.h>

#include "ikev2/ike.h"

struct nl_sock;

struct addresses {
	struct nl_sock *sock; /* NULL: everything succeeds, nothing happens */
	char why[128];
};

/* Before the system calls are filtered. Returns 0, or -1 after logging why. */
int addresses_open(struct addresses *a);
void addresses_close(struct addresses *a);
/* As addresses() of struct ike_host: those of all interfaces that are valid beyond the link. */
size_t addresses_list(struct addresses *a, struct ike_addr *list, size_t max);
/* The name of the interface that has @addr; empty if there is none. */
void addresses_interface(struct addresses *a, const struct ike_addr *addr, char name[IF_NAMESIZE]);
/* As vip_add() and vip_del() of struct ike_host. */
int addresses_add(struct addresses *a, const struct ike_vip_spec *spec, const char **why);
void addresses_del(struct addresses *a, const struct ike_vip_spec *spec);

#endif
