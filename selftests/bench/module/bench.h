/* SPDX-License-Identifier: GPL-2.0 */
#ifndef ESPLANE_BENCH_H
#define ESPLANE_BENCH_H

struct file_operations;

extern const struct file_operations bench_account_ops;
extern const struct file_operations bench_cipher_ops;
extern const struct file_operations bench_source_ops;

#endif
