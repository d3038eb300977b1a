#!/bin/bash
# SPDX-License-Identifier: MIT
# ICMP errors about packets that have been in the tunnel reach who sent them, and by the tunnel (RFC 4301
# section 6): from the far gateway, whose own address outside is none of the tunnel's, and from a router
# beyond it, whose address is none of anybody's. Unreachable and too big, IPv4 and IPv6, by policy and by
# interface, and with xfrm at either end. Then transfers that go on although the path becomes narrow at
# these places; and what a gateway itself says of the tunnel's MTU, byte by byte.
#
#	h 10.1.0.2 -- 10.1.0.254 a === r === b 10.3.0.1 -- 10.3.0.2 c 10.4.0.1 -- 10.4.0.2 s 10.2.0.9
#	the tunnel is for 10.1.0.0/24 and 10.2.0.0/24; 2001:db8:a:: to d:: are the same in IPv6
# Variables that lib.sh sets or reads.
# shellcheck disable=SC2034,SC2154
. "$(dirname "$0")/lib.sh"

PORT=9100
NARROW=1300
UNREACHABLE="unreachable|no route"	# ping's words for IPv4 and IPv6

# addresses NS ADDR/LEN,DEV...: of IPv6
addresses() {
	local name=$1 pair
	shift
	for pair in "$@"; do
		echo "addr add ${pair%,*} dev ${pair#*,} nodad"
	done | ip -n "$name" -batch -
}

six_hosts() {
	net_routed && ns_add h c s || return 1
	local name cost
	# Unreachable routes have a limit of their own, for all namespaces: one error a second.
	cost=$(sysctl -n net.ipv4.route.error_cost)
	at_exit sysctl -qw "net.ipv4.route.error_cost=$cost"
	sysctl -qw net.ipv4.route.error_cost=0
	for name in "$a" "$r" "$b" "$h" "$c" "$s"; do
		ns "$name" sysctl -qw net.ipv6.conf.all.router_solicitations=0 \
			net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0 \
			net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
	done
	veth "$h" eth0 10.1.0.2/24 "$a" eth1 10.1.0.254/32 &&
	veth "$b" eth1 10.3.0.1/24 "$c" eth0 10.3.0.2/24 &&
	veth "$c" eth1 10.4.0.1/24 "$s" eth0 10.4.0.2/24 &&
	addresses "$h" 2001:db8:a::2/64,eth0 &&
	addresses "$a" 2001:db8:1::1/64,eth0 2001:db8:a::1/64,lan 2001:db8:a::fe/128,eth1 &&
	addresses "$r" 2001:db8:1::fe/64,eth0 2001:db8:2::fe/64,eth1 &&
	addresses "$b" 2001:db8:2::2/64,eth0 2001:db8:c::1/64,eth1 &&
	addresses "$c" 2001:db8:c::2/64,eth0 2001:db8:d::1/64,eth1 &&
	addresses "$s" 2001:db8:d::2/64,eth0 2001:db8:b::9/128,lo &&
	ip -n "$s" addr add 10.2.0.9/32 dev lo || return 1
	# Static, for clear_end flushes others.
	routes "$h" "default via 10.1.0.254" "default via 2001:db8:a::fe" &&
	routes "$a" "default via 192.0.2.254" "default via 2001:db8:1::fe" "10.1.0.2 dev eth1" \
		"2001:db8:a::2 dev eth1" &&
	routes "$b" "default via 198.51.100.254" "default via 2001:db8:2::fe" &&
	routes "$c" "default via 10.3.0.1" "default via 2001:db8:c::1" &&
	routes "$s" "default via 10.4.0.1" "default via 2001:db8:d::1" || return 1
	# At each gateway and router there is an address that it cannot reach.
	routes "$b" "unreachable 10.2.0.66" "unreachable 2001:db8:b::66" "10.2.0.67 via 10.3.0.2" \
		"2001:db8:b::67 via 2001:db8:c::2" &&
	routes "$c" "unreachable 10.2.0.67" "unreachable 2001:db8:b::67" && wide
}

routes() {
	local name=$1
	shift
	printf 'route replace %s proto static\n' "$@" | ip -n "$name" -batch -
}

wide() {
	routes "$b" "10.2.0.9 via 10.3.0.2" "2001:db8:b::9 via 2001:db8:c::2" &&
	routes "$c" "10.2.0.9 via 10.4.0.2" "2001:db8:b::9 via 2001:db8:d::2" || return 1
	ip -n "$h" route flush cache
	ip -6 -n "$h" route flush cache
}

# narrow b|c: towards s.
narrow() {
	case $1 in
	b) routes "$b" "10.2.0.9 via 10.3.0.2 mtu lock $NARROW" \
		"2001:db8:b::9 via 2001:db8:c::2 mtu lock $NARROW" ;;
	c) routes "$c" "10.2.0.9 via 10.4.0.2 mtu lock $NARROW" \
		"2001:db8:b::9 via 2001:db8:d::2 mtu lock $NARROW" ;;
	esac
}

# FROM_B, FROM_C: who speaks. By policy the way back leads out of b by its default route, and IPv6 may choose
# the address of either link; neither is the tunnel's.
inside() {
	case $1 in
	4) NET_A=10.1.0.0/24 INNER_A=10.1.0.1 NET_B=10.2.0.0/24 INNER_B=10.2.0.1 TO=10.2.0.
		SERVER=10.2.0.9 GATEWAY=10.1.0.254 FROM_B=198.51.100.2 FROM_C=10.3.0.2 ;;
	6) NET_A=2001:db8:a::/64 INNER_A=2001:db8:a::1 NET_B=2001:db8:b::/64 INNER_B=2001:db8:b::1
		TO=2001:db8:b:: SERVER=2001:db8:b::9 GATEWAY=2001:db8:a::fe FROM_B="2001:db8:(2::2|c::1)"
		FROM_C=2001:db8:c::2 ;;
	esac
}

# tunnel esplane|xfrm esplane|xfrm 4|6: a's end, b's end, IP inside.
tunnel() {
	inside "$3" && "${1}_end" "$a" a && "${2}_end" "$b" b
}

down() {
	local name
	clear_end "$a"
	clear_end "$b"
	# What was learnt in one row must not help the next, nor be in its way.
	for name in "$a" "$b"; do
		ip -n "$name" route flush cache
		ip -6 -n "$name" route flush cache
	done
	wide
}

# complaint FROM WORDS PING...: what h's ping says of it.
complaint() {
	local from=$1 words=$2
	shift 2
	ns "$h" ping -n -c 1 -W "$(slowly 5)" "$@" | tee "$NET_TMP/ping" |
		grep -iE "^From ${from}[ :].*($words)" || { cat "$NET_TMP/ping"; return 1; }
}

too_big() {
	local status
	narrow "$1" && complaint "$2" "mtu *= *$NARROW" -M "do" -s 1340 $SERVER
	status=$?
	wide
	return $status
}

# row NAME a-END b-END 4|6
row() {
	local name=$1
	check_here "$name: tunnel" tunnel "$2" "$3" "$4"
	if [ "$3" = xfrm ]; then
		# It chooses among all of b's addresses; and finds no way back from one that b cannot reach.
		FROM_B='[0-9a-f.:]+'
	else
		ktap_check "$name: gateway: unreachable" complaint "$FROM_B" "$UNREACHABLE" "${TO}66"
	fi
	ktap_check "$name: gateway: too big" too_big b "$FROM_B"
	beyond "$name"
	down
}

beyond() {
	ktap_check "$1: beyond: unreachable" complaint "$FROM_C" "$UNREACHABLE" "${TO}67"
	ktap_check "$1: beyond: too big" too_big c "$FROM_C"
}

by_interface() {
	local MODE=route name="by interface, $1"
	check_here "$name: tunnel" tunnel esplane esplane "$1"
	beyond "$name"
	down
}

# refused NS ADDR PORT: a connected UDP socket there is told that nobody listens.
refused() {
	# shellcheck disable=SC2016
	ns "$1" bash -c 'exec 3<>"/dev/udp/$1/$2" && echo >&3 && read -r -t "$3" -u 3
		[ $? = 1 ]' - "$2" "$3" "$(slowly 5)"
}

# pair NS SRC DST SPI-OUT KEY-OUT SPI-IN KEY-IN OUTER-SRC OUTER-DST [WORD...]: an end for UDP alone
pair() {
	esp "$1" - <<-EOC
	sa-add direction=in spi=$6 src=$9 dst=$8 key=$7 selector=$3,$2,17 ${10:-}
	sa-add direction=out spi=$4 src=$8 dst=$9 key=$5 ${10:-}
	policy-set direction=out action=protect selector=$2,$3,17 sa_id=last
	EOC
}

# Its protocol, too, is none of the tunnel's.
udp_alone() {
	inside 4
	check_here "for UDP alone: tunnel" udp_tunnel $NET_A $NET_B
	ktap_check "for UDP alone: nobody listens" refused "$h" $INNER_B 9
	down
	check_here "for UDP alone, transport mode" udp_tunnel $OUTER_A $OUTER_B mode=transport
	ktap_check "for UDP alone, transport mode: nobody listens" refused "$a" $OUTER_B 9
	down
}

udp_tunnel() {
	pair "$a" "$1" "$2" $SPI_AB $KEY_AB $SPI_BA $KEY_BA $OUTER_A $OUTER_B "${3:-}" &&
	pair "$b" "$2" "$1" $SPI_BA $KEY_BA $SPI_AB $KEY_AB $OUTER_B $OUTER_A "${3:-}"
}

# Not in the clear, not later, and no acquire: the packet that it quotes was a secret.
without_sa() {
	check_here "no SA back: tunnel" tunnel esplane esplane 4
	esp "$b" spd-set default_out=discard
	ktap_check "where the default discards: the error is protected" complaint $FROM_B Unreachable 10.2.0.66
	esp "$b" spd-set default_out=bypass
	esp "$b" sa-del "id=$SA_OUT_b"
	more "no SA back: dropped by name" "$b" NO_OUT_SA 1 ns "$h" ping -n -c 1 -W 0.5 10.2.0.66
	down
}

# mid_stream KIND 4|6 b|c: a good part has been sent and answered when the path becomes narrow there.
mid_stream() {
	local before=8 after=16
	[ "$1" = udp ] || before=4 after=6
	tunnel esplane esplane "$2" &&
	ask "$h" transfer "$1" $SERVER $PORT df $before "$(slowly 50)" &&
	narrow "$3" && ask "$h" finish $after
}

narrowed() {
	check_here "$1 over IPv$2, narrow at $3: all comes" mid_stream "$@"
	[[ "$(ip -n "$h" route get $SERVER)" =~ \ mtu\ ([0-9]+) ]]
	ktap_equal "$1 over IPv$2, narrow at $3: the sender knows" "${BASH_REMATCH[1]:-}" $NARROW
	down
}

path_is() { [ "$(sa_get "$a" "$SA_OUT_a" path_mtu)" = "$1" ]; }

# The path outside carries 1400. Less the outer header, 8 of ESP, 8 of IV, 16 of ICV, to a multiple of 4,
# less the trailer of 2: 1400 - 20 - 32 = 1348, 1346 (RFC 4303 section 2, RFC 4106).
INNER_MTU=1346
narrow_outside() {
	ip -n "$r" route replace $OUTER_B dev eth1 mtu lock 1400
	ns "$h" ping -n -c 1 -W 0.1 -M "do" -s 1350 $SERVER >/dev/null
	busywait "$(slowly 5000)" path_is 1400 || return 1
	capture "$h" eth0 "$NET_TMP/error" "icmp or icmp6" || return 1
	ns "$h" ping -n -c 1 -W "$(slowly 5)" -M "do" -s 1350 $SERVER >/dev/null
	capture_stop
	ip -n "$r" route del $OUTER_B dev eth1
}

# error_bytes FILTER: to h, from the gateway, of this type, code and MTU; there is no other error.
error_bytes() {
	ktap_check "$1: seen" narrow_outside
	ktap_equal "$1: type, code, source, MTU of the only one" \
		"$(captured "$NET_TMP/error" "$2") $(captured "$NET_TMP/error" "$3")" "1 1"
	down
}

bytes() {
	tunnel esplane esplane 4
	# RFC 1191 section 4: type 3, code 4, MTU in the last two bytes of the header.
	error_bytes "the gateway's own error, IPv4" "icmp[0] = 3" "src $GATEWAY and dst 10.1.0.2 and
		icmp[0] = 3 and icmp[1] = 4 and icmp[4:2] = 0 and icmp[6:2] = $INNER_MTU"
	tunnel esplane esplane 6
	# RFC 4443 section 3.2: type 2, code 0, MTU in the last four; behind 40 bytes of IPv6.
	error_bytes "the gateway's own error, IPv6" "ip6[40] < 128" "src $GATEWAY and dst 2001:db8:a::2 and
		ip6[40] = 2 and ip6[41] = 0 and ip6[44:4] = $INNER_MTU"
}

# xfrm with itself: only newer kernels' takes along errors that it forwards.
xfrm_can() {
	local status
	XFRM_ICMP=icmp tunnel xfrm xfrm 4 && complaint $FROM_C Unreachable 10.2.0.67
	status=$?
	down
	return $status
}

beside_xfrm() {
	local XFRM_ICMP=icmp
	if [ $with_xfrm = 0 ]; then
		ktap_test_skip "errors from xfrm and to it" "this kernel's xfrm forwards none to itself"
		return
	fi
	row "from xfrm, 4" esplane xfrm 4
	row "to xfrm, 6" xfrm esplane 6
}

ktap_print_header
six_hosts || ktap_skip_all "cannot make namespaces"
need_module xfrm_user
need_module esp4
with_xfrm=0
! xfrm_can >/dev/null 2>&1 || with_xfrm=1
ktap_set_plan $((2 * 5 + 2 * 3 + 4 + 3 + 1 + 4 * 2 + 4 + (with_xfrm ? 4 + 5 : 1)))
worker "$h"
worker "$s"
ask "$s" serve 10.2.0.9 $PORT && ask "$s" serve 2001:db8:b::9 $PORT
capture "$r" eth0 "$NET_TMP/clear" "icmp or (ip6 and ip6[6] = 58 and ip6[40] < 128)"
clear_pid=$capture_pid
row "by policy, 4" esplane esplane 4
row "by policy, 6" esplane esplane 6
by_interface 4
# Which elsewhere would make it the source of what b says.
ip -n "$b" addr add 2001:db8:b::1/64 dev lan nodad
by_interface 6
ip -n "$b" addr del 2001:db8:b::1/64 dev lan
udp_alone
without_sa
kill -INT $clear_pid
wait $clear_pid
ktap_equal "no error went in the clear" "$(captured "$NET_TMP/clear")" 0
narrowed tcp 4 b
narrowed udp 4 c
narrowed tcp 6 c
narrowed udp 6 b
bytes
beside_xfrm
ktap_finished
