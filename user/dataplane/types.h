/* SPDX-License-Identifier: MIT */
/*
 * What the genetlink family `esplane` speaks of, as C types: mirrors of the attribute sets in
 * include/netlink/esplane.yaml, which documents every field. Here all integers are in host byte
 * order (SPIs too). A zero field is left out of a request and means what the spec says of an absent
 * attribute.
 */
#ifndef ESPLANE_DATAPLANE_TYPES_H
#define ESPLANE_DATAPLANE_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/esplane.h>

enum {
	DP_MAX_DROPS = 128,		/* more reasons than any module has */
	DP_MAX_TRANSFORMS = 32,
	DP_MAX_KEY_LENS = 4,
};

/* 4 or 16 bytes in network byte order; @len 0: absent. */
struct dp_addr {
	uint8_t len;
	uint8_t bytes[16];
};

/* Borrowed: valid as long as what it points into. */
struct dp_bytes {
	const uint8_t *data;
	size_t len;
};

struct dp_selector {
	struct dp_addr src_first, src_last, dst_first, dst_last;
	uint32_t protocol;
	uint16_t src_port_first, src_port_last, dst_port_first, dst_port_last;
};

/* Strings are borrowed from the reply, valid during the callback. */
struct dp_drop {
	const char *reason, *meaning;
	uint64_t count;
};

struct dp_sa {
	uint32_t id;
	uint32_t direction;		/* enum esplane_direction */
	uint32_t spi;
	struct dp_addr src, dst;
	uint32_t mode;			/* enum esplane_mode */
	uint32_t encr, integ;
	struct dp_bytes keymat;		/* key, salt, integrity key; of replies in dp_sa_keys_get()'s alone */
	uint32_t key_len;		/* bits */
	uint32_t flags;			/* enum esplane_sa_flag */
	uint32_t replay_window;
	uint32_t replay_missing, replay_deepest;
	uint64_t replay_late;
	uint64_t trains_elsewhere;	/* decrypted by another CPU than the one they came to */
	uint64_t seq;
	uint16_t encap_sport, encap_dport;
	uint32_t if_id;
	uint32_t ifindex;		/* of the outer interface */
	uint32_t output_mark;		/* of outer packets; inbound, of decrypted ones */
	uint32_t path_mtu;
	uint64_t cookie;
	uint64_t soft_bytes, hard_bytes, soft_packets, hard_packets, soft_seconds, hard_seconds;
	uint64_t soft_use_seconds, hard_use_seconds;
	uint64_t bytes, packets, age;
	uint64_t idle;			/* UINT64_MAX: never used */
	const char *driver;
	struct dp_selector selectors[ESPLANE_MAX_SELECTORS];
	size_t n_selectors;
	struct dp_drop drops[DP_MAX_DROPS];
	size_t n_drops;
};

struct dp_policy {
	uint32_t id;
	uint32_t direction;
	uint32_t action;		/* enum esplane_action */
	uint32_t priority;
	uint32_t sa_id;
	uint32_t if_id;
	uint64_t cookie;
	uint64_t packets;
	uint32_t mark, mark_mask;
	uint32_t hard_seconds;		/* of a request */
	uint32_t left_seconds;		/* of a reply */
	struct dp_selector selectors[ESPLANE_MAX_SELECTORS];
	size_t n_selectors;
};

/* What happens to packets that no policy covers. */
struct dp_spd {
	uint32_t default_in, default_out;	/* enum esplane_action */
};

struct dp_transform {
	uint32_t encr, integ;
	uint32_t key_lens[DP_MAX_KEY_LENS];	/* bits */
	size_t n_key_lens;
	const char *name, *driver;
};

struct dp_caps {
	const char *version;
	uint32_t max_replay_window, max_selectors;
	bool key_export;		/* dp_sa_keys_get() works */
	struct dp_transform transforms[DP_MAX_TRANSFORMS];
	size_t n_transforms;
};

struct dp_stats {
	uint64_t in_packets, in_bytes, in_trains;
	uint64_t out_packets, out_bytes, out_trains;
	uint32_t sas, policies, held;
	struct dp_drop drops[DP_MAX_DROPS];
	size_t n_drops;
};

struct dp_spi {
	uint32_t spi, lowest, highest;
	struct dp_addr dst;
	uint32_t timeout;
};

struct dp_encap {
	uint32_t fd;
	uint16_t port;
	bool ike_only;
};

struct dp_event {
	uint32_t sa_id, policy_id;
	uint32_t direction;
	uint32_t spi;
	uint64_t cookie;
	bool hard;
	uint32_t cause;			/* enum esplane_expire_cause */
	uint64_t bytes, packets;
	struct dp_addr src, old_src;
	uint16_t sport, old_sport;
	struct dp_selector selectors[1];
	size_t n_selectors;
	uint32_t if_id;
};

#endif
