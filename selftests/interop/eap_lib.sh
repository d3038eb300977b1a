# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Two hosts on one wire, of which the one that begins is authenticated by EAP: a is esplaned, b is strongSwan.
# Source it after lib.sh, which it needs, and call eap_hosts first.
#
#	eap_hosts PLUGIN...	makes them; strongSwan has these plugins besides eap-identity
#	$NAME_A, $NAME_B	who they are
#	eap_client LOCAL REMOTE LOCAL_KEYS REMOTE_ID LOCAL_TS REMOTE_TS
#				prints the connection of who begins, towards a server that signs
#	eap_server LOCAL LOCAL_ID REMOTE_KEYS LOCAL_TS REMOTE_TS
#				prints that of the other one, which has x509/own.pem, and takes any user
#	own END NAME [CA]	gives an end that certificate and key as "own", and CA (ca) to trust
#	users SECTION ID SECRET	prints a secret
#	up_and_ping END		that end begins, and a ping goes through
#	refused CASE END PATTERN	that end begins in vain, and esplaned's log has PATTERN; stops both
#	show_logs, stop		of both

# shellcheck disable=SC2034	# the scripts read them
NAME_A=a.example.org NAME_B=b.example.org

eap_hosts() {
	net_direct
	ip -n "$a" route add "$NET_B" via "$OUTER_B" src "$INNER_A"
	ip -n "$b" route add "$NET_A" via "$OUTER_A" src "$INNER_B"
	# shellcheck disable=SC2034	# lib.sh reads it
	charon_plugins="eap-identity $*"
}

eap_client() {
	conf_connection site "$1" "$2" "$3" "auth = pubkey
id = $4" "$5" "$6"
}

eap_server() {
	conf_connection site "$1" %any "auth = pubkey
certs = own.pem
id = $2" "$3
id = %any
eap_id = %any" "$4" "$5"
}

own() {
	local dir
	dir=$(daemon_dir "$1")
	pki_give "$1" "${3:-ca}.pem" x509ca
	mkdir -p "$dir/x509" "$dir/private"
	cp -p "$NET_TMP/pki/$2.pem" "$dir/x509/own.pem"
	cp -p "$NET_TMP/pki/$2.key" "$dir/private/own.key"
}

users() { printf 'secrets {\n %s {\n id = %s\n secret = "%s"\n }\n}\n' "$1" "$2" "$3"; }

up_and_ping() {
	swan "$1" --initiate --child net >/dev/null && busywait 5000 sa_up a && busywait 5000 sa_up b &&
	net_ping "$a" "$INNER_B" -I "$INNER_A"
}

show_logs() { ktap_print_msg "$(tail -n 25 "$(log_of a)" "$(log_of b)")"; }
stop() { daemon_stop a; daemon_stop b; }

refused() {
	ktap_check_fails "$1: does not come up" swan "$2" --initiate --child net --timeout 15
	ktap_check "$1: esplaned says why" busywait 5000 logged a "$3" || show_logs
	stop
}
