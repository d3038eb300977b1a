/* SPDX-License-Identifier: MIT */
/*
 * Two engines in one process, a wire between them that a test can cut, a data plane that remembers,
 * and the lines they log: what the tests of the engine stand on.
 */
#ifndef ESPLANE_TESTS_WORLD_H
#define ESPLANE_TESTS_WORLD_H

#include "ikev2/ike.h"
#include "ikev2/ike_sa.h"

enum {
	WORLD_SAS = 32,
	WORLD_POLICIES = 16,
	WORLD_SENT = 256,
	WORLD_MESSAGE = 4096,
	WORLD_LOG = 65536,
	WORLD_TRACED = 16,
};

struct world_sa {
	uint32_t id;		 /* 0: free */
	struct ike_sa_spec spec; /* its pointers are not valid */
	uint8_t key[64];
	uint64_t packets;
	ike_time used; /* 0: never */
};

struct world_policy {
	uint32_t id; /* 0: free */
	bool inbound;
	enum ike_policy_action action;
	uint32_t sa_id, priority;
	uint64_t cookie;
	char src[128], dst[128];
};

struct world_message {
	unsigned int from;
	struct ike_endpoint src, dst;
	size_t len;
	uint8_t bytes[WORLD_MESSAGE];
};

/* ike_engine_trace() */
struct world_traced {
	bool sent, decrypted;
	uint64_t ike_id;
	size_t len;
	uint8_t bytes[WORLD_MESSAGE];
};

struct world;

struct world_end {
	struct world *world;
	unsigned int index;
	struct ike_engine *engine;
	struct ike_config *config; /* to be changed before world_start() */
	struct ike_addr addrs[2];  /* what it has outside; messages to others do not reach it */
	size_t n_addrs;
	struct world_sa sas[WORLD_SAS];
	struct world_policy policies[WORLD_POLICIES];
	uint32_t next_id, next_spi, spis; /* spis: reserved and not used yet */
	unsigned int spi_allocs, updates, queries, keepalives;
	bool refuse_sa; /* the data plane takes no SA */
	/* How often the data plane was asked for something, and the one time that it refuses. */
	unsigned int asked, refuse_at;
	struct ike_addr vips[8]; /* set up inside; family 0: free */
	char dns[256];		 /* name servers: "id addr addr\n" */
	char nets[256];		 /* that the last one is for */
	struct ike_addr outer;	 /* of the tunnel that it was given in */
	char leases[1024];	 /* told to be kept: "pool address identity\n" each */
	uint64_t random;
	char log[WORLD_LOG];
	size_t log_len;
	unsigned int errors; /* lines of that level */
	uint64_t lookup;     /* the last name that is asked for; 0: none */
	unsigned int lookups;
	char looked_up[64];
	struct ike_event last_done; /* COMMAND_DONE */
	char done_text[256];
	unsigned int events[IKE_EVENT_COMMAND_DONE + 1];
	struct world_traced *traced[WORLD_TRACED];
	size_t n_traced;
	struct ike_job *jobs[16];
	size_t n_jobs;
	struct ike_fetch *fetches[16]; /* under way, the oldest first */
	size_t n_fetches, fetched;     /* fetched: how many there have been */
};

/* A packet for a server of RADIUS. */
struct world_radius {
	unsigned int from;
	struct ike_endpoint server;
	size_t len;
	uint8_t bytes[WORLD_MESSAGE];
};

enum {
	WORLD_RADIUS = 8 /* packets under way */
};

struct world {
	ike_time now;
	int64_t utc;
	struct world_end end[2];
	struct world_message *sent; /* all that was sent, in order; a ring */
	size_t n_sent, delivered;
	/*
	 * False: the message is lost. May change where it seems to come from and go to. NULL: all
	 * arrive.
	 */
	bool (*wire)(struct world *w, struct world_message *m);
	/* The servers of RADIUS. NULL: all are silent. */
	void (*radius)(struct world *w, const struct world_radius *packet);
	struct world_radius *asked;
	size_t n_asked, n_radius; /* of all */
	bool nat; /* end 0 is behind one: seen as 198.51.100.1, ports + 10000 */
	uint16_t nat_restarts; /* each time, ports are one higher */
};

struct world *world_new(void);
void world_free(struct world *w);
/* A post-quantum pre-shared key of that name, and that its connection uses it as initiator. */
void world_give_ppk(struct world *w, unsigned int end, const char *name, const char *key);
void world_use_ppk(struct world *w, unsigned int end, const char *name, bool required);
/* Makes the engines. End 0 initiates, end 1 responds. */
void world_start(struct world *w);
/* What w->end[end].config is at first: for a new one. */
struct ike_config *world_configure(unsigned int end);
/* End @end has @config from now on, which is taken over. */
void world_reload(struct world *w, unsigned int end, struct ike_config *config);
/* A new engine of end @end, whose old one the test has freed: a restart. */
void world_renew(struct world *w, unsigned int end);
/* Delivers and computes until all is quiet. */
void world_run(struct world *w);
/* Lets time pass, in steps of the engines' timers. */
void world_pass(struct world *w, ike_time span);
/* Brings up the tunnel; the test fails if it does not come. */
void world_up(struct world *w);
uint64_t world_initiate(struct world *w, const char *child);

/* Answers the oldest fetch of end @end, which must be of @uri, and lets all go on. */
void world_answer(struct world *w, unsigned int end, const char *uri, const uint8_t *body,
		  size_t len, const char *why);

/* End @end has 203.0.113.@last and nothing else; its engine is told. */
void world_move(struct world *w, unsigned int end, uint8_t last);

/* Number of IKE SAs and CHILD_SAs in a state, by status. NULL: any state. */
unsigned int world_count_ike(struct world *w, unsigned int end, const char *state);
unsigned int world_count_children(struct world *w, unsigned int end, const char *state);
unsigned int world_count_sas(const struct world_end *end);
unsigned int world_count_policies(const struct world_end *end);
/* The only IKE SA, or the newest. */
struct ike_sa *world_sa(struct world *w, unsigned int end);
struct ike_child *world_child(struct world *w, unsigned int end);
/* The outbound policy's SA of one end has the other end, with the same key. */
bool world_connected(struct world *w);
bool world_logged(const struct world_end *end, const char *text);
void world_forget_log(struct world *w);
/* The last message that @from sent. */
struct world_message *world_last(struct world *w, unsigned int from);
/* Gives @bytes to end @to, as if the other end had sent it. */
void world_inject(struct world *w, unsigned int to, const uint8_t *bytes, size_t len);
/*
 * A genuine request of end @from's: begun under its keys and next message ID, for payloads to be
 * put, sealed and delivered. The answer's inner payloads are in *answer, or *answer->n is 0.
 */
void world_request(struct world *w, unsigned int from, uint8_t exchange,
		   void (*put)(struct ike_writer *w, void *arg), void *arg,
		   struct ike_payloads *answer);

#endif
