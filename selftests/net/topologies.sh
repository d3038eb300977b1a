#!/bin/bash
# SPDX-License-Identifier: MIT
# esplane among the devices and routes that people build networks of: each topology is built, carries
# pings and TCP both ways, drops nothing, and is taken down again.
# Variables that lib.sh sets or reads; functions are called by their topology's name.
# shellcheck disable=SC2034,SC2154,SC2317
. "$(dirname "$0")/lib.sh"

BYTES=$((512 << 10))
# Beside esplane's tunnel, or inside it.
OTHER_A=10.3.0.1
OTHER_B=10.4.0.1

# With the other tunnel's networks and SPIs.
other() {
	NET_A=10.3.0.0/24 NET_B=10.4.0.0/24 INNER_A=$OTHER_A INNER_B=$OTHER_B SPI_AB=0x5000 SPI_BA=0x6000 "$@"
}

other_lans() {
	ip -n "$a" addr add $OTHER_A/24 dev lan && ip -n "$b" addr add $OTHER_B/24 dev lan
}

esplane_up() {
	esplane_end "$a" a && esplane_end "$b" b || return 1
	[ $MODE = route ] || { inner_route "$a" a && inner_route "$b" b; }
}

# What is too big is answered with the tunnel's MTU: TCP takes that as advice, not as a loss.
dropped() {
	local end sum=0
	for end in "$@"; do
		sum=$((sum + $(drops "$end") - $(counter "$end" TOO_BIG)))
	done
	echo $sum
}

# carries FROM TO ADDR [BACK]: pings and TCP to ADDR, and to BACK from the other end.
carries() {
	net_ping "$1" "$3" && net_send "$1" "$2" "$3" $BYTES &&
	{ [ -z "${4:-}" ] || { net_ping "$2" "$4" && net_send "$2" "$1" "$4" $BYTES; }; }
}

esplane_carries() { carries "$a" "$b" $INNER_B $INNER_A; }
other_carries() { carries "$a" "$b" $OTHER_B $OTHER_A; }

has_link_type() {
	ip -n "$a" link add probe type "$@" 2>/dev/null || return 1
	ip -n "$a" link del probe
}

# An xfrm tunnel that a device leads to. xfrm_by NS a|b WORD...: WORDs go to SAs and policies.
xfrm_by() {
	local name=$1 local_outer remote_outer local_net remote_net
	local local_inner spi_out key_out spi_in key_in words="${*:3}"
	end_of "$2"
	{
		echo "$(xfrm_sa $local_outer $remote_outer $spi_out "$key_out") $words"
		echo "$(xfrm_sa $remote_outer $local_outer $spi_in "$key_in") $words"
		echo "xfrm policy add dir out $words tmpl src $local_outer dst $remote_outer proto esp reqid 1 mode tunnel"
		echo "xfrm policy add dir in $words tmpl src $remote_outer dst $local_outer proto esp reqid 1 mode tunnel"
	} | ip -n "$name" -batch - && ip -n "$name" link set other up &&
	ip -n "$name" route add "$remote_net" dev other src "$local_inner"
}

impossible_xfrmi() { has_link_type xfrm dev eth0 if_id 99 || echo "this kernel has no xfrm interfaces"; }
xfrmi() {
	ip -n "$a" link add other type xfrm dev eth0 if_id 9 &&
	ip -n "$b" link add other type xfrm dev eth0 if_id 9 &&
	other xfrm_by "$a" a if_id 9 && other xfrm_by "$b" b if_id 9 && esplane_up &&
	esplane_carries && other_carries
}

impossible_vti() { has_link_type vti local 192.0.2.1 key 99 || echo "this kernel has no VTI"; }
vti() {
	MODE=route
	ip -n "$a" link add other type vti local $OUTER_A remote $OUTER_B key 9 &&
	ip -n "$b" link add other type vti local $OUTER_B remote $OUTER_A key 9 &&
	other xfrm_by "$a" a mark 9 && other xfrm_by "$b" b mark 9 && esplane_up &&
	esplane_carries && other_carries
}

# wireguard NS FROM TO NET OTHER_NS: one end.
wireguard() {
	[ -e "$NET_TMP/key-$1" ] || (umask 077 && wg genkey >"$NET_TMP/key-$1")
	[ -e "$NET_TMP/key-$5" ] || (umask 077 && wg genkey >"$NET_TMP/key-$5")
	ip -n "$1" link add other type wireguard &&
	ns "$1" wg set other private-key "$NET_TMP/key-$1" listen-port 51820 \
		peer "$(wg pubkey <"$NET_TMP/key-$5")" endpoint "$3:51820" allowed-ips "$4" &&
	ip -n "$1" link set other up
}

impossible_wireguard_beside() { has_link_type wireguard || echo "this kernel has no WireGuard"; }
wireguard_beside() {
	wireguard "$a" $OUTER_A $OUTER_B 10.4.0.0/24 "$b" && wireguard "$b" $OUTER_B $OUTER_A 10.3.0.0/24 "$a" &&
	ip -n "$a" route add 10.4.0.0/24 dev other src $OTHER_A &&
	ip -n "$b" route add 10.3.0.0/24 dev other src $OTHER_B && esplane_up &&
	esplane_carries && other_carries
}

# The MTU of WireGuard's device is for 1500 outside.
impossible_wireguard_inside() { impossible_wireguard_beside; }
wireguard_inside() {
	MODE=route
	esplane_up && wireguard "$a" $INNER_A $INNER_B 10.4.0.0/24 "$b" &&
	wireguard "$b" $INNER_B $INNER_A 10.3.0.0/24 "$a" &&
	ip -n "$a" link set other mtu 1360 && ip -n "$b" link set other mtu 1360 &&
	ip -n "$a" route add 10.4.0.0/24 dev other src $OTHER_A &&
	ip -n "$b" route add 10.3.0.0/24 dev other src $OTHER_B && other_carries
}

impossible_wireguard_outside() { impossible_wireguard_beside; }
wireguard_outside() {
	wireguard "$a" $OUTER_A $OUTER_B 10.9.0.2 "$b" && wireguard "$b" $OUTER_B $OUTER_A 10.9.0.1 "$a" &&
	ip -n "$a" addr add 10.9.0.1/24 dev other && ip -n "$b" addr add 10.9.0.2/24 dev other || return 1
	local OUTER_A=10.9.0.1 OUTER_B=10.9.0.2
	esplane_end "$a" a && esplane_end "$b" b && inner_route "$a" a other && inner_route "$b" b other &&
	esplane_carries
}

# The address is the bridge's, the cable one of its ports. With br_netfilter all frames pass IP's hooks.
bridge() {
	modprobe -q br_netfilter
	ip -n "$a" -batch - <<-EOC && esplane_end "$a" a && esplane_end "$b" b &&
	link add other type bridge
	link set other up
	link set eth0 master other
	addr del $OUTER_A/24 dev eth0
	addr add $OUTER_A/24 dev other
	EOC
	inner_route "$a" a other && inner_route "$b" b && esplane_carries
}
bridge_down() {
	ip -n "$a" link set eth0 nomaster
	ip -n "$a" addr del $OUTER_A/24 dev other
	ip -n "$a" addr add $OUTER_A/24 dev eth0
}

# Two hosts on a bridge of a's, whose frames look like what a's policies encrypt and forbid. They are none
# of a's business.
#	c 10.1.0.7 ---- bridge of a ---- d 10.2.0.7
bridged_host() {
	veth "$a" "$1" 192.0.2.129/32 "$2" eth0 "$3/8" && ip -n "$a" link set "$1" master other
}
impossible_bridged() {
	modprobe -q br_netfilter && ns "$a" sysctl -qn net.bridge.bridge-nf-call-iptables | grep -q 1 ||
		echo "this kernel has no br_netfilter"
}
bridged() {
	ns_add c d && esplane_up && ip -n "$a" link add other type bridge && ip -n "$a" link set other up &&
	bridged_host port1 "$c" 10.1.0.7 && bridged_host port2 "$d" 10.2.0.7 &&
	carries "$c" "$d" 10.2.0.7 10.1.0.7
}
bridged_down() {
	ns_del "$c"
	ns_del "$d"
}

# What is inside belongs to a VRF, outer packets do not.
impossible_vrf_inside() { has_link_type vrf table 99 || echo "this kernel has no VRF"; }
vrf_inside() {
	MODE=route
	esplane_up && ip -n "$a" link add other type vrf table 77 && ip -n "$a" link set other up &&
	ip -n "$a" link set lan master other && ip -n "$a" link set ipsec0 master other &&
	ip -n "$a" route add $NET_B dev ipsec0 vrf other src $INNER_A &&
	ns "$a" ping -n -c 3 -i 0.2 -W "$(slowly 2)" -I other $INNER_B &&
	net_ping "$b" $INNER_A
}
vrf_inside_down() { ip -n "$a" link set lan nomaster; }

# Who has an inner address is led to the interface, the rest of the host is not.
policy_routing() {
	MODE=route
	esplane_up && ip -n "$a" route flush dev ipsec0 &&
	ip -n "$a" route add default dev ipsec0 table 77 &&
	ip -n "$a" rule add from $NET_A lookup 77 &&
	carries "$b" "$a" $INNER_A && net_ping "$a" $INNER_B -I $INNER_A &&
	net_ping "$a" $OUTER_B
}
policy_routing_down() { ip -n "$a" rule del from $NET_A lookup 77; }

# All of the host's traffic is led to the interface, the peer's address with it, but for what has the mark.
default_by_mark() {
	MODE=route
	esplane_end "$a" a output_mark=77 && esplane_end "$b" b && ip -n "$a" route flush dev ipsec0 &&
	ip -n "$a" route add default dev ipsec0 table 77 src $INNER_A &&
	ip -n "$a" rule add not fwmark 77 lookup 77 &&
	ip -n "$a" route get $OUTER_B | grep -q "dev ipsec0" && esplane_carries
}
default_by_mark_down() { ip -n "$a" rule del not fwmark 77 lookup 77; }

# The one tunnel's ESP packets are the other's inner ones: by policy, then by interface.
tunnel_in_tunnel() {
	MODE=route
	esplane_up && MODE=policy || return 1
	local SPI_AB=0x5000 SPI_BA=0x6000 OUTER_A=$INNER_A OUTER_B=$INNER_B
	local NET_A=10.3.0.0/24 NET_B=10.4.0.0/24 INNER_A=$OTHER_A INNER_B=$OTHER_B
	esplane_end "$a" a && esplane_end "$b" b &&
	ip -n "$a" route add $NET_B dev eth0 src $OTHER_A && ip -n "$b" route add $NET_A dev eth0 src $OTHER_B &&
	other_carries
}

v6_up() {
	local end
	for end in "$a" "$b"; do
		ns "$end" sysctl -qw net.ipv6.conf.all.disable_ipv6=0 net.ipv6.conf.eth0.disable_ipv6=0 || return 1
	done
	ip -n "$a" addr add 2001:db8::1/64 dev eth0 nodad && ip -n "$b" addr add 2001:db8::2/64 dev eth0 nodad
}
v6_down() {
	ip -n "$a" addr del 2001:db8::1/64 dev eth0
	ip -n "$b" addr del 2001:db8::2/64 dev eth0
}

inner_routes_v6() {
	ip -n "$a" route add $NET_B dev eth0 src $INNER_A && ip -n "$b" route add $NET_A dev eth0 src $INNER_B
}

# The kernel's own IPsec over IPv6, between the same addresses.
esp6_beside() {
	v6_up && other inner_routes_v6 && inner_routes_v6 || return 1
	local OUTER_A=2001:db8::1 OUTER_B=2001:db8::2
	esplane_end "$a" a && esplane_end "$b" b && other xfrm_end "$a" a && other xfrm_end "$b" b &&
	esplane_carries && other_carries
}
esp6_beside_down() { v6_down; }

impossible_vti6() { has_link_type vti6 local 2001:db8::1 key 99 || echo "this kernel has no VTI over IPv6"; }
vti6() {
	v6_up && inner_routes_v6 || return 1
	local OUTER_A=2001:db8::1 OUTER_B=2001:db8::2
	ip -n "$a" link add other type vti6 local $OUTER_A remote $OUTER_B key 9 &&
	ip -n "$b" link add other type vti6 local $OUTER_B remote $OUTER_A key 9 &&
	other xfrm_by "$a" a mark 9 && other xfrm_by "$b" b mark 9 &&
	esplane_end "$a" a && esplane_end "$b" b && esplane_carries && other_carries
}
vti6_down() { v6_down; }

# IPv6 outside, and packets of 9,000 bytes there.
jumbo() {
	ip -n "$a" link set eth0 mtu 9000 && ip -n "$b" link set eth0 mtu 9000 && v6_up && inner_routes_v6 || return 1
	local OUTER_A=2001:db8::1 OUTER_B=2001:db8::2
	esplane_end "$a" a && esplane_end "$b" b && esplane_carries &&
	ns "$a" ping -n -c 3 -i 0.2 -W "$(slowly 2)" -M "do" -s 8000 $INNER_B
}
jumbo_down() {
	v6_down
	ip -n "$a" link set eth0 mtu 1500
	ip -n "$b" link set eth0 mtu 1500
}

# What the route to the peer says counts from the next packet on: another cable, and the first again.
over_cable() {
	local counter="/sys/class/net/$1/statistics/tx_packets" before after
	before=$(ip netns exec "$a" cat "$counter") && net_ping "$a" $INNER_B &&
	after=$(ip netns exec "$a" cat "$counter") && [ $((after - before)) -ge 3 ]
}
other_cable() {
	esplane_up && ip link add other netns "$a" type veth peer name other netns "$b" &&
	ip -n "$a" link set other up && ip -n "$b" link set other up && over_cable eth0 || return 1
	ip -n "$b" route add $OUTER_A/32 dev other src $OUTER_B &&
	ip -n "$a" route add $OUTER_B/32 dev other src $OUTER_A && over_cable other &&
	ip -n "$a" route del $OUTER_B/32 dev other && over_cable eth0
}

# Without its own address an SA drops by name; with it again it goes on.
address_gone() {
	local before
	before=$(counter "$a" NO_ROUTE)
	esplane_up && net_ping "$a" $INNER_B && ip -n "$a" addr del $OUTER_A/24 dev eth0 &&
	ip -n "$a" route replace $NET_B dev lan src $INNER_A && ! ns "$a" ping -n -q -c 1 -W 0.3 -I $INNER_A $INNER_B &&
	gone=$(($(counter "$a" NO_ROUTE) - before)) &&
	ip -n "$a" addr add $OUTER_A/24 dev eth0 && inner_route "$a" a && net_ping "$a" $INNER_B
	[ $? = 0 ] && [ $gone = 1 ]
}

# A hub takes packets out of one tunnel and sends them through another.
#	a === r === b
hub_policy() {
	local name=$1 from=$2 to=$3 spi=$4 source=$5 target=$6
	esp "$name" - <<-EOC >/dev/null
	sa-add direction=out spi=$spi src=$from dst=$to key=$KEY_AB
	policy-set direction=out action=protect selector=$source,$target sa_id=last
	EOC
}
hub_sa() { esp "$1" sa-add direction=in "spi=$4" "src=$2" "dst=$3" "key=$KEY_AB" "selector=$5,$6" >/dev/null; }
# hub_way FROM TO FROM_ADDR HUB_FROM HUB_TO TO_ADDR SPI FROM_NET TO_NET
hub_way() {
	hub_policy "$1" "$3" "$4" "$7" "$8" "$9" && hub_sa "$r" "$3" "$4" "$7" "$8" "$9" &&
	hub_policy "$r" "$5" "$6" "$7" "$8" "$9" && hub_sa "$2" "$5" "$6" "$7" "$8" "$9"
}
hub() {
	local before
	hub_way "$a" "$b" $OUTER_A 192.0.2.254 198.51.100.254 $OUTER_B 0x7000 $NET_A $NET_B &&
	hub_way "$b" "$a" $OUTER_B 198.51.100.254 192.0.2.254 $OUTER_A 0x7001 $NET_B $NET_A &&
	ip -n "$a" route add $NET_B via 192.0.2.254 src $INNER_A &&
	ip -n "$b" route add $NET_A via 198.51.100.254 src $INNER_B &&
	ip -n "$r" route add $NET_A via $OUTER_A && ip -n "$r" route add $NET_B via $OUTER_B &&
	before=$(dropped "$r") && esplane_carries && [ "$(dropped "$r")" = "$before" ]
}

topology() {
	local name=$1 title=$2 why='' MODE=policy UDP=0 end before
	! declare -F "impossible_$name" >/dev/null || why=$("impossible_$name")
	if [ -n "$why" ]; then
		ktap_test_skip "$title: carries pings and TCP" "$why"
		ktap_test_skip "$title: nothing dropped" "$why"
		return
	fi
	before=$(dropped "$a" "$b")
	gone=0
	check_here "$title: carries pings and TCP" "$name"
	ktap_equal "$title: nothing dropped" $(($(dropped "$a" "$b") - before - gone)) 0
	for end in "$a" "$b"; do
		clear_end "$end"
	done
	! declare -F "${name}_down" >/dev/null || "${name}_down"
	for end in "$a" "$b"; do
		ip -n "$end" link del other 2>/dev/null
	done
}

ktap_print_header
two_hosts
need_command wg
other_lans || ktap_skip_all "cannot make addresses"
ktap_set_plan 34
topology xfrmi "beside an xfrm interface"
topology vti "beside a VTI"
topology wireguard_beside "beside WireGuard"
topology wireguard_inside "WireGuard inside"
topology wireguard_outside "inside WireGuard"
topology bridge "over a bridge"
topology bridged "beside a bridge"
topology vrf_inside "an interface in a VRF"
topology policy_routing "policy routing"
topology default_by_mark "the default route, outer packets marked"
topology tunnel_in_tunnel "tunnel in tunnel"
topology esp6_beside "beside xfrm over IPv6"
topology vti6 "beside a VTI over IPv6"
topology other_cable "the route changes"
topology address_gone "the outer address goes and comes"
topology jumbo "IPv6 outside, 9,000 bytes"
ip -n "$a" link del eth0
ns_del "$a"
ns_del "$b"
NET_SUFFIX=$$-hub
net_routed || ktap_skip_all "cannot make namespaces"
topology hub "from tunnel to tunnel"
ktap_finished
