// SPDX-License-Identifier: GPL-2.0
/* 6.2: text with values in an extended acknowledgement. */
#include <linux/netlink.h>

void probe(struct netlink_ext_ack *extack)
{
	NL_SET_ERR_MSG_FMT(extack, "%u", 1);
}
