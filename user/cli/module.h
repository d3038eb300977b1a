/* SPDX-License-Identifier: MIT */
/* The data plane asked directly, of the network namespace one is in: needs no daemon. */
#ifndef ESPLANE_CLI_MODULE_H
#define ESPLANE_CLI_MODULE_H

#include "../dataplane/client.h"
#include "show.h"

struct dp_table;

/* Objects of a dump, in the shape that the options ask for. */
struct module_list {
	const struct options *options;
	const struct dp_table *table;
	const char *array;		/* its name in JSON */
	uint32_t id, spi;		/* only this one; 0: all */
	struct page page;		/* where objects are written to, until the dump is whole */
	char *text;
	size_t len, n;
};

/* NULL after a message. */
struct dp *module_open(void);
/*
 * Begins a list. The options' argument may name one object: 12 is an ID, 0xc1234567 an SPI.
 * Returns 0, or an exit status after a message.
 */
int module_list_start(struct module_list *l, const struct options *options);
/* For dp_*_dump(): what a dump that starts again has told so far does not count. */
void module_list_begin(void *arg);
/*
 * Begins an object. True if it is to be written to l->page.out, as columns (options->dump) or text;
 * false if that was JSON and is done.
 */
bool module_list_add(struct module_list *l, const void *object);
/* The reason of @err, the last request's, on stderr. Returns an exit status. */
int module_failed(const struct dp *dp, int err);
/* @err of the dump. Prints and frees. Returns an exit status, after a message if there is need. */
int module_list_end(struct module_list *l, const struct dp *dp, int err);

/*
 * The module's counters as a tree like the reply to VICI's esplane-stats, with a copy of the
 * engine's (@engine, may be NULL). NULL if the module does not tell.
 */
struct vici_node *module_stats(struct dp *dp, const struct vici_node *engine);

/* What the module says of itself: the names of its ESP transforms, and whether it gives keys. */
struct module_caps {
	struct {
		uint32_t encr, integ;	/* IANA */
		char name[48];
	} list[DP_MAX_TRANSFORMS];
	size_t n;
	char version[32];
	bool key_export;
};

/* Empty, and a negative errno, if the module does not tell. */
int module_caps(struct dp *dp, struct module_caps *caps);
/* On stderr, if it was built to give keys: who runs it should know. */
void module_warn(const struct module_caps *caps);
/* "aes-gcm-16"; "transform 99" if the module has no name for it. Writes HUMAN_MAX bytes at most. */
char *transform_name(const struct module_caps *caps, const struct dp_sa *sa, char *buf);

/* An SA, a policy: for people, as columns. */
void show_sad_entry(const struct page *p, const struct dp_sa *sa, const struct module_caps *caps);
void dump_sad_entry(FILE *out, const struct dp_sa *sa);
/* A line of Wireshark's table of SAs, or a comment that says why there is none (wireshark.c). */
void print_wireshark_sa(FILE *out, const struct dp_sa *sa, const struct module_caps *caps);
void show_spd_entry(const struct page *p, const struct dp_policy *policy);
void dump_spd_entry(FILE *out, const struct dp_policy *policy);

/* "10.1.0.0/24[udp/53] -> 10.2.0.0/24[udp]". Writes SELECTOR_TEXT_MAX bytes at most. */
enum { SELECTOR_TEXT_MAX = 300 };
char *selector_text(const struct dp_selector *s, char *buf);

#endif
