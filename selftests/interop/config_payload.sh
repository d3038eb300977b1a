#!/bin/bash
# SPDX-License-Identifier: MIT
# Addresses by configuration payload, with strongSwan as client and as server: the address is on the client's
# interface, "dynamic" stands for it at both ends, pings go through from it, and when the tunnel ends it is gone. What
# esplaned has given it gives again after a restart, though it would have another one to give.
. "$(dirname "$0")/../lib/ktap.sh"
. "$(dirname "$0")/../lib/net.sh"
. "$(dirname "$0")/lib.sh"

need_command swanctl esplaned esplane
ktap_print_header
ktap_set_plan 19

POOL=10.9.0.0/24
# The first address of the pool is remembered as another peer's; a fresh one gets the second.
TAKEN=10.9.0.1
FRESH=10.9.0.2
LEASES=$NET_TMP/leases

pools() { printf 'pools {\n four {\n addrs = %s\n dns = %s\n }\n}\n' $POOL $INNER_A; }
settings() { printf 'esplaned {\n leases = %s\n}\n' "$LEASES"; }

# routes NS_CLIENT NET ADDRESS NS_SERVER ADDRESS: to the server's network, and back to the pool
routes() {
	ip -n "$1" route add "$2" via "$3"
	ip -n "$4" route add $POOL via "$5"
}

has_address() { ip -n "$1" -o addr show dev eth0 | grep -q "inet $2/32 "; }
has_none() { ! ip -n "$1" -o addr show dev eth0 | grep -q 'inet 10\.9\.'; }
# has_route NS TEXT: to the network of b
has_route() { ip -n "$1" route show $NET_B | grep -q "dev eth0.*$2"; }
# selectors NAME ADDRESS: its CHILD_SA has the address as a selector
selectors() { swan "$1" --list-sas --raw | grep -q "$2/32"; }

initiate() {
	ktap_check "$1" swan "$2" --initiate --child net ||
		ktap_print_msg "$(tail -n 30 "$(log_of a)" "$(log_of b)")"
}

start_server() {
	esplaned_start "$a" a "$(settings; pools; conf_psk site $OUTER_A %any a.example.org b.example.org $NET_A \
		dynamic "pools = four")"
}

strongswan_client() {
	net_direct
	routes "$b" $NET_A $OUTER_A "$a" $OUTER_B
	echo "four $TAKEN somebody.example.org" >"$LEASES"
	start_server
	charon_start "$b" b "$(conf_psk site $OUTER_B $OUTER_A b.example.org a.example.org dynamic $NET_A \
		"vips = 0.0.0.0")"
	initiate "strongSwan as client: initiates" b
	ktap_check "strongSwan as client: the second address is on its interface" has_address "$b" $FRESH
	ktap_check "strongSwan as client: selector at a" selectors a $FRESH
	ktap_check "strongSwan as client: selector at b" selectors b $FRESH
	ktap_check "strongSwan as client: ping" net_ping "$b" $INNER_A -I $FRESH
	ktap_check "strongSwan as client: the lease is in the file" grep -qx "four $FRESH b.example.org" "$LEASES"
	swan b --terminate --ike site >/dev/null
	ktap_check "strongSwan as client: address gone after terminate" busywait 5000 has_none "$b"
	daemon_stop a
	# Whoever has forgotten all would give the first address now.
	sed -i "/$TAKEN/d" "$LEASES"
	start_server
	initiate "strongSwan as client: initiates after a restart of the server" b
	ktap_check "strongSwan as client: the same address as before" has_address "$b" $FRESH
	daemon_stop b
	daemon_stop a
	ns_del "$a"
	ns_del "$b"
}

esplaned_client() {
	net_direct
	# esplaned makes the route to the server's network by itself.
	ip -n "$b" route add $POOL via $OUTER_A
	charon_start "$b" b "$(conf_psk site $OUTER_B %any b.example.org a.example.org $NET_B dynamic \
		"pools = four"; pools)"
	esplaned_start "$a" a "$(conf_psk site $OUTER_A $OUTER_B a.example.org b.example.org dynamic $NET_B \
		"vips = 0.0.0.0")"
	initiate "esplaned as client: initiates" a
	ktap_check "esplaned as client: the first address is on its interface" has_address "$a" $TAKEN
	ktap_check "esplaned as client: a route prefers it" has_route "$a" "src $TAKEN"
	ktap_check "esplaned as client: selector at a" selectors a $TAKEN
	ktap_check "esplaned as client: selector at b" selectors b $TAKEN
	ktap_check "esplaned as client: ping" net_ping "$a" $INNER_B -I $TAKEN
	ktap_check "esplaned as client: rekeying of the CHILD_SA" swan a --rekey --child net
	ktap_check "esplaned as client: ping after it" net_ping "$a" $INNER_B -I $TAKEN
	swan a --terminate --ike site >/dev/null
	ktap_check "esplaned as client: address gone after terminate" busywait 5000 has_none "$a"
	ktap_check_fails "esplaned as client: route gone" has_route "$a" ""
	daemon_stop a
	daemon_stop b
	ns_del "$a"
	ns_del "$b"
}

strongswan_client
esplaned_client

ktap_finished
