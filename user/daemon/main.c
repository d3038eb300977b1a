// SPDX-License-Identifier: MIT
/*
 * esplaned: reads the configuration, binds the sockets, finds the data plane, gives up privileges,
 * and runs the loop until it is told to end. Callees are in the files that their prefixes name.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "addresses.h"
#include "config/extra.h"
#include "config/load.h"
#include "control.h"
#include "fetch.h"
#include "hooks.h"
#include "host.h"
#include "kernel.h"
#include "lease_file.h"
#include "log.h"
#include "notify.h"
#include "options.h"
#include "privileges.h"
#include "radius.h"
#include "resolvconf.h"
#include "roam.h"
#include "sockets.h"
#include "vici/client.h"
#include "watch.h"

/* Milliseconds: when none of the peers that are left has answered our DELETE; and in any case. */
enum { STOP_LIMIT = 6000, STOP_LIMIT_ALL = 60000 };
/* Likewise: who loads much by VICI one by one goes on within this time. */
enum { SETTLE_TIME = 100 };

struct daemon {
	struct options options;
	struct daemon_config *settings;
	struct settings *file;		/* as it was read last */
	struct config_extra extra;	/* what clients of VICI have loaded beside it */
	bool stale;			/* they have, and it is not in force yet */
	char **fresh;			/* the connections of it */
	size_t n_fresh;
	uv_timer_t settle;
	struct ike_config *config;	/* the engine's */
	struct privileges_identity identity;
	uv_loop_t loop;
	struct kernel kernel;
	struct sockets sockets;
	struct addresses addresses;
	struct lease_file leases;
	struct fetches fetches;
	struct hooks hooks;
	struct radius radius;
	struct resolvconf resolvconf;
	struct host host;
	struct watch watch;
	struct roam roam;
	struct control control;
	uv_signal_t sigterm, sigint, sighup;
	uv_timer_t stop_limit;
	uint64_t stop_at;		/* STOP_LIMIT_ALL is over, in milliseconds of the loop */
	size_t remaining;		/* IKE SAs when stop_limit began */
	uv_work_t warm_up;
	int notify_fd;
	bool ending;
};

/* Configuration */

/*
 * All errors in one line: swanctl prints nothing at all of a text that has two. Warnings are in the
 * log.
 */
static char *join_errors(const struct cfg_errors *errors)
{
	size_t i, len = 1;
	char *text, *at;

	for (i = 0; i < errors->n; i++)
		len += strlen(errors->list[i].text) + strlen("; ");
	text = malloc(len);
	if (!text)
		return NULL;
	at = text;
	*at = '\0';
	for (i = 0; i < errors->n; i++) {
		if (errors->list[i].severity != CFG_ERROR)
			continue;
		at = stpcpy(at, at == text ? "" : "; ");
		at = stpcpy(at, errors->list[i].text);
	}
	return text;
}

static void log_messages(const struct cfg_errors *errors)
{
	size_t i;

	for (i = 0; i < errors->n; i++)
		log_say(LOG_CONFIG, errors->list[i].severity == CFG_ERROR ? IKE_LOG_ERROR :
			IKE_LOG_INFO, "%s", errors->list[i].text);
	if (errors->suppressed)
		log_error("%zu more messages are left out", errors->suppressed);
	if (errors->no_memory)
		log_error("out of memory");
}

static struct daemon_config *read_file(struct daemon *d, struct settings **file,
				       struct cfg_errors *errors)
{
	struct daemon_config *config = NULL;

	*file = settings_load(d->options.config, errors);
	if (*file)
		config = config_build(*file, d->options.config, &d->extra, NULL, errors);
	else
		errors->no_memory = true;
	log_messages(errors);
	return config;
}

static int read_config(struct daemon *d)
{
	struct cfg_errors errors = { 0 };

	extra_init(&d->extra);
	d->settings = read_file(d, &d->file, &errors);
	cfg_errors_free(&errors);
	if (!d->settings) {
		log_error("%s is not usable; nothing is started", d->options.config);
		return -1;
	}
	d->config = d->settings->ike;
	d->settings->ike = NULL;
	return 0;
}

static void on_log(void *arg, const struct log_line *line)
{
	struct daemon *d = arg;

	if (d->control.listening)
		report_log(&d->control, line);
}

/* What the command line says goes before the file. */
static void use_log_levels(struct daemon *d)
{
	log_setup(d->options.has_log ? &d->options.log : &d->settings->log, on_log, d);
}

static void use_config(struct daemon *d, struct daemon_config *fresh)
{
	struct ike_config *old = d->config;

	d->config = fresh->ike;
	fresh->ike = NULL;
	config_free(d->settings);
	d->settings = fresh;
	use_log_levels(d);
	ike_engine_configure(d->host.engine, d->config, host_now());
	ike_config_unref(old);
}

static void forget_fresh(struct daemon *d)
{
	while (d->n_fresh)
		free(d->fresh[--d->n_fresh]);
	free(d->fresh);
	d->fresh = NULL;
	d->stale = false;
}

/*
 * Keeps the old configuration, and says all that is wrong with the new one, if there is anything.
 */
static char *reload(void *arg)
{
	struct daemon *d = arg;
	struct cfg_errors errors = { 0 };
	struct settings *file;
	struct daemon_config *fresh = read_file(d, &file, &errors);
	char *text = NULL;

	if (fresh) {
		settings_free(d->file);
		d->file = file;
		use_config(d, fresh);
		ike_engine_start(d->host.engine, host_now());
		forget_fresh(d);
		host_settle(&d->host);
		log_info("configuration reloaded: %zu connections", d->config->n_conns);
	} else {
		settings_free(file);
		text = join_errors(&errors);
		log_error("%s is not usable; the old configuration stays in force",
			  d->options.config);
	}
	cfg_errors_free(&errors);
	return fresh || text ? text : strdup("out of memory");
}

/* The same, of what clients have changed. What is wrong with it is for them to hear. */
static char *rebuild(void *arg, const char *alone)
{
	struct daemon *d = arg;
	struct cfg_errors errors = { 0 };
	struct daemon_config *fresh =
		config_build(d->file, d->options.config, &d->extra, alone, &errors);
	char *text = NULL;

	if (fresh)
		use_config(d, fresh);
	else
		text = join_errors(&errors);
	cfg_errors_free(&errors);
	return fresh || text ? text : strdup("out of memory");
}

static void settle(void *arg)
{
	struct daemon *d = arg;
	char *errors;

	if (!d->stale)
		return;
	uv_timer_stop(&d->settle);
	errors = rebuild(d, NULL);
	if (errors)
		log_error("what was loaded by VICI is not in force: %s", errors);
	else
		ike_engine_start_conns(d->host.engine, host_now(), d->fresh, d->n_fresh);
	free(errors);
	forget_fresh(d);
}

static void on_settle(uv_timer_t *timer)
{
	struct daemon *d = timer->data;

	settle(d);
	host_settle(&d->host);
}

static bool keep_fresh(struct daemon *d, const char *conn)
{
	char **list = reallocarray(d->fresh, d->n_fresh + 1, sizeof(*list));

	if (!list)
		return false;
	d->fresh = list;
	list[d->n_fresh] = strdup(conn);
	return list[d->n_fresh] && ++d->n_fresh;
}

static char *add(void *arg, const char *conn)
{
	struct daemon *d = arg;
	struct cfg_errors errors = { 0 };
	bool ok = config_would_do(d->file, d->options.config, &d->extra, conn, &errors);
	char *text = ok ? NULL : join_errors(&errors);

	cfg_errors_free(&errors);
	if (ok && (!*conn || keep_fresh(d, conn))) {
		d->stale = true;
		uv_timer_start(&d->settle, on_settle, SETTLE_TIME, 0);
		return NULL;
	}
	return text ? text : strdup("out of memory");
}

static struct config_extra *current_extra(void *arg)
{
	return &((struct daemon *)arg)->extra;
}

static const struct settings *current_file(void *arg)
{
	return ((struct daemon *)arg)->file;
}

static const struct ike_config *current_config(void *arg)
{
	return ((struct daemon *)arg)->config;
}

static struct host *current_host(void *arg)
{
	return &((struct daemon *)arg)->host;
}

/* The end */

static void end_loop(struct daemon *d)
{
	if (d->ending)
		return;
	d->ending = true;
	control_close(&d->control);
	watch_close(&d->watch);
	roam_close(&d->roam);
	fetches_close(&d->fetches);
	hooks_close(&d->hooks);
	sockets_close(&d->sockets);
	radius_close(&d->radius);
	names_close(&d->host);
	uv_close((uv_handle_t *)&d->sigterm, NULL);
	uv_close((uv_handle_t *)&d->sigint, NULL);
	uv_close((uv_handle_t *)&d->sighup, NULL);
	uv_close((uv_handle_t *)&d->stop_limit, NULL);
	uv_close((uv_handle_t *)&d->settle, NULL);
	uv_close((uv_handle_t *)&d->host.timer, NULL);
}

static void on_idle(void *arg)
{
	struct daemon *d = arg;

	log_info("all SAs are deleted; the end");
	kernel_clear(&d->kernel);
	end_loop(d);
}

static void end_without_goodbye(struct daemon *d)
{
	log_info("a peer does not answer; the end without its goodbye");
	d->host.stopped = true;
	kernel_clear(&d->kernel);
	end_loop(d);
}

static void on_stop_limit(uv_timer_t *timer)
{
	struct daemon *d = timer->data;
	size_t remaining = ike_engine_remaining(d->host.engine);

	if (remaining == d->remaining || uv_now(&d->loop) >= d->stop_at) {
		end_without_goodbye(d);
		return;
	}
	d->remaining = remaining;
	uv_timer_start(timer, on_stop_limit, STOP_LIMIT, 0);
}

static void on_term(uv_signal_t *handle, int number)
{
	struct daemon *d = handle->data;

	if (d->host.stopping) {
		end_without_goodbye(d);
		return;
	}
	log_info("signal %d: deleting all SAs", number);
	notify(d->notify_fd, "STOPPING=1");
	d->stop_at = uv_now(&d->loop) + STOP_LIMIT_ALL;
	d->remaining = ike_engine_remaining(d->host.engine);
	uv_timer_start(&d->stop_limit, on_stop_limit, STOP_LIMIT, 0);
	host_stop(&d->host);
}

static void on_hup(uv_signal_t *handle, int number)
{
	struct daemon *d = handle->data;

	if (d->host.stopping)
		return;
	notify(d->notify_fd, "RELOADING=1");
	free(reload(d));
	notify(d->notify_fd, "READY=1");
}

/* The beginning */

static void on_event(void *arg, const struct ike_event *event)
{
	report_event(&((struct daemon *)arg)->control, event);
}

static void on_trace(void *arg, const struct ike_trace *t)
{
	trace_message(&((struct daemon *)arg)->control, t);
}

static void on_message(void *arg, const struct ike_endpoint *local,
		       const struct ike_endpoint *remote, const uint8_t *message, size_t len)
{
	struct daemon *d = arg;

	/* Who was told that a connection is loaded may have told the peer. */
	settle(d);
	host_receive(&d->host, local, remote, message, len);
}

static int open_control(struct daemon *d)
{
	const struct control_ops ops = {
		.host = current_host, .config = current_config, .reload = reload,
		.extra = current_extra, .rebuild = rebuild, .add = add, .settle = settle,
		.file = current_file, .arg = d,
	};
	const char *path = d->options.vici ? d->options.vici : d->settings->socket;

	return control_open(&d->control, &d->loop, path ? path : VICI_DEFAULT_SOCKET,
			    d->identity.uid, d->identity.gid, &ops);
}

static int register_ports(struct daemon *d)
{
	const struct socket *s;

	for (s = d->sockets.list; s < d->sockets.list + SOCKETS_MAX; s++)
		if (s->fd >= 0 && s->family == AF_INET &&
		    kernel_add_port(&d->kernel, s->fd, !s->natt))
			return -1;
	return 0;
}

/* Without pools there is nothing to be remembered. */
static void open_leases(struct daemon *d)
{
	const char *path = d->settings->leases;

	d->leases.fd = -1;
	ike_leases_init(&d->leases.old);
	if (d->config->n_pools)
		lease_file_open(&d->leases, path ? path : LEASE_FILE_DEFAULT);
}

/* All that needs more than CAP_NET_ADMIN, or a file that only root may read. */
static int open_all(struct daemon *d)
{
	/* Before there are secrets in memory: these are processes that run programs. */
	if (hooks_open(&d->hooks, d->options.config) || resolvconf_fork(&d->resolvconf))
		return -1;
	privileges_part_keys();
	if (read_config(d))
		return -1;
	resolvconf_use(&d->resolvconf, d->settings->resolvconf);
	use_log_levels(d);
	if (d->options.privdrop && privileges_find(d->options.user, &d->identity))
		return -1;
	if (sockets_open(&d->sockets, d->settings->port, d->settings->port_nat_t))
		return -1;
	if (open_control(d))
		return -1;
	open_leases(d);
	if (radius_open(&d->radius, &d->loop, d->config))
		return -1;
	d->host.radius = &d->radius;
	d->host.kernel = &d->kernel;
	d->host.addresses = &d->addresses;
	d->host.leases = &d->leases;
	d->host.fetches = &d->fetches;
	d->fetches.done = host_fetched;
	d->fetches.arg = &d->host;
	d->host.hooks = &d->hooks;
	d->host.resolvconf = &d->resolvconf;
	if (d->options.kernel && (addresses_open(&d->addresses) || roam_open(&d->roam, &d->host)))
		return -1;
	return kernel_open(&d->kernel, d->options.kernel) || watch_open(&d->watch, &d->host) ||
	       register_ports(d);
}

static int start_signals(struct daemon *d)
{
	d->sigterm.data = d;
	d->sigint.data = d;
	d->sighup.data = d;
	d->stop_limit.data = d;
	d->settle.data = d;
	signal(SIGPIPE, SIG_IGN);
	uv_timer_init(&d->loop, &d->stop_limit);
	uv_timer_init(&d->loop, &d->settle);
	if (uv_signal_init(&d->loop, &d->sigterm) || uv_signal_init(&d->loop, &d->sigint) ||
	    uv_signal_init(&d->loop, &d->sighup))
		return -1;
	return uv_signal_start(&d->sigterm, on_term, SIGTERM) ||
	       uv_signal_start(&d->sigint, on_term, SIGINT) ||
	       uv_signal_start(&d->sighup, on_hup, SIGHUP);
}

static void nothing(uv_work_t *work)
{
}

static void warmed_up(uv_work_t *work, int status)
{
}

/*
 * In this order: threads inherit the privileges that are left, and libuv makes them with the first
 * work, which the filter would not allow.
 */
static int restrict_all(struct daemon *d)
{
	if (d->options.privdrop) {
		privileges_protect_memory();
		if (privileges_drop(&d->identity))
			return -1;
	}
	if (uv_queue_work(&d->loop, &d->warm_up, nothing, warmed_up))
		return -1;
	return d->options.privdrop ? sandbox_enter() : 0;
}

static int start(struct daemon *d)
{
	if (open_all(d) || start_signals(d) || restrict_all(d))
		return -1;
	d->sockets.receive = on_message;
	d->sockets.arg = d;
	d->host.loop = &d->loop;
	d->host.sockets = &d->sockets;
	d->host.listener = (struct host_listener){
		.event = on_event, .idle = on_idle, .trace = on_trace, .arg = d,
	};
	if (host_start(&d->host, d->config) || sockets_start(&d->sockets, &d->loop) ||
	    watch_start(&d->watch) || roam_start(&d->roam) ||
	    hooks_start(&d->hooks, &d->loop) || fetches_start(&d->fetches, &d->loop) ||
	    radius_start(&d->radius, &d->host)) {
		log_error("out of memory");
		return -1;
	}
	lease_file_restore(&d->leases, d->host.engine);
	ike_engine_start(d->host.engine, host_now());
	host_settle(&d->host);
	return 0;
}

static void free_all(struct daemon *d)
{
	host_free(&d->host);
	/* A job that ended after the stop limit may have installed something. */
	kernel_clear(&d->kernel);
	lease_file_close(&d->leases);
	resolvconf_close(&d->resolvconf);
	addresses_close(&d->addresses);
	watch_free(&d->watch);
	roam_free(&d->roam);
	control_free(&d->control);
	sockets_free(&d->sockets);
	kernel_close(&d->kernel);
	ike_config_unref(d->config);
	config_free(d->settings);
	settings_free(d->file);
	extra_free(&d->extra);
	forget_fresh(d);
	uv_loop_close(&d->loop);
}

int main(int argc, char **argv)
{
	static struct daemon d;
	int status;

	if (!options_parse(&d.options, argc, argv, &status))
		return status;
	log_setup(&d.options.log, NULL, NULL);
	if (log_open(d.options.format, d.options.journal)) {
		log_error("journal %s: %m", d.options.journal);
		return EXIT_FAILURE;
	}
	d.identity = (struct privileges_identity){ getuid(), getgid() };
	/* Before anything secret is here, any thread, and the hooks' socket: it has none of them. */
	if (fetches_fork(&d.fetches, &d.options))
		return EXIT_FAILURE;
	d.notify_fd = notify_open();
	uv_loop_init(&d.loop);
	if (start(&d)) {
		/*
		 * The socket's name would stay; all else goes with the process. The data plane is
		 * as it was found.
		 */
		control_close(&d.control);
		return EXIT_FAILURE;
	}
	log_info("esplaned " ESPLANE_VERSION " is ready: %zu connections", d.config->n_conns);
	notify(d.notify_fd, "READY=1");
	uv_run(&d.loop, UV_RUN_DEFAULT);
	free_all(&d);
	return EXIT_SUCCESS;
}
