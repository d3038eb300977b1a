#!/bin/bash
# SPDX-License-Identifier: MIT
# SAs change under load and not one packet is lost: policy-set swaps the outbound SA in one step, the
# old inbound SA lives on until nothing uses it (RFC 7296 section 2.8), and sa-update moves a tunnel to
# another address or port while its sequence numbers go on.
#
#	a esplane === ESP === b esplane, numbered UDP packets each way
# Variables that lib.sh sets or reads.
# shellcheck disable=SC2034,SC2154
. "$(dirname "$0")/lib.sh"

SWAPS=20
declare -A sa_in sa_out old_in policy_out

# Rekeys one direction, in the order that two daemons would: first the receiver can receive, then the
# sender sends. The receiver's old SA stays for what is under way until the next time.
swap() {
	local n=$1 from=$2 to=$3 key spi in out
	local local_outer remote_outer local_net remote_net local_inner spi_out key_out spi_in key_in
	end_of $from
	key=$(make_key 256 "$n") spi=$((0x10000 + n))
	in=$(esp "${!to}" sa-add direction=in spi=$spi src=$local_outer dst=$remote_outer \
		"key=$key" "${words[@]}") &&
	out=$(esp "${!from}" sa-add direction=out spi=$spi src=$local_outer dst=$remote_outer \
		"key=$key" "${words[@]}") &&
	esp "${!from}" policy-set "id=${policy_out[$from]}" direction=out action=protect priority=100 \
		"selector=$local_net,$remote_net" "sa_id=$out" $policy_words >/dev/null &&
	esp "${!from}" sa-del "id=${sa_out[$from]}" || return 1
	[ -z "${old_in[$to]:-}" ] || esp "${!to}" sa-del "id=${old_in[$to]}" || return 1
	old_in[$to]=${sa_in[$to]} sa_in[$to]=$in sa_out[$from]=$out
}

# streams_run END N: the SA of the moment has sent so many packets, so the stream does go through it.
streams_run() { busywait "$(slowly 10000)" sent_at_least "$1" "$2"; }

sent_at_least() { [ "$(sa_get "${!1}" "${sa_out[$1]}" packets)" -ge "$2" ]; }

swaps() {
	local n
	for ((n = 1; n <= SWAPS; n += 2)); do
		swap $n a b && swap $((n + 1)) b a && streams_run a 2 && streams_run b 2 || return 1
	done
}

up() {
	esplane_end "$a" a && esplane_end "$b" b || return 1
	words=() policy_words=
	[ $UDP = 0 ] || words=("encap=$ENCAP_PORT:$ENCAP_PORT")
	if [ $MODE = route ]; then
		policy_words=if_id=$IF_ID
		words+=("$policy_words")
	else
		inner_route "$a" a && inner_route "$b" b || return 1
	fi
	sa_in=([a]=$SA_IN_a [b]=$SA_IN_b) sa_out=([a]=$SA_OUT_a [b]=$SA_OUT_b) old_in=()
	policy_out=([a]=$POLICY_OUT_a [b]=$POLICY_OUT_b)
}

under_load() {
	local name="MODE=$MODE UDP=$UDP"
	check_here "$name: tunnel" up
	streams_start
	check_here "$name: $SWAPS swaps while the streams run" swaps
	streams_stop
	ktap_equal "$name: packets lost each way" "$LOST" "0 0"
	# From a the odd numbers went out; the last two even ones came in.
	ktap_equal "$name: only the last SAs are left" \
		"$(esp "$a" sa-list get=spi | sort | tr '\n' ' ')" \
		"$(printf '0x%08x ' $((0x10000 + SWAPS - 2)) $((0x10000 + SWAPS - 1)) $((0x10000 + SWAPS)))"
	ktap_equal "$name: nothing was dropped" "$(drops "$a") $(drops "$b")" "0 0"
}

# b gets a second address and both ends move to it, one end after the other.
moves() {
	local seq
	ip -n "$b" addr add 192.0.2.22/24 dev eth0
	seq=$(sa_get "$a" "${sa_out[a]}" seq)
	esp "$a" sa-update "id=${sa_out[a]}" dst=192.0.2.22 &&
	esp "$b" sa-update "id=${sa_out[b]}" src=192.0.2.22 &&
	esp "$b" sa-update "id=${sa_in[b]}" dst=192.0.2.22 &&
	esp "$a" sa-update "id=${sa_in[a]}" src=192.0.2.22 || return 1
	# The sequence numbers went on from there: each packet has one.
	streams_run a $((seq + 20)) && [ "$(sa_get "$a" "${sa_out[a]}" seq)" -ge $((seq + 20)) ]
}

# b may still ask for a's hardware address in the name of its first one.
moved_on_wire() {
	capture "$a" eth0 "$NET_TMP/moved"
	ns "$a" ping -n -c 2 -i 0.1 $INNER_B >/dev/null
	capture_stop
	[ "$(captured "$NET_TMP/moved" "udp and src $OUTER_A and dst 192.0.2.22")" = 2 ] &&
	[ "$(captured "$NET_TMP/moved" "udp and src 192.0.2.22 and dst $OUTER_A")" = 2 ] &&
	[ "$(captured "$NET_TMP/moved" "ip host $OUTER_B")" = 0 ]
}

# As after a NAT rebinding: a's packets go to another port of b's, registered as well.
ports_on_wire() {
	esp "$b" encap-add port=4501 >/dev/null &&
	esp "$a" sa-update "id=${sa_out[a]}" encap=$ENCAP_PORT:4501 || return 1
	capture "$a" eth0 "$NET_TMP/ports"
	ns "$a" ping -n -c 2 -i 0.1 $INNER_B >/dev/null || return 1
	capture_stop
	[ "$(captured "$NET_TMP/ports" "src $OUTER_A and udp src port $ENCAP_PORT and udp dst port 4501")" = 2 ]
}

ktap_print_header
two_hosts
ktap_set_plan $((2 * 5 + 4))
UDP=0 MODE=policy under_load
clear_end "$a"
clear_end "$b"
UDP=1 MODE=route under_load
streams_start
ktap_check "sa-update moves a running tunnel to another address" moves
streams_stop
ktap_equal "packets lost each way" "$LOST" "0 0"
ktap_check "the wire shows the new address alone" moved_on_wire
ktap_check "sa-update of ports" ports_on_wire
ktap_finished
