#!/bin/bash
# SPDX-License-Identifier: MIT
# Devices other than veth, of which most other scripts are made: tap, where each packet leaves by itself; tap and virtio_net
# as between virtual machines, where trains pass whole or do not, as the device can. Over each a tunnel, native and in
# UDP, carries numbered datagrams and TCP in order, and no packet is longer than the path allows.
#
# All on one CPU, as in order.sh.
# Variables that lib.sh sets or reads.
# shellcheck disable=SC2034,SC2154
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib_order.sh"

KB=1024
TRAINS=60
MTU=1500
ETHERNET=14
KINDS="tap-plain tap-offload virtio"
RESULTS=8	# of a kind

# joined DEV DEV: they become eth0 of a and of b
joined() {
	OUTER_A=192.0.2.1 OUTER_B=192.0.2.2
	ip link set "$1" netns "$a" name eth0 && ip link set "$2" netns "$b" name eth0 &&
	ip -n "$a" -batch - <<-EOC && ip -n "$b" -batch - <<-EOC && net_inner
	link set eth0 txqueuelen 10000 up
	addr add $OUTER_A/24 dev eth0
	EOC
	link set eth0 txqueuelen 10000 up
	addr add $OUTER_B/24 dev eth0
	EOC
}

made_tap() {
	local ready fd
	modprobe -q tun
	exec {fd}<> <(:)	# a pipe
	python3 "$NET_DIR/taps.py" "$1" wire0-$$ wire1-$$ >&$fd &
	taps=$!
	at_exit kill $taps
	read -r -t "$(slowly 10)" ready <&$fd
	exec {fd}<&-
	[ "$ready" = ready ] && joined wire0-$$ wire1-$$
}

made_virtio() {
	local file cards=()
	modprobe -q virtio_net
	for file in /sys/class/net/*/device/driver; do
		[[ "$(readlink -f "$file")" != */virtio_net ]] || cards+=("$(basename "${file%/device/driver}")")
	done
	[ ${#cards[@]} -ge 2 ] && at_exit cards_back && joined "${cards[@]:0:2}"
}

# With its namespace a card goes back to where it came from: not as another eth0, of which there it may be in the way.
cards_back() {
	local end
	for end in "$a" "$b"; do
		ip -n "$end" link set eth0 down && ip -n "$end" link set eth0 name "card-${end%%-*}"
	done 2>/dev/null
}

has_virtio() { grep -qs 0x0001 /sys/bus/virtio/devices/*/device; }

device_made() {
	ns_add a b || return 1
	case $1 in
	tap-*) made_tap "${1#tap-}" ;;
	virtio) made_virtio ;;
	esac
}

device_gone() {
	[ "$1" != virtio ] || cards_back
	ns_del "$a"
	ns_del "$b"
	[ -z "${taps:-}" ] || { kill "$taps"; wait "$taps"; } 2>/dev/null
	taps=
}

# What b's device brings in: where trains pass whole they are longer, and no packet.
not_too_long() {
	local all long
	capture "$b" eth0 "$NET_TMP/wire" || return 1
	net_send "$a" "$b" $INNER_B $((512 * KB)) || return 1
	capture_stop
	all=$(captured "$NET_TMP/wire" src $OUTER_A)
	long=$(captured "$NET_TMP/wire" greater $((ETHERNET + MTU + 1)))
	echo "$long of $all packets are too long"
	[ "$long" = 0 ] && [ "$all" -ge $((512 * KB / MTU)) ]
}

rows() {
	local kind=$1 fault=0
	device_made "$kind" || fault=1
	ktap_equal "$kind: two devices" $fault 0
	for UDP in 0 1; do
		tunnel_up || ktap_print_msg "no tunnel, UDP $UDP"
		ktap_check "$kind, UDP $UDP: ping" net_ping "$a" $INNER_B
		ktap_check "$kind, UDP $UDP: numbered datagrams" numbered $TRAINS 0.005
		ktap_check "$kind, UDP $UDP: TCP" tcp_in_order $((1024 * KB))
		clear_end "$a"
		clear_end "$b"
	done
	UDP=1
	tunnel_up
	if [ "$kind" = tap-offload ]; then
		ktap_check "$kind: TCP back" net_send "$b" "$a" $INNER_A $((1024 * KB))
	else
		ktap_check "$kind: no packet is longer than the path allows" not_too_long
	fi
	device_gone "$kind"
}

skipped() {
	local i
	for ((i = 0; i < RESULTS; i++)); do
		ktap_test_skip "$1" "$2"
	done
}

ktap_print_header
ktap_set_plan $((3 * RESULTS))
need_command taskset socat tcpdump
taskset -pc 0 $$ >/dev/null
for kind in $KINDS; do
	if [ "$kind" = virtio ] && ! has_virtio; then
		skipped virtio "this guest has no such cards (vm/run --wire)"
	else
		rows "$kind"
	fi
done
ktap_finished
