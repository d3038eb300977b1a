#!/bin/bash
# SPDX-License-Identifier: MIT
# esplaned as it runs in earnest: another user, CAP_NET_ADMIN alone, a system call filter. All that it does in
# its life it must still be able to do: bring a tunnel up in both roles, rekey, answer on the control socket,
# read its configuration again, private key and all, hear the data plane, say goodbye. The peer is strongSwan; both
# authenticate by certificates.
. "$(dirname "$0")/../lib/ktap.sh"
. "$(dirname "$0")/../lib/net.sh"
. "$(dirname "$0")/lib.sh"

need_command swanctl esplaned esplane openssl
ktap_print_header
ktap_set_plan 21

# As esplaned_start of lib.sh, but with all privileges dropped.
start_restricted() {
	local dir
	dir=$(daemon_dir a)
	mkdir -p "$dir"
	chmod 711 "$NET_TMP"
	printf '%s\n' "$1" >"$dir/conf"
	chown -R nobody "$dir"
	chmod 600 "$dir/conf"
	ip netns exec "$a" esplaned --config "$dir/conf" --vici "$dir/vici" --user nobody --debug \
		>>"$dir/log" 2>&1 &
	daemon_pid[a]=$!
	at_exit kill -KILL $!
	busywait "$(slowly 10000)" esplane a version
}

vici() { "$INTEROP_DIR/../lib/vici.py" "$(daemon_dir a)/vici" "$@"; }

status_of() { sed -n "s/^$1:[[:space:]]*\([^[:space:]]*\).*/\1/p" "/proc/${daemon_pid[a]}/status"; }

# by_cert NAME: keys of a section local or remote
by_cert() { printf 'auth = pubkey\nid = %s.example.org\n' "$1"; }

conf_a() {
	conf_connection site $OUTER_A $OUTER_B "$(by_cert a)
	certs = a.pem" "$(by_cert b)" $NET_A $NET_B '' "$@"
}

conf_b() {
	conf_connection site $OUTER_B $OUTER_A "$(by_cert b)
	certs = b.pem" "$(by_cert a)" $NET_B $NET_A
}

credentials() {
	local end
	pki_ca ca ec:P-256
	for end in a b; do
		pki_issue ca $end rsa:2048 $end.example.org DNS:$end.example.org
		pki_give $end ca.pem x509ca
		pki_give $end $end.pem x509
		pki_give $end $end.key private
	done
}

# A mapping of 4 MiB that is locked and left out of core dumps: the heap of private keys.
key_heap() {
	awk '$1 == "Size:" { size = $2 } $1 == "VmFlags:" && size == 4096 && / lo / && / dd / { n++ } END { exit n != 1 }' \
		"/proc/${daemon_pid[a]}/smaps"
}

net_direct
credentials
ip -n "$a" route add $NET_B via $OUTER_B src $INNER_A
ip -n "$b" route add $NET_A via $OUTER_A src $INNER_B
# Not by ktap_check, which would keep the process ID to itself.
start_restricted "$(conf_a)"
ktap_check "starts" esplane a version || ktap_print_msg "$(cat "$(log_of a)")"
charon_start "$b" b "$(conf_b)"

ktap_equal "another user" "$(status_of Uid)" "$(id -u nobody)"
# CAP_NET_ADMIN is bit 12 (linux/capability.h).
ktap_equal "CAP_NET_ADMIN alone, effective" "$(status_of CapEff)" 0000000000001000
ktap_equal "CAP_NET_ADMIN alone, permitted" "$(status_of CapPrm)" 0000000000001000
ktap_equal "and no more to be had" "$(status_of CapBnd)" 0000000000000000
ktap_equal "no new privileges" "$(status_of NoNewPrivs)" 1
# SECCOMP_MODE_FILTER
ktap_equal "system call filter" "$(status_of Seccomp)" 2

ktap_check "private keys on a heap of their own, locked" key_heap

ktap_check "brings a tunnel up" esplane a initiate site net
ktap_check "ping" net_ping "$a" $INNER_B -I $INNER_A
ktap_check "rekeys" esplane a rekey --child net
ktap_check "is rekeyed" swan b --rekey --child net
ktap_check "ping after it" net_ping "$a" $INNER_B -I $INNER_A

conf_a "rekey_packets = 20" >"$(daemon_dir a)/conf"
kill -HUP "${daemon_pid[a]}"
ktap_check "reads its configuration again" busywait 5000 logged a 'configuration reloaded'
esplane a terminate --ike site >/dev/null
ktap_check "is initiated to" swan b --initiate --child net
ns "$a" ping -q -n -c 30 -i 0.02 -I $INNER_A $INNER_B >/dev/null
ktap_check "hears the soft limit" busywait 5000 logged a 'sa-expire'
ktap_check "has a connection loaded by VICI" vici request load-conn loaded.remote_addrs=192.0.2.99 \
	loaded.local.auth=pubkey loaded.local.certs="@$NET_TMP/pki/a.pem" loaded.remote.auth=pubkey loaded.children.net.mode=tunnel
ktap_check "and unloaded" vici request unload-conn name=loaded
ktap_check "has its messages traced by root" vici request esplane-trace
ktap_check "ends when told, the filter not broken" esplaned_stop a
ktap_check "and the peer has let go" busywait 5000 sa_down b
ktap_finished
