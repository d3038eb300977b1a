#!/bin/bash
# SPDX-License-Identifier: MIT
# Two strongSwan clients behind one NAT, and so with one address, have a tunnel each to esplaned: each gets its own
# packets, both ways, through rekeying, and when the one goes the other stays.
. "$(dirname "$0")/../lib/ktap.sh"
. "$(dirname "$0")/../lib/net.sh"
. "$(dirname "$0")/lib.sh"

need_command swanctl esplaned esplane nft
ktap_print_header
ktap_set_plan 13
# shellcheck disable=SC2034	# lib.sh reads it
[ ! -x /newer/usr/lib/ipsec/charon ] || charon_root=/newer

net_nat
ns_add c
# shellcheck disable=SC2154	# ns_add sets it
veth "$r" eth2 192.0.3.254/24 "$c" eth0 192.0.3.1/24
ip -n "$c" route add default via 192.0.3.254
OUTER_C=192.0.3.1 INNER_C=10.3.0.1 NET_C=10.3.0.0/24
net_lan "$c" $INNER_C/24
ip -n "$a" route add $NET_B via 192.0.2.254 src $INNER_A
ip -n "$c" route add $NET_B via 192.0.3.254 src $INNER_C
ip -n "$b" route add 10.0.0.0/8 via 198.51.100.254 src $INNER_B

secrets() {
	printf 'secrets {\n'
	for end in a c; do
		printf 'ike-%s {\nid-1 = %s.example.org\nid-2 = b.example.org\nsecret = %s-%s\n}\n' $end $end $end $end
	done
	printf '}\n'
}
client() {
	conf_connection site "$2" $OUTER_B "auth = psk
id = $1.example.org" "auth = psk
id = b.example.org" "$3" $NET_B
	secrets
}
server() {
	conf_connection clients $OUTER_B %any "auth = psk
id = b.example.org" "auth = psk
id = *.example.org" $NET_B "$NET_A,$NET_C"
	secrets
}
show_logs() { ktap_print_msg "$(tail -n 30 "$(log_of a)" "$(log_of b)" "$(log_of c)" 2>&1)"; }

esplaned_start "$b" b "$(server)" && charon_start "$a" a "$(client a $OUTER_A $NET_A)" &&
	charon_start "$c" c "$(client c $OUTER_C $NET_C)"
ktap_equal "the daemons start" $? 0 || show_logs
capture "$b" eth0 "$NET_TMP/wire.pcap"
for end in a c; do
	ktap_check "$end comes up" swan $end --initiate --child net || show_logs
done
ktap_equal "esplaned has two" "$(sa_count b)" 2
ktap_equal "they come from one address and two ports" "$(swan b --list-sas --raw |
	grep -o 'remote-host=198.51.100.254 remote-port=6[0-9]*' | sort -u | wc -l)" 2

both_ways() {
	net_ping "$a" $INNER_B -I $INNER_A && net_ping "$c" $INNER_B -I $INNER_C &&
	net_ping "$b" $INNER_A -I $INNER_B && net_ping "$b" $INNER_C -I $INNER_B
}
ktap_check "pings both ways of both" both_ways || show_logs
stream_start "$b" "$a" $INNER_A
ktap_check "64 KiB to the one while a stream goes to the other" net_send "$b" "$c" $INNER_C 65536
ktap_check "the one rekeys" swan a --rekey --child net
ktap_check "the other rekeys its IKE SA" swan c --rekey --ike site
busywait "$(slowly 10000)" both_ways
stream_stop
ktap_equal "no packet of the stream lost, of $stream_sent" "$stream_lost" 0
ktap_check "only IKE and ESP on the wire" only_protected "$NET_TMP/wire.pcap"
swan c --terminate --ike site >/dev/null
busywait "$(slowly 5000)" sa_down c
ktap_equal "the one goes, the other stays" "$(sa_count b)" 1
ktap_check "and has its traffic" net_ping "$a" $INNER_B -I $INNER_A
capture_stop
ktap_finished
