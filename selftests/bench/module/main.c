// SPDX-License-Identifier: GPL-2.0
/*
 * What the packet benchmark needs of the kernel: the cipher alone (cipher.c), packets that a
 * device receives in batches (source.c), what each end of a connection takes (account.c), and
 * how long the CPU had nothing to do (idle: nanoseconds, of CPU 0). Each is a file in debugfs,
 * directory esplane_bench.
 */
#include <linux/debugfs.h>
#include <linux/kernel_stat.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/tick.h>

#include "bench.h"

static struct dentry *dir;

static int idle_show(struct seq_file *file, void *unused)
{
	seq_printf(file, "%llu\n", get_cpu_idle_time_us(0, NULL) * NSEC_PER_USEC);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(idle);

static int __init bench_init(void)
{
	dir = debugfs_create_dir("esplane_bench", NULL);
	debugfs_create_file("account", 0600, dir, NULL, &bench_account_ops);
	debugfs_create_file("cipher", 0600, dir, NULL, &bench_cipher_ops);
	debugfs_create_file("idle", 0400, dir, NULL, &idle_fops);
	debugfs_create_file("source", 0600, dir, NULL, &bench_source_ops);
	return 0;
}

static void __exit bench_exit(void)
{
	debugfs_remove_recursive(dir);
}

module_init(bench_init);
module_exit(bench_exit);
MODULE_DESCRIPTION("esplane: the cipher alone and a source of packets, for the benchmark");
MODULE_LICENSE("GPL");
