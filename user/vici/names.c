// SPDX-License-Identifier: MIT
/* Algorithms as strongSwan calls them in VICI. */
#include <stdio.h>
#include <string.h>

#include "../ikev2/wire/wire.h"
#include "names.h"

static const struct {
	uint8_t type;
	uint16_t id;
	const char *name;
} own_names[] = {
	/* strongSwan's encryption_algorithm_names and key_exchange_method_names */
	{ IKE_TRANSFORM_ENCR, IKE_ENCR_DES, "DES_CBC" },
	{ IKE_TRANSFORM_ENCR, IKE_ENCR_3DES, "3DES_CBC" },
	{ IKE_TRANSFORM_ENCR, IKE_ENCR_NULL_AUTH_AES_GMAC, "NULL_AES_GMAC" },
	{ IKE_TRANSFORM_KE, IKE_KE_CURVE25519, "CURVE_25519" },
	{ IKE_TRANSFORM_KE, IKE_KE_CURVE448, "CURVE_448" },
};

char *vici_alg_name(uint8_t type, uint16_t id, char *buf)
{
	const char *name = ike_transform_id_name(type, id);
	size_t i;

	for (i = 0; i < sizeof(own_names) / sizeof(own_names[0]); i++)
		if (own_names[i].type == type && own_names[i].id == id)
			name = own_names[i].name;
	if (!strcmp(name, "unknown"))
		snprintf(buf, VICI_ALG_MAX, "(%u)", id);
	else
		snprintf(buf, VICI_ALG_MAX, "%s%s", type == IKE_TRANSFORM_PRF ? "PRF_" : "", name);
	return buf;
}
