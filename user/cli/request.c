// SPDX-License-Identifier: MIT
/* Requests to the daemon, and the names of SAs in them. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"

int failed(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("esplane: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
	return EXIT_FAILED;
}

struct vici_client *connect_daemon(const struct options *options)
{
	char error[VICI_ERROR_LEN];
	struct vici_client *c = vici_connect(options->uri, error);

	if (!c)
		failed("%s", error);
	return c;
}

int run_request(struct vici_client *c, const char *what, struct vici_builder *b, vici_event_fn *fn,
		void *arg)
{
	char error[VICI_ERROR_LEN];
	struct vici_node *reply = vici_request(c, b, fn, arg, error);
	const char *success = vici_get(reply, "success"), *why = vici_get(reply, "errmsg");
	int status = 0;

	if (!reply)
		status = failed("%s: %s", what, error);
	else if (success && strcmp(success, "yes"))
		status = failed("%s: %s", what, why ? why : "the daemon does not say why");
	vici_tree_free(reply);
	return status;
}

static void put_if(struct vici_builder *b, const char *key, const char *value)
{
	if (value)
		vici_str(b, key, value);
}

int put_names_and_child(struct vici_builder *b, const struct options *options, const char *child)
{
	const char *word = options->argument, *slash = word ? strchr(word, '/') : NULL;

	if (word && (options->given & OPT_NAMES)) {
		failed("give either %s or --ike, --child, --ike-id and --child-id", word);
		return EXIT_USAGE;
	}
	put_if(b, "ike", options->ike);
	if (word)
		vici_value(b, "ike", word, slash ? slash - word : strlen(word));
	if (slash && slash[1])
		child = slash + 1;
	if (options->second)
		child = options->second;
	put_if(b, "child", options->child ? options->child : child);
	put_if(b, "ike-id", options->ike_id);
	put_if(b, "child-id", options->child_id);
	return 0;
}

int put_names(struct vici_builder *b, const struct options *options)
{
	return put_names_and_child(b, options, NULL);
}

char *names_text(const struct options *o, char *buf, size_t cap)
{
	if (o->argument)
		snprintf(buf, cap, "%s%s%s", o->argument, o->second ? "/" : "",
			 o->second ? o->second : "");
	else
		snprintf(buf, cap, "%s%s%s%s%s%s%s", o->ike ? o->ike : "", o->ike_id ? "#" : "",
			 o->ike_id ? o->ike_id : "", o->child || o->child_id ? "/" : "",
			 o->child ? o->child : "", o->child_id ? "#" : "",
			 o->child_id ? o->child_id : "");
	return buf;
}

void print_control_log(void *arg, const char *event, struct vici_node *message)
{
	const char *text = vici_get(message, "msg");

	if (!strcmp(event, "control-log") && text)
		fprintf(stderr, "%s\n", text);
}

void listing_add(void *arg, const char *event, struct vici_node *message)
{
	struct listing *l = arg;
	struct vici_node **list, *n;

	while ((n = vici_tree_take(message))) {
		list = reallocarray(l->list, l->n + 1, sizeof(*list));
		if (!list) {
			vici_tree_free(n);
			return;
		}
		l->list = list;
		list[l->n++] = n;
	}
}

int list_all(struct vici_client *c, const char *command, const char *event,
	     const struct options *options, struct listing *out)
{
	char error[VICI_ERROR_LEN];
	struct vici_builder b;
	int status;

	*out = (struct listing){ 0 };
	if (vici_register(c, event, error))
		return failed("%s: %s", command, error);
	vici_begin(&b, VICI_CMD_REQUEST, command);
	status = put_names(&b, options);
	if (status)
		vici_abandon(&b);
	else
		status = run_request(c, command, &b, listing_add, out);
	if (status)
		listing_free(out);
	return status;
}

void listing_free(struct listing *l)
{
	size_t i;

	for (i = 0; i < l->n; i++)
		vici_tree_free(l->list[i]);
	free(l->list);
	*l = (struct listing){ 0 };
}
