/* SPDX-License-Identifier: GPL-2.0 */
/* How a KUnit module links to what EXPORT_SYMBOL_IF_KUNIT() exports. */
#ifndef _ESPLANE_TESTS_IMPORT_H
#define _ESPLANE_TESTS_IMPORT_H

#include <linux/module.h>

#ifdef ESPLANE_HAVE_IMPORT_NS_TOKEN
MODULE_IMPORT_NS(EXPORTED_FOR_KUNIT_TESTING);
#else
MODULE_IMPORT_NS("EXPORTED_FOR_KUNIT_TESTING");
#endif

#endif
