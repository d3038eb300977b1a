// SPDX-License-Identifier: GPL-2.0
/* Operations on SAs: sa-new, sa-get, sa-keys-get, sa-update, sa-del, sa-flush. */
#include <crypto/aead.h>
#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/string.h>
#include <net/ipv6.h>

#include "encap.h"
#include "esp.h"
#include "key_export.h"
#include "lifetime.h"
#include "net.h"
#include "netdev.h"
#include "netlink.h"
#include "netlink_put.h"
#include "netlink_gen.h"
#include "pmtu.h"
#include "sa.h"
#include "sad.h"
#include "stats.h"
#include "transform.h"
#include "transport.h"

enum {
	DEFAULT_REPLAY_WINDOW = 1024,	/* packets */
	REPLAY_WINDOW_STEP = 64,
};

#define ONE_WAY_FLAGS_IN	ESPLANE_SA_FLAG_NO_REPLAY_CHECK
#define ONE_WAY_FLAGS_OUT	ESPLANE_SA_FLAG_COPY_DSCP

/* What sa-new asks for, checked. */
struct sa_request {
	struct esplane_outer outer;	/* addresses and ports only */
	struct esplane_limits limits;
	const struct nlattr *key;
	u64 seq, cookie;
	__be32 spi;
	u32 encr, integ, flags, replay_window, if_id;
	u8 direction, mode;
	int n_selectors;
};

static u32 get_u32(const struct nlattr *attr, u32 otherwise)
{
	return attr ? nla_get_u32(attr) : otherwise;
}

static u64 get_u64(const struct nlattr *attr)
{
	return attr ? nla_get_u64(attr) : 0;
}

static int refuse(const struct genl_info *info, int attr, const char *why)
{
	info->extack->bad_attr = info->attrs[attr];
	info->extack->_msg = why;
	return -EINVAL;
}

static bool lacks_scope(const struct esplane_addr *addr, u32 ifindex)
{
	return addr->family == AF_INET6 && !ifindex &&
	       __ipv6_addr_needs_scope_id(ipv6_addr_type(&addr->ip.in6));
}

/*
 * The packet arrives on the interface that decrypted ones arrive on, which is not in the scope of a
 * link-local address.
 */
static int check_transport(const struct genl_info *info, u8 mode, u32 if_id,
			   const struct esplane_outer *outer)
{
	if (mode != ESPLANE_MODE_TRANSPORT)
		return 0;
	if (if_id)
		return refuse(info, ESPLANE_A_SA_IF_ID,
			      "if-id: transport mode works by policy, without an interface");
	if (lacks_scope(&outer->src, 0) || lacks_scope(&outer->dst, 0))
		return refuse(info, ESPLANE_A_SA_MODE,
			      "mode: not transport between link-local addresses");
	return 0;
}

/* By which way outer packets leave, beside their addresses. */
static int get_way(const struct genl_info *info, struct esplane_outer *outer)
{
	if (info->attrs[ESPLANE_A_SA_IFINDEX])
		outer->ifindex = nla_get_u32(info->attrs[ESPLANE_A_SA_IFINDEX]);
	if (info->attrs[ESPLANE_A_SA_OUTPUT_MARK])
		outer->mark = nla_get_u32(info->attrs[ESPLANE_A_SA_OUTPUT_MARK]);
	if (lacks_scope(&outer->src, outer->ifindex))
		return refuse(info, ESPLANE_A_SA_SRC, "src: a link-local address needs ifindex");
	if (lacks_scope(&outer->dst, outer->ifindex))
		return refuse(info, ESPLANE_A_SA_DST, "dst: a link-local address needs ifindex");
	return 0;
}

/* Leaves @outer as it is where the request says nothing. */
static int get_outer(const struct genl_info *info, struct esplane_outer *outer)
{
	struct nlattr **attrs = info->attrs;
	int err = 0;

	if (attrs[ESPLANE_A_SA_SRC])
		err = esplane_nl_get_addr(attrs[ESPLANE_A_SA_SRC], &outer->src, info->extack);
	if (!err && attrs[ESPLANE_A_SA_DST])
		err = esplane_nl_get_addr(attrs[ESPLANE_A_SA_DST], &outer->dst, info->extack);
	if (err)
		return err;
	if (outer->src.family != outer->dst.family)
		return refuse(info, ESPLANE_A_SA_DST, "dst: not of the address family of src");
	if (attrs[ESPLANE_A_SA_ENCAP_SPORT])
		outer->sport = htons(nla_get_u32(attrs[ESPLANE_A_SA_ENCAP_SPORT]));
	if (attrs[ESPLANE_A_SA_ENCAP_DPORT])
		outer->dport = htons(nla_get_u32(attrs[ESPLANE_A_SA_ENCAP_DPORT]));
	if (!outer->sport != !outer->dport)
		return refuse(info, outer->sport ? ESPLANE_A_SA_ENCAP_SPORT :
						   ESPLANE_A_SA_ENCAP_DPORT,
			      "encap-sport, encap-dport: one without the other");
	return get_way(info, outer);
}

static int get_limits(const struct genl_info *info, struct esplane_limits *l)
{
	struct nlattr **attrs = info->attrs;

	l->soft_bytes = get_u64(attrs[ESPLANE_A_SA_SOFT_BYTES]);
	l->hard_bytes = get_u64(attrs[ESPLANE_A_SA_HARD_BYTES]);
	l->soft_packets = get_u64(attrs[ESPLANE_A_SA_SOFT_PACKETS]);
	l->hard_packets = get_u64(attrs[ESPLANE_A_SA_HARD_PACKETS]);
	l->soft_seconds = get_u64(attrs[ESPLANE_A_SA_SOFT_SECONDS]);
	l->hard_seconds = get_u64(attrs[ESPLANE_A_SA_HARD_SECONDS]);
	l->soft_use_seconds = get_u64(attrs[ESPLANE_A_SA_SOFT_USE_SECONDS]);
	l->hard_use_seconds = get_u64(attrs[ESPLANE_A_SA_HARD_USE_SECONDS]);
	if (l->hard_bytes && l->soft_bytes > l->hard_bytes)
		return refuse(info, ESPLANE_A_SA_SOFT_BYTES, "soft-bytes: above hard-bytes");
	if (l->hard_packets && l->soft_packets > l->hard_packets)
		return refuse(info, ESPLANE_A_SA_SOFT_PACKETS, "soft-packets: above hard-packets");
	if (l->hard_seconds && l->soft_seconds > l->hard_seconds)
		return refuse(info, ESPLANE_A_SA_SOFT_SECONDS, "soft-seconds: above hard-seconds");
	if (l->hard_use_seconds && l->soft_use_seconds > l->hard_use_seconds)
		return refuse(info, ESPLANE_A_SA_SOFT_USE_SECONDS,
			      "soft-use-seconds: above hard-use-seconds");
	return 0;
}

static int get_sequence(const struct genl_info *info, struct sa_request *r)
{
	u32 otherwise = r->direction == ESPLANE_DIRECTION_IN ? DEFAULT_REPLAY_WINDOW :
							       ESPLANE_MIN_REPLAY_WINDOW;
	bool esn = r->flags & ESPLANE_SA_FLAG_ESN;

	r->seq = get_u64(info->attrs[ESPLANE_A_SA_SEQ]);
	if (!esn && r->seq > U32_MAX)
		return refuse(info, ESPLANE_A_SA_SEQ, "seq: beyond 32 bits without the esn flag");
	if (r->seq > esplane_sequence_end(esn))
		return refuse(info, ESPLANE_A_SA_SEQ, "seq: no numbers are left after it");
	r->replay_window = get_u32(info->attrs[ESPLANE_A_SA_REPLAY_WINDOW], otherwise);
	if (r->direction == ESPLANE_DIRECTION_OUT && info->attrs[ESPLANE_A_SA_REPLAY_WINDOW])
		return refuse(info, ESPLANE_A_SA_REPLAY_WINDOW,
			      "replay-window: for inbound SAs only");
	if (r->replay_window < ESPLANE_MIN_REPLAY_WINDOW ||
	    r->replay_window > ESPLANE_MAX_REPLAY_WINDOW)
		return refuse(info, ESPLANE_A_SA_REPLAY_WINDOW,
			      "replay-window: not from 64 to 4096");
	BUILD_BUG_ON(ESPLANE_MIN_REPLAY_WINDOW != 64 || ESPLANE_MAX_REPLAY_WINDOW != 4096);
	r->replay_window = ALIGN(r->replay_window, REPLAY_WINDOW_STEP);
	return 0;
}

static int get_flags(const struct genl_info *info, struct sa_request *r)
{
	r->flags = get_u32(info->attrs[ESPLANE_A_SA_FLAGS], 0);
	if (r->direction == ESPLANE_DIRECTION_OUT && r->flags & ONE_WAY_FLAGS_IN)
		return refuse(info, ESPLANE_A_SA_FLAGS,
			      "flags: no-replay-check is for inbound SAs");
	if (r->direction == ESPLANE_DIRECTION_IN && r->flags & ONE_WAY_FLAGS_OUT)
		return refuse(info, ESPLANE_A_SA_FLAGS, "flags: copy-dscp is for outbound SAs");
	return 0;
}

static int get_transform(const struct genl_info *info, struct sa_request *r)
{
	r->encr = nla_get_u32(info->attrs[ESPLANE_A_SA_ENCR]);
	r->integ = get_u32(info->attrs[ESPLANE_A_SA_INTEG], 0);
	r->key = info->attrs[ESPLANE_A_SA_KEYMAT];
	if (esplane_transform_find(r->encr, r->integ))
		return 0;
	if (!esplane_transform_knows(r->encr))
		return refuse(info, ESPLANE_A_SA_ENCR, "encr: unknown transform");
	if (!r->integ)
		return refuse(info, ESPLANE_A_SA_ENCR,
			      "encr: has no integrity of its own, and no integ is given");
	if (esplane_transform_find(r->encr, 0))
		return refuse(info, ESPLANE_A_SA_INTEG,
			      "integ: the encryption transform has integrity of its own");
	return refuse(info, ESPLANE_A_SA_INTEG, "integ: unknown transform");
}

static int get_identity(struct genl_info *info, struct sa_request *r)
{
	struct nlattr **attrs = info->attrs;

	if (esplane_nl_missing(info, ESPLANE_A_SA_DIRECTION, "direction") ||
	    esplane_nl_missing(info, ESPLANE_A_SA_SPI, "spi") ||
	    esplane_nl_missing(info, ESPLANE_A_SA_SRC, "src") ||
	    esplane_nl_missing(info, ESPLANE_A_SA_DST, "dst") ||
	    esplane_nl_missing(info, ESPLANE_A_SA_ENCR, "encr") ||
	    esplane_nl_missing(info, ESPLANE_A_SA_KEYMAT, "keymat"))
		return -EINVAL;
	r->direction = nla_get_u32(attrs[ESPLANE_A_SA_DIRECTION]);
	r->mode = get_u32(attrs[ESPLANE_A_SA_MODE], ESPLANE_MODE_TUNNEL);
	r->spi = nla_get_be32(attrs[ESPLANE_A_SA_SPI]);
	r->if_id = get_u32(attrs[ESPLANE_A_SA_IF_ID], 0);
	r->cookie = get_u64(attrs[ESPLANE_A_SA_COOKIE]);
	if (be32_to_cpu(r->spi) < ESPLANE_ESP_MIN_SPI)
		return refuse(info, ESPLANE_A_SA_SPI,
			      "spi: below 256 they are reserved (RFC 4303 section 2.1)");
	return get_transform(info, r);
}

static int get_request(struct genl_info *info, struct sa_request *r)
{
	int err;

	memset(r, 0, sizeof(*r));
	err = get_identity(info, r) ?:
	      get_flags(info, r) ?:
	      get_outer(info, &r->outer) ?:
	      get_sequence(info, r) ?:
	      get_limits(info, &r->limits);
	if (err)
		return err;
	r->n_selectors = esplane_nl_count_selectors(info, ESPLANE_A_SA_SELECTOR);
	if (r->n_selectors < 0)
		return r->n_selectors;
	if (r->n_selectors && r->direction == ESPLANE_DIRECTION_OUT)
		return refuse(info, ESPLANE_A_SA_SELECTOR,
			      "selector: for inbound SAs; outbound the policy has them");
	return 0;
}

static int fill_sa(struct genl_info *info, const struct sa_request *r, struct esplane_sa *sa)
{
	struct esplane_outer *outer;
	int err;

	sa->direction = r->direction;
	sa->mode = r->mode;
	sa->spi = r->spi;
	sa->flags = r->flags;
	sa->if_id = r->if_id;
	sa->cookie = r->cookie;
	sa->limits = r->limits;
	atomic64_set(&sa->seq, r->seq);
	esplane_replay_init(&sa->replay, sa->replay.bits, r->replay_window, r->seq,
			    r->flags & ESPLANE_SA_FLAG_ESN,
			    r->flags & ESPLANE_SA_FLAG_NO_REPLAY_CHECK);
	err = esplane_nl_get_selectors(info, ESPLANE_A_SA_SELECTOR, sa->selectors);
	if (err)
		return err;
	outer = esplane_outer_alloc(&r->outer);
	if (!outer) {
		NL_SET_ERR_MSG(info->extack, "no memory for the SA");
		return -ENOMEM;
	}
	RCU_INIT_POINTER(sa->outer, outer);
	err = esplane_transform_setup(sa, r->encr, r->integ, nla_data(r->key),
				      nla_len(r->key), info->extack);
	if (err) {
		info->extack->bad_attr = r->key;
		return err;
	}
	return esplane_key_export_keep(sa, nla_data(r->key), nla_len(r->key), info->extack);
}

/* What the addresses of an SA need in the namespace. */
static int prepare_path(struct genl_info *info, struct esplane_net *en,
			const struct esplane_sa *sa, const struct esplane_outer *outer)
{
	int err = check_transport(info, sa->mode, sa->if_id, outer);

	if (err)
		return err;
	if (sa->direction == ESPLANE_DIRECTION_IN)
		return outer->dst.family == AF_INET6 ?
		       esplane_encap_reassemble(en, info->extack) : 0;
	if (sa->mode == ESPLANE_MODE_TRANSPORT)
		return esplane_transport_prepare(en, outer->dst.family, info->extack);
	return 0;
}

static int publish(struct genl_info *info, struct esplane_net *en, struct esplane_sa *sa, u32 *id)
{
	const struct esplane_outer *outer;
	int err;

	/* Policy mode delivers there; needs rtnl, so not under the lock. */
	if (!sa->if_id) {
		err = esplane_netdev_default(en);
		if (err) {
			NL_SET_ERR_MSG(info->extack, "cannot make the interface for plaintext");
			return err;
		}
	}
	mutex_lock(&en->lock);
	outer = rcu_dereference_protected(sa->outer, lockdep_is_held(&en->lock));
	err = prepare_path(info, en, sa, outer) ?:
	      esplane_sad_add(en, sa, info->extack);
	*id = sa->id;
	mutex_unlock(&en->lock);
	return err;
}

static int sa_new(struct genl_info *info, u32 *id)
{
	struct esplane_net *en = esplane_nl_net(info);
	struct sa_request r;
	struct esplane_sa *sa;
	int err;

	err = get_request(info, &r);
	if (err)
		return err;
	sa = esplane_sa_alloc(en, r.n_selectors, r.replay_window);
	if (!sa) {
		NL_SET_ERR_MSG(info->extack, "no memory for the SA");
		return -ENOMEM;
	}
	err = fill_sa(info, &r, sa) ?: publish(info, en, sa, id);
	if (err)
		esplane_sa_put(sa);
	return err;
}

/* The message stays in memory until its buffer is used again. */
static void forget_keys(const struct genl_info *info)
{
	struct nlattr *attr;
	int rem;

	nlmsg_for_each_attr(attr, info->nlhdr, GENL_HDRLEN, rem)
		if (nla_type(attr) == ESPLANE_A_SA_KEYMAT)
			memzero_explicit(nla_data(attr), nla_len(attr));
}

int esplane_nl_sa_new_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct sk_buff *reply;
	void *header;
	int err = -ENOMEM;
	u32 id;

	reply = esplane_nl_reply(info, ESPLANE_NL_SHORT_SIZE, &header);
	if (reply)
		err = sa_new(info, &id);
	forget_keys(info);
	if (err || esplane_put_u32(reply, ESPLANE_A_SA_ID, id)) {
		nlmsg_free(reply);
		return err ?: -EMSGSIZE;
	}
	return esplane_nl_send(info, reply, header);
}

static int put_u64(struct sk_buff *skb, int attr, u64 value)
{
	return esplane_put_u64(skb, attr, value, ESPLANE_A_SA_PAD);
}

static int put_path(struct sk_buff *skb, const struct esplane_outer *outer)
{
	u32 mtu = esplane_pmtu_path(outer, U32_MAX);

	return mtu == U32_MAX ? 0 : esplane_put_u32(skb, ESPLANE_A_SA_PATH_MTU, mtu);
}

static int put_outer(struct sk_buff *skb, const struct esplane_sa *sa)
{
	const struct esplane_outer *outer;

	outer = rcu_dereference_protected(sa->outer, lockdep_is_held(&sa->en->lock));
	if (esplane_nl_put_addr(skb, ESPLANE_A_SA_SRC, outer->src.family, &outer->src.ip) ||
	    esplane_nl_put_addr(skb, ESPLANE_A_SA_DST, outer->dst.family, &outer->dst.ip) ||
	    (outer->ifindex && esplane_put_u32(skb, ESPLANE_A_SA_IFINDEX, outer->ifindex)) ||
	    (outer->mark && esplane_put_u32(skb, ESPLANE_A_SA_OUTPUT_MARK, outer->mark)) ||
	    put_path(skb, outer))
		return -EMSGSIZE;
	if (!esplane_outer_is_udp(outer))
		return 0;
	return esplane_put_u32(skb, ESPLANE_A_SA_ENCAP_SPORT, ntohs(outer->sport)) ?:
	       esplane_put_u32(skb, ESPLANE_A_SA_ENCAP_DPORT, ntohs(outer->dport));
}

static int put_limits(struct sk_buff *skb, const struct esplane_limits *l)
{
	const struct {
		int attr;
		u64 value;
	} limits[] = {
		{ ESPLANE_A_SA_SOFT_BYTES, l->soft_bytes },
		{ ESPLANE_A_SA_HARD_BYTES, l->hard_bytes },
		{ ESPLANE_A_SA_SOFT_PACKETS, l->soft_packets },
		{ ESPLANE_A_SA_HARD_PACKETS, l->hard_packets },
		{ ESPLANE_A_SA_SOFT_SECONDS, l->soft_seconds },
		{ ESPLANE_A_SA_HARD_SECONDS, l->hard_seconds },
		{ ESPLANE_A_SA_SOFT_USE_SECONDS, l->soft_use_seconds },
		{ ESPLANE_A_SA_HARD_USE_SECONDS, l->hard_use_seconds },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(limits); i++)
		if (limits[i].value && put_u64(skb, limits[i].attr, limits[i].value))
			return -EMSGSIZE;
	return 0;
}

static int put_usage(struct sk_buff *skb, const struct esplane_sa *sa)
{
	time64_t now = ktime_get_seconds(), used = READ_ONCE(sa->last_used);
	u64 drops[ESPLANE_DROP_COUNT];

	if (put_u64(skb, ESPLANE_A_SA_BYTES, atomic64_read(&sa->usage.bytes)) ||
	    put_u64(skb, ESPLANE_A_SA_PACKETS, atomic64_read(&sa->usage.packets)) ||
	    put_u64(skb, ESPLANE_A_SA_AGE, div_u64(esplane_lifetime_age(sa), HZ)) ||
	    (used && put_u64(skb, ESPLANE_A_SA_IDLE, max_t(s64, now - used, 0))))
		return -EMSGSIZE;
	if (!esplane_stats_of_sa(sa, drops))
		return 0;
	return esplane_nl_put_drops(skb, ESPLANE_A_SA_DROP, drops, false);
}

static int put_integ(struct sk_buff *skb, const struct esplane_transform *t)
{
	return t->integ ? esplane_put_u32(skb, ESPLANE_A_SA_INTEG, t->integ) : 0;
}

static int put_identity(struct sk_buff *skb, const struct esplane_sa *sa)
{
	const struct crypto_tfm *tfm = crypto_aead_tfm(sa->aead);

	return esplane_put_u32(skb, ESPLANE_A_SA_ID, sa->id) ?:
	       esplane_put_u32(skb, ESPLANE_A_SA_DIRECTION, sa->direction) ?:
	       esplane_put_be32(skb, ESPLANE_A_SA_SPI, sa->spi) ?:
	       esplane_put_u32(skb, ESPLANE_A_SA_MODE, sa->mode) ?:
	       esplane_put_u32(skb, ESPLANE_A_SA_ENCR, sa->transform->encr) ?:
	       put_integ(skb, sa->transform) ?:
	       esplane_put_u32(skb, ESPLANE_A_SA_KEY_LEN, sa->key_bits) ?:
	       esplane_put_u32(skb, ESPLANE_A_SA_FLAGS, sa->flags) ?:
	       esplane_put_u32(skb, ESPLANE_A_SA_IF_ID, sa->if_id) ?:
	       put_u64(skb, ESPLANE_A_SA_COOKIE, sa->cookie) ?:
	       nla_put_string(skb, ESPLANE_A_SA_DRIVER,
			      crypto_tfm_alg_driver_name((struct crypto_tfm *)tfm));
}

static int put_replay(struct sk_buff *skb, struct esplane_sa *sa)
{
	struct esplane_replay *r = &sa->replay;
	u32 missing, deepest;
	u64 seq, late, elsewhere;

	spin_lock_bh(&r->lock);
	seq = r->top;
	missing = esplane_replay_missing(r);
	late = r->late;
	deepest = r->deepest;
	spin_unlock_bh(&r->lock);
	rcu_read_lock();
	elsewhere = esplane_parallel_count(sa);
	rcu_read_unlock();
	return put_u64(skb, ESPLANE_A_SA_SEQ, seq) ?:
	       esplane_put_u32(skb, ESPLANE_A_SA_REPLAY_WINDOW, r->window) ?:
	       esplane_put_u32(skb, ESPLANE_A_SA_REPLAY_MISSING, missing) ?:
	       put_u64(skb, ESPLANE_A_SA_REPLAY_LATE, late) ?:
	       esplane_put_u32(skb, ESPLANE_A_SA_REPLAY_DEEPEST, deepest) ?:
	       put_u64(skb, ESPLANE_A_SA_TRAINS_ELSEWHERE, elsewhere);
}

static int put_sequence(struct sk_buff *skb, struct esplane_sa *sa)
{
	if (sa->direction == ESPLANE_DIRECTION_IN)
		return put_replay(skb, sa);
	return put_u64(skb, ESPLANE_A_SA_SEQ, esplane_sa_sequence(sa));
}

/* Caller holds esplane_net::lock. */
static int put_sa(struct sk_buff *skb, struct esplane_sa *sa)
{
	unsigned int i;
	int err;

	err = put_identity(skb, sa) ?:
	      put_sequence(skb, sa) ?:
	      put_outer(skb, sa) ?:
	      put_limits(skb, &sa->limits);
	for (i = 0; !err && i < sa->n_selectors; i++)
		err = esplane_nl_put_selector(skb, ESPLANE_A_SA_SELECTOR, &sa->selectors[i]);
	return err ?: put_usage(skb, sa);
}

/* The SA that the request names. Caller holds the lock. */
static struct esplane_sa *find_sa(struct genl_info *info, struct esplane_net *en)
{
	struct esplane_sa *sa;

	if (esplane_nl_missing(info, ESPLANE_A_SA_ID, "id"))
		return ERR_PTR(-EINVAL);
	sa = esplane_sad_lookup_id(en, nla_get_u32(info->attrs[ESPLANE_A_SA_ID]));
	if (sa)
		return sa;
	NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[ESPLANE_A_SA_ID], "id: no such SA");
	return ERR_PTR(-ENOENT);
}

/* What sa-keys-get tells: all that is needed to find the SA's packets and to decrypt them. */
static int put_keys(struct sk_buff *skb, struct esplane_sa *sa)
{
	return put_identity(skb, sa) ?:
	       put_outer(skb, sa) ?:
	       esplane_key_export_put(skb, sa);
}

static int reply_sa(struct genl_info *info, int (*put)(struct sk_buff *skb, struct esplane_sa *sa))
{
	struct esplane_net *en = esplane_nl_net(info);
	struct sk_buff *reply;
	struct esplane_sa *sa;
	void *header;
	int err;

	reply = esplane_nl_reply(info, ESPLANE_NL_REPLY_SIZE, &header);
	if (!reply)
		return -ENOMEM;
	mutex_lock(&en->lock);
	sa = find_sa(info, en);
	err = PTR_ERR_OR_ZERO(sa) ?: put(reply, sa);
	mutex_unlock(&en->lock);
	if (err) {
		nlmsg_free(reply);
		return err;
	}
	return esplane_nl_send(info, reply, header);
}

int esplane_nl_sa_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	return reply_sa(info, put_sa);
}

int esplane_nl_sa_keys_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	int err = esplane_key_export_allowed(skb, info->extack);

	return err ?: reply_sa(info, put_keys);
}

static int dump_sa(struct sk_buff *skb, struct netlink_callback *cb, struct esplane_sa *sa)
{
	void *header;

	header = genlmsg_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq,
			     &esplane_nl_family, NLM_F_MULTI, ESPLANE_CMD_SA_GET);
	if (!header)
		return -EMSGSIZE;
	genl_dump_check_consistent(cb, header);
	if (put_sa(skb, sa)) {
		genlmsg_cancel(skb, header);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, header);
	return 0;
}

int esplane_nl_sa_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct esplane_net *en = esplane_net(sock_net(skb->sk));
	unsigned long *next = (unsigned long *)&cb->args[0], id;
	struct esplane_sa *sa;
	int err = 0;

	mutex_lock(&en->lock);
	cb->seq = en->sad.generation;
	xa_for_each_start(&en->sad.by_id, id, sa, *next) {
		err = dump_sa(skb, cb, sa);
		if (err)
			break;
		*next = id + 1;
	}
	mutex_unlock(&en->lock);
	/* Without a single SA in it the message would seem to be the dump's end. */
	return skb->len ? skb->len : err;
}

static int sa_update(struct genl_info *info, struct esplane_net *en, struct esplane_sa *sa)
{
	struct esplane_outer *old, *outer;
	int err;

	old = rcu_dereference_protected(sa->outer, lockdep_is_held(&en->lock));
	outer = esplane_outer_alloc(old);
	if (!outer) {
		NL_SET_ERR_MSG(info->extack, "no memory for the new addresses");
		return -ENOMEM;
	}
	err = get_outer(info, outer) ?:
	      prepare_path(info, en, sa, outer) ?:
	      esplane_sad_move(en, sa, outer, info->extack);
	if (err)
		esplane_outer_free(outer);
	return err;
}

int esplane_nl_sa_update_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct esplane_net *en = esplane_nl_net(info);
	struct esplane_sa *sa;
	int err;

	mutex_lock(&en->lock);
	sa = find_sa(info, en);
	err = PTR_ERR_OR_ZERO(sa) ?: sa_update(info, en, sa);
	mutex_unlock(&en->lock);
	if (!err)
		esplane_netdev_fit_mtu(en, nla_get_u32(info->attrs[ESPLANE_A_SA_ID]));
	return err;
}

int esplane_nl_sa_del_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct esplane_net *en = esplane_nl_net(info);
	struct esplane_sa *sa;

	mutex_lock(&en->lock);
	sa = find_sa(info, en);
	if (!IS_ERR(sa))
		esplane_sad_remove(en, sa);
	mutex_unlock(&en->lock);
	return PTR_ERR_OR_ZERO(sa);
}

int esplane_nl_sa_flush_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct esplane_net *en = esplane_nl_net(info);

	mutex_lock(&en->lock);
	esplane_sad_flush(en);
	mutex_unlock(&en->lock);
	return 0;
}
