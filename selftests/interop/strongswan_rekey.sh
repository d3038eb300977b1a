#!/bin/bash
# SPDX-License-Identifier: MIT
# Rekeys between esplaned and strongSwan: of the CHILD_SA because esplane.ko reports a soft byte limit, because time
# runs out, and because the peer wants it; of the IKE SA by each side. A numbered stream runs through all of them
# and loses nothing.
. "$(dirname "$0")/../lib/ktap.sh"
. "$(dirname "$0")/../lib/net.sh"
. "$(dirname "$0")/lib.sh"

need_command swanctl esplaned esplane jq
ktap_print_header
ktap_set_plan 21

net_direct
ip -n "$a" route add $NET_B via $OUTER_B src $INNER_A
ip -n "$b" route add $NET_A via $OUTER_A src $INNER_B

# begin CHILD_KEYS_OF_ESPLANED CHILD_KEYS_OF_STRONGSWAN
# With new logs: the rekeys of the part before must not count for this one.
begin() {
	rm -rf "$(daemon_dir a)" "$(daemon_dir b)"
	unsent_before=$(peer_unsent)
	esplaned_start "$a" a "$(conf_psk site $OUTER_A $OUTER_B a.example.org b.example.org $NET_A $NET_B "" "$1")" &&
	charon_start "$b" b "$(conf_psk site $OUTER_B $OUTER_A b.example.org a.example.org $NET_B $NET_A "" "$2")" &&
	esplane a initiate site net >/dev/null
}

finish() {
	daemon_stop a
	daemon_stop b
}

# New SPIs are what a rekey is: how many different inbound ones has the peer used?
spis_seen() {
	grep -Eo 'CHILD_SA net\{[0-9]+\} established with SPIs [0-9a-f]+_i' "$(log_of b)" | sort -u | wc -l
}
at_least_spis() { [ "$(spis_seen)" -ge "$1" ]; }

at_rest() {
	busywait "$(slowly 10000)" one_child
	ktap_equal "$1: one CHILD_SA each at rest" "$(sa_count a) $(sa_count b)" "1 1"
}
one_child() { [ "$(sa_count a) $(sa_count b)" = "1 1" ]; }

# What the peer's kernel did not send, having looked up an SA that another CPU was taking away.
peer_unsent() { ns "$b" awk '/^XfrmOut/ { n += $2 } END { print n + 0 }' /proc/net/xfrm_stat; }

# report CASE MINIMUM_SENT
report() {
	local unsent
	stream_stop
	unsent=$(($(peer_unsent) - unsent_before))
	[ "$unsent" = 0 ] || ktap_print_msg "$1: $unsent packets that the peer did not send"
	ktap_at_least "$1: the stream ran" "$stream_sent" "$2"
	ktap_equal "$1: no packet lost" $((stream_lost - unsent)) 0 || {
		ktap_print_msg "$(ns "$a" espctl stats --json)"
		ktap_print_msg "$stream_sent sent; the peer: $(ns "$b" awk '$2' /proc/net/xfrm_stat | tr '\n' ' ')"
	}
}

by_bytes() {
	# 200 packets a second of 228 bytes: a limit about each second.
	begin "rekey_bytes = 45000
		life_bytes = 4500000
		rand_bytes = 1000" ""
	stream_start "$a" "$b" $INNER_B
	ktap_check "bytes: 21 pairs of SAs, 20 rekeys" busywait "$(slowly 60000)" at_least_spis 21
	ktap_check "bytes: the module's soft limit is why" logged a 'soft.*bytes|bytes.*soft'
	report bytes 1000
	at_rest bytes
	finish
}

by_time() {
	begin "rekey_time = 2s
		life_time = 20s
		rand_time = 0s" ""
	stream_start "$a" "$b" $INNER_B
	ktap_check "time: four rekeys" busywait "$(slowly 30000)" at_least_spis $(($(spis_seen) + 4))
	report time 500
	at_rest time
	finish
}

by_peer() {
	begin "" "rekey_time = 2s
		life_time = 20s
		rand_time = 0s"
	stream_start "$b" "$a" $INNER_A
	ktap_check "peer: four rekeys by strongSwan" busywait "$(slowly 30000)" at_least_spis $(($(spis_seen) + 4))
	report peer 200
	at_rest peer
	finish
}

ike_sas() { swan "$1" --list-sas --raw | grep -o 'initiator-spi=[0-9a-f]*'; }
ike_changed() { [ "$(ike_sas a)" != "$1" ] && [ "$(ike_sas a)" = "$(ike_sas b)" ]; }

ike_rekey() {
	local before
	begin "" ""
	stream_start "$a" "$b" $INNER_B
	before=$(ike_sas a)
	ktap_check "IKE: rekey by esplaned" esplane a rekey --ike site
	ktap_check "IKE: both ends on the new one" busywait 10000 ike_changed "$before"
	before=$(ike_sas a)
	ktap_check "IKE: rekey by strongSwan" swan b --rekey --ike site
	ktap_check "IKE: both ends on the newer one" busywait 10000 ike_changed "$before"
	report IKE 100
	ktap_check "IKE: the child goes on under it: rekey" esplane a rekey --child net
	at_rest IKE
	finish
}

by_bytes
by_time
by_peer
ike_rekey
ktap_finished
