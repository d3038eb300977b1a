/* SPDX-License-Identifier: MIT */
/* A client and a server of EAP that pass packets to each other: what tests of its methods stand on. */
#ifndef ESPLANE_TESTS_EAP_PAIR_H
#define ESPLANE_TESTS_EAP_PAIR_H

#include "ikev2/eap/eap.h"

enum {
	CLIENT,
	SERVER
};

struct eap_pair {
	struct ike_config *config[2];
	struct ike_eap *eap[2];
	enum ike_eap_outcome outcome[2];
	struct ike_error err[2];
	unsigned int packets;
	int64_t now;
	size_t longest;	    /* packet of all */
	uint8_t identifier; /* of the last packet */
	/* May change the packet that end @from sends, the @n-th of all. */
	void (*meddle)(unsigned int from, unsigned int n, uint8_t *packet, size_t *len);
};

/* A password of @user, NULL: of anybody. */
void eap_add_secret(struct ike_config *c, const char *user, const char *password);
/* One connection, both of whose ends want EAP: the one under test knows which it is. */
struct ike_config *eap_config_new(void);
/* What @end goes by. */
struct ike_auth_cfg *eap_cfg(struct eap_pair *p, unsigned int end);

/* Two conversations: a.example.org is the client, b.example.org the server. */
void eap_pair_start(struct eap_pair *p);
void eap_pair_free(struct eap_pair *p);
/* One step of @end, given @packet; what it sends then is malloc()ed, in exactly its length. */
struct ike_bytes eap_step(struct eap_pair *p, unsigned int end, struct ike_bytes packet);
/* From the beginning until one end has no more to say, or the client has come to an end. */
void eap_talk(struct eap_pair *p);
/* @end has failed, for this reason. */
void eap_says(struct eap_pair *p, unsigned int end, const char *text);
/* They talk, and both have one key; or both fail, each with its reason, and @p is freed. */
void eap_succeeds(struct eap_pair *p);
void eap_fails(struct eap_pair *p, const char *client, const char *server);
/* One end alone, given @packets (hex) one after the other: the last one it does not like. */
void eap_scripted(struct eap_pair *p, unsigned int end, const char *const *packets, size_t n,
		  const char *why);

#endif
