// SPDX-License-Identifier: GPL-2.0
/*
 * Anti-replay window (RFC 4303 section 3.4.3 and appendix A).
 *
 * The window is a ring of 64-bit words indexed by sequence number. It has one word more than the
 * window needs, so that the word that @top lies in can be fresh while the window's oldest number is
 * still in the ring; moving on clears whole words and shifts nothing.
 *
 * Locking: struct esplane_replay belongs to its lock. BHs are off, for packets arrive in softirqs.
 * A train takes the lock twice: to check before it decrypts, to check again and mark afterwards.
 */
#include <kunit/visibility.h>
#include <linux/kernel.h>
#include <linux/lockdep.h>
#include <linux/string.h>

#include "compat.h"
#include "replay.h"

#define BITS_PER_WORD 64

static u32 whole_words(u32 window)
{
	return clamp_t(u32, round_up(window, BITS_PER_WORD), ESPLANE_MIN_REPLAY_WINDOW,
		       ESPLANE_MAX_REPLAY_WINDOW);
}

unsigned int esplane_replay_words(u32 window)
{
	return whole_words(window) / BITS_PER_WORD + 1;
}

static unsigned int ring_words(const struct esplane_replay *r)
{
	return r->window / BITS_PER_WORD + 1;
}

static u32 index_of(const struct esplane_replay *r, u64 seq)
{
	u32 index;

	div_u64_rem(seq / BITS_PER_WORD, ring_words(r), &index);
	return index;
}

static u64 bit_of(u64 seq)
{
	return 1ULL << (seq % BITS_PER_WORD);
}

void esplane_replay_init(struct esplane_replay *r, u64 *bits, u32 window, u64 top, bool esn,
			 bool off)
{
	memset(r, 0, sizeof(*r));
	spin_lock_init(&r->lock);
	r->bits = bits;
	r->window = whole_words(window);
	r->top = top;
	r->esn = esn;
	r->off = off;
	/*
	 * Whoever says that @top was authenticated cannot say which numbers before it were: none is
	 * accepted again. With nothing authenticated, only number 0 is past (RFC 4303 section
	 * 3.3.3).
	 */
	memset(r->bits, top ? 0xff : 0, ring_words(r) * sizeof(r->bits[0]));
	if (!top)
		r->bits[0] = bit_of(0);
	else
		r->bits[index_of(r, top)] = (bit_of(top) - 1) | bit_of(top);
}
EXPORT_SYMBOL_IF_KUNIT(esplane_replay_init);

/*
 * RFC 4303 appendix A2.2. Written as a distance: of the numbers with these low bits, the one
 * expected is the lowest that is not left of the window.
 */
u64 esplane_replay_extend(const struct esplane_replay *r, u32 seq)
{
	u64 bottom, high;

	lockdep_assert_held(&r->lock);
	if (!r->esn)
		return seq;
	bottom = r->top >= r->window ? r->top - r->window + 1 : 0;
	high = bottom & ~(u64)U32_MAX;
	if (seq >= lower_32_bits(bottom))
		return high | seq;
	/*
	 * At the end of the number space no higher subspace exists; what is left is outside the
	 * window.
	 */
	if (high == ~(u64)U32_MAX)
		return high | seq;
	return (high + BIT_ULL(32)) | seq;
}
EXPORT_SYMBOL_IF_KUNIT(esplane_replay_extend);

int esplane_replay_check(const struct esplane_replay *r, u64 seq)
{
	lockdep_assert_held(&r->lock);
	if (r->off || seq > r->top)
		return ESPLANE_REPLAY_OK;
	if (r->top - seq >= r->window)
		return ESPLANE_DROP_REPLAY_WINDOW;
	if (r->bits[index_of(r, seq)] & bit_of(seq))
		return ESPLANE_DROP_REPLAY;
	return ESPLANE_REPLAY_OK;
}
EXPORT_SYMBOL_IF_KUNIT(esplane_replay_check);

/* The bits of the word that @seq lies in, from @seq on, and up to it. */
static u64 bits_from(u64 seq)
{
	return ~(bit_of(seq) - 1);
}

static u64 bits_to(u64 seq)
{
	return bit_of(seq) - 1 + bit_of(seq);
}

u32 esplane_replay_missing(const struct esplane_replay *r)
{
	u64 bottom = r->top >= r->window ? r->top - r->window + 1 : 0;
	u64 word, last = r->top / BITS_PER_WORD, bits;
	u32 seen = 0;

	lockdep_assert_held(&r->lock);
	for (word = bottom / BITS_PER_WORD; word <= last; word++) {
		bits = r->bits[index_of(r, word * BITS_PER_WORD)];
		if (word == bottom / BITS_PER_WORD)
			bits &= bits_from(bottom);
		if (word == last)
			bits &= bits_to(r->top);
		seen += hweight64(bits);
	}
	return r->top - bottom + 1 - seen;
}
EXPORT_SYMBOL_IF_KUNIT(esplane_replay_missing);

static void note_late(struct esplane_replay *r, u64 behind)
{
	r->late++;
	r->deepest = max_t(u64, r->deepest, min_t(u64, behind, U32_MAX));
}

static void advance(struct esplane_replay *r, u64 seq)
{
	u64 word = r->top / BITS_PER_WORD, last = seq / BITS_PER_WORD;

	if (last - word >= ring_words(r)) {
		memset(r->bits, 0, ring_words(r) * sizeof(r->bits[0]));
	} else {
		while (word != last)
			r->bits[index_of(r, ++word * BITS_PER_WORD)] = 0;
	}
	r->top = seq;
}

int esplane_replay_update(struct esplane_replay *r, u64 seq)
{
	int verdict = esplane_replay_check(r, seq);

	if (verdict != ESPLANE_REPLAY_OK)
		return verdict;
	if (seq > r->top)
		advance(r, seq);
	else if (seq < r->top)
		note_late(r, r->top - seq);
	if (r->top - seq >= r->window)	/* checks are off; its word stands for a newer number */
		return ESPLANE_REPLAY_OK;
	r->bits[index_of(r, seq)] |= bit_of(seq);
	return ESPLANE_REPLAY_OK;
}
EXPORT_SYMBOL_IF_KUNIT(esplane_replay_update);
