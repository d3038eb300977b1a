/* SPDX-License-Identifier: MIT */
/*
 * What this end asks of the peer: one exchange each, one at a time (RFC 7296 section 2.3), in
 * order. A task begins (a job may be needed), is built and sent, is answered (another job), and
 * ends; each kind is a table of these steps.
 */
#ifndef ESPLANE_IKE_TASK_H
#define ESPLANE_IKE_TASK_H

#include <sys/queue.h>

#include "ikev2/coverage.h"
#include "ikev2/crypto/dh.h"
#include "ikev2/ike.h"

struct ike_followup;
struct ike_incoming;
struct ike_payloads;
struct ike_sa;
struct ike_task;

TAILQ_HEAD(ike_task_list, ike_task);

enum ike_step {
	IKE_STEP_SEND, /* the request may be built now */
	IKE_STEP_WAIT, /* for a job, or for another answer */
	IKE_STEP_DONE,
	IKE_STEP_FAILED, /* task->why says why */
	IKE_STEP_LATER,	 /* again from the beginning, after a while (section 2.25) */
	IKE_STEP_AGAIN,	 /* likewise, at once: there is more to ask for */
	IKE_STEP_GONE,	 /* the IKE SA ended, and the task with it */
};

struct ike_task_kind {
	const char *name;
	uint8_t exchange;
	/* Settles what may be asked; IKE_STEP_DONE if there is nothing to ask any more. */
	enum ike_step (*begin)(struct ike_sa *sa, struct ike_task *t);
	void (*build)(struct ike_sa *sa, struct ike_task *t, struct ike_writer *w);
	/*
	 * IKE_SA_INIT's answers are not authentic: it takes them as it likes, and settles the
	 * window itself.
	 */
	enum ike_step (*answered)(struct ike_sa *sa, struct ike_task *t, struct ike_incoming *in);
	/* Of CREATE_CHILD_SA: its additional key exchanges (followup.h) are done. Else NULL. */
	enum ike_step (*completed)(struct ike_sa *sa, struct ike_task *t);
	/* Gives back what the task holds. May be NULL. */
	void (*ended)(struct ike_sa *sa, struct ike_task *t, bool ok);
};

extern const struct ike_task_kind ike_task_init, ike_task_intermediate, ike_task_auth,
	ike_task_create, ike_task_rekey_child, ike_task_rekey_ike, ike_task_delete_child, ike_task_delete_ike,
	ike_task_liveness, ike_task_refuse_auth, ike_task_update_addresses, ike_task_tell_addresses,
	ike_task_check_route;

enum {
	IKE_TASK_WHY_MAX = 240,
	IKE_OWN_NONCE_LEN = 32
};

struct ike_nonce {
	size_t len;
	uint8_t bytes[IKE_NONCE_MAX];
};

struct ike_task {
	TAILQ_ENTRY(ike_task) link;
	const struct ike_task_kind *kind;
	uint64_t ticket; /* of the command it is part of, or 0 */
	ike_time not_before;
	unsigned int laters; /* how often IKE_STEP_LATER */
	char why[IKE_TASK_WHY_MAX];

	uint64_t child_id;		 /* to be rekeyed or deleted */
	struct ike_config *config;	 /* referenced: @cfg is its */
	const struct ike_child_cfg *cfg; /* to be created */
	struct ike_part part;		 /* that of it which is asked for now */
	bool single;		 /* by single pairs of selectors (section 2.9) */
	unsigned int rounds;		 /* IKE_STEP_AGAIN */
	struct ike_task *create;	 /* IKE_AUTH: what is created along with it; owned */
	uint32_t doomed_spi; /* to be deleted: of a CHILD_SA that only the peer has */
	bool expired;			 /* deletion for this reason, not by command */
	bool replaced;			 /* likewise */

	/* The exchange. */
	uint8_t nonce[IKE_OWN_NONCE_LEN];
	uint16_t group; /* 0: no key exchange */
	bool transport; /* mode, is asked for, between these */
	struct ike_addr asked_local, asked_remote;
	struct ike_dh_key dh;
	struct ike_followup *followup; /* NULL: additional key exchanges have not begun */
	uint32_t spi;	  /* ESP, ours; reserved while not 0 */
	struct ike_addr spi_at; /* at this address, wherever we are meanwhile */
	uint64_t ike_spi; /* ours, for the new IKE SA */
	uint8_t cookie[IKE_COOKIE_MAX];
	size_t cookie_len;
	struct ike_endpoint checked; /* whether the peer is there */
	unsigned int restarts; /* cookies and groups taken */
	bool sent;	       /* the peer may have the request, and has answered it perhaps */
	unsigned int refusals; /* not authentic */
	/*
	 * REKEY_CHILD: the peer has replaced the same meanwhile; the lower nonce of its exchange.
	 */
	bool rivalled;
	struct ike_nonce rival_nonce;
};

/* The exchange that it is in. */
static inline uint8_t ike_task_exchange(const struct ike_task *t)
{
	return t->followup ? IKE_EXCHANGE_FOLLOWUP_KE : t->kind->exchange;
}

/* Appends. NULL (and a line in the log) when too many wait or without memory. */
struct ike_task *ike_task_add(struct ike_sa *sa, const struct ike_task_kind *kind);
/* Before all others. */
struct ike_task *ike_task_add_first(struct ike_sa *sa, const struct ike_task_kind *kind);
/* A waiting one, or the one being done, of @kind and about @child_id (0: any); or NULL. */
struct ike_task *ike_task_find(const struct ike_sa *sa, const struct ike_task_kind *kind,
			       uint64_t child_id);
/* One that is in no queue goes into it again, before all others. */
void ike_task_put_back(struct ike_sa *sa, struct ike_task *t);
/* A waiting one that creates the child of this name, taken out of the queue; or NULL. */
struct ike_task *ike_task_take_create(struct ike_sa *sa, const char *child);
/*
 * create_child.c, for auth.c too: a part of a child has come up, or has been refused. AGAIN if there is
 * more to ask for.
 */
enum ike_step ike_create_goes_on(struct ike_sa *sa, struct ike_task *t);
enum ike_step ike_create_refused(struct ike_sa *sa, struct ike_task *t,
				 const struct ike_payloads *all);
/* Begins the next task if none is being done. Call it last: the SA may end. */
void ike_sa_work(struct ike_sa *sa);
/* The task being done goes on after a job or an answer. */
void ike_task_step(struct ike_sa *sa, enum ike_step step);
/* Ends a task that is in no queue; not ok needs @why. */
void ike_task_end(struct ike_sa *sa, struct ike_task *t, bool ok, const char *why);
/* Forgets the one being done, whatever the peer answers. */
void ike_task_abandon(struct ike_sa *sa, bool ok, const char *why);
/* All of them. */
void ike_tasks_end(struct ike_sa *sa, const char *why);
void ike_tasks_free(struct ike_sa *sa);
/* For task->why; returns IKE_STEP_FAILED. */
enum ike_step ike_task_fail(struct ike_task *t, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#endif
