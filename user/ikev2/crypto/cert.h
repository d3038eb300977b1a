/* SPDX-License-Identifier: MIT */
/*
 * X.509 certificates (RFC 5280, RFC 4945), parsed by OpenSSL.
 *
 * Those that a peer sends are parsed where the work of verifying is done: in a job, apart from the
 * engine's thread and from all that is not that job's (proof.c). Those of the configuration come
 * from files of our own.
 *
 * Immutable, counted by references as keys are (pkey.h).
 */
#ifndef ESPLANE_IKE_CERT_H
#define ESPLANE_IKE_CERT_H

#include "ikev2/crypto/pkey.h"
#include "ikev2/id.h"

struct x509_st;

struct ike_cert {
	unsigned int refs;
	struct x509_st *x509;
	uint8_t *der;
	size_t der_len;
	struct ike_pkey *key;
	struct ike_id subject; /* IKE_ID_DER_ASN1_DN */
	bool ca;	       /* may issue others */
	bool self_signed;      /* by its names */
};

/* One certificate, with nothing behind it. NULL: @err says why. */
struct ike_cert *ike_cert_from_der(struct ike_bytes der, struct ike_error *err);
/*
 * A file's content: DER, or the first certificate of PEM. *@file becomes what is behind it, empty
 * if there is no other.
 */
struct ike_cert *ike_cert_read(struct ike_bytes *file, struct ike_error *err);
struct ike_cert *ike_cert_ref(struct ike_cert *c);
void ike_cert_unref(struct ike_cert *c); /* NULL is nothing */

bool ike_cert_equal(const struct ike_cert *a, const struct ike_cert *b);
static inline struct ike_bytes ike_cert_der(const struct ike_cert *c)
{
	return ike_bytes(c->der, c->der_len);
}
/* Do the names say that @issuer has issued @c? */
bool ike_cert_issued(const struct ike_cert *issuer, const struct ike_cert *c);
/*
 * Is @id (without wildcards) the subject of @c, or among its subjectAltNames? RFC 4945 section 3.1:
 * names must be there in full, wildcards in certificates mean nothing.
 */
bool ike_cert_has_id(const struct ike_cert *c, const struct ike_id *id);
/* The subject of @x509, "" if it cannot be shown. */
void ike_x509_subject_text(struct x509_st *x509, char *buf, size_t cap);
/* The same of what OpenSSL holds; key IDs are the subjectKeyIdentifier alone. */
bool ike_x509_has_id(struct x509_st *x509, const struct ike_id *id);
/* Writes what ike_cert_has_id() would find. */
void ike_cert_ids_text(struct ike_text *t, const struct ike_cert *c);
/*
 * May an end authenticate itself with it? Key usage and extended key usage (RFC 4945 sections
 * 5.1.3.2 and 5.1.3.12).
 */
IKE_MUST_CHECK bool ike_cert_may_authenticate(const struct ike_cert *c, struct ike_error *err);
/* Is it valid at @now, seconds since 1970? */
IKE_MUST_CHECK bool ike_cert_in_time(const struct ike_cert *c, int64_t now, struct ike_error *err);

/* A list of references. */
struct ike_cert_list {
	struct ike_cert **list;
	size_t n;
};
/*
 * Does a chain lead from @leaf over @sent and @known to one of @anchors, each link signed, in time, of
 * a CA, within its path length and name constraints and as strong as RSA-2048 and SHA-256 (112 bits)?
 * @sent of the peer's may be anything.
 */
struct ike_chain_rules {
	int64_t now;
	unsigned int min_bits[IKE_PKEY_KINDS]; /* of RSA and EC keys; 0: any */
	uint16_t hashes;	 /* that signatures may use (signature.h); 0: any */
	char *const *policies;	 /* OIDs, each of which the chain must hold (RFC 5280 section 6.1) */
	size_t n_policies;
	const struct ike_id *ca; /* one of the authorities; NULL, or IKE_ID_ANY: any */
};
struct stack_st_X509;
/* *@chain, unless NULL, gets it, from @leaf to its anchor: free with ike_chain_free(). */
IKE_MUST_CHECK bool ike_cert_chain(const struct ike_cert *leaf, const struct ike_cert_list *sent,
				   const struct ike_cert_list *known,
				   const struct ike_cert_list *anchors,
				   const struct ike_chain_rules *rules,
				   struct stack_st_X509 **chain, struct ike_error *err);
void ike_chain_free(struct stack_st_X509 *chain); /* NULL is nothing */
/* Another reference to all that is in it; NULL without memory. */
struct stack_st_X509 *ike_chain_ref(struct stack_st_X509 *chain);
/* Is each certificate of it valid at @now, seconds since 1970? NULL has none. */
bool ike_chain_in_time(const struct stack_st_X509 *chain, int64_t now);
/* The subject of its first certificate. */
void ike_chain_leaf_text(struct stack_st_X509 *chain, char *buf, size_t cap);

#endif
