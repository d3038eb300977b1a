// SPDX-License-Identifier: MIT
/* Stateless cookies (RFC 7296 section 2.6). */
#include <string.h>

#include "ikev2/cookie.h"
#include "ikev2/crypto/prf.h"

static void renew(struct ike_cookie_jar *jar, const struct ike_random *r, uint64_t now)
{
	jar->version++;
	jar->changed = now;
	ike_random_fill(r, jar->secret[jar->version & 1], IKE_COOKIE_SECRET_LEN);
}

static void renew_in_time(struct ike_cookie_jar *jar, const struct ike_random *r, uint64_t now)
{
	uint64_t age = now - jar->changed;

	if (age < IKE_COOKIE_PERIOD)
		return;
	/* After two periods without a request the secret before is too old as well. */
	jar->old = age < 2 * (uint64_t)IKE_COOKIE_PERIOD;
	renew(jar, r, now);
}

void ike_cookie_init(struct ike_cookie_jar *jar, const struct ike_random *r, uint64_t now)
{
	memset(jar, 0, sizeof(*jar));
	renew(jar, r, now);
}

void ike_cookie_clear(struct ike_cookie_jar *jar)
{
	ike_wipe(jar, sizeof(*jar));
}

static bool compute(const struct ike_cookie_jar *jar, uint8_t version, struct ike_bytes ni,
		    const struct ike_addr *from, uint64_t spi_i, uint8_t cookie[IKE_COOKIE_LEN])
{
	struct ike_key IKE_CLEARED_KEY mac = {0};
	uint8_t spi[IKE_SPI_LEN];
	struct ike_writer w;

	ike_writer_init(&w, spi, sizeof(spi));
	ike_put64(&w, spi_i);
	if (!ike_prf(ike_prf_find(IKE_PRF_HMAC_SHA2_256),
		     ike_bytes(jar->secret[version & 1], IKE_COOKIE_SECRET_LEN),
		     (struct ike_bytes[]){ni, ike_addr_bytes(from), ike_written(&w)}, 3, &mac,
		     NULL))
		return false;
	cookie[0] = version;
	memcpy(cookie + 1, mac.bytes, IKE_COOKIE_HASH_LEN);
	return true;
}

bool ike_cookie_make(struct ike_cookie_jar *jar, const struct ike_random *r, uint64_t now,
		     struct ike_bytes ni, const struct ike_addr *from, uint64_t spi_i,
		     uint8_t cookie[IKE_COOKIE_LEN])
{
	renew_in_time(jar, r, now);
	return compute(jar, jar->version, ni, from, spi_i, cookie);
}

bool ike_cookie_check(struct ike_cookie_jar *jar, const struct ike_random *r, uint64_t now,
		      struct ike_bytes ni, const struct ike_addr *from, uint64_t spi_i,
		      struct ike_bytes cookie)
{
	uint8_t wanted[IKE_COOKIE_LEN], version;

	renew_in_time(jar, r, now);
	if (cookie.len != IKE_COOKIE_LEN)
		return false;
	version = cookie.p[0];
	if (version != jar->version && !(jar->old && version == (uint8_t)(jar->version - 1)))
		return false;
	return compute(jar, version, ni, from, spi_i, wanted) &&
	       ike_secret_equal(cookie, ike_bytes(wanted, sizeof(wanted)));
}
