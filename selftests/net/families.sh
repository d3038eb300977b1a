#!/bin/bash
# SPDX-License-Identifier: MIT
# IPv4 and IPv6, inside and outside, in all four combinations, native and in UDP, with the kernel's own
# IPsec (xfrm) at the other end: echoes, TCP, datagrams in fragments, IPv6 extension headers; then outer
# link-local addresses, and outer packets that have to be fragmented.
#
#	a esplane lan === ESP over eth0 === lan xfrm b
# Variables that lib.sh sets or reads.
# shellcheck disable=SC2034,SC2154
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/against_xfrm.sh"

SOME=$((1 << 19))
STREAM=20

# two_families: net_direct and, beside its IPv4 addresses, IPv6 ones.
two_families() {
	net_direct || return 1
	local end
	for end in "$a" "$b"; do
		# Who is there is known beforehand: nothing but the tunnel's traffic on the wire.
		ns "$end" sysctl -qw net.ipv6.conf.all.router_solicitations=0 \
			net.ipv6.conf.eth0.router_solicitations=0
	done
	ip -n "$a" addr add 2001:db8::1/64 dev eth0 nodad &&
	ip -n "$b" addr add 2001:db8::2/64 dev eth0 nodad &&
	ip -n "$a" addr add 2001:db8:a::1/64 dev lan nodad &&
	ip -n "$b" addr add 2001:db8:b::1/64 dev lan nodad &&
	ip -n "$a" addr add fe80::a/64 dev eth0 nodad &&
	ip -n "$b" addr add fe80::b/64 dev eth0 nodad &&
	# xfrm knows no scope: a route tells it which of b's links is meant.
	ip -n "$b" route add fe80::a dev eth0 proto static
}

outside() {
	case $1 in
	4) OUTER_A=192.0.2.1 OUTER_B=192.0.2.2 ;;
	6) OUTER_A=2001:db8::1 OUTER_B=2001:db8::2 ;;
	link-local) OUTER_A=fe80::a OUTER_B=fe80::b ;;
	esac
}

inside() {
	case $1 in
	4) NET_A=10.1.0.0/24 INNER_A=10.1.0.1 NET_B=10.2.0.0/24 INNER_B=10.2.0.1 ;;
	6) NET_A=2001:db8:a::/64 INNER_A=2001:db8:a::1 NET_B=2001:db8:b::/64 INNER_B=2001:db8:b::1 ;;
	esac
}

# Instead of lib.sh's, which goes by way of the peer: an IPv6 packet cannot have an IPv4 neighbour. The
# hooks take the packet before anybody looks for one.
inner_route() {
	case $2 in
	a) ip -n "$1" route replace "$NET_B" dev eth0 src "$INNER_A" ;;
	b) ip -n "$1" route replace "$NET_A" dev eth0 src "$INNER_B" ;;
	esac
}

# tunnel_up INSIDE OUTSIDE [WORD...]: WORDs go to esplane's SAs.
tunnel_up() {
	local inner=$1 outer=$2
	shift 2
	inside "$inner" && outside "$outer" || return 1
	new_keys
	esplane_end "$a" a "$@" && xfrm_end "$b" b &&
	inner_route "$b" b || return 1
	[ $MODE = route ] || inner_route "$a" a || return 1
	remember_drops
}

tunnel_down() {
	clear_end "$a"
	clear_end "$b"
}

both_ways() {
	stream_arrives "$a" "$b" $INNER_B "$@" && stream_arrives "$b" "$a" $INNER_A "$@"
}

# What finds the peer on the link, and who listens to which group (MLD).
NEIGHBOURS="arp or (icmp6 and ip6[40] >= 133 and ip6[40] <= 137) or (ip6[6] == 0)"

wire_filter() {
	case $UDP$1 in
	04) echo "ip proto 50" ;;
	06) echo "ip6 proto 50" ;;
	# xfrm fragments outside. Of a later fragment one sees that it is of UDP (RFC 791 section 3.1, RFC
	# 8200 section 4.5).
	14) echo "ip proto 17 and (port $ENCAP_PORT or ip[6:2] & 0x1fff != 0)" ;;
	16) echo "ip6 and (udp port $ENCAP_PORT or (ip6[6] = 44 and ip6[40] = 17))" ;;
	esac
}

variant() {
	local inner=$1 outer=$2 name
	name="$inner in $outer, $([ $UDP = 1 ] && echo "in UDP" || echo native), $MODE mode"
	check_here "$name: tunnel" tunnel_up "$inner" "$outer"
	capture "$a" eth0 "$NET_TMP/wire"
	ktap_check "$name: echoes both ways" echoes "$INNER_A" "$INNER_B"
	ktap_check "$name: TCP to xfrm" net_send "$a" "$b" $INNER_B $SOME
	ktap_check "$name: TCP from xfrm" net_send "$b" "$a" $INNER_A $SOME
	ktap_check "$name: datagrams in fragments both ways" both_ways 3000
	if [ "$inner" = 6 ]; then
		ktap_check "$name: hop-by-hop options both ways" both_ways 100 hop
		ktap_check "$name: destination options, in fragments, both ways" both_ways 3000 dest
	fi
	ktap_check "$name: nothing else was dropped" nothing_dropped
	check_here "$name: only ESP on the wire" only_esp "$(wire_filter "$outer")" "$NEIGHBOURS"
	tunnel_down
}

# Their scope is the interface: without it the peer's address says nothing.
link_locals() {
	local udp name
	for udp in 0 1; do
		UDP=$udp
		name="link-local addresses outside, $([ $UDP = 1 ] && echo "in UDP" || echo native)"
		check_here "$name: tunnel" tunnel_up 6 link-local dev=eth0
		ktap_check "$name: echoes both ways" echoes "$INNER_A" "$INNER_B"
		ktap_check "$name: TCP" net_send "$a" "$b" $INNER_B $SOME
		tunnel_down
	done
}

# A path of 1,300 bytes: IPv6 promises 1,280 inside, which become 1,280 + 2 + 16 + 16 + 40 outside.
fragments_outside() {
	ip -n "$a" link set eth0 mtu 1300 && ip -n "$b" link set eth0 mtu 1300 &&
	inside 6 && outside "$1" && new_keys &&
	esplane_end "$a" a && esplane_end "$b" b && inner_route "$a" a && inner_route "$b" b || return 1
	capture "$b" eth0 "$NET_TMP/wire"
	# 1,280 bytes: 40 of IPv6, 8 of ICMPv6, 1,232.
	ns "$a" ping -n -c 3 -i 0.1 -W "$(slowly 2)" -s 1232 -M "do" $INNER_B
	local status=$?
	capture_stop
	tunnel_down
	ip -n "$a" link set eth0 mtu 1500 && ip -n "$b" link set eth0 mtu 1500
	esp "$b" stats
	[ $status = 0 ] && [ "$(captured "$NET_TMP/wire" "$2")" -ge 12 ]
}

ktap_print_header
two_families || ktap_skip_all "cannot make namespaces"
need_module xfrm_user
need_module esp4
need_module esp6
worker "$a"
worker "$b"
# Seven results each with IPv4 inside, nine with IPv6.
ktap_set_plan $((2 * 2 * (7 + 9) + 9 + 2 * 3 + 2))
for UDP in 0 1; do
	for outer in 4 6; do
		variant 4 $outer
		variant 6 $outer
	done
done
MODE=route variant 6 6
MODE=policy
link_locals
UDP=0
check_here "fragments of outer IPv6 packets" fragments_outside 6 "ip6 proto 44"
check_here "fragments of outer IPv4 packets" fragments_outside 4 "ip[6:2] & 0x3fff != 0"
ktap_finished
