#!/bin/bash
# SPDX-License-Identifier: MIT
# Several rounds of authentication (RFC 4739) with strongSwan, each end beginning: a certificate and then a password, for
# which the other end has a certificate; two certificates of both ends; a certificate and then a key. With a key in the
# first of two rounds of the other end only esplaned begins: a strongSwan that has proven itself by a key, as initiator,
# wants all rounds of the responder done at once, whatever follows ("insufficient authentication rounds").
# Then the second round fails, and so does an end that knows of one only.
. "$(dirname "$0")/../lib/ktap.sh"
. "$(dirname "$0")/../lib/net.sh"
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/eap_lib.sh"

need_command swanctl esplaned esplane openssl
ktap_print_header
ktap_set_plan 32

eap_hosts eap-mschapv2

# other END, name END, address END, net END
other() { [ "$1" = a ] && echo b || echo a; }
address() { [ "$1" = a ] && echo $OUTER_A || echo $OUTER_B; }
net() { [ "$1" = a ] && echo $NET_A || echo $NET_B; }

# round END HOW NUMBER CREDENTIALS: the lines of one; a certificate's are only the end's own
round() {
	local name=$1.example.org
	[ "$3" = 1 ] || name=$1$3.example.org
	printf 'round = %s\nid = %s\n' "$3" "$name"
	case $2 in
	key) printf 'auth = psk\n' ;;
	certificate) printf 'auth = pubkey\n%s\n' "${4:+certs = $1$3.pem}" ;;
	password) printf 'auth = eap-mschapv2\neap_id = %s\n' "${4:-%any}" ;;
	esac
}

# rounds SECTION END HOW...: all but the first
rounds() {
	local section=$1 end=$2 number=1 how own=
	[ "$section" = remote ] || own=carol
	shift 3
	for how; do
		number=$((number + 1))
		printf '%s-%s {\n%s\n}\n' "$section" $number "$(round "$end" "$how" $number $own)"
	done
}

# conf END OWN PEER PASSWORD: each a list of rounds
conf() {
	local end=$1 peer own_how peer_how
	peer=$(other "$1")
	read -ra own_how <<<"$2"
	read -ra peer_how <<<"$3"
	conf_connection site "$(address "$end")" "$(address "$peer")" \
		"$(round "$end" "${own_how[0]}" 1 carol)" "$(round "$peer" "${peer_how[0]}" 1)" \
		"$(net "$end")" "$(net "$peer")" \
		"$(rounds local "$end" "${own_how[@]}"; rounds remote "$peer" "${peer_how[@]}")"
	users eap carol "$4"
	printf 'secrets {\n ike-1 {\n secret = %s\n }\n}\n' $INTEROP_PSK
}

# start INITIATOR ITS_ROUNDS OTHER_ROUNDS [PASSWORD]: it and the other one agree on how
start() {
	local of_a=$2 of_b=$3
	[ "$1" = a ] || { of_a=$3; of_b=$2; }
	esplaned_start "$a" a "$(conf a "$of_a" "$of_b" "$([ "$1" = a ] && echo "${4:-Ar3etTnp}" || echo Ar3etTnp)")" &&
	charon_start "$b" b "$(conf b "$of_b" "$of_a" "$([ "$1" = b ] && echo "${4:-Ar3etTnp}" || echo Ar3etTnp)")"
}

# comes_up CASE ITS_ROUNDS OTHER_ROUNDS [END]: by esplaned and by strongSwan, or by END alone
comes_up() {
	local begins case
	for begins in ${4:-a b}; do
		case="$1, $([ $begins = a ] && echo esplaned || echo strongSwan) begins"
		start $begins "$2" "$3"
		ktap_equal "$case: the daemons start" $? 0 || show_logs
		ktap_check "$case: up, and a ping goes through" up_and_ping $begins || show_logs
		stop
	done
}

pki_ca ca ec:P-256
for end in a b; do
	pki_give $end ca.pem x509ca
	for number in 1 2; do
		name=$end.example.org
		[ $number = 1 ] || name=$end$number.example.org
		pki_issue ca $end$number ec:P-256 $end$number DNS:$name
		pki_give $end $end$number.pem x509
		pki_give $end $end$number.key private
	done
done

comes_up "a certificate and a password" "certificate password" certificate
comes_up "a password and a certificate" "password certificate" certificate
comes_up "two certificates each" "certificate certificate" "certificate certificate"
comes_up "a key and a certificate each" "key certificate" "key certificate" a
comes_up "a certificate and a key each" "certificate key" "certificate key"
comes_up "one that begins, by key, two that answer" key "key certificate" a
comes_up "one that begins, two that answer" certificate "key certificate"

start a "certificate password" certificate Wrong
refused "a wrong password of esplaned's" a "AUTHENTICATION_FAILED: eap-mschapv2 as carol: the server refuses the user"
start b "certificate password" certificate Wrong
refused "a wrong password of strongSwan's" b "AUTHENTICATION_FAILED: eap-mschapv2 as carol: the password is wrong"

esplaned_start "$a" a "$(conf a "certificate certificate" certificate -)" &&
	charon_start "$b" b "$(conf b certificate certificate -)"
refused "strongSwan wants one of two rounds" a "the peer refuses our identity a2.example.org or key: AUTHENTICATION_FAILED"

esplaned_start "$a" a "$(conf a certificate "certificate certificate" -)" &&
	charon_start "$b" b "$(conf b certificate certificate -)"
refused "strongSwan has one of two rounds" b \
	"AUTHENTICATION_FAILED: peer b.example.org ends with round 1 of authentication, remote has 2"

ktap_finished
