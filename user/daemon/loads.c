// SPDX-License-Identifier: MIT
/*
 * What clients of VICI load and take away again: connections, pools, authorities, secrets, keys and
 * certificates. All of it is in force beside the configuration file's, which no client can change,
 * and lasts as long as the daemon.
 *
 * Each command changes struct config_extra and has the daemon build its configuration anew, or,
 * where something is added alone, see that it can, and do it when the client has loaded all that it
 * wants to. If that is refused the change is undone, and the client is told why. Running SAs keep
 * what they began with.
 */
#define LOG_SUBSYSTEM LOG_CONFIG

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "commands.h"
#include "log.h"
#include "vici/section.h"

static bool accepted(struct client *client, char *errors)
{
	if (!errors)
		return true;
	vici_session_reply_error(client->session, "%s", errors);
	free(errors);
	return false;
}

/* Returns false after the reply that it is refused. */
static bool rebuilt(struct client *client)
{
	const struct control_ops *ops = &client->control->ops;

	return accepted(client, ops->rebuild(ops->arg, NULL));
}

/*
 * Likewise, of what takes nothing away. @conn: the connection that was added, whose credentials must be there; "":
 * something else.
 */
static bool added(struct client *client, const char *conn)
{
	const struct control_ops *ops = &client->control->ops;

	return accepted(client, ops->add(ops->arg, conn));
}

static void reply_messages(struct client *client, const struct cfg_errors *errors)
{
	vici_session_reply_error(client->session, "%s",
				 errors->n ? errors->list[0].text : "out of memory");
}

/* Sections */

/*
 * Puts @item in the place of @old (may be NULL), if that is accepted. Takes @item over. @add: as added() has it; NULL:
 * others may depend on what it was.
 */
static bool replace(struct client *client, struct extra_item *old, struct extra_item *item,
		    const char *add)
{
	struct config_extra *x = extra_of(client);

	if (old)
		TAILQ_REMOVE(&x->items, old, link);
	TAILQ_INSERT_TAIL(&x->items, item, link);
	if (add ? added(client, add) : rebuilt(client)) {
		extra_item_free(old);
		return true;
	}
	TAILQ_REMOVE(&x->items, item, link);
	extra_item_free(item);
	if (old)
		TAILQ_INSERT_TAIL(&x->items, old, link);
	return false;
}

/* NULL after a reply: of an error, or because it is there already. */
static struct extra_item *receive(struct client *client, const char *place,
				  const struct vici_node *args, struct extra_item **old)
{
	struct config_extra *x = extra_of(client);
	struct cfg_errors errors = { 0 };
	struct extra_item *item = vici_load_section(x, place, args, &errors);

	*old = item ? extra_find(x, place, item->id) : NULL;
	if (!item) {
		reply_messages(client, &errors);
	} else if (*old && extra_item_equal(*old, item)) {
		extra_item_free(item);
		item = NULL;
		vici_session_reply_ok(client->session);
	}
	cfg_errors_free(&errors);
	return item;
}

static void load(struct client *client, const char *place, const struct vici_node *args)
{
	struct extra_item *old, *item = receive(client, place, args, &old);

	if (!item || !replace(client, old, item, NULL))
		return;
	log_info("%s: %s loaded by VICI", place, item->id);
	vici_session_reply_ok(client->session);
}

/* Returns false after an error reply. */
static bool unload(struct client *client, const char *place, const char *key,
		   const struct vici_node *args)
{
	const char *id = vici_get(args, key);
	struct config_extra *x = extra_of(client);
	const struct section *of_file = section_child(file_of(client)->root, place);
	struct extra_item *item = id ? extra_find(x, place, id) : NULL;

	if (!id)
		vici_session_reply_error(client->session, "%s: which one? (%s)", place, key);
	else if (!item && section_child(of_file, id))
		vici_session_reply_error(client->session, "%s: %s is the configuration file's: "
					 "take it out there and reload", place, id);
	else if (!item)
		vici_session_reply_error(client->session, "%s: there is no %s", place, id);
	if (!item)
		return false;
	TAILQ_REMOVE(&x->items, item, link);
	if (!rebuilt(client)) {
		TAILQ_INSERT_TAIL(&x->items, item, link);
		return false;
	}
	log_info("%s: %s unloaded by VICI", place, id);
	extra_item_free(item);
	return true;
}

static void list_ids(struct client *client, const char *place, const char *key)
{
	const struct extra_item *item;
	struct vici_builder b;

	vici_reply_begin(&b);
	vici_list(&b, key);
	TAILQ_FOREACH(item, &extra_of(client)->items, link)
		if (!strcmp(item->place, place) && item->id)
			vici_item(&b, item->id);
	vici_list_end(&b);
	vici_session_reply(client->session, &b);
}

static const struct setting *updown_of(const struct section *conn, size_t i)
{
	const struct section *children = section_child(conn, "children");

	return children && i < children->n_sections ?
	       section_value(children->sections[i], "updown") : NULL;
}

static bool file_names(const struct section *conns, const char *command)
{
	const struct section *children;
	const struct setting *v;
	size_t i, k;

	for (i = 0; conns && i < conns->n_sections; i++) {
		children = section_child(conns->sections[i], "children");
		for (k = 0; children && k < children->n_sections; k++) {
			v = updown_of(conns->sections[i], k);
			if (v && v->value && !strcmp(v->value, command))
				return true;
		}
	}
	return false;
}

/*
 * Commands run with privileges that clients of VICI need not have: hook_process.c runs none but the
 * file's.
 */
static bool check_updown(struct client *client, const struct extra_item *item)
{
	const struct section *conns = section_child(file_of(client)->root, "connections");
	const struct section *children = section_child(item->section, "children");
	const struct setting *v;
	size_t i;

	for (i = 0; children && i < children->n_sections; i++) {
		v = updown_of(item->section, i);
		if (!v || !v->value || !*v->value || file_names(conns, v->value))
			continue;
		vici_session_reply_error(client->session, "%s: updown: a command is run only if "
					 "the configuration file names it too", v->where.file);
		return false;
	}
	return true;
}

void cmd_load_conn(struct client *client, const struct vici_node *args)
{
	struct extra_item *old, *item = receive(client, "connections", args, &old);

	if (item && !check_updown(client, item)) {
		extra_item_free(item);
		return;
	}
	if (!item || !replace(client, old, item, item->id))
		return;
	log_info("connections: %s %s by VICI", item->id, old ? "changed" : "loaded");
	vici_session_reply_ok(client->session);
}

void cmd_unload_conn(struct client *client, const struct vici_node *args)
{
	if (!unload(client, "connections", "name", args))
		return;
	ike_engine_start_conns(host_of(client)->engine, host_now(), NULL, 0);
	vici_session_reply_ok(client->session);
}

/* README "get-conns()": those loaded by VICI alone; swanctl unloads what it does not know. */
void cmd_get_conns(struct client *client, const struct vici_node *args)
{
	list_ids(client, "connections", "conns");
}

void cmd_load_pool(struct client *client, const struct vici_node *args)
{
	load(client, "pools", args);
}

void cmd_unload_pool(struct client *client, const struct vici_node *args)
{
	if (unload(client, "pools", "name", args))
		vici_session_reply_ok(client->session);
}

void cmd_load_authority(struct client *client, const struct vici_node *args)
{
	load(client, "authorities", args);
}

void cmd_unload_authority(struct client *client, const struct vici_node *args)
{
	if (unload(client, "authorities", "name", args))
		vici_session_reply_ok(client->session);
}

void cmd_get_authorities(struct client *client, const struct vici_node *args)
{
	list_ids(client, "authorities", "authorities");
}

/* Credentials. Those that need them may come later: connections are not checked again. */

void cmd_load_shared(struct client *client, const struct vici_node *args)
{
	const char *why, *id = vici_get(args, "id");
	struct config_extra *x = extra_of(client);
	struct extra_item *old = id ? extra_find(x, "secrets", id) : NULL;
	struct extra_item *item = vici_load_shared(x, args, &why);

	if (!item)
		vici_session_reply_error(client->session, "load-shared: %s", why);
	else if (replace(client, old, item, ""))
		vici_session_reply_ok(client->session);
}

void cmd_unload_shared(struct client *client, const struct vici_node *args)
{
	if (unload(client, "secrets", "id", args))
		vici_session_reply_ok(client->session);
}

void cmd_get_shared(struct client *client, const struct vici_node *args)
{
	list_ids(client, "secrets", "keys");
}

/* Which of the lists a certificate goes to; NULL with @why: to none. */
static struct ike_cert_list *list_for(struct config_extra *x, const struct vici_node *args,
				      const char **why)
{
	const char *type = vici_get(args, "type"), *flag = vici_get(args, "flag");

	if (!type || strcasecmp(type, "X509")) {
		*why = "only type X509 is supported; a connection brings its raw public keys "
		       "itself (pubkeys)";
		return NULL;
	}
	if (!flag || !strcasecmp(flag, "NONE"))
		return &x->certs;
	if (!strcasecmp(flag, "CA"))
		return &x->anchors;
	*why = "only flags NONE and CA are supported";
	return NULL;
}

void cmd_load_cert(struct client *client, const struct vici_node *args)
{
	const struct vici_node *data = vici_child(args, "data");
	struct config_extra *x = extra_of(client);
	struct ike_error err = { .text = "data is missing" };
	const char *why = err.text;
	struct ike_cert_list *list = list_for(x, args, &why);
	struct ike_cert *cert = NULL;
	struct ike_bytes at;
	size_t before;

	if (list && data && data->type == VICI_KEY_VALUE) {
		at = ike_bytes(data->value, data->value_len);
		cert = ike_cert_read(&at, &err);
	}
	if (cert && list == &x->anchors && !cert->ca) {
		why = "it is not of an authority (basicConstraints, keyUsage)";
		list = NULL;
	}
	if (!cert || !list) {
		vici_session_reply_error(client->session, "load-cert: %s", why);
		goto out;
	}
	before = list->n;
	if (!extra_add_cert(list, cert)) {
		vici_session_reply_error(client->session, "load-cert: out of memory");
	} else if (list->n == before || added(client, "")) {
		vici_session_reply_ok(client->session);
	} else {
		ike_cert_unref(list->list[--list->n]);
	}
out:
	ike_cert_unref(cert);
}

enum { KEY_ID_TEXT = 2 * IKE_PKEY_ID_LEN + 1 };

static const char *key_id(const struct ike_pkey *key, char text[KEY_ID_TEXT])
{
	struct ike_text t;

	ike_text_init(&t, text, KEY_ID_TEXT);
	ike_text_add_hex(&t, key->id, sizeof(key->id));
	return text;
}

static bool is_of_type(const struct ike_pkey *key, const char *type)
{
	return !type || !strcasecmp(type, "any") ||
	       (key->kind == IKE_PKEY_RSA && !strcasecmp(type, "rsa")) ||
	       (key->kind == IKE_PKEY_ECDSA && !strcasecmp(type, "ecdsa"));
}

static void reply_key(struct client *client, const struct ike_pkey *key)
{
	char text[KEY_ID_TEXT];
	struct vici_builder b;

	vici_reply_begin(&b);
	vici_str(&b, "success", "yes");
	vici_str(&b, "id", key_id(key, text));
	vici_session_reply(client->session, &b);
}

static void take_key(struct client *client, struct ike_pkey *key)
{
	struct ike_pkey_list *list = &extra_of(client)->keys;
	size_t before = list->n;

	if (!extra_add_key(list, key))
		vici_session_reply_error(client->session, "load-key: out of memory");
	else if (list->n == before || added(client, ""))
		reply_key(client, key);
	else
		ike_pkey_unref(list->list[--list->n]);
}

void cmd_load_key(struct client *client, const struct vici_node *args)
{
	const struct vici_node *data = vici_child(args, "data");
	const char *type = vici_get(args, "type");
	struct ike_error err = { .text = "data is missing" };
	struct ike_pkey *key = NULL;
	bool locked;

	if (data && data->type == VICI_KEY_VALUE)
		key = ike_pkey_read_private(ike_bytes(data->value, data->value_len), NULL, &locked,
					    &err);
	if (!key)
		vici_session_reply_error(client->session, "load-key: %s", err.text);
	else if (!is_of_type(key, type))
		vici_session_reply_error(client->session, "load-key: the key is of type %s, not %s",
					 ike_pkey_kind_name(key->kind), type);
	else
		take_key(client, key);
	ike_pkey_unref(key);
}

void cmd_unload_key(struct client *client, const struct vici_node *args)
{
	struct ike_pkey_list *list = &extra_of(client)->keys;
	const char *id = vici_get(args, "id");
	char text[KEY_ID_TEXT];
	struct ike_pkey *key;
	size_t i;

	for (i = 0; i < list->n; i++)
		if (id && !strcmp(key_id(list->list[i], text), id))
			break;
	if (i == list->n) {
		vici_session_reply_error(client->session, "unload-key: no such key was loaded");
		return;
	}
	key = list->list[i];
	list->list[i] = list->list[--list->n];
	if (rebuilt(client)) {
		ike_pkey_unref(key);
		vici_session_reply_ok(client->session);
	} else {
		list->list[list->n++] = key;
	}
}

void cmd_get_keys(struct client *client, const struct vici_node *args)
{
	const struct ike_pkey_list *list = &extra_of(client)->keys;
	char text[KEY_ID_TEXT];
	struct vici_builder b;
	size_t i;

	vici_reply_begin(&b);
	vici_list(&b, "keys");
	for (i = 0; i < list->n; i++)
		vici_item(&b, key_id(list->list[i], text));
	vici_list_end(&b);
	vici_session_reply(client->session, &b);
}

void cmd_clear_creds(struct client *client, const struct vici_node *args)
{
	extra_clear_credentials(extra_of(client));
	if (rebuilt(client))
		vici_session_reply_ok(client->session);
}
