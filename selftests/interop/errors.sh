#!/bin/bash
# SPDX-License-Identifier: MIT
# When a tunnel does not come up, one line of esplaned's says which side is wrong: proposals without overlap, a wrong
# key, selectors that do not meet, an unknown peer. The peer is strongSwan.
. "$(dirname "$0")/../lib/ktap.sh"
. "$(dirname "$0")/../lib/net.sh"
. "$(dirname "$0")/lib.sh"

need_command swanctl esplaned esplane
ktap_print_header
ktap_set_plan 10

net_direct

conf_a() { conf_psk site $OUTER_A $OUTER_B a.example.org b.example.org $NET_A $NET_B "$@"; }
conf_b() { conf_psk site $OUTER_B $OUTER_A b.example.org a.example.org $NET_B $NET_A "$@"; }

# refused CASE CONF_A CONF_B INITIATOR PATTERN: the attempt fails and esplaned (a) says why
refused() {
	esplaned_start "$a" a "$2"
	charon_start "$b" b "$3"
	: >"$(log_of a)"
	ktap_check_fails "$1: does not come up" swan "$4" --initiate --child net --timeout 15
	ktap_check "$1: esplaned says why" busywait 5000 logged a "$5" || ktap_print_msg "$(cat "$(log_of a)")"
	daemon_stop a
	daemon_stop b
}

other_proposal() { sed 's/proposals = aes128gcm16-prfsha256-x25519/proposals = aes256-sha512-ecp384/'; }
other_key() { sed 's/secret = .*/secret = 0sd3Jvbmc=/'; }
other_net() { sed 's/10\.2\.0\.0/10.99.0.0/'; }

refused "IKE proposals, as responder" "$(conf_a)" "$(conf_b | other_proposal)" b 'ENCRYPTION|encryption'
refused "IKE proposals, as initiator" "$(conf_a)" "$(conf_b | other_proposal)" a 'NO_PROPOSAL_CHOSEN'
refused "wrong key, as responder" "$(conf_a)" "$(conf_b | other_key)" b "pre-shared key.*b\.example\.org|b\.example\.org.*pre-shared key"
refused "wrong key, as initiator" "$(conf_a)" "$(conf_b | other_key)" a 'AUTHENTICATION_FAILED'
refused "selectors, as responder" "$(conf_a)" "$(conf_b | other_net)" b '10\.99\.0\.0/24.*10\.2\.0\.0/24|10\.2\.0\.0/24.*10\.99\.0\.0/24'

ktap_finished
