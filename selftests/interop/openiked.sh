#!/bin/bash
# SPDX-License-Identifier: MIT
# esplaned with OpenIKED 7.4 of Debian 13: the matrix of role, authentication and NAT (lib_matrix.sh). By day a part of
# it, with MATRIX=full all.
. "$(dirname "$0")/../lib/ktap.sh"
. "$(dirname "$0")/../lib/net.sh"
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib_iked.sh"
. "$(dirname "$0")/lib_matrix.sh"
. "$(dirname "$0")/lib_loss.sh"

[ -x /newer/usr/sbin/iked ] || ktap_skip_all "no Debian 13 root in this guest (vm/run --newer)"
need_command swanctl esplaned esplane openssl nft
need_module af_key
# shellcheck disable=SC2034	# lib_matrix.sh reads it
matrix_peer="OpenIKED 7.4"
ktap_print_header

peer_cannot() {
	case $role/$auth in
	*/ed25519) echo "OpenIKED 7.4 signs by RSA and ECDSA only" ;;
	responder/eap-mschapv2) echo "OpenIKED is no client of EAP" ;;
	esac
}
peer_us() { echo "esp_proposals = aes256-sha512-x25519,aes256-sha512"; }
# With -t it has port 4500 alone.
peer_conn() { [ "$nat" != both ] || echo "remote_port = 4500"; }

by() {
	case $auth in
	psk) echo "psk 0x$(printf %s "${INTEROP_PSK#0s}" | base64 -d | od -An -v -tx1 | tr -d ' \n')" ;;
	eap-mschapv2) echo 'eap "mschap-v2"' ;;
	*) echo "rfc7427" ;;
	esac
}

# passive|active
policy() {
	cat <<-EOC
	user "$MATRIX_USER" "$MATRIX_PASSWORD"
	ikev2 "net" $1 esp from $net_p to $net_u local $addr_p peer $to_u \\
		ikesa enc aes-128-gcm prf hmac-sha2-256 group curve25519 \\
		childsa enc aes-256 auth hmac-sha2-512 group curve25519 \\
		srcid $NAME_P dstid $NAME_U ikelifetime 3600 lifetime 3600 $(by)
	EOC
}

# As initiator it would begin at once.
peer_start() {
	[ "$auth" = psk ] || iked_give p "ca-$(matrix_kind)" "peer-$(matrix_kind)" || return 1
	[ "$role" = responder ] || run_iked passive
}
run_iked() {
	local iked_options=
	# shellcheck disable=SC2034	# lib_iked.sh reads it
	[ "$nat" != both ] || iked_options=-t
	iked_start "$ns_p" p "$(policy "$1")"
}
peer_initiate() { run_iked active; }
peer_rekey() { iked_rekey p "$ns_p"; }
peer_delete() { iked_delete p $NAME_U; }
peer_down() { iked_down p; }
# It installs the new SAs after it has sent its answer to our rekeying: what comes in between has no SA, or one that is
# only a reserved SPI.
peer_misses() {
	ns "$ns_p" awk '$1 == "XfrmInNoStates" || $1 == "XfrmAcquireError" { n += $2 } END { print n }' /proc/net/xfrm_stat
}

cells=("*/psk/none" "initiator/rsa/none" "*/ed25519/none" "*/eap-mschapv2/none"
	"responder/ecdsa/peer")
[ "${MATRIX:-}" != full ] || cells=("*")
# shellcheck disable=SC2034	# lib_matrix.sh reads both
matrix_more=$LOSS_RESULTS matrix_keys="rsa ecdsa"
matrix_plan "${cells[@]}"
matrix_net
matrix_run "${cells[@]}"
loss_rekeys 2
matrix_show
ktap_finished
