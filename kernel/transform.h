/* SPDX-License-Identifier: GPL-2.0 */
/* ESP transforms: IANA ID, kernel name, and the sizes of key, salt, IV and ICV. */
#ifndef _ESPLANE_TRANSFORM_H
#define _ESPLANE_TRANSFORM_H

#include <linux/types.h>

struct esplane_sa;
struct netlink_ext_ack;

struct esplane_transform {
	u32 encr;		/* IANA ENCR_* (RFC 7296 section 3.3.2) */
	const char *name;	/* the field's name, aes-gcm-16 */
	const char *aead;	/* kernel AEAD template */
	u8 salt_len, iv_len, icv_len;	/* bytes */
	u8 align;			/* of the payload (RFC 4303 section 2.4) */
	u16 key_bits[4];	/* allowed, zero-terminated */
};

/* NULL if unknown. */
const struct esplane_transform *esplane_transform_find(u32 encr);
/* The i-th of the table, NULL past its end. */
const struct esplane_transform *esplane_transform_nth(unsigned int i);

/**
 * esplane_transform_setup - gives an SA its cipher
 * @key: key followed by salt, @len bytes
 *
 * Sets sa->transform, ->aead, ->salt and ->key_bits. May sleep.
 * Return: 0, -EINVAL, -ENOENT (kernel lacks it), -ENOMEM; extack says why.
 */
int esplane_transform_setup(struct esplane_sa *sa, u32 encr, const u8 *key, unsigned int len,
			    struct netlink_ext_ack *extack);
void esplane_transform_teardown(struct esplane_sa *sa);
/* Driver serving @t now, for caps-get; empty if the kernel lacks it. May sleep. */
void esplane_transform_driver(const struct esplane_transform *t, char *buf, size_t len);

#endif
