// SPDX-License-Identifier: MIT
/* What an earlier esplaned left in the kernel, and how it makes way. */
#define LOG_SUBSYSTEM LOG_KERNEL

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "leftovers.h"
#include "log.h"
#include "mapping.h"

/* How long packets to a replaced SA may be on their way. */
static const ike_time in_flight = 5ULL * IKE_SECOND;
/* What an SA without hard lifetime is granted. */
static const ike_time endless = 3600ULL * IKE_SECOND;

static bool is_leftover(const struct leftovers *l, uint64_t cookie)
{
	uint32_t boot = mapping_boot(cookie);

	return boot && boot != l->boot;
}

static void free_policies(struct leftovers *l)
{
	size_t i;

	for (i = 0; i < l->n_policies; i++)
		free(l->policies[i].selectors);
	free(l->policies);
	l->policies = NULL;
	l->n_policies = 0;
}

static void begin_sas(void *arg)
{
	((struct leftovers *)arg)->n_sas = 0;
}

static void begin_policies(void *arg)
{
	free_policies(arg);
}

static void keep_sa(void *arg, const struct dp_sa *sa)
{
	struct leftovers *l = arg;
	struct leftover_sa *v;

	if (!is_leftover(l, sa->cookie))
		return;
	v = reallocarray(l->sas, l->n_sas + 1, sizeof(*v));
	if (!v) {
		l->no_memory = true;
		return;
	}
	l->sas = v;
	v[l->n_sas++] = (struct leftover_sa){
		.id = sa->id,
		.inbound = sa->direction == ESPLANE_DIRECTION_IN,
		.cookie = sa->cookie,
		.remove_at = sa->hard_seconds ? UINT64_MAX : l->now + endless,
	};
}

static struct dp_selector *copy_selectors(const struct dp_policy *policy)
{
	struct dp_selector *copy = reallocarray(NULL, policy->n_selectors + 1, sizeof(*copy));

	if (copy)
		memcpy(copy, policy->selectors, policy->n_selectors * sizeof(*copy));
	return copy;
}

static void keep_policy(void *arg, const struct dp_policy *policy)
{
	struct leftovers *l = arg;
	struct leftover_policy *v;
	struct dp_selector *copy;

	if (!is_leftover(l, policy->cookie))
		return;
	copy = copy_selectors(policy);
	v = reallocarray(l->policies, l->n_policies + 1, sizeof(*v));
	if (v)
		l->policies = v;
	if (!v || !copy) {
		l->no_memory = true;
		free(copy);
		return;
	}
	v[l->n_policies++] = (struct leftover_policy){
		.id = policy->id, .direction = policy->direction, .if_id = policy->if_id,
		.mark = policy->mark, .mark_mask = policy->mark_mask,
		.priority = policy->priority, .sa_id = policy->sa_id, .cookie = policy->cookie,
		.selectors = copy, .n_selectors = policy->n_selectors,
	};
}

static bool has_policy(const struct leftovers *l, uint64_t cookie)
{
	size_t i;

	for (i = 0; i < l->n_policies; i++)
		if (l->policies[i].cookie == cookie)
			return true;
	return false;
}

/* SAs in the middle of a rekey belong to no policy any more, so that nothing would replace them. */
static void doom_orphans(struct leftovers *l)
{
	size_t i;

	for (i = 0; i < l->n_sas; i++)
		if (!has_policy(l, l->sas[i].cookie))
			l->sas[i].remove_at = l->now + in_flight;
}

int leftovers_find(struct leftovers *l, struct dp *dp, uint32_t boot, ike_time now)
{
	int err;

	*l = (struct leftovers){ .dp = dp, .boot = boot, .now = now };
	err = dp_sa_dump(dp, begin_sas, keep_sa, l);
	if (!err)
		err = dp_policy_dump(dp, begin_policies, keep_policy, l);
	if (!err && l->no_memory)
		err = -ENOMEM;
	if (err)
		return err;
	doom_orphans(l);
	if (leftovers_any(l))
		log_info("an earlier esplaned left %zu SAs and %zu policies: they carry traffic "
			 "until replaced",
			 l->n_sas, l->n_policies);
	return 0;
}

bool leftovers_any(const struct leftovers *l)
{
	return l->n_sas || l->n_policies;
}

static struct leftover_sa *find_sa(const struct leftovers *l, uint32_t id)
{
	size_t i;

	for (i = 0; i < l->n_sas; i++)
		if (l->sas[i].id == id)
			return &l->sas[i];
	return NULL;
}

static void forget_policy(struct leftovers *l, struct leftover_policy *p)
{
	free(p->selectors);
	*p = l->policies[--l->n_policies];
}

static void remove_policy(struct leftovers *l, struct leftover_policy *p)
{
	int err = p->taken ? 0 : dp_policy_del(l->dp, p->id);

	if (err && err != -ENOENT)
		log_info("leftover policy %u: %s", p->id, dp_why(l->dp));
	forget_policy(l, p);
}

static void remove_sa(struct leftovers *l, struct leftover_sa *sa)
{
	int err = dp_sa_del(l->dp, sa->id);

	if (err && err != -ENOENT)
		log_info("leftover SA %u: %s", sa->id, dp_why(l->dp));
	*sa = l->sas[--l->n_sas];
}

static bool same_packets(const struct leftover_policy *p, const struct dp_policy *policy)
{
	return p->direction == policy->direction && p->if_id == policy->if_id &&
	       p->mark == policy->mark && p->mark_mask == policy->mark_mask;
}

static bool same_place(const struct leftover_policy *p, const struct dp_policy *policy)
{
	return same_packets(p, policy) &&
	       mapping_same_selectors(p->selectors, p->n_selectors, policy->selectors,
				      policy->n_selectors);
}

void leftovers_inherit(struct leftovers *l, struct dp_policy *policy)
{
	const struct leftover_policy *p;

	for (p = l->policies; p < l->policies + l->n_policies; p++) {
		if (p->taken || !same_place(p, policy))
			continue;
		policy->id = p->id;
		if (policy->action == ESPLANE_ACTION_PROTECT &&
		    policy->direction == ESPLANE_DIRECTION_OUT && !policy->sa_id &&
		    find_sa(l, p->sa_id))
			policy->sa_id = p->sa_id;
		return;
	}
}

/* The CHILD_SA of this cookie is replaced: its SAs go. */
static void supersede(struct leftovers *l, uint64_t cookie, ike_time now)
{
	size_t i, n = 0;

	for (i = l->n_sas; i-- > 0;) {
		if (l->sas[i].cookie != cookie)
			continue;
		n++;
		if (l->sas[i].inbound)
			l->sas[i].remove_at = now + in_flight;
		else
			remove_sa(l, &l->sas[i]);
	}
	if (n)
		log_info("%zu leftover SAs are replaced", n);
}

/* The older of two policies of the same priority wins, and leftovers are older. */
static bool shadows(const struct leftover_policy *p, const struct dp_policy *policy)
{
	return !p->taken && same_packets(p, policy) && p->priority == policy->priority &&
	       mapping_overlap(p->selectors, p->n_selectors, policy->selectors,
			       policy->n_selectors);
}

/* Returns false if @p stays on the list. */
static bool settle_one(struct leftovers *l, struct leftover_policy *p,
		       const struct dp_policy *policy, ike_time now)
{
	bool new_sa = policy->sa_id && !find_sa(l, policy->sa_id);
	uint64_t cookie = p->cookie;

	if (p->id == policy->id)
		p->taken = true;
	if (!(new_sa && same_place(p, policy)) && !shadows(p, policy))
		return false;
	if (!p->taken)
		log_info("leftover policy %u would shadow a new one and is removed", p->id);
	remove_policy(l, p);
	supersede(l, cookie, now);
	return true;
}

void leftovers_settle(struct leftovers *l, const struct dp_policy *policy, ike_time now)
{
	size_t i = 0;

	while (i < l->n_policies)
		i = settle_one(l, &l->policies[i], policy, now) ? 0 : i + 1;
}

static bool has_sa(const struct leftovers *l, uint64_t cookie)
{
	size_t i;

	for (i = 0; i < l->n_sas; i++)
		if (l->sas[i].cookie == cookie)
			return true;
	return false;
}

/* Policies without an SA would only swallow what they cover. */
static void remove_bare_policies(struct leftovers *l)
{
	size_t i;

	for (i = l->n_policies; i-- > 0;)
		if (!has_sa(l, l->policies[i].cookie))
			remove_policy(l, &l->policies[i]);
}

bool leftovers_gone(struct leftovers *l, uint32_t sa_id)
{
	struct leftover_sa *sa = find_sa(l, sa_id);

	if (!sa)
		return false;
	*sa = l->sas[--l->n_sas];
	remove_bare_policies(l);
	return true;
}

void leftovers_look_begin(struct leftovers *l)
{
	size_t i;

	for (i = 0; i < l->n_sas; i++)
		l->sas[i].seen = false;
}

void leftovers_look_at(struct leftovers *l, uint32_t sa_id)
{
	struct leftover_sa *sa = find_sa(l, sa_id);

	if (sa)
		sa->seen = true;
}

void leftovers_look_end(struct leftovers *l)
{
	size_t i;

	for (i = l->n_sas; i-- > 0;)
		if (!l->sas[i].seen)
			l->sas[i] = l->sas[--l->n_sas];
	remove_bare_policies(l);
}

ike_time leftovers_tick(struct leftovers *l, ike_time now)
{
	ike_time next = UINT64_MAX;
	size_t i;

	for (i = l->n_sas; i-- > 0;)
		if (l->sas[i].remove_at <= now)
			remove_sa(l, &l->sas[i]);
	for (i = 0; i < l->n_sas; i++)
		if (l->sas[i].remove_at < next)
			next = l->sas[i].remove_at;
	if (l->n_policies)
		remove_bare_policies(l);
	return next;
}

void leftovers_clear(struct leftovers *l)
{
	while (l->n_policies)
		remove_policy(l, &l->policies[l->n_policies - 1]);
	while (l->n_sas)
		remove_sa(l, &l->sas[l->n_sas - 1]);
}

void leftovers_free(struct leftovers *l)
{
	free_policies(l);
	free(l->sas);
	l->sas = NULL;
	l->n_sas = 0;
}
