#!/bin/bash
# SPDX-License-Identifier: MIT
# esplaned and strongSwan authenticate each other by signatures, each as initiator: certificates with RSA (PKCS #1 v1.5
# and PSS), ECDSA and Ed25519 keys, with RFC 7427 and without, with an intermediate authority, with distinguished names; raw public keys; a
# pre-shared key one way and a certificate the other. Then what must not pass, and what esplaned says of it.
. "$(dirname "$0")/../lib/ktap.sh"
. "$(dirname "$0")/../lib/net.sh"
. "$(dirname "$0")/lib.sh"

need_command swanctl esplaned esplane openssl
ktap_print_header
by_day=12
[ "${MATRIX:-}" != full ] || by_day=0
ktap_set_plan $((39 - by_day))

net_direct
ip -n "$a" route add $NET_B via $OUTER_B src $INNER_A
ip -n "$b" route add $NET_A via $OUTER_A src $INNER_B

NAME_A=a.example.org NAME_B=b.example.org

forget() { rm -rf "$(daemon_dir a)" "$(daemon_dir b)"; }

# credentials CA CERT_A CERT_B: each end has its own, and both trust the same
credentials() {
	forget
	pki_give a "$1.pem" x509ca
	pki_give b "$1.pem" x509ca
	pki_give a "$2.pem" x509
	pki_give a "$2.key" private
	pki_give b "$3.pem" x509
	pki_give b "$3.key" private
}

# start LOCAL_A REMOTE_A LOCAL_B REMOTE_B [MORE]
start() {
	esplaned_start "$a" a "$(conf_connection site $OUTER_A $OUTER_B "$1" "$2" $NET_A $NET_B; echo "${5:-}")" &&
	charon_start "$b" b "$(conf_connection site $OUTER_B $OUTER_A "$3" "$4" $NET_B $NET_A; echo "${5:-}")"
}

stop() {
	daemon_stop a
	daemon_stop b
}

show_logs() { ktap_print_msg "$(tail -n 25 "$(log_of a)" "$(log_of b)")"; }

# comes_up CASE BY LOCAL_A REMOTE_A LOCAL_B REMOTE_B [MORE]: both ways; esplaned says that the peer's proof is BY
comes_up() {
	local case=$1 by=$2 initiator
	shift 2
	# Not inside ktap_check: what it runs is in a shell of its own, and this one must know the daemons.
	start "$@"
	ktap_equal "$case: the daemons start" $? 0 || show_logs
	for initiator in a b; do
		: >"$(log_of a)"
		ktap_check "$case: $initiator initiates, and a ping goes through" up_and_ping "$initiator" "$by" ||
			show_logs
		swan $initiator --terminate --ike site >/dev/null
		busywait 10000 sa_down a && busywait 10000 sa_down b
	done
	stop
}

up_and_ping() {
	swan "$1" --initiate --child net >/dev/null && busywait 5000 sa_up a && busywait 5000 sa_up b &&
	logged a "has proven its identity by $2" && net_ping "$a" $INNER_B -I $INNER_A
}

# refused CASE PATTERN INITIATOR ...: does not come up, and esplaned says PATTERN
refused() {
	local case=$1 pattern=$2 initiator=$3
	shift 3
	start "$@"
	: >"$(log_of a)"
	ktap_check_fails "$case: does not come up" swan "$initiator" --initiate --child net --timeout 15
	ktap_check "$case: esplaned says why" busywait 5000 logged a "$pattern" || show_logs
	stop
}

local_cert() { printf 'auth = %s\ncerts = %s.pem\nid = %s\n' "$1" "$2" "$3"; }
remote_id() { printf 'auth = %s\nid = %s\n' "$1" "$2"; }

# by_certificate CASE KEY BY [AUTH_LOCAL [AUTH_REMOTE]]
by_certificate() {
	local key=$2 local=${4:-pubkey} remote=${5:-pubkey}
	pki_ca ca "$key" && pki_issue ca a "$key" a "DNS:$NAME_A" && pki_issue ca b "$key" b "DNS:$NAME_B"
	credentials ca a b
	comes_up "$1" "$3, certificate C=CH, O=esplane, CN=b" \
		"$(local_cert "$local" a $NAME_A)" "$(remote_id "$remote" $NAME_B)" \
		"$(local_cert "$local" b $NAME_B)" "$(remote_id "$remote" $NAME_A)"
}

# by_night ...: by_certificate, with MATRIX=full
by_night() { [ "${MATRIX:-}" != full ] || by_certificate "$@"; }

by_night "RSA" rsa:2048 rsa-sha256
by_certificate "RSASSA-PSS" rsa:2048 rsa/pss-sha384 rsa/pss-sha384
# What a hash behind the kind of key allows holds for certificates too, at both daemons: these are signed with SHA-256.
by_night "ECDSA P-256" ec:P-256 ecdsa-sha256 ecdsa-sha256 ecdsa-256-sha256
by_night "ECDSA P-384" ec:P-384 ecdsa-sha384 ecdsa ecdsa
by_certificate "Ed25519" ed25519 ed25519
# A peer without RFC 7427: methods 1 and 9.
export charon_keys="signature_authentication = no"
by_night "RSA, method 1" rsa:2048 rsa-sha1
by_certificate "ECDSA P-256, method 9" ec:P-256 ecdsa-sha256
charon_keys=

# The root alone is trusted; each end sends its intermediate along. Identities are the subjects.
pki_ca root ec:P-256
pki_issue root sub ec:P-256 sub DNS:sub.example.org 30 "basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign"
pki_issue sub a ec:P-256 a DNS:$NAME_A
pki_issue sub b ec:P-256 b DNS:$NAME_B
credentials root a b
pki_give a sub.pem x509
pki_give b sub.pem x509ca
comes_up "intermediate and distinguished names" "ecdsa-sha256, certificate C=CH, O=esplane, CN=b" \
	"certs = a.pem" 'id = "C=CH, O=esplane, CN=*"' "certs = b.pem" 'id = "C=CH, O=esplane, CN=a"'

forget
for end in a b; do
	openssl pkey -in "$NET_TMP/pki/$end.key" -pubout -out "$NET_TMP/pki/$end.pub"
	pki_give $end $end.key private
done
for end in a b; do
	pki_give a $end.pub pubkey
	pki_give b $end.pub pubkey
done
comes_up "raw public keys" "ecdsa-sha256, raw public key ECDSA-P-256" \
	"$(printf 'pubkeys = a.pub\nid = %s' $NAME_A)" "$(printf 'pubkeys = b.pub\nid = %s' $NAME_B)" \
	"$(printf 'pubkeys = b.pub\nid = %s' $NAME_B)" "$(printf 'pubkeys = a.pub\nid = %s' $NAME_A)"

# A pre-shared key proves a, a certificate b.
pki_ca ca ec:P-256 && pki_issue ca a ec:P-256 a DNS:$NAME_A && pki_issue ca b ec:P-256 b DNS:$NAME_B
psk="secrets { ike { secret = $INTEROP_PSK } }"
credentials ca a b
comes_up "pre-shared key and certificate" "ecdsa-sha256, certificate" \
	"$(remote_id psk $NAME_A)" "$(remote_id pubkey $NAME_B)" \
	"$(local_cert pubkey b $NAME_B)" "$(remote_id psk $NAME_A)" "$psk"

# What must not pass.
usual=("$(local_cert pubkey a $NAME_A)" "$(remote_id pubkey $NAME_B)"
	"$(local_cert pubkey b $NAME_B)" "$(remote_id pubkey $NAME_A)")

pki_ca other ec:P-256 && pki_issue other stranger ec:P-256 b DNS:$NAME_B
credentials ca a b
cp "$NET_TMP/pki/stranger.pem" "$(daemon_dir b)/x509/b.pem"
cp "$NET_TMP/pki/stranger.key" "$(daemon_dir b)/private/b.key"
refused "another authority" "peer $NAME_B: certificate C=CH, O=esplane, CN=b: it is not trusted" b "${usual[@]}"
refused "another authority, as initiator" "AUTHENTICATION_FAILED" a "${usual[@]}"

pki_issue ca wrong ec:P-256 b DNS:c.example.org
credentials ca a b
cp "$NET_TMP/pki/wrong.pem" "$(daemon_dir b)/x509/b.pem"
cp "$NET_TMP/pki/wrong.key" "$(daemon_dir b)/private/b.key"
refused "another name in it" "CN=b: its identity is not in it, only C=CH, O=esplane, CN=b; c.example.org" b "${usual[@]}"

pki_issue ca expired ec:P-256 b DNS:$NAME_B 1
credentials ca a b
cp "$NET_TMP/pki/expired.pem" "$(daemon_dir b)/x509/b.pem"
cp "$NET_TMP/pki/expired.key" "$(daemon_dir b)/private/b.key"
today=$(date +%s)
esplaned_start "$a" a "$(conf_connection site $OUTER_A $OUTER_B "${usual[0]}" "${usual[1]}" $NET_A $NET_B)"
charon_start "$b" b "$(conf_connection site $OUTER_B $OUTER_A "${usual[2]}" "${usual[3]}" $NET_B $NET_A)"
date -s "@$((today + 2 * 24 * 3600))" >/dev/null
ktap_check_fails "expired: does not come up" swan b --initiate --child net --timeout 15
ktap_check "expired: esplaned says so" busywait 5000 logged a "certificate C=CH, O=esplane, CN=b: it has expired" ||
	show_logs
date -s "@$((today + 60))" >/dev/null
stop

# esplaned itself refuses a configuration whose key is missing, with file and line.
credentials ca a b
rm "$(daemon_dir a)/private/a.key"
conf_connection site $OUTER_A $OUTER_B "${usual[0]}" "${usual[1]}" $NET_A $NET_B >"$(daemon_dir a)/conf"
check_says() { command esplane check "$(daemon_dir a)/conf" 2>&1 | grep -Eq "$1"; }
ktap_check "no private key: file and line" check_says \
	"conf:8: connection \"site\": there is no private key for our certificate C=CH, O=esplane, CN=a"

ktap_finished
