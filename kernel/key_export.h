/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Keys of SAs given back, for a protocol analyzer: only by a module that was built so
 * (KEY_EXPORT=1, CONFIG_ESPLANE_KEY_EXPORT). key_export.c does it, no_key_export.c refuses; the
 * build links the one or the other, and nothing else differs.
 */
#ifndef _ESPLANE_KEY_EXPORT_H
#define _ESPLANE_KEY_EXPORT_H

#include <linux/types.h>

struct esplane_sa;
struct netlink_ext_ack;
struct sk_buff;

/* Says in the kernel's log that keys can be had; once, when the module is there. */
void esplane_key_export_announce(void);
/* The same in a reply of caps-get. Return: 0 or -EMSGSIZE. */
int esplane_key_export_put_caps(struct sk_buff *reply);

/*
 * Keeps a copy of the key material of the unpublished @sa until esplane_key_export_forget(). May
 * sleep. Return: 0, or -ENOMEM with extack.
 */
int esplane_key_export_keep(struct esplane_sa *sa, const u8 *keymat, unsigned int len,
			    struct netlink_ext_ack *extack);
/* Zeroes and frees it, if there is one. Nobody else can reach @sa any more. */
void esplane_key_export_forget(struct esplane_sa *sa);

/*
 * Whether who sent @request may have keys; called in its context. Return: 0, -EOPNOTSUPP from a
 * module without, or -EPERM; extack says why.
 */
int esplane_key_export_allowed(struct sk_buff *request, struct netlink_ext_ack *extack);
/*
 * Logs that @current gets the keys of @sa, then puts them. The caller has asked
 * esplane_key_export_allowed() and keeps @sa alive. Return: 0 or -EMSGSIZE.
 */
int esplane_key_export_put(struct sk_buff *reply, const struct esplane_sa *sa);

#endif
