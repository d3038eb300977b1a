#!/bin/bash
# SPDX-License-Identifier: MIT
# One esplaned with hundreds of peers, an IKE SA and a CHILD_SA each: they come up, are listed, outlive a reload, are
# rekeyed all at about the same time, deleted when the daemon ends, and come again. bench/daemon does it with thousands.
. "$(dirname "$0")/../lib/ktap.sh"
. "$(dirname "$0")/../lib/net.sh"
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib_hub.sh"

COUNT=300
REKEY=$(slowly 45)
RAND=$(slowly 20)
LIFE="rekey_time = $REKEY
		rand_time = $RAND"

in_kernel() { ns "$b" espctl sa-list --json | jq length; }
changed() { diff "$1" "$2" | awk '/^[<>]/ { print $2 }' | sort -u; }

# All but c1 are what they were before; its child is another.
reloaded() {
	esplane b reload >/dev/null && busywait "$(slowly 10000)" both_have $COUNT
	hub_ids >"$NET_TMP/after"
}

conf_is() { hub_conf $COUNT "$LIFE" "$LIFE" "$1" >"$(daemon_dir b)/conf"; }

# Each has been rekeyed once at least, and what was replaced is gone.
herd_is_over() {
	peers count && read -r -a counts <<<"$peers_answer" || return 1
	[ "${counts[4]}" -ge $COUNT ] && [ "${counts[6]}" -ge $COUNT ] && [ "${counts[1]} ${counts[2]}" = "$COUNT $COUNT" ]
}

herd() {
	local before sas
	peers count
	read -r -a before <<<"$peers_answer"
	check_here "rekey_time: each is rekeyed" busywait $(((REKEY + RAND) * 1000)) herd_is_over
	ktap_print_msg "IKE SAs and CHILD_SAs now; down, rekeyed, busiest second, of both: ${counts[*]}"
	ktap_at_most "no second has more than a fifth of them" "${counts[5]}" $((COUNT / 5))
	ktap_check "none is lost, and none is there twice" busywait "$(slowly 20000)" both_have $COUNT
	ktap_equal "and none went down on the way" "${counts[3]}" "${before[3]}"
	# Rekeying goes on; those that were replaced in the last seconds still receive.
	sas=$(in_kernel)
	ktap_at_least "the kernel has two SAs for each" "$sas" $((2 * COUNT))
	ktap_at_most "and a few that will go" "$sas" $((2 * COUNT + COUNT / 2))
}

need_command esplane-load esplaned jq
ktap_print_header
ktap_set_plan 18
net_direct
peers_start $COUNT
check_here "a hub with $COUNT connections starts" hub_start $COUNT "$LIFE" "$LIFE"
check_here "all peers come up" peers_up
ktap_check "both ends have them all" both_have $COUNT
ktap_equal "status lists each" "$(esplane b status | grep -c 'child: net')" $COUNT
ktap_equal "swanctl too" "$(swan b --list-sas | grep -c 'INSTALLED')" $COUNT
hub_ids >"$NET_TMP/before"
reloaded
ktap_equal "reload: all stay as they are" "$(changed "$NET_TMP/before" "$NET_TMP/after")" ""
conf_is 10.0.0.0/17
reloaded
ktap_equal "reload: the one that is configured otherwise is made anew, no other" \
	"$(changed "$NET_TMP/before" "$NET_TMP/after")" c1
herd
check_here "SIGTERM ends it" esplaned_stop b
peers count
ktap_equal "no SA is left in the kernel" "$(in_kernel)" 0
ktap_equal "each peer has had its goodbye" "${peers_answer%% 0 0 *}" "count"
peers again
check_here "it starts again" hub_start $COUNT "$LIFE" "$LIFE"
peers_up
ktap_check "and all peers come again" both_have $COUNT
esplaned_stop b
ktap_finished
