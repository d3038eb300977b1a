// SPDX-License-Identifier: GPL-2.0
/* 6.3: a crypto completion gets its data, not the request. */
#include <linux/crypto.h>

static void done(void *data, int err)
{
}

crypto_completion_t completion = done;
