#!/bin/bash
# SPDX-License-Identifier: MIT
# What a policy can ask of a packet beside networks and ports: ICMP type and code, ranges of addresses,
# the mark, whether it was decrypted or is forwarded; what happens to a packet without a policy; some of
# it in IPv6 again; and that replacing a policy leaves nothing of the old one.
#
#	a esplane 10.1.0.1 === ESP === 10.2.0.1 esplane b 10.3.0.254 --- 10.3.0.1 c
# Variables that lib.sh sets or reads.
# shellcheck disable=SC2034,SC2154
. "$(dirname "$0")/lib.sh"

NET_C=10.3.0.0/24
INNER_C=10.3.0.1

topology() {
	ns_add c && veth "$b" eth1 10.3.0.254/24 "$c" eth0 $INNER_C/24 &&
	ip -n "$c" route add default via 10.3.0.254 &&
	ns "$b" sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.rp_filter=0 &&
	ns "$c" sysctl -qw net.ipv6.conf.all.disable_ipv6=1 || return 1
	# What is behind b: its own inner network and c's.
	NET_B=10.2.0.0/15
	esplane_end "$a" a && esplane_end "$b" b && inner_route "$a" a && inner_route "$b" b
	net_ping "$a" $INNER_B && net_ping "$a" $INNER_C
}

echo_to() { ns "$a" ping -n -c 1 -W 1 "$@"; }
datagrams() { sender "$a" "$1" "$2" "$3" 1000; }

# set NS WORD...: a policy for the tests of one kind, which ask only whether it matches.
discard() { DISCARD=$(esp "$a" policy-set direction=out action=discard priority=10 "$@"); }
discard_gone() { esp "$a" policy-del "id=$DISCARD"; }

# Echo request is type 8, code 0 (RFC 792); type and code are matched as RFC 4301 section 4.4.1.1 has it.
icmp() {
	discard "selector=$NET_A,$NET_B,1,8-8,0-0"
	more "echo requests by type and code" "$a" DISCARD 1 echo_to $INNER_B
	discard_gone
	discard "selector=$NET_A,$NET_B,1,8-8,1-255"
	more "not with another code" "$a" DISCARD 0 echo_to $INNER_B
	discard_gone
	discard "selector=$NET_A,$NET_B,1,9-255,0-255"
	more "not with another type" "$a" DISCARD 0 echo_to $INNER_B
	discard_gone
	discard "selector=$NET_A,$NET_B,1,0-7,0-255" "selector=$NET_A,$NET_B,17" \
		"selector=$NET_A,$NET_B,1,8,0"
	more "the last of three selectors" "$a" DISCARD 1 echo_to $INNER_B
	discard_gone
}

# The same in IPv6 (RFC 4443 section 4.1: echo request is type 128), whose policies are others.
icmp_v6() {
	local nets=2001:db8:a::/64,2001:db8:b::/64
	ns "$a" sysctl -qw net.ipv6.conf.lan.disable_ipv6=0 net.ipv6.conf.eth0.disable_ipv6=0
	ip -n "$a" addr add 2001:db8:a::1/64 dev lan nodad
	ip -n "$a" route add 2001:db8:b::/64 dev eth0 src 2001:db8:a::1
	discard "selector=$nets,58,128-128,0-0"
	more "ICMPv6 echo requests by type and code" "$a" DISCARD 1 echo_to 2001:db8:b::1
	discard_gone
	discard "selector=$nets,58,129-255,0-255" "selector=0.0.0.0/0,0.0.0.0/0"
	more "not with another type, nor by selectors of IPv4" "$a" DISCARD 0 echo_to 2001:db8:b::1
	discard_gone
	ns "$a" sysctl -qw net.ipv6.conf.lan.disable_ipv6=1 net.ipv6.conf.eth0.disable_ipv6=1
}

# Ranges that are no prefix: 10.1.0.1 to 10.2.0.1.
ranges() {
	discard "selector=10.0.255.255-10.1.0.1,10.2.0.1-10.2.0.2"
	more "a range that ends and one that begins with the packet's addresses" "$a" DISCARD 1 echo_to $INNER_B
	discard_gone
	discard "selector=10.1.0.2-10.1.0.255,10.2.0.0-10.2.0.255" "selector=10.1.0.0-10.1.0.255,10.2.0.2-10.3.0.0"
	more "ranges that miss one of them by one" "$a" DISCARD 0 echo_to $INNER_B
	discard_gone
}

mark() {
	discard "selector=$NET_A,$NET_B" mark=0x15
	more "mark without mask: the same mark" "$a" DISCARD 1 echo_to -m $((0x15)) $INNER_B
	more "mark without mask: no other" "$a" DISCARD 0 echo_to -m $((0x115)) $INNER_B
	more "mark without mask: not none" "$a" DISCARD 0 echo_to $INNER_B
	discard_gone
	discard "selector=$NET_A,$NET_B" mark=0x10 mark_mask=0xf0
	more "mark and mask: other bits do not matter" "$a" DISCARD 1 echo_to -m $((0xf1f)) $INNER_B
	more "mark and mask: these do" "$a" DISCARD 0 echo_to -m $((0x31)) $INNER_B
	ktap_equal "shown as set" "$(policy_get "$a" "$DISCARD" mark) $(policy_get "$a" "$DISCARD" mark_mask)" \
		"$((0x10)) $((0xf0))"
	discard_gone
	discard "selector=$NET_A,$NET_B" mark_mask=0xff
	more "mask without mark: packets without these bits" "$a" DISCARD 1 echo_to -m $((0x100)) $INNER_B
	more "mask without mark: no others" "$a" DISCARD 0 echo_to -m 1 $INNER_B
	discard_gone
}

replaced() {
	local id sa
	sa=$(esp "$a" sa-add direction=out spi=0x7003 src=$OUTER_A dst=$OUTER_B "key=$KEY_AB" if_id=3)
	id=$(esp "$a" policy-set direction=out action=protect priority=50 mark=7 mark_mask=15 cookie=9 \
		if_id=3 "sa_id=$sa" "selector=10.9.0.0/16,10.9.0.0/16" "selector=10.8.0.0/16,10.8.0.0/16")
	esp "$a" policy-set "id=$id" direction=out action=protect "selector=10.7.0.0/16,10.7.0.0/16" >/dev/null
	ktap_equal "what a replacement does not say has its default" \
		"$(esp "$a" policy-list --json "id=$id" | jq -c '.[0] | [.priority // 0, .mark // 0,
			.mark_mask // 0, .cookie // 0, .if_id // 0, .sa_id // 0, (.selectors | length)]')" \
		"[0,0,0,0,0,0,1]"
	esp "$a" policy-del "id=$id"
	esp "$a" sa-del "id=$sa"
}

# RFC 4301 section 5.2: the SA's selectors let it in. A DISCARD policy is stronger, as with xfrm.
decrypted() {
	local id
	id=$(esp "$b" policy-set direction=in action=discard priority=10 \
		"selector=$NET_A,10.0.0.0/8,17,0-65535,9100-9100")
	more "inbound DISCARD: decrypted packets for b" "$b" DISCARD 3 datagrams $INNER_B 9100 3
	more "inbound DISCARD: decrypted packets that b forwards" "$b" DISCARD 3 datagrams $INNER_C 9100 3
	ktap_equal "the policy counted both" "$(policy_get "$b" "$id" packets)" 6
	more "inbound DISCARD: not beyond its ports" "$b" DISCARD 0 datagrams $INNER_C 9101 3
	esp "$b" policy-set "id=$id" direction=in action=discard priority=101 \
		"selector=$NET_A,10.0.0.0/8,17,0-65535,9100-9100" >/dev/null
	more "behind PROTECT by priority it is not asked" "$b" DISCARD 0 datagrams $INNER_B 9100 3
	esp "$b" policy-del "id=$id"
}

from_c() { ns "$c" ping -n -c 1 -W 1 "$1"; }

# What b forwards is asked about on its way in and on its way out: cleartext from c to a's inner network,
# which b protects, and to a's outer address, which no policy covers.
forwarded() {
	local id from_c="selector=$NET_C,192.0.2.0/24"
	ktap_check "forwarded cleartext without a policy passes" net_ping "$c" $OUTER_A
	id=$(esp "$b" policy-set direction=in action=discard priority=10 $from_c)
	more "forwarded: inbound DISCARD" "$b" DISCARD 1 from_c $OUTER_A
	esp "$b" policy-set "id=$id" direction=out action=discard priority=10 $from_c >/dev/null
	more "forwarded: outbound DISCARD" "$b" DISCARD 1 from_c $OUTER_A
	esp "$b" policy-set "id=$id" direction=in action=protect priority=10 $from_c >/dev/null
	more "forwarded: inbound PROTECT, but it came in the clear" "$b" POLICY_IN 1 from_c $OUTER_A
	esp "$b" policy-set "id=$id" direction=in action=bypass priority=10 $from_c >/dev/null
	ktap_check "forwarded: inbound BYPASS" net_ping "$c" $OUTER_A
	esp "$b" policy-del "id=$id"
	more "forwarded: outbound PROTECT" "$b" out-packets 1 from_c $INNER_A
	unprotected
}

# What is to be protected and is not, b does not forward either.
unprotected() {
	esp "$a" policy-del "id=$POLICY_OUT_a"
	more "cleartext that b would forward" "$b" POLICY_IN 2 \
		ns "$a" ping -n -c 2 -i 0.1 -W 1 $INNER_C
	POLICY_OUT_a=$(esp "$a" policy-set direction=out action=protect priority=100 \
		"selector=$NET_A,$NET_B" "sa_id=$SA_OUT_a")
}

defaults() { echo "$(esp "$1" spd-get get=default_in) $(esp "$1" spd-get get=default_out)"; }

default_action() {
	local id
	ktap_equal "by default what has no policy passes" "$(defaults "$b")" "bypass bypass"
	esp "$b" spd-set default_out=discard
	ktap_equal "one default is set, the other stays" "$(defaults "$b")" "bypass discard"
	more "outbound: b answers no cleartext" "$b" NO_POLICY 1 echo_to -I $OUTER_A $OUTER_B
	ktap_check "outbound: what is protected passes" net_ping "$a" $INNER_B
	ktap_check "outbound: loopback passes" ns "$b" ping -n -c 1 -W 1 127.0.0.1
	ktap_check "outbound: what was decrypted is forwarded" net_ping "$a" $INNER_C
	esp "$b" spd-set default_out=bypass default_in=discard
	more "inbound: b hears no cleartext" "$b" NO_POLICY 1 echo_to -I $OUTER_A $OUTER_B
	ktap_check "inbound: what was protected comes in" net_ping "$a" $INNER_B
	# The request was decrypted, its answer comes from c in the clear.
	more "inbound: b takes nothing from c" "$b" NO_POLICY 1 echo_to $INNER_C
	id=$(esp "$b" policy-set direction=in action=bypass priority=50 "selector=$NET_C,$NET_A")
	ktap_check "inbound: unless a policy lets it" net_ping "$a" $INNER_C
	esp "$b" policy-del "id=$id"
	ktap_check_fails "the default cannot be to protect" esp "$b" spd-set default_in=protect
	esp "$b" spd-set default_in=bypass
	ktap_equal "back to the start" "$(defaults "$b")" "bypass bypass"
	ktap_check "and cleartext passes again" net_ping "$a" $OUTER_B -I $OUTER_A
}

OUTER6_A=2001:db8:7::1 INNER6_C=2001:db8:c::1

ipv6_there() {
	local name
	for name in "$a" "$b" "$c"; do
		ns "$name" sysctl -qw net.ipv6.conf.eth0.disable_ipv6=0 net.ipv6.conf.eth0.router_solicitations=0
	done
	ns "$b" sysctl -qw net.ipv6.conf.eth1.disable_ipv6=0 net.ipv6.conf.all.forwarding=1 &&
	ip -n "$a" addr add $OUTER6_A/64 dev eth0 nodad && ip -n "$b" addr add 2001:db8:7::2/64 dev eth0 nodad &&
	ip -n "$b" addr add 2001:db8:c::fe/64 dev eth1 nodad && ip -n "$c" addr add $INNER6_C/64 dev eth0 nodad &&
	ip -n "$a" route add 2001:db8:c::/64 via 2001:db8:7::2 && ip -n "$c" route add default via 2001:db8:c::fe &&
	net_ping "$c" $OUTER6_A
}

# The neighbours know each other by now, and multicast has policies of its own to meet: none of these.
forwarded_v6() {
	local id from_c=selector=2001:db8:c::/64,2001:db8:7::/64
	check_here "IPv6: forwarded without a policy" ipv6_there
	id=$(esp "$b" policy-set direction=in action=discard priority=10 $from_c)
	more "IPv6: forwarded, inbound DISCARD" "$b" DISCARD 1 from_c $OUTER6_A
	esp "$b" policy-set "id=$id" direction=out action=discard priority=10 $from_c >/dev/null
	more "IPv6: forwarded, outbound DISCARD" "$b" DISCARD 1 from_c $OUTER6_A
	esp "$b" policy-set "id=$id" direction=in action=protect priority=10 $from_c >/dev/null
	more "IPv6: forwarded, inbound PROTECT, but it came in the clear" "$b" POLICY_IN 1 from_c $OUTER6_A
	esp "$b" policy-set "id=$id" direction=out action=protect priority=10 "sa_id=$SA_OUT_b" $from_c >/dev/null
	more "IPv6: forwarded, outbound PROTECT" "$b" out-packets 1 from_c $OUTER6_A
	esp "$b" policy-del "id=$id"
}

mark_v6() {
	discard selector=2001:db8:7::/64,2001:db8:c::/64 mark=0x15
	more "IPv6: the same mark" "$a" DISCARD 1 echo_to -m $((0x15)) $INNER6_C
	more "IPv6: no other" "$a" DISCARD 0 echo_to -m $((0x16)) $INNER6_C
	discard_gone
}

# What b itself says of its multicast groups has no policy either: the echo is looked at, not only the count.
default_v6() {
	local id before
	before=$(counter "$b" NO_POLICY)
	esp "$b" spd-set default_in=discard default_out=discard
	ktap_check_fails "IPv6: what has no policy is not forwarded by default" echo_to $INNER6_C
	ktap_at_least "IPv6: and counted" $(($(counter "$b" NO_POLICY) - before)) 1
	ktap_check_fails "IPv6: nor answered" echo_to 2001:db8:7::2
	id="$(esp "$b" policy-set direction=in action=bypass priority=10 selector=2001:db8::/32,2001:db8::/32)"
	id+=" $(esp "$b" policy-set direction=out action=bypass priority=10 selector=2001:db8::/32,2001:db8::/32)"
	ktap_check "IPv6: unless policies let it" echo_to $INNER6_C
	esp "$b" policy-del "id=${id% *}"
	esp "$b" policy-del "id=${id#* }"
	esp "$b" spd-set default_in=bypass default_out=bypass
}

ktap_print_header
two_hosts
worker "$a"
ktap_set_plan $((1 + 4 + 2 + 2 + 8 + 1 + 5 + 7 + 13 + 5 + 2 + 4))
check_here "a tunnel to b and to c behind it" topology
icmp
icmp_v6
ranges
mark
replaced
decrypted
forwarded
default_action
forwarded_v6
mark_v6
default_v6
ktap_finished
