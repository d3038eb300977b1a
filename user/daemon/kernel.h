/* SPDX-License-Identifier: MIT */
/*
 * The data plane as the engine's host sees it: which of the kernel's SAs and policies are this
 * process's, and which an earlier one left behind (leftovers.h). Return values and *why are those
 * of struct ike_host.
 */
#ifndef ESPLANE_KERNEL_H
#define ESPLANE_KERNEL_H

#include "dataplane/client.h"
#include "ikev2/ike.h"
#include "leftovers.h"
#include "owned.h"

struct kernel {
	struct dp *dp; /* NULL with --no-kernel: everything succeeds, nothing happens */
	uint32_t boot;			/* upper half of our cookies */
	struct owned_set sas, policies;
	struct leftovers leftovers;
	uint32_t fake_id;		/* --no-kernel */
	uint16_t ports[4];		/* registered by encap-add */
	size_t n_ports;
	char why[256];
};

/* @real: not --no-kernel. Returns 0, or -1 after logging why. */
int kernel_open(struct kernel *k, bool real);
/* Takes away everything that is ours or left over: an orderly end. */
void kernel_clear(struct kernel *k);
void kernel_close(struct kernel *k);

/*
 * The socket's port is ours from now on; @ike_only: port 500. Returns 0, or -1 after logging why.
 */
int kernel_add_port(struct kernel *k, int fd, bool ike_only);

int kernel_spi_alloc(struct kernel *k, const struct ike_addr *local, uint32_t *spi,
		     const char **why);
void kernel_spi_free(struct kernel *k, const struct ike_addr *local, uint32_t spi);
int kernel_sa_add(struct kernel *k, const struct ike_sa_spec *spec, uint32_t *sa_id,
		  const char **why);
int kernel_sa_update(struct kernel *k, uint32_t sa_id, const struct ike_endpoint *src,
		     const struct ike_endpoint *dst, bool udp_encap, const char **why);
int kernel_sa_query(struct kernel *k, uint32_t sa_id, struct ike_usage *usage);
void kernel_sa_del(struct kernel *k, uint32_t sa_id);
int kernel_policy_set(struct kernel *k, const struct ike_policy_spec *spec, uint32_t *policy_id,
		      const char **why);
void kernel_policy_del(struct kernel *k, uint32_t policy_id);

int kernel_stats(struct kernel *k, void (*fn)(void *arg, const struct dp_stats *stats), void *arg,
		 const char **why);

#endif
