// SPDX-License-Identifier: GPL-2.0
/*
 * Key export: each SA keeps its key material, and sa-keys-get gives it to root.
 *
 * Locking: esplane_sa::keymat is written before the SA is published and freed after its last
 * reference went; between the two it does not change.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cred.h>
#include <linux/module.h>
#include <linux/netlink.h>
#include <linux/sched.h>
#include <linux/security.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uidgid.h>
#include <net/net_namespace.h>
#include <net/netlink.h>

#include "key_export.h"
#include "net.h"
#include "sa.h"

struct esplane_keymat {
	unsigned int len;
	u8 bytes[];
};

void esplane_key_export_announce(void)
{
	pr_warn("built with key export: root can read the keys of all SAs\n");
}

int esplane_key_export_put_caps(struct sk_buff *reply)
{
	return nla_put_flag(reply, ESPLANE_A_CAPS_KEY_EXPORT);
}

int esplane_key_export_keep(struct esplane_sa *sa, const u8 *keymat, unsigned int len,
			    struct netlink_ext_ack *extack)
{
	struct esplane_keymat *copy = kmalloc(struct_size(copy, bytes, len), GFP_KERNEL_ACCOUNT);

	if (!copy) {
		NL_SET_ERR_MSG(extack, "no memory for the copy of the keys");
		return -ENOMEM;
	}
	copy->len = len;
	memcpy(copy->bytes, keymat, len);
	sa->keymat = copy;
	return 0;
}

void esplane_key_export_forget(struct esplane_sa *sa)
{
	kfree_sensitive(sa->keymat);
	sa->keymat = NULL;
}

int esplane_key_export_allowed(struct sk_buff *request, struct netlink_ext_ack *extack)
{
	/*
	 * A container's root has CAP_NET_ADMIN over its network namespace, and by that may make SAs
	 * and remove them; keys are another matter. netlink_capable() also asks who opened the
	 * socket, lest a set-uid program be made to write to one that it was handed.
	 */
	if (!netlink_capable(request, CAP_SYS_ADMIN)) {
		NL_SET_ERR_MSG(extack,
			       "keys: only for CAP_SYS_ADMIN in the initial user namespace");
		return -EPERM;
	}
	/* As xfrm's keys: a kernel locked down for confidentiality has secrets from root. */
	if (security_locked_down(LOCKDOWN_XFRM_SECRET)) {
		NL_SET_ERR_MSG(extack, "keys: the kernel is locked down for confidentiality");
		return -EPERM;
	}
	return 0;
}

/*
 * Not rate-limited: an export that a flood of others hides would be one that nobody hears of. The
 * name is escaped, since a process chooses it and could make lines of its own with it.
 */
static void log_export(const struct esplane_sa *sa)
{
	char comm[TASK_COMM_LEN];

	get_task_comm(comm, current);
	pr_notice("keys of SA %u (SPI 0x%08x, netns %u) given to %*pE, pid %d, uid %u\n",
		  sa->id, be32_to_cpu(sa->spi), sa->en->net->ns.inum, (int)strlen(comm), comm,
		  task_tgid_nr(current), from_kuid(&init_user_ns, current_uid()));
}

int esplane_key_export_put(struct sk_buff *reply, const struct esplane_sa *sa)
{
	log_export(sa);
	return nla_put(reply, ESPLANE_A_SA_KEYMAT, sa->keymat->len, sa->keymat->bytes);
}

MODULE_INFO(key_export, "Y: root can read the keys of all SAs");
