// SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause)
/* Do not edit directly, auto-generated from: */
/*	include/netlink/esplane.yaml */
/* YNL-GEN kernel source */
/* To regenerate run: make regen */

#include <net/netlink.h>
#include <net/genetlink.h>

#include "compat.h"
#include "netlink.h"
#include "netlink_gen.h"

#include <uapi/linux/esplane.h>

/* Integer value ranges */
static struct netlink_range_validation esplane_a_selector_src_port_first_range = {
	.max	= 65535ULL,
};

static struct netlink_range_validation esplane_a_selector_src_port_last_range = {
	.max	= 65535ULL,
};

static struct netlink_range_validation esplane_a_selector_dst_port_first_range = {
	.max	= 65535ULL,
};

static struct netlink_range_validation esplane_a_selector_dst_port_last_range = {
	.max	= 65535ULL,
};

static struct netlink_range_validation esplane_a_sa_encap_sport_range = {
	.max	= 65535ULL,
};

static struct netlink_range_validation esplane_a_sa_encap_dport_range = {
	.max	= 65535ULL,
};

static struct netlink_range_validation esplane_a_encap_port_range = {
	.max	= 65535ULL,
};

/* Common nested types */
const struct nla_policy esplane_selector_nl_policy[ESPLANE_A_SELECTOR_DST_PORT_LAST + 1] = {
	[ESPLANE_A_SELECTOR_SRC_FIRST] = NLA_POLICY_MAX_LEN(16),
	[ESPLANE_A_SELECTOR_SRC_LAST] = NLA_POLICY_MAX_LEN(16),
	[ESPLANE_A_SELECTOR_DST_FIRST] = NLA_POLICY_MAX_LEN(16),
	[ESPLANE_A_SELECTOR_DST_LAST] = NLA_POLICY_MAX_LEN(16),
	[ESPLANE_A_SELECTOR_PROTOCOL] = NLA_POLICY_MAX(NLA_U32, 255),
	[ESPLANE_A_SELECTOR_SRC_PORT_FIRST] = NLA_POLICY_FULL_RANGE(NLA_U32, &esplane_a_selector_src_port_first_range),
	[ESPLANE_A_SELECTOR_SRC_PORT_LAST] = NLA_POLICY_FULL_RANGE(NLA_U32, &esplane_a_selector_src_port_last_range),
	[ESPLANE_A_SELECTOR_DST_PORT_FIRST] = NLA_POLICY_FULL_RANGE(NLA_U32, &esplane_a_selector_dst_port_first_range),
	[ESPLANE_A_SELECTOR_DST_PORT_LAST] = NLA_POLICY_FULL_RANGE(NLA_U32, &esplane_a_selector_dst_port_last_range),
};

/* ESPLANE_CMD_SPI_ALLOC - do */
static const struct nla_policy esplane_spi_alloc_nl_policy[ESPLANE_A_SPI_TIMEOUT + 1] = {
	[ESPLANE_A_SPI_LOWEST] = { .type = NLA_U32, },
	[ESPLANE_A_SPI_HIGHEST] = { .type = NLA_U32, },
	[ESPLANE_A_SPI_DST] = NLA_POLICY_MAX_LEN(16),
	[ESPLANE_A_SPI_TIMEOUT] = { .type = NLA_U32, },
};

/* ESPLANE_CMD_SPI_FREE - do */
static const struct nla_policy esplane_spi_free_nl_policy[ESPLANE_A_SPI_DST + 1] = {
	[ESPLANE_A_SPI_SPI] = { .type = NLA_BE32, },
	[ESPLANE_A_SPI_DST] = NLA_POLICY_MAX_LEN(16),
};

/* ESPLANE_CMD_SA_NEW - do */
static const struct nla_policy esplane_sa_new_nl_policy[ESPLANE_A_SA_OUTPUT_MARK + 1] = {
	[ESPLANE_A_SA_DIRECTION] = NLA_POLICY_RANGE(NLA_U32, 1, 2),
	[ESPLANE_A_SA_SPI] = { .type = NLA_BE32, },
	[ESPLANE_A_SA_SRC] = NLA_POLICY_MAX_LEN(16),
	[ESPLANE_A_SA_DST] = NLA_POLICY_MAX_LEN(16),
	[ESPLANE_A_SA_MODE] = NLA_POLICY_RANGE(NLA_U32, 1, 2),
	[ESPLANE_A_SA_ENCR] = { .type = NLA_U32, },
	[ESPLANE_A_SA_INTEG] = { .type = NLA_U32, },
	[ESPLANE_A_SA_KEYMAT] = NLA_POLICY_MAX_LEN(ESPLANE_MAX_KEYMAT_LEN),
	[ESPLANE_A_SA_FLAGS] = NLA_POLICY_MASK(NLA_U32, 0xf),
	[ESPLANE_A_SA_REPLAY_WINDOW] = { .type = NLA_U32, },
	[ESPLANE_A_SA_SEQ] = { .type = NLA_U64, },
	[ESPLANE_A_SA_ENCAP_SPORT] = NLA_POLICY_FULL_RANGE(NLA_U32, &esplane_a_sa_encap_sport_range),
	[ESPLANE_A_SA_ENCAP_DPORT] = NLA_POLICY_FULL_RANGE(NLA_U32, &esplane_a_sa_encap_dport_range),
	[ESPLANE_A_SA_IF_ID] = { .type = NLA_U32, },
	[ESPLANE_A_SA_COOKIE] = { .type = NLA_U64, },
	[ESPLANE_A_SA_SELECTOR] = NLA_POLICY_NESTED(esplane_selector_nl_policy),
	[ESPLANE_A_SA_SOFT_BYTES] = { .type = NLA_U64, },
	[ESPLANE_A_SA_HARD_BYTES] = { .type = NLA_U64, },
	[ESPLANE_A_SA_SOFT_PACKETS] = { .type = NLA_U64, },
	[ESPLANE_A_SA_HARD_PACKETS] = { .type = NLA_U64, },
	[ESPLANE_A_SA_SOFT_SECONDS] = { .type = NLA_U64, },
	[ESPLANE_A_SA_HARD_SECONDS] = { .type = NLA_U64, },
	[ESPLANE_A_SA_IFINDEX] = { .type = NLA_U32, },
	[ESPLANE_A_SA_SOFT_USE_SECONDS] = { .type = NLA_U64, },
	[ESPLANE_A_SA_HARD_USE_SECONDS] = { .type = NLA_U64, },
	[ESPLANE_A_SA_OUTPUT_MARK] = { .type = NLA_U32, },
};

/* ESPLANE_CMD_SA_GET - do */
static const struct nla_policy esplane_sa_get_nl_policy[ESPLANE_A_SA_ID + 1] = {
	[ESPLANE_A_SA_ID] = { .type = NLA_U32, },
};

/* ESPLANE_CMD_SA_UPDATE - do */
static const struct nla_policy esplane_sa_update_nl_policy[ESPLANE_A_SA_OUTPUT_MARK + 1] = {
	[ESPLANE_A_SA_ID] = { .type = NLA_U32, },
	[ESPLANE_A_SA_SRC] = NLA_POLICY_MAX_LEN(16),
	[ESPLANE_A_SA_DST] = NLA_POLICY_MAX_LEN(16),
	[ESPLANE_A_SA_ENCAP_SPORT] = NLA_POLICY_FULL_RANGE(NLA_U32, &esplane_a_sa_encap_sport_range),
	[ESPLANE_A_SA_ENCAP_DPORT] = NLA_POLICY_FULL_RANGE(NLA_U32, &esplane_a_sa_encap_dport_range),
	[ESPLANE_A_SA_IFINDEX] = { .type = NLA_U32, },
	[ESPLANE_A_SA_OUTPUT_MARK] = { .type = NLA_U32, },
};

/* ESPLANE_CMD_SA_DEL - do */
static const struct nla_policy esplane_sa_del_nl_policy[ESPLANE_A_SA_ID + 1] = {
	[ESPLANE_A_SA_ID] = { .type = NLA_U32, },
};

/* ESPLANE_CMD_POLICY_SET - do */
static const struct nla_policy esplane_policy_set_nl_policy[ESPLANE_A_POLICY_HARD_SECONDS + 1] = {
	[ESPLANE_A_POLICY_ID] = { .type = NLA_U32, },
	[ESPLANE_A_POLICY_DIRECTION] = NLA_POLICY_RANGE(NLA_U32, 1, 2),
	[ESPLANE_A_POLICY_ACTION] = NLA_POLICY_RANGE(NLA_U32, 1, 3),
	[ESPLANE_A_POLICY_PRIORITY] = { .type = NLA_U32, },
	[ESPLANE_A_POLICY_SELECTOR] = NLA_POLICY_NESTED(esplane_selector_nl_policy),
	[ESPLANE_A_POLICY_SA_ID] = { .type = NLA_U32, },
	[ESPLANE_A_POLICY_IF_ID] = { .type = NLA_U32, },
	[ESPLANE_A_POLICY_COOKIE] = { .type = NLA_U64, },
	[ESPLANE_A_POLICY_MARK] = { .type = NLA_U32, },
	[ESPLANE_A_POLICY_MARK_MASK] = { .type = NLA_U32, },
	[ESPLANE_A_POLICY_HARD_SECONDS] = { .type = NLA_U32, },
};

/* ESPLANE_CMD_POLICY_GET - do */
static const struct nla_policy esplane_policy_get_nl_policy[ESPLANE_A_POLICY_ID + 1] = {
	[ESPLANE_A_POLICY_ID] = { .type = NLA_U32, },
};

/* ESPLANE_CMD_POLICY_DEL - do */
static const struct nla_policy esplane_policy_del_nl_policy[ESPLANE_A_POLICY_ID + 1] = {
	[ESPLANE_A_POLICY_ID] = { .type = NLA_U32, },
};

/* ESPLANE_CMD_ENCAP_ADD - do */
static const struct nla_policy esplane_encap_add_nl_policy[ESPLANE_A_ENCAP_IKE_ONLY + 1] = {
	[ESPLANE_A_ENCAP_FD] = { .type = NLA_U32, },
	[ESPLANE_A_ENCAP_IKE_ONLY] = { .type = NLA_FLAG, },
};

/* ESPLANE_CMD_ENCAP_DEL - do */
static const struct nla_policy esplane_encap_del_nl_policy[ESPLANE_A_ENCAP_PORT + 1] = {
	[ESPLANE_A_ENCAP_PORT] = NLA_POLICY_FULL_RANGE(NLA_U32, &esplane_a_encap_port_range),
};

/* ESPLANE_CMD_SPD_SET - do */
static const struct nla_policy esplane_spd_set_nl_policy[ESPLANE_A_SPD_DEFAULT_OUT + 1] = {
	[ESPLANE_A_SPD_DEFAULT_IN] = NLA_POLICY_RANGE(NLA_U32, 1, 3),
	[ESPLANE_A_SPD_DEFAULT_OUT] = NLA_POLICY_RANGE(NLA_U32, 1, 3),
};

/* ESPLANE_CMD_SA_KEYS_GET - do */
static const struct nla_policy esplane_sa_keys_get_nl_policy[ESPLANE_A_SA_ID + 1] = {
	[ESPLANE_A_SA_ID] = { .type = NLA_U32, },
};

/* Ops table for esplane */
static const struct genl_ops esplane_nl_ops[] = {
	{
		.cmd		= ESPLANE_CMD_CAPS_GET,
		.doit		= esplane_nl_caps_get_doit,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= ESPLANE_CMD_SPI_ALLOC,
		.doit		= esplane_nl_spi_alloc_doit,
		.policy		= esplane_spi_alloc_nl_policy,
		.maxattr	= ESPLANE_A_SPI_TIMEOUT,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= ESPLANE_CMD_SPI_FREE,
		.doit		= esplane_nl_spi_free_doit,
		.policy		= esplane_spi_free_nl_policy,
		.maxattr	= ESPLANE_A_SPI_DST,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= ESPLANE_CMD_SA_NEW,
		.doit		= esplane_nl_sa_new_doit,
		.policy		= esplane_sa_new_nl_policy,
		.maxattr	= ESPLANE_A_SA_OUTPUT_MARK,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= ESPLANE_CMD_SA_GET,
		.doit		= esplane_nl_sa_get_doit,
		.start		= esplane_nl_dump_start,
		.dumpit		= esplane_nl_sa_get_dumpit,
		.policy		= esplane_sa_get_nl_policy,
		.maxattr	= ESPLANE_A_SA_ID,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= ESPLANE_CMD_SA_UPDATE,
		.doit		= esplane_nl_sa_update_doit,
		.policy		= esplane_sa_update_nl_policy,
		.maxattr	= ESPLANE_A_SA_OUTPUT_MARK,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= ESPLANE_CMD_SA_DEL,
		.doit		= esplane_nl_sa_del_doit,
		.policy		= esplane_sa_del_nl_policy,
		.maxattr	= ESPLANE_A_SA_ID,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= ESPLANE_CMD_SA_FLUSH,
		.doit		= esplane_nl_sa_flush_doit,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= ESPLANE_CMD_POLICY_SET,
		.doit		= esplane_nl_policy_set_doit,
		.policy		= esplane_policy_set_nl_policy,
		.maxattr	= ESPLANE_A_POLICY_HARD_SECONDS,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= ESPLANE_CMD_POLICY_GET,
		.doit		= esplane_nl_policy_get_doit,
		.start		= esplane_nl_dump_start,
		.dumpit		= esplane_nl_policy_get_dumpit,
		.policy		= esplane_policy_get_nl_policy,
		.maxattr	= ESPLANE_A_POLICY_ID,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= ESPLANE_CMD_POLICY_DEL,
		.doit		= esplane_nl_policy_del_doit,
		.policy		= esplane_policy_del_nl_policy,
		.maxattr	= ESPLANE_A_POLICY_ID,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= ESPLANE_CMD_POLICY_FLUSH,
		.doit		= esplane_nl_policy_flush_doit,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= ESPLANE_CMD_ENCAP_ADD,
		.doit		= esplane_nl_encap_add_doit,
		.policy		= esplane_encap_add_nl_policy,
		.maxattr	= ESPLANE_A_ENCAP_IKE_ONLY,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= ESPLANE_CMD_ENCAP_DEL,
		.doit		= esplane_nl_encap_del_doit,
		.policy		= esplane_encap_del_nl_policy,
		.maxattr	= ESPLANE_A_ENCAP_PORT,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= ESPLANE_CMD_STATS_GET,
		.doit		= esplane_nl_stats_get_doit,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= ESPLANE_CMD_SPD_SET,
		.doit		= esplane_nl_spd_set_doit,
		.policy		= esplane_spd_set_nl_policy,
		.maxattr	= ESPLANE_A_SPD_DEFAULT_OUT,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= ESPLANE_CMD_SPD_GET,
		.doit		= esplane_nl_spd_get_doit,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= ESPLANE_CMD_SA_KEYS_GET,
		.doit		= esplane_nl_sa_keys_get_doit,
		.policy		= esplane_sa_keys_get_nl_policy,
		.maxattr	= ESPLANE_A_SA_ID,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
};

static const struct genl_multicast_group esplane_nl_mcgrps[] = {
	[ESPLANE_NLGRP_EVENTS] = { "events", ESPLANE_MCGRP_FLAGS },
};

struct genl_family esplane_nl_family __ro_after_init = {
	.name		= ESPLANE_FAMILY_NAME,
	.version	= ESPLANE_FAMILY_VERSION,
	.netnsok	= true,
	.parallel_ops	= true,
	.module		= THIS_MODULE,
	.ops		= esplane_nl_ops,
	.n_ops		= ARRAY_SIZE(esplane_nl_ops),
	.mcgrps		= esplane_nl_mcgrps,
	.n_mcgrps	= ARRAY_SIZE(esplane_nl_mcgrps),
};
