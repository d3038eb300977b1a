/* SPDX-License-Identifier: MIT */
/*
 * Asking servers of RADIUS about a user (RFC 2865 section 2): one request of an IKE SA at a time,
 * sent again, and to the next server if one is silent, as long as none has begun to answer. What
 * does not prove that it is the answer is ignored.
 */
#ifndef ESPLANE_IKE_AAA_H
#define ESPLANE_IKE_AAA_H

#include "ikev2/ike.h"
#include "ikev2/table.h"
#include "ikev2/text.h"
#include "ikev2/wire/bytes.h"

struct ike_incoming;
struct ike_sa;

/* Which servers have been silent: tried after the others for a while. */
struct ike_aaa {
	struct {
		struct ike_endpoint at;
		ike_time until;
	} silent[IKE_RADIUS_SERVERS_MAX];
	struct ike_table by_id; /* requests under way */
	uint8_t last_id;
};

/* Sends what sa->eap has for RADIUS. @in is kept until ike_eap_server_goes_on(). */
IKE_MUST_CHECK bool ike_aaa_ask(struct ike_sa *sa, struct ike_incoming *in, struct ike_error *err);
void ike_aaa_answer(struct ike_engine *e, const struct ike_endpoint *server,
		    struct ike_bytes packet);
/* The IKE SA ends: nothing is waited for. */
void ike_aaa_forget(struct ike_sa *sa);

#endif
