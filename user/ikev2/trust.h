/* SPDX-License-Identifier: MIT */
/*
 * Certificates of peers that have proven themselves before, parsed, with the chains that lead from
 * them to an anchor: to find both anew takes OpenSSL longer than all else of an IKE_AUTH exchange.
 *
 * What is remembered holds for one configuration, the engine's, and for one remote section of it:
 * anchors and all that chains must satisfy are its. Whether a chain is in time is looked at each
 * time, and so are identity, key usage, revocation, and above all the signature. Nobody gets in here
 * who has not passed all of that.
 */
#ifndef ESPLANE_IKE_TRUST_H
#define ESPLANE_IKE_TRUST_H

#include <stddef.h>
#include <stdint.h>

enum {
	IKE_TRUSTED_MAX = 128, /* the one longest not used goes first */
};

struct ike_auth_cfg;
struct ike_cert;
struct ike_engine;
struct ike_proof;
struct stack_st_X509;

struct ike_trusted {
	struct ike_cert *leaf;
	struct stack_st_X509 *chain; /* NULL: one of remote.certs, it needs none */
	const struct ike_auth_cfg *cfg;
	uint64_t used;
};

struct ike_trust {
	struct ike_trusted list[IKE_TRUSTED_MAX];
	size_t n;
	uint64_t uses; /* so many times one was used, or came in */
};

/* What is known of the peer's own certificate, for @p before it is run. */
void ike_trust_recall(struct ike_engine *e, struct ike_proof *p);
/* What @p has found, after it was run with success. */
void ike_trust_learn(struct ike_engine *e, const struct ike_proof *p);
void ike_trust_forget(struct ike_engine *e);

#endif
