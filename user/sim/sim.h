/* SPDX-License-Identifier: MIT */
/*
 * The engine against itself: two to eight nodes, each an engine with a pretended data plane, a
 * network that loses, doubles, delays and reorders, and a script of what happens to them, all from
 * one seed. More than two are a hub with its spokes, or a mesh.
 * After each step the invariants are checked (check.c); the first that does not hold ends the run
 * with a text.
 */
#ifndef ESPLANE_SIM_H
#define ESPLANE_SIM_H

#include "ikev2/ike.h"
#include "sim/clock.h"
#include "sim/rng.h"

enum {
	SIM_NODES = 8,
	SIM_SAS = 256, /* more at one node at once is a leak */
	SIM_POLICIES = 64,
	SIM_KEYS = 8192,   /* in one run */
	SIM_IDS = 256,	   /* request message IDs watched, per sender */
	SIM_KEY_MAX = 128, /* encryption and integrity key together */
	SIM_FRAGMENTS = 64, /* of one message */
	SIM_TEXT = 512,
	SIM_PLACES = 4, /* besides home */
};

struct sim_sa {
	uint32_t id; /* 0: free */
	uint32_t spi;
	bool inbound;
	bool transport;
	bool met; /* outbound: the peer has had the other end of it */
	struct ike_endpoint src, dst;
	uint64_t cookie;
	size_t key_len;
	uint8_t key[SIM_KEY_MAX];
};

struct sim_policy {
	uint32_t id; /* 0: free */
	bool inbound;
	uint32_t sa_id;
	uint64_t cookie;
};

/* What a node has sent under one IKE SA as requests: RFC 7296 section 2.3's window of one. */
struct sim_requests {
	uint64_t spi_i;
	bool by_initiator;
	bool any, answered;
	uint32_t last; /* message ID of the newest request */
	size_t len[SIM_FRAGMENTS];
	uint64_t hash[SIM_FRAGMENTS]; /* of its bytes: a retransmission must be the same */
	uint64_t got;		      /* fragments of the answer, as bits */
};

struct sim_node {
	struct sim *sim;
	unsigned int index;
	struct ike_engine *engine;
	struct sim_rng rng;
	struct sim_sa sas[SIM_SAS];
	struct sim_policy policies[SIM_POLICIES];
	uint32_t spis[SIM_SAS]; /* reserved and not used yet */
	uint32_t next_id;
	unsigned int n_jobs; /* so far */
	unsigned int vips; /* set up inside */
	unsigned int place; /* where it is: its address outside hangs on that; 0: at home */
	ike_time tick_planned; /* when an item for ike_engine_tick() is planned; 0: none */
	unsigned int life;     /* counts crashes: items of an earlier life are void */
	struct sim_requests requests[SIM_IDS];
	size_t n_requests;
	uint64_t data_sent, data_got;
};

struct sim_conditions {
	unsigned int loss, twice, reorder; /* percent */
	ike_time delay_min, delay_max;
	bool crash;
	bool both;  /* both ends bring a tunnel up */
	bool mesh;  /* each node has a tunnel with each other, not only with node 0 */
	bool toy;  /* key exchanges are pretended */
	bool pfs;   /* CHILD_SAs have key exchanges of their own */
	bool guess; /* the first group of who begins is not the other's */
	uint32_t fragment_size; /* 0: whole messages, as long as they are */
	bool pubkey; /* raw public keys authenticate, not a shared one */
	bool eap; /* who begins by EAP instead: a password */
	bool vips; /* end 1 gives end 0 an address inside, by configuration payload */
	bool mobike; /* the ends move about */
	bool transport; /* mode, at both ends */
	bool extra; /* a tunnel may have a second CHILD_SA, by SIM_CREATE_CHILD */
	bool childless; /* the first CHILD_SA is made apart */
	unsigned int addke; /* additional key exchanges (RFC 9370), to 2 */
	unsigned int actions;
};

struct sim {
	uint64_t seed;
	bool verbose;
	struct sim_clock clock;
	struct sim_rng rng;
	struct sim_conditions conditions;
	bool calm;	/* the script is over: the network is good */
	bool disturbed; /* a crash or an SA given up: traffic may have been lost meanwhile */
	size_t n_keys;
	unsigned int children_least, children_most; /* of one tunnel, at rest */
	char failure[SIM_TEXT]; /* empty: all well */
	uint64_t datagrams, rekeys, fragments;
	uint64_t keys[SIM_KEYS]; /* hashes of every key ever installed inbound */
	struct sim_crossing *crossing; /* NULL: chance decides what happens when */
	unsigned int n_nodes;
	/* Last, so that those that are not there cost nothing. */
	struct sim_node nodes[SIM_NODES];
};

/* The first failure is kept. */
void sim_fail(struct sim *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
uint64_t sim_hash(const void *p, size_t len);

/* Have they a tunnel? */
static inline bool sim_linked(const struct sim *s, unsigned int a, unsigned int b)
{
	return a != b && a < s->n_nodes && b < s->n_nodes && (s->conditions.mesh || !a || !b);
}
/* How many tunnels @index has. */
unsigned int sim_degree(const struct sim *s, unsigned int index);
/* The node that has @addr, wherever it is now. */
struct sim_node *sim_node_at(struct sim *s, const struct ike_addr *addr);

/* action.c: what may be done to a node. */
enum sim_action {
	SIM_CREATE_CHILD,
	SIM_REKEY_CHILD,
	SIM_REKEY_IKE,
	SIM_EXPIRE,
	SIM_DELETE_CHILD,
	SIM_DELETE_IKE,
	SIM_CRASH,
	SIM_MOVE,
	SIM_ACTIONS,
};
const char *sim_action_name(enum sim_action action);
/* About the tunnel with @peer; to be given to sim_act() with the node it is for, and freed. */
struct sim_step *sim_step_new(enum sim_action action, unsigned int peer);
void sim_act(void *node, void *step);

/* node.c */
/* What @index calls the connection with @peer. */
const char *sim_conn_name(unsigned int peer);
struct ike_addr sim_address(const struct sim_node *n);
/* To another place; the engine is told. */
void sim_node_move(struct sim_node *n, unsigned int place);
void sim_node_begin(struct sim_node *n, struct sim *s, unsigned int index);
/* A crash: the engine is gone; its data plane is swept by the next one's host. */
void sim_node_restart(struct sim_node *n);
void sim_node_end(struct sim_node *n);
/* Sees to it that the engine's next timer is planned. After each call into the engine. */
void sim_node_settle(struct sim_node *n);

/* plane.c: what the host functions do to SAs and policies. */
void sim_plane_host(struct ike_host *host);
struct sim_sa *sim_plane_by_spi(struct sim_node *n, uint32_t spi);
struct sim_sa *sim_plane_by_id(struct sim_node *n, uint32_t id);
void sim_plane_sweep(struct sim_node *n);
/* A packet of user data over each outbound policy that has an SA. */
void sim_plane_traffic(struct sim_node *n);

/* network.c */
void sim_network_send(struct sim_node *from, const struct ike_endpoint *local,
		      const struct ike_endpoint *remote, const uint8_t *message, size_t len);

/* check.c */
void sim_check_sent(struct sim_node *from, const uint8_t *message, size_t len);
void sim_check_received(struct sim_node *to, const uint8_t *message, size_t len);
void sim_check_new_key(struct sim_node *n, const struct sim_sa *sa);
void sim_check_swap(struct sim_node *n, const struct sim_sa *old, const struct sim_sa *sa);
void sim_check_rest(struct sim *s);
/* Prints what both ends have. */
void sim_show(struct sim *s);

/*
 * crossing.c: what is on its way, to be done or lost in every order. @hash: two of one hash are the
 * same. @data is freed after run(), or dropped instead.
 */
enum sim_held_kind {
	SIM_HELD_MESSAGE,
	SIM_HELD_JOB,
	SIM_HELD_EVENT,
};
void sim_crossing_hold(struct sim *s, enum sim_held_kind kind, struct sim_node *n, uint64_t hash,
		       void (*run)(void *arg, void *data), void (*drop)(void *data), void *data);

struct sim_event {
	unsigned int node;
	enum sim_action action;
};
struct sim_crossing_result {
	uint64_t states, ends; /* that differ, and of those at rest */
	char failure[SIM_TEXT];
};
/* All ways in which two events can cross, with up to @losses messages lost. True if all are well. */
bool sim_crossing_run(struct sim *s, const struct sim_event events[2], unsigned int losses,
		      struct sim_crossing_result *result);

/* scenario.c: one whole run. True if every invariant held. */
bool sim_run(struct sim *s, uint64_t seed, bool verbose);

#endif
