// SPDX-License-Identifier: MIT
/* SUPPORTED_AUTH_METHODS, told and understood. */
#include "ikev2/auth_methods.h"
#include "ikev2/conn.h"
#include "ikev2/conn_index.h"
#include "ikev2/crypto/algorithm_id.h"

/* RFC 9593 section 3.2: announcements, by their length. */
enum {
	METHOD_LEN = 2,	     /* length and method */
	LINK_LEN = 3,	     /* and a link to a CERTREQ; behind it an AlgorithmIdentifier */
	ANY_CA = 0,	     /* no link */
	LIST_MAX = 1024,
};

/* Telling */

static void put_scheme(struct ike_writer *w, enum ike_scheme s)
{
	size_t mark = w->len;

	ike_put8(w, 0);
	ike_put8(w, IKE_AUTH_METHOD_SIGNATURE);
	ike_put8(w, ANY_CA);
	ike_algorithm_id_put(w, s);
	ike_patch8(w, mark, w->len - mark);
}

/* In any round of authentication: it is told once for all of them. */
static void add_conn(const struct ike_conn_cfg *conn, struct ike_auth_methods *m)
{
	const struct ike_auth_cfg *peer;

	for (size_t i = 0; (peer = ike_conn_round(&conn->remote, &conn->remote_more, i)); i++) {
		if (peer->method == IKE_AUTH_CFG_PSK)
			m->psk = true;
		else if (peer->method == IKE_AUTH_CFG_PUBKEY)
			m->schemes |= peer->schemes ? peer->schemes : IKE_SCHEMES_ALL;
	}
}

/* Of any connection that a peer from there may mean. */
static void add_all(const struct ike_sa *sa, struct ike_auth_methods *m)
{
	const struct ike_conn_cfg *conn;

	for (size_t i = 0; (conn = ike_conn_distinct(sa->config, i)); i++)
		if (ike_conn_fit(conn, &sa->local.addr, &sa->remote.addr) &&
		    !ike_conn_is_shunts(conn))
			add_conn(conn, m);
}

void ike_put_auth_methods(struct ike_writer *w, const struct ike_sa *sa)
{
	struct ike_auth_methods m = {0};
	uint8_t buf[LIST_MAX];
	struct ike_writer list;

	if (sa->initiator)
		add_conn(sa->conn, &m);
	else
		add_all(sa, &m);
	ike_writer_init(&list, buf, sizeof(buf));
	if (m.psk) {
		ike_put8(&list, METHOD_LEN);
		ike_put8(&list, IKE_AUTH_METHOD_PSK);
	}
	/* The older methods need not be told: who understands this knows RFC 7427. */
	for (enum ike_scheme s = 0; s < IKE_SCHEMES; s++)
		if (m.schemes & 1u << s && s != IKE_SCHEME_RSA_SHA1)
			put_scheme(&list, s);
	/*
	 * EAP is none of them: nothing is said where only that is taken; nor where every signature
	 * is, to which the list could only add its length.
	 */
	if (list.len && m.schemes != IKE_SCHEMES_ALL)
		ike_put_notify(w, IKE_NOTIFY_SUPPORTED_AUTH_METHODS, ike_written(&list));
}

/* Understanding */

static void take_announcement(struct ike_bytes one, struct ike_auth_methods *m)
{
	struct ike_cursor c = ike_cursor(one);
	uint8_t method = ike_get8(&c);
	enum ike_scheme s;

	if (method == IKE_AUTH_METHOD_PSK)
		m->psk = true;
	if (method != IKE_AUTH_METHOD_SIGNATURE || one.len < LINK_LEN)
		return;
	/* Which of its CAs it goes with does not matter: the certificate is chosen by CERTREQ. */
	ike_get8(&c);
	if (ike_algorithm_id_find(ike_get(&c, one.len - 2), &s))
		m->schemes |= 1u << s;
}

void ike_auth_methods_find(const struct ike_payloads *all, struct ike_auth_methods *m)
{
	struct ike_wire_notify n;
	struct ike_cursor c;

	*m = (struct ike_auth_methods){0};
	if (!ike_find_notify(all, IKE_NOTIFY_SUPPORTED_AUTH_METHODS, &n) || !n.data.len)
		return;
	c = ike_cursor(n.data);
	for (size_t left = n.data.len; left;) {
		uint8_t len = ike_get8(&c);

		if (len < METHOD_LEN || len > left) {
			*m = (struct ike_auth_methods){0};
			return;
		}
		take_announcement(ike_get(&c, len - 1), m);
		left -= len;
	}
	m->told = true;
}

bool ike_auth_methods_take_psk(const struct ike_auth_methods *m, struct ike_error *err)
{
	return !m->told || m->psk ||
	       ike_fail_notify(err, IKE_NOTIFY_AUTHENTICATION_FAILED,
			       "the peer takes no pre-shared key (SUPPORTED_AUTH_METHODS), which "
			       "local.auth wants");
}

bool ike_auth_methods_narrow(const struct ike_auth_methods *m, ike_scheme_set *ours,
			     struct ike_error *err)
{
	char buf[160], theirs[160];
	struct ike_text a, b;

	if (!m->told)
		return true;
	if (*ours & m->schemes) {
		*ours &= m->schemes;
		return true;
	}
	ike_text_init(&a, buf, sizeof(buf));
	ike_scheme_set_text(&a, *ours);
	ike_text_init(&b, theirs, sizeof(theirs));
	ike_scheme_set_text(&b, m->schemes);
	if (m->psk)
		ike_text_add(&b, "%spre-shared keys", b.len ? " " : "");
	return ike_fail_notify(err, IKE_NOTIFY_AUTHENTICATION_FAILED,
			       "the peer takes only %s (SUPPORTED_AUTH_METHODS), and we have %s",
			       b.len ? theirs : "what is unknown here", buf);
}
