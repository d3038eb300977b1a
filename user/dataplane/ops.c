// SPDX-License-Identifier: MIT
/* The operations of the family, each a request of its own. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "codec.h"
#include "request.h"

enum { DUMP_TRIES = 10 };

int dp_caps_get(struct dp *dp, void (*fn)(void *arg, const struct dp_caps *caps), void *arg)
{
	struct dp_caps caps;

	return dp_request(dp, &(struct dp_request){ .command = ESPLANE_CMD_CAPS_GET,
						    .name = "caps-get",
						    .out = &dp_caps_table,
						    .reply = &caps,
						    .fn = (void (*)(void *, const void *))fn,
						    .arg = arg });
}

int dp_stats_get(struct dp *dp, void (*fn)(void *arg, const struct dp_stats *stats), void *arg)
{
	struct dp_stats stats;

	return dp_request(dp, &(struct dp_request){ .command = ESPLANE_CMD_STATS_GET,
						    .name = "stats-get",
						    .out = &dp_stats_table,
						    .reply = &stats,
						    .fn = (void (*)(void *, const void *))fn,
						    .arg = arg });
}

int dp_spi_alloc(struct dp *dp, struct dp_spi *spi)
{
	struct dp_spi reply = { 0 };
	int err = dp_request(dp, &(struct dp_request){
		.command = ESPLANE_CMD_SPI_ALLOC, .name = "spi-alloc",
		.in = &dp_spi_table, .object = spi, .out = &dp_spi_table, .reply = &reply });

	spi->spi = reply.spi;
	return err;
}

int dp_spi_free(struct dp *dp, uint32_t spi, const struct dp_addr *dst)
{
	struct dp_spi in = { .spi = spi, .dst = *dst };

	return dp_request(dp, &(struct dp_request){ .command = ESPLANE_CMD_SPI_FREE,
						    .name = "spi-free",
						    .in = &dp_spi_table,
						    .object = &in });
}

int dp_sa_new(struct dp *dp, struct dp_sa *sa)
{
	struct dp_sa reply;
	int err;

	reply.id = 0;
	err = dp_request(dp, &(struct dp_request){
		.command = ESPLANE_CMD_SA_NEW, .name = "sa-new",
		.in = &dp_sa_table, .object = sa, .out = &dp_sa_table, .reply = &reply });
	sa->id = reply.id;
	return err;
}

int dp_sa_update(struct dp *dp, const struct dp_sa *sa)
{
	return dp_request(dp, &(struct dp_request){ .command = ESPLANE_CMD_SA_UPDATE,
						    .name = "sa-update",
						    .in = &dp_sa_update_table,
						    .object = sa });
}

static int get_sa(struct dp *dp, uint8_t command, const char *name, uint32_t id,
		  void (*fn)(void *arg, const struct dp_sa *sa), void *arg)
{
	struct dp_sa in = { .id = id }, reply;

	return dp_request(dp, &(struct dp_request){ .command = command,
						    .name = name,
						    .in = &dp_sa_table,
						    .object = &in,
						    .out = &dp_sa_table,
						    .reply = &reply,
						    .fn = (void (*)(void *, const void *))fn,
						    .arg = arg });
}

int dp_sa_get(struct dp *dp, uint32_t id, void (*fn)(void *arg, const struct dp_sa *sa), void *arg)
{
	return get_sa(dp, ESPLANE_CMD_SA_GET, "sa-get", id, fn, arg);
}

int dp_sa_keys_get(struct dp *dp, uint32_t id, void (*fn)(void *arg, const struct dp_sa *sa),
		   void *arg)
{
	return get_sa(dp, ESPLANE_CMD_SA_KEYS_GET, "sa-keys-get", id, fn, arg);
}

/*
 * A dump goes by ID, and no ID comes twice. So also one during which the database changed has all that
 * was there from its beginning to its end, once each: it will do if the database never rests.
 */
static int dump(struct dp *dp, void (*begin)(void *arg), const struct dp_request *request)
{
	int tries, err = -EINTR;

	for (tries = 0; tries < DUMP_TRIES && err == -EINTR; tries++) {
		if (begin)
			begin(request->arg);
		err = dp_request(dp, request);
	}
	return err == -EINTR ? 0 : err;
}

int dp_sa_dump(struct dp *dp, void (*begin)(void *arg),
	       void (*fn)(void *arg, const struct dp_sa *sa), void *arg)
{
	struct dp_sa reply;

	return dump(dp, begin,
		    &(struct dp_request){ .command = ESPLANE_CMD_SA_GET,
					  .name = "sa-get",
					  .dump = true,
					  .out = &dp_sa_table,
					  .reply = &reply,
					  .fn = (void (*)(void *, const void *))fn,
					  .arg = arg });
}

int dp_sa_del(struct dp *dp, uint32_t id)
{
	struct dp_sa in = { .id = id };

	return dp_request(dp, &(struct dp_request){ .command = ESPLANE_CMD_SA_DEL,
						    .name = "sa-del",
						    .in = &dp_sa_table,
						    .object = &in });
}

int dp_sa_flush(struct dp *dp)
{
	return dp_request(
		dp, &(struct dp_request){ .command = ESPLANE_CMD_SA_FLUSH, .name = "sa-flush" });
}

int dp_policy_set(struct dp *dp, struct dp_policy *policy)
{
	struct dp_policy reply;
	int err;

	reply.id = 0;
	err = dp_request(dp, &(struct dp_request){
		.command = ESPLANE_CMD_POLICY_SET, .name = "policy-set", .in = &dp_policy_table,
		.object = policy, .out = &dp_policy_table, .reply = &reply });
	if (!err)
		policy->id = reply.id;
	return err;
}

int dp_policy_get(struct dp *dp, uint32_t id, void (*fn)(void *arg, const struct dp_policy *policy),
		  void *arg)
{
	struct dp_policy in = { .id = id }, reply;

	return dp_request(dp, &(struct dp_request){ .command = ESPLANE_CMD_POLICY_GET,
						    .name = "policy-get",
						    .in = &dp_policy_id_table,
						    .object = &in,
						    .out = &dp_policy_table,
						    .reply = &reply,
						    .fn = (void (*)(void *, const void *))fn,
						    .arg = arg });
}

int dp_policy_dump(struct dp *dp, void (*begin)(void *arg),
		   void (*fn)(void *arg, const struct dp_policy *policy), void *arg)
{
	struct dp_policy reply;

	return dump(dp, begin, &(struct dp_request){
		.command = ESPLANE_CMD_POLICY_GET, .name = "policy-get", .dump = true,
		.out = &dp_policy_table, .reply = &reply, .fn = (void (*)(void *, const void *))fn,
		.arg = arg });
}

int dp_policy_del(struct dp *dp, uint32_t id)
{
	struct dp_policy in = { .id = id };

	return dp_request(dp, &(struct dp_request){ .command = ESPLANE_CMD_POLICY_DEL,
						    .name = "policy-del",
						    .in = &dp_policy_id_table,
						    .object = &in });
}

int dp_policy_flush(struct dp *dp)
{
	return dp_request(dp, &(struct dp_request){
		.command = ESPLANE_CMD_POLICY_FLUSH, .name = "policy-flush" });
}

int dp_spd_set(struct dp *dp, const struct dp_spd *spd)
{
	return dp_request(dp, &(struct dp_request){ .command = ESPLANE_CMD_SPD_SET,
						    .name = "spd-set",
						    .in = &dp_spd_table,
						    .object = spd });
}

int dp_spd_get(struct dp *dp, void (*fn)(void *arg, const struct dp_spd *spd), void *arg)
{
	struct dp_spd reply;

	return dp_request(dp, &(struct dp_request){ .command = ESPLANE_CMD_SPD_GET,
						    .name = "spd-get",
						    .out = &dp_spd_table,
						    .reply = &reply,
						    .fn = (void (*)(void *, const void *))fn,
						    .arg = arg });
}

int dp_encap_add(struct dp *dp, int fd, bool ike_only, uint16_t *port)
{
	struct dp_encap in = { .fd = fd, .ike_only = ike_only }, reply = { 0 };
	int err = dp_request(dp, &(struct dp_request){
		.command = ESPLANE_CMD_ENCAP_ADD, .name = "encap-add",
		.in = &dp_encap_table, .object = &in, .out = &dp_encap_table, .reply = &reply });

	if (port)
		*port = reply.port;
	return err;
}

int dp_encap_del(struct dp *dp, uint16_t port)
{
	struct dp_encap in = { .port = port };

	return dp_request(dp, &(struct dp_request){ .command = ESPLANE_CMD_ENCAP_DEL,
						    .name = "encap-del",
						    .in = &dp_encap_table,
						    .object = &in });
}
