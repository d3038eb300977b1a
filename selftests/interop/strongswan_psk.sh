#!/bin/bash
# SPDX-License-Identifier: MIT
# esplaned and strongSwan bring a tunnel up with a pre-shared key: each as initiator, with native ESP and with a NAT
# between them (ESP-in-UDP). The data planes are esplane.ko and the kernel's xfrm. On the wire nothing but IKE and ESP
# is seen; pings and 2 MB, with MATRIX=full 32, go through both ways.
. "$(dirname "$0")/../lib/ktap.sh"
. "$(dirname "$0")/../lib/net.sh"
. "$(dirname "$0")/lib.sh"

need_command swanctl esplaned esplane tcpdump socat nft
ktap_print_header
ktap_set_plan 36

MEGABYTES=2
[ "${MATRIX:-}" != full ] || MEGABYTES=32

# inner_routes GATEWAY_A GATEWAY_B: local traffic to the other side takes the inner address as its source.
inner_routes() {
	ip -n "$a" route add $NET_B via "$1" src $INNER_A &&
	ip -n "$b" route add $NET_A via "$2" src $INNER_B
}

start_daemons() {
	local start_a=$1 start_b=$2 remote_b=$3
	$start_a "$a" a "$(conf_psk site $OUTER_A $OUTER_B a.example.org b.example.org $NET_A $NET_B)" &&
	$start_b "$b" b "$(conf_psk site $OUTER_B "$remote_b" b.example.org a.example.org $NET_B $NET_A)"
}

traffic() {
	local case=$1 bytes=$((MEGABYTES << 20))
	ktap_check "$case: ping a to b" net_ping "$a" $INNER_B -I $INNER_A
	ktap_check "$case: ping b to a" net_ping "$b" $INNER_A -I $INNER_B
	ktap_check "$case: $MEGABYTES MB a to b" net_send "$a" "$b" $INNER_B $bytes
	ktap_check "$case: $MEGABYTES MB b to a" net_send "$b" "$a" $INNER_A $bytes
}

esp_encapsulation() { swan "$1" --list-sas --raw | grep -q 'encap=yes' && echo udp || echo native; }

# tunnel CASE INITIATOR native|udp NS DEV
# NS and DEV say where the wire is tapped: not where xfrm receives, since that puts decrypted packets back on the
# device they came by.
tunnel() {
	local case=$1 initiator=$2 wire=$NET_TMP/wire
	capture "$4" "$5" "$wire" ip
	if ! ktap_check "$case: $initiator initiates" swan "$initiator" --initiate --child net; then
		ktap_print_msg "$(tail -n 30 "$(log_of a)" "$(log_of b)")"
	fi
	busywait 5000 sa_up a
	busywait 5000 sa_up b
	ktap_equal "$case: one CHILD_SA at a, at b" "$(sa_count a) $(sa_count b)" "1 1"
	ktap_equal "$case: ESP is $3 at a, at b" "$(esp_encapsulation a) $(esp_encapsulation b)" "$3 $3"
	traffic "$case"
	capture_stop
	ktap_check "$case: only IKE and ESP on the wire" only_protected "$wire"
	swan "$initiator" --terminate --ike site >/dev/null
	busywait 10000 sa_down a && busywait 10000 sa_down b
	ktap_equal "$case: nothing left after terminate" "$(sa_count a) $(sa_count b)" "0 0"
	daemon_stop a
	daemon_stop b
}

direct() {
	net_direct && inner_routes $OUTER_B $OUTER_A
	start_daemons esplaned_start charon_start $OUTER_A
	tunnel "$1" "$2" native "$a" eth0
	ns_del "$a"
	ns_del "$b"
}

behind_nat() {
	net_nat && inner_routes 192.0.2.254 198.51.100.254
	start_daemons "$2" "$3" %any
	tunnel "$1" a udp "$r" eth1
	ns_del "$a"
	ns_del "$r"
	ns_del "$b"
}

direct "esplaned to strongSwan" a
direct "strongSwan to esplaned" b
behind_nat "esplaned behind NAT to strongSwan" esplaned_start charon_start
behind_nat "strongSwan behind NAT to esplaned" charon_start esplaned_start

ktap_finished
