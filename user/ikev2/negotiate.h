/* SPDX-License-Identifier: MIT */
/* What both ends must agree on for a CHILD_SA: selectors and a suite, offered, chosen, checked. */
#ifndef ESPLANE_IKE_NEGOTIATE_H
#define ESPLANE_IKE_NEGOTIATE_H

#include "ikev2/child.h"

/*
 * The payloads SA, TSi and TSr of an offer of ours, and USE_TRANSPORT_MODE if that is wanted.
 * @like: the CHILD_SA to be rekeyed, or NULL.
 */
void ike_put_child_mode(struct ike_writer *w, const struct ike_sa *sa, struct ike_task *t,
			const struct ike_child *like);
void ike_put_child_sa(struct ike_writer *w, const struct ike_child_cfg *cfg, uint32_t spi,
		      bool without_ke);
void ike_put_child_ts(struct ike_writer *w, const struct ike_sa *sa, const struct ike_task *t,
		      const struct ike_child *like);
/* Those of an answer. */
void ike_put_choice_mode(struct ike_writer *w, const struct ike_choice *c);
void ike_put_choice_sa(struct ike_writer *w, const struct ike_choice *c, uint32_t spi);
void ike_put_choice_ts(struct ike_writer *w, const struct ike_choice *c);

/*
 * Responder: chooses child, selectors and suite. @old: the CHILD_SA to be rekeyed, or NULL.
 * @in_auth: no key exchange. What is refused is logged.
 */
IKE_MUST_CHECK bool ike_child_choose(struct ike_sa *sa, const struct ike_payloads *all,
				     const struct ike_child *old, bool in_auth,
				     struct ike_choice *choice, struct ike_error *err);
/* Initiator: checks the answer to the offer of @t. */
IKE_MUST_CHECK bool ike_child_check(struct ike_sa *sa, const struct ike_payloads *all,
				    const struct ike_task *t, const struct ike_child *old,
				    bool in_auth,
				    struct ike_choice *choice, struct ike_error *err);
/*
 * Initiator: the peer answers with an error where the CHILD_SA should be. Logs it, beside what we
 * wanted where that is the matter; returns the line's beginning in @why.
 */
const char *ike_child_refused(struct ike_sa *sa, const struct ike_child_cfg *cfg,
			      const struct ike_payloads *all, char *why, size_t cap);
/*
 * The KE payload of a request must be of @wanted (0: none is needed). INVALID_KE_PAYLOAD else, with
 * the group in *answer in network order.
 */
IKE_MUST_CHECK bool ike_ke_check(const struct ike_payloads *all, uint16_t wanted,
				 struct ike_bytes *peer, uint8_t answer[2], struct ike_error *err);
/*
 * The group that INVALID_KE_PAYLOAD asks for, if it is one of @list and another than @sent; 0 else.
 */
uint16_t ike_ke_retry(const struct ike_wire_notify *n, const struct ike_proposal_list *list,
		      uint16_t sent);

#endif
