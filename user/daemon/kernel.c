// SPDX-License-Identifier: MIT
/* The engine's requests to the data plane. */
#define LOG_SUBSYSTEM LOG_KERNEL

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "host.h"
#include "kernel.h"
#include "log.h"
#include "mapping.h"

enum { SPI_TIMEOUT = 120 };	/* seconds: longer than the exchange that an SPI is for */

/* A reason that stays valid until the next failure. */
static int failed(struct kernel *k, int err, const char **why)
{
	snprintf(k->why, sizeof(k->why), "%s", dp_why(k->dp));
	*why = k->why;
	return err;
}

static int no_memory(const char **why)
{
	*why = "out of memory";
	return -ENOMEM;
}

static int make_boot(uint32_t *boot)
{
	*boot = 0;
	while (!*boot)
		if (getrandom(boot, sizeof(*boot), 0) != sizeof(*boot))
			return -1;
	return 0;
}

int kernel_open(struct kernel *k, bool real)
{
	const char *why;
	int err;

	memset(k, 0, sizeof(*k));
	if (make_boot(&k->boot)) {
		log_error("no random numbers: %m");
		return -1;
	}
	if (!real)
		return 0;
	k->dp = dp_open(&why);
	if (!k->dp) {
		log_error("data plane: %s", why);
		return -1;
	}
	err = leftovers_find(&k->leftovers, k->dp, k->boot, host_now());
	if (err)
		log_error("data plane: %s", err == -ENOMEM ? "out of memory" : dp_why(k->dp));
	return err ? -1 : 0;
}

int kernel_add_port(struct kernel *k, int fd, bool ike_only)
{
	uint16_t port;

	if (!k->dp)
		return 0;
	if (dp_encap_add(k->dp, fd, ike_only, &port)) {
		log_error("data plane: %s", dp_why(k->dp));
		return -1;
	}
	if (k->n_ports < sizeof(k->ports) / sizeof(*k->ports))
		k->ports[k->n_ports++] = port;
	return 0;
}

void kernel_clear(struct kernel *k)
{
	if (!k->dp)
		return;
	while (k->policies.n)
		kernel_policy_del(k, k->policies.v[k->policies.n - 1].id);
	while (k->sas.n)
		kernel_sa_del(k, k->sas.v[k->sas.n - 1].id);
	leftovers_clear(&k->leftovers);
	while (k->n_ports)
		if (dp_encap_del(k->dp, k->ports[--k->n_ports]))
			log_info("data plane: %s", dp_why(k->dp));
}

void kernel_close(struct kernel *k)
{
	leftovers_free(&k->leftovers);
	owned_free(&k->sas);
	owned_free(&k->policies);
	dp_close(k->dp);
	k->dp = NULL;
}

int kernel_spi_alloc(struct kernel *k, const struct ike_addr *local, uint32_t *spi,
		     const char **why)
{
	struct dp_spi request = { .timeout = SPI_TIMEOUT };

	if (!k->dp) {
		*spi = 0xc0000000 + ++k->fake_id;
		return 0;
	}
	mapping_addr(&request.dst, local);
	if (dp_spi_alloc(k->dp, &request))
		return failed(k, -EAGAIN, why);
	*spi = request.spi;
	return 0;
}

void kernel_spi_free(struct kernel *k, const struct ike_addr *local, uint32_t spi)
{
	struct dp_addr dst;

	if (!k->dp)
		return;
	mapping_addr(&dst, local);
	if (dp_spi_free(k->dp, spi, &dst))
		log_debug("data plane: %s", dp_why(k->dp));
}

static int sa_new(struct kernel *k, const struct ike_sa_spec *spec, struct dp_sa *sa,
		  const char **why)
{
	struct mapping_keymat keymat;
	int err = mapping_sa(sa, &keymat, spec, k->boot, why);

	if (!err && k->dp) {
		err = dp_sa_new(k->dp, sa);
		if (err)
			failed(k, err, why);
	}
	explicit_bzero(&keymat, sizeof(keymat));
	return err;
}

int kernel_sa_add(struct kernel *k, const struct ike_sa_spec *spec, uint32_t *sa_id,
		  const char **why)
{
	struct owned entry = { .spi = spec->spi, .inbound = spec->inbound, .cookie = spec->cookie };
	struct dp_sa sa;
	int err = sa_new(k, spec, &sa, why);

	if (err)
		return err;
	if (!k->dp)
		sa.id = ++k->fake_id;
	entry.id = sa.id;
	if (owned_add(&k->sas, &entry)) {
		if (k->dp)
			dp_sa_del(k->dp, sa.id);
		return no_memory(why);
	}
	*sa_id = sa.id;
	return 0;
}

int kernel_sa_update(struct kernel *k, uint32_t sa_id, const struct ike_endpoint *src,
		     const struct ike_endpoint *dst, bool udp_encap, const char **why)
{
	struct dp_sa sa = { .id = sa_id };
	int err;

	if (!k->dp)
		return 0;
	mapping_addr(&sa.src, &src->addr);
	mapping_addr(&sa.dst, &dst->addr);
	sa.ifindex = mapping_ifindex(&src->addr, &dst->addr);
	sa.encap_sport = udp_encap ? src->port : 0;
	sa.encap_dport = udp_encap ? dst->port : 0;
	err = dp_sa_update(k->dp, &sa);
	return err ? failed(k, err, why) : 0;
}

static void take_usage(void *arg, const struct dp_sa *sa)
{
	struct ike_usage *usage = arg;

	usage->bytes = sa->bytes;
	usage->packets = sa->packets;
	usage->idle_seconds = sa->idle;
}

int kernel_sa_query(struct kernel *k, uint32_t sa_id, struct ike_usage *usage)
{
	*usage = (struct ike_usage){ .idle_seconds = UINT64_MAX };
	return k->dp ? dp_sa_get(k->dp, sa_id, take_usage, usage) : 0;
}

/* What the kernel removed at its hard lifetime is not ours any more, and there is nothing to do. */
void kernel_sa_del(struct kernel *k, uint32_t sa_id)
{
	int err;

	if (!owned_remove(&k->sas, sa_id) || !k->dp)
		return;
	err = dp_sa_del(k->dp, sa_id);
	if (err && err != -ENOENT)
		log_error("data plane: %s", dp_why(k->dp));
}

static int own_policy(struct kernel *k, const struct dp_policy *policy, uint64_t cookie)
{
	struct owned entry = { .id = policy->id,
			       .inbound = policy->direction == ESPLANE_DIRECTION_IN,
			       .cookie = cookie };
	int err = owned_add(&k->policies, &entry);

	if (err && k->dp)
		dp_policy_del(k->dp, policy->id);
	return err;
}

int kernel_policy_set(struct kernel *k, const struct ike_policy_spec *spec, uint32_t *policy_id,
		      const char **why)
{
	struct dp_policy policy;
	int err = mapping_policy(&policy, spec, k->boot, why);

	if (err)
		return err;
	if (!policy.id)
		leftovers_inherit(&k->leftovers, &policy);
	if (k->dp)
		err = dp_policy_set(k->dp, &policy);
	else if (!policy.id)
		policy.id = ++k->fake_id;
	if (err)
		return failed(k, err, why);
	leftovers_settle(&k->leftovers, &policy, host_now());
	if (own_policy(k, &policy, spec->cookie))
		return no_memory(why);
	*policy_id = policy.id;
	return 0;
}

void kernel_policy_del(struct kernel *k, uint32_t policy_id)
{
	int err;

	if (!owned_remove(&k->policies, policy_id) || !k->dp)
		return;
	err = dp_policy_del(k->dp, policy_id);
	if (err && err != -ENOENT)
		log_error("data plane: %s", dp_why(k->dp));
}

int kernel_stats(struct kernel *k, void (*fn)(void *arg, const struct dp_stats *stats), void *arg,
		 const char **why)
{
	static const struct dp_stats none;
	int err;

	if (!k->dp) {
		fn(arg, &none);
		return 0;
	}
	err = dp_stats_get(k->dp, fn, arg);
	return err ? failed(k, err, why) : 0;
}
