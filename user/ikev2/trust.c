// SPDX-License-Identifier: MIT
/* Certificates of peers that have proven themselves before. */
#include "ikev2/engine.h"
#include "ikev2/proof.h"
#include "ikev2/trust.h"

/* Proofs for IKE SAs of an older configuration go without. */
static bool is_ours(const struct ike_engine *e, const struct ike_proof *p)
{
	return p->config == e->config;
}

static struct ike_trusted *find(struct ike_trust *t, const struct ike_auth_cfg *cfg,
				struct ike_bytes der)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->list[i].cfg == cfg && ike_bytes_equal(ike_cert_der(t->list[i].leaf), der))
			return &t->list[i];
	return NULL;
}

void ike_trust_recall(struct ike_engine *e, struct ike_proof *p)
{
	struct ike_trusted *known;

	if (!p->n_certs || !is_ours(e, p))
		return;
	known = find(&e->trust, p->cfg, ike_bytes(p->certs, p->cert_len[0]));
	if (!known)
		return;
	known->used = ++e->trust.uses;
	p->known_chain = known->chain ? ike_chain_ref(known->chain) : NULL;
	/* Without memory it is as if nothing were known. */
	if (p->known_chain || !known->chain)
		p->known = ike_cert_ref(known->leaf);
}

static void clear(struct ike_trusted *known)
{
	ike_cert_unref(known->leaf);
	ike_chain_free(known->chain);
}

/* A free one, or the one that was not used for the longest time. */
static struct ike_trusted *make_room(struct ike_trust *t)
{
	struct ike_trusted *oldest = t->list;

	if (t->n < IKE_TRUSTED_MAX)
		return &t->list[t->n++];
	for (size_t i = 1; i < t->n; i++)
		if (t->list[i].used < oldest->used)
			oldest = &t->list[i];
	clear(oldest);
	return oldest;
}

void ike_trust_learn(struct ike_engine *e, const struct ike_proof *p)
{
	struct stack_st_X509 *chain = NULL;
	struct ike_trusted *known;

	if (!p->leaf || !is_ours(e, p))
		return;
	if (p->chain && !(chain = ike_chain_ref(p->chain)))
		return;
	/* It may be there: out of time when it was recalled, or learnt by another proof meanwhile. */
	known = find(&e->trust, p->cfg, ike_cert_der(p->leaf));
	if (known)
		clear(known);
	else
		known = make_room(&e->trust);
	*known = (struct ike_trusted){ike_cert_ref(p->leaf), chain, p->cfg, ++e->trust.uses};
}

void ike_trust_forget(struct ike_engine *e)
{
	while (e->trust.n)
		clear(&e->trust.list[--e->trust.n]);
}
