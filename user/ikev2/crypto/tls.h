/* SPDX-License-Identifier: MIT */
/*
 * One TLS session over memory, for EAP-TLS: both ends show certificates, which the caller judges, and
 * nothing but a key comes out of it. TLS 1.2 and 1.3, by OpenSSL; no resumption, no renegotiation.
 *
 * It belongs to one thread at a time. What a peer sends is parsed here: in a job (eap/eap.h).
 */
#ifndef ESPLANE_IKE_TLS_H
#define ESPLANE_IKE_TLS_H

#include "ikev2/crypto/cert.h"
#include "ikev2/crypto/secret.h"

enum {
	IKE_TLS_CHAIN_MAX = 8, /* certificates of ours behind the first */
	IKE_TLS_PEERS_MAX = 10, /* certificates of the peer's */
};

struct ike_tls;

struct ike_tls_setup {
	bool server;
	const struct ike_pkey *key;
	const struct ike_cert *cert;
	const struct ike_cert *chain[IKE_TLS_CHAIN_MAX]; /* issuers, as they follow; NULL ends */
	const struct ike_cert_list *anchors; /* a server tells the client of them */
	/* May the peer, with these certificates, go on? */
	bool (*accepts)(void *arg, const struct ike_cert *leaf, const struct ike_cert_list *sent,
			struct ike_error *err);
	void *arg;
};

/* NULL: @err says why not. */
struct ike_tls *ike_tls_new(const struct ike_tls_setup *setup, struct ike_error *err);
void ike_tls_free(struct ike_tls *t); /* NULL is nothing */

/* What the peer has sent, part of a flight or whole. */
IKE_MUST_CHECK bool ike_tls_give(struct ike_tls *t, struct ike_bytes bytes);
/* Goes on with it. False: it is over, @err says why; an alert may be waiting to go. */
IKE_MUST_CHECK bool ike_tls_run(struct ike_tls *t, struct ike_error *err);
/* What waits to go, and how much of it has gone. */
struct ike_bytes ike_tls_waiting(const struct ike_tls *t);
void ike_tls_sent(struct ike_tls *t, size_t len);

/* Both ends have shown what they had to. */
bool ike_tls_finished(const struct ike_tls *t);
/*
 * RFC 9190 section 2.5: with TLS 1.3 a server says that it will send no more by a byte of zero. True
 * for a client that has got it, and a server that has told; and for both with TLS 1.2.
 */
bool ike_tls_told(const struct ike_tls *t);
/* "TLSv1.3". */
const char *ike_tls_version(const struct ike_tls *t);
/* RFC 5216 section 2.3, RFC 9190 section 2.3. */
IKE_MUST_CHECK bool ike_tls_msk(const struct ike_tls *t, struct ike_key *msk,
				struct ike_error *err);

#endif
