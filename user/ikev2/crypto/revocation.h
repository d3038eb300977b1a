/* SPDX-License-Identifier: MIT */
/*
 * Has any certificate of a chain been revoked? What is asked, where, and what becomes of the answers:
 *
 *	CRLs of files, if they revoke it
 *	OCSP, at the authority's places and then at the certificate's own (AIA)
 *	CRLs of files
 *	CRLs by HTTP, likewise (CRL distribution points)
 *
 * Nothing is fetched here: ike_revocation_check() ends with what it wants, and is called again with
 * what came of it. Since it asks the same in the same order each time, what came is kept in that
 * order. The chain must have been verified before (CVE-2022-40617: a stranger's certificate would
 * say what is fetched from where), and so must the peer's signature.
 */
#ifndef ESPLANE_IKE_REVOCATION_H
#define ESPLANE_IKE_REVOCATION_H

#include "ikev2/crypto/cert.h"
#include "ikev2/crypto/crl.h"
#include "ikev2/crypto/ocsp.h"

struct stack_st_X509;

enum {
	IKE_URI_MAX = 512,    /* bytes, with the terminator */
	IKE_URIS_MAX = 8,     /* of one kind in one certificate that are looked at */
	IKE_EVIDENCE_MAX = 12, /* places that are asked about one chain */
};

/* swanctl.conf(5), remote.revocation: what is refused. */
enum ike_revocation_policy {
	IKE_REVOCATION_RELAXED, /* what is known to be revoked */
	IKE_REVOCATION_IFURI,   /* also what ought to be known, because there is a place to ask */
	IKE_REVOCATION_STRICT,  /* all that is not known to be good */
};

/* Where to ask about what an authority has issued: authorities.<name>. */
struct ike_authority_cfg {
	char *name;
	struct ike_cert *cert;
	char **crl_uris, **ocsp_uris;
	size_t n_crl_uris, n_ocsp_uris;
};

/* What was fetched, or why not. Immutable but for @refs and @crl, which are the engine's thread's. */
struct ike_answer {
	unsigned int refs;
	uint8_t *body;
	size_t len;
	struct X509_crl_st *crl; /* the same, parsed by some job; NULL: not yet, or none */
	char why[120];		 /* there is no body */
};

struct ike_evidence {
	struct ike_answer *answer; /* a reference */
	struct X509_crl_st *crl; /* a reference */
	int64_t until;		 /* as long it may be kept; 0: not at all, it is no good */
};

/* What is to be fetched: by GET, or by POST of @post. */
struct ike_want {
	char uri[IKE_URI_MAX]; /* empty: nothing */
	uint8_t post[IKE_OCSP_REQUEST_MAX];
	size_t post_len;
};

struct ike_revocation {
	/* The configuration's, set by the caller. */
	enum ike_revocation_policy policy;
	const struct ike_authority_cfg *authorities;
	size_t n_authorities;
	const struct ike_crl_list *crls;
	int64_t now;

	struct ike_evidence evidence[IKE_EVIDENCE_MAX];
	unsigned int n_evidence, asked;
	struct ike_want want;
	char note[200]; /* what could not be found out, though it passes; empty: nothing */
};

enum ike_revocation_outcome {
	IKE_REVOCATION_PASSES,
	IKE_REVOCATION_REFUSES, /* @err says why */
	IKE_REVOCATION_WANTS,   /* @r->want, then to be called again */
};

void ike_answer_unref(struct ike_answer *a); /* NULL is nothing */
/* Gives back what evidence holds. In the engine's thread. */
void ike_revocation_clear(struct ike_revocation *r);
/* @chain: the end's certificate first, its trust anchor, which is not asked about, last. Any thread. */
enum ike_revocation_outcome ike_revocation_check(struct ike_revocation *r,
						 struct stack_st_X509 *chain,
						 struct ike_error *err);

#endif
