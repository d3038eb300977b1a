#!/bin/bash
# SPDX-License-Identifier: MIT
# strongSwan's own swanctl against esplaned: --version, --initiate, --list-sas, --rekey, --terminate; and that what it
# is told about failures names the cause.
. "$(dirname "$0")/../lib/ktap.sh"
. "$(dirname "$0")/../lib/net.sh"
. "$(dirname "$0")/lib.sh"

need_command swanctl esplaned esplane
ktap_print_header
ktap_set_plan 12

net_direct
esplaned_start "$a" a "$(conf_psk site $OUTER_A $OUTER_B a.example.org b.example.org $NET_A $NET_B)"
esplaned_start "$b" b "$(conf_psk site $OUTER_B $OUTER_A b.example.org a.example.org $NET_B $NET_A)"

says() {
	local pattern=$1
	shift
	"$@" 2>&1 | grep -Eq -- "$pattern"
}

ktap_check "--version names esplaned" says 'esplaned' swan a --version --daemon
ktap_check "--list-sas of none" swan a --list-sas
ktap_check "--initiate" swan a --initiate --child net
ktap_check "--list-sas shows the connection" says '^site: #[0-9]+, ESTABLISHED, IKEv2' swan a --list-sas
ktap_check "--list-sas shows the suite" says 'AES_GCM_16-128/PRF_HMAC_SHA2_256/CURVE_25519' swan a --list-sas
ktap_check "--list-sas shows the child" says 'net: #[0-9]+, .*INSTALLED, TUNNEL, ESP:AES_GCM_16-128' swan a --list-sas
ktap_check "--list-sas shows the selectors" says "local +10.1.0.0/24" swan a --list-sas
ktap_check "--rekey --child" says 'rekey completed|success' swan a --rekey --child net
ktap_check "--rekey --ike" says 'rekey completed|success' swan a --rekey --ike site
ktap_check "--terminate" swan a --terminate --ike site
ktap_check "and the peer has let go" busywait 5000 sa_down b
ktap_check_fails "--initiate of an unknown child fails" swan a --initiate --child nosuch

ktap_finished
