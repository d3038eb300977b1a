// SPDX-License-Identifier: GPL-2.0
/* What the packet path leaves behind on each CPU, and its end. */
#include <linux/rcupdate.h>

#include "chunk.h"
#include "dataplane.h"
#include "train.h"

int esplane_dataplane_init(void)
{
	return 0;
}

void esplane_dataplane_exit(void)
{
	esplane_train_exit();
	esplane_chunk_exit();
}
