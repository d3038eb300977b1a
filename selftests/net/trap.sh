#!/bin/bash
# SPDX-License-Identifier: MIT
# Trap policies: traffic that a policy protects while there is no SA asks for one; the first packets
# wait for it, in order and in bounds, and are sent when it comes; those that cannot wait, or wait in
# vain, are dropped by name. Every packet is accounted for.
#
#	a esplane 10.1.0.1 === ESP ===> 10.2.0.1 esplane b
# Variables that lib.sh sets or reads.
# shellcheck disable=SC2034,SC2154
. "$(dirname "$0")/lib.sh"

# kernel/hold.h
PER_POLICY=16
IN_ALL=256
SECONDS_HELD=10

# a's policy without an SA, and with it.
trap_again() {
	esp "$a" policy-set "id=$POLICY_OUT_a" direction=out action=protect priority=100 \
		"selector=$NET_A,$NET_B" >/dev/null
}

sa_comes() {
	esp "$a" policy-set "id=$POLICY_OUT_a" direction=out action=protect priority=100 \
		"selector=$NET_A,$NET_B" "sa_id=$SA_OUT_a" "$@" >/dev/null
}

datagrams() { sender "$a" $INNER_B "$1" "$2" 1000; }

# Since when counters were last read: "HELD NO_OUT_SA HOLD_EXPIRED", the latter two by how much more.
fate() {
	read_stats "$a"
	echo "$(in_stats held) $(($(in_stats NO_OUT_SA) - no_room)) $(($(in_stats HOLD_EXPIRED) - expired))"
}
fate_is() { [ "$(fate)" = "$1" ]; }
begin() {
	read_stats "$a"
	no_room=$(in_stats NO_OUT_SA) expired=$(in_stats HOLD_EXPIRED)
}

first_packets() {
	begin
	events "$a"
	trap_again
	receiver "$b" $INNER_B 9000 10
	datagrams 9000 10
	ktap_equal "ten packets wait (held, no room, expired)" "$(fate)" "10 0 0"
	sa_comes
	ktap_equal "the SA comes: all ten arrive" "$(received)" 10
	ktap_equal "none is left" "$(fate)" "0 0 0"
	ktap_check "an acquire event came" busywait "$(slowly 2000)" event_is '.event == "acquire"'
	ktap_equal "and only one" "$(event_count '.event == "acquire"')" 1
}

# A ping whose request goes out when there is nothing yet gets its answer.
ping_waits() {
	local pid
	trap_again
	ns "$a" ping -n -c 1 -W "$(slowly 10)" $INNER_B >/dev/null &
	pid=$!
	busywait "$(slowly 4000)" fate_is "1 0 0" && sa_comes && wait $pid
}

bounds() {
	begin
	trap_again
	receiver "$b" $INNER_B 9000 $PER_POLICY
	datagrams 9000 30
	ktap_equal "of 30 packets the first $PER_POLICY wait" "$(fate)" "$PER_POLICY $((30 - PER_POLICY)) 0"
	sa_comes
	ktap_equal "the SA comes: they arrive" "$(received)" $PER_POLICY
}

# burst FIRST LAST COUNT: so many datagrams to each of these ports, before the first may expire. What waits
# fills its socket's buffer, so each port has a socket of its own.
burst() {
	nsenter --net="/run/netns/$a" python3 - $INNER_B "$@" <<-'EOP'
		import socket, sys
		address, (first, last, count) = sys.argv[1], map(int, sys.argv[2:])
		for port in range(first, last + 1):
		    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
		        for i in range(count):
		            sock.sendto(i.to_bytes(8, "big") + bytes(92), (address, port))
	EOP
}

# All that waited or still waits, and what found no room.
waited() {
	local now full late
	read -r now full late <<<"$(fate)"
	echo "$((now + late)) $full"
}

# Twenty policies, a port each.
many_policies() {
	local port ids=() id
	begin
	for ((port = 9200; port < 9220; port++)); do
		ids+=("$(esp "$a" policy-set direction=out action=protect priority=10 \
			"selector=$NET_A,$NET_B,17,0-65535,$port")")
	done
	burst 9200 9219 $PER_POLICY
	ktap_equal "of 20 x $PER_POLICY packets the first $IN_ALL wait" "$(waited)" \
		"$IN_ALL $((20 * PER_POLICY - IN_ALL))"
	for id in "${ids[@]:1}"; do esp "$a" policy-del "id=$id"; done
	ktap_check "none is left but of the last policy" busywait 100 held_at_most $PER_POLICY
	busywait "$(slowly $((SECONDS_HELD * 1000 + 3000)))" held_at_most 0
	receiver "$b" $INNER_B 9200 5
	datagrams 9200 5
	esp "$a" policy-del "id=${ids[0]}"
	ktap_equal "its policy goes: the next one that covers it has an SA" "$(received)" 5
}
held_at_most() { [ "$(counter "$a" held)" -le "$1" ]; }

in_vain() {
	begin
	trap_again
	datagrams 9000 5
	ktap_equal "five packets wait" "$(fate)" "5 0 0"
	ktap_check "no SA comes: after $SECONDS_HELD s they are dropped" \
		busywait "$(slowly $((SECONDS_HELD * 1000 + 3000)))" fate_is "0 0 5"
	datagrams 9000 4
	esp "$a" policy-del "id=$POLICY_OUT_a"
	ktap_equal "their policy goes" "$(fate)" "0 0 9"
	POLICY_OUT_a=$(esp "$a" policy-set direction=out action=protect priority=100 "selector=$NET_A,$NET_B")
	datagrams 9000 3
	esp "$a" policy-set "id=$POLICY_OUT_a" direction=out action=discard priority=100 \
		"selector=$NET_A,$NET_B" >/dev/null
	ktap_equal "their policy protects no longer" "$(fate)" "0 0 12"
}

# The daemon narrows: the SA comes with another policy ahead of the trap.
narrower() {
	local narrow
	begin
	trap_again
	receiver "$b" $INNER_B 9300 5
	datagrams 9300 5
	datagrams 9301 5
	narrow=$(esp "$a" policy-set direction=out action=protect priority=50 \
		"selector=$NET_A,$NET_B,17,0-65535,9300" "sa_id=$SA_OUT_a")
	ktap_equal "an SA for some: they arrive" "$(received)" 5
	ktap_equal "the others go on waiting" "$(fate)" "5 0 0"
	esp "$a" policy-del "id=$narrow"
	sa_comes
	ktap_equal "until theirs comes" "$(fate)" "0 0 0"
}

# The SA is gone at its hard limit, the policy stays.
after_the_end() {
	local short
	begin
	short=$(esp "$a" sa-add direction=out spi=0x1001 src=$OUTER_A dst=$OUTER_B "key=$KEY_AB" hard_packets=2)
	esp "$b" sa-add direction=in spi=0x1001 src=$OUTER_A dst=$OUTER_B "key=$KEY_AB" >/dev/null
	esp "$a" policy-set "id=$POLICY_OUT_a" direction=out action=protect priority=100 \
		"selector=$NET_A,$NET_B" "sa_id=$short" >/dev/null
	receiver "$b" $INNER_B 9000 8
	datagrams 9000 8
	sa_comes
	ktap_equal "behind a hard limit packets wait for the next SA" "$(received)" 8
}

route_mode() {
	local id sa
	begin
	sa=$(esp "$a" sa-add direction=out spi=0x1007 src=$OUTER_A dst=$OUTER_B "key=$KEY_AB" if_id=7) &&
	esp "$b" sa-add direction=in spi=0x1007 src=$OUTER_A dst=$OUTER_B "key=$KEY_AB" >/dev/null &&
	esp "$a" link-add ipsec0 if_id=7 && ip -n "$a" link set ipsec0 up &&
	ip -n "$a" route replace "$NET_B" dev ipsec0 src $INNER_A || return 1
	id=$(esp "$a" policy-set direction=out action=protect if_id=7 "selector=0.0.0.0/0,0.0.0.0/0")
	receiver "$b" $INNER_B 9000 6
	datagrams 9000 6
	fate_is "6 0 0" || return 1
	esp "$a" policy-set "id=$id" direction=out action=protect if_id=7 \
		"selector=0.0.0.0/0,0.0.0.0/0" "sa_id=$sa" >/dev/null
	[ "$(received)" = 6 ]
}

# Packets of a device that goes must not hold it up, nor those of a namespace that ends. The other end
# of its cable is gone when the namespace is.
namespace_end() {
	ns_add d && veth "$d" eth0 192.0.2.5/24 "$b" eth5 192.0.2.6/24 || return 1
	esp "$d" policy-set direction=out action=protect "selector=0.0.0.0/0,10.9.0.0/16" >/dev/null
	ip -n "$d" route add 10.9.0.0/16 via 192.0.2.6
	ip -n "$d" neigh add 192.0.2.6 lladdr 02:00:00:00:00:01 dev eth0
	ns "$d" ping -n -c 3 -i 0.1 -W 1 10.9.0.1
	[ "$(counter "$d" held)" = 3 ] || return 1
	ns_del "$d"
	busywait "$(slowly $((SECONDS_HELD * 1000 + 5000)))" link_gone "$b" eth5
}
link_gone() { ! ip -n "$1" link show "$2"; }

ktap_print_header
two_hosts
worker "$a"
worker "$b"
ktap_set_plan $((1 + 5 + 1 + 2 + 3 + 4 + 3 + 1 + 1 + 1))
up() { esplane_end "$a" a && esplane_end "$b" b && inner_route "$a" a && inner_route "$b" b; }
check_here "a tunnel in policy mode" up
first_packets
begin
ktap_check "a ping waits for its SA" ping_waits
bounds
many_policies
in_vain
narrower
after_the_end
ktap_check "route mode" route_mode
check_here "a namespace ends while packets wait" namespace_end
ktap_finished
