/* SPDX-License-Identifier: MIT */
/*
 * Interfaces of kind "esplane": what a stock ip cannot pass or show, over rtnetlink.
 *
 * Functions return 0 or a negative errno with a text in @why (DP_LINK_WHY bytes). They act on the
 * network namespace the caller is in.
 */
#ifndef ESPLANE_DATAPLANE_LINK_H
#define ESPLANE_DATAPLANE_LINK_H

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

enum { DP_LINK_WHY = 256 };

struct dp_link {
	char name[IF_NAMESIZE];
	uint32_t index;
	uint32_t if_id;			/* in dp_link_add() 0: the kernel chooses */
	uint32_t default_action;	/* enum esplane_link_action; 0: the kernel's default */
	uint32_t mtu;			/* in dp_link_add() 0: it follows the SAs */
	bool up;
	bool moved;			/* made in another namespace, where its SAs are */
	uint32_t made_in;		/* if @moved: that namespace's ID, as ip netns list-id has it */
	uint64_t rx_packets, rx_bytes, tx_packets, tx_bytes, tx_errors;
};

int dp_link_add(const struct dp_link *link, char *why);
/* Refuses an interface of another kind. */
int dp_link_del(const char *name, char *why);
int dp_link_dump(void (*fn)(void *arg, const struct dp_link *link), void *arg, char *why);

#endif
