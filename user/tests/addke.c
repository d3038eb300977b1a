// SPDX-License-Identifier: MIT
/* What the tests of additional key exchanges share. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/addke.h"

struct ike_conn_cfg *addke_conn(struct world *w, unsigned int end)
{
	return &w->end[end].config->conns[0];
}

void addke_propose(struct world *w, unsigned int end, const char *text)
{
	struct ike_proposal_list *list = &addke_conn(w, end)->proposals;

	ike_proposal_list_clear(list);
	assert_true(ike_proposal_list_parse(list, IKE_PROTO_IKE, text, NULL));
}

struct world *addke_begin(const char *ours, const char *theirs)
{
	struct world *w = world_new();

	addke_propose(w, 0, ours);
	addke_propose(w, 1, theirs);
	return w;
}

void addke_assert_up(struct world *w)
{
	assert_true(world_connected(w));
	for (unsigned int i = 0; i < 2; i++) {
		assert_int_equal(world_count_ike(w, i, "ESTABLISHED"), 1);
		assert_int_equal(world_count_ike(w, i, NULL), 1);
		assert_int_equal(world_count_children(w, i, "INSTALLED"), 1);
		assert_int_equal(w->end[i].spis, 0);
	}
}

unsigned int addke_count(struct world *w, uint8_t exchange)
{
	unsigned int n = 0;
	struct ike_header h;

	for (size_t i = 0; i < w->n_sent; i++)
		if (ike_header_decode(ike_bytes(w->sent[i].bytes, w->sent[i].len), &h, NULL))
			n += h.exchange == exchange;
	return n;
}
