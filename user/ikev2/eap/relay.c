// SPDX-License-Identifier: MIT
/*
 * A server that knows no users, but a server of RADIUS that does (RFC 3579): what the client says
 * goes there, what comes from there goes to the client, until an Access-Accept brings the key.
 */
#include <string.h>

#include "ikev2/eap/method.h"
#include "ikev2/eap/radius.h"

struct ike_bytes ike_eap_relay_user(const struct ike_eap *e)
{
	return ike_bytes(e->relay.user, e->relay.user_len);
}

struct ike_bytes ike_eap_relay_state(const struct ike_eap *e)
{
	return ike_bytes(e->relay.state, e->relay.state_len);
}

/* From us to RADIUS */

/* RFC 3579 section 2.1: it begins with who the user is, whether that was asked or is known. */
enum ike_eap_outcome ike_eap_relay_begin(struct ike_eap *e, struct ike_writer *w,
					 struct ike_error *err)
{
	if (e->relay.user_len > IKE_RADIUS_VALUE_MAX) {
		ike_fail(err, "a user's name of %zu bytes, RADIUS has %d", e->relay.user_len,
			 IKE_RADIUS_VALUE_MAX);
		return IKE_EAP_FAILED;
	}
	ike_eap_packet_begin(w, IKE_EAP_RESPONSE, e->identifier, IKE_EAP_IDENTITY);
	ike_put(w, ike_eap_relay_user(e));
	ike_eap_packet_end(w);
	return IKE_EAP_RELAYS;
}

enum ike_eap_outcome ike_eap_relay(struct ike_eap *e, struct ike_writer *w)
{
	ike_put(w, ike_bytes(e->given, e->given_len));
	return IKE_EAP_RELAYS;
}

/* From RADIUS to us */

static void say(struct ike_eap *e, uint8_t code)
{
	struct ike_writer w;

	ike_writer_init(&w, e->packet, sizeof(e->packet));
	ike_eap_packet_begin(&w, code, e->identifier, 0);
	ike_eap_packet_end(&w);
	e->packet_len = w.len;
}

static enum ike_eap_outcome refuse(struct ike_eap *e, struct ike_error *err, const char *why)
{
	char who[IKE_EAP_NAME_MAX + 32];

	ike_fail_notify(err, IKE_NOTIFY_AUTHENTICATION_FAILED, "%.120s: %s",
			ike_eap_text(e, who, sizeof(who)), why);
	say(e, IKE_EAP_FAILURE);
	return IKE_EAP_FAILED;
}

void ike_eap_relay_failed(struct ike_eap *e)
{
	say(e, IKE_EAP_FAILURE);
}

static enum ike_eap_outcome take_reject(struct ike_eap *e, const struct ike_radius_answer *a,
				   struct ike_error *err)
{
	char why[160];
	struct ike_text t;

	ike_text_init(&t, why, sizeof(why));
	ike_text_add(&t, "the RADIUS server refuses the user (Access-Reject)%s",
		     a->message.len ? ": " : "");
	ike_text_add_printable(&t, a->message.p, a->message.len);
	return refuse(e, err, why);
}

/* Is the user in one of the groups that the connection is for (remote.groups)? */
static bool is_in_group(const struct ike_eap *e, const struct ike_radius_answer *a)
{
	for (size_t i = 0; i < e->cfg->n_groups; i++)
		for (size_t k = 0; k < a->n_classes; k++)
			if (strlen(e->cfg->groups[i]) == a->classes[k].len &&
			    !memcmp(e->cfg->groups[i], a->classes[k].p, a->classes[k].len))
				return true;
	return !e->cfg->n_groups;
}

static enum ike_eap_outcome refuse_groups(struct ike_eap *e, const struct ike_radius_answer *a,
					  struct ike_error *err)
{
	char why[300];
	struct ike_text t;

	ike_text_init(&t, why, sizeof(why));
	ike_text_add(&t, "the user is in none of the groups that are let in (remote.groups:");
	for (size_t i = 0; i < e->cfg->n_groups; i++)
		ike_text_add(&t, " %.60s", e->cfg->groups[i]);
	ike_text_add(&t, "); RADIUS names (Class)%s", a->n_classes ? "" : " none");
	for (size_t i = 0; i < a->n_classes; i++) {
		ike_text_add(&t, " ");
		ike_text_add_printable(&t, a->classes[i].p, a->classes[i].len);
	}
	return refuse(e, err, why);
}

/* RFC 3579 section 2.6.3: the packet inside says what the one around it says, or nothing. */
static enum ike_eap_outcome take_accept(struct ike_eap *e, const struct ike_radius_answer *a,
				   struct ike_error *err)
{
	struct ike_wire_eap in = {.code = IKE_EAP_SUCCESS};

	if (a->eap_len && !ike_eap_decode(ike_bytes(a->eap, a->eap_len), &in, err))
		return refuse(e, err, "an Access-Accept of RADIUS holds a malformed EAP packet");
	if (in.code != IKE_EAP_SUCCESS)
		return refuse(e, err, "an Access-Accept of RADIUS holds no EAP-Success");
	if (!a->msk.len)
		return refuse(e, err, "the Access-Accept of RADIUS has no keys (MS-MPPE-Recv-Key, "
				      "MS-MPPE-Send-Key): does its EAP method make any?");
	if (!is_in_group(e, a))
		return refuse_groups(e, a, err);
	/* Behind an identity of nobody's the server knows a name. */
	if (a->user.len && a->user.len < sizeof(e->name) && !memchr(a->user.p, '\0', a->user.len)) {
		memcpy(e->name, a->user.p, a->user.len);
		e->name[a->user.len] = '\0';
	}
	e->msk = a->msk;
	say(e, IKE_EAP_SUCCESS);
	return IKE_EAP_SUCCEEDED;
}

static enum ike_eap_outcome take_challenge(struct ike_eap *e, const struct ike_radius_answer *a,
				      struct ike_error *err)
{
	struct ike_wire_eap in;

	if (!ike_eap_decode(ike_bytes(a->eap, a->eap_len), &in, err) ||
	    in.code != IKE_EAP_REQUEST)
		return refuse(e, err, "an Access-Challenge of RADIUS holds no EAP request");
	if (a->state.len > sizeof(e->relay.state))
		return refuse(e, err, "State of RADIUS is too long");
	if (a->state.len)
		memcpy(e->relay.state, a->state.p, a->state.len);
	e->relay.state_len = a->state.len;
	e->identifier = in.identifier;
	memcpy(e->packet, a->eap, a->eap_len);
	e->packet_len = a->eap_len;
	return IKE_EAP_GOES_ON;
}

enum ike_eap_outcome ike_eap_relayed(struct ike_eap *e, const struct ike_radius_answer *answer,
				     struct ike_error *err)
{
	switch (answer->code) {
	case IKE_RADIUS_ACCESS_ACCEPT:
		return take_accept(e, answer, err);
	case IKE_RADIUS_ACCESS_CHALLENGE:
		return take_challenge(e, answer, err);
	default:
		return take_reject(e, answer, err);
	}
}
