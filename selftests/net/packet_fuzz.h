/* SPDX-License-Identifier: MIT */
/* What the two halves of packet_fuzz share: numbers, packets, and ways to send them. */
#ifndef ESPLANE_PACKET_FUZZ_H
#define ESPLANE_PACKET_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	PACKET_MAX = 65536,
	ETHERTYPE_V4 = 0x0800,		/* linux/if_ether.h */
	ETHERTYPE_V6 = 0x86dd,
	IP_LEN = 20,			/* RFC 791 section 3.1, no options */
	IP6_LEN = 40,			/* RFC 8200 section 3 */
	UDP_LEN = 8,			/* RFC 768 */
	TCP_LEN = 20,			/* RFC 9293 section 3.1, no options */
};

struct packet {
	size_t len;
	uint8_t data[PACKET_MAX];
};

/* Where packets go: sockets in the namespaces of the command line. */
struct ways {
	const char *sender, *target;	/* namespaces */
	const char *key;		/* hexadecimal, see esp_open() */
	int tap;			/* frames that come in at the end under test */
};

/* How a frame comes in: what a device or a hypervisor says of it (linux/virtio_net.h). */
struct offload {
	uint8_t gso_type;
	uint16_t header, size;
	uint16_t csum_start, csum_offset;	/* 0: has its checksum */
};

/* One direction: what it opens at first, and packet number @i of a round, which it sends; returns by
 * how many packets it must show in the counters.
 */
struct half {
	void (*open)(const struct ways *ways);
	unsigned int (*send)(uint32_t round, unsigned int i);
};

extern const struct half fuzz_in, fuzz_out;

void __attribute__((noreturn, format(printf, 1, 2))) die(const char *format, ...);

/* All from the seed and the number of the round. */
uint32_t fuzz_number(void);
uint32_t fuzz_below(uint32_t n);		/* 0 to n - 1 */
uint32_t fuzz_between(uint32_t low, uint32_t high);
bool fuzz_one_in(uint32_t n);
void fuzz_fill(uint8_t *to, size_t len);
void fuzz_flip(uint8_t *bytes, size_t len);	/* one bit */

void put16(uint8_t *to, uint16_t value);
void put32(uint8_t *to, uint32_t value);
uint32_t get32(const uint8_t *from);
/* RFC 1071, of bytes that follow others whose sum is @sum. */
uint32_t sum_bytes(const uint8_t *bytes, size_t len, uint32_t sum);
uint16_t sum_fold(uint32_t sum);

/* Headers in front of @payload bytes that are there already or come later; return their length. */
size_t put_ip(uint8_t *to, const char *from_address, const char *to_address, uint8_t protocol,
	      size_t payload);
size_t put_ip6(uint8_t *to, const char *from_address, const char *to_address, uint8_t protocol,
	       size_t payload);
void sum_ip(uint8_t *header);			/* its checksum anew */

void in_namespace(const char *name);
int open_socket(int family, int type, int protocol);
/* One Ethernet frame; @scattered: in as many pieces of memory as the kernel takes. False if refused. */
bool send_frame(int tap, bool v6, const uint8_t *ip, size_t len, bool scattered,
		const struct offload *offload);

#endif
