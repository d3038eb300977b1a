/* SPDX-License-Identifier: GPL-2.0 */
/* The SAD (RFC 4301 section 4.4.2): SAs of one network namespace, by SPI and by ID. */
#ifndef _ESPLANE_SAD_H
#define _ESPLANE_SAD_H

#include <linux/types.h>

struct esplane_addr;
struct esplane_net;
struct esplane_outer;
struct esplane_sa;
struct netlink_ext_ack;

/* Inbound SA of this SPI alone (RFC 4301 section 4.1), or NULL. RCU read side. */
struct esplane_sa *esplane_sad_lookup_spi(const struct esplane_net *en, __be32 spi);
/* Outbound SA of this SPI and peer, or NULL. RCU read side. */
struct esplane_sa *esplane_sad_lookup_peer(const struct esplane_net *en, __be32 spi,
					   const struct esplane_addr *dst);
/* SA of either direction, or NULL. RCU read side or esplane_net::lock. */
struct esplane_sa *esplane_sad_lookup_id(const struct esplane_net *en, u32 id);

/*
 * Publishes @sa (gives it its ID) and takes over the caller's reference. Caller holds
 * esplane_net::lock, as for all below.
 */
int esplane_sad_add(struct esplane_net *en, struct esplane_sa *sa, struct netlink_ext_ack *extack);
/* Unlinks @sa, from policies too, and drops the database's reference. */
void esplane_sad_remove(struct esplane_net *en, struct esplane_sa *sa);
/* All SAs and reservations. */
void esplane_sad_flush(struct esplane_net *en);
/* Changes outer addresses; takes @outer over if it succeeds. */
int esplane_sad_move(struct esplane_net *en, struct esplane_sa *sa, struct esplane_outer *outer,
		     struct netlink_ext_ack *extack);

/* A free SPI from @min to @max (host order), reserved for @timeout seconds. */
int esplane_sad_spi_alloc(struct esplane_net *en, u32 min, u32 max, u32 timeout, __be32 *spi,
			  struct netlink_ext_ack *extack);
int esplane_sad_spi_free(struct esplane_net *en, __be32 spi);

int esplane_sad_init(struct esplane_net *en);
/* The SAD is empty, but its SAs may still be in use: waits for them. */
void esplane_sad_exit(struct esplane_net *en);

#endif
