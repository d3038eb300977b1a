// SPDX-License-Identifier: MIT
/*
 * How ESP packets are sealed (RFC 4303 section 3.3.2) for each kind of SA that the receiver has. All have
 * parts of one key.
 */
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <string.h>

#include "packet_fuzz_esp.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof(*(a)))

enum {
	KEY = 16,
	SALT = 4,			/* RFC 4106 section 4, behind the key */
	HMAC_KEY = 32,			/* RFC 4868 section 2.6, behind the key too */
	KEYMAT = KEY + HMAC_KEY,
	NONCE = 12,
	GCM_IV = 8,			/* RFC 4106 section 3.1 */
	CBC_IV = 16,			/* RFC 3602 section 3 */
	CBC_BLOCK = 16,
	ICV = 16,			/* RFC 4106 section 6, RFC 4868 section 2.6 */
	HIGH = 4,			/* of an extended number: RFC 4303 section 2.2.1 */
};

/* In the first round numbers pass this edge. */
#define EDGE ((1ULL << 32) - 300)

static const struct association associations[] = {
	{ .spi = 0x1000 },
	{ .spi = 0x1001 },
	{ .spi = 0x1002, .cipher = FUZZ_CBC_HMAC, .esn = true, .first = EDGE },
	{ .spi = 0x1003, .cipher = FUZZ_GCM_IMPLICIT, .esn = true, .first = EDGE },
	{ .spi = 0x1004, .transport = true },
	{ .spi = 0x1005, .cipher = FUZZ_CBC_HMAC, .transport = true },
};

static struct {
	uint8_t key[KEYMAT];
	EVP_CIPHER_CTX *gcm, *cbc;
} cipher;

const struct association *esp_nth(unsigned int i)
{
	return i < ARRAY_SIZE(associations) ? &associations[i] : NULL;
}

const struct association *esp_find(uint32_t spi)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(associations); i++)
		if (associations[i].spi == spi)
			return &associations[i];
	return NULL;
}

const struct association *esp_any(void)
{
	return &associations[fuzz_below(ARRAY_SIZE(associations))];
}

const struct association *esp_any_tunnel(void)
{
	const struct association *sa;

	do
		sa = esp_any();
	while (sa->transport);
	return sa;
}

size_t esp_iv_len(const struct association *sa)
{
	switch (sa->cipher) {
	case FUZZ_GCM:
		return GCM_IV;
	case FUZZ_CBC_HMAC:
		return CBC_IV;
	default:
		return 0;
	}
}

size_t esp_overhead(const struct association *sa)
{
	return ESP_HEADER + esp_iv_len(sa) + ESP_TRAILER + ICV;
}

size_t esp_block(const struct association *sa)
{
	return sa->cipher == FUZZ_CBC_HMAC ? CBC_BLOCK : 4;
}

/* RFC 4106 sections 4 and 5; RFC 8750 section 4, where the number stands for the IV. */
static void seal_gcm(const struct plan *p, uint8_t *header, uint8_t *text, size_t len)
{
	uint8_t nonce[NONCE], aad[ESP_HEADER + HIGH];
	size_t aad_len = ESP_HEADER;
	int n;

	memcpy(nonce, cipher.key + KEY, SALT);
	put32(nonce + SALT, p->sequence >> 32);
	put32(nonce + SALT + 4, p->sequence);
	if (esp_iv_len(p->sa))
		memcpy(header + ESP_HEADER, nonce + SALT, GCM_IV);
	memcpy(aad, header, ESP_HEADER);
	if (p->sa->esn) {
		put32(aad + 4, p->sequence >> 32);
		put32(aad + 8, p->sequence);
		aad_len += HIGH;
	}
	if (!EVP_EncryptInit_ex(cipher.gcm, NULL, NULL, NULL, nonce) ||
	    !EVP_EncryptUpdate(cipher.gcm, NULL, &n, aad, aad_len) ||
	    !EVP_EncryptUpdate(cipher.gcm, text, &n, text, len) ||
	    !EVP_EncryptFinal_ex(cipher.gcm, text + len, &n) ||
	    !EVP_CIPHER_CTX_ctrl(cipher.gcm, EVP_CTRL_AEAD_GET_TAG, ICV, text + len))
		die("AES-GCM fails");
}

/* RFC 4303 section 3.3.2.1; the high half of the number is hashed behind the text and not sent. */
static void seal_cbc(const struct plan *p, uint8_t *header, uint8_t *text, size_t len)
{
	uint8_t *iv = header + ESP_HEADER, mac[EVP_MAX_MD_SIZE];
	size_t hashed = text + len - header;
	unsigned int mac_len;
	int n;

	fuzz_fill(iv, CBC_IV);
	if (!EVP_EncryptInit_ex(cipher.cbc, NULL, NULL, NULL, iv) ||
	    !EVP_CIPHER_CTX_set_padding(cipher.cbc, 0) ||
	    !EVP_EncryptUpdate(cipher.cbc, text, &n, text, len / CBC_BLOCK * CBC_BLOCK))
		die("AES-CBC fails");
	if (p->sa->esn) {
		put32(text + len, p->sequence >> 32);
		hashed += HIGH;
	}
	if (!HMAC(EVP_sha256(), cipher.key + KEY, HMAC_KEY, header, hashed, mac, &mac_len))
		die("HMAC fails");
	memcpy(text + len, mac, ICV);
}

void esp_seal(const struct plan *p, struct packet *to)
{
	uint8_t *text = to->data + ESP_HEADER + esp_iv_len(p->sa);
	size_t len = p->inner_len;
	unsigned int i;

	put32(to->data, p->sa->spi);
	put32(to->data + 4, p->sequence);
	memcpy(text, p->inner, len);
	for (i = 1; i <= p->pad; i++)
		text[len++] = i;
	text[len++] = p->pad_field;
	text[len++] = p->next;
	if (p->sa->cipher == FUZZ_CBC_HMAC)
		seal_cbc(p, to->data, text, len);
	else
		seal_gcm(p, to->data, text, len);
	to->len = text + len + ICV - to->data;
}

static uint8_t hex(const char *text)
{
	unsigned int value;

	if (sscanf(text, "%2x", &value) != 1)
		die("'%s' is no key", text);
	return value;
}

void esp_open(const char *key)
{
	unsigned int i;

	if (strlen(key) != 2 * KEYMAT)
		die("the key is not one of AES-128 and of HMAC-SHA-256");
	for (i = 0; i < KEYMAT; i++)
		cipher.key[i] = hex(key + 2 * i);
	cipher.gcm = EVP_CIPHER_CTX_new();
	cipher.cbc = EVP_CIPHER_CTX_new();
	if (!cipher.gcm || !EVP_EncryptInit_ex(cipher.gcm, EVP_aes_128_gcm(), NULL, cipher.key, NULL))
		die("no AES-GCM");
	if (!cipher.cbc || !EVP_EncryptInit_ex(cipher.cbc, EVP_aes_128_cbc(), NULL, cipher.key, NULL))
		die("no AES-CBC");
}
