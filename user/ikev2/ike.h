/* SPDX-License-Identifier: MIT */
/*
 * The IKEv2 engine (RFC 7296), seen from outside.
 *
 * The engine does no I/O: it opens no socket, reads no clock, calls no kernel. Its host gives it
 * datagrams, the time, commands and data-plane events; it answers through the functions of struct
 * ike_host. esplaned is one host (sockets, netlink, a thread pool), the simulator another (a seeded
 * network), a fuzzer a third.
 *
 * A new life: an engine that is freed without ike_engine_shutdown() leaves its SAs and policies
 * in the data plane, working. The next one knows nothing of them: it brings its own tunnels up,
 * says so to the peers (INITIAL_CONTACT), and sets policies of its own. It is the host that puts
 * those in place of the old ones with the same selectors, and removes what has been replaced.
 * Cookies count up from 1 in each life: a host that outlives its engine, or whose data plane
 * does, must add what tells the lives apart.
 *
 * Threads: an engine and all its functions belong to one thread. Only ike_job_run() may run in
 * another. Time: microseconds of a monotonic clock, passed in with each call; it never goes back.
 * Re-entry: the functions of struct ike_host must not call back into the engine.
 */
#ifndef ESPLANE_IKE_H
#define ESPLANE_IKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config.h"

typedef uint64_t ike_time;

enum {
	IKE_SECOND = 1000000
};

enum {
	IKE_PORT = 500,	      /* RFC 7296 section 2 */
	IKE_PORT_NATT = 4500, /* RFC 3948 section 2 */
};

struct ike_engine;
struct ike_job;

/* An address and a UDP port. */
struct ike_endpoint {
	struct ike_addr addr;
	uint16_t port; /* host byte order */
};

enum ike_log_level {
	IKE_LOG_ERROR,
	IKE_LOG_INFO,
	IKE_LOG_DEBUG
};

/* What a line of the log is about; what is not known is NULL or 0. Valid during the call. */
struct ike_log_names {
	const char *name;	      /* "conn[3]", "conn[3]/child{5}" or "" */
	const char *conn, *child;     /* of the configuration */
	uint64_t ike_id, child_id;    /* as in struct ike_sa_info */
	uint64_t spi_i, spi_r;	      /* of the IKE SA */
	uint32_t spi_in, spi_out;     /* of the CHILD_SA */
	bool stranger; /* caused by a datagram that nobody has authenticated: by anybody */
};

/* One IKE message in the clear, for ike_engine_trace(). Valid during the call, and confidential. */
struct ike_trace {
	bool sent;		/* else received */
	bool decrypted;		/* what was in its SK payload takes the place of that */
	struct ike_endpoint local, remote;
	const char *conn;	/* NULL: of no IKE SA yet */
	uint64_t ike_id;
	const uint8_t *message; /* without non-ESP marker */
	size_t len;
};

/* One direction of a CHILD_SA, as the data plane needs it. Keys are valid during the call only. */
struct ike_sa_spec {
	bool inbound;
	uint32_t spi;		      /* host byte order */
	struct ike_endpoint src, dst; /* ports count only if @udp_encap */
	bool udp_encap;
	bool transport; /* mode; else tunnel */
	bool esn;
	uint16_t encr;		 /* IANA ENCR_* */
	const uint8_t *encr_key; /* key, then salt */
	size_t encr_key_len;
	uint16_t integ; /* IANA AUTH_*, 0 for an AEAD */
	const uint8_t *integ_key;
	size_t integ_key_len;
	uint32_t replay_window;
	uint32_t if_id;
	uint32_t output_mark; /* of ESP packets; of an inbound SA: of decrypted ones; 0: none */
	bool copy_dscp, no_ecn; /* between the headers */
	uint64_t cookie; /* names the CHILD_SA in events and dumps */
	const struct ike_ts *src_ts,
		*dst_ts; /* in the direction of the packets; every pair counts */
	size_t n_src_ts, n_dst_ts;
	struct ike_lifetime life;
};

/* What becomes of packets (RFC 4301 section 4.4.1). */
enum ike_policy_action {
	IKE_POLICY_PROTECT,
	IKE_POLICY_BYPASS,
	IKE_POLICY_DISCARD
};

/* What a CHILD_SA, a trap or a shunt wants of the SPD in one direction. */
struct ike_policy_spec {
	bool inbound;
	enum ike_policy_action action;
	uint32_t id; /* 0: a new one */
	uint32_t priority;
	uint32_t if_id;
	struct ike_mark mark; /* of the packets */
	uint32_t sa_id; /* outbound; 0: none, traffic raises acquire */
	uint64_t cookie;
	const struct ike_ts *src_ts, *dst_ts; /* in the direction of the packets */
	size_t n_src_ts, n_dst_ts;
};

/* An address inside of the tunnel that the peer has given to this end. */
struct ike_vip_spec {
	struct ike_addr addr;
	struct ike_addr outer, peer; /* the ends of the tunnel when it was given */
	const struct ike_ts *nets;   /* behind the peer: to be reached from @addr */
	size_t n_nets;
};

/* A CHILD_SA came up or went down, and the configuration names a command for that. */
struct ike_updown_spec {
	bool up;
	const struct ike_child_cfg *cfg;
	const char *conn;
	uint64_t ike_id, child_id;
	struct ike_endpoint local, remote;
	const struct ike_id *local_id, *remote_id;
	const struct ike_ts *local_ts, *remote_ts;
	size_t n_local_ts, n_remote_ts;
	bool udp_encap, transport;
	const struct ike_addr *local_vips, *remote_vips; /* addresses inside of the tunnel */
	size_t n_local_vips, n_remote_vips;
};

struct ike_usage {
	uint64_t bytes, packets;
	uint64_t idle_seconds; /* UINT64_MAX: never used */
};

enum ike_event_type {
	IKE_EVENT_IKE_UP,
	IKE_EVENT_IKE_DOWN,
	IKE_EVENT_IKE_REKEYED,
	IKE_EVENT_CHILD_UP,
	IKE_EVENT_CHILD_DOWN,
	IKE_EVENT_CHILD_REKEYED,
	IKE_EVENT_COMMAND_DONE, /* the command of this ticket ended */
};

struct ike_event {
	enum ike_event_type type;
	uint64_t ike_id, child_id; /* as in struct ike_sa_info; 0 if none */
	uint64_t old_id;	   /* REKEYED: what it replaced */
	uint64_t ticket;	   /* COMMAND_DONE */
	bool ok;		   /* COMMAND_DONE */
	const char *text;	   /* COMMAND_DONE: why not, for people; valid during the call */
};

/*
 * What is to be got by HTTP: whether a certificate has been revoked. The host follows no redirect,
 * speaks http:// alone, and gives up on more than @max bytes or after @timeout_ms.
 */
struct ike_fetch {
	uint64_t id;
	const char *uri;     /* "http://", then printable characters without blanks */
	const uint8_t *post; /* an OCSP request; NULL: GET */
	size_t post_len;
	size_t max;
	unsigned int timeout_ms;
};

/*
 * What the engine asks of its host. Functions that return int: 0, or a negative errno with a text
 * in *why (static or valid until the next call). All addresses and keys are valid during the call
 * only.
 */
struct ike_host {
	/*
	 * Sends one IKE message. From port 4500 the host puts the non-ESP marker in front (RFC 3948
	 * section 2.2).
	 */
	void (*send)(void *host, const struct ike_endpoint *local,
		     const struct ike_endpoint *remote, const uint8_t *message, size_t len);
	/*
	 * Sends one packet of RADIUS; what comes back goes to ike_engine_radius(). May be NULL: then
	 * no user is known by RADIUS.
	 */
	void (*radius_send)(void *host, const struct ike_endpoint *server, const uint8_t *packet,
			    size_t len);
	/* Sends a one-byte NAT keepalive (RFC 3948 section 2.3). */
	void (*keepalive)(void *host, const struct ike_endpoint *local,
			  const struct ike_endpoint *remote);
	/*
	 * Seconds since 1970, for what certificates say of time. May be NULL: then none is
	 * accepted.
	 */
	int64_t (*utc)(void *host);
	/* Unpredictable bytes; the simulator's are seeded. */
	void (*random)(void *host, uint8_t *buf, size_t len);
	/*
	 * Runs ike_job_run(@job), here or in another thread, then ike_engine_job_done() in the
	 * engine's, later.
	 */
	void (*run_job)(void *host, struct ike_job *job);
	/*
	 * The address from which datagrams to @remote leave, when the configuration names none. May
	 * be NULL: then local.addr of the first message is unspecified, and the answer tells.
	 */
	int (*source)(void *host, const struct ike_addr *remote, struct ike_addr *local,
		      const char **why);

	/*
	 * Looks up the addresses of a host by its name; ike_engine_resolved() is called with @id,
	 * once, later. May be NULL: then there are no names.
	 */
	void (*resolve)(void *host, uint64_t id, const char *name);
	/*
	 * The addresses that this host has and that others may reach it at: at most @max, returns
	 * how many. May be NULL: then they are taken to be those in use.
	 */
	size_t (*addresses)(void *host, struct ike_addr *list, size_t max);

	int (*spi_alloc)(void *host, const struct ike_addr *local, uint32_t *spi, const char **why);
	void (*spi_free)(void *host, const struct ike_addr *local, uint32_t spi);
	int (*sa_add)(void *host, const struct ike_sa_spec *spec, uint32_t *sa_id,
		      const char **why);
	int (*sa_update)(void *host, uint32_t sa_id, const struct ike_endpoint *src,
			 const struct ike_endpoint *dst, bool udp_encap, const char **why);
	int (*sa_query)(void *host, uint32_t sa_id, struct ike_usage *usage);
	void (*sa_del)(void *host, uint32_t sa_id);
	/* Adds or atomically replaces; sets *policy_id. */
	int (*policy_set)(void *host, const struct ike_policy_spec *spec, uint32_t *policy_id,
			  const char **why);
	void (*policy_del)(void *host, uint32_t policy_id);

	/* Sets up an address inside of the tunnel, and takes it away. Both may be NULL. */
	int (*vip_add)(void *host, const struct ike_vip_spec *spec, const char **why);
	void (*vip_del)(void *host, const struct ike_vip_spec *spec);
	/* Runs spec->cfg->updown; not for one that replaces another or is replaced. May be NULL. */
	void (*updown)(void *host, const struct ike_updown_spec *spec);
	/*
	 * Name servers that a peer has given to this end, until @id is taken away again. Both may be
	 * NULL.
	 */
	void (*dns_add)(void *host, uint64_t id, const struct ike_addr *servers, size_t n);
	void (*dns_del)(void *host, uint64_t id);
	/*
	 * @identity has been given @addr out of @pool: for ike_engine_restore_lease() in the next
	 * life. May be NULL.
	 */
	void (*lease_keep)(void *host, const char *pool, const char *identity,
			   const struct ike_addr *addr);

	/*
	 * Gets what is behind an address. @fetch is the host's until it calls
	 * ike_engine_fetch_done(), which it does each time, later. May be NULL: then nothing is
	 * fetched.
	 */
	void (*fetch)(void *host, struct ike_fetch *fetch);

	/*
	 * One line for people, without newline. @name: "conn[3]" or "conn[3]/child{5}" or "".
	 * Nothing secret.
	 */
	void (*log)(void *host, enum ike_log_level level, const char *name, const char *text);
	/* The same in place of it, with all that the line is about. May be NULL. */
	void (*log_about)(void *host, enum ike_log_level level, const struct ike_log_names *names,
			  const char *text);
	void (*event)(void *host, const struct ike_event *event);
	/* See ike_engine_trace(). May be NULL. */
	void (*trace)(void *host, const struct ike_trace *t);
};

/*
 * @ops and @host must outlive the engine. @config: see ike_engine_configure(). Returns NULL when
 * out of memory.
 */
struct ike_engine *ike_engine_new(const struct ike_host *ops, void *host, struct ike_config *config,
				  ike_time now);
/* Frees everything without a word to peers or data plane (a crash, seen from outside). */
void ike_engine_free(struct ike_engine *e);
/* Takes a reference to @config. Running SAs keep the configuration they began with. */
void ike_engine_configure(struct ike_engine *e, struct ike_config *config, ike_time now);
/* Forgets CRLs and OCSP answers that were fetched: they are asked for again when needed. */
void ike_engine_flush(struct ike_engine *e);
/* What lease_keep() was told in an earlier life, in that order. Before ike_engine_start(). */
void ike_engine_restore_lease(struct ike_engine *e, const char *pool, const char *identity,
			      const struct ike_addr *addr);
/* Brings up, or traps, every child with start_action. */
void ike_engine_start(struct ike_engine *e, ike_time now);
/* The same for the children of the @n connections @conns, which are new or changed. None: one has gone. */
void ike_engine_start_conns(struct ike_engine *e, ike_time now, char *const *conns, size_t n);
/*
 * Sends DELETE for every IKE SA, for some hundreds at a time, and stops accepting; ike_engine_idle() tells when all
 * is answered or given up.
 */
void ike_engine_shutdown(struct ike_engine *e, ike_time now);
bool ike_engine_idle(const struct ike_engine *e);
/* How many IKE SAs there are that are not over. */
size_t ike_engine_remaining(const struct ike_engine *e);

/* One IKE message without non-ESP marker, as it came; @len may be anything. */
void ike_engine_receive(struct ike_engine *e, ike_time now, const struct ike_endpoint *local,
			const struct ike_endpoint *remote, const uint8_t *message, size_t len);
/* What came where radius_send() sends from; @len may be anything. */
void ike_engine_radius(struct ike_engine *e, ike_time now, const struct ike_endpoint *server,
		       const uint8_t *packet, size_t len);
/* Runs all timers due at @now. */
void ike_engine_tick(struct ike_engine *e, ike_time now);
/* When ike_engine_tick() wants to be called next; UINT64_MAX for never. */
ike_time ike_engine_next(const struct ike_engine *e);

/* Pure computation (key exchange, signatures): touches nothing but the job. Any thread. */
void ike_job_run(struct ike_job *job);
/* Takes @job back and goes on with the exchange that waited for it, if it is still there. */
void ike_engine_job_done(struct ike_engine *e, ike_time now, struct ike_job *job);
/* Instead of the above, when the engine has been freed meanwhile. */
void ike_job_free(struct ike_job *job);

/*
 * Takes @fetch back. @body: what the server answered with; valid during the call. NULL: @why says in a
 * few words what went wrong.
 */
void ike_engine_fetch_done(struct ike_engine *e, ike_time now, struct ike_fetch *fetch,
			   const uint8_t *body, size_t len, const char *why);
/* Likewise, instead. */
void ike_fetch_free(struct ike_fetch *fetch);

/* @n addresses, the best first; 0: none, and @why not, for people. */
void ike_engine_resolved(struct ike_engine *e, ike_time now, uint64_t id,
			 const struct ike_addr *addrs, size_t n, const char *why);
/* addresses() or source() may answer otherwise from now on. */
void ike_engine_roam(struct ike_engine *e, ike_time now);

/*
 * Data-plane events. @cookie as given in struct ike_sa_spec or ike_policy_spec. @limit: which one
 * was reached, for people ("bytes"), or NULL.
 */
void ike_engine_sa_expire(struct ike_engine *e, ike_time now, uint64_t cookie, bool inbound,
			  uint32_t spi, bool hard, const char *limit);
void ike_engine_acquire(struct ike_engine *e, ike_time now, uint64_t cookie);
void ike_engine_sa_mapping(struct ike_engine *e, ike_time now, uint64_t cookie, uint32_t spi,
			   const struct ike_endpoint *remote);

/*
 * Gives each IKE message that is sent or received, and can be read, to trace(), in the clear: those
 * that are protected once, however they are cut and repeated, others as often as they come or go.
 */
void ike_engine_trace(struct ike_engine *e, bool on);

/*
 * Commands. Each returns a ticket (never 0) that IKE_EVENT_COMMAND_DONE will name, or 0 with the
 * reason in *why (valid until the next call). @child may be NULL: initiate the IKE SA alone, or act
 * on the whole IKE SA. In terminate and rekey a zero ID matches any; names and IDs must all match;
 * every match is acted on.
 */
uint64_t ike_engine_initiate(struct ike_engine *e, ike_time now, const char *conn,
			     const char *child, const char **why);
struct ike_match {
	const char *conn,
		*child; /* NULL: any; a child name or ID selects CHILD_SAs, else IKE SAs */
	uint64_t ike_id, child_id;
	bool children; /* with @conn or @ike_id alone: their CHILD_SAs, not they */
};
uint64_t ike_engine_terminate(struct ike_engine *e, ike_time now, const struct ike_match *match,
			      const char **why);
uint64_t ike_engine_rekey(struct ike_engine *e, ike_time now, const struct ike_match *match,
			  const char **why);
/* By a new IKE SA, which takes the place of the old one with all its CHILD_SAs. */
uint64_t ike_engine_reauth(struct ike_engine *e, ike_time now, const struct ike_match *match,
			   const char **why);
/*
 * The trap of a child, or the shunt that it is, whatever start_action says, until it is uninstalled
 * or the child has gone. @conn NULL: of any. False with the reason in *why, as above.
 */
bool ike_engine_install(struct ike_engine *e, ike_time now, const char *conn, const char *child,
			const char **why);
bool ike_engine_uninstall(struct ike_engine *e, ike_time now, const char *conn, const char *child,
			  const char **why);

/* Status. Pointers are valid during the callback. */
struct ike_child_info {
	uint64_t id;
	const char *name;	  /* of the configured child */
	const char *state;	  /* CREATED, INSTALLED, REKEYING, REKEYED, DELETING */
	uint32_t spi_in, spi_out; /* host byte order */
	bool udp_encap, transport, esn;
	uint16_t encr, encr_bits, integ, ke; /* IANA numbers; ke 0: without PFS */
	/* IKE_ADDKE_MAX additional key exchanges, 0: none; NULL: none at all. */
	const uint16_t *addke;
	const struct ike_ts *local_ts, *remote_ts;
	size_t n_local_ts, n_remote_ts;
	struct ike_usage in, out;
	ike_time installed, rekey_at, expire_at; /* 0: never */
	uint32_t if_id_in, if_id_out;
};

struct ike_sa_info {
	uint64_t id;
	const char *conn;
	const char *state; /* CONNECTING, ESTABLISHED, REKEYING, REKEYED, DELETING */
	struct ike_endpoint local, remote;
	const struct ike_id *local_id, *remote_id; /* NULL until known */
	const char *remote_user; /* in EAP, printable; NULL: without */
	uint64_t spi_i, spi_r;
	bool initiator, nat_local, nat_remote, nat_any, ppk;
	uint16_t encr, encr_bits, integ, prf, ke;
	const uint16_t *addke; /* as above */
	ike_time established, rekey_at, reauth_at;
	unsigned int queued; /* tasks waiting for the window */
	const struct ike_child_info *children;
	size_t n_children;
};

void ike_engine_foreach_sa(struct ike_engine *e, ike_time now,
			   void (*fn)(void *arg, const struct ike_sa_info *info), void *arg);
/* Traps and shunts that are in force. @child: as it was configured when this was last looked at. */
void ike_engine_foreach_trap(struct ike_engine *e,
			     void (*fn)(void *arg, const char *conn,
					const struct ike_child_cfg *child),
			     void *arg);

/* An address of a pool that somebody has, or had and gets again. */
struct ike_lease_info {
	const char *pool, *identity;
	const struct ike_addr *addr;
	bool online;
};

void ike_engine_foreach_lease(const struct ike_engine *e,
			      void (*fn)(void *arg, const struct ike_lease_info *lease), void *arg);

/* The one of this ID, if it is there. Only with @usage the data plane is asked, about no other. */
void ike_engine_look_at_sa(struct ike_engine *e, uint64_t id, bool usage,
			   void (*fn)(void *arg, const struct ike_sa_info *info), void *arg);

struct ike_counters {
	uint64_t received, sent, retransmitted, refused, half_open, cookies_sent;
};
void ike_engine_counters(const struct ike_engine *e, struct ike_counters *out);

#endif
