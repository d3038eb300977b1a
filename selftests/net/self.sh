#!/bin/bash
# SPDX-License-Identifier: MIT
# esplane at both ends, in every pair of modes, and as the gateway of a host behind it.
#
#	h 10.1.0.2 --- 10.1.0.1 a === ESP === b 10.2.0.1
# Variables that lib.sh sets or reads.
# shellcheck disable=SC2034,SC2154
. "$(dirname "$0")/lib.sh"

MB=$((1 << 20))
# Packets in a hundred trains, on the average. On the debug kernel TCP's acknowledgements come late, its
# bursts are small.
TRAINS=500
[ "$(slowly 1)" = 1 ] || TRAINS=120

tunnel_up() {
	new_keys
	MODE=$1 esplane_end "$a" a && MODE=$2 esplane_end "$b" b || return 1
	[ "$1" = route ] || inner_route "$a" a || return 1
	[ "$2" = route ] || inner_route "$b" b
}

tunnel_down() {
	clear_end "$a"
	clear_end "$b"
}

pings() {
	local size
	for size in 1 1001 1372 3000; do
		ns "$a" ping -n -c 2 -i 0.01 -W "$(slowly 2)" -s $size $INNER_B || return 1
		ns "$b" ping -n -c 2 -i 0.01 -W "$(slowly 2)" -s $size $INNER_A || return 1
	done
}

variant() {
	local name="$1 to $2 mode, $BITS bits, UDP $UDP, ESN $ESN"
	check_here "$name: tunnel" tunnel_up "$1" "$2"
	ktap_check "$name: pings both ways" pings
	ktap_check "$name: TCP one way" net_send "$a" "$b" $INNER_B $MB
	ktap_check "$name: TCP the other way" net_send "$b" "$a" $INNER_A $MB
	tunnel_down
}

# Trains are taken whole: many packets arrive in one super-packet.
train_in() {
	local packets trains
	packets=$(counter "$b" in-packets) trains=$(counter "$b" in-trains)
	net_send "$a" "$b" $INNER_B $((8 * MB)) || return 1
	packets=$(($(counter "$b" in-packets) - packets))
	trains=$(($(counter "$b" in-trains) - trains))
	echo "$packets packets in $trains trains"
	[ $((packets * 100)) -ge $((TRAINS * trains)) ]
}

# The SA shows which driver serves it, and on this CPU it must not be the C code.
driver_uses_cpu() {
	grep -qw aes /proc/cpuinfo || return 0
	sa_get "$a" $SA_OUT_a driver | grep -E 'aesni|vaes|avx'
}

# Cleartext can be watched on the esplane interface, and only there.
cleartext_visible_on() {
	capture "$b" "$1" "$NET_TMP/inner" icmp
	ns "$a" ping -n -c 2 -i 0.1 $INNER_B >/dev/null
	capture_stop
	[ "$(captured "$NET_TMP/inner" "src $INNER_A and icmp[icmptype] == icmp-echo")" = "$2" ]
}

# A driver that always completes later must do as well.
asynchronous() {
	local status=1
	async_driver && tunnel_up policy policy && sa_get "$a" "$SA_OUT_a" driver | grep -q pcrypt &&
	net_ping "$a" $INNER_B && net_send "$a" "$b" $INNER_B $MB && net_send "$b" "$a" $INNER_A $MB &&
		status=0
	usual_driver
	tunnel_down
	return $status
}

ktap_print_header
two_hosts
ktap_set_plan $((4 * 4 + 7 + 2))
UDP=0 ESN=0 BITS=128 variant policy policy
UDP=1 ESN=1 BITS=256 variant policy policy
UDP=1 ESN=0 BITS=192 variant route policy
UDP=0 ESN=1 BITS=256 variant route route

UDP=1 BITS=256
tunnel_up route route
ktap_check "a SIMD driver serves the SA" driver_uses_cpu
ktap_check "UDP trains are taken whole" train_in
ktap_check "cleartext is seen on the esplane interface" cleartext_visible_on ipsec0 2
ktap_check "cleartext is not seen on the wire" cleartext_visible_on eth0 0
tunnel_down
tunnel_up policy policy
ktap_check "policy mode delivers through esplane0" cleartext_visible_on esplane0 2
tunnel_down

UDP=0
check_here "asynchronous driver, native" asynchronous
UDP=1
check_here "asynchronous driver, in UDP" asynchronous

host_behind && tunnel_up policy policy
ktap_check "host behind the gateway: TCP out" net_send "$h" "$b" $INNER_B $((4 * MB))
ktap_check "host behind the gateway: TCP in" net_send "$b" "$h" 10.1.0.2 $((4 * MB))
ktap_finished
