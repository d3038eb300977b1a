/* SPDX-License-Identifier: MIT */
/* A datagram's way to its exchange. */
#ifndef ESPLANE_IKE_DISPATCH_H
#define ESPLANE_IKE_DISPATCH_H

#include "ikev2/ike_sa.h"

void ike_dispatch(struct ike_engine *e, const struct ike_endpoint *local,
		  const struct ike_endpoint *remote, struct ike_bytes message);

#endif
