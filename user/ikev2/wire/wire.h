/* SPDX-License-Identifier: MIT */
/*
 * IKEv2 protocol numbers, with the RFC section that defines each, and their names for logs.
 * RFC 7296 where no other document is named; extensions that are not implemented name theirs only.
 * Numbers are those of IANA's "IKEv2 Parameters".
 */
#ifndef ESPLANE_IKE_WIRE_H
#define ESPLANE_IKE_WIRE_H

#include <stdint.h>

#define IKE_ENUMERATOR_(name, number) name = number,

/* Section 3.1. */
enum {
	IKE_VERSION_MAJOR = 2,
	IKE_VERSION_MINOR = 0,
	IKE_FLAG_INITIATOR = 0x08,	/* the sender is the IKE SA's original initiator */
	IKE_FLAG_VERSION = 0x10,	/* the sender could speak a higher major version */
	IKE_FLAG_RESPONSE = 0x20,
};

/* Sizes of fixed parts, and limits. */
enum {
	IKE_HEADER_LEN = 28,		/* section 3.1 */
	IKE_GENERIC_LEN = 4,		/* section 3.2 */
	IKE_SKF_FIXED_LEN = 4,		/* RFC 7383 section 2.5: number and total */
	IKE_PROPOSAL_LEN = 8,		/* section 3.3.1, without SPI */
	IKE_TRANSFORM_LEN = 8,		/* section 3.3.2, without attributes */
	IKE_ATTRIBUTE_LEN = 4,		/* section 3.3.5 */
	IKE_SPI_LEN = 8,		/* section 3.1 */
	IKE_ESP_SPI_LEN = 4,		/* section 3.3.1 */
	IKE_NONCE_MIN = 16,		/* section 2.10, section 3.9 */
	IKE_NONCE_MAX = 256,
	IKE_COOKIE_MIN = 1,		/* section 2.6 */
	IKE_COOKIE_MAX = 64,
	IKE_PAYLOADS_MAX = 64,		/* ours: more in one message are refused */
	IKE_ADDKE_MAX = 7,		/* RFC 9370 section 2.2.1 */
};

/* Section 3.1, exchange types. */
#define IKE_EXCHANGES(X) \
	X(IKE_EXCHANGE_SA_INIT, 34) /* section 1.2 */ \
	X(IKE_EXCHANGE_AUTH, 35) /* section 1.2 */ \
	X(IKE_EXCHANGE_CREATE_CHILD_SA, 36) /* section 1.3 */ \
	X(IKE_EXCHANGE_INFORMATIONAL, 37) /* section 1.4 */ \
	X(IKE_EXCHANGE_SESSION_RESUME, 38) /* RFC 5723 section 4.3 */ \
	X(IKE_EXCHANGE_GSA_AUTH, 39) /* RFC 9838 */ \
	X(IKE_EXCHANGE_GSA_REGISTRATION, 40) /* RFC 9838 */ \
	X(IKE_EXCHANGE_GSA_REKEY, 41) /* RFC 9838 */ \
	X(IKE_EXCHANGE_GSA_INBAND_REKEY, 42) /* RFC 9838 */ \
	X(IKE_EXCHANGE_INTERMEDIATE, 43) /* RFC 9242 section 3.2 */ \
	X(IKE_EXCHANGE_FOLLOWUP_KE, 44) /* RFC 9370 section 2.2.4 */

enum ike_exchange {
	IKE_EXCHANGES(IKE_ENUMERATOR_)
};

/* Section 3.2, payload types, with the notation of section 1.2. */
#define IKE_PAYLOADS(X) \
	X(IKE_PAYLOAD_SA, 33) /* section 3.3 */ \
	X(IKE_PAYLOAD_KE, 34) /* section 3.4 */ \
	X(IKE_PAYLOAD_IDI, 35) /* section 3.5 */ \
	X(IKE_PAYLOAD_IDR, 36) /* section 3.5 */ \
	X(IKE_PAYLOAD_CERT, 37) /* section 3.6 */ \
	X(IKE_PAYLOAD_CERTREQ, 38) /* section 3.7 */ \
	X(IKE_PAYLOAD_AUTH, 39) /* section 3.8 */ \
	X(IKE_PAYLOAD_NONCE, 40) /* section 3.9 */ \
	X(IKE_PAYLOAD_NOTIFY, 41) /* section 3.10 */ \
	X(IKE_PAYLOAD_DELETE, 42) /* section 3.11 */ \
	X(IKE_PAYLOAD_VENDOR, 43) /* section 3.12 */ \
	X(IKE_PAYLOAD_TSI, 44) /* section 3.13 */ \
	X(IKE_PAYLOAD_TSR, 45) /* section 3.13 */ \
	X(IKE_PAYLOAD_SK, 46) /* section 3.14 */ \
	X(IKE_PAYLOAD_CP, 47) /* section 3.15 */ \
	X(IKE_PAYLOAD_EAP, 48) /* section 3.16 */ \
	X(IKE_PAYLOAD_GSPM, 49) /* RFC 6467 */ \
	X(IKE_PAYLOAD_IDG, 50) /* RFC 9838 */ \
	X(IKE_PAYLOAD_GSA, 51) /* RFC 9838 */ \
	X(IKE_PAYLOAD_KD, 52) /* RFC 9838 */ \
	X(IKE_PAYLOAD_SKF, 53) /* RFC 7383 section 2.5 */ \
	X(IKE_PAYLOAD_PS, 54) /* RFC 8019 */

enum ike_payload_type {
	IKE_PAYLOAD_NONE = 0,		/* no next payload */
	IKE_PAYLOADS(IKE_ENUMERATOR_)
};

/* Section 3.2. */
enum { IKE_CRITICAL = 0x80 };

/* Section 3.3.1, security protocol identifiers. */
#define IKE_PROTOCOLS(X) \
	X(IKE_PROTO_IKE, 1) \
	X(IKE_PROTO_AH, 2) \
	X(IKE_PROTO_ESP, 3) \
	X(IKE_PROTO_FC_ESP_HEADER, 4) /* RFC 4595 */ \
	X(IKE_PROTO_FC_CT_AUTHENTICATION, 5) /* RFC 4595 */

enum ike_protocol {
	IKE_PROTO_NONE = 0,
	IKE_PROTOCOLS(IKE_ENUMERATOR_)
};

/* Section 3.3.1 and 3.3.2, "Last Substruc". */
enum { IKE_LAST = 0, IKE_MORE_PROPOSALS = 2, IKE_MORE_TRANSFORMS = 3 };

/* Section 3.3.2, transform types. */
#define IKE_TRANSFORM_TYPES(X) \
	X(IKE_TRANSFORM_ENCR, 1) \
	X(IKE_TRANSFORM_PRF, 2) \
	X(IKE_TRANSFORM_INTEG, 3) \
	X(IKE_TRANSFORM_KE, 4) \
	X(IKE_TRANSFORM_ESN, 5) \
	X(IKE_TRANSFORM_ADDKE1, 6) /* RFC 9370 section 2.2.1, and the six below */ \
	X(IKE_TRANSFORM_ADDKE2, 7) \
	X(IKE_TRANSFORM_ADDKE3, 8) \
	X(IKE_TRANSFORM_ADDKE4, 9) \
	X(IKE_TRANSFORM_ADDKE5, 10) \
	X(IKE_TRANSFORM_ADDKE6, 11) \
	X(IKE_TRANSFORM_ADDKE7, 12) \
	X(IKE_TRANSFORM_KWA, 13) /* RFC 9838 */ \
	X(IKE_TRANSFORM_GCAUTH, 14) /* RFC 9838 */

enum ike_transform_type {
	IKE_TRANSFORM_TYPES(IKE_ENUMERATOR_)
};

/* Section 3.3.2, transform type 1. */
#define IKE_ENCRS(X) \
	X(IKE_ENCR_DES_IV64, 1) \
	X(IKE_ENCR_DES, 2) \
	X(IKE_ENCR_3DES, 3) \
	X(IKE_ENCR_RC5, 4) \
	X(IKE_ENCR_IDEA, 5) \
	X(IKE_ENCR_CAST, 6) \
	X(IKE_ENCR_BLOWFISH, 7) \
	X(IKE_ENCR_3IDEA, 8) \
	X(IKE_ENCR_DES_IV32, 9) \
	X(IKE_ENCR_NULL, 11) \
	X(IKE_ENCR_AES_CBC, 12) /* RFC 3602 section 5 */ \
	X(IKE_ENCR_AES_CTR, 13) /* RFC 5930 section 2 */ \
	X(IKE_ENCR_AES_CCM_8, 14) /* RFC 5282 section 7.2, and the two below */ \
	X(IKE_ENCR_AES_CCM_12, 15) \
	X(IKE_ENCR_AES_CCM_16, 16) \
	X(IKE_ENCR_AES_GCM_8, 18) /* RFC 5282 section 7.2, and the two below */ \
	X(IKE_ENCR_AES_GCM_12, 19) \
	X(IKE_ENCR_AES_GCM_16, 20) \
	X(IKE_ENCR_NULL_AUTH_AES_GMAC, 21) /* RFC 4543 section 5 */ \
	X(IKE_ENCR_CAMELLIA_CBC, 23) /* RFC 5529, and the four below */ \
	X(IKE_ENCR_CAMELLIA_CTR, 24) \
	X(IKE_ENCR_CAMELLIA_CCM_8, 25) \
	X(IKE_ENCR_CAMELLIA_CCM_12, 26) \
	X(IKE_ENCR_CAMELLIA_CCM_16, 27) \
	X(IKE_ENCR_CHACHA20_POLY1305, 28) /* RFC 7634 section 4 */ \
	X(IKE_ENCR_AES_CCM_8_IIV, 29) /* RFC 8750, and the two below */ \
	X(IKE_ENCR_AES_GCM_16_IIV, 30) \
	X(IKE_ENCR_CHACHA20_POLY1305_IIV, 31)

enum ike_encr {
	IKE_ENCRS(IKE_ENUMERATOR_)
};

/* Section 3.3.2, transform type 2. */
#define IKE_PRFS(X) \
	X(IKE_PRF_HMAC_MD5, 1) \
	X(IKE_PRF_HMAC_SHA1, 2) \
	X(IKE_PRF_HMAC_TIGER, 3) \
	X(IKE_PRF_AES128_XCBC, 4) /* RFC 4434 section 2 */ \
	X(IKE_PRF_HMAC_SHA2_256, 5) /* RFC 4868 section 4, and the two below */ \
	X(IKE_PRF_HMAC_SHA2_384, 6) \
	X(IKE_PRF_HMAC_SHA2_512, 7) \
	X(IKE_PRF_AES128_CMAC, 8) /* RFC 4615 section 3 */

enum ike_prf_id {
	IKE_PRFS(IKE_ENUMERATOR_)
};

/* Section 3.3.2, transform type 3. */
#define IKE_INTEGS(X) \
	X(IKE_INTEG_NONE, 0) \
	X(IKE_INTEG_HMAC_MD5_96, 1) \
	X(IKE_INTEG_HMAC_SHA1_96, 2) \
	X(IKE_INTEG_DES_MAC, 3) \
	X(IKE_INTEG_KPDK_MD5, 4) \
	X(IKE_INTEG_AES_XCBC_96, 5) /* RFC 3566 section 4 */ \
	X(IKE_INTEG_HMAC_MD5_128, 6) /* RFC 4595 */ \
	X(IKE_INTEG_HMAC_SHA1_160, 7) /* RFC 4595 */ \
	X(IKE_INTEG_AES_CMAC_96, 8) /* RFC 4494 section 2 */ \
	X(IKE_INTEG_AES_128_GMAC, 9) /* RFC 4543 section 5, and the two below */ \
	X(IKE_INTEG_AES_192_GMAC, 10) \
	X(IKE_INTEG_AES_256_GMAC, 11) \
	X(IKE_INTEG_HMAC_SHA2_256_128, 12) /* RFC 4868 section 4, and the two below */ \
	X(IKE_INTEG_HMAC_SHA2_384_192, 13) \
	X(IKE_INTEG_HMAC_SHA2_512_256, 14)

enum ike_integ {
	IKE_INTEGS(IKE_ENUMERATOR_)
};

/* Section 3.3.2, transform type 4 (and 6 to 12). */
#define IKE_KES(X) \
	X(IKE_KE_NONE, 0) \
	X(IKE_KE_MODP_768, 1) /* appendix B.1 */ \
	X(IKE_KE_MODP_1024, 2) /* appendix B.2 */ \
	X(IKE_KE_MODP_1536, 5) /* RFC 3526 section 2 */ \
	X(IKE_KE_MODP_2048, 14) /* RFC 3526 section 3 */ \
	X(IKE_KE_MODP_3072, 15) /* RFC 3526 section 4 */ \
	X(IKE_KE_MODP_4096, 16) /* RFC 3526 section 5 */ \
	X(IKE_KE_MODP_6144, 17) /* RFC 3526 section 6 */ \
	X(IKE_KE_MODP_8192, 18) /* RFC 3526 section 7 */ \
	X(IKE_KE_ECP_256, 19) /* RFC 5903 section 3.1 */ \
	X(IKE_KE_ECP_384, 20) /* RFC 5903 section 3.2 */ \
	X(IKE_KE_ECP_521, 21) /* RFC 5903 section 3.3 */ \
	X(IKE_KE_MODP_1024_160, 22) /* RFC 5114 */ \
	X(IKE_KE_MODP_2048_224, 23) /* RFC 5114 */ \
	X(IKE_KE_MODP_2048_256, 24) /* RFC 5114 */ \
	X(IKE_KE_ECP_192, 25) /* RFC 5114 */ \
	X(IKE_KE_ECP_224, 26) /* RFC 5114 */ \
	X(IKE_KE_BRAINPOOL_224, 27) /* RFC 6954, and the three below */ \
	X(IKE_KE_BRAINPOOL_256, 28) \
	X(IKE_KE_BRAINPOOL_384, 29) \
	X(IKE_KE_BRAINPOOL_512, 30) \
	X(IKE_KE_CURVE25519, 31) /* RFC 8031 section 3 */ \
	X(IKE_KE_CURVE448, 32) /* RFC 8031 section 3 */ \
	X(IKE_KE_GOST3410_2012_256, 33) /* RFC 9385 */ \
	X(IKE_KE_GOST3410_2012_512, 34) /* RFC 9385 */ \
	X(IKE_KE_ML_KEM_512, 35) /* draft-ietf-ipsecme-ikev2-mlkem, and the two below */ \
	X(IKE_KE_ML_KEM_768, 36) \
	X(IKE_KE_ML_KEM_1024, 37)

enum ike_ke_id {
	IKE_KES(IKE_ENUMERATOR_)
};

/* Section 3.3.2, transform type 5. */
#define IKE_ESNS(X) \
	X(IKE_ESN_NO, 0) \
	X(IKE_ESN_YES, 1)

enum ike_esn {
	IKE_ESNS(IKE_ENUMERATOR_)
};

/* Section 3.3.5. */
enum {
	IKE_ATTRIBUTE_TV = 0x8000,	/* the value is in the length field */
	IKE_ATTRIBUTE_KEY_LENGTH = 14,	/* bits */
};

/* Section 3.5, identification types. */
#define IKE_ID_TYPES(X) \
	X(IKE_ID_IPV4_ADDR, 1) \
	X(IKE_ID_FQDN, 2) \
	X(IKE_ID_RFC822_ADDR, 3) \
	X(IKE_ID_IPV6_ADDR, 5) \
	X(IKE_ID_DER_ASN1_DN, 9) \
	X(IKE_ID_DER_ASN1_GN, 10) \
	X(IKE_ID_KEY_ID, 11) \
	X(IKE_ID_FC_NAME, 12) /* RFC 4595 */ \
	X(IKE_ID_NULL, 13) /* RFC 7619 */

enum ike_id_type {
	IKE_ID_ANY = 0,			/* ours, never on the wire: matches every identity */
	IKE_ID_TYPES(IKE_ENUMERATOR_)
};

/* Section 3.6, certificate encodings. */
enum ike_cert_encoding {
	IKE_CERT_X509_SIGNATURE = 4,
	IKE_CERT_CRL = 7,
	IKE_CERT_HASH_AND_URL = 12,
	IKE_CERT_HASH_AND_URL_BUNDLE = 13,
	IKE_CERT_OCSP = 14,		/* RFC 4806 */
	IKE_CERT_RAW_PUBLIC_KEY = 15,	/* RFC 7670 */
};

/* Section 3.8, authentication methods. */
#define IKE_AUTH_METHODS(X) \
	X(IKE_AUTH_METHOD_RSA, 1) \
	X(IKE_AUTH_METHOD_PSK, 2) /* "Shared Key Message Integrity Code" */ \
	X(IKE_AUTH_METHOD_DSS, 3) \
	X(IKE_AUTH_METHOD_ECDSA_256, 9) /* RFC 4754 section 3, and the two below */ \
	X(IKE_AUTH_METHOD_ECDSA_384, 10) \
	X(IKE_AUTH_METHOD_ECDSA_521, 11) \
	X(IKE_AUTH_METHOD_SECURE_PASSWORD, 12) /* RFC 6467 */ \
	X(IKE_AUTH_METHOD_NULL, 13) /* RFC 7619 */ \
	X(IKE_AUTH_METHOD_SIGNATURE, 14) /* RFC 7427 section 3 */

enum ike_auth_method_id {
	IKE_AUTH_METHODS(IKE_ENUMERATOR_)
};

/* Section 3.10.1, notify message types: errors below 16384, status from there on. */
#define IKE_NOTIFIES(X) \
	X(IKE_NOTIFY_UNSUPPORTED_CRITICAL_PAYLOAD, 1) /* section 2.5 */ \
	X(IKE_NOTIFY_INVALID_IKE_SPI, 4) /* section 2.21.4 */ \
	X(IKE_NOTIFY_INVALID_MAJOR_VERSION, 5) /* section 2.5 */ \
	X(IKE_NOTIFY_INVALID_SYNTAX, 7) /* section 2.21 */ \
	X(IKE_NOTIFY_INVALID_MESSAGE_ID, 9) /* section 2.3 */ \
	X(IKE_NOTIFY_INVALID_SPI, 11) /* section 1.5 */ \
	X(IKE_NOTIFY_NO_PROPOSAL_CHOSEN, 14) /* section 2.7 */ \
	X(IKE_NOTIFY_INVALID_KE_PAYLOAD, 17) /* section 1.3 */ \
	X(IKE_NOTIFY_AUTHENTICATION_FAILED, 24) /* section 2.21.2 */ \
	X(IKE_NOTIFY_SINGLE_PAIR_REQUIRED, 34) /* section 2.9 */ \
	X(IKE_NOTIFY_NO_ADDITIONAL_SAS, 35) /* section 1.3 */ \
	X(IKE_NOTIFY_INTERNAL_ADDRESS_FAILURE, 36) /* section 3.15.4 */ \
	X(IKE_NOTIFY_FAILED_CP_REQUIRED, 37) /* section 2.19 */ \
	X(IKE_NOTIFY_TS_UNACCEPTABLE, 38) /* section 2.9 */ \
	X(IKE_NOTIFY_INVALID_SELECTORS, 39) /* section 3.10.1 */ \
	X(IKE_NOTIFY_UNACCEPTABLE_ADDRESSES, 40) /* RFC 4555 section 4.1.1 */ \
	X(IKE_NOTIFY_UNEXPECTED_NAT_DETECTED, 41) /* RFC 4555 section 4.1.2 */ \
	X(IKE_NOTIFY_USE_ASSIGNED_HOA, 42) /* RFC 5026 */ \
	X(IKE_NOTIFY_TEMPORARY_FAILURE, 43) /* section 2.25 */ \
	X(IKE_NOTIFY_CHILD_SA_NOT_FOUND, 44) /* section 2.25 */ \
	X(IKE_NOTIFY_INVALID_GROUP_ID, 45) /* RFC 9838 */ \
	X(IKE_NOTIFY_AUTHORIZATION_FAILED, 46) /* RFC 9838 */ \
	X(IKE_NOTIFY_STATE_NOT_FOUND, 47) /* RFC 9370 section 2.2.4 */ \
	X(IKE_NOTIFY_TS_MAX_QUEUE, 48) /* RFC 9611 */ \
	X(IKE_NOTIFY_INITIAL_CONTACT, 16384) /* section 2.4 */ \
	X(IKE_NOTIFY_SET_WINDOW_SIZE, 16385) /* section 2.3 */ \
	X(IKE_NOTIFY_ADDITIONAL_TS_POSSIBLE, 16386) /* section 2.9 */ \
	X(IKE_NOTIFY_IPCOMP_SUPPORTED, 16387) /* section 2.22 */ \
	X(IKE_NOTIFY_NAT_DETECTION_SOURCE_IP, 16388) /* section 2.23 */ \
	X(IKE_NOTIFY_NAT_DETECTION_DESTINATION_IP, 16389) /* section 2.23 */ \
	X(IKE_NOTIFY_COOKIE, 16390) /* section 2.6 */ \
	X(IKE_NOTIFY_USE_TRANSPORT_MODE, 16391) /* section 1.3.1 */ \
	X(IKE_NOTIFY_HTTP_CERT_LOOKUP_SUPPORTED, 16392) /* section 3.6 */ \
	X(IKE_NOTIFY_REKEY_SA, 16393) /* section 1.3.3 */ \
	X(IKE_NOTIFY_ESP_TFC_PADDING_NOT_SUPPORTED, 16394) /* section 1.3.1 */ \
	X(IKE_NOTIFY_NON_FIRST_FRAGMENTS_ALSO, 16395) /* section 1.3.1 */ \
	X(IKE_NOTIFY_MOBIKE_SUPPORTED, 16396) /* RFC 4555 section 4.2.1 */ \
	X(IKE_NOTIFY_ADDITIONAL_IP4_ADDRESS, 16397) /* RFC 4555 section 4.2.2 */ \
	X(IKE_NOTIFY_ADDITIONAL_IP6_ADDRESS, 16398) /* RFC 4555 section 4.2.2 */ \
	X(IKE_NOTIFY_NO_ADDITIONAL_ADDRESSES, 16399) /* RFC 4555 section 4.2.3 */ \
	X(IKE_NOTIFY_UPDATE_SA_ADDRESSES, 16400) /* RFC 4555 section 4.2.4 */ \
	X(IKE_NOTIFY_COOKIE2, 16401) /* RFC 4555 section 4.2.5 */ \
	X(IKE_NOTIFY_NO_NATS_ALLOWED, 16402) /* RFC 4555 section 4.2.6 */ \
	X(IKE_NOTIFY_AUTH_LIFETIME, 16403) /* RFC 4478 */ \
	X(IKE_NOTIFY_MULTIPLE_AUTH_SUPPORTED, 16404) /* RFC 4739 */ \
	X(IKE_NOTIFY_ANOTHER_AUTH_FOLLOWS, 16405) /* RFC 4739 */ \
	X(IKE_NOTIFY_REDIRECT_SUPPORTED, 16406) /* RFC 5685 section 7.1 */ \
	X(IKE_NOTIFY_REDIRECT, 16407) /* RFC 5685 section 7.2 */ \
	X(IKE_NOTIFY_REDIRECTED_FROM, 16408) /* RFC 5685 section 7.3 */ \
	X(IKE_NOTIFY_TICKET_LT_OPAQUE, 16409) /* RFC 5723 section 7.2 */ \
	X(IKE_NOTIFY_TICKET_REQUEST, 16410) /* RFC 5723 section 7.3 */ \
	X(IKE_NOTIFY_TICKET_ACK, 16411) /* RFC 5723 section 7.4 */ \
	X(IKE_NOTIFY_TICKET_NACK, 16412) /* RFC 5723 section 7.5 */ \
	X(IKE_NOTIFY_TICKET_OPAQUE, 16413) /* RFC 5723 section 7.6 */ \
	X(IKE_NOTIFY_LINK_ID, 16414) /* RFC 5739 */ \
	X(IKE_NOTIFY_USE_WESP_MODE, 16415) /* RFC 5840 */ \
	X(IKE_NOTIFY_ROHC_SUPPORTED, 16416) /* RFC 5857 */ \
	X(IKE_NOTIFY_EAP_ONLY_AUTHENTICATION, 16417) /* RFC 5998 section 3 */ \
	X(IKE_NOTIFY_CHILDLESS_IKEV2_SUPPORTED, 16418) /* RFC 6023 */ \
	X(IKE_NOTIFY_QUICK_CRASH_DETECTION, 16419) /* RFC 6290 */ \
	X(IKE_NOTIFY_IKEV2_MESSAGE_ID_SYNC_SUPPORTED, 16420) /* RFC 6311 */ \
	X(IKE_NOTIFY_IPSEC_REPLAY_COUNTER_SYNC_SUPPORTED, 16421) /* RFC 6311 */ \
	X(IKE_NOTIFY_IKEV2_MESSAGE_ID_SYNC, 16422) /* RFC 6311 */ \
	X(IKE_NOTIFY_IPSEC_REPLAY_COUNTER_SYNC, 16423) /* RFC 6311 */ \
	X(IKE_NOTIFY_SECURE_PASSWORD_METHODS, 16424) /* RFC 6467 */ \
	X(IKE_NOTIFY_PSK_PERSIST, 16425) /* RFC 6631 */ \
	X(IKE_NOTIFY_PSK_CONFIRM, 16426) /* RFC 6631 */ \
	X(IKE_NOTIFY_ERX_SUPPORTED, 16427) /* RFC 6867 */ \
	X(IKE_NOTIFY_IFOM_CAPABILITY, 16428) /* 3GPP TS 24.303 */ \
	X(IKE_NOTIFY_GROUP_SENDER, 16429) /* RFC 9838 */ \
	X(IKE_NOTIFY_IKEV2_FRAGMENTATION_SUPPORTED, 16430) /* RFC 7383 section 2.3 */ \
	X(IKE_NOTIFY_SIGNATURE_HASH_ALGORITHMS, 16431) /* RFC 7427 section 4 */ \
	X(IKE_NOTIFY_CLONE_IKE_SA_SUPPORTED, 16432) /* RFC 7791 */ \
	X(IKE_NOTIFY_CLONE_IKE_SA, 16433) /* RFC 7791 */ \
	X(IKE_NOTIFY_PUZZLE, 16434) /* RFC 8019 */ \
	X(IKE_NOTIFY_USE_PPK, 16435) /* RFC 8784 */ \
	X(IKE_NOTIFY_PPK_IDENTITY, 16436) /* RFC 8784 */ \
	X(IKE_NOTIFY_NO_PPK_AUTH, 16437) /* RFC 8784 */ \
	X(IKE_NOTIFY_INTERMEDIATE_EXCHANGE_SUPPORTED, 16438) /* RFC 9242 section 3.1 */ \
	X(IKE_NOTIFY_IP4_ALLOWED, 16439) /* RFC 8983 */ \
	X(IKE_NOTIFY_IP6_ALLOWED, 16440) /* RFC 8983 */ \
	X(IKE_NOTIFY_ADDITIONAL_KEY_EXCHANGE, 16441) /* RFC 9370 section 2.2.4 */ \
	X(IKE_NOTIFY_USE_AGGFRAG, 16442) /* RFC 9347 section 5.1 */ \
	X(IKE_NOTIFY_SUPPORTED_AUTH_METHODS, 16443) /* RFC 9593 */ \
	X(IKE_NOTIFY_SA_RESOURCE_INFO, 16444) /* RFC 9611 */ \
	X(IKE_NOTIFY_USE_PPK_INT, 16445) /* RFC 9867 */ \
	X(IKE_NOTIFY_PPK_IDENTITY_KEY, 16446) /* RFC 9867 */

enum ike_notify_type {
	IKE_NOTIFIES(IKE_ENUMERATOR_)
	IKE_NOTIFY_STATUS_FIRST = 16384,	/* section 3.10.1: from here on no error */
};

/* Section 3.13.1, traffic selector types and wildcards. */
enum {
	IKE_TS_IPV4_ADDR_RANGE = 7,
	IKE_TS_IPV6_ADDR_RANGE = 8,
	IKE_TS_FC_ADDR_RANGE = 9,		/* RFC 4595 */
	IKE_TS_SECLABEL = 10,			/* RFC 9478 */
	IKE_TS_IPV4_LEN = 16,
	IKE_TS_IPV6_LEN = 40,
	IKE_TS_ANY_PROTOCOL = 0,
	IKE_TS_PORT_MAX = 65535,
};

/* Section 3.15. */
enum ike_cp_attribute {
	IKE_CP_INTERNAL_IP4_ADDRESS = 1,
	IKE_CP_INTERNAL_IP4_NETMASK = 2,
	IKE_CP_INTERNAL_IP4_DNS = 3,
	IKE_CP_INTERNAL_IP6_ADDRESS = 8,
	IKE_CP_INTERNAL_IP6_DNS = 10,
	IKE_CP_INTERNAL_IP4_SUBNET = 13,
	IKE_CP_INTERNAL_IP6_SUBNET = 15,
};
enum ike_cfg_type { IKE_CFG_REQUEST = 1, IKE_CFG_REPLY = 2, IKE_CFG_SET = 3, IKE_CFG_ACK = 4 };

/* RFC 3748 section 4. */
enum ike_eap_code {
	IKE_EAP_REQUEST = 1,
	IKE_EAP_RESPONSE = 2,
	IKE_EAP_SUCCESS = 3,
	IKE_EAP_FAILURE = 4,
};
/* RFC 3748 section 5. */
enum ike_eap_type {
	IKE_EAP_IDENTITY = 1,
	IKE_EAP_NOTIFICATION = 2,
	IKE_EAP_NAK = 3,
	IKE_EAP_TLS = 13,	/* RFC 5216 section 3.1 */
	IKE_EAP_MSCHAPV2 = 26,	/* draft-kamath-pppext-eap-mschapv2 section 2 */
	IKE_EAP_EXPANDED = 254,
	IKE_EAP_HEADER_LEN = 4,
};

/* Names for logs ("CREATE_CHILD_SA"); "unknown" for numbers that are not above. Never NULL. */
const char *ike_exchange_name(uint8_t exchange);
const char *ike_payload_name(uint8_t type);		/* "SA", "KE", "IDi", ... */
const char *ike_protocol_name(uint8_t protocol);
const char *ike_transform_type_name(uint8_t type);
const char *ike_transform_id_name(uint8_t type, uint16_t id);
const char *ike_notify_name(uint16_t type);
const char *ike_auth_method_name(uint8_t method);
const char *ike_id_type_name(uint8_t type);

#endif
