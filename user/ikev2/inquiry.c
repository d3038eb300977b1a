// SPDX-License-Identifier: MIT
/* Places that are asked whether certificates have been revoked: one question each, and its answer. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ikev2/engine.h"
#include "ikev2/ike_sa.h"
#include "ikev2/inquiry.h"

enum {
	/* A place is left alone so long, whatever it gave. */
	RETRY_SECONDS = 10,
	/* One proof asks no further then: a responder's IKE SA may be half-open for 30 seconds. */
	ASKING_TIME = 15 * IKE_SECOND,
};

struct ike_inquiry {
	TAILQ_ENTRY(ike_inquiry) link;
	uint64_t id; /* of the fetch, while it is under way; else 0 */
	char *uri;
	uint8_t *post;
	size_t post_len;
	struct ike_answer *answer; /* NULL while it is under way */
	int64_t until;		   /* UTC */
	struct ike_job_list parked;
};

void ike_inquiries_init(struct ike_inquiries *q)
{
	TAILQ_INIT(&q->list);
}

static int64_t utc(const struct ike_engine *e)
{
	return e->ops->utc ? e->ops->utc(e->host) : 0;
}

static void drop_answer(struct ike_inquiries *q, struct ike_inquiry *i)
{
	if (i->answer)
		q->bytes -= i->answer->len;
	ike_answer_unref(i->answer);
	i->answer = NULL;
}

static void forget(struct ike_inquiries *q, struct ike_inquiry *i)
{
	struct ike_job *job;

	drop_answer(q, i);
	while ((job = TAILQ_FIRST(&i->parked))) {
		TAILQ_REMOVE(&i->parked, job, parked);
		ike_job_free(job);
	}
	TAILQ_REMOVE(&q->list, i, link);
	q->n--;
	q->pending -= i->id != 0;
	free(i->uri);
	free(i->post);
	free(i);
}

void ike_inquiries_free(struct ike_engine *e)
{
	struct ike_inquiry *i;

	while ((i = TAILQ_FIRST(&e->inquiries.list)))
		forget(&e->inquiries, i);
}

void ike_inquiries_forget(struct ike_engine *e)
{
	struct ike_inquiry *i, *next;

	for (i = TAILQ_FIRST(&e->inquiries.list); i; i = next) {
		next = TAILQ_NEXT(i, link);
		if (!i->id)
			forget(&e->inquiries, i);
	}
}

/* What has been asked for longest is forgotten first. False: all that is there is under way. */
static bool make_room(struct ike_inquiries *q, size_t n, size_t bytes)
{
	struct ike_inquiry *i, *next;

	for (i = TAILQ_FIRST(&q->list);
	     i && (q->n + n > IKE_INQUIRIES_MAX || q->bytes + bytes > IKE_INQUIRIES_BYTES_MAX);
	     i = next) {
		next = TAILQ_NEXT(i, link);
		if (!i->id)
			forget(q, i);
	}
	return q->n + n <= IKE_INQUIRIES_MAX && q->bytes + bytes <= IKE_INQUIRIES_BYTES_MAX;
}

static struct ike_inquiry *find(struct ike_inquiries *q, const struct ike_want *want)
{
	struct ike_inquiry *i;

	TAILQ_FOREACH(i, &q->list, link)
		if (!strcmp(i->uri, want->uri) &&
		    ike_bytes_equal(ike_bytes(i->post, i->post_len),
				    ike_bytes(want->post, want->post_len)))
			return i;
	return NULL;
}

static struct ike_inquiry *find_answer(struct ike_inquiries *q, const struct ike_answer *answer)
{
	struct ike_inquiry *i;

	TAILQ_FOREACH(i, &q->list, link)
		if (i->answer == answer)
			return i;
	return NULL;
}

static struct ike_inquiry *add(struct ike_inquiries *q, const struct ike_want *want)
{
	struct ike_inquiry *i = make_room(q, 1, 0) ? calloc(1, sizeof(*i)) : NULL;

	if (!i)
		return NULL;
	TAILQ_INIT(&i->parked);
	i->uri = strdup(want->uri);
	i->post = want->post_len ? malloc(want->post_len) : NULL;
	if (!i->uri || (want->post_len && !i->post)) {
		free(i->uri);
		free(i->post);
		free(i);
		return NULL;
	}
	if (i->post)
		memcpy(i->post, want->post, want->post_len);
	i->post_len = want->post_len;
	TAILQ_INSERT_TAIL(&q->list, i, link);
	q->n++;
	return i;
}

/* Fetches */

struct fetch {
	struct ike_fetch public;
	uint8_t post[IKE_OCSP_REQUEST_MAX];
	char uri[IKE_URI_MAX];
};

void ike_fetch_free(struct ike_fetch *fetch)
{
	if (fetch)
		free(ike_container(fetch, struct fetch, public));
}

/* False: @why says why nothing can be fetched now. */
static bool fetch(struct ike_engine *e, struct ike_inquiry *i, const char **why)
{
	struct fetch *f;

	*why = "nothing is fetched here";
	if (!e->ops->fetch)
		return false;
	*why = "too much is being fetched already";
	if (e->inquiries.pending >= IKE_INQUIRIES_PENDING_MAX)
		return false;
	*why = "out of memory";
	f = calloc(1, sizeof(*f));
	if (!f)
		return false;
	i->id = ++e->inquiries.last_id;
	e->inquiries.pending++;
	snprintf(f->uri, sizeof(f->uri), "%s", i->uri);
	if (i->post_len)
		memcpy(f->post, i->post, i->post_len);
	f->public = (struct ike_fetch){
		.id = i->id,
		.uri = f->uri,
		.post = i->post_len ? f->post : NULL,
		.post_len = i->post_len,
		.max = i->post_len ? IKE_OCSP_ANSWER_MAX : IKE_CRL_MAX,
		.timeout_ms = IKE_FETCH_TIMEOUT_MS,
	};
	ike_log(e, IKE_LOG_DEBUG, "fetching %s", i->uri);
	e->ops->fetch(e->host, &f->public);
	return true;
}

/* Jobs */

/* Is there still somebody who waits for it? */
static bool is_wanted(struct ike_engine *e, const struct ike_job *job)
{
	struct ike_sa *sa = ike_sa_find(e, job->own_spi);

	return sa && sa->id == job->ike_id && sa->jobs[job->side] == job;
}

static void run_again(struct ike_engine *e, struct ike_job *job, struct ike_answer *answer)
{
	struct ike_revocation *r = &job->proof->revocation;

	r->evidence[r->n_evidence++] = (struct ike_evidence){
		.answer = answer,
		.crl = ike_crl_ref(answer->crl),
	};
	answer->refs++;
	e->ops->run_job(e->host, job);
}

/* A job's verdict on what it was given: worth keeping how long, and parsed. */
static void learn(struct ike_engine *e, struct ike_revocation *r)
{
	struct ike_inquiries *q = &e->inquiries;

	for (unsigned int k = 0; k < r->n_evidence; k++) {
		struct ike_evidence *ev = &r->evidence[k];
		struct ike_inquiry *i = find_answer(q, ev->answer);

		if (i && !ev->answer->crl)
			ev->answer->crl = ike_crl_ref(ev->crl);
		if (i && ev->until > i->until)
			i->until = ev->until;
	}
}

/* An answer that says what went wrong. NULL without memory. */
static struct ike_answer *answer_new(const uint8_t *body, size_t len, const char *why)
{
	struct ike_answer *a = calloc(1, sizeof(*a));

	if (!a)
		return NULL;
	a->refs = 1;
	a->body = body && len ? malloc(len) : NULL;
	if (a->body) {
		memcpy(a->body, body, len);
		a->len = len;
	} else {
		snprintf(a->why, sizeof(a->why), "%s",
			 why ? why : len ? "out of memory" : "an empty answer");
	}
	return a;
}

static bool run_without(struct ike_engine *e, struct ike_job *job, const char *why)
{
	struct ike_answer *a = answer_new(NULL, 0, why);

	if (!a)
		return false;
	run_again(e, job, a);
	ike_answer_unref(a);
	return true;
}

bool ike_inquire(struct ike_engine *e, struct ike_job *job)
{
	struct ike_inquiries *q = &e->inquiries;
	struct ike_want *want;
	struct ike_inquiry *i;
	const char *why;

	if (!job->proof)
		return false;
	learn(e, &job->proof->revocation);
	if (!job->ok || !ike_proof_wants(job->proof) || !is_wanted(e, job))
		return false;
	if (!job->give_up)
		job->give_up = e->now + ASKING_TIME;
	want = &job->proof->revocation.want;
	i = find(q, want);
	if (i && i->answer && i->until > utc(e)) {
		TAILQ_REMOVE(&q->list, i, link);
		TAILQ_INSERT_TAIL(&q->list, i, link);
		run_again(e, job, i->answer);
		return true;
	}
	if (e->now >= job->give_up)
		return run_without(e, job, "there is no time left to ask");
	if (!i)
		i = add(q, want);
	if (!i)
		return run_without(e, job, "too much is being fetched already");
	drop_answer(q, i);
	if (!i->id && !fetch(e, i, &why)) {
		forget(q, i);
		return run_without(e, job, why);
	}
	TAILQ_INSERT_TAIL(&i->parked, job, parked);
	return true;
}

static struct ike_inquiry *find_fetch(struct ike_inquiries *q, uint64_t id)
{
	struct ike_inquiry *i;

	TAILQ_FOREACH(i, &q->list, link)
		if (i->id == id)
			return i;
	return NULL;
}

void ike_inquiry_answered(struct ike_engine *e, struct ike_fetch *f, const uint8_t *body,
			  size_t len, const char *why)
{
	struct ike_inquiries *q = &e->inquiries;
	struct ike_inquiry *i = find_fetch(q, f->id);
	struct ike_answer *answer;
	struct ike_job *job;

	ike_log(e, body ? IKE_LOG_DEBUG : IKE_LOG_INFO, "%s: %s", f->uri, body ? "fetched" : why);
	if (!i)
		return;
	answer = make_room(q, 0, len) ? answer_new(body, len, why) :
					answer_new(NULL, 0, "too much is kept already");
	i->id = 0;
	q->pending--;
	i->answer = answer;
	if (answer)
		q->bytes += answer->len;
	i->until = utc(e) + RETRY_SECONDS;
	while ((job = TAILQ_FIRST(&i->parked))) {
		TAILQ_REMOVE(&i->parked, job, parked);
		if (answer && is_wanted(e, job))
			run_again(e, job, answer);
		else
			ike_job_free(job);
	}
	if (!answer)
		forget(q, i);
}
