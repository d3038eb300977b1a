// SPDX-License-Identifier: GPL-2.0
/*
 * One inbound SA, several CPUs.
 *
 * All packets of a tunnel come in on one CPU, as they look alike from outside. While that CPU has
 * time to spare it does best to decrypt them itself. When the cipher takes a good part of its time
 * (struct esplane_pace) the SA gets a lane:
 *
 *	input.c
 *	  esplane_parallel_run()	enter(): the train is the last in the lane
 *	    help()			another CPU takes the first that nobody works at
 *	    or run()			so does this one, if too many wait, or none would be faster
 *	      through()			the train may be delivered when all before it were
 *	        poll()			the lane's NAPI: finish() of input.c, in the lane's order
 *
 * A lane has both: the trains in the order they came, and among them those that wait for a CPU
 * (order.c). They are delivered by a NAPI of the lane's own, which runs on one CPU at a time, and
 * whose GRO holds nothing back when its poll ends. So packets cannot pass each other on their way
 * to the stack either, as they could in queues of several CPUs. Which CPU that is, is left to who
 * was through with the first train of the lane.
 *
 * An SA with a lane keeps it: all its trains go that way, also when none is handed out any more.
 * For those before the first in the lane may still wait in this CPU's queue (gro_cells): the lane's
 * first train is decrypted here, so its NAPI is in line behind that queue's.
 *
 * Helpers are CPUs of the same node that are not isolated, and that have no tunnel of their own to
 * care for: where each CPU is busy with one of its own, handing over would only cost. Short trains
 * are never handed out, and with a single CPU nothing here is ever used.
 *
 * All this only if the module's parameter "parallel" says so: in a virtual machine with two CPUs a
 * single busy tunnel gains half as much again (selftests/bench/cores), on real machines it has not
 * been measured.
 *
 * Bounds: so many trains wait for a helper that one is always at hand; above that the receiving CPU
 * takes the oldest of them. Only if a CPU that has begun is held up by something else the lane gets
 * longer, up to a limit, above which packets are dropped (BACKLOG).
 *
 * Life: a train in the lane holds a reference to the SA, the lane itself holds none. It is freed
 * with the SA, in process context, when no train is left: who still runs in functions of this file
 * is an RCU reader, a work item, or NAPI; esplane_parallel_forget() waits for all three.
 *
 * Locking: lane->order.lock, with BHs off, is for all in the lane that changes, for @through of its
 * trains, and for the SA's pace once there is a lane. Before, that is racy on purpose; the worst is
 * a wrong guess for one window. sa->lane is set once, by the work item @setup, and read by RCU.
 */
#include <linux/cpumask.h>
#include <linux/jiffies.h>
#include <linux/moduleparam.h>
#include <linux/netdevice.h>
#include <linux/percpu.h>
#include <linux/sched/clock.h>
#include <linux/sched/isolation.h>
#include <linux/slab.h>
#include <linux/topology.h>
#include <linux/workqueue.h>

#include "compat.h"
#include "order.h"
#include "parallel.h"
#include "sa.h"
#include "train.h"

enum {
	LEAST_SEGMENTS = 8,	/* a shorter train is decrypted before another CPU has woken up */
	WAITING_MOST = 4,	/* trains; two is what keeps a helper from idling between them */
	START_SHARE = 4,	/* a quarter of a CPU's time: begin to hand trains out */
	STOP_SHARE = 8,		/* less than an eighth: end it */
};

#define PACE_WINDOW max(HZ / 100, 2)	/* jiffies */

struct helper {
	struct work_struct work;
	struct esplane_lane *lane;
};

struct esplane_lane {
	struct esplane_sa *sa;
	struct helper __percpu *helpers;
	struct work_struct setup;
	struct napi_struct napi;
	struct esplane_order order;		/* its lock is that of all that follows too */
	unsigned int last_helper;		/* CPU */
	bool used;
	u64 elsewhere;				/* trains decrypted by another CPU */
};

/* What each CPU receives for. */
struct receiver {
	const struct esplane_lane *lane;	/* not to be followed */
	unsigned long until;			/* jiffies */
};

static bool enabled;
module_param_named(parallel, enabled, bool, 0644);
MODULE_PARM_DESC(parallel, "several CPUs decrypt what one busy tunnel brings (default: off)");

static DEFINE_PER_CPU(struct receiver, receivers);
static struct workqueue_struct *helpers_wq;
static struct net_device *napi_owner;

static bool is_long(const struct esplane_train *train)
{
	return train->n >= LEAST_SEGMENTS;
}

static void pace_add(struct esplane_pace *pace, s64 ns)
{
	u32 now = jiffies, elapsed = now - pace->since;
	u64 sum = pace->ns + max_t(s64, ns, 0);	/* clocks of two CPUs may differ a little */

	if (elapsed < PACE_WINDOW) {
		WRITE_ONCE(pace->ns, sum);
		return;
	}
	sum *= pace->busy ? STOP_SHARE : START_SHARE;
	WRITE_ONCE(pace->busy, sum >= jiffies_to_nsecs(elapsed));
	WRITE_ONCE(pace->since, now);
	WRITE_ONCE(pace->ns, 0);
}

/* Instead of finish(), which comes when it is this train's turn. */
static void through(struct esplane_train *train)
{
	struct esplane_lane *lane = train->lane;
	bool ready;

	spin_lock(&lane->order.lock);
	if (is_long(train))
		pace_add(&lane->sa->pace, local_clock() - train->began);
	train->through = true;
	ready = esplane_order_is_ready(&lane->order);
	spin_unlock(&lane->order.lock);
	if (ready)
		napi_schedule(&lane->napi);
}

static void run(struct esplane_train *train)
{
	if (is_long(train))
		train->began = local_clock();
	esplane_train_run(train, false);
}

static struct esplane_train *take_for_helper(struct esplane_lane *lane)
{
	struct esplane_train *train;

	spin_lock(&lane->order.lock);
	train = esplane_order_take_waiting(&lane->order);
	if (train && train->came_to != smp_processor_id())
		lane->elsewhere++;
	spin_unlock(&lane->order.lock);
	return train;
}

static void help(struct work_struct *work)
{
	struct esplane_lane *lane = container_of(work, struct helper, work)->lane;
	struct esplane_train *train;

	do {
		local_bh_disable();
		rcu_read_lock();
		train = take_for_helper(lane);
		if (train)
			run(train);
		rcu_read_unlock();
		local_bh_enable();	/* what is through goes to the stack */
		cond_resched();
	} while (train);
}

static struct esplane_train *take_through(struct esplane_lane *lane)
{
	struct esplane_train *train;

	spin_lock(&lane->order.lock);
	train = esplane_order_take(&lane->order);
	spin_unlock(&lane->order.lock);
	return train;
}

static bool has_more(struct esplane_lane *lane)
{
	bool more;

	spin_lock(&lane->order.lock);
	more = esplane_order_is_ready(&lane->order);
	spin_unlock(&lane->order.lock);
	return more;
}

/*
 * Always ends complete, and if there is more begins anew: then GRO has given everything to the
 * stack when this returns, and holds no packet of an interface that may go.
 */
static int poll(struct napi_struct *napi, int budget)
{
	struct esplane_lane *lane = container_of(napi, struct esplane_lane, napi);
	struct esplane_train *train;
	int done = 0;

	if (!budget)
		return 0;
	rcu_read_lock();
	while (done < budget) {
		train = take_through(lane);
		if (!train)
			break;
		done += train->n;
		train->deliver(train);
	}
	done = min(done, budget - 1);
	if (napi_complete_done(napi, done) && has_more(lane))
		napi_schedule(napi);
	rcu_read_unlock();
	return done;
}

static void receive_here(const struct esplane_lane *lane)
{
	struct receiver *receiver = this_cpu_ptr(&receivers);

	WRITE_ONCE(receiver->lane, lane);
	WRITE_ONCE(receiver->until, jiffies + 2 * PACE_WINDOW);
}

static bool has_own_tunnel(unsigned int cpu, const struct esplane_lane *lane)
{
	const struct receiver *receiver = per_cpu_ptr(&receivers, cpu);
	const struct esplane_lane *other = READ_ONCE(receiver->lane);

	return other && other != lane && time_before(jiffies, READ_ONCE(receiver->until));
}

/* The last one again as long as it keeps up. nr_cpu_ids: there is none. */
static unsigned int find_helper(const struct esplane_lane *lane)
{
	const struct cpumask *node = cpumask_of_node(numa_node_id());
	unsigned int from = READ_ONCE(lane->last_helper), cpu;

	if (READ_ONCE(lane->order.n_waiting) > 1)
		from++;
	for_each_cpu_wrap(cpu, node, from)
		if (cpu != smp_processor_id() && cpu_online(cpu) &&
		    housekeeping_test_cpu(cpu, HK_TYPE_DOMAIN) && !has_own_tunnel(cpu, lane))
			return cpu;
	return nr_cpu_ids;
}

/* The CPU that is to decrypt the train too, or nr_cpu_ids: none but this. */
static unsigned int choose(struct esplane_lane *lane, const struct esplane_train *train)
{
	if (!READ_ONCE(enabled) || !READ_ONCE(lane->sa->pace.busy) || !is_long(train))
		return nr_cpu_ids;
	receive_here(lane);
	return READ_ONCE(lane->used) ? find_helper(lane) : nr_cpu_ids;
}

/* Sets @own to what this CPU is to decrypt, or to NULL. False: there is no room. */
static bool enter(struct esplane_lane *lane, struct esplane_train *train, bool wait,
		  struct esplane_train **own)
{
	bool room;

	spin_lock(&lane->order.lock);
	room = esplane_order_add(&lane->order, train, wait);
	lane->used = true;
	*own = wait ? NULL : train;
	if (room && lane->order.n_waiting > WAITING_MOST)
		*own = esplane_order_take_waiting(&lane->order);
	spin_unlock(&lane->order.lock);
	return room;
}

static void refuse(struct esplane_train *train)
{
	unsigned int i;

	for (i = 0; i < train->n; i++)
		if (train->segments[i].verdict == ESPLANE_SEGMENT_GOOD)
			train->segments[i].verdict = ESPLANE_DROP_BACKLOG;
	train->deliver(train);
}

static void wake(struct esplane_lane *lane, unsigned int cpu)
{
	WRITE_ONCE(lane->last_helper, cpu);
	queue_work_on(cpu, helpers_wq, &per_cpu_ptr(lane->helpers, cpu)->work);
}

static void run_in_lane(struct esplane_lane *lane, struct esplane_train *train)
{
	unsigned int helper = choose(lane, train);
	struct esplane_train *own;

	train->lane = lane;
	train->napi = &lane->napi;
	train->deliver = train->finish;
	train->finish = through;
	train->came_to = smp_processor_id();
	if (!enter(lane, train, helper < nr_cpu_ids, &own)) {
		refuse(train);
		return;
	}
	if (helper < nr_cpu_ids)
		wake(lane, helper);
	if (own)
		run(own);
}

static void lane_free(struct esplane_lane *lane)
{
	free_percpu(lane->helpers);
	kfree(lane);
}

static void setup(struct work_struct *work)
{
	struct esplane_lane *lane = container_of(work, struct esplane_lane, setup);
	struct esplane_sa *sa = lane->sa;
	int cpu;

	lane->helpers = alloc_percpu(struct helper);
	if (!lane->helpers) {
		lane_free(lane);
		WRITE_ONCE(sa->lane_wanted, 0);
		esplane_sa_put(sa);
		return;
	}
	for_each_possible_cpu(cpu) {
		struct helper *helper = per_cpu_ptr(lane->helpers, cpu);

		INIT_WORK(&helper->work, help);
		helper->lane = lane;
	}
	set_bit(NAPI_STATE_NO_BUSY_POLL, &lane->napi.state);
	netif_napi_add(napi_owner, &lane->napi, poll);
	napi_enable(&lane->napi);
	rcu_assign_pointer(sa->lane, lane);
	esplane_sa_put(sa);
}

static struct esplane_lane *lane_alloc(struct esplane_sa *sa)
{
	struct esplane_lane *lane = kzalloc(sizeof(*lane), GFP_ATOMIC | __GFP_NOWARN);

	if (!lane)
		return NULL;
	lane->sa = sa;
	esplane_order_init(&lane->order);
	INIT_WORK(&lane->setup, setup);
	return lane;
}

/* NAPIs are made in process context. If memory lacks, the next busy window asks again. */
static void want_lane(struct esplane_sa *sa)
{
	struct esplane_lane *lane;

	if (READ_ONCE(sa->lane_wanted) || xchg(&sa->lane_wanted, 1))
		return;
	lane = lane_alloc(sa);
	if (!lane || !esplane_sa_get(sa)) {
		kfree(lane);
		WRITE_ONCE(sa->lane_wanted, 0);
		return;
	}
	queue_work(esplane_wq, &lane->setup);
}

static void run_alone(struct esplane_train *train)
{
	struct esplane_sa *sa = train->sa;	/* whom the caller may use even without the train */
	u64 began;

	if (!READ_ONCE(enabled) || !is_long(train) || num_online_cpus() == 1) {
		esplane_train_run(train, false);
		return;
	}
	began = local_clock();
	esplane_train_run(train, false);
	pace_add(&sa->pace, local_clock() - began);
	if (READ_ONCE(sa->pace.busy))
		want_lane(sa);
}

void esplane_parallel_run(struct esplane_train *train)
{
	struct esplane_lane *lane = rcu_dereference(train->sa->lane);

	if (likely(!lane))
		run_alone(train);
	else
		run_in_lane(lane, train);
}

u64 esplane_parallel_count(const struct esplane_sa *sa)
{
	struct esplane_lane *lane = rcu_dereference(sa->lane);
	u64 count;

	if (!lane)
		return 0;
	spin_lock_bh(&lane->order.lock);
	count = lane->elsewhere;
	spin_unlock_bh(&lane->order.lock);
	return count;
}

void esplane_parallel_forget(struct esplane_sa *sa)
{
	struct esplane_lane *lane = rcu_dereference_protected(sa->lane, true);
	int cpu;

	if (!lane)
		return;
	synchronize_rcu();
	for_each_possible_cpu(cpu)
		cancel_work_sync(&per_cpu_ptr(lane->helpers, cpu)->work);
	napi_disable(&lane->napi);
	netif_napi_del(&lane->napi);	/* waits for readers again, the end of poll() too */
	lane_free(lane);
}

int esplane_parallel_init(void)
{
	helpers_wq = alloc_workqueue("esplane_helpers", ESPLANE_WQ_PERCPU | WQ_CPU_INTENSIVE, 0);
	if (!helpers_wq)
		return -ENOMEM;
	napi_owner = esplane_compat_dummy_alloc();
	if (!napi_owner) {
		destroy_workqueue(helpers_wq);
		return -ENOMEM;
	}
	return 0;
}

void esplane_parallel_exit(void)
{
	destroy_workqueue(helpers_wq);
	esplane_compat_dummy_free(napi_owner);
}
