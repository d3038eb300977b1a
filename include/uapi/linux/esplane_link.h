/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause) */
/* rtnetlink attributes of interfaces of kind "esplane" (IFLA_INFO_DATA). */
#ifndef _UAPI_LINUX_ESPLANE_LINK_H
#define _UAPI_LINUX_ESPLANE_LINK_H

/**
 * enum esplane_link_action - what becomes of a packet that no policy of the interface covers
 * @ESPLANE_LINK_REJECT: it is dropped, and its sender told by ICMP
 * @ESPLANE_LINK_DISCARD: it is dropped
 *
 * There is none that lets it pass: what is routed into a tunnel leaves it protected or not at all.
 */
enum esplane_link_action {
	ESPLANE_LINK_REJECT = 1,
	ESPLANE_LINK_DISCARD,
	__ESPLANE_LINK_ACTION_MAX
};

#define ESPLANE_LINK_ACTION_MAX (__ESPLANE_LINK_ACTION_MAX - 1)

/**
 * enum - attributes of an esplane interface
 * @IFLA_ESPLANE_IF_ID: u32, what SAs and policies name the interface by; not 0, unique among the
 *	interfaces that were made in one network namespace, fixed for life. Absent in a request: the
 *	interface index, or the next free number.
 * @IFLA_ESPLANE_DEFAULT_ACTION: u32, enum esplane_link_action; absent: ESPLANE_LINK_REJECT
 */
enum {
	IFLA_ESPLANE_UNSPEC,
	IFLA_ESPLANE_IF_ID,
	IFLA_ESPLANE_DEFAULT_ACTION,
	__IFLA_ESPLANE_MAX
};

#define IFLA_ESPLANE_MAX (__IFLA_ESPLANE_MAX - 1)

#endif
