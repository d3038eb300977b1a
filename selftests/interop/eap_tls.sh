#!/bin/bash
# SPDX-License-Identifier: MIT
# Both ends by certificates inside of EAP-TLS, beside the one that the server signs IKE_AUTH with: esplaned as client and
# as server, strongSwan as its peer, in fragments. Then a client of another authority. TLS is 1.2, which strongSwan 5.9
# keeps to by itself: told to do 1.3 it sends EAP-Success without the proof that RFC 9190 wants, and as client dies.
. "$(dirname "$0")/../lib/ktap.sh"
. "$(dirname "$0")/../lib/net.sh"
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/eap_lib.sh"

need_command swanctl esplaned esplane openssl
ktap_print_header
ktap_set_plan 9

eap_hosts eap-tls

# start CLIENT: the other one is the server
start() {
	local keys="auth = eap-tls
certs = own.pem"
	if [ "$1" = a ]; then
		esplaned_start "$a" a "$(eap_client $OUTER_A $OUTER_B "$keys
id = $NAME_A" $NAME_B $NET_A $NET_B)" &&
		charon_start "$b" b "$(eap_server $OUTER_B $NAME_B "auth = eap-tls" $NET_B $NET_A)"
	else
		esplaned_start "$a" a "$(eap_server $OUTER_A $NAME_A "auth = eap-tls" $NET_A $NET_B)" &&
		charon_start "$b" b "$(eap_client $OUTER_B $OUTER_A "$keys
id = $NAME_B" $NAME_A $NET_B $NET_A)"
	fi
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
refused "another authority" b \
	"AUTHENTICATION_FAILED: eap-tls \(TLSv1\.2\) as $NAME_B: certificate C=CH, O=esplane, CN=b: it is not trusted"

ktap_finished
