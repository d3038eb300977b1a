// SPDX-License-Identifier: GPL-2.0
/*
 * Trains through the cipher.
 *
 * A driver may do an operation at once or complete it later; many that call themselves asynchronous
 * do it at once nearly always. So the operations of a train use one request after the other as long
 * as they complete at once, which takes no allocation; the first that does not keeps its request,
 * and those after it get their own, a block at a time. Both ways end in train->finish().
 *
 * Locking: until the last operation is through, a train belongs to whoever runs it, except @pending
 * and the @err of segments under way. @pending starts with one for every segment and one for the
 * starter, who takes all that completed at once off in one step at the end: completions that run
 * meanwhile on another CPU cannot see zero before. Whoever takes it to zero calls finish().
 * The cache is per CPU, used with BHs off.
 */
#include <crypto/aead.h>
#include <kunit/visibility.h>
#include <linux/mm.h>
#include <linux/percpu.h>
#include <linux/scatterlist.h>
#include <linux/skbuff.h>
#include <linux/slab.h>

#include "compat.h"
#include "esp.h"
#include "sa.h"
#include "train.h"
#include "transform.h"

enum { OPS_PER_BLOCK = ESPLANE_TRAIN_MAX / ESPLANE_TRAIN_BLOCKS };

/* One call of the cipher; the driver's own context follows the request. */
struct op {
	struct esplane_train *train;
	struct esplane_segment *segment;
	u8 iv[ESPLANE_MAX_IV_LEN] __aligned(8);
	struct esplane_esn_aad esn;
	struct scatterlist from[3];	/* with extended numbers what they add; packet; ICV */
	struct scatterlist to[1];
	struct aead_request req;
};

static DEFINE_PER_CPU(struct esplane_train *, cached_train);

static void block_free(u8 **block)
{
	kfree_sensitive(*block);
	*block = NULL;
}

/* Lists of scatterlist entries end where they always end: that is written once. */
static u8 *block_alloc(unsigned int op_size)
{
	u8 *block = kmalloc(OPS_PER_BLOCK * op_size, GFP_ATOMIC);
	unsigned int i;

	for (i = 0; block && i < OPS_PER_BLOCK; i++) {
		struct op *op = (struct op *)(block + i * op_size);

		sg_init_table(op->from, ARRAY_SIZE(op->from));
		sg_init_table(op->to, ARRAY_SIZE(op->to));
	}
	return block;
}

static void train_free(struct esplane_train *train)
{
	if (!train)
		return;
	block_free(&train->blocks[0]);
	kfree(train);
}

static struct esplane_train *train_alloc(void)
{
	struct esplane_train *train = this_cpu_read(cached_train);

	if (!train)
		return kzalloc(sizeof(*train), GFP_ATOMIC);
	this_cpu_write(cached_train, NULL);
	return train;
}

struct esplane_train *esplane_train_get(struct esplane_sa *sa, struct sk_buff *skb)
{
	unsigned int op_size = ALIGN(sizeof(struct op) + crypto_aead_reqsize(sa->aead),
				     CRYPTO_MINALIGN);
	struct esplane_train *train;

	if (!esplane_sa_get(sa))
		return NULL;
	train = train_alloc();
	if (!train) {
		esplane_sa_put(sa);
		return NULL;
	}
	if (train->op_size < op_size) {
		block_free(&train->blocks[0]);
		train->op_size = op_size;
	}
	train->sa = sa;
	train->skb = skb_get(skb);
	train->others = NULL;
	train->napi = NULL;
	train->n = 0;
	train->ops_taken = 0;
	return train;
}
EXPORT_SYMBOL_IF_KUNIT(esplane_train_get);

static void consume_list(struct sk_buff *skb)
{
	struct sk_buff *next;

	skb_list_walk_safe(skb, skb, next) {
		skb_mark_not_on_list(skb);
		consume_skb(skb);
	}
}

void esplane_train_put(struct esplane_train *train)
{
	unsigned int i;

	consume_skb(train->skb);
	consume_list(train->others);
	esplane_sa_put(train->sa);
	for (i = 1; i <= train->ops_taken / OPS_PER_BLOCK && i < ESPLANE_TRAIN_BLOCKS; i++)
		block_free(&train->blocks[i]);
	if (this_cpu_read(cached_train))
		train_free(train);
	else
		this_cpu_write(cached_train, train);
}
EXPORT_SYMBOL_IF_KUNIT(esplane_train_put);

void esplane_train_exit(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		train_free(per_cpu(cached_train, cpu));
		per_cpu(cached_train, cpu) = NULL;
	}
}

static void finish(struct esplane_train *train)
{
	local_bh_disable();
	rcu_read_lock();
	train->finish(train);
	rcu_read_unlock();
	local_bh_enable();
}

static void op_done(struct op *op, int err)
{
	struct esplane_train *train = op->train;

	/* Only says that an operation has left a backlog; its end comes later. */
	if (err == -EINPROGRESS)
		return;
	op->segment->err = err;
	if (atomic_dec_and_test(&train->pending))
		finish(train);
}

ESPLANE_CRYPTO_COMPLETION(op_complete, op_done)

/*
 * With extended numbers the high half is authenticated too but not sent (RFC 4303 section 2.2.1).
 * So it comes from another place. Ciphers with integrity of their own want it between SPI and low
 * half (RFC 4106 section 5, RFC 4309 section 5, RFC 4543 section 3.3, RFC 7634 section 2.1). A
 * separate HMAC covers it behind the text instead (RFC 4303 section 3.3.2.1); authencesn(), which
 * those SAs have, takes the same layout as the others and moves it there for the time of hashing.
 *
 * The ICV has an entry of its own: to reach it at the end, ciphers skip whole entries at little
 * cost, but to begin within one they make a list of their own first.
 */
static struct scatterlist *map_from(struct op *op, const struct esplane_segment *seg,
				    unsigned int len, unsigned int icv_len, bool esn)
{
	const unsigned int skip = esn ? offsetof(struct esplane_esp_header, seq) : 0;

	sg_set_buf(&op->from[1], seg->wire + skip, len - skip);
	sg_set_page(&op->from[2], sg_page(&op->from[1]), icv_len,
		    op->from[1].offset + op->from[1].length);
	if (likely(!esn))
		return &op->from[1];
	memcpy(&op->esn.spi, seg->wire, sizeof(op->esn.spi));
	op->esn.seq_high = cpu_to_be32(upper_32_bits(seg->seq));
	sg_set_buf(&op->from[0], &op->esn, sizeof(op->esn));
	return &op->from[0];
}

/* The driver's, not to be changed by it where the wire's own lies. */
static void make_iv(struct op *op, const struct esplane_segment *seg, const struct esplane_sa *sa)
{
	const struct esplane_transform *t = sa->transform;
	const u8 *sent = seg->wire + sizeof(struct esplane_esp_header);

	if (likely(t->iv_len == sizeof(u64))) {
		memcpy(op->iv, sent, sizeof(u64));
	} else if (t->iv != ESPLANE_IV_IMPLICIT) {
		memcpy(op->iv, sent, t->iv_len);
	} else {
		/* RFC 8750 section 4: 64 bits with extended numbers, else 32 zero bits ahead. */
		memcpy(op->iv, sa->salt, t->salt_len);
		put_unaligned_be64(seg->seq, op->iv + t->salt_len);
	}
}

static unsigned int aad_len(const struct esplane_sa *sa)
{
	unsigned int len = sizeof(struct esplane_esp_header) + sa->transform->iv_len;

	if (sa->flags & ESPLANE_SA_FLAG_ESN)
		len += sizeof(struct esplane_esn_aad) - offsetof(struct esplane_esp_header, seq);
	return len;
}

/* What is the packet's own in a request. */
static void set_segment(struct op *op, struct esplane_segment *seg, bool encrypt)
{
	const struct esplane_sa *sa = op->train->sa;
	const struct esplane_transform *t = sa->transform;
	unsigned int header = sizeof(struct esplane_esp_header) + t->iv_len;
	unsigned int crypt = seg->text_len + (encrypt ? 0 : t->icv_len);
	struct scatterlist *from, *to;

	from = map_from(op, seg, header + seg->text_len, t->icv_len,
			sa->flags & ESPLANE_SA_FLAG_ESN);
	to = from;
	if (seg->text != seg->wire + header) {
		to = op->to;
		sg_set_buf(to, seg->text - op->req.assoclen, op->req.assoclen + seg->text_len);
	}
	make_iv(op, seg, sa);
	aead_request_set_crypt(&op->req, from, to, crypt, op->iv);
	op->segment = seg;
}

/* A request, but for what set_segment() adds; or NULL without memory. */
static struct op *next_op(struct esplane_train *train)
{
	u8 **block = &train->blocks[train->ops_taken / OPS_PER_BLOCK];
	struct op *op;

	if (!*block)
		*block = block_alloc(train->op_size);
	if (!*block)
		return NULL;
	op = (struct op *)(*block + train->ops_taken % OPS_PER_BLOCK * train->op_size);
	op->train = train;
	aead_request_set_tfm(&op->req, train->sa->aead);
	aead_request_set_ad(&op->req, aad_len(train->sa));
	/*
	 * No CRYPTO_TFM_REQ_MAY_BACKLOG: a driver that cannot keep up with forwarded traffic must
	 * lose packets, not gather them. So -EBUSY, like -ENOSPC, says that it did not take one.
	 */
	aead_request_set_callback(&op->req, 0, op_complete, op);
	return op;
}

/*
 * Returns true if the operation is through already. @op: the request to use, and then that for the
 * next segment; NULL if it is yet to be made, as it is behind a driver that failed: it may have
 * left marks of its own in this one.
 */
static bool start(struct esplane_train *train, struct op **op, struct esplane_segment *seg,
		  bool encrypt)
{
	int err = -ENOMEM;

	if (!*op)
		*op = next_op(train);
	if (*op) {
		set_segment(*op, seg, encrypt);
		err = encrypt ? crypto_aead_encrypt(&(*op)->req) : crypto_aead_decrypt(&(*op)->req);
	}
	if (likely(!err)) {
		seg->err = 0;
		return true;
	}
	*op = NULL;
	if (err == -EINPROGRESS) {
		train->ops_taken++;
		return false;
	}
	seg->err = err;
	return true;
}

void esplane_train_run(struct esplane_train *train, bool encrypt)
{
	unsigned int i, through = 1;
	struct op *op = NULL;

	atomic_set(&train->pending, train->n + 1);
	for (i = 0; i < train->n; i++) {
		struct esplane_segment *seg = &train->segments[i];

		if (seg->verdict != ESPLANE_SEGMENT_GOOD || start(train, &op, seg, encrypt))
			through++;
	}
	if (atomic_sub_and_test(through, &train->pending))
		train->finish(train);
}
EXPORT_SYMBOL_IF_KUNIT(esplane_train_run);
