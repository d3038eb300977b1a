// SPDX-License-Identifier: MIT
/*
 * VICI on the wire: the encoding example of the protocol's README byte for byte, both ways; every
 * way to break a message; the framing; a server session; the client against a server of bytes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "vici/client.h"
#include "vici/session.h"
#include "vici/vici.h"

/* README "Encoding example" */
static const uint8_t readme_example[] = {
	3, 4, 'k', 'e', 'y', '1', 0, 6, 'v', 'a', 'l', 'u', 'e', '1',
	1, 8, 's', 'e', 'c', 't', 'i', 'o', 'n', '1',
	1, 11, 's', 'u', 'b', '-', 's', 'e', 'c', 't', 'i', 'o', 'n',
	3, 4, 'k', 'e', 'y', '2', 0, 6, 'v', 'a', 'l', 'u', 'e', '2',
	2,
	4, 5, 'l', 'i', 's', 't', '1',
	5, 0, 5, 'i', 't', 'e', 'm', '1',
	5, 0, 5, 'i', 't', 'e', 'm', '2',
	6,
	2,
};

static void build_example(struct vici_builder *b)
{
	vici_str(b, "key1", "value1");
	vici_section(b, "section1");
	vici_section(b, "sub-section");
	vici_fmt(b, "key2", "value%d", 2);
	vici_section_end(b);
	vici_list(b, "list1");
	vici_item(b, "item1");
	vici_item(b, "item2");
	vici_list_end(b);
	vici_section_end(b);
}

static void builds_the_example(void **state)
{
	/* the packet type and name come in front, their length big endian before all */
	static const uint8_t head[] = {0,   0,	 0,  2 + 3 + sizeof(readme_example), 0, 3,
				       'c', 'm', 'd'};
	struct vici_builder b;
	const char *why;
	uint8_t *packet;
	size_t len;

	vici_begin(&b, VICI_CMD_REQUEST, "cmd");
	build_example(&b);
	packet = vici_finish(&b, &len, &why);
	assert_non_null(packet);
	assert_int_equal(len, sizeof(head) + sizeof(readme_example));
	assert_memory_equal(packet, head, sizeof(head));
	assert_memory_equal(packet + sizeof(head), readme_example, sizeof(readme_example));
	free(packet);
}

static void reads_the_example(void **state)
{
	const char *why;
	struct vici_node *root = vici_tree_parse(readme_example, sizeof(readme_example), &why);
	const struct vici_node *section, *list;

	assert_non_null(root);
	assert_string_equal(vici_get(root, "key1"), "value1");
	assert_null(vici_get(root, "section1"));
	assert_null(vici_get(root, "key2"));
	section = vici_child(root, "section1");
	assert_string_equal(vici_get(vici_child(section, "sub-section"), "key2"), "value2");
	list = vici_child(section, "list1");
	assert_int_equal(list->type, VICI_LIST_START);
	assert_string_equal(list->child->value, "item1");
	assert_string_equal(list->child->next->value, "item2");
	assert_null(list->child->next->next);
	assert_null(vici_get(NULL, "key1"));
	vici_tree_free(root);
}

/* A prefix of a valid message may be valid only between the elements of the root section. */
static void a_message_cut_short_is_refused(void **state)
{
	const size_t key1 = 14;
	struct vici_node *root;
	const char *why;
	uint8_t *exact;
	size_t len;

	for (len = 0; len < sizeof(readme_example); len++) {
		/*
		 * a buffer of that very size, so that the sanitizer sees any reading past its end
		 */
		exact = malloc(len + !len);
		memcpy(exact, readme_example, len);
		why = NULL;
		root = vici_tree_parse(exact, len, &why);
		if (len == 0 || len == key1) {
			assert_non_null(root);
		} else {
			assert_null(root);
			assert_non_null(why);
		}
		vici_tree_free(root);
		free(exact);
	}
}

#define REFUSED(said, ...)							\
	do {									\
		static const uint8_t bytes[] = { __VA_ARGS__ };			\
		const char *why = NULL;						\
		assert_null(vici_tree_parse(bytes, sizeof(bytes), &why));	\
		assert_string_equal(why, said);					\
	} while (0)

static void broken_messages_are_refused(void **state)
{
	REFUSED("unknown element type", 0);
	REFUSED("unknown element type", 7);
	REFUSED("section end without a section", 2);
	REFUSED("section or list left open", 1, 1, 's');
	REFUSED("section or list left open", 4, 1, 'l');
	REFUSED("list item outside a list", 5, 0, 1, 'i');
	REFUSED("list item outside a list", 6);
	REFUSED("only items may stand in a list", 4, 1, 'l', 4, 1, 'm', 6, 6);
	REFUSED("only items may stand in a list", 4, 1, 'l', 3, 1, 'k', 0, 0, 6);
	REFUSED("only items may stand in a list", 1, 1, 's', 4, 1, 'l', 2);
	REFUSED("name cut short or with a zero byte", 1);
	REFUSED("name cut short or with a zero byte", 1, 2, 's');
	REFUSED("name cut short or with a zero byte", 3, 2, 'k', 0, 0, 0);
	REFUSED("value cut short", 3, 1, 'k');
	REFUSED("value cut short", 3, 1, 'k', 0);
	REFUSED("value cut short", 3, 1, 'k', 0, 1);
	REFUSED("value cut short", 3, 1, 'k', 0xff, 0xff, 'v');
}

static void nesting_is_bounded(void **state)
{
	uint8_t deep[3 * (VICI_DEPTH_MAX + 1) + VICI_DEPTH_MAX + 1];
	struct vici_builder b;
	struct vici_node *root;
	const char *why;
	size_t i, len;

	for (i = 0; i <= VICI_DEPTH_MAX; i++)
		memcpy(deep + 3 * i, "\1\1s", 3);
	memset(deep + 3 * VICI_DEPTH_MAX, VICI_SECTION_END, VICI_DEPTH_MAX);
	root = vici_tree_parse(deep, 3 * VICI_DEPTH_MAX + VICI_DEPTH_MAX, &why);
	assert_non_null(root);
	vici_tree_free(root);
	memcpy(deep + 3 * VICI_DEPTH_MAX, "\1\1s", 3);
	memset(deep + 3 * (VICI_DEPTH_MAX + 1), VICI_SECTION_END, VICI_DEPTH_MAX + 1);
	assert_null(vici_tree_parse(deep, sizeof(deep), &why));
	assert_string_equal(why, "sections nested too deep");

	vici_begin(&b, VICI_CMD_RESPONSE, NULL);
	for (i = 0; i <= VICI_DEPTH_MAX; i++)
		vici_section(&b, "s");
	assert_null(vici_finish(&b, &len, &why));
	assert_string_equal(why, "sections nested too deep");
}

static void unbuildable(void (*wrong)(struct vici_builder *b), const char *said)
{
	struct vici_builder b;
	const char *why;
	size_t len;

	vici_begin(&b, VICI_CMD_RESPONSE, NULL);
	wrong(&b);
	/* later steps do not hide the first fault */
	vici_str(&b, "key", "value");
	assert_null(vici_finish(&b, &len, &why));
	assert_string_equal(why, said);
	assert_null(b.buf);
}

static void key_in_list(struct vici_builder *b)
{
	vici_list(b, "l");
	vici_str(b, "k", "v");
	vici_list_end(b);
}

static void long_name(struct vici_builder *b)
{
	char name[VICI_NAME_MAX + 2];

	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	vici_str(b, name, "v");
}

static void long_value(struct vici_builder *b)
{
	static const uint8_t value[VICI_VALUE_MAX + 1];

	vici_value(b, "k", value, sizeof(value));
}

static void long_message(struct vici_builder *b)
{
	static const uint8_t value[VICI_VALUE_MAX];
	int i;

	for (i = 0; i < VICI_SEGMENT_MAX / VICI_VALUE_MAX; i++)
		vici_value(b, "k", value, sizeof(value));
}

static void open_section(struct vici_builder *b)
{
	vici_section(b, "s");
}

static void list_in_list(struct vici_builder *b)
{
	vici_list(b, "l");
	vici_list(b, "m");
}

static void section_in_list(struct vici_builder *b)
{
	vici_list(b, "l");
	vici_section(b, "m");
}

static void item_outside(struct vici_builder *b)
{
	vici_item(b, "i");
}

static void list_end_outside(struct vici_builder *b)
{
	vici_list_end(b);
}

static void end_outside(struct vici_builder *b)
{
	vici_section_end(b);
}

static void what_cannot_be_built(void **state)
{
	unbuildable(key_in_list, "key inside a list");
	unbuildable(long_name, "name longer than 255 bytes");
	unbuildable(long_value, "value longer than 65535 bytes");
	unbuildable(long_message, "message longer than a VICI segment may be");
	unbuildable(open_section, "section or list left open");
	unbuildable(list_in_list, "list inside a list");
	unbuildable(section_in_list, "section inside a list");
	unbuildable(item_outside, "list item outside a list");
	unbuildable(list_end_outside, "list end without a list");
	unbuildable(end_outside, "section end without a section");
}

static void packets(void **state)
{
	static const uint8_t request[] = { VICI_CMD_REQUEST, 3, 'c', 'm', 'd', 'x' };
	static const uint8_t response[] = { VICI_CMD_RESPONSE, 'x', 'y' };
	struct vici_packet p;
	const char *why;

	assert_int_equal(vici_packet_parse(&p, request, sizeof(request), &why), 0);
	assert_int_equal(p.type, VICI_CMD_REQUEST);
	assert_string_equal(p.name, "cmd");
	assert_int_equal(p.body_len, 1);
	assert_int_equal(vici_packet_parse(&p, response, sizeof(response), &why), 0);
	assert_string_equal(p.name, "");
	assert_int_equal(p.body_len, 2);
	assert_int_equal(vici_packet_parse(&p, request, 0, &why), -1);
	assert_string_equal(why, "empty packet");
	assert_int_equal(vici_packet_parse(&p, request, 1, &why), -1);
	assert_string_equal(why, "packet name cut short or with a zero byte");
	assert_int_equal(vici_packet_parse(&p, request, 4, &why), -1);
	assert_int_equal(vici_packet_parse(&p, (const uint8_t *)"\x08", 1, &why), -1);
	assert_string_equal(why, "unknown packet type");
}

static void framing(void **state)
{
	static const uint8_t stream[] = { 0, 0, 0, 2, 'a', 'b', 0, 0, 0, 0, 0, 0, 0, 1, 'c' };
	static const uint8_t huge[] = { 0, 8, 0, 1 };	/* 512 KiB and one */
	struct vici_framer f;
	const uint8_t *segment;
	const char *why;
	char got[32] = "";
	size_t i, len;

	vici_framer_init(&f);
	/* nothing has come yet */
	assert_int_equal(vici_framer_next(&f, &segment, &len, &why), 0);
	for (i = 0; i < sizeof(stream); i++) {	/* byte by byte: the worst of streams */
		assert_int_equal(vici_framer_feed(&f, stream + i, 1), 0);
		while (vici_framer_next(&f, &segment, &len, &why) > 0)
			sprintf(got + strlen(got), "[%.*s]", (int)len, (const char *)segment);
	}
	assert_string_equal(got, "[ab][][c]");
	assert_int_equal(vici_framer_feed(&f, huge, sizeof(huge)), 0);
	assert_int_equal(vici_framer_next(&f, &segment, &len, &why), -1);
	assert_string_equal(why, "segment longer than 512 KiB");
	/* the promise of 512 KiB costs nothing before the bytes are here */
	assert_true(f.cap < 4096);
	vici_framer_free(&f);
}

/* A server whose commands are: "now" answers at once, "later" when told, "echo" gives back key. */
struct server {
	struct vici_session *session;
	uint8_t out[4096];
	size_t out_len;
	char log[256];
};

static bool on_command(void *host, struct vici_session *s, const char *name,
		       const struct vici_node *args)
{
	struct server *server = host;
	struct vici_builder b;

	sprintf(server->log + strlen(server->log), "%s ", name);
	if (!strcmp(name, "now"))
		vici_session_reply_ok(s);
	if (!strcmp(name, "fail"))
		vici_session_reply_error(s, "no such %s", vici_get(args, "key"));
	if (!strcmp(name, "echo")) {
		vici_reply_begin(&b);
		vici_str(&b, "key", vici_get(args, "key"));
		vici_session_reply(s, &b);
	}
	if (!strcmp(name, "wrong")) {
		vici_reply_begin(&b);
		vici_section_end(&b);
		vici_session_reply(s, &b);
	}
	return strcmp(name, "absent");
}

static void on_output(void *host, struct vici_session *s, uint8_t *data, size_t len)
{
	struct server *server = host;

	assert_true(server->out_len + len <= sizeof(server->out));
	memcpy(server->out + server->out_len, data, len);
	server->out_len += len;
	free(data);
}

static const struct vici_session_ops ops = { .command = on_command, .output = on_output };

static int start(void **state)
{
	struct server *s = calloc(1, sizeof(*s));

	s->session = vici_session_new(&ops, s);
	*state = s;
	return 0;
}

static int stop(void **state)
{
	struct server *s = *state;

	vici_session_free(s->session);
	free(s);
	return 0;
}

static int give(struct server *s, enum vici_packet_type type, const char *name, const char *key)
{
	struct vici_builder b;
	const char *why;
	uint8_t *packet;
	size_t len;
	int result;

	vici_begin(&b, type, name);
	if (key)
		vici_str(&b, "key", key);
	packet = vici_finish(&b, &len, &why);
	result = vici_session_input(s->session, packet, len, &why);
	free(packet);
	return result;
}

/* What came out, taken away: packets as "TYPE:body" in order. */
#define CAME(s, bytes)								\
	do {									\
		assert_int_equal((s)->out_len, sizeof(bytes) - 1);		\
		assert_memory_equal((s)->out, bytes, sizeof(bytes) - 1);	\
		(s)->out_len = 0;						\
	} while (0)

#define OK "\0\0\0\x0f\1" "\3\7success\0\3yes"

static void session_answers(void **state)
{
	struct server *s = *state;

	assert_int_equal(give(s, VICI_CMD_REQUEST, "now", NULL), 0);
	CAME(s, OK);
	assert_int_equal(give(s, VICI_CMD_REQUEST, "echo", "v"), 0);
	CAME(s, "\0\0\0\x09\1" "\3\3key\0\1v");
	assert_int_equal(give(s, VICI_CMD_REQUEST, "fail", "thing"), 0);
	CAME(s, "\0\0\0\x25\1" "\3\7success\0\2no" "\3\6errmsg\0\x0dno such thing");
	assert_int_equal(give(s, VICI_CMD_REQUEST, "absent", NULL), 0);
	CAME(s, "\0\0\0\1\2");
	assert_int_equal(give(s, VICI_CMD_REQUEST, "wrong", NULL), 0);
	assert_memory_equal(s->out + 5, "\3\7success\0\2no", 13);
}

static void session_keeps_order(void **state)
{
	struct server *s = *state;

	give(s, VICI_CMD_REQUEST, "later", NULL);
	give(s, VICI_CMD_REQUEST, "now", NULL);
	give(s, VICI_CMD_REQUEST, "later", NULL);
	assert_string_equal(s->log, "later ");
	assert_true(vici_session_busy(s->session));
	assert_int_equal(s->out_len, 0);
	vici_session_reply_ok(s->session);
	CAME(s, OK OK);
	assert_string_equal(s->log, "later now later ");
	vici_session_reply_ok(s->session);
	CAME(s, OK);
	assert_false(vici_session_busy(s->session));
}

static void session_events(void **state)
{
	struct server *s = *state;
	struct vici_builder b;

	vici_event_begin(&b, VICI_EV_IKE_UPDOWN);
	vici_str(&b, "up", "yes");
	vici_session_event(s->session, VICI_EV_IKE_UPDOWN, &b);
	assert_int_equal(s->out_len, 0);
	give(s, VICI_EVENT_REGISTER, "ike-updown", NULL);
	CAME(s, "\0\0\0\1\5");
	give(s, VICI_EVENT_REGISTER, "no-such-event", NULL);
	CAME(s, "\0\0\0\1\6");
	assert_true(vici_session_wants(s->session, VICI_EV_IKE_UPDOWN));
	vici_session_event(s->session, VICI_EV_IKE_UPDOWN, &b);
	vici_session_event(s->session, VICI_EV_IKE_UPDOWN, &b);
#define EVENT "\0\0\0\x15\7\x0aike-updown" "\3\2up\0\3yes"
	CAME(s, EVENT EVENT);
	/* events pass a command that is under way */
	give(s, VICI_CMD_REQUEST, "later", NULL);
	vici_session_event(s->session, VICI_EV_IKE_UPDOWN, &b);
	CAME(s, EVENT);
	vici_session_reply_ok(s->session);
	CAME(s, OK);
	give(s, VICI_EVENT_UNREGISTER, "ike-updown", NULL);
	CAME(s, "\0\0\0\1\5");
	vici_session_event(s->session, VICI_EV_IKE_UPDOWN, &b);
	assert_int_equal(s->out_len, 0);
	vici_abandon(&b);
}

static void session_refuses(void **state)
{
	struct server *s = *state;
	const char *why = NULL;

	assert_int_equal(give(s, VICI_CMD_RESPONSE, NULL, NULL), -1);
	/* once broken, broken for good */
	assert_int_equal(vici_session_input(s->session, (const uint8_t *)"", 0, &why), -1);
	assert_string_equal(why, "packet type that only a server sends");
}

static void session_refuses_a_broken_message(void **state)
{
	static const uint8_t bytes[] = { 0, 0, 0, 6, VICI_CMD_REQUEST, 3, 'n', 'o', 'w', 2 };
	struct server *s = *state;
	const char *why = NULL;

	assert_int_equal(vici_session_input(s->session, bytes, sizeof(bytes), &why), -1);
	assert_string_equal(why, "section end without a section");
	assert_string_equal(s->log, "");
}

static void session_bounds_what_waits(void **state)
{
	static const uint8_t zeros[VICI_SEGMENT_MAX];
	struct server *s = *state;
	const char *why = NULL;
	int i;

	give(s, VICI_CMD_REQUEST, "later", NULL);
	for (i = 0; i < 4; i++)
		assert_int_equal(vici_session_input(s->session, zeros, sizeof(zeros), &why), 0);
	assert_int_equal(vici_session_input(s->session, zeros, 1, &why), -1);
	assert_string_equal(why, "too many requests behind one that is under way");
}

static void count_event(void *arg, const char *event, struct vici_node *message)
{
	assert_string_equal(event, "log");
	assert_string_equal(vici_get(message, "msg"), "hi");
	++*(int *)arg;
}

/* The server's bytes are in the socket before the client asks: the order is the protocol's. */
static struct vici_client *client_with(const void *bytes, size_t len)
{
	int fd[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
	assert_int_equal(write(fd[1], bytes, len), len);
	shutdown(fd[1], SHUT_WR);
	/* kept open so that the client can write; closed with the test */
	return vici_client_new(fd[0]);
}

#define CLIENT_WITH(bytes) client_with(bytes, sizeof(bytes) - 1)

static struct vici_node *ask(struct vici_client *c, int *events, char *error)
{
	struct vici_builder b;

	vici_begin(&b, VICI_CMD_REQUEST, "version");
	return vici_request(c, &b, count_event, events, error);
}

#define LOG_HI "\0\0\0\x0e\7\3log" "\3\3msg\0\2hi"

static void client_asks(void **state)
{
	struct vici_client *c = CLIENT_WITH("\0\0\0\1\5" LOG_HI LOG_HI OK LOG_HI);
	char error[VICI_ERROR_LEN] = "";
	struct vici_node *reply;
	int events = 0;

	assert_int_equal(vici_register(c, "log", error), 0);
	reply = ask(c, &events, error);
	assert_non_null(reply);
	assert_string_equal(vici_get(reply, "success"), "yes");
	assert_int_equal(events, 2);
	vici_tree_free(reply);
	assert_int_equal(vici_wait(c, count_event, &events, error), 0);
	assert_int_equal(events, 3);
	vici_client_free(c);
}

static void client_fails(const void *bytes, size_t len, const char *said)
{
	struct vici_client *c = client_with(bytes, len);
	char error[VICI_ERROR_LEN] = "";
	int events = 0;

	assert_null(ask(c, &events, error));
	assert_string_equal(error, said);
	vici_client_free(c);
}

#define CLIENT_FAILS(bytes, said) client_fails(bytes, sizeof(bytes) - 1, said)

static void client_says_what_failed(void **state)
{
	char error[VICI_ERROR_LEN];
	struct vici_client *c;

	CLIENT_FAILS("", "esplaned closed the connection before it answered");
	CLIENT_FAILS("\0\0\0\1\2", "the daemon does not know this command");
	CLIENT_FAILS("\0\0\0\1\5", "the daemon answered with a packet that is no answer");
	CLIENT_FAILS("\0\0\0\2\1\2", "the reply is malformed: section end without a section");
	CLIENT_FAILS("\0\0\0\1\x09", "esplaned sent what is not VICI: unknown packet type");
	CLIENT_FAILS("\x7f\0\0\1", "esplaned sent what is not VICI: segment longer than 512 KiB");
	CLIENT_FAILS("\0\0\0\6\7\3log\2", "event log is malformed: section end without a section");
	c = CLIENT_WITH("\0\0\0\1\6");
	assert_int_equal(vici_register(c, "log", error), -1);
	assert_string_equal(error, "the daemon knows no event log");
	vici_client_free(c);
	assert_null(vici_connect("unix:///nonexistent/vici.sock", error));
	assert_string_equal(error,
			    "cannot reach esplaned at /nonexistent/vici.sock: there is no such "
			    "socket; is esplaned running? Start it with: systemctl start esplaned");
	assert_null(vici_connect("tcp://localhost", error));
	assert_string_equal(error, "tcp://localhost: not unix:// and an absolute path of less than "
				   "108 bytes");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(builds_the_example),
		cmocka_unit_test(reads_the_example),
		cmocka_unit_test(a_message_cut_short_is_refused),
		cmocka_unit_test(broken_messages_are_refused),
		cmocka_unit_test(nesting_is_bounded),
		cmocka_unit_test(what_cannot_be_built),
		cmocka_unit_test(packets),
		cmocka_unit_test(framing),
		cmocka_unit_test_setup_teardown(session_answers, start, stop),
		cmocka_unit_test_setup_teardown(session_keeps_order, start, stop),
		cmocka_unit_test_setup_teardown(session_events, start, stop),
		cmocka_unit_test_setup_teardown(session_refuses, start, stop),
		cmocka_unit_test_setup_teardown(session_refuses_a_broken_message, start, stop),
		cmocka_unit_test_setup_teardown(session_bounds_what_waits, start, stop),
		cmocka_unit_test(client_asks),
		cmocka_unit_test(client_says_what_failed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
