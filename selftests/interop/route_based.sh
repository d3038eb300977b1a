#!/bin/bash
# SPDX-License-Identifier: MIT
# Children by interface (if_id): a is esplaned with an interface of kind esplane, b strongSwan with an xfrm interface,
# and selectors for everything: routes alone decide what the tunnel carries. Each end begins once; the CHILD_SA is rekeyed;
# two interfaces carry two tunnels with the same selectors side by side. What the routes do not lead into an interface
# goes by the wire as ever.
. "$(dirname "$0")/../lib/ktap.sh"
. "$(dirname "$0")/../lib/net.sh"
. "$(dirname "$0")/lib.sh"

need_command swanctl esplaned esplane tcpdump
need_module xfrm_interface
ktap_print_header
ktap_set_plan 24

EVERYTHING=0.0.0.0/0

# conf LOCAL REMOTE ID PEER_ID: two connections, for one interface each
conf() {
	local n
	for n in 1 2; do
		conf_psk site$n "$1" "$2" "$3$n.example.org" "$4$n.example.org" $EVERYTHING $EVERYTHING \
			"if_id_in = 10$n
			if_id_out = 10$n" | sed "s/net {/net$n {/; s/ike-1 {/ike-$n {/"
	done
}

# Networks of a second tunnel, behind both ends.
second_lan() {
	ip -n "$a" addr add 10.11.0.1/24 dev lan
	ip -n "$b" addr add 10.12.0.1/24 dev lan
}

interfaces() {
	local n
	for n in 1 2; do
		ktap_check "interface ipsec$n with its if_id" \
			nsenter --net="/run/netns/$a" esplane link add ipsec$n --if-id 10$n
		ip -n "$a" link set ipsec$n up
		ip -n "$b" link add xfrm$n type xfrm dev eth0 if_id 10$n
		ip -n "$b" link set xfrm$n up
	done
	ip -n "$a" route add $NET_B dev ipsec1 src $INNER_A
	ip -n "$b" route add $NET_A dev xfrm1 src $INNER_B
	ip -n "$a" route add 10.12.0.0/24 dev ipsec2 src 10.11.0.1
	ip -n "$b" route add 10.11.0.0/24 dev xfrm2 src 10.12.0.1
}

# Packets that an interface has sent.
sent() { ns "$a" ip -j -s link show "$1" | jq '.[0].stats64.tx.packets'; }

tunnels() {
	ktap_check "esplaned begins the first" swan a --initiate --child net1
	ktap_check "strongSwan begins the second" swan b --initiate --child net2
	ktap_check "ping by the first" net_ping "$a" $INNER_B -I $INNER_A
	ktap_check "and back" net_ping "$b" $INNER_A -I $INNER_B
	ktap_check "ping by the second" net_ping "$a" 10.12.0.1 -I 10.11.0.1
	ktap_check "and back" net_ping "$b" 10.11.0.1 -I 10.12.0.1
	ktap_at_least "the first interface has carried the first tunnel" "$(sent ipsec1)" 6
	ktap_at_least "the second the second" "$(sent ipsec2)" 6
	ktap_check "a file by the first" net_send "$a" "$b" $INNER_B 1000000
	ktap_check "and back" net_send "$b" "$a" $INNER_A 1000000
}

# Selectors for everything notwithstanding.
beside() {
	ktap_check "what no route leads into them goes by the wire" net_ping "$a" $OUTER_B
	capture_stop
	ktap_at_least "in the clear" "$(captured "$NET_TMP/wire.pcap" "icmp and host $OUTER_B")" 6
	ktap_equal "nothing of the inner networks" "$(captured "$NET_TMP/wire.pcap" "net 10.0.0.0/8")" 0
}

rekeyed() {
	ktap_check "a rekeying by esplaned" swan a --rekey --child net1
	ktap_check "a rekeying by strongSwan" swan b --rekey --child net2
	ktap_check "one CHILD_SA each is left" busywait "$(slowly 5000)" children_are 2
	ktap_check "ping by the first" net_ping "$a" $INNER_B -I $INNER_A
	ktap_check "ping by the second" net_ping "$b" 10.11.0.1 -I 10.12.0.1
}
children_are() { [ "$(esplane a status --json | jq '[.sas[].children[]] | length')" = "$1" ]; }

# Its routes lead into the interface still: nothing goes out in the clear.
gone() {
	ktap_check "the first tunnel goes" swan a --terminate --ike site1
	capture "$b" eth0 "$NET_TMP/after.pcap" "net 10.0.0.0/8"
	ktap_check_fails "nothing passes by it any more" ns "$a" ping -q -c 1 -W 1 -I $INNER_A $INNER_B
	capture_stop
	ktap_equal "not in the clear either" "$(captured "$NET_TMP/after.pcap")" 0
	ktap_check "the second stays" net_ping "$a" 10.12.0.1 -I 10.11.0.1
}

net_direct
second_lan
interfaces
esplaned_start "$a" a "$(conf $OUTER_A $OUTER_B a b)"
charon_start "$b" b "$(conf $OUTER_B $OUTER_A b a)"
capture "$b" eth0 "$NET_TMP/wire.pcap" ip
tunnels
beside
rekeyed
gone
ktap_finished
