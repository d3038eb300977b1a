#!/bin/bash
# SPDX-License-Identifier: MIT
# ML-KEM with strongSwan 6.0 (its plugin "ml", which vm/newer-ml makes): of each size, each end beginning, as additional
# key exchange of IKE_SA_INIT in IKE_INTERMEDIATE, of rekeyings by each end of the CHILD_SA and the IKE SA in
# IKE_FOLLOWUP_KE; and by itself, in IKE_SA_INIT and CREATE_CHILD_SA.
. "$(dirname "$0")/../lib/ktap.sh"
. "$(dirname "$0")/../lib/net.sh"
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib_pq.sh"

need_command swanctl esplaned esplane tcpdump jq
[ -e /newer/usr/lib/ipsec/plugins/libstrongswan-ml.so ] || ktap_skip_all "no strongSwan with ML-KEM (vm/run --newer)"
ktap_print_header
ktap_set_plan 94

# shellcheck disable=SC2034	# lib.sh reads them
{
	charon_plugins=ml
	charon_root=/newer
	esplaned_root=/newer
}
pq_net

show() { ktap_print_msg "$(tail -n 20 "$(log_of a)" "$(log_of b)")"; }

# tunnel CASE PROPOSALS ESP_PROPOSALS INITIATOR: both daemons, and the tunnel
tunnel() {
	begin
	esplaned_start "$a" a "$(conf a "$2" "$3")" && charon_start "$b" b "$(conf b "$2" "$3")"
	ktap_check "$1: up" swan "$4" --initiate --child net || show
	both_ping "$1"
}

# As additional key exchange: the values of 768 and 1024 do not fit into one datagram. Rekeyings, of which each end
# begins two, with strongSwan as the one that began the first IKE SA only for 768.
additional() {
	local size=$1 begins case followups
	for begins in a b; do
		case="ML-KEM-$size, $([ $begins = a ] && echo esplaned || echo strongSwan) begins"
		tunnel "$case" aes256gcm16-prfsha384-x25519-ke1_mlkem$size aes256gcm16-x25519-ke1_mlkem$size $begins
		ktap_check "$case: of the IKE SA" shows "CURVE_25519, ML_KEM_$size"
		followups=0
		[ $begins = b ] && [ "$size" != 768 ] || { rekeyed "$case"; followups=8; }
		capture_stop
		ktap_equal "$case: IKE_INTERMEDIATE on the wire" "$(exchanges $IKE_INTERMEDIATE)" 2
		ktap_equal "$case: IKE_FOLLOWUP_KE on the wire" "$(exchanges $IKE_FOLLOWUP_KE)" $followups
		finish
	done
}

rekeyed() {
	rekeys "$1"
	ktap_check "$1: of the CHILD_SA" shows "AES_GCM_16-256, CURVE_25519, ML_KEM_$size"
	both_ping "$1, rekeyed"
}

# In IKE_SA_INIT nothing can be cut: 1024 would need a larger datagram than the wire carries whole.
alone() {
	local begins case
	for begins in a b; do
		case="ML-KEM-768 alone, $([ $begins = a ] && echo esplaned || echo strongSwan) begins"
		tunnel "$case" aes256gcm16-prfsha384-mlkem768 aes256gcm16-mlkem512 $begins
		[ $begins = b ] || rekeys "$case"
		capture_stop
		finish
	done
}

for size in 512 768 1024; do
	additional $size
done
alone
ktap_finished
