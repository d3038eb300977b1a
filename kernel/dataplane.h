/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the packet path needs once per module: per-CPU trains and pages. main.c calls it before
 * anything else.
 */
#ifndef _ESPLANE_DATAPLANE_H
#define _ESPLANE_DATAPLANE_H

int esplane_dataplane_init(void);
/* No SA and no packet is left: every namespace's exit has waited for its SAs' last references. */
void esplane_dataplane_exit(void);

#endif
