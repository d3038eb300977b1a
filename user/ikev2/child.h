/* SPDX-License-Identifier: MIT */
/* One CHILD_SA: its two SAs in the data plane, and who takes over from whom. */
#ifndef ESPLANE_IKE_CHILD_H
#define ESPLANE_IKE_CHILD_H

#include "ikev2/coverage.h"
#include "ikev2/ike_sa.h"

enum {
	/*
	 * What the peer sent before it knew better still arrives for so long (RFC 7296
	 * section 2.8).
	 */
	IKE_OVERLAP = 5 * IKE_SECOND,
	/* A peer that has not had an answer for so long has given up asking. */
	IKE_PROOF_TIME = 120 * IKE_SECOND,
	/* Between looks whether the peer uses an SA already. */
	IKE_PROOF_POLL = IKE_SECOND,
};

enum ike_child_state {
	IKE_CHILD_INSTALLED,
	IKE_CHILD_REKEYED,   /* another takes over; a DELETE ends it */
	IKE_CHILD_DELETING,  /* our DELETE is out */
	IKE_CHILD_LINGERING, /* deleted; still receives for a moment */
};

struct ike_child {
	TAILQ_ENTRY(ike_child) link; /* of sa->children, or of the dead */
	TAILQ_ENTRY(ike_child) user; /* of policy->users */
	struct ike_node by_id;
	struct ike_sa *sa;
	struct ike_config *config; /* referenced: @cfg is its */
	const struct ike_child_cfg *cfg;
	uint64_t id; /* and cookie */
	enum ike_child_state state;
	bool initiator; /* of the exchange that made it */
	bool announced; /* IKE_EVENT_CHILD_UP or _REKEYED was told */
	/*
	 * The peer asked for it, as a replacement or beside another that carries the same: it may
	 * not have our answer yet, so nothing is sent on it as long as there is the other. The
	 * peer's next request proves that it has, and so does a packet on the new SA. No guessing
	 * by time: an answer that was lost may take long to get there.
	 */
	bool waits;
	bool due;   /* it need wait no more, but the data plane has refused it: again and again */
	bool proven;		      /* the peer has had our answer that told of it */
	bool redundant;		      /* another stays, and this one's maker deletes it */
	bool outdated;		      /* configured otherwise now: about to be deleted */
	bool fresh;		      /* made new, not by rekeying */
	struct ike_nonce lower_nonce; /* the lower one of the exchange that made it */
	/* The same of the one that was not made by rekeying and that it goes back to. */
	struct ike_nonce first_nonce;
	bool first_ours; /* this end was the initiator of that */
	bool transport;		      /* mode; else tunnel */
	struct ike_suite suite;
	uint32_t spi_in, spi_out; /* host byte order */
	uint32_t sa_in, sa_out;	  /* the data plane's IDs; 0: none */
	struct ike_ts *local_ts, *remote_ts;
	size_t n_local_ts, n_remote_ts;
	/* What of @cfg it counts for (coverage.h): all; else @claim; else the above. */
	bool whole;
	struct ike_part claim;
	struct ike_policy *policy;		 /* in use for what goes out; NULL: not */
	uint64_t predecessor, successor;	 /* IDs; 0: none */
	ike_time installed, rekey_at, expire_at; /* 0: never */
	ike_time used; /* or what it replaces was, before it was replaced */
	struct ike_timer timer;			 /* end of lingering, look for proof */
	struct ike_timer unused;		 /* inactivity */
};
enum {
	IKE_CHILD_TIMERS = 2
};

/* What both ends agreed on. */
struct ike_choice {
	struct ike_config *config; /* not referenced here */
	const struct ike_child_cfg *cfg;
	struct ike_suite suite;
	uint32_t spi; /* the peer's */
	bool transport;
	struct ike_ts local[IKE_TS_MAX], remote[IKE_TS_MAX];
	size_t n_local, n_remote;
	bool whole; /* of @cfg; else that of it which @claim, or the above, is */
	const struct ike_part *claim; /* NULL: none */
	bool more;  /* another CHILD_SA could carry more of what was asked for */
	/*
	 * Transport mode: the ends as the peer knows them, which an answer must speak of
	 * (section 2.23.1).
	 */
	struct ike_addr told_local, told_remote;
};

/* What makes a CHILD_SA of a choice. */
struct ike_making {
	const struct ike_choice *choice;
	bool initiator; /* of the exchange */
	uint32_t *spi;	/* ours, reserved; 0 when the SA has taken it over */
	const struct ike_nonce *ni, *nr;
	struct ike_bytes secret; /* of the key exchange; empty: none */
	struct ike_bytes more;	 /* of additional ones, one behind the other */
	bool rekey;
	struct ike_child *old; /* to be replaced by it; NULL: none, or not there any more */
};

/*
 * Installs both SAs. The policies are ike_child_use()'s, except that a CHILD_SA which nothing else
 * could stand in for is used at once. NULL: nothing is left installed.
 */
struct ike_child *ike_child_make(struct ike_sa *sa, const struct ike_making *m,
				 struct ike_error *err);
/* Tells the host, for the command that the configuration names. */
void ike_child_updown(struct ike_child *c, bool up);
/* From now on it is what packets go out on. */
bool ike_child_use(struct ike_child *c);
/* The peer has sent a new request on @sa, so it has had all our answers. */
void ike_children_proven(struct ike_sa *sa);
/*
 * A CHILD_SA for the same as @c, which is new, that the other end made at the same time, or what it
 * has been rekeyed to meanwhile: NULL if there is none. Section 2.8.1 in spirit: the one that was
 * made with the lowest nonce goes, and who made it deletes it.
 */
struct ike_child *ike_child_twin(const struct ike_child *c);
/* Which of @c and its twin stays; marks the other one redundant. */
struct ike_child *ike_child_survivor(struct ike_child *c, struct ike_child *twin);
/* Nothing will go out on it any more. */
void ike_child_is_redundant(struct ike_child *c);
/* Queues its DELETE, unless one is under way. @expired: so that close_action follows. */
bool ike_child_delete(struct ike_child *c, uint64_t ticket, bool expired);
void ike_child_rekey(struct ike_child *c, uint64_t ticket);

/* Deleted by exchange: gone at once, or, if it was rekeyed, after the overlap. */
void ike_child_deleted(struct ike_child *c, enum ike_end how, const char *why);
/* It is over; policies and SAs go. What the configuration wants next depends on @how. */
void ike_child_end(struct ike_child *c, enum ike_end how, const char *why);
void ike_child_free(struct ike_child *c);
/* To another IKE SA, by rekeying. */
void ike_child_move(struct ike_child *c, struct ike_sa *to);
/* The IKE SA's endpoints have changed: follows, in transport mode by new SAs. */
void ike_child_readdress(struct ike_child *c);

struct ike_child *ike_child_find(struct ike_engine *e, uint64_t id);
struct ike_child *ike_child_by_spi_in(struct ike_sa *sa, uint32_t spi);
struct ike_child *ike_child_by_spi_out(struct ike_sa *sa, uint32_t spi);
/*
 * The CHILD_SA that waits to carry what @c carries, or NULL: until it waits no more, who has the
 * choice keeps @c.
 */
struct ike_child *ike_child_heir(const struct ike_child *c);
/*
 * May be asked about: until the peer has had the answer that told of it, it would not know what we
 * mean. Long after that answer there is no doubt left.
 */
bool ike_child_is_known(const struct ike_child *c);
/* Carries traffic, and nothing replaces it. */
static inline bool ike_child_is_up(const struct ike_child *c)
{
	return c->state == IKE_CHILD_INSTALLED && !c->redundant;
}

#endif
