/* SPDX-License-Identifier: MIT */
/*
 * OpenSSL's algorithms, each looked up once in the life of a process: to look one up for each text
 * and each message costs more than to hash or encrypt most of them.
 *
 * Any thread may ask. What is returned is nobody's to free.
 */
#ifndef ESPLANE_IKE_FETCHED_H
#define ESPLANE_IKE_FETCHED_H

#include <openssl/evp.h>

/* By OpenSSL's name, one of those in fetched.c. NULL: the library does not give it. */
const EVP_MD *ike_fetched_md(const char *name);
const EVP_CIPHER *ike_fetched_cipher(const char *name);
/* HMAC with @digest, to be copied and keyed. */
const EVP_MAC_CTX *ike_fetched_hmac(const char *digest);

#endif
