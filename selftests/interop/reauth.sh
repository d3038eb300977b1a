#!/bin/bash
# SPDX-License-Identifier: MIT
# Re-authentication between esplaned and strongSwan 6.0, which makes before it breaks as esplaned does: begun by each
# as who began the IKE SA, and asked for by each as the other one (RFC 4478). A numbered stream runs through it and
# loses nothing; but where strongSwan sends on new SAs before the other end can have its answer, or deletes the old ones
# while packets are on their way, what is under way at that moment.
. "$(dirname "$0")/../lib/ktap.sh"
. "$(dirname "$0")/../lib/net.sh"
. "$(dirname "$0")/lib.sh"

[ -x /newer/usr/lib/ipsec/charon ] || ktap_skip_all "no Debian 13 root in this guest (vm/run --newer)"
need_command swanctl esplaned esplane
ktap_print_header
ktap_set_plan 25
# shellcheck disable=SC2034	# lib.sh reads it
charon_root=/newer

net_direct
ip -n "$a" route add $NET_B via $OUTER_B src $INNER_A
ip -n "$b" route add $NET_A via $OUTER_A src $INNER_B

TIMES="reauth_time = 3s
			over_time = 4s
			rand_time = 0s"
ROUNDS=3

# Each IKE SA has SPIs of its own.
ike_spis() { swan a --list-sas --raw | grep -o 'initiator-spi=[0-9a-f]*' | sort -u; }
ike_ups() { grep -c 'IKE SA is up' "$(log_of a)"; }
at_least_ups() { [ "$(ike_ups)" -ge "$1" ]; }
one_each() {
	[ "$(sa_count a) $(sa_count b)" = "1 1" ] && [ "$(ike_spis | wc -l)" = 1 ] &&
	[ "$(ip -n "$b" xfrm state | grep -c 'proto esp')" = 2 ]
}
show_logs() { ktap_print_msg "$(tail -n 50 "$(log_of a)" "$(log_of b)")"; }

# A tenth of a second of the stream.
UNDER_WAY=20
# again CASE INITIATOR TIMES_OF_ESPLANED TIMES_OF_STRONGSWAN FROM TO ADDRESS [LOST], LOST each time at most
again() {
	rm -rf "$(daemon_dir a)" "$(daemon_dir b)"
	esplaned_start "$a" a "$(conf_psk site $OUTER_A $OUTER_B a.example.org b.example.org $NET_A $NET_B "$3")" &&
	charon_start "$b" b "$(conf_psk site $OUTER_B $OUTER_A b.example.org a.example.org $NET_B $NET_A "$4")" &&
	swan "$2" --initiate --child net >/dev/null
	ktap_equal "$1: up" $? 0
	stream_start "$5" "$6" "$7"
	ktap_check "$1: $ROUNDS times, and again" busywait "$(slowly 30000)" at_least_ups $((ROUNDS + 2)) || show_logs
	# Between two of them there is one of each.
	ktap_check "$1: one IKE SA and one CHILD_SA at each end" busywait "$(slowly 30000)" one_each || show_logs
	stream_stop
	ktap_at_least "$1: the stream ran" "$stream_sent" 300
	lost_at_most=$((${8:-0} * ($(ike_ups) - 1)))
	ktap_print_msg "$1: $stream_lost packets lost"
	ktap_check "$1: no packet lost${8:+ but under way}" [ "$stream_lost" -le $lost_at_most ] || show_logs
	daemon_stop a
	daemon_stop b
}

again "by esplaned" a "$TIMES" "" "$a" "$b" $INNER_B
again "by esplaned, what strongSwan sends" a "$TIMES" "" "$b" "$a" $INNER_A $UNDER_WAY
again "by strongSwan" b "" "$TIMES" "$b" "$a" $INNER_A
again "by esplaned, as strongSwan asks for it" a "" "$TIMES" "$a" "$b" $INNER_B $UNDER_WAY
# Its own over_time, which it begins earlier by, would be that of a rekey_time of hours.
again "by strongSwan, as esplaned asks for it" b "$TIMES" "over_time = 1s
			rand_time = 0s" "$a" "$b" $INNER_B $UNDER_WAY

ktap_finished
