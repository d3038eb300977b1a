// SPDX-License-Identifier: MIT
/* Several rounds of authentication: what both roles need to know of them. */
#include "ikev2/rounds.h"

void ike_round_local_id(const struct ike_auth_cfg *cfg, const struct ike_addr *local,
			struct ike_id *id)
{
	if (cfg->id.type == IKE_ID_ANY && cfg->certs.n)
		*id = cfg->certs.list[0]->subject;
	else if (cfg->id.type == IKE_ID_ANY)
		ike_id_from_addr(id, local);
	else
		*id = cfg->id;
}

void ike_put_another(struct ike_writer *w, const struct ike_sa *sa, unsigned int after)
{
	if (sa->own_round + after < 1 + sa->conn->local_more.n)
		ike_put_notify(w, IKE_NOTIFY_ANOTHER_AUTH_FOLLOWS, ike_bytes(NULL, 0));
}

bool ike_round_over(struct ike_sa *sa, const struct ike_payloads *all, struct ike_error *err)
{
	bool follows = ike_find_notify(all, IKE_NOTIFY_ANOTHER_AUTH_FOLLOWS, NULL);
	unsigned int rounds = 1 + sa->conn->remote_more.n;
	char text[IKE_ID_TEXT_MAX];

	ike_id_text(&sa->remote_id, text, sizeof(text));
	sa->peer_round++;
	if (follows && !ike_peer_auth(sa))
		return ike_fail_notify(err, IKE_NOTIFY_AUTHENTICATION_FAILED,
				       "peer %.100s announces another round of authentication "
				       "behind the %u that remote has", text, rounds);
	if (!follows && ike_peer_auth(sa))
		return ike_fail_notify(err, IKE_NOTIFY_AUTHENTICATION_FAILED,
				       "peer %.100s ends with round %u of authentication, remote "
				       "has %u", text, sa->peer_round, rounds);
	if (follows && !sa->peer_rounds)
		return ike_fail_notify(err, IKE_NOTIFY_AUTHENTICATION_FAILED,
				       "peer %.100s announces another round of authentication "
				       "without MULTIPLE_AUTH_SUPPORTED", text);
	return true;
}

bool ike_round_premature(const struct ike_payloads *all)
{
	static const uint8_t types[] = {IKE_PAYLOAD_SA, IKE_PAYLOAD_TSI, IKE_PAYLOAD_TSR,
					IKE_PAYLOAD_CP};

	for (size_t i = 0; i < sizeof(types); i++)
		if (ike_payloads_find(all, types[i]))
			return true;
	return false;
}

bool ike_refuses_child_only(uint16_t notify)
{
	switch (notify) {
	case IKE_NOTIFY_NO_PROPOSAL_CHOSEN:
	case IKE_NOTIFY_SINGLE_PAIR_REQUIRED:
	case IKE_NOTIFY_NO_ADDITIONAL_SAS:
	case IKE_NOTIFY_INTERNAL_ADDRESS_FAILURE:
	case IKE_NOTIFY_FAILED_CP_REQUIRED:
	case IKE_NOTIFY_TS_UNACCEPTABLE:
	case IKE_NOTIFY_INVALID_SELECTORS:
		return true;
	default:
		return false;
	}
}
