#!/bin/bash
# SPDX-License-Identifier: MIT
# SAs change under load and not one packet is lost: policy-set swaps the outbound SA in one step, the
# old inbound SA lives on until nothing uses it (RFC 7296 section 2.8), and sa-update moves a tunnel to
# another address or port while its sequence numbers go on.
#
#	a esplane === ESP === b esplane, 100 numbered UDP packets a second each way
# Variables that lib.sh sets or reads.
# shellcheck disable=SC2034,SC2154
. "$(dirname "$0")/lib.sh"

RATE=100
ENDLESS=1000000
SWAPS=20

# Rekeys both directions, in the order that two daemons would: receive first, then send.
swap() {
	local n=$1 key_ab key_ba spi_ab spi_ba in_a in_b out_a out_b
	key_ab=$(make_key 256 "ab $n") key_ba=$(make_key 256 "ba $n")
	spi_ab=$((0x10000 + n)) spi_ba=$((0x20000 + n))
	in_a=$(esp "$a" sa-add direction=in spi=$spi_ba src=$OUTER_B dst=$OUTER_A "key=$key_ba" "${words[@]}") &&
	in_b=$(esp "$b" sa-add direction=in spi=$spi_ab src=$OUTER_A dst=$OUTER_B "key=$key_ab" "${words[@]}") &&
	out_a=$(esp "$a" sa-add direction=out spi=$spi_ab src=$OUTER_A dst=$OUTER_B "key=$key_ab" "${words[@]}") &&
	out_b=$(esp "$b" sa-add direction=out spi=$spi_ba src=$OUTER_B dst=$OUTER_A "key=$key_ba" "${words[@]}") &&
	esp "$a" policy-set "id=$POLICY_OUT_a" direction=out action=protect priority=100 \
		"selector=$NET_A,$NET_B" "sa_id=$out_a" $policy_words >/dev/null &&
	esp "$b" policy-set "id=$POLICY_OUT_b" direction=out action=protect priority=100 \
		"selector=$NET_B,$NET_A" "sa_id=$out_b" $policy_words >/dev/null &&
	esp "$a" sa-del "id=$SA_OUT_a" && esp "$b" sa-del "id=$SA_OUT_b" &&
	esp "$a" sa-del "id=$SA_IN_a" && esp "$b" sa-del "id=$SA_IN_b" || return 1
	SA_OUT_a=$out_a SA_OUT_b=$out_b SA_IN_a=$in_a SA_IN_b=$in_b
}

# Two streams that run while something is done beside them, and longer than that.
streams_start() {
	stream "$b" receive $INNER_B 9000 $ENDLESS "$(slowly 3)" >"$NET_TMP/to_b" &
	to_b_pid=$!
	stream "$a" receive $INNER_A 9000 $ENDLESS "$(slowly 3)" >"$NET_TMP/to_a" &
	to_a_pid=$!
	busywait "$(slowly 5000)" udp_listening "$b" 9000
	busywait "$(slowly 5000)" udp_listening "$a" 9000
	stream "$a" send $INNER_B 9000 $ENDLESS $RATE >"$NET_TMP/from_a" &
	from_a_pid=$!
	stream "$b" send $INNER_A 9000 $ENDLESS $RATE >"$NET_TMP/from_b" &
	from_b_pid=$!
	at_exit kill $to_a_pid $to_b_pid $from_a_pid $from_b_pid
}

stream() {
	local name=$1
	shift
	exec nsenter --net="/run/netns/$name" python3 "$NET_DIR/stream.py" "$@"
}

# Packets sent but not received, each way.
streams_lost() {
	kill -TERM $from_a_pid $from_b_pid
	wait $from_a_pid $from_b_pid $to_b_pid $to_a_pid
	ktap_print_msg "sent $(cat "$NET_TMP/from_a") and $(cat "$NET_TMP/from_b")" >&2
	echo "$(($(cat "$NET_TMP/from_a") - $(cat "$NET_TMP/to_b")))" \
		"$(($(cat "$NET_TMP/from_b") - $(cat "$NET_TMP/to_a")))"
}

# Both ends have sent so many packets by the SA of the moment: the streams do run through it.
streams_run() { busywait "$(slowly 10000)" sent_at_least "$SA_OUT_a" "$SA_OUT_b" "$1"; }

sent_at_least() {
	[ "$(sa_get "$a" "$1" packets)" -ge "$3" ] && [ "$(sa_get "$b" "$2" packets)" -ge "$3" ]
}

swaps() {
	local n
	for ((n = 1; n <= SWAPS; n++)); do
		swap $n && streams_run 2 || return 1
	done
}

up() {
	esplane_end "$a" a && esplane_end "$b" b || return 1
	words=() policy_words=
	[ $UDP = 0 ] || words=("encap=$ENCAP_PORT:$ENCAP_PORT")
	if [ $MODE = route ]; then
		policy_words=if_id=$IF_ID
		words+=("$policy_words")
	else
		inner_route "$a" a && inner_route "$b" b
	fi
}

under_load() {
	local name="MODE=$MODE UDP=$UDP"
	check_here "$name: tunnel" up
	streams_start
	check_here "$name: $SWAPS swaps while the streams run" swaps
	ktap_equal "$name: packets lost each way" "$(streams_lost)" "0 0"
	ktap_equal "$name: only the last SAs are left" \
		"$(esp "$a" sa-list get=spi | sort | tr '\n' ' ')" \
		"$(printf '0x%08x 0x%08x ' $((0x10000 + SWAPS)) $((0x20000 + SWAPS)))"
	ktap_equal "$name: nothing was dropped" "$(drops "$a") $(drops "$b")" "0 0"
}

# b gets a second address and both ends move to it, one end after the other.
moves() {
	local seq
	ip -n "$b" addr add 192.0.2.22/24 dev eth0
	seq=$(sa_get "$a" "$SA_OUT_a" seq)
	esp "$a" sa-update "id=$SA_OUT_a" dst=192.0.2.22 &&
	esp "$b" sa-update "id=$SA_OUT_b" src=192.0.2.22 &&
	esp "$b" sa-update "id=$SA_IN_b" dst=192.0.2.22 &&
	esp "$a" sa-update "id=$SA_IN_a" src=192.0.2.22 || return 1
	streams_run $((seq + 20)) && [ "$(sa_get "$a" "$SA_OUT_a" seq)" -gt "$seq" ]
}

moved_on_wire() {
	capture "$a" eth0 "$NET_TMP/moved"
	ns "$a" ping -n -c 2 -i 0.1 $INNER_B >/dev/null
	capture_stop
	[ "$(captured "$NET_TMP/moved" "udp and src $OUTER_A and dst 192.0.2.22")" = 2 ] &&
	[ "$(captured "$NET_TMP/moved" "udp and src 192.0.2.22 and dst $OUTER_A")" = 2 ] &&
	[ "$(captured "$NET_TMP/moved" "host $OUTER_B")" = 0 ]
}

# As after a NAT rebinding: a's packets go to another port of b's, registered as well.
ports_on_wire() {
	esp "$b" encap-add port=4501 >/dev/null &&
	esp "$a" sa-update "id=$SA_OUT_a" encap=$ENCAP_PORT:4501 || return 1
	capture "$a" eth0 "$NET_TMP/ports"
	ns "$a" ping -n -c 2 -i 0.1 $INNER_B >/dev/null || return 1
	capture_stop
	[ "$(captured "$NET_TMP/ports" "src $OUTER_A and udp src port $ENCAP_PORT and udp dst port 4501")" = 2 ]
}

ktap_print_header
two_hosts
ktap_set_plan $((2 * 5 + 4))
UDP=0 MODE=policy under_load
clear_end "$a"
clear_end "$b"
UDP=1 MODE=route under_load
streams_start
ktap_check "sa-update moves a running tunnel to another address" moves
ktap_equal "packets lost each way" "$(streams_lost)" "0 0"
ktap_check "the wire shows the new address alone" moved_on_wire
ktap_check "sa-update of ports" ports_on_wire
ktap_finished
