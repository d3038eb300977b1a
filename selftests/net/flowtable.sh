#!/bin/bash
# SPDX-License-Identifier: MIT
# A flow table of nftables on the gateway r takes what it forwards past the hooks of policy mode. What a
# policy protects must not be in one: nothing but ESP may leave r, whoever began and whichever came first,
# the policy or the connection. What no policy concerns still has the short way.
#
#	a 10.1.0.1 ---- r ==== esplane ==== b 10.2.0.1
# Variables that lib.sh sets or reads.
# shellcheck disable=SC2034,SC2154
. "$(dirname "$0")/lib.sh"

ECHO=7000
INNER6_A=fd01::1 INNER6_B=fd02::1

tables() {
	ns "$r" nft -f - <<-EOR
	table inet fast {
		flowtable ft {
			hook ingress priority filter; devices = { eth0, eth1 };
		}
		chain forward {
			type filter hook forward priority filter;
			meta l4proto { tcp, udp } flow add @ft
		}
	}
	EOR
}

routes() {
	ip -n "$a" route add $NET_B via 192.0.2.254 src $INNER_A &&
	ip -n "$r" route add $NET_A via 192.0.2.1 && ip -n "$r" route add $NET_B via $OUTER_B &&
	ip -n "$b" route add $NET_A via 198.51.100.254 src $INNER_B
}

routes6() {
	ns "$r" sysctl -qw net.ipv6.conf.all.forwarding=1
	ip -n "$a" -batch - <<-EOC && ip -n "$b" -batch - <<-EOD && ip -n "$r" -batch - <<-EOE
	addr add $INNER6_A/64 dev lan nodad
	addr add fd00:a::1/64 dev eth0 nodad
	route add fd02::/64 via fd00:a::2 src $INNER6_A
	EOC
	addr add $INNER6_B/64 dev lan nodad
	addr add fd00:b::1/64 dev eth0 nodad
	route add fd01::/64 via fd00:b::2 src $INNER6_B
	EOD
	addr add fd00:a::2/64 dev eth0 nodad
	addr add fd00:b::2/64 dev eth1 nodad
	route add fd01::/64 via fd00:a::1
	route add fd02::/64 via fd00:b::1
	EOE
}

# The tunnel is between r and b. Before there are policies there is the interface of policy mode: as a
# new one it would have all routes looked up anew, and by that alone the tables emptied.
tunnel() {
	OUTER_A=198.51.100.254
	esplane_end "$b" b && esplane_end "$r" a
}

no_tunnel() {
	esp "$r" flush && esp "$b" flush
}

tunnel6() {
	NET_A=fd01::/64 NET_B=fd02::/64 SPI_AB=0x3000 SPI_BA=0x4000 tunnel
}

# echoes NS WORD...: a socat that sends all back; talks_with NS ADDRESS: a conversation with one.
echoes() {
	nsenter --net="/run/netns/$1" socat "$2" PIPE &
	at_exit kill $!
	busywait "$(slowly 5000)" net_listens $! "$3" $ECHO
}

talks_with() {
	local pipe=$NET_TMP/talk
	rm -f "$pipe.in" "$pipe.out"
	mkfifo "$pipe.in" "$pipe.out"
	nsenter --net="/run/netns/$1" socat - "$2" <"$pipe.in" >"$pipe.out" &
	talk_pid=$!
	at_exit kill $talk_pid
	exec {talk_in}>"$pipe.in" {talk_out}<"$pipe.out"
}

says() {
	local word answer
	for word in one two three; do
		echo $word >&"$talk_in" && read -r -t "$(slowly 10)" answer <&"$talk_out" &&
			[ "$answer" = $word ] || return 1
	done
}

# In a table is what conntrack shows so. A neighbour may have to be found first.
in_table() { says && ns "$r" conntrack -L -f "$1" 2>/dev/null | grep "dport=$ECHO" | grep -q OFFLOAD; }

silent() {
	kill $talk_pid
	wait $talk_pid 2>/dev/null
	exec {talk_in}>&- {talk_out}<&-
	ns "$r" conntrack -F 2>/dev/null
}

# only_esp NAME FILTER COMMAND...: COMMAND succeeds, and what leaves r for b meanwhile is ESP only.
only_esp() {
	local name=$1 file=$NET_TMP/$ktap_count.pcap
	capture "$r" eth1 "$file" -Q out
	ktap_check "$name" "${@:3}"
	capture_stop
	ktap_equal "$name: nothing in the clear" "$(captured "$file" "$2")" 0
	ktap_at_least "$name: ESP" "$(captured "$file" esp)" 3
}

ktap_print_header
need_command nft conntrack socat
net_routed || ktap_skip_all "cannot make namespaces"
tables 2>/dev/null || ktap_skip_all "this kernel has no flow tables"
ktap_set_plan 12
tunnel && no_tunnel && routes && routes6 && echoes "$b" TCP4-LISTEN:$ECHO,fork,reuseaddr tcp && echoes "$a" UDP6-LISTEN:$ECHO udp

talks_with "$a" TCP4:$INNER_B:$ECHO
check_here "without policies the flow is in the table" busywait "$(slowly 10000)" in_table ipv4
tunnel
only_esp "policies that come later" "net $NET_A" says
ktap_check_fails "policies that come later: not in the table again" in_table ipv4
silent

only_esp "a connection that comes later" "net $NET_A" net_send "$a" "$b" $INNER_B $((256 << 10))

tunnel6
talks_with "$b" "UDP6:[$INNER6_A]:$ECHO"
only_esp "IPv6, UDP that came out of the tunnel" ip6 says
silent

talks_with "$a" TCP4:$OUTER_B:$ECHO
check_here "what no policy concerns is in the table" busywait "$(slowly 10000)" in_table ipv4
ktap_finished
