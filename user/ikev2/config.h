/* SPDX-License-Identifier: MIT */
/*
 * The typed configuration that the engine works from. user/config makes it from a swanctl.conf-
 * style file; the simulator and tests make it by hand. Immutable once handed over, reference-
 * counted, one owner per object.
 */
#ifndef ESPLANE_IKE_CONFIG_H
#define ESPLANE_IKE_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "crypto/cert.h"
#include "crypto/revocation.h"
#include "crypto/signature.h"
#include "id.h"
#include "proposal.h"
#include "ts.h"

/*
 * Transport: between the ends of the IKE SA alone (RFC 7296 section 1.3.1). Pass and drop are shunts:
 * no CHILD_SA, but policies of their own, ahead of the others (RFC 4301 section 4.4.1: BYPASS and
 * DISCARD).
 */
enum ike_mode { IKE_MODE_TUNNEL, IKE_MODE_TRANSPORT, IKE_MODE_PASS, IKE_MODE_DROP };

struct ike_legacy; /* crypto/legacy.h */

/* May be both. */
enum ike_start_action { IKE_START_NONE = 0, IKE_START_START = 1, IKE_START_TRAP = 2 };
/* RFC 7383. ACCEPT: the peer may, this end does not. */
enum ike_fragmentation { IKE_FRAGMENT_YES, IKE_FRAGMENT_ACCEPT, IKE_FRAGMENT_NO };
/*
 * IKE SAs without CHILD_SA (RFC 6023). ALLOW: who asks for one. PREFER: the first CHILD_SA is made
 * apart, with a key exchange of its own, if the peer knows how; FORCE: and not otherwise.
 */
enum ike_childless {
	IKE_CHILDLESS_ALLOW,
	IKE_CHILDLESS_PREFER,
	IKE_CHILDLESS_FORCE,
	IKE_CHILDLESS_NEVER
};
enum ike_unique { IKE_UNIQUE_NO, IKE_UNIQUE_NEVER, IKE_UNIQUE_KEEP, IKE_UNIQUE_REPLACE };

/* Zero means no limit. */
struct ike_lifetime {
	uint64_t soft_seconds, hard_seconds;	/* rekey_time, life_time */
	uint64_t soft_bytes, hard_bytes;
	uint64_t soft_packets, hard_packets;
	uint64_t jitter_seconds;		/* rand_time: soft is lowered by up to that much */
	uint64_t jitter_bytes, jitter_packets;
};

/* Of a packet; it fits if the bits of @mask are those of @value. Mask 0: any packet. */
struct ike_mark {
	uint32_t value, mask;
};

struct ike_child_cfg {
	char *name;
	enum ike_mode mode;
	struct ike_proposal_list proposals;	/* ESP */
	/* An entry with ts.dynamic stands for the end's own outer address. */
	struct ike_ts *local_ts, *remote_ts;
	size_t n_local_ts, n_remote_ts;
	struct ike_lifetime life;
	enum ike_start_action start_action, close_action, dpd_action;	/* dpd: NONE means clear */
	uint32_t if_id_in, if_id_out;
	uint64_t inactivity;			/* seconds without a packet that end it; 0: none do */
	bool single_pair;			/* a CHILD_SA for each pair of selectors */
	uint32_t replay_window;			/* packets */
	uint32_t priority;			/* 0: computed from the selectors */
	struct ike_mark mark_in, mark_out;	/* of packets that the policies are for */
	uint32_t set_mark_out;			/* of ESP packets; 0: none */
	uint32_t set_mark_in;			/* of decrypted packets; 0: none */
	bool copy_dscp, no_ecn;			/* to the outer header; no_ecn: neither way */
	char *updown;				/* command when it comes up and goes down; NULL: none */
	bool hostaccess;			/* for that command */
};

enum ike_auth_method { IKE_AUTH_CFG_PSK, IKE_AUTH_CFG_PUBKEY, IKE_AUTH_CFG_EAP };

/* How one end authenticates itself. */
struct ike_auth_cfg {
	enum ike_auth_method method;
	/*
	 * IKE_ID_ANY: the subject of the first certificate, else the address (local); anybody
	 * (remote).
	 */
	struct ike_id id;
	/* IKE_AUTH_CFG_PUBKEY */
	ike_scheme_set schemes;		/* for AUTH; 0: any */
	ike_hash_set chain_hashes;	/* in certificates up to the anchor; 0: any */
	uint32_t min_bits[IKE_PKEY_KINDS];	/* of RSA and EC keys up to the anchor */
	/* local: the first that suits is sent; remote: no other is accepted. Empty: any. */
	struct ike_cert_list certs;
	struct ike_cert_list cacerts;	/* remote: instead of ike_config's anchors, if not empty */
	struct ike_id ca_id;		/* remote: an authority that must be in the chain */
	char **policies;		/* remote: OIDs of certificate policies, each of which must hold */
	size_t n_policies;
	enum ike_revocation_policy revocation;	/* remote */
	/* Raw public keys: local, whose private half signs; remote, one of which is the peer's. */
	struct ike_pkey_list pubkeys;
	/* IKE_AUTH_CFG_EAP */
	uint8_t eap_type;		/* the only method; 0: each that there are credentials for */
	bool eap_radius;		/* remote: a server of RADIUS decides, by what method it likes */
	/*
	 * The user. NULL: the identity in IKE, as text. Remote: "%any", or a "*" in front, asks for
	 * it, and takes what fits.
	 */
	char *eap_id;
	char **groups;			/* eap_radius: one of which RADIUS must name; none: any */
	size_t n_groups;
	struct ike_id aaa_id;		/* local, EAP-TLS: the server's, if it is another than in IKE */
};

enum {
	IKE_ROUNDS_MAX = 4 /* of authentication, of one end */
};

/* Rounds of authentication behind the first (RFC 4739). */
struct ike_auth_more {
	struct ike_auth_cfg *list;
	size_t n;
};

enum ike_send_cert { IKE_SEND_CERT_IFASKED, IKE_SEND_CERT_ALWAYS, IKE_SEND_CERT_NEVER };

struct ike_conn_cfg {
	char *name;
	/*
	 * Addresses, or ranges of them, that the ends may have; empty means any. Initiating takes
	 * the first single one, or else what the first name that has an address stands for. A peer
	 * with a name may come from anywhere: its address changes before its name does.
	 */
	struct ike_ts *local_addrs, *remote_addrs;	/* only first/last are used */
	size_t n_local_addrs, n_remote_addrs;
	char **remote_names;
	size_t n_remote_names;
	uint16_t local_port, remote_port;	/* 500 unless set */
	struct ike_proposal_list proposals;	/* IKE */
	struct ike_auth_cfg local, remote;
	struct ike_id ppk_id;			/* RFC 8784; IKE_ID_ANY: none (initiator), any (responder) */
	bool ppk_required;
	struct ike_auth_more local_more, remote_more;
	bool force_encap;			/* encap = yes */
	bool mobike;
	enum ike_childless childless;
	enum ike_fragmentation fragmentation;
	enum ike_send_cert send_cert;
	bool no_certreq;			/* send_certreq = no */
	uint64_t dpd_delay;			/* seconds, 0: off */
	/* Seconds without an answer after which the peer is gone; 0: when all is sent in vain. */
	uint64_t dpd_timeout;
	uint64_t rekey_time, over_time, rand_time;	/* seconds; rekey_time 0: never */
	uint64_t reauth_time;			/* seconds; 0: never */
	uint64_t keyingtries;			/* 0: for ever */
	enum ike_unique unique;
	struct ike_addr *vips;		/* to ask for; 0.0.0.0 or :: for any */
	size_t n_vips;
	char **pools;			/* to give addresses out of */
	size_t n_pools;
	uint32_t if_id_in, if_id_out;
	struct ike_child_cfg *children;
	size_t n_children;
};

/* A pre-shared key and whom it is for. No IDs: anybody. */
struct ike_secret_cfg {
	struct ike_id *ids;
	size_t n_ids;
	uint8_t *key;				/* zeroed when freed */
	size_t key_len;
};

/* The password of users of EAP. */
struct ike_eap_secret_cfg {
	char **ids;				/* names; none: anybody */
	size_t n_ids;
	uint8_t *key;				/* zeroed when freed */
	size_t key_len;
	bool nt_hash;				/* @key is the NT hash of the password, 16 bytes */
};

/* Addresses for peers that ask for one, and what they are told along with it. */
struct ike_pool_cfg {
	char *name;
	struct ike_addr first, last;
	struct ike_addr *dns;
	size_t n_dns;
	struct ike_ts *split;		/* prefixes behind us */
	size_t n_split;
	/* Of the network that the addresses are of: told along with them; family 0: nothing is. */
	struct ike_addr netmask;
};

enum {
	IKE_RADIUS_SERVERS_MAX = 8
};

struct ike_radius_server_cfg {
	char *name;
	struct ike_addr addr;
	uint16_t port;
	uint8_t *secret;			/* zeroed when freed */
	size_t secret_len;
};

/* Whom to ask about users (RFC 2865), the first first. Zero means the defaults written beside. */
struct ike_radius_cfg {
	char *nas_identifier;
	uint64_t timeout_ms;			/* 2000, then times 1.4 */
	uint32_t tries;				/* retransmissions: 2 */
	struct ike_radius_server_cfg *servers;
	size_t n_servers;
};

/* Engine-wide settings; zero-filled means the defaults written beside. */
struct ike_settings {
	uint32_t cookie_threshold;	/* half-open IKE SAs before cookies are asked for: 30 */
	uint32_t cookie_threshold_ip;	/* the same of one source: 3 */
	uint32_t half_open_limit;		/* refuse above: 1000 */
	uint32_t block_threshold;		/* the same of one source: 20 */
	uint64_t retransmit_timeout_ms;		/* first: 2000, then times 1.8 */
	uint32_t retransmit_tries;		/* 5 */
	uint64_t keepalive_interval;		/* seconds: 20 */
	uint32_t fragment_size;			/* bytes of an IP packet with a fragment: 1280 */
};

struct ike_conn_index;

struct ike_config {
	unsigned int refs;
	struct ike_settings settings;
	struct ike_conn_cfg *conns;
	size_t n_conns;
	struct ike_conn_index *index;	/* conn_index.h; NULL: each is looked at */
	struct ike_secret_cfg *secrets;
	size_t n_secrets;
	struct ike_secret_cfg *ppks;	/* post-quantum pre-shared keys (RFC 8784), by name */
	size_t n_ppks;
	struct ike_eap_secret_cfg *eap_secrets;
	size_t n_eap_secrets;
	struct ike_legacy *legacy;	/* for EAP-MSCHAPv2; NULL: there is none, or no need */
	struct ike_cert_list anchors;	/* whom we trust to issue certificates */
	struct ike_cert_list certs;	/* others that we know: ours, peers', intermediates */
	struct ike_pkey_list keys;	/* private */
	struct ike_crl_list crls;	/* of files */
	struct ike_authority_cfg *authorities;
	size_t n_authorities;
	struct ike_pool_cfg *pools;
	size_t n_pools;
	struct ike_radius_cfg radius;
};

static inline bool ike_is_shunt(const struct ike_child_cfg *c)
{
	return c->mode == IKE_MODE_PASS || c->mode == IKE_MODE_DROP;
}

/* Round @i of an end, from 0; NULL: it has no more. */
static inline const struct ike_auth_cfg *ike_conn_round(const struct ike_auth_cfg *first,
							const struct ike_auth_more *more, size_t i)
{
	return !i ? first : i <= more->n ? &more->list[i - 1] : NULL;
}

/* Has it nothing to do with a peer? */
bool ike_conn_is_shunts(const struct ike_conn_cfg *c);
struct ike_config *ike_config_ref(struct ike_config *c);
/* Frees, with the last reference, all that hangs from it (each allocated with malloc). */
void ike_config_unref(struct ike_config *c);

const struct ike_conn_cfg *ike_config_conn(const struct ike_config *c, const char *name);
const struct ike_child_cfg *ike_conn_child(const struct ike_conn_cfg *c, const char *name);

#endif
