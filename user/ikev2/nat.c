// SPDX-License-Identifier: MIT
/* NAT detection (RFC 7296 section 2.23). */
#include <openssl/evp.h>
#include <string.h>

#include "ikev2/nat.h"

enum { INPUT_MAX = 2 * IKE_SPI_LEN + 16 + 2 };	/* two SPIs, an IPv6 address, a port */

bool ike_nat_hash(uint64_t spi_i, uint64_t spi_r, const struct ike_addr *addr, uint16_t port,
		  uint8_t hash[IKE_NAT_HASH_LEN])
{
	uint8_t input[INPUT_MAX];
	struct ike_writer w;

	ike_writer_init(&w, input, sizeof(input));
	ike_put64(&w, spi_i);
	ike_put64(&w, spi_r);
	ike_put(&w, ike_addr_bytes(addr));
	ike_put16(&w, port);
	return !w.overflow && EVP_Digest(input, w.len, hash, NULL, EVP_sha1(), NULL) == 1;
}

bool ike_nat_matches(struct ike_bytes data, uint64_t spi_i, uint64_t spi_r,
		     const struct ike_addr *addr, uint16_t port)
{
	uint8_t hash[IKE_NAT_HASH_LEN];

	return ike_nat_hash(spi_i, spi_r, addr, port, hash) &&
	       ike_bytes_equal(data, ike_bytes(hash, sizeof(hash)));
}
