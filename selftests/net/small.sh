#!/bin/bash
# SPDX-License-Identifier: MIT
# Little room: sockets that hold hardly a packet, whose data come whole and in order nevertheless, and a device that
# segments nothing for us: no packet on the wire is longer than the path allows.
#
# All on one CPU, as in order.sh.
# Variables that lib.sh sets or reads.
# shellcheck disable=SC2034,SC2154
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib_order.sh"

KB=1024
TRAINS=30
LEAST=1		# the kernel makes its smallest buffer of it
ETHERNET=14
MTU=1500

# Both ends' devices with or without segmentation and checksums of their own.
offload() {
	local end
	for end in "$a" "$b"; do
		ns "$end" ethtool -K eth0 tx "$1" tso "$1" gso "$1" gro "$1" >/dev/null 2>&1 || return 1
		ns "$end" ethtool -K eth0 tx-udp-segmentation "$1" >/dev/null 2>&1 || true
	done
}

# With what two such sockets hold, one segment or two are under way.
tcp_small() { net_send "$a" "$b" $INNER_B $((64 * KB)) ",sndbuf=$LEAST,rcvbuf=$((4 * KB))"; }

not_too_long() {
	local all long
	capture "$a" eth0 "$NET_TMP/wire" || return 1
	numbered $TRAINS 0.005 $LEAST && net_send "$a" "$b" $INNER_B $((512 * KB)) || return 1
	capture_stop
	all=$(captured "$NET_TMP/wire" src $OUTER_A)
	long=$(captured "$NET_TMP/wire" greater $((ETHERNET + MTU + 1)))
	echo "$long of $all packets are too long"
	# More than the bytes that TCP alone sent fill.
	[ "$long" = 0 ] && [ "$all" -ge $((512 * KB / MTU)) ]
}

ktap_print_header
ktap_set_plan $((2 * (2 * 2 + 1)))
need_command ethtool taskset socat
taskset -pc 0 $$ >/dev/null
net_direct || exit 1
for UDP in 0 1; do
	tunnel_up || ktap_print_msg "no tunnel, UDP $UDP"
	for by in on off; do
		offload $by || ktap_print_msg "offload $by: features"
		ktap_check "UDP $UDP, offload $by, small sockets: numbered datagrams" numbered $TRAINS 0.005 $LEAST
		ktap_check "UDP $UDP, offload $by, small sockets: TCP" tcp_small
	done
	ktap_check "UDP $UDP: no packet is longer than the path allows" not_too_long
	clear_end "$a"
	clear_end "$b"
done
ktap_finished
