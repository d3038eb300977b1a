#!/bin/bash
# SPDX-License-Identifier: MIT
# sa-update under load (MOBIKE, NAT rebinding): the outer addresses and their family, the UDP ports, and
# whether there is UDP at all change again and again beneath two running streams, or TCP in trains, also
# with an asynchronous driver. No packet is lost, and the sequence numbers go on. At last the peer is xfrm.
#
#	a esplane === ESP === b esplane, numbered UDP packets each way
#	a esplane === ESP === b xfrm
# Variables that lib.sh sets or reads.
# shellcheck disable=SC2034,SC2154
. "$(dirname "$0")/lib.sh"

# An even number, for each second goes back. By night more.
MOVES=2
[ "${MATRIX:-}" != full ] || MOVES=8
OTHER_PORT=4501
addresses=(192.0.2.2 192.0.2.22 192.0.2.23)
OUTER6_A=2001:db8:7::1
addresses6=(2001:db8:7::2 2001:db8:7::22)

hosts_have_addresses() {
	local address
	for address in "${addresses[@]:1}"; do
		ip -n "$b" addr add $address/24 dev eth0 || return 1
	done
	ns "$a" sysctl -qw net.ipv6.conf.eth0.disable_ipv6=0 net.ipv6.conf.eth0.router_solicitations=0 &&
	ns "$b" sysctl -qw net.ipv6.conf.eth0.disable_ipv6=0 net.ipv6.conf.eth0.router_solicitations=0 &&
	ip -n "$a" addr add $OUTER6_A/64 dev eth0 nodad || return 1
	for address in "${addresses6[@]}"; do
		ip -n "$b" addr add $address/64 dev eth0 nodad || return 1
	done
}

up() {
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

# From IPv4 to one and another of IPv6 and back.
families_change() {
	local from to
	while read -r from to; do
		a_says src=$from dst=$to && b_says src=$to dst=$from && b_hears src=$from dst=$to &&
		a_hears src=$to dst=$from && in_use || return 1
	done <<-EOF
	$OUTER6_A ${addresses6[0]}
	$OUTER6_A ${addresses6[1]}
	$OUTER_A ${addresses[0]}
	EOF
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
	local name=$1 before
	before="$(drops "$a") $(drops "$b")"
	streams_start
	check_here "$name under load" "$2"
	streams_stop
	ktap_equal "$name: packets lost each way" "$LOST" "0 0"
	ktap_equal "$name: nothing was dropped" "$(drops "$a") $(drops "$b")" "$before"
}

# TCP until it is told to stop.
bulk() {
	while [ -e "$NET_TMP/bulk" ]; do
		net_send "$a" "$b" $INNER_B $((1 << 22)) || return 1
	done
}

changes_under_bulk() {
	local packets trains status
	ns "$a" sysctl -qw net.ipv4.tcp_min_tso_segs=8 || return 1
	packets=$(counter "$b" in-packets) trains=$(counter "$b" in-trains)
	touch "$NET_TMP/bulk"
	bulk &
	busywait "$(slowly 20000)" eval '[ "$(counter "$b" in-packets)" -gt $((packets + 100)) ]' &&
	addresses_change
	status=$?
	rm "$NET_TMP/bulk"
	wait $! || return 1
	packets=$(($(counter "$b" in-packets) - packets)) trains=$(($(counter "$b" in-trains) - trains))
	echo "$packets packets in $trains trains"
	[ $status = 0 ] && [ $((packets * 10)) -gt $((trains * 12)) ]
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

# How many packets b's xfrm has sent: where its numbers have to go on.
xfrm_sent() {
	ip -n "$b" -s xfrm state list spi $SPI_BA | sed -n 's/.*oseq \(0x[0-9a-f]*\).*/\1/p' | tail -n 1
}

# xfrm_moves A B: b learns that the tunnel is between these addresses now, as from its daemon: new states,
# whose numbers go on.
xfrm_moves() {
	local OUTER_A=$1 OUTER_B=$2 sent
	sent=$(xfrm_sent)
	ip -n "$b" -batch - <<-EOC && xfrm_end "$b" b || return 1
	xfrm state flush
	xfrm policy flush
	EOC
	ip -n "$b" xfrm state delete src $OUTER_B dst $OUTER_A proto esp spi $SPI_BA &&
	ip -n "$b" -batch - <<<"$(xfrm_sa $OUTER_B $OUTER_A $SPI_BA "$KEY_BA") replay-oseq $sent"
}

moves_with_xfrm() {
	a_says "src=$1" "dst=$2" && a_hears "src=$2" "dst=$1" && xfrm_moves "$1" "$2" && net_ping "$a" $INNER_B &&
	net_ping "$b" $INNER_A
}

# Of six echoes, one end's are the other's answers: as many packets each way as there are echoes.
numbers_with_xfrm() {
	local echoes=$1
	echo "out $(sa_get "$a" "$SA_OUT_a" seq), in $(sa_get "$a" "$SA_IN_a" seq) of $(xfrm_sent), want $echoes"
	[ "$(sa_get "$a" "$SA_OUT_a" seq) $(sa_get "$a" "$SA_IN_a" seq)" = "$echoes $echoes" ] &&
	[ "$(sa_get "$a" "$SA_IN_a" replay_missing) $(drops "$a")" = "0 $drops_a" ]
}

with_xfrm() {
	esplane_end "$a" a && xfrm_end "$b" b && inner_route "$a" a && inner_route "$b" b &&
	net_ping "$a" $INNER_B && net_ping "$b" $INNER_A
}

ktap_print_header
two_hosts
UDP=1
ktap_set_plan $((2 + 4 * 3 + 5 + 5 + 5))
check_here "hosts with several addresses" hosts_have_addresses
check_here "a tunnel in UDP" up
under_load "addresses change" addresses_change
under_load "the family of the addresses changes" families_change
under_load "ports change" ports_change
under_load "UDP encapsulation changes" encapsulation_changes
check_here "addresses change under TCP in trains" changes_under_bulk
ktap_check "each number was sent and came in once" numbers_are_whole
a_says encap=0:0 && b_says encap=0:0
ktap_check "native ESP on the wire" wire_shows \
	"esp and src $OUTER_A and dst ${addresses[MOVES % 3]}" "esp and src ${addresses[MOVES % 3]}"
a_says encap=$ENCAP_PORT:$ENCAP_PORT && b_says encap=$ENCAP_PORT:$ENCAP_PORT
ktap_check "ESP in UDP on the wire" wire_shows \
	"src $OUTER_A and udp src port $ENCAP_PORT and udp dst port $ENCAP_PORT" \
	"dst $OUTER_A and udp src port $ENCAP_PORT and udp dst port $ENCAP_PORT"
ktap_check "another port of the peer is reported" rebinding
clear_end "$a"
clear_end "$b"

check_here "an asynchronous driver" async_driver
up >/dev/null
usual_driver
under_load "addresses change, asynchronous driver" addresses_change
ktap_check "each number was sent and came in once" numbers_are_whole
clear_end "$a"
clear_end "$b"

UDP=0
drops_a=$(drops "$a")
check_here "the peer is xfrm" with_xfrm
ktap_check "it moves" moves_with_xfrm $OUTER_A "${addresses[1]}"
ktap_check "both move to IPv6" moves_with_xfrm $OUTER6_A "${addresses6[1]}"
ktap_check "and back" moves_with_xfrm $OUTER_A $OUTER_B
ktap_check "the numbers went on" numbers_with_xfrm $((4 * 6))
ktap_finished
