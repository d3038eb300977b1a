#!/bin/bash
# SPDX-License-Identifier: MIT
# A peer that is known by name, strongSwan, to an esplaned as it runs in earnest: the resolver works under the system
# call filter; a name that is not there yet is asked for again and again, with one line in the log; and when the
# peer has another address the name is looked up anew.
. "$(dirname "$0")/../lib/ktap.sh"
. "$(dirname "$0")/../lib/net.sh"
. "$(dirname "$0")/lib.sh"

need_command swanctl esplaned esplane python3 ss
ktap_print_header
ktap_set_plan 12

NAME=gw.example.org
MOVED=192.0.2.3

# Also readable by a daemon that is nobody.
name_server() {
	chmod 711 "$NET_TMP"
	: >"$NET_TMP/zone"
	mkdir -p "/etc/netns/$a"
	at_exit rm -rf "/etc/netns/$a"
	echo "nameserver 192.0.2.53" >"/etc/netns/$a/resolv.conf"
	echo "hosts: files dns" >"/etc/netns/$a/nsswitch.conf"
	# Of its own prefix, or it would go with the address that the peer leaves.
	ip -n "$b" addr add 192.0.2.53/32 dev eth0
	ip netns exec "$b" "$INTEROP_DIR/../lib/dns.py" 192.0.2.53 "$NET_TMP/zone" >/dev/null 2>"$NET_TMP/dns.log" &
	at_exit kill $!
	busywait "$(slowly 10000)" name_server_listens
}

name_server_listens() { ns "$b" ss -Hlun 'sport = :53' | grep -q .; }

conf_a() {
	conf_psk site %any $NAME a.example.org b.example.org $NET_A $NET_B 'dpd_delay = 2s
			keyingtries = 0' 'start_action = start
					dpd_action = restart'
	echo 'esplaned { retransmit_timeout = 0.2
		retransmit_tries = 3 }'
}

conf_b() { conf_psk site "$1" %any b.example.org a.example.org $NET_B $NET_A; }

start_restricted() {
	local dir
	dir=$(daemon_dir a)
	mkdir -p "$dir"
	conf_a >"$dir/conf"
	chown -R nobody "$dir"
	chmod 600 "$dir/conf"
	ip netns exec "$a" esplaned --config "$dir/conf" --vici "$dir/vici" --user nobody \
		>>"$dir/log" 2>&1 &
	# shellcheck disable=SC2034	# lib.sh reads it
	daemon_pid[a]=$!
	at_exit kill -KILL $!
	busywait "$(slowly 10000)" esplane a version
}

# As IPv4 and as IPv6, each time.
asked_times() { [ "$(grep -c "^$NAME$" "$NET_TMP/dns.log")" -ge $((2 * $1)) ]; }
is_up() { esplane a status --json | jq -e '[.sas[].children[] | select(.state == "INSTALLED")] | length == 1' >/dev/null; }
peer_at() { esplane a status --json | jq -r '.sas[] | select(.state == "ESTABLISHED") | .remote' | grep -qF "$1"; }

net_direct
ip -n "$a" route add $NET_B via $OUTER_B src $INNER_A
ip -n "$b" route add $NET_A via $OUTER_A src $INNER_B
# Not by ktap_check, which would keep the process IDs to itself and wait for the end of their output.
name_server
ktap_check "name server" name_server_listens
charon_start "$b" b "$(conf_b $OUTER_B)"
ktap_check "strongSwan" swan b --stats
start_restricted
ktap_check "esplaned, by name and with all privileges dropped" esplane a version
ktap_check "the name is asked for again and again" busywait "$(slowly 20000)" asked_times 3
ktap_equal "and it is said once" "$(grep -c 'trying again, with pauses' "$(log_of a)")" 1
echo "$NAME $OUTER_B" >"$NET_TMP/zone"
ktap_check "the name comes to be: the tunnel is up" busywait "$(slowly 30000)" is_up ||
	ktap_print_msg "$(tail -n 20 "$(log_of a)" "$(log_of b)" "$NET_TMP/dns.log")"
ktap_check "ping" net_ping "$a" $INNER_B -I $INNER_A

charon_stop b KILL
ip -n "$b" addr del $OUTER_B/24 dev eth0
ip -n "$b" addr add $MOVED/24 dev eth0
ip -n "$b" route replace $NET_A via $OUTER_A src $INNER_B
ip -n "$a" route replace $NET_B via $MOVED src $INNER_A
echo "$NAME $MOVED" >"$NET_TMP/zone"
charon_start "$b" b "$(conf_b $MOVED)"
ktap_check "strongSwan at another address" swan b --stats
ktap_check "it is found there" busywait "$(slowly 60000)" logged a "initiating to $MOVED"
ktap_check "the tunnel is up" busywait "$(slowly 30000)" is_up ||
	ktap_print_msg "$(tail -n 20 "$(log_of a)" "$(log_of b)")"
ktap_check "ping" net_ping "$a" $INNER_B -I $INNER_A ||
	ktap_print_msg "$(esplane a status --json; tail -n 20 "$(log_of a)")"
ktap_check "no system call was one too many: it says goodbye" esplaned_stop a
ktap_finished
