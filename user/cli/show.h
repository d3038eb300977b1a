/* SPDX-License-Identifier: MIT */
/* The three shapes of a status: for people, as JSON, as lines of columns. */
#ifndef ESPLANE_CLI_SHOW_H
#define ESPLANE_CLI_SHOW_H

#include "command.h"
#include "human.h"

/* @sas: sections of list-sa events; @conns: of list-conn events. */
void show_status(const struct page *p, const struct listing *sas, const struct listing *conns);
void show_json(FILE *out, const struct listing *sas);
/* One section as a JSON object on one line; its own name, unless empty, as "name". */
void show_json_section(FILE *out, const struct vici_node *section);
void show_dump(FILE *out, const struct listing *sas);
/* Counters that are not zero. @stats: the reply of esplane-stats, or what module_stats() made. */
void show_stats(const struct page *p, const struct vici_node *stats);
/* An event for people: one line. @event: its name. */
void show_event(FILE *out, const char *event, const struct vici_node *message);

/* A value as a number; 0 if there is none. */
uint64_t get_number(const struct vici_node *n, const char *key);
/* A value, or @none. */
const char *get_or(const struct vici_node *n, const char *key, const char *none);

#endif
