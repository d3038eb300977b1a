#!/bin/bash
# SPDX-License-Identifier: MIT
# A flood of IKE_SA_INIT from addresses that nobody has, at the real daemon: its memory does not grow, nobody gets more
# bytes than were sent in its name, the tunnel that is there carries a stream without loss and is rekeyed, and a peer
# that is genuine gets in meanwhile. Then what came from a genuine peer comes again, late, twice and in another order:
# nothing changes. The peer is strongSwan.
. "$(dirname "$0")/../lib/ktap.sh"
. "$(dirname "$0")/../lib/net.sh"
. "$(dirname "$0")/lib.sh"

FLOOD_SOURCES=198.18.0.0/15
# Under emulation both ends of the flood are on the same two CPUs. By night a million.
FLOOD=60000
RATE=2500
[ "${MATRIX:-}" != full ] || FLOOD=1000000
MEMORY_MOST=4096 # kB that may come to it: 30 half-open IKE SAs, and what the allocator keeps

need_command swanctl esplaned esplane ike_flood jq nft
ktap_print_header
ktap_set_plan 15

net_direct
ip -n "$a" route add $NET_B via $OUTER_B src $INNER_A
ip -n "$b" route add $NET_A via $OUTER_A src $INNER_B
# Whatever is answered goes to b, which has no way for it either.
ip -n "$a" route add $FLOOD_SOURCES via $OUTER_B

NET_C=10.3.0.0/24
second() { sed 's/ike-1/ike-2/'; }
# Whoever comes, from anywhere: what nobody sends is answered, until cookies are asked for.
third() { sed 's/ike-1/ike-3/'; }
conf_a() {
	conf_psk site $OUTER_A $OUTER_B a.example.org b.example.org $NET_A $NET_B
	conf_psk other $OUTER_A $OUTER_B a.example.org c.example.org $NET_A $NET_C | second
	conf_psk anyone $OUTER_A %any a.example.org d.example.org $NET_A $NET_B | third
}
conf_b() {
	conf_psk site $OUTER_B $OUTER_A b.example.org a.example.org $NET_B $NET_A
	conf_psk other $OUTER_B $OUTER_A c.example.org a.example.org $NET_C $NET_A | second
}

rss() { awk '/^VmRSS/ { print $2 }' "/proc/${daemon_pid[a]}/status"; }
cookies_sent() { esplane a stats | grep -q '^cookies-sent: '; }
# Of the flood and of what answers it, as a sees them.
count_flood() {
	ns "$a" nft -f - <<-EOC
	table ip flood {
		counter asked { }
		counter answered { }
		chain input { type filter hook input priority 0; ip saddr $FLOOD_SOURCES counter name asked; }
		chain output { type filter hook output priority 0; ip daddr $FLOOD_SOURCES counter name answered; }
	}
	EOC
}
# counted NAME: bytes of IKE, without IPv4 and UDP.
counted() {
	ns "$a" nft -j list counter ip flood "$1" |
		jq '.nftables[] | select(.counter).counter | .bytes - 28 * .packets'
}

esplaned_start "$a" a "$(conf_a)"
charon_start "$b" b "$(conf_b)"
ktap_check "a tunnel comes up" swan b --initiate --child net --ike site
# What strangers would need: an exchange that was genuine.
capture "$b" eth0 "$NET_TMP/genuine" "udp port 500 or udp port 4500"
ktap_check "it is rekeyed" swan b --rekey --ike site
ktap_check "and again" swan b --rekey --child net
sleep 1
capture_stop


# Without it there is nothing to wait for at the end.
stream_start "$b" "$a" $INNER_A || { ktap_test_fail "the stream starts" "its receiver does not listen"; exit 1; }
before=$(rss)
count_flood
ip netns exec "$b" ike_flood $OUTER_A $FLOOD $RATE >"$NET_TMP/sent" &
flood=$!
at_exit kill -KILL $flood
ktap_check "cookies are asked for" busywait "$(slowly 20000)" cookies_sent
ktap_check "in its midst a genuine peer comes" swan b --initiate --child net --ike other
ktap_check "in its midst the tunnel's CHILD_SA is rekeyed" esplane a rekey --child net
ktap_check "the flood goes on" kill -TERM $flood
wait $flood
after=$(rss)
stream_stop
read -r sent sent_bytes seconds <"$NET_TMP/sent"
ktap_print_msg "$sent requests of $sent_bytes bytes in $seconds s; memory $before kB before, $after kB after"
ktap_at_least "a flood it was" "$sent" "$FLOOD"
ktap_at_least "memory did not grow" "$((before + MEMORY_MOST))" "$after"
asked=$(counted asked) answered=$(counted answered)
ktap_print_msg "$answered bytes in answer to $asked"
ktap_check "it was answered" test "$answered" -gt 0
ktap_at_least "with no more bytes than it had" "$asked" "$answered"
ktap_at_least "the stream ran" "$stream_sent" 1000
ktap_equal "and lost nothing" "$stream_lost" 0 || ktap_print_msg "$(ns "$a" espctl stats --json)"

# Late, twice, and from the last to the first.
again() {
	ns "$b" python3 - "$NET_TMP/genuine" $OUTER_A <<-'EOP'
	import socket, struct, sys
	data = open(sys.argv[1], "rb").read()
	order = "<" if data[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1") else ">"
	frames, at = [], 24
	while at < len(data):
	    length = struct.unpack(order + "I", data[at + 8:at + 12])[0]
	    frames.append(data[at + 16:at + 16 + length])
	    at += 16 + length
	wanted = socket.inet_aton(sys.argv[2])
	packets = [f[14:] for f in frames if f[12:14] == b"\x08\0" and f[30:34] == wanted]
	raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
	for packet in packets[::-1] + packets + packets:
	    raw.sendto(packet, (sys.argv[2], 0))
	print(len(packets))
	EOP
}
sas() { swan a --list-sas --raw | grep -Eo '(initiator|responder)-spi=[0-9a-f]*|spi-(in|out)=[0-9a-f]*' | sort; }
was=$(sas)
ktap_at_least "old messages come again, twice, backwards" "$(again)" 4
sleep 1
ktap_equal "and change nothing" "$(sas)" "$was"
ktap_finished
