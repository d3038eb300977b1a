// SPDX-License-Identifier: MIT
/* What get-counters counts: each exchange, request and response, both ways, under names of their own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/counters.h"
#include "ikev2/wire/wire.h"

enum { SIZE = 64, FRAGMENT_NUMBER_AT = 33 };

/* A message whose first payload is @next (RFC 7296 section 3.1); of a fragment, @number. */
static void count(struct counters *c, bool sent, uint8_t exchange, bool response, uint8_t next,
		  uint8_t number)
{
	uint8_t message[SIZE] = {[0] = 1, [8] = 2, [17] = 0x20, [27] = SIZE};

	message[16] = next;
	message[18] = exchange;
	message[19] = response ? 0x20 : 0;
	message[FRAGMENT_NUMBER_AT] = number;
	counters_message(c, sent, message, sizeof(message));
}

/* The value of @name, as VICI tells it; -1: there is none. */
static int told(const struct counters *c, const char *name)
{
	struct vici_builder b = {0};
	struct vici_packet packet;
	struct vici_node *tree;
	const char *why, *value;
	uint8_t *bytes;
	size_t len;
	int n;

	vici_begin(&b, VICI_CMD_RESPONSE, NULL);
	counters_put(c, 0, &b);
	bytes = vici_finish(&b, &len, &why);
	assert_non_null(bytes);
	assert_int_equal(vici_packet_parse(&packet, bytes + VICI_HEADER_LEN, len - VICI_HEADER_LEN, &why), 0);
	tree = vici_tree_parse(packet.body, packet.body_len, &why);
	assert_non_null(tree);
	value = vici_get(tree, name);
	n = value ? atoi(value) : -1;
	vici_tree_free(tree);
	free(bytes);
	return n;
}

static void exchanges(void **state)
{
	static const struct {
		uint8_t exchange;
		const char *name;
	} all[] = {
		{34, "ike-init"}, {35, "ike-auth"},	{36, "create-child"},
		{37, "info"},	  {43, "intermediate"}, {44, "followup-ke"},
	};
	static const char *const kinds[] = {"in-req", "in-resp", "out-req", "out-resp"};
	struct counters c = {0};
	char name[64];

	/* As often as its place in both lists says. */
	for (size_t i = 0; i < 6; i++)
		for (size_t k = 0; k < 4; k++)
			for (size_t n = 0; n <= 4 * i + k; n++)
				count(&c, k >= 2, all[i].exchange, k & 1, 46, 0);
	for (size_t i = 0; i < 6; i++) {
		for (size_t k = 0; k < 4; k++) {
			snprintf(name, sizeof(name), "%s-%s", all[i].name, kinds[k]);
			assert_int_equal(told(&c, name), 4 * i + k + 1);
		}
	}
	counters_reset(&c, 0);
	assert_int_equal(told(&c, "intermediate-in-req"), 0);
	assert_int_equal(told(&c, "no such name"), -1);
}

/* RFC 7383: of a message in fragments the first counts. */
static void fragments(void **state)
{
	struct counters c = {0};

	for (uint8_t number = 1; number <= 3; number++)
		count(&c, false, 43, false, 53, number);
	assert_int_equal(told(&c, "intermediate-in-req"), 1);
	/* Of an exchange that is none, nothing. */
	count(&c, false, 99, false, 46, 0);
	assert_int_equal(told(&c, "invalid"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(exchanges),
		cmocka_unit_test(fragments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
