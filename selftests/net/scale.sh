#!/bin/bash
# SPDX-License-Identifier: MIT
# Many of everything: 100,000 SAs and 10,000 policies are dumped whole and without doubles;
# 50,000 of the SAs expire together and neither stop the data path nor are forgotten: a listener that
# cannot keep up is told so, and what is left to dump is the truth. And limits of seconds of use.
#
# How long the dumps take, from espctl's start to its end, is printed and no result: it depends on what
# else the machine does. The debug kernel has a tenth of all that, and a listener with little room.
#
#	a esplane 10.1.0.1 === ESP === 10.2.0.1 esplane b
# Variables that lib.sh sets or reads.
# shellcheck disable=SC2034,SC2154
. "$(dirname "$0")/lib.sh"

tenth=$(($(slowly 1) > 1 ? 10 : 1))
KEPT=$((50000 / tenth))
EXPIRING=$((50000 / tenth))
POLICIES=$((10000 / tenth))
NEEDED_MB=$((700 / tenth))
listener=()
[ $tenth = 1 ] || listener=(--small)

# many_sas COUNT SPI WORD...
many_sas() {
	esp "$a" sa-add --count "$1" direction=in "spi=$2" src=$OUTER_B dst=$OUTER_A "key=$KEY_BA" \
		if_id=99 "${@:3}" >/dev/null
}

available_mb() { awk '/^MemAvailable:/ { print int($2 / 1024) }' /proc/meminfo; }

milliseconds() {
	local start
	start=$(date +%s%3N)
	"$@" || return 1
	took=$(($(date +%s%3N) - start))
}

dump() { esp "$a" "$1-list" get=id >"$NET_TMP/ids"; }
ids() { wc -l <"$NET_TMP/ids"; }
different_ids() { sort -u "$NET_TMP/ids" | wc -l; }

# dumped KIND COUNT
dumped() {
	milliseconds dump "$1" || { ktap_print_msg "the dump failed"; took=-1; }
	ktap_print_msg "$2 of $1-list: dumped in $took ms"
	ktap_equal "$1-list: whole and without doubles" "$(ids) $(different_ids)" "$2 $2"
}

# Two of each have come with the tunnel.
made() {
	local before after
	before=$(available_mb)
	check_here "$KEPT SAs are made" milliseconds many_sas $((KEPT - 2)) 0x100000
	made_ms=$took
	after=$(available_mb)
	ktap_print_msg "made in $took ms; an SA takes $(((before - after) * 1024 / KEPT)) KiB"
	check_here "$POLICIES policies are made" milliseconds esp "$a" policy-set \
		--count $((POLICIES - 2)) direction=out action=discard priority=200 \
		selector=10.66.0.0/32,10.77.0.0/32
	ktap_print_msg "made in $took ms"
	# Time to make them all, even if that takes longer than the ones before, and to dump them.
	life=$((made_ms * 3 / 2000 + $(slowly 12)))
	started=$SECONDS
	check_here "$EXPIRING SAs that will end together" milliseconds many_sas $EXPIRING 0x200000 \
		hard_seconds=$life --together
	ktap_print_msg "made in $took ms, to end $life s after the first"
}

left() { [ "$(counter "$a" sas)" -le "$1" ]; }
overrun_told() { event_is '.event == "overrun"'; }

# All end in the same two seconds, while the listener sleeps.
storm() {
	local sent got id slowest
	kill -STOP "$EVENTS_PID"
	ns "$a" ping -n -i 0.1 -w $((started + life + 8 - SECONDS)) $INNER_B >"$NET_TMP/ping" &
	ktap_check "all end" busywait $(((life + 10 + $(slowly 20)) * 1000)) left $KEPT
	wait $!
	read -r sent got < <(sed -n 's/^\([0-9]*\) packets transmitted, \([0-9]*\) received.*/\1 \2/p' "$NET_TMP/ping")
	ktap_print_msg "$(tail -n 2 "$NET_TMP/ping" | tr '\n' ' ')"
	# The last may be on its way when ping ends.
	ktap_equal "the data path loses nothing meanwhile" "$((sent > 10)) $((sent - got <= 1))" "1 1"
	slowest=$(sed -n 's#^rtt min/avg/max/mdev = [0-9.]*/[0-9.]*/\([0-9]*\).*#\1#p' "$NET_TMP/ping")
	ktap_at_most "nor is it held up: milliseconds of the slowest ping" "${slowest:-none}" "$(slowly 1000)"
	kill -CONT "$EVENTS_PID"
	ktap_check "the listener is told that it lost events" busywait "$(slowly 10000)" overrun_told
	ktap_at_most "it lost events indeed" "$(event_count '.event == "sa-expire"')" $((EXPIRING - 1))
	ktap_equal "a dump then tells what there is" "$(esp "$a" sa-list get=id | sort -u | wc -l)" $KEPT
	id=$(esp "$a" sa-add direction=in spi=0x300000 src=$OUTER_B dst=$OUTER_A "key=$KEY_BA" if_id=99 \
		hard_seconds=1)
	ktap_check "and events come again" busywait "$(slowly 5000)" event_is ".data.sa_id == $id"
}

taken_away() {
	check_here "all are taken away" milliseconds esp "$a" flush
	ktap_print_msg "taken away in $took ms"
	ktap_equal "none is left" "$(counter "$a" sas) $(counter "$a" policies)" "0 0"
	kill "$EVENTS_PID"
	wait "$EVENTS_PID"
}

# A limit of seconds since the first packet does not pass while there is none.
use_time() {
	esp "$b" flush
	events "$a"
	esplane_end "$b" b
	esplane_end "$a" a soft_use_seconds=2 hard_use_seconds=5
	sleep 4
	ktap_equal "limits of use: no event before the first packet" "$(event_count true)" 0
	ktap_equal "before it an SA has not been used" "$(sa_get "$a" "$SA_OUT_a" idle)" 18446744073709551615
	ktap_check "limits of use: the first packet" ns "$a" ping -n -c 1 -W "$(slowly 2)" $INNER_B
	ktap_at_most "after it, it has been idle for no longer than that is ago" \
		"$(sa_get "$a" "$SA_OUT_a" idle)" "$(slowly 1)"
	ktap_check "limits of use: soft event of both SAs" busywait "$(slowly 5000)" both_told false
	ktap_check "limits of use: hard event of both SAs" busywait "$(slowly 6000)" both_told true
	ktap_equal "limits of use: the SAs are gone" "$(counter "$a" sas)" 0
	ktap_equal "limits of use: not early (seconds)" "$(jq -r "select(.event == \"sa-expire\" and
		.data.sa_id == $SA_OUT_a) | .data.cause" <"$EVENTS" | sort | uniq -c | awk '{ print $1, $2 }')" \
		"2 use-time"
}

both_told() {
	[ "$(event_count ".event == \"sa-expire\" and .data.cause == \"use-time\" and
		(.data.hard // false) == $1")" = 2 ]
}

ktap_print_header
[ "$(available_mb)" -ge $NEEDED_MB ] || ktap_skip_all "needs $NEEDED_MB MiB of memory"
two_hosts
ktap_set_plan $((1 + 3 + 2 + 1 + 7 + 2 + 8))
check_here "a tunnel" eval 'esplane_end "$a" a && esplane_end "$b" b && inner_route "$a" a &&
	inner_route "$b" b'
events "$a" "${listener[@]}"
made
dumped sa $((KEPT + EXPIRING))
dumped policy $POLICIES
ktap_check "the tunnel still works among them" net_ping "$a" $INNER_B
storm
taken_away
use_time
ktap_finished
