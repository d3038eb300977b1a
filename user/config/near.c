// SPDX-License-Identifier: MIT
/* Edit distance with transpositions (Damerau-Levenshtein, optimal string alignment). */
#include <string.h>

#include "near.h"

enum { WORD_MAX = 63 };

static unsigned int min(unsigned int a, unsigned int b)
{
	return a < b ? a : b;
}

unsigned int edit_distance(const char *a, const char *b)
{
	unsigned int rows[3][WORD_MAX + 1];
	unsigned int *before = rows[0], *above = rows[1], *row = rows[2], *spare;
	size_t len_a = strlen(a), len_b = strlen(b), i, j;

	if (len_a > WORD_MAX || len_b > WORD_MAX)
		return WORD_MAX;
	for (j = 0; j <= len_b; j++)
		above[j] = j;
	for (i = 1; i <= len_a; i++) {
		row[0] = i;
		for (j = 1; j <= len_b; j++) {
			row[j] = min(above[j] + 1, row[j - 1] + 1);
			row[j] = min(row[j], above[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				row[j] = min(row[j], before[j - 2] + 1);
		}
		spare = before;
		before = above;
		above = row;
		row = spare;
	}
	return above[len_b];
}
