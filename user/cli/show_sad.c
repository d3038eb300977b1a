// SPDX-License-Identifier: MIT
/* An SA as the module holds it: for people, nothing empty; for scripts, columns. */
#include <inttypes.h>
#include <string.h>

#include "../dataplane/codec.h"
#include "module.h"

enum { ADDR_MAX = 46 };

static const char *direction(uint32_t value)
{
	return value == ESPLANE_DIRECTION_IN ? "in" : "out";
}

/* "192.0.2.1", with a port "192.0.2.1:4500" or "[2001:db8::1]:4500" */
static const char *end_text(const struct dp_addr *a, uint16_t port, char *buf)
{
	char addr[ADDR_MAX];

	dp_addr_text(a, addr, sizeof(addr));
	if (!port)
		snprintf(buf, HUMAN_MAX, "%s", addr);
	else
		snprintf(buf, HUMAN_MAX, a->len == 4 ? "%s:%u" : "[%s]:%u", addr, port);
	return buf;
}

static void show_path(const struct page *p, const struct dp_sa *sa)
{
	char from[HUMAN_MAX], to[HUMAN_MAX];

	page_line(p, 2, "path", "%s -> %s%s", end_text(&sa->src, sa->encap_sport, from),
		  end_text(&sa->dst, sa->encap_dport, to),
		  sa->encap_dport ? ", ESP in UDP" : "");
}

char *transform_name(const struct module_caps *caps, const struct dp_sa *sa, char *buf)
{
	size_t i;

	snprintf(buf, HUMAN_MAX, "transform %u", sa->encr);
	for (i = 0; i < caps->n; i++)
		if (caps->list[i].encr == sa->encr && caps->list[i].integ == sa->integ)
			snprintf(buf, HUMAN_MAX, "%s", caps->list[i].name);
	return buf;
}

static void show_cipher(const struct page *p, const struct dp_sa *sa, const struct module_caps *caps)
{
	char name[HUMAN_MAX];

	transform_name(caps, sa, name);
	if (sa->key_len)
		page_line(p, 2, "cipher", "%s-%u, by %s", name, sa->key_len,
			  sa->driver ? sa->driver : "?");
	else
		page_line(p, 2, "cipher", "%s, by %s", name, sa->driver ? sa->driver : "?");
}

static void show_numbers(const struct page *p, const struct dp_sa *sa)
{
	char window[HUMAN_MAX] = "";

	if (sa->flags & ESPLANE_SA_FLAG_NO_REPLAY_CHECK)
		snprintf(window, sizeof(window), ", replays accepted");
	else if (sa->direction == ESPLANE_DIRECTION_IN && sa->replay_window)
		snprintf(window, sizeof(window), ", window %u", sa->replay_window);
	page_line(p, 2, "sequence", "%" PRIu64 "%s%s", sa->seq,
		  sa->flags & ESPLANE_SA_FLAG_ESN ? ", extended" : "", window);
}

static void show_use(const struct page *p, const struct dp_sa *sa)
{
	char bytes[HUMAN_MAX], age[HUMAN_MAX], idle[HUMAN_MAX];

	page_line(p, 2, "age", "%s", human_duration(sa->age, age));
	if (!sa->packets)
		return;
	page_line(p, 2, "transfer", "%s in %" PRIu64 " packet%s", human_bytes(sa->bytes, bytes),
		  sa->packets, sa->packets == 1 ? "" : "s");
	if (sa->idle != UINT64_MAX)
		page_line(p, 2, "latest packet", "%s ago", human_duration(sa->idle, idle));
}

typedef char *unit_text(uint64_t value, char *buf);

static char *packets_text(uint64_t packets, char *buf)
{
	snprintf(buf, HUMAN_MAX, "%" PRIu64 " packets", packets);
	return buf;
}

static void show_limit(const struct page *p, const char *label, uint64_t soft, uint64_t hard,
		       unit_text *text)
{
	char a[HUMAN_MAX], b[HUMAN_MAX];

	if (soft && hard)
		page_line(p, 2, label, "rekey at %s, end at %s", text(soft, a), text(hard, b));
	else if (soft || hard)
		page_line(p, 2, label, "%s at %s", soft ? "rekey" : "end",
			  text(soft ? soft : hard, a));
}

static void show_drops(const struct page *p, const struct dp_sa *sa)
{
	size_t i;

	for (i = 0; i < sa->n_drops; i++)
		if (sa->drops[i].count)
			page_line(p, 2, "dropped", "%" PRIu64 " %s: %s", sa->drops[i].count,
				  sa->drops[i].reason,
				  sa->drops[i].meaning ? sa->drops[i].meaning : "?");
}

void show_sad_entry(const struct page *p, const struct dp_sa *sa, const struct module_caps *caps)
{
	char text[SELECTOR_TEXT_MAX];
	size_t i;

	page_line(p, 0, "sa", "0x%08" PRIx32 " %s #%u", sa->spi, direction(sa->direction),
		  sa->id);
	show_path(p, sa);
	show_cipher(p, sa, caps);
	for (i = 0; i < sa->n_selectors; i++)
		page_line(p, 2, "traffic", "%s", selector_text(&sa->selectors[i], text));
	if (sa->if_id)
		page_line(p, 2, "interface", "if_id %u", sa->if_id);
	show_numbers(p, sa);
	show_use(p, sa);
	show_limit(p, "limit of time", sa->soft_seconds, sa->hard_seconds, human_duration);
	show_limit(p, "limit of use", sa->soft_use_seconds, sa->hard_use_seconds, human_duration);
	show_limit(p, "limit of bytes", sa->soft_bytes, sa->hard_bytes, human_bytes);
	show_limit(p, "limit of packets", sa->soft_packets, sa->hard_packets, packets_text);
	show_drops(p, sa);
}

static void put_selectors(FILE *out, const struct dp_sa *sa)
{
	char text[SELECTOR_TEXT_MAX];
	size_t i;

	fputs(sa->n_selectors ? "\t" : "\t(none)", out);
	for (i = 0; i < sa->n_selectors; i++)
		fprintf(out, "%s%s", i ? "," : "", selector_text(&sa->selectors[i], text));
}

static void put_drops(FILE *out, const struct dp_sa *sa)
{
	bool any = false;
	size_t i;

	fputc('\t', out);
	for (i = 0; i < sa->n_drops; i++) {
		if (!sa->drops[i].count)
			continue;
		fprintf(out, "%s%s=%" PRIu64, any ? "," : "", sa->drops[i].reason,
			sa->drops[i].count);
		any = true;
	}
	fputs(any ? "\n" : "(none)\n", out);
}

void dump_sad_entry(FILE *out, const struct dp_sa *sa)
{
	const uint64_t limits[] = {
		sa->soft_seconds, sa->hard_seconds, sa->soft_bytes, sa->hard_bytes,
		sa->soft_packets, sa->hard_packets, sa->soft_use_seconds, sa->hard_use_seconds,
	};
	char src[ADDR_MAX], dst[ADDR_MAX];
	size_t i;

	fprintf(out, "%u\t%s\t%08" PRIx32 "\t%s\t%s\t%u\t%u\t%u\t%u\t%u\t%u\t%" PRIu64, sa->id,
		direction(sa->direction), sa->spi, dp_addr_text(&sa->src, src, sizeof(src)),
		dp_addr_text(&sa->dst, dst, sizeof(dst)), sa->encap_sport, sa->encap_dport,
		sa->encr, sa->key_len, sa->if_id, sa->replay_window, sa->seq);
	fprintf(out, "\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64, sa->bytes, sa->packets, sa->age);
	if (sa->idle == UINT64_MAX)
		fputs("\t(none)", out);
	else
		fprintf(out, "\t%" PRIu64, sa->idle);
	for (i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
		fprintf(out, "\t%" PRIu64, limits[i]);
	fprintf(out, "\t%s", sa->driver ? sa->driver : "(none)");
	put_selectors(out, sa);
	put_drops(out, sa);
}
