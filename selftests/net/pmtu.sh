#!/bin/bash
# SPDX-License-Identifier: MIT
# Nothing is black-holed: the path between two gateways becomes narrow in mid-stream, at a router; the
# ICMP error that comes back lowers the SA's MTU, and senders here and behind the gateway learn what fits
# inside. TCP and UDP, from the gateway itself and from behind it, IPv4 with and without DF, IPv6, in all
# combinations of families, native and in UDP, by policy and by interface: the rows below hold every pair
# of these, every traffic from every place, every tunnel. MATRIX=full runs all 96; the debug kernel the
# first half of the rows. Then what an outer header takes from the inner one: ECN, DSCP and TTL.
#
#	h 10.1.0.2 --- 10.1.0.254 a === r === b 10.2.0.1		esplane at a, xfrm at b
# Variables that lib.sh sets or reads.
# shellcheck disable=SC2034,SC2154
. "$(dirname "$0")/lib.sh"

PORT=9100
# Of what, from where, IP inside and whether with DF, IP outside, ESP in UDP or not, how a's packets come
# to the SA, what the path comes down to.
ROWS="
tcp a 4 df 4 1 policy 1300
udp h 4 df 6 0 route 1300
tcp h 6 df 4 0 route 1300
udp a 6 df 6 1 policy 1400
tcp h 4 nodf 6 1 policy 1300
udp a 4 nodf 4 1 route 1300
tcp a 4 nodf 4 0 policy 1400
tcp a 6 df 6 0 route 1300
tcp h 4 df 6 0 policy 1400
udp a 4 df 4 0 route 1400
udp h 4 nodf 6 0 policy 1300
udp h 6 df 4 1 policy 1400
"

every_row() {
	local kind from inner outer udp mode mtu
	for kind in tcp udp; do for from in a h; do for inner in "4 df" "4 nodf" "6 df"; do
	for outer in 4 6; do for udp in 0 1; do for mode in policy route; do
		mtu=$((1300 + 100 * ((outer / 6 + udp + ${#mode} + ${#inner}) % 2)))
		echo "$kind $from $inner $outer $udp $mode $mtu"
	done; done; done; done; done; done
}

rows() {
	case ${MATRIX:-}$(uname -r) in
	full*) every_row ;;
	*debug*) grep . <<<"$ROWS" | head -n 6 ;;
	*) grep . <<<"$ROWS" ;;
	esac
}

four_hosts() {
	net_routed || return 1
	ns_add h || return 1
	local name
	for name in "$a" "$r" "$b" "$h"; do
		ns "$name" sysctl -qw net.ipv6.conf.all.router_solicitations=0 \
			net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0
	done
	for name in "$a" "$r"; do
		ns "$name" sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
	done
	ip -n "$a" addr add 2001:db8:1::1/64 dev eth0 nodad &&
	ip -n "$r" addr add 2001:db8:1::fe/64 dev eth0 nodad &&
	ip -n "$r" addr add 2001:db8:2::fe/64 dev eth1 nodad &&
	ip -n "$b" addr add 2001:db8:2::2/64 dev eth0 nodad &&
	# Static, for clear_end flushes others.
	ip -n "$a" route replace default via 192.0.2.254 proto static &&
	ip -n "$b" route replace default via 198.51.100.254 proto static &&
	ip -n "$a" route add default via 2001:db8:1::fe proto static &&
	ip -n "$b" route add default via 2001:db8:2::fe proto static &&
	ip -n "$a" addr add 2001:db8:a::1/64 dev lan nodad &&
	ip -n "$b" addr add 2001:db8:b::1/64 dev lan nodad &&
	veth "$h" eth0 10.1.0.2/24 "$a" eth1 10.1.0.254/32 &&
	ip -n "$h" addr add 2001:db8:a::2/64 dev eth0 nodad &&
	ip -n "$a" addr add 2001:db8:a::fe/128 dev eth1 nodad &&
	ip -n "$a" route add 10.1.0.2 dev eth1 && ip -n "$a" route add 2001:db8:a::2 dev eth1 &&
	ip -n "$h" route add default via 10.1.0.254 && ip -n "$h" route add default via 2001:db8:a::fe
}

outside() {
	case $1 in
	4) OUTER_A=192.0.2.1 OUTER_B=198.51.100.2 headers=20 ;;
	6) OUTER_A=2001:db8:1::1 OUTER_B=2001:db8:2::2 headers=40 ;;
	esac
}

inside() {
	case $1 in
	4) NET_A=10.1.0.0/24 INNER_A=10.1.0.1 INNER_H=10.1.0.2 NET_B=10.2.0.0/24 INNER_B=10.2.0.1 ;;
	6) NET_A=2001:db8:a::/64 INNER_A=2001:db8:a::1 INNER_H=2001:db8:a::2
		NET_B=2001:db8:b::/64 INNER_B=2001:db8:b::1 ;;
	esac
}

# What fits inside: less the outer headers, 8 of ESP, 8 of IV, 16 of ICV, to a multiple of 4, less the
# trailer of 2 (RFC 4303 section 2, RFC 4106); for IPv6 never less than 1,280.
expect_inner() {
	inner_mtu=$((($2 - headers - 8 * UDP - 32) / 4 * 4 - 2))
	[ "$1" = 4 ] || [ $inner_mtu -ge 1280 ] || inner_mtu=1280
}

inner_route() {
	case $2 in
	a) [ $MODE = route ] || ip -n "$1" route replace "$NET_B" dev eth0 src "$INNER_A" ;;
	b) ip -n "$1" route replace "$NET_A" dev eth0 src "$INNER_B" ;;
	esac
}

tunnel_up() {
	inside "$1" && outside "$2" && new_keys &&
	esplane_end "$a" a && xfrm_end "$b" b && inner_route "$a" a && inner_route "$b" b &&
	pieces_before=$(pieces)
}

tunnel_down() {
	local name
	clear_end "$a"
	clear_end "$b"
	ip -n "$r" route del "$OUTER_B" dev eth1 2>/dev/null
	# What was learnt in one row must not help the next.
	for name in "$a" "$b" "$h"; do
		ip -n "$name" route flush cache
		ip -6 -n "$name" route flush cache
		ns "$name" ip tcp_metrics flush 2>/dev/null
	done
}

# Towards b only, where r forwards to.
narrow() { ip -n "$r" route replace "$OUTER_B" dev eth1 mtu lock "$1"; }

# IPv4 packets that b has put together from fragments.
pieces() {
	ns "$b" awk '$1 == "Ip:" && !n { for (i = 2; i <= NF; i++) if ($i == "ReasmOKs") n = i; next }
		$1 == "Ip:" { print $n }' /proc/net/snmp
}

# A good part has been sent and answered when the path becomes narrow.
narrowed_in_mid_stream() {
	local before=8 after=16
	[ "$1" = udp ] || before=4 after=6
	ask "$2" transfer "$1" "$INNER_B" $PORT "$3" $before "$(slowly 50)" &&
	narrow "$4" && ask "$2" finish $after
}

# What NS takes to fit on the way to the other network; 0: it has been told nothing.
route_mtu() {
	local text
	text=$(ip -n "$1" route get "$INNER_B")
	[[ "$text" =~ \ mtu\ ([0-9]+) ]] && echo "${BASH_REMATCH[1]}" || echo 0
}

# The error about the outer packet lowered the SA's MTU; the sender, told by one about the inner packet
# or, on this host, by its route, knows what is left.
told() {
	local path inner
	path=$(sa_get "$a" "$SA_OUT_a" path_mtu)
	inner=$(route_mtu "$1")
	echo "path_mtu $path, should be $2; inside $inner, should be $inner_mtu"
	[ "$path" = "$2" ] && [ "$inner" = $inner_mtu ]
}

# Without DF nobody inside has to be told anything: IPv4 routers cut the ESP packets to pieces; for IPv6
# ones the gateway cuts what is inside.
not_told() {
	local path pieces outer=$2 want=0
	path=$(sa_get "$a" "$SA_OUT_a" path_mtu)
	pieces=$(($(pieces) - pieces_before))
	[ "$outer" = 4 ] || want=$3
	echo "path_mtu $path, should be $want; $pieces packets came in pieces; inside $(route_mtu "$1")"
	[ "$path" = $want ] || return 1
	[ "$outer" = 6 ] || [ $pieces -gt 0 ] || return 1
	# TCP here learns by its route where to cut, DF or not.
	[ "$1" = "$a" ] || [ "$(route_mtu "$1")" = 0 ]
}

row() {
	local kind=$1 from=$2 inner=$3 df=$4 outer=$5 mtu=$8 name sender
	UDP=$6 MODE=$7
	name="$kind from $from, $df, $inner in $outer, $([ $UDP = 1 ] && echo "in UDP" || echo native)"
	name="$name, $MODE mode, $mtu"
	sender=${!from}
	check_here "$name: tunnel" tunnel_up "$inner" "$outer"
	expect_inner "$inner" "$mtu"
	check_here "$name: all comes" narrowed_in_mid_stream "$kind" "$sender" "$df" "$mtu"
	if [ "$df" = nodf ]; then
		ktap_check "$name: nobody inside is told" not_told "$sender" "$outer" "$mtu"
	else
		ktap_check "$name: the SA and the sender are told" told "$sender" "$mtu"
	fi
	tunnel_down
}

# forge SPI SEQUENCE MTU...: errors about packets that a would have sent, from r.
forge() {
	ns "$r" python3 - $OUTER_A $OUTER_B "$@" <<-'EOP'
		import socket, struct, sys
		source, target, *errors = sys.argv[1:]
		raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
		def total(data):
		    value = sum(struct.unpack(">%dH" % (len(data) // 2), data))
		    return ~(value % 0xffff) & 0xffff
		while errors:
		    spi, seq, mtu, *errors = errors
		    quoted = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 1500, 1, 0x4000, 63, 50, 0,
		                         socket.inet_aton(source), socket.inet_aton(target))
		    quoted += struct.pack(">II", int(spi, 0), int(seq))
		    head = struct.pack(">BBHHH", 3, 4, 0, 0, int(mtu))      # RFC 1191 section 4
		    head = struct.pack(">BBHHH", 3, 4, total(head + quoted), 0, int(mtu))
		    raw.sendto(head + quoted, (source, 0))
	EOP
}

path_is() { [ "$(sa_get "$a" "$SA_OUT_a" path_mtu)" = "$1" ]; }

# Errors arrive in the order in which they are sent: when a later one is believed, the earlier was not.
forged() {
	UDP=0 MODE=policy
	tunnel_up 4 4
	ns "$a" ping -n -c 5 -i 0.01 -W "$(slowly 2)" $INNER_B >/dev/null
	forge 0x1001 3 1000 $SPI_AB 3 1450
	ktap_check "an error that names another SPI is ignored" busywait "$(slowly 2000)" path_is 1450
	forge $SPI_AB 900000 1000 $SPI_AB 3 1440
	ktap_check "an error about a packet not sent yet is ignored" busywait "$(slowly 2000)" path_is 1440
	forge $SPI_AB 3 1460 $SPI_AB 3 1430
	ktap_check "one does not widen the path" busywait "$(slowly 2000)" path_is 1430
	forge $SPI_AB 3 100
	ktap_check "none takes it below 552" busywait "$(slowly 2000)" path_is 552
	tunnel_down
}

# outer_header OUTER FLAGS: sends one that carries a packet of DSCP 46 (expedited forwarding), ECT(1):
# 0xb9, TTL 5. Nobody answers.
outer_header() {
	outside "$1" &&
	SA_OUT_a=$(esp "$a" sa-add direction=out spi=$SPI_AB "src=$OUTER_A" "dst=$OUTER_B" "key=$KEY_AB" \
		${2:+"flags=$2"}) &&
	esp "$a" policy-set direction=out action=protect "selector=$NET_A,$NET_B" \
		"sa_id=$SA_OUT_a" >/dev/null || return 1
	ns "$a" ping -n -c 1 -W 0.1 -Q 0xb9 -t 5 $INNER_B >/dev/null
	esp "$a" flush
}

# Of each packet captured: DSCP and ECN as one byte, then TTL, hexadecimal.
header_fields() {
	tcpdump -n -x -r "$NET_TMP/header" 2>/dev/null | awk '
		/0x0000:/ && $2 ~ /^4/ { printf "%s/%s ", substr($2, 3, 2), substr($6, 1, 2) }
		/0x0000:/ && $2 ~ /^6/ { printf "%s/%s ", substr($2, 2, 2), substr($5, 3, 2) }'
}

outer_headers() {
	local outer flags
	UDP=0 MODE=policy
	inside 4 && new_keys && inner_route "$a" a && capture "$a" eth0 "$NET_TMP/header" \
		"ip proto 50 or ip6 proto 50" || return 1
	for outer in 4 6; do
		for flags in "" copy-dscp no-ecn copy-dscp,no-ecn; do
			outer_header $outer "$flags"
		done
	done
	capture_stop
	header_fields
}

# The tunnel is one hop, whatever the path outside.
hops() {
	UDP=0 MODE=policy
	tunnel_up 4 4
	ns "$h" ping -n -c 1 -W "$(slowly 5)" -t 1 $INNER_B >"$NET_TMP/hops"
	ktap_check "TTL 1: ends at the gateway, which says so" grep "10.1.0.254.*Time to live" "$NET_TMP/hops"
	ktap_check "TTL 2: the other gateway answers" ns "$h" ping -n -c 1 -W "$(slowly 5)" -t 2 $INNER_B
	tunnel_down
}

ktap_print_header
four_hosts || ktap_skip_all "cannot make namespaces"
need_module xfrm_user
need_module esp4
need_module esp6
mapfile -t chosen < <(rows)
ktap_set_plan $((3 * ${#chosen[@]} + 4 + 1 + 2))
for name in "$a" "$b" "$h"; do
	worker "$name"
done
ask "$b" serve 10.2.0.1 $PORT && ask "$b" serve 2001:db8:b::1 $PORT
for name in "${chosen[@]}"; do
	# shellcheck disable=SC2086
	row $name
done
forged
# The host's own TTL of 64 (RFC 4301 section 5.1.2.1), no matter what is inside.
ktap_equal "what an outer header takes from the inner one" "$(outer_headers)" \
	"01/40 b9/40 00/40 b8/40 01/40 b9/40 00/40 b8/40 "
hops
ktap_finished
