#!/bin/bash
# SPDX-License-Identifier: MIT
# IKE and ESP between link-local addresses, each with its link (fe80::1%eth0): two esplaned, by native ESP and in UDP;
# the same addresses are on another link of one end too.
. "$(dirname "$0")/../lib/ktap.sh"
. "$(dirname "$0")/../lib/net.sh"
. "$(dirname "$0")/lib.sh"

need_command esplaned esplane tcpdump jq
ktap_print_header
ktap_set_plan 12

LINK_A=fe80::a
LINK_B=fe80::b

# Also where nobody is: a packet that goes out there is lost.
addresses() {
	ip -n "$a" link add other type dummy && ip -n "$a" link set other up &&
	ip -n "$a" addr add $LINK_A/64 dev other nodad &&
	ip -n "$a" addr add $LINK_A/64 dev eth0 nodad &&
	ip -n "$b" addr add $LINK_B/64 dev eth0 nodad &&
	ip -n "$a" route add $NET_B via $OUTER_B src $INNER_A &&
	ip -n "$b" route add $NET_A via $OUTER_A src $INNER_B
}

# start CONN_KEYS
start() {
	esplaned_start "$a" a "$(conf_psk site $LINK_A%eth0 $LINK_B%eth0 a.example.org b.example.org $NET_A $NET_B "$1")" &&
	esplaned_start "$b" b "$(conf_psk site $LINK_B%eth0 $LINK_A%eth0 b.example.org a.example.org $NET_B $NET_A "$1")"
}

# tunnel NAME FILTER
tunnel() {
	local wire=$NET_TMP/wire
	capture "$b" eth0 "$wire" ip6
	ktap_check "$1: initiate" esplane a initiate site net ||
		ktap_print_msg "$(tail -n 30 "$(log_of a)" "$(log_of b)")"
	ktap_check "$1: ping" net_ping "$a" $INNER_B -I $INNER_A ||
		ktap_print_msg "$(esplane a status --json; tail -n 20 "$(log_of a)")"
	ktap_check "$1: rekeyed IKE SA" esplane b rekey --ike site
	ktap_check "$1: rekeyed CHILD_SA" esplane b rekey --child net
	ktap_check "$1: ping after it" net_ping "$b" $INNER_A -I $INNER_B
	capture_stop
	ktap_check "$1: between these addresses on the wire" [ "$(captured "$wire" "src $LINK_A and dst $LINK_B and $2")" -ge 3 ]
	daemon_stop a
	daemon_stop b
}

net_direct
addresses
start ''
tunnel native 'ip6 proto 50'
start 'encap = yes'
tunnel UDP 'udp port 4500'
ktap_finished
