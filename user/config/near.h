/* SPDX-License-Identifier: MIT */
/* How far two words are apart, for errors that name the nearest known one. */
#ifndef ESPLANE_CONFIG_NEAR_H
#define ESPLANE_CONFIG_NEAR_H

/*
 * Letters to insert, remove, replace or swap with their neighbour to make @b of @a. Words longer
 * than 63 bytes are taken as that far from anything.
 */
unsigned int edit_distance(const char *a, const char *b);

#endif
