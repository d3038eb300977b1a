/* SPDX-License-Identifier: MIT */
/*
 * What a UDP socket hands over, taken apart: trains that UDP_GRO merged, the non-ESP marker,
 * control messages.
 */
#ifndef ESPLANE_DATAGRAM_H
#define ESPLANE_DATAGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/* RFC 3948 section 2.2: four zero bytes where ESP would have its SPI. */
enum { DATAGRAM_MARKER_LEN = 4 };

/* What came on a port where ESP and IKE meet (RFC 3948 section 2). */
enum datagram_kind {
	DATAGRAM_IKE,
	DATAGRAM_KEEPALIVE,		/* one byte 0xff */
	DATAGRAM_ESP,			/* the data plane did not want it */
	DATAGRAM_RUNT,			/* too short for any of them */
};

enum datagram_kind datagram_classify(const uint8_t *data, size_t len);

/*
 * Calls @fn for each datagram of a train that UDP_GRO merged. @segment: the size of all but the
 * last, as the control message told; 0: not merged. An empty datagram is handed over too.
 */
void datagram_split(const uint8_t *data, size_t len, size_t segment,
		    void (*fn)(void *arg, const uint8_t *data, size_t len), void *arg);

/* From the control messages of one recvmsg(). */
struct datagram_info {
	size_t segment;			/* 0: not merged */
	int family; /* AF_INET, AF_INET6, or AF_UNSPEC: no local address was told */
	uint8_t local[16];		/* 4 or 16 bytes: where it was sent to */
	unsigned int ifindex;
};

void datagram_info(struct msghdr *msg, struct datagram_info *info);

/* Room for the one control message that datagram_put_source() makes. */
union datagram_control {
	char buf[64];
	struct cmsghdr align;
};

/* Makes @msg leave from the address @local of @family, a link-local one by the interface @scope. */
void datagram_put_source(struct msghdr *msg, union datagram_control *control, int family,
			 const uint8_t *local, unsigned int scope);

#endif
