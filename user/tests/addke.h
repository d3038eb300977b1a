/* SPDX-License-Identifier: MIT */
/* What the tests of additional key exchanges share. */
#ifndef ESPLANE_TESTS_ADDKE_H
#define ESPLANE_TESTS_ADDKE_H

#include "tests/world.h"

struct ike_conn_cfg *addke_conn(struct world *w, unsigned int end);
/* For the IKE SA, in place of what is there. */
void addke_propose(struct world *w, unsigned int end, const char *text);
struct world *addke_begin(const char *ours, const char *theirs);
/* One IKE SA and one CHILD_SA at each end, connected, and nothing left over. */
void addke_assert_up(struct world *w);
/* Messages of this exchange that were sent. */
unsigned int addke_count(struct world *w, uint8_t exchange);

#endif
