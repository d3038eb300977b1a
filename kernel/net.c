// SPDX-License-Identifier: GPL-2.0
/*
 * The module's state in each network namespace, from its first moment to its last.
 *
 * The end of a namespace, and the same for all of them when the module goes. Before it no request
 * comes in any more: nobody has a socket in a dead namespace, and the module unregisters its
 * genetlink family first.
 *  1. pre_exit: no hook of ours is entered again. The core then waits for a grace period, so
 *     nobody is inside one either.
 *  2. exit: packets that wait for those behind them (burst.c) are dropped. Our interfaces go; that
 *     waits for whoever transmits through them, and what was forwarded and waits for more of it
 *     (bundle.c) is dropped. Now no packet finds a policy or an SA. Both
 *     databases are emptied: their memory goes to RCU and esplane_wq, and packets that wait for an
 *     SA (hold.c) are dropped.
 *  3. rcu_barrier(): policies and outer addresses are freed.
 *  4. The wait for the last SA: trains that an asynchronous cipher still has finish (devices and
 *     routes of the namespace are still there), reapers and timers are through. See sa.c.
 *
 * Device operations (register_pernet_device) end before all subsystem operations do, so routes that
 * SAs have cached are released while the routing code of the namespace and its devices still exist.
 */
#include <linux/percpu.h>
#include <net/netns/generic.h>

#include "bundle.h"
#include "burst.h"
#include "encap.h"
#include "hold.h"
#include "net.h"
#include "netdev.h"
#include "sad.h"
#include "spd.h"
#include "steer.h"
#include "transport.h"

static unsigned int net_id __read_mostly;

struct esplane_net *esplane_net(const struct net *net)
{
	return net_generic(net, net_id);
}

static int databases_init(struct esplane_net *en)
{
	int err;

	en->stats = alloc_percpu(struct esplane_stats);
	if (!en->stats)
		return -ENOMEM;
	esplane_hold_init(en);
	err = esplane_sad_init(en);
	if (err)
		goto err_sad;
	err = esplane_spd_init(en);
	if (err)
		goto err_spd;
	return 0;

err_spd:
	esplane_sad_exit(en);
err_sad:
	free_percpu(en->stats);
	return err;
}

static void databases_exit(struct esplane_net *en)
{
	esplane_hold_exit(en);
	esplane_spd_exit(en);
	esplane_sad_exit(en);
	esplane_transport_exit(en);
	free_percpu(en->stats);
}

static int __net_init net_init(struct net *net)
{
	struct esplane_net *en = esplane_net(net);
	int err;

	en->net = net;
	mutex_init(&en->lock);
	atomic_set(&en->dying, 0);
	err = databases_init(en);
	if (err)
		return err;
	err = esplane_netdev_init(en);
	if (err)
		goto err_netdev;
	err = esplane_burst_init(en);
	if (err)
		goto err_burst;
	err = esplane_bundle_init(en);
	if (err)
		goto err_bundle;
	err = esplane_encap_init(en);
	if (err)
		goto err_encap;
	err = esplane_steer_init(en);
	if (err)
		goto err_steer;
	return 0;

err_steer:
	esplane_encap_exit(en);
	synchronize_rcu();
err_encap:
	esplane_bundle_exit(en);
err_bundle:
	esplane_burst_exit(en);
err_burst:
	esplane_netdev_exit(en);
err_netdev:
	databases_exit(en);
	return err;
}

static void __net_exit net_pre_exit(struct net *net)
{
	struct esplane_net *en = esplane_net(net);

	atomic_set(&en->dying, 1);
	esplane_steer_exit(en);
	esplane_encap_exit(en);
}

static void __net_exit net_empty(struct esplane_net *en)
{
	esplane_burst_exit(en);
	esplane_netdev_exit(en);
	esplane_bundle_exit(en);
	mutex_lock(&en->lock);
	esplane_spd_flush(en);
	esplane_sad_flush(en);
	mutex_unlock(&en->lock);
}

static void __net_exit net_exit_batch(struct list_head *nets)
{
	struct net *net;

	list_for_each_entry(net, nets, exit_list)
		net_empty(esplane_net(net));
	rcu_barrier();
	list_for_each_entry(net, nets, exit_list)
		databases_exit(esplane_net(net));
}

static struct pernet_operations net_ops = {
	.init = net_init,
	.pre_exit = net_pre_exit,
	.exit_batch = net_exit_batch,
	.id = &net_id,
	.size = sizeof(struct esplane_net),
};

int esplane_net_register(void)
{
	return register_pernet_device(&net_ops);
}

void esplane_net_unregister(void)
{
	unregister_pernet_device(&net_ops);
}
