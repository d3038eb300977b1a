// SPDX-License-Identifier: GPL-2.0
/*
 * Which end of a TCP connection the CPU works for, where both are on the one CPU: what a
 * process does is its namespace's; what a softirq does, from when a device of a namespace has
 * received a packet, is that namespace's, until there is a packet of another.
 *
 * Written to the file: "sender" or "receiver", by a process in that namespace; then "start".
 * Read from it: nanoseconds for the sender, for the receiver, and for what is neither's
 * (workers of the kernel).
 *
 * Locking: there is one CPU and one user (the file is opened by one at a time). Probes run
 * with preemption off, and an interrupt between two of them only moves a charge.
 */
#include <linux/bitops.h>
#include <linux/fs.h>
#include <linux/interrupt.h>
#include <linux/module.h>
#include <linux/netdevice.h>
#include <linux/nsproxy.h>
#include <linux/sched.h>
#include <linux/sched/clock.h>
#include <linux/tracepoint.h>
#include <linux/uaccess.h>
#include <net/net_namespace.h>

#include "bench.h"

enum end { SENDER, RECEIVER, NEITHER, ENDS };

static struct {
	struct net *net[NEITHER];
	u64 took[ENDS];
	u64 since;
	enum end receiving;	/* whose device has received the last packet */
	bool between;		/* packets: the next one's GRO may have begun */
	bool running;
} account;

static unsigned long opened;

static void charge(enum end end)
{
	u64 now = local_clock();

	account.took[end] += now - account.since;
	account.since = now;
}

static enum end end_of(const struct net *net)
{
	if (net == account.net[SENDER])
		return SENDER;
	return net == account.net[RECEIVER] ? RECEIVER : NEITHER;
}

static enum end end_of_task(const struct task_struct *task)
{
	/* A task that exits has none. */
	return task->nsproxy ? end_of(task->nsproxy->net_ns) : NEITHER;
}

static void probe_switch(void *data, bool preempt, struct task_struct *prev,
			 struct task_struct *next, unsigned int prev_state)
{
	charge(end_of_task(prev));
}

static void probe_softirq_entry(void *data, unsigned int vec)
{
	charge(end_of_task(current));
	account.between = true;
}

static void probe_softirq_exit(void *data, unsigned int vec)
{
	charge(account.receiving);
}

static void probe_receive(void *data, struct sk_buff *skb)
{
	enum end end = end_of(dev_net(skb->dev));

	charge(account.between ? end : account.receiving);
	account.receiving = end;
	account.between = false;
}

static void probe_napi_poll(void *data, struct napi_struct *napi, int work, int budget)
{
	charge(account.receiving);
	account.between = true;
}

static struct {
	const char *name;
	void *probe;
	struct tracepoint *point;
} probes[] = {
	{ "sched_switch", probe_switch },
	{ "softirq_entry", probe_softirq_entry },
	{ "softirq_exit", probe_softirq_exit },
	{ "netif_receive_skb", probe_receive },
	{ "napi_poll", probe_napi_poll },
};

static void find_one(struct tracepoint *point, void *data)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(probes); i++)
		if (!strcmp(point->name, probes[i].name))
			probes[i].point = point;
}

static void stop(void)
{
	int i;

	for (i = 0; account.running && i < ARRAY_SIZE(probes); i++)
		tracepoint_probe_unregister(probes[i].point, probes[i].probe, NULL);
	tracepoint_synchronize_unregister();
	account.running = false;
}

static int start(void)
{
	int i, err;

	if (account.running || !account.net[SENDER] || !account.net[RECEIVER])
		return -EINVAL;
	for_each_kernel_tracepoint(find_one, NULL);
	for (i = 0; i < ARRAY_SIZE(probes); i++)
		if (!probes[i].point)
			return -ENOENT;
	memset(account.took, 0, sizeof(account.took));
	account.since = local_clock();
	account.receiving = NEITHER;
	for (i = 0; i < ARRAY_SIZE(probes); i++) {
		err = tracepoint_probe_register(probes[i].point, probes[i].probe, NULL);
		if (err)
			goto unregister;
	}
	account.running = true;
	return 0;

unregister:
	while (i--)
		tracepoint_probe_unregister(probes[i].point, probes[i].probe, NULL);
	return err;
}

/* Only compared; but another namespace must not get its address. */
static int set_end(enum end end)
{
	if (account.net[end])
		return -EBUSY;
	account.net[end] = get_net(current->nsproxy->net_ns);
	return 0;
}

static int account_open(struct inode *inode, struct file *file)
{
	return test_and_set_bit(0, &opened) ? -EBUSY : 0;
}

static ssize_t account_write(struct file *file, const char __user *data, size_t len, loff_t *pos)
{
	char word[16] = "";
	int err;

	if (len >= sizeof(word))
		return -EINVAL;
	if (copy_from_user(word, data, len))
		return -EFAULT;
	if (!strcmp(word, "sender"))
		err = set_end(SENDER);
	else if (!strcmp(word, "receiver"))
		err = set_end(RECEIVER);
	else
		err = strcmp(word, "start") ? -EINVAL : start();
	return err ?: len;
}

static ssize_t account_read(struct file *file, char __user *data, size_t len, loff_t *pos)
{
	char line[80];
	int n;

	n = scnprintf(line, sizeof(line), "%llu %llu %llu\n", account.took[SENDER],
		      account.took[RECEIVER], account.took[NEITHER]);
	return simple_read_from_buffer(data, len, pos, line, n);
}

static int account_release(struct inode *inode, struct file *file)
{
	enum end end;

	stop();
	for (end = SENDER; end < NEITHER; end++) {
		if (account.net[end])
			put_net(account.net[end]);
		account.net[end] = NULL;
	}
	clear_bit(0, &opened);
	return 0;
}

const struct file_operations bench_account_ops = {
	.owner = THIS_MODULE,
	.open = account_open,
	.read = account_read,
	.write = account_write,
	.release = account_release,
};
