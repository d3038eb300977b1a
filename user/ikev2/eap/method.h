/* SPDX-License-Identifier: MIT */
/* A conversation from inside, and what a method of EAP is: between the files of this directory. */
#ifndef ESPLANE_IKE_EAP_METHOD_H
#define ESPLANE_IKE_EAP_METHOD_H

#include "ikev2/eap/eap.h"
#include "ikev2/wire/decode.h"

/* What a method says of a step. */
enum ike_eap_verdict {
	IKE_EAP_MORE, /* @out goes, and the peer's next is waited for */
	/* It has come to a good end, and e->msk is set. The client's @out still goes. */
	IKE_EAP_DONE,
	/* @err says why. The client's @out still goes, if there is any. */
	IKE_EAP_REFUSED,
};

struct ike_eap_method {
	uint8_t type;
	const char *name;
	/* Has this end what it takes? */
	bool (*usable)(const struct ike_eap *e);
	/*
	 * @in: the data of its type that came, empty when a server begins; @out: the data of its
	 * type that is to go.
	 */
	enum ike_eap_verdict (*step)(struct ike_eap *e, struct ike_bytes in, struct ike_writer *out,
				     struct ike_error *err);
	/* What people may want to know besides; NULL: nothing. May be NULL itself. */
	const char *(*detail)(const struct ike_eap *e);
	/* See ike_eap_take_chain(). May be NULL itself. */
	struct stack_st_X509 *(*take_chain)(struct ike_eap *e);
	/* Frees e->state. */
	void (*end)(struct ike_eap *e);
};

extern const struct ike_eap_method ike_eap_mschapv2, ike_eap_tls;

enum {
	IKE_EAP_RANDOM_LEN = 32
};

struct ike_eap {
	unsigned int refs;
	bool server;
	struct ike_config *config;
	const struct ike_conn_cfg *conn;
	const struct ike_auth_cfg *cfg; /* how the client authenticates itself */
	struct ike_id client, responder;
	char name[IKE_EAP_NAME_MAX]; /* of the user, known or asked for */
	struct ike_id dn;	     /* the same, if it has come as a distinguished name */
	int64_t now;
	uint8_t random[IKE_EAP_RANDOM_LEN]; /* for the method */

	bool naming;  /* the server has asked for the name */
	bool naked;   /* the client did not want the first method */
	bool done;    /* the client's method is: EAP-Success may come */
	unsigned int rounds, method_rounds;
	uint8_t identifier; /* of the last request */
	const struct ike_eap_method *method; /* the one that runs, or NULL */
	void *state;			     /* the method's */
	struct ike_key msk;
	struct ike_error doom; /* why it will fail, when the peer has had our last word */

	struct {
		uint8_t user[IKE_EAP_NAME_MAX], state[IKE_EAP_NAME_MAX];
		size_t user_len, state_len;
	} relay;

	uint8_t given[IKE_EAP_PACKET_MAX], packet[IKE_EAP_PACKET_MAX];
	size_t given_len, packet_len;
};

/* May @type be used, by configuration and by what this end has? NULL: no. */
const struct ike_eap_method *ike_eap_method_allowed(const struct ike_eap *e, uint8_t type);
/* The @i-th that may, in order of preference; NULL: there are no more. */
const struct ike_eap_method *ike_eap_method_nth(const struct ike_eap *e, size_t i);
const char *ike_eap_type_text(uint8_t type, char buf[16]);

/* A packet begun at @w, which ends with the length patched in. @type 0: of none. */
void ike_eap_packet_begin(struct ike_writer *w, uint8_t code, uint8_t identifier, uint8_t type);
void ike_eap_packet_end(struct ike_writer *w);

/* relay.c: a server begins, knowing the user's name or told it; the client's packets. */
enum ike_eap_outcome ike_eap_relay_begin(struct ike_eap *e, struct ike_writer *w,
					 struct ike_error *err);
enum ike_eap_outcome ike_eap_relay(struct ike_eap *e, struct ike_writer *w);

/* One step of either role. */
enum ike_eap_outcome ike_eap_client(struct ike_eap *e, struct ike_writer *w, struct ike_error *err);
enum ike_eap_outcome ike_eap_server(struct ike_eap *e, struct ike_writer *w, struct ike_error *err);

#endif
