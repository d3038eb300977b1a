#!/bin/bash
# SPDX-License-Identifier: MIT
# The policy database (RFC 4301 section 4.4.1 and 5): what is protected, let through and discarded, in
# which order; what must not come in unprotected; what happens when there is no SA yet; and how
# policies and SAs are bound to an interface.
#
#	a esplane 10.1.0.1 === ESP === 10.2.0.1 esplane b
# Variables that lib.sh sets or reads.
# shellcheck disable=SC2034,SC2154
. "$(dirname "$0")/lib.sh"

# How one echo to b travels: the word "esp" or "clear" for request and answer, or "nothing".
echo_travels() {
	local file=$NET_TMP/travel esp clear
	capture "$b" eth0 "$file" "esp or icmp"
	ns "$a" ping -n -c 1 -W "$(slowly 1)" $INNER_B >/dev/null && capture_stop || {
		capture_stop
		echo nothing
		return
	}
	esp=$(captured "$file" esp) clear=$(captured "$file" icmp)
	[ "$esp" = 0 ] || echo -n "esp$esp"
	[ "$clear" = 0 ] || echo -n "clear$clear"
	echo
}

datagrams() { sender "$1" "$2" "$3" "$4" 1000; }

inner_up() {
	esplane_end "$a" a && esplane_end "$b" b && inner_route "$a" a && inner_route "$b" b
}

priorities() {
	local bypass_a bypass_b discard
	ktap_equal "PROTECT: request and answer are ESP" "$(echo_travels)" esp2

	bypass_a=$(esp "$a" policy-set direction=out action=bypass priority=50 "selector=$NET_A,$NET_B,1")
	more "BYPASS at a alone: b drops the cleartext that its policy covers" "$b" POLICY_IN 1 \
		ns "$a" ping -n -c 1 -W 1 $INNER_B
	bypass_b=$(esp "$b" policy-set direction=in action=bypass priority=50 "selector=$NET_A,$NET_B,1")
	ktap_equal "BYPASS at both: the request is clear, the answer ESP" "$(echo_travels)" esp1clear1
	ktap_equal "what the BYPASS policy does not cover is still protected" \
		"$(receiver "$b" $INNER_B 9000 5 && datagrams "$a" $INNER_B 9000 5 && received)" 5
	ktap_equal "the policy counted the packets it decided on" "$(policy_get "$a" "$bypass_a" packets)" 2

	discard=$(esp "$a" policy-set direction=out action=discard priority=10 \
		"selector=$NET_A,$NET_B,17,0-65535,9000-9009")
	more "DISCARD: before PROTECT by priority" "$a" DISCARD 4 datagrams "$a" $INNER_B 9009 4
	more "DISCARD: not beyond its ports" "$a" DISCARD 0 datagrams "$a" $INNER_B 9010 4
	esp "$a" policy-del "id=$discard"
	ktap_equal "and when it is gone packets pass again" \
		"$(receiver "$b" $INNER_B 9009 5 && datagrams "$a" $INNER_B 9009 5 && received)" 5

	# The same priority: the older policy wins, which is PROTECT.
	esp "$a" policy-del "id=$bypass_a"
	discard=$(esp "$a" policy-set direction=out action=discard priority=100 "selector=$NET_A,$NET_B")
	ktap_equal "among equal priorities the older policy wins" "$(echo_travels)" esp2
	esp "$a" policy-set "id=$discard" direction=out action=discard priority=99 \
		"selector=$NET_A,$NET_B" >/dev/null
	ktap_equal "replaced by one of a better priority it wins" "$(echo_travels)" nothing
	esp "$a" policy-del "id=$discard"
	esp "$b" policy-del "id=$bypass_b"
	ktap_equal "back at the start" "$(echo_travels)" esp2
}

inbound_discard() {
	local discard
	discard=$(esp "$b" policy-set direction=in action=discard priority=10 \
		"selector=192.0.2.0/24,192.0.2.0/24,17,0-65535,9100-9100")
	more "inbound DISCARD" "$b" DISCARD 3 datagrams "$a" $OUTER_B 9100 3
	more "inbound DISCARD: not beyond its ports" "$b" DISCARD 0 datagrams "$a" $OUTER_B 9101 3
	esp "$b" policy-del "id=$discard"
}

unprotected() {
	esp "$a" policy-del "id=$POLICY_OUT_a"
	more "cleartext where b demands protection" "$b" POLICY_IN 3 \
		ns "$a" ping -n -c 3 -i 0.1 -W 1 $INNER_B
	POLICY_OUT_a=$(esp "$a" policy-set direction=out action=protect priority=100 \
		"selector=$NET_A,$NET_B" "sa_id=$SA_OUT_a")
}

# b's SA carries less than a's policy sends.
outside_selectors() {
	esp "$b" sa-del "id=$SA_IN_b"
	SA_IN_b=$(esp "$b" sa-add direction=in spi=$SPI_AB src=$OUTER_A dst=$OUTER_B "key=$KEY_AB" \
		"selector=$NET_A,$NET_B,1" "selector=$NET_A,$NET_B,17,0-65535,9000-9001")
	ktap_equal "inside the first selector" "$(echo_travels)" esp2
	ktap_equal "inside the second" \
		"$(receiver "$b" $INNER_B 9001 5 && datagrams "$a" $INNER_B 9001 5 && received)" 5
	more "a port outside both" "$b" SELECTOR 5 datagrams "$a" $INNER_B 9002 5
	ktap_equal "counted for the SA" "$(sa_get "$b" "$SA_IN_b" SELECTOR)" 5
}

acquire() {
	events "$a"
	esp "$a" policy-set "id=$POLICY_OUT_a" direction=out action=protect priority=100 \
		"selector=$NET_A,$NET_B" cookie=77 >/dev/null
	more "no SA: packets wait for one" "$a" held 10 ns "$a" ping -n -c 10 -i 0.02 -W 1 $INNER_B
	ktap_check "an acquire event comes" busywait "$(slowly 2000)" event_is '.event == "acquire"'
	# ICMP echo is type 8, code 0: in the source and destination port (RFC 4301 section 4.4.1.1).
	ktap_equal "with policy, cookie and the packet's flow" "$(jq -r 'select(.event == "acquire") |
		"\(.data.policy_id) \(.data.cookie) \(.data.selectors[0] | "\(.src_first)-\(.src_last) " +
		"\(.dst_first)-\(.dst_last) \(.protocol) \(.src_port_first) \(.dst_port_first)")"' \
		<"$EVENTS" | head -n 1)" \
		"$POLICY_OUT_a 77 $INNER_A-$INNER_A $INNER_B-$INNER_B 1 8 0"
	ktap_at_most "ten packets in a moment raise few events" "$(event_count '.event == "acquire"')" 3
	esp "$a" policy-set "id=$POLICY_OUT_a" direction=out action=protect priority=100 \
		"selector=$NET_A,$NET_B" "sa_id=$SA_OUT_a" >/dev/null
	ktap_equal "with the SA traffic flows" "$(echo_travels)" esp2
	esp "$a" sa-del "id=$SA_OUT_a"
	more "an SA removed leaves its policy without one" "$a" held 1 \
		ns "$a" ping -n -c 1 -W 1 $INNER_B
}

# Two tunnels between the same networks, told apart by their interfaces alone.
if_id_up() {
	local name=$1 end=$2 id=$3 spi_in=$4 spi_out=$5 local_outer remote_outer local_net remote_net sa
	local local_inner key_in key_out
	end_of "$end"
	# end_of names the tunnel's usual SPIs; here each interface has its own.
	spi_in=$4 spi_out=$5
	esp "$name" link-add ipsec$id if_id=$id && ip -n "$name" link set ipsec$id up &&
	esp "$name" sa-add direction=in spi=$spi_in src=$remote_outer dst=$local_outer key=$key_in \
		if_id=$id >/dev/null || return 1
	sa=$(esp "$name" sa-add direction=out spi=$spi_out src=$local_outer dst=$remote_outer \
		key=$key_out if_id=$id) &&
	esp "$name" policy-set direction=out action=protect priority=100 \
		"selector=0.0.0.0/0,0.0.0.0/0" if_id=$id "sa_id=$sa" >/dev/null
}

interfaces() {
	local id
	clear_end "$a"
	clear_end "$b"
	for id in 1 2; do
		if_id_up "$a" a $id 0x200$id 0x100$id && if_id_up "$b" b $id 0x100$id 0x200$id || return 1
	done
}

packets_of() { ip -n "$1" -j -s link show "$2" | jq ".[0].stats64.$3.packets"; }

binding() {
	ip -n "$a" route replace "$NET_B" dev ipsec1 src $INNER_A
	ip -n "$b" route replace "$NET_A" dev ipsec2 src $INNER_B
	ktap_check "route mode: echo out by one interface, answer by the other" net_ping "$a" $INNER_B
	ktap_equal "a sent by ipsec1 and received on ipsec2" \
		"$(packets_of "$a" ipsec1 tx) $(packets_of "$a" ipsec2 rx)" "3 3"
	ktap_equal "b received on ipsec1 and sent by ipsec2" \
		"$(packets_of "$b" ipsec1 rx) $(packets_of "$b" ipsec2 tx)" "3 3"
	bound_policies
	esp "$a" link-add ipsec3 if_id=3
	ip -n "$a" link set ipsec3 up
	ip -n "$a" route replace "$NET_B" dev ipsec3 src $INNER_A
	more "an interface without a policy" "$a" NO_POLICY 2 ns "$a" ping -n -c 2 -i 0.1 -W 1 $INNER_B
	ip -n "$a" route replace "$NET_B" dev ipsec1 src $INNER_A
	ip -n "$b" link set ipsec1 down
	more "what is for an interface that is down" "$b" DEV_DOWN 2 \
		ns "$a" ping -n -c 2 -i 0.1 -W 1 $INNER_B
	more "is not counted as delivered" "$b" in-packets 0 ns "$a" ping -n -c 1 -W 1 $INNER_B
	ktap_check_fails "a second interface of the same ID is refused" esp "$a" link-add ipsec4 if_id=3
}

# discards NAME NS COUNT PING-OPTION... -- WORD...: while there is this DISCARD policy.
discards() {
	local name=$1 end=$2 count=$3 options=() id
	shift 3
	while [ "$1" != -- ]; do options+=("$1"); shift; done
	id=$(esp "$end" policy-set action=discard "${@:2}")
	more "$name" "$end" DISCARD "$count" ns "$a" ping -n -c 1 -W 1 "${options[@]}" "${to:-$INNER_B}"
	esp "$end" policy-del "id=$id"
}

# A policy of an interface is asked about what that interface carries, and one of none about all else.
bound_policies() {
	local any=selector=0.0.0.0/0,0.0.0.0/0
	discards "outbound: by the packet's interface" "$a" 1 -- direction=out if_id=1 $any
	discards "outbound: not by another" "$a" 0 -- direction=out if_id=2 $any
	discards "outbound: not by none" "$a" 0 -- direction=out "selector=$NET_A,$NET_B"
	discards "inbound: by the packet's interface" "$b" 1 -- direction=in if_id=1 $any
	discards "inbound: not by another" "$b" 0 -- direction=in if_id=2 $any
	discards "inbound: not by none" "$b" 0 -- direction=in "selector=$NET_A,$NET_B"
	discards "by interface and mark" "$a" 1 -m 5 -- direction=out if_id=1 mark=5 $any
	discards "by interface, not another mark" "$a" 0 -m 6 -- direction=out if_id=1 mark=5 $any
	bound_policies_v6
}

bound_policies_v6() {
	local to=2001:db8:b::1 nets=selector=2001:db8:a::/64,2001:db8:b::/64
	ns "$a" sysctl -qw net.ipv6.conf.lan.disable_ipv6=0 net.ipv6.conf.ipsec1.disable_ipv6=0
	ip -n "$a" addr add 2001:db8:a::1/64 dev lan nodad
	ip -n "$a" route add 2001:db8:b::/64 dev ipsec1 src 2001:db8:a::1
	discards "IPv6: by the packet's interface" "$a" 1 -- direction=out if_id=1 $nets
	discards "IPv6: not by another" "$a" 0 -- direction=out if_id=2 $nets
	ns "$a" sysctl -qw net.ipv6.conf.lan.disable_ipv6=1 net.ipv6.conf.ipsec1.disable_ipv6=1
}

# The only way to the peer leads into the tunnel itself.
loop() {
	ip -n "$a" route replace $OUTER_B dev ipsec1
	more "a tunnel that would carry itself" "$a" ROUTE_LOOP 1 ns "$a" ping -n -c 1 -W 1 $INNER_B
	ip -n "$a" route del $OUTER_B dev ipsec1
}

ktap_print_header
two_hosts
worker "$a"
worker "$b"
ktap_set_plan $((1 + 11 + 2 + 1 + 4 + 6 + 1 + 7 + 8 + 2 + 1))
check_here "a tunnel in policy mode" inner_up
priorities
inbound_discard
unprotected
outside_selectors
acquire
check_here "two interfaces" interfaces
binding
loop
ktap_finished
