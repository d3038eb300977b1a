#!/bin/bash
# SPDX-License-Identifier: MIT
# Anti-replay (RFC 4303 section 3.4.3 and appendix A): packets made by esp.py arrive in a chosen order,
# again, too late, or altered. Each must be accepted or dropped for the reason that the RFC's
# arithmetic gives; and real traffic that is recorded and sent again must not be accepted twice.
#
#	a (esp.py) --- ESP ---> b esplane, inbound SA only
# Variables that lib.sh sets or reads.
# shellcheck disable=SC2034,SC2154
. "$(dirname "$0")/lib.sh"

# inbound [WORD...]: a fresh SA at b; sets SA_IN.
inbound() {
	esp "$b" flush
	SA_IN=$(esp "$b" sa-add direction=in spi=$SPI_AB src=$OUTER_A dst=$OUTER_B "key=$KEY_AB" \
		"selector=$NET_A,$NET_B" "$@")
	esn=
	[[ " $* " != *" esn=1 "* ]] || esn=--esn
	TALLY="0 0 0 0 0"
}

inject() {
	# shellcheck disable=SC2086
	ask "$a" esp send --key "$KEY_AB" --spi $SPI_AB \
		--from $OUTER_A --to $OUTER_B $esn "$@"
}

# The SA's own counters: accepted, REPLAY, REPLAY_WINDOW, AUTH, everything dropped.
tally() {
	local sa drops reason
	sa=$(esp "$b" sa-list "id=$SA_IN")
	[[ "$sa" =~ \ packets=([0-9]+) ]] && echo -n "${BASH_REMATCH[1]} " || echo -n "0 "
	drops=$([[ "$sa" =~ drops=(\{[^\}]*\}) ]] && echo "${BASH_REMATCH[1]}")
	for reason in REPLAY REPLAY_WINDOW AUTH; do
		[[ "$drops" =~ [\{,]$reason:([0-9]+) ]] && echo -n "${BASH_REMATCH[1]} " || echo -n "0 "
	done
	sum_of_map "$drops"
}

tally_is() {
	TALLY=$(tally)
	[ "$TALLY" = "$1" ]
}

# expect NAME "ACCEPTED REPLAY REPLAY_WINDOW AUTH" ITEM...: what these packets add to the counters.
expect() {
	local name=$1 want=$2 i old new=()
	shift 2
	read -ra old <<<"$TALLY"
	read -ra want <<<"$want"
	for i in 0 1 2 3; do new[i]=$((old[i] + want[i])); done
	new[4]=$((old[4] + want[1] + want[2] + want[3]))
	inject "$@" || { ktap_test_fail "$name" "cannot send"; return; }
	busywait "$(slowly 2000)" tally_is "${new[*]}"
	ktap_equal "$name (accepted, replay, left of window, auth, dropped)" "$TALLY" "${new[*]}"
}

# The edges of a window of W behind the highest number T: T - W + 1 is in, T - W is out.
window_edges() {
	local asked=$1 window=$2 top=10000
	inbound "replay_window=$asked" "${@:3}"
	expect "window $asked${3:+ $3}: first packet" "1 0 0 0" 1
	expect "window $asked${3:+ $3}: the same again" "0 1 0 0" 1
	expect "window $asked${3:+ $3}: a leap ahead, and again" "1 1 0 0" $top $top
	expect "window $asked${3:+ $3}: both edges" "2 0 0 0" $((top - 1)) $((top - window + 1))
	expect "window $asked${3:+ $3}: the edges again" "0 2 0 0" $((top - 1)) $((top - window + 1))
	[ -n "${3:-}" ] || expect "window $asked: left of the edge, and the first again" "0 0 2 0" \
		$((top - window)) 1
}

# With extended numbers what is left of the window reads as a number of the next 2^32 (appendix
# A2.2), for which the sender did not authenticate it.
esn_left_edge() {
	expect "window 64 esn=1: left of the edge is taken for a later number" "0 0 0 1" $((10000 - 64))
}

altered() {
	inbound replay_window=64
	expect "altered ICV" "1 0 0 1" 100 101:corrupt
	expect "altered ciphertext" "0 0 0 1" 102:corrupt=20
	expect "altered IV" "0 0 0 1" 103:corrupt=8
	expect "altered sequence number" "0 0 0 1" 5000:corrupt=7
	expect "none of them moved the window or was marked as seen" "4 0 0 0" 101 102 103 40
}

# 2^32 - 100 was the last; the numbers cross into the second subspace and the high half, which is not
# on the wire, must be found.
across_subspace() {
	local e=$((1 << 32))
	inbound replay_window=64 esn=1 seq=$((e - 100))
	expect "ESN: across 2^32" "20 0 0 0" $((e - 10))-$((e + 9))
	expect "ESN: numbers of both sides again" "0 2 0 0" $((e - 1)) $e
	# The window's left edge is e + 9 - 63 = e - 54.
	expect "ESN: old subspace, still in the window" "1 0 0 0" $((e - 54))
	expect "ESN: old subspace, left of the window" "0 0 0 1" $((e - 55))
	expect "ESN: right low half, wrong high half" "0 0 0 2" $((e + 10)):high=0 $((e + 10)):high=2
	expect "ESN: with the right one" "1 0 0 0" $((e + 10))
	expect "ESN: far ahead in the same subspace" "1 0 0 0" $((e + 2000000000))
	ktap_equal "ESN: the SA shows the highest number" "$(sa_get "$b" $SA_IN seq)" $((e + 2000000000))
}

# Without extended numbers 2^32 - 1 is the last one (RFC 4303 section 3.3.3): nothing comes after it.
end_of_numbers() {
	local last=$(((1 << 32) - 1))
	inbound replay_window=64 seq=$((last - 1))
	expect "32 bits: the last number" "1 0 0 0" $last
	expect "32 bits: it does not wrap" "0 0 2 0" 0 1
}

adopted_position() {
	inbound replay_window=64 seq=1000
	expect "starting at 1000: only what is higher" "2 3 1 0" 1001 1063 1000 1001 1000 999
}

no_check() {
	inbound flags=no-replay-check
	expect "without replay check: everything authentic" "4 0 0 1" 5000 5000 1 1 2:corrupt
}

# One super-packet: the third segment is the second again, the fifth is altered.
train() {
	local trains
	inbound "encap=$ENCAP_PORT:$ENCAP_PORT"
	esp "$b" encap-add port=$ENCAP_PORT >/dev/null
	trains=$(counter "$b" in-trains)
	expect "a train with a repeated and an altered packet" "8 1 0 1" \
		--udp $ENCAP_PORT:$ENCAP_PORT --train 1 2 2 4 5:corrupt 6-10
	ktap_equal "it came as one train" $(($(counter "$b" in-trains) - trains)) 1
	expect "the altered one is welcome when it comes right" "1 1 0 0" \
		--udp $ENCAP_PORT:$ENCAP_PORT --train 5 6
	esp "$b" encap-del port=$ENCAP_PORT
}

# Real traffic from xfrm, recorded on the wire at b and sent again from a.
recorded() {
	local recorder in_namespace
	esp "$b" flush
	UDP=0 ESN=0
	xfrm_end "$a" a && inner_route "$a" a && esplane_end "$b" b && inner_route "$b" b || return 1
	ns "$b" python3 "$NET_DIR/wire.py" record $OUTER_A "$NET_TMP/recording" 8 &
	recorder=$!
	busywait "$(slowly 5000)" test -e "$NET_TMP/recording" || return 1
	ns "$a" ping -n -c 8 -i 0.05 -W "$(slowly 2)" $INNER_B || return 1
	wait $recorder || return 1
	SA_IN=$SA_IN_b
	[ "$(tally)" = "8 0 0 0 0" ] || return 1
	in_namespace=$(counter "$b" REPLAY)
	ns "$a" python3 "$NET_DIR/wire.py" send "$NET_TMP/recording" || return 1
	busywait "$(slowly 2000)" tally_is "8 8 0 0 8" || { tally; return 1; }
	[ "$(counter "$b" REPLAY)" = $((in_namespace + 8)) ]
}

ktap_print_header
two_hosts
ktap_set_plan $((1 + 4 * 6 + 5 + 1 + 5 + 8 + 2 + 1 + 1 + 3 + 1))
worker "$a"
ktap_check "esp.py agrees with the published AES-GCM test case" ask "$a" esp selftest
for window in 64 1024 4096; do
	window_edges $window $window
done
# Rounded up to a multiple of 64.
window_edges 100 128
window_edges 64 64 esn=1
esn_left_edge
altered
across_subspace
end_of_numbers
adopted_position
no_check
train
ktap_check "recorded traffic sent again is dropped as replay" recorded
ktap_finished
