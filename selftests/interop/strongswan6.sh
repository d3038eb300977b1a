#!/bin/bash
# SPDX-License-Identifier: MIT
# esplaned with strongSwan 6.0 of Debian 13: the matrix of role, authentication and NAT (lib_matrix.sh). By day a part
# of it, with MATRIX=full all.
. "$(dirname "$0")/../lib/ktap.sh"
. "$(dirname "$0")/../lib/net.sh"
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib_matrix.sh"
. "$(dirname "$0")/lib_loss.sh"

[ -x /newer/usr/lib/ipsec/charon ] || ktap_skip_all "no Debian 13 root in this guest (vm/run --newer)"
need_command swanctl esplaned esplane openssl nft
# shellcheck disable=SC2034	# lib_matrix.sh reads it
matrix_peer="strongSwan 6.0"
ktap_print_header

# shellcheck disable=SC2034	# lib.sh reads both
{
	charon_root=/newer
	charon_plugins="eap-identity eap-mschapv2 gcrypt"
}
peer_cannot() { :; }
peer_us() { :; }
peer_conn() { :; }
peer_start() {
	matrix_give p peer
	charon_start "$ns_p" p "$(matrix_swanctl peer)"
}
peer_initiate() { swan p --initiate --child net; }
peer_rekey() { swan p --rekey --child net; }
peer_delete() { swan p --terminate --ike site; }
peer_down() { sa_down p; }

cells=("*/psk/none" "initiator/ecdsa/us" "responder/eap-mschapv2/peer" "initiator/rsa/both")
[ "${MATRIX:-}" != full ] || cells=("*")
# shellcheck disable=SC2034	# lib_matrix.sh reads it
matrix_more=$LOSS_RESULTS
matrix_plan "${cells[@]}"
matrix_net
matrix_run "${cells[@]}"
loss_rekeys 2
matrix_show
ktap_finished
