// SPDX-License-Identifier: GPL-2.0
/* Without key export, which is the default: keys that came in never come out. */
#include <linux/netlink.h>

#include "key_export.h"

void esplane_key_export_announce(void)
{
}

int esplane_key_export_put_caps(struct sk_buff *reply)
{
	return 0;
}

int esplane_key_export_keep(struct esplane_sa *sa, const u8 *keymat, unsigned int len,
			    struct netlink_ext_ack *extack)
{
	return 0;
}

void esplane_key_export_forget(struct esplane_sa *sa)
{
}

int esplane_key_export_allowed(struct sk_buff *request, struct netlink_ext_ack *extack)
{
	NL_SET_ERR_MSG(extack, "the module was built without key export (KEY_EXPORT=1)");
	return -EOPNOTSUPP;
}

/* Nobody gets here: none was allowed to. */
int esplane_key_export_put(struct sk_buff *reply, const struct esplane_sa *sa)
{
	return -EOPNOTSUPP;
}
