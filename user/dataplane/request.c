// SPDX-License-Identifier: MIT
/* One netlink request and its answer, with the kernel's reason for a refusal (extack). */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <netlink/attr.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/netlink.h>

#include <linux/esplane.h>
#include <linux/netlink.h>

#include "client.h"
#include "codec.h"
#include "request.h"

enum {
	/*
	 * The largest request: an SA with all its selectors in IPv6, 9 attributes of at most 20
	 * bytes each.
	 */
	REQUEST_SIZE = 1024 + ESPLANE_MAX_SELECTORS * 9 * 20,
	/* More than the kernel puts into one message, also of a dump. */
	REPLY_SIZE = 64 * 1024,
};

struct dp {
	struct nl_sock *sock;
	int family;
	char why[256];
};

/* What the callbacks of one request share. */
struct exchange {
	struct dp *dp;
	const struct dp_request *request;
	uint32_t sequence;
	bool done;
	int err;
};

static void __attribute__((format(printf, 2, 3))) say(struct dp *dp, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(dp->why, sizeof(dp->why), format, args);
	va_end(args);
}

/* The extack attributes that follow an error or the end of a dump, or NULL. */
static void parse_extack(struct nlmsghdr *nlh, size_t offset, struct nlattr **tb)
{
	struct nlattr *head = (struct nlattr *)((char *)nlmsg_data(nlh) + offset);
	int len = nlmsg_datalen(nlh) - (int)offset;

	memset(tb, 0, (NLMSGERR_ATTR_MAX + 1) * sizeof(*tb));
	if ((nlh->nlmsg_flags & NLM_F_ACK_TLVS) && len > 0)
		nla_parse(tb, NLMSGERR_ATTR_MAX, head, len, NULL);
}

static const char *extack_text(struct nlattr **tb)
{
	struct nlattr *msg = tb[NLMSGERR_ATTR_MSG];

	if (!msg || nla_len(msg) < 1 || ((char *)nla_data(msg))[nla_len(msg) - 1])
		return NULL;
	return nla_data(msg);
}

static const char *field_name(const struct dp_request *r, struct nlattr *missing)
{
	size_t i;

	if (!missing || nla_len(missing) != sizeof(uint32_t) || !r->in)
		return NULL;
	for (i = 0; i < r->in->n_fields; i++)
		if (r->in->fields[i].attr == nla_get_u32(missing))
			return r->in->fields[i].name;
	return NULL;
}

static void refused(struct exchange *x, int err, struct nlattr **tb)
{
	const char *text = extack_text(tb),
		   *missing = field_name(x->request, tb[NLMSGERR_ATTR_MISS_TYPE]);

	x->err = err;
	x->done = true;
	if (text)
		say(x->dp, "%s: %s", x->request->name, text);
	else if (missing)
		say(x->dp, "%s: attribute %s is missing", x->request->name, missing);
	else
		say(x->dp, "%s: %s", x->request->name, strerror(-err));
}

static int on_error(struct sockaddr_nl *who, struct nlmsgerr *e, void *arg)
{
	struct nlmsghdr *nlh = (struct nlmsghdr *)((char *)e - NLMSG_HDRLEN);
	struct nlattr *tb[NLMSGERR_ATTR_MAX + 1];
	size_t offset = sizeof(*e);

	if (!(nlh->nlmsg_flags & NLM_F_CAPPED))
		offset += e->msg.nlmsg_len - NLMSG_HDRLEN;
	parse_extack(nlh, NLMSG_ALIGN(offset), tb);
	refused(arg, e->error, tb);
	return NL_STOP;
}

static int on_ack(struct nl_msg *msg, void *arg)
{
	((struct exchange *)arg)->done = true;
	return NL_STOP;
}

/* The last message of a dump holds its status. */
static int on_finish(struct nl_msg *msg, void *arg)
{
	struct exchange *x = arg;
	struct nlmsghdr *nlh = nlmsg_hdr(msg);
	struct nlattr *tb[NLMSGERR_ATTR_MAX + 1];
	int status = 0;

	x->done = true;
	if (nlmsg_datalen(nlh) >= (int)sizeof(status))
		memcpy(&status, nlmsg_data(nlh), sizeof(status));
	if (status < 0) {
		parse_extack(nlh, sizeof(status), tb);
		refused(x, status, tb);
	}
	return NL_STOP;
}

static int on_valid(struct nl_msg *msg, void *arg)
{
	struct exchange *x = arg;
	const struct dp_request *r = x->request;
	struct genlmsghdr *ghdr = nlmsg_data(nlmsg_hdr(msg));

	x->done = !r->dump;
	if (!r->out || x->err)
		return NL_OK;
	x->err = dp_get(genlmsg_attrdata(ghdr, 0), genlmsg_attrlen(ghdr, 0), r->out, r->reply);
	if (x->err)
		say(x->dp, "%s: reply cannot be read", r->name);
	else if (r->fn)
		r->fn(r->arg, r->reply);
	return NL_OK;
}

/* libnl's own check counts acknowledgements, which not every request has. */
static int on_sequence(struct nl_msg *msg, void *arg)
{
	return nlmsg_hdr(msg)->nlmsg_seq == ((struct exchange *)arg)->sequence ? NL_OK : NL_SKIP;
}

static int receive_all(struct exchange *x)
{
	struct nl_cb *cb = nl_cb_alloc(NL_CB_DEFAULT);
	int err = 0;

	if (!cb)
		return -ENOMEM;
	nl_cb_err(cb, NL_CB_CUSTOM, on_error, x);
	nl_cb_set(cb, NL_CB_SEQ_CHECK, NL_CB_CUSTOM, on_sequence, x);
	nl_cb_set(cb, NL_CB_ACK, NL_CB_CUSTOM, on_ack, x);
	nl_cb_set(cb, NL_CB_FINISH, NL_CB_CUSTOM, on_finish, x);
	nl_cb_set(cb, NL_CB_VALID, NL_CB_CUSTOM, on_valid, x);
	while (!x->done && err >= 0)
		err = nl_recvmsgs(x->dp->sock, cb);
	nl_cb_put(cb);
	if (x->err)
		return x->err;
	if (err == -NLE_DUMP_INTR)
		return -EINTR;
	if (err < 0) {
		say(x->dp, "%s: %s", x->request->name, nl_geterror(err));
		return -EIO;
	}
	return 0;
}

/* The message may hold a key. */
static void free_message(struct nl_msg *msg)
{
	explicit_bzero(nlmsg_hdr(msg), nlmsg_get_max_size(msg));
	nlmsg_free(msg);
}

/* A reply says by itself that all is well; what has none asks for an acknowledgement. */
static int flags_of(const struct dp_request *r)
{
	if (r->dump)
		return NLM_F_DUMP;
	return r->out ? 0 : NLM_F_ACK;
}

static int build(struct dp *dp, const struct dp_request *r, struct nl_msg *msg)
{
	int err = -EMSGSIZE;

	if (genlmsg_put(msg, NL_AUTO_PORT, NL_AUTO_SEQ, dp->family, 0, flags_of(r), r->command,
			ESPLANE_FAMILY_VERSION))
		err = r->in ? dp_put(msg, r->in, r->object) : 0;
	if (err == -E2BIG)
		say(dp, "%s: more than %d traffic selectors", r->name, ESPLANE_MAX_SELECTORS);
	else if (err)
		say(dp, "%s: request too long", r->name);
	return err;
}

int dp_request(struct dp *dp, const struct dp_request *request)
{
	struct exchange x = { .dp = dp, .request = request };
	struct nl_msg *msg = nlmsg_alloc_size(REQUEST_SIZE);
	int err;

	if (!msg)
		return -ENOMEM;
	err = build(dp, request, msg);
	if (err)
		goto out;
	err = nl_send_auto(dp->sock, msg);
	if (err < 0) {
		say(dp, "%s: %s", request->name, nl_geterror(err));
		err = -EIO;
		goto out;
	}
	x.sequence = nlmsg_hdr(msg)->nlmsg_seq;
	err = receive_all(&x);
out:
	free_message(msg);
	return err;
}

static int connect_family(struct dp *dp)
{
	int on = 1, err = genl_connect(dp->sock);

	if (err)
		return err;
	/* Without CAP_ACK an error would carry the request, and its key, back. */
	setsockopt(nl_socket_get_fd(dp->sock), SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on));
	setsockopt(nl_socket_get_fd(dp->sock), SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on));
	dp->family = genl_ctrl_resolve(dp->sock, ESPLANE_FAMILY_NAME);
	if (dp->family < 0)
		return dp->family;
	nl_socket_disable_auto_ack(dp->sock);
	/* A look at how long each message is would be one more system call for it. */
	nl_socket_disable_msg_peek(dp->sock);
	return nl_socket_set_msg_buf_size(dp->sock, REPLY_SIZE);
}

struct dp *dp_open(const char **why)
{
	struct dp *dp = calloc(1, sizeof(*dp));
	int err;

	*why = "out of memory";
	if (!dp)
		return NULL;
	dp->sock = nl_socket_alloc();
	if (!dp->sock) {
		free(dp);
		return NULL;
	}
	err = connect_family(dp);
	if (!err)
		return dp;
	*why = err == -NLE_OBJ_NOTFOUND ? "the kernel has no esplane module" : nl_geterror(err);
	dp_close(dp);
	return NULL;
}

void dp_close(struct dp *dp)
{
	if (!dp)
		return;
	nl_socket_free(dp->sock);
	free(dp);
}

const char *dp_why(const struct dp *dp)
{
	return dp->why;
}
