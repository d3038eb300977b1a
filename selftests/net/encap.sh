#!/bin/bash
# SPDX-License-Identifier: MIT
# ESP in UDP (RFC 3948) and the port that it shares with IKE: what the daemon's socket must see and
# what not, also when the kernel hands packets over in super-packets; who may register a port; that the
# tunnel outlives the daemon; and how a peer's new port is told.
#
#	a (esp.py) --- UDP 4500 ---> b esplane, espctl holding the socket
# Variables that lib.sh sets or reads.
# shellcheck disable=SC2034,SC2154
. "$(dirname "$0")/lib.sh"

# The non-ESP marker (RFC 3948 section 2.2), then something that stands for IKE.
IKE=00000000
IKE_PORT=500

inject() {
	ask "$a" esp send --key "$KEY_AB" --spi $SPI_AB \
		--from $OUTER_A --to $OUTER_B --udp "${sport:-$ENCAP_PORT}:${dport:-$ENCAP_PORT}" "$@"
}

# What the socket received since the last call, as hexadecimal, joined: UDP_GRO may join datagrams too.
socket_saw() {
	tail -n "+$((seen + 1))" "$SOCKET" | jq -r .hex | tr -d '\n'
}
forget_seen() { seen=$(wc -l <"$SOCKET"); }
socket_saw_is() { [ "$(socket_saw)" = "$1" ]; }
accepted_is() { [ "$(sa_get "$b" "$SA_IN_b" packets)" = "$1" ]; }

# reaches NAME WANT-HEX WANT-ACCEPTED ARGUMENT...
reaches() {
	local name=$1 want=$2 packets=$3 before
	shift 3
	before=$(sa_get "$b" "$SA_IN_b" packets)
	forget_seen
	inject "$@"
	busywait "$(slowly 1000)" socket_saw_is "$want"
	busywait "$(slowly 1000)" accepted_is $((before + packets))
	ktap_equal "$name" "$(socket_saw) $(($(sa_get "$b" "$SA_IN_b" packets) - before))" "$want $packets"
}

hold_socket() {
	SOCKET=$NET_TMP/socket
	ip netns exec "$b" espctl encap-add port=$ENCAP_PORT --hold "$@" >"$SOCKET" 2>&1 &
	SOCKET_PID=$!
	at_exit kill $SOCKET_PID
	busywait "$(slowly 5000)" grep -q ready "$SOCKET"
}

release_socket() {
	kill $SOCKET_PID
	wait $SOCKET_PID 2>/dev/null
	! udp_listening "$b" $ENCAP_PORT
}

repeated() { printf "$1%.0s" $(seq "$2"); }

# A datagram of the size of an ESP packet of esp.py: 8 + 8 + 36 + 2 + 2 + 16 = 72 bytes.
ike_of_72() { printf '%s%s%s' $IKE "$1" "$(repeated 00 67)"; }

socket_and_esp() {
	check_here "the socket is registered and held" hold_socket
	reaches "an IKE datagram reaches the socket" ${IKE}0102 0 0:plain=${IKE}0102
	reaches "ESP does not, and is accepted" "" 1 1
	reaches "a keepalive ends in the module" "" 0 0:plain=ff
	reaches "ten IKE datagrams in one super-packet" "$(repeated ${IKE}aabb 10)" 0 \
		--train "$(repeated "0:plain=${IKE}aabb " 10)"
	reaches "a super-packet with IKE between ESP" "$(ike_of_72 e1)$(ike_of_72 e2)" 3 --train \
		2 "0:plain=$(ike_of_72 e1)" 3 "0:plain=$(ike_of_72 e2)" 4
	reaches "a super-packet that ends with IKE shorter than ESP" "${IKE}77" 2 --train \
		5 6 "0:plain=${IKE}77"
	reaches "a super-packet that ends with a keepalive" "" 2 --train 7 8 0:plain=ff
	ktap_equal "nothing of that was a drop" "$(drops "$b")" 0
}

# Registered with ike-only, a port carries no ESP: 500 has no non-ESP marker.
ike_only() {
	esp "$b" encap-add port=$IKE_PORT ike_only=1 >/dev/null
	dport=$IKE_PORT
	reaches "ESP to an ike-only port is not taken" "" 0 20
	dport=
}

# IKE must pass the policies, even one that demands protection for everything.
exempt() {
	local out in
	out=$(esp "$a" policy-set direction=out action=protect priority=1 "selector=0.0.0.0/0,0.0.0.0/0")
	in=$(esp "$b" policy-set direction=in action=protect priority=1 "selector=0.0.0.0/0,0.0.0.0/0")
	esp "$a" encap-add port=$ENCAP_PORT >/dev/null
	reaches "IKE passes policies that protect everything, at both ends" ${IKE}33 0 0:plain=${IKE}33
	forget_seen
	sport=4700 inject 0:plain=${IKE}44
	ktap_equal "other UDP of the sender does not" \
		"$(counter "$a" held) $(socket_saw)" "1 "
	esp "$a" policy-del "id=$out"
	esp "$b" policy-del "id=$in"
	esp "$a" encap-del port=$ENCAP_PORT
}

outlives() {
	check_here "the socket closes" release_socket
	reaches "the tunnel goes on without it" "" 1 30
	check_here "the next daemon registers the same port" hold_socket
	reaches "and gets its IKE" ${IKE}55 0 0:plain=${IKE}55
	esp "$b" encap-del port=$ENCAP_PORT
	before=$(sa_get "$b" "$SA_IN_b" packets)
	inject 31
	ktap_equal "after encap-del the port is an ordinary one" "$(sa_get "$b" "$SA_IN_b" packets)" "$before"
	ktap_check_fails "encap-del of a port that is not registered is refused" \
		esp "$b" encap-del port=$ENCAP_PORT
	release_socket
	esp "$b" encap-add port=$ENCAP_PORT >/dev/null
}

# An authentic packet from another port: the peer's NAT has changed its mind. One that is not
# authentic tells nothing.
mapping() {
	events "$b"
	sport=5555 inject 40:corrupt
	ktap_equal "an altered packet from a new port raises no event" "$(wc -l <"$EVENTS")" 0
	sport=5556 inject 41 42 43
	ktap_check "an authentic one does" busywait "$(slowly 2000)" event_is '.event == "sa-mapping"'
	ktap_equal "with SA, SPI, cookie, old and new place" "$(jq -r '.data |
		"\(.sa_id) \(.spi) \(.cookie) \(.src) \(.sport) \(.old_src) \(.old_sport)"' <"$EVENTS")" \
		"$SA_IN_b 0x00001000 12 $OUTER_A 5556 $OUTER_A $ENCAP_PORT"
	ktap_equal "the SA is as it was: moving is the daemon's decision" \
		"$(sa_get "$b" "$SA_IN_b" encap_sport)" $ENCAP_PORT
	esp "$b" sa-update "id=$SA_IN_b" encap=5556:$ENCAP_PORT
	: >"$EVENTS"
	sleep 1.2
	sport=5556 inject 46
	before=$(sa_get "$b" "$SA_IN_b" packets)
	inject 44 45
	ktap_equal "packets that come late by the old place are taken" \
		$(($(sa_get "$b" "$SA_IN_b" packets) - before)) 2
	ktap_equal "after sa-update the place is not new any more, and late packets tell nothing" \
		"$(wc -l <"$EVENTS")" 0
}

bad_checksum() {
	local before accepted
	before=$(counter "$b" CHECKSUM) accepted=$(sa_get "$b" "$SA_IN_b" packets)
	ns "$a" python3 - $OUTER_A $OUTER_B "$(inject --write 50)" <<-'EOP'
		import socket, struct, sys
		source, target, esp = sys.argv[1:]
		esp = bytes.fromhex(esp)
		udp = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP)
		udp.bind((source, 0))
		udp.sendto(struct.pack(">HHHH", 5556, 4500, 8 + len(esp), 0xbad0) + esp, (target, 0))
	EOP
	ktap_equal "a wrong UDP checksum is dropped by name" \
		"$(($(counter "$b" CHECKSUM) - before)) $(($(sa_get "$b" "$SA_IN_b" packets) - accepted))" "1 0"
}

accepted_and_dropped() {
	echo "$(($(sa_get "$b" "$SA_IN_b" packets) - accepted)) $(($(counter "$b" CHECKSUM) - before))"
}

# One packet twice: without a checksum it does not even use up its number.
without_checksum() {
	local before accepted name
	for name in a b; do
		ns "${!name}" sysctl -qw net.ipv6.conf.eth0.disable_ipv6=0 &&
		ip -n "${!name}" addr add "2001:db8:7::$name/64" dev eth0 nodad
	done
	before=$(counter "$b" CHECKSUM) accepted=$(sa_get "$b" "$SA_IN_b" packets)
	ns "$a" python3 - 2001:db8:7::b "$(inject --write 60)" <<-'EOP'
		import socket, sys
		UDP_NO_CHECK6_TX = 101		# linux/udp.h
		udp = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
		for off in (1, 0):
		    udp.setsockopt(socket.IPPROTO_UDP, UDP_NO_CHECK6_TX, off)
		    udp.sendto(bytes.fromhex(sys.argv[2]), (sys.argv[1], 4500))
	EOP
	busywait "$(slowly 5000)" eval '[ "$(accepted_and_dropped)" = "1 1" ]'
	ktap_equal "over IPv6 UDP without a checksum is dropped by name (RFC 8200 section 8.1), with one not" \
		"$(accepted_and_dropped)" "1 1"
}

ktap_print_header
two_hosts
ktap_set_plan $((1 + 9 + 1 + 2 + 6 + 6 + 2))
worker "$a"
UDP=1
esp "$b" encap-add port=$ENCAP_PORT >/dev/null
SA_IN_b=$(esp "$b" sa-add direction=in spi=$SPI_AB src=$OUTER_A dst=$OUTER_B "key=$KEY_AB" \
	encap=$ENCAP_PORT:$ENCAP_PORT cookie=12 "selector=$NET_A,$NET_B")
ktap_at_least "an SA with UDP encapsulation" "${SA_IN_b:-0}" 1
socket_and_esp
ike_only
exempt
outlives
mapping
bad_checksum
without_checksum
ktap_finished
