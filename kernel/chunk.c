// SPDX-License-Identifier: GPL-2.0
/*
 * Packet memory, used again.
 *
 * Kernels that zero every allocation (init_on_alloc) spend as much on a fresh page as the cipher on
 * a third of it. So each CPU keeps a ring of page runs and one reference to each. When the current
 * run is used up the next of the ring is taken, if the ring's is its only reference left: all
 * packets made from it are gone. Else it is left to its packets, and a new run takes its place.
 *
 * The contents of a piece are never read before they were written, so nothing leaks from one
 * packet to the next.
 *
 * Locking: a ring belongs to its CPU, with BHs off. Page references are atomic.
 */
#include <linux/gfp.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/percpu.h>

#include "chunk.h"

enum {
	CHUNK_ORDER = PAGE_ALLOC_COSTLY_ORDER,
	CHUNKS = 32,
	PIECE_ALIGN = 64,	/* cache line, and more than any cipher asks for */
};

struct chunk_ring {
	struct page *run[CHUNKS];
	unsigned int current_run;
	unsigned int offset;	/* of the next piece in the current run */
	unsigned int size;	/* of the current run, 0 if there is none */
};

static DEFINE_PER_CPU(struct chunk_ring, rings);

static unsigned int run_size(const struct page *run)
{
	return PAGE_SIZE << compound_order((struct page *)run);
}

static struct page *run_alloc(unsigned int size)
{
	const gfp_t gfp = GFP_ATOMIC | __GFP_COMP | __GFP_NOWARN;
	struct page *run = NULL;

	if (size <= PAGE_SIZE << CHUNK_ORDER)
		run = alloc_pages(gfp | __GFP_NORETRY, CHUNK_ORDER);
	return run ?: alloc_pages(gfp, get_order(size));
}

static bool run_is_free(const struct page *run, unsigned int size)
{
	return run && page_ref_count((struct page *)run) == 1 && run_size(run) >= size &&
	       !page_is_pfmemalloc(run);
}

/* Makes the next run of the ring the current one. */
static bool next_run(struct chunk_ring *ring, unsigned int size)
{
	unsigned int next = (ring->current_run + 1) % CHUNKS;
	struct page *run = ring->run[next];

	if (!run_is_free(run, size)) {
		if (run)
			put_page(run);
		run = run_alloc(size);
		ring->run[next] = run;
	}
	ring->current_run = next;
	ring->offset = 0;
	ring->size = run ? run_size(run) : 0;
	return ring->size >= size;
}

/* Where the next piece would begin so that it does not cross a page boundary in vain. */
static unsigned int piece_offset(unsigned int offset, unsigned int size, bool within_page)
{
	unsigned int in_page = offset % PAGE_SIZE;

	if (within_page && size <= PAGE_SIZE && in_page + size > PAGE_SIZE)
		return ALIGN(offset, PAGE_SIZE);
	return offset;
}

void *esplane_chunk_open(unsigned int size, bool within_page, unsigned int *room)
{
	struct chunk_ring *ring = this_cpu_ptr(&rings);

	ring->offset = piece_offset(ring->offset, size, within_page);
	if (ring->offset + size > ring->size && !next_run(ring, size))
		return NULL;
	*room = ring->size - ring->offset;
	return page_address(ring->run[ring->current_run]) + ring->offset;
}

void esplane_chunk_take(unsigned int size)
{
	struct chunk_ring *ring = this_cpu_ptr(&rings);

	get_page(ring->run[ring->current_run]);
	ring->offset = min(ALIGN(ring->offset + size, PIECE_ALIGN), ring->size);
}

void esplane_chunk_exit(void)
{
	unsigned int i;
	int cpu;

	for_each_possible_cpu(cpu) {
		struct chunk_ring *ring = per_cpu_ptr(&rings, cpu);

		for (i = 0; i < CHUNKS; i++) {
			if (ring->run[i])
				put_page(ring->run[i]);
			ring->run[i] = NULL;
		}
		ring->size = 0;
	}
}
