/* SPDX-License-Identifier: MIT */
/* A configuration file as the typed configuration that the engine and the daemon work from. */
#ifndef ESPLANE_CONFIG_LOAD_H
#define ESPLANE_CONFIG_LOAD_H

#include "../ikev2/ike.h"
#include "errors.h"
#include "log_levels.h"

#define CONFIG_DEFAULT_FILE "/etc/esplane/esplane.conf"

struct daemon_config {
	struct ike_config *ike;		/* one reference; set it to NULL to take it over */
	/* section "esplaned" */
	uint16_t port, port_nat_t;	/* 500 and 4500 unless set */
	char *socket;			/* of VICI; NULL: the default */
	char *resolvconf;		/* program; NULL: none */
	char *leases;			/* file; NULL: the default */
	struct log_levels log;		/* IKE_LOG_INFO unless set */
};

/*
 * Reads @path and all it includes. Every fault is in @errors, which the caller frees; with a single
 * error the whole file is refused and NULL is returned. Warnings do not prevent loading.
 */
struct daemon_config *config_load(const char *path, struct cfg_errors *errors);
/* The same for a text, which may not include files; @name stands for it in messages. */
struct daemon_config *config_parse(const char *name, const char *text, size_t len,
				   struct cfg_errors *errors);
/*
 * The same of a file that settings_load() has read, with what is in force beside it. Not checked
 * for credentials that are missing are, if @alone is not NULL, all connections but that one; else
 * those that are not the file's: what they need may still come.
 */
struct settings;
struct config_extra;
struct daemon_config *config_build(const struct settings *file, const char *path,
				   const struct config_extra *extra, const char *alone,
				   struct cfg_errors *errors);
/*
 * Would that be accepted? Of the connections that clients have loaded only @only is looked at, all others are left
 * out: they have been accepted already. "": all of them.
 */
bool config_would_do(const struct settings *file, const char *path, const struct config_extra *extra,
		     const char *only, struct cfg_errors *errors);
void config_free(struct daemon_config *config);

#endif
