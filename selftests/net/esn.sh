#!/bin/bash
# SPDX-License-Identifier: MIT
# Sequence numbers at their edges (RFC 4303 sections 2.2.1, 3.3.3 and appendix A): extended ones across
# 2^32 with xfrm at the other end and out of order, what the SA tells of its window, a soft event in time
# for a rekey, and the end, behind which no number is used again, neither by packets alone nor by a train.
#
#	a esplane (or esp.py) === ESP === b xfrm or esplane
# Variables that lib.sh sets or reads.
# shellcheck disable=SC2034,SC2154
. "$(dirname "$0")/lib.sh"

TWO_32=$((1 << 32))

# Six numbers are left below 2^32 when the tunnel begins; a ping takes one each way.
with_xfrm() {
	local start=$((TWO_32 - 6))
	ESN=1
	esplane_end "$a" a "seq=$start" && inner_route "$a" a && xfrm_end "$b" b && inner_route "$b" b &&
	xfrm_edge $OUTER_A $OUTER_B $SPI_AB "$KEY_AB" replay-seq &&
	xfrm_edge $OUTER_B $OUTER_A $SPI_BA "$KEY_BA" replay-oseq
}

# xfrm_edge SRC DST SPI KEY replay-seq|replay-oseq: b's state anew, with its counter at the edge.
xfrm_edge() {
	ip -n "$b" xfrm state delete src "$1" dst "$2" proto esp spi "$3" &&
	ip -n "$b" xfrm state add src "$1" dst "$2" proto esp spi "$3" reqid 1 mode tunnel \
		flag esn replay-window 64 "$5" $((TWO_32 - 6)) aead 'rfc4106(gcm(aes))' "0x$4" 128
}

across() {
	check_here "esplane and xfrm, six numbers before 2^32" with_xfrm
	ktap_check "twelve pings across 2^32" ns "$a" ping -n -c 12 -i 0.1 -W "$(slowly 2)" $INNER_B
	ktap_equal "a sent and received up to 2^32 + 6" \
		"$(sa_get "$a" "$SA_OUT_a" seq) $(sa_get "$a" "$SA_IN_a" seq)" \
		"$((TWO_32 + 6)) $((TWO_32 + 6))"
	ktap_equal "nothing was dropped" "$(drops "$a")" 0
	ESN=0
	clear_end "$a"
	clear_end "$b"
}

inject() {
	ask "$a" esp send --key "$KEY_AB" --spi $SPI_AB --from $OUTER_A --to $OUTER_B --esn "$@"
}

replay_of() {
	local sa field
	sa=$(esp "$b" sa-list "id=$SA_IN_b")
	for field in seq replay_late replay_deepest replay_missing; do
		[[ "$sa" =~ \ $field=([0-9]+) ]] && echo -n "${BASH_REMATCH[1]} " || echo -n "0 "
	done
}
replay_is() { [ "$(replay_of)" = "$1" ]; }

# expect NAME "SEQ LATE DEEPEST MISSING" NUMBER...
expect() {
	local name=$1 want="$2 "
	shift 2
	inject "$@"
	busywait "$(slowly 3000)" replay_is "$want"
	ktap_equal "$name (top, late, deepest, missing)" "$(replay_of)" "$want"
}

# A window of 4096 numbers that spans 2^32. Numbers up to where the SA began count as seen.
window() {
	SA_IN_b=$(esp "$b" sa-add direction=in spi=$SPI_AB src=$OUTER_A dst=$OUTER_B "key=$KEY_AB" esn=1 \
		replay_window=4096 "seq=$((TWO_32 - 100))")
	expect "150 ahead: 149 are missing" "$((TWO_32 + 50)) 0 0 149" $((TWO_32 + 50))
	expect "one 100 behind, one 1 behind" "$((TWO_32 + 50)) 2 100 147" \
		$((TWO_32 - 50)) $((TWO_32 + 49))
	expect "neither comes twice" "$((TWO_32 + 50)) 2 100 147" $((TWO_32 - 50)) $((TWO_32 + 49))
	ktap_equal "it is counted" "$(sa_get "$b" "$SA_IN_b" REPLAY)" 2
	# From 2^32 + 5000 - 4095 = 2^32 + 905 on only the top has come.
	expect "the window moves on" "$((TWO_32 + 5000)) 2 100 4095" $((TWO_32 + 5000))
	expect "its lowest number comes" "$((TWO_32 + 5000)) 3 4095 4094" $((TWO_32 + 905))
	# 2^32 + 904 is below the window, so by its low bits the receiver must take it for a number of the
	# next subspace (RFC 4303 appendix A2.2), and authentication fails.
	expect "the number below does not" "$((TWO_32 + 5000)) 3 4095 4094" $((TWO_32 + 904))
	ktap_equal "it is counted" "$(sa_get "$b" "$SA_IN_b" AUTH)" 1
	esp "$b" sa-del "id=$SA_IN_b"
}

arrive() { receiver "$b" $INNER_B 9000 "$1" && sender "$a" $INNER_B 9000 "$1" 500 && received; }
told() { event_count ".event == \"sa-expire\" and .data.sa_id == $SA and (.data.hard // false) == $1"; }
told_is() { [ "$(told "$1")" = "$2" ]; }

# pair WORD...: fresh SAs from a to b
spi=0x5000
pair() {
	spi=$((spi + 1))
	esp "$b" sa-add direction=in spi=$spi src=$OUTER_A dst=$OUTER_B "key=$KEY_AB" "$@" >/dev/null &&
	SA=$(esp "$a" sa-add direction=out spi=$spi src=$OUTER_A dst=$OUTER_B "key=$KEY_AB" "$@") &&
	esp "$a" policy-set ${POLICY:+"id=$POLICY"} direction=out action=protect \
		"selector=$NET_A,$NET_B" "sa_id=$SA" >"$NET_TMP/policy" && read -r POLICY <"$NET_TMP/policy"
}

# soft NAME FIRST WORD...: at 7/8 of the space the SA says so, once, and goes on.
soft() {
	local name=$1 first=$2
	shift 2
	check_here "$name: an SA four numbers before 7/8 of its space" pair "seq=$first" "$@"
	arrive 3 >/dev/null
	ktap_equal "$name: three packets, no event" "$(told false)" 0
	arrive 1 >/dev/null
	ktap_check "$name: the fourth, a soft event" busywait "$(slowly 3000)" told_is false 1
	ktap_equal "$name: the SA goes on" "$(arrive 20)" 20
	ktap_equal "$name: one soft event, none hard" "$(told false) $(told true)" "1 0"
}

# Low halves of the ESP numbers on the wire, in order.
numbers_on_wire() {
	tcpdump -n -r "$NET_TMP/wire" "esp and src $OUTER_A" 2>/dev/null | grep -o 'seq=0x[0-9a-f]*'
}

# What became of the packets that were not sent: dropped at the end, by the dead SA, or waiting.
unsent() {
	read_stats "$a"
	echo $(($(in_stats SEQ_EXHAUSTED) + $(in_stats HARD_LIMIT) + $(in_stats held) + $(in_stats HOLD_EXPIRED)))
}

# end NAME FIRST WORD...: of 20 packets six find a number.
end() {
	local name=$1 first=$2 before
	shift 2
	check_here "$name: an SA six numbers before its end" pair "seq=$first" "$@"
	before=$(unsent)
	capture "$a" eth0 "$NET_TMP/wire" esp
	receiver "$b" $INNER_B 9000 20
	sender "$a" $INNER_B 9000 20 500
	ktap_check "$name: a hard event" busywait "$(slowly 3000)" told_is true 1
	ktap_equal "$name: fourteen packets were not sent" "$(($(unsent) - before))" 14
	capture_stop
	ktap_equal "$name: six were, with the last six numbers" "$(numbers_on_wire | tr '\n' ' ')" \
		"$LAST_SIX"
	pair "$@"
	# Of those that wait for the next SA some may have been waiting for too long.
	ktap_at_least "$name: six arrived, and those that waited for a new SA" "$(received)" 6
	ktap_equal "$name: with a new SA traffic goes on" "$(arrive 10)" 10
}

# One super-packet of 20 datagrams, and a datagram after it.
one_train() {
	ns "$a" python3 - $INNER_B <<-'EOP'
		import socket, sys
		UDP_SEGMENT = 103		# linux/udp.h
		udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
		udp.connect((sys.argv[1], 9000))
		udp.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, 1000)
		udp.send(bytes(20 * 1000))
		udp.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, 0)
		udp.send(bytes(1000))
	EOP
}

LAST_SIX="seq=0xfffffffa seq=0xfffffffb seq=0xfffffffc seq=0xfffffffd seq=0xfffffffe seq=0xffffffff "

# train_at_end NAME FIRST WORD...: a train for which six numbers are too few. As many packets as there are
# numbers may go, or none; none with a number that there is not, or that another has had.
train_at_end() {
	local name=$1 first=$2 before numbers sent
	shift 2
	check_here "$name: an SA six numbers before its end" pair "seq=$first" "$@"
	before=$(unsent)
	capture "$a" eth0 "$NET_TMP/wire" esp
	one_train
	ktap_check "$name: a train of twenty, a hard event" busywait "$(slowly 3000)" told_is true 1
	capture_stop
	numbers=$(numbers_on_wire | tr '\n' ' ') sent=$(numbers_on_wire | wc -l)
	ktap_print_msg "$sent of the train were sent: $numbers"
	ktap_equal "$name: numbers on the wire are of the last six, each once" "${LAST_SIX:0:${#numbers}}" "$numbers"
	ktap_equal "$name: all others were not sent" $(($(unsent) - before + sent)) 21
}

ktap_print_header
two_hosts
worker "$a"
worker "$b"
ktap_set_plan $((4 + 8 + 2 * 5 + 2 * 6 + 2 * 4))
across
window
inner_route "$a" a
events "$a"
soft "32-bit" $((7 * (1 << 29) - 4))
# 7 * 2^61 - 4
soft "ESN" 0xdffffffffffffffc esn=1
end "32-bit" 0xfffffff9
# 2^64 - 2^32 - 1 is the last that this module sends.
end "ESN" 0xfffffffefffffff9 esn=1
train_at_end "32-bit, a train" 0xfffffff9
train_at_end "ESN, a train" 0xfffffffefffffff9 esn=1
ktap_finished
