#!/bin/bash
# SPDX-License-Identifier: MIT
# The SPD of a host whose networks are in a VRF. The VRF puts itself in the place of its members before any
# hook sees a packet: what was decrypted must still be known as such, or the policies that keep cleartext
# out would keep out everything.
#
#	c 10.1.1.2 ---- VRF "red" of a 10.1.0.1 ==== esplane ==== b 10.2.0.1
#	  fd01:1::2                    fd01::1                      fd02::1
# Variables that lib.sh sets or reads.
# shellcheck disable=SC2034,SC2154
. "$(dirname "$0")/lib.sh"

FAR=10.1.1.2 FAR6=fd01:1::2

networks() {
	net_direct && ns_add c && veth "$a" eth1 10.1.1.1/24 "$c" eth0 $FAR/24 &&
	NET_A=10.1.0.0/16 &&
	ns "$a" sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 \
		net.ipv6.conf.all.keep_addr_on_down=1 &&
	ip -n "$c" route add default via 10.1.1.1 &&
	ip -n "$a" -batch - <<-EOC && ip -n "$b" -batch - <<-EOD && ip -n "$c" -batch - <<-EOE
	addr add 2001:db8::1/64 dev eth0 nodad
	addr add fd01::1/64 dev lan nodad
	addr add fd01:1::1/64 dev eth1 nodad
	link add red type vrf table 77
	link set red up
	link set eth1 master red
	EOC
	addr add 2001:db8::2/64 dev eth0 nodad
	addr add fd02::1/64 dev lan nodad
	EOD
	addr add $FAR6/64 dev eth0 nodad
	route add default via fd01:1::1
	EOE
}

# What no policy covers goes nowhere, c's packets being covered, and what a itself says to c (how wide the
# tunnel is); and cleartext from b's network is what policies forbid.
strict() {
	esp "$a" - <<-EOC >/dev/null
	policy-set direction=in action=protect priority=1000 selector=$NET_B,$NET_A
	policy-set direction=in action=bypass priority=1000 selector=$NET_A,$NET_B
	policy-set direction=out action=bypass priority=1000 selector=$NET_A,$NET_A
	spd-set default_in=discard default_out=discard
	EOC
}

lax() { esp "$a" spd-set default_in=bypass default_out=bypass; }

# From and to the VRF's host, and what it forwards.
carries() {
	ns "$a" ping -n -c 2 -i 0.2 -W "$(slowly 2)" -I red $INNER_B && net_ping "$b" $INNER_A &&
	net_send "$b" "$c" $FAR $((256 << 10)) && net_send "$c" "$b" $INNER_B $((256 << 10))
}

by_interface() {
	MODE=route
	esplane_end "$a" a && esplane_end "$b" b && strict &&
	ip -n "$a" link set lan master red && ip -n "$a" link set ipsec0 master red &&
	ip -n "$a" route add $NET_B dev ipsec0 vrf red src $INNER_A && carries
}

forbidden() {
	esp "$a" policy-set direction=in action=discard priority=1 if_id=$IF_ID \
		"selector=$NET_B,$NET_A" >/dev/null
	! ns "$b" ping -n -c 3 -i 0.2 -W 1 "$1"
}

# The cable is the VRF's too, so the SA is told by what device its packets leave.
by_policy() {
	MODE=policy
	ip -n "$a" link set eth0 master red && esplane_end "$a" a dev=eth0 && esplane_end "$b" b && strict &&
	ip -n "$a" link set esplane0 master red &&
	ip -n "$a" route replace $NET_B via $OUTER_B dev eth0 vrf red src $INNER_A &&
	ip -n "$b" route replace $NET_A via $OUTER_A src $INNER_B && carries
}

done_with() {
	clear_end "$a"
	clear_end "$b"
	lax
}

ktap_print_header
networks || ktap_skip_all "this kernel has no VRF"
ktap_set_plan 6
check_here "route mode in a VRF, all else discarded" by_interface
more "an interface's own policy discards what is for the host" "$a" DISCARD 3 forbidden $INNER_A
more "and what it would forward" "$a" DISCARD 3 forbidden $FAR
done_with

check_here "policy mode, inside and outside in a VRF" by_policy
ktap_check "what stays in the VRF is nobody's business" net_ping "$a" $INNER_A -I red
done_with

OUTER_A=2001:db8::1 OUTER_B=2001:db8::2 INNER_A=fd01::1 INNER_B=fd02::1
NET_A=fd01::/16 NET_B=fd02::/16 FAR=$FAR6
check_here "the same of IPv6" by_policy
ktap_finished
