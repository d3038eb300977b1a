#!/bin/bash
# SPDX-License-Identifier: MIT
# Both ends by certificates inside of EAP-TLS, beside the one that the server signs IKE_AUTH with: esplaned as client and
# as server, strongSwan as its peer, in fragments. Then a client of another authority. TLS is 1.2, which strongSwan 5.9
# keeps to by itself: told to do 1.3 it sends EAP-Success without the proof that RFC 9190 wants, and as client dies.
. "$(dirname "$0")/../lib/ktap.sh"
. "$(dirname "$0")/../lib/net.sh"
. "$(dirname "$0")/lib.sh"

need_command swanctl esplaned esplane openssl
ktap_print_header
ktap_set_plan 9

net_direct
ip -n "$a" route add $NET_B via $OUTER_B src $INNER_A
ip -n "$b" route add $NET_A via $OUTER_A src $INNER_B

NAME_A=a.example.org NAME_B=b.example.org
# shellcheck disable=SC2034	# lib.sh reads it
charon_plugins="eap-identity eap-tls"

show_logs() { ktap_print_msg "$(tail -n 25 "$(log_of a)" "$(log_of b)")"; }
stop() { daemon_stop a; daemon_stop b; }

# client LOCAL REMOTE LOCAL_ID REMOTE_ID LOCAL_TS REMOTE_TS
client() { conf_connection site "$1" "$2" "auth = eap-tls
certs = own.pem
id = $3" "auth = pubkey
id = $4" "$5" "$6"; }
# server LOCAL LOCAL_ID LOCAL_TS REMOTE_TS
server() { conf_connection site "$1" %any "auth = pubkey
certs = own.pem
id = $2" "auth = eap-tls
id = %any
eap_id = %any" "$3" "$4"; }

# start CLIENT: the other one is the server; a is esplaned, b is strongSwan
start() {
	if [ "$1" = a ]; then
		esplaned_start "$a" a "$(client $OUTER_A $OUTER_B $NAME_A $NAME_B $NET_A $NET_B)" &&
		charon_start "$b" b "$(server $OUTER_B $NAME_B $NET_B $NET_A)"
	else
		esplaned_start "$a" a "$(server $OUTER_A $NAME_A $NET_A $NET_B)" &&
		charon_start "$b" b "$(client $OUTER_B $OUTER_A $NAME_B $NAME_A $NET_B $NET_A)"
	fi
}

up_and_ping() {
	swan "$1" --initiate --child net >/dev/null && busywait 5000 sa_up a && busywait 5000 sa_up b &&
	net_ping "$a" $INNER_B -I $INNER_A
}

# own END NAME: its certificate and key
own() {
	pki_give "$1" ca.pem x509ca
	mkdir -p "$(daemon_dir "$1")/x509" "$(daemon_dir "$1")/private"
	cp -p "$NET_TMP/pki/$2.pem" "$(daemon_dir "$1")/x509/own.pem"
	cp -p "$NET_TMP/pki/$2.key" "$(daemon_dir "$1")/private/own.key"
}

pki_ca ca rsa:2048 && pki_issue ca a rsa:2048 a DNS:$NAME_A && pki_issue ca b rsa:2048 b DNS:$NAME_B &&
	pki_ca other rsa:2048 && pki_issue other stranger rsa:2048 b DNS:$NAME_B
own a a
own b b

start a
ktap_equal "esplaned as client: the daemons start" $? 0 || show_logs
ktap_check "esplaned as client: up, and a ping goes through" up_and_ping a || show_logs
ktap_check "esplaned as client: rekeying of the IKE SA" swan a --rekey --ike site
ktap_check "esplaned as client: a ping after it" net_ping "$a" $INNER_B -I $INNER_A
stop

start b
ktap_equal "strongSwan as client: the daemons start" $? 0 || show_logs
ktap_check "strongSwan as client: up, and a ping goes through" up_and_ping b || show_logs
ktap_check "strongSwan as client: esplaned knows who it is" logged a \
	"peer $NAME_B has proven its identity by eap-tls \(TLSv1\.2\) as $NAME_B"
stop

own b stranger
pki_give b other.pem x509ca
start b
ktap_check_fails "another authority: does not come up" swan b --initiate --child net --timeout 15
ktap_check "another authority: esplaned says why" busywait 5000 logged a \
	"AUTHENTICATION_FAILED: eap-tls \(TLSv1\.2\) as $NAME_B: certificate C=CH, O=esplane, CN=b: it is not trusted" ||
	show_logs
stop

ktap_finished
