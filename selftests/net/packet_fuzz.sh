#!/bin/bash
# SPDX-License-Identifier: MIT
# Packets that no right sender makes, at random, for a while: ESP on its way in, cleartext on its way out;
# truncated, altered, in fragments, in pieces of memory, in trains, cloned. Every one is accounted for:
# what came is delivered or dropped by name. That nothing else happens is for the kernel's checkers to say.
#
#	FUZZ_SECONDS	how long in all (60 on the debug kernel, 10 elsewhere)
#	FUZZ_SEED	an earlier run's; its packets come again
#	FUZZ_ROUND	of that one, to learn which packet it was
#
#	a ipsec0, policies, tap0 === ESP ===> b tap0, SAs of six kinds; packet_fuzz sends to all of these
# Variables that lib.sh sets or reads.
# shellcheck disable=SC2034,SC2154
. "$(dirname "$0")/lib.sh"

need_command packet_fuzz nft
modprobe -q tun
[ -c /dev/net/tun ] || ktap_skip_all "no /dev/net/tun"

SECONDS_IN_ALL=${FUZZ_SECONDS:-$(($(slowly 10) * 6 / 5))}
SEED=${FUZZ_SEED:-$((RANDOM << 15 | RANDOM))}
TAP_MAC=02:00:00:00:00:02
PEER_MAC=02:00:00:00:00:01

# tap NS ADDR PEER ADDR6 PEER6: frames to come in by.
tap() {
	ip -n "$1" tuntap add tap0 mode tap vnet_hdr && ip -n "$1" link set tap0 address $TAP_MAC up &&
	ns "$1" sysctl -qw net.ipv6.conf.tap0.disable_ipv6=0 net.ipv6.conf.tap0.router_solicitations=0 &&
	ip -n "$1" addr add "$2" dev tap0 && ip -n "$1" addr add "$4" dev tap0 &&
	ip -n "$1" neigh add "$3" lladdr $PEER_MAC dev tap0 && ip -n "$1" neigh add "$5" lladdr $PEER_MAC dev tap0
}

# What the stack has to say of such packets would be counted too, where it meets a policy.
silence() {
	ns "$1" nft -f - <<-'EOR'
	table inet silence {
		chain output {
			type filter hook output priority 0;
			icmp type { destination-unreachable, time-exceeded, parameter-problem } drop
			icmpv6 type { destination-unreachable, packet-too-big, time-exceeded, parameter-problem } drop
			tcp flags rst drop
		}
	}
	EOR
}

mac() { ip -n "$1" -j link show eth0 | jq -r '.[0].address'; }

# Trains over IPv6 too. Neighbours are known: no packet waits for one.
ipv6_between() {
	ns "$a" sysctl -qw net.ipv6.conf.eth0.disable_ipv6=0 net.ipv6.conf.eth0.router_solicitations=0 &&
	ns "$b" sysctl -qw net.ipv6.conf.eth0.disable_ipv6=0 net.ipv6.conf.eth0.router_solicitations=0 &&
	ip -n "$a" addr add 2001:db8:7::1/64 dev eth0 nodad &&
	ip -n "$b" addr add 2001:db8:7::2/64 dev eth0 nodad &&
	ip -n "$a" neigh add 2001:db8:7::2 lladdr "$(mac "$b")" dev eth0 &&
	ip -n "$b" neigh add 2001:db8:7::1 lladdr "$(mac "$a")" dev eth0
}

# What packet_fuzz_esp.c knows of: AES-GCM and CBC have parts of one key, and the extended numbers begin
# ahead of 2^32 - 300. One that is for all addresses has both families' selectors, or none in tunnel mode.
FUZZ_KEY=${keymat_ab:0:96} GCM_KEY=${keymat_ab:0:40}
CBC="encr=aes-cbc integ=hmac-sha2-256-128 key=$FUZZ_KEY"
EDGE=$(((1 << 32) - 300))

inbound_sas() {
	esp "$b" - <<-EOC
	sa-add direction=in spi=0x1000 src=$OUTER_A dst=$OUTER_B key=$GCM_KEY selector=$NET_A,$NET_B
	sa-add direction=in spi=0x1001 src=2001:db8:6::1 dst=2001:db8:6::2 key=$GCM_KEY
	sa-add direction=in spi=0x1002 src=$OUTER_A dst=$OUTER_B $CBC flags=esn seq=$EDGE
	sa-add direction=in spi=0x1003 src=$OUTER_A dst=$OUTER_B encr=aes-gcm-16-iiv key=$GCM_KEY flags=esn,no-ecn seq=$EDGE encap=$ENCAP_PORT:$ENCAP_PORT
	sa-add direction=in spi=0x1004 mode=transport src=$OUTER_A dst=$OUTER_B key=$GCM_KEY encap=$ENCAP_PORT:$ENCAP_PORT selector=0.0.0.0/0,0.0.0.0/0 selector=::/0,::/0
	sa-add direction=in spi=0x1005 mode=transport src=198.51.100.1 dst=198.51.100.2 $CBC
	EOC
}

receiving_end() {
	tap "$b" 198.51.100.2/24 198.51.100.1 2001:db8:6::2/64 2001:db8:6::1 && silence "$b" && ipv6_between &&
	# What is never whole is not to fill the memory for fragments.
	ns "$b" sysctl -qw net.ipv4.ipfrag_time=1 &&
	esp "$b" encap-add port=$ENCAP_PORT >/dev/null &&
	SAS_IN=$(inbound_sas) && inner_route "$b" b &&
	ns "$b" sysctl -qw net.netfilter.nf_conntrack_frag6_timeout=1
}

# What a sends, native or in UDP: a key of its own, for its numbers begin anew.
tunnel() {
	local udp=${3:+encap=$ENCAP_PORT:$ENCAP_PORT}
	esp "$b" sa-add direction=in "spi=$1" src=$OUTER_A dst=$OUTER_B "key=$2" $udp >/dev/null &&
	esp "$a" sa-add direction=out "spi=$1" src=$OUTER_A dst=$OUTER_B "key=$2" $udp ${4:-}
}

policy() { esp "$a" policy-set direction=out "$@" >/dev/null; }

sending_end() {
	local native udp route
	tap "$a" 10.3.0.254/24 10.3.0.1 2001:db8:c::fe/64 2001:db8:c::1 && silence "$a" &&
	ns "$a" sysctl -qw net.ipv6.conf.eth0.disable_ipv6=0 net.ipv4.ip_forward=1 \
		net.ipv6.conf.all.forwarding=1 &&
	esp "$a" link-add ipsec0 if_id=$IF_ID && ip -n "$a" link set ipsec0 mtu 1500 up && inner_route "$a" a &&
	ip -n "$a" route add 10.9.0.0/24 dev ipsec0 &&
	ip -n "$a" route add 2001:db8:b::/48 dev eth0 || return 1
	native=$(tunnel 0x2000 "$(make_key 128 native)") && udp=$(tunnel 0x2001 "$(make_key 128 udp)" udp) &&
	route=$(tunnel 0x2002 "$(make_key 128 route)" udp if_id=$IF_ID) &&
	policy action=protect if_id=$IF_ID "sa_id=$route" selector=10.1.0.0/24,0.0.0.0/0 \
		selector=2001:db8:a::/48,::/0 &&
	policy action=discard priority=1 selector=0.0.0.0/0,10.2.0.0/16,17,0-65535,9-9 &&
	policy action=protect priority=2 "sa_id=$udp" selector=0.0.0.0/0,10.2.0.0/16,17 &&
	policy action=protect priority=3 "sa_id=$native" selector=0.0.0.0/0,10.2.0.0/16 \
		selector=::/0,2001:db8:b::/48
}

fuzz() {
	# shellcheck disable=SC2086
	packet_fuzz "$1" "$a" "$b" "$FUZZ_KEY" $((SECONDS_IN_ALL / 2)) "$SEED" ${FUZZ_ROUND:-}
}

# balance DIRECTION: what packet_fuzz has to say is shown in any case.
balance() {
	local status
	fuzz "$1" >"$NET_TMP/said" 2>&1
	status=$?
	ktap_print_msg "$(cat "$NET_TMP/said")"
	return $status
}

# Those of the inbound SAs that let nothing through.
useless() {
	local id none=
	for id in $SAS_IN; do
		[ "$(sa_get "$b" "$id" packets)" -gt 0 ] || none+=" $(sa_get "$b" "$id" spi)"
	done
	echo "${none:-none}"
}

# ecn_drops SPI
ecn_drops() { esp "$b" sa-list --json "id=$(of "$1")" | jq '.[0].drops.ECN // 0'; }

# of SPI: the ID of an inbound SA, which were made in the order of their SPIs.
of() {
	# shellcheck disable=SC2086
	set -- $1 $SAS_IN
	shift $(($1 - 0x1000 + 1))
	echo "$1"
}

# Each kind of packet has found its reason.
met() {
	local end=$1 reason missing=
	shift
	read_stats "$end"
	for reason in "$@"; do
		[ "$(in_stats "$reason")" -gt 0 ] || missing+=" $reason"
	done
	echo "${missing:-none}"
}

ktap_print_header
two_hosts
ktap_set_plan 12
check_here "a receiving end" receiving_end
balance in
ktap_equal "ESP: each packet is delivered or dropped by name" $? 0
ktap_equal "reasons not met" "$(met "$b" in-packets RUNT NO_SA CHECKSUM REPLAY REPLAY_WINDOW AUTH PADDING \
	NEXT_HEADER DUMMY INNER_HEADER SELECTOR ECN KEEPALIVE_RUNT)" none
ktap_equal "SPIs of SAs that let nothing through" "$(useless)" none
for spi in 0x1002 0x1003; do
	ktap_at_least "extended numbers of $spi went past 2^32" "$(sa_get "$b" "$(of $spi)" seq)" $((1 << 32))
done
ktap_equal "what the outer header says of ECN is nothing to an SA that was told so" \
	"$(ecn_drops 0x1003) $(($(ecn_drops 0x1001) + $(ecn_drops 0x1002) > 0))" "0 1"
ktap_equal "of those delivered the interface lost none" \
	"$(ip -n "$b" -j -s link show esplane0 | jq '.[0].stats64.rx.dropped')" 0
check_here "a sending end" sending_end
balance out
ktap_equal "cleartext: each packet is sent or dropped by name, and what is sent arrives" $? 0
ktap_equal "reasons not met" "$(met "$a" out-packets DISCARD NO_POLICY TOO_BIG FAMILY SEGMENT)" none
ktap_check "both ends work: there in ESP, back in the clear" net_ping "$a" $INNER_B
ktap_finished
