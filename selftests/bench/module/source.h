/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * What a program writes to the file to set a source up. Each later write, whatever it holds,
 * makes one batch.
 */
#ifndef ESPLANE_BENCH_SOURCE_H
#define ESPLANE_BENCH_SOURCE_H

#include <linux/types.h>

#define ACCOUNT_FILE "/sys/kernel/debug/esplane_bench/account"
#define IDLE_FILE "/sys/kernel/debug/esplane_bench/idle"
#define SOURCE_FILE "/sys/kernel/debug/esplane_bench/source"

enum {
	SOURCE_RECEIVE,		/* the device, of the writer's namespace, receives the batch */
	SOURCE_DISCARD,		/* the batch is freed: what making it costs */
};

#define SOURCE_BATCH_MAX 64

struct esplane_bench_source {
	char dev[16];
	__be32 src;
	__be32 dst;
	__u32 command;
	__u32 count;			/* of datagrams in a batch, up to SOURCE_BATCH_MAX */
	__u32 sizes[SOURCE_BATCH_MAX];	/* of data in each */
};

#endif
