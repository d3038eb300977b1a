#!/bin/bash
# SPDX-License-Identifier: MIT
# A user with a name and a password, by EAP-MSCHAPv2, and a server with a certificate: esplaned as the one and as the
# other, strongSwan as its peer. Then a wrong password, both ways, and what esplaned says.
. "$(dirname "$0")/../lib/ktap.sh"
. "$(dirname "$0")/../lib/net.sh"
. "$(dirname "$0")/lib.sh"

need_command swanctl esplaned esplane openssl
[ -e /usr/lib/ipsec/plugins/libstrongswan-eap-mschapv2.so ] ||
	ktap_skip_all "strongSwan here has no plugin eap-mschapv2 (package libcharon-extauth-plugins)"
ktap_print_header
ktap_set_plan 11

net_direct
ip -n "$a" route add $NET_B via $OUTER_B src $INNER_A
ip -n "$b" route add $NET_A via $OUTER_A src $INNER_B

NAME_A=a.example.org NAME_B=b.example.org
# shellcheck disable=SC2034	# lib.sh reads it
charon_plugins="eap-identity eap-mschapv2"

show_logs() { ktap_print_msg "$(tail -n 25 "$(log_of a)" "$(log_of b)")"; }
stop() { daemon_stop a; daemon_stop b; }

# users NAME PASSWORD
users() { printf 'secrets {\n eap-1 {\n id = %s\n secret = "%s"\n }\n}\n' "$1" "$2"; }
client() { conf_connection site "$1" "$2" "auth = eap-mschapv2
id = $3
eap_id = $4" "auth = pubkey
id = $5" "$6" "$7"; }
server() { conf_connection site "$1" "$2" "auth = pubkey
certs = server.pem
id = $3" "auth = eap-mschapv2
id = %any
eap_id = %any" "$4" "$5"; }

# start CLIENT NAME PASSWORD: the other one is the server, and knows carol; a is esplaned, b is strongSwan
start() {
	if [ "$1" = a ]; then
		esplaned_start "$a" a "$(client $OUTER_A $OUTER_B $NAME_A "$2" $NAME_B $NET_A $NET_B; users "$2" "$3")" &&
		charon_start "$b" b "$(server $OUTER_B %any $NAME_B $NET_B $NET_A; users carol Ar3etTnp)"
	else
		esplaned_start "$a" a "$(server $OUTER_A %any $NAME_A $NET_A $NET_B; users carol Ar3etTnp)" &&
		charon_start "$b" b "$(client $OUTER_B $OUTER_A $NAME_B "$2" $NAME_A $NET_B $NET_A; users "$2" "$3")"
	fi
}

up_and_ping() {
	swan "$1" --initiate --child net >/dev/null && busywait 5000 sa_up a && busywait 5000 sa_up b &&
	net_ping "$a" $INNER_B -I $INNER_A
}

# refused CASE CLIENT PATTERN
refused() {
	ktap_check_fails "$1: does not come up" swan "$2" --initiate --child net --timeout 15
	ktap_check "$1: esplaned says why" busywait 5000 logged a "$3" || show_logs
	stop
}

pki_ca ca ec:P-256 && pki_issue ca server-a ec:P-256 a DNS:$NAME_A && pki_issue ca server-b ec:P-256 b DNS:$NAME_B
for end in a b; do
	pki_give $end ca.pem x509ca
	for kind in pem:x509 key:private; do
		pki_give $end server-$end.${kind%:*} "${kind#*:}"
		mv "$(daemon_dir $end)/${kind#*:}/server-$end.${kind%:*}" \
			"$(daemon_dir $end)/${kind#*:}/server.${kind%:*}"
	done
done

start a carol Ar3etTnp
ktap_equal "esplaned as client: the daemons start" $? 0 || show_logs
ktap_check "esplaned as client: up, and a ping goes through" up_and_ping a || show_logs
ktap_check "esplaned as client: rekeying of the IKE SA" swan a --rekey --ike site
ktap_check "esplaned as client: a ping after it" net_ping "$a" $INNER_B -I $INNER_A
stop

start b carol Ar3etTnp
ktap_equal "strongSwan as client: the daemons start" $? 0 || show_logs
ktap_check "strongSwan as client: up, and a ping goes through" up_and_ping b || show_logs
ktap_check "strongSwan as client: esplaned knows who it is" logged a \
	"peer $NAME_B has proven its identity by eap-mschapv2 as carol"
stop

start a carol Wrong
refused "esplaned as client, wrong password" a \
	"AUTHENTICATION_FAILED: eap-mschapv2 as carol: the server refuses the user or the password: E=691"
start b carol Wrong
refused "strongSwan as client, wrong password" b "AUTHENTICATION_FAILED: eap-mschapv2 as carol: the password is wrong"

ktap_finished
