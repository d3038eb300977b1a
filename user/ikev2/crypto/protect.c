// SPDX-License-Identifier: MIT
/* Sealing and opening whole IKE messages (RFC 7296 section 3.14, RFC 5282). */
#include "ikev2/crypto/protect.h"

bool ike_protect_init(struct ike_protect *p, const struct ike_cipher *cipher,
		      const struct ike_key *encr, const struct ike_key *integ,
		      struct ike_error *err)
{
	if (encr->len != ike_cipher_encr_key_len(cipher) || integ->len != cipher->integ_key_len)
		return ike_fail(err, "SK keys of %zu and %zu bytes where %zu and %u are needed",
				encr->len, integ->len, ike_cipher_encr_key_len(cipher),
				cipher->integ_key_len);
	*p = (struct ike_protect){.cipher = *cipher, .encr = *encr, .integ = *integ};
	return true;
}

void ike_protect_clear(struct ike_protect *p)
{
	ike_wipe(p, sizeof(*p));
}

size_t ike_sk_begin(struct ike_writer *w, const struct ike_protect *p)
{
	size_t mark = ike_payload_begin(w, IKE_PAYLOAD_SK);

	ike_put_room(w, p->cipher.iv_len);
	return mark;
}

/* Appends what makes @len and the Pad Length byte a whole number of blocks. */
static void put_padding(struct ike_writer *w, size_t len, uint8_t block_len)
{
	uint8_t pad = (block_len - (len + 1) % block_len) % block_len;

	ike_put_room(w, pad);
	ike_put8(w, pad);
}

/* An AEAD needs one that never comes again, CBC one that nobody foresees. */
static void fill_iv(struct ike_protect *p, const struct ike_random *r, uint8_t *iv)
{
	if (!p->cipher.aead) {
		ike_random_fill(r, iv, p->cipher.iv_len);
		return;
	}
	for (size_t i = p->cipher.iv_len; i--;)
		iv[i] = p->sealed >> 8 * (p->cipher.iv_len - 1 - i);
}

bool ike_sk_seal(struct ike_writer *w, size_t mark, struct ike_protect *p,
		 const struct ike_random *r, struct ike_error *err)
{
	const struct ike_cipher *c = &p->cipher;
	size_t iv_at = mark + IKE_GENERIC_LEN, text_at = iv_at + c->iv_len, text_len;
	uint8_t *icv;

	if (w->overflow || w->len < text_at)
		return ike_fail(err, "message: longer than the %zu bytes there are", w->cap);
	put_padding(w, w->len - text_at, c->block_len);
	text_len = w->len - text_at;
	icv = ike_put_room(w, c->icv_len);
	ike_payload_end(w, mark);
	if (!ike_message_end(w) || !icv)
		return ike_fail(err, "message: longer than the %zu bytes there are", w->cap);
	fill_iv(p, r, w->buf + iv_at);
	p->sealed++;
	return ike_cipher_encrypt(c, ike_key_bytes(&p->encr), ike_key_bytes(&p->integ),
				  ike_bytes(w->buf, iv_at), w->buf + iv_at, w->buf + text_at,
				  text_len, icv, err);
}

/* The Pad Length byte is the last; padding may be of any length that fits. */
static bool strip_padding(const uint8_t *text, size_t len, struct ike_bytes *plain,
			  struct ike_error *err)
{
	size_t pad = text[len - 1];

	if (pad + 1 > len)
		return ike_fail_notify(err, IKE_NOTIFY_INVALID_SYNTAX,
				       "SK payload: padding of %zu bytes in %zu", pad, len);
	*plain = ike_bytes(text, len - pad - 1);
	return true;
}

bool ike_sk_open(uint8_t *message, size_t len, const struct ike_payload *sk,
		 const struct ike_protect *p, struct ike_bytes *plain, struct ike_error *err)
{
	const struct ike_cipher *c = &p->cipher;
	size_t iv_at = IKE_HEADER_LEN + sk->offset + IKE_GENERIC_LEN, text_len;
	uint8_t *iv, *text;

	if (sk->type != IKE_PAYLOAD_SK || iv_at > len || sk->body.len != len - iv_at)
		return ike_fail(err, "SK payload: does not end where the message does");
	if (sk->body.len < (size_t)c->iv_len + 1 + c->icv_len)
		return ike_fail(err, "SK payload: %zu bytes where %d are the least", sk->body.len,
				c->iv_len + 1 + c->icv_len);
	iv = message + iv_at;
	text = iv + c->iv_len;
	text_len = sk->body.len - c->iv_len - c->icv_len;
	if (text_len % c->block_len)
		return ike_fail(err, "SK payload: %zu bytes of text, no multiple of %u", text_len,
				c->block_len);
	if (!ike_cipher_decrypt(c, ike_key_bytes(&p->encr), ike_key_bytes(&p->integ),
				ike_bytes(message, iv_at), iv, text, text_len, text + text_len,
				err))
		return ike_fail_at(err, "SK payload");
	return strip_padding(text, text_len, plain, err);
}
