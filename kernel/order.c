// SPDX-License-Identifier: GPL-2.0
/*
 * The order in which trains came, kept while several CPUs work at them.
 *
 * A train leaves when it is through (train->through) and all that came before it have left. That a
 * train waits for a CPU or is being worked at does not change its place.
 *
 * Locking: all is under order->lock, which callers hold: they change state of their own with it.
 */
#include <kunit/visibility.h>
#include <linux/lockdep.h>

#include "order.h"
#include "train.h"

void esplane_order_init(struct esplane_order *order)
{
	spin_lock_init(&order->lock);
	INIT_LIST_HEAD(&order->trains);
	INIT_LIST_HEAD(&order->waiting);
	order->n_trains = 0;
	order->n_waiting = 0;
}
EXPORT_SYMBOL_IF_KUNIT(esplane_order_init);

bool esplane_order_add(struct esplane_order *order, struct esplane_train *train, bool wait)
{
	lockdep_assert_held(&order->lock);
	if (order->n_trains == ESPLANE_ORDER_MAX)
		return false;
	train->through = false;
	list_add_tail(&train->in_order, &order->trains);
	order->n_trains++;
	if (wait) {
		list_add_tail(&train->in_waiting, &order->waiting);
		order->n_waiting++;
	}
	return true;
}
EXPORT_SYMBOL_IF_KUNIT(esplane_order_add);

struct esplane_train *esplane_order_take_waiting(struct esplane_order *order)
{
	struct esplane_train *train;

	lockdep_assert_held(&order->lock);
	train = list_first_entry_or_null(&order->waiting, struct esplane_train, in_waiting);
	if (train) {
		list_del(&train->in_waiting);
		order->n_waiting--;
	}
	return train;
}
EXPORT_SYMBOL_IF_KUNIT(esplane_order_take_waiting);

bool esplane_order_is_ready(struct esplane_order *order)
{
	struct esplane_train *first;

	lockdep_assert_held(&order->lock);
	first = list_first_entry_or_null(&order->trains, struct esplane_train, in_order);
	return first && first->through;
}
EXPORT_SYMBOL_IF_KUNIT(esplane_order_is_ready);

struct esplane_train *esplane_order_take(struct esplane_order *order)
{
	struct esplane_train *train;

	if (!esplane_order_is_ready(order))
		return NULL;
	train = list_first_entry(&order->trains, struct esplane_train, in_order);
	list_del(&train->in_order);
	order->n_trains--;
	return train;
}
EXPORT_SYMBOL_IF_KUNIT(esplane_order_take);
