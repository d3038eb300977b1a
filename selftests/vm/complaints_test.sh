#!/bin/bash
# SPDX-License-Identifier: MIT
# What vm/complaints must recognise. The lines are as the kernel prints them (Documentation/: lockdep,
# kasan, kmemleak, ubsan; lib/ and kernel/ for the rest).
. "$(dirname "$0")/../lib/ktap.sh"
COMPLAINTS=$(dirname "$0")/complaints
console=$(mktemp)
trap 'rm -f "$console"' EXIT

# kinds TEXT: what is recognised in a console of one line, without the quoted line.
kinds() {
	printf '[    0.000000] Linux version 6.12\n[   12.345678] %s\n' "$1" >"$console"
	"$COMPLAINTS" "$console" | sed 's/:.*//'
}

recognised() { ktap_equal "$1: $2" "$(kinds "$2" | grep -cx "$1")" 1; }

ktap_print_header
ktap_set_plan 20
while IFS='|' read -r kind line; do
	recognised "$kind" "$line"
done <<'EOT'
panic|Kernel panic - not syncing: Fatal exception in interrupt
oops|Oops: 0000 [#1] PREEMPT SMP NOPTI
oops|Oops: general protection fault, probably for non-canonical address 0xdead000000000122: 0000
oops|BUG: unable to handle page fault for address: ffffffffc0401000
KASAN|BUG: KASAN: slab-use-after-free in sa_put+0x12/0x40 [esplane]
UBSAN|UBSAN: array-index-out-of-bounds in net/core/dev.c:10:2
lockdep|WARNING: possible circular locking dependency detected
lockdep|WARNING: possible recursive locking detected
lockdep|WARNING: inconsistent lock state
lockdep|WARNING: suspicious RCU usage
lockdep|1 lock held by ip/300:
BUG|BUG: sleeping function called from invalid context at include/linux/sched/mm.h:337
BUG|BUG: scheduling while atomic: ip/300/0x00000002
WARNING|WARNING: CPU: 1 PID: 300 at net/core/skbuff.c:1106 skb_release_data+0x1/0x2
WARNING|refcount_t: underflow; use-after-free.
kmemleak|kmemleak: 3 new suspected memory leaks (see /sys/kernel/debug/kmemleak)
hung task|INFO: task rmmod:300 blocked for more than 120 seconds.
netdevice leak|unregister_netdevice: waiting for lo to become free. Usage count = 2
EOT
ktap_equal "a quiet console" "$(kinds 'esplane: loading out-of-tree module taints kernel.')" ""
ktap_equal "boot messages of the guest" "$(kinds 'tsc: Unable to calibrate against PIT')" ""
ktap_finished
