/* SPDX-License-Identifier: MIT */
/* What of a new configuration concerns SAs that are there already. */
#ifndef ESPLANE_IKE_RELOAD_H
#define ESPLANE_IKE_RELOAD_H

#include "ikev2/engine.h"

/*
 * SAs go on as they began, but for those that start_action = start has brought up and that are now
 * configured otherwise, or not at all: these are deleted. What is to be in their place is
 * ike_goals_start()'s.
 */
void ike_reload_apply(struct ike_engine *e);

#endif
