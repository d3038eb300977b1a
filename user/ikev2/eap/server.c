// SPDX-License-Identifier: MIT
/* The end that wants to know who the other one is: asks, and says in the end what it thinks. */
#include <string.h>

#include "ikev2/dn.h"
#include "ikev2/eap/method.h"

static enum ike_eap_outcome end(struct ike_eap *e, struct ike_writer *w, bool well)
{
	w->len = 0;
	ike_eap_packet_begin(w, well ? IKE_EAP_SUCCESS : IKE_EAP_FAILURE, e->identifier, 0);
	ike_eap_packet_end(w);
	return well ? IKE_EAP_SUCCEEDED : IKE_EAP_FAILED;
}

static enum ike_eap_outcome ask_name(struct ike_eap *e, struct ike_writer *w)
{
	e->naming = true;
	ike_eap_packet_begin(w, IKE_EAP_REQUEST, ++e->identifier, IKE_EAP_IDENTITY);
	ike_eap_packet_end(w);
	return IKE_EAP_GOES_ON;
}

static enum ike_eap_outcome run_method(struct ike_eap *e, struct ike_bytes data,
				       struct ike_writer *w, struct ike_error *err)
{
	ike_eap_packet_begin(w, IKE_EAP_REQUEST, e->identifier + 1, e->method->type);
	switch (e->method->step(e, data, w, err)) {
	case IKE_EAP_MORE:
		e->identifier++;
		e->method_rounds++;
		ike_eap_packet_end(w);
		return IKE_EAP_GOES_ON;
	case IKE_EAP_DONE:
		return end(e, w, true);
	default:
		return end(e, w, false);
	}
}

static enum ike_eap_outcome begin_method(struct ike_eap *e, struct ike_writer *w,
					 struct ike_error *err)
{
	if (e->cfg->eap_radius)
		return ike_eap_relay_begin(e, w, err);
	e->method = ike_eap_method_nth(e, 0);
	if (e->method)
		return run_method(e, ike_bytes(NULL, 0), w, err);
	ike_fail(err, "there are no credentials here for any method of EAP (secrets.eap)");
	return end(e, w, false);
}

/* Some say who they are as IKE would: people see the text of it. */
static void take_dn(struct ike_eap *e, struct ike_bytes der)
{
	struct ike_text t;

	e->dn.type = IKE_ID_DER_ASN1_DN;
	e->dn.len = der.len;
	memcpy(e->dn.data, der.p, der.len);
	ike_text_init(&t, e->name, sizeof(e->name));
	ike_dn_text(&t, der);
}

/* A name goes into texts and look-ups: nothing may hide behind its end. */
static enum ike_eap_outcome take_name(struct ike_eap *e, struct ike_bytes name,
				      struct ike_writer *w, struct ike_error *err)
{
	char text[IKE_EAP_NAME_MAX + 32];

	e->naming = false;
	if (!name.len || name.len >= sizeof(e->name) || memchr(name.p, '\0', name.len)) {
		ike_fail(err, "an EAP-Identity of %zu bytes that is no name", name.len);
		return end(e, w, false);
	}
	memcpy(e->name, name.p, name.len);
	e->name[name.len] = '\0';
	memcpy(e->relay.user, name.p, name.len);
	e->relay.user_len = name.len;
	if (ike_dn_valid(name))
		take_dn(e, name);
	if (!ike_eap_name_matches(e->cfg->eap_id, e->name)) {
		ike_fail(err, "%s, but %.80s is configured (remote.eap_id)",
			 ike_eap_text(e, text, sizeof(text)), e->cfg->eap_id);
		return end(e, w, false);
	}
	return begin_method(e, w, err);
}

/* RFC 3748 section 5.3.1: only to the first request of a method. */
static enum ike_eap_outcome take_nak(struct ike_eap *e, struct ike_bytes wanted,
				     struct ike_writer *w, struct ike_error *err)
{
	const struct ike_eap_method *other = NULL;
	char text[16];

	for (size_t i = 0; !other && !e->naked && i < wanted.len; i++)
		if (wanted.p[i] != e->method->type)
			other = ike_eap_method_allowed(e, wanted.p[i]);
	if (!other) {
		ike_fail(err, "the peer does not want %s but %s (EAP-Nak), which remote.auth does not "
			      "allow or there are no credentials for", e->method->name,
			 wanted.len && wanted.p[0] ? ike_eap_type_text(wanted.p[0], text) :
						     "nothing else");
		return end(e, w, false);
	}
	e->method->end(e);
	e->method = other;
	e->naked = true;
	e->method_rounds = 0;
	return run_method(e, ike_bytes(NULL, 0), w, err);
}

static enum ike_eap_outcome out_of_turn(struct ike_eap *e, const struct ike_wire_eap *in,
					struct ike_writer *w, struct ike_error *err)
{
	char got[16];

	ike_fail(err, "the peer answers %s with %s",
		 e->naming ? "EAP-Identity" : e->method ? e->method->name : "nothing",
		 ike_eap_type_text(in->type, got));
	return end(e, w, false);
}

enum ike_eap_outcome ike_eap_server(struct ike_eap *e, struct ike_writer *w, struct ike_error *err)
{
	struct ike_wire_eap in;

	if (e->rounds == 1)
		return ike_eap_asks(e->cfg) ? ask_name(e, w) : begin_method(e, w, err);
	if (!ike_eap_decode(ike_bytes(e->given, e->given_len), &in, err))
		return end(e, w, false);
	if (in.code != IKE_EAP_RESPONSE || in.identifier != e->identifier) {
		ike_fail(err, "the peer sends no EAP response to our request %u: code %u, "
			      "identifier %u", e->identifier, in.code, in.identifier);
		return end(e, w, false);
	}
	if (e->naming && in.type == IKE_EAP_IDENTITY)
		return take_name(e, in.data, w, err);
	if (!e->naming && e->cfg->eap_radius)
		return ike_eap_relay(e, w);
	if (!e->naming && in.type == IKE_EAP_NAK && e->method_rounds == 1)
		return take_nak(e, in.data, w, err);
	if (e->naming || in.type != e->method->type)
		return out_of_turn(e, &in, w, err);
	return run_method(e, in.data, w, err);
}
