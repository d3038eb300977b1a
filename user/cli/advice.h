/* SPDX-License-Identifier: MIT */
/* What to look at when packets are dropped. */
#ifndef ESPLANE_CLI_ADVICE_H
#define ESPLANE_CLI_ADVICE_H

/* For a reason by its name, such as "NO_SA". NULL for one that a newer module has brought. */
const char *advice_for(const char *reason);

#endif
