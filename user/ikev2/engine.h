/* SPDX-License-Identifier: MIT */
/*
 * The engine from inside: what all its files share.
 *
 * 	engine.c	the public functions: one call in, timers, the burial of what ended
 * 	dispatch.c	a datagram: header, SA, message ID, decryption, order (law.c), its exchange
 * 	law.c		which payloads which exchange may hold, in which state
 * 	window.c	message IDs; retransmit.c sends again; fragment.c cuts and gathers
 * 	task.c		what this end asks of the peer, one request at a time
 * 	sa_init.c auth.c auth_eap.c create_child.c rekey_child.c rekey_ike.c informational.c
 * 			one exchange a file, both roles
 * 	eap/		what auth_eap.c carries: EAP by itself (eap.h)
 * 	rounds.c	several rounds of IKE_AUTH
 * 	aaa.c		servers of RADIUS that are asked about a user of it
 * 	mobike.c path.c	other addresses outside
 * 	ike_sa.c child.c	the life of an IKE SA, of a CHILD_SA
 * 	inquiry.c	what is fetched before a certificate counts
 * 	trust.c		certificates that have counted before
 * 	cp.c lease.c	addresses inside of the tunnel, asked for and given
 * 	updown.c	a CHILD_SA's coming and going, for a command of the user's
 * 	spd.c		policies, shared by the CHILD_SAs and traps that want the same
 * 	goal.c		what should be up, and trying again
 * 	connect.c	bringing it up; the peer's name
 * 	coverage.c	how much of a child is there
 * 	reload.c	what a new configuration changes of what is there
 * 	command.c ticket.c status.c trace.c	for people
 *
 * Ownership: the engine owns IKE SAs, policies, goals and tickets; an IKE SA its CHILD_SAs and
 * tasks. What ends while its functions may be on the stack is unlinked at once and freed when the
 * public call returns.
 */
#ifndef ESPLANE_IKE_ENGINE_H
#define ESPLANE_IKE_ENGINE_H

#include <sys/queue.h>

#include "ikev2/aaa.h"
#include "ikev2/cookie.h"
#include "ikev2/ike.h"
#include "ikev2/inquiry.h"
#include "ikev2/lease.h"
#include "ikev2/table.h"
#include "ikev2/timer.h"
#include "ikev2/trust.h"

struct ike_sa;
struct ike_child;
struct ike_goal;
struct ike_lookup;
struct ike_policy;
struct ike_ticket;

TAILQ_HEAD(ike_sa_list, ike_sa);
TAILQ_HEAD(ike_child_list, ike_child);
TAILQ_HEAD(ike_goal_list, ike_goal);
TAILQ_HEAD(ike_lookup_list, ike_lookup);
TAILQ_HEAD(ike_policy_list, ike_policy);
TAILQ_HEAD(ike_ticket_list, ike_ticket);

/* Limits of ours on what strangers and peers can make grow. */
enum {
	IKE_CHILDREN_MAX = 256, /* CHILD_SAs of one IKE SA */
	IKE_TASKS_MAX = 64,	/* waiting in one IKE SA */
	IKE_STATELESS_MAX = 20, /* unprotected complaints a second */
};

struct ike_engine {
	const struct ike_host *ops;
	void *host;
	struct ike_random random;
	struct ike_config *config;
	ike_time now;
	bool stopping;
	unsigned int leave_round; /* from 1; ike_sa.leaves is that of its DELETE */
	size_t n_leaving;	  /* of this round, not answered yet */
	struct ike_timer leave;	  /* the next round */
	bool tracing; /* trace.h */
	size_t n_waiting; /* CHILD_SAs that wait to take over from others (child.h) */
	uint64_t last_ike_id, last_child_id, last_ticket, last_lookup;
	struct ike_timers timers;
	struct ike_table by_spi;   /* IKE SAs by our SPI */
	struct ike_table by_peer;  /* those that the peer began, by its SPI */
	struct ike_table by_source; /* half-open ones, by where they came from */
	struct ike_table by_id;	   /* all */
	struct ike_table by_conn;  /* all, by a hash of the connection's name */
	struct ike_table kin;	   /* those that were established, by one of that and the peer's identity */
	struct ike_table children; /* CHILD_SAs by ID, which is their cookie */
	struct ike_table by_selectors; /* policies, by a hash (spd.c) */
	struct ike_sa_list sas, dead;
	struct ike_child_list dead_children;
	struct ike_goal_list goals;
	struct ike_table goals_by_name; /* by a hash of both names */
	struct ike_lookup_list lookups;
	struct ike_policy_list policies;
	struct ike_ticket_list tickets;
	struct ike_cookie_jar jar;
	struct ike_leases leases;
	struct ike_inquiries inquiries;
	struct ike_trust trust;
	struct ike_aaa aaa;
	struct ike_counters counters;
	ike_time complaints_since;
	unsigned int complaints;
	char why[240]; /* why a command was refused */
};

/* Uniform below @n; 0 if @n is 0. */
uint64_t ike_random_below(struct ike_engine *e, uint64_t n);
/* @span give or take up to a tenth of it. */
ike_time ike_jitter(struct ike_engine *e, ike_time span);

#define IKE_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
/* One line for people, named after the engine as a whole, an IKE SA, a CHILD_SA. */
void ike_log(struct ike_engine *e, enum ike_log_level level, const char *fmt, ...) IKE_PRINTF(3, 4);
/* The same of what a datagram causes that nobody has authenticated. */
void ike_stranger_log(struct ike_engine *e, enum ike_log_level level, const char *fmt, ...)
	IKE_PRINTF(3, 4);
void ike_sa_log(const struct ike_sa *sa, enum ike_log_level level, const char *fmt, ...)
	IKE_PRINTF(3, 4);
void ike_child_log(const struct ike_child *c, enum ike_log_level level, const char *fmt, ...)
	IKE_PRINTF(3, 4);
/* A command cannot be done: puts why into e->why. Returns false. */
bool ike_refuse(struct ike_engine *e, const char *fmt, ...) IKE_PRINTF(2, 3);
void ike_emit(struct ike_engine *e, enum ike_event_type type, uint64_t ike_id, uint64_t child_id,
	      uint64_t old_id);

#endif
