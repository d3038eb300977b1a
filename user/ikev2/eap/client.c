// SPDX-License-Identifier: MIT
/* The end that authenticates itself: answers requests, until EAP-Success says that it has. */
#include <string.h>

#include "ikev2/eap/method.h"

enum {
	SUGGESTED_MAX = 8 /* methods in a Nak */
};

static enum ike_eap_outcome refuse(struct ike_error *err, const char *why)
{
	ike_fail(err, "%s", why);
	return IKE_EAP_FAILED;
}

static enum ike_eap_outcome tell_name(struct ike_eap *e, struct ike_writer *w,
				      struct ike_error *err)
{
	if (e->method)
		return refuse(err, "the server asks who we are in the middle of a method");
	ike_eap_packet_begin(w, IKE_EAP_RESPONSE, e->identifier, IKE_EAP_IDENTITY);
	ike_put(w, ike_bytes(e->name, strlen(e->name)));
	ike_eap_packet_end(w);
	return IKE_EAP_GOES_ON;
}

/* RFC 3748 section 5.2: always answered. Its text is for people, and says nothing that counts. */
static enum ike_eap_outcome acknowledge(struct ike_eap *e, struct ike_writer *w)
{
	ike_eap_packet_begin(w, IKE_EAP_RESPONSE, e->identifier, IKE_EAP_NOTIFICATION);
	ike_eap_packet_end(w);
	return IKE_EAP_GOES_ON;
}

/* RFC 3748 section 5.3.1: what we would do instead. A server that insists has been told. */
static enum ike_eap_outcome suggest(struct ike_eap *e, uint8_t type, struct ike_writer *w,
				    struct ike_error *err)
{
	const struct ike_eap_method *m;
	char text[16];

	if (e->naked || !ike_eap_method_nth(e, 0)) {
		ike_fail(err, "the server wants %s, which local.auth does not allow or we have no "
			      "credentials for", ike_eap_type_text(type, text));
		return IKE_EAP_FAILED;
	}
	e->naked = true;
	ike_eap_packet_begin(w, IKE_EAP_RESPONSE, e->identifier, IKE_EAP_NAK);
	for (size_t i = 0; i < SUGGESTED_MAX && (m = ike_eap_method_nth(e, i)); i++)
		ike_put8(w, m->type);
	ike_eap_packet_end(w);
	return IKE_EAP_GOES_ON;
}

static enum ike_eap_outcome run_method(struct ike_eap *e, struct ike_bytes data,
				       struct ike_writer *w, struct ike_error *err)
{
	size_t begin;

	ike_eap_packet_begin(w, IKE_EAP_RESPONSE, e->identifier, e->method->type);
	begin = w->len;
	switch (e->method->step(e, data, w, err)) {
	case IKE_EAP_DONE:
		e->done = true;
		break;
	case IKE_EAP_MORE:
		break;
	case IKE_EAP_REFUSED:
		if (w->len == begin) {
			w->len = 0;
			return IKE_EAP_FAILED;
		}
		/* A last word: the server learns what is wrong, and ends it. */
		e->doom = *err;
		break;
	}
	ike_eap_packet_end(w);
	return IKE_EAP_GOES_ON;
}

static enum ike_eap_outcome answer(struct ike_eap *e, const struct ike_wire_eap *in,
				   struct ike_writer *w, struct ike_error *err)
{
	char got[16];

	e->identifier = in->identifier;
	switch (in->type) {
	case IKE_EAP_IDENTITY:
		return tell_name(e, w, err);
	case IKE_EAP_NOTIFICATION:
		return acknowledge(e, w);
	default:
		break;
	}
	if (e->done)
		return refuse(err, "the server goes on where EAP is over");
	if (!e->method)
		e->method = ike_eap_method_allowed(e, in->type);
	if (!e->method)
		return suggest(e, in->type, w, err);
	if (e->method->type != in->type) {
		ike_fail(err, "the server goes over to %s in the middle of %s",
			 ike_eap_type_text(in->type, got), e->method->name);
		return IKE_EAP_FAILED;
	}
	return run_method(e, in->data, w, err);
}

static enum ike_eap_outcome succeed(struct ike_eap *e, struct ike_error *err)
{
	/* Who believes it now has neither been asked for a proof nor seen the server's. */
	if (!e->done)
		return refuse(err, "EAP-Success before any method has come to its end");
	return IKE_EAP_SUCCEEDED;
}

static enum ike_eap_outcome fail(struct ike_eap *e, struct ike_error *err)
{
	char text[IKE_EAP_NAME_MAX + 32];

	ike_fail(err, "the server refuses us (EAP-Failure), %s", ike_eap_text(e, text, sizeof(text)));
	return IKE_EAP_FAILED;
}

enum ike_eap_outcome ike_eap_client(struct ike_eap *e, struct ike_writer *w, struct ike_error *err)
{
	struct ike_wire_eap in;

	if (!ike_eap_decode(ike_bytes(e->given, e->given_len), &in, err))
		return IKE_EAP_FAILED;
	if (e->doom.text[0]) {
		*err = e->doom;
		return IKE_EAP_FAILED;
	}
	switch (in.code) {
	case IKE_EAP_REQUEST:
		return answer(e, &in, w, err);
	case IKE_EAP_SUCCESS:
		return succeed(e, err);
	case IKE_EAP_FAILURE:
		return fail(e, err);
	default:
		return refuse(err, "the server sends an EAP response");
	}
}
