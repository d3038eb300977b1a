#!/bin/bash
# SPDX-License-Identifier: MIT
# esplaned by strongSwan's own client of VICI for Python (vm/vici-python): the program knows nothing of esplane, loads a
# whole configuration, brings tunnels with strongSwan up and down, looks at all that there is to look at, listens to
# events, and is told by exceptions what cannot be.
. "$(dirname "$0")/../lib/ktap.sh"
. "$(dirname "$0")/../lib/net.sh"
. "$(dirname "$0")/lib.sh"

need_command swanctl esplaned esplane openssl python3
[ -d /build/python/vici ] || ktap_skip_all "no VICI client for Python (vm/run --vici-python)"
ktap_print_header
ktap_set_plan 34

export PKI=$NET_TMP/pki PYTHONPATH=/build/python

# py PROGRAM: with a session s, and say(LABEL, WHAT...), which prints a line
py() {
	timeout "$(slowly 120)" python3 -c "
import os, socket, ssl, time, vici
path = os.environ['PKI'] + '/'
sock = socket.socket(socket.AF_UNIX)
sock.connect('$(daemon_dir a)/vici')
s = vici.Session(sock)
def read(name): return open(path + name, 'rb').read()
def say(label, *what): print(label + ':', *what, flush=True)
def refused(label, error, function):
	try: function()
	except error as e: say(label, type(e).__name__, e)
$1" 2>&1
}

# run PROGRAM: what it says is for shows
run() {
	py "$1" >"$NET_TMP/said"
	ktap_check "$2" test $? = 0 || ktap_print_msg "$(cat "$NET_TMP/said")"
}

# shows LABEL REGEX: the line of LABEL fits
shows() {
	ktap_check "$1" grep -Eq -- "^$1: .*($2)" "$NET_TMP/said" || ktap_print_msg "$(grep "^$1:" "$NET_TMP/said")"
}

peer_conf() {
	conf_psk site $OUTER_B $OUTER_A b.example.org a.example.org $NET_B $NET_A
	conf_connection certs $OUTER_B $OUTER_A 'auth = pubkey
		id = b.example.org
		certs = b.pem' 'auth = pubkey
		id = a.example.org' $NET_B $NET_A
	conf_connection road $OUTER_B $OUTER_A 'auth = pubkey
		id = b.example.org
		certs = b.pem' 'auth = pubkey
		id = a.example.org' dynamic $NET_A "vips = 0.0.0.0" | sed 's/net {/road-net {/'
}

credentials() {
	local end
	pki_ca ca ec:P-256
	for end in a b; do pki_issue ca $end ec:P-256 $end.example.org DNS:$end.example.org; done
	pki_give b ca.pem x509ca
	pki_give b b.pem x509
	pki_give b b.key private
}

# What a connection needs comes before it.
loading() {
	run "
s.load_shared({'id': 'site-key', 'type': 'IKE', 'data': b'Esplane interop test key',
	'owners': ['a.example.org', 'b.example.org']})
s.load_authority({'own': {'cacert': read('ca.pem')}})
s.load_cert({'type': 'X509', 'flag': 'NONE', 'data': read('a.pem')})
say('load_key', s.load_key({'type': 'any', 'data': read('a.key')})['id'])
s.load_pool({'clients': {'addrs': '10.9.0.0/24', 'dns': ['10.1.0.53']}})
common = {'version': '2', 'local_addrs': ['$OUTER_A'], 'remote_addrs': ['$OUTER_B'],
	'proposals': ['aes128gcm16-prfsha256-x25519']}
child = {'local_ts': ['$NET_A'], 'remote_ts': ['$NET_B'], 'esp_proposals': ['aes128gcm16-x25519']}
s.load_conn({'site': dict(common, local={'auth': 'psk', 'id': 'a.example.org'},
	remote={'auth': 'psk', 'id': 'b.example.org'}, children={'net': dict(child, rekey_time='1h')})})
ends = {'local': {'auth': 'pubkey', 'id': 'a.example.org', 'certs': [read('a.pem')]},
	'remote': {'auth': 'pubkey', 'id': 'b.example.org'}}
s.load_conn({'certs': dict(common, **ends, children={'net': child})})
s.load_conn({'road': dict(common, **ends, remote_addrs=['%any'], pools=['clients'],
	children={'road-net': dict(child, remote_ts=['dynamic'])})})
" "secrets, keys, certificates, a pool and connections are loaded"
	shows load_key "b'[0-9a-f]{40}'"
}

looking() {
	run "
say('version', s.version()['daemon'])
say('stats', list(s.stats()))
say('get_conns', s.get_conns()['conns'])
say('list_conns', list(s.list_conns({'ike': 'site'})))
say('get_authorities', s.get_authorities())
say('list_authorities', list(s.list_authorities()))
for c in s.list_certs({'type': 'X509', 'flag': 'NONE'}):
	say('list_certs', c['data'] == ssl.PEM_cert_to_DER_cert(read('a.pem').decode()), c.get('has_privkey'))
say('get_keys', s.get_keys()['keys'])
say('get_shared', s.get_shared()['keys'])
say('get_pools', s.get_pools({'leases': 'yes'}))
say('get_algorithms', list(s.get_algorithms()['aead']))
" "all that there is to look at"
	shows version "b'esplaned'"
	shows stats "'ikesas'"
	shows get_conns "b'site', b'certs', b'road'"
	shows list_conns "b'a.example.org'.*b'10.2.0.0/24'"
	shows get_authorities "b'own'"
	shows list_authorities "CN=ca"
	shows list_certs "True b'yes'"
	shows get_keys "b'[0-9a-f]{40}'"
	shows get_shared "b'site-key'"
	shows get_pools "b'10.9.0.1'.*b'254'"
	shows get_algorithms "AES_GCM_16"
}

# What a program learns of a tunnel: another one has begun to listen before.
tunnels() {
	py "
say('listening')
for event, message in s.listen(['ike-updown', 'child-updown', 'child-rekey', 'ike-rekey']):
	say(event.decode(), message.get('up'))" >"$NET_TMP/events" &
	at_exit kill $!
	busywait "$(slowly 30000)" grep -q listening "$NET_TMP/events"
	run "
for line in s.initiate({'ike': 'site', 'child': 'net'}): say('initiate', line['msg'].decode())
" "initiate"
	shows initiate "CHILD_SA is up"
	ip -n "$a" route replace $NET_B via $OUTER_B src $INNER_A
	ip -n "$b" route replace $NET_A via $OUTER_A src $INNER_B
	ktap_check "ping" net_ping "$a" $INNER_B -I $INNER_A
	run "
def children(): return [len(sa['site']['child-sas']) for sa in s.list_sas()]
for sa in s.list_sas({'ike': 'site'}):
	sa = sa['site']
	child = list(sa['child-sas'].values())[0]
	say('list_sas', sa['state'], sa['remote-id'], child['state'], int(child['packets-in']) >= 3)
say('rekey', s.rekey({'child': 'net'})['matches'], s.rekey({'ike': 'site'})['matches'])
end = time.monotonic() + 20
while children() != [1] and time.monotonic() < end: time.sleep(0.2)
say('left', children())
say('get_counters', dict(s.get_counters()['counters'][''])['ike-auth-out-req'])
s.reset_counters()
say('reset_counters', dict(s.get_counters()['counters'][''])['ike-auth-out-req'])
for line in s.terminate({'ike': 'site'}): say('terminate', line['msg'].decode())
" "a life of a tunnel"
	shows list_sas "b'ESTABLISHED' b'b.example.org' b'INSTALLED' True"
	shows rekey "b'1' b'1'"
	shows left "\\[1\\]"
	shows get_counters "b'[1-9]"
	shows reset_counters "b'0'"
	shows terminate "IKE SA"
	ktap_check "events: up, rekeyed, down" busywait 5000 all_events || ktap_print_msg "$(cat "$NET_TMP/events")"
	# The three have the same identities: it is the method that tells site from road, and certs fits better.
	run "s.unload_conn({'name': 'certs'})" "a connection is unloaded"
	ktap_check "a peer gets an address out of the pool" swan b --initiate --child road-net
}
all_events() {
	local event
	for event in "ike-updown: b'yes'" "child-updown: b'yes'" "child-rekey: None" "ike-rekey: None" "ike-updown: None"; do
		grep -q "^$event" "$NET_TMP/events" || return 1
	done
}

others() {
	run "
say('lease', s.get_pools({'leases': 'yes'})['clients'])
list(s.terminate({'ike': 'road'}))
s.install({'child': 'net', 'ike': 'site'})
say('list_policies', list(s.list_policies({'trap': 'yes'})))
s.uninstall({'child': 'net', 'ike': 'site'})
refused('unknown key', vici.exception.CommandException, lambda: s.load_conn(
	{'one': {'rekey_tme': '1h', 'local': {'auth': 'psk'}, 'remote': {'auth': 'psk'}}}))
refused('redirect', vici.exception.CommandException, lambda: s.redirect({'ike': 'site', 'gateway': '192.0.2.9'}))
refused('unknown event', vici.exception.EventUnknownException, lambda: next(s.listen(['full-moon'])))
for name in ('site', 'road'): s.unload_conn({'name': name})
s.unload_pool({'name': 'clients'})
s.unload_authority({'name': 'own'})
s.unload_shared({'id': 'site-key'})
s.clear_creds()
s.flush_certs()
s.reload_settings()
say('all gone', s.get_conns()['conns'], s.get_keys()['keys'], s.get_shared()['keys'],
	s.get_authorities()['authorities'])
" "traps, refusals, unloading"
	shows lease "b'10.9.0.1'.*b'online'"
	shows list_policies "site/net"
	shows "unknown key" "CommandException.*rekey_tme.*rekey_time"
	shows redirect "CommandException.*RFC 5685.*not supported"
	shows "unknown event" "EventUnknownException"
	shows "all gone" "\\[\\] \\[\\] \\[\\] \\[\\]"
}

net_direct
credentials
esplaned_start "$a" a ""
charon_start "$b" b "$(peer_conf)"
loading
looking
tunnels
others
ktap_finished
