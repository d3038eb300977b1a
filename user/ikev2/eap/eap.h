/* SPDX-License-Identifier: MIT */
/*
 * EAP (RFC 3748), both roles, as IKE_AUTH carries it (RFC 7296 section 2.16): a conversation that
 * is given a packet and gives the next one, until it has succeeded with a key that both ends share
 * or has failed and says why. No socket, no clock: IKE repeats what is lost, and bounds the time.
 *
 *	eap.c		one conversation's life, and what both roles share
 *	client.c	the end that authenticates itself: IKE's initiator
 *	server.c	the end that asks for it: the responder
 *	mschapv2.c tls.c	one method a file, both roles
 *	relay.c		the server's, that has no method but one of RADIUS to ask
 *	radius.c	its packets
 *
 * All that a stranger sends for it is read by ike_eap_run(), the work of a job (job.h) in a thread
 * of its own, never by the engine. A conversation belongs to who runs it; references are taken and
 * given back in the engine's thread alone.
 */
#ifndef ESPLANE_IKE_EAP_H
#define ESPLANE_IKE_EAP_H

#include "ikev2/config.h"
#include "ikev2/crypto/random.h"
#include "ikev2/crypto/secret.h"

enum {
	IKE_EAP_ROUNDS_MAX = 100, /* packets that one end takes */
	IKE_EAP_PACKET_MAX = 4096, /* a longer one is refused */
	IKE_EAP_NAME_MAX = 256,	   /* of a user: RFC 7542 section 2.2 has 253 */
};

enum ike_eap_outcome {
	IKE_EAP_GOES_ON,   /* a packet is to go, and another one is waited for */
	IKE_EAP_SUCCEEDED, /* both ends have the key; of the server EAP-Success is to go */
	IKE_EAP_FAILED,	   /* of the server EAP-Failure is to go */
	IKE_EAP_RELAYS,	   /* the packet is for a server of RADIUS (relay.c), whose answer tells */
};

struct ike_eap;

/* @config is referenced, and @conn its. */
struct ike_eap_setup {
	bool server;
	struct ike_config *config;
	const struct ike_conn_cfg *conn;
	const struct ike_auth_cfg *cfg; /* @conn's, of the client; NULL: its first round */
	const struct ike_id *client, *responder; /* identities in IKE */
	int64_t now;				 /* seconds since 1970: for certificates */
};

/* NULL without memory. */
struct ike_eap *ike_eap_new(const struct ike_eap_setup *setup, const struct ike_random *random);
struct ike_eap *ike_eap_ref(struct ike_eap *e);
void ike_eap_unref(struct ike_eap *e); /* NULL is nothing */

/* The packet that came, for ike_eap_run(): nothing at all when a server begins. */
IKE_MUST_CHECK bool ike_eap_give(struct ike_eap *e, struct ike_bytes packet, struct ike_error *err);
/* Any thread. @err, empty before, says why it has failed, or that it will: it goes on only for that. */
IKE_MUST_CHECK enum ike_eap_outcome ike_eap_run(struct ike_eap *e, struct ike_error *err);
/* What is to go; may be empty when it is over. */
struct ike_bytes ike_eap_packet(const struct ike_eap *e);
/* What an Access-Request has to say besides: identity, and State of the last answer. */
struct ike_bytes ike_eap_relay_user(const struct ike_eap *e);
struct ike_bytes ike_eap_relay_state(const struct ike_eap *e);
/* After IKE_EAP_RELAYS, the answer: as ike_eap_run(), in the engine's thread. */
struct ike_radius_answer;
IKE_MUST_CHECK enum ike_eap_outcome ike_eap_relayed(struct ike_eap *e,
						    const struct ike_radius_answer *answer,
						    struct ike_error *err);
/* There was none. */
void ike_eap_relay_failed(struct ike_eap *e);
/* The MSK (RFC 3748 section 7.10), after success. */
const struct ike_key *ike_eap_msk(const struct ike_eap *e);
/*
 * After success: the peer's certificate up to its anchor, to be looked into whether it has been
 * revoked. The caller's; NULL: there was none, or it is the second time.
 */
struct stack_st_X509 *ike_eap_take_chain(struct ike_eap *e);
/* Its user, printable. Returns @buf. */
char *ike_eap_user(const struct ike_eap *e, char *buf, size_t cap);
/* "eap-mschapv2 as carol", "eap-tls (TLSv1.3) as carol", "EAP as carol". Returns @buf. */
char *ike_eap_text(const struct ike_eap *e, char *buf, size_t cap);

/* The method of this name, as in "eap-mschapv2"; 0: there is none. */
uint8_t ike_eap_type_find(const char *name);
/* The contrary; "eap" if there is none. */
const char *ike_eap_type_name(uint8_t type);

/* Is @name the user that @pattern means? "%any", or a text whose first character may be "*". */
bool ike_eap_name_matches(const char *pattern, const char *name);
/* Is the server to ask for the name (EAP-Identity), rather than know it? */
bool ike_eap_asks(const struct ike_auth_cfg *cfg);
/* The secret of a user, with its domain ("DOMAIN\user") or without; NULL: there is none. */
const struct ike_eap_secret_cfg *ike_eap_secret_find(const struct ike_config *config,
						     const char *name);

#endif
