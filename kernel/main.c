// SPDX-License-Identifier: GPL-2.0
/*
 * The module's beginning and end.
 *
 * It can be unloaded with packets in flight: events stop, then requests (unregistering the family
 * waits for those under way), then interfaces, then each namespace's hooks and databases (net.c),
 * which waits for every SA. What is left then are RCU callbacks and the last lines of work items.
 */
#include <linux/module.h>
#include <linux/workqueue.h>

#include "dataplane.h"
#include "events.h"
#include "key_export.h"
#include "net.h"
#include "netdev.h"
#include "netlink.h"
#include "sa.h"

struct workqueue_struct *esplane_wq;

static int __init esplane_init(void)
{
	int err;

	esplane_wq = alloc_workqueue("esplane", WQ_UNBOUND, 0);
	if (!esplane_wq)
		return -ENOMEM;
	err = esplane_dataplane_init();
	if (err)
		goto err_dataplane;
	err = esplane_net_register();
	if (err)
		goto err_net;
	err = esplane_netdev_register();
	if (err)
		goto err_netdev;
	err = esplane_netlink_register();
	if (err)
		goto err_netlink;
	esplane_key_export_announce();
	return 0;

err_netlink:
	esplane_netdev_unregister();
err_netdev:
	esplane_net_unregister();
err_net:
	esplane_dataplane_exit();
err_dataplane:
	rcu_barrier();
	destroy_workqueue(esplane_wq);
	return err;
}

static void __exit esplane_exit(void)
{
	esplane_events_stop();
	esplane_netlink_unregister();
	esplane_netdev_unregister();
	esplane_net_unregister();
	esplane_dataplane_exit();
	rcu_barrier();
	destroy_workqueue(esplane_wq);
}

module_init(esplane_init);
module_exit(esplane_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("IPsec ESP data plane");
MODULE_VERSION(ESPLANE_VERSION);
MODULE_ALIAS_GENL_FAMILY(ESPLANE_FAMILY_NAME);
MODULE_ALIAS_RTNL_LINK("esplane");
