// SPDX-License-Identifier: MIT
/*
 * The wire form of messages: hand-written bytes against what the encoder makes and the decoder
 * says; every truncation; the text of every refusal.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ikev2/wire/encode.h"
#include "tests/vectors.h"

/* An IKE_SA_INIT request, written down from RFC 7296 section 3, field by field. */
static const char sa_init[] = "1122334455667788 0000000000000000 21 20 22 08 00000000 000000c0"
			      /* SA: two proposals */
			      "22 00 005c"
			      "02 00 0024 01 01 00 03"
			      "03 00 000c 01 00 0014 800e 0100" /* AES_GCM_16, 256 bits */
			      "03 00 0008 02 00 0006"		/* HMAC_SHA2_384 */
			      "00 00 0008 04 00 0014"		/* ECP_384 */
			      "00 00 0034 02 01 00 05"
			      "03 00 000c 01 00 000c 800e 0080" /* AES_CBC, 128 bits */
			      "03 00 0008 02 00 0005"		/* HMAC_SHA2_256 */
			      "03 00 0008 03 00 000c"		/* HMAC_SHA2_256_128 */
			      "03 00 0008 04 00 001f"		/* CURVE25519 */
			      "00 00 0008 04 00 0013"		/* ECP_256 */
			      /* KE: group 31, 8 bytes of it */
			      "28 00 0010 001f 0000 0102030405060708"
			      /* Nonce of 16 bytes */
			      "29 00 0014 a0a1a2a3a4a5a6a7a8a9aaabacadaeaf"
			      /* N(NAT_DETECTION_SOURCE_IP) with 20 bytes */
			      "29 00 001c 00 00 4004 c0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3"
			      /* N(IKEV2_FRAGMENTATION_SUPPORTED) */
			      "00 00 0008 00 00 402e"
			      /*
			       * 28 + 92 + 16 + 20 + 28 + 8 = 192 bytes; a V behind them for the
			       * 				 test that patches it in
			       */
			      "00 00 0010 56454e444f522d4944000000";

/* What is inside of an IKE_AUTH request, and a CREATE_CHILD_SA's notify and delete. */
static const char auth_inner[] =
	/* IDi: FQDN "a.b" */
	"24 00 000b 02 000000 612e62"
	/* IDr: IPv4 */
	"27 00 000c 01 000000 c0000201"
	/* AUTH: PSK, 4 bytes */
	"21 00 000c 02 000000 deadbeef"
	/* SA: ESP, SPI c1c2c3c4, AES_GCM_16 128, no ESN */
	"2c 00 0024 00 00 0020 01 03 04 02 c1c2c3c4"
	"03 00 000c 01 00 0014 800e 0080"
	"00 00 0008 05 00 0000"
	/* TSi: 10.1.0.0-10.1.255.255, and fd00::1-fd00::1 TCP port 22 */
	"2d 00 0040 02 000000"
	"07 00 0010 0000 ffff 0a010000 0a01ffff"
	"08 06 0028 0016 0016 fd000000000000000000000000000001 fd000000000000000000000000000001"
	/* TSr: 10.2.0.0-10.2.255.255 */
	"29 00 0018 01 000000 07 00 0010 0000 ffff 0a020000 0a02ffff"
	/* N(REKEY_SA), ESP, SPI 01020304 */
	"2a 00 000c 03 04 4009 01020304"
	/* D: ESP, two SPIs */
	"2a 00 0010 03 04 0002 0a0b0c0d 0e0f1011"
	/* D: IKE */
	"00 00 0008 01 00 0000";

enum {
	AUTH_INNER = 11 + 12 + 12 + 36 + 64 + 24 + 12 + 16 + 8
};

static void release(struct ike_bytes b)
{
	free((void *)b.p);
}

static void put_sa_init(struct ike_writer *w)
{
	struct ike_header h = {.spi_i = 0x1122334455667788,
			       .exchange = IKE_EXCHANGE_SA_INIT,
			       .flags = IKE_FLAG_INITIATOR};
	struct ike_bytes ke = hex("0102030405060708"), none = {0};
	struct ike_bytes nonce = hex("a0a1a2a3a4a5a6a7a8a9aaabacadaeaf");
	struct ike_bytes hash = hex("c0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3");
	struct ike_sa_writer sa;

	ike_message_begin(w, &h);
	ike_sa_begin(w, &sa);
	ike_proposal_begin(w, &sa, 1, IKE_PROTO_IKE, none);
	ike_put_transform(w, &sa, IKE_TRANSFORM_ENCR, IKE_ENCR_AES_GCM_16, 256);
	ike_put_transform(w, &sa, IKE_TRANSFORM_PRF, IKE_PRF_HMAC_SHA2_384, 0);
	ike_put_transform(w, &sa, IKE_TRANSFORM_KE, IKE_KE_ECP_384, 0);
	ike_proposal_end(w, &sa);
	ike_proposal_begin(w, &sa, 2, IKE_PROTO_IKE, none);
	ike_put_transform(w, &sa, IKE_TRANSFORM_ENCR, IKE_ENCR_AES_CBC, 128);
	ike_put_transform(w, &sa, IKE_TRANSFORM_PRF, IKE_PRF_HMAC_SHA2_256, 0);
	ike_put_transform(w, &sa, IKE_TRANSFORM_INTEG, IKE_INTEG_HMAC_SHA2_256_128, 0);
	ike_put_transform(w, &sa, IKE_TRANSFORM_KE, IKE_KE_CURVE25519, 0);
	ike_put_transform(w, &sa, IKE_TRANSFORM_KE, IKE_KE_ECP_256, 0);
	ike_proposal_end(w, &sa);
	ike_sa_end(w, &sa);
	ike_put_ke(w, IKE_KE_CURVE25519, ke);
	ike_put_nonce(w, nonce);
	ike_put_notify(w, IKE_NOTIFY_NAT_DETECTION_SOURCE_IP, hash);
	ike_put_notify(w, IKE_NOTIFY_IKEV2_FRAGMENTATION_SUPPORTED, none);
	release(ke);
	release(nonce);
	release(hash);
}

static void put_auth_inner(struct ike_writer *w)
{
	static const uint8_t v6[16] = {0xfd, [15] = 1};
	static const uint32_t spis[] = {0x0a0b0c0d, 0x0e0f1011};
	struct ike_sa_writer sa;
	struct ike_ts_writer ts;

	ike_put_id(w, IKE_PAYLOAD_IDI, IKE_ID_FQDN, ike_bytes("a.b", 3));
	ike_put_id(w, IKE_PAYLOAD_IDR, IKE_ID_IPV4_ADDR, ike_bytes("\xc0\x00\x02\x01", 4));
	ike_put_auth(w, IKE_AUTH_METHOD_PSK, ike_bytes("\xde\xad\xbe\xef", 4));
	ike_sa_begin(w, &sa);
	ike_proposal_begin(w, &sa, 1, IKE_PROTO_ESP, ike_bytes("\xc1\xc2\xc3\xc4", 4));
	ike_put_transform(w, &sa, IKE_TRANSFORM_ENCR, IKE_ENCR_AES_GCM_16, 128);
	ike_put_transform(w, &sa, IKE_TRANSFORM_ESN, IKE_ESN_NO, 0);
	ike_proposal_end(w, &sa);
	ike_sa_end(w, &sa);
	ike_ts_begin(w, &ts, IKE_PAYLOAD_TSI);
	ike_put_ts(w, &ts, 0, 0, 65535, ike_bytes("\x0a\x01\0\0", 4),
		   ike_bytes("\x0a\x01\xff\xff", 4));
	ike_put_ts(w, &ts, 6, 22, 22, ike_bytes(v6, 16), ike_bytes(v6, 16));
	ike_ts_end(w, &ts);
	ike_ts_begin(w, &ts, IKE_PAYLOAD_TSR);
	ike_put_ts(w, &ts, 0, 0, 65535, ike_bytes("\x0a\x02\0\0", 4),
		   ike_bytes("\x0a\x02\xff\xff", 4));
	ike_ts_end(w, &ts);
	ike_put_notify_spi32(w, IKE_NOTIFY_REKEY_SA, IKE_PROTO_ESP, 0x01020304);
	ike_put_delete_esp(w, spis, 2);
	ike_put_delete_ike(w);
}

static void test_encode_sa_init(void **state)
{
	struct ike_bytes want = hex(sa_init);
	uint8_t buf[512];
	struct ike_writer w;

	ike_writer_init(&w, buf, sizeof(buf));
	put_sa_init(&w);
	want.len -= 16; /* the vendor ID */
	assert_true(ike_message_end(&w));
	assert_bytes(ike_written(&w), want);
	release(want);
}

static void test_encode_auth(void **state)
{
	struct ike_bytes want = hex(auth_inner);
	struct ike_header h = {.exchange = IKE_EXCHANGE_AUTH};
	uint8_t buf[512];
	struct ike_writer w;

	ike_writer_init(&w, buf, sizeof(buf));
	ike_message_begin(&w, &h);
	put_auth_inner(&w);
	assert_true(ike_message_end(&w));
	assert_int_equal(buf[16], IKE_PAYLOAD_IDI);
	assert_bytes(ike_bytes(buf + IKE_HEADER_LEN, w.len - IKE_HEADER_LEN), want);
	release(want);
}

/* With less room than is needed nothing is written behind it, and the end says so. */
static void test_encode_every_capacity(void **state)
{
	struct ike_bytes whole = hex(sa_init);

	for (size_t cap = 0; cap <= whole.len - 16; cap++) {
		uint8_t *buf = malloc(cap);
		struct ike_writer w;

		ike_writer_init(&w, buf, cap);
		put_sa_init(&w);
		assert_int_equal(ike_message_end(&w), cap == whole.len - 16);
		free(buf);
	}
	for (size_t cap = 0; cap < 340; cap++) {
		struct ike_header h = {0};
		uint8_t *buf = malloc(cap);
		struct ike_writer w;

		ike_writer_init(&w, buf, cap);
		ike_message_begin(&w, &h);
		put_auth_inner(&w);
		assert_int_equal(ike_message_end(&w), cap >= IKE_HEADER_LEN + AUTH_INNER);
		free(buf);
	}
	release(whole);
}

/* Lengths of 16 bits, counts of 8: what does not fit is an overflow, not a wrong message. */
static void test_encode_limits(void **state)
{
	static uint8_t buf[200000], data[70000];
	struct ike_header h = {0};
	struct ike_sa_writer sa;
	struct ike_writer w;

	ike_writer_init(&w, buf, sizeof(buf));
	ike_message_begin(&w, &h);
	ike_put_vendor(&w, ike_bytes(data, 65531));
	assert_true(ike_message_end(&w));
	ike_writer_init(&w, buf, sizeof(buf));
	ike_message_begin(&w, &h);
	ike_put_vendor(&w, ike_bytes(data, 65532));
	assert_false(ike_message_end(&w));
	ike_writer_init(&w, buf, sizeof(buf));
	ike_message_begin(&w, &h);
	ike_sa_begin(&w, &sa);
	ike_proposal_begin(&w, &sa, 1, IKE_PROTO_IKE, ike_bytes(NULL, 0));
	for (unsigned int i = 0; i < 255; i++)
		ike_put_transform(&w, &sa, 1, i, 0);
	assert_false(w.overflow);
	ike_put_transform(&w, &sa, 1, 255, 0);
	assert_true(w.overflow);
}

static void test_header(void **state)
{
	struct ike_bytes m = hex("0102030405060708 1112131415161718 21 31 25 28 00010203 0000001c");
	struct ike_header h;
	struct ike_error err;

	assert_true(ike_header_decode(m, &h, &err));
	assert_true(h.spi_i == 0x0102030405060708 && h.spi_r == 0x1112131415161718);
	assert_int_equal(h.next, IKE_PAYLOAD_SA);
	assert_int_equal(h.major, 3); /* for the caller to answer */
	assert_int_equal(h.minor, 1);
	assert_int_equal(h.exchange, IKE_EXCHANGE_INFORMATIONAL);
	assert_int_equal(h.flags, IKE_FLAG_RESPONSE | IKE_FLAG_INITIATOR);
	assert_int_equal(h.message_id, 0x00010203);
	for (size_t len = 0; len < m.len; len++) {
		uint8_t *cut = exact(m.p, len);
		char text[80];

		snprintf(text, sizeof(text), "header: %zu bytes where 28 are needed", len);
		assert_false(ike_header_decode(ike_bytes(cut, len), &h, &err));
		assert_string_equal(err.text, text);
		assert_int_equal(err.notify, IKE_NOTIFY_INVALID_SYNTAX);
		free(cut);
	}
	release(m);
	m = hex("0102030405060708 1112131415161718 21 20 25 28 00010203 0000001b");
	assert_false(ike_header_decode(m, &h, &err));
	assert_string_equal(err.text, "header: length 27 in a datagram of 28 bytes");
	release(m);
}

static struct ike_bytes after_header(struct ike_bytes m)
{
	return ike_bytes(m.p + IKE_HEADER_LEN, m.len - IKE_HEADER_LEN);
}

/* Reads the attributes: one Key Length at most. */
static unsigned int key_bits(const struct ike_wire_transform *t)
{
	struct ike_attribute_iter it;
	struct ike_wire_attribute a;
	unsigned int bits = 0;
	struct ike_error err;
	enum ike_item item;

	ike_attribute_iter_init(&it, t);
	while ((item = ike_attribute_next(&it, &a, &err)) == IKE_ITEM_ONE) {
		assert_int_equal(a.type, IKE_ATTRIBUTE_KEY_LENGTH);
		assert_true(a.tv);
		bits = a.value;
	}
	assert_int_equal(item, IKE_ITEM_END);
	return bits;
}

static void assert_proposal(const struct ike_wire_proposal *p, const unsigned int (*want)[3])
{
	struct ike_transform_iter it;
	struct ike_wire_transform t;
	struct ike_error err;

	ike_transform_iter_init(&it, p);
	for (unsigned int i = 0; i < p->n_transforms; i++) {
		assert_int_equal(ike_transform_next(&it, &t, &err), IKE_ITEM_ONE);
		assert_int_equal(t.type, want[i][0]);
		assert_int_equal(t.id, want[i][1]);
		assert_int_equal(key_bits(&t), want[i][2]);
	}
	assert_int_equal(ike_transform_next(&it, &t, &err), IKE_ITEM_END);
}

static void assert_sa_init_sa(const struct ike_payload *p)
{
	static const unsigned int one[][3] = {{1, 20, 256}, {2, 6, 0}, {4, 20, 0}};
	static const unsigned int two[][3] = {
		{1, 12, 128}, {2, 5, 0}, {3, 12, 0}, {4, 31, 0}, {4, 19, 0},
	};
	struct ike_wire_proposal w;
	struct ike_sa_iter it;
	struct ike_error err;

	ike_sa_iter_init(&it, p->body);
	assert_int_equal(ike_sa_next(&it, &w, &err), IKE_ITEM_ONE);
	assert_int_equal(w.number, 1);
	assert_int_equal(w.protocol, IKE_PROTO_IKE);
	assert_int_equal(w.spi.len, 0);
	assert_int_equal(w.n_transforms, 3);
	assert_proposal(&w, one);
	assert_int_equal(ike_sa_next(&it, &w, &err), IKE_ITEM_ONE);
	assert_int_equal(w.number, 2);
	assert_int_equal(w.n_transforms, 5);
	assert_proposal(&w, two);
	assert_int_equal(ike_sa_next(&it, &w, &err), IKE_ITEM_END);
	assert_int_equal(ike_sa_next(&it, &w, &err), IKE_ITEM_END);
}

static void test_decode_sa_init(void **state)
{
	struct ike_bytes m = hex(sa_init), nonce;
	const struct ike_payload *p;
	struct ike_payloads all;
	struct ike_wire_notify n;
	struct ike_wire_ke ke;
	struct ike_header h;

	((uint8_t *)m.p)[27] = 0xd0; /* with the vendor ID: 16 bytes more, and its type */
	((uint8_t *)m.p)[m.len - 24] = IKE_PAYLOAD_VENDOR;
	assert_true(ike_header_decode(m, &h, NULL));
	assert_true(ike_payloads_decode(&all, h.next, after_header(m), NULL));
	assert_int_equal(all.n, 6);
	assert_sa_init_sa(&all.items[0]);
	p = ike_payloads_find(&all, IKE_PAYLOAD_KE);
	assert_true(ike_ke_decode(p->body, &ke, NULL));
	assert_int_equal(ke.group, 31);
	assert_bytes(ke.data, ike_bytes("\1\2\3\4\5\6\7\10", 8));
	p = ike_payloads_find(&all, IKE_PAYLOAD_NONCE);
	assert_true(ike_nonce_decode(p->body, &nonce, NULL));
	assert_int_equal(nonce.len, 16);
	assert_int_equal(ike_payloads_count(&all, IKE_PAYLOAD_NOTIFY), 2);
	p = ike_payloads_find(&all, IKE_PAYLOAD_NOTIFY);
	assert_true(ike_notify_decode(p->body, &n, NULL));
	assert_int_equal(n.type, IKE_NOTIFY_NAT_DETECTION_SOURCE_IP);
	assert_int_equal(n.data.len, 20);
	p = ike_payloads_find_next(&all, IKE_PAYLOAD_NOTIFY, p);
	assert_true(ike_notify_decode(p->body, &n, NULL));
	assert_int_equal(n.type, IKE_NOTIFY_IKEV2_FRAGMENTATION_SUPPORTED);
	assert_null(ike_payloads_find_next(&all, IKE_PAYLOAD_NOTIFY, p));
	assert_null(ike_payloads_find(&all, IKE_PAYLOAD_SK));
	assert_bytes(ike_payloads_find(&all, IKE_PAYLOAD_VENDOR)->body,
		     ike_bytes("VENDOR-ID\0\0\0", 12));
	release(m);
}

static void assert_selectors(struct ike_bytes body)
{
	struct ike_wire_ts ts;
	struct ike_ts_iter it;

	assert_true(ike_ts_iter_init(&it, body, NULL));
	assert_int_equal(ike_ts_next(&it, &ts, NULL), IKE_ITEM_ONE);
	assert_int_equal(ts.type, IKE_TS_IPV4_ADDR_RANGE);
	assert_int_equal(ts.protocol, 0);
	assert_int_equal(ts.port_first, 0);
	assert_int_equal(ts.port_last, 65535);
	assert_bytes(ts.first, ike_bytes("\x0a\x01\0\0", 4));
	assert_bytes(ts.last, ike_bytes("\x0a\x01\xff\xff", 4));
	assert_int_equal(ike_ts_next(&it, &ts, NULL), IKE_ITEM_ONE);
	assert_int_equal(ts.type, IKE_TS_IPV6_ADDR_RANGE);
	assert_int_equal(ts.protocol, 6);
	assert_int_equal(ts.port_first, 22);
	assert_int_equal(ts.first.len, 16);
	assert_int_equal(ike_ts_next(&it, &ts, NULL), IKE_ITEM_END);
}

static void test_decode_auth(void **state)
{
	struct ike_bytes m = hex(auth_inner);
	const struct ike_payload *p;
	struct ike_wire_delete d;
	struct ike_wire_notify n;
	struct ike_payloads all;
	struct ike_wire_auth a;
	struct ike_wire_id id;

	assert_true(ike_payloads_decode(&all, IKE_PAYLOAD_IDI, m, NULL));
	assert_int_equal(all.n, 9);
	assert_true(ike_id_decode(all.items[0].body, &id, NULL));
	assert_int_equal(id.type, IKE_ID_FQDN);
	assert_bytes(id.data, ike_bytes("a.b", 3));
	assert_bytes(id.body, ike_bytes("\2\0\0\0a.b", 7)); /* RestOfInitIDPayload */
	assert_true(ike_auth_decode(all.items[2].body, &a, NULL));
	assert_int_equal(a.method, IKE_AUTH_METHOD_PSK);
	assert_int_equal(a.data.len, 4);
	assert_selectors(all.items[4].body);
	assert_true(ike_notify_decode(all.items[6].body, &n, NULL));
	assert_int_equal(ike_notify_spi32(&n), 0x01020304);
	p = ike_payloads_find(&all, IKE_PAYLOAD_DELETE);
	assert_true(ike_delete_decode(p->body, &d, NULL));
	assert_int_equal(d.count, 2);
	assert_int_equal(ike_delete_spi32(&d, 0), 0x0a0b0c0d);
	assert_int_equal(ike_delete_spi32(&d, 1), 0x0e0f1011);
	assert_int_equal(ike_delete_spi32(&d, 2), 0);
	p = ike_payloads_find_next(&all, IKE_PAYLOAD_DELETE, p);
	assert_true(ike_delete_decode(p->body, &d, NULL));
	assert_int_equal(d.protocol, IKE_PROTO_IKE);
	assert_int_equal(ike_delete_spi32(&d, 0), 0);
	release(m);
}

/* Cut anywhere: refused, with a text, and no byte behind the cut is read (the sanitizer's part). */
static void every_truncation(const char *text, size_t from, uint8_t first)
{
	struct ike_bytes m = hex(text);

	for (size_t len = from; len < m.len; len++) {
		uint8_t *cut = exact(m.p + from, len - from);
		struct ike_error err = {0};
		struct ike_payloads all;

		assert_false(ike_payloads_decode(&all, first, ike_bytes(cut, len - from), &err));
		assert_non_null(strstr(err.text, "payload: "));
		assert_int_equal(err.notify, IKE_NOTIFY_INVALID_SYNTAX);
		free(cut);
	}
	release(m);
}

static void test_truncated_chains(void **state)
{
	every_truncation(auth_inner, 0, IKE_PAYLOAD_IDI);
}

/* A payload's body cut, its own length made to fit: what has structure is refused or shorter. */
static void test_truncated_bodies(void **state)
{
	struct ike_bytes m = hex(auth_inner);
	struct ike_payload_iter it;
	struct ike_payload p;
	unsigned int refused = 0;

	ike_payload_iter_init(&it, IKE_PAYLOAD_IDI, m);
	while (ike_payload_next(&it, &p, NULL) == IKE_ITEM_ONE) {
		size_t whole = p.body.len;

		for (size_t len = 0; len < whole; len++) {
			struct ike_payload cut = p;
			struct ike_error err = {0};

			cut.body = ike_bytes(exact(p.body.p, len), len);
			if (!ike_payload_check(&cut, &err)) {
				assert_string_not_equal(err.text, "");
				assert_int_equal(err.payload, p.type);
				refused++;
			} else {
				/* Only what ends in data of any length may be shorter. */
				assert_true(p.type == IKE_PAYLOAD_IDI ||
					    p.type == IKE_PAYLOAD_IDR ||
					    p.type == IKE_PAYLOAD_AUTH);
			}
			release(cut.body);
		}
	}
	/*
	 * All lengths of 9 bodies (headers of 4 bytes not counted), but ID data of 0 to 2 and 0 to
	 * 3 bytes, and AUTH data of 1 to 3.
	 */
	assert_int_equal(refused, AUTH_INNER - 9 * 4 - 3 - 4 - 3);
	release(m);
}

/* Each row: a payload's type, its body, what is said. */
static const struct {
	uint8_t type;
	const char *body, *text;
} refusals[] = {
	{IKE_PAYLOAD_SA, "", "SA payload: proposal 1: length 0 where 0 bytes are left"},
	{IKE_PAYLOAD_SA, "00000007 01010001",
	 "SA payload: proposal 1: length 7 where 8 bytes are left"},
	{IKE_PAYLOAD_SA, "00000009 01010001",
	 "SA payload: proposal 1: length 9 where 8 bytes are left"},
	{IKE_PAYLOAD_SA, "02000008 01010001",
	 "SA payload: proposal 1: marked 2 with 0 bytes after it"},
	{IKE_PAYLOAD_SA, "00000008 01010001 00",
	 "SA payload: proposal 1: marked 0 with 1 bytes after it"},
	{IKE_PAYLOAD_SA, "00000008 01010000", "SA payload: proposal 1: no transform"},
	{IKE_PAYLOAD_SA, "00000008 01030401",
	 "SA payload: proposal 1: too short for an SPI of 4 bytes"},
	{IKE_PAYLOAD_SA, "0000000c 01030001 00000000",
	 "SA payload: proposal 1: SPI of 0 bytes for ESP"},
	{IKE_PAYLOAD_SA, "0000000c 01010401 00000000",
	 "SA payload: proposal 1: SPI of 4 bytes for IKE"},
	{IKE_PAYLOAD_SA, "02000010 01010001 00000008 0100000c 00000010 01010001 00000008 0100000c",
	 "SA payload: proposal 2: has number 1"},
	{IKE_PAYLOAD_SA, "02000010 02010001 00000008 0100000c 00000010 02010001 00000008 0100000c",
	 "SA payload: proposal 1: has number 2"},
	{IKE_PAYLOAD_SA, "00000010 01010001 00000007 0100000c",
	 "SA payload: transform 1: length 7 where 8 bytes are left"},
	{IKE_PAYLOAD_SA, "00000010 01010001 00000009 0100000c",
	 "SA payload: transform 1: length 9 where 8 bytes are left"},
	{IKE_PAYLOAD_SA, "0000000c 01010001 00000008",
	 "SA payload: transform 1: length 8 where 4 bytes are left"},
	{IKE_PAYLOAD_SA, "00000010 01010001 03000008 0100000c",
	 "SA payload: transform 1: marked 3 with 0 bytes after it"},
	{IKE_PAYLOAD_SA, "00000010 01010002 00000008 0100000c",
	 "SA payload: transform 1 is the last where 2 are announced"},
	{IKE_PAYLOAD_SA, "00000018 01010001 03000008 0100000c 00000008 02000005",
	 "SA payload: transform 1 where 1 are announced"},
	{IKE_PAYLOAD_SA, "00000013 01010001 0000000b 0100000c 800e00",
	 "SA payload: attribute 1: longer than the 3 bytes left"},
	{IKE_PAYLOAD_SA, "00000014 01010001 0000000c 0100000c 000e0001",
	 "SA payload: attribute 1: longer than the 4 bytes left"},
	{IKE_PAYLOAD_KE, "001f0000", "KE payload: 4 bytes where 5 are the least"},
	{IKE_PAYLOAD_KE, "001f", "KE payload: 2 bytes where 5 are the least"},
	{IKE_PAYLOAD_IDI, "020000", "ID payload: 3 bytes where 4 are the least"},
	{IKE_PAYLOAD_IDR, "", "ID payload: 0 bytes where 4 are the least"},
	{IKE_PAYLOAD_CERT, "", "CERT or CERTREQ payload: 0 bytes where 1 are the least"},
	{IKE_PAYLOAD_AUTH, "02000000", "AUTH payload: 4 bytes where 5 are the least"},
	{IKE_PAYLOAD_NONCE, "000102030405060708090a0b0c0d0e",
	 "Nonce payload: 15 bytes where 16 to 256 are allowed"},
	{IKE_PAYLOAD_NOTIFY, "000040", "N payload: 3 bytes where 4 are the least"},
	{IKE_PAYLOAD_NOTIFY, "03044009010203", "N payload: 7 bytes where 8 are the least"},
	{IKE_PAYLOAD_DELETE, "030400", "D payload: 3 bytes where 4 are the least"},
	{IKE_PAYLOAD_DELETE, "04040000", "D payload: unknown protocol 4"},
	{IKE_PAYLOAD_DELETE, "03080001 0102030405060708", "D payload: SPIs of 8 bytes for ESP"},
	{IKE_PAYLOAD_DELETE, "01080001 0102030405060708", "D payload: SPIs of 8 bytes for IKE"},
	{IKE_PAYLOAD_DELETE, "03040002 01020304", "D payload: 4 bytes for 2 SPIs of 4 bytes"},
	{IKE_PAYLOAD_DELETE, "0304ffff 01020304", "D payload: 4 bytes for 65535 SPIs of 4 bytes"},
	{IKE_PAYLOAD_TSI, "010000", "TS payload: 3 bytes where 4 are the least"},
	{IKE_PAYLOAD_TSI, "00000000", "TS payload: no selector"},
	{IKE_PAYLOAD_TSR, "01000000 0700",
	 "TS payload: selector 1: 2 bytes left where 4 are needed"},
	{IKE_PAYLOAD_TSR, "02000000 0700001000 00ffff0a0100000a01ffff 07000008 0000ffff",
	 "TS payload: selector 2: length 8 where 16 is needed"},
	{IKE_PAYLOAD_TSR, "01000000 08000010 0000ffff0a0100000a01ffff",
	 "TS payload: selector 1: length 16 where 40 is needed"},
	{IKE_PAYLOAD_TSR, "01000000 63000003",
	 "TS payload: selector 1: length 3 where 4 is needed"},
	{IKE_PAYLOAD_TSR, "01000000 07000010 0000ffff",
	 "TS payload: selector 1: length 16 where 8 bytes are left"},
	{IKE_PAYLOAD_TSR, "01000000 07000010 0000ffff0a0100000a01ffff 00",
	 "TS payload: 1 bytes after selector 1, the last"},
	{IKE_PAYLOAD_CP, "010000", "CP payload: 3 bytes where 4 are the least"},
	{IKE_PAYLOAD_CP, "01000000 00010001",
	 "CP payload: attribute 1: longer than the 4 bytes left"},
	{IKE_PAYLOAD_CP, "01000000 00010000 0003",
	 "CP payload: attribute 2: longer than the 2 bytes left"},
	{IKE_PAYLOAD_EAP, "0101", "EAP payload: length 0 in 2 bytes"},
	{IKE_PAYLOAD_EAP, "01010006 01", "EAP payload: length 6 in 5 bytes"},
	{IKE_PAYLOAD_EAP, "01010004", "EAP payload: 4 bytes where 5 are the least"},
	{IKE_PAYLOAD_EAP, "03010005 01", "EAP payload: 5 bytes in a success or failure"},
	{IKE_PAYLOAD_EAP, "05010004", "EAP payload: unknown code 5"},
	{IKE_PAYLOAD_SKF, "000100", "SKF payload: 3 bytes where 4 are the least"},
	{IKE_PAYLOAD_SKF, "00000001 00", "SKF payload: fragment 0 of 1"},
	{IKE_PAYLOAD_SKF, "00030002 00", "SKF payload: fragment 3 of 2"},
	{99, "00", "payload of unknown type 99"},
};

static void test_refusals(void **state)
{
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		struct ike_payload p = {.type = refusals[i].type, .body = hex(refusals[i].body)};
		struct ike_error err = {0};

		assert_false(ike_payload_check(&p, &err));
		assert_string_equal(err.text, refusals[i].text);
		assert_int_equal(err.notify, IKE_NOTIFY_INVALID_SYNTAX);
		assert_int_equal(err.payload, p.type);
		assert_false(ike_payload_check(&p, NULL));
		release(p.body);
	}
}

static const struct {
	uint8_t type;
	const char *body;
} accepted[] = {
	/*
	 * A lone proposal may have any number: the answer repeats the one chosen (section 3.3.1).
	 */
	{IKE_PAYLOAD_SA, "00000010 07010001 00000008 0100000c"},
	/* IKE rekey: an SPI of 8 bytes. */
	{IKE_PAYLOAD_SA, "00000018 01010801 0102030405060708 00000008 0100000c"},
	/* Unknown protocol, unknown transform type, an attribute of the long form. */
	{IKE_PAYLOAD_SA, "00000017 01630001 0000000f fa00ffff 00010003aabbcc"},
	{IKE_PAYLOAD_CERTREQ, "04"},
	{IKE_PAYLOAD_NOTIFY, "0000 4000"},
	{IKE_PAYLOAD_NOTIFY, "0108 000b 0102030405060708 00"},
	{IKE_PAYLOAD_DELETE, "01000000"},
	/* An unknown selector type is skipped whole, whatever its length. */
	{IKE_PAYLOAD_TSI, "02000000 0a000007 616263 07000010 0000ffff0a0100000a01ffff"},
	{IKE_PAYLOAD_CP, "01000000"},
	{IKE_PAYLOAD_CP, "02000000 00010004 0a000001 80030000"},
	{IKE_PAYLOAD_EAP, "01010005 01"},
	{IKE_PAYLOAD_EAP, "03010004"},
	{IKE_PAYLOAD_SKF, "00020002 00"},
	{IKE_PAYLOAD_VENDOR, ""},
};

static void test_accepted(void **state)
{
	for (size_t i = 0; i < sizeof(accepted) / sizeof(accepted[0]); i++) {
		struct ike_payload p = {.type = accepted[i].type, .body = hex(accepted[i].body)};
		struct ike_error err = {0};

		if (!ike_payload_check(&p, &err))
			fail_msg("row %zu: %s", i, err.text);
		assert_string_equal(err.text, "");
		release(p.body);
	}
}

static void chain_says(uint8_t first, const char *chain, uint16_t notify, uint8_t payload,
		       const char *text)
{
	struct ike_bytes b = hex(chain);
	struct ike_error err = {0};
	struct ike_payloads all;

	assert_false(ike_payloads_decode(&all, first, b, &err));
	assert_string_equal(err.text, text);
	assert_int_equal(err.notify, notify);
	assert_int_equal(err.payload, payload);
	release(b);
}

static void test_chains(void **state)
{
	uint16_t syntax = IKE_NOTIFY_INVALID_SYNTAX;

	chain_says(IKE_PAYLOAD_KE, "", syntax, IKE_PAYLOAD_KE,
		   "KE payload: 0 bytes where its header needs 4");
	chain_says(IKE_PAYLOAD_KE, "000000", syntax, IKE_PAYLOAD_KE,
		   "KE payload: 3 bytes where its header needs 4");
	chain_says(IKE_PAYLOAD_KE, "00000003", syntax, IKE_PAYLOAD_KE,
		   "KE payload: length 3 where 4 is the least");
	chain_says(IKE_PAYLOAD_KE, "00000009 00000000", syntax, IKE_PAYLOAD_KE,
		   "KE payload: length 9 where 8 bytes are left");
	chain_says(IKE_PAYLOAD_VENDOR, "0000000400", syntax, 0,
		   "payload chain: 1 bytes after the last payload");
	chain_says(IKE_PAYLOAD_NONE, "00", syntax, 0,
		   "payload chain: 1 bytes after the last payload");
	chain_says(IKE_PAYLOAD_SK, "2900000500 00000008 00004000", syntax, 0,
		   "payload chain: 8 bytes after the last payload");
	chain_says(200, "0080000400", IKE_NOTIFY_UNSUPPORTED_CRITICAL_PAYLOAD, 200,
		   "payload of unknown type 200 is marked critical");
	chain_says(200, "2b00000400 00", syntax, IKE_PAYLOAD_VENDOR,
		   "V payload: 2 bytes where its header needs 4");
}

/*
 * Section 2.5: unknown and not critical is skipped; the critical bit of known ones means nothing.
 */
static void test_critical(void **state)
{
	struct ike_bytes b = hex("2b 00 0006 ffff  2b 80 0005 aa  00 00 0004");
	struct ike_payloads all;

	assert_true(ike_payloads_decode(&all, 200, b, NULL));
	assert_int_equal(all.n, 2);
	assert_int_equal(all.items[0].type, IKE_PAYLOAD_VENDOR);
	assert_true(all.items[0].critical);
	assert_int_equal(all.items[0].offset, 6);
	assert_false(all.items[1].critical);
	release(b);
	assert_true(ike_payloads_decode(&all, IKE_PAYLOAD_NONE, ike_bytes(NULL, 0), NULL));
	assert_int_equal(all.n, 0);
}

/* SK ends the chain, and its "next payload" is that of the first one inside. */
static void test_sk_ends(void **state)
{
	struct ike_bytes b = hex("2e 00 0004  21 00 0008 01020304");
	struct ike_payloads all;

	assert_true(ike_payloads_decode(&all, IKE_PAYLOAD_VENDOR, b, NULL));
	assert_int_equal(all.n, 2);
	assert_int_equal(all.items[1].type, IKE_PAYLOAD_SK);
	assert_int_equal(all.items[1].next, IKE_PAYLOAD_SA);
	assert_int_equal(all.items[1].offset, 4);
	release(b);
}

static void test_too_many(void **state)
{
	uint8_t chain[4 * (IKE_PAYLOADS_MAX + 1)] = {0};
	struct ike_payloads all;
	struct ike_error err;

	for (unsigned int i = 0; i <= IKE_PAYLOADS_MAX; i++) {
		chain[4 * i] = i < IKE_PAYLOADS_MAX - 1 ? IKE_PAYLOAD_VENDOR : 0;
		chain[4 * i + 3] = 4;
	}
	assert_true(ike_payloads_decode(&all, IKE_PAYLOAD_VENDOR,
					ike_bytes(chain, 4 * IKE_PAYLOADS_MAX), &err));
	assert_int_equal(all.n, IKE_PAYLOADS_MAX);
	chain[4 * (IKE_PAYLOADS_MAX - 1)] = IKE_PAYLOAD_VENDOR;
	assert_false(ike_payloads_decode(&all, IKE_PAYLOAD_VENDOR, ike_bytes(chain, sizeof(chain)),
					 &err));
	assert_string_equal(err.text, "payload chain: more than 64 payloads");
	for (unsigned int i = 0; i <= IKE_PAYLOADS_MAX; i++)
		chain[4 * i] = 200; /* unknown ones count as well */
	assert_false(ike_payloads_decode(&all, 200, ike_bytes(chain, sizeof(chain)), &err));
	assert_string_equal(err.text, "payload chain: more than 64 payloads");
}

/* Once bad, an iterator stays bad. */
static void test_bad_is_sticky(void **state)
{
	struct ike_bytes b = hex("00000003 00000004"),
			 sa = hex("00000009 01010001 0000000801010001");
	struct ike_payload_iter it;
	struct ike_sa_iter sa_it;
	struct ike_wire_proposal wp;
	struct ike_payload p;

	ike_payload_iter_init(&it, IKE_PAYLOAD_KE, b);
	for (unsigned int i = 0; i < 3; i++)
		assert_int_equal(ike_payload_next(&it, &p, NULL), IKE_ITEM_BAD);
	ike_sa_iter_init(&sa_it, sa);
	for (unsigned int i = 0; i < 3; i++)
		assert_int_equal(ike_sa_next(&sa_it, &wp, NULL), IKE_ITEM_BAD);
	release(b);
	release(sa);
}

static void test_cursor(void **state)
{
	struct ike_bytes b = hex("01 0203 04050607 08090a0b0c0d0e0f 1011");
	struct ike_cursor c = ike_cursor(b);

	assert_int_equal(ike_get8(&c), 1);
	assert_int_equal(ike_get16(&c), 0x0203);
	assert_int_equal(ike_get32(&c), 0x04050607);
	assert_true(ike_get64(&c) == 0x08090a0b0c0d0e0f);
	assert_int_equal(ike_get32(&c), 0); /* 2 left */
	assert_true(c.bad);
	assert_int_equal(c.rest.len, 2);
	assert_int_equal(ike_get8(&c), 0); /* sticky although there is one */
	assert_int_equal(ike_get_rest(&c).len, 0);
	release(b);
}

static void test_patch_outside(void **state)
{
	uint8_t buf[8] = {0};
	struct ike_writer w;

	ike_writer_init(&w, buf, sizeof(buf));
	ike_put32(&w, 1);
	ike_patch16(&w, 2, 0xabcd);
	assert_false(w.overflow);
	assert_int_equal(buf[2], 0xab);
	ike_patch16(&w, 3, 1); /* one byte of it is not written yet */
	assert_true(w.overflow);
	ike_writer_init(&w, buf, sizeof(buf));
	ike_patch32(&w, SIZE_MAX, 1);
	assert_true(w.overflow);
}

static void test_names(void **state)
{
	assert_string_equal(ike_exchange_name(36), "CREATE_CHILD_SA");
	assert_string_equal(ike_exchange_name(0), "unknown");
	assert_string_equal(ike_payload_name(35), "IDi");
	assert_string_equal(ike_payload_name(40), "Nonce");
	assert_string_equal(ike_payload_name(255), "unknown");
	assert_string_equal(ike_protocol_name(3), "ESP");
	assert_string_equal(ike_transform_type_name(4), "KE");
	assert_string_equal(ike_transform_id_name(1, 20), "AES_GCM_16");
	assert_string_equal(ike_transform_id_name(4, 31), "CURVE25519");
	assert_string_equal(ike_transform_id_name(6, 36), "ML_KEM_768");
	assert_string_equal(ike_transform_id_name(99, 1), "unknown");
	assert_string_equal(ike_notify_name(14), "NO_PROPOSAL_CHOSEN");
	assert_string_equal(ike_notify_name(16388), "NAT_DETECTION_SOURCE_IP");
	assert_string_equal(ike_notify_name(16443), "SUPPORTED_AUTH_METHODS");
	assert_string_equal(ike_notify_name(65535), "unknown");
	assert_string_equal(ike_auth_method_name(2), "PSK");
	assert_string_equal(ike_id_type_name(11), "KEY_ID");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_encode_sa_init),
		cmocka_unit_test(test_encode_auth),
		cmocka_unit_test(test_encode_every_capacity),
		cmocka_unit_test(test_encode_limits),
		cmocka_unit_test(test_header),
		cmocka_unit_test(test_decode_sa_init),
		cmocka_unit_test(test_decode_auth),
		cmocka_unit_test(test_truncated_chains),
		cmocka_unit_test(test_truncated_bodies),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_accepted),
		cmocka_unit_test(test_chains),
		cmocka_unit_test(test_critical),
		cmocka_unit_test(test_sk_ends),
		cmocka_unit_test(test_too_many),
		cmocka_unit_test(test_bad_is_sticky),
		cmocka_unit_test(test_cursor),
		cmocka_unit_test(test_patch_outside),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests_name("ike_wire", tests, NULL, NULL);
}
