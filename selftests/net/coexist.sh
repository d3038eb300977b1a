#!/bin/bash
# SPDX-License-Identifier: MIT
# esplane beside what else lives in a kernel: xfrm with tunnels of its own on the same hosts and over
# the same addresses, a firewall that lets in only what it knows, connection tracking, source NAT, and
# the strict reverse path filter.
#
#	a 10.1.0.1 === esplane === 10.2.0.1 b
#	  10.3.0.1 ==== xfrm ===== 10.4.0.1
# Variables that lib.sh sets or reads.
# shellcheck disable=SC2034,SC2154
. "$(dirname "$0")/lib.sh"

MB=$((1 << 20))
OTHER_A=10.3.0.1
OTHER_B=10.4.0.1

esplane_up() {
	esplane_end "$a" a && esplane_end "$b" b || return 1
	[ $MODE = route ] || { inner_route "$a" a && inner_route "$b" b; }
}

# The same functions with the other networks and SPIs make the other tunnel. In UDP both have port 4500, each
# at addresses of its own.
other() {
	NET_A=10.3.0.0/24 NET_B=10.4.0.0/24 INNER_A=$OTHER_A INNER_B=$OTHER_B \
		OUTER_A=192.0.2.11 OUTER_B=192.0.2.12 SPI_AB=0x5000 SPI_BA=0x6000 UDP=$OTHER_UDP "$@"
}

other_up() {
	other xfrm_end "$a" a && other xfrm_end "$b" b &&
	other inner_route "$a" a && other inner_route "$b" b
}

other_lans() {
	ip -n "$a" addr add $OTHER_A/24 dev lan && ip -n "$b" addr add $OTHER_B/24 dev lan &&
	ip -n "$a" addr add 192.0.2.11/24 dev eth0 && ip -n "$b" addr add 192.0.2.12/24 dev eth0
}

both_ping() {
	net_ping "$a" $INNER_B && net_ping "$b" $INNER_A &&
	net_ping "$a" $OTHER_B && net_ping "$b" $OTHER_A
}

both_transfer() {
	net_send "$a" "$b" $INNER_B $((2 * MB)) && net_send "$a" "$b" $OTHER_B $((2 * MB)) &&
	net_send "$b" "$a" $INNER_A $((2 * MB)) && net_send "$b" "$a" $OTHER_A $((2 * MB))
}

# The SA of xfrm with this SPI has carried at least so many packets.
xfrm_carried() {
	local packets
	packets=$(ip -n "$1" -s xfrm state list spi "$2" | sed -n 's/.*, \([0-9]*\)(packets).*/\1/p' |
		sort -n | tail -n 1)
	[ "${packets:-0}" -ge "$3" ]
}

# What is too big is answered with the tunnel's MTU: TCP takes that as advice, not as a loss.
dropped() { echo $(($(drops "$1") - $(counter "$1" TOO_BIG))); }

beside() {
	local name=$1
	ktap_check "$name: both tunnels answer" both_ping
	ktap_check "$name: both carry TCP both ways" both_transfer
	ktap_check "$name: xfrm did its share itself" xfrm_carried "$b" 0x5000 1000
	ktap_equal "$name: esplane dropped nothing" "$(dropped "$a") $(dropped "$b")" "0 0"
}

xfrm_beside() {
	local OTHER_UDP BIND=any
	UDP=0 OTHER_UDP=0
	check_here "esplane and xfrm, both native" esplane_up
	other_up
	beside native
	esp "$a" flush
	esp "$b" flush
	ktap_check "native: xfrm goes on when esplane has no SA any more" net_ping "$a" $OTHER_B
	clear_end "$a"
	clear_end "$b"
	UDP=1 OTHER_UDP=1 BIND=own
	esplane_up
	other_up
	beside "in UDP, the same port"
	clear_end "$a"
	clear_end "$b"
}

# Only ESP, established connections and one service of the inner network may come in.
firewall() {
	ns "$b" nft -f - <<-EOR
	table ip filter {
		chain input {
			type filter hook input priority filter; policy drop;
			iifname lo accept
			ct state established,related accept
			$1
			iifname != eth0 ip saddr $NET_A tcp dport 5201 accept
			iifname != eth0 ip saddr $NET_A icmp type echo-request accept
		}
		chain output {
			type filter hook output priority filter; policy accept;
		}
	}
	EOR
}

no_firewall() {
	ns "$b" nft flush ruleset
	ns "$b" conntrack -F 2>/dev/null
	ns "$a" nft flush ruleset
	ns "$a" conntrack -F 2>/dev/null
}

outer_flows() { ns "$b" conntrack -L -p "$1" 2>/dev/null | grep -c "$OUTER_A"; }

behind_firewall() {
	local name=$1 accept=$2 protocol=$3
	esplane_up
	firewall "$accept"
	ktap_check "$name: TCP in through the tunnel" net_send "$a" "$b" $INNER_B $((4 * MB))
	ktap_check "$name: TCP out, the answers are established" net_send "$b" "$a" $INNER_A $((4 * MB))
	ktap_check_fails "$name: a port that the firewall does not open" \
		ns "$a" socat -u /dev/null "TCP:$INNER_B:5202,connect-timeout=1"
	# Thousands of packets, two inner connections, and one flow between the outer addresses.
	ktap_equal "$name: conntrack has one outer flow" "$(outer_flows "$protocol")" 1
	ktap_equal "$name: an inner connection is established and not one a packet" \
		"$(ns "$b" conntrack -L -p tcp --dport 5201 2>/dev/null | grep -c ASSURED)" 2
	no_firewall
	clear_end "$a"
	clear_end "$b"
}

# What conntrack knows of a protocol without ports is the pair of addresses.
firewalls() {
	UDP=0
	behind_firewall "firewall, native" "meta l4proto esp accept" 50
	UDP=1
	behind_firewall "firewall, in UDP" "udp dport $ENCAP_PORT accept" udp
	UDP=0
	esplane_up
	firewall ""
	ktap_check_fails "firewall that does not let ESP in" net_ping "$a" $INNER_B
	no_firewall
	clear_end "$a"
	clear_end "$b"
}

# An address that the tunnel does not carry, until source NAT at a turns it into one that it does.
source_nat() {
	UDP=1 esplane_up
	ip -n "$a" addr add 10.9.0.1/24 dev lan
	ns "$a" nft -f - <<-EOR
	table ip nat {
		chain postrouting {
			type nat hook postrouting priority srcnat;
			ip saddr 10.9.0.0/24 ip daddr $NET_B snat to $INNER_A
		}
	}
	EOR
	ktap_check "source NAT before the policy" net_ping "$a" $INNER_B -I 10.9.0.1
	no_firewall
	clear_end "$a"
	clear_end "$b"
}

reverse_path() {
	local end
	for end in "$a" "$b"; do
		ns "$end" sysctl -qw net.ipv4.conf.all.rp_filter=1 net.ipv4.conf.default.rp_filter=1
	done
	MODE=policy esplane_up
	ktap_check "strict reverse path filter, policy mode" net_ping "$a" $INNER_B
	clear_end "$a"
	clear_end "$b"
	MODE=route esplane_up
	ktap_check "strict reverse path filter, route mode" net_ping "$a" $INNER_B
	ktap_check "strict reverse path filter: TCP" net_send "$b" "$a" $INNER_A $MB
}

ktap_print_header
need_command nft conntrack socat
two_hosts
need_module xfrm_user
need_module esp4
need_module esp4_offload
other_lans
ktap_set_plan $((1 + 4 + 1 + 4 + 2 * 5 + 1 + 1 + 3))
xfrm_beside
firewalls
source_nat
reverse_path
ktap_finished
