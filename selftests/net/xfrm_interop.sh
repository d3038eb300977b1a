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

MB=$((1 << 20))
WHOLE_TRANSFER=$((32 * MB))
# The debug kernel takes minutes for what others do in seconds.
[ "$(slowly 1)" = 1 ] || WHOLE_TRANSFER=$((2 * MB))

say_variant() {
	local name
	name=$(say_variant)
	check_here "$name: tunnel" tunnel_up
	ktap_check "$name: pings both ways" pings
	ktap_check "$name: nothing dropped at either end" nothing_dropped
	tunnel_down
}

# With TSO the inner packets come in super-packets, and so they must go out: at least five packets a
# train on the average, acknowledgements of the other direction's handshake and all.
in_trains() {
	local packets trains
	packets=$(counter "$a" out-packets) trains=$(counter "$a" out-trains)
	"$@" || return 1
	packets=$(($(counter "$a" out-packets) - packets))
	trains=$(($(counter "$a" out-trains) - trains))
	echo "$packets packets in $trains trains"
	[ $packets -ge $((5 * trains)) ]
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
	transfers $MB
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
encapsulation "udp src port 4500 and udp dst port 4500 and udp[8:4] >= 256"
ktap_finished
