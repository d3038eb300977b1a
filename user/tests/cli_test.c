// SPDX-License-Identifier: MIT
/*
 * What esplane shows of what the daemon tells: for people, as JSON, as columns.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/advice.h"
#include "cli/module.h"
#include "cli/show.h"

static void durations(void **state)
{
	char t[HUMAN_MAX];

	assert_string_equal(human_duration(0, t), "0 seconds");
	assert_string_equal(human_duration(1, t), "1 second");
	assert_string_equal(human_duration(63, t), "1 minute, 3 seconds");
	assert_string_equal(human_duration(3600, t), "1 hour");
	assert_string_equal(human_duration(3605, t), "1 hour");
	assert_string_equal(human_duration(2 * 3600 + 120 + 9, t), "2 hours, 2 minutes");
	assert_string_equal(human_duration(86400 + 3600, t), "1 day, 1 hour");
	assert_string_equal(human_duration(365ull * 86400 * 3 + 86400, t), "3 years, 1 day");
	human_duration(UINT64_MAX, t);
}

static void sizes(void **state)
{
	char t[HUMAN_MAX];

	assert_string_equal(human_bytes(0, t), "0 B");
	assert_string_equal(human_bytes(1023, t), "1023 B");
	assert_string_equal(human_bytes(1024, t), "1.0 KiB");
	assert_string_equal(human_bytes(4404019, t), "4.2 MiB"); /* 4404019 / 2^20 = 4.19999 */
	assert_string_equal(human_bytes((1 << 20) - 1, t), "1.0 MiB");
	assert_string_equal(human_bytes(UINT64_MAX, t), "16.0 EiB");
}

/* Sections of list-sa or list-conn, written as VICI would bring them. */
static void put_children_of_home(struct vici_builder *b)
{
	vici_section(b, "child-sas");
	vici_section(b, "net-7");
	vici_str(b, "name", "net");
	vici_str(b, "uniqueid", "7");
	vici_str(b, "state", "INSTALLED");
	vici_str(b, "mode", "TRANSPORT");
	vici_str(b, "protocol", "ESP");
	vici_str(b, "encap", "yes");
	vici_str(b, "spi-in", "c1234567");
	vici_str(b, "spi-out", "00000012");
	vici_str(b, "encr-alg", "AES_GCM_16");
	vici_str(b, "encr-keysize", "256");
	vici_str(b, "bytes-in", "4404019");
	vici_str(b, "packets-in", "5000");
	vici_str(b, "use-in", "3");
	vici_str(b, "bytes-out", "1024");
	vici_str(b, "packets-out", "10");
	vici_str(b, "use-out", "70");
	vici_str(b, "rekey-time", "3000");
	vici_str(b, "install-time", "60");
	vici_list(b, "local-ts");
	vici_item(b, "10.1.0.0/16");
	vici_list_end(b);
	vici_list(b, "remote-ts");
	vici_item(b, "10.2.0.0/16");
	vici_item(b, "10.3.0.0/16");
	vici_list_end(b);
	vici_section_end(b);
	vici_section_end(b);
}

static void put_home(struct vici_builder *b)
{
	vici_section(b, "home");
	vici_str(b, "uniqueid", "3");
	vici_str(b, "state", "ESTABLISHED");
	vici_str(b, "local-host", "192.0.2.1");
	vici_str(b, "local-port", "4500");
	vici_str(b, "local-id", "moon");
	vici_str(b, "remote-host", "2001:db8::2");
	vici_str(b, "remote-port", "4500");
	vici_str(b, "remote-id", "\"sun\"");
	vici_str(b, "remote-eap-id", "carol");
	vici_str(b, "initiator", "yes");
	vici_str(b, "initiator-spi", "0000000000000001");
	vici_str(b, "responder-spi", "0000000000000002");
	vici_str(b, "nat-remote", "yes");
	vici_str(b, "encr-alg", "AES_CBC");
	vici_str(b, "encr-keysize", "128");
	vici_str(b, "integ-alg", "HMAC_SHA2_256_128");
	vici_str(b, "prf-alg", "PRF_HMAC_SHA2_256");
	vici_str(b, "dh-group", "ECP_256");
	vici_str(b, "ake1", "ML_KEM_768");
	vici_str(b, "established", "63");
	vici_str(b, "rekey-time", "13800");
	put_children_of_home(b);
	vici_section_end(b);
}

static void put_office(struct vici_builder *b)
{
	vici_section(b, "office");
	vici_str(b, "uniqueid", "4");
	vici_str(b, "state", "CONNECTING");
	vici_section(b, "child-sas");
	vici_section_end(b);
	vici_section_end(b);
}

static struct vici_node *message_of(void (*put)(struct vici_builder *b))
{
	struct vici_builder b;
	struct vici_packet p;
	struct vici_node *n;
	const char *why;
	uint8_t *packet;
	size_t len;

	vici_begin(&b, VICI_EVENT, "e");
	put(&b);
	packet = vici_finish(&b, &len, &why);
	assert_non_null(packet);
	assert_int_equal(vici_packet_parse(&p, packet + VICI_HEADER_LEN, len - VICI_HEADER_LEN,
					   &why), 0);
	n = vici_tree_parse(p.body, p.body_len, &why);
	free(packet);
	return n;
}

static void add(struct listing *l, void (*put)(struct vici_builder *b))
{
	struct vici_node *message = message_of(put);

	listing_add(l, "list-sa", message);
	vici_tree_free(message);
}

/* Runs @show with a stream and compares what it wrote. */
#define SHOWS(expected, show)							\
	do {									\
		char *text;							\
		size_t len;							\
		FILE *out = open_memstream(&text, &len);			\
		struct page page = { .out = out };				\
										\
		(void)page;							\
		show;								\
		fclose(out);							\
		assert_string_equal(text, expected);				\
		free(text);							\
	} while (0)

static void status_for_people(void **state)
{
	struct listing sas = { 0 }, conns = { 0 };

	SHOWS("no connections\n", show_status(&page, &sas, &conns));
	add(&sas, put_home);
	add(&sas, put_office);
	SHOWS("connection: home #3\n"
	      "  state: ESTABLISHED for 1 minute, 3 seconds, as initiator\n"
	      "  local: moon at 192.0.2.1:4500\n"
	      "  remote: \"sun\" at [2001:db8::2]:4500, behind NAT\n"
	      "  user: carol\n"
	      "  cipher: AES_CBC-128, HMAC_SHA2_256_128, PRF_HMAC_SHA2_256, ECP_256, "
	      "ML_KEM_768\n"
	      "  next rekey: in 3 hours, 50 minutes\n"
	      "  child: net #7\n"
	      "    state: INSTALLED for 1 minute\n"
	      "    traffic: 10.1.0.0/16 <=> 10.2.0.0/16, 10.3.0.0/16\n"
	      "    packets: ESP in UDP, transport mode, SPI c1234567 in, 00000012 out\n"
	      "    cipher: AES_GCM_16-256\n"
	      "    transfer: 4.2 MiB received, 1.0 KiB sent\n"
	      "    latest packet: 3 seconds ago\n"
	      "    next rekey: in 50 minutes\n"
	      "\n"
	      "connection: office #4\n"
	      "  state: CONNECTING\n", show_status(&page, &sas, &conns));
	listing_free(&sas);
	/* a connection without an SA is shown too, one with an SA once */
	add(&conns, put_home);
	add(&conns, put_office);
	add(&sas, put_office);
	SHOWS("connection: office #4\n"
	      "  state: CONNECTING\n"
	      "\n"
	      "connection: home\n"
	      "  state: down\n", show_status(&page, &sas, &conns));
	listing_free(&sas);
	listing_free(&conns);
}

static void labels_are_bold_on_a_terminal(void **state)
{
	SHOWS("  \033[1mchild:\033[0m net\n",
	      page.color = true; page_line(&page, 2, "child", "%s", "net"));
}

static void status_as_json(void **state)
{
	struct listing sas = { 0 };

	SHOWS("{\"sas\": []}\n", show_json(out, &sas));
	add(&sas, put_home);
	add(&sas, put_office);
	SHOWS("{\"sas\": [{\"name\": \"home\", \"uniqueid\": 3, \"state\": \"ESTABLISHED\", "
	      "\"local-host\": \"192.0.2.1\", \"local-port\": 4500, \"local-id\": \"moon\", "
	      "\"remote-host\": \"2001:db8::2\", \"remote-port\": 4500, "
	      "\"remote-id\": \"\\\"sun\\\"\", \"remote-eap-id\": \"carol\", "
	      "\"initiator\": true, "
	      "\"initiator-spi\": \"0000000000000001\", \"responder-spi\": \"0000000000000002\", "
	      "\"nat-remote\": true, \"encr-alg\": \"AES_CBC\", \"encr-keysize\": 128, "
	      "\"integ-alg\": \"HMAC_SHA2_256_128\", \"prf-alg\": \"PRF_HMAC_SHA2_256\", "
	      "\"dh-group\": \"ECP_256\", \"ake1\": \"ML_KEM_768\", \"established\": 63, \"rekey-time\": 13800, "
	      "\"children\": [{\"name\": \"net\", \"uniqueid\": 7, \"state\": \"INSTALLED\", "
	      "\"mode\": \"TRANSPORT\", "
	      "\"protocol\": \"ESP\", \"encap\": true, \"spi-in\": \"c1234567\", "
	      "\"spi-out\": \"00000012\", \"encr-alg\": \"AES_GCM_16\", \"encr-keysize\": 256, "
	      "\"bytes-in\": 4404019, \"packets-in\": 5000, \"use-in\": 3, \"bytes-out\": 1024, "
	      "\"packets-out\": 10, \"use-out\": 70, \"rekey-time\": 3000, \"install-time\": 60, "
	      "\"local-ts\": [\"10.1.0.0/16\"], \"remote-ts\": [\"10.2.0.0/16\", "
	      "\"10.3.0.0/16\"]}]},\n"
	      " {\"name\": \"office\", \"uniqueid\": 4, \"state\": \"CONNECTING\", "
	      "\"children\": []}]}\n",
	      show_json(out, &sas));
	listing_free(&sas);
}

static void status_as_columns(void **state)
{
	struct listing sas = { 0 };

	add(&sas, put_home);
	add(&sas, put_office);
	SHOWS("ike\thome\t3\tESTABLISHED\t192.0.2.1\t4500\tmoon\t2001:db8::2\t4500\t\"sun\"\tyes\t"
	      "0000000000000001\t0000000000000002\tAES_CBC\t128\tHMAC_SHA2_256_128\t"
	      "PRF_HMAC_SHA2_256\tECP_256\t63\t13800\n"
	      "child\thome\t3\tnet\t7\tINSTALLED\tc1234567\t00000012\tyes\tAES_GCM_16\t256\t(none)"
	      "\t"
	      "4404019\t5000\t3\t1024\t10\t70\t60\t3000\t(none)\t10.1.0.0/16\t"
	      "10.2.0.0/16,10.3.0.0/16\n"
	      "ike\toffice\t4\tCONNECTING\t(none)\t(none)\t(none)\t(none)\t(none)\t(none)\t(none)\t"
	      "(none)\t(none)\t(none)\t(none)\t(none)\t(none)\t(none)\t(none)\t(none)\n",
	      show_dump(out, &sas));
	listing_free(&sas);
}

static void put_stats(struct vici_builder *b)
{
	vici_section(b, "ike");
	vici_str(b, "received", "12");
	vici_str(b, "refused", "0");
	vici_section_end(b);
	vici_section(b, "drops");
	vici_section(b, "REPLAY");
	vici_str(b, "count", "3");
	vici_str(b, "meaning", "sequence number already seen");
	vici_section_end(b);
	vici_section(b, "NO_SA");
	vici_str(b, "count", "0");
	vici_str(b, "meaning", "no SA for this SPI");
	vici_section_end(b);
	vici_section_end(b);
}

static void put_module_stats(struct vici_builder *b)
{
	vici_section(b, "esp");
	vici_str(b, "sas", "2");
	vici_str(b, "packets-in", "5000");
	vici_str(b, "bytes-in", "4404019");
	vici_str(b, "packets-out", "0");
	vici_section_end(b);
	vici_section(b, "drops");
	vici_section(b, "GREMLIN");
	vici_str(b, "count", "1");
	vici_str(b, "meaning", "a gremlin ate it");
	vici_section_end(b);
	vici_section_end(b);
}

static void put_nothing(struct vici_builder *b)
{
}

static void statistics(void **state)
{
	struct vici_node *n = message_of(put_stats);

	SHOWS("received: 12 IKE messages\n"
	      "REPLAY: 3 packets dropped: sequence number already seen\n"
	      "  look at: few: the network duplicates packets; many: someone replays, or the peer "
	      "counts anew\n", show_stats(&page, n));
	SHOWS("{\"ike\": {\"received\": 12, \"refused\": 0}, \"drops\": {\"REPLAY\": "
	      "{\"count\": 3, \"meaning\": \"sequence number already seen\"}, \"NO_SA\": "
	      "{\"count\": 0, \"meaning\": \"no SA for this SPI\"}}}",
	      show_json_section(out, n));
	vici_tree_free(n);
	n = message_of(put_module_stats);
	/* a reason that only a newer module knows has a meaning all the same */
	SHOWS("decrypted: 5000 ESP packets, 4.2 MiB\n"
	      "GREMLIN: 1 packet dropped: a gremlin ate it\n", show_stats(&page, n));
	vici_tree_free(n);
	n = message_of(put_nothing);
	SHOWS("all counters are zero\n", show_stats(&page, n));
	vici_tree_free(n);
}

/* The module's list of reasons, as its source has it: X(NAME, "meaning") a line. */
static void every_reason_has_advice(void **state)
{
	FILE *f = fopen("../kernel/drop.h", "r");
	unsigned int n = 0, lines = 0;
	char line[256], name[64];

	if (!f)
		skip();
	while (fgets(line, sizeof(line), f)) {
		lines += !strncmp(line, "\tX(", 3);
		if (sscanf(line, "\tX(%63[A-Z_0-9],", name) != 1)
			continue;
		if (!advice_for(name))
			fail_msg("cli/advice.c has nothing for %s", name);
		n++;
	}
	fclose(f);
	assert_true(n > 0);
	assert_int_equal(n, lines);
	assert_null(advice_for("GREMLIN"));
}

static struct dp_addr v4(uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
	return (struct dp_addr){ 4, { a, b, c, d } };
}

/* 10.1.0.0/24 to 10.2.0.0 - 10.2.0.9 */
static struct dp_selector selector(uint32_t protocol)
{
	return (struct dp_selector){
		.src_first = v4(10, 1, 0, 0), .src_last = v4(10, 1, 0, 255),
		.dst_first = v4(10, 2, 0, 0), .dst_last = v4(10, 2, 0, 9),
		.protocol = protocol, .src_port_last = UINT16_MAX, .dst_port_last = UINT16_MAX,
	};
}

static void selectors(void **state)
{
	char text[SELECTOR_TEXT_MAX];
	struct dp_selector s = selector(0);

	assert_string_equal(selector_text(&s, text), "10.1.0.0/24 -> 10.2.0.0-10.2.0.9");
	s = selector(17);
	s.dst_port_first = s.dst_port_last = 53;
	assert_string_equal(selector_text(&s, text),
			    "10.1.0.0/24[udp] -> 10.2.0.0-10.2.0.9[udp/53]");
	s = selector(1);
	assert_string_equal(selector_text(&s, text),
			    "10.1.0.0/24[icmp] -> 10.2.0.0-10.2.0.9[icmp]");
	/* echo request: type 8, code 0, which IKE has in one number (RFC 7296 section 3.13.1) */
	s.src_port_first = s.src_port_last = 8;
	s.dst_port_last = 0;
	assert_string_equal(selector_text(&s, text),
			    "10.1.0.0/24[icmp/8/0] -> 10.2.0.0-10.2.0.9[icmp]");
}

static const struct module_caps caps_of_module = {
	.list = { { 20, 0, "aes-gcm-16" } }, .n = 1,
};

static void sa_for_people(void **state)
{
	struct dp_sa sa = {
		.id = 3, .direction = ESPLANE_DIRECTION_IN, .spi = 0x1000, .encr = 20,
		.key_len = 128, .driver = "rfc4106-gcm-aesni", .flags = ESPLANE_SA_FLAG_ESN,
		.src = v4(192, 0, 2, 2), .dst = v4(192, 0, 2, 1), .replay_window = 1024,
		.encap_sport = 4500, .encap_dport = 61000, .seq = 77, .age = 63, .idle = 3,
		.bytes = 1024, .packets = 1, .soft_bytes = 1 << 20, .hard_bytes = 2 << 20,
		.hard_seconds = 3600, .hard_use_seconds = 60,
		.selectors = { selector(0) }, .n_selectors = 1, .if_id = 7,
		.drops = { { "REPLAY", "sequence number already seen", 4 } }, .n_drops = 1,
	};

	SHOWS("sa: 0x00001000 in #3\n"
	      "  path: 192.0.2.2:4500 -> 192.0.2.1:61000, ESP in UDP\n"
	      "  cipher: aes-gcm-16-128, by rfc4106-gcm-aesni\n"
	      "  traffic: 10.1.0.0/24 -> 10.2.0.0-10.2.0.9\n"
	      "  interface: if_id 7\n"
	      "  sequence: 77, extended, window 1024\n"
	      "  age: 1 minute, 3 seconds\n"
	      "  transfer: 1.0 KiB in 1 packet\n"
	      "  latest packet: 3 seconds ago\n"
	      "  limit of time: end at 1 hour\n"
	      "  limit of use: end at 1 minute\n"
	      "  limit of bytes: rekey at 1.0 MiB, end at 2.0 MiB\n"
	      "  dropped: 4 REPLAY: sequence number already seen\n",
	      show_sad_entry(&page, &sa, &caps_of_module));
	SHOWS("3\tin\t00001000\t192.0.2.2\t192.0.2.1\t4500\t61000\t20\t128\t7\t1024\t77\t"
	      "1024\t1\t63\t3\t0\t3600\t1048576\t2097152\t0\t0\t0\t60\trfc4106-gcm-aesni\t"
	      "10.1.0.0/24 -> 10.2.0.0-10.2.0.9\tREPLAY=4\n", dump_sad_entry(out, &sa));
}

/* Nothing empty is shown; columns are as many as ever. */
static void sa_that_is_new(void **state)
{
	struct dp_sa sa = {
		.id = 4, .direction = ESPLANE_DIRECTION_OUT, .spi = 0x2000, .encr = 99,
		.src = { 16, { 0x20, 1, 0xd, 0xb8, [15] = 1 } },
		.dst = { 16, { 0x20, 1, 0xd, 0xb8, [15] = 2 } }, .idle = UINT64_MAX,
	};

	SHOWS("sa: 0x00002000 out #4\n"
	      "  path: 2001:db8::1 -> 2001:db8::2\n"
	      "  cipher: transform 99, by ?\n"
	      "  sequence: 0\n"
	      "  age: 0 seconds\n", show_sad_entry(&page, &sa, &caps_of_module));
	SHOWS("4\tout\t00002000\t2001:db8::1\t2001:db8::2\t0\t0\t99\t0\t0\t0\t0\t0\t0\t0\t"
	      "(none)\t0\t0\t0\t0\t0\t0\t0\t0\t(none)\t(none)\t(none)\n", dump_sad_entry(out, &sa));
}

/* 00 01 02 ...: @n bytes of it from @first on, in hexadecimal, as a key. */
static const char *bytes_text(unsigned int first, unsigned int n, char *text)
{
	unsigned int i;

	strcpy(text, n ? "0x" : "");
	for (i = 0; i < n; i++)
		sprintf(text + 2 + 2 * i, "%02x", first + i);
	return text;
}

/*
 * Names of algorithms as Wireshark writes them (epan/dissectors/packet-ipsec.c: the strings of
 * esp_encryption_type_vals and esp_authentication_type_vals). Lengths are those of the RFCs that the
 * names mention: the longest key, with its salt; the key of the hash.
 */
static const struct {
	uint32_t encr, integ;		/* IANA */
	unsigned int encr_len, integ_len;
	const char *encr_name, *integ_name;
} wireshark_sas[] = {
	{ 11, 12, 0, 32, "NULL", "HMAC-SHA-256-128 [RFC4868]" },
	{ 11, 13, 0, 48, "NULL", "HMAC-SHA-384-192 [RFC4868]" },
	{ 11, 14, 0, 64, "NULL", "HMAC-SHA-512-256 [RFC4868]" },
	{ 12, 12, 16, 32, "AES-CBC [RFC3602]", "HMAC-SHA-256-128 [RFC4868]" },
	{ 12, 13, 24, 48, "AES-CBC [RFC3602]", "HMAC-SHA-384-192 [RFC4868]" },
	{ 12, 14, 32, 64, "AES-CBC [RFC3602]", "HMAC-SHA-512-256 [RFC4868]" },
	{ 13, 12, 16 + 4, 32, "AES-CTR [RFC3686]", "HMAC-SHA-256-128 [RFC4868]" },
	{ 13, 13, 24 + 4, 48, "AES-CTR [RFC3686]", "HMAC-SHA-384-192 [RFC4868]" },
	{ 13, 14, 32 + 4, 64, "AES-CTR [RFC3686]", "HMAC-SHA-512-256 [RFC4868]" },
	{ 18, 0, 16 + 4, 0, "AES-GCM with 8 octet ICV [RFC4106]", "NULL" },
	{ 19, 0, 24 + 4, 0, "AES-GCM with 12 octet ICV [RFC4106]", "NULL" },
	{ 20, 0, 32 + 4, 0, "AES-GCM with 16 octet ICV [RFC4106]", "NULL" },
	{ 28, 0, 32 + 4, 0, "ChaCha20 with Poly1305 [RFC7634]", "NULL" },
	{ 30, 0, 32 + 4, 0, "AES-GCM with IIV and 16 octet ICV [RFC4106 & RFC8750]", "NULL" },
	{ 31, 0, 32 + 4, 0, "ChaCha20 with Poly1305 and IIV [RFC7634 & RFC8750]", "NULL" },
};

static void keys_for_wireshark(void **state)
{
	struct dp_sa sa = { .spi = 0xc0ffee, .src = v4(192, 0, 2, 2), .dst = v4(192, 0, 2, 1) };
	char expected[1024], encr[256], integ[256];
	uint8_t keymat[ESPLANE_MAX_KEYMAT_LEN];
	size_t i;

	for (i = 0; i < sizeof(keymat); i++)
		keymat[i] = i;
	for (i = 0; i < sizeof(wireshark_sas) / sizeof(*wireshark_sas); i++) {
		sa.encr = wireshark_sas[i].encr;
		sa.integ = wireshark_sas[i].integ;
		sa.keymat.data = keymat;
		sa.keymat.len = wireshark_sas[i].encr_len + wireshark_sas[i].integ_len;
		snprintf(expected, sizeof(expected),
			 "\"IPv4\",\"192.0.2.2\",\"192.0.2.1\",\"0x00c0ffee\",\"%s\",\"%s\",\"%s\",\"%s\"\n",
			 wireshark_sas[i].encr_name, bytes_text(0, wireshark_sas[i].encr_len, encr),
			 wireshark_sas[i].integ_name,
			 bytes_text(wireshark_sas[i].encr_len, wireshark_sas[i].integ_len, integ));
		SHOWS(expected, print_wireshark_sa(out, &sa, &caps_of_module));
	}
}

/* Whole lines, and what Wireshark cannot do: a comment. */
static void keys_not_for_wireshark(void **state)
{
	static const struct module_caps caps = {
		.list = { { 14, 0, "aes-ccm-8" }, { 15, 0, "aes-ccm-12" }, { 16, 0, "aes-ccm-16" },
			  { 21, 0, "aes-gmac" } },
		.n = 4,
	};
	static const uint8_t keymat[20] = "0123456789abcdefSALT";
	struct dp_sa sa = {
		.spi = 0xfedcba98, .encr = 20, .keymat = { keymat, sizeof(keymat) },
		.src = { 16, { 0x20, 1, 0xd, 0xb8, [15] = 1 } },
		.dst = { 16, { 0xfe, 0x80, [15] = 2 } }, .flags = ESPLANE_SA_FLAG_ESN,
	};
	char expected[128];
	size_t i;

	SHOWS("# SPI 0xfedcba98: for its ICVs to be checked, choose 64-bit SN and the ESN High Bits in "
	      "Wireshark\n"
	      "\"IPv6\",\"2001:db8::1\",\"fe80::2\",\"0xfedcba98\","
	      "\"AES-GCM with 16 octet ICV [RFC4106]\",\"0x303132333435363738396162636465665"
	      "3414c54\",\"NULL\",\"\"\n", print_wireshark_sa(out, &sa, &caps));
	for (i = 0; i < caps.n; i++) {
		sa.encr = caps.list[i].encr;
		snprintf(expected, sizeof(expected), "# SPI 0xfedcba98: Wireshark has no %s\n",
			 caps.list[i].name);
		SHOWS(expected, print_wireshark_sa(out, &sa, &caps));
	}
	sa.encr = 99;
	SHOWS("# SPI 0xfedcba98: Wireshark has no transform 99\n",
	      print_wireshark_sa(out, &sa, &caps));
	sa.encr = 12;
	sa.integ = 14;
	SHOWS("# SPI 0xfedcba98: the module gave no keys\n", print_wireshark_sa(out, &sa, &caps));
}

static void policies(void **state)
{
	struct dp_policy policy = {
		.id = 5, .direction = ESPLANE_DIRECTION_OUT, .action = ESPLANE_ACTION_PROTECT,
		.priority = 100, .selectors = { selector(0), selector(17) }, .n_selectors = 2,
	};

	SHOWS("policy: out protect #5\n"
	      "  priority: 100\n"
	      "  traffic: 10.1.0.0/24 -> 10.2.0.0-10.2.0.9\n"
	      "  traffic: 10.1.0.0/24[udp] -> 10.2.0.0-10.2.0.9[udp]\n"
	      "  sa: none yet\n", show_spd_entry(&page, &policy));
	policy.n_selectors = 1;
	policy.sa_id = 3;
	policy.if_id = 7;
	policy.packets = 12;
	SHOWS("policy: out protect #5\n"
	      "  priority: 100\n"
	      "  traffic: 10.1.0.0/24 -> 10.2.0.0-10.2.0.9\n"
	      "  interface: if_id 7\n"
	      "  sa: #3\n"
	      "  packets: 12\n", show_spd_entry(&page, &policy));
	SHOWS("5\tout\tprotect\t100\t3\t7\t12\t10.1.0.0/24 -> 10.2.0.0-10.2.0.9\n",
	      dump_spd_entry(out, &policy));
}

static void put_up(struct vici_builder *b)
{
	vici_str(b, "up", "yes");
	put_home(b);
}

static void put_rekeyed(struct vici_builder *b)
{
	vici_section(b, "home");
	vici_str(b, "uniqueid", "3");
	vici_section(b, "old");
	vici_str(b, "uniqueid", "2");
	vici_section_end(b);
	vici_section(b, "new");
	vici_str(b, "uniqueid", "3");
	vici_section_end(b);
	vici_section(b, "child-sas");
	vici_section(b, "net-7");
	vici_section(b, "old");
	vici_str(b, "uniqueid", "6");
	vici_section_end(b);
	vici_section(b, "new");
	vici_str(b, "name", "net");
	vici_str(b, "uniqueid", "7");
	vici_section_end(b);
	vici_section_end(b);
	vici_section_end(b);
	vici_section_end(b);
}

static void put_log(struct vici_builder *b)
{
	vici_str(b, "msg", "home[3]: sending IKE_AUTH");
}

static void events(void **state)
{
	struct vici_node *up = message_of(put_up), *down = message_of(put_home);
	struct vici_node *rekeyed = message_of(put_rekeyed), *line = message_of(put_log);

	SHOWS("home[3] up: \"sun\" at 2001:db8::2\n", show_event(out, "ike-updown", up));
	SHOWS("home[3] down: \"sun\" at 2001:db8::2\n", show_event(out, "ike-updown", down));
	SHOWS("home[3]/net{7} up: 10.1.0.0/16 <=> 10.2.0.0/16, 10.3.0.0/16\n",
	      show_event(out, "child-updown", up));
	SHOWS("home[3] rekeyed, replaces #2\n", show_event(out, "ike-rekey", rekeyed));
	SHOWS("home[3]/net{7} rekeyed, replaces #6\n", show_event(out, "child-rekey", rekeyed));
	SHOWS("home[3]: sending IKE_AUTH\n", show_event(out, "log", line));
	/* what a newer daemon may send */
	SHOWS("news\n", show_event(out, "news", line));
	SHOWS("ike-updown\n", show_event(out, "ike-updown", line));
	vici_tree_free(up);
	vici_tree_free(down);
	vici_tree_free(rekeyed);
	vici_tree_free(line);
}

static void names(void **state)
{
	static const char args[] = "\3\3ike\0\4home\3\5child\0\3net";
	struct options o = { .argument = "home/net" };
	struct vici_builder b;
	char text[64];

	vici_begin(&b, VICI_CMD_REQUEST, "rekey");
	assert_int_equal(put_names(&b, &o), 0);
	/* behind the header, the packet type and "rekey" with its length: 4 + 1 + 6 bytes */
	assert_int_equal(b.len, 11 + sizeof(args) - 1);
	assert_memory_equal(b.buf + 11, args, sizeof(args) - 1);
	vici_abandon(&b);
	assert_string_equal(names_text(&o, text, sizeof(text)), "home/net");
	o = (struct options){ .ike = "home", .child_id = "7" };
	assert_string_equal(names_text(&o, text, sizeof(text)), "home/#7");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(durations),
		cmocka_unit_test(sizes),
		cmocka_unit_test(status_for_people),
		cmocka_unit_test(labels_are_bold_on_a_terminal),
		cmocka_unit_test(status_as_json),
		cmocka_unit_test(status_as_columns),
		cmocka_unit_test(statistics),
		cmocka_unit_test(every_reason_has_advice),
		cmocka_unit_test(selectors),
		cmocka_unit_test(sa_for_people),
		cmocka_unit_test(sa_that_is_new),
		cmocka_unit_test(keys_for_wireshark),
		cmocka_unit_test(keys_not_for_wireshark),
		cmocka_unit_test(policies),
		cmocka_unit_test(events),
		cmocka_unit_test(names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
