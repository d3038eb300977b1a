// SPDX-License-Identifier: GPL-2.0
/*
 * Soft and hard limits of an SA (RFC 4301 section 4.4.2.1).
 *
 * A soft limit is reported once for each cause and changes nothing; a hard limit ends the SA.
 *
 * Locking: none. Usage is atomic; each cause is a bit of sa->expired, and who sets it reports it.
 * The timer holds no reference: esplane_lifetime_stop() comes before the database's reference goes.
 * Only the timer arms itself again, never the packet path, which may still run after that.
 */
#include <kunit/visibility.h>
#include <linux/bitops.h>
#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/limits.h>

#include "compat.h"
#include "events.h"
#include "lifetime.h"
#include "sa.h"

enum esplane_lifetime_state esplane_lifetime_judge(u64 used, u64 added, u64 soft, u64 hard)
{
	/* The train that crosses the hard limit still passes: it was within when it came. */
	if (hard && used - added >= hard)
		return ESPLANE_LIFETIME_OVER;
	if (hard && used >= hard)
		return ESPLANE_LIFETIME_HARD;
	if (soft && used >= soft)
		return ESPLANE_LIFETIME_SOFT;
	return ESPLANE_LIFETIME_WITHIN;
}
EXPORT_SYMBOL_IF_KUNIT(esplane_lifetime_judge);

static void report_soft(struct esplane_sa *sa, u32 cause)
{
	if ((READ_ONCE(sa->expired) & cause) || test_and_set_bit(__ffs(cause), &sa->expired))
		return;
	esplane_event_expire(sa, cause, false);
}

static bool charge(struct esplane_sa *sa, u64 used, u64 added, u64 soft, u64 hard, u32 cause)
{
	switch (esplane_lifetime_judge(used, added, soft, hard)) {
	case ESPLANE_LIFETIME_WITHIN:
		return true;
	case ESPLANE_LIFETIME_SOFT:
		report_soft(sa, cause);
		return true;
	case ESPLANE_LIFETIME_HARD:
		esplane_sa_kill(sa, cause);
		return true;
	case ESPLANE_LIFETIME_OVER:
	default:
		esplane_sa_kill(sa, cause);
		return false;
	}
}

/* Races are harmless: whoever is first, it is the same second or the next. */
static void mark_used(struct esplane_sa *sa, time64_t now)
{
	time64_t last = READ_ONCE(sa->last_used);

	if (last == now)
		return;
	if (!last)
		WRITE_ONCE(sa->first_used, get_jiffies_64());
	WRITE_ONCE(sa->last_used, now);
}

bool esplane_lifetime_charge(struct esplane_sa *sa, u32 packets, u64 bytes)
{
	const struct esplane_limits *limits = &sa->limits;
	u64 used_packets = atomic64_add_return(packets, &sa->usage.packets);
	u64 used_bytes = atomic64_add_return(bytes, &sa->usage.bytes);
	time64_t now = ktime_get_seconds();
	bool ok;

	mark_used(sa, now);
	ok = charge(sa, used_bytes, bytes, limits->soft_bytes, limits->hard_bytes,
		    ESPLANE_EXPIRE_CAUSE_BYTES);
	return charge(sa, used_packets, packets, limits->soft_packets, limits->hard_packets,
		      ESPLANE_EXPIRE_CAUSE_PACKETS) && ok;
}

void esplane_lifetime_sequence(struct esplane_sa *sa, bool hard)
{
	if (hard)
		esplane_sa_kill(sa, ESPLANE_EXPIRE_CAUSE_SEQUENCE);
	else
		report_soft(sa, ESPLANE_EXPIRE_CAUSE_SEQUENCE);
}

u64 esplane_lifetime_due(u64 age, u64 soft, u64 hard, bool soft_done)
{
	u64 next = hard ?: U64_MAX;

	if (soft && !soft_done)
		next = min(next, soft);
	if (next == U64_MAX)
		return U64_MAX;
	next = min_t(u64, next, U64_MAX / HZ - 1) * HZ;
	return next > age ? next - age : 0;
}
EXPORT_SYMBOL_IF_KUNIT(esplane_lifetime_due);

/* So early that it is not late: 6/7 and 8/63 of that are less than the whole. */
unsigned long esplane_lifetime_step(u64 wait)
{
	unsigned long step = clamp_t(u64, wait, 1, MAX_JIFFY_OFFSET / 2);

	return step > HZ ? step - step / 7 : step;
}
EXPORT_SYMBOL_IF_KUNIT(esplane_lifetime_step);

static bool reported(const struct esplane_sa *sa, u32 cause)
{
	return READ_ONCE(sa->expired) & cause;
}

u64 esplane_lifetime_age(const struct esplane_sa *sa)
{
	return get_jiffies_64() - sa->born;
}

/* 0 as long as no packet came: what is due then is to look again when one could have been. */
static u64 use_age_of(const struct esplane_sa *sa)
{
	u64 first = READ_ONCE(sa->first_used);

	return first ? get_jiffies_64() - first : 0;
}

static void arm(struct esplane_sa *sa)
{
	const struct esplane_limits *l = &sa->limits;
	u64 wait, use;

	wait = esplane_lifetime_due(esplane_lifetime_age(sa), l->soft_seconds, l->hard_seconds,
				    reported(sa, ESPLANE_EXPIRE_CAUSE_TIME));
	use = esplane_lifetime_due(use_age_of(sa), l->soft_use_seconds, l->hard_use_seconds,
				   reported(sa, ESPLANE_EXPIRE_CAUSE_USE_TIME));
	wait = min(wait, use);
	if (wait == U64_MAX || esplane_sa_is_dead(sa))
		return;
	mod_timer(&sa->timer, jiffies + esplane_lifetime_step(wait));
}

static void judge_age(struct esplane_sa *sa, u64 age, u64 soft, u64 hard, u32 cause)
{
	if (esplane_sa_is_dead(sa))
		return;
	if (hard && !esplane_lifetime_due(age, 0, hard, true))
		esplane_sa_kill(sa, cause);
	else if (soft && !esplane_lifetime_due(age, soft, 0, false))
		report_soft(sa, cause);
}

static void timer_fires(struct timer_list *timer)
{
	struct esplane_sa *sa = esplane_timer_container_of(sa, timer, timer);
	const struct esplane_limits *l = &sa->limits;

	judge_age(sa, esplane_lifetime_age(sa), l->soft_seconds, l->hard_seconds,
		  ESPLANE_EXPIRE_CAUSE_TIME);
	judge_age(sa, use_age_of(sa), l->soft_use_seconds, l->hard_use_seconds,
		  ESPLANE_EXPIRE_CAUSE_USE_TIME);
	arm(sa);
}

void esplane_lifetime_start(struct esplane_sa *sa)
{
	timer_setup(&sa->timer, timer_fires, 0);
	arm(sa);
}

void esplane_lifetime_stop(struct esplane_sa *sa)
{
	esplane_timer_shutdown_sync(&sa->timer);
}
