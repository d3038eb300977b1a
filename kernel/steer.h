/* SPDX-License-Identifier: GPL-2.0 */
/* Policy mode (RFC 4301 section 5): netfilter hooks that ask the SPD about every packet. */
#ifndef _ESPLANE_STEER_H
#define _ESPLANE_STEER_H

struct esplane_net;

/*
 * Registers and removes the hooks of a namespace. May sleep. After exit no packet is inside any
 * more.
 */
int esplane_steer_init(struct esplane_net *en);
void esplane_steer_exit(struct esplane_net *en);

#endif
