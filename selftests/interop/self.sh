#!/bin/bash
# SPDX-License-Identifier: MIT
# Two esplaned, with esplane.ko at both ends: native ESP and behind a NAT, rekeys without loss, an unused trap that
# traffic brings to life, a daemon that crashes and one that says goodbye.
. "$(dirname "$0")/../lib/ktap.sh"
. "$(dirname "$0")/../lib/net.sh"
. "$(dirname "$0")/lib.sh"

need_command esplaned esplane tcpdump socat nft
ktap_print_header
ktap_set_plan 25

inner_routes() {
	ip -n "$a" route add $NET_B via "$1" src $INNER_A &&
	ip -n "$b" route add $NET_A via "$2" src $INNER_B
}

# start REMOTE_OF_B [CHILD_KEYS_A] [CONN_KEYS_A]
start() {
	esplaned_start "$a" a "$(conf_psk site $OUTER_A $OUTER_B a.example.org b.example.org $NET_A $NET_B "${3:-}" "${2:-}")" &&
	esplaned_start "$b" b "$(conf_psk site $OUTER_B "$1" b.example.org a.example.org $NET_B $NET_A)"
}

traffic() {
	ktap_check "$1: ping a to b" net_ping "$a" $INNER_B -I $INNER_A
	ktap_check "$1: ping b to a" net_ping "$b" $INNER_A -I $INNER_B
	ktap_check "$1: 8 MB a to b" net_send "$a" "$b" $INNER_B $((8 << 20))
	ktap_check "$1: 8 MB b to a" net_send "$b" "$a" $INNER_A $((8 << 20))
}

tunnel() {
	local wire=$NET_TMP/wire
	capture "$b" eth0 "$wire" ip
	ktap_check "$1: initiate" esplane a initiate site net ||
		ktap_print_msg "$(tail -n 30 "$(log_of a)" "$(log_of b)")"
	traffic "$1"
	capture_stop
	ktap_check "$1: only IKE and ESP on the wire" only_protected "$wire"
	ktap_equal "$1: one CHILD_SA each" "$(esplane_children a) $(esplane_children b)" "1 1"
}

esplane_children() {
	esplane "$1" status --json | jq '[.sas[].children[] | select(.state == "INSTALLED")] | length'
}

native() {
	net_direct && inner_routes $OUTER_B $OUTER_A
	start $OUTER_A
	tunnel native
	rekeys
	goodbye
	crash
	ns_del "$a"
	ns_del "$b"
}

rekeys() {
	local i
	stream_start "$a" "$b" $INNER_B
	for i in $(seq 10); do
		esplane a rekey --child net && esplane b rekey --child net || break
	done
	ktap_equal "20 child rekeys, ten from each side" "$i" 10
	ktap_check "IKE SA rekeyed by a" esplane a rekey --ike site
	ktap_check "IKE SA rekeyed by b" esplane b rekey --ike site
	stream_stop
	ktap_at_least "stream of 200 packets a second ran" "$stream_sent" 100
	ktap_equal "no packet lost in all this" "$stream_lost" 0
	busywait 10000 test "$(esplane_children a) $(esplane_children b)" = "1 1"
	ktap_equal "one CHILD_SA each at rest" "$(esplane_children a) $(esplane_children b)" "1 1"
}

gone() { [ "$(esplane_children "$1")" = 0 ]; }

goodbye() {
	esplaned_stop a TERM
	busywait 5000 gone b
	ktap_equal "SIGTERM deletes the SAs at the peer" "$(esplane_children b)" 0
	ktap_equal "and in the own kernel" "$(ns "$a" espctl sa-list --json | jq length)" 0
}

crash() {
	esplaned_start "$a" a "$(cat "$(daemon_dir a)/conf")"
	esplane a initiate site net >/dev/null
	esplaned_stop a KILL
	ktap_check "after a crash the tunnel goes on" net_ping "$a" $INNER_B -I $INNER_A
	esplaned_start "$a" a "$(cat "$(daemon_dir a)/conf")"
	ktap_check "the next daemon takes over" esplane a initiate site net
	ktap_check "and traffic passes" net_ping "$a" $INNER_B -I $INNER_A
	busywait 20000 test "$(ns "$a" espctl sa-list --json | jq length)" = 2
	ktap_equal "no SA of the old one stays at a" "$(ns "$a" espctl sa-list --json | jq length)" 2
	ktap_equal "nor at b" "$(ns "$b" espctl sa-list --json | jq length)" 2
	esplaned_stop a
	esplaned_stop b
}

trap_policy() {
	ktap_check "trap: the first packets bring the tunnel up" \
		busywait "$(slowly 10000)" net_ping "$a" $INNER_B -I $INNER_A
}

behind_nat() {
	net_nat && inner_routes 192.0.2.254 198.51.100.254
	start %any "start_action = trap"
	trap_policy
	traffic "behind NAT"
	esplaned_stop a
	esplaned_stop b
}

native
behind_nat
ktap_finished
