#!/bin/bash
# SPDX-License-Identifier: MIT
# esplane trace: tshark reads the payloads of IKE_AUTH and of a rekeying that esplaned sent and received, encrypted on
# the wire; the file is root's alone, the daemon says when it begins and when it ends, and nothing is told to others.
# And logs: as JSON, in the journal's protocol, and never with a secret in them, by a pre-shared key and by EAP.
. "$(dirname "$0")/../lib/ktap.sh"
. "$(dirname "$0")/../lib/net.sh"
. "$(dirname "$0")/lib.sh"

need_command swanctl esplaned esplane tshark openssl python3 jq
ktap_print_header
ktap_set_plan 29

TRACE=$NET_TMP/trace.pcapng
PASSWORD=correct-horse-battery

# fields FILTER FIELD...: of the trace
fields() {
	local filter=$1 arguments=() field
	shift
	for field in "$@"; do arguments+=(-e "$field"); done
	tshark -n -r "$TRACE" -Y "$filter" -T fields "${arguments[@]}" 2>/dev/null
}
# seen FILTER [FILE]: tshark finds such a packet
seen() { [ -n "$(tshark -n -r "${2:-$TRACE}" -Y "$1" 2>/dev/null)" ]; }
not_seen() { ! seen "$@"; }

# start_logging CONF ARGUMENTS...: esplaned of a, which logs in its own way; lib.sh stops it
# shellcheck disable=SC2034
start_logging() {
	local conf=$1 dir
	dir=$(daemon_dir a)
	shift
	mkdir -p "$dir"
	printf '%s\n' "$conf" >"$dir/conf"
	swanctl_conf >"$dir/strongswan.conf"
	ip netns exec "$a" esplaned --config "$dir/conf" --vici "$dir/vici" --no-privdrop "$@" >>"$dir/log" 2>&1 &
	daemon_pid[a]=$!
	at_exit kill -KILL $!
	busywait "$(slowly 30000)" esplane a version
}

# Encoded as they could be printed.
forms_of() {
	local hex
	hex=$(printf %s "$1" | xxd -p | tr -d '\n')
	printf '%s\n' "$1" "$hex" "$(printf %s "$1" | base64 -w 0)" "$(sed 's/../& /g; s/ $//' <<<"$hex")" \
		"$(sed 's/../&:/g; s/:$//' <<<"$hex")"
}
# tells_none_of FILE TEXT...: in no form
tells_none_of() {
	local file=$1 text form
	shift
	for text in "$@"; do
		while read -r form; do
			! grep -qiF -- "$form" "$file" || { echo "$file holds $form"; return 1; }
		done < <(forms_of "$text")
	done
}

psk() { conf_psk site "$1" "$2" "$3.example.org" "$4.example.org" "$5" "$6"; }

tracing() {
	local wire=$NET_TMP/wire.pcap
	esplaned_start "$a" a "$(psk $OUTER_A $OUTER_B a b $NET_A $NET_B)"
	esplaned_start "$b" b "$(psk $OUTER_B $OUTER_A b a $NET_B $NET_A)"
	capture "$a" eth0 "$wire" -s 0
	command esplane --uri "unix://$(daemon_dir a)/vici" trace "$TRACE" 2>"$NET_TMP/trace.err" &
	local tracer=$!
	at_exit kill $tracer
	ktap_check "begins, and says so in the log" busywait 10000 logged a 'decrypted IKE messages go to process'
	ktap_equal "the file is its owner's alone" "$(stat -c %a "$TRACE")" 600
	swan a --initiate --ike site --child net >/dev/null
	swan a --rekey --child net >/dev/null
	swan a --terminate --ike site >/dev/null
	kill $tracer
	ktap_check "ends, and says so in the log" busywait 10000 logged a 'go to that process no longer'
	capture_stop "$wire"
	ktap_check "IKE_SA_INIT" seen 'isakmp.exchangetype == 34 && isakmp.key_exchange.data'
	ktap_equal "both directions of IKE_AUTH" "$(fields 'isakmp.exchangetype == 35' ip.src | sort | tr '\n' ' ')" \
		"$OUTER_A $OUTER_B "
	ktap_check "identities are readable" says_field 'a\.example\.org' isakmp.id.data.fqdn
	ktap_check "so are traffic selectors" says_field '10\.2\.0\.0' isakmp.ts.start_ipv4
	ktap_check "so is AUTH" seen 'isakmp.exchangetype == 35 && isakmp.typepayload == 39'
	ktap_check "no payload is encrypted" not_seen 'isakmp.typepayload == 46'
	ktap_check "none is malformed" not_seen '_ws.malformed'
	ktap_check "checksums are right" not_seen 'ip.checksum.status == 0 || udp.checksum.status == 0'
	ktap_check "CREATE_CHILD_SA: REKEY_SA" seen 'isakmp.exchangetype == 36 && isakmp.notify.msgtype == 16393'
	ktap_check "INFORMATIONAL: DELETE" seen 'isakmp.exchangetype == 37 && isakmp.typepayload == 42'
	ktap_check "the wire had them encrypted" seen 'isakmp.exchangetype == 35 && isakmp.typepayload == 46' "$wire"
	ktap_check "and nothing of them in clear" not_seen 'isakmp.ts.start_ipv4' "$wire"
	ktap_check "packets name their IKE SA" grep -aq 'site\[1\]: decrypted' "$TRACE"
	ktap_check "a file that is there is not overwritten" says_trace 'File exists' "$TRACE"
	ktap_check_fails "who is not root gets nothing" trace_as_nobody
	ktap_check "and the daemon says why" grep -q 'only root may see' "$NET_TMP/nobody"
	esplaned_stop b
	esplaned_stop a
}
says_field() { fields 'isakmp.exchangetype == 35' "$2" | grep -q "$1"; }
says_trace() { esplane a trace "$2" 2>&1 | grep -q "$1"; }
# Past the command's own check, as a client of the protocol, whom the socket lets in.
trace_as_nobody() {
	local dir
	dir=$(daemon_dir a)
	chmod 711 "$NET_TMP" "$dir"
	chmod 666 "$dir/vici"
	setpriv --reuid nobody --clear-groups "$INTEROP_DIR/../lib/vici.py" "$dir/vici" request esplane-trace \
		>"$NET_TMP/nobody" 2>&1
}

json() {
	rm -f "$(log_of a)"
	start_logging "$(psk $OUTER_A $OUTER_B a b $NET_A $NET_B)" --json --log info,child:debug
	esplaned_start "$b" b "$(psk $OUTER_B $OUTER_A b a $NET_B $NET_A)"
	esplane a initiate site net >/dev/null 2>&1
	ktap_check "JSON: each line is an object" jq -es 'all(has("message") and has("level"))' "$(log_of a)"
	ktap_check "JSON: connection, SAs and SPIs are named" jq -es 'any(.connection == "site" and .child == "net" and
		(.spi_in // "" | test("^[0-9a-f]{8}$")) and (.ike_spis // "" | test("^[0-9a-f]{16}_i ")))' "$(log_of a)"
	esplaned_stop a
	python3 -c 'import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
while True:
	sys.stdout.buffer.write(s.recv(65536) + b"--\n"); sys.stdout.flush()' "$NET_TMP/journal" >"$NET_TMP/entries" &
	at_exit kill $!
	busywait 5000 test -S "$NET_TMP/journal"
	start_logging "$(psk $OUTER_A $OUTER_B a b $NET_A $NET_B)" --journal="$NET_TMP/journal"
	esplane a initiate site net >/dev/null 2>&1
	ktap_check "journal: the message" grep -q '^MESSAGE=\[site\[1\]/net{1}\] CHILD_SA is up' "$NET_TMP/entries"
	ktap_check "journal: fields to look for" grep -q '^ESPLANE_CONNECTION=site$' "$NET_TMP/entries"
	ktap_check "journal: SPIs" grep -Eq '^ESPLANE_SPI=[0-9a-f]{8}$' "$NET_TMP/entries"
	esplaned_stop a
	esplaned_stop b
}

# The password, the key and what was made of them, in no debug log of either end.
eap() {
	pki_ca ca ec:P-256
	pki_issue ca a ec:P-256 a.example.org DNS:a.example.org
	pki_give a ca.pem x509ca
	pki_give a a.pem x509
	pki_give a a.key private
	pki_give b ca.pem x509ca
	: >"$(log_of a)"
	: >"$(log_of b)"
	esplaned_start "$a" a "$(eap_conf $OUTER_A $OUTER_B "auth = pubkey
		id = a.example.org
		certs = a.pem" "auth = eap-mschapv2
		id = carol
		eap_id = carol" $NET_A $NET_B)"
	esplaned_start "$b" b "$(eap_conf $OUTER_B $OUTER_A "auth = eap-mschapv2
		id = carol" "auth = pubkey
		id = a.example.org" $NET_B $NET_A)"
	ktap_check "EAP: a tunnel" swan b --initiate --ike site --child net
	ktap_check "EAP: no password in a debug log" tells_none_of "$(log_of a)" "$PASSWORD"
	ktap_check "EAP: nor at the client" tells_none_of "$(log_of b)" "$PASSWORD"
	ktap_check "EAP: nor the keys of the kernel's SAs" no_long_hex "$(log_of a)" "$(log_of b)"
	esplaned_stop b
	esplaned_stop a
}
eap_conf() {
	conf_connection site "$@"
	printf 'secrets {\n eap-carol {\n id = carol\n secret = "%s"\n }\n}\n' $PASSWORD
}
# Keys have 16 bytes at least; of what is written in hex the longest are the SPIs of an IKE SA.
no_long_hex() { ! grep -HE '(^|[^0-9a-f])[0-9a-f]{32,}' "$@"; }

net_direct
tracing
ktap_check "no pre-shared key in a debug log" tells_none_of "$(log_of a)" 'Esplane interop test key' $INTEROP_PSK
json
eap
ktap_finished
