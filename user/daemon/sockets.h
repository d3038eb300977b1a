/* SPDX-License-Identifier: MIT */
/*
 * IKE's UDP sockets: ports 500 and 4500 (or others), each for IPv4 and, where there is any, IPv6.
 */
#ifndef ESPLANE_SOCKETS_H
#define ESPLANE_SOCKETS_H

#include <uv.h>

#include "ikev2/ike.h"

enum { SOCKETS_MAX = 4 };

struct sockets;

struct socket {
	struct sockets *owner;
	uv_poll_t poll;
	int fd;				/* -1: none */
	int family;
	uint16_t port;
	bool natt;			/* IKE behind the non-ESP marker, ESP beside it */
	bool polled;
};

struct sockets {
	struct socket list[SOCKETS_MAX];
	/* One IKE message, without non-ESP marker; valid during the call. */
	void (*receive)(void *arg, const struct ike_endpoint *local,
			const struct ike_endpoint *remote, const uint8_t *message, size_t len);
	void *arg;
	int probes[2];			/* IPv4, IPv6: never send, only ask for routes */
	uint8_t *buffer;		/* of one datagram or merged train */
	uint64_t stray_esp; /* ESP that reached us because the data plane did not take it */
};

/* Binds. Returns 0, or -1 after logging why; IPv6 is optional. */
int sockets_open(struct sockets *s, uint16_t port, uint16_t port_natt);
/* Begins to receive. */
int sockets_start(struct sockets *s, uv_loop_t *loop);
void sockets_send(struct sockets *s, const struct ike_endpoint *local,
		  const struct ike_endpoint *remote, const uint8_t *message, size_t len);
void sockets_keepalive(struct sockets *s, const struct ike_endpoint *local,
		       const struct ike_endpoint *remote);
/* The address that datagrams to @remote leave from. Returns 0 or -errno with *why (static). */
int sockets_source(struct sockets *s, const struct ike_addr *remote, struct ike_addr *local,
		   const char **why);
/* Stops receiving; the loop must run once more before sockets_free(). */
void sockets_close(struct sockets *s);
void sockets_free(struct sockets *s);

#endif
