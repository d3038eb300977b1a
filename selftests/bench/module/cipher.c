// SPDX-License-Identifier: GPL-2.0
/*
 * The cipher alone: a packet's worth of bytes encrypted and decrypted again, in place, in one
 * piece, which is the shape that the AEADs of ESP like best. What a tunnel adds to this and to
 * the packet without a tunnel is the tunnel's own.
 *
 * Written to the file: NAME KEY_LEN LEN COUNT, where NAME is the kernel's, KEY_LEN includes
 * the salt, LEN is of what ESP encrypts. Read from it: nanoseconds for all COUNT, of both
 * directions.
 *
 * Locking: of each open file, its own mutex.
 */
#include <crypto/aead.h>
#include <linux/bottom_half.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "bench.h"

enum {
	ESP_HEADER = 8,		/* RFC 4303 section 2: SPI and sequence number */
	IV = 8,			/* RFC 4106 section 3.1, RFC 7634 section 2 */
	ICV = 16,
	MAX_KEY = 64,
	MAX_LEN = 16384,
	MAX_COUNT = 1000000,
};

struct cipher {
	struct mutex lock;	/* of all that follows */
	u64 took;
};

struct job {
	struct crypto_aead *aead;
	struct aead_request *request;
	u8 *packet;
	u32 len;
	u8 iv[IV];
};

static int once(struct job *job)
{
	struct scatterlist sg;
	int err;

	sg_init_one(&sg, job->packet, ESP_HEADER + IV + job->len + ICV);
	memcpy(job->iv, job->packet + ESP_HEADER, IV);
	aead_request_set_callback(job->request, 0, NULL, NULL);
	aead_request_set_ad(job->request, ESP_HEADER + IV);
	aead_request_set_crypt(job->request, &sg, &sg, job->len, job->iv);
	err = crypto_aead_encrypt(job->request);
	if (err)
		return err;
	aead_request_set_crypt(job->request, &sg, &sg, job->len + ICV, job->iv);
	return crypto_aead_decrypt(job->request);
}

static int many(struct job *job, u32 count, u64 *took)
{
	u64 start = ktime_get_ns();
	int err = 0;

	while (count-- && !err) {
		/* As on the packet path. */
		local_bh_disable();
		err = once(job);
		local_bh_enable();
	}
	*took = ktime_get_ns() - start;
	return err;
}

static int measure(const char *name, u32 key_len, u32 len, u32 count, u64 *took)
{
	static const u8 key[MAX_KEY] = { 1, 2, 3 };
	struct job job = { .len = len };
	int err;

	job.aead = crypto_alloc_aead(name, 0, 0);
	if (IS_ERR(job.aead))
		return PTR_ERR(job.aead);
	err = crypto_aead_setkey(job.aead, key, key_len) ?: crypto_aead_setauthsize(job.aead, ICV);
	if (err)
		goto free_aead;
	err = -ENOMEM;
	job.request = aead_request_alloc(job.aead, GFP_KERNEL);
	job.packet = kzalloc(ESP_HEADER + IV + len + ICV, GFP_KERNEL);
	if (job.request && job.packet)
		err = many(&job, 1, took) ?: many(&job, count, took);
	kfree(job.packet);
	aead_request_free(job.request);
free_aead:
	crypto_free_aead(job.aead);
	return err;
}

static int cipher_open(struct inode *inode, struct file *file)
{
	struct cipher *cipher = kzalloc(sizeof(*cipher), GFP_KERNEL);

	if (!cipher)
		return -ENOMEM;
	mutex_init(&cipher->lock);
	file->private_data = cipher;
	return 0;
}

static ssize_t cipher_write(struct file *file, const char __user *data, size_t len, loff_t *pos)
{
	struct cipher *cipher = file->private_data;
	u32 key_len, packet_len, count;
	char line[160], name[128];
	int err;

	if (len >= sizeof(line))
		return -EINVAL;
	if (copy_from_user(line, data, len))
		return -EFAULT;
	line[len] = '\0';
	if (sscanf(line, "%127s %u %u %u", name, &key_len, &packet_len, &count) != 4 ||
	    key_len > MAX_KEY || packet_len > MAX_LEN || count > MAX_COUNT)
		return -EINVAL;
	mutex_lock(&cipher->lock);
	err = measure(name, key_len, packet_len, count, &cipher->took);
	mutex_unlock(&cipher->lock);
	return err ?: len;
}

static ssize_t cipher_read(struct file *file, char __user *data, size_t len, loff_t *pos)
{
	struct cipher *cipher = file->private_data;
	char line[24];
	int n;

	mutex_lock(&cipher->lock);
	n = scnprintf(line, sizeof(line), "%llu\n", cipher->took);
	mutex_unlock(&cipher->lock);
	return simple_read_from_buffer(data, len, pos, line, n);
}

static int cipher_release(struct inode *inode, struct file *file)
{
	kfree(file->private_data);
	return 0;
}

const struct file_operations bench_cipher_ops = {
	.owner = THIS_MODULE,
	.open = cipher_open,
	.read = cipher_read,
	.write = cipher_write,
	.release = cipher_release,
};
