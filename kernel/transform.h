/* SPDX-License-Identifier: GPL-2.0 */
/* ESP transforms: IANA IDs, kernel name, and the sizes of key, salt, IV and ICV. */
#ifndef _ESPLANE_TRANSFORM_H
#define _ESPLANE_TRANSFORM_H

#include <linux/types.h>

struct esplane_sa;
struct netlink_ext_ack;

/* Where a packet's IV comes from. */
enum esplane_iv {
	ESPLANE_IV_NONE,
	ESPLANE_IV_COUNTER,	/* must be unique: the sequence number; sent */
	ESPLANE_IV_RANDOM,	/* must be unpredictable; sent */
	ESPLANE_IV_IMPLICIT,	/* the sequence number, which the peer knows (RFC 8750) */
};

/* What the kernel's crypto calls it, and the refusal if it has none. */
struct esplane_algorithm {
	const char *name, *missing;
};

/**
 * struct esplane_transform - one row of the table: a cipher, with what authenticates
 * @encr: IANA ENCR_* (RFC 7296 section 3.3.2)
 * @integ: IANA INTEG AUTH_HMAC_*, 0 with a cipher that has integrity of its own
 * @name: in the field, aes-gcm-16
 * @aead: kernel AEAD
 * @aead_esn: with extended sequence numbers; no name: the same
 * @iv_len: bytes on the wire
 * @icv_len: bytes
 * @salt_len: bytes of the key material after the cipher's key
 * @integ_len: bytes of the integrity key, after key and salt
 * @block: bytes that encrypted text is a multiple of
 * @key_bits: allowed for the cipher, zero-terminated; none: the cipher takes no key
 */
struct esplane_transform {
	u32 encr;
	u32 integ;
	const char *name;
	struct esplane_algorithm aead, aead_esn;
	enum esplane_iv iv;
	u8 iv_len, icv_len;
	u8 salt_len, integ_len;
	u8 block;
	u16 key_bits[4];
};

/* NULL if unknown. */
const struct esplane_transform *esplane_transform_find(u32 encr, u32 integ);
/* With one integrity transform or another, or without. */
bool esplane_transform_knows(u32 encr);
/* The i-th of the table, NULL past its end. */
const struct esplane_transform *esplane_transform_nth(unsigned int i);

/**
 * esplane_transform_setup - gives an SA its cipher
 * @sa: its flags are set
 * @key: the cipher's key, salt, integrity key, @len bytes: the order in which one direction's keys
 *	are cut from KEYMAT (RFC 7296 section 2.17; for the salt RFC 4106 section 8.1 and its like)
 *
 * Sets sa->transform, ->aead, ->salt and ->key_bits. May sleep.
 * Return: 0, -EINVAL, -ENOENT (kernel lacks it), -ENOMEM; extack says why.
 */
int esplane_transform_setup(struct esplane_sa *sa, u32 encr, u32 integ, const u8 *key,
			    unsigned int len, struct netlink_ext_ack *extack);
void esplane_transform_teardown(struct esplane_sa *sa);
/* Writes the IV of packet @seq, if it has one, to where it is sent from. */
void esplane_transform_write_iv(const struct esplane_transform *t, u64 seq, u8 *wire);
/* Driver serving @t now, for caps-get; empty if the kernel lacks it. May sleep. Or -ENOMEM. */
int __must_check esplane_transform_driver(const struct esplane_transform *t, char *buf, size_t len);

#endif
