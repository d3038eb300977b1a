/* SPDX-License-Identifier: MIT */
/*
 * One end's proof of its identity by a signature (RFC 7296 section 2.15), being made or verified:
 * the work of a job.
 *
 * All that a stranger sends for it - certificates, the signature - comes in as bytes and is parsed
 * only here, in a thread without private keys of its own to lose: a job that verifies is given
 * none, and one that signs parses nothing of the peer's. What comes out is plain: yes, or no and
 * why; and with a yes the certificate and its chain, which have passed, for the next time.
 */
#ifndef ESPLANE_IKE_PROOF_H
#define ESPLANE_IKE_PROOF_H

#include "ikev2/config.h"

enum {
	IKE_CERTS_MAX = 10,	      /* in one message */
	IKE_CERTS_BYTES_MAX = 32768,
	IKE_PROOF_BY_MAX = 160,
};

struct ike_proof {
	struct ike_config *config; /* referenced: what is pointed to below is its */
	const struct ike_auth_cfg *cfg;
	const struct ike_pkey *key; /* signs; NULL: the signature is to be verified */
	enum ike_scheme scheme;
	struct ike_signature signature; /* made, or the peer's; signature.method is set before */
	struct ike_id id;
	uint8_t *octets; /* what is signed */
	size_t octets_len;

	/* The peer's certificates, the first its own, in @certs one behind the other. */
	uint8_t *certs;
	size_t certs_len;
	size_t cert_len[IKE_CERTS_MAX];
	unsigned int n_certs;
	int64_t now;
	char by[IKE_PROOF_BY_MAX]; /* verified: with what, for people */

	/* Of the first, from an earlier proof by the same @cfg (trust.h); NULL: nothing. Owned. */
	struct ike_cert *known;
	struct stack_st_X509 *known_chain;
	/* The first, if it was parsed for this proof and has passed; owned. */
	struct ike_cert *leaf;
	/* From its certificate to the anchor, once that and the signature are verified; owned. */
	struct stack_st_X509 *chain;
	struct ike_revocation revocation;
};

/* NULL without memory. @parts are put together as what is signed. */
struct ike_proof *ike_proof_new(struct ike_config *config, const struct ike_auth_cfg *cfg,
				const struct ike_id *id, const struct ike_bytes *parts, size_t n);
void ike_proof_free(struct ike_proof *p); /* NULL is nothing */
/* One more certificate of the peer's. */
IKE_MUST_CHECK bool ike_proof_add_cert(struct ike_proof *p, struct ike_bytes der,
				       struct ike_error *err);
/*
 * Is @leaf, that came with @sent, good for p->id at p->now by p->cfg? Any thread. Whether it has been
 * revoked is for later, and for who has seen a proof by its key: *@chain, unless it stays NULL, is what
 * p->chain of another proof then has to be.
 */
IKE_MUST_CHECK bool ike_proof_accepts(const struct ike_proof *p, const struct ike_cert *leaf,
				      const struct ike_cert_list *sent,
				      struct stack_st_X509 **chain, struct ike_error *err);
/*
 * Signs or verifies. Any thread. Verifying may end with true and ike_proof_wants(): all is well but
 * for what has to be fetched first; it is to be run again when that is in p->revocation.evidence.
 */
IKE_MUST_CHECK bool ike_proof_run(struct ike_proof *p, struct ike_error *err);
static inline bool ike_proof_wants(const struct ike_proof *p)
{
	return p->revocation.want.uri[0];
}

#endif
