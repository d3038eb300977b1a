#!/bin/bash
# SPDX-License-Identifier: MIT
# When a tunnel does not come up, one line of esplaned's says which side is wrong: proposals without overlap, a wrong
# key or identity, selectors that do not meet, an unknown peer, a silent one. The peer is strongSwan. (Certificates that
# are not trusted or have expired: strongswan_pubkey.sh; revoked ones: revocation.sh.)
. "$(dirname "$0")/../lib/ktap.sh"
. "$(dirname "$0")/../lib/net.sh"
. "$(dirname "$0")/lib.sh"

need_command swanctl esplaned esplane
ktap_print_header
ktap_set_plan 23

net_direct

conf_a() { conf_psk site $OUTER_A $OUTER_B a.example.org b.example.org $NET_A $NET_B "$@"; }
conf_b() { conf_psk site $OUTER_B $OUTER_A b.example.org a.example.org $NET_B $NET_A "$@"; }

# refused CASE CONF_A CONF_B INITIATOR PATTERN: the attempt fails and esplaned (a) says why, in one line
refused() {
	printf '%s\n' "$3" >"$(daemon_dir b)/conf"
	swan b --load-all --clear --file "$(daemon_dir b)/conf" >"$(daemon_dir b)/load" 2>&1
	esplaned_start "$a" a "$2"
	: >"$(log_of a)"
	ktap_check_fails "$1: does not come up" swan "$4" --initiate --child net --timeout 15
	ktap_check "$1: esplaned says why" busywait 5000 logged a "$5" || ktap_print_msg "$(cat "$(log_of a)")"
	daemon_stop a
}

other_proposal() { sed 's/proposals = aes128gcm16-prfsha256-x25519/proposals = aes256-sha512-ecp384/'; }
other_exchange() { sed 's/proposals = aes128gcm16-prfsha256-x25519/proposals = aes128gcm16-prfsha256-ecp384/'; }
other_esp() { sed 's/esp_proposals = aes128gcm16-x25519/esp_proposals = aes256gcm16/'; }
other_key() { sed 's/secret = .*/secret = 0sd3Jvbmc=/'; }
other_net() { sed 's/10\.2\.0\.0/10.99.0.0/'; }
# identity OLD NEW
identity() { sed "s/id = $1\$/id = $2/"; }

charon_start "$b" b "$(conf_b)"
ktap_equal "strongSwan starts" $? 0

refused "IKE proposals, as responder" "$(conf_a)" "$(conf_b | other_proposal)" b \
	'site: configured aes128gcm16-prfsha256-x25519; peer offers aes256-sha512-prfsha512-ecp384: no common encryption \(aes128gcm16 against aes256\)'
refused "IKE proposals, as initiator" "$(conf_a)" "$(conf_b | other_exchange)" a \
	'NO_PROPOSAL_CHOSEN.*aes128gcm16-prfsha256-x25519'
refused "ESP proposals, as responder" "$(conf_a)" "$(conf_b | other_esp)" b \
	'child net.*configured aes128gcm16.*; peer offers aes256gcm16.*: no common encryption \(aes128gcm16 against aes256gcm16\)'
refused "wrong key, as responder" "$(conf_a)" "$(conf_b | other_key)" b \
	'the pre-shared key of peer b\.example\.org is not ours'
refused "wrong key, as initiator" "$(conf_a)" "$(conf_b | other_key)" a 'a\.example\.org.*AUTHENTICATION_FAILED'
refused "wrong identity, as responder" "$(conf_a)" "$(conf_b | identity b.example.org c.example.org)" b \
	'no connection is for peer c\.example\.org'
refused "wrong identity, as initiator" "$(conf_a | identity b.example.org '*.example.com')" "$(conf_b)" a \
	'AUTHENTICATION_FAILED: the peer is b\.example\.org'
refused "selectors, as responder" "$(conf_a)" "$(conf_b | other_net)" b 'TS_UNACCEPTABLE.*10\.2\.0\.0/24.*10\.99\.0\.0/24'
refused "selectors, as initiator" "$(conf_a)" "$(conf_b | other_net)" a 'child net.*TS_UNACCEPTABLE.*10\.2\.0\.0/24'
refused "no connection" "$(conf_a | sed "s/remote_addrs = .*/remote_addrs = 192.0.2.99/")" "$(conf_b)" b \
	"no connection is for $OUTER_B at $OUTER_A"

# Silence
daemon_stop b
esplaned_start "$a" a "esplaned {
	retransmit_timeout = 1
	retransmit_tries = 1
}
$(conf_a)"
ktap_check_fails "silence: does not come up" swan a --initiate --child net --timeout 30
ktap_check "silence: esplaned says what it tried, and where" busywait 5000 \
	logged a "no answer from $OUTER_B \(IKE_SA_INIT sent 2 times from $OUTER_A to port 500\)" ||
	ktap_print_msg "$(cat "$(log_of a)")"
daemon_stop a
ktap_finished
