#!/bin/bash
# SPDX-License-Identifier: MIT
# One tunnel on two CPUs: all that b receives comes in on one of them, the other decrypts along when it pays,
# if the module's parameter says so, and what is delivered keeps its order. Without it, with one CPU, or little
# to do, nothing is handed over. Nothing is
# lost while SAs are exchanged under load, and their end, that of an interface, of a namespace, of the module
# comes while trains are under way between CPUs.
#
#	a esplane === ESP === b esplane, packets of both for CPU 0
#
# Variables that lib.sh sets or reads.
# shellcheck disable=SC2034,SC2154
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib_order.sh"

MB=$((1 << 20))
TRAINS=150
SECOND_CPU=/sys/devices/system/cpu/cpu1/online
PARAMETER=/sys/module/esplane/parameters/parallel

# By whichever CPU packets are sent, CPU 0 receives them: veths do not swap them.
steer_to_first() {
	local end
	for end in "$a" "$b"; do
		# The debug kernel has no RPS; there the sender's CPU, which is the first, receives.
		ip netns exec "$end" sh -c 'cd /sys/class/net/eth0/queues/rx-0 && { [ ! -e rps_cpus ] || echo 1 >rps_cpus; }' ||
			return 1
	done
}

hosts() {
	two_hosts
	steer_to_first
}

tunnel_up() {
	new_keys
	esplane_end "$a" a && esplane_end "$b" b || return 1
	[ $MODE = route ] || { inner_route "$a" a && inner_route "$b" b; }
}

tunnel_down() {
	clear_end "$a"
	clear_end "$b"
}

elsewhere() { sa_get "$b" "$SA_IN_b" trains_elsewhere; }

# handed_over COMMAND...: and meanwhile the other CPU decrypts some trains.
handed_over() {
	local before after
	before=$(elsewhere)
	"$@" || return 1
	after=$(elsewhere)
	echo "trains decrypted by another CPU: $before before, $after after"
	[ "$after" -gt "$before" ]
}

# The same for TCP; in a kernel full of checks the cipher is the least of what it costs.
tcp_handed_over() { case $(uname -r) in *debug*) "$@" ;; *) handed_over "$@" ;; esac; }

# kept_here COMMAND...: and not one is handed over.
kept_here() {
	local before
	before=$(elsewhere)
	"$@" || return 1
	echo "trains decrypted by another CPU: $before before, $(elsewhere) after"
	[ "$(elsewhere)" = "$before" ]
}

with_one_cpu() {
	local status
	echo 0 >$SECOND_CPU || return 1
	"$@"
	status=$?
	echo 1 >$SECOND_CPU
	return $status
}

parallel() { [ ! -w $PARAMETER ] || echo "$1" >$PARAMETER; }

# Trains as fast as they can be made; ends by flood_stop or with its namespace.
flood() {
	nsenter --net="/run/netns/$b" socat -u UDP-RECV:9000 OPEN:/dev/null &
	flood_pids=($!)
	busywait "$(slowly 5000)" udp_listening "$b" 9000 || return 1
	nsenter --net="/run/netns/$a" python3 "$NET_DIR/order.py" send $INNER_B 9000 1000000 0 >/dev/null 2>&1 &
	flood_pids+=($!)
	at_exit kill "${flood_pids[@]}"
	busywait "$(slowly 10000)" more_elsewhere 0
}

flood_stop() {
	kill "${flood_pids[@]}" 2>/dev/null
	wait "${flood_pids[@]}" 2>/dev/null
	true
}

more_elsewhere() { [ "$(elsewhere)" -gt "$1" ]; }

# The next SA from a to b; the old one stays at b for what is under way.
swap() {
	local spi=$((0x10000 + $1)) key in out
	local words=("src=$OUTER_A" "dst=$OUTER_B" "encap=$ENCAP_PORT:$ENCAP_PORT")
	key=$(make_key 128 "$1")
	in=$(esp "$b" sa-add direction=in spi=$spi "key=$key" "${words[@]}") &&
	out=$(esp "$a" sa-add direction=out spi=$spi "key=$key" "${words[@]}") &&
	esp "$a" policy-set "id=$POLICY_OUT_a" direction=out action=protect priority=100 \
		"selector=$NET_A,$NET_B" "sa_id=$out" >/dev/null &&
	esp "$a" sa-del "id=$SA_OUT_a" || return 1
	SA_OUT_a=$out SA_IN_b=$in
}

# Each new SA gets its own lane, so each has to be busy for a while.
swaps_under_load() {
	local n
	flood || return 1
	for n in 1 2 3 4 5; do
		swap $n && busywait "$(slowly 10000)" more_elsewhere 0 || return 1
	done
	flood_stop
}

# What a sent, b received: nothing was dropped on the way, and nothing is left in a lane.
nothing_lost() {
	echo "drops at a $(drops "$a"), at b $(drops "$b"); sent $(counter "$a" out-packets)," \
		"received $(counter "$b" in-packets)"
	[ "$(drops "$a") $(drops "$b")" = "0 0" ] &&
	[ "$(counter "$a" out-packets)" = "$(counter "$b" in-packets)" ]
}

# Packets that come for it afterwards are dropped for want of an SA; what had come is delivered or dropped by name.
sa_deleted() {
	flood && esp "$b" sa-del "id=$SA_IN_b" || return 1
	busywait "$(slowly 5000)" no_sa_drops || return 1
	flood_stop
	busywait "$(slowly 5000)" accounted
}

no_sa_drops() { [ "$(counter "$b" NO_SA)" -gt 100 ]; }

accounted() {
	echo "sent $(counter "$a" out-packets), received $(counter "$b" in-packets), dropped $(drops "$b")"
	[ "$(counter "$a" out-packets)" = $(($(counter "$b" in-packets) + $(drops "$b"))) ]
}

interface_deleted() {
	flood && ip -n "$b" link del ipsec0 || return 1
	! ip -n "$b" link show ipsec0 && busywait "$(slowly 5000)" dev_down_drops || return 1
	flood_stop
	busywait "$(slowly 5000)" accounted
}

dev_down_drops() { [ "$(counter "$b" DEV_DOWN)" -gt 100 ]; }

namespace_exit() {
	flood && ns_del "$b" || return 1
	busywait "$(slowly 10000)" veth_gone
	flood_stop
	veth_gone
}

veth_gone() { ! ip -n "$a" link show eth0; }

unload() {
	flood && rmmod esplane || return 1
	flood_stop
	[ ! -d /sys/module/esplane ] && modprobe esplane
}

# again NAME: other namespaces, other counters.
again() {
	ns_del "$a"
	ns_del "$b"
	NET_SUFFIX=$$-$1
	hosts
}

kinds() {
	local name="UDP $UDP, $MODE mode"
	check_here "$name: tunnel" tunnel_up
	parallel N
	check_here "$name: two CPUs, but nobody asked for it" kept_here net_send "$a" "$b" $INNER_B $((2 * MB))
	parallel Y
	check_here "$name: one CPU decrypts all itself" with_one_cpu kept_here net_send "$a" "$b" $INNER_B $((2 * MB))
	check_here "$name: two CPUs, little to do" kept_here net_ping "$b" $INNER_A
	check_here "$name: two CPUs, TCP in order" tcp_handed_over tcp_in_order $((16 * MB))
	check_here "$name: two CPUs, numbered datagrams in order" handed_over numbered $TRAINS 0.002
	check_here "$name: one CPU again" with_one_cpu kept_here tcp_in_order $((2 * MB))
	check_here "$name: nothing lost" nothing_lost
	tunnel_down
}

ktap_print_header
need_command nstat taskset socat
[ -w $SECOND_CPU ] || ktap_skip_all "no second CPU to switch off"
ktap_set_plan $((2 * 8 + 6))
at_exit parallel N
taskset -pc 0 $$ >/dev/null
hosts || ktap_print_msg "packets are not steered to the first CPU"
UDP=1 MODE=policy kinds
again route
UDP=0 MODE=route kinds
again rekey
UDP=1 MODE=policy
tunnel_up
check_here "SAs are exchanged under load" swaps_under_load
check_here "and nothing is lost" nothing_lost
tunnel_down
again delete
tunnel_up
check_here "an SA is deleted under load" sa_deleted
tunnel_down
again interface
MODE=route
tunnel_up
check_here "an interface is deleted under load" interface_deleted
again namespace
tunnel_up
check_here "a namespace ends under load" namespace_exit
again module
tunnel_up
check_here "the module is unloaded under load, and loaded again" unload
ktap_finished
