// SPDX-License-Identifier: GPL-2.0
/* Before 6.13: the name of a symbol namespace is a token, not a string. */
#include <linux/module.h>

MODULE_IMPORT_NS(ESPLANE_PROBE);
