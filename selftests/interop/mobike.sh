#!/bin/bash
# SPDX-License-Identifier: MIT
# An end goes to another network in the midst of traffic (MOBIKE, RFC 4555): the tunnel goes along, with the same keys.
# The end that moves is esplaned or strongSwan, and has begun the IKE SA or has not. A stream towards it is counted:
# those packets are lost that are sent before the other end has heard, no more.
. "$(dirname "$0")/../lib/ktap.sh"
. "$(dirname "$0")/../lib/net.sh"
. "$(dirname "$0")/lib.sh"

need_command swanctl esplaned esplane tcpdump
ktap_print_header
ktap_set_plan 28

AWAY=203.0.113.1
# The stream has 200 packets a second: as many are lost in two seconds, which is much for two exchanges.
LOST_MOST=$(slowly 400)

# a is at home behind r, and another network is on the same wire.
network() {
	net_routed
	ip -n "$r" addr add 203.0.113.254/24 dev eth0
	ip -n "$a" route add $NET_B via 192.0.2.254 src $INNER_A
	ip -n "$b" route add $NET_A via 198.51.100.254 src $INNER_B
}

# move FROM TO GATEWAY
move() {
	ip -n "$a" addr add "$2/24" dev eth0
	ip -n "$a" route replace default via "$3"
	ip -n "$a" route replace $NET_B via "$3" src $INNER_A
	ip -n "$a" addr del "$1/24" dev eth0
}

start_daemons() {
	$1 "$a" a "$(conf_psk site %any $OUTER_B a.example.org b.example.org $NET_A $NET_B "mobike = yes")" &&
	$2 "$b" b "$(conf_psk site %any "$OUTER_A, 203.0.113.0/24" b.example.org a.example.org $NET_B $NET_A \
		"mobike = yes")"
}

# The IKE SA of b has the new address at its other end.
heard() { swan b --list-sas --raw | grep -q "remote-host=$AWAY"; }
spis() { swan "$1" --list-sas --raw | grep -o 'spi-[a-z]*=[0-9a-f]*' | sort | tr '\n' ' '; }
# b has sent some of the stream.
streams() { swan b --list-sas --raw | grep -Eq 'packets-out=0*[1-9][0-9]'; }
answered() { ns "$a" ping -n -q -c 1 -W 0.3 -I $INNER_A $INNER_B; }
# moved_on FILE: ESP was seen on its way to the new address
moved_on() { [ "$(captured "$1" "dst host $AWAY and (proto 50 or udp port 4500)")" -gt 0 ]; }
show_logs() { ktap_print_msg "$(tail -n 40 "$(log_of a)" "$(log_of b)")"; }

# moves CASE INITIATOR
moves() {
	local case=$1 wire=$NET_TMP/wire before
	ktap_check "$case: $2 initiates" swan "$2" --initiate --child net || show_logs
	busywait "$(slowly 5000)" sa_up a && busywait "$(slowly 5000)" sa_up b
	before=$(spis a)
	capture "$r" eth0 "$wire" ip
	stream_start "$b" "$a" $INNER_A
	busywait "$(slowly 5000)" streams
	move $OUTER_A $AWAY 203.0.113.254
	ktap_check "$case: the other end has heard" busywait "$(slowly 20000)" heard || show_logs
	# esplaned sends there when the new address has answered.
	busywait "$(slowly 10000)" answered
	ktap_check "$case: ping a to b" net_ping "$a" $INNER_B -I $INNER_A
	ktap_check "$case: ping b to a" net_ping "$b" $INNER_A -I $INNER_B
	stream_stop
	capture_stop
	ktap_print_msg "$case: $stream_lost of $stream_sent packets lost"
	ktap_check "$case: of the stream $LOST_MOST are lost at most" test "$stream_lost" -le "$LOST_MOST"
	ktap_equal "$case: the same CHILD_SA" "$(spis a)" "$before"
	ktap_check "$case: ESP goes to the new address" moved_on "$wire"
	swan "$2" --terminate --ike site >/dev/null
	busywait "$(slowly 10000)" sa_down a && busywait "$(slowly 10000)" sa_down b
}

# both_roles WHO START_A START_B
both_roles() {
	network
	start_daemons "$2" "$3"
	moves "$1 moves, which began" a
	move $AWAY $OUTER_A 192.0.2.254
	moves "$1 moves, which did not begin" b
	daemon_stop a
	daemon_stop b
	ns_del "$a"
	ns_del "$r"
	ns_del "$b"
}

both_roles esplaned esplaned_start charon_start
both_roles strongSwan charon_start esplaned_start

ktap_finished
