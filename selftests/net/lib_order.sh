# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Whether what goes from a to b arrives in the order it was sent in. Sourced behind lib.sh.
#
#	tunnel_up		one between a and b
#	numbered TRAINS PAUSE [SNDBUF]
#				trains of mixed sizes of numbered datagrams, PAUSE seconds behind each:
#				all came, none twice, none late
#	tcp_in_order BYTES	neither end of a TCP connection finds that segments passed each other; in
#				reordered how often the sender found it

# Variables that lib.sh sets.
# shellcheck disable=SC2154

tunnel_up() {
	new_keys
	esplane_end "$a" a && esplane_end "$b" b && inner_route "$a" a && inner_route "$b" b
}

numbered() {
	local sent came receiver
	nsenter --net="/run/netns/$b" python3 "$NET_DIR/order.py" receive $INNER_B 9000 "$(slowly 1)" \
		>"$NET_TMP/came" &
	receiver=$!
	busywait "$(slowly 20000)" udp_listening "$b" 9000 || return 1
	sent=$(ns "$a" python3 "$NET_DIR/order.py" send $INNER_B 9000 "$1" "$2" ${3:+"$3"})
	wait $receiver
	came=$(cat "$NET_TMP/came")
	echo "$sent sent; came, twice, late: $came"
	[ -n "$sent" ] && [ "$came" = "$sent 0 0" ]
}

# tcp_counter NS NAME
tcp_counter() { ns "$1" nstat -asz "$2" | awk -v name="$2" '$1 == name { print $2 }'; }

# Segments that came before their turn, did so for another that was lost (a queue was full) and sent again.
tcp_in_order() {
	local sack stamp early again
	reordered=0
	sack=$(tcp_counter "$a" TcpExtTCPSACKReorder)
	stamp=$(tcp_counter "$a" TcpExtTCPTSReorder)
	again=$(tcp_counter "$a" TcpRetransSegs)
	early=$(tcp_counter "$b" TcpExtTCPOFOQueue)
	net_send "$a" "$b" $INNER_B "$1" || return 1
	sack=$(($(tcp_counter "$a" TcpExtTCPSACKReorder) - sack))
	stamp=$(($(tcp_counter "$a" TcpExtTCPTSReorder) - stamp))
	again=$(($(tcp_counter "$a" TcpRetransSegs) - again))
	early=$(($(tcp_counter "$b" TcpExtTCPOFOQueue) - early))
	# shellcheck disable=SC2034
	reordered=$((sack + stamp))
	echo "reordered by SACK $sack, by timestamp $stamp; sent again $again, early $early"
	[ "$sack $stamp" = "0 0" ] && { [ $early = 0 ] || [ $again -gt 0 ]; }
}
