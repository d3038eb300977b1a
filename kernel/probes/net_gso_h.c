// SPDX-License-Identifier: GPL-2.0
/* 6.5: skb_gso_segment() and its kin have a header of their own. */
#include <net/gso.h>
