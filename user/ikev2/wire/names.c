// SPDX-License-Identifier: MIT
/* Names of protocol numbers, from the same lists as the numbers themselves. */
#include <stddef.h>

#include "ikev2/wire/wire.h"

struct name {
	uint16_t number;
	const char *text;
};

/* The enumerator without its prefix: "IKE_EXCHANGE_AUTH" after "IKE_EXCHANGE_" is "AUTH". */
#define AFTER(prefix, name, number) {number, &#name[sizeof(prefix) - 1]},

#define X(name, number) AFTER("IKE_EXCHANGE_", name, number)
static const struct name exchanges[] = {IKE_EXCHANGES(X)};
#undef X

#define X(name, number) AFTER("IKE_PROTO_", name, number)
static const struct name protocols[] = {IKE_PROTOCOLS(X)};
#undef X

#define X(name, number) AFTER("IKE_TRANSFORM_", name, number)
static const struct name transform_types[] = {IKE_TRANSFORM_TYPES(X)};
#undef X

#define X(name, number) AFTER("IKE_ENCR_", name, number)
static const struct name encrs[] = {IKE_ENCRS(X)};
#undef X

#define X(name, number) AFTER("IKE_PRF_", name, number)
static const struct name prfs[] = {IKE_PRFS(X)};
#undef X

#define X(name, number) AFTER("IKE_INTEG_", name, number)
static const struct name integs[] = {IKE_INTEGS(X)};
#undef X

#define X(name, number) AFTER("IKE_KE_", name, number)
static const struct name kes[] = {IKE_KES(X)};
#undef X

#define X(name, number) AFTER("IKE_ESN_", name, number)
static const struct name esns[] = {IKE_ESNS(X)};
#undef X

#define X(name, number) AFTER("IKE_ID_", name, number)
static const struct name id_types[] = {IKE_ID_TYPES(X)};
#undef X

#define X(name, number) AFTER("IKE_AUTH_METHOD_", name, number)
static const struct name auth_methods[] = {IKE_AUTH_METHODS(X)};
#undef X

#define X(name, number) AFTER("IKE_NOTIFY_", name, number)
static const struct name notifies[] = {IKE_NOTIFIES(X)};
#undef X

static const char *find(const struct name *names, size_t n, uint16_t number)
{
	for (size_t i = 0; i < n; i++)
		if (names[i].number == number)
			return names[i].text;
	return "unknown";
}

#define FIND(names, number) find(names, sizeof(names) / sizeof(names[0]), number)

const char *ike_exchange_name(uint8_t exchange)
{
	return FIND(exchanges, exchange);
}

const char *ike_protocol_name(uint8_t protocol)
{
	return FIND(protocols, protocol);
}

const char *ike_transform_type_name(uint8_t type)
{
	return FIND(transform_types, type);
}

const char *ike_id_type_name(uint8_t type)
{
	return FIND(id_types, type);
}

const char *ike_auth_method_name(uint8_t method)
{
	return FIND(auth_methods, method);
}

const char *ike_notify_name(uint16_t type)
{
	return FIND(notifies, type);
}

const char *ike_transform_id_name(uint8_t type, uint16_t id)
{
	switch (type) {
	case IKE_TRANSFORM_ENCR:
		return FIND(encrs, id);
	case IKE_TRANSFORM_PRF:
		return FIND(prfs, id);
	case IKE_TRANSFORM_INTEG:
		return FIND(integs, id);
	case IKE_TRANSFORM_ESN:
		return FIND(esns, id);
	case IKE_TRANSFORM_KE:
	case IKE_TRANSFORM_ADDKE1 ... IKE_TRANSFORM_ADDKE7:
		return FIND(kes, id);
	default:
		return "unknown";
	}
}

/* The notation of RFC 7296 section 1.2, which logs and errors use. */
const char *ike_payload_name(uint8_t type)
{
	static const char *const names[] = {
		[IKE_PAYLOAD_SA] = "SA",     [IKE_PAYLOAD_KE] = "KE",
		[IKE_PAYLOAD_IDI] = "IDi",   [IKE_PAYLOAD_IDR] = "IDr",
		[IKE_PAYLOAD_CERT] = "CERT", [IKE_PAYLOAD_CERTREQ] = "CERTREQ",
		[IKE_PAYLOAD_AUTH] = "AUTH", [IKE_PAYLOAD_NONCE] = "Nonce",
		[IKE_PAYLOAD_NOTIFY] = "N",  [IKE_PAYLOAD_DELETE] = "D",
		[IKE_PAYLOAD_VENDOR] = "V",  [IKE_PAYLOAD_TSI] = "TSi",
		[IKE_PAYLOAD_TSR] = "TSr",   [IKE_PAYLOAD_SK] = "SK",
		[IKE_PAYLOAD_CP] = "CP",     [IKE_PAYLOAD_EAP] = "EAP",
		[IKE_PAYLOAD_GSPM] = "GSPM", [IKE_PAYLOAD_IDG] = "IDg",
		[IKE_PAYLOAD_GSA] = "GSA",   [IKE_PAYLOAD_KD] = "KD",
		[IKE_PAYLOAD_SKF] = "SKF",   [IKE_PAYLOAD_PS] = "PS",
	};

	if (type < sizeof(names) / sizeof(names[0]) && names[type])
		return names[type];
	return "unknown";
}
