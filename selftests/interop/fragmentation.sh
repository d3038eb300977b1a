#!/bin/bash
# SPDX-License-Identifier: MIT
# IKE fragmentation (RFC 7383) with strongSwan: each as initiator, and fragments so small that requests and answers of
# IKE_AUTH and CREATE_CHILD_SA are cut by both. But for IKE_SA_INIT nothing longer than a fragment is on the wire.
. "$(dirname "$0")/../lib/ktap.sh"
. "$(dirname "$0")/../lib/net.sh"
. "$(dirname "$0")/lib.sh"

need_command swanctl esplaned esplane tcpdump
ktap_print_header
ktap_set_plan 20

# Bytes of an IP packet.
FRAGMENT_SIZE=256
ID_A=a-name-that-fills-most-of-a-fragment-by-itself.a.example.org
ID_B=a-name-that-fills-most-of-a-fragment-by-itself.b.example.org
# Next payload 53 (RFC 7383 section 2.5) in the IKE header, behind 8 of UDP and 16 of SPIs.
FRAGMENT='udp port 500 and udp[24] = 53'
EXCHANGE_AUTH=35
CREATE_CHILD_SA=36

# Read by charon_start.
# shellcheck disable=SC2034
charon_keys="fragment_size = $FRAGMENT_SIZE"

# The public values of ECP-384, 96 bytes, make both sides of CREATE_CHILD_SA long.
long_conf() {
	conf_psk site "$@" "fragmentation = yes
		mobike = no" "esp_proposals = aes128gcm16-ecp384, aes256gcm16-ecp384"
}

settings() { printf 'esplaned {\n fragment_size = %d\n}\n' $FRAGMENT_SIZE; }

# fragments FILE SOURCE EXCHANGE: how many of them
fragments() { captured "$1" "src host $2 and $FRAGMENT and udp[26] = $3"; }

# check_wire CASE FILE: both ends have cut both exchanges
check_wire() {
	local address
	for address in $OUTER_A $OUTER_B; do
		ktap_check "$1: $address sends IKE_AUTH in fragments" \
			[ "$(fragments "$2" $address $EXCHANGE_AUTH)" -ge 2 ]
		ktap_check "$1: $address sends CREATE_CHILD_SA in fragments" \
			[ "$(fragments "$2" $address $CREATE_CHILD_SA)" -ge 2 ]
	done
	ktap_equal "$1: nothing but IKE_SA_INIT is longer than a fragment" \
		"$(captured "$2" "udp port 500 and greater $((FRAGMENT_SIZE + 15)) and udp[26] != 34")" 0
}

# tunnel CASE INITIATOR
tunnel() {
	local case=$1 initiator=$2 wire=$NET_TMP/wire-$2
	net_direct
	ip -n "$a" route add $NET_B via $OUTER_B src $INNER_A
	ip -n "$b" route add $NET_A via $OUTER_A src $INNER_B
	esplaned_start "$a" a "$(settings; long_conf $OUTER_A $OUTER_B $ID_A $ID_B $NET_A $NET_B)"
	charon_start "$b" b "$(long_conf $OUTER_B $OUTER_A $ID_B $ID_A $NET_B $NET_A)"
	capture "$a" eth0 "$wire" ip
	if ! ktap_check "$case: $initiator initiates" swan "$initiator" --initiate --child net; then
		ktap_print_msg "$(tail -n 30 "$(log_of a)" "$(log_of b)")"
	fi
	busywait 5000 sa_up a
	busywait 5000 sa_up b
	ktap_check "$case: ping a to b" net_ping "$a" $INNER_B -I $INNER_A
	ktap_check "$case: $initiator rekeys the CHILD_SA" swan "$initiator" --rekey --child net
	sleep 2
	ktap_check "$case: ping b to a" net_ping "$b" $INNER_A -I $INNER_B
	capture_stop
	check_wire "$case" "$wire"
	swan "$initiator" --terminate --ike site >/dev/null
	busywait 10000 sa_down a && busywait 10000 sa_down b
	ktap_equal "$case: nothing left after terminate" "$(sa_count a) $(sa_count b)" "0 0"
	daemon_stop a
	daemon_stop b
	ns_del "$a"
	ns_del "$b"
}

tunnel "esplaned to strongSwan" a
tunnel "strongSwan to esplaned" b

ktap_finished
