// SPDX-License-Identifier: GPL-2.0
/* 6.12: before, asm/unaligned.h. */
#include <linux/unaligned.h>
