// SPDX-License-Identifier: MIT
/*
 * EAP-TLS (RFC 5216, with TLS 1.3 RFC 9190): flights of TLS in packets of EAP, cut into fragments of
 * which each but the last is acknowledged by an empty packet.
 */
#include <stdlib.h>
#include <string.h>

#include "ikev2/crypto/tls.h"
#include "ikev2/eap/method.h"
#include "ikev2/own.h"
#include "ikev2/proof.h"

/* RFC 5216 section 3.1. */
enum {
	FLAG_LENGTH = 0x80,
	FLAG_MORE = 0x40,
	FLAG_START = 0x20,
};

enum {
	FRAGMENT_MAX = 1024, /* of TLS, in one packet of ours */
	FLIGHT_MAX = 65536,  /* of the peer's: RFC 5216 section 2.1.5 has limits of this size */
};

struct tls {
	struct ike_tls *session; /* NULL before the peer has begun */
	struct ike_proof judge;	 /* what the peer's certificate must be */
	bool started, more;	 /* more: fragments of the peer's are to follow */
	size_t got, total;	 /* of its flight; total 0: not announced */
	bool cut;		 /* fragments of ours are under way */
	struct ike_error why;	 /* it has failed, and the peer is being told */
};

static const struct ike_id *own_id(const struct ike_eap *e)
{
	return e->server ? &e->responder : &e->client;
}

/* The server proves itself here as in IKE. */
static const struct ike_auth_cfg *own_cfg(const struct ike_eap *e)
{
	return e->server ? &e->conn->local : e->cfg;
}

static const struct ike_auth_cfg *peer_cfg(const struct ike_eap *e)
{
	return e->server ? e->cfg : &e->conn->remote;
}

static bool find_own(const struct ike_eap *e, struct ike_own *own, struct ike_error *err)
{
	if (!ike_own_find(e->config, own_cfg(e), own_id(e), ike_bytes(NULL, 0), own, err))
		return false;
	return own->cert || ike_fail(err, "EAP-TLS needs a certificate, not a bare key (local.certs)");
}

static bool usable(const struct ike_eap *e)
{
	const struct ike_auth_cfg *peer = peer_cfg(e);
	struct ike_own own;

	return find_own(e, &own, NULL) &&
	       (peer->cacerts.n || peer->certs.n || e->config->anchors.n);
}

static void end(struct ike_eap *e)
{
	struct tls *s = e->state;

	if (s) {
		ike_tls_free(s->session);
		ike_chain_free(s->judge.chain);
	}
	free(s);
	e->state = NULL;
}

static enum ike_eap_verdict refuse(struct ike_eap *e, struct ike_error *err, const char *why)
{
	char who[IKE_EAP_NAME_MAX + 32];

	ike_fail(err, "%.80s: %s", ike_eap_text(e, who, sizeof(who)), why);
	return IKE_EAP_REFUSED;
}

/* Certificates */

/*
 * Whom the peer's certificate must be of: the server's its identity in IKE, or aaa_id; the client's
 * the name that it has given, or its identity in IKE.
 */
static bool peer_id(const struct ike_eap *e, struct ike_id *id, struct ike_error *err)
{
	char name[2 * IKE_EAP_NAME_MAX];

	if (!e->server) {
		*id = e->cfg->aaa_id.type == IKE_ID_ANY ? e->responder : e->cfg->aaa_id;
		return true;
	}
	*id = e->client;
	if (e->dn.type != IKE_ID_ANY)
		*id = e->dn;
	else if (e->cfg->eap_id && !ike_id_parse(e->name, id, NULL))
		return ike_fail(err, "the user's name \"%.80s\" is no identity",
				ike_eap_user(e, name, sizeof(name)));
	return true;
}

static bool accepts(void *arg, const struct ike_cert *leaf, const struct ike_cert_list *sent,
		    struct ike_error *err)
{
	struct tls *s = arg;

	ike_chain_free(s->judge.chain);
	s->judge.chain = NULL;
	return ike_proof_accepts(&s->judge, leaf, sent, &s->judge.chain, err);
}

static struct stack_st_X509 *take_chain(struct ike_eap *e)
{
	struct tls *s = e->state;
	struct stack_st_X509 *chain = s ? s->judge.chain : NULL;

	if (s)
		s->judge.chain = NULL;
	return chain;
}

static bool open_session(struct ike_eap *e, struct tls *s, struct ike_error *err)
{
	const struct ike_auth_cfg *peer = peer_cfg(e);
	struct ike_tls_setup setup = {
		.server = e->server,
		.anchors = peer->cacerts.n ? &peer->cacerts : &e->config->anchors,
		.accepts = accepts,
		.arg = s,
	};
	const struct ike_cert *issuer;
	struct ike_own own;

	s->judge = (struct ike_proof){.config = e->config, .cfg = peer, .now = e->now};
	if (!peer_id(e, &s->judge.id, err) || !find_own(e, &own, err))
		return false;
	setup.key = own.key;
	setup.cert = own.cert;
	issuer = ike_own_issuer(e->config, own.cert);
	for (size_t i = 0; issuer && i < IKE_TLS_CHAIN_MAX; i++) {
		setup.chain[i] = issuer;
		issuer = ike_own_issuer(e->config, issuer);
	}
	s->session = ike_tls_new(&setup, err);
	return s->session;
}

/* Packets */

/* The next fragment of what waits to go, or nothing: an acknowledgement. */
static void put(struct tls *s, struct ike_writer *out)
{
	struct ike_bytes all = s->session ? ike_tls_waiting(s->session) : ike_bytes(NULL, 0);
	size_t len = all.len < FRAGMENT_MAX ? all.len : FRAGMENT_MAX;
	bool more = len < all.len, first = more && !s->cut;

	ike_put8(out, (more ? FLAG_MORE : 0) | (first ? FLAG_LENGTH : 0));
	if (first)
		ike_put32(out, all.len);
	if (len)
		ike_put(out, ike_bytes(all.p, len));
	if (s->session)
		ike_tls_sent(s->session, len);
	s->cut = more;
}

/* A packet of the peer's into its flight. */
static bool take(struct tls *s, struct ike_bytes in, uint8_t *flags, size_t *len,
		 struct ike_error *err)
{
	struct ike_cursor c = ike_cursor(in);
	uint32_t total = 0;

	*flags = ike_get8(&c);
	if (*flags & FLAG_LENGTH)
		total = ike_get32(&c);
	*len = c.rest.len;
	if (c.bad)
		return ike_fail(err, "a packet is cut off");
	/* Some say it in each fragment, some in the first: it must be the same. */
	if (total && s->total && total != s->total)
		return ike_fail(err, "a fragment says %u bytes where another said %zu", total,
				s->total);
	if (total)
		s->total = total;
	s->got += *len;
	if (s->total > FLIGHT_MAX || s->got > FLIGHT_MAX)
		return ike_fail(err, "a flight of TLS of more than %d bytes", FLIGHT_MAX);
	s->more = *flags & FLAG_MORE;
	if (s->total && (s->more ? s->got >= s->total : s->got != s->total))
		return ike_fail(err, "fragments of %zu bytes where %zu were announced", s->got,
				s->total);
	if (s->more && !*len)
		return ike_fail(err, "an empty fragment");
	return !*len || ike_tls_give(s->session, c.rest) || ike_fail(err, "out of memory");
}

/* The session has failed: an alert goes, if there is one, and the peer's next ends it. */
static enum ike_eap_verdict alert(struct ike_eap *e, struct tls *s, struct ike_writer *out,
				  struct ike_error *err, const char *why)
{
	refuse(e, err, why);
	s->why = *err;
	/* The peer that has sent one itself waits for nothing but the end. */
	if (e->server && !ike_tls_waiting(s->session).len)
		return IKE_EAP_REFUSED;
	put(s, out);
	return e->server ? IKE_EAP_MORE : IKE_EAP_REFUSED;
}

/* All of the peer's flight is there. */
static enum ike_eap_verdict go_on(struct ike_eap *e, struct tls *s, size_t len,
				  struct ike_writer *out, struct ike_error *err)
{
	struct ike_error why = {0};

	s->got = s->total = 0;
	if (!ike_tls_run(s->session, &why))
		return alert(e, s, out, err, why.text);
	if (ike_tls_told(s->session) && !ike_tls_waiting(s->session).len && (!e->server || !len)) {
		if (!ike_tls_msk(s->session, &e->msk, &why))
			return refuse(e, err, why.text);
		if (!e->server)
			put(s, out);
		return IKE_EAP_DONE;
	}
	/* Who has nothing to say must not be made to, again and again. */
	if (!len && s->started && !ike_tls_waiting(s->session).len)
		return refuse(e, err, "the peer sends nothing where TLS has to go on");
	put(s, out);
	return IKE_EAP_MORE;
}

static enum ike_eap_verdict exchange(struct ike_eap *e, struct tls *s, struct ike_bytes in,
				     struct ike_writer *out, struct ike_error *err)
{
	struct ike_error why = {0};
	bool acknowledged = s->cut;
	uint8_t flags;
	size_t len;

	if (!s->session && !open_session(e, s, &why))
		return refuse(e, err, why.text);
	if (!take(s, in, &flags, &len, &why))
		return refuse(e, err, why.text);
	if (!e->server && !s->started && !(flags & FLAG_START))
		return refuse(e, err, "the server does not begin with a start");
	if (acknowledged) {
		if (len)
			return refuse(e, err, "a fragment of ours is answered by data");
		put(s, out);
		return IKE_EAP_MORE;
	}
	if (s->more) {
		ike_put8(out, 0);
		return IKE_EAP_MORE;
	}
	/* What the client begins with is its own. */
	if (!e->server && !s->started)
		len = 1;
	s->started = true;
	return go_on(e, s, len, out, err);
}

static enum ike_eap_verdict step(struct ike_eap *e, struct ike_bytes in, struct ike_writer *out,
				 struct ike_error *err)
{
	struct tls *s = e->state;

	if (!s) {
		e->state = s = calloc(1, sizeof(*s));
		if (!s)
			return refuse(e, err, "out of memory");
		if (e->server) {
			ike_put8(out, FLAG_START);
			return IKE_EAP_MORE;
		}
	}
	if (s->why.text[0] && !s->cut) {
		*err = s->why;
		return IKE_EAP_REFUSED;
	}
	return exchange(e, s, in, out, err);
}

static const char *detail(const struct ike_eap *e)
{
	const struct tls *s = e->state;

	return s && s->session && s->started ? ike_tls_version(s->session) : NULL;
}

const struct ike_eap_method ike_eap_tls = {
	.type = IKE_EAP_TLS,
	.name = "eap-tls",
	.usable = usable,
	.step = step,
	.end = end,
	.detail = detail,
	.take_chain = take_chain,
};
