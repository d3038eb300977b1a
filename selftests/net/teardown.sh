#!/bin/bash
# SPDX-License-Identifier: MIT
# The end, while packets flow: a namespace goes with SAs, policies, an interface and queued work in it;
# the module is unloaded and loaded again, and both with operations under way in an asynchronous driver;
# the daemon's process dies. Nothing may be left, and what is
# dropped on the way is dropped by name.
#
#	a esplane === ESP === b esplane
# Variables that lib.sh sets or reads.
# shellcheck disable=SC2034,SC2154
. "$(dirname "$0")/lib.sh"

up() {
	esplane_end "$a" a && esplane_end "$b" b || return 1
	[ $MODE = route ] || { inner_route "$a" a && inner_route "$b" b; }
}

# As many packets as the hosts can make, both ways; ends with its namespace or by flood_stop.
flood() {
	floods=()
	ip netns exec "$a" ping -n -q -f -s 1200 $INNER_B >/dev/null 2>&1 &
	floods+=($!)
	ip netns exec "$b" ping -n -q -f -s 1200 $INNER_A >/dev/null 2>&1 &
	floods+=($!)
	ip netns exec "$a" python3 "$NET_DIR/../lib/stream.py" send $INNER_B 9000 1000000 2000 1200 &
	floods+=($!)
	at_exit kill "${floods[@]}"
	busywait "$(slowly 5000)" traffic_flows
}

traffic_flows() {
	[ "$(counter "$a" in-packets)" -gt 100 ] && [ "$(counter "$b" in-packets)" -gt 100 ]
}

flood_stop() {
	kill "${floods[@]}" 2>/dev/null
	wait "${floods[@]}" 2>/dev/null
	true
}

# A namespace's name goes at once, the namespace itself when its last work is done: then its veth
# peer is gone too. b goes on sending meanwhile.
namespace_exit() {
	up && flood || return 1
	ns_del "$a" || return 1
	busywait "$(slowly 10000)" veth_gone
}

veth_gone() { ! ip -n "$b" link show eth0; }

rebuild() {
	flood_stop
	ns_del "$a"
	ns_del "$b"
	NET_SUFFIX=$$-$1
	two_hosts
}

unload() {
	up && flood || return 1
	rmmod esplane || return 1
	[ ! -d /sys/module/esplane ]
}

# later COMMAND: with a driver that lets the flood go on while operations wait in its queues.
later() {
	async_driver && "$@"
}

# The module's hooks and interfaces are gone, plain traffic is not disturbed.
nothing_left() {
	! ip -n "$a" link show esplane0 2>/dev/null && ! ip -n "$a" link show ipsec0 2>/dev/null &&
	net_ping "$a" $OUTER_B && ! genl ctrl list | grep -q 'Name: esplane$'
}

# The daemon's process is gone; SAs belong to the namespace.
daemon_death() {
	local holder
	UDP=1 up || return 1
	ip netns exec "$b" espctl encap-add port=4501 --hold >"$NET_TMP/holder" 2>&1 &
	holder=$!
	busywait "$(slowly 5000)" grep -q ready "$NET_TMP/holder" || return 1
	kill -KILL $holder
	wait $holder 2>/dev/null
	net_ping "$a" $INNER_B && [ "$(esp "$b" sa-list get=id | wc -l)" = 2 ]
}

TRACING=/sys/kernel/tracing
tracepoint() {
	local drop=$TRACING/events/esplane/drop
	[ -e $drop/enable ] || { echo "no tracepoint esplane:drop"; return 1; }
	echo >$TRACING/trace
	echo 1 >$drop/enable
	esp "$a" sa-del "id=$SA_OUT_a"
	ns "$a" ping -n -c 1 -W 1 $INNER_B
	# The packet waits for another SA; without its policy it has nothing to wait for.
	esp "$a" policy-del "id=$POLICY_OUT_a"
	echo 0 >$drop/enable
	cat $TRACING/trace
	grep -E 'drop:.*HOLD_EXPIRED' $TRACING/trace | grep -q "$INNER_B"
}

flushed() {
	esp "$a" flush && esp "$b" flush || return 1
	[ "$(counter "$a" sas) $(counter "$a" policies) $(counter "$b" sas) $(counter "$b" policies)" = "0 0 0 0" ]
}

ktap_print_header
two_hosts
ktap_set_plan 14
for UDP in 0 1; do
	MODE=policy
	check_here "UDP=$UDP: a namespace ends under traffic, policy mode" namespace_exit
	rebuild $UDP-p
	MODE=route
	check_here "UDP=$UDP: a namespace ends under traffic, route mode" namespace_exit
	rebuild $UDP-r
done
check_here "an asynchronous driver: a namespace ends under traffic" later namespace_exit
usual_driver
rebuild async
MODE=policy UDP=1
check_here "the tunnel outlives the process that registered its port" daemon_death
ktap_check "a drop is traced with its name and address" tracepoint
ktap_check "flush under way leaves no SA and no policy" flushed
clear_end "$a"
clear_end "$b"

check_here "the module unloads under traffic" unload
ktap_check "it leaves no interface, no hook, no family" nothing_left
flood_stop
ktap_check "it loads again" modprobe esplane
rebuild again
MODE=route
up
ktap_check "and works" net_ping "$a" $INNER_B
clear_end "$a"
clear_end "$b"
check_here "an asynchronous driver: the module unloads under traffic" later unload
flood_stop
ktap_check "and leaves nothing" nothing_left
modprobe esplane
ktap_finished
