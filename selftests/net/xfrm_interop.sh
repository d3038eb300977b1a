#!/bin/bash
# SPDX-License-Identifier: MIT
# The kernel's own IPsec (xfrm) is the other end: what esplane sends it must accept and the other way
# round, for every key length, with and without extended sequence numbers, native and in UDP, in
# policy mode and in route mode. On the wire there is ESP and nothing else.
#
#	a esplane 10.1.0.1 === ESP === 10.2.0.1 xfrm b
# Variables that lib.sh sets or reads.
# shellcheck disable=SC2034,SC2154
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/against_xfrm.sh"

MB=$((1 << 20))
WHOLE_TRANSFER=$((32 * MB))
# Of less, slow start is too large a part: its bursts are small however they are sent.
SHORT_TRANSFER=$((4 * MB))
# Packets in a hundred trains, on the average. On the debug kernel TCP's acknowledgements come late, its
# bursts are small; and it takes minutes for what others do in seconds.
TRAINS=500
[ "$(slowly 1)" = 1 ] || {
	WHOLE_TRANSFER=$((2 * MB)) SHORT_TRANSFER=$MB TRAINS=120
}

say_variant() {
	local encap=native mode=$MODE esn=off
	[ $UDP = 0 ] || encap="in UDP"
	[ $ESN = 0 ] || esn=on
	echo "$encap, $mode mode, $BITS bits, ESN $esn"
}

tunnel_up() {
	new_keys
	esplane_end "$a" a && xfrm_end "$b" b && inner_route "$b" b || return 1
	[ $MODE = route ] || inner_route "$a" a || return 1
	remember_drops
}

tunnel_down() {
	clear_end "$a"
	clear_end "$b"
}

# Payloads of 1 byte, an odd one, and one that makes the inner packet 1,400 bytes (20 IP + 8 ICMP).
# 3,000 bytes have to be fragmented before or after encryption, at the sender's choice.
pings() {
	local size
	for size in 1 1372 3000; do
		ns "$a" ping -n -c 3 -i 0.01 -W "$(slowly 2)" -s $size $INNER_B || return 1
	done
	ns "$b" ping -n -c 3 -i 0.01 -W "$(slowly 2)" -s 17 $INNER_A
}

counted_stream() {
	receiver "$2" "$3" 9000 100 && sender "$1" "$3" 9000 100 500 1000 && [ "$(received)" = 100 ]
}

# Nine echoes and three answers went out, nine answers and three echoes came in, not counting pieces.
nothing_lost() {
	[ "$(sa_get "$a" $SA_OUT_a packets)" -ge 12 ] &&
	[ "$(sa_get "$a" $SA_IN_a packets)" -ge 12 ] &&
	[ "$(drops "$a")" = "$drops_before" ] && [ "$(xfrm_errors)" = "$errors_before" ]
}

variant() {
	local name
	name=$(say_variant)
	check_here "$name: tunnel" tunnel_up
	ktap_check "$name: pings both ways" pings
	ktap_check "$name: nothing dropped at either end" nothing_lost
	tunnel_down
}

# With TSO the inner packets come in super-packets, and so they must go out, acknowledgements of the other
# direction's handshake and all.
in_trains() {
	local packets trains
	# On a machine that is slow just then TCP would send by twos.
	ns "$a" sysctl -qw net.ipv4.tcp_min_tso_segs=8 || return 1
	packets=$(counter "$a" out-packets) trains=$(counter "$a" out-trains)
	"$@" || return 1
	packets=$(($(counter "$a" out-packets) - packets))
	trains=$(($(counter "$a" out-trains) - trains))
	echo "$packets packets in $trains trains"
	[ $((packets * 100)) -ge $((TRAINS * trains)) ]
}

transfers() {
	local bytes=$1 name
	name=$(say_variant)
	tunnel_up
	ktap_check "$name: UDP stream to xfrm" counted_stream "$a" "$b" $INNER_B
	ktap_check "$name: UDP stream from xfrm" counted_stream "$b" "$a" $INNER_A
	ktap_check "$name: $((bytes / MB)) MB over TCP to xfrm arrive intact, in trains" \
		in_trains net_send "$a" "$b" $INNER_B "$bytes"
	ktap_check "$name: $((bytes / MB)) MB over TCP from xfrm arrive intact" \
		net_send "$b" "$a" $INNER_A "$bytes"
	tunnel_down
}

# At a, for xfrm shows what it has decrypted on the same device once more.
wire_start() { capture "$a" eth0 "$NET_TMP/wire"; }

only_esp_on_wire() {
	local esp=$1
	capture_stop
	tcpdump -n -c 10 -r "$NET_TMP/wire" "ip and not ($esp)"
	[ "$(captured "$NET_TMP/wire" "$esp")" -gt 100 ] &&
	[ "$(captured "$NET_TMP/wire" "ip and not ($esp)")" = 0 ]
}

encapsulation() {
	local wire=$1
	wire_start
	BITS=256
	for ESN in 0 1; do
		MODE=route
		variant
	done
	MODE=policy
	for BITS in 128 192 256; do
		for ESN in 0 1; do
			variant
		done
	done
	BITS=256
	transfers $SHORT_TRANSFER
	check_here "only ESP on the wire ($wire)" only_esp_on_wire "$wire"
	transfers $WHOLE_TRANSFER
	MODE=route
	transfers $((4 * MB))
	MODE=policy
}

ktap_print_header
two_hosts
worker "$a"
worker "$b"
need_module xfrm_user
need_module esp4
# Two variants in route mode and six in policy mode with 3 tests each, three transfers with 4, the wire.
ktap_set_plan $((1 + 2 * (8 * 3 + 3 * 4 + 1)))
ktap_check "TSO is on" sh -c \
	"ip netns exec $a ethtool -k eth0 | grep -q 'tcp-segmentation-offload: on'"
UDP=0
encapsulation "esp"
UDP=1
# udp[8:4] is the first word behind the UDP header: an SPI, which is 256 or more (RFC 4303 section 2.1).
# xfrm may fragment what it has encrypted; only the first piece has a UDP header.
encapsulation "(udp src port 4500 and udp dst port 4500 and udp[8:4] >= 256) or \
(ip proto 17 and ip[6:2] & 0x1fff != 0)"
ktap_finished
