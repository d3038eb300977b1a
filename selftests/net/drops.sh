#!/bin/bash
# SPDX-License-Identifier: MIT
# Every reason for which a packet can be dropped (kernel/drop.h) is provoked once, and must be seen
# in all four places: the namespace's counter, the SA's where the packet belonged to one, the trace
# event esplane:drop, and what "esplane stats" and "esplane sa" say.
#
# The list of reasons is the module's own. One that is added there needs a function here, or the test
# fails:
#	provoke_REASON		calls expect, then makes it happen; or calls cannot
#	expect NS SA SPI FLOW [SEQ]	where it will be counted: namespace, ID of the SA if it still exists
#				afterwards, SPI, "SRC -> DST" and sequence number in the trace; "" if there
#				is none or it does not matter
#	cannot WHY		this kernel offers no way: skipped
#
#	a esplane, outbound === ESP ===> b esplane, inbound; a sends right and wrong packets
# Variables that lib.sh sets or reads; functions are called by their reason's name.
# shellcheck disable=SC2034,SC2154,SC2317
. "$(dirname "$0")/lib.sh"

TRACING=/sys/kernel/tracing
FAILSLAB=/sys/kernel/debug/failslab
WORKERS=/sys/devices/virtual/workqueue/cpumask
declare -A at_of sa_of

need_command esplane
[ -d $TRACING/events/esplane ] || ktap_skip_all "no trace events in $TRACING"

seq=0 spi=$SPI_AB next_spi=0x5000 port=9200

# Each packet has a sequence number of its own.
inject() {
	ask "$a" esp send --key "$KEY_AB" --spi "$spi" --from $OUTER_A --to $OUTER_B "$@"
}
next() { seq=$((seq + 1)); }

expect() {
	at=$1 sa=$2 want_spi=${3:-0} flow=$4 want_seq=${5-}
	before=$(counter "$at" "$reason")
	before_sa=0
	[ -z "$sa" ] || before_sa=$(sa_drops)
	: >$TRACING/trace
}

sa_drops() {
	local drops
	drops=$(esp "$at" sa-list --json "id=$sa") && jq ".[0].drops.$reason // 0" <<<"$drops"
}

cannot() { impossible=$1; }

# in_from_a [SA [SPI [SEQ]]]
in_from_a() { expect "$b" "${1-$SA_IN}" "${2-$spi}" "$OUTER_A -> $OUTER_B" "${3-$seq}"; }

# outbound WORD...: an SA at a, and a policy that sends one port of b's inner network there; or
# $traffic, ",PROTOCOL".
outbound() { outbound_sa "$@" && policy out protect "sa_id=$SA_OUT" >/dev/null; }
outbound_sa() {
	next_spi=$(printf '0x%04x' $((next_spi + 1)))
	port=$((port + 1))
	SA_OUT=$(esp "$a" sa-add direction=out "spi=$next_spi" src=$OUTER_A "dst=${peer:-$OUTER_B}" \
		"key=$KEY_AB" "$@")
}

# policy DIRECTION ACTION WORD...
policy() {
	esp "$a" policy-set "direction=$1" "action=$2" \
		"selector=$NET_A,$NET_B${traffic-,17,0-65535,$port-$port}" "${@:3}"
}

out_to_b() { expect "$a" "${1-$SA_OUT}" "${2-$next_spi}" "$INNER_A -> ${to:-$INNER_B}"; }

datagrams() { ask "$a" send "${to:-$INNER_B}" $port "${1:-1}" 1000; }

provoke_RUNT() { in_from_a && inject $seq:cut=30; }

# Native ESP of an unknown SPI is left to whoever else may have it; on our UDP port it is ours.
provoke_NO_SA() {
	spi=0x3000
	in_from_a "" && inject --udp $ENCAP_PORT:$ENCAP_PORT $seq
}

provoke_CHECKSUM() {
	in_from_a "" 0 0
	ns "$a" python3 - $OUTER_A $OUTER_B "$(inject --write $seq)" <<-'EOP'
		import socket, struct, sys
		source, target, esp = sys.argv[1:]
		esp = bytes.fromhex(esp)
		udp = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP)
		udp.bind((source, 0))
		udp.sendto(struct.pack(">HHHH", 4500, 4500, 8 + len(esp), 0xbad0) + esp, (target, 0))
	EOP
}

provoke_REPLAY() { in_from_a && inject $seq $seq; }

# The window of 1,024 moves to end at the first of the two numbers.
provoke_REPLAY_WINDOW() {
	seq=$((seq + 2000))
	in_from_a "$SA_IN" "$spi" $((seq - 1024))
	inject $seq $((seq - 1024))
}

provoke_AUTH() { in_from_a && inject $seq:corrupt; }
provoke_PADDING() { in_from_a && inject $seq:padlen=200; }
# TCP, which is nothing that a tunnel carries.
provoke_NEXT_HEADER() { in_from_a && inject $seq:next=6; }
provoke_DUMMY() { in_from_a && inject $seq:next=59; }
provoke_INNER_HEADER() { in_from_a && inject $seq:inner=5500001c00010000; }
provoke_SELECTOR() { in_from_a && inject --inner 10.9.0.1:10.2.0.1 $seq; }
provoke_ECN() { in_from_a && inject --tos 3 --inner-tos 0 $seq; }

provoke_KEEPALIVE_RUNT() {
	in_from_a "" 0 0 && inject --udp $ENCAP_PORT:$ENCAP_PORT 0:plain=ffff
}

provoke_POLICY_IN() {
	esp "$b" policy-set direction=in action=protect \
		selector=$OUTER_A/32,$OUTER_B/32,17,0-65535,9100-9100 >/dev/null &&
	in_from_a "" 0 0 && ask "$a" send $OUTER_B 9100 1 1000
}

# An SA whose packets come out on an interface that there is not.
provoke_DEV_DOWN() {
	spi=0x1001
	SA_IN_9=$(esp "$b" sa-add direction=in spi=$spi src=$OUTER_A dst=$OUTER_B "key=$KEY_AB" if_id=9) &&
	in_from_a "$SA_IN_9" && inject $seq
}

# In one train: the first packet reaches the limit; IKE, which parts the train; then one too many.
# The SA is removed at once, so that its own counter is gone; and the packet too many must find it
# still there, so who removes it has the CPU on which the train is received, and only that.
provoke_HARD_LIMIT() {
	local packet every status
	spi=0x1002
	every=$(<$WORKERS) && echo 1 >$WORKERS && taskset -p 1 "${worker_pid[$a]}" >/dev/null &&
	esp "$b" sa-add direction=in spi=$spi src=$OUTER_A dst=$OUTER_B "key=$KEY_AB" hard_packets=1 \
		>/dev/null && packet=$(inject --write 1) &&
	in_from_a "" $spi 3 && inject --udp $ENCAP_PORT:$ENCAP_PORT --train 1 "2:plain=${packet//[0-9a-f]/0}" 3
	status=$?
	taskset -p "$every" "${worker_pid[$a]}" >/dev/null
	echo "$every" >$WORKERS
	return $status
}

provoke_DISCARD() {
	port=9101
	policy out discard >/dev/null && out_to_b "" 0 && datagrams
}

# More than a trap policy may hold back.
provoke_NO_OUT_SA() {
	port=9102
	TRAP=$(policy out protect) && out_to_b "" 0 && datagrams 300
}

# What waits for an SA has nothing to wait for without its policy: first what NO_OUT_SA has left behind.
provoke_HOLD_EXPIRED() {
	esp "$a" policy-del "id=$TRAP"
	port=9104
	POLICY=$(policy out protect) && out_to_b "" 0 && datagrams && esp "$a" policy-del "id=$POLICY"
}

# The number before the first is the last there is; the SA is removed at once.
provoke_SEQ_EXHAUSTED() { outbound seq=$(((1 << 32) - 1)) && out_to_b "" && datagrams; }

provoke_NO_ROUTE() {
	local peer=203.0.113.9
	outbound && out_to_b && datagrams
}

provoke_TOO_BIG() {
	local traffic=,1
	outbound && out_to_b && ns "$a" ping -n -c 1 -W 1 -M "do" -s 1460 $INNER_B
	true
}

route_mode() {
	ip -n "$a" link show ipsec0 >/dev/null 2>&1 && return
	esp "$a" link-add ipsec0 if_id=$IF_ID && ip -n "$a" link set ipsec0 up &&
	ip -n "$a" route add 10.9.0.0/24 dev ipsec0 src $INNER_A
}

provoke_NO_POLICY() {
	local to=10.9.0.1
	port=9103
	route_mode && out_to_b "" 0 && datagrams
}

provoke_ROUTE_LOOP() {
	local to=10.9.0.1 peer=198.51.100.9
	route_mode && ip -n "$a" route replace $peer dev ipsec0 && outbound_sa if_id=$IF_ID &&
	esp "$a" policy-set direction=out action=protect "if_id=$IF_ID" "sa_id=$SA_OUT" \
		"selector=$NET_A,10.9.0.0/24,17,0-65535,$port-$port" >/dev/null &&
	out_to_b && datagrams
}

# Two packets that cannot be joined in one train; the queue holds one.
provoke_BACKLOG() {
	local echo=4500001c00010000400166dc0a0100010a0200010000fff700070001
	local most status
	most=$(sysctl -n net.core.netdev_max_backlog)
	sysctl -qw net.core.netdev_max_backlog=0
	in_from_a "$SA_IN" "$spi" $((seq + 1)) &&
		inject --udp $ENCAP_PORT:$ENCAP_PORT --train "$seq:inner=$echo" "$((seq + 1)):inner=$echo"
	status=$?
	next
	sysctl -qw "net.core.netdev_max_backlog=$most"
	return $status
}

# Each packet is a new flow; the chains of connection tracking's hash may be 80 long, and two tuples of
# each flow stand in 512 of them: some will be longer before 20,480. None may be forgotten until then, however slow
# the machine.
provoke_CONNTRACK() {
	local traffic=,17 buckets first all status=1
	modprobe -q nf_conntrack
	buckets=$(sysctl -n net.netfilter.nf_conntrack_buckets 2>/dev/null)
	ns "$a" nft add table ip track 2>/dev/null && [ -n "$buckets" ] ||
		{ cannot "no connection tracking"; return; }
	ns "$a" nft 'add chain ip track out { type filter hook output priority 0; }' &&
	ns "$a" nft add rule ip track out ct state new accept &&
	ns "$a" sysctl -qw net.netfilter.nf_conntrack_udp_timeout=3600 &&
	sysctl -qw net.netfilter.nf_conntrack_buckets=512 && outbound && out_to_b "" 0 &&
	all=$(esp "$a" policy-list get=id | sort -n | tail -n 1) || return 1
	for ((first = 10000; first < 30000; first += 1000)); do
		ns "$a" python3 - $INNER_B $first <<-'EOP'
			import socket, sys
			udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
			for port in range(int(sys.argv[2]), int(sys.argv[2]) + 1000):
			    udp.sendto(b"", (sys.argv[1], port))
		EOP
		rose && { status=0; break; }
	done
	ns "$a" nft delete table ip track
	sysctl -qw "net.netfilter.nf_conntrack_buckets=$buckets"
	esp "$a" policy-del "id=$all"
	return $status
}

# ARP: nothing that IPsec could carry.
provoke_FAMILY() {
	route_mode && expect "$a" "" 0 "" &&
	ns "$a" python3 - <<-'EOP'
		import socket
		ETH_P_ARP = 0x0806
		sock = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_ARP))
		sock.sendto(bytes(28), ("ipsec0", ETH_P_ARP))
	EOP
}

# Not between the hosts that share the SA, but between networks behind them.
provoke_TRANSPORT_ADDRESS() { outbound mode=transport && out_to_b && datagrams; }

# The first of several fragments, with a UDP header.
provoke_TRANSPORT_FRAGMENT() {
	outbound mode=transport && out_to_b &&
	ns "$a" python3 - $INNER_A $INNER_B $port <<-'EOP'
		import socket, struct, sys
		source, target = (socket.inet_aton(word) for word in sys.argv[1:3])
		raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
		raw.sendto(struct.pack(">BBHHHBBH4s4s", 0x45, 0, 36, 1, 0x2000, 64, 17, 0, source, target) +
		           struct.pack(">HHHH", 9, int(sys.argv[3]), 100, 0) + bytes(8), (sys.argv[2], 0))
	EOP
}

# seqiv makes IVs itself and adds them to what is authenticated: RFC 4106's cipher then refuses each
# packet for the wrong length of that.
provoke_CRYPTO() {
	echo 'seqiv(rfc4106(gcm(aes)))' >$OVERRIDE
	outbound || cannot "no cipher that takes keys but no packets"
	echo >$OVERRIDE
	[ -n "$impossible" ] || { out_to_b && datagrams; }
}

# A guest's TCP super-packet, whose header claims to be longer than all of it.
provoke_SEGMENT() {
	local traffic=,6
	modprobe -q tun
	[ -c /dev/net/tun ] || { cannot "no /dev/net/tun"; return; }
	outbound && ns "$a" sysctl -qw net.ipv4.ip_forward=1 && ip -n "$a" tuntap add tun9 mode tun vnet_hdr &&
	ip -n "$a" link set tun9 up && expect "$a" "$SA_OUT" $next_spi "10.1.0.77 -> $INNER_B" &&
	nsenter --net="/run/netns/$a" python3 - 10.1.0.77 $INNER_B <<-'EOP'
		import fcntl, os, socket, struct, sys
		TUNSETIFF, IFF_TUN, IFF_NO_PI, IFF_VNET_HDR = 0x400454ca, 1, 0x1000, 0x4000
		NEEDS_CSUM, GSO_TCPV4 = 1, 1
		tun = os.open("/dev/net/tun", os.O_RDWR)
		fcntl.ioctl(tun, TUNSETIFF, struct.pack("16sH22x", b"tun9", IFF_TUN | IFF_NO_PI | IFF_VNET_HDR))
		source, target = map(socket.inet_aton, sys.argv[1:])
		ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 70, 1, 0, 64, 6, 0, source, target)
		total = sum(struct.unpack(">10H", ip))
		total = (total & 0xffff) + (total >> 16)
		ip = ip[:10] + struct.pack(">H", ~total & 0xffff) + ip[12:]
		# Data offset 15: 60 bytes of TCP header, where the packet has 50 left.
		tcp = struct.pack(">HHIIBBHHH", 9001, 9000, 1, 1, 15 << 4, 0x10, 1024, 0, 0) + bytes(30)
		head = struct.pack("<BBHHHH", NEEDS_CSUM, GSO_TCPV4, 40, 8, 20, 16)
		os.write(tun, head + ip + tcp)
	EOP
}

# The sender's own allocations may sleep and are spared (ignore-gfp-wait). Each CPU has its own route
# to the peer, which takes memory and would fail first: the packet before finds it, on the same CPU. A CPU
# has up to 64 skbs in store.
provoke_NO_MEMORY() {
	[ -d $FAILSLAB ] || { cannot "this kernel has no failslab"; return; }
	outbound && out_to_b || return
	echo Y >$FAILSLAB/task-filter
	echo Y >$FAILSLAB/ignore-gfp-wait
	echo 0 >$FAILSLAB/verbose
	echo -1 >$FAILSLAB/times
	echo 100 >$FAILSLAB/probability
	nsenter --net="/run/netns/$a" taskset -c 0 bash -c '
		exec 3>/dev/udp/$1/$2
		echo x >&3
		echo 1 >/proc/self/make-it-fail
		for _ in {1..100}; do echo x >&3; done
		echo 0 >/proc/self/make-it-fail' - $INNER_B $port
	echo 0 >$FAILSLAB/probability
}

rose() { [ -n "$at" ] && [ $(($(counter "$at" "$reason") - before)) -gt 0 ]; }

# What the counters of namespace and SA rose by; without an SA, the one stands for both.
rises() {
	local rise=$(($(counter "$at" "$reason") - before))
	echo "$rise ${sa:+$(($(sa_drops) - before_sa))}"
}

traced() {
	grep " drop: $reason: " $TRACING/trace |
		grep -F " spi=$(printf '0x%08x' "$want_spi") seq=$want_seq${want_seq:+ }" | grep -qF -- "$flow"
}

# In IPv6 the trace has 16 bytes of each address. Without an SA, in UDP.
traced_v6() {
	local want_spi=0x3000 want_seq=77 flow="2001:db8:7::1 -> 2001:db8:7::2" reason=NO_SA name
	for name in "$a" "$b"; do
		ns "$name" sysctl -qw net.ipv6.conf.eth0.disable_ipv6=0
	done
	ip -n "$a" addr add 2001:db8:7::1/64 dev eth0 nodad && ip -n "$b" addr add 2001:db8:7::2/64 dev eth0 nodad || return
	: >$TRACING/trace
	ns "$a" python3 - 2001:db8:7::2 $ENCAP_PORT <<-'EOP'
		import socket, struct, sys
		udp = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
		udp.sendto(struct.pack(">II", 0x3000, 77) + bytes(40), (sys.argv[1], int(sys.argv[2])))
	EOP
	busywait "$(slowly 3000)" traced
}

provoke() {
	local got
	reason=$1 impossible='' at='' spi=$SPI_AB to=''
	next
	if ! declare -F "provoke_$reason" >/dev/null; then
		ktap_test_fail "$reason: counted" "nothing in this test provokes it"
		ktap_test_fail "$reason: traced" "nothing in this test provokes it"
		return
	fi
	"provoke_$reason" >"$NET_TMP/output" 2>&1 || ktap_print_msg "$reason: $(cat "$NET_TMP/output")"
	if [ -n "$impossible" ]; then
		ktap_test_skip "$reason: counted" "$impossible"
		ktap_test_skip "$reason: traced" "$impossible"
		skipped[$reason]=$impossible
		return
	fi
	[ -z "$at" ] || busywait "$(slowly 2000)" rose
	got=${at:+$(rises)}
	at_of[$reason]=$at sa_of[$reason]=$sa
	# Some of many datagrams, else it is one packet.
	if [[ " NO_OUT_SA CONNTRACK NO_MEMORY " == *" $reason "* ]]; then
		ktap_at_least "$reason: counted" "${got%% *}" 1
	else
		ktap_equal "$reason: counted" "$got" "1 ${sa:+1}"
	fi
	ktap_check "$reason: traced" traced || ktap_print_msg "$(grep -v '^#' $TRACING/trace)"
}

# shows_sa TEXT ID REASON: the part of the SA in the text of "esplane sa" names the reason.
shows_sa() {
	awk -v id="#$2" -v reason="$3:" '
		/^sa:/ { here = $NF == id }
		here && $1 == "dropped:" && $3 == reason { found = 1 }
		END { exit !found }' <<<"$1"
}

# "REASON: 3 packets dropped: MEANING" and advice in the line below. An SA that has dropped nothing before has no memory
# to count in when there is none.
shows_stats() {
	local count
	count=$(jq ".drops.$reason.count" <<<"${json[$at]}") &&
	grep -A 1 "^$reason: $count packets\? dropped: ..*" <<<"${stats[$at]}" |
		grep -q '^  look at: ..*' &&
	{ [ -z "$sa" ] || [ $reason = NO_MEMORY ] || shows_sa "${sas[$at]}" "$sa" "$reason"; }
}

cli() { nsenter --net="/run/netns/$1" esplane "${@:2}"; }

shown() {
	local end
	for end in "$a" "$b"; do
		json[$end]=$(cli "$end" stats --json) && stats[$end]=$(cli "$end" stats) &&
		sas[$end]=$(cli "$end" sa) || ktap_print_msg "esplane fails in $end"
	done
	for reason in $reasons; do
		at=${at_of[$reason]:-} sa=${sa_of[$reason]:-}
		if [ -n "${skipped[$reason]:-}" ]; then
			ktap_test_skip "$reason: shown" "${skipped[$reason]}"
		elif [ -z "$at" ]; then
			ktap_test_fail "$reason: shown" "was not provoked"
		else
			ktap_check "$reason: shown" shows_stats
		fi
	done
}
declare -A json stats sas skipped

# Provokers whose reason the module does not know.
stale() {
	local name
	for name in $(declare -F | sed -n 's/^declare -f provoke_//p'); do
		[[ " $reasons " == *" $name "* ]] || echo "$name"
	done
}

# One SA for people, for programs, for scripts; the same of a policy.
other_shapes() {
	local text
	text=$(cli "$b" sa "$SA_IN")
	ktap_equal "esplane sa ID: that SA alone" "$(grep -c '^sa:' <<<"$text") $(head -n 1 <<<"$text")" \
		"1 sa: 0x00001000 in #$SA_IN"
	ktap_equal "esplane sa 0xSPI: the same" "$(cli "$b" sa 0x1000 | head -n 1)" "$(head -n 1 <<<"$text")"
	ktap_equal "esplane sa --json: with its drops" \
		"$(cli "$b" sa "$SA_IN" --json | jq -r '.sas[0] | "\(.id) \(.spi) \(.drops.AUTH)"')" \
		"$SA_IN 0x00001000 1"
	ktap_equal "esplane sa --dump: 27 columns each" \
		"$(cli "$b" sa --dump | awk -F '\t' '{ print NF }' | sort -u)" 27
	ktap_equal "esplane policy: as many as there are" "$(cli "$a" policy | grep -c '^policy:')" \
		"$(esp "$a" policy-list | wc -l)"
	ktap_equal "esplane policy --json: the same ones" \
		"$(cli "$a" policy --json | jq -r '.policies[].id' | sort -n | tr '\n' ' ')" \
		"$(esp "$a" policy-list get=id | sort -n | tr '\n' ' ')"
	ktap_check_fails "esplane sa of an ID that is not there fails" cli "$b" sa 4000000000
	ktap_check_fails "without CAP_NET_ADMIN it is refused" \
		nsenter --net="/run/netns/$b" setpriv --bounding-set -net_admin --inh-caps -net_admin \
		esplane sa
}

ktap_print_header
two_hosts
worker "$a"
reasons=$(esp "$b" stats --json | jq -r '.drops | keys_unsorted | join(" ")')
ktap_set_plan $((1 + 3 * $(wc -w <<<"$reasons") + 1 + 8 + 1))
inner_route "$a" a
esp "$b" encap-add port=$ENCAP_PORT >/dev/null
SA_IN=$(esp "$b" sa-add direction=in spi=$SPI_AB src=$OUTER_A dst=$OUTER_B "key=$KEY_AB" \
	"selector=$NET_A,$NET_B")
ktap_at_least "an inbound SA" "${SA_IN:-0}" 1
echo 1 >$TRACING/events/esplane/drop/enable
at_exit eval "echo 0 >$TRACING/events/esplane/drop/enable"
for reason in $reasons; do
	provoke "$reason"
done
shown
ktap_equal "every provoker names a reason of the module" "$(stale)" ""
other_shapes
ktap_check "a drop is traced with its addresses and number in IPv6" traced_v6 ||
	ktap_print_msg "$(grep -v '^#' $TRACING/trace)"
ktap_finished
