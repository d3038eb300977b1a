/* SPDX-License-Identifier: MIT */
/* One IKE SA: from its first message, or from the rekeying of another, to its end. */
#ifndef ESPLANE_IKE_SA_H
#define ESPLANE_IKE_SA_H

#include "ikev2/auth_methods.h"
#include "ikev2/crypto/protect.h"
#include "ikev2/engine.h"
#include "ikev2/fragment.h"
#include "ikev2/job.h"
#include "ikev2/keymat.h"
#include "ikev2/law.h"
#include "ikev2/message.h"
#include "ikev2/nat.h"
#include "ikev2/task.h"
#include "ikev2/window.h"

enum {
	IKE_NONCE_LEN = 32
}; /* ours; half of any PRF's key at least (section 2.10) */

enum {
	IKE_HALF_OPEN_TIME = 30 * IKE_SECOND, /* a responder waits so long for the end of IKE_AUTH */
	IKE_LINGER_TIME = 30 * IKE_SECOND,    /* a closed SA repeats its last answer so long */
	IKE_REKEYED_TIME = 90 * IKE_SECOND,   /* the peer has so long to delete what it rekeyed */
};

/* Why something ends: what the configuration wants then depends on it. */
enum ike_end {
	IKE_END_COMMAND,  /* somebody here wants it down */
	IKE_END_PEER,	  /* the peer deleted it */
	IKE_END_DEAD,	  /* the peer does not answer */
	IKE_END_EXPIRED,  /* a hard lifetime is over */
	IKE_END_FAILED,	  /* it never came up */
	IKE_END_REPLACED, /* another has taken its place */
};

struct ike_proven; /* prove.h */
struct ike_auth_eap;
struct ike_ppk;
struct ike_followup;

/* An address of one end inside of the tunnel. */
struct ike_vip {
	struct ike_addr addr;
	struct ike_lease *lease; /* the server's; NULL at the client */
	struct ike_addr outer, peer; /* the client's: when it was set up */
};

enum {
	IKE_VIPS_MAX = 4,
	IKE_DNS_MAX = 8,   /* of what a peer sends, the first are taken */
	IKE_NETS_MAX = 32,
};

enum {
	IKE_PATH_ADDRS_MAX = 8 /* besides the one in use, of either end */
};

/* MOBIKE (mobike.h) */
struct ike_mobike {
	bool on;       /* both ends do it */
	bool untold;   /* the peer has not been told of the addresses in use */
	bool unproven; /* the peer has not shown that it receives where it says it is */
	struct ike_addr others[IKE_PATH_ADDRS_MAX]; /* the peer's */
	size_t n_others;
	struct ike_addr told[IKE_PATH_ADDRS_MAX]; /* ours, that the peer knows of */
	size_t n_told;
	bool has_seen;
	uint8_t seen[IKE_NAT_HASH_LEN]; /* of our address as the peer sees it */
};

/* RFC 9242 section 3.3.2: what IKE_AUTH has to prove of IKE_INTERMEDIATE. */
struct ike_int_auth {
	struct ike_key i, r; /* IntAuth_i, IntAuth_r, so far */
	uint32_t n; /* exchanges */
};

struct ike_sa {
	TAILQ_ENTRY(ike_sa) link;
	struct ike_node by_spi, by_peer, by_source, by_id, by_conn, kin;
	struct ike_engine *engine;
	struct ike_config *config; /* referenced: @conn is its */
	const struct ike_conn_cfg *conn;
	uint64_t id;
	enum ike_sa_state state;
	bool initiator; /* of this IKE SA, not of any exchange */
	bool announced; /* IKE_EVENT_IKE_UP was told */
	unsigned int leaves; /* the engine shuts down, and has come to it; see leave_round */
	uint64_t spi_i, spi_r;
	/* Of the one that was authenticated, however often it has been rekeyed since. */
	uint64_t first_spi; /* its initiator's */
	bool began;	    /* this end was its initiator */
	struct ike_endpoint local, remote;

	struct ike_suite suite;
	const struct ike_prf *prf;
	struct ike_keys keys;
	bool keyed;
	struct ike_protect in, out;
	struct ike_id local_id, remote_id;
	bool identified; /* the peer's identity is proven */
	uint8_t own_round, peer_round; /* of authentication: that many are over (rounds.h) */
	bool peer_rounds;		/* the peer knows of several (RFC 4739) */
	char *user;	 /* the peer's name in EAP, printable; NULL: without EAP */
	ike_time created, established, heard, sent, rekey_at;
	ike_time authenticated; /* the same through all rekeying */
	struct ike_nonce lower_nonce; /* the lower one of the exchange that made it */

	bool nat_aware;		    /* the peer sent NAT detection */
	bool nat_local, nat_remote; /* who sits behind one */
	bool peer_childless;	    /* RFC 6023 */
	struct ike_auth_methods peer_takes; /* as proof of this end */
	bool terse;		    /* a responder's first answer would be too long else */
	bool use_ppk;		    /* both ends know of PPKs (ppk.h) */
	bool has_ppk;		    /* one is in the keys, or in those that these come from */
	bool fragmentation;	    /* both ends agreed (RFC 7383 section 2.3) */
	size_t fragment_longest;    /* that the peer sends; 0: none came yet */
	struct ike_mobike mobike;

	/* For AUTH (section 2.15), until authenticated. */
	struct ike_packet init_sent, init_got;
	struct ike_nonce ni, nr;
	struct ike_int_auth int_auth;
	struct ike_ppk *ppk; /* ppk.h */
	unsigned int addke; /* the additional key exchange that is being done, of suite.addke */
	struct ike_incoming *first;  /* responder: the first request, with what is asked for */
	struct ike_packet peer_body; /* initiator: the peer's last ID payload */
	struct ike_proven *proven; /* our signature, until it is sent */
	struct ike_auth_eap *eap;  /* auth_eap.h */

	struct ike_window window;
	ike_time asked;	    /* the request that is out, first */
	unsigned int sends; /* of the request that is out */
	unsigned int sends_max;
	ike_time interval;
	struct ike_endpoint answered_to; /* where the last request came from */
	struct ike_endpoint answered_from;

	struct ike_task_list tasks; /* waiting */
	unsigned int n_tasks;
	struct ike_task *task; /* being done */
	struct ike_job *jobs[IKE_SIDES];
	struct ike_incoming *kept[IKE_SIDES];
	struct ike_fragments fragments[IKE_SIDES];
	struct ike_followup *followup; /* what the peer has still to go on with (followup.h) */

	struct ike_vip vips[IKE_VIPS_MAX];
	size_t n_vips;
	bool vips_ours; /* the peer gave them */
	/* The client's: what came along with them. */
	uint64_t dns_id; /* what the host knows name servers by; 0: none */
	struct ike_ts *nets; /* at most IKE_NETS_MAX; most IKE SAs have none */
	size_t n_nets;
	struct ike_refusals refusals; /* of what the peer does not take */

	struct ike_child_list children;
	unsigned int n_children;

	uint64_t rival_of; /* made by the peer while we rekeyed this IKE SA too */
	uint64_t reauth_of; /* to take the place of that one (reauth.h) */
	uint32_t auth_lifetime; /* seconds, that the peer allows (RFC 4478); 0: for ever */
	ike_time reauth_at; /* 0: never */

	struct ike_timer retransmit; /* of the request that is out */
	struct ike_timer queue;	     /* a task may begin */
	struct ike_timer life;	     /* half-open, rekeying, giving up: by state */
	struct ike_timer over;	     /* hard lifetime */
	struct ike_timer alive;	     /* liveness */
	struct ike_timer reauth;
	struct ike_timer keepalive;
};
enum {
	IKE_SA_TIMERS = 7
};

/* NULL without memory. Its state is INIT_SENT or INIT_GOT. @spi_peer: 0 for an initiator. */
struct ike_sa *ike_sa_new(struct ike_engine *e, struct ike_config *config,
			  const struct ike_conn_cfg *conn, bool initiator, uint64_t spi_peer,
			  const struct ike_endpoint *local, const struct ike_endpoint *remote);
/* The same under an SPI of ours that was drawn before. */
struct ike_sa *ike_sa_new_spi(struct ike_engine *e, struct ike_config *config,
			      const struct ike_conn_cfg *conn, bool initiator, uint64_t spi_own,
			      uint64_t spi_peer, const struct ike_endpoint *local,
			      const struct ike_endpoint *remote);
uint64_t ike_sa_draw_spi(struct ike_engine *e);
struct ike_sa *ike_sa_find(struct ike_engine *e, uint64_t own_spi);
/* How many half-open IKE SAs @addr, or its /64 of IPv6, has begun. */
unsigned int ike_sa_half_open_of(const struct ike_engine *e, const struct ike_addr *addr);
struct ike_sa *ike_sa_by_id(struct ike_engine *e, uint64_t id);
/* The next after @after (NULL: the first), in no order, of those of the connection of that name. */
struct ike_sa *ike_sa_of_conn(const struct ike_engine *e, const char *conn, const struct ike_sa *after);
/*
 * Likewise, of those that were established, of @sa's connection and with the peer's identity: @sa may be among them.
 */
struct ike_sa *ike_sa_kin(const struct ike_sa *sa, const struct ike_sa *after);
/* The peer means that connection. */
void ike_sa_set_conn(struct ike_sa *sa, const struct ike_conn_cfg *conn);
static inline uint64_t ike_sa_own_spi(const struct ike_sa *sa)
{
	return sa->initiator ? sa->spi_i : sa->spi_r;
}
static inline uint64_t ike_sa_peer_spi(const struct ike_sa *sa)
{
	return sa->initiator ? sa->spi_r : sa->spi_i;
}
void ike_sa_set_peer_spi(struct ike_sa *sa, uint64_t spi);
/* Established and with a future. */
static inline bool ike_sa_usable(const struct ike_sa *sa)
{
	return sa->state == IKE_SA_ESTABLISHED && !sa->rival_of;
}

/* Takes the keys that follow from @skeyseed for sa->suite. */
IKE_MUST_CHECK bool ike_sa_set_keys(struct ike_sa *sa, const struct ike_key *skeyseed,
				    struct ike_bytes ni, struct ike_bytes nr,
				    struct ike_error *err);
void ike_sa_set_state(struct ike_sa *sa, enum ike_sa_state state);
/* Both ends are authenticated, or it takes over from one of which that is true. */
void ike_sa_establish(struct ike_sa *sa);
/* Takes all that @old has: CHILD_SAs, tasks. @old then waits for its DELETE. */
void ike_sa_inherit(struct ike_sa *sa, struct ike_sa *old);
/*
 * It is over, with its CHILD_SAs and tasks. @linger: it goes on answering the last request when
 * that is repeated.
 * @why ends a log line and the commands that waited.
 */
void ike_sa_close(struct ike_sa *sa, enum ike_end how, bool linger, const char *why);
/* By our DELETE: another has taken its place. */
void ike_sa_delete_replaced(struct ike_sa *sa);
/* Frees what ike_sa_close() put aside. */
void ike_engine_bury(struct ike_engine *e);
/* Frees it at once, without a word: the engine ends. */
void ike_sa_free(struct ike_sa *sa);

/* The peer has been heard of, authentically. */
void ike_sa_heard(struct ike_sa *sa);
/* An authentic message came this way: follows a peer that a NAT moved (section 2.23). */
void ike_sa_follow(struct ike_sa *sa, const struct ike_endpoint *local,
		   const struct ike_endpoint *remote);
/* Are CHILD_SAs carried in UDP? */
static inline bool ike_sa_udp_encap(const struct ike_sa *sa)
{
	return sa->nat_local || sa->nat_remote;
}

/*
 * retransmit.c: sends the request in the window, now and again until it is answered or hope is
 * lost.
 */
void ike_sa_ask(struct ike_sa *sa);
/* The request that is out, if there is one, as if it were the first time. */
void ike_sa_ask_again(struct ike_sa *sa);
/* The same once, another way. */
void ike_sa_send_request(struct ike_sa *sa, const struct ike_endpoint *local,
			 const struct ike_endpoint *remote);
void ike_sa_asked_in_vain(struct ike_timer *t);
/* The answer has come. */
void ike_sa_settle(struct ike_sa *sa);
/* Sends @o as the answer to @in and keeps it for repetitions. */
void ike_sa_answer(struct ike_sa *sa, const struct ike_incoming *in, struct ike_outgoing *o);
/* An answer of one notify, about nothing in particular. */
void ike_sa_answer_notify(struct ike_sa *sa, const struct ike_incoming *in, uint16_t type,
			  struct ike_bytes data);
/* err->notify, or TEMPORARY_FAILURE when the fault is ours. */
void ike_sa_answer_error(struct ike_sa *sa, const struct ike_incoming *in,
			 const struct ike_error *err);
void ike_sa_answer_again(struct ike_sa *sa, const struct ike_incoming *in);
void ike_engine_send(struct ike_engine *e, const struct ike_endpoint *local,
		     const struct ike_endpoint *remote, struct ike_bytes message);

/* job.c */
void ike_job_resume(struct ike_engine *e, struct ike_job *job);

/* nonces */
void ike_nonce_draw(struct ike_sa *sa, struct ike_nonce *n);
IKE_MUST_CHECK bool ike_nonce_find(const struct ike_payloads *all, struct ike_nonce *n,
				   struct ike_error *err);
static inline struct ike_bytes ike_nonce_bytes(const struct ike_nonce *n)
{
	return ike_bytes(n->bytes, n->len);
}
/* Section 2.8.1: as octet strings. */
int ike_nonce_compare(const struct ike_nonce *a, const struct ike_nonce *b);
const struct ike_nonce *ike_nonce_lower(const struct ike_nonce *a, const struct ike_nonce *b);

/*
 * The exchanges. A request has passed the table and the window, and must be answered now or after a
 * job; the in->form says what it is.
 */
void ike_init_request(struct ike_engine *e, struct ike_incoming *in);
void ike_intermediate_request(struct ike_sa *sa, struct ike_incoming *in);
void ike_auth_request(struct ike_sa *sa, struct ike_incoming *in);
void ike_followup_request(struct ike_sa *sa, struct ike_incoming *in);
void ike_create_child_request(struct ike_sa *sa, struct ike_incoming *in);
void ike_informational_request(struct ike_sa *sa, struct ike_incoming *in);
/* rekey_ike.c, for create_child.c: CREATE_CHILD_SA without selectors. */
void ike_rekey_request(struct ike_sa *sa, struct ike_incoming *in);
/* The peer goes on with the IKE SA that its rekey made, whatever becomes of ours. */
void ike_rekey_adopt(struct ike_sa *rival);
/* The IKE SA that the peer's rekey of @sa made while ours is under way, or NULL. */
struct ike_sa *ike_rekey_rival(struct ike_sa *sa);

#endif
