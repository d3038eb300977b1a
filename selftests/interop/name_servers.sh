#!/bin/bash
# SPDX-License-Identifier: MIT
# Name servers and networks by configuration payload, strongSwan as server, to an esplaned with all privileges dropped:
# resolvconf gets the first for as long as the tunnel is there, however it ends, and routes lead to the second though the
# selectors are for everything.
. "$(dirname "$0")/../lib/ktap.sh"
. "$(dirname "$0")/../lib/net.sh"
. "$(dirname "$0")/lib.sh"

need_command swanctl esplaned esplane resolvconf
ktap_print_header
ktap_set_plan 12

POOL=10.9.0.0/24
SERVER=10.2.0.53

conf_a() {
	conf_psk site $OUTER_A $OUTER_B a.example.org b.example.org dynamic 0.0.0.0/0 'vips = 0.0.0.0'
	echo "esplaned { resolvconf = $(command -v resolvconf) }"
}

conf_b() {
	conf_psk site $OUTER_B %any b.example.org a.example.org $NET_B dynamic 'pools = four'
	printf 'pools {\n four {\n addrs = %s\n dns = %s\n subnet = %s\n }\n}\n' $POOL $SERVER $NET_B
}

start_restricted() {
	local dir
	dir=$(daemon_dir a)
	mkdir -p "$dir"
	chmod 711 "$NET_TMP"
	conf_a >"$dir/conf"
	chown -R nobody "$dir"
	chmod 600 "$dir/conf"
	ip netns exec "$a" esplaned --config "$dir/conf" --vici "$dir/vici" --user nobody --debug \
		>>"$dir/log" 2>&1 &
	# shellcheck disable=SC2034	# lib.sh reads it
	daemon_pid[a]=$!
	at_exit kill -KILL $!
	busywait "$(slowly 10000)" esplane a version
}

# resolvconf's own list, and what programs read.
has_server() { resolvconf -l | grep -qx "nameserver $SERVER" && grep -qx "nameserver $SERVER" /etc/resolv.conf; }
has_none() { ! resolvconf -l | grep -q "$SERVER" && ! grep -q "$SERVER" /etc/resolv.conf; }
has_route() { ip -n "$a" route show $NET_B | grep -q 'dev eth0.*src 10\.9\.0\.'; }

net_direct
ip -n "$b" route add $POOL via $OUTER_A
# A file of somebody else's would not be touched.
rm -f /etc/resolv.conf
resolvconf -u
at_exit resolvconf -u
# shellcheck disable=SC2034	# lib.sh reads it
charon_plugins=attr
charon_start "$b" b "$(conf_b)"
start_restricted
ktap_check "nothing before the tunnel" has_none
ktap_check "initiate" esplane a initiate site net ||
	ktap_print_msg "$(tail -n 30 "$(log_of a)" "$(log_of b)")"
ktap_check "the name server is resolvconf's" busywait "$(slowly 10000)" has_server ||
	ktap_print_msg "$(resolvconf -l; cat /etc/resolv.conf; tail -n 20 "$(log_of a)")"
ktap_check "a route to the network of the payload" has_route ||
	ktap_print_msg "$(ip -n "$a" route; tail -n 20 "$(log_of a)")"
ktap_check "ping" net_ping "$a" $INNER_B
esplane a terminate --ike site >/dev/null
ktap_check "gone with the IKE SA" busywait "$(slowly 10000)" has_none
ktap_check "initiate again" esplane a initiate site net
ktap_check "there again" busywait "$(slowly 10000)" has_server
ktap_check "esplaned ends" esplaned_stop a
ktap_check "gone with it" busywait "$(slowly 10000)" has_none

start_restricted
esplane a initiate site net >/dev/null
busywait "$(slowly 10000)" has_server
ktap_check "esplaned is killed" esplaned_stop a KILL
ktap_check "gone without it" busywait "$(slowly 10000)" has_none ||
	ktap_print_msg "$(resolvconf -l; cat /etc/resolv.conf)"
ktap_finished
