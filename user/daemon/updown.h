/* SPDX-License-Identifier: MIT */
/* child.updown: the command, with the names of variables that strongSwan's scripts know. */
#ifndef ESPLANE_UPDOWN_H
#define ESPLANE_UPDOWN_H

#include "ikev2/ike.h"

struct hooks;
struct hooks_request;

/* Once for each pair of selectors, as scripts expect. @interface: that has our address outside, or "". */
void updown_run(struct hooks *h, const struct ike_updown_spec *spec, const char *interface);
/* What is asked for by pair @local and @remote of @spec. */
void updown_request(struct hooks_request *r, const struct ike_updown_spec *spec,
		    const char *interface, const struct ike_ts *local,
		    const struct ike_ts *remote);

#endif
