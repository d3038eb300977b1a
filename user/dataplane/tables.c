// SPDX-License-Identifier: MIT
/* The fields of every struct of types.h, with their attributes in the spec. */
#include "codec.h"
#include "types.h"

#define FIELD(kind_, attr_, type, member, ...)                                                   \
	{                                                                                        \
		.name = #member, .kind = kind_, .attr = attr_, .offset = offsetof(type, member), \
		__VA_ARGS__                                                                      \
	}
#define LIST(kind_, attr_, type, member, max_, ...)                                                \
	FIELD(kind_, attr_, type, member, .count_offset = offsetof(type, n_##member), .max = max_, \
	      __VA_ARGS__)
#define TABLE(name_, type, ...) \
	const struct dp_table name_ = { \
		.fields = name_ ## _fields, \
		.n_fields = sizeof(name_ ## _fields) / sizeof(*name_ ## _fields), \
		.size = sizeof(type), __VA_ARGS__ \
	}

static const char *const directions[] = { "in", "out", NULL };
static const char *const modes[] = { "tunnel", "transport", NULL };
static const char *const actions[] = { "protect", "bypass", "discard", NULL };
static const char *const sa_flags[] = { "esn", "no-replay-check", "copy-dscp", "no-ecn", NULL };
static const char *const causes[] = { "bytes", "packets", "time", "sequence", "use-time", NULL };

/* Ports are always put: an absent last port means 65535, not 0. */
#define SELECTOR(kind_, attr_, member, ...) \
	FIELD(kind_, ESPLANE_A_SELECTOR_ ## attr_, struct dp_selector, member, __VA_ARGS__)
static const struct dp_field dp_selector_table_fields[] = {
	SELECTOR(DP_ADDR, SRC_FIRST, src_first),
	SELECTOR(DP_ADDR, SRC_LAST, src_last),
	SELECTOR(DP_ADDR, DST_FIRST, dst_first),
	SELECTOR(DP_ADDR, DST_LAST, dst_last),
	SELECTOR(DP_U32, PROTOCOL, protocol),
	SELECTOR(DP_U16, SRC_PORT_FIRST, src_port_first, .always = true),
	SELECTOR(DP_U16, SRC_PORT_LAST, src_port_last, .always = true),
	SELECTOR(DP_U16, DST_PORT_FIRST, dst_port_first, .always = true),
	SELECTOR(DP_U16, DST_PORT_LAST, dst_port_last, .always = true),
};

static void selector_init(void *object)
{
	struct dp_selector *s = object;

	s->src_port_last = UINT16_MAX;
	s->dst_port_last = UINT16_MAX;
}

TABLE(dp_selector_table, struct dp_selector, .init = selector_init);

#define DROP(kind_, attr_, member) FIELD(kind_, ESPLANE_A_DROP_ ## attr_, struct dp_drop, member)
static const struct dp_field drop_table_fields[] = {
	DROP(DP_STRING, REASON, reason),
	DROP(DP_STRING, MEANING, meaning),
	DROP(DP_U64, COUNT, count),
};

static TABLE(drop_table, struct dp_drop);

#define SA(kind_, attr_, member, ...) \
	FIELD(kind_, ESPLANE_A_SA_##attr_, struct dp_sa, member, __VA_ARGS__)
static const struct dp_field dp_sa_table_fields[] = {
	SA(DP_U32, ID, id),
	SA(DP_U32, DIRECTION, direction, .values = directions),
	SA(DP_BE32, SPI, spi),
	SA(DP_ADDR, SRC, src),
	SA(DP_ADDR, DST, dst),
	SA(DP_U32, MODE, mode, .values = modes),
	SA(DP_U32, ENCR, encr),
	SA(DP_U32, INTEG, integ),
	SA(DP_BYTES, KEYMAT, keymat),
	SA(DP_U32, KEY_LEN, key_len),
	SA(DP_U32, FLAGS, flags, .values = sa_flags, .bits = true),
	SA(DP_U32, REPLAY_WINDOW, replay_window),
	SA(DP_U32, REPLAY_MISSING, replay_missing),
	SA(DP_U64, REPLAY_LATE, replay_late),
	SA(DP_U32, REPLAY_DEEPEST, replay_deepest),
	SA(DP_U64, TRAINS_ELSEWHERE, trains_elsewhere),
	SA(DP_U64, SEQ, seq),
	SA(DP_U16, ENCAP_SPORT, encap_sport),
	SA(DP_U16, ENCAP_DPORT, encap_dport),
	SA(DP_U32, IF_ID, if_id),
	SA(DP_U32, IFINDEX, ifindex),
	SA(DP_U32, OUTPUT_MARK, output_mark),
	SA(DP_U32, PATH_MTU, path_mtu),
	SA(DP_U64, COOKIE, cookie),
	SA(DP_U64, SOFT_BYTES, soft_bytes),
	SA(DP_U64, HARD_BYTES, hard_bytes),
	SA(DP_U64, SOFT_PACKETS, soft_packets),
	SA(DP_U64, HARD_PACKETS, hard_packets),
	SA(DP_U64, SOFT_SECONDS, soft_seconds),
	SA(DP_U64, HARD_SECONDS, hard_seconds),
	SA(DP_U64, SOFT_USE_SECONDS, soft_use_seconds),
	SA(DP_U64, HARD_USE_SECONDS, hard_use_seconds),
	SA(DP_U64, BYTES, bytes),
	SA(DP_U64, PACKETS, packets),
	SA(DP_U64, AGE, age),
	SA(DP_U64, IDLE, idle),
	SA(DP_STRING, DRIVER, driver),
	LIST(DP_NESTS, ESPLANE_A_SA_SELECTOR, struct dp_sa, selectors, ESPLANE_MAX_SELECTORS,
	     .nest = &dp_selector_table),
	LIST(DP_NESTS, ESPLANE_A_SA_DROP, struct dp_sa, drops, DP_MAX_DROPS,
	     .nest = &drop_table, .map = true),
};

static void sa_init(void *object)
{
	((struct dp_sa *)object)->idle = UINT64_MAX;
}

TABLE(dp_sa_table, struct dp_sa, .init = sa_init);

/* Ports are always put: 0 says native ESP, an absent one that it stays as it is. */
static const struct dp_field dp_sa_update_table_fields[] = {
	SA(DP_U32, ID, id),
	SA(DP_ADDR, SRC, src),
	SA(DP_ADDR, DST, dst),
	SA(DP_U16, ENCAP_SPORT, encap_sport, .always = true),
	SA(DP_U16, ENCAP_DPORT, encap_dport, .always = true),
	SA(DP_U32, IFINDEX, ifindex),
	SA(DP_U32, OUTPUT_MARK, output_mark),
};

TABLE(dp_sa_update_table, struct dp_sa);

#define POLICY(kind_, attr_, member, ...) \
	FIELD(kind_, ESPLANE_A_POLICY_ ## attr_, struct dp_policy, member, __VA_ARGS__)
static const struct dp_field dp_policy_table_fields[] = {
	POLICY(DP_U32, ID, id),
	POLICY(DP_U32, DIRECTION, direction, .values = directions),
	POLICY(DP_U32, ACTION, action, .values = actions),
	POLICY(DP_U32, PRIORITY, priority),
	POLICY(DP_U32, SA_ID, sa_id),
	POLICY(DP_U32, IF_ID, if_id),
	POLICY(DP_U64, COOKIE, cookie),
	POLICY(DP_U64, PACKETS, packets),
	POLICY(DP_U32, MARK, mark),
	POLICY(DP_U32, MARK_MASK, mark_mask),
	POLICY(DP_U32, HARD_SECONDS, hard_seconds),
	POLICY(DP_U32, LEFT_SECONDS, left_seconds),
	LIST(DP_NESTS, ESPLANE_A_POLICY_SELECTOR, struct dp_policy, selectors,
	     ESPLANE_MAX_SELECTORS, .nest = &dp_selector_table),
};

TABLE(dp_policy_table, struct dp_policy);

/* What names a policy. */
static const struct dp_field dp_policy_id_table_fields[] = {
	POLICY(DP_U32, ID, id),
};

TABLE(dp_policy_id_table, struct dp_policy);

#define SPD(kind_, attr_, member, ...) \
	FIELD(kind_, ESPLANE_A_SPD_ ## attr_, struct dp_spd, member, __VA_ARGS__)
static const struct dp_field dp_spd_table_fields[] = {
	SPD(DP_U32, DEFAULT_IN, default_in, .values = actions),
	SPD(DP_U32, DEFAULT_OUT, default_out, .values = actions),
};

TABLE(dp_spd_table, struct dp_spd);

#define TRANSFORM(kind_, attr_, member) \
	FIELD(kind_, ESPLANE_A_TRANSFORM_##attr_, struct dp_transform, member)
static const struct dp_field transform_table_fields[] = {
	TRANSFORM(DP_U32, ENCR, encr),
	TRANSFORM(DP_U32, INTEG, integ),
	LIST(DP_U32S, ESPLANE_A_TRANSFORM_KEY_LEN, struct dp_transform, key_lens, DP_MAX_KEY_LENS),
	TRANSFORM(DP_STRING, NAME, name),
	TRANSFORM(DP_STRING, DRIVER, driver),
};

static TABLE(transform_table, struct dp_transform);

#define CAPS(kind_, attr_, member) FIELD(kind_, ESPLANE_A_CAPS_ ## attr_, struct dp_caps, member)
static const struct dp_field dp_caps_table_fields[] = {
	CAPS(DP_STRING, VERSION, version),
	CAPS(DP_U32, MAX_REPLAY_WINDOW, max_replay_window),
	CAPS(DP_U32, MAX_SELECTORS, max_selectors),
	CAPS(DP_FLAG, KEY_EXPORT, key_export),
	LIST(DP_NESTS, ESPLANE_A_CAPS_TRANSFORM, struct dp_caps, transforms, DP_MAX_TRANSFORMS,
	     .nest = &transform_table),
};

TABLE(dp_caps_table, struct dp_caps);

#define STATS(kind_, attr_, member) FIELD(kind_, ESPLANE_A_STATS_ ## attr_, struct dp_stats, member)
static const struct dp_field dp_stats_table_fields[] = {
	STATS(DP_U64, IN_PACKETS, in_packets),
	STATS(DP_U64, IN_BYTES, in_bytes),
	STATS(DP_U64, IN_TRAINS, in_trains),
	STATS(DP_U64, OUT_PACKETS, out_packets),
	STATS(DP_U64, OUT_BYTES, out_bytes),
	STATS(DP_U64, OUT_TRAINS, out_trains),
	STATS(DP_U32, SAS, sas),
	STATS(DP_U32, POLICIES, policies),
	STATS(DP_U32, HELD, held),
	LIST(DP_NESTS, ESPLANE_A_STATS_DROP, struct dp_stats, drops, DP_MAX_DROPS,
	     .nest = &drop_table, .map = true),
};

TABLE(dp_stats_table, struct dp_stats);

#define SPI(kind_, attr_, member) FIELD(kind_, ESPLANE_A_SPI_ ## attr_, struct dp_spi, member)
static const struct dp_field dp_spi_table_fields[] = {
	SPI(DP_BE32, SPI, spi),
	SPI(DP_U32, LOWEST, lowest),
	SPI(DP_U32, HIGHEST, highest),
	SPI(DP_ADDR, DST, dst),
	SPI(DP_U32, TIMEOUT, timeout),
};

TABLE(dp_spi_table, struct dp_spi);

#define ENCAP(kind_, attr_, member) FIELD(kind_, ESPLANE_A_ENCAP_ ## attr_, struct dp_encap, member)
static const struct dp_field dp_encap_table_fields[] = {
	ENCAP(DP_U32, FD, fd),
	ENCAP(DP_U16, PORT, port),
	ENCAP(DP_FLAG, IKE_ONLY, ike_only),
};

TABLE(dp_encap_table, struct dp_encap);

#define EVENT(kind_, attr_, member, ...) \
	FIELD(kind_, ESPLANE_A_EVENT_ ## attr_, struct dp_event, member, __VA_ARGS__)
static const struct dp_field dp_event_table_fields[] = {
	EVENT(DP_U32, SA_ID, sa_id),
	EVENT(DP_U32, POLICY_ID, policy_id),
	EVENT(DP_U32, DIRECTION, direction, .values = directions),
	EVENT(DP_BE32, SPI, spi),
	EVENT(DP_U64, COOKIE, cookie),
	EVENT(DP_FLAG, HARD, hard),
	EVENT(DP_U32, CAUSE, cause, .values = causes, .bits = true),
	EVENT(DP_U64, BYTES, bytes),
	EVENT(DP_U64, PACKETS, packets),
	EVENT(DP_ADDR, SRC, src),
	EVENT(DP_U16, SPORT, sport),
	EVENT(DP_ADDR, OLD_SRC, old_src),
	EVENT(DP_U16, OLD_SPORT, old_sport),
	LIST(DP_NESTS, ESPLANE_A_EVENT_SELECTOR, struct dp_event, selectors, 1,
	     .nest = &dp_selector_table),
	EVENT(DP_U32, IF_ID, if_id),
};

TABLE(dp_event_table, struct dp_event);
