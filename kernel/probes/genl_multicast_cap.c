// SPDX-License-Identifier: GPL-2.0
/* A multicast group that only CAP_NET_ADMIN may join (6.7, and stable kernels). */
#include <net/genetlink.h>

struct genl_multicast_group probe = { "probe", .flags = GENL_MCAST_CAP_NET_ADMIN };
