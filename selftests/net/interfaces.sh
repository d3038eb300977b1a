#!/bin/bash
# SPDX-License-Identifier: MIT
# The esplane interface: made and shown by a stock ip and by esplane link; what it does with packets
# that no policy covers; its MTU; cleartext on it; and life in another namespace than the one it was
# made in, which is the container's only way out, in IPv6 too, and from one container to the next.
#
#	c ipsec5 10.1.5.1	(made in a, moved here, to d and back; nothing else is here)
#	a eth0 192.0.2.1 === ESP === 192.0.2.2 eth0 b, 10.2.0.1: esplane in policy mode
# Variables that lib.sh sets or reads.
# shellcheck disable=SC2034,SC2154
. "$(dirname "$0")/lib.sh"

NET_C=10.1.5.0/24
INNER_C=10.1.5.1
NET6_C=2001:db8:c::/64 INNER6_C=2001:db8:c::1
NET6_B=2001:db8:b::/64 INNER6_B=2001:db8:b::1

need_command esplane

cli() { nsenter --net="/run/netns/$1" esplane "${@:2}"; }

# link_is NS NAME FIELD
link_is() { cli "$1" link show "$2" --json | jq -r ".links[0].$3"; }

mtu_of() { cat_in "$1" "/sys/class/net/$2/mtu"; }
# Not ns, which leaves /sys as it is.
cat_in() { ip netns exec "$1" cat "$2"; }

made_and_shown() {
	local index
	ktap_check "a stock ip makes an interface" ip -n "$a" link add ipsec0 type esplane
	ktap_check "and shows its kind" grep -q esplane <(ip -n "$a" -d link show ipsec0)
	index=$(ip -n "$a" -j link show ipsec0 | jq '.[0].ifindex')
	ktap_equal "its if_id is its index, its default reject" \
		"$(link_is "$a" ipsec0 if_id) $(link_is "$a" ipsec0 default_action)" "$index reject"
	ktap_check "esplane link add passes both" cli "$a" link add ipsec1 --if-id 1001 --default discard
	ktap_equal "and they are shown" \
		"$(link_is "$a" ipsec1 if_id) $(link_is "$a" ipsec1 default_action)" "1001 discard"
	ktap_check "for people too" grep -q 'without a policy: discard' <(cli "$a" link show ipsec1)
	ktap_equal "several interfaces in one namespace" "$(cli "$a" link --dump | wc -l)" 2
	ktap_equal "11 columns each" \
		"$(cli "$a" link --dump | awk -F '\t' '{ print NF }' | sort -u)" 11
	ktap_equal "an if_id that is taken is refused with a reason" \
		"$(cli "$a" link add ipsec2 --if-id 1001 2>&1)" \
		"esplane: link: ipsec2: an esplane interface with this if_id exists"
	ktap_check_fails "esplane link del takes no interface of another kind" cli "$a" link del lan
	ktap_check "lan is still there" ip -n "$a" link show lan
}

# What the sender of one ping sees.
answer() { ns "$a" ping -n -c 1 -W 1 "$1" 2>&1 | grep -o 'Destination Host Unreachable' || echo nothing; }

without_policy() {
	local before
	ip -n "$a" link set ipsec0 up
	ip -n "$a" link set ipsec1 up
	ip -n "$a" route add 10.8.0.0/24 dev ipsec0 src $INNER_A
	ip -n "$a" route add 10.9.0.0/24 dev ipsec1 src $INNER_A
	before=$(counter "$a" NO_POLICY)
	ktap_equal "reject: the sender is told" "$(answer 10.8.0.1)" "Destination Host Unreachable"
	ktap_equal "discard: it is not" "$(answer 10.9.0.1)" nothing
	ktap_equal "both packets are counted" $(($(counter "$a" NO_POLICY) - before)) 2
	ktap_check "esplane link del" cli "$a" link del ipsec1
	ktap_check_fails "ipsec1 is gone" ip -n "$a" link show ipsec1
}

# IDs are above 1,000, for the interfaces that are made without take their index.
# tunnel NS IF_ID OUT_SPI IN_SPI [WORD...]: a's side of one, by interface.
tunnel() {
	SA_IN=$(esp "$1" sa-add direction=in "spi=$4" src=$OUTER_B dst=$OUTER_A "key=$KEY_BA" \
		"if_id=$2" "${@:5}") &&
	SA=$(esp "$1" sa-add direction=out "spi=$3" src=$OUTER_A dst=$OUTER_B "key=$KEY_AB" \
		"if_id=$2" "${@:5}") &&
	POLICY=$(esp "$1" policy-set direction=out action=protect "if_id=$2" "sa_id=$SA" \
		selector=0.0.0.0/0,0.0.0.0/0 selector=::/0,::/0)
}

# The policy gets another SA.
again() {
	esp "$a" policy-set "id=$POLICY" direction=out action=protect if_id=1003 "sa_id=$1" \
		selector=0.0.0.0/0,0.0.0.0/0 >/dev/null
}

# AES-GCM (RFC 4106, RFC 4303): headers 20 (IP) + 8 (ESP) + 8 (IV), ICV 16; what is left is a multiple
# of 4 of which 2 are the trailer. 1500 - 52 = 1448 - 2 = 1446; in UDP 1440 - 2 = 1438.
mtu() {
	local native udp policy
	cli "$a" link add ipsec3 --if-id 1003
	ktap_equal "MTU without an SA" "$(mtu_of "$a" ipsec3)" 1400
	tunnel "$a" 1003 0x3001 0x3002
	native=$SA
	ktap_equal "MTU of an SA over 1500" "$(mtu_of "$a" ipsec3)" 1446
	udp=$(esp "$a" sa-add direction=out spi=0x3003 src=$OUTER_A dst=$OUTER_B "key=$KEY_AB" if_id=1003 \
		encap=4500:4500)
	again "$udp"
	ktap_equal "MTU of an SA in UDP" "$(mtu_of "$a" ipsec3)" 1438
	policy=$(esp "$a" policy-set direction=out action=protect if_id=1003 "sa_id=$native" \
		selector=10.8.0.0/16,10.8.0.0/16)
	ktap_equal "MTU of two policies: the lesser" "$(mtu_of "$a" ipsec3)" 1438
	esp "$a" policy-del "id=$policy"
	again "$native"
	ktap_equal "MTU when the lesser is gone" "$(mtu_of "$a" ipsec3)" 1446
	esp "$a" sa-update "id=$native" encap=4500:4500
	ktap_equal "MTU when the SA goes into UDP" "$(mtu_of "$a" ipsec3)" 1438
	esp "$a" sa-update "id=$native" encap=0:0
	ktap_equal "and when it leaves it" "$(mtu_of "$a" ipsec3)" 1446
	ip -n "$a" route add $OUTER_B dev eth0 mtu 1400
	again "$native"
	ktap_equal "MTU of an SA over a route of 1400" "$(mtu_of "$a" ipsec3)" 1346
	ip -n "$a" link set ipsec3 mtu 1300
	ip -n "$a" route del $OUTER_B
	again "$native"
	ktap_equal "MTU that somebody has set stays" "$(mtu_of "$a" ipsec3)" 1300
	cli "$a" link del ipsec3
	cli "$a" link add ipsec3 --if-id 1003
	ktap_equal "MTU of an interface made after its SA" "$(mtu_of "$a" ipsec3)" 1446
	esp "$a" flush
	cli "$a" link del ipsec3
}

# nested_ends: two interfaces, the peer of each behind the other.
nested_ends() {
	local sa other=198.51.100.8 if_id=1007 peer=198.51.100.7 spi=0x7001
	ip -n "$a" route add 10.7.0.0/24 dev ipsec7 src $INNER_A
	for _ in 1 2; do
		sa=$(esp "$a" sa-add direction=out "spi=$spi" src=$OUTER_A "dst=$peer" "key=$KEY_AB" "if_id=$if_id") &&
		esp "$a" policy-set direction=out action=protect "if_id=$if_id" "sa_id=$sa" \
			selector=0.0.0.0/0,0.0.0.0/0 >/dev/null || return 1
		if_id=1008 peer=$other spi=0x8001
	done
	ip -n "$a" route replace 198.51.100.7 dev ipsec8 && ip -n "$a" route replace $other dev ipsec7
}

# A packet goes round four times; a cipher that ends later, on an empty stack, changes nothing.
loop() {
	local driver=$1 before others
	cli "$a" link add ipsec7 --if-id 1007
	cli "$a" link add ipsec8 --if-id 1008
	ip -n "$a" link set ipsec7 mtu 1400 up
	ip -n "$a" link set ipsec8 mtu 1400 up
	echo "$driver" >/sys/module/esplane/parameters/aead_override
	ktap_check "peers behind each other, ${driver:-SIMD}: SAs" nested_ends
	before=$(counter "$a" ROUTE_LOOP) others=$(others)
	ns "$a" ping -n -c 1 -W 0.2 10.7.0.1 >/dev/null
	ktap_check "a packet between them ends by name" busywait "$(slowly 2000)" looped "$before"
	ktap_equal "and by nothing else" "$(others)" "$others"
	echo >/sys/module/esplane/parameters/aead_override
	esp "$a" flush
	cli "$a" link del ipsec7
	cli "$a" link del ipsec8
}

others() { echo "$(counter "$a" TOO_BIG) $(counter "$a" CRYPTO)"; }
looped() { [ "$(counter "$a" ROUTE_LOOP)" -gt "$1" ]; }

asynchronous() { async_driver && async=$(<$OVERRIDE) && usual_driver; }

# b's end of the tunnel to the container, in policy mode.
far_end() {
	local sa
	esp "$b" sa-add direction=in spi=0x5001 src=$OUTER_A dst=$OUTER_B "key=$KEY_AB" \
		"selector=$NET_C,$NET_B" "selector=$NET6_C,$NET6_B" >/dev/null &&
	sa=$(esp "$b" sa-add direction=out spi=0x5002 src=$OUTER_B dst=$OUTER_A "key=$KEY_BA") &&
	esp "$b" policy-set direction=out action=protect "selector=$NET_B,$NET_C" \
		"selector=$NET6_B,$NET6_C" "sa_id=$sa" >/dev/null &&
	esp "$b" policy-set direction=in action=protect "selector=$NET_C,$NET_B" \
		"selector=$NET6_C,$NET6_B" >/dev/null &&
	ns "$b" sysctl -qw net.ipv6.conf.eth0.disable_ipv6=0 net.ipv6.conf.lan.disable_ipv6=0 \
		net.ipv6.conf.esplane0.disable_ipv6=0 &&
	ip -n "$b" addr add $INNER6_B/64 dev lan nodad &&
	ip -n "$b" route add $NET6_C dev eth0 src $INNER6_B &&
	ip -n "$b" route add $NET_C dev eth0 via $OUTER_A src $INNER_B
}

# Moving takes the interface down and its addresses away, as it does for any device.
move() {
	ip -n "$1" link set "$2" netns "$3" && ip -n "$3" link set "$2" up
}

# What the container makes of its only interface.
settle() {
	# What it hears of itself comes by the loopback device.
	ns "$1" sysctl -qw net.ipv6.conf.ipsec5.disable_ipv6=0 net.ipv6.conf.lo.disable_ipv6=0 &&
	ip -n "$1" addr add $INNER_C/24 dev ipsec5 && ip -n "$1" addr add $INNER6_C/64 dev ipsec5 nodad &&
	ip -n "$1" route add default dev ipsec5 && ip -n "$1" -6 route add default dev ipsec5
}

container() {
	cli "$a" link add ipsec5 --if-id 1005 && tunnel "$a" 1005 0x5001 0x5002 && far_end &&
	move "$a" ipsec5 "$c" && settle "$c"
}

# told ADDR SIZE: a packet that fits the interface, but the path to the peer does no more; the error that comes
# back says how wide it is: for 1400 bytes, as above, 1346.
told() { ns "$c" ping -n -c 1 -W "$(slowly 2)" -M "do" -s "$2" "$1" | grep -i 'mtu *= *1346'; }

narrowed() {
	ip -n "$a" route add $OUTER_B dev eth0 mtu 1400
	ktap_check "a narrower path outside: the error comes to the container" told $INNER_B 1418
	ktap_check "IPv6: likewise" told $INNER6_B 1398
	ktap_check "and TCP gets through" net_send "$c" "$b" $INNER_B 100000
	ip -n "$a" route del $OUTER_B
	ip -n "$c" route flush cache
	ip -n "$c" -6 route flush cache
}

moves_on() {
	ip -n "$c" link set ipsec5 netns "$a"
	ktap_equal "moved back it is not told to be away" "$(link_is "$a" ipsec5 moved)" false
	check_here "on to a third namespace" eval 'move "$a" ipsec5 "$d" && settle "$d"'
	ktap_check "ping from there" net_ping "$d" $INNER_B
	ktap_check "IPv6: ping from there" net_ping "$d" $INNER6_B
	check_here "from there to the second" eval 'move "$d" ipsec5 "$c" && settle "$c"'
	ktap_check "ping from there" net_ping "$c" $INNER_B
}

discarded() {
	local id
	id=$(esp "$a" policy-set direction=in action=discard priority=1 if_id=1005 "selector=$NET_B,$NET_C")
	ns "$b" ping -n -c 3 -i 0.2 -W 1 $INNER_C
	esp "$a" policy-del "id=$id"
}

moved() {
	local capture_outer
	check_here "an interface moves into another namespace" container || return
	ktap_equal "it is told to be away from where it was made" "$(link_is "$c" ipsec5 moved)" true
	ktap_check "a stock ip tells so too" grep -q link-netns <(ip -n "$c" link show ipsec5)
	ktap_equal "nothing else leads out" "$(ip -n "$c" -o link show up | grep -cv -e ' lo:' -e ' ipsec5')" 0
	capture "$a" eth0 "$NET_TMP/outer"
	capture_outer=$capture_pid
	capture "$c" ipsec5 "$NET_TMP/clear"
	ktap_check "ping through it" net_ping "$c" $INNER_B
	capture_stop
	kill -INT $capture_outer
	wait $capture_outer
	ktap_equal "tcpdump on it: cleartext both ways" "$(captured "$NET_TMP/clear" \
		"icmp[0] == 8") $(captured "$NET_TMP/clear" "icmp[0] == 0")" "3 3"
	ktap_equal "on a's wire: ESP both ways, nothing clear" "$(captured "$NET_TMP/outer" \
		"esp and src $OUTER_A") $(captured "$NET_TMP/outer" "esp and src $OUTER_B") $(captured \
		"$NET_TMP/outer" "icmp")" "3 3 0"
	ktap_equal "SA and counters stay in a" \
		"$(sa_get "$a" "$SA" packets) $(counter "$a" out-packets) $(counter "$c" out-packets)" "3 3 0"
	ktap_check "TCP out of the container" net_send "$c" "$b" $INNER_B 300000
	ktap_check "TCP into the container" net_send "$b" "$c" $INNER_C 300000
	more "its policies are a's too" "$a" DISCARD 3 discarded
	# 1446 - 20 (IP) - 8 (ICMP)
	ktap_check "the largest packet passes" ns "$c" ping -n -c 1 -W "$(slowly 2)" -M "do" -s 1418 $INNER_B
	ktap_check_fails "one byte more does not" ns "$c" ping -n -c 1 -W 1 -M "do" -s 1419 $INNER_B
	ktap_check "IPv6: ping" net_ping "$c" $INNER6_B
	ktap_check "IPv6: TCP out of the container" net_send "$c" "$b" $INNER6_B 100000
	ktap_check "IPv6: TCP into the container" net_send "$b" "$c" $INNER6_C 100000
	# 1446 - 40 (IPv6) - 8 (ICMPv6)
	ktap_check "IPv6: the largest packet passes" ns "$c" ping -n -c 1 -W "$(slowly 2)" -M "do" -s 1398 $INNER6_B
	narrowed
	moves_on
	ktap_equal "the interface of policy mode cannot be moved" \
		"$(ip -n "$b" link set esplane0 netns "$c" 2>&1 >/dev/null | wc -l) $(cli "$b" link show esplane0 \
		--json | jq -r '.links[0].name')" "1 esplane0"
}

# Made in $1, moved to $2, with packets on their way through it all the time.
busy_interface() {
	ip -n "$1" link add eth0 type dummy && ip -n "$1" addr add $OUTER_A/24 dev eth0 &&
	ip -n "$1" link set eth0 up && cli "$1" link add ipsec6 --if-id 1006 && tunnel "$1" 1006 0x6001 0x6002 &&
	move "$1" ipsec6 "$2" && ip -n "$2" addr add 10.1.6.1/24 dev ipsec6 &&
	ip -n "$2" route add default dev ipsec6 || return 1
	nsenter --net="/run/netns/$2" timeout 20 ping -q -n -f $INNER_B >/dev/null 2>&1 &
	pinging=$!
	busywait "$(slowly 3000)" sends "$1"
}

sends() { [ "$(counter "$1" out-packets)" -gt 10 ]; }
no_link() { ! ip -n "$1" link show "$2"; }
stop_ping() { kill $pinging 2>/dev/null; wait $pinging 2>/dev/null; true; }

deletion() {
	check_here "holder first: a busy interface" busy_interface "$x" "$y"
	ns_del "$y"
	stop_ping
	ktap_check "the interface goes with the namespace it is in" busywait "$(slowly 5000)" \
		if_id_free "$x"
	ktap_check "where it was made, its SA is still there" sa_get "$x" "$SA" id
	ns_del "$x"

	check_here "birthplace first: a busy interface" busy_interface "$p" "$q"
	ns_del "$p"
	ktap_check "the interface goes with the namespace it was made in" \
		busywait "$(slowly 10000)" no_link "$q" ipsec6
	stop_ping
	ktap_check "the other namespace lives on" ns "$q" true
	ns_del "$q"

	check_here "both at once: a busy interface" busy_interface "$s" "$t"
	ns_del "$s"
	ns_del "$t"
	stop_ping
	ktap_check "the container's tunnel is untouched by all that" net_ping "$c" $INNER_B
}

# Its ID can be given again: nothing of the old interface is left in the list.
if_id_free() { cli "$1" link add again --if-id 1006; }

ktap_print_header
two_hosts
ns_add c d x y p q s t
for end in "$c" "$d" "$y" "$q" "$t"; do
	ns "$end" sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
done
ktap_set_plan $((11 + 5 + 10 + 14 + 4 + 3 + 6 + 8 + 7))
made_and_shown
without_policy
mtu
moved
deletion
loop ""
check_here "a cipher that ends later" asynchronous
loop "$async"
ktap_finished
