// SPDX-License-Identifier: MIT
/* The system's randomness, for hosts that want no other. */
#include "ikev2/crypto/random.h"

#include <stdlib.h>

#include <openssl/rand.h>

void ike_random_system(void *unused, uint8_t *buf, size_t len)
{
	/* Keys from a generator that failed would be worse than no daemon. */
	if (RAND_priv_bytes_ex(NULL, buf, len, 0) != 1)
		abort();
}
