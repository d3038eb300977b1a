// SPDX-License-Identifier: MIT
/* What becomes of the value of a key: one function for each type of field. */
#include <ctype.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "../ikev2/config.h"
#include "keys.h"
#include "value.h"

#define VALUE(call) ((call)->setting->value)

void set_seconds(const struct key_call *call)
{
	uint64_t v;

	if (!value_seconds(VALUE(call), &v) || v > INT32_MAX)
		key_error(call, "\"%s\" is no time (such as 30, 90s, 15m, 4h or 1d)", VALUE(call));
	else
		*(uint64_t *)call->field = v;
}

/* Seconds with a fraction: the digits behind the point, to three places. */
void set_milliseconds(const struct key_call *call)
{
	const char *text = VALUE(call);
	size_t whole = strspn(text, "0123456789"), i, digits;
	uint64_t v = 0;

	digits = text[whole] == '.' ? strspn(text + whole + 1, "0123456789") : 0;
	if (!whole || whole > 6 || text[whole + !!text[whole] + digits] || digits > 3 ||
	    (text[whole] && !digits)) {
		key_error(call, "\"%s\" is no time in seconds (such as 2 or 0.5)", text);
		return;
	}
	for (i = 0; i < whole; i++)
		v = 10 * v + text[i] - '0';
	for (i = 0; i < 3; i++)
		v = 10 * v + (i < digits ? text[whole + 1 + i] - '0' : 0);
	*(uint64_t *)call->field = v;
}

void set_bytes(const struct key_call *call)
{
	uint64_t v;

	if (!value_bytes(VALUE(call), &v) || v > INT64_MAX)
		key_error(call, "\"%s\" is no number of bytes (such as 1000000, 64k, 500m or 2g)",
			  VALUE(call));
	else
		*(uint64_t *)call->field = v;
}

static bool number_up_to(const struct key_call *call, uint64_t min, uint64_t max, uint64_t *v)
{
	if (value_number(VALUE(call), v) && *v >= min && *v <= max)
		return true;
	key_error(call, "\"%s\" is no number from %llu to %llu", VALUE(call),
		  (unsigned long long)min, (unsigned long long)max);
	return false;
}

void set_u64(const struct key_call *call)
{
	uint64_t v;

	if (number_up_to(call, 0, INT64_MAX, &v))
		*(uint64_t *)call->field = v;
}

void set_u32(const struct key_call *call)
{
	uint64_t v;

	if (number_up_to(call, 0, UINT32_MAX, &v))
		*(uint32_t *)call->field = v;
}

void set_u16(const struct key_call *call)
{
	uint64_t v;

	if (number_up_to(call, 1, UINT16_MAX, &v))
		*(uint16_t *)call->field = v;
}

void set_bool(const struct key_call *call)
{
	if (!value_bool(VALUE(call), call->field))
		key_error(call, "\"%s\" is neither yes nor no", VALUE(call));
}

void set_string(const struct key_call *call)
{
	char **field = call->field;

	free(*field);
	*field = strdup(VALUE(call));
	if (!*field)
		call->errors->no_memory = true;
}

void set_word(const struct key_call *call)
{
	const struct key_word *w;
	char buf[128] = "";
	struct ike_text words;

	ike_text_init(&words, buf, sizeof(buf));
	for (w = call->arg; w->word; w++) {
		if (!strcmp(w->word, VALUE(call))) {
			*(unsigned int *)call->field = w->value;
			return;
		}
		if (w != call->arg)
			ike_text_add(&words, "%s", w[1].word ? ", " : " or ");
		ike_text_add(&words, "%s", w->word);
	}
	key_error(call, "\"%s\" is not %s", VALUE(call), buf);
}

static bool number_of(const char *text, uint32_t *v)
{
	uint64_t wide;

	if (!value_number(text, &wide) || wide > UINT32_MAX)
		return false;
	*v = wide;
	return true;
}

void set_mark(const struct key_call *call)
{
	struct ike_mark mark = { .mask = UINT32_MAX };
	const char *slash = strchr(VALUE(call), '/');
	char value[32];
	size_t len = slash ? (size_t)(slash - VALUE(call)) : strlen(VALUE(call));

	snprintf(value, sizeof(value), "%.*s", (int)len, VALUE(call));
	if (VALUE(call)[0] == '%')
		key_error(call, "%s is not supported by esplane; give a number", VALUE(call));
	else if (len >= sizeof(value) || !number_of(value, &mark.value) ||
		 (slash && !number_of(slash + 1, &mark.mask)))
		key_error(call, "\"%s\" is no mark (such as 7 or 0x10/0xf0)", VALUE(call));
	else if (mark.value & ~mark.mask)
		key_error(call, "\"%s\": no packet fits, the value has bits beside the mask",
			  VALUE(call));
	else
		*(struct ike_mark *)call->field = mark;
}

/* The data plane sets the whole mark. */
void set_output_mark(const struct key_call *call)
{
	struct ike_mark mark = { .mask = UINT32_MAX };
	struct key_call inner = *call;

	inner.field = &mark;
	set_mark(&inner);
	if (mark.mask != UINT32_MAX)
		key_error(call, "%s: a mask is not supported by esplane", VALUE(call));
	*(uint32_t *)call->field = mark.value;
}

void set_interface(const struct key_call *call)
{
	if (VALUE(call)[0] == '%')
		key_error(call, "%s is not supported by esplane yet; give a number", VALUE(call));
	else
		set_u32(call);
}

void set_version(const struct key_call *call)
{
	if (!strcmp(VALUE(call), "1"))
		key_error(call, "IKEv1 is not supported; say version = 2");
	else if (strcmp(VALUE(call), "2") && strcmp(VALUE(call), "0"))
		key_error(call, "\"%s\" is no IKE version; say version = 2", VALUE(call));
}

void set_id(const struct key_call *call)
{
	struct ike_error err;

	if (!ike_id_parse(VALUE(call), call->field, &err))
		key_error(call, "%s", err.text);
}

static void set_proposals(const struct key_call *call, uint8_t protocol)
{
	struct ike_error err;

	if (!ike_proposal_list_parse(call->field, protocol, VALUE(call), &err))
		key_error(call, "%s", err.text);
}

void set_ike_proposals(const struct key_call *call)
{
	set_proposals(call, IKE_PROTO_IKE);
}

void set_esp_proposals(const struct key_call *call)
{
	set_proposals(call, IKE_PROTO_ESP);
}

void set_ts(const struct key_call *call)
{
	struct addr_list *field = call->field;
	struct ike_error err;

	if (!ike_ts_list_parse(VALUE(call), &field->list, &field->n, &err))
		key_error(call, "%s", err.text);
}

/* RFC 1123 section 2.1, and underscores; not all digits, which is an address gone wrong. */
static bool is_host_name(const char *text)
{
	enum { NAME_MAX_LEN = 253, LABEL_MAX = 63 };	/* RFC 1035 section 2.3.4, as text */
	size_t len = strlen(text), label;
	const char *at;

	if (!len || len > NAME_MAX_LEN || strspn(text, "0123456789.-") == len)
		return false;
	for (at = text; *at; at += label + !!at[label]) {
		label = strcspn(at, ".");
		if (!label || label > LABEL_MAX || at[0] == '-' || at[label - 1] == '-')
			return false;
	}
	for (at = text; *at; at++)
		if (!isalnum((unsigned char)*at) && !strchr("-._", *at))
			return false;
	return true;
}

static bool is_plain(const struct ike_ts *ts)
{
	return !ts->dynamic && !ts->protocol && !ts->port_first && ts->port_last == UINT16_MAX;
}

/* "fe80::1%eth0": the part behind the sign is cut off. Returns false after an error. */
static bool cut_scope(const struct key_call *call, char *text, uint32_t *scope)
{
	char *name = strchr(text, '%');
	unsigned int index = name ? if_nametoindex(name + 1) : 0;

	*scope = index;
	if (!name)
		return true;
	if (!index) {
		key_error(call, "\"%s\": this host has no interface %s", text, name + 1);
		return false;
	}
	*name = '\0';
	return true;
}

static bool set_scope(const struct key_call *call, const char *text, struct ike_ts *ts, uint32_t scope)
{
	if (!scope == !ike_addr_link_local(&ts->first)) {
		ts->first.scope = ts->last.scope = scope;
		return true;
	}
	if (scope)
		key_error(call, "\"%s\" is no link-local address: it takes no interface", text);
	else
		key_error(call, "\"%s\" is link-local: say of which link, such as %s%%eth0",
			  text, text);
	return false;
}

/* One of a list of addresses. Returns false after an error. */
static bool add_addr(const struct key_call *call, char *text)
{
	struct addr_list *field = call->field;
	struct ike_error err;
	struct ike_ts ts, *list;
	uint32_t scope;

	if (!cut_scope(call, text, &scope))
		return false;
	if (!ike_ts_parse(text, &ts, &err)) {
		key_error(call, "%s%s", err.text, is_host_name(text) ?
			  " (a host name may stand in remote_addrs alone)" : "");
		return false;
	}
	if (!is_plain(&ts)) {
		key_error(call, "\"%s\" is a traffic selector, not an address, prefix or range",
			  text);
		return false;
	}
	if (!set_scope(call, text, &ts, scope))
		return false;
	list = reallocarray(field->list, field->n + 1, sizeof(*list));
	if (!list) {
		call->errors->no_memory = true;
		return false;
	}
	field->list = list;
	list[field->n++] = ts;
	return true;
}

static bool add_name(const struct key_call *call, const char *text)
{
	struct addr_list *field = call->field;
	char **names = reallocarray(field->names, field->n_names + 1, sizeof(*names));

	if (names)
		field->names = names;
	if (!names || !(names[field->n_names] = strdup(text))) {
		call->errors->no_memory = true;
		return false;
	}
	field->n_names++;
	return true;
}

static void clear_addrs(struct addr_list *field)
{
	while (field->n_names)
		free(field->names[--field->n_names]);
	free(field->names);
	free(field->list);
	*field = (struct addr_list){ 0 };
}

/* Comma-separated; %any, which may be the peer's or ours, leaves the list empty. */
static void set_list(const struct key_call *call, bool names)
{
	char *copy = strdup(VALUE(call)), *at = copy, *part;
	bool any = false;

	if (!copy) {
		call->errors->no_memory = true;
		return;
	}
	while ((part = strsep(&at, ","))) {
		part += strspn(part, " \t\n");
		part[strcspn(part, " \t\n")] = '\0';
		if (!strcmp(part, "%any"))
			any = true;
		else if (names && is_host_name(part) && strcmp(part, "dynamic") ?
			 !add_name(call, part) : !add_addr(call, part))
			break;
	}
	free(copy);
	if (any)
		clear_addrs(call->field);
}

void set_addrs(const struct key_call *call)
{
	set_list(call, false);
}

void set_hosts(const struct key_call *call)
{
	set_list(call, true);
}

void only_value(const struct key_call *call)
{
	const char *only = call->arg;
	bool want, have;
	uint64_t v;

	if (value_bool(only, &want) && value_bool(VALUE(call), &have) && want == have)
		return;
	if (!strcmp(only, "0") && value_seconds(VALUE(call), &v) && !v)
		return;
	if (strcmp(only, VALUE(call)))
		key_error(call, "%s is not supported by esplane yet; only %s = %s is", VALUE(call),
			  call->setting->key, only);
}
