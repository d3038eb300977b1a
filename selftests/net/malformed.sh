#!/bin/bash
# SPDX-License-Identifier: MIT
# Packets that no right sender makes, each dropped for its own reason: too short, wrong inside although
# they are authentic, wrong outside. And what RFC 4303 and RFC 6040 want accepted.
#
#	a (esp.py) --- ESP ---> b esplane, inbound SA only, a UDP socket behind it
# Variables that lib.sh sets or reads.
# shellcheck disable=SC2034,SC2154
. "$(dirname "$0")/lib.sh"

# Each step has a sequence number of its own.
seq=0

inject() {
	ask "$a" esp send --key "$KEY_AB" --spi ${spi:-$SPI_AB} \
		--from $OUTER_A --to $OUTER_B "$@"
}

# What has changed in b's counters since before: of the reason, all drops, packets delivered.
change() {
	read_stats "$b"
	echo "$(($(in_stats "$reason") - $1)) $(($(drops_in_stats) - $2)) $(($(in_stats in-packets) - $3))"
}

changed() { got=$(change "${before[@]}") && [ "$got" = "$want" ]; }

# outcome NAME WANT REASON ARGUMENT...
outcome() {
	local name=$1 want=$2 reason=$3 before got
	shift 3
	read_stats "$b"
	before=("$(in_stats "$reason")" "$(drops_in_stats)" "$(in_stats in-packets)")
	inject "$@" || { ktap_test_fail "$name" "cannot send"; return; }
	busywait "$(slowly 2000)" changed
	ktap_equal "$name" "$got" "$want"
}

# One more drop for this reason, no other, nothing delivered.
dropped() { outcome "$1: $2" "1 1 0" "$2" "${@:3}"; }

accepted() { outcome "$1: accepted" "0 0 1" NO_SA "${@:2}"; }

# The TOS byte of the next inner packet that comes out at b.
tos_delivered() {
	capture "$b" "$DEVICE" "$NET_TMP/tos" udp
	inject "$@"
	capture_stop
	tcpdump -n -v -r "$NET_TMP/tos" 2>/dev/null | sed -n 's/.*(tos \(0x[0-9a-f]*\),.*/\1/p'
}

next() { seq=$((seq + 1)); }

# 28 bytes: an IPv4 header with this first byte and total length (28 unless said), and a UDP header.
inner() { echo "${1}00${2:-001c}00010000401100000a0100010a0200012329232800080000"; }

ktap_print_header
two_hosts
ktap_set_plan 25
worker "$a"
SA_IN=$(esp "$b" sa-add direction=in spi=$SPI_AB src=$OUTER_A dst=$OUTER_B "key=$KEY_AB" \
	"selector=$NET_A,$NET_B")
DEVICE=esplane0

next; accepted "a good packet" $seq
# Header 8, IV 8, ICV 16 (RFC 4106): with less than 32 bytes, and the 2 of the trailer, none is whole.
next; dropped "header only" RUNT $seq:cut=8
next; dropped "no room for the ICV" RUNT $seq:cut=31
next; dropped "cut behind" AUTH $seq:cut=60

next; dropped "padding longer than the packet" PADDING $seq:padlen=255
next; accepted "more padding than needed" $seq:padding=010203040506
next; dropped "next header of IPv6 for an IPv4 packet" INNER_HEADER $seq:next=41
next; dropped "transport mode's next header in a tunnel" NEXT_HEADER $seq:next=17
# RFC 4303 section 2.6: to be dropped without a complaint, whatever it holds.
next; dropped "dummy packet" DUMMY $seq:next=59
next; dropped "dummy packet with nothing inside" DUMMY $seq:next=59:inner=
next; dropped "nothing inside" INNER_HEADER $seq:inner=:padding=0102
next; dropped "inner version 5" INNER_HEADER "$seq:inner=$(inner 55)"
next; dropped "inner header shorter than 20 bytes" INNER_HEADER "$seq:inner=$(inner 44)"
next; dropped "inner header longer than the packet" INNER_HEADER "$seq:inner=$(inner 4f)"
next; dropped "inner total length beyond the packet" INNER_HEADER "$seq:inner=$(inner 45 05dc)"
next; dropped "inner total length shorter than its header" INNER_HEADER "$seq:inner=$(inner 45 0010)"
next; accepted "bytes behind the inner packet (TFC padding, RFC 4303 section 2.7)" \
	$seq:tfc=8

# Source and destination, each outside what the SA may carry (RFC 4301 section 5.2).
next; dropped "inner source outside the selectors" SELECTOR --inner 10.9.0.1:10.2.0.1 $seq
next; dropped "inner destination outside the selectors" SELECTOR --inner 10.1.0.1:10.9.0.1 $seq

# RFC 6040 figure 4: outer CE marks an ECT inner packet, and kills one that cannot carry the mark.
# ECT(0) is 2, ECT(1) is 1, CE is 3.
next; ktap_equal "outer CE is handed in" "$(tos_delivered --tos 3 --inner-tos 2 $seq)" 0x3
next; ktap_equal "outer ECT(0) leaves the inner one alone" \
	"$(tos_delivered --tos 2 --inner-tos 0xb9 $seq)" 0xb9
next; dropped "outer CE, inner Not-ECT" ECN --tos 3 --inner-tos 0 $seq

esp "$b" encap-add port=$ENCAP_PORT >/dev/null
next; accepted "ESP in UDP for an SA that is native: the SPI alone decides (RFC 4301 section 4.1)" \
	--udp $ENCAP_PORT:$ENCAP_PORT $seq
spi=0x3000
next; dropped "ESP in UDP, unknown SPI" NO_SA --udp $ENCAP_PORT:$ENCAP_PORT $seq
spi=
dropped "two bytes on the encapsulation port" KEEPALIVE_RUNT --udp $ENCAP_PORT:$ENCAP_PORT 0:plain=ffff
ktap_finished
