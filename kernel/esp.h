/* SPDX-License-Identifier: GPL-2.0 */
/* ESP on the wire (RFC 4303 section 2), alone and in UDP (RFC 3948). */
#ifndef _ESPLANE_ESP_H
#define _ESPLANE_ESP_H

#include <linux/types.h>

/* RFC 4303 section 2: what precedes the IV and the encrypted payload. */
struct esplane_esp_header {
	__be32 spi;
	__be32 seq;	/* low half of an extended number (section 2.2.1) */
} __packed;

/* RFC 4303 sections 2.5 and 2.6: the last bytes of the decrypted payload, after the padding. */
struct esplane_esp_trailer {
	u8 pad_len;
	u8 next_header;
} __packed;

enum {
	ESPLANE_ESP_ALIGN = 4,		/* RFC 4303 section 2.4: where the trailer ends */
	ESPLANE_ESP_MIN_SPI = 256,	/* RFC 4303 section 2.1: 0 to 255 are reserved */
};

/*
 * What authentication covers ahead of the IV with extended sequence numbers (RFC 4106 section 5).
 */
struct esplane_esn_aad {
	__be32 spi;
	__be32 seq_high;
} __packed;

/* RFC 3948 sections 2.2 and 2.3: what else arrives on a port that carries ESP. */
enum {
	ESPLANE_NON_ESP_MARKER_LEN = 4,	/* all zero, in the place of an SPI: IKE follows */
	ESPLANE_KEEPALIVE_LEN = 1,
	ESPLANE_KEEPALIVE_BYTE = 0xff,
};

/* Bounds over all transforms of transform.c. */
enum {
	ESPLANE_MAX_IV_LEN = 16,
	ESPLANE_MAX_ICV_LEN = 32,
};

#endif
