#!/bin/bash
# SPDX-License-Identifier: MIT
# sa-update under load (MOBIKE, NAT rebinding): the outer addresses, the UDP ports, and whether there is
# UDP at all change again and again beneath two running streams. No packet is lost, and the sequence
# numbers go on.
#
#	a esplane === ESP === b esplane, numbered UDP packets each way
# Variables that lib.sh sets or reads.
# shellcheck disable=SC2034,SC2154
. "$(dirname "$0")/lib.sh"

MOVES=4
OTHER_PORT=4501
addresses=(192.0.2.2 192.0.2.22 192.0.2.23)

up() {
	local address
	for address in "${addresses[@]:1}"; do
		ip -n "$b" addr add $address/24 dev eth0 || return 1
	done
	esplane_end "$a" a && esplane_end "$b" b && inner_route "$a" a && inner_route "$b" b &&
	esp "$a" encap-add port=$OTHER_PORT && esp "$b" encap-add port=$OTHER_PORT
}

# a_says, b_says WORD...: the end's way out is changed; the other end learns it later, as it would.
a_says() { esp "$a" sa-update "id=$SA_OUT_a" "$@"; }
b_says() { esp "$b" sa-update "id=$SA_OUT_b" "$@"; }
a_hears() { esp "$a" sa-update "id=$SA_IN_a" "$@"; }
b_hears() { esp "$b" sa-update "id=$SA_IN_b" "$@"; }

numbers_reach() { [ "$(sa_get "$1" "$2" seq)" -ge "$3" ]; }

# Both streams have sent ten packets more, so what was just set has been used.
in_use() {
	local out_a out_b
	out_a=$(sa_get "$a" "$SA_OUT_a" seq) out_b=$(sa_get "$b" "$SA_OUT_b" seq)
	busywait "$(slowly 10000)" numbers_reach "$a" "$SA_OUT_a" $((out_a + 10)) &&
	busywait "$(slowly 10000)" numbers_reach "$b" "$SA_OUT_b" $((out_b + 10))
}

addresses_change() {
	local i address
	for ((i = 1; i <= MOVES; i++)); do
		address=${addresses[i % 3]}
		a_says dst=$address && b_says src=$address && b_hears dst=$address &&
		a_hears src=$address && in_use || return 1
	done
}

ports_change() {
	local i port
	for ((i = 1; i <= MOVES; i++)); do
		port=$((i % 2 ? OTHER_PORT : ENCAP_PORT))
		a_says encap=$ENCAP_PORT:$port && b_says encap=$port:$ENCAP_PORT &&
		b_hears encap=$ENCAP_PORT:$port && a_hears encap=$port:$ENCAP_PORT && in_use || return 1
	done
}

# The NAT has gone, and comes again.
encapsulation_changes() {
	local i ports
	for ((i = 1; i <= MOVES; i++)); do
		((i % 2)) && ports=0:0 || ports=$ENCAP_PORT:$ENCAP_PORT
		a_says encap=$ports && b_hears encap=$ports && b_says encap=$ports &&
		a_hears encap=$ports && in_use || return 1
	done
}

# under_load NAME COMMAND: COMMAND while the streams run.
under_load() {
	local name=$1
	streams_start
	check_here "$name under load" "$2"
	streams_stop
	ktap_equal "$name: packets lost each way" "$LOST" "0 0"
	ktap_equal "$name: nothing was dropped" "$(drops "$a") $(drops "$b")" "0 0"
}

# Every number sent came in, none twice; RFC 4303 section 3.3.3 begins with 1.
numbers_went_on() {
	local end other in out
	for end in a b; do
		[ $end = a ] && other=b || other=a
		in=SA_IN_$other out=SA_OUT_$end
		echo "$(sa_get "${!end}" "${!out}" packets) $(sa_get "${!end}" "${!out}" seq)" \
			"$(sa_get "${!other}" "${!in}" seq) $(sa_get "${!other}" "${!in}" replay_missing)"
	done
}

numbers_are_whole() {
	local sent number top missing
	numbers_went_on
	while read -r sent number top missing; do
		[ "$sent" -gt 0 ] && [ "$sent" = "$number" ] && [ "$number" = "$top" ] && [ "$missing" = 0 ] ||
			return 1
	done < <(numbers_went_on)
}

# What the wire shows of one echo, by addresses and ports.
wire_shows() {
	capture "$a" eth0 "$NET_TMP/wire"
	ns "$a" ping -n -c 1 -W "$(slowly 2)" $INNER_B >/dev/null
	capture_stop
	[ "$(captured "$NET_TMP/wire" "$1")" = 1 ] && [ "$(captured "$NET_TMP/wire" "$2")" = 1 ]
}

# As a NAT that forgot a: its packets come from another port. Who authenticates them tells the daemon.
rebinding() {
	events "$b"
	a_says encap=$OTHER_PORT:$ENCAP_PORT || return 1
	ns "$a" ping -n -c 1 -W "$(slowly 2)" $INNER_B
	busywait "$(slowly 4000)" event_is '.event == "sa-mapping"' || return 1
	jq -r 'select(.event == "sa-mapping") | .data | "\(.sa_id) \(.src) \(.sport) \(.old_sport)"' \
		<"$EVENTS" | head -n 1
	[ "$(jq -r 'select(.event == "sa-mapping") | .data |
		"\(.sa_id) \(.src) \(.sport) \(.old_sport)"' <"$EVENTS" | head -n 1)" = \
		"$SA_IN_b $OUTER_A $OTHER_PORT $ENCAP_PORT" ]
}

ktap_print_header
two_hosts
UDP=1
ktap_set_plan $((1 + 3 * 3 + 4))
check_here "a tunnel in UDP" up
under_load "addresses change" addresses_change
under_load "ports change" ports_change
under_load "UDP encapsulation changes" encapsulation_changes
ktap_check "each number was sent and came in once" numbers_are_whole
a_says encap=0:0 && b_says encap=0:0
ktap_check "native ESP on the wire" wire_shows \
	"esp and src $OUTER_A and dst ${addresses[MOVES % 3]}" "esp and src ${addresses[MOVES % 3]}"
a_says encap=$ENCAP_PORT:$ENCAP_PORT && b_says encap=$ENCAP_PORT:$ENCAP_PORT
ktap_check "ESP in UDP on the wire" wire_shows \
	"src $OUTER_A and udp src port $ENCAP_PORT and udp dst port $ENCAP_PORT" \
	"dst $OUTER_A and udp src port $ENCAP_PORT and udp dst port $ENCAP_PORT"
ktap_check "another port of the peer is reported" rebinding
ktap_finished
