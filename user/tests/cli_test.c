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
	vici_str(b, "initiator", "yes");
	vici_str(b, "initiator-spi", "0000000000000001");
	vici_str(b, "responder-spi", "0000000000000002");
	vici_str(b, "nat-remote", "yes");
	vici_str(b, "encr-alg", "AES_CBC");
	vici_str(b, "encr-keysize", "128");
	vici_str(b, "integ-alg", "HMAC_SHA2_256_128");
	vici_str(b, "prf-alg", "PRF_HMAC_SHA2_256");
	vici_str(b, "dh-group", "ECP_256");
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
	      "  cipher: AES_CBC-128, HMAC_SHA2_256_128, PRF_HMAC_SHA2_256, ECP_256\n"
	      "  next rekey: in 3 hours, 50 minutes\n"
	      "  child: net #7\n"
	      "    state: INSTALLED for 1 minute\n"
	      "    traffic: 10.1.0.0/16 <=> 10.2.0.0/16, 10.3.0.0/16\n"
	      "    packets: ESP in UDP, SPI c1234567 in, 00000012 out\n"
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
	      "\"remote-id\": \"\\\"sun\\\"\", \"initiator\": true, "
	      "\"initiator-spi\": \"0000000000000001\", \"responder-spi\": \"0000000000000002\", "
	      "\"nat-remote\": true, \"encr-alg\": \"AES_CBC\", \"encr-keysize\": 128, "
	      "\"integ-alg\": \"HMAC_SHA2_256_128\", \"prf-alg\": \"PRF_HMAC_SHA2_256\", "
	      "\"dh-group\": \"ECP_256\", \"established\": 63, \"rekey-time\": 13800, "
	      "\"children\": [{\"name\": \"net\", \"uniqueid\": 7, \"state\": \"INSTALLED\", "
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

static void put_nothing(struct vici_builder *b)
{
}

static void statistics(void **state)
{
	struct vici_node *n = message_of(put_stats);

	SHOWS("received: 12 IKE messages\n"
	      "REPLAY: 3 packets dropped: sequence number already seen\n", show_stats(&page, n));
	SHOWS("{\"ike\": {\"received\": 12, \"refused\": 0}, \"drops\": {\"REPLAY\": "
	      "{\"count\": 3, \"meaning\": \"sequence number already seen\"}, \"NO_SA\": "
	      "{\"count\": 0, \"meaning\": \"no SA for this SPI\"}}}",
	      show_json_section(out, n));
	vici_tree_free(n);
	n = message_of(put_nothing);
	SHOWS("all counters are zero\n", show_stats(&page, n));
	vici_tree_free(n);
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
		cmocka_unit_test(events),
		cmocka_unit_test(names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
