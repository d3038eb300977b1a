// SPDX-License-Identifier: GPL-2.0
/* 6.13: the name of a symbol namespace is a string. */
#include <linux/module.h>

MODULE_IMPORT_NS("ESPLANE_PROBE");
