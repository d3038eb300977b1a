/* SPDX-License-Identifier: GPL-2.0 */
/* Conntrack's confirmation of packets that a netfilter hook of ours takes away. */
#ifndef _ESPLANE_CONFIRM_H
#define _ESPLANE_CONFIRM_H

#include <linux/netfilter.h>
#include <linux/rcupdate.h>
#include <net/netfilter/nf_conntrack.h>

#include "compat.h"

/*
 * Conntrack enters a new flow into its table by a hook behind ours. Without that, each packet that
 * we take would make a new entry and the flow would never be established. Returns an NF verdict.
 */
static inline unsigned int esplane_confirm(struct sk_buff *skb)
{
#if IS_ENABLED(CONFIG_NF_CONNTRACK) && defined(ESPLANE_HAVE_NF_CT_HOOK_CONFIRM)
	const struct nf_ct_hook *hook;
	enum ip_conntrack_info info;
	struct nf_conn *ct = nf_ct_get(skb, &info);

	if (!ct || nf_ct_is_confirmed(ct))
		return NF_ACCEPT;
	hook = rcu_dereference(nf_ct_hook);
	if (hook && hook->confirm)
		return hook->confirm(skb);
#endif
	return NF_ACCEPT;
}

#endif
