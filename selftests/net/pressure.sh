#!/bin/bash
# SPDX-License-Identifier: MIT
# The packet path without memory: while one in a hundred allocations that must not sleep fails, whoever asks, packets get
# lost and are counted, but no datagram arrives late, twice or damaged, TCP gets all of its bytes through, and afterwards
# nothing is left of it: no packet is dropped any more. That nothing leaks is for the guest's balance to tell, at the end.
# Needs a kernel with fault injection.
#
# All on one CPU, as in order.sh.
# Variables that lib.sh sets or reads.
# shellcheck disable=SC2034,SC2154
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib_order.sh"

DEBUGFS=/sys/kernel/debug
PERCENT=1	# a train takes dozens of allocations
TRAINS=1000	# they are still under way when the pressure begins
TRAINS_AFTER=100
KB=1024

# pressure PERCENT: only where a process may not wait for memory, as in a softirq.
pressure() {
	local dir
	for dir in $DEBUGFS/failslab $DEBUGFS/fail_page_alloc; do
		echo 0 >$dir/verbose && echo -1 >$dir/times && echo Y >$dir/ignore-gfp-wait && echo 1 >$dir/interval &&
		echo "$1" >$dir/probability || return 1
	done
	[ ! -e $DEBUGFS/fail_page_alloc/min-order ] || echo 0 >$DEBUGFS/fail_page_alloc/min-order
}

without_memory() { drops_of_reason=$(($(counter "$a" NO_MEMORY) + $(counter "$b" NO_MEMORY))); }

udp_begun() { ns "$a" ss -Hun "dst $INNER_B" | grep -q .; }
tcp_begun() { ns "$a" ss -Htn state established "dst $INNER_B" | grep -q .; }

# under_pressure BEGUN COMMAND...: from when it has its sockets, which are not what this is about.
under_pressure() {
	local begun=$1 status=0 waiter
	shift
	{ busywait "$(slowly 20000)" "$begun" && pressure $PERCENT; } &
	waiter=$!
	"$@" || status=$?
	kill $waiter 2>/dev/null
	wait $waiter
	pressure 0
	return $status
}

# Some are lost.
some_in_order() {
	local came twice late
	under_pressure udp_begun numbered $TRAINS 0.005
	read -r came twice late <"$NET_TMP/came"
	[ "$came" -gt 0 ] && [ "$twice $late" = "0 0" ]
}

ktap_print_header
[ -w $DEBUGFS/failslab/probability ] && [ -w $DEBUGFS/fail_page_alloc/probability ] ||
	ktap_skip_all "this kernel has no fault injection"
ktap_set_plan 10
at_exit pressure 0
taskset -pc 0 $$ >/dev/null
two_hosts
for UDP in 0 1; do
	check_here "UDP $UDP: a tunnel" tunnel_up
	ktap_check "UDP $UDP: datagrams come in order, none twice" some_in_order
	ktap_check "UDP $UDP: TCP comes whole" under_pressure tcp_begun net_send "$a" "$b" $INNER_B $((KB * KB))
	without_memory
	ktap_at_least "UDP $UDP: what was lost here is counted" $drops_of_reason 1
	ktap_check "UDP $UDP: all goes through again" numbered $TRAINS_AFTER 0.005
	clear_end "$a"
	clear_end "$b"
done
ktap_finished
