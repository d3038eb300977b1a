#!/bin/bash
# SPDX-License-Identifier: MIT
# Lifetimes of an SA (RFC 4301 section 4.4.2.1): soft limits tell, hard limits end it, each exactly once
# and with the right fields, in packets, bytes, seconds and sequence numbers, outbound and inbound.
#
#	a esplane === ESP ===> b esplane: one datagram is one packet of 20 + 8 + 100 = 128 inner bytes
# Variables that lib.sh sets or reads.
# shellcheck disable=SC2034,SC2154
. "$(dirname "$0")/lib.sh"

INNER_BYTES=128
sent_spi=0x1000

# outbound WORD...: a fresh pair of SAs from a to b, with these words for a's, and a fresh policy: what the
# last one still holds, waiting for an SA, is not for this one.
outbound() {
	[ -z "$POLICY" ] || esp "$a" policy-del "id=$POLICY"
	sent_spi=$(printf '0x%08x' $((sent_spi + 1)))
	SA_IN=$(esp "$b" sa-add direction=in "spi=$sent_spi" src=$OUTER_A dst=$OUTER_B "key=$KEY_AB" \
		"${inbound_words[@]}")
	SA=$(esp "$a" sa-add direction=out "spi=$sent_spi" src=$OUTER_A dst=$OUTER_B "key=$KEY_AB" \
		cookie=$((sent_spi + 5)) "$@")
	POLICY=$(esp "$a" policy-set direction=out action=protect "selector=$NET_A,$NET_B" "sa_id=$SA")
	inbound_words=()
}
inbound_words=()
POLICY=

# How many of N datagrams arrive.
arrive() { receiver "$b" $INNER_B 9000 "${2:-$1}" && sender "$a" $INNER_B 9000 "$1" 500 100 && received; }

# Soft and hard events of the SA now under test, as "id spi direction cookie cause bytes packets".
told() {
	jq -r "select(.event == \"sa-expire\" and .data.sa_id == ${3:-$SA} and
		(.data.hard // false) == $1) | .data | \"\(.sa_id) \(.spi) \(.direction) \(.cookie) \(.cause)\" +
		\"${2:+ }$2\"" <"$EVENTS"
}

soft_came() { [ -n "$(told false "" "$1")" ]; }
hard_came() { [ -n "$(told true "" "$1")" ]; }
gone() { ! esp "$a" sa-list "id=$SA" >/dev/null 2>&1; }
name_of() { echo "$SA $sent_spi out $((sent_spi + 5))"; }

COUNTS='\(.bytes) \(.packets)'

packets() {
	outbound soft_packets=4 hard_packets=8
	ktap_equal "packets: below the soft limit" "$(arrive 3)" 3
	ktap_equal "packets: no event yet" "$(told false)$(told true)" ""
	ktap_equal "packets: the fourth arrives" "$(arrive 1)" 1
	busywait "$(slowly 2000)" soft_came
	ktap_equal "packets: soft event" "$(told false "$COUNTS")" "$(name_of) packets $((4 * INNER_BYTES)) 4"
	ktap_equal "packets: of ten more, the hard limit lets four through" "$(arrive 10 10)" 4
	busywait "$(slowly 2000)" hard_came
	ktap_equal "packets: hard event" "$(told true "$COUNTS")" "$(name_of) packets $((8 * INNER_BYTES)) 8"
	ktap_check "packets: the SA is removed" busywait "$(slowly 2000)" gone
	ktap_equal "packets: one soft and one hard event" \
		"$(told false | wc -l) $(told true | wc -l)" "1 1"
}

bytes() {
	# The third packet crosses 300: 384. The sixth crosses 700: 768.
	outbound soft_bytes=300 hard_bytes=700
	ktap_equal "bytes: of ten packets six arrive" "$(arrive 10 10)" 6
	busywait "$(slowly 2000)" hard_came
	ktap_equal "bytes: soft event" "$(told false "$COUNTS")" "$(name_of) bytes $((3 * INNER_BYTES)) 3"
	ktap_equal "bytes: hard event" "$(told true "$COUNTS")" "$(name_of) bytes $((6 * INNER_BYTES)) 6"
	ktap_check "bytes: the SA is removed" busywait "$(slowly 2000)" gone
}

# When the last event came, in milliseconds: polling is not that precise.
last_event() { date -r "$EVENTS" +%s%3N; }

seconds() {
	local start soft hard
	start=$(date +%s%3N)
	outbound soft_seconds=2 hard_seconds=8
	busywait "$(slowly 4000)" soft_came
	soft=$(($(last_event) - start))
	ktap_equal "seconds: soft event without traffic" "$(told false "$COUNTS")" "$(name_of) time 0 0"
	ktap_equal "seconds: the SA goes on" "$(arrive 2)" 2
	busywait "$(slowly 12000)" hard_came
	hard=$(($(last_event) - start))
	ktap_equal "seconds: hard event" "$(told true "$COUNTS")" "$(name_of) time $((2 * INNER_BYTES)) 2"
	ktap_at_least "seconds: soft not early (ms)" $soft 2000
	ktap_at_least "seconds: hard not early (ms)" $hard 8000
	ktap_at_most "seconds: hard not late (ms)" $hard $((8000 + $(slowly 3000)))
	ktap_check "seconds: the SA is removed" busywait "$(slowly 2000)" gone
}

# 32-bit numbers end at 2^32 - 1 and must not wrap (RFC 4303 section 3.3.3).
sequence() {
	local last=$(((1 << 32) - 1)) exhausted
	inbound_words=("seq=$((last - 6))")
	outbound "seq=$((last - 6))"
	exhausted=$(counter "$a" SEQ_EXHAUSTED)
	ktap_equal "sequence: the last six numbers arrive, no more" "$(arrive 10 10)" 6
	busywait "$(slowly 2000)" hard_came
	ktap_equal "sequence: soft event" "$(told false)" "$(name_of) sequence"
	ktap_equal "sequence: hard event" "$(told true)" "$(name_of) sequence"
	ktap_at_least "sequence: drops are counted" $(($(counter "$a" SEQ_EXHAUSTED) - exhausted)) 1
	ktap_equal "sequence: b saw the last number" "$(sa_get "$b" "$SA_IN" seq)" $last
}

# With extended numbers 2^32 is nothing special.
sequence_extended() {
	inbound_words=(esn=1 "seq=$(((1 << 32) - 6))")
	outbound esn=1 "seq=$(((1 << 32) - 6))"
	ktap_equal "ESN: across 2^32" "$(arrive 10)" 10
	ktap_equal "ESN: no event" "$(told false)$(told true)" ""
	ktap_equal "ESN: number reached" "$(sa_get "$a" "$SA" seq)" $(((1 << 32) + 4))
}

inbound() {
	events "$b"
	inbound_words=(soft_packets=2 hard_packets=5 cookie=99)
	outbound
	ktap_equal "inbound: five packets arrive, no more" "$(arrive 10 10)" 5
	busywait "$(slowly 2000)" hard_came "$SA_IN"
	ktap_equal "inbound: soft event" "$(told false "$COUNTS" "$SA_IN")" \
		"$SA_IN $sent_spi in 99 packets $((2 * INNER_BYTES)) 2"
	ktap_equal "inbound: hard event" "$(told true "$COUNTS" "$SA_IN")" \
		"$SA_IN $sent_spi in 99 packets $((5 * INNER_BYTES)) 5"
}

# Deleting an SA by request is no expiry.
deleted() {
	outbound soft_seconds=3 hard_seconds=4
	esp "$a" sa-del "id=$SA"
	sleep 4.5
	ktap_equal "an SA that was deleted expires no more" "$(told false)$(told true)" ""
}

# temporary SECONDS COOKIE [WORD...]: a policy that ends by itself.
temporary() {
	esp "$a" policy-set direction=out action=discard "hard_seconds=$1" "cookie=$2" \
		selector=10.1.0.0/24,10.99.0.0/24 "${@:3}"
}
no_policy() { ! esp "$a" policy-list "id=$1"; }
policy_told() { event_is ".event == \"policy-expire\" and .data.policy_id == $1 and .data.cookie == $2"; }

# The later is made first: the worker must wait for the sooner, and then go on.
policies() {
	local later sooner stays
	later=$(temporary 4 51)
	sooner=$(temporary 1 52)
	stays=$(temporary 1 53)
	temporary 1000 53 "id=$stays" >/dev/null
	ktap_at_least "a policy with an end: seconds left" "$(policy_get "$a" "$stays" left_seconds)" 900
	ktap_check "the sooner ends first" busywait "$(slowly 3000)" no_policy "$sooner"
	ktap_check "and is told, with its cookie" busywait "$(slowly 1000)" policy_told "$sooner" 52
	ktap_check "the other ends too" busywait "$(slowly 6000)" no_policy "$later"
	ktap_check "and is told" busywait "$(slowly 1000)" policy_told "$later" 51
	ktap_at_least "one that was replaced has its new end" "$(policy_get "$a" "$stays" left_seconds)" 900
	esp "$a" policy-del "id=$stays"
	ktap_equal "none is told that did not end" "$(event_count '.event == "policy-expire"')" 2
}

ktap_print_header
two_hosts
worker "$a"
worker "$b"
ktap_set_plan $((8 + 4 + 7 + 5 + 3 + 1 + 3 + 7))
inner_route "$a" a
events "$a"
packets
bytes
seconds
sequence
sequence_extended
deleted
inbound
policies
ktap_finished
