// SPDX-License-Identifier: MIT
/* What VICI's get-counters tells. */
#include <inttypes.h>
#include <string.h>

#include "counters.h"
#include "ikev2/wire/decode.h"

/* RFC 7383 section 2.5: the number of a fragment is behind the payload's header. */
static bool is_later_fragment(const struct ike_header *h, const uint8_t *message, size_t len)
{
	enum { NUMBER = IKE_HEADER_LEN + IKE_GENERIC_LEN };

	return h->next == IKE_PAYLOAD_SKF && len >= NUMBER + 2 &&
	       (message[NUMBER] << 8 | message[NUMBER + 1]) != 1;
}

void counters_message(struct counters *c, bool sent, const uint8_t *message, size_t len)
{
	struct ike_header h;
	enum counter first;

	if (!ike_header_decode(ike_bytes(message, len), &h, NULL) ||
	    is_later_fragment(&h, message, len))
		return;
	switch (h.exchange) {
	case IKE_EXCHANGE_SA_INIT:
		first = COUNTER_IKE_INIT;
		break;
	case IKE_EXCHANGE_AUTH:
		first = COUNTER_IKE_AUTH;
		break;
	case IKE_EXCHANGE_CREATE_CHILD_SA:
		first = COUNTER_CREATE_CHILD;
		break;
	case IKE_EXCHANGE_INFORMATIONAL:
		first = COUNTER_INFO;
		break;
	case IKE_EXCHANGE_INTERMEDIATE:
		first = COUNTER_INTERMEDIATE;
		break;
	case IKE_EXCHANGE_FOLLOWUP_KE:
		first = COUNTER_FOLLOWUP;
		break;
	default:
		return;
	}
	c->counts[first + 2 * sent + !!(h.flags & IKE_FLAG_RESPONSE)]++;
}

void counters_put(const struct counters *c, uint64_t refused, struct vici_builder *b)
{
	static const char *const names[] = {
#define X(name, text) [COUNTER_##name] = text,
		COUNTERS(X)
#undef X
	};
	size_t i;

	for (i = 0; i < COUNTER_COUNT; i++)
		vici_fmt(b, names[i], "%" PRIu64, c->counts[i]);
	vici_fmt(b, "invalid", "%" PRIu64, refused - c->refused_before);
}

void counters_reset(struct counters *c, uint64_t refused)
{
	*c = (struct counters){ .refused_before = refused };
}
