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

size_t ike_sk_seal_adds(const struct ike_protect *p)
{
	return p->cipher.block_len + p->cipher.icv_len;
}

size_t ike_skf_begin(struct ike_writer *w, const struct ike_protect *p, uint16_t number,
		     uint16_t total)
{
	size_t mark = ike_payload_begin(w, IKE_PAYLOAD_SKF);

	ike_put16(w, number);
	ike_put16(w, total);
	ike_put_room(w, p->cipher.iv_len);
	return mark;
}

size_t ike_skf_overhead(const struct ike_protect *p)
{
	return IKE_HEADER_LEN + IKE_GENERIC_LEN + IKE_SKF_FIXED_LEN + p->cipher.iv_len +
	       ike_sk_seal_adds(p);
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

/* The payload at @mark, whose IV is at @iv_at. */
static bool seal(struct ike_writer *w, size_t mark, size_t iv_at, struct ike_protect *p,
		 const struct ike_random *r, struct ike_error *err)
{
	const struct ike_cipher *c = &p->cipher;
	size_t text_at = iv_at + c->iv_len, text_len;
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

bool ike_sk_seal(struct ike_writer *w, size_t mark, struct ike_protect *p,
		 const struct ike_random *r, struct ike_error *err)
{
	return seal(w, mark, mark + IKE_GENERIC_LEN, p, r, err);
}

bool ike_skf_seal(struct ike_writer *w, size_t mark, struct ike_protect *p,
		  const struct ike_random *r, struct ike_error *err)
{
	return seal(w, mark, mark + IKE_GENERIC_LEN + IKE_SKF_FIXED_LEN, p, r, err);
}

/* The Pad Length byte is the last; padding may be of any length that fits. */
static bool strip_padding(const uint8_t *text, size_t len, const char *name,
			  struct ike_bytes *plain, struct ike_error *err)
{
	size_t pad = text[len - 1];

	if (pad + 1 > len)
		return ike_fail_notify(err, IKE_NOTIFY_INVALID_SYNTAX,
				       "%s payload: padding of %zu bytes in %zu", name, pad, len);
	*plain = ike_bytes(text, len - pad - 1);
	return true;
}

bool ike_sk_open(uint8_t *message, size_t len, const struct ike_payload *sk,
		 const struct ike_protect *p, struct ike_bytes *plain, struct ike_error *err)
{
	const struct ike_cipher *c = &p->cipher;
	size_t fixed = sk->type == IKE_PAYLOAD_SKF ? IKE_SKF_FIXED_LEN : 0;
	size_t body_at = IKE_HEADER_LEN + sk->offset + IKE_GENERIC_LEN, text_len;
	const char *name = ike_payload_name(sk->type);
	uint8_t *iv, *text;

	if ((sk->type != IKE_PAYLOAD_SK && !fixed) || body_at > len ||
	    sk->body.len != len - body_at)
		return ike_fail(err, "%s payload: does not end where the message does", name);
	if (sk->body.len < fixed + c->iv_len + 1 + c->icv_len)
		return ike_fail(err, "%s payload: %zu bytes where %zu are the least", name,
				sk->body.len, fixed + c->iv_len + 1 + c->icv_len);
	iv = message + body_at + fixed;
	text = iv + c->iv_len;
	text_len = sk->body.len - fixed - c->iv_len - c->icv_len;
	if (text_len % c->block_len)
		return ike_fail(err, "%s payload: %zu bytes of text, no multiple of %u", name,
				text_len, c->block_len);
	if (!ike_cipher_decrypt(c, ike_key_bytes(&p->encr), ike_key_bytes(&p->integ),
				ike_bytes(message, body_at + fixed), iv, text, text_len,
				text + text_len, err))
		return ike_fail_at(err, "%s payload", name);
	return strip_padding(text, text_len, name, plain, err);
}
