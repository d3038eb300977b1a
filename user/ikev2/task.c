// SPDX-License-Identifier: MIT
/* What this end asks of the peer, one exchange at a time. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ikev2/followup.h"
#include "ikev2/goal.h"
#include "ikev2/ike_sa.h"
#include "ikev2/reauth.h"
#include "ikev2/ticket.h"

enum {
	LATER_BASE = IKE_SECOND / 2,
	LATER_SPREAD = 2 * IKE_SECOND,
	LATER_MAX = 100, /* section 2.25: a temporary failure that lasts is none */
};

static struct ike_task *task_new(struct ike_sa *sa, const struct ike_task_kind *kind)
{
	struct ike_task *t = sa->n_tasks < IKE_TASKS_MAX ? calloc(1, sizeof(*t)) : NULL;

	if (!t) {
		ike_sa_log(sa, IKE_LOG_ERROR, "%s: not queued, %u tasks wait already", kind->name,
			   sa->n_tasks);
		return NULL;
	}
	t->kind = kind;
	sa->n_tasks++;
	return t;
}

struct ike_task *ike_task_add(struct ike_sa *sa, const struct ike_task_kind *kind)
{
	struct ike_task *t = task_new(sa, kind);

	if (t)
		TAILQ_INSERT_TAIL(&sa->tasks, t, link);
	return t;
}

struct ike_task *ike_task_add_first(struct ike_sa *sa, const struct ike_task_kind *kind)
{
	struct ike_task *t = task_new(sa, kind);

	if (t)
		TAILQ_INSERT_HEAD(&sa->tasks, t, link);
	return t;
}

static bool is_about(const struct ike_task *t, const struct ike_task_kind *kind, uint64_t child_id)
{
	return t->kind == kind && (!child_id || t->child_id == child_id);
}

struct ike_task *ike_task_find(const struct ike_sa *sa, const struct ike_task_kind *kind,
			       uint64_t child_id)
{
	struct ike_task *t;

	if (sa->task && is_about(sa->task, kind, child_id))
		return sa->task;
	TAILQ_FOREACH(t, &sa->tasks, link)
		if (is_about(t, kind, child_id))
			return t;
	return NULL;
}

static void unlink_task(struct ike_sa *sa, struct ike_task *t)
{
	TAILQ_REMOVE(&sa->tasks, t, link);
	sa->n_tasks--;
}

struct ike_task *ike_task_take_create(struct ike_sa *sa, const char *child)
{
	struct ike_task *t;

	TAILQ_FOREACH(t, &sa->tasks, link) {
		if (t->kind != &ike_task_create || (child && strcmp(t->cfg->name, child)))
			continue;
		unlink_task(sa, t);
		return t;
	}
	return NULL;
}

enum ike_step ike_task_fail(struct ike_task *t, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(t->why, sizeof(t->why), fmt, args);
	va_end(args);
	return IKE_STEP_FAILED;
}

static void task_free(struct ike_task *t)
{
	ike_dh_clear(&t->dh);
	ike_followup_free(t->followup);
	ike_part_clear(&t->part);
	ike_config_unref(t->config);
	free(t);
}

/* Gives back what one round of the exchange holds. */
static void release(struct ike_sa *sa, struct ike_task *t, bool ok)
{
	if (t->kind->ended)
		t->kind->ended(sa, t, ok);
	if (t->spi)
		sa->engine->ops->spi_free(sa->engine->host, &t->spi_at, t->spi);
	t->spi = 0;
	ike_dh_clear(&t->dh);
	ike_followup_free(t->followup);
	t->followup = NULL;
}

void ike_task_end(struct ike_sa *sa, struct ike_task *t, bool ok, const char *why)
{
	if (sa->task == t)
		sa->task = NULL;
	release(sa, t, ok);
	if (t->create)
		ike_task_end(sa, t->create, ok, why);
	if (t->kind == &ike_task_create && !ok)
		ike_goal_failed(sa->engine, sa->conn->name, t->cfg->name, why);
	ike_ticket_done(sa->engine, t->ticket, ok, why);
	task_free(t);
}

static void later(struct ike_sa *sa, struct ike_task *t)
{
	struct ike_engine *e = sa->engine;

	sa->task = NULL;
	t->sent = false;
	release(sa, t, false);
	if (++t->laters > LATER_MAX) {
		ike_sa_log(sa, IKE_LOG_ERROR, "%s: the peer has put it off %u times: given up",
			   t->kind->name, t->laters);
		ike_task_end(sa, t, false, "the peer puts it off again and again");
		return;
	}
	t->not_before = e->now + LATER_BASE + ike_random_below(e, LATER_SPREAD);
	TAILQ_INSERT_TAIL(&sa->tasks, t, link);
	sa->n_tasks++;
}

void ike_task_put_back(struct ike_sa *sa, struct ike_task *t)
{
	if (sa->task == t)
		sa->task = NULL;
	t->sent = false;
	t->restarts = 0;
	release(sa, t, false);
	TAILQ_INSERT_HEAD(&sa->tasks, t, link);
	sa->n_tasks++;
}

static bool send_request(struct ike_sa *sa, struct ike_task *t)
{
	struct ike_outgoing o;
	struct ike_error err;

	ike_outgoing_begin(&o, sa, ike_task_exchange(t), sa->window.next_id, false);
	if (t->followup)
		ike_followup_build(t, &o.w);
	else
		t->kind->build(sa, t, &o.w);
	if (!ike_outgoing_end(&o, sa, &err)) {
		ike_task_fail(t, "%s", err.text);
		return false;
	}
	if (!ike_window_asked(&sa->window, ike_written(&o.w))) {
		ike_task_fail(t, "out of message IDs or memory");
		return false;
	}
	if (t->kind == &ike_task_init && !ike_packet_set(&sa->init_sent, ike_written(&o.w))) {
		ike_task_fail(t, "out of memory");
		return false;
	}
	t->sent = true;
	ike_sa_ask(sa);
	return true;
}

static void failed(struct ike_sa *sa, struct ike_task *t)
{
	char why[IKE_TASK_WHY_MAX];

	memcpy(why, t->why, sizeof(why));
	/* Without its first two exchanges an IKE SA is nothing; without IDs it has no future. */
	if (sa->state < IKE_SA_ESTABLISHED || sa->window.next_id >= IKE_MESSAGE_ID_LAST)
		ike_sa_close(sa, sa->established ? IKE_END_EXPIRED : IKE_END_FAILED, false, why);
	else
		ike_task_end(sa, t, false, why);
}

static void follow(struct ike_sa *sa, enum ike_step step)
{
	struct ike_task *t = sa->task;

	switch (step) {
	case IKE_STEP_SEND:
		if (!send_request(sa, t))
			failed(sa, t);
		break;
	case IKE_STEP_DONE:
		ike_task_end(sa, t, true, "");
		break;
	case IKE_STEP_FAILED:
		failed(sa, t);
		break;
	case IKE_STEP_LATER:
		later(sa, t);
		break;
	case IKE_STEP_AGAIN:
		ike_task_put_back(sa, t);
		break;
	case IKE_STEP_WAIT:
	case IKE_STEP_GONE:
		break;
	}
}

void ike_task_step(struct ike_sa *sa, enum ike_step step)
{
	follow(sa, step);
	ike_sa_work(sa);
}

/* Has @t a place in this state of the SA? */
static bool may_begin(const struct ike_sa *sa, const struct ike_task *t)
{
	switch (sa->state) {
	case IKE_SA_INIT_SENT:
		return t->kind == &ike_task_init;
	case IKE_SA_ADDKE_SENT:
		return t->kind == &ike_task_intermediate;
	case IKE_SA_AUTH_SENT:
		return t->kind == &ike_task_auth;
	case IKE_SA_ESTABLISHED:
		return !sa->rival_of || t->kind == &ike_task_delete_ike;
	case IKE_SA_REKEYED:
		return t->kind == &ike_task_delete_ike;
	case IKE_SA_DELETING:
		return t->kind == &ike_task_delete_ike || t->kind == &ike_task_refuse_auth;
	default:
		return false;
	}
}

static struct ike_task *pick(struct ike_sa *sa)
{
	ike_time next = IKE_NEVER;
	struct ike_task *t;

	TAILQ_FOREACH(t, &sa->tasks, link) {
		if (!may_begin(sa, t))
			continue;
		if (t->not_before <= sa->engine->now) {
			unlink_task(sa, t);
			return t;
		}
		if (t->not_before < next)
			next = t->not_before;
	}
	ike_timer_set(&sa->engine->timers, &sa->queue, next);
	return NULL;
}

void ike_sa_work(struct ike_sa *sa)
{
	/*
	 * A request that was given up may still be out: its answer has to come before the next one
	 * goes.
	 */
	while (!sa->task && !sa->window.request.p) {
		sa->task = pick(sa);
		if (!sa->task)
			break;
		follow(sa, sa->task->kind->begin(sa, sa->task));
	}
	if (!sa->task && !sa->window.request.p)
		ike_reauth_settle(sa);
}

void ike_task_abandon(struct ike_sa *sa, bool ok, const char *why)
{
	ike_job_forget(sa, IKE_ASKING);
	if (sa->task)
		ike_task_end(sa, sa->task, ok, why);
}

void ike_tasks_end(struct ike_sa *sa, const char *why)
{
	struct ike_task *t;

	ike_task_abandon(sa, false, why);
	while ((t = TAILQ_FIRST(&sa->tasks))) {
		unlink_task(sa, t);
		ike_task_end(sa, t, false, why);
	}
}

void ike_tasks_free(struct ike_sa *sa)
{
	struct ike_task *t;

	while ((t = TAILQ_FIRST(&sa->tasks))) {
		unlink_task(sa, t);
		task_free(t);
	}
	if (sa->task && sa->task->create)
		task_free(sa->task->create);
	if (sa->task)
		task_free(sa->task);
	sa->task = NULL;
}
