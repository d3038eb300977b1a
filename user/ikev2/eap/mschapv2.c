// SPDX-License-Identifier: MIT
/*
 * EAP-MSCHAPv2 (draft-kamath-pppext-eap-mschapv2-02): the server sends a challenge, the client its
 * response, the server a proof of its own, which the client acknowledges - or a failure, which it
 * acknowledges too.
 */
#include <stdlib.h>
#include <string.h>

#include "ikev2/crypto/mschapv2.h"
#include "ikev2/eap/method.h"

/* Section 2. */
enum opcode {
	OP_CHALLENGE = 1,
	OP_RESPONSE = 2,
	OP_SUCCESS = 3,
	OP_FAILURE = 4,
};

enum {
	RESERVED_LEN = 8,
	VALUE_LEN = IKE_MSCHAP_CHALLENGE_LEN + RESERVED_LEN + IKE_MSCHAP_RESPONSE_LEN + 1,
	ERROR_AUTHENTICATION_FAILURE = 691, /* RFC 2759 section 6 */
	MESSAGE_MAX = 512,
	SAID_MAX = 40, /* of the peer's, in a log */
};

/* What is waited for. */
enum stage {
	STAGE_BEGIN,	/* server: to send the challenge; client: for it */
	STAGE_RESPONSE, /* server: the client's; client: the server's verdict */
	STAGE_WELL,	/* server: the acknowledgement of its proof */
	STAGE_BADLY,	/* likewise of its refusal */
};

struct mschapv2 {
	enum stage stage;
	struct ike_mschap m;
	uint8_t id; /* MS-CHAPv2-ID */
	uint8_t response[IKE_MSCHAP_RESPONSE_LEN];
	struct ike_error why; /* STAGE_BADLY */
};

static bool usable(const struct ike_eap *e)
{
	if (!e->config->legacy)
		return false;
	return e->server ? e->config->n_eap_secrets > 0 :
			   ike_eap_secret_find(e->config, e->name) != NULL;
}

static void end(struct ike_eap *e)
{
	if (e->state)
		ike_wipe(e->state, sizeof(struct mschapv2));
	free(e->state);
	e->state = NULL;
}

/* RFC 2759 section 4: the domain in front of a user's name is not hashed. */
static struct ike_bytes without_domain(struct ike_bytes name)
{
	const uint8_t *at = name.len ? memchr(name.p, '\\', name.len) : NULL;

	return at ? ike_bytes(at + 1, name.p + name.len - at - 1) : name;
}

static struct ike_bytes text(const char *s)
{
	return ike_bytes(s, strlen(s));
}

/* For logs: a user's name is a stranger's text. */
static enum ike_eap_verdict refuse(struct ike_eap *e, struct ike_error *err, const char *why)
{
	char who[IKE_EAP_NAME_MAX + 32];

	ike_fail(err, "%.120s: %s", ike_eap_text(e, who, sizeof(who)), why);
	return IKE_EAP_REFUSED;
}

/* OpCode, MS-CHAPv2-ID, MS-Length, which is that of all from the OpCode on; then the rest. */
static void put_header(struct ike_writer *w, uint8_t op, uint8_t id, size_t rest)
{
	ike_put8(w, op);
	ike_put8(w, id);
	ike_put16(w, IKE_EAP_HEADER_LEN + rest);
}

static bool take_header(struct ike_cursor *c, uint8_t op, uint8_t *id)
{
	size_t len = c->rest.len;

	if (ike_get8(c) != op)
		return false;
	*id = ike_get8(c);
	return ike_get16(c) == len && !c->bad;
}

static bool load_hash(struct ike_eap *e, struct mschapv2 *s, struct ike_error *err)
{
	const struct ike_eap_secret_cfg *secret = ike_eap_secret_find(e->config, e->name);

	if (!secret)
		return ike_fail(err, "there is no secret for that user (secrets.eap)");
	if (secret->nt_hash) {
		memcpy(s->m.hash, secret->key, sizeof(s->m.hash));
		return true;
	}
	return ike_mschap_hash(e->config->legacy, ike_bytes(secret->key, secret->key_len),
			       s->m.hash, err);
}

/* Server */

static enum ike_eap_verdict challenge(struct ike_eap *e, struct mschapv2 *s, struct ike_writer *out)
{
	char name[IKE_ID_TEXT_MAX];
	struct ike_bytes us;

	us = text(ike_id_text(&e->responder, name, sizeof(name)));
	memcpy(s->m.authenticator, e->random, sizeof(s->m.authenticator));
	s->id = e->identifier + 1;
	s->stage = STAGE_RESPONSE;
	put_header(out, OP_CHALLENGE, s->id, 1 + IKE_MSCHAP_CHALLENGE_LEN + us.len);
	ike_put8(out, IKE_MSCHAP_CHALLENGE_LEN);
	ike_put(out, ike_bytes(s->m.authenticator, sizeof(s->m.authenticator)));
	ike_put(out, us);
	return IKE_EAP_MORE;
}

/* A user that is not known is refused as one whose password is wrong: it shall not tell. */
static enum ike_eap_verdict say_no(struct mschapv2 *s, struct ike_writer *out,
				   const struct ike_error *why)
{
	static const char digits[] = "0123456789ABCDEF";
	struct ike_text t;
	char message[MESSAGE_MAX];

	ike_text_init(&t, message, sizeof(message));
	ike_text_add(&t, "E=%d R=0 C=", ERROR_AUTHENTICATION_FAILURE);
	for (size_t i = 0; i < sizeof(s->m.authenticator); i++)
		ike_text_add(&t, "%c%c", digits[s->m.authenticator[i] >> 4],
			     digits[s->m.authenticator[i] & 0xf]);
	ike_text_add(&t, " V=3 M=Authentication failed");
	s->why = *why;
	s->stage = STAGE_BADLY;
	put_header(out, OP_FAILURE, s->id, t.len);
	ike_put(out, ike_bytes(message, t.len));
	return IKE_EAP_MORE;
}

static bool verify(struct ike_eap *e, struct mschapv2 *s, struct ike_bytes name,
		   const uint8_t *response, struct ike_error *err)
{
	struct ike_bytes known = without_domain(text(e->name));

	s->m.user = without_domain(name);
	if (!ike_bytes_equal(s->m.user, known))
		return ike_fail(err, "its response is another user's");
	/* Not the peer's copy, which is gone when this packet is. */
	s->m.user = known;
	if (!load_hash(e, s, err) ||
	    !ike_mschap_response(e->config->legacy, &s->m, s->response, err))
		return false;
	if (!ike_secret_equal(ike_bytes(s->response, sizeof(s->response)),
			      ike_bytes(response, sizeof(s->response))))
		return ike_fail(err, "the password is wrong");
	return true;
}

static enum ike_eap_verdict judge(struct ike_eap *e, struct mschapv2 *s, struct ike_bytes in,
				  struct ike_writer *out, struct ike_error *err)
{
	static const char welcome[] = " M=Welcome";
	struct ike_cursor c = ike_cursor(in);
	char proof[IKE_MSCHAP_PROOF_LEN];
	struct ike_error why = {0};
	const uint8_t *value;
	uint8_t id, len;

	if (!take_header(&c, OP_RESPONSE, &id) || id != s->id)
		return refuse(e, err, "what answers our challenge is no response to it");
	len = ike_get8(&c);
	value = ike_get(&c, VALUE_LEN).p;
	if (c.bad || len != VALUE_LEN)
		return refuse(e, err, "its response has not the length of one");
	memcpy(s->m.peer, value, sizeof(s->m.peer));
	if (!verify(e, s, c.rest, value + IKE_MSCHAP_CHALLENGE_LEN + RESERVED_LEN, &why) ||
	    !ike_mschap_proof(e->config->legacy, &s->m, s->response, proof, &why)) {
		refuse(e, err, why.text);
		return say_no(s, out, err);
	}
	s->stage = STAGE_WELL;
	put_header(out, OP_SUCCESS, s->id, sizeof(proof) + sizeof(welcome) - 1);
	ike_put(out, ike_bytes(proof, sizeof(proof)));
	ike_put(out, text(welcome));
	return IKE_EAP_MORE;
}

static enum ike_eap_verdict conclude(struct ike_eap *e, struct mschapv2 *s, struct ike_bytes in,
				     struct ike_error *err)
{
	if (s->stage == STAGE_BADLY) {
		*err = s->why;
		return IKE_EAP_REFUSED;
	}
	if (in.len != 1 || in.p[0] != OP_SUCCESS)
		return refuse(e, err, "the peer does not accept our proof");
	return ike_mschap_msk(e->config->legacy, &s->m, s->response, &e->msk, err) ?
	       IKE_EAP_DONE : IKE_EAP_REFUSED;
}

/* Client */

static enum ike_eap_verdict respond(struct ike_eap *e, struct mschapv2 *s, struct ike_bytes in,
				    struct ike_writer *out, struct ike_error *err)
{
	static const uint8_t reserved[RESERVED_LEN];
	struct ike_cursor c = ike_cursor(in);
	struct ike_error why = {0};
	struct ike_bytes value;

	if (!take_header(&c, OP_CHALLENGE, &s->id) || ike_get8(&c) != IKE_MSCHAP_CHALLENGE_LEN)
		return refuse(e, err, "what the server begins with is no challenge");
	value = ike_get(&c, IKE_MSCHAP_CHALLENGE_LEN);
	if (c.bad)
		return refuse(e, err, "the server's challenge is cut off");
	memcpy(s->m.authenticator, value.p, value.len);
	memcpy(s->m.peer, e->random, sizeof(s->m.peer));
	s->m.user = without_domain(text(e->name));
	if (!load_hash(e, s, &why) ||
	    !ike_mschap_response(e->config->legacy, &s->m, s->response, &why))
		return refuse(e, err, why.text);
	s->stage = STAGE_RESPONSE;
	put_header(out, OP_RESPONSE, s->id, 1 + VALUE_LEN + strlen(e->name));
	ike_put8(out, VALUE_LEN);
	ike_put(out, ike_bytes(s->m.peer, sizeof(s->m.peer)));
	ike_put(out, ike_bytes(reserved, sizeof(reserved)));
	ike_put(out, ike_bytes(s->response, sizeof(s->response)));
	ike_put8(out, 0);
	ike_put(out, text(e->name));
	return IKE_EAP_MORE;
}

/* RFC 2759 section 5. Not that of the password's hash: the server has shown that it knows it. */
static enum ike_eap_verdict check_proof(struct ike_eap *e, struct mschapv2 *s,
					struct ike_bytes message, struct ike_writer *out,
					struct ike_error *err)
{
	char proof[IKE_MSCHAP_PROOF_LEN];
	struct ike_error why = {0};

	if (!ike_mschap_proof(e->config->legacy, &s->m, s->response, proof, &why) ||
	    !ike_mschap_msk(e->config->legacy, &s->m, s->response, &e->msk, &why))
		return refuse(e, err, why.text);
	if (message.len < sizeof(proof) ||
	    !ike_secret_equal(ike_bytes(message.p, sizeof(proof)), ike_bytes(proof, sizeof(proof))))
		return refuse(e, err, "the server does not show that it knows the password");
	s->stage = STAGE_WELL;
	ike_put8(out, OP_SUCCESS);
	return IKE_EAP_DONE;
}

/* RFC 2759 section 6: "E=691 R=1 C=... V=3 M=...". Both ends of it are for people. */
static enum ike_eap_verdict take_no(struct ike_eap *e, struct ike_bytes message,
				    struct ike_writer *out, struct ike_error *err)
{
	const uint8_t *blank = message.len ? memchr(message.p, ' ', message.len) : NULL;
	size_t len = blank ? (size_t)(blank - message.p) : message.len;
	const uint8_t *reason = message.len ? memmem(message.p, message.len, "M=", 2) : NULL;
	char said[200];
	struct ike_text t;

	ike_text_init(&t, said, sizeof(said));
	ike_text_add(&t, "the server refuses the user or the password: ");
	ike_text_add_printable(&t, message.p, len < SAID_MAX ? len : SAID_MAX);
	if (reason) {
		len = message.p + message.len - reason;
		ike_text_add(&t, " ");
		ike_text_add_printable(&t, reason, len < SAID_MAX ? len : SAID_MAX);
	}
	ike_put8(out, OP_FAILURE);
	return refuse(e, err, said);
}

static enum ike_eap_verdict hear_verdict(struct ike_eap *e, struct mschapv2 *s, struct ike_bytes in,
					 struct ike_writer *out, struct ike_error *err)
{
	struct ike_cursor success = ike_cursor(in), failure = ike_cursor(in);
	uint8_t id;

	if (take_header(&success, OP_SUCCESS, &id))
		return check_proof(e, s, success.rest, out, err);
	if (take_header(&failure, OP_FAILURE, &id))
		return take_no(e, failure.rest, out, err);
	return refuse(e, err, "the server says neither yes nor no");
}

static enum ike_eap_verdict step(struct ike_eap *e, struct ike_bytes in, struct ike_writer *out,
				 struct ike_error *err)
{
	struct mschapv2 *s = e->state;

	if (!e->config->legacy)
		return refuse(e, err, "OpenSSL's legacy provider, which has MD4 and DES, is missing");
	if (!s)
		e->state = s = calloc(1, sizeof(*s));
	if (!s)
		return refuse(e, err, "out of memory");
	switch (s->stage) {
	case STAGE_BEGIN:
		return e->server ? challenge(e, s, out) : respond(e, s, in, out, err);
	case STAGE_RESPONSE:
		return e->server ? judge(e, s, in, out, err) : hear_verdict(e, s, in, out, err);
	default:
		return e->server ? conclude(e, s, in, err) :
				   refuse(e, err, "the server goes on where it is over");
	}
}

const struct ike_eap_method ike_eap_mschapv2 = {
	.type = IKE_EAP_MSCHAPV2,
	.name = "eap-mschapv2",
	.usable = usable,
	.step = step,
	.end = end,
};
