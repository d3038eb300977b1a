#!/bin/bash
# SPDX-License-Identifier: MIT
# esplaned with Libreswan 5.2 of Debian 13: the matrix of role, authentication and NAT (lib_matrix.sh). By day a part
# of it, with MATRIX=full all.
. "$(dirname "$0")/../lib/ktap.sh"
. "$(dirname "$0")/../lib/net.sh"
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib_pluto.sh"
. "$(dirname "$0")/lib_matrix.sh"
. "$(dirname "$0")/lib_loss.sh"

[ -x /newer$PLUTO_DIR/pluto ] || ktap_skip_all "no Debian 13 root in this guest (vm/run --newer)"
need_command swanctl esplaned esplane openssl nft
# shellcheck disable=SC2034	# lib_matrix.sh reads it
matrix_peer="Libreswan 5.2"
ktap_print_header

peer_cannot() {
	case $auth in
	ed25519) echo "Libreswan 5.2 has no Ed25519: NSS imports no such private key" ;;
	eap-mschapv2) echo "Libreswan's only EAP method is EAP-TLS" ;;
	esac
}
peer_us() { :; }
# As initiator it asks for no certificate.
peer_conn() { echo "send_cert = always"; }

authby() {
	case $auth in
	psk) echo "authby=secret" ;;
	*) printf 'authby=%s\n    leftcert=peer-%s\n    leftsendcert=always\n' "${auth/rsa/rsasig}" "$auth" ;;
	esac
}

peer_start() {
	mkdir -p "$(daemon_dir p)"
	if [ "$auth" = psk ]; then
		echo "@$NAME_P @$NAME_U : PSK $INTEROP_PSK" >"$(daemon_dir p)/secrets"
	else
		pluto_give p "ca-$auth" "peer-$auth" || return 1
	fi
	pluto_start "$ns_p" p "conn net
    left=$addr_p
    leftid=@$NAME_P
    leftsubnet=$net_p
    right=$to_u
    rightid=@$NAME_U
    rightsubnet=$net_u
    $(authby)
    keyexchange=ikev2
    ike=aes_gcm128-sha2_256-dh31
    esp=aes_gcm128-none-dh31
    encapsulation=$([ "$nat" = both ] && echo yes || echo auto)
    leftupdown=%disabled
    auto=ignore"
}
peer_initiate() { whack p --initiate --name net; }
peer_rekey() { whack p --rekey-child --name net; }
peer_delete() { whack p --terminate --name net; }
peer_down() { pluto_down p; }

cells=("*/psk/none" "responder/rsa/none" "*/ed25519/none" "initiator/eap-mschapv2/none"
	"responder/ecdsa/peer" "initiator/rsa/both")
[ "${MATRIX:-}" != full ] || cells=("*")
# shellcheck disable=SC2034	# lib_matrix.sh reads it
matrix_more=$LOSS_RESULTS
matrix_plan "${cells[@]}"
matrix_net
matrix_run "${cells[@]}"
loss_rekeys 3
matrix_show
ktap_finished
