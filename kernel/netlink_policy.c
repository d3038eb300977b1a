// SPDX-License-Identifier: GPL-2.0
/*
 * Operations on policies: policy-set, policy-get, policy-del, policy-flush; spd-set and spd-get of
 * what happens without one.
 */
#include <linux/string.h>
#include <net/sock.h>

#include "expiry.h"
#include "flowtable.h"
#include "net.h"
#include "netdev.h"
#include "netlink.h"
#include "netlink_put.h"
#include "netlink_gen.h"
#include "policy.h"
#include "sa.h"
#include "sad.h"
#include "spd.h"

static int refuse(const struct genl_info *info, int attr, const char *why)
{
	info->extack->bad_attr = info->attrs[attr];
	info->extack->_msg = why;
	return -EINVAL;
}

/* The policy that the request names. Caller holds the lock. */
static struct esplane_policy *find_policy(struct genl_info *info, struct esplane_net *en)
{
	struct esplane_policy *policy;

	if (esplane_nl_missing(info, ESPLANE_A_POLICY_ID, "id"))
		return ERR_PTR(-EINVAL);
	policy = esplane_spd_lookup_id(en, nla_get_u32(info->attrs[ESPLANE_A_POLICY_ID]));
	if (policy)
		return policy;
	NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[ESPLANE_A_POLICY_ID],
			    "id: no such policy");
	return ERR_PTR(-ENOENT);
}

static int get_mark(const struct genl_info *info, struct esplane_policy *policy)
{
	struct nlattr **attrs = info->attrs;

	if (attrs[ESPLANE_A_POLICY_MARK]) {
		policy->mark = nla_get_u32(attrs[ESPLANE_A_POLICY_MARK]);
		policy->mark_mask = U32_MAX;
	}
	if (attrs[ESPLANE_A_POLICY_MARK_MASK])
		policy->mark_mask = nla_get_u32(attrs[ESPLANE_A_POLICY_MARK_MASK]);
	if (policy->mark & ~policy->mark_mask)
		return refuse(info, ESPLANE_A_POLICY_MARK, "mark: has bits that mark-mask has not");
	return 0;
}

/* What the request does not say is 0, in a new policy and in one that replaces another. */
static int get_fields(const struct genl_info *info, struct esplane_policy *policy)
{
	struct nlattr **attrs = info->attrs;

	policy->direction = nla_get_u32(attrs[ESPLANE_A_POLICY_DIRECTION]);
	policy->action = nla_get_u32(attrs[ESPLANE_A_POLICY_ACTION]);
	if (attrs[ESPLANE_A_POLICY_PRIORITY])
		policy->priority = nla_get_u32(attrs[ESPLANE_A_POLICY_PRIORITY]);
	if (attrs[ESPLANE_A_POLICY_IF_ID])
		policy->if_id = nla_get_u32(attrs[ESPLANE_A_POLICY_IF_ID]);
	if (attrs[ESPLANE_A_POLICY_COOKIE])
		policy->cookie = nla_get_u64(attrs[ESPLANE_A_POLICY_COOKIE]);
	if (attrs[ESPLANE_A_POLICY_HARD_SECONDS])
		esplane_expiry_set(policy, nla_get_u32(attrs[ESPLANE_A_POLICY_HARD_SECONDS]));
	return get_mark(info, policy);
}

static bool lacks_what_all_need(struct genl_info *info)
{
	return esplane_nl_missing(info, ESPLANE_A_POLICY_DIRECTION, "direction") ||
	       esplane_nl_missing(info, ESPLANE_A_POLICY_ACTION, "action") ||
	       esplane_nl_missing(info, ESPLANE_A_POLICY_SELECTOR, "selector");
}

/* The policy that the request describes, unpublished. */
static struct esplane_policy *build(struct genl_info *info)
{
	int n = esplane_nl_count_selectors(info, ESPLANE_A_POLICY_SELECTOR);
	struct esplane_policy *policy;
	int err;

	if (n < 0)
		return ERR_PTR(n);
	if (lacks_what_all_need(info))
		return ERR_PTR(-EINVAL);
	policy = esplane_policy_alloc(n);
	if (!policy) {
		NL_SET_ERR_MSG(info->extack, "no memory for the policy");
		return ERR_PTR(-ENOMEM);
	}
	err = get_fields(info, policy) ?:
	      esplane_nl_get_selectors(info, ESPLANE_A_POLICY_SELECTOR, policy->selectors);
	if (!err)
		return policy;
	esplane_policy_free(policy);
	return ERR_PTR(err);
}

static bool may_have_sa(const struct esplane_policy *policy)
{
	return policy->direction == ESPLANE_DIRECTION_OUT &&
	       policy->action == ESPLANE_ACTION_PROTECT;
}

static int check_sa(const struct genl_info *info, const struct esplane_policy *policy,
		    const struct esplane_sa *sa)
{
	if (sa->direction != ESPLANE_DIRECTION_OUT)
		return refuse(info, ESPLANE_A_POLICY_SA_ID, "sa-id: an inbound SA");
	if (sa->if_id != policy->if_id)
		return refuse(info, ESPLANE_A_POLICY_SA_ID,
			      "sa-id: that SA has another if-id than the policy");
	return 0;
}

/* The SA that @policy is to use from now on, in @sa, or NULL for none. */
static int get_sa(struct genl_info *info, struct esplane_net *en,
		  const struct esplane_policy *policy, struct esplane_sa **sa)
{
	const struct nlattr *attr = info->attrs[ESPLANE_A_POLICY_SA_ID];

	*sa = NULL;
	if (!attr || !nla_get_u32(attr))
		return 0;
	if (!may_have_sa(policy))
		return refuse(info, ESPLANE_A_POLICY_SA_ID,
			      "sa-id: only outbound protect policies have an SA");
	*sa = esplane_sad_lookup_id(en, nla_get_u32(attr));
	if (!*sa || esplane_sa_is_dead(*sa)) {
		refuse(info, ESPLANE_A_POLICY_SA_ID, "sa-id: no such SA");
		return -ENOENT;
	}
	return check_sa(info, policy, *sa);
}

/* Caller holds the lock. */
static int policy_set(struct genl_info *info, struct esplane_net *en, u32 *id)
{
	struct esplane_policy *old = NULL, *policy;
	struct esplane_sa *sa;
	int err;

	if (info->attrs[ESPLANE_A_POLICY_ID]) {
		old = find_policy(info, en);
		if (IS_ERR(old))
			return PTR_ERR(old);
		*id = old->id;
	}
	policy = build(info);
	if (IS_ERR(policy))
		return PTR_ERR(policy);
	err = get_sa(info, en, policy, &sa);
	if (!err && old)
		err = esplane_spd_replace(en, old, policy, sa, info->extack);
	else if (!err)
		err = esplane_spd_add(en, policy, sa, info->extack);
	if (err)
		esplane_policy_free(policy);
	else if (!old)
		*id = policy->id;
	return err;
}

int esplane_nl_policy_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct esplane_net *en = esplane_nl_net(info);
	struct sk_buff *reply;
	void *header;
	int err;
	u32 id;

	reply = esplane_nl_reply(info, ESPLANE_NL_SHORT_SIZE, &header);
	if (!reply)
		return -ENOMEM;
	mutex_lock(&en->lock);
	err = policy_set(info, en, &id);
	mutex_unlock(&en->lock);
	esplane_flowtable_purge(en);
	if (err || esplane_put_u32(reply, ESPLANE_A_POLICY_ID, id)) {
		nlmsg_free(reply);
		return err ?: -EMSGSIZE;
	}
	if (info->attrs[ESPLANE_A_POLICY_SA_ID])
		esplane_netdev_fit_mtu(en, nla_get_u32(info->attrs[ESPLANE_A_POLICY_SA_ID]));
	return esplane_nl_send(info, reply, header);
}

static int put_left(struct sk_buff *skb, const struct esplane_policy *policy)
{
	if (!policy->ends)
		return 0;
	return esplane_put_u32(skb, ESPLANE_A_POLICY_LEFT_SECONDS, esplane_expiry_left(policy));
}

static int put_mark(struct sk_buff *skb, const struct esplane_policy *policy)
{
	if (!policy->mark_mask)
		return 0;
	return esplane_put_u32(skb, ESPLANE_A_POLICY_MARK, policy->mark) ?:
	       esplane_put_u32(skb, ESPLANE_A_POLICY_MARK_MASK, policy->mark_mask);
}

/* Caller holds esplane_net::lock. */
static int put_policy(struct sk_buff *skb, const struct esplane_net *en,
		      const struct esplane_policy *policy)
{
	const struct esplane_sa *sa;
	unsigned int i;
	int err;

	sa = rcu_dereference_protected(policy->sa, lockdep_is_held(&en->lock));
	err = esplane_put_u32(skb, ESPLANE_A_POLICY_ID, policy->id) ?:
	      esplane_put_u32(skb, ESPLANE_A_POLICY_DIRECTION, policy->direction) ?:
	      esplane_put_u32(skb, ESPLANE_A_POLICY_ACTION, policy->action) ?:
	      esplane_put_u32(skb, ESPLANE_A_POLICY_PRIORITY, policy->priority) ?:
	      esplane_put_u32(skb, ESPLANE_A_POLICY_IF_ID, policy->if_id) ?:
	      (sa ? esplane_put_u32(skb, ESPLANE_A_POLICY_SA_ID, sa->id) : 0) ?:
	      esplane_put_u64(skb, ESPLANE_A_POLICY_COOKIE, policy->cookie,
			      ESPLANE_A_POLICY_PAD) ?:
	      esplane_put_u64(skb, ESPLANE_A_POLICY_PACKETS,
			      esplane_counter_sum(&policy->packets), ESPLANE_A_POLICY_PAD) ?:
	      put_mark(skb, policy) ?:
	      put_left(skb, policy);
	for (i = 0; !err && i < policy->n_selectors; i++)
		err = esplane_nl_put_selector(skb, ESPLANE_A_POLICY_SELECTOR,
					      &policy->selectors[i]);
	return err;
}

int esplane_nl_policy_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct esplane_net *en = esplane_nl_net(info);
	struct esplane_policy *policy;
	struct sk_buff *reply;
	void *header;
	int err;

	reply = esplane_nl_reply(info, ESPLANE_NL_REPLY_SIZE, &header);
	if (!reply)
		return -ENOMEM;
	mutex_lock(&en->lock);
	policy = find_policy(info, en);
	err = PTR_ERR_OR_ZERO(policy) ?: put_policy(reply, en, policy);
	mutex_unlock(&en->lock);
	if (err) {
		nlmsg_free(reply);
		return err;
	}
	return esplane_nl_send(info, reply, header);
}

static int dump_policy(struct sk_buff *skb, struct netlink_callback *cb,
		       const struct esplane_net *en, const struct esplane_policy *policy)
{
	void *header;

	header = genlmsg_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq,
			     &esplane_nl_family, NLM_F_MULTI, ESPLANE_CMD_POLICY_GET);
	if (!header)
		return -EMSGSIZE;
	genl_dump_check_consistent(cb, header);
	if (put_policy(skb, en, policy)) {
		genlmsg_cancel(skb, header);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, header);
	return 0;
}

int esplane_nl_policy_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct esplane_net *en = esplane_net(sock_net(skb->sk));
	unsigned long *next = (unsigned long *)&cb->args[0], id;
	struct esplane_policy *policy;
	int err = 0;

	mutex_lock(&en->lock);
	cb->seq = en->spd.generation;
	xa_for_each_start(&en->spd.by_id, id, policy, *next) {
		err = dump_policy(skb, cb, en, policy);
		if (err)
			break;
		*next = id + 1;
	}
	mutex_unlock(&en->lock);
	return skb->len ? skb->len : err;
}

int esplane_nl_policy_del_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct esplane_net *en = esplane_nl_net(info);
	struct esplane_policy *policy;

	mutex_lock(&en->lock);
	policy = find_policy(info, en);
	if (!IS_ERR(policy))
		esplane_spd_remove(en, policy);
	mutex_unlock(&en->lock);
	esplane_flowtable_purge(en);
	return PTR_ERR_OR_ZERO(policy);
}

int esplane_nl_policy_flush_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct esplane_net *en = esplane_nl_net(info);

	mutex_lock(&en->lock);
	esplane_spd_flush(en);
	mutex_unlock(&en->lock);
	esplane_flowtable_purge(en);
	return 0;
}

static bool may_be_default(const struct genl_info *info, int attr)
{
	return !info->attrs[attr] || nla_get_u32(info->attrs[attr]) != ESPLANE_ACTION_PROTECT;
}

static void set_default(const struct genl_info *info, struct esplane_net *en, int attr,
			u8 direction)
{
	if (info->attrs[attr])
		esplane_spd_set_default(en, direction, nla_get_u32(info->attrs[attr]));
}

int esplane_nl_spd_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct esplane_net *en = esplane_nl_net(info);

	if (!may_be_default(info, ESPLANE_A_SPD_DEFAULT_IN))
		return refuse(info, ESPLANE_A_SPD_DEFAULT_IN,
			      "default-in: protect needs a policy, the default is bypass or discard");
	if (!may_be_default(info, ESPLANE_A_SPD_DEFAULT_OUT))
		return refuse(info, ESPLANE_A_SPD_DEFAULT_OUT,
			      "default-out: protect needs a policy, the default is bypass or discard");
	mutex_lock(&en->lock);
	set_default(info, en, ESPLANE_A_SPD_DEFAULT_IN, ESPLANE_DIRECTION_IN);
	set_default(info, en, ESPLANE_A_SPD_DEFAULT_OUT, ESPLANE_DIRECTION_OUT);
	mutex_unlock(&en->lock);
	esplane_flowtable_purge(en);
	return 0;
}

int esplane_nl_spd_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	const struct esplane_net *en = esplane_nl_net(info);
	struct sk_buff *reply;
	void *header;

	reply = esplane_nl_reply(info, ESPLANE_NL_SHORT_SIZE, &header);
	if (!reply)
		return -ENOMEM;
	if (esplane_put_u32(reply, ESPLANE_A_SPD_DEFAULT_IN,
			    esplane_spd_default(en, ESPLANE_DIRECTION_IN)) ||
	    esplane_put_u32(reply, ESPLANE_A_SPD_DEFAULT_OUT,
			    esplane_spd_default(en, ESPLANE_DIRECTION_OUT))) {
		nlmsg_free(reply);
		return -EMSGSIZE;
	}
	return esplane_nl_send(info, reply, header);
}
