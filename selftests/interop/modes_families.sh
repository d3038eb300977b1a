#!/bin/bash
# SPDX-License-Identifier: MIT
# esplaned on esplane.ko and strongSwan on xfrm: transport mode, of which each end may want nothing, behind a NAT too
# (RFC 7296 section 2.23.1); and IPv6 around and inside, native and in UDP. Either end begins. What both say of it must
# be the same, echoes and a file must pass both ways, and nothing else may be on the wire. Two of the IKE SAs are made
# without CHILD_SA (RFC 6023).
#
#	a esplaned 192.0.2.1 --- r --- 198.51.100.2 b strongSwan
#	    2001:db8:1::1                2001:db8:2::2
# Variables that lib.sh sets or reads.
# shellcheck disable=SC2034,SC2154
. "$(dirname "$0")/../lib/ktap.sh"
. "$(dirname "$0")/../lib/net.sh"
. "$(dirname "$0")/lib.sh"

OUTER_A6=2001:db8:1::1 OUTER_B6=2001:db8:2::2
INNER_A6=fd01::1 INNER_B6=fd02::1
BYTES=$((1 << 18))

network() {
	net_routed || return 1
	local name
	for name in "$a" "$r" "$b"; do
		ns "$name" sysctl -qw net.ipv6.conf.all.router_solicitations=0
	done
	ns "$r" sysctl -qw net.ipv6.conf.all.forwarding=1 &&
	ip -n "$a" addr add $OUTER_A6/64 dev eth0 nodad &&
	ip -n "$r" addr add 2001:db8:1::fe/64 dev eth0 nodad &&
	ip -n "$r" addr add 2001:db8:2::fe/64 dev eth1 nodad &&
	ip -n "$b" addr add $OUTER_B6/64 dev eth0 nodad &&
	ip -n "$a" addr add $INNER_A6/64 dev lan nodad &&
	ip -n "$b" addr add $INNER_B6/64 dev lan nodad &&
	ip -n "$a" route add default via 2001:db8:1::fe &&
	ip -n "$b" route add default via 2001:db8:2::fe &&
	ip -n "$a" route add $NET_B via 192.0.2.254 src $INNER_A &&
	ip -n "$b" route add $NET_A via 198.51.100.254 src $INNER_B &&
	ip -n "$a" route add fd02::/64 via 2001:db8:1::fe src $INNER_A6 &&
	ip -n "$b" route add fd01::/64 via 2001:db8:2::fe src $INNER_B6
}

# nat_on DEV FAMILY: r translates what leaves by DEV.
nat_on() {
	ns "$r" nft -f - <<-EOR
	table $2 nat {
		chain postrouting {
			type nat hook postrouting priority srcnat;
			oifname $1 meta l4proto udp masquerade to :61000-62000
			oifname $1 masquerade
		}
	}
	EOR
}

nat_off() { ns "$r" nft flush ruleset; }

# child NAME MODE LOCAL REMOTE [KEYS]
child() {
	cat <<-EOC
	$1 {
		mode = $2
		local_ts = $3
		remote_ts = $4
		esp_proposals = aes128gcm16-x25519
		rekey_time = 1h
		${5:-}
	}
	EOC
}

# connection NAME LOCAL REMOTE MINE ITS CHILDREN [KEYS]: its identities are NAME-a and NAME-b. A peer that a NAT has
# moved is the same.
connection() {
	cat <<-EOC
	$1 {
		version = 2
		local_addrs = $2
		remote_addrs = $3, 0.0.0.0/0, ::/0
		proposals = aes128gcm16-prfsha256-x25519
		${7:-}
		local {
			auth = psk
			id = $1-$4.example.org
		}
		remote {
			auth = psk
			id = $1-$5.example.org
		}
		children {
			$6
		}
	}
	EOC
}

# conf MINE ITS LOCAL REMOTE LOCAL6 REMOTE6 NET NET REMOTE_NET NET6 REMOTE_NET6
conf() {
	local mine=$1 its=$2 local4=$3 remote4=$4 local6=$5 remote6=$6 one=tunnel other=transport
	[ "$mine" = a ] || one=transport other=tunnel
	echo "connections {"
	connection host4 "$local4" "$remote4" "$mine" "$its" "$(child host4 transport dynamic dynamic)"
	connection host6 "$local6" "$remote6" "$mine" "$its" "$(child host6 transport dynamic dynamic)"
	# Each end has one that the other does not want so.
	connection half "$local4" "$remote4" "$mine" "$its" "$(child one $one dynamic[udp] dynamic[udp]
		child other $other dynamic[icmp] dynamic[icmp])"
	connection nets6 "$local6" "$remote6" "$mine" "$its" "$(child 4in6 tunnel "$7" "$8"
		child 6in6 tunnel "$9" "${10}")" "childless = force"
	connection nets4 "$local4" "$remote4" "$mine" "$its" "$(child 6in4 tunnel "$9" "${10}")" "childless = force"
	echo "shunts {"
	echo "children {"
	child clear pass "$7[udp]" "$8[udp/5353]" "start_action = trap"
	child never drop "$7[udp]" "$8[udp/5354]" "start_action = trap"
	echo "} }"
	connection forced6 "$local6" "$remote6" "$mine" "$its" "$(child forced6 tunnel "$9" "${10}")" "encap = yes"
	echo "}"
	echo "secrets { ike { secret = $INTEROP_PSK } }"
}

up() { swan "$1" --initiate --child "$2" --timeout "$(slowly 15)"; }

down() {
	swan a --terminate --ike "$1" >/dev/null
	busywait "$(slowly 10000)" sa_down b
	ns "$a" ip tcp_metrics flush
	ns "$b" ip tcp_metrics flush
}

logs() { ktap_print_msg "$(tail -n 40 "$(log_of a)" "$(log_of b)")"; }

# said NAME CHILD KEY: its value in the newest CHILD_SA of that name
said() {
	swan "$1" --list-sas --raw | grep -o "name=$2 .*" | tail -n 1 | grep -o " $3=[^ }]*" | head -n 1 | cut -d = -f 2
}

# both CHILD KEY: what a and b say of it
both() { echo "$(said a "$1" "$2") $(said b "$1" "$2")"; }
modes() { [ "$(both "$1" mode)" = "$2 $2" ]; }

echoes() {
	ns "$a" ping -n -c 2 -i 0.05 -W "$(slowly 2)" -I "$1" "$2" &&
	ns "$b" ping -n -c 2 -i 0.05 -W "$(slowly 2)" -I "$2" "$1"
}

files() { net_send "$a" "$b" "$2" $BYTES && net_send "$b" "$a" "$1" $BYTES; }

NEIGHBOURS="arp or (icmp6 and ip6[40] >= 133 and ip6[40] <= 137) or (ip6[6] == 0 and ip6[40] == 58)"
# only PROTECTED: nothing else passed the wire, and that did
only() {
	[ "$(captured "$NET_TMP/wire" "$1")" -gt 10 ] || return 1
	! tcpdump -n -c 3 -r "$NET_TMP/wire" "not ($1 or udp port 500 or udp port 4500 or $NEIGHBOURS)" 2>/dev/null |
		grep .
}

# passes NAME MODE PROTECTED ADDR_A ADDR_B CHILD INITIATOR: five results
passes() {
	local name=$1 mode=$2 protected=$3 addr_a=$4 addr_b=$5 child=$6 initiator=$7
	capture "$a" eth0 "$NET_TMP/wire"
	ktap_check "$name: $initiator initiates" up "$initiator" "$child" || logs
	ktap_check "$name: both say $mode" busywait "$(slowly 5000)" modes "$child" "$mode" || logs
	ktap_check "$name: echoes both ways" echoes "$addr_a" "$addr_b" || logs
	ktap_check "$name: files both ways" files "$addr_a" "$addr_b"
	capture_stop
	ktap_check "$name: nothing else on the wire" only "$protected"
}

rekeyed() { [ "$(said a "$1" spi-in)" != "$2" ] && [ "$(swan a --list-sas --raw | grep -c "state=REKEYED")" = 0 ]; }

# rekeys NAME CHILD ADDR_A ADDR_B INITIATOR
rekeys() {
	local before
	before=$(said a "$2" spi-in)
	swan "$5" --rekey --child "$2" >/dev/null
	busywait "$(slowly 10000)" rekeyed "$2" "$before"
	ktap_check "$1: rekeyed by $5, still in transport mode" modes "$2" TRANSPORT || logs
	ktap_check "$1: echoes after that" echoes "$3" "$4" || logs
}

# host NAME CHILD PROTECTED ADDR_A ADDR_B INITIATOR
host() {
	passes "$1" TRANSPORT "$3" "$4" "$5" "$2" "$6"
	rekeys "$1" "$2" "$4" "$5" "$6"
	down "$2"
}

# Nobody outside can begin a flow to whom a NAT hides.
echoes_from() { ns "$1" ping -n -c 2 -i 0.05 -W "$(slowly 2)" "$2"; }

# behind NAME DEV FAMILY CHILD INSIDE OUTSIDE ADDR
behind() {
	local name=$1 child=$4 inside=$5 outside=$6 address=$7 before
	nat_on "$2" "$3"
	ktap_check "$name: $inside initiates" up "$inside" "$child" || logs
	ktap_check "$name: both say TRANSPORT" busywait "$(slowly 5000)" modes "$child" TRANSPORT || logs
	ktap_equal "$name: in UDP, both say" "$(both "$child" encap)" "yes yes"
	ktap_check "$name: echoes" echoes_from "${!inside}" "$address" || logs
	ktap_check "$name: a file by TCP" net_send "${!inside}" "${!outside}" "$address" $BYTES
	before=$(said a "$child" spi-in)
	swan "$outside" --rekey --child "$child" >/dev/null
	busywait "$(slowly 10000)" rekeyed "$child" "$before"
	ktap_check "$name: rekeyed from outside, still in transport mode" modes "$child" TRANSPORT || logs
	ktap_check "$name: echoes after that" echoes_from "${!inside}" "$address" || logs
	down "$child"
	nat_off
}

declines() {
	ktap_check "declined by strongSwan: a initiates" up a other || logs
	ktap_check "declined by strongSwan: tunnel mode" busywait "$(slowly 5000)" modes other TUNNEL || logs
	ktap_check "declined by strongSwan: a says so" logged a 'child other: the peer declines transport mode'
	ktap_check "declined by strongSwan: echoes" echoes $OUTER_A $OUTER_B
	ktap_check "declined by esplaned: b initiates" up b one || logs
	ktap_check "declined by esplaned: tunnel mode" busywait "$(slowly 5000)" modes one TUNNEL || logs
	down half
}

# The first CHILD_SA of an IKE SA has none if it came with it.
APART="CURVE_25519 CURVE_25519"

datagram() { ns "$a" bash -c "echo x >/dev/udp/$INNER_B/$1"; }

# Beside the tunnel between the same networks, which has the third.
shunts() {
	capture "$a" eth0 "$NET_TMP/wire"
	for port in 5353 5354 5355; do
		datagram $port
	done
	capture_stop
	ktap_equal "shunts: one passes, one is dropped, the rest is protected" \
		"$(captured "$NET_TMP/wire" "src host $INNER_A and udp port 5353") $(captured "$NET_TMP/wire" \
		"src host $INNER_A and udp") $(captured "$NET_TMP/wire" "src host $OUTER_A6 and ip6 proto 50")" "1 1 1"
}

families() {
	passes "IPv4 in IPv6" TUNNEL "ip6 proto 50" $INNER_A $INNER_B 4in6 a
	ktap_equal "IPv4 in IPv6: with a key exchange of its own (RFC 6023)" "$(both 4in6 dh-group)" "$APART"
	shunts
	passes "IPv6 in IPv6" TUNNEL "ip6 proto 50" $INNER_A6 $INNER_B6 6in6 b
	down nets6
	passes "IPv6 in IPv4" TUNNEL "ip proto 50" $INNER_A6 $INNER_B6 6in4 b
	ktap_equal "IPv6 in IPv4: with a key exchange of its own (RFC 6023)" "$(both 6in4 dh-group)" "$APART"
	down nets4
	passes "IPv6 in UDP" TUNNEL "ip6 and udp port 4500" $INNER_A6 $INNER_B6 forced6 a
	ktap_equal "IPv6 in UDP: both say" "$(both forced6 encap)" "yes yes"
	down forced6
}

need_command swanctl esplaned esplane tcpdump socat nft
ktap_print_header
ktap_set_plan $((2 * 7 + 6 + 4 * 5 + 4 + 3 * 7))
network || ktap_skip_all "cannot make namespaces"
need_module esplane
esplaned_start "$a" a "$(conf a b $OUTER_A $OUTER_B $OUTER_A6 $OUTER_B6 $NET_A $NET_B fd01::/64 fd02::/64)"
charon_start "$b" b "$(conf b a $OUTER_B $OUTER_A $OUTER_B6 $OUTER_A6 $NET_B $NET_A fd02::/64 fd01::/64)"

host "IPv4 transport" host4 "ip proto 50" $OUTER_A $OUTER_B a
host "IPv6 transport" host6 "ip6 proto 50" $OUTER_A6 $OUTER_B6 b
declines
families
behind "esplaned behind a NAT" eth1 ip host4 a b $OUTER_B
behind "strongSwan behind a NAT" eth0 ip host4 b a $OUTER_A
behind "esplaned behind a NAT of IPv6" eth1 ip6 host6 a b $OUTER_B6
daemon_stop a
daemon_stop b
ktap_finished
