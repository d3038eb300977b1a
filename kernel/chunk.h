/* SPDX-License-Identifier: GPL-2.0 */
/* Packet memory: per-CPU runs of pages, cut into pieces and used again once all pieces are free. */
#ifndef _ESPLANE_CHUNK_H
#define _ESPLANE_CHUNK_H

#include <linux/types.h>

/**
 * esplane_chunk_open - memory for the next pieces
 * @size: bytes that the caller needs at least
 * @within_page: the piece must not cross a page boundary, if a page can hold it at all
 * @room: set to the contiguous bytes there are, @size or more
 *
 * Nothing is taken until esplane_chunk_take(), which must follow before BHs are on again or
 * another open on this CPU.
 *
 * Return: 64-byte aligned address in the kernel's linear map, or NULL. BHs off.
 */
void *esplane_chunk_open(unsigned int size, bool within_page, unsigned int *room);
/*
 * Takes @size bytes from the address last opened. The caller owns one reference to their (head)
 * page.
 */
void esplane_chunk_take(unsigned int size);

void esplane_chunk_exit(void);

#endif
