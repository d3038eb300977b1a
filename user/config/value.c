// SPDX-License-Identifier: MIT
/* The values of swanctl.conf as numbers, times, sizes, yes and no, and secrets. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "value.h"

/* A number, and what stands behind it. */
static bool number_and_rest(const char *text, uint64_t *out, const char **rest)
{
	bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
	unsigned long long value;
	char *end;

	/* strtoull() would take a sign and blanks, and "0x" alone as 0. */
	if (!isdigit((unsigned char)text[0]) || (hex && !isxdigit((unsigned char)text[2])))
		return false;
	errno = 0;
	value = strtoull(text, &end, hex ? 16 : 10);
	if (errno)
		return false;
	*out = value;
	*rest = end;
	return true;
}

bool value_number(const char *text, uint64_t *out)
{
	const char *rest;
	uint64_t value;

	if (!number_and_rest(text, &value, &rest) || *rest)
		return false;
	*out = value;
	return true;
}

struct unit {
	char letter;
	uint64_t factor;
};

static bool with_unit(const char *text, const struct unit *units, size_t n, uint64_t *out)
{
	const char *rest;
	uint64_t value;
	size_t i;

	if (!number_and_rest(text, &value, &rest))
		return false;
	while (*rest == ' ')
		rest++;
	if (*rest) {
		for (i = 0; i < n && units[i].letter != tolower((unsigned char)*rest); i++)
			;
		if (i == n || rest[1] || __builtin_mul_overflow(value, units[i].factor, &value))
			return false;
	}
	*out = value;
	return true;
}

bool value_seconds(const char *text, uint64_t *out)
{
	static const struct unit units[] = {
		{ 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 },
	};

	return with_unit(text, units, sizeof(units) / sizeof(*units), out);
}

bool value_bytes(const char *text, uint64_t *out)
{
	static const struct unit units[] = { { 'k', 1 << 10 }, { 'm', 1 << 20 }, { 'g', 1 << 30 } };

	return with_unit(text, units, sizeof(units) / sizeof(*units), out);
}

bool value_bool(const char *text, bool *out)
{
	static const char *const words[] = {
		"no", "yes", "false", "true", "disabled", "enabled", "0", "1",
	};
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(*words); i++) {
		if (strcasecmp(text, words[i]))
			continue;
		*out = i % 2;
		return true;
	}
	return false;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = tolower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Returns the length, 0 if @text is not hex. Colons between the bytes are allowed. */
static size_t decode_hex(const char *text, uint8_t *out)
{
	size_t len = 0;

	while (*text) {
		if (hex_digit(text[0]) < 0 || hex_digit(text[1]) < 0)
			return 0;
		out[len++] = hex_digit(text[0]) << 4 | hex_digit(text[1]);
		text += 2;
		if (*text == ':' && text[1])
			text++;
	}
	return len;
}

static int base64_digit(char c)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? at - digits : -1;
}

/* RFC 4648 section 4; the padding may be missing. Returns the length, 0 if @text is not that. */
static size_t decode_base64(const char *text, uint8_t *out)
{
	size_t n = strcspn(text, "="), pad = strlen(text) - n;
	size_t i, len = 0;
	uint32_t bits = 0;

	if (n % 4 == 1 || strspn(text + n, "=") != pad || (pad && (n + pad) % 4) || pad > 2)
		return 0;
	for (i = 0; i < n; i++) {
		if (base64_digit(text[i]) < 0)
			return 0;
		bits = bits << 6 | base64_digit(text[i]);
		if (i % 4)
			out[len++] = bits >> (6 - 2 * (i % 4));
	}
	return len;
}

bool value_secret(const char *text, uint8_t **out, size_t *len, const char **why)
{
	bool hex = !strncmp(text, "0x", 2), base64 = !strncmp(text, "0s", 2);
	uint8_t *key = malloc(strlen(text) + 1);

	if (!key) {
		*why = "out of memory";
		return false;
	}
	if (hex) {
		*len = decode_hex(text + 2, key);
		*why = "0x is not followed by pairs of hex digits";
	} else if (base64) {
		*len = decode_base64(text + 2, key);
		*why = "0s is not followed by base64";
	} else {
		*len = strlen(text);
		memcpy(key, text, *len);
		*why = "it is empty";
	}
	if (!*len) {
		free(key);
		return false;
	}
	*out = key;
	return true;
}
