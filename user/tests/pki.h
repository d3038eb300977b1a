/* SPDX-License-Identifier: MIT */
/* A certification authority for tests: keys and certificates made to order. */
#ifndef ESPLANE_TESTS_PKI_H
#define ESPLANE_TESTS_PKI_H

#include "ikev2/config.h"

/* The time at which tests of certificates play. */
#define PKI_NOW ((int64_t)1800000000)

struct pki {
	struct ike_cert *cert;
	struct ike_pkey *key; /* private */
};

/* What is to be made. Zero-filled but for @subject: an Ed25519 key, self-signed, good for a year. */
struct pki_order {
	const struct pki *issuer;
	const struct pki *renews; /* has its key again */
	const char *subject; /* as ike_dn_parse() */
	const char *key;     /* "RSA", "P-256", "P-384", "P-521", "ED25519", "ED448" */
	const char *alt_name; /* as x509v3_config(5): "DNS:a.example.org,IP:192.0.2.1" */
	const char *basic_constraints, *key_usage, *extended_key_usage, *name_constraints;
	const char *crl_points; /* "URI:http://crl.example.org/ca.crl" */
	const char *access;	/* "OCSP;URI:http://ocsp.example.org" */
	const char *policies;	/* "1.2.3.4" */
	const char *md; /* of the signature; NULL: SHA256 */
	int64_t from, to; /* relative to PKI_NOW; both 0: a year around it */
};

struct pki pki_make(const struct pki_order *order);
/* A CA that issues end certificates. */
struct pki pki_ca(const char *subject, const struct pki *issuer);
/* One of an end, with this subjectAltName. */
struct pki pki_end(const struct pki *issuer, const char *subject, const char *alt_name,
		   const char *key);
void pki_free(struct pki *p);

/* DER, malloc()ed by OpenSSL. */
struct pki_der {
	unsigned char *p;
	int len;
};
void pki_der_free(struct pki_der *der);

/* A CRL. Zero-filled but for @issuer: empty, good for a month around PKI_NOW. */
struct pki_crl_order {
	const struct pki *issuer, *signer; /* @signer: NULL: the issuer */
	const struct pki *revoked;	   /* NULL: nobody */
	int reason;			   /* CRLReason, 0: none is given */
	int64_t from, to;		   /* relative to PKI_NOW; both 0: a month around it */
	const char *point;		   /* issuing distribution point, as x509v3_config(5) */
	bool delta;
	const char *md;
};
struct pki_der pki_crl(const struct pki_crl_order *order);

/* An OCSP response. Zero-filled but for @issuer and @cert: good, from a day ago for two days. */
struct pki_ocsp_order {
	const struct pki *issuer, *signer, *cert;
	int status; /* V_OCSP_CERTSTATUS_* */
	int64_t from, to;
	bool no_next, try_later;
};
struct pki_der pki_ocsp(const struct pki_ocsp_order *order);

void pki_add_cert(struct ike_cert_list *list, const struct pki *p);
void pki_add_key(struct ike_pkey_list *list, const struct pki *p);

#endif
