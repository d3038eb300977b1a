#!/bin/bash
# SPDX-License-Identifier: MIT
# Netlink requests at random, by the spec and against it, for interfaces too, as root and from a user
# namespace that nobody in particular has made; packets meet whatever policies there are meanwhile. That the
# kernel says nothing of it and loses no memory is for its checkers to see; here, that the module works afterwards.
#
#	FUZZ_SECONDS	how long in all, half as root (60 on the debug kernel, 12 elsewhere, by night 600)
#	FUZZ_SEED	an earlier run's; its requests come again
#
#	c: the requests and some traffic; beside it, undisturbed:
#	a esplane 10.1.0.1 === ESP === 10.2.0.1 esplane b
# Variables that lib.sh sets or reads.
# shellcheck disable=SC2034,SC2154
. "$(dirname "$0")/lib.sh"

SECONDS_IN_ALL=${FUZZ_SECONDS:-$(slowly 12)}
SEED=${FUZZ_SEED:-$((RANDOM << 15 | RANDOM))}
FUZZ=$NET_DIR/netlink_fuzz.py

nobody() { setpriv --reuid 65534 --regid 65534 --clear-groups "$@"; }

traffic() {
	ip -n "$c" link set lo up && ip -n "$c" link add eth0 type dummy && ip -n "$c" addr add 192.0.2.1/24 dev eth0 &&
	ip -n "$c" link set eth0 up || return 1
	nsenter --net="/run/netns/$c" ping -q -n -i 0.02 127.0.0.1 >/dev/null 2>&1 &
	at_exit kill $!
	nsenter --net="/run/netns/$c" ping -q -n -i 0.02 192.0.2.9 >/dev/null 2>&1 &
	at_exit kill $!
}

# fuzzed NAME SEED COMMAND...: it must end by itself, and be granted something of both kinds.
fuzzed() {
	local said granted links
	said=$("${@:3}" python3 "$FUZZ" $((SECONDS_IN_ALL / 2)) "$2" 2>&1) || said="failed: $said"
	ktap_print_msg "$1, seed $2: $said"
	granted=${said#* sent, }
	links=${said#*of interfaces *, }
	ktap_at_least "$1: all ends well, and something was granted" "${granted%% *}" 20
	ktap_at_least "$1: and of interfaces" "${links%% *}" 1
}

works() {
	UDP=1 esplane_end "$c" a && [ "$(counter "$c" sas) $(counter "$c" policies)" = "2 2" ] &&
	[ "$(esp "$c" sa-list get=id | wc -l)" = 2 ]
}

ktap_print_header
two_hosts
ns_add c
ktap_set_plan 8
check_here "a tunnel that is not meant" eval 'esplane_end "$a" a && esplane_end "$b" b &&
	inner_route "$a" a && inner_route "$b" b && net_ping "$a" $INNER_B'
check_here "traffic where the requests are" traffic
fuzzed root "$SEED" nsenter --net="/run/netns/$c"
fuzzed "a user namespace" $((SEED + 1)) nobody unshare -Urn
esp "$c" encap-del port=$ENCAP_PORT 2>/dev/null
check_here "SAs and policies can be made as before" works
ktap_check "the tunnel that was not meant still works" net_ping "$a" $INNER_B
ktap_finished
