#!/bin/bash
# SPDX-License-Identifier: MIT
# All that strongSwan's swanctl asks of a daemon, asked of esplaned: connections, secrets, keys, certificates and pools
# that it loads are in force beside those of the configuration file, are listed, and go again; traps are installed and
# uninstalled; events come as they happen. What is refused is refused with its reason. A second client, lib/vici.py,
# checks the protocol itself.
. "$(dirname "$0")/../lib/ktap.sh"
. "$(dirname "$0")/../lib/net.sh"
. "$(dirname "$0")/lib.sh"

need_command swanctl esplaned esplane openssl python3
ktap_print_header
ktap_set_plan 62

LOADS=$NET_TMP/loads
VICI=$INTEROP_DIR/../lib/vici.py

# swan_load COMMAND CONF: from a directory that esplaned does not know
swan_load() {
	printf '%s\n' "$2" >"$LOADS/swanctl.conf"
	STRONGSWAN_CONF=$(daemon_dir a)/strongswan.conf SWANCTL_DIR=$LOADS timeout "$(slowly 60)" \
		swanctl "$1" --file "$LOADS/swanctl.conf" --uri "unix://$(daemon_dir a)/vici" 2>&1
}

# swan_watch COMMAND FILE: line by line, as it comes
swan_watch() {
	STRONGSWAN_CONF=$(daemon_dir a)/strongswan.conf stdbuf -oL \
		swanctl "$1" --uri "unix://$(daemon_dir a)/vici" >"$NET_TMP/$2" 2>&1 &
	at_exit kill $!
}

vici() {
	local name=$1
	shift
	timeout "$(slowly 30)" "$VICI" "$(daemon_dir "$name")/vici" "$@"
}

says() {
	local pattern=$1 said
	shift
	said=$("$@" 2>&1)
	grep -Eq -- "$pattern" <<<"$said" || {
		echo "$said"
		return 1
	}
}
says_not() { ! says "$@" >/dev/null; }

# by_cert NAME [KEYS]
by_cert() { printf 'auth = pubkey\nid = %s.example.org\n%s\n' "$1" "${2:-}"; }

pool() { printf 'pools {\n %s {\n addrs = %s\n }\n}\n' "$1" "$2"; }

loaded_conf() {
	conf_psk site $OUTER_A $OUTER_B psk-a.example.org psk-b.example.org $NET_A $NET_B
	conf_connection certs $OUTER_A $OUTER_B "$(by_cert a 'certs = a.pem')" "$(by_cert b)" $NET_A $NET_B
	conf_connection road $OUTER_A %any "$(by_cert a 'certs = a.pem')" "$(by_cert road)" $NET_A dynamic \
		"pools = clients" | sed 's/net {/road-net {/'
	pool clients 10.9.0.0/24
	printf 'authorities {\n own {\n cacert = ca.pem\n }\n}\n'
}

file_conf() {
	conf_psk filed $OUTER_A 192.0.2.77 filed-a.example.org filed.example.org $NET_A 10.77.0.0/16 | sed 's/net {/far {/'
	pool ours 10.8.0.0/24
}

# What the peer has is in its file.
peer_conf() {
	conf_psk site $OUTER_B $OUTER_A psk-b.example.org psk-a.example.org $NET_B $NET_A
	conf_connection certs $OUTER_B $OUTER_A "$(by_cert b 'certs = b.pem')" "$(by_cert a)" $NET_B $NET_A
	conf_connection road $OUTER_B $OUTER_A "$(by_cert road 'certs = road.pem')" "$(by_cert a)" dynamic $NET_A \
		"vips = 0.0.0.0" | sed 's/net {/road-net {/'
}

credentials() {
	local end
	pki_ca ca ec:P-256
	for end in a b road; do pki_issue ca $end ec:P-256 $end.example.org DNS:$end.example.org; done
	mkdir -p "$LOADS/x509" "$LOADS/x509ca" "$LOADS/private"
	cp "$NET_TMP/pki/a.pem" "$LOADS/x509/"
	cp "$NET_TMP/pki/ca.pem" "$LOADS/x509ca/"
	cp "$NET_TMP/pki/a.key" "$LOADS/private/"
	pki_give b ca.pem x509ca
	for end in b road; do
		pki_give b $end.pem x509
		pki_give b $end.key private
	done
}

loading() {
	ktap_check "--load-all" swan_load --load-all "$(loaded_conf)"
	ktap_check "--load-all once more changes nothing" swan_load --load-all "$(loaded_conf)"
	ktap_equal "what is the same is not loaded again" "$(grep -c 'connections: .* by VICI' "$(log_of a)")" 3
	ktap_check "--list-conns: of the file" says '^filed: IKEv2' swan a --list-conns
	ktap_check "--list-conns: of the client" says '^certs: IKEv2' swan a --list-conns
	ktap_check "--list-conns: certificates by subject" says 'certs: +.*CN=a.example.org' swan a --list-conns
	ktap_check "get-conns: those of clients alone" says '"conns": \["site", "certs", "road"\]' vici a request get-conns
	ktap_check "get-shared" says '"keys": \["ike-1"\]' vici a request get-shared
	ktap_check "get-keys" says '"keys": \["[0-9a-f]{40}"\]' vici a request get-keys
	ktap_check "--list-certs: authority" says 'CN=ca' swan a --list-certs --flag ca
	ktap_check "--list-certs: of its end, with private key" says 'has private key' swan a --list-certs
	ktap_check "--list-pools" says '^clients +10\.9\.0\.1 +0 / 0 / 254' swan a --list-pools
}

tunnels() {
	ktap_check "a tunnel by the secret that was loaded" swan a --initiate --ike site --child net
	ip -n "$a" route replace $NET_B via $OUTER_B src $INNER_A
	ip -n "$b" route replace $NET_A via $OUTER_A src $INNER_B
	ktap_check "ping" net_ping "$a" $INNER_B -I $INNER_A
	swan a --terminate --ike site >/dev/null
	ktap_check "a tunnel by the key that was loaded" swan a --initiate --ike certs --child net
	ktap_check "ping" net_ping "$a" $INNER_B -I $INNER_A
	swan a --terminate --ike certs >/dev/null
	ktap_check "an address out of the pool that was loaded" swan b --initiate --child road-net
	ktap_check "--list-pools --leases: online" says '10\.9\.0\.1 +online +.?road\.example\.org' \
		swan a --list-pools --leases
	swan b --terminate --ike road >/dev/null
	ktap_check "--list-pools --leases: offline" says '10\.9\.0\.1 +offline' swan a --list-pools --leases
}

# Refusals name the place and the reason.
refusals() {
	local bad
	bad=$(conf_psk wrong $OUTER_A $OUTER_B a.example.org b.example.org $NET_A $NET_B "rand_time = never")
	ktap_check "a wrong value: place and reason" \
		says 'VICI connections\.wrong: rand_time: "never" is no time' swan_load --load-conns "$(loaded_conf; echo "$bad")"
	ktap_check "and the others stay" says '^certs: IKEv2' swan a --list-conns
	ktap_check "an unknown key" says 'unknown key .+rekey_tme.+; did you mean .+rekey_time' \
		vici a request load-conn one.rekey_tme=1h one.remote.auth=psk one.local.auth=psk
	ktap_check "a name that the file has" says 'a section \\"filed\\" of its own: change it there' \
		vici a request load-conn filed.remote_addrs=192.0.2.1 filed.local.auth=psk filed.remote.auth=psk
	ktap_check "a command that the file does not name" says 'children\.net: updown: a command is run only if' \
		vici a request load-conn one.local.auth=psk one.remote.auth=psk one.children.net.updown=/bin/true
	ktap_check "what the file has is not unloaded" says "filed is the configuration file's" \
		vici a request unload-conn name=filed
	ktap_check "a key that is none" says 'load-key: ' vici a request load-key type=any data=nonsense
	ktap_check "a key of another type" says 'load-key: the key is of type .*, not rsa' \
		vici a request load-key type=rsa "data=@$NET_TMP/pki/a.key"
	ktap_check "an end's certificate as authority" says 'not of an authority' \
		vici a request load-cert type=X509 flag=CA "data=@$NET_TMP/pki/a.pem"
	ktap_check "a token" says 'PKCS.11.* not supported' vici a request load-token handle=01
	ktap_check "--redirect" says 'RFC 5685.* is not supported' swan a --redirect --ike site --gateway 192.0.2.9
	ktap_check_fails "a command that does not exist" vici a request load-dice
	ktap_equal "secrets are told to nobody" "$(grep -c 'Esplane interop' "$(log_of a)")" 0
}

traps() {
	ktap_check "--install" swan a --install --child net --ike site
	ktap_check "--list-pols shows the trap" says 'site/net, TUNNEL' swan a --list-pols --trap
	ns "$a" ping -q -c 1 -W 1 -I $INNER_A $INNER_B >/dev/null
	ktap_check "traffic brings the tunnel up" busywait 10000 sa_up a
	swan a --terminate --ike site >/dev/null
	ktap_check "--uninstall" swan a --uninstall --child net --ike site
	ktap_check "--list-pols: it has gone" says_not 'site/net' swan a --list-pols --trap
	ktap_check "--uninstall of none: why not" says 'neither trap nor shunt of child net' \
		swan a --uninstall --child net --ike site
}

events() {
	swan_watch --monitor-sa monitor
	swan_watch --log lines
	vici a listen ike-updown child-updown ike-rekey child-rekey >"$NET_TMP/events" &
	at_exit kill $!
	busywait 5000 grep -q listening "$NET_TMP/events"
	# swanctl says nothing when it has registered.
	sleep 2
	swan a --initiate --ike site --child net >/dev/null
	swan a --rekey --child net >/dev/null
	swan a --rekey --ike site >/dev/null
	swan a --terminate --ike site >/dev/null
	ktap_check "--monitor-sa: up and down" says '^site: #[0-9]+, ESTABLISHED' cat "$NET_TMP/monitor"
	ktap_check "--monitor-sa: rekeyed" says 'net: #[0-9]+, reqid' cat "$NET_TMP/monitor"
	ktap_check "--log: lines with their SA" says 'site\[[0-9]+\]/net\{[0-9]+\}: CHILD_SA is up' cat "$NET_TMP/lines"
	ktap_check "events: IKE SA up" says '"ike-updown", "message": \{"up": "yes", "site": ' cat "$NET_TMP/events"
	ktap_check "events: IKE SA down" says '"ike-updown", "message": \{"site": ' busywait_cat "$NET_TMP/events"
	ktap_check "events: CHILD_SA rekeyed, old and new" says '"child-rekey".*"old": .*"new": ' cat "$NET_TMP/events"
	ktap_check "events: IKE SA rekeyed, old and new" says '"ike-rekey".*"old": .*"new": ' cat "$NET_TMP/events"
}
busywait_cat() { busywait 3000 grep -Eq '"ike-updown", "message": \{"site": ' "$1" && cat "$1"; }

# With a tunnel up.
others() {
	swan a --initiate --ike site --child net >/dev/null
	ktap_check "list-sas as a stream" says '"event": "list-sa".*"state": "ESTABLISHED"' \
		vici a request list-sas --stream list-sa
	ktap_check "--stats" says 'IKE_SAs: 1 total, 0 half-open' swan a --stats
	ktap_check "--counters: exchanges" says 'ike-auth-out-req *: [1-9]' swan a --counters
	ktap_check "--counters: rekeyings" says 'child-rekey *: [1-9]' swan a --counters
	ktap_check "--counters --reset" swan a --counters --reset
	ktap_check "--counters after it" says 'ike-auth-out-req *: 0' swan a --counters
	ktap_check "--list-algs" says 'AES_GCM_16\[openssl, kernel\]' swan a --list-algs
	ktap_check "--list-authorities" says 'cacert: .*CN=ca' swan a --list-authorities
	ktap_check "--flush-certs" swan a --flush-certs
}

going() {
	kill -HUP "${daemon_pid[a]}"
	ktap_check "a reload of the file" busywait 5000 logged a 'configuration reloaded: 4 connections'
	ktap_check "leaves what was loaded" says '^certs: IKEv2' swan a --list-conns
	ktap_check "--load-conns without some" swan_load --load-conns \
		"$(conf_psk site $OUTER_A $OUTER_B psk-a.example.org psk-b.example.org $NET_A $NET_B)"
	ktap_check "unloads them" says '"conns": \["site"\]' vici a request get-conns
	ktap_check "their SAs stay" sa_up a
	ktap_check "clear-creds" vici a request clear-creds
	ktap_check "takes the keys along" says '"keys": \[\]' vici a request get-keys
	swan a --terminate --ike site >/dev/null
	ktap_check_fails "and the secrets" swan a --initiate --ike site --child net
}

net_direct
credentials
esplaned_start "$a" a "$(file_conf)"
esplaned_start "$b" b "$(peer_conf)"
loading
tunnels
refusals
traps
events
others
going
ktap_finished
