// SPDX-License-Identifier: MIT
/*
 * Proposals: swanctl's words, the wire, choosing, checking a choice, explaining why there is none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ikev2/proposal.h"
#include "tests/vectors.h"

enum {
	IKE = IKE_PROTO_IKE,
	ESP = IKE_PROTO_ESP
};

static struct ike_proposal_list parse(uint8_t protocol, const char *text)
{
	struct ike_proposal_list list = {0};
	struct ike_error err = {0};

	if (!ike_proposal_list_parse(&list, protocol, text, &err))
		fail_msg("\"%s\": %s", text, err.text);
	return list;
}

/*
 * What is configured, and how it is printed: AEADs apart, the PRF made explicit, aliases resolved.
 */
static const struct {
	uint8_t protocol;
	const char *text, *printed;
} words[] = {
	{IKE, "aes256gcm16-prfsha384-ecp384", "aes256gcm16-prfsha384-ecp384"},
	{IKE, "aes128-sha256-x25519", "aes128-sha256-prfsha256-x25519"},
	{IKE, "aes128-sha256-curve25519", "aes128-sha256-prfsha256-x25519"},
	{IKE, "aes256-sha512-sha384-modp3072-modp4096",
	 "aes256-sha512-sha384-prfsha512-prfsha384-modp3072-modp4096"},
	{IKE, "aes256-sha256-prfsha512-curve448", "aes256-sha256-prfsha512-x448"},
	{IKE, "aes128gcm128-prfsha256-ecp256", "aes128gcm16-prfsha256-ecp256"},
	{IKE, "AES128GCM16-PRFSHA256-ECP521", "aes128gcm16-prfsha256-ecp521"},
	{IKE, " aes192-sha256-modp2048 , aes128-sha256-modp2048\t",
	 "aes192-sha256-prfsha256-modp2048, aes128-sha256-prfsha256-modp2048"},
	{IKE, "aes128gcm16-aes128-sha256-x25519",
	 "aes128gcm16-prfsha256-x25519, aes128-sha256-prfsha256-x25519"},
	{IKE, "aes128-aes128-sha256-x25519", "aes128-sha256-prfsha256-x25519"},
	{IKE, "chacha20poly1305-aes256gcm12-prfsha512-x25519",
	 "chacha20poly1305-aes256gcm12-prfsha512-x25519"},
	{IKE, "aes256gcm16-sha384-x25519", "aes256gcm16-prfsha384-x25519"},
	{IKE, "aes256gcm16-sha512-prfsha256-x25519", "aes256gcm16-prfsha256-x25519"},
	{IKE, "aes192gcm-sha256-ecp256", "aes192gcm16-prfsha256-ecp256"},
	{ESP, "aes128gcm16", "aes128gcm16"},
	{ESP, "aes128gcm16-sha256", "aes128gcm16"},
	{ESP, "aes128gmac-prfsha256-sha256-ecp256", "aes128gmac-ecp256"},
	{ESP, "aes128-sha256-prfsha256-none", "aes128-sha256-modpnone"},
	{ESP, "default", "aes256gcm16-aes192gcm16-aes128gcm16, "
			 "aes256-aes192-aes128-sha256-sha384-sha512"},
	{ESP, "aes256gcm16-esn", "aes256gcm16-esn"},
	{ESP, "aes256gcm16-noesn", "aes256gcm16"},
	{ESP, "aes256gcm16-esn-noesn-x25519", "aes256gcm16-x25519-esn-noesn"},
	{ESP, "aes128-sha256", "aes128-sha256"},
	{ESP, "aes256ctr-sha512", "aes256ctr-sha512"},
	{ESP, "null-sha384", "null-sha384"},
	{ESP, "aes128gcm96-aes192gcm64-aes256gcm8", "aes128gcm12-aes192gcm8-aes256gcm8"},
	{ESP, "aes192ccm12-aes128ccm128-aes256ccm64", "aes192ccm12-aes128ccm16-aes256ccm8"},
	{ESP, "aes256ccm", "aes256ccm16"},
	{ESP, "aes192gmac-chacha20poly1305-esn", "aes192gmac-chacha20poly1305-esn"},
	{ESP, "aes256gcm16iiv-chacha20poly1305iiv", "aes256gcm16iiv-chacha20poly1305iiv"},
	{ESP, "chacha20poly1305-aes128-sha256", "chacha20poly1305, aes128-sha256"},
	{ESP, "aes128gcm16-ecp256,aes256gcm16-ecp384", "aes128gcm16-ecp256, aes256gcm16-ecp384"},
	/* RFC 9370: by type, whatever the order of the words. */
	{IKE, "aes128-sha256-ke7_x448-x25519-ke1_ecp256-ke1_none",
	 "aes128-sha256-prfsha256-x25519-ke1_ecp256-ke1_none-ke7_x448"},
	{ESP, "aes128gcm16-ecp256-KE3_curve25519-ke3_ecp384-esn",
	 "aes128gcm16-ecp256-ke3_x25519-ke3_ecp384-esn"},
};

static void test_words(void **state)
{
	char buf[IKE_PROPOSAL_TEXT_MAX];

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		struct ike_proposal_list list = parse(words[i].protocol, words[i].text);

		assert_string_equal(ike_proposal_list_text(&list, buf, sizeof(buf)),
				    words[i].printed);
		ike_proposal_list_clear(&list);
	}
}

/* What is printed says the same when it is read again. */
static void test_round_trip(void **state)
{
	static const char *const texts[] = {"default", "aes256gcm16-prfsha384-ecp384"};
	char once[2048], twice[2048];

	for (unsigned int i = 0; i < 2; i++) {
		struct ike_proposal_list a = parse(IKE, texts[i]), b;

		ike_proposal_list_text(&a, once, sizeof(once));
		b = parse(IKE, once);
		assert_string_equal(ike_proposal_list_text(&b, twice, sizeof(twice)), once);
		assert_int_equal(a.n, b.n);
		for (size_t k = 0; k < a.n; k++)
			assert_int_equal(a.items[k].n, b.items[k].n);
		ike_proposal_list_clear(&a);
		ike_proposal_list_clear(&b);
	}
}

static void test_default(void **state)
{
	static const uint16_t kes[] = {
		IKE_KE_CURVE25519, IKE_KE_CURVE448,  IKE_KE_ECP_256,   IKE_KE_ECP_384,
		IKE_KE_ECP_521,	   IKE_KE_MODP_2048, IKE_KE_MODP_3072, IKE_KE_MODP_4096,
	};
	struct ike_proposal_list ike = parse(IKE, "default"), esp = parse(ESP, "default");

	for (size_t i = 0; i < sizeof(kes) / sizeof(kes[0]); i++)
		assert_true(ike_proposal_has(&ike, IKE_TRANSFORM_KE, kes[i]));
	assert_true(ike_proposal_has(&ike, IKE_TRANSFORM_ENCR, IKE_ENCR_AES_GCM_16));
	assert_true(ike_proposal_has(&ike, IKE_TRANSFORM_ENCR, IKE_ENCR_AES_CBC));
	assert_int_equal(ike_proposal_first_ke(&ike), IKE_KE_CURVE25519);
	assert_true(ike_proposal_has(&esp, IKE_TRANSFORM_ENCR, IKE_ENCR_AES_GCM_16));
	assert_int_equal(ike_proposal_first_ke(&esp), 0);
	for (size_t i = 0; i < ike.n; i++)
		for (size_t k = 0; k < ike.items[i].n; k++)
			assert_true(ike_transform_supported(IKE, &ike.items[i].transforms[k]));
	ike_proposal_list_clear(&ike);
	ike_proposal_list_clear(&esp);
}

static const struct {
	uint8_t protocol;
	const char *text, *error;
} refusals[] = {
	{IKE, "aes265gcm16-prfsha256-x25519",
	 "proposal \"aes265gcm16-prfsha256-x25519\": algorithm \"aes265gcm16\" is unknown; the "
	 "nearest is \"aes256gcm16\""},
	{IKE, "aes128-sha257-x25519",
	 "proposal \"aes128-sha257-x25519\": algorithm \"sha257\" is unknown; the nearest is "
	 "\"sha256\""},
	{IKE, "qqqqqqqqqqqq-sha256-x25519",
	 "proposal \"qqqqqqqqqqqq-sha256-x25519\": algorithm \"qqqqqqqqqqqq\" is unknown"},
	{IKE, "aes128-sha256-x25519-ke1_epc256",
	 "proposal \"aes128-sha256-x25519-ke1_epc256\": algorithm \"ke1_epc256\" is unknown; the "
	 "nearest is \"ke1_ecp256\""},
	{IKE, "aes128-sha256-x25519-ke8_ecp256",
	 "proposal \"aes128-sha256-x25519-ke8_ecp256\": algorithm \"ke8_ecp256\" is unknown; the "
	 "nearest is \"ecp256\""},
	{IKE, "aes128-sha256-x25519-ke1_aes128",
	 "proposal \"aes128-sha256-x25519-ke1_aes128\": algorithm \"ke1_aes128\": that is no key "
	 "exchange"},
	{IKE, "aes128-sha256-x25519-ke1_modp1024",
	 "proposal \"aes128-sha256-x25519-ke1_modp1024\": algorithm \"ke1_modp1024\" is known but "
	 "not supported"},
	{IKE, "aes128-sha256-x25519-ke1_ecp256-ke2_x25519",
	 "proposal \"aes128-sha256-x25519-ke1_ecp256-ke2_x25519\": no key exchange may come twice, and "
	 "there is no other choice"},
	{ESP, "aes128gcm16-ke1_ecp256",
	 "proposal \"aes128gcm16-ke1_ecp256\": additional key exchanges, but no first one, such as "
	 "x25519"},
	{IKE, "3des-sha256-x25519",
	 "proposal \"3des-sha256-x25519\": algorithm \"3des\" is known but not supported"},
	{IKE, "aes128-sha1-modp2048",
	 "proposal \"aes128-sha1-modp2048\": algorithm \"sha1\" is known but not supported"},
	{IKE, "aes128-sha256-modp1024",
	 "proposal \"aes128-sha256-modp1024\": algorithm \"modp1024\" is known but not supported"},
	{ESP, "aes128-prfsha256",
	 "proposal \"aes128-prfsha256\": no integrity algorithm, such as sha256, for a cipher without "
	 "its own"},
	{IKE, "aes256gcm16-x25519", "proposal \"aes256gcm16-x25519\": no PRF, such as prfsha256"},
	{IKE, "aes256gcm16-prfsha256",
	 "proposal \"aes256gcm16-prfsha256\": no key exchange, such as x25519"},
	{IKE, "aes128-prfsha256-x25519",
	 "proposal \"aes128-prfsha256-x25519\": no integrity algorithm, such as sha256, for a "
	 "cipher without its own"},
	{IKE, "sha256-x25519", "proposal \"sha256-x25519\": no encryption algorithm"},
	{IKE, "aes128ccm16-prfsha256-x25519",
	 "proposal \"aes128ccm16-prfsha256-x25519\": algorithm \"aes128ccm16\" is known but not "
	 "supported"},
	{ESP, "null",
	 "proposal \"null\": no integrity algorithm, such as sha256, for a cipher without its "
	 "own"},
	{ESP, "aes128ctr",
	 "proposal \"aes128ctr\": no integrity algorithm, such as sha256, for a cipher without its "
	 "own"},
	{ESP, "3des-sha256",
	 "proposal \"3des-sha256\": algorithm \"3des\" is known but not supported"},
	{IKE, "aes128-sha256-x25519-esn",
	 "proposal \"aes128-sha256-x25519-esn\": \"esn\": sequence numbers are for ESP, not for "
	 "IKE"},
	{IKE, "aes128--x25519",
	 "proposal \"aes128--x25519\": an algorithm is missing between two \"-\""},
	{IKE, "aes128-sha256-x25519,", "a proposal is missing"},
	{IKE, "", "a proposal is missing"},
	{IKE, "aes128-sha256-x25519,,default", "a proposal is missing"},
};

static void test_refusals(void **state)
{
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		struct ike_proposal_list list = {0};
		struct ike_error err = {0};

		assert_false(ike_proposal_list_parse(&list, refusals[i].protocol, refusals[i].text,
						     &err));
		assert_string_equal(err.text, refusals[i].error);
		assert_null(list.items);
	}
}

/* A bad list leaves a good one before it alone. */
static void test_failure_keeps_list(void **state)
{
	struct ike_proposal_list list = parse(ESP, "aes128gcm16");

	assert_false(ike_proposal_list_parse(&list, ESP, "aes256gcm16,nonsense", NULL));
	assert_int_equal(list.n, 1);
	assert_true(ike_proposal_list_parse(&list, ESP, "aes256gcm16", NULL));
	assert_int_equal(list.n, 2);
	assert_int_equal(list.items[1].number, 2);
	ike_proposal_list_clear(&list);
}

/* @list as its SA payload's body, decoded again. */
static struct ike_proposal_list over_wire(const struct ike_proposal_list *list, bool without_ke,
					  struct ike_bytes spi)
{
	struct ike_proposal_list out = {0};
	struct ike_header h = {0};
	static uint8_t buf[4096];
	struct ike_writer w;
	struct ike_error err;

	ike_writer_init(&w, buf, sizeof(buf));
	ike_message_begin(&w, &h);
	ike_put_proposals(&w, list, spi, without_ke);
	assert_true(ike_message_end(&w));
	if (!ike_proposal_list_decode(&out, ike_bytes(buf + 32, w.len - 32), &err))
		fail_msg("%s", err.text);
	return out;
}

static void test_wire(void **state)
{
	static const char *const texts[] = {
		"default",
		"aes128-sha256-x25519",
		"aes256gcm16-prfsha384-ecp384,aes128-sha512-x448",
	};
	char before[2048], after[2048];

	for (unsigned int i = 0; i < 3; i++) {
		struct ike_proposal_list a = parse(IKE, texts[i]);
		struct ike_proposal_list b = over_wire(&a, false, ike_bytes("12345678", 8));

		assert_string_equal(ike_proposal_list_text(&a, before, sizeof(before)),
				    ike_proposal_list_text(&b, after, sizeof(after)));
		assert_int_equal(b.items[0].spi_len, 8);
		assert_memory_equal(b.items[0].spi, "12345678", 8);
		assert_int_equal(b.items[b.n - 1].number, b.n);
		ike_proposal_list_clear(&a);
		ike_proposal_list_clear(&b);
	}
}

static void test_wire_without_ke(void **state)
{
	struct ike_proposal_list a = parse(ESP, "aes128gcm16-x25519-ecp256");
	struct ike_proposal_list b = over_wire(&a, true, ike_bytes("1234", 4));
	char text[128];

	assert_string_equal(ike_proposal_list_text(&b, text, sizeof(text)), "aes128gcm16");
	ike_proposal_list_clear(&a);
	ike_proposal_list_clear(&b);
}

static struct ike_proposal_list decode(const char *body)
{
	struct ike_proposal_list list = {0};
	struct ike_bytes b = hex(body);
	struct ike_error err = {0};

	if (!ike_proposal_list_decode(&list, b, &err))
		fail_msg("%s", err.text);
	free((void *)b.p);
	return list;
}

/* Transforms that nobody here knows are printed by number and never chosen (section 3.3.6). */
static void test_unknown_transforms(void **state)
{
	struct ike_proposal_list ours = parse(ESP, "aes128gcm16");
	struct ike_proposal_list theirs = decode("00000038 01030404 01020304"
						 "0300000c 01000063 800e0080" /* ENCR 99 */
						 "0300000c 01000014 800f0080" /* an attribute 15 */
						 "0300000c 01000014 800e0080"
						 "00000008 05000000");
	const struct ike_select how = {0};
	struct ike_suite suite;
	char text[256];

	assert_string_equal(ike_proposal_list_text(&theirs, text, sizeof(text)),
			    "encr99/128-aes128gcm16-type0/20");
	assert_true(ike_proposal_select(&ours, &theirs, &how, &suite));
	assert_string_equal(ike_suite_text(&suite, text, sizeof(text)), "aes128gcm16");
	assert_memory_equal(suite.spi, "\1\2\3\4", 4);
	ike_proposal_list_clear(&theirs);
	/* The only cipher has an attribute that nobody knows: no match. */
	theirs = decode("00000020 01030402 01020304 0300000c 01000014 800f0080 00000008 05000000");
	assert_false(ike_proposal_select(&ours, &theirs, &how, &suite));
	ike_proposal_list_clear(&theirs);
	/* A transform type that nobody knows (13, KWA): the proposal cannot be chosen. */
	theirs = decode("00000028 01030403 01020304 0300000c 01000014 800e0080 03000008 05000000"
			"00000008 0d000024");
	assert_false(ike_proposal_select(&ours, &theirs, &how, &suite));
	assert_string_equal(
		ike_proposal_explain(&ours, &theirs, &how, text, sizeof(text)),
		"configured aes128gcm16; peer offers aes128gcm16-type13/36: the peer's has "
		"transform types that are not supported");
	ike_proposal_list_clear(&theirs);
	ike_proposal_list_clear(&ours);
}

/* ESN for IKE, a PRF for ESP: types without a place there make a proposal unacceptable. */
static void test_foreign_transforms(void **state)
{
	struct ike_proposal_list ours = parse(IKE, "aes128gcm16-prfsha256-x25519");
	struct ike_proposal_list theirs = decode("0000002c 01010004 0300000c 01000014 800e0080"
						 "03000008 02000005 03000008 0400001f"
						 "00000008 05000000");
	const struct ike_select how = {0};
	struct ike_suite suite;

	assert_false(ike_proposal_select(&ours, &theirs, &how, &suite));
	ike_proposal_list_clear(&ours);
	ike_proposal_list_clear(&theirs);
	ours = parse(ESP, "aes128gcm16");
	theirs = decode("00000028 01030403 01020304 0300000c 01000014 800e0080 03000008 02000005"
			"00000008 05000000");
	assert_false(ike_proposal_select(&ours, &theirs, &how, &suite));
	ike_proposal_list_clear(&ours);
	ike_proposal_list_clear(&theirs);
}

/*
 * An ESP proposal of old, without any ESN transform, means "no ESN", and is answered without one.
 */
static void test_no_esn_at_all(void **state)
{
	struct ike_proposal_list ours = parse(ESP, "aes128gcm16-esn-noesn");
	struct ike_proposal_list theirs =
		decode("00000018 01030401 01020304 0000000c 01000014 800e0080");
	const struct ike_select how = {0};
	struct ike_header h = {0};
	struct ike_suite suite;
	struct ike_bytes want;
	struct ike_writer w;
	uint8_t buf[128];

	assert_true(ike_proposal_select(&ours, &theirs, &how, &suite));
	assert_false(suite.esn || suite.has_esn);
	ike_writer_init(&w, buf, sizeof(buf));
	ike_message_begin(&w, &h);
	ike_put_suite(&w, &suite, ike_bytes("\5\6\7\10", 4));
	want = hex("0000001c 00000018 01030401 05060708 0000000c 01000014 800e0080");
	assert_bytes(ike_bytes(buf + 28, w.len - 28), want);
	free((void *)want.p);
	ike_proposal_list_clear(&theirs);
	ike_proposal_list_clear(&ours);
}

/* @want NULL: nothing matches, and @said follows "configured ...; peer offers ...: ". */
static const struct {
	uint8_t protocol;
	const char *ours, *theirs;
	struct ike_select how;
	const char *want, *said;
} choices[] = {
	{IKE,
	 "aes256gcm16-prfsha384-ecp384,aes128-sha256-x25519",
	 "aes128-sha256-x25519,aes256gcm16-prfsha384-ecp384",
	 {0},
	 "aes256gcm16-prfsha384-ecp384",
	 NULL},
	{IKE,
	 "aes256gcm16-prfsha384-ecp384,aes128-sha256-x25519",
	 "aes128-sha256-x25519,aes256gcm16-prfsha384-ecp384",
	 {.peer_order = true},
	 "aes128-sha256-prfsha256-x25519",
	 NULL},
	{IKE,
	 "aes128-sha256-x25519-ecp256",
	 "aes128-sha256-ecp256-x25519",
	 {0},
	 "aes128-sha256-prfsha256-x25519",
	 NULL},
	{IKE,
	 "aes128-sha256-x25519-ecp256",
	 "aes128-sha256-ecp256-x25519",
	 {.peer_order = true},
	 "aes128-sha256-prfsha256-ecp256",
	 NULL},
	{IKE,
	 "aes128-sha256-x25519-ecp256",
	 "aes128-sha256-ecp256-x25519",
	 {.ke = IKE_KE_ECP_256},
	 "aes128-sha256-prfsha256-ecp256",
	 NULL},
	{IKE,
	 "aes128-sha256-x25519-ecp256",
	 "aes128-sha256-ecp256-x25519-modp2048",
	 {.ke = IKE_KE_MODP_2048},
	 "aes128-sha256-prfsha256-x25519",
	 NULL},
	{IKE,
	 "aes256-aes128-sha512-sha256-modp4096-x448",
	 "aes128-aes256-sha256-sha512-x448-modp4096",
	 {0},
	 "aes256-sha512-prfsha512-modp4096",
	 NULL},
	{IKE,
	 "aes256gcm16-prfsha384-ecp384",
	 "aes128-sha256-modp2048",
	 {0},
	 NULL,
	 "no common encryption (aes256gcm16 against aes128)"},
	{IKE,
	 "aes256gcm16-prfsha384-ecp384,aes128-sha256-x25519",
	 "aes128-sha256-modp2048",
	 {0},
	 NULL,
	 "no common key exchange (x25519 against modp2048)"},
	{IKE,
	 "aes128-sha256-x25519",
	 "aes128-sha512-x25519",
	 {0},
	 NULL,
	 "no common integrity (sha256 against sha512)"},
	{IKE,
	 "aes128-sha256-prfsha512-x25519",
	 "aes128-sha256-x25519",
	 {0},
	 NULL,
	 "no common PRF (prfsha512 against prfsha256)"},
	{ESP,
	 "aes256gcm16",
	 "aes128gcm16",
	 {0},
	 NULL,
	 "no common encryption (aes256gcm16 against aes128gcm16)"},
	/* With and without PFS. */
	{ESP, "aes128gcm16", "aes128gcm16", {0}, "aes128gcm16", NULL},
	{ESP, "aes128gcm16-x25519", "aes128gcm16-x25519", {0}, "aes128gcm16-x25519", NULL},
	{ESP,
	 "aes128gcm16",
	 "aes128gcm16-x25519",
	 {0},
	 NULL,
	 "no common key exchange (none against x25519)"},
	{ESP,
	 "aes128gcm16-x25519",
	 "aes128gcm16",
	 {0},
	 NULL,
	 "no common key exchange (x25519 against none)"},
	{ESP, "aes128gcm16-x25519", "aes128gcm16", {.without_ke = true}, "aes128gcm16", NULL},
	{ESP,
	 "aes128gcm16-x25519",
	 "aes128gcm16-ecp256",
	 {.without_ke = true},
	 "aes128gcm16",
	 NULL},
	{ESP, "aes128gcm16-x25519-modpnone", "aes128gcm16", {0}, "aes128gcm16", NULL},
	{ESP, "aes128gcm16-x25519-modpnone", "aes128gcm16-x25519", {0}, "aes128gcm16-x25519", NULL},
	{ESP, "aes128gcm16", "aes128gcm16-x25519-modpnone", {0}, "aes128gcm16", NULL},
	/* Additional key exchanges (RFC 9370 section 2.2.1). */
	{IKE,
	 "aes128-sha256-x25519-ke1_ecp256-ke1_ecp384-ke3_x448",
	 "aes128-sha256-x25519-ke1_ecp384-ke3_x448-ke1_ecp256",
	 {0},
	 "aes128-sha256-prfsha256-x25519-ke1_ecp256-ke3_x448",
	 NULL},
	{IKE,
	 "aes128-sha256-x25519-ke1_ecp256-ke1_none",
	 "aes128-sha256-x25519",
	 {0},
	 "aes128-sha256-prfsha256-x25519",
	 NULL},
	{IKE,
	 "aes128-sha256-x25519-ke2_ecp256",
	 "aes128-sha256-x25519-ke1_ecp256",
	 {0},
	 NULL,
	 "no common additional key exchange 1 (none against ke1_ecp256)"},
	/* The first one has begun with what is then missing for an additional one. */
	{IKE,
	 "aes128-sha256-x25519-ecp256-ke1_ecp256-ke1_x25519",
	 "aes128-sha256-x25519-ecp256-ke1_ecp256-ke1_x25519",
	 {.ke = IKE_KE_ECP_256},
	 "aes128-sha256-prfsha256-ecp256-ke1_x25519",
	 NULL},
	{IKE,
	 "aes128-sha256-x25519-ke1_ecp256-ke1_none",
	 "aes128-sha256-x25519-ke1_ecp256-ke1_none",
	 {.without_addke = true},
	 NULL,
	 "it knows no IKE_INTERMEDIATE, which they need"},
	{ESP,
	 "aes128gcm16-x25519-ke1_ecp256",
	 "aes128gcm16-x25519-ke1_ecp256",
	 {.without_ke = true},
	 "aes128gcm16",
	 NULL},
	/* None beside a first one that is left out. */
	{ESP,
	 "aes128gcm16-none-ke1_ecp256-ke1_none",
	 "aes128gcm16-none-ke1_ecp256-ke1_none",
	 {0},
	 "aes128gcm16",
	 NULL},
	/* Sequence numbers. */
	{ESP, "aes128gcm16-esn-noesn", "aes128gcm16-noesn", {0}, "aes128gcm16", NULL},
	{ESP, "aes128gcm16-esn-noesn", "aes128gcm16-noesn-esn", {0}, "aes128gcm16-esn", NULL},
	{ESP,
	 "aes128gcm16-esn-noesn",
	 "aes128gcm16-noesn-esn",
	 {.peer_order = true},
	 "aes128gcm16",
	 NULL},
	{ESP,
	 "aes128gcm16-esn",
	 "aes128gcm16",
	 {0},
	 NULL,
	 "no common kind of sequence numbers (esn against noesn)"},
};

static void check_choice(size_t i)
{
	struct ike_proposal_list ours = parse(choices[i].protocol, choices[i].ours);
	struct ike_proposal_list theirs = parse(choices[i].protocol, choices[i].theirs);
	char text[512], a[128], b[128], said[512];
	struct ike_suite suite = {0};
	bool chosen = ike_proposal_select(&ours, &theirs, &choices[i].how, &suite);

	assert_int_equal(chosen, choices[i].want != NULL);
	if (chosen) {
		assert_string_equal(ike_suite_text(&suite, text, sizeof(text)), choices[i].want);
	} else {
		snprintf(said, sizeof(said), "configured %s; peer offers %s: %s",
			 ike_proposal_list_text(&ours, a, sizeof(a)),
			 ike_proposal_list_text(&theirs, b, sizeof(b)), choices[i].said);
		assert_string_equal(
			ike_proposal_explain(&ours, &theirs, &choices[i].how, text, sizeof(text)),
			said);
	}
	ike_proposal_list_clear(&ours);
	ike_proposal_list_clear(&theirs);
}

static void test_choices(void **state)
{
	for (size_t i = 0; i < sizeof(choices) / sizeof(choices[0]); i++)
		check_choice(i);
}

/* What the responder answers, the initiator finds legal, and both have the same suite. */
static void check_agreement(size_t i)
{
	struct ike_proposal_list ours = parse(choices[i].protocol, choices[i].ours);
	struct ike_proposal_list theirs = parse(choices[i].protocol, choices[i].theirs);
	bool without_ke = choices[i].how.without_ke;
	struct ike_suite responder, initiator;
	struct ike_header h = {0};
	struct ike_proposal_list answer = {0};
	uint8_t buf[256];
	struct ike_writer w;
	struct ike_error err = {0};
	char a[128], b[128];

	if (ike_proposal_select(&ours, &theirs, &choices[i].how, &responder)) {
		ike_writer_init(&w, buf, sizeof(buf));
		ike_message_begin(&w, &h);
		ike_put_suite(&w, &responder,
			      ike_bytes("1234", choices[i].protocol == ESP ? 4 : 0));
		assert_true(ike_message_end(&w));
		assert_true(
			ike_proposal_list_decode(&answer, ike_bytes(buf + 32, w.len - 32), NULL));
		if (!ike_proposal_verify(&theirs, without_ke, &answer, &initiator, &err))
			fail_msg("row %zu: %s", i, err.text);
		assert_string_equal(ike_suite_text(&initiator, a, sizeof(a)),
				    ike_suite_text(&responder, b, sizeof(b)));
		assert_int_equal(initiator.ke, responder.ke);
	}
	ike_proposal_list_clear(&answer);
	ike_proposal_list_clear(&ours);
	ike_proposal_list_clear(&theirs);
}

static void test_agreement(void **state)
{
	for (size_t i = 0; i < sizeof(choices) / sizeof(choices[0]); i++)
		check_agreement(i);
}

/* A suite agreed on under one list is allowed under another only if one proposal has all of it. */
static void test_allows(void **state)
{
	static const struct {
		const char *list, *suite;
		bool allowed;
	} cases[] = {
		{"aes128gcm16-prfsha256-x25519", "aes128gcm16-prfsha256-x25519", true},
		{"aes256gcm16-prfsha256-x25519", "aes128gcm16-prfsha256-x25519", false},
		{"aes128gcm16-prfsha256-x25519-ecp256", "aes128gcm16-prfsha256-ecp256", true},
		{"aes128gcm16-prfsha256-ecp256", "aes128gcm16-prfsha256-x25519", false},
		{"aes128gcm16-prfsha512-x25519", "aes128gcm16-prfsha256-x25519", false},
		{"aes128-sha256-x25519,aes256-sha512-ecp521", "aes256-sha512-ecp521", true},
		/* Its parts are all there, but in two proposals. */
		{"aes128-sha256-x25519,aes256-sha512-ecp521", "aes256-sha256-x25519", false},
		{"aes128-sha256-x25519", "aes128gcm16-prfsha256-x25519", false},
		{"aes128gcm16-prfsha256-x25519", "aes128-sha256-x25519", false},
	};
	const struct ike_select how = {0};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ike_proposal_list list = parse(IKE, cases[i].list);
		struct ike_proposal_list one = parse(IKE, cases[i].suite);
		struct ike_suite suite;

		assert_true(ike_proposal_select(&one, &one, &how, &suite));
		assert_int_equal(ike_proposal_allows(&list, &suite), cases[i].allowed);
		suite.protocol = IKE_PROTO_ESP;
		assert_false(ike_proposal_allows(&list, &suite));
		ike_proposal_list_clear(&list);
		ike_proposal_list_clear(&one);
	}
}

static void bad_answer(const struct ike_proposal_list *offered, bool without_ke, const char *answer,
		       uint8_t number, const char *text)
{
	struct ike_proposal_list list = parse(ESP, answer);
	struct ike_suite suite;
	struct ike_error err;

	list.items[0].number = number;
	assert_false(ike_proposal_verify(offered, without_ke, &list, &suite, &err));
	assert_string_equal(err.text, text);
	assert_int_equal(err.notify, IKE_NOTIFY_NO_PROPOSAL_CHOSEN);
	ike_proposal_list_clear(&list);
}

static void test_bad_answers(void **state)
{
	struct ike_proposal_list offered = parse(ESP, "aes128gcm16-x25519-ecp256,aes256gcm16");
	struct ike_proposal_list ike = parse(IKE, "aes256gcm16-prfsha256-x25519"), one = {0};
	struct ike_suite suite;
	struct ike_error err;

	bad_answer(&offered, false, "aes128gcm16-x25519", 3,
		   "peer's choice of proposal: number 3 was not offered");
	bad_answer(&offered, false, "aes128gcm16-x25519", 0,
		   "peer's choice of proposal: number 0 was not offered");
	bad_answer(&offered, false, "aes256gcm16-x25519", 1,
		   "peer's choice of proposal: we did not offer aes256gcm16");
	bad_answer(&offered, false, "aes256gcm16-x25519", 2,
		   "peer's choice of proposal: we did not offer x25519");
	bad_answer(&offered, false, "aes128gcm16-x25519-esn", 1,
		   "peer's choice of proposal: we did not offer esn");
	bad_answer(&offered, false, "aes128gcm16-x25519-ecp256", 1,
		   "peer's choice of proposal: more than one of a type: ecp256");
	bad_answer(&offered, false, "aes128gcm16", 1, "peer's choice of proposal: no key exchange");
	bad_answer(&offered, true, "aes128gcm16-x25519", 1,
		   "peer's choice of proposal: we did not offer x25519");
	bad_answer(&offered, false, "aes128gcm16-x25519,aes256gcm16", 1,
		   "peer's choice of proposal: 2 proposals where 1 is needed");
	assert_false(ike_proposal_verify(&offered, false, &ike, &suite, &err));
	assert_string_equal(err.text, "peer's choice of proposal: protocol 1 was not offered");
	assert_false(ike_proposal_verify(&offered, false, &one, &suite, &err));
	assert_string_equal(err.text, "peer's choice of proposal: 0 proposals where 1 is needed");
	ike_proposal_list_clear(&offered);
	ike_proposal_list_clear(&ike);
}

/* RFC 9370 section 2.2.1: a method twice would make one key of two. */
static void test_ke_twice(void **state)
{
	struct ike_proposal_list offered = parse(IKE, "aes128gcm16-prfsha256-x25519-ke1_ecp256-"
						      "ke1_x25519-ke2_ecp256-ke2_ecp384");
	struct ike_proposal_list answer =
		parse(IKE, "aes128gcm16-prfsha256-x25519-ke1_ecp256-ke2_ecp384");
	struct ike_proposal *p = &answer.items[0];
	struct ike_suite suite;
	struct ike_error err;

	assert_true(ike_proposal_verify(&offered, false, &answer, &suite, &err));
	assert_int_equal(suite.addke[0], IKE_KE_ECP_256);
	assert_int_equal(suite.addke[1], IKE_KE_ECP_384);
	p->transforms[4].id = IKE_KE_ECP_256;
	assert_false(ike_proposal_verify(&offered, false, &answer, &suite, &err));
	assert_string_equal(err.text, "peer's choice of proposal: the same key exchange twice: "
				      "ke2_ecp256");
	p->transforms[4].id = IKE_KE_ECP_384;
	p->transforms[3].id = IKE_KE_CURVE25519;
	assert_false(ike_proposal_verify(&offered, false, &answer, &suite, &err));
	assert_string_equal(err.text, "peer's choice of proposal: the same key exchange twice: "
				      "ke1_x25519");
	/* Fewer than were asked for. */
	p->n = 4;
	p->transforms[3].id = IKE_KE_ECP_256;
	assert_false(ike_proposal_verify(&offered, false, &answer, &suite, &err));
	assert_string_equal(err.text, "peer's choice of proposal: no additional key exchange 2");
	ike_proposal_list_clear(&offered);
	ike_proposal_list_clear(&answer);
}

/* 129 transforms: one more than is kept. */
static void test_too_many_transforms(void **state)
{
	struct ike_proposal_list list = {0};
	struct ike_header h = {0};
	static uint8_t buf[4096];
	struct ike_sa_writer sa;
	struct ike_writer w;
	struct ike_error err;

	for (unsigned int n = 128; n <= 129; n++) {
		ike_writer_init(&w, buf, sizeof(buf));
		ike_message_begin(&w, &h);
		ike_sa_begin(&w, &sa);
		ike_proposal_begin(&w, &sa, 1, IKE, ike_bytes(NULL, 0));
		for (unsigned int i = 0; i < n; i++)
			ike_put_transform(&w, &sa, IKE_TRANSFORM_ENCR, 1000 + i, 0);
		ike_proposal_end(&w, &sa);
		ike_sa_end(&w, &sa);
		assert_int_equal(
			ike_proposal_list_decode(&list, ike_bytes(buf + 32, w.len - 32), &err),
			n == 128);
		ike_proposal_list_clear(&list);
	}
	assert_string_equal(err.text, "SA payload: proposal 1: more than 128 transforms");
	assert_int_equal(err.notify, IKE_NOTIFY_INVALID_SYNTAX);
}

/* A text buffer too small for a peer's offer: cut, ended, no byte behind. */
static void test_text_is_cut(void **state)
{
	struct ike_proposal_list list = parse(IKE, "default,default");
	const struct ike_select how = {0};

	for (size_t cap = 1; cap < 700; cap += 13) {
		char *buf = malloc(cap);

		assert_true(strlen(ike_proposal_list_text(&list, buf, cap)) < cap);
		assert_true(strlen(ike_proposal_explain(&list, &list, &how, buf, cap)) < cap);
		free(buf);
	}
	ike_proposal_list_clear(&list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_default),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_failure_keeps_list),
		cmocka_unit_test(test_wire),
		cmocka_unit_test(test_wire_without_ke),
		cmocka_unit_test(test_unknown_transforms),
		cmocka_unit_test(test_foreign_transforms),
		cmocka_unit_test(test_no_esn_at_all),
		cmocka_unit_test(test_choices),
		cmocka_unit_test(test_agreement),
		cmocka_unit_test(test_allows),
		cmocka_unit_test(test_bad_answers),
		cmocka_unit_test(test_ke_twice),
		cmocka_unit_test(test_too_many_transforms),
		cmocka_unit_test(test_text_is_cut),
	};

	return cmocka_run_group_tests_name("ike_proposal", tests, NULL, NULL);
}
