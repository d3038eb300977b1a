/* SPDX-License-Identifier: MIT */
/*
 * IKE_FOLLOWUP_KE (RFC 9370 section 2.2.4): the additional key exchanges behind CREATE_CHILD_SA,
 * one each. What CREATE_CHILD_SA agreed on is made when the last of them is done; until then it waits
 * here, the initiator's in its task, the responder's in the IKE SA, which has one at a time.
 */
#ifndef ESPLANE_IKE_FOLLOWUP_H
#define ESPLANE_IKE_FOLLOWUP_H

#include "ikev2/child.h"

enum {
	IKE_LINK_LEN = 16, /* ours */
	IKE_LINK_MAX = 256,
	IKE_FOLLOWUP_TIME = 60 * IKE_SECOND, /* a responder waits so long for the next */
};

struct ike_followup {
	struct ike_sa *sa;
	struct ike_incoming *first; /* the peer's message of CREATE_CHILD_SA; referenced */
	struct ike_suite suite;
	unsigned int at; /* of suite.addke, to be done next */
	struct ike_secret secret; /* of CREATE_CHILD_SA's own key exchange */
	uint8_t more[IKE_ADDKE_MAX * IKE_SECRET_MAX]; /* of those done since */
	size_t more_len;
	uint8_t link[IKE_LINK_MAX]; /* that the next request has to repeat */
	size_t link_len;
	/* The responder's, which has given its word already. */
	bool answering;
	struct ike_choice *choice; /* of a CHILD_SA; NULL: the IKE SA is rekeyed */
	struct ike_nonce nr;
	uint64_t ike_spi;
	uint32_t spi; /* ESP; reserved while not 0 */
	struct ike_addr spi_at;
	struct ike_timer lapse;
};

static inline struct ike_bytes ike_followup_more(const struct ike_followup *f)
{
	return f ? ike_bytes(f->more, f->more_len) : ike_bytes(NULL, 0);
}
void ike_followup_free(struct ike_followup *f); /* NULL is nothing; spi is given back */

/* Initiator */

/*
 * @first is the answer to CREATE_CHILD_SA, to be kept, and @secret its key exchange's: begins the
 * first of what comes after it. At the end kind->completed() is called.
 */
enum ike_step ike_followup_begin(struct ike_sa *sa, struct ike_task *t, struct ike_incoming *first,
				 const struct ike_suite *suite, const struct ike_secret *secret);
void ike_followup_build(struct ike_task *t, struct ike_writer *w);
/* Not of an error, which is the kind's business. */
enum ike_step ike_followup_answered(struct ike_sa *sa, struct ike_task *t, struct ike_incoming *in);

/* Responder */

/*
 * Puts off what @first asks for, which is kept; in place of what was put off before. NULL without
 * memory.
 */
struct ike_followup *ike_followup_await(struct ike_sa *sa, struct ike_incoming *first,
					const struct ike_suite *suite,
					const struct ike_secret *secret);
/* The notify that the peer has to repeat. */
void ike_followup_put_link(struct ike_writer *w, const struct ike_followup *f);
/* It will come to nothing. */
void ike_followup_drop(struct ike_sa *sa);
/* All are done: @in is answered by these, with @job's public value. They own @f. */
void ike_child_followed(struct ike_sa *sa, struct ike_incoming *in, const struct ike_job *job,
			struct ike_followup *f);
void ike_rekey_followed(struct ike_sa *sa, struct ike_incoming *in, const struct ike_job *job,
			struct ike_followup *f);

#endif
