#!/bin/bash
# SPDX-License-Identifier: MIT
# A user with a name and a password, by EAP-MSCHAPv2, and a server with a certificate: esplaned as the one and as the
# other, strongSwan as its peer. Then a wrong password, both ways, and what esplaned says.
. "$(dirname "$0")/../lib/ktap.sh"
. "$(dirname "$0")/../lib/net.sh"
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/eap_lib.sh"

need_command swanctl esplaned esplane openssl
[ -e /usr/lib/ipsec/plugins/libstrongswan-eap-mschapv2.so ] ||
	ktap_skip_all "strongSwan here has no plugin eap-mschapv2 (package libcharon-extauth-plugins)"
ktap_print_header
ktap_set_plan 21

eap_hosts eap-mschapv2

# Both ends' configurations go through it.
both="cat"

# A PPK (RFC 8784) that each end requires.
with_ppk() {
	sed '/^[[:space:]]*site {/a ppk_id = one\nppk_required = yes'
	printf 'secrets {\n ppk-1 {\n id = one\n secret = 0sMTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTI=\n }\n}\n'
}

# start CLIENT NAME PASSWORD: the other one is the server, and knows carol
start() {
	local keys takes="auth = eap-mschapv2"
	keys="auth = eap-mschapv2
id = $([ "$1" = a ] && echo $NAME_A || echo $NAME_B)
eap_id = $2"
	if [ "$1" = a ]; then
		esplaned_start "$a" a "$({ eap_client $OUTER_A $OUTER_B "$keys" $NAME_B $NET_A $NET_B; users eap "$2" "$3"; } | $both)" &&
		charon_start "$b" b "$({ eap_server $OUTER_B $NAME_B "$takes" $NET_B $NET_A; users eap carol Ar3etTnp; } | $both)"
	else
		esplaned_start "$a" a "$({ eap_server $OUTER_A $NAME_A "$takes" $NET_A $NET_B; users "${4:-eap}" carol "${5:-Ar3etTnp}"; } | $both)" &&
		charon_start "$b" b "$({ eap_client $OUTER_B $OUTER_A "$keys" $NAME_A $NET_B $NET_A; users eap "$2" "$3"; } | $both)"
	fi
}

pki_ca ca ec:P-256 && pki_issue ca server-a ec:P-256 a DNS:$NAME_A && pki_issue ca server-b ec:P-256 b DNS:$NAME_B
own a server-a
own b server-b

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

both=with_ppk
for end in a b; do
	start $end carol Ar3etTnp
	ktap_check "$end as client, with a PPK: up, and a ping goes through" up_and_ping $end || show_logs
	ktap_check "$end as client, with a PPK: it is in use" logged a 'IKE SA is up .*, with PPK'
	ktap_check "$end as client, with a PPK: rekeying of the IKE SA" swan a --rekey --ike site
	ktap_check "$end as client, with a PPK: a ping after it" net_ping "$a" $INNER_B -I $INNER_A
	stop
done
both="cat"

# The hash of the password, as secrets.ntlm has it, is as good as the password.
hash=0x$(printf Ar3etTnp | iconv -t UTF-16LE | openssl dgst -md4 -provider legacy -provider default -r | cut -c1-32)
start b carol Ar3etTnp ntlm "$hash"
ktap_equal "by the hash of a password: the daemons start" $? 0 || show_logs
ktap_check "by the hash of a password: up, and a ping goes through" up_and_ping b || show_logs
stop

start a carol Wrong
refused "esplaned as client, wrong password" a \
	"AUTHENTICATION_FAILED: eap-mschapv2 as carol: the server refuses the user or the password: E=691"
start b carol Wrong
refused "strongSwan as client, wrong password" b "AUTHENTICATION_FAILED: eap-mschapv2 as carol: the password is wrong"

ktap_finished
