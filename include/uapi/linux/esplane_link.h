/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause) */
/* rtnetlink attributes of interfaces of kind "esplane" (IFLA_INFO_DATA). */
#ifndef _UAPI_LINUX_ESPLANE_LINK_H
#define _UAPI_LINUX_ESPLANE_LINK_H

/**
 * enum - attributes of an esplane interface
 * @IFLA_ESPLANE_IF_ID: u32, what SAs and policies name the interface by; not 0, unique in the
 *	network namespace, fixed for life. Absent in a request: the interface index, or the next
 *	free number.
 */
enum {
	IFLA_ESPLANE_UNSPEC,
	IFLA_ESPLANE_IF_ID,
	__IFLA_ESPLANE_MAX
};

#define IFLA_ESPLANE_MAX (__IFLA_ESPLANE_MAX - 1)

#endif
