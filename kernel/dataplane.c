// SPDX-License-Identifier: GPL-2.0
/* What the packet path leaves behind on each CPU, and its end. */
#include <linux/rcupdate.h>

#include "chunk.h"
#include "dataplane.h"
#include "parallel.h"
#include "train.h"

int esplane_dataplane_init(void)
{
	return esplane_parallel_init();
}

void esplane_dataplane_exit(void)
{
	esplane_parallel_exit();
	esplane_train_exit();
	esplane_chunk_exit();
}
