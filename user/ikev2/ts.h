/* SPDX-License-Identifier: MIT */
/*
 * Addresses and traffic selectors (RFC 7296 sections 2.9 and 3.13): swanctl's syntax, wire form,
 * narrowing.
 */
#ifndef ESPLANE_IKE_TS_H
#define ESPLANE_IKE_TS_H

#include <sys/socket.h>

#include "ikev2/text.h"
#include "ikev2/wire/encode.h"
#include "ikev2/wire/wire.h"

enum {
	IKE_ADDR_TEXT_MAX = 46 + 11, /* INET6_ADDRSTRLEN, and a scope */
	IKE_TS_TEXT_MAX = 128,
	IKE_TS_MAX = 64, /* selectors in one payload; more are refused */
};

struct ike_addr {
	uint8_t family;	   /* AF_INET, AF_INET6; 0: none */
	uint8_t bytes[16]; /* network order; the first 4 for AF_INET, the rest zero */
	/*
	 * Of an end outside that is link-local: the interface whose link is meant; else 0. Nothing
	 * on the wire has it, and comparing does not look at it.
	 */
	uint32_t scope;
};

/* Addresses first..last, ports likewise. */
struct ike_ts {
	struct ike_addr first, last; /* family 0 if dynamic and not resolved yet */
	uint8_t protocol;	     /* 0: any */
	uint16_t port_first,
		port_last; /* 0..65535: any; 65535..0: OPAQUE; ICMP: type << 8 | code */
	bool dynamic;	   /* stands for the end's outer address; see ike_ts_resolve() */
};

size_t ike_addr_len(const struct ike_addr *a);
struct ike_bytes ike_addr_bytes(const struct ike_addr *a);
/* False if @b is neither 4 nor 16 bytes long. */
IKE_MUST_CHECK bool ike_addr_from_bytes(struct ike_addr *a, struct ike_bytes b);
bool ike_addr_equal(const struct ike_addr *a, const struct ike_addr *b);
/* Orders by family, then by value. */
int ike_addr_compare(const struct ike_addr *a, const struct ike_addr *b);
/* RFC 4291 section 2.5.6. */
bool ike_addr_link_local(const struct ike_addr *a);
/* 0.0.0.0, :: or none. */
bool ike_addr_unspecified(const struct ike_addr *a);
/* Without scope. */
IKE_MUST_CHECK bool ike_addr_parse(const char *text, struct ike_addr *a, struct ike_error *err);
/* With the scope as a number: "fe80::1%2". */
char *ike_addr_text(const struct ike_addr *a, char *buf, size_t cap);

/*
 * One selector: "10.1.0.0/16", "10.0.0.1-10.0.0.9", "dynamic", each with "[proto/port]": name or
 * number, port name, number, range, "any" or "opaque"; either may be missing or "%any". Host bits
 * of a prefix must be 0.
 */
IKE_MUST_CHECK bool ike_ts_parse(const char *text, struct ike_ts *ts, struct ike_error *err);
/* Comma-separated; allocates *@list with malloc. */
IKE_MUST_CHECK bool ike_ts_list_parse(const char *text, struct ike_ts **list, size_t *n,
				      struct ike_error *err);
char *ike_ts_text(const struct ike_ts *ts, char *buf, size_t cap);
/* "10.1.0.0/16 10.3.0.0/16[tcp/22]"; "(none)" if empty. */
char *ike_ts_list_text(const struct ike_ts *list, size_t n, char *buf, size_t cap);

/* A single address, any protocol and port. */
struct ike_ts ike_ts_of_addr(const struct ike_addr *a);
/*
 * Gives dynamic entries the address @a (the flag stays, so that it can be done again for another
 * address).
 */
void ike_ts_resolve(struct ike_ts *list, size_t n, const struct ike_addr *a);
bool ike_ts_equal(const struct ike_ts *a, const struct ike_ts *b);
/* Every packet of @inner is one of @outer. */
bool ike_ts_contains(const struct ike_ts *outer, const struct ike_ts *inner);
bool ike_ts_holds_addr(const struct ike_ts *ts, const struct ike_addr *a);
/* False if there is nothing in both. */
bool ike_ts_intersect(const struct ike_ts *a, const struct ike_ts *b, struct ike_ts *out);

/*
 * Responder: what of @offer the configured @ours allows (section 2.9), at most @cap, without
 * entries that lie within another. What lies in the offer's first selector (the packet that asked
 * for the SA) comes first. Returns how many; 0 is TS_UNACCEPTABLE. Both lists must be resolved.
 */
size_t ike_ts_narrow(const struct ike_ts *ours, size_t n_ours, const struct ike_ts *offer,
		     size_t n_offer, struct ike_ts *out, size_t cap);
/* Initiator: every selector of @answer lies within one of @offer, and there is one at least. */
bool ike_ts_subset(const struct ike_ts *offer, size_t n_offer, const struct ike_ts *answer,
		   size_t n_answer);

/* Body of a TSi or TSr payload, IP selectors only (others are skipped); refuses more than @cap. */
IKE_MUST_CHECK bool ike_ts_decode(struct ike_bytes body, struct ike_ts *list, size_t cap, size_t *n,
				  struct ike_error *err);
/* A TSi or TSr payload. */
void ike_put_ts_list(struct ike_writer *w, uint8_t payload_type, const struct ike_ts *list,
		     size_t n);

#endif
