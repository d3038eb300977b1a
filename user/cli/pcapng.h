/* SPDX-License-Identifier: MIT */
/*
 * A capture file (draft-ietf-opsawg-pcapng) of UDP datagrams that never were on any wire as they
 * are: each gets an IP and a UDP header, so that Wireshark knows it for IKE by its port.
 */
#ifndef ESPLANE_CLI_PCAPNG_H
#define ESPLANE_CLI_PCAPNG_H

#include <stdio.h>

#include "../ikev2/ike.h"

struct pcapng_datagram {
	uint64_t time;			/* microseconds since 1970 */
	bool sent;
	struct ike_endpoint from, to;
	const uint8_t *message;
	size_t len;
	const char *comment;
};

/* Each returns 0, or -1 with errno: EMSGSIZE is a datagram that is none for its length. */
int pcapng_begin(FILE *out);
int pcapng_put(FILE *out, const struct pcapng_datagram *d);

#endif
