// SPDX-License-Identifier: MIT
/* IKE_AUTH by signatures: between messages and proofs. */
#include <stdlib.h>
#include <string.h>

#include "ikev2/conn.h"
#include "ikev2/conn_index.h"
#include "ikev2/intermediate.h"
#include "ikev2/own.h"
#include "ikev2/ppk.h"
#include "ikev2/prove.h"
#include "ikev2/rounds.h"

enum {
	CHAIN_MAX = 8,	/* certificates sent */
	/*
	 * Asked for in an answer to a stranger, which is not to be much longer than what it sent.
	 */
	ASKED_MAX = 16,
	WANTED_MAX = 64 * IKE_PKEY_ID_LEN, /* key IDs of CERTREQs that are looked at */
};

/* The payloads of the peer's IKE_SA_INIT message, which is kept until both are authenticated. */
static bool peer_init(const struct ike_sa *sa, struct ike_payloads *all)
{
	struct ike_bytes message = ike_packet_bytes(&sa->init_got);
	struct ike_header h;

	all->n = 0;
	return message.len > IKE_HEADER_LEN && ike_header_decode(message, &h, NULL) &&
	       ike_payloads_decode(all, h.next,
				   ike_bytes(message.p + IKE_HEADER_LEN,
					     message.len - IKE_HEADER_LEN), NULL);
}

static ike_hash_set hashes_in(const struct ike_payloads *all)
{
	struct ike_wire_notify n;
	ike_hash_set set = 0;

	if (ike_find_notify(all, IKE_NOTIFY_SIGNATURE_HASH_ALGORITHMS, &n) &&
	    !ike_hashes_get(n.data, &set, NULL))
		set = 0;
	return set;
}

/* CERTREQ */

static const struct ike_cert_list *anchors_of(const struct ike_config *config,
					      const struct ike_auth_cfg *peer)
{
	return peer->cacerts.n ? &peer->cacerts : &config->anchors;
}

/* The round of the peer's in which it has to have a certificate, the first; NULL: in none. */
static const struct ike_auth_cfg *wants_cert(const struct ike_conn_cfg *conn)
{
	const struct ike_auth_cfg *peer;

	for (size_t i = 0; !conn->no_certreq &&
			   (peer = ike_conn_round(&conn->remote, &conn->remote_more, i)); i++)
		if (peer->method == IKE_AUTH_CFG_PUBKEY && !peer->pubkeys.n)
			return peer;
	return NULL;
}

/* At most @max of them; returns how many. */
static size_t put_certreq(struct ike_writer *w, const struct ike_cert_list *anchors, size_t max)
{
	size_t n = anchors->n < max ? anchors->n : max, mark;

	if (!n)
		return 0;
	mark = ike_payload_begin(w, IKE_PAYLOAD_CERTREQ);
	ike_put8(w, IKE_CERT_X509_SIGNATURE);
	for (size_t i = 0; i < n; i++)
		ike_put(w, ike_bytes(anchors->list[i]->key->id, IKE_PKEY_ID_LEN));
	ike_payload_end(w, mark);
	return n;
}

void ike_put_certreq(struct ike_writer *w, const struct ike_sa *sa)
{
	const struct ike_auth_cfg *peer = wants_cert(sa->conn);

	if (peer)
		put_certreq(w, anchors_of(sa->config, peer), SIZE_MAX);
}

/*
 * A responder does not know the peer yet, only where it is: it asks for what any connection from
 * there would take.
 */
static void put_certreq_for_any(struct ike_writer *w, const struct ike_sa *sa)
{
	const struct ike_config *config = sa->config;
	const struct ike_cert_list *anchors;
	const struct ike_conn_cfg *conn;
	size_t left = ASKED_MAX;
	bool common = false;

	for (size_t i = 0; (conn = ike_conn_distinct(config, i)); i++) {
		const struct ike_auth_cfg *peer = wants_cert(conn);

		if (!peer || !ike_conn_fit(conn, &sa->local.addr, &sa->remote.addr))
			continue;
		anchors = anchors_of(config, peer);
		if (common && anchors == &config->anchors)
			continue;
		left -= put_certreq(w, anchors, left);
		common = common || anchors == &config->anchors;
	}
}

/* Any connection from there may. It is not said without need: answers are to be short. */
static bool may_have_rounds(const struct ike_sa *sa)
{
	const struct ike_conn_cfg *conn;

	for (size_t i = 0; (conn = ike_conn_distinct(sa->config, i)); i++)
		if (ike_has_rounds(conn) &&
		    ike_conn_fit(conn, &sa->local.addr, &sa->remote.addr))
			return true;
	return false;
}

void ike_put_init_auth(struct ike_writer *w, const struct ike_sa *sa,
		       const struct ike_payloads *request)
{
	uint8_t buf[32];
	struct ike_writer hashes;

	ike_writer_init(&hashes, buf, sizeof(buf));
	ike_hashes_put(&hashes, IKE_HASHES_ALL);
	/* RFC 7427 section 4: answered only to who has sent one. */
	if (!request || hashes_in(request))
		ike_put_notify(w, IKE_NOTIFY_SIGNATURE_HASH_ALGORITHMS, ike_written(&hashes));
	if (!request)
		return;
	if (may_have_rounds(sa))
		ike_put_notify(w, IKE_NOTIFY_MULTIPLE_AUTH_SUPPORTED, ike_bytes(NULL, 0));
	put_certreq_for_any(w, sa);
}

/* What of the peer's CERTREQs names anchors; @any tells that there was one at all. */
static struct ike_bytes wanted_anchors(const struct ike_payloads *all, uint8_t *buf, size_t cap,
				       bool *any)
{
	const struct ike_payload *p = NULL;
	struct ike_wire_cert req;
	struct ike_writer w;

	ike_writer_init(&w, buf, cap);
	while (all && (p = ike_payloads_find_next(all, IKE_PAYLOAD_CERTREQ, p))) {
		if (!ike_cert_decode(p->body, &req, NULL) ||
		    req.encoding != IKE_CERT_X509_SIGNATURE || req.data.len % IKE_PKEY_ID_LEN)
			continue;
		*any = true;
		if (w.len + req.data.len <= w.cap)
			ike_put(&w, req.data);
	}
	return ike_written(&w);
}

/* What is signed */

/*
 * Section 2.15: the message of IKE_SA_INIT, the other's nonce, prf(SK_p, RestOfIDPayload); and
 * IntAuth (RFC 9242 section 3.3.2). @whose: is it the proof of the initiator?
 */
static struct ike_proof *proof_new(const struct ike_sa *sa, bool whose,
				   const struct ike_auth_cfg *cfg, const struct ike_id *id,
				   struct ike_bytes id_body, struct ike_error *err)
{
	bool ours = whose == sa->initiator;
	uint8_t int_auth[IKE_INT_AUTH_MAX];
	struct ike_key IKE_CLEARED_KEY maced = {0};
	struct ike_proof *p;

	if (!ike_prf(sa->prf, ike_key_bytes(whose ? &sa->keys.pi : &sa->keys.pr), &id_body, 1,
		     &maced, err))
		return NULL;
	p = ike_proof_new(sa->config, cfg, id, (struct ike_bytes[]){
			  ike_packet_bytes(ours ? &sa->init_sent : &sa->init_got),
			  ike_nonce_bytes(whose ? &sa->nr : &sa->ni), ike_key_bytes(&maced),
			  ike_intermediate_proof(sa, int_auth)}, 4);
	if (!p)
		ike_fail(err, "out of memory");
	return p;
}

/* Ours */

struct ike_bytes ike_own_id_body(const struct ike_sa *sa, uint8_t *buf, size_t cap)
{
	const struct ike_id *id = &sa->local_id;
	struct ike_writer w;

	ike_writer_init(&w, buf, cap);
	ike_put8(&w, id->type);
	ike_put8(&w, 0);
	ike_put16(&w, 0);
	ike_put(&w, ike_bytes(id->data, id->len));
	return ike_written(&w);
}

static bool choose(struct ike_sa *sa, const struct ike_payloads *init,
		   const struct ike_payloads *requests, struct ike_own *own, uint8_t *method,
		   enum ike_scheme *scheme, struct ike_error *err)
{
	/* As configured, but for what the peer would not take. */
	struct ike_auth_cfg cfg = *ike_own_auth(sa);
	uint8_t buf[WANTED_MAX];
	struct ike_bytes wanted;
	bool asked = false;

	cfg.schemes = cfg.schemes ? cfg.schemes : IKE_SCHEMES_ALL;
	if (!ike_auth_methods_narrow(&sa->peer_takes, &cfg.schemes, err))
		return false;

	/* The initiator is asked by IKE_SA_INIT's answer, the responder by the first request. */
	if (sa->first)
		requests = &sa->first->all;
	wanted = wanted_anchors(requests ? requests : init, buf, sizeof(buf), &asked);
	if (!ike_own_find(sa->config, &cfg, &sa->local_id, wanted, own, err) ||
	    !ike_signature_choose(own->key, hashes_in(init),
				  cfg.schemes, method, scheme, err))
		return false;
	free(sa->proven);
	sa->proven = calloc(1, sizeof(*sa->proven));
	if (!sa->proven)
		return ike_fail(err, "out of memory");
	sa->proven->cert = own->cert;
	sa->proven->send_cert = sa->conn->send_cert == IKE_SEND_CERT_ALWAYS ||
				(asked && sa->conn->send_cert == IKE_SEND_CERT_IFASKED);
	return true;
}

bool ike_prove(struct ike_sa *sa, enum ike_side side, const struct ike_payloads *requests,
	       ike_job_then then, struct ike_incoming *in, struct ike_error *err)
{
	uint8_t buf[IKE_ID_MAX + IKE_GENERIC_LEN];
	struct ike_payloads init;
	enum ike_scheme scheme;
	struct ike_proof *p;
	struct ike_own own;
	uint8_t method;

	if (!peer_init(sa, &init))
		return ike_fail(err, "the peer's IKE_SA_INIT message is lost");
	if (!choose(sa, &init, requests, &own, &method, &scheme, err))
		return false;
	p = proof_new(sa, sa->initiator, ike_own_auth(sa), &sa->local_id,
		      ike_own_id_body(sa, buf, sizeof(buf)), err);
	if (!p)
		return false;
	p->key = own.key;
	p->scheme = scheme;
	p->signature.method = method;
	return ike_job_prove(sa, side, p, then, in) || ike_fail(err, "out of memory");
}

void ike_prove_done(struct ike_sa *sa, const struct ike_job *job)
{
	if (sa->proven)
		sa->proven->signature = job->proof->signature;
}

static void put_cert(struct ike_writer *w, const struct ike_cert *cert)
{
	size_t mark = ike_payload_begin(w, IKE_PAYLOAD_CERT);

	ike_put8(w, IKE_CERT_X509_SIGNATURE);
	ike_put(w, ike_cert_der(cert));
	ike_payload_end(w, mark);
}

void ike_put_certs(struct ike_writer *w, const struct ike_sa *sa)
{
	const struct ike_cert *cert = sa->proven && sa->proven->send_cert ? sa->proven->cert : NULL;

	/* Section 3.6: our own comes first. */
	for (unsigned int n = 0; cert && n < CHAIN_MAX; n++) {
		put_cert(w, cert);
		cert = ike_own_issuer(sa->config, cert);
	}
}

void ike_put_proof(struct ike_writer *w, const struct ike_sa *sa)
{
	const struct ike_proven *p = sa->proven;

	if (p)
		ike_put_auth(w, p->signature.method, ike_bytes(p->signature.data, p->signature.len));
	else
		w->overflow = true;
}

/* The peer's */

static bool take_auth(const struct ike_sa *sa, const struct ike_payloads *all,
		      const struct ike_id *id, struct ike_signature *signature,
		      struct ike_error *err)
{
	const struct ike_payload *p = ike_payloads_find(all, IKE_PAYLOAD_AUTH);
	char text[IKE_ID_TEXT_MAX];
	struct ike_wire_auth auth;

	ike_id_text(id, text, sizeof(text));
	if (!p)
		return ike_fail_notify(err, IKE_NOTIFY_AUTHENTICATION_FAILED,
				       "peer %.100s sends no AUTH payload (EAP?), a signature is "
				       "needed (remote.auth)", text);
	if (!ike_auth_decode(p->body, &auth, err))
		return false;
	auth.data = ike_ppk_proof(sa, all, auth.data);
	if (auth.method == IKE_AUTH_METHOD_PSK || auth.method == IKE_AUTH_METHOD_NULL)
		return ike_fail_notify(err, IKE_NOTIFY_AUTHENTICATION_FAILED,
				       "peer %.100s authenticates by %s, a signature is needed "
				       "(remote.auth)", text, ike_auth_method_name(auth.method));
	if (auth.data.len > sizeof(signature->data))
		return ike_fail_notify(err, IKE_NOTIFY_AUTHENTICATION_FAILED,
				       "peer %.100s: a signature of %zu bytes", text, auth.data.len);
	signature->method = auth.method;
	signature->len = auth.data.len;
	memcpy(signature->data, auth.data.p, auth.data.len);
	return true;
}

static bool take_certs(const struct ike_payloads *all, struct ike_proof *proof,
		       struct ike_error *err)
{
	const struct ike_payload *p = NULL;
	struct ike_wire_cert cert;

	while ((p = ike_payloads_find_next(all, IKE_PAYLOAD_CERT, p))) {
		if (!ike_cert_decode(p->body, &cert, err))
			return false;
		/* Others - CRLs, URLs, raw keys - were not asked for. */
		if (cert.encoding == IKE_CERT_X509_SIGNATURE &&
		    !ike_proof_add_cert(proof, cert.data, err))
			return false;
	}
	return true;
}

bool ike_prove_verify(struct ike_sa *sa, enum ike_side side, const struct ike_id *id,
		      struct ike_bytes body, ike_job_then then, struct ike_incoming *in,
		      struct ike_error *err)
{
	struct ike_engine *e = sa->engine;
	struct ike_proof *p;

	p = proof_new(sa, !sa->initiator, ike_peer_auth(sa), id, body, err);
	if (!p)
		return false;
	if (!take_auth(sa, &in->all, id, &p->signature, err) || !take_certs(&in->all, p, err)) {
		ike_proof_free(p);
		return false;
	}
	if (!e->ops->utc && !p->cfg->pubkeys.n) {
		ike_proof_free(p);
		return ike_fail(err, "no clock, so no certificate is in time");
	}
	p->now = e->ops->utc ? e->ops->utc(e->host) : 0;
	ike_trust_recall(e, p);
	return ike_job_prove(sa, side, p, then, in) || ike_fail(err, "out of memory");
}

bool ike_prove_unrevoked(struct ike_sa *sa, enum ike_side side, const struct ike_id *id,
			 struct stack_st_X509 *chain, ike_job_then then, struct ike_incoming *in,
			 struct ike_error *err)
{
	struct ike_proof *p = ike_proof_new(sa->config, &sa->conn->remote, id, NULL, 0);
	struct ike_engine *e = sa->engine;

	if (!p) {
		ike_chain_free(chain);
		return ike_fail_notify(err, IKE_NOTIFY_AUTHENTICATION_FAILED, "out of memory");
	}
	p->chain = chain;
	p->now = e->ops->utc ? e->ops->utc(e->host) : 0;
	return ike_job_prove(sa, side, p, then, in) ||
	       ike_fail_notify(err, IKE_NOTIFY_AUTHENTICATION_FAILED, "out of memory");
}

void ike_prove_note(const struct ike_sa *sa, const struct ike_job *job)
{
	char text[IKE_ID_TEXT_MAX];

	if (job->proof->revocation.note[0])
		ike_sa_log(sa, IKE_LOG_INFO, "peer %s: %s",
			   ike_id_text(&job->proof->id, text, sizeof(text)),
			   job->proof->revocation.note);
}
