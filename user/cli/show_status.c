// SPDX-License-Identifier: MIT
/* SAs for people: nothing empty, nothing secret, times and sizes in words. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "show.h"

enum { TEXT_MAX = 1024 };

uint64_t get_number(const struct vici_node *n, const char *key)
{
	const char *text = vici_get(n, key);

	return text ? strtoull(text, NULL, 10) : 0;
}

const char *get_or(const struct vici_node *n, const char *key, const char *none)
{
	const char *text = vici_get(n, key);

	return text && *text ? text : none;
}

/* Appends to a text of TEXT_MAX bytes; what does not fit is cut. */
static void append(char *text, const char *separator, const char *what)
{
	size_t len = strlen(text);

	snprintf(text + len, TEXT_MAX - len, "%s%s", len ? separator : "", what);
}

static const char *items(const struct vici_node *n, const char *key, char *text)
{
	const struct vici_node *list = vici_child(n, key), *i;

	*text = '\0';
	for (i = list ? list->child : NULL; i; i = i->next)
		append(text, ", ", i->value);
	return *text ? text : "none";
}

/* "AES_GCM_16-256, PRF_HMAC_SHA2_384, ECP_384" */
static const char *suite(const struct vici_node *n, char *text)
{
	static const char *const keys[] = {
		"integ-alg", "prf-alg", "dh-group", "ake1", "ake2", "ake3", "ake4", "ake5", "ake6",
		"ake7",
	};
	size_t i;

	*text = '\0';
	append(text, "", get_or(n, "encr-alg", ""));
	if (vici_get(n, "encr-keysize")) {
		append(text, "-", vici_get(n, "encr-keysize"));
	}
	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (vici_get(n, keys[i]))
			append(text, ", ", vici_get(n, keys[i]));
	return text;
}

static void show_suite(const struct page *p, int indent, const struct vici_node *n)
{
	char text[TEXT_MAX];

	if (vici_get(n, "encr-alg"))
		page_line(p, indent, "cipher", "%s%s%s", suite(n, text),
			  vici_get(n, "esn") ? ", ESN" : "", vici_get(n, "ppk") ? ", PPK" : "");
}

static void show_next_rekey(const struct page *p, int indent, const struct vici_node *n)
{
	char text[HUMAN_MAX];

	if (vici_get(n, "rekey-time"))
		page_line(p, indent, "next rekey", "in %s",
			  human_duration(get_number(n, "rekey-time"), text));
}

/* "moon.example.org at 192.0.2.1:4500, behind NAT" */
static void show_end(const struct page *p, const struct vici_node *sa, const char *end)
{
	char key[16], id[TEXT_MAX], host[TEXT_MAX];
	const char *nat;
	bool v6;

	snprintf(key, sizeof(key), "%s-id", end);
	snprintf(id, sizeof(id), "%s", get_or(sa, key, "%any"));
	snprintf(key, sizeof(key), "%s-host", end);
	if (!vici_get(sa, key))
		return;
	v6 = !!strchr(vici_get(sa, key), ':');
	snprintf(host, sizeof(host), v6 ? "[%s]" : "%s", vici_get(sa, key));
	snprintf(key, sizeof(key), "nat-%s", end);
	nat = vici_get(sa, key) ? ", behind NAT" : "";
	snprintf(key, sizeof(key), "%s-port", end);
	page_line(p, 2, end, "%s at %s:%s%s", id, host, get_or(sa, key, "?"), nat);
}

static void show_transfer(const struct page *p, const struct vici_node *child)
{
	uint64_t in = get_number(child, "bytes-in"), out = get_number(child, "bytes-out");
	char received[HUMAN_MAX], sent[HUMAN_MAX];

	if (in || out)
		page_line(p, 4, "transfer", "%s received, %s sent", human_bytes(in, received),
			  human_bytes(out, sent));
}

static void show_latest(const struct page *p, const struct vici_node *child)
{
	bool in = !!vici_get(child, "use-in"), out = !!vici_get(child, "use-out");
	uint64_t idle_in = in ? get_number(child, "use-in") : UINT64_MAX;
	uint64_t idle_out = out ? get_number(child, "use-out") : UINT64_MAX;
	char text[HUMAN_MAX];

	if (in || out)
		page_line(p, 4, "latest packet", "%s ago",
			  human_duration(idle_in < idle_out ? idle_in : idle_out, text));
}

static void show_child(const struct page *p, const struct vici_node *child)
{
	char local[TEXT_MAX], remote[TEXT_MAX], age[HUMAN_MAX];
	const char *state = get_or(child, "state", "?");

	page_line(p, 2, "child", "%s #%s", get_or(child, "name", child->name),
		  get_or(child, "uniqueid", "?"));
	if (strcmp(state, "INSTALLED"))
		page_line(p, 4, "state", "%s", state);
	else
		page_line(p, 4, "state", "INSTALLED for %s",
			  human_duration(get_number(child, "install-time"), age));
	page_line(p, 4, "traffic", "%s <=> %s", items(child, "local-ts", local),
		  items(child, "remote-ts", remote));
	page_line(p, 4, "packets", "%s%s%s, SPI %s in, %s out", get_or(child, "protocol", "ESP"),
		  vici_get(child, "encap") ? " in UDP" : "",
		  !strcmp(get_or(child, "mode", ""), "TRANSPORT") ? ", transport mode" : "",
		  get_or(child, "spi-in", "?"), get_or(child, "spi-out", "?"));
	show_suite(p, 4, child);
	show_transfer(p, child);
	show_latest(p, child);
	show_next_rekey(p, 4, child);
}

static void show_sa(const struct page *p, const struct vici_node *sa)
{
	const struct vici_node *children = vici_child(sa, "child-sas"), *child;
	const char *state = get_or(sa, "state", "?");
	char age[HUMAN_MAX];

	page_line(p, 0, "connection", "%s #%s", sa->name, get_or(sa, "uniqueid", "?"));
	if (vici_get(sa, "established"))
		page_line(p, 2, "state", "%s for %s, as %s", state,
			  human_duration(get_number(sa, "established"), age),
			  vici_get(sa, "initiator") ? "initiator" : "responder");
	else
		page_line(p, 2, "state", "%s", state);
	show_end(p, sa, "local");
	show_end(p, sa, "remote");
	if (vici_get(sa, "remote-eap-id"))
		page_line(p, 2, "user", "%s", vici_get(sa, "remote-eap-id"));
	show_suite(p, 2, sa);
	show_next_rekey(p, 2, sa);
	for (child = children ? children->child : NULL; child; child = child->next)
		show_child(p, child);
}

static bool has_sa(const struct listing *sas, const char *conn)
{
	size_t i;

	for (i = 0; i < sas->n; i++)
		if (!strcmp(sas->list[i]->name, conn))
			return true;
	return false;
}

void show_status(const struct page *p, const struct listing *sas, const struct listing *conns)
{
	bool any = false;
	size_t i;

	for (i = 0; i < sas->n; i++) {
		fputs(any ? "\n" : "", p->out);
		show_sa(p, sas->list[i]);
		any = true;
	}
	for (i = 0; i < conns->n; i++) {
		if (has_sa(sas, conns->list[i]->name))
			continue;
		fputs(any ? "\n" : "", p->out);
		page_line(p, 0, "connection", "%s", conns->list[i]->name);
		page_line(p, 2, "state", "down");
		any = true;
	}
	if (!any)
		fputs("no connections\n", p->out);
}
