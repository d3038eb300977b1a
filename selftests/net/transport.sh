#!/bin/bash
# SPDX-License-Identifier: MIT
# Transport mode against the kernel's own IPsec (xfrm): the packet keeps its IP header. IPv4 and IPv6,
# native and in UDP; extension headers on both sides of ESP; whole datagrams whose protected packet is
# cut to pieces; behind a NAT, which breaks TCP's and UDP's checksums (RFC 3948 section 3.1.2), with
# either end behind it; and with a transform of each kind, in extended sequence numbers.
#
#	a esplane 192.0.2.1 --- 198.51.100.2 b xfrm, r between them
# Variables that lib.sh sets or reads.
# shellcheck disable=SC2034,SC2154
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/against_xfrm.sh"

SOME=$((1 << 19))
STREAM=20
NAT_PORT=61000
ECHO_PORT=7
# 1 to 16 bytes of data: each length of padding to a block of 16 bytes; and one of many blocks.
ECHO_SIZES="1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 1111"

three_hosts() {
	net_routed || return 1
	local name
	for name in "$a" "$r" "$b"; do
		ns "$name" sysctl -qw net.ipv6.conf.all.router_solicitations=0
	done
	ns "$r" sysctl -qw net.ipv6.conf.all.forwarding=1 &&
	ip -n "$a" addr add 2001:db8:1::1/64 dev eth0 nodad &&
	ip -n "$r" addr add 2001:db8:1::fe/64 dev eth0 nodad &&
	ip -n "$r" addr add 2001:db8:2::fe/64 dev eth1 nodad &&
	ip -n "$b" addr add 2001:db8:2::2/64 dev eth0 nodad &&
	ip -n "$a" route add default via 2001:db8:1::fe &&
	ip -n "$b" route add default via 2001:db8:2::fe
}

family() {
	case $1 in
	4) ADDR_A=192.0.2.1 ADDR_B=198.51.100.2 ADDR_R=198.51.100.254 ;;
	6) ADDR_A=2001:db8:1::1 ADDR_B=2001:db8:2::2 ADDR_R=2001:db8:2::fe ;;
	esac
}

# esplane_side NS MINE ITS SPI-OUT KEY-OUT SPI-IN KEY-IN [PORTS-OUT PORTS-IN]
esplane_side() {
	local name=$1 mine=$2 its=$3 out=() in=() words=("encr=$ENCR")
	[ -z "$INTEG" ] || words+=("integ=$INTEG")
	[ $ESN = 0 ] || words+=(esn=1)
	[ $UDP = 0 ] || {
		esp "$name" encap-add port=$ENCAP_PORT "address=$(any_of "$mine")" >/dev/null || return 1
		out=("encap=${8:-$ENCAP_PORT:$ENCAP_PORT}") in=("encap=${9:-$ENCAP_PORT:$ENCAP_PORT}")
	}
	SA_IN=$(esp "$name" sa-add mode=transport direction=in "spi=$6" "src=$its" "dst=$mine" \
		"key=$7" "${words[@]}" "${in[@]}") &&
	SA_OUT=$(esp "$name" sa-add mode=transport direction=out "spi=$4" "src=$mine" "dst=$its" \
		"key=$5" "${words[@]}" "${out[@]}") &&
	esp "$name" policy-set direction=out action=protect priority=1 "selector=$mine,$its" \
		"sa_id=$SA_OUT" >/dev/null &&
	esp "$name" policy-set direction=in action=protect priority=1 "selector=$its,$mine" >/dev/null
}

# xfrm_state NS SRC DST SPI KEY [SPORT DPORT]
xfrm_state() {
	local options="replay-window 1024" words
	xfrm_algorithms "$5"
	[ $ESN = 0 ] || options+=" flag esn"
	[ $UDP = 0 ] || options+=" encap espinudp ${6:-$ENCAP_PORT} ${7:-$ENCAP_PORT} $(any_of "$2")"
	ip -n "$1" -batch - <<<"xfrm state add src $2 dst $3 proto esp spi $4 reqid 1 mode transport $options$words"
}

# xfrm_side NS MINE ITS SPI-OUT KEY-OUT SPI-IN KEY-IN [ITS-PORT]
xfrm_side() {
	local name=$1 mine=$2 its=$3
	[ $UDP = 0 ] || xfrm_socket "$name" "$mine" || return 1
	# The policy below covers the UDP packets too that carry ESP to this socket. An IKE daemon
	# excepts its socket.
	ip -n "$name" xfrm policy add src "$its" dst "$mine" proto udp dport $ENCAP_PORT dir in \
		priority 1 &&
	xfrm_state "$name" "$mine" "$its" "$4" "$5" $ENCAP_PORT "${8:-$ENCAP_PORT}" &&
	xfrm_state "$name" "$its" "$mine" "$6" "$7" "${8:-$ENCAP_PORT}" $ENCAP_PORT &&
	ip -n "$name" xfrm policy add src "$mine" dst "$its" dir out \
		priority 100 tmpl proto esp reqid 1 mode transport &&
	ip -n "$name" xfrm policy add src "$its" dst "$mine" dir in \
		priority 100 tmpl proto esp reqid 1 mode transport
}

tunnel_up() {
	new_keys
	family "$1"
	esplane_side "$a" $ADDR_A $ADDR_B $SPI_AB "$KEY_AB" $SPI_BA "$KEY_BA" &&
	xfrm_side "$b" $ADDR_B $ADDR_A $SPI_BA "$KEY_BA" $SPI_AB "$KEY_AB" || return 1
	remember_drops
}

tunnel_down() {
	local name
	for name in "$a" "$b"; do
		esp "$name" flush
		esp "$name" encap-del port=$ENCAP_PORT 2>/dev/null
		ip -n "$name" xfrm state flush
		ip -n "$name" xfrm policy flush
		xfrm_socket_close "$name"
		# What TCP has learnt in one variant must not help the next.
		ip -n "$name" route flush cache
		ip -6 -n "$name" route flush cache
		ns "$name" ip tcp_metrics flush 2>/dev/null
	done
}

both_ways() {
	stream_arrives "$a" "$b" $ADDR_B "$@" && stream_arrives "$b" "$a" $ADDR_A "$@"
}

# Segments that fit need no fragments: TCP has learnt what does. In UDP a train crosses the wire as one packet.
no_fragments() {
	capture "$a" eth0 "$NET_TMP/wire"
	net_send "$a" "$b" $ADDR_B $SOME || return 1
	capture_stop
	tcpdump -n -c 5 -r "$NET_TMP/wire" "$1" 2>/dev/null | tee "$NET_TMP/pieces"
	[ "$(captured "$NET_TMP/wire" "$2")" -gt 10 ] && [ ! -s "$NET_TMP/pieces" ]
}

# ESP stands behind the options that routers read, and ahead of those for the destination: next headers
# 0 (hop-by-hop), then 50; and 50 right away.
where_esp_stands() {
	capture "$a" eth0 "$NET_TMP/wire" ip6
	stream_arrives "$a" "$b" $ADDR_B 100 hop && stream_arrives "$a" "$b" $ADDR_B 100 dest
	local status=$?
	capture_stop
	[ $status = 0 ] && [ "$(captured "$NET_TMP/wire" "ip6[6] = 0 and ip6[40] = 50")" -ge $STREAM ] &&
	[ "$(captured "$NET_TMP/wire" "ip6[6] = 50")" -ge $STREAM ]
}

NEIGHBOURS="arp or (icmp6 and ip6[40] >= 133 and ip6[40] <= 137) or (ip6[6] == 0 and ip6[40] == 58)"

variant() {
	local family=$1 name esp pieces
	name="IPv$family, $([ $UDP = 1 ] && echo "in UDP" || echo native)"
	case $UDP$family in
	04) esp="ip proto 50" pieces="ip[6:2] & 0x3fff != 0" ;;
	06) esp="ip6 proto 50 or (ip6[6] = 0 and ip6[40] = 50)" pieces="ip6[6] = 44" ;;
	14) esp="ip proto 17 and (port $ENCAP_PORT or ip[6:2] & 0x1fff != 0)"
		pieces="ip[6:2] & 0x3fff != 0" ;;
	16) esp="ip6 and (udp port $ENCAP_PORT or (ip6[6] = 44 and ip6[40] = 17))" pieces="ip6[6] = 44" ;;
	esac
	check_here "$name: SAs" tunnel_up "$family"
	capture "$a" eth0 "$NET_TMP/wire"
	ktap_check "$name: echoes both ways" echoes "$ADDR_A" "$ADDR_B"
	ktap_check "$name: TCP from xfrm" net_send "$b" "$a" $ADDR_A $SOME
	ktap_check "$name: datagrams longer than the path is wide, both ways" both_ways 3000
	check_here "$name: only ESP on the wire" only_esp "$esp" "$NEIGHBOURS"
	check_here "$name: TCP to xfrm, without fragments" no_fragments "$pieces" "$esp"
	if [ "$UDP$family" = 06 ]; then
		check_here "$name: extension headers on their side of ESP" where_esp_stands
		ktap_check "$name: destination options from xfrm" stream_arrives "$b" "$a" $ADDR_A 100 dest
	fi
	ktap_check "$name: nothing else was dropped" nothing_dropped
	tunnel_down
}

nat_on() {
	ns "$r" nft -f - <<-EOR
	table inet nat {
		chain postrouting {
			type nat hook postrouting priority srcnat;
			oifname eth1 meta l4proto udp masquerade to :$NAT_PORT
		}
	}
	EOR
}

# a, behind r, is known to b as r's address and port. WHO of the two is esplane.
behind_nat() {
	new_keys
	family "$1"
	case $2 in
	a)
		esplane_side "$a" $ADDR_A $ADDR_B $SPI_AB "$KEY_AB" $SPI_BA "$KEY_BA" &&
		xfrm_side "$b" $ADDR_B $ADDR_R $SPI_BA "$KEY_BA" $SPI_AB "$KEY_AB" $NAT_PORT ;;
	b)
		esplane_side "$b" $ADDR_B $ADDR_R $SPI_BA "$KEY_BA" $SPI_AB "$KEY_AB" \
			$ENCAP_PORT:$NAT_PORT $NAT_PORT:$ENCAP_PORT &&
		xfrm_side "$a" $ADDR_A $ADDR_B $SPI_AB "$KEY_AB" $SPI_BA "$KEY_BA" ;;
	esac
}

# Sums that the NAT has made wrong would be seen by the receiver: TCP would not come to life at all.
nat() {
	local family who name
	UDP=1
	for family in 4 6; do
		for who in a b; do
			name="IPv$family behind a NAT, esplane at $who"
			check_here "$name: SAs" behind_nat $family $who
			ktap_check "$name: TCP" net_send "$a" "$b" $ADDR_B $SOME
			ktap_check "$name: datagrams" stream_arrives "$a" "$b" $ADDR_B 500
			ktap_check "$name: echoes" ns "$a" ping -n -c 3 -i 0.01 -W "$(slowly 2)" $ADDR_B
			tunnel_down
		done
	done
}

# b has a second address, for which there is no SA.
refused_by_name() {
	UDP=0
	tunnel_up 4
	ip -n "$b" addr add 198.51.100.3/24 dev eth0
	esp "$a" policy-set direction=out action=protect priority=2 selector=192.0.2.1,198.51.100.3 \
		"sa_id=$SA_OUT" >/dev/null
	ns "$a" ping -n -c 1 -W 1 198.51.100.3 >/dev/null
	ktap_at_least "a packet to another host is dropped by name" "$(counter "$a" TRANSPORT_ADDRESS)" 1
	ns "$a" python3 - $ADDR_A $ADDR_B <<-'EOP'
		import socket, struct, sys
		source, target = (socket.inet_aton(word) for word in sys.argv[1:])
		raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
		# More fragments follow; the kernel fills in the sum.
		raw.sendto(struct.pack(">BBHHHBBH4s4s", 0x45, 0, 36, 1, 0x2000, 64, 17, 0, source, target) +
		           bytes(16), (sys.argv[2], 0))
	EOP
	ktap_at_least "a fragment is dropped by name" "$(counter "$a" TRANSPORT_FRAGMENT)" 1
	tunnel_down
}

# Padding of each length, and of the transfer enough for a train, both ways.
transform_works() {
	tunnel_up 4 && ask "$a" echo $ADDR_B $ECHO_PORT $ECHO_SIZES && ask "$b" echo $ADDR_A $ECHO_PORT $ECHO_SIZES &&
	ask "$a" push $ADDR_B $ECHO_PORT 20000 && ask "$b" push $ADDR_A $ECHO_PORT 20000 && nothing_dropped
}

transform() {
	BITS=$1 UDP=$2 ESN=1
	check_here "$(say_variant)" transform_works
	tunnel_down
}

transforms() {
	ask "$a" serve 192.0.2.1 $ECHO_PORT && ask "$b" serve 198.51.100.2 $ECHO_PORT
	hmac aes-cbc 0 'cbc(aes)' 256
	transform 256 0
	hmac aes-ctr 4 'rfc3686(ctr(aes))' 256
	transform 256 1
	aead aes-ccm-16 3 'rfc4309(ccm(aes))' 128
	transform 128 0
	aead chacha20-poly1305 4 'rfc7539esp(chacha20,poly1305)' 128
	transform 256 1
	hmac null 0 'ecb(cipher_null)' 256
	transform 0 1
}

ktap_print_header
three_hosts || ktap_skip_all "cannot make namespaces"
need_module xfrm_user
need_module esp4
need_module esp6
worker "$a"
worker "$b"
ktap_set_plan $((4 * 7 + 2 + 5 + 2 * 2 * 4 + 2))
for UDP in 0 1; do
	variant 4
	variant 6
done
transforms
aead aes-gcm-16 4 'rfc4106(gcm(aes))' 128
BITS=128 ESN=0
nat_on
nat
refused_by_name
ktap_finished
