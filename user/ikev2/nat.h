/* SPDX-License-Identifier: MIT */
/* NAT detection (RFC 7296 section 2.23). */
#ifndef ESPLANE_IKE_NAT_H
#define ESPLANE_IKE_NAT_H

#include "ikev2/ts.h"
#include "ikev2/wire/encode.h"

struct ike_endpoint;
struct ike_incoming;
struct ike_sa;

enum {
	IKE_NAT_HASH_LEN = 20
}; /* SHA-1: the RFC leaves no choice, and nothing secret hangs on it */

/* SHA-1(SPIi | SPIr | address | port), all in host byte order. */
IKE_MUST_CHECK bool ike_nat_hash(uint64_t spi_i, uint64_t spi_r, const struct ike_addr *addr,
				 uint16_t port, uint8_t hash[IKE_NAT_HASH_LEN]);
/* True if @data, of a NAT_DETECTION_*_IP notify, is the hash of what is given. */
bool ike_nat_matches(struct ike_bytes data, uint64_t spi_i, uint64_t spi_r,
		     const struct ike_addr *addr, uint16_t port);

/*
 * Both notifies, for a message from @local to @remote. With force_encap the source is made to look
 * translated: both ends then go over to UDP.
 */
void ike_nat_put(struct ike_writer *w, const struct ike_sa *sa, const struct ike_endpoint *local,
		 const struct ike_endpoint *remote);
/* Takes from the peer's notifies who sits behind a NAT. */
void ike_nat_find(struct ike_sa *sa, const struct ike_incoming *in);
void ike_nat_log(const struct ike_sa *sa);

#endif
