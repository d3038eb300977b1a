// SPDX-License-Identifier: MIT
/* Whom to ask whether a certificate has been revoked, and what follows from the answers. */
#include "ikev2/crypto/revocation.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

void ike_answer_unref(struct ike_answer *a)
{
	if (!a || --a->refs)
		return;
	ike_crl_free(a->crl);
	free(a->body);
	free(a);
}

void ike_revocation_clear(struct ike_revocation *r)
{
	for (unsigned int i = 0; i < r->n_evidence; i++) {
		ike_answer_unref(r->evidence[i].answer);
		ike_crl_free(r->evidence[i].crl);
	}
	r->n_evidence = 0;
}

/* One certificate being looked into. */
struct look {
	struct ike_revocation *r;
	X509 *cert, *issuer;
	const struct ike_authority_cfg *authority; /* NULL: none is configured */
	bool uri;   /* there is a place to ask */
	bool wants; /* r->want, before anything else can be said */
	bool silent; /* nobody has anything to say, which is no news */
	struct ike_error why;
};

/* The first reason is the one that people are told. */
static enum ike_standing unknown(struct look *l, const struct ike_error *why)
{
	if (!l->why.text[0])
		l->why = *why;
	return IKE_STANDING_UNKNOWN;
}

/* Files */

/* Says IKE_STANDING_GOOD if one of them is good and none revokes it. */
static enum ike_standing look_in_files(struct look *l, struct ike_error *err)
{
	const struct ike_crl_list *crls = l->r->crls;
	enum ike_standing best = IKE_STANDING_UNKNOWN;
	struct ike_error why;
	int64_t until;

	for (size_t i = 0; crls && i < crls->n; i++) {
		if (!ike_crl_is_of(crls->list[i], l->issuer))
			continue;
		switch (ike_crl_standing(crls->list[i], l->cert, l->issuer, l->r->now, &until,
					 &why)) {
		case IKE_STANDING_REVOKED:
			*err = why;
			return IKE_STANDING_REVOKED;
		case IKE_STANDING_GOOD:
			best = IKE_STANDING_GOOD;
			break;
		default:
			ike_fail_at(&why, "x509crl");
			unknown(l, &why);
		}
	}
	return best;
}

/* Places */

/* What would go into a request as it is: nothing that could end its line. */
static bool usable(const char *uri)
{
	static const char scheme[] = "http://";

	if (strncasecmp(uri, scheme, sizeof(scheme) - 1) || strlen(uri) >= IKE_URI_MAX)
		return false;
	for (; *uri; uri++)
		if (*uri <= ' ' || *uri > '~')
			return false;
	return true;
}

static enum ike_standing judge(struct look *l, struct ike_evidence *e, const char *uri, bool ocsp,
			       struct ike_error *err)
{
	struct ike_bytes body = ike_bytes(e->answer->body, e->answer->len);
	enum ike_standing standing = IKE_STANDING_UNKNOWN;
	struct ike_error why = {0};

	if (!body.len)
		ike_fail(&why, "%s", e->answer->why);
	else if (ocsp)
		standing = ike_ocsp_standing(body, l->cert, l->issuer, l->r->now, &e->until, &why);
	else if (e->crl || (e->crl = ike_crl_parse(body, &why)))
		standing = ike_crl_standing(e->crl, l->cert, l->issuer, l->r->now, &e->until, &why);
	if (standing == IKE_STANDING_REVOKED) {
		*err = why;
		return standing;
	}
	if (standing == IKE_STANDING_GOOD)
		return standing;
	ike_fail_at(&why, "%.100s", uri);
	return unknown(l, &why);
}

static bool set_want(struct look *l, const char *uri, bool ocsp)
{
	struct ike_want *want = &l->r->want;

	want->post_len = 0;
	if (ocsp) {
		want->post_len = ike_ocsp_request(l->cert, l->issuer, want->post);
		if (!want->post_len)
			return false;
	}
	memcpy(want->uri, uri, strlen(uri) + 1);
	return true;
}

static enum ike_standing ask(struct look *l, const char *uri, bool ocsp, struct ike_error *err)
{
	struct ike_revocation *r = l->r;
	struct ike_error why;

	l->uri = true;
	if (!usable(uri)) {
		struct ike_text text;
		char shown[160];

		ike_text_init(&text, shown, sizeof(shown));
		ike_text_add_printable(&text, (const uint8_t *)uri, strnlen(uri, 80));
		ike_fail(&why, "%s: only places that begin with http:// are asked", shown);
	} else if (r->asked < r->n_evidence) {
		return judge(l, &r->evidence[r->asked++], uri, ocsp, err);
	} else if (r->n_evidence == IKE_EVIDENCE_MAX) {
		ike_fail(&why, "%.100s: more than %d places to ask", uri, IKE_EVIDENCE_MAX);
	} else if (!set_want(l, uri, ocsp)) {
		ike_fail(&why, "%.100s: no question can be made of it", uri);
	} else {
		l->wants = true;
		return IKE_STANDING_UNKNOWN;
	}
	return unknown(l, &why);
}

static enum ike_standing ask_list(struct look *l, char **uris, size_t n, bool ocsp,
				  struct ike_error *err)
{
	enum ike_standing standing = IKE_STANDING_UNKNOWN;

	for (size_t i = 0; i < n && i < IKE_URIS_MAX && !l->wants && !standing; i++)
		standing = ask(l, uris[i], ocsp, err);
	return standing;
}

static enum ike_standing ask_ocsp(struct look *l, struct ike_error *err)
{
	enum ike_standing standing = IKE_STANDING_UNKNOWN;
	STACK_OF(OPENSSL_STRING) *own;

	if (l->authority)
		standing = ask_list(l, l->authority->ocsp_uris, l->authority->n_ocsp_uris, true,
				    err);
	own = X509_get1_ocsp(l->cert);
	for (int i = 0; i < sk_OPENSSL_STRING_num(own) && i < IKE_URIS_MAX && !l->wants &&
			!standing; i++)
		standing = ask(l, sk_OPENSSL_STRING_value(own, i), true, err);
	X509_email_free(own);
	return standing;
}

/* One distribution point: the first of its names that is a URI, for they are of the same CRL. */
static enum ike_standing ask_point(struct look *l, const DIST_POINT *point, struct ike_error *err)
{
	const ASN1_IA5STRING *uri;
	GENERAL_NAMES *names;
	int kind;

	/* For some reasons alone, or of another issuer: not supported, and as if it were not there. */
	if (point->reasons || point->CRLissuer || !point->distpoint || point->distpoint->type)
		return IKE_STANDING_UNKNOWN;
	names = point->distpoint->name.fullname;
	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		uri = GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names, i), &kind);
		if (kind == GEN_URI &&
		    strlen((const char *)ASN1_STRING_get0_data(uri)) ==
		    (size_t)ASN1_STRING_length(uri) &&
		    usable((const char *)ASN1_STRING_get0_data(uri)))
			return ask(l, (const char *)ASN1_STRING_get0_data(uri), false, err);
	}
	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		uri = GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names, i), &kind);
		if (kind == GEN_URI)
			return ask(l, (const char *)ASN1_STRING_get0_data(uri), false, err);
	}
	return IKE_STANDING_UNKNOWN;
}

static enum ike_standing ask_crls(struct look *l, struct ike_error *err)
{
	enum ike_standing standing = IKE_STANDING_UNKNOWN;
	CRL_DIST_POINTS *own;

	if (l->authority)
		standing = ask_list(l, l->authority->crl_uris, l->authority->n_crl_uris, false,
				    err);
	own = X509_get_ext_d2i(l->cert, NID_crl_distribution_points, NULL, NULL);
	for (int i = 0; i < sk_DIST_POINT_num(own) && i < IKE_URIS_MAX && !l->wants && !standing;
	     i++)
		standing = ask_point(l, sk_DIST_POINT_value(own, i), err);
	CRL_DIST_POINTS_free(own);
	return standing;
}

/* The whole */

static const struct ike_authority_cfg *authority_of(const struct ike_revocation *r, X509 *issuer)
{
	for (size_t i = 0; i < r->n_authorities; i++) {
		X509 *x509 = r->authorities[i].cert ? r->authorities[i].cert->x509 : NULL;

		if (x509 && !X509_NAME_cmp(X509_get_subject_name(x509),
					   X509_get_subject_name(issuer)) &&
		    EVP_PKEY_eq(X509_get0_pubkey(x509), X509_get0_pubkey(issuer)) == 1)
			return &r->authorities[i];
	}
	return NULL;
}

static enum ike_standing look_into(struct look *l, struct ike_error *err)
{
	enum ike_standing files = look_in_files(l, err), standing;

	if (files == IKE_STANDING_REVOKED)
		return files;
	standing = ask_ocsp(l, err);
	if (standing || l->wants)
		return standing;
	return files ? files : ask_crls(l, err);
}

static bool may_stay_unknown(struct look *l, struct ike_error *err)
{
	enum ike_revocation_policy policy = l->r->policy;

	l->silent = !l->why.text[0];
	if (l->silent)
		ike_fail(&l->why, "there is no CRL of its issuer, and no place to ask");
	if (policy == IKE_REVOCATION_RELAXED || (policy == IKE_REVOCATION_IFURI && !l->uri))
		return true;
	return ike_fail(err, "it may have been revoked (remote.revocation = %s): %s",
			policy == IKE_REVOCATION_STRICT ? "strict" : "ifuri", l->why.text);
}

/* False: it is refused. Else l->wants may be set. */
static bool passes(struct look *l, bool leaf, struct ike_error *err)
{
	struct ike_error why;
	char name[120];
	struct ike_text note;

	switch (look_into(l, &why)) {
	case IKE_STANDING_GOOD:
		return true;
	case IKE_STANDING_REVOKED:
		ike_fail(err, "%s", why.text);
		break;
	default:
		if (l->wants)
			return true;
		if (!may_stay_unknown(l, err))
			break;
		if (l->silent || l->r->note[0])
			return true;
		ike_x509_subject_text(l->cert, name, sizeof(name));
		ike_text_init(&note, l->r->note, sizeof(l->r->note));
		ike_text_add(&note, "certificate %.60s may have been revoked: %s", name,
			     l->why.text);
		return true;
	}
	if (!leaf) {
		ike_x509_subject_text(l->cert, name, sizeof(name));
		ike_fail_at(err, "its issuer %.80s", name);
	}
	return false;
}

enum ike_revocation_outcome ike_revocation_check(struct ike_revocation *r, STACK_OF(X509) *chain,
						 struct ike_error *err)
{
	enum ike_revocation_outcome outcome = IKE_REVOCATION_PASSES;

	r->asked = 0;
	r->want.uri[0] = '\0';
	r->note[0] = '\0';
	for (int i = 0; i + 1 < sk_X509_num(chain) && outcome == IKE_REVOCATION_PASSES; i++) {
		struct look l = {
			.r = r,
			.cert = sk_X509_value(chain, i),
			.issuer = sk_X509_value(chain, i + 1),
		};

		l.authority = authority_of(r, l.issuer);
		if (!passes(&l, !i, err))
			outcome = IKE_REVOCATION_REFUSES;
		else if (l.wants)
			outcome = IKE_REVOCATION_WANTS;
	}
	ERR_clear_error();
	return outcome;
}
