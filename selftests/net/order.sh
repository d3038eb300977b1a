#!/bin/bash
# SPDX-License-Identifier: MIT
# No reordering within a flow: trains of mixed sizes, of numbered datagrams and of TCP, arrive in the order
# they were sent in, native and in UDP, whoever computes checksums, and whether GRO joins packets or not. That this
# would be seen if it were not so, is tried first, on a path that swaps packets.
#
# All on one CPU: two of them may swap packets on a veth, which is not of our making.
# Variables that lib.sh sets or reads.
# shellcheck disable=SC2034,SC2154
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib_order.sh"

MB=$((1 << 20))
TRAINS=120

features() {
	local end
	for end in "$a" "$b"; do
		ns "$end" ethtool -K eth0 tx "$1" gro "$2" >/dev/null 2>&1 || return 1
	done
}

# A third of what a sends overtakes what it sent up to 10 ms before.
swapping() {
	local status=0
	ns "$a" tc qdisc add dev eth0 root netem delay 10ms reorder 33% limit 10000 || return 1
	"$@" || status=$?
	ns "$a" tc qdisc del dev eth0 root
	return $status
}

sees_late_datagrams() {
	local late
	swapping numbered $TRAINS 0.005 && return 1
	read -r _ _ late <"$NET_TMP/came"
	[ "${late:-0}" -gt 0 ]
}

sees_late_segments() {
	swapping tcp_in_order $((4 * MB)) && return 1
	[ "$reordered" -gt 0 ]
}

variant() {
	local name="UDP $UDP, checksum offload $1, GRO $2"
	features "$1" "$2" || ktap_print_msg "$name: features"
	ktap_check "$name: numbered datagrams" numbered $TRAINS 0.005
	ktap_check "$name: TCP" tcp_in_order $((4 * MB))
}

ktap_print_header
ktap_set_plan $((2 + 2 * 4 * 2))
need_command ethtool nstat taskset tc
taskset -pc 0 $$ >/dev/null
net_direct || exit 1
for UDP in 0 1; do
	tunnel_up || ktap_print_msg "no tunnel, UDP $UDP"
	[ $UDP = 1 ] || {
		ktap_check "a path that swaps packets: late datagrams are seen" sees_late_datagrams
		ktap_check "a path that swaps packets: late segments are seen" sees_late_segments
	}
	variant on off
	variant on on
	variant off off
	variant off on
	clear_end "$a"
	clear_end "$b"
done
ktap_finished
