// SPDX-License-Identifier: MIT
/* Key exchanges, signatures and steps of EAP as jobs of the host. */
#include <stdlib.h>
#include <string.h>

#include "ikev2/ike_sa.h"
#include "ikev2/job.h"
#include "ikev2/message.h"

void ike_job_free(struct ike_job *job)
{
	ike_dh_clear(&job->key);
	ike_secret_clear(&job->secret);
	ike_proof_free(job->proof);
	ike_eap_unref(job->eap);
	free(job);
}

void ike_job_run(struct ike_job *job)
{
	struct ike_bytes peer = ike_bytes(job->peer, job->peer_len);

	if (job->eap) {
		job->outcome = ike_eap_run(job->eap, &job->err);
		return;
	}
	if (job->proof) {
		job->ok = ike_proof_run(job->proof, &job->err);
		return;
	}
	if (!job->peer_len)
		job->ok = ike_dh_generate(&job->key, &job->err);
	else if (job->key.pub_len)
		job->ok = ike_dh_derive(&job->key, peer, &job->secret, &job->err);
	else
		job->ok = ike_dh_respond(&job->key, peer, &job->secret, &job->err);
}

static struct ike_job *job_new(struct ike_sa *sa, enum ike_side side, struct ike_bytes peer,
			       ike_job_then then)
{
	struct ike_job *job;

	/* Longer than any group's: one that refuses it by its length will do. */
	if (peer.len > sizeof(job->peer))
		peer.len = sizeof(job->peer);
	job = calloc(1, sizeof(*job));
	if (!job)
		return NULL;
	job->own_spi = ike_sa_own_spi(sa);
	job->ike_id = sa->id;
	job->side = side;
	job->then = then;
	job->peer_len = peer.len;
	if (peer.len)
		memcpy(job->peer, peer.p, peer.len);
	return job;
}

static void hand_over(struct ike_sa *sa, struct ike_job *job, struct ike_incoming *in)
{
	sa->jobs[job->side] = job;
	sa->kept[job->side] = in ? ike_incoming_ref(in) : NULL;
	sa->engine->ops->run_job(sa->engine->host, job);
}

bool ike_job_generate(struct ike_sa *sa, enum ike_side side, uint16_t group, struct ike_bytes peer,
		      ike_job_then then, struct ike_incoming *in)
{
	const struct ike_dh_group *g = ike_dh_find(group);
	struct ike_job *job = g ? job_new(sa, side, peer, then) : NULL;

	if (!job)
		return false;
	ike_dh_draw(&job->key, g, &sa->engine->random);
	hand_over(sa, job, in);
	return true;
}

bool ike_job_derive(struct ike_sa *sa, enum ike_side side, const struct ike_dh_key *key,
		    struct ike_bytes peer, ike_job_then then, struct ike_incoming *in)
{
	struct ike_job *job = job_new(sa, side, peer, then);

	if (!job)
		return false;
	job->key = *key;
	hand_over(sa, job, in);
	return true;
}

bool ike_job_prove(struct ike_sa *sa, enum ike_side side, struct ike_proof *proof,
		   ike_job_then then, struct ike_incoming *in)
{
	struct ike_job *job = job_new(sa, side, ike_bytes(NULL, 0), then);

	if (!job) {
		ike_proof_free(proof);
		return false;
	}
	job->proof = proof;
	hand_over(sa, job, in);
	return true;
}

bool ike_job_eap(struct ike_sa *sa, enum ike_side side, struct ike_eap *eap, ike_job_then then,
		 struct ike_incoming *in)
{
	struct ike_job *job = job_new(sa, side, ike_bytes(NULL, 0), then);

	if (!job)
		return false;
	job->eap = ike_eap_ref(eap);
	hand_over(sa, job, in);
	return true;
}

void ike_job_forget(struct ike_sa *sa, enum ike_side side)
{
	sa->jobs[side] = NULL;
	ike_incoming_unref(sa->kept[side]);
	sa->kept[side] = NULL;
}

void ike_job_resume(struct ike_engine *e, struct ike_job *job)
{
	struct ike_sa *sa = ike_sa_find(e, job->own_spi);
	struct ike_incoming *in;

	/* The pointer is compared, not followed: a job that was forgotten is nobody's. */
	if (!sa || sa->id != job->ike_id || sa->jobs[job->side] != job)
		return;
	in = sa->kept[job->side];
	sa->jobs[job->side] = NULL;
	sa->kept[job->side] = NULL;
	job->then(sa, job, in);
	ike_incoming_unref(in);
}
