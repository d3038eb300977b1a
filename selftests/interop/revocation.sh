#!/bin/bash
# SPDX-License-Identifier: MIT
# Revoked certificates: strongSwan initiates with certificates that are good, revoked, or that nobody can say anything
# of; esplaned asks OpenSSL's OCSP responder, a web server for CRLs, or looks into files, and lets it in or says why
# not. esplaned runs as it does in earnest: another user, a system call filter, and the fetcher beside it.
. "$(dirname "$0")/../lib/ktap.sh"
. "$(dirname "$0")/../lib/net.sh"
. "$(dirname "$0")/lib.sh"

need_command swanctl esplaned esplane openssl python3
ktap_print_header
ktap_set_plan 34

net_direct
ip -n "$a" route add $NET_B via $OUTER_B src $INNER_A
ip -n "$b" route add $NET_A via $OUTER_A src $INNER_B

NAME_A=a.example.org NAME_B=b.example.org
# A name that has to be looked up, at the end that has the servers.
PKI=pki.example.org
echo "$OUTER_B $PKI" >>/etc/hosts
CRL_URI=http://$PKI:8000/ca.crl OCSP_URI=http://$PKI:8080/ DEAD_URI=http://$PKI:8001/

dir=$NET_TMP/pki
crl_extension="crlDistributionPoints = URI:$CRL_URI"
ocsp_extension="authorityInfoAccess = OCSP;URI:$OCSP_URI"
dead_extension="crlDistributionPoints = URI:$DEAD_URI"
moved_extension="crlDistributionPoints = URI:http://$PKI:8000/moved"

show_logs() { ktap_print_msg "$(tail -n 25 "$(log_of a)" "$(log_of b)")"; }

# The authority's list, and CRLs from it

# entry V|R NAME: a line of openssl-ca(1)'s index
entry() {
	local serial
	serial=$(openssl x509 -in "$dir/$2.pem" -noout -serial)
	printf '%s\t%s\t%s\t%s\tunknown\t/CN=%s\n' "$1" "$(date -u -d '+30 days' +%y%m%d%H%M%SZ)" \
		"$([ "$1" = V ] || echo 261101120000Z,keyCompromise)" "${serial#*=}" "$2"
}

# index REVOKED...: all others of the authority's are good
index() {
	local name
	for name in a plain plain-revoked crl crl-revoked ocsp ocsp-revoked dead moved; do
		case " $* " in
		*" $name "*) entry R $name ;;
		*) entry V $name ;;
		esac
	done >"$dir/index"
	echo 'unique_subject = no' >"$dir/index.attr"
}

# make_crl FILE [FORM]
make_crl() {
	cat >"$dir/ca.cnf" <<-EOC
		[ca]
		default_ca = this
		[this]
		database = $dir/index
		default_md = sha256
		default_crl_days = 1
	EOC
	openssl ca -config "$dir/ca.cnf" -gencrl -keyfile "$dir/ca.key" -cert "$dir/ca.pem" -out "$dir/list.pem" 2>/dev/null &&
		openssl crl -in "$dir/list.pem" -outform "${2:-PEM}" -out "$1"
}

# The servers, at b's end

serve_ocsp() {
	ip netns exec "$b" openssl ocsp -index "$dir/index" -port 8080 -rsigner "$dir/ca.pem" -rkey "$dir/ca.key" \
		-CA "$dir/ca.pem" -ndays 1 >"$NET_TMP/ocsp.log" 2>&1 &
	ocsp_pid=$!
	at_exit kill -KILL $ocsp_pid
	busywait "$(slowly 10000)" tcp_listens 8080
}
stop_ocsp() {
	kill $ocsp_pid
	busywait 5000 tcp_listens_not 8080
}

serve_crls() {
	mkdir -p "$NET_TMP/www"
	cat >"$NET_TMP/www.py" <<-'EOP'
		import http.server, sys
		class Handler(http.server.SimpleHTTPRequestHandler):
		    def do_GET(self):
		        if self.path == "/moved":
		            self.send_response(302)
		            self.send_header("Location", "/ca.crl")
		            self.end_headers()
		        else:
		            super().do_GET()
		    def __init__(self, *args):
		        super().__init__(*args, directory=sys.argv[2])
		http.server.ThreadingHTTPServer((sys.argv[1], 8000), Handler).serve_forever()
	EOP
	ip netns exec "$b" python3 "$NET_TMP/www.py" $OUTER_B "$NET_TMP/www" 2>"$NET_TMP/www.log" &
	at_exit kill -KILL $!
	busywait "$(slowly 20000)" tcp_listens 8000
}
tcp_listens() { ns "$b" ss -Hltn "sport = :$1" | grep -q .; }
tcp_listens_not() { ! tcp_listens "$1"; }
# fetched N: the web server has been asked so often
fetched() { [ "$(grep -c 'GET ' "$NET_TMP/www.log")" -eq "$1" ]; }

# The daemons

# conf_a POLICY [AUTHORITY_KEYS]
conf_a() {
	conf_connection site $OUTER_A $OUTER_B "auth = pubkey
certs = a.pem
id = $NAME_A" "auth = pubkey
id = $NAME_B
revocation = $1" $NET_A $NET_B
	[ -z "${2:-}" ] || printf 'authorities {\nca {\ncacert = ca.pem\n%s\n}\n}\n' "$2"
}

conf_b() {
	local name
	for name in plain plain-revoked crl crl-revoked ocsp ocsp-revoked dead moved stranger; do
		conf_connection $name $OUTER_B $OUTER_A "auth = pubkey
certs = $name.pem
id = $NAME_B" "auth = pubkey
id = $NAME_A" $NET_B $NET_A
		pki_give b $name.pem x509
		pki_give b $name.key private
	done
}

# As esplaned_start of lib.sh, but with all privileges dropped.
start_a() {
	local own
	own=$(daemon_dir a)
	mkdir -p "$own/x509crl"
	chmod 711 "$NET_TMP"
	conf_a relaxed >"$own/conf"
	swanctl_conf >"$own/strongswan.conf"
	chown -R nobody "$own"
	ip netns exec "$a" esplaned --config "$own/conf" --vici "$own/vici" --user nobody --debug >>"$own/log" 2>&1 &
	daemon_pid[a]=$!
	at_exit kill -KILL $!
	busywait "$(slowly 30000)" esplane a version
}

# policy POLICY [AUTHORITY_KEYS]: from here on; what is said before counts no more
policy() {
	conf_a "$@" >"$(daemon_dir a)/conf" && esplane a reload >/dev/null && : >"$(log_of a)"
}

initiate() { swan b --initiate --ike "$1" --child net --timeout "$(slowly 20)" >/dev/null 2>&1; }
down() {
	swan b --terminate --ike "$1" --timeout 10 >/dev/null 2>&1
	busywait 5000 sa_down a
}

# passes TEXT CERT
passes() {
	initiate "$2"
	ktap_check "$1: up" busywait 5000 sa_up a || show_logs
	down "$2"
}
# refused TEXT CERT REGEX
refused() {
	initiate "$2"
	ktap_check "$1: refused, and esplaned says why" busywait 5000 logged a \
		"AUTHENTICATION_FAILED: peer $NAME_B: certificate C=CH, O=esplane, CN=$2: $3" || show_logs
	ktap_check "$1: no SA" sa_down a
}

fetcher_status() {
	local pid
	pid=$(pgrep -P "${daemon_pid[a]}" -x esplaned-fetch) &&
		sed -n "s/^$1:[[:space:]]*\([^[:space:]]*\).*/\1/p" "/proc/$pid/status"
}

pki_ca ca ec:P-256 && pki_ca other ec:P-256 && pki_issue ca a ec:P-256 a DNS:$NAME_A
for cert in plain plain-revoked crl crl-revoked ocsp ocsp-revoked dead moved; do
	case $cert in
	crl*) extension=$crl_extension ;;
	ocsp*) extension=$ocsp_extension ;;
	dead) extension=$dead_extension ;;
	moved) extension=$moved_extension ;;
	*) extension= ;;
	esac
	pki_issue ca $cert ec:P-256 $cert DNS:$NAME_B 30 "$extension"
done
pki_issue other stranger ec:P-256 stranger DNS:$NAME_B 30 "$crl_extension
$ocsp_extension"
for end in a b; do pki_give $end ca.pem x509ca; done
pki_give a a.pem x509
pki_give a a.key private
index crl-revoked ocsp-revoked

start_a
ktap_equal "esplaned starts, with another user and a filter" $? 0 || show_logs
charon_start "$b" b "$(conf_b)"
ktap_equal "strongSwan starts" $? 0 || show_logs
serve_crls && serve_ocsp && make_crl "$NET_TMP/www/ca.crl" DER
ktap_equal "the servers start" $? 0 || ktap_print_msg "$(cat "$NET_TMP/www.log" "$NET_TMP/ocsp.log")"
ktap_equal "the fetcher has no capability" "$(fetcher_status CapEff)" 0000000000000000
ktap_equal "the fetcher has a filter" "$(fetcher_status Seccomp)" 2

# An answer that is kept would hide that the next one is not asked for: each policy begins without.
policy strict
passes "CRL, strict, a good certificate" crl
ktap_check "one fetch" fetched 1
passes "CRL, strict, again" crl
ktap_check "no other fetch: the CRL is kept" fetched 1
refused "CRL, strict, a revoked certificate" crl-revoked \
	"it was revoked at 2026-11-01 12:00 UTC for keyCompromise, a CRL says"
ktap_check "nor for another certificate" fetched 1

passes "OCSP, strict, a good certificate" ocsp
policy relaxed
refused "OCSP, relaxed, a revoked certificate" ocsp-revoked \
	"it was revoked at 2026-11-01 12:00 UTC for keyCompromise, OCSP says"

policy strict
refused "strict, a certificate that nobody can be asked about" plain \
	"it may have been revoked \(remote.revocation = strict\): there is no CRL of its issuer, and no place to ask"
policy ifuri
passes "ifuri, a certificate that nobody can be asked about" plain

stop_ocsp
for policy in strict ifuri; do
	policy $policy
	refused "$policy, OCSP is down" ocsp \
		"it may have been revoked \(remote.revocation = $policy\): $OCSP_URI: connection refused"
done
policy relaxed
passes "relaxed, OCSP is down" ocsp
ktap_check "relaxed, OCSP is down: the log says so" logged a \
	"certificate C=CH, O=esplane, CN=ocsp may have been revoked: $OCSP_URI: connection refused"

policy ifuri
refused "a redirect" moved "it may have been revoked .*: the server answers 302, and redirects are not followed"

# The authority's places, for a certificate that names none.
policy strict "crl_uris = $DEAD_URI, $CRL_URI"
passes "crl_uris of the authority, the second of which is there" plain

# Files, read anew by a reload.
index
make_crl "$(daemon_dir a)/x509crl/ca.pem" || ktap_print_msg "there is no CRL"
policy strict
passes "a CRL of a file, strict" plain
index plain-revoked plain
make_crl "$(daemon_dir a)/x509crl/ca.pem"
passes "a CRL that has changed, before a reload" plain
policy relaxed
refused "a CRL that has changed, after a reload" plain \
	"it was revoked at 2026-11-01 12:00 UTC for keyCompromise, a CRL says"

# CVE-2022-40617: an untrusted certificate that names the places makes nobody ask there.
: >"$NET_TMP/www.log"
policy strict
refused "a stranger's certificate" stranger "it is not trusted"
ktap_check "a stranger's certificate: nothing is fetched" fetched 0

daemon_stop a
daemon_stop b
ktap_finished
