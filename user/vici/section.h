/* SPDX-License-Identifier: MIT */
/* What a client loads, as the section of a configuration file that says the same. */
#ifndef ESPLANE_VICI_SECTION_H
#define ESPLANE_VICI_SECTION_H

#include "../config/extra.h"
#include "vici.h"

/*
 * The first section of a message of load-conn, load-pool or load-authority, which is its name. NULL
 * after an error, whose place is gone when this returns (no cfg_errors_sort()), or without memory
 * (no_memory is set).
 */
struct extra_item *vici_load_section(struct config_extra *x, const char *place,
				     const struct vici_node *args, struct cfg_errors *errors);
/*
 * load-shared. Passwords and keys may hold any byte. NULL with @why (static): a kind of secret that
 * no configuration has either, no data, or no memory.
 */
struct extra_item *vici_load_shared(struct config_extra *x, const struct vici_node *args,
				    const char **why);

#endif
