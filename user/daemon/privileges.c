// SPDX-License-Identifier: MIT
/* Another user, one capability, locked memory. */
#include <errno.h>
#include <pwd.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cap-ng.h>
#include <openssl/crypto.h>

#include "log.h"
#include "privileges.h"

#define DEFAULT_USER "esplane"

enum {
	KEY_HEAP = 4 << 20,	/* bytes: some hundred RSA keys, and what signing needs */
	KEY_PIECE = 32,		/* the least that is given out; powers of two, both */
};

void privileges_protect_memory(void)
{
	static const struct rlimit none = { 0, 0 }, endless = { RLIM_INFINITY, RLIM_INFINITY };

	if (prctl(PR_SET_DUMPABLE, 0) || setrlimit(RLIMIT_CORE, &none))
		log_error("core dumps cannot be switched off: %m");
	/* MCL_ONFAULT: without it the stack of every thread would be filled in whole. */
	if (setrlimit(RLIMIT_MEMLOCK, &endless) || mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT))
		log_info("memory cannot be locked, keys may reach swap space: %m");
}

void privileges_part_keys(void)
{
	/* 0: no such heap; 2: it could not be locked, which privileges_protect_memory() mends. */
	if (!CRYPTO_secure_malloc_init(KEY_HEAP, KEY_PIECE))
		log_info("private keys get no heap of their own");
}

int privileges_find(const char *user, struct privileges_identity *identity)
{
	const struct passwd *pw;

	errno = 0;
	pw = getpwnam(user ? user : DEFAULT_USER);
	if (!pw && user) {
		log_error("user %s: %s", user, errno ? strerror(errno) : "there is no such user");
		return -1;
	}
	identity->uid = pw ? pw->pw_uid : getuid();
	identity->gid = pw ? pw->pw_gid : getgid();
	return 0;
}

/* With the capabilities that libcap-ng has been told of. */
static int become(const struct privileges_identity *identity)
{
	int err;

	if (identity->uid == getuid() && identity->gid == getgid())
		err = capng_apply(CAPNG_SELECT_BOTH);
	else
		err = capng_change_id(identity->uid, identity->gid,
				      CAPNG_DROP_SUPP_GRP | CAPNG_CLEAR_BOUNDING);
	if (err) {
		log_error("privileges cannot be dropped (libcap-ng: %d)", err);
		return -1;
	}
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) {
		log_error("PR_SET_NO_NEW_PRIVS: %m");
		return -1;
	}
	/* The change of identity switched it on again. */
	if (prctl(PR_SET_DUMPABLE, 0))
		log_error("core dumps cannot be switched off: %m");
	return 0;
}

int privileges_drop(const struct privileges_identity *identity)
{
	capng_clear(CAPNG_SELECT_BOTH);
	capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED, CAP_NET_ADMIN);
	return become(identity);
}

int privileges_drop_all(const struct privileges_identity *identity)
{
	capng_clear(CAPNG_SELECT_BOTH);
	return become(identity);
}
