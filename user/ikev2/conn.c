// SPDX-License-Identifier: MIT
/* Which connection a peer means, and which key is for it. */
#include "ikev2/conn.h"
#include "ikev2/conn_index.h"
#include "ikev2/rounds.h"

enum {
	FIT_NO,
	FIT_ANY,
	FIT_RANGE,
	FIT_SINGLE,
	EXPLAIN_MAX = 3000,
};

/* The same address may be on each link. */
static bool other_link(const struct ike_addr *a, const struct ike_addr *b)
{
	return a->scope && b->scope && a->scope != b->scope;
}

static unsigned int fit_addr(const struct ike_ts *list, size_t n, const struct ike_addr *a)
{
	unsigned int best = n ? FIT_NO : FIT_ANY;

	for (size_t i = 0; i < n; i++) {
		bool single = ike_addr_equal(&list[i].first, &list[i].last);

		if (best < FIT_SINGLE && ike_ts_holds_addr(&list[i], a) &&
		    !other_link(&list[i].first, a))
			best = single ? FIT_SINGLE : FIT_RANGE;
	}
	return best;
}

bool ike_conn_takes(const struct ike_ts *list, size_t n, const struct ike_addr *a)
{
	return fit_addr(list, n, a) != FIT_NO;
}

unsigned int ike_conn_fit(const struct ike_conn_cfg *conn, const struct ike_addr *local,
			  const struct ike_addr *remote)
{
	unsigned int l = fit_addr(conn->local_addrs, conn->n_local_addrs, local);
	unsigned int r = fit_addr(conn->remote_addrs, conn->n_remote_addrs, remote);

	if (!r && conn->n_remote_names)
		r = FIT_ANY;
	return l && r ? l + (FIT_SINGLE + 1) * r : 0;
}

const struct ike_conn_cfg *ike_conn_choose(struct ike_engine *e, const struct ike_addr *local,
					   const struct ike_addr *remote,
					   const struct ike_proposal_list *offer,
					   const struct ike_select *how, struct ike_suite *suite,
					   char *why, size_t cap)
{
	char from[IKE_ADDR_TEXT_MAX], to[IKE_ADDR_TEXT_MAX], explained[EXPLAIN_MAX];
	const struct ike_conn_cfg *best = NULL;
	const struct ike_conn_cfg *conn;
	unsigned int best_fit = 0, fit;
	struct ike_suite candidate;
	struct ike_text text;

	ike_text_init(&text, why, cap);
	for (size_t i = 0; (conn = ike_conn_distinct(e->config, i)); i++) {
		fit = ike_conn_is_shunts(conn) ? 0 : ike_conn_fit(conn, local, remote);
		if (fit <= best_fit)
			continue;
		if (ike_proposal_select(&conn->proposals, offer, how, &candidate)) {
			best = conn;
			best_fit = fit;
			*suite = candidate;
		} else if (!text.len) {
			ike_text_add(&text, "%s: %s", conn->name,
				     ike_proposal_explain(&conn->proposals, offer, how, explained,
							  sizeof(explained)));
		}
	}
	if (!best && !text.len)
		ike_text_add(&text, "no connection is for %s at %s",
			     ike_addr_text(remote, from, sizeof(from)),
			     ike_addr_text(local, to, sizeof(to)));
	return best;
}

/*
 * Does the connection have the suite that IKE_SA_INIT agreed on, before the connection was known?
 */
static bool has_suite(const struct ike_conn_cfg *conn, const struct ike_suite *s)
{
	const struct ike_proposal_list *l = &conn->proposals;

	for (unsigned int i = 0; i < IKE_ADDKE_MAX; i++)
		if (s->addke[i] != IKE_KE_NONE &&
		    !ike_proposal_has(l, IKE_TRANSFORM_ADDKE1 + i, s->addke[i]))
			return false;
	return ike_proposal_has(l, IKE_TRANSFORM_ENCR, s->encr) &&
	       ike_proposal_has(l, IKE_TRANSFORM_PRF, s->prf) &&
	       ike_proposal_has(l, IKE_TRANSFORM_KE, s->ke) &&
	       (!s->has_integ || s->integ == IKE_INTEG_NONE ||
		ike_proposal_has(l, IKE_TRANSFORM_INTEG, s->integ));
}

const struct ike_conn_cfg *ike_conn_identify(const struct ike_sa *sa, const struct ike_id *idi,
					     const struct ike_id *idr,
					     enum ike_auth_method method, bool rounds)
{
	enum {
		STEP = 64
	};
	const struct ike_conn_cfg *best = NULL, *conn;
	struct ike_conn_iter iter = {0};
	unsigned int best_fit = 0;

	while ((conn = ike_conn_of_peer(sa->config, idi, &iter))) {
		unsigned int addrs = ike_conn_fit(conn, &sa->local.addr, &sa->remote.addr);
		unsigned int peer = ike_id_match(&conn->remote.id, idi), us = IKE_ID_FIT_ANY, fit;
		struct ike_id ours;

		ike_conn_local_id(conn, &sa->local.addr, &ours);
		if (idr->type != IKE_ID_ANY)
			us = ike_id_match(&ours, idr);
		/* EAP is for who begins. */
		if (conn->local.method == IKE_AUTH_CFG_EAP || ike_conn_is_shunts(conn))
			continue;
		if (!addrs || !peer || !us || (conn != sa->conn && !has_suite(conn, &sa->suite)))
			continue;
		/* By another method than the peer has chosen it cannot come up, however well it fits. */
		fit = conn->remote.method == method;
		fit = ((fit * STEP + peer) * STEP + us) * STEP + addrs;
		fit = 2 * fit + (!!conn->remote_more.n == rounds);
		/* Of equals the first in the configuration. */
		if (fit > best_fit || (fit == best_fit && conn < best)) {
			best_fit = fit;
			best = conn;
		}
	}
	return best;
}

void ike_conn_local_id(const struct ike_conn_cfg *conn, const struct ike_addr *local,
		       struct ike_id *id)
{
	ike_round_local_id(&conn->local, local, id);
}

struct ike_addr ike_conn_first_addr(const struct ike_ts *addrs, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (ike_addr_equal(&addrs[i].first, &addrs[i].last))
			return addrs[i].first;
	return (struct ike_addr){0};
}

static unsigned int best_match(const struct ike_secret_cfg *s, const struct ike_id *id)
{
	unsigned int best = IKE_ID_FIT_NO, fit;

	for (size_t i = 0; i < s->n_ids; i++) {
		fit = ike_id_match(&s->ids[i], id);
		if (fit > best)
			best = fit;
	}
	return best;
}

/* The peer's identity weighs more than ours; a key for nobody in particular is the last resort. */
const struct ike_secret_cfg *ike_psk_find(const struct ike_config *config,
					  const struct ike_id *local, const struct ike_id *remote)
{
	enum {
		LEAST = 1,
		STEP = IKE_ID_FIT_EXACT + 1
	};
	const struct ike_secret_cfg *best = NULL;
	unsigned int best_fit = 0, fit;

	for (size_t i = 0; i < config->n_secrets; i++) {
		const struct ike_secret_cfg *s = &config->secrets[i];
		unsigned int peer = best_match(s, remote), us = best_match(s, local);

		fit = s->n_ids ? (peer * STEP + us) * 2 : LEAST;
		if (fit > best_fit) {
			best_fit = fit;
			best = s;
		}
	}
	return best;
}
