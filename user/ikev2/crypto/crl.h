/* SPDX-License-Identifier: MIT */
/*
 * Certificate revocation lists (RFC 5280 section 5), parsed and judged by OpenSSL.
 *
 * Only whole ones that the certificate's issuer has signed itself: no delta CRLs, no indirect ones,
 * none for some reasons alone.
 */
#ifndef ESPLANE_IKE_CRL_H
#define ESPLANE_IKE_CRL_H

#include "ikev2/text.h"
#include "ikev2/wire/bytes.h"

struct X509_crl_st;
struct asn1_string_st;
struct x509_st;

enum {
	IKE_CRL_MAX = 10 << 20, /* bytes */
};

struct ike_crl_list {
	struct X509_crl_st **list;
	size_t n;
};

/* What a source says of one certificate. */
enum ike_standing {
	IKE_STANDING_UNKNOWN, /* nothing, with the reason in @err */
	IKE_STANDING_GOOD,
	IKE_STANDING_REVOKED, /* since when and why, in @err */
};

/* PEM or DER, with nothing behind it. NULL: @err says why. Free with ike_crl_free(). */
struct X509_crl_st *ike_crl_parse(struct ike_bytes file, struct ike_error *err);
struct X509_crl_st *ike_crl_ref(struct X509_crl_st *crl); /* any thread; NULL is nothing */
void ike_crl_free(struct X509_crl_st *crl); /* NULL is nothing */
void ike_crl_list_clear(struct ike_crl_list *l);
/* Does it name @issuer as who has issued it? */
bool ike_crl_is_of(const struct X509_crl_st *crl, struct x509_st *issuer);
/*
 * What @crl says at @now of @cert, which @issuer has issued. One that is over still revokes.
 * *@until: when the next one is due, if this one is good for anything.
 */
enum ike_standing ike_crl_standing(struct X509_crl_st *crl, struct x509_st *cert,
				   struct x509_st *issuer, int64_t now, int64_t *until,
				   struct ike_error *err);

/* "2026-11-29 13:05 UTC" */
void ike_asn1_time_text(const struct asn1_string_st *t, char buf[32]);
/* Seconds since 1970. */
bool ike_asn1_time(const struct asn1_string_st *t, int64_t *seconds);
/* Is a signature of this kind (NID) worth the 112 bits that all of the chain is? */
bool ike_signature_strong(int nid);
/* "keyCompromise" and the like (RFC 5280 section 5.3.1), "" for none. */
const char *ike_crl_reason(long reason);

#endif
