// SPDX-License-Identifier: GPL-2.0
/*
 * Counting what is dropped, and summing the counters up.
 *
 * Locking: the namespace's counters are per CPU and only ever incremented by their own CPU with BHs
 * off, as plain 64-bit stores. Readers add them up without a lock. An SA's are atomic: most SAs
 * never drop anything, and where there are many of them a set of counters for each CPU would be
 * most of their memory. So the first packet dropped brings them; if memory lacks then, it counts in
 * the namespace alone. They live as long as the SA.
 */
#include <linux/in.h>
#include <linux/in6.h>
#include <linux/percpu.h>
#include <linux/skbuff.h>
#include <linux/slab.h>

#include "net.h"
#include "sa.h"
#include "selector.h"
#include "stats.h"

#define CREATE_TRACE_POINTS
#include "trace.h"

struct reason_text {
	const char *name;
	const char *meaning;
};

static const struct reason_text texts[] = {
#define X(reason, text)			\
	[ESPLANE_DROP_##reason] = { #reason, text },
	ESPLANE_DROP_REASONS(X)
#undef X
};

const char *esplane_drop_name(enum esplane_drop_reason reason)
{
	return texts[reason].name;
}

const char *esplane_drop_meaning(enum esplane_drop_reason reason)
{
	return texts[reason].meaning;
}

static void to_sockaddr(struct sockaddr_in6 *to, u16 family, const union nf_inet_addr *addr)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)to;

	to->sin6_family = family;
	if (family == AF_INET6)
		to->sin6_addr = addr->in6;
	else
		v4->sin_addr = addr->in;
}

static void trace_reason(const struct sk_buff *skb, enum esplane_drop_reason reason, __be32 spi,
			 u32 seq, unsigned int packets)
{
	struct sockaddr_in6 source = { .sin6_family = AF_INET }, target = source;
	struct esplane_flow flow;

	if (!trace_drop_enabled())
		return;
	if (skb && esplane_flow_from_skb(skb, &flow)) {
		to_sockaddr(&source, flow.family, &flow.src);
		to_sockaddr(&target, flow.family, &flow.dst);
	}
	trace_drop(reason, spi, seq, &source, &target, packets);
}

static atomic64_t *drops_of(struct esplane_sa *sa)
{
	atomic64_t *drops = READ_ONCE(sa->drops), *other;

	if (drops)
		return drops;
	drops = kcalloc(ESPLANE_DROP_COUNT, sizeof(*drops), GFP_ATOMIC | __GFP_NOWARN);
	if (!drops)
		return NULL;
	other = cmpxchg(&sa->drops, NULL, drops);
	if (!other)
		return drops;
	kfree(drops);
	return other;
}

static void count_in_sa(struct esplane_sa *sa, enum esplane_drop_reason reason,
			unsigned int packets)
{
	atomic64_t *drops = drops_of(sa);

	if (drops)
		atomic64_add(packets, &drops[reason]);
}

static void count(struct esplane_net *en, struct esplane_sa *sa, const struct sk_buff *skb,
		  enum esplane_drop_reason reason, __be32 spi, u32 seq, unsigned int packets)
{
	local_bh_disable();
	this_cpu_add(en->stats->drops[reason], packets);
	if (sa)
		count_in_sa(sa, reason, packets);
	local_bh_enable();
	trace_reason(skb, reason, spi, seq, packets);
}

void esplane_drop_count(struct esplane_net *en, struct esplane_sa *sa, const struct sk_buff *skb,
			enum esplane_drop_reason reason, __be32 spi, u32 seq)
{
	count(en, sa, skb, reason, spi, seq, 1);
}

static unsigned int packets_in(const struct sk_buff *skb)
{
	return max_t(unsigned int, skb_shinfo(skb)->gso_segs, 1);
}

void esplane_drop(struct esplane_net *en, struct esplane_sa *sa, struct sk_buff *skb,
		  enum esplane_drop_reason reason, __be32 spi, u32 seq)
{
	const struct sk_buff *segment = skb;
	unsigned int packets = packets_in(skb);

	while ((segment = segment->next))
		packets += packets_in(segment);
	count(en, sa, skb, reason, spi, seq, packets);
	kfree_skb_list(skb);
}

void esplane_stats_sum(const struct esplane_net *en, struct esplane_stats *sum)
{
	unsigned int i;
	int cpu;

	memset(sum, 0, sizeof(*sum));
	for_each_possible_cpu(cpu) {
		const struct esplane_stats *s = per_cpu_ptr(en->stats, cpu);

		sum->in_packets += READ_ONCE(s->in_packets);
		sum->in_bytes += READ_ONCE(s->in_bytes);
		sum->in_trains += READ_ONCE(s->in_trains);
		sum->out_packets += READ_ONCE(s->out_packets);
		sum->out_bytes += READ_ONCE(s->out_bytes);
		sum->out_trains += READ_ONCE(s->out_trains);
		for (i = 0; i < ESPLANE_DROP_COUNT; i++)
			sum->drops[i] += READ_ONCE(s->drops[i]);
	}
}

bool esplane_stats_of_sa(const struct esplane_sa *sa, u64 counts[ESPLANE_DROP_COUNT])
{
	const atomic64_t *drops = READ_ONCE(sa->drops);
	unsigned int i;

	if (!drops)
		return false;
	for (i = 0; i < ESPLANE_DROP_COUNT; i++)
		counts[i] = atomic64_read(&drops[i]);
	return true;
}
