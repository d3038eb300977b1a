#!/bin/bash
# SPDX-License-Identifier: MIT
# What a gateway forwards packet by packet and together leaves in trains: whole, in order whatever the lengths, and on
# the wire no longer than the path allows.
#
# All on one CPU, as in order.sh.
# Variables that lib.sh sets or reads.
# shellcheck disable=SC2034,SC2154
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib_order.sh"

KB=1024
TRAINS=60
AVERAGE=4	# packets a train at least; order.py sends 23
ETHERNET=14
MTU=1500

# The cable between h and its gateway carries no super-packets, and none is made of what came over it.
packet_by_packet() {
	ns "$h" ethtool -K eth0 tso off gso off >/dev/null &&
	{ ns "$h" ethtool -K eth0 tx-udp-segmentation off >/dev/null 2>&1 || true; } &&
	ns "$a" ethtool -K eth1 gro off >/dev/null
}

# behind COMMAND...: of lib_order.sh, the sender is the host behind the gateway.
behind() {
	local a=$h
	"$@"
}

in_trains() {
	local packets trains
	packets=$(counter "$a" out-packets) trains=$(counter "$a" out-trains)
	behind numbered $TRAINS 0.005 || return 1
	packets=$(($(counter "$a" out-packets) - packets))
	trains=$(($(counter "$a" out-trains) - trains))
	echo "$packets packets in $trains trains"
	[ $packets -ge $((AVERAGE * trains)) ]
}

# Its device segments nothing for the gateway, nor computes checksums.
without_offload() {
	ns "$a" ethtool -K eth0 tx off tso off gso off >/dev/null 2>&1 &&
	{ ns "$a" ethtool -K eth0 tx-udp-segmentation off >/dev/null 2>&1 || true; }
}

not_too_long() {
	local all long
	capture "$a" eth0 "$NET_TMP/wire" || return 1
	behind numbered $TRAINS 0.005 || return 1
	capture_stop
	all=$(captured "$NET_TMP/wire" src $OUTER_A)
	long=$(captured "$NET_TMP/wire" greater $((ETHERNET + MTU + 1)))
	echo "$long of $all packets are too long"
	[ "$long" = 0 ] && [ "$all" -gt $TRAINS ]
}

ktap_print_header
ktap_set_plan 6
need_command ethtool taskset nstat
taskset -pc 0 $$ >/dev/null
net_direct || exit 1
host_behind && packet_by_packet || ktap_print_msg "no host behind the gateway"
UDP=1
tunnel_up || ktap_print_msg "no tunnel"
ktap_check "numbered datagrams leave in trains" in_trains
ktap_check "TCP" behind tcp_in_order $((512 * KB))
without_offload || ktap_print_msg "offload off: features"
ktap_check "without offload: no packet is longer than the path allows" not_too_long
ktap_check "without offload: TCP" behind tcp_in_order $((512 * KB))
clear_end "$a"
clear_end "$b"
UDP=0
tunnel_up || ktap_print_msg "no tunnel, native"
ktap_check "native: numbered datagrams" behind numbered $TRAINS 0.005
ktap_check "native: TCP" behind tcp_in_order $((512 * KB))
clear_end "$a"
clear_end "$b"
ktap_finished
