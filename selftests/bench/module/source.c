// SPDX-License-Identifier: GPL-2.0
/*
 * Datagrams that a device receives in batches, as a network card's driver hands them over
 * under load: the way of a forwarded packet begins here, without what a sending host would add
 * to its price.
 *
 * Locking: of each open file, its own mutex.
 */
#include <linux/etherdevice.h>
#include <linux/fs.h>
#include <linux/ip.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/netdevice.h>
#include <linux/nsproxy.h>
#include <linux/skbuff.h>
#include <linux/slab.h>
#include <linux/udp.h>
#include <net/ip.h>

#include "bench.h"
#include "source.h"

enum {
	PORT = 5201,
	MAX_SIZE = 9000,
	TTL = 64,
};

/* As on the wire, but for the data, which nobody reads. */
struct headers {
	struct ethhdr eth;
	struct iphdr ip;
	struct udphdr udp;
} __packed;

struct source {
	struct mutex lock;	/* of all that follows */
	struct net_device *dev;
	struct esplane_bench_source wanted;
	struct headers headers[SOURCE_BATCH_MAX];
};

static void write_headers(struct headers *h, const struct esplane_bench_source *wanted,
			  const struct net_device *dev, u32 size)
{
	ether_addr_copy(h->eth.h_dest, dev->dev_addr);
	eth_zero_addr(h->eth.h_source);
	h->eth.h_proto = htons(ETH_P_IP);
	h->ip = (struct iphdr) {
		.version = 4,
		.ihl = sizeof(h->ip) / 4,
		.tot_len = htons(sizeof(h->ip) + sizeof(h->udp) + size),
		.ttl = TTL,
		.protocol = IPPROTO_UDP,
		.saddr = wanted->src,
		.daddr = wanted->dst,
	};
	h->ip.check = ip_fast_csum(&h->ip, h->ip.ihl);
	/* Without a checksum, RFC 768. */
	h->udp = (struct udphdr) {
		.source = htons(PORT),
		.dest = htons(PORT),
		.len = htons(sizeof(h->udp) + size),
	};
}

static int set_up(struct source *source, const struct esplane_bench_source *wanted)
{
	struct net_device *dev;
	u32 i;

	if (wanted->count > SOURCE_BATCH_MAX || wanted->command > SOURCE_DISCARD ||
	    strnlen(wanted->dev, sizeof(wanted->dev)) == sizeof(wanted->dev))
		return -EINVAL;
	for (i = 0; i < wanted->count; i++)
		if (wanted->sizes[i] > MAX_SIZE)
			return -EINVAL;
	dev = dev_get_by_name(current->nsproxy->net_ns, wanted->dev);
	if (!dev)
		return -ENODEV;
	for (i = 0; i < wanted->count; i++)
		write_headers(&source->headers[i], wanted, dev, wanted->sizes[i]);
	source->wanted = *wanted;
	source->dev = dev;
	return 0;
}

static struct sk_buff *make(const struct source *source, u32 i)
{
	struct sk_buff *skb;

	skb = netdev_alloc_skb_ip_align(source->dev, sizeof(struct headers) +
						     source->wanted.sizes[i]);
	if (!skb)
		return NULL;
	skb_put_data(skb, &source->headers[i], sizeof(struct headers));
	skb_put(skb, source->wanted.sizes[i]);
	skb->protocol = eth_type_trans(skb, source->dev);
	skb->ip_summed = CHECKSUM_UNNECESSARY;
	return skb;
}

static void discard(struct list_head *batch)
{
	struct sk_buff *skb, *next;

	list_for_each_entry_safe(skb, next, batch, list) {
		skb_list_del_init(skb);
		consume_skb(skb);
	}
}

static int run(struct source *source)
{
	LIST_HEAD(batch);
	u32 i;

	local_bh_disable();
	for (i = 0; i < source->wanted.count; i++) {
		struct sk_buff *skb = make(source, i);

		if (!skb)
			break;
		list_add_tail(&skb->list, &batch);
	}
	if (source->wanted.command == SOURCE_RECEIVE)
		netif_receive_skb_list(&batch);
	else
		discard(&batch);
	local_bh_enable();
	return i == source->wanted.count ? 0 : -ENOMEM;
}

static int source_open(struct inode *inode, struct file *file)
{
	struct source *source = kzalloc(sizeof(*source), GFP_KERNEL);

	if (!source)
		return -ENOMEM;
	mutex_init(&source->lock);
	file->private_data = source;
	return 0;
}

static int configure(struct source *source, const char __user *data, size_t len)
{
	struct esplane_bench_source wanted;

	if (len != sizeof(wanted))
		return -EINVAL;
	if (copy_from_user(&wanted, data, sizeof(wanted)))
		return -EFAULT;
	return set_up(source, &wanted);
}

static ssize_t source_write(struct file *file, const char __user *data, size_t len, loff_t *pos)
{
	struct source *source = file->private_data;
	int err;

	mutex_lock(&source->lock);
	err = source->dev ? run(source) : configure(source, data, len);
	mutex_unlock(&source->lock);
	return err ?: len;
}

static int source_release(struct inode *inode, struct file *file)
{
	struct source *source = file->private_data;

	dev_put(source->dev);
	kfree(source);
	return 0;
}

const struct file_operations bench_source_ops = {
	.owner = THIS_MODULE,
	.open = source_open,
	.write = source_write,
	.release = source_release,
};
