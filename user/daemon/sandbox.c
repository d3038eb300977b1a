// SPDX-License-Identifier: MIT
/*
 * The system calls of a running daemon; any other one ends it (and the kernel's audit log says
 * which). A parser that a stranger took over can then neither start a program nor open a connection
 * of a new kind.
 */
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

#include <seccomp.h>

#include "log.h"
#include "privileges.h"

static const int allowed[] = {
	/* the event loop and its sockets */
	SCMP_SYS(epoll_ctl), SCMP_SYS(epoll_wait), SCMP_SYS(epoll_pwait), SCMP_SYS(poll),
	SCMP_SYS(ppoll), SCMP_SYS(eventfd2), SCMP_SYS(pipe2), SCMP_SYS(recvmsg),
	SCMP_SYS(recvmmsg), SCMP_SYS(recvfrom), SCMP_SYS(sendmsg), SCMP_SYS(sendmmsg),
	SCMP_SYS(sendto), SCMP_SYS(accept4), SCMP_SYS(shutdown), SCMP_SYS(close),
	SCMP_SYS(getsockopt), SCMP_SYS(setsockopt), SCMP_SYS(getsockname),
	SCMP_SYS(getpeername), SCMP_SYS(read), SCMP_SYS(readv), SCMP_SYS(write),
	SCMP_SYS(writev), SCMP_SYS(ioctl), SCMP_SYS(fcntl),
	/* reading the configuration again */
	SCMP_SYS(open), SCMP_SYS(openat), SCMP_SYS(stat), SCMP_SYS(fstat), SCMP_SYS(lstat),
	SCMP_SYS(newfstatat), SCMP_SYS(statx), SCMP_SYS(lseek), SCMP_SYS(pread64),
	SCMP_SYS(getdents64), SCMP_SYS(access), SCMP_SYS(faccessat), SCMP_SYS(faccessat2),
	SCMP_SYS(readlink), SCMP_SYS(readlinkat), SCMP_SYS(getcwd),
	/* taking the control socket away at the end */
	SCMP_SYS(unlink), SCMP_SYS(unlinkat),
	/* memory, threads, time */
	SCMP_SYS(brk), SCMP_SYS(mmap), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(mprotect),
	SCMP_SYS(madvise), SCMP_SYS(mlock), SCMP_SYS(munlock), SCMP_SYS(futex),
	SCMP_SYS(sched_yield), SCMP_SYS(sched_getaffinity), SCMP_SYS(rseq),
	SCMP_SYS(set_robust_list), SCMP_SYS(get_robust_list), SCMP_SYS(restart_syscall),
	SCMP_SYS(clock_gettime), SCMP_SYS(clock_getres), SCMP_SYS(clock_nanosleep),
	SCMP_SYS(nanosleep), SCMP_SYS(gettimeofday), SCMP_SYS(time), SCMP_SYS(getrandom),
	/* signals, identity, the end */
	SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn),
	SCMP_SYS(sigaltstack), SCMP_SYS(getpid), SCMP_SYS(gettid), SCMP_SYS(tgkill),
	SCMP_SYS(getuid), SCMP_SYS(geteuid), SCMP_SYS(getgid), SCMP_SYS(getegid),
	SCMP_SYS(uname), SCMP_SYS(sysinfo), SCMP_SYS(prlimit64), SCMP_SYS(exit),
	SCMP_SYS(exit_group),
};

enum { SOCKET_TYPES = 0xf };	/* SOCK_TYPE_MASK: beside it are SOCK_CLOEXEC, SOCK_NONBLOCK */

/*
 * The resolver asks name servers by UDP: nothing that the IKE sockets could not send anyway. TCP, for
 * answers that are too long, it is told not to have.
 */
static int allow_udp(scmp_filter_ctx ctx)
{
	static const int families[] = { AF_INET, AF_INET6 };
	size_t i;
	int err = 0;

	for (i = 0; !err && i < sizeof(families) / sizeof(*families); i++) {
		err = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(socket), 2,
				       SCMP_A0(SCMP_CMP_EQ, families[i]),
				       SCMP_A1(SCMP_CMP_MASKED_EQ, SOCKET_TYPES, SOCK_DGRAM));
		if (!err)
			err = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EACCES), SCMP_SYS(socket), 2,
					       SCMP_A0(SCMP_CMP_EQ, families[i]),
					       SCMP_A1(SCMP_CMP_MASKED_EQ, SOCKET_TYPES,
						       SOCK_STREAM));
	}
	return err;
}

/* New sockets only of the kinds that libraries open in passing: name look-ups (unix), netlink. */
static int allow_socket(scmp_filter_ctx ctx, bool inet)
{
	static const int families[] = { AF_UNIX, AF_NETLINK, AF_INET, AF_INET6 };
	size_t i;
	int err = inet ? 0 : allow_udp(ctx);

	if (err)
		return err;
	for (i = 0; i < (inet ? 4 : 2); i++) {
		err = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1,
				       SCMP_A0(SCMP_CMP_EQ, families[i]));
		if (err)
			return err;
	}
	return seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(connect), 0);
}

/* Names are looked up by whatever the system has been told to use: netlink tells it of addresses. */
static int allow_resolver(scmp_filter_ctx ctx)
{
	return seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(bind), 0);
}

static int fill(scmp_filter_ctx ctx, bool fetcher)
{
	size_t i;
	int err;

	err = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_TSYNC, 1);
	if (err)
		return err;
	for (i = 0; i < sizeof(allowed) / sizeof(*allowed); i++) {
		err = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, allowed[i], 0);
		/* A name that this architecture does not have. */
		if (err && err != -EDOM)
			return err;
	}
	err = allow_socket(ctx, fetcher);
	if (!err)
		err = allow_resolver(ctx);
	return err ? err : seccomp_load(ctx);
}

static int enter(uint32_t otherwise, bool fetcher)
{
	scmp_filter_ctx ctx = seccomp_init(otherwise);
	int err = ctx ? fill(ctx, fetcher) : -ENOMEM;

	seccomp_release(ctx);
	if (!err)
		return 0;
	log_error("system call filter: %s", strerror(-err));
	return -1;
}

int sandbox_enter(void)
{
	return enter(SCMP_ACT_KILL_PROCESS, false);
}

/* A resolver's library is not ours to know: it is told no, and lives. */
int sandbox_enter_fetcher(void)
{
	return enter(SCMP_ACT_ERRNO(EPERM), true);
}
