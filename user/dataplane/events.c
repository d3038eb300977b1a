// SPDX-License-Identifier: MIT
/* What the data plane reports: the group "events". */
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <netlink/attr.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/netlink.h>

#include "client.h"
#include "codec.h"

enum {
	RECEIVE_BUFFER = 4 << 20,	/* bytes: a herd of expiries must fit */
	MESSAGES_PER_READ = 1000,	/* then the caller's other work has its turn */
};

struct dp_events {
	struct nl_sock *sock;
	struct nl_cb *cb;
	void (*fn)(void *arg, const char *name, const struct dp_event *event);
	void *arg;
};

static const char *event_name(uint8_t command)
{
	switch (command) {
	case ESPLANE_CMD_SA_EXPIRE:
		return "sa-expire";
	case ESPLANE_CMD_POLICY_EXPIRE:
		return "policy-expire";
	case ESPLANE_CMD_ACQUIRE:
		return "acquire";
	case ESPLANE_CMD_SA_MAPPING:
		return "sa-mapping";
	default:
		return NULL;
	}
}

static int on_event(struct nl_msg *msg, void *arg)
{
	struct dp_events *events = arg;
	struct genlmsghdr *ghdr = nlmsg_data(nlmsg_hdr(msg));
	const char *name = event_name(ghdr->cmd);
	struct dp_event event;

	if (name &&
	    !dp_get(genlmsg_attrdata(ghdr, 0), genlmsg_attrlen(ghdr, 0), &dp_event_table, &event))
		events->fn(events->arg, name, &event);
	return NL_OK;
}

static int no_sequence(struct nl_msg *msg, void *arg)
{
	return NL_OK;
}

static int join(struct dp_events *events)
{
	int size = RECEIVE_BUFFER, group, err = genl_connect(events->sock);

	if (err)
		return err;
	group = genl_ctrl_resolve_grp(events->sock, ESPLANE_FAMILY_NAME, ESPLANE_MCGRP_EVENTS);
	if (group < 0)
		return group;
	nl_socket_disable_seq_check(events->sock);
	nl_cb_set(events->cb, NL_CB_SEQ_CHECK, NL_CB_CUSTOM, no_sequence, NULL);
	nl_cb_set(events->cb, NL_CB_VALID, NL_CB_CUSTOM, on_event, events);
	setsockopt(nl_socket_get_fd(events->sock), SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	err = nl_socket_add_membership(events->sock, group);
	return err ? err : nl_socket_set_nonblocking(events->sock);
}

struct dp_events *dp_events_open(const char **why)
{
	struct dp_events *events = calloc(1, sizeof(*events));
	int err = -NLE_NOMEM;

	if (!events) {
		*why = nl_geterror(err);
		return NULL;
	}
	events->sock = nl_socket_alloc();
	events->cb = nl_cb_alloc(NL_CB_DEFAULT);
	if (events->sock && events->cb)
		err = join(events);
	if (!err)
		return events;
	*why = nl_geterror(err);
	dp_events_close(events);
	return NULL;
}

void dp_events_close(struct dp_events *events)
{
	if (!events)
		return;
	nl_cb_put(events->cb);
	nl_socket_free(events->sock);
	free(events);
}

int dp_events_fd(const struct dp_events *events)
{
	return nl_socket_get_fd(events->sock);
}

int dp_events_read(struct dp_events *events,
		   void (*fn)(void *arg, const char *name, const struct dp_event *event), void *arg)
{
	int i, err;

	events->fn = fn;
	events->arg = arg;
	for (i = 0; i < MESSAGES_PER_READ; i++) {
		errno = 0;
		err = nl_recvmsgs(events->sock, events->cb);
		if (err == -NLE_AGAIN)
			return 0;
		/* libnl calls ENOBUFS, as ENOMEM, "out of memory". */
		if (err == -NLE_NOMEM)
			return -ENOBUFS;
		if (err < 0)
			return -EIO;
	}
	return 0;
}
