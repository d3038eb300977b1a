// SPDX-License-Identifier: MIT
/* An end with a thousand IKE SAs says goodbye: not to all at once, and to all, whoever does not answer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config/load.h"

enum {
	PEERS = 1000,
	AT_ONCE = 256, /* DELETEs that wait for an answer */
	QUEUE = 4096,
	MESSAGE = 2048,
};

struct message {
	unsigned int to;
	size_t len;
	uint8_t bytes[MESSAGE];
};

/* Two ends; the peers are all at end 1. */
struct hosts {
	struct end {
		struct hosts *all;
		unsigned int index;
		struct ike_engine *engine;
		struct ike_config *config;
		unsigned int sent;
		uint64_t random;
	} end[2];
	struct message *queue;
	size_t head, tail;
	struct ike_job *job;
	unsigned int job_of;
	ike_time now;
};

static void host_send(void *host, const struct ike_endpoint *local,
		      const struct ike_endpoint *remote, const uint8_t *message, size_t len)
{
	struct end *from = host;
	struct hosts *h = from->all;
	struct message *m = &h->queue[h->tail++ % QUEUE];

	assert_true(h->tail - h->head <= QUEUE && len <= MESSAGE);
	m->to = !from->index;
	m->len = len;
	memcpy(m->bytes, message, len);
	from->sent++;
}

static void host_random(void *host, uint8_t *buf, size_t len)
{
	struct end *e = host;

	while (len--) {
		e->random = e->random * UINT64_C(6364136223846793005) + 1442695040888963407;
		*buf++ = e->random >> 56;
	}
}

static void host_run_job(void *host, struct ike_job *job)
{
	struct end *e = host;

	assert_null(e->all->job);
	e->all->job = job;
	e->all->job_of = e->index;
}

static void host_log(void *host, enum ike_log_level level, const char *name, const char *text)
{
}

static void host_event(void *host, const struct ike_event *event)
{
}

static const struct ike_host ops = {
	.send = host_send, .random = host_random, .run_job = host_run_job,
	.log = host_log, .event = host_event,
};

static const struct ike_endpoint at[2] = {
	{ { .family = AF_INET, .bytes = { 192, 0, 2, 1 } }, IKE_PORT },
	{ { .family = AF_INET, .bytes = { 192, 0, 2, 2 } }, IKE_PORT },
};

static void deliver(struct hosts *h)
{
	struct message *m = &h->queue[h->head++ % QUEUE];

	ike_engine_receive(h->end[m->to].engine, h->now, &at[m->to], &at[!m->to], m->bytes, m->len);
}

static void run(struct hosts *h)
{
	struct ike_job *job;

	while (h->job || h->head < h->tail) {
		job = h->job;
		h->job = NULL;
		if (job) {
			ike_job_run(job);
			ike_engine_job_done(h->end[h->job_of].engine, h->now, job);
		} else {
			deliver(h);
		}
	}
}

/* End 0 has them all as peers. IKE SAs alone: what they carry is not what this is about. */
static struct ike_config *configure(unsigned int end)
{
	struct cfg_errors errors = { 0 };
	struct daemon_config *loaded;
	struct ike_config *config;
	char *text;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	fprintf(out, "connections {\n");
	for (unsigned int i = 0; i < PEERS; i++)
		fprintf(out, "c%u {\n local_addrs = 192.0.2.%u\n remote_addrs = 192.0.2.%u\n mobike = no\n rekey_time = 0\n"
			     " proposals = aes128gcm16-prfsha256-x25519\n"
			     " local {\n auth = psk\n id = %s%u\n }\n remote {\n auth = psk\n id = %s%u\n } }\n",
			i, 1 + end, 2 - end, end ? "peer" : "us", i, end ? "us" : "peer", i);
	fprintf(out, "}\nsecrets { ike {\n secret = x\n } }\n");
	fclose(out);
	loaded = config_parse("t.conf", text, len, &errors);
	assert_non_null(loaded);
	config = loaded->ike;
	loaded->ike = NULL;
	config_free(loaded);
	cfg_errors_free(&errors);
	free(text);
	return config;
}

static struct hosts *all_up(void)
{
	struct hosts *h = calloc(1, sizeof(*h));
	char name[16];
	const char *why;

	h->queue = calloc(QUEUE, sizeof(*h->queue));
	h->now = IKE_SECOND;
	for (unsigned int i = 0; i < 2; i++) {
		h->end[i] = (struct end){ .all = h, .index = i, .config = configure(i), .random = i };
		h->end[i].engine = ike_engine_new(&ops, &h->end[i], h->end[i].config, h->now);
		assert_non_null(h->end[i].engine);
	}
	for (unsigned int i = 0; i < PEERS; i++) {
		snprintf(name, sizeof(name), "c%u", i);
		assert_true(ike_engine_initiate(h->end[0].engine, h->now, name, NULL, &why));
		run(h);
	}
	assert_int_equal(ike_engine_remaining(h->end[0].engine), PEERS);
	assert_int_equal(ike_engine_remaining(h->end[1].engine), PEERS);
	h->end[0].sent = 0;
	return h;
}

static void hosts_free(struct hosts *h)
{
	for (unsigned int i = 0; i < 2; i++) {
		ike_engine_free(h->end[i].engine);
		ike_config_unref(h->end[i].config);
	}
	free(h->queue);
	free(h);
}

static void some_at_a_time(void **state)
{
	struct hosts *h = all_up();

	ike_engine_shutdown(h->end[0].engine, h->now);
	assert_int_equal(h->end[0].sent, AT_ONCE);
	/* Each answer makes room for one more. */
	deliver(h);
	assert_int_equal(h->end[0].sent, AT_ONCE);
	run(h);
	assert_int_equal(h->end[0].sent, PEERS);
	assert_true(ike_engine_idle(h->end[0].engine));
	assert_true(ike_engine_idle(h->end[1].engine));
	hosts_free(h);
}

/* Nobody answers: within a second all have been told nevertheless. */
static void silent_peers_hold_up_nobody(void **state)
{
	struct hosts *h = all_up();
	ike_time end = h->now + IKE_SECOND;
	struct ike_engine *e = h->end[0].engine;

	ike_engine_shutdown(e, h->now);
	while (h->now < end) {
		h->head = h->tail;
		h->now = ike_engine_next(e) < end ? ike_engine_next(e) : end;
		ike_engine_tick(e, h->now);
		assert_in_range(h->tail - h->head, 0, AT_ONCE);
	}
	assert_int_equal(h->end[0].sent, PEERS);
	assert_int_equal(ike_engine_remaining(e), PEERS);
	assert_false(ike_engine_idle(e));
	hosts_free(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(some_at_a_time), cmocka_unit_test(silent_peers_hold_up_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
