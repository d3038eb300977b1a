// SPDX-License-Identifier: MIT
/*
 * An SA with its keys as a line of esp_sa, Wireshark's table of ESP SAs: protocol, source,
 * destination, SPI, encryption and its key, authentication and its key, each in quotes. The salt is
 * part of the encryption key. Newer versions have two more columns, for extended sequence numbers,
 * which may be left out, and which older ones refuse.
 *
 * Names are matched letter for letter. A line with one that this Wireshark does not know it refuses,
 * with an error; so what none has becomes a comment.
 */
#include <inttypes.h>

#include "../dataplane/codec.h"
#include "../ikev2/esp.h"
#include "../ikev2/wire/wire.h"
#include "module.h"

enum { ADDR_MAX = 46 };

struct algorithm {
	uint32_t id;			/* IANA */
	const char *name;		/* Wireshark's */
};

static const struct algorithm encryptions[] = {
	{ IKE_ENCR_NULL, "NULL" },
	{ IKE_ENCR_AES_CBC, "AES-CBC [RFC3602]" },
	{ IKE_ENCR_AES_CTR, "AES-CTR [RFC3686]" },
	{ IKE_ENCR_AES_GCM_8, "AES-GCM with 8 octet ICV [RFC4106]" },
	{ IKE_ENCR_AES_GCM_12, "AES-GCM with 12 octet ICV [RFC4106]" },
	{ IKE_ENCR_AES_GCM_16, "AES-GCM with 16 octet ICV [RFC4106]" },
	{ IKE_ENCR_CHACHA20_POLY1305, "ChaCha20 with Poly1305 [RFC7634]" },
	{ IKE_ENCR_AES_GCM_16_IIV, "AES-GCM with IIV and 16 octet ICV [RFC4106 & RFC8750]" },
	{ IKE_ENCR_CHACHA20_POLY1305_IIV, "ChaCha20 with Poly1305 and IIV [RFC7634 & RFC8750]" },
};

static const struct algorithm authentications[] = {
	{ IKE_INTEG_NONE, "NULL" },
	{ IKE_INTEG_HMAC_SHA2_256_128, "HMAC-SHA-256-128 [RFC4868]" },
	{ IKE_INTEG_HMAC_SHA2_384_192, "HMAC-SHA-384-192 [RFC4868]" },
	{ IKE_INTEG_HMAC_SHA2_512_256, "HMAC-SHA-512-256 [RFC4868]" },
};

enum {
	N_ENCRYPTIONS = sizeof(encryptions) / sizeof(*encryptions),
	N_AUTHENTICATIONS = sizeof(authentications) / sizeof(*authentications),
};

static const char *find(const struct algorithm *list, size_t n, uint32_t id)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (list[i].id == id)
			return list[i].name;
	return NULL;
}

static void put_key(FILE *out, const uint8_t *key, size_t len)
{
	size_t i;

	fputs(len ? "0x" : "", out);
	for (i = 0; i < len; i++)
		fprintf(out, "%02x", key[i]);
}

static void put_packets(FILE *out, const struct dp_sa *sa)
{
	char src[ADDR_MAX], dst[ADDR_MAX];

	fprintf(out, "\"%s\",\"%s\",\"%s\",\"0x%08" PRIx32 "\"", sa->dst.len == 4 ? "IPv4" : "IPv6",
		dp_addr_text(&sa->src, src, sizeof(src)), dp_addr_text(&sa->dst, dst, sizeof(dst)),
		sa->spi);
}

void print_wireshark_sa(FILE *out, const struct dp_sa *sa, const struct module_caps *caps)
{
	const char *encr = find(encryptions, N_ENCRYPTIONS, sa->encr);
	const char *integ = find(authentications, N_AUTHENTICATIONS, sa->integ);
	size_t integ_len = ike_esp_integ_key(sa->integ);
	char name[HUMAN_MAX];

	if (!encr || !integ) {
		fprintf(out, "# SPI 0x%08" PRIx32 ": Wireshark has no %s\n", sa->spi,
			transform_name(caps, sa, name));
		return;
	}
	if (sa->keymat.len < integ_len) {
		fprintf(out, "# SPI 0x%08" PRIx32 ": the module gave no keys\n", sa->spi);
		return;
	}
	if (sa->flags & ESPLANE_SA_FLAG_ESN)
		fprintf(out, "# SPI 0x%08" PRIx32 ": for its ICVs to be checked, choose 64-bit SN and "
			"the ESN High Bits in Wireshark\n", sa->spi);
	put_packets(out, sa);
	fprintf(out, ",\"%s\",\"", encr);
	put_key(out, sa->keymat.data, sa->keymat.len - integ_len);
	fprintf(out, "\",\"%s\",\"", integ);
	put_key(out, sa->keymat.data + sa->keymat.len - integ_len, integ_len);
	fputs("\"\n", out);
}
