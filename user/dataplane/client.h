/* SPDX-License-Identifier: MIT */
/*
 * Requests to the data plane, one function per operation of include/netlink/esplane.yaml, and its
 * events.
 *
 * Functions return 0 or a negative errno; dp_why() then tells the reason in the kernel's own words
 * (extack) where it gave one. Objects passed to callbacks, and the strings in them, are valid
 * during the callback. A handle belongs to one thread. The network namespace is the one the opening
 * thread was in.
 */
#ifndef ESPLANE_DATAPLANE_CLIENT_H
#define ESPLANE_DATAPLANE_CLIENT_H

#include "types.h"

struct dp;
struct dp_events;

/* Loads the module if need be. NULL with a reason in *why, which is valid until the next call. */
struct dp *dp_open(const char **why);
void dp_close(struct dp *dp);
/* Of the last function that failed; valid until the next request. */
const char *dp_why(const struct dp *dp);

int dp_caps_get(struct dp *dp, void (*fn)(void *arg, const struct dp_caps *caps), void *arg);
int dp_stats_get(struct dp *dp, void (*fn)(void *arg, const struct dp_stats *stats), void *arg);

/* @spi: min, max, dst, timeout; sets ->spi. */
int dp_spi_alloc(struct dp *dp, struct dp_spi *spi);
int dp_spi_free(struct dp *dp, uint32_t spi, const struct dp_addr *dst);

/* Sets sa->id. The message's copy of the key is zeroed; the caller's stays the caller's. */
int dp_sa_new(struct dp *dp, struct dp_sa *sa);
/* @sa: id, what changes of src and dst, and both encap ports as they are to be: 0 for native ESP. */
int dp_sa_update(struct dp *dp, const struct dp_sa *sa);
int dp_sa_get(struct dp *dp, uint32_t id, void (*fn)(void *arg, const struct dp_sa *sa), void *arg);
/*
 * The same with the key material, and what is needed to decrypt the SA's packets, but no more. The
 * kernel logs it. -EOPNOTSUPP: the module was built without.
 */
int dp_sa_keys_get(struct dp *dp, uint32_t id, void (*fn)(void *arg, const struct dp_sa *sa),
		   void *arg);
/*
 * Starts again by itself when the database changed under it, a few times: then @begin (may be NULL)
 * is called once more. In the end it has told of every SA that was there all the while, once.
 */
int dp_sa_dump(struct dp *dp, void (*begin)(void *arg),
	       void (*fn)(void *arg, const struct dp_sa *sa), void *arg);
int dp_sa_del(struct dp *dp, uint32_t id);
int dp_sa_flush(struct dp *dp);

/* Sets policy->id. */
int dp_policy_set(struct dp *dp, struct dp_policy *policy);
int dp_policy_get(struct dp *dp, uint32_t id, void (*fn)(void *arg, const struct dp_policy *policy),
		  void *arg);
int dp_policy_dump(struct dp *dp, void (*begin)(void *arg),
		   void (*fn)(void *arg, const struct dp_policy *policy), void *arg);
int dp_policy_del(struct dp *dp, uint32_t id);
int dp_policy_flush(struct dp *dp);

/* Zero fields stay as they are. */
int dp_spd_set(struct dp *dp, const struct dp_spd *spd);
int dp_spd_get(struct dp *dp, void (*fn)(void *arg, const struct dp_spd *spd), void *arg);

/* @port may be NULL. */
int dp_encap_add(struct dp *dp, int fd, bool ike_only, uint16_t *port);
int dp_encap_del(struct dp *dp, uint16_t port);

/* Listens to the group "events". */
struct dp_events *dp_events_open(const char **why);
void dp_events_close(struct dp_events *events);
/* To poll for reading; non-blocking. */
int dp_events_fd(const struct dp_events *events);
/*
 * Calls @fn for each event that waits; @name: "sa-expire", "acquire", "sa-mapping",
 * "policy-expire". Returns 0, or
 * -ENOBUFS if events were lost (re-sync by dump), or another negative errno.
 */
int dp_events_read(struct dp_events *events,
		   void (*fn)(void *arg, const char *name, const struct dp_event *event),
		   void *arg);

#endif
