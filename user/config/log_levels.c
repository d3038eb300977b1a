// SPDX-License-Identifier: MIT
/* How much is logged, for each part of the daemon. */
#include <string.h>

#include "log_levels.h"

static const char *const level_names[] = {
	[IKE_LOG_ERROR] = "error", [IKE_LOG_INFO] = "info", [IKE_LOG_DEBUG] = "debug",
};

enum { LEVELS = sizeof(level_names) / sizeof(*level_names) };

const char *log_level_name(enum ike_log_level level)
{
	return level_names[level];
}

const char *log_subsystem_name(enum log_subsystem s)
{
	static const char *const names[] = {
#define X(name, text) [LOG_##name] = text,
		LOG_SUBSYSTEMS(X)
#undef X
	};

	return names[s];
}

void log_levels_all(struct log_levels *l, enum ike_log_level level)
{
	size_t i;

	for (i = 0; i < LOG_SUBSYSTEM_COUNT; i++)
		l->of[i] = level;
}

static bool is_word(const char *at, size_t len, const char *word)
{
	return strlen(word) == len && !memcmp(at, word, len);
}

static bool level_parse(const char *at, size_t len, enum ike_log_level *level,
			struct ike_error *why)
{
	size_t i;

	for (i = 0; i < LEVELS; i++) {
		if (!is_word(at, len, level_names[i]))
			continue;
		*level = i;
		return true;
	}
	return ike_fail(why, "\"%.*s\" is no level of logging: error, info or debug", (int)len, at);
}

static bool subsystem_parse(const char *at, size_t len, enum log_subsystem *s,
			    struct ike_error *why)
{
	for (*s = 0; *s < LOG_SUBSYSTEM_COUNT; ++*s)
		if (is_word(at, len, log_subsystem_name(*s)))
			return true;
	return ike_fail(why, "\"%.*s\" is no part that logs: daemon, config, kernel, net, vici, "
			"ike or child", (int)len, at);
}

/* One "level" (if @all) or "part:level" (if not). */
static bool take(struct log_levels *l, const char *at, size_t len, bool all, struct ike_error *why)
{
	const char *colon = memchr(at, ':', len);
	enum ike_log_level level;
	enum log_subsystem s;

	if (!colon != all)
		return true;
	if (all) {
		if (!level_parse(at, len, &level, why))
			return false;
		log_levels_all(l, level);
		return true;
	}
	if (!subsystem_parse(at, colon - at, &s, why) ||
	    !level_parse(colon + 1, at + len - colon - 1, &level, why))
		return false;
	l->of[s] = level;
	return true;
}

static bool take_each(struct log_levels *l, const char *at, bool all, struct ike_error *why)
{
	static const char between[] = ", \t\n";
	size_t len;

	for (at += strspn(at, between); *at; at += strspn(at, between)) {
		len = strcspn(at, between);
		if (!take(l, at, len, all, why))
			return false;
		at += len;
	}
	return true;
}

bool log_levels_parse(struct log_levels *l, const char *text, struct ike_error *why)
{
	struct log_levels fresh;

	log_levels_all(&fresh, IKE_LOG_INFO);
	if (!take_each(&fresh, text, true, why) || !take_each(&fresh, text, false, why))
		return false;
	*l = fresh;
	return true;
}
