// SPDX-License-Identifier: MIT
/* The message-ID window of an IKE SA (RFC 7296 sections 2.1 to 2.3). */
#include <stdlib.h>
#include <string.h>

#include "ikev2/crypto/fetched.h"
#include "ikev2/window.h"

bool ike_packet_set(struct ike_packet *packet, struct ike_bytes bytes)
{
	uint8_t *p = malloc(bytes.len ? bytes.len : 1);

	if (!p)
		return false;
	memcpy(p, bytes.p, bytes.len);
	ike_packet_clear(packet);
	packet->p = p;
	packet->len = bytes.len;
	return true;
}

void ike_packet_clear(struct ike_packet *packet)
{
	free(packet->p);
	*packet = (struct ike_packet){0};
}

void ike_window_clear(struct ike_window *w)
{
	ike_packet_clear(&w->request);
	ike_packet_clear(&w->answer);
}

/* Zeros when the hash fails: then nothing is a repetition, which is safe. */
void ike_digest(struct ike_bytes message, uint8_t digest[IKE_DIGEST_LEN])
{
	if (EVP_Digest(message.p, message.len, digest, NULL, ike_fetched_md("SHA2-256"), NULL) != 1)
		memset(digest, 0, IKE_DIGEST_LEN);
}

/* Section 2.1: a retransmission is bitwise identical to the original. */
enum ike_verdict ike_window_judge(const struct ike_window *w, uint32_t id,
				  const uint8_t digest[IKE_DIGEST_LEN])
{
	if (id == w->expected)
		return w->answering ? IKE_REQUEST_STALE : IKE_REQUEST_NEW;
	if (w->expected && id == w->expected - 1 && w->answer.p &&
	    !memcmp(digest, w->digest, IKE_DIGEST_LEN))
		return IKE_REQUEST_REPEATED;
	return IKE_REQUEST_STALE;
}

void ike_window_accept(struct ike_window *w, const uint8_t digest[IKE_DIGEST_LEN])
{
	ike_packet_clear(&w->answer);
	memcpy(w->digest, digest, IKE_DIGEST_LEN);
	w->expected++;
	w->answering = true;
}

bool ike_window_answered(struct ike_window *w, struct ike_bytes answer)
{
	w->answering = false;
	return ike_packet_set(&w->answer, answer);
}

bool ike_window_asked(struct ike_window *w, struct ike_bytes request)
{
	if (w->next_id >= IKE_MESSAGE_ID_LAST || !ike_packet_set(&w->request, request))
		return false;
	w->next_id++;
	return true;
}

bool ike_window_awaits(const struct ike_window *w, uint32_t id)
{
	return w->request.p && id == w->next_id - 1;
}

void ike_window_settled(struct ike_window *w)
{
	ike_packet_clear(&w->request);
}
