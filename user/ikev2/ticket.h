/* SPDX-License-Identifier: MIT */
/* Commands that take time: what is still to be done for each, and how it ended. */
#ifndef ESPLANE_IKE_TICKET_H
#define ESPLANE_IKE_TICKET_H

#include "ikev2/engine.h"

/* A command with one part; 0 without memory. */
uint64_t ike_ticket_new(struct ike_engine *e);
/* One part more. */
void ike_ticket_hold(struct ike_engine *e, uint64_t id);
/*
 * One part has ended; with the last one the command is done. The first @why of those that failed is
 * told.
 */
void ike_ticket_done(struct ike_engine *e, uint64_t id, bool ok, const char *why);
void ike_tickets_free(struct ike_engine *e);

#endif
