// SPDX-License-Identifier: MIT
/* CRLs: reading them, and what they say of a certificate. */
#include "ikev2/crypto/crl.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <openssl/x509_vfy.h>

enum {
	STRENGTH_MIN = 112, /* bits: SHA-224 and better */
};

X509_CRL *ike_crl_ref(X509_CRL *crl)
{
	if (crl)
		X509_CRL_up_ref(crl);
	return crl;
}

void ike_crl_free(X509_CRL *crl)
{
	X509_CRL_free(crl);
}

void ike_crl_list_clear(struct ike_crl_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		X509_CRL_free(l->list[i]);
	free(l->list);
	*l = (struct ike_crl_list){0};
}

/* *@more: there is another one behind it. */
static X509_CRL *parse_pem(struct ike_bytes file, bool *more)
{
	BIO *bio = BIO_new_mem_buf(file.p, file.len);
	X509_CRL *crl = bio ? PEM_read_bio_X509_CRL(bio, NULL, NULL, NULL) : NULL;
	size_t left = crl ? BIO_pending(bio) : 0;

	*more = left && memmem(file.p + file.len - left, left, "-----BEGIN", 10);
	BIO_free(bio);
	return crl;
}

X509_CRL *ike_crl_parse(struct ike_bytes file, struct ike_error *err)
{
	const unsigned char *at = file.p;
	bool pem = memmem(file.p, file.len, "-----BEGIN X509 CRL", 19), more = false;
	X509_CRL *crl = NULL;

	if (file.len > IKE_CRL_MAX)
		ike_fail(err, "a CRL of more than %d bytes", IKE_CRL_MAX);
	else if (!(crl = pem ? parse_pem(file, &more) : d2i_X509_CRL(NULL, &at, file.len)))
		ike_fail(err, "%zu bytes that are no CRL", file.len);
	else if (more || (!pem && at != file.p + file.len))
		ike_fail(err, "%zu bytes of a CRL, and more behind it", file.len);
	else if (X509_CRL_get_ext_by_NID(crl, NID_delta_crl, -1) >= 0)
		ike_fail(err, "a delta CRL, which is not supported: the whole one is needed");
	else
		goto out;
	X509_CRL_free(crl);
	crl = NULL;
out:
	ERR_clear_error();
	return crl;
}

bool ike_crl_is_of(const X509_CRL *crl, X509 *issuer)
{
	return !X509_NAME_cmp(X509_CRL_get_issuer(crl), X509_get_subject_name(issuer));
}

void ike_asn1_time_text(const ASN1_TIME *t, char buf[32])
{
	struct tm tm;

	if (ASN1_TIME_to_tm(t, &tm) != 1 || !strftime(buf, 32, "%Y-%m-%d %H:%M UTC", &tm))
		memcpy(buf, "another time", sizeof("another time"));
}

bool ike_asn1_time(const ASN1_TIME *t, int64_t *seconds)
{
	struct tm tm;

	if (!t || ASN1_TIME_to_tm(t, &tm) != 1)
		return false;
	*seconds = timegm(&tm);
	return true;
}

bool ike_signature_strong(int nid)
{
	const EVP_MD *md;
	int digest, key;

	if (!OBJ_find_sigid_algs(nid, &digest, &key))
		return false;
	/* EdDSA has none of its own, PSS in its parameters: OpenSSL refuses weak ones of that. */
	md = digest == NID_undef ? NULL : EVP_get_digestbynid(digest);
	return digest == NID_undef || (md && EVP_MD_get_size(md) * 4 >= STRENGTH_MIN);
}

const char *ike_crl_reason(long reason)
{
	static const char *const names[] = {
		"unspecified", "keyCompromise", "cACompromise", "affiliationChanged", "superseded",
		"cessationOfOperation", "certificateHold", "", "removeFromCRL",
		"privilegeWithdrawn", "aACompromise",
	};

	return reason >= 0 && reason < (long)(sizeof(names) / sizeof(*names)) ? names[reason] : "";
}

/* OpenSSL's verifier of one link, with this one CRL and no other. */

static bool set_up(X509_STORE_CTX *ctx, X509 *cert, STACK_OF(X509) *trusted,
		   STACK_OF(X509_CRL) *crls, int64_t now)
{
	X509_VERIFY_PARAM *param;

	if (X509_STORE_CTX_init(ctx, NULL, cert, NULL) != 1)
		return false;
	X509_STORE_CTX_set0_trusted_stack(ctx, trusted);
	X509_STORE_CTX_set0_crls(ctx, crls);
	param = X509_STORE_CTX_get0_param(ctx);
	X509_VERIFY_PARAM_set_time(param, now);
	return X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_PARTIAL_CHAIN |
					   X509_V_FLAG_CRL_CHECK) == 1;
}

/*
 * What is over goes on to be searched: a certificate that was revoked then is so now. (Of a hold the
 * same: who lifts it issues a new list.) The chain has been verified before.
 */
static int pass_old(int ok, X509_STORE_CTX *ctx)
{
	return ok || X509_STORE_CTX_get_error(ctx) == X509_V_ERR_CRL_HAS_EXPIRED;
}

static const char *failure(int code)
{
	switch (code) {
	case X509_V_ERR_UNABLE_TO_GET_CRL:
	case X509_V_ERR_DIFFERENT_CRL_SCOPE:
		return "the CRL is for other certificates";
	case X509_V_ERR_CRL_SIGNATURE_FAILURE:
		return "the CRL is not signed by the issuer of the certificate";
	case X509_V_ERR_KEYUSAGE_NO_CRL_SIGN:
		return "the CRL's issuer may not sign any (key usage)";
	case X509_V_ERR_CRL_NOT_YET_VALID:
		return "the CRL is not valid yet";
	default:
		return X509_verify_cert_error_string(code);
	}
}

/* Since when and why, as the list has it. */
static enum ike_standing revoked(X509_CRL *crl, X509 *cert, struct ike_error *err)
{
	X509_REVOKED *entry = NULL;
	ASN1_ENUMERATED *reason;
	const char *why = "";
	char when[32] = "";

	if (X509_CRL_get0_by_cert(crl, &entry, cert) && entry) {
		ike_asn1_time_text(X509_REVOKED_get0_revocationDate(entry), when);
		reason = X509_REVOKED_get_ext_d2i(entry, NID_crl_reason, NULL, NULL);
		why = reason ? ike_crl_reason(ASN1_ENUMERATED_get(reason)) : "";
		ASN1_ENUMERATED_free(reason);
	}
	ike_fail(err, "it was revoked at %s%s%s, a CRL says", when, *why ? " for " : "", why);
	return IKE_STANDING_REVOKED;
}

static enum ike_standing standing(X509_STORE_CTX *ctx, X509_CRL *crl, X509 *cert, int64_t now,
				  int64_t *until, struct ike_error *err)
{
	int ok = X509_verify_cert(ctx), code = X509_STORE_CTX_get_error(ctx);
	const ASN1_TIME *next = X509_CRL_get0_nextUpdate(crl);
	int64_t due = now;
	char text[32];

	if (ok != 1 && code == X509_V_ERR_CERT_REVOKED) {
		/* Kept as long as another one. */
		if (ike_asn1_time(next, &due) && due > now)
			*until = due;
		return revoked(crl, cert, err);
	}
	if (ok != 1) {
		ike_fail(err, "%s", failure(code));
		return IKE_STANDING_UNKNOWN;
	}
	if (next && (!ike_asn1_time(next, &due) || due <= now)) {
		ike_asn1_time_text(next, text);
		ike_fail(err, "the CRL is over since %s", text);
		return IKE_STANDING_UNKNOWN;
	}
	if (due > now)
		*until = due;
	return IKE_STANDING_GOOD;
}

enum ike_standing ike_crl_standing(X509_CRL *crl, X509 *cert, X509 *issuer, int64_t now,
				   int64_t *until, struct ike_error *err)
{
	STACK_OF(X509) *trusted = sk_X509_new_null();
	STACK_OF(X509_CRL) *crls = sk_X509_CRL_new_null();
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	enum ike_standing result = IKE_STANDING_UNKNOWN;

	if (!ike_crl_is_of(crl, issuer))
		ike_fail(err, "the CRL is of another issuer");
	else if (!ike_signature_strong(X509_CRL_get_signature_nid(crl)))
		ike_fail(err, "the CRL is signed with %s, which is too weak",
			 OBJ_nid2sn(X509_CRL_get_signature_nid(crl)));
	else if (!ctx || !trusted || !crls || !sk_X509_push(trusted, issuer) ||
		 !sk_X509_CRL_push(crls, crl) || !set_up(ctx, cert, trusted, crls, now))
		ike_fail(err, "out of memory");
	else {
		X509_STORE_CTX_set_verify_cb(ctx, pass_old);
		result = standing(ctx, crl, cert, now, until, err);
	}
	X509_STORE_CTX_free(ctx);
	sk_X509_CRL_free(crls);
	sk_X509_free(trusted);
	ERR_clear_error();
	return result;
}
