// SPDX-License-Identifier: MIT
/* NAT detection (RFC 7296 section 2.23). */
#include <string.h>

#include "ikev2/crypto/fetched.h"
#include "ikev2/ike_sa.h"
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
	return !w.overflow && EVP_Digest(input, w.len, hash, NULL, ike_fetched_md("SHA1"), NULL) == 1;
}

bool ike_nat_matches(struct ike_bytes data, uint64_t spi_i, uint64_t spi_r,
		     const struct ike_addr *addr, uint16_t port)
{
	uint8_t hash[IKE_NAT_HASH_LEN];

	return ike_nat_hash(spi_i, spi_r, addr, port, hash) &&
	       ike_bytes_equal(data, ike_bytes(hash, sizeof(hash)));
}

static void put_hash(struct ike_writer *w, const struct ike_sa *sa, uint16_t type,
		     const struct ike_endpoint *end, bool fake)
{
	uint8_t hash[IKE_NAT_HASH_LEN];

	if (fake)
		ike_random_fill(&sa->engine->random, hash, sizeof(hash));
	else if (!ike_nat_hash(sa->spi_i, sa->spi_r, &end->addr, end->port, hash))
		return;
	ike_put_notify(w, type, ike_bytes(hash, sizeof(hash)));
}

void ike_nat_put(struct ike_writer *w, const struct ike_sa *sa, const struct ike_endpoint *local,
		 const struct ike_endpoint *remote)
{
	put_hash(w, sa, IKE_NOTIFY_NAT_DETECTION_SOURCE_IP, local, sa->conn->force_encap);
	put_hash(w, sa, IKE_NOTIFY_NAT_DETECTION_DESTINATION_IP, remote, false);
}

/* A host with several addresses may send several hashes: one that fits is enough. */
static bool any_fits(const struct ike_payloads *all, const struct ike_header *h, uint16_t type,
		     const struct ike_endpoint *end, bool *seen)
{
	const struct ike_payload *p = NULL;
	struct ike_wire_notify n;

	*seen = false;
	while ((p = ike_payloads_find_next(all, IKE_PAYLOAD_NOTIFY, p))) {
		if (!ike_notify_decode(p->body, &n, NULL) || n.type != type)
			continue;
		*seen = true;
		if (ike_nat_matches(n.data, h->spi_i, h->spi_r, &end->addr, end->port))
			return true;
	}
	return false;
}

void ike_nat_find(struct ike_sa *sa, const struct ike_incoming *in)
{
	bool source, destination, source_fits, destination_fits;

	source_fits = any_fits(&in->all, &in->header, IKE_NOTIFY_NAT_DETECTION_SOURCE_IP,
			       &in->remote, &source);
	destination_fits = any_fits(&in->all, &in->header, IKE_NOTIFY_NAT_DETECTION_DESTINATION_IP,
				    &in->local, &destination);
	sa->nat_aware = source && destination;
	sa->nat_remote = sa->nat_aware && !source_fits;
	sa->nat_local = sa->nat_aware && (!destination_fits || sa->conn->force_encap);
}

void ike_nat_log(const struct ike_sa *sa)
{
	if (ike_sa_udp_encap(sa))
		ike_sa_log(sa, IKE_LOG_INFO, "NAT:%s%s%s: ESP goes in UDP",
			   sa->nat_local ? " this end is behind one" : "",
			   sa->nat_local && sa->nat_remote ? "," : "",
			   sa->nat_remote ? " the peer is behind one" : "");
}
