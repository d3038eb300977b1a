#!/bin/bash
# SPDX-License-Identifier: MIT
# Key exchanges that a quantum computer does not break, and what carries them: additional key exchanges (RFC 9370)
# with strongSwan 6.0, in both roles, in IKE_INTERMEDIATE and IKE_FOLLOWUP_KE, cut into fragments or not; ML-KEM
# between two esplaned (with strongSwan: strongswan_mlkem.sh); post-quantum pre-shared keys (RFC 8784) with strongSwan;
# and the text where OpenSSL has no ML-KEM.
. "$(dirname "$0")/../lib/ktap.sh"
. "$(dirname "$0")/../lib/net.sh"
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib_pq.sh"

need_command swanctl esplaned esplane tcpdump jq
[ -d /newer ] || ktap_skip_all "there is no Debian 13 root (vm/run --newer)"
ktap_print_header
ktap_set_plan 49

pq_net

strongswan() {
	local ike=aes128gcm16-prfsha256-x25519-ke1_ecp384-ke3_ecp521 esp=aes128gcm16-x25519-ke1_ecp256-ke2_ecp384
	begin
	esplaned_start "$a" a "$(conf a $ike $esp)" &&
	charon_root=/newer charon_start "$b" b "$(conf b $ike $esp)"
	ktap_check "strongSwan 6.0: initiate" esplane a initiate site net || ktap_print_msg "$(tail -n 20 "$(log_of a)" "$(log_of b)")"
	both_ping "strongSwan 6.0"
	ktap_check "strongSwan 6.0: all of them are shown" shows "CURVE_25519, ECP_384, ECP_521"
	rekeys "strongSwan 6.0"
	both_ping "strongSwan 6.0, rekeyed"
	ktap_check "strongSwan 6.0: those of the CHILD_SA are shown" shows "CURVE_25519, ECP_256, ECP_384"
	capture_stop
	ktap_equal "strongSwan 6.0: IKE_INTERMEDIATE on the wire" "$(exchanges $IKE_INTERMEDIATE)" 4
	ktap_equal "strongSwan 6.0: IKE_FOLLOWUP_KE on the wire" "$(exchanges $IKE_FOLLOWUP_KE)" 16
	finish

	# The public values do not fit into one datagram each: IntAuth is about what was cut.
	ike=aes128gcm16-prfsha256-x25519-ke1_modp3072
	begin
	esplaned_start "$a" a "esplaned {
		fragment_size = 400
	}
	$(conf a $ike aes128gcm16)" &&
	charon_keys="fragment_size = 400" charon_root=/newer charon_start "$b" b "$(conf b $ike aes128gcm16)"
	ktap_check "strongSwan 6.0 initiates" swan b --initiate --child net || ktap_print_msg "$(tail -n 20 "$(log_of a)" "$(log_of b)")"
	both_ping "strongSwan 6.0 initiates"
	capture_stop
	ktap_equal "strongSwan 6.0 initiates: IKE_INTERMEDIATE on the wire" "$(exchanges $IKE_INTERMEDIATE)" 2
	ktap_at_least "strongSwan 6.0 initiates: in fragments" "$(fragments)" 4
	finish
}

ml_kem() {
	local ike=aes256gcm16-prfsha384-x25519-ke1_mlkem768 esp=aes256gcm16-x25519-ke1_mlkem512
	begin
	esplaned_root=/newer esplaned_start "$a" a "$(conf a $ike $esp)" &&
	esplaned_root=/newer esplaned_start "$b" b "$(conf b $ike $esp)"
	ktap_check "ML-KEM: initiate" esplane a initiate site net || ktap_print_msg "$(tail -n 20 "$(log_of a)" "$(log_of b)")"
	both_ping "ML-KEM"
	ktap_check "ML-KEM: it is shown" shows "CURVE_25519, ML_KEM_768"
	rekeys "ML-KEM"
	both_ping "ML-KEM, rekeyed"
	ktap_check "ML-KEM: that of the CHILD_SA is shown" shows "CURVE_25519, ML_KEM_512"
	capture_stop
	ktap_equal "ML-KEM: IKE_INTERMEDIATE on the wire" "$(exchanges $IKE_INTERMEDIATE)" 2
	ktap_equal "ML-KEM: IKE_FOLLOWUP_KE on the wire" "$(exchanges $IKE_FOLLOWUP_KE)" 8
	finish

	# By itself, in IKE_SA_INIT, where nothing can be cut (draft-ietf-ipsecme-ikev2-mlkem).
	begin
	esplaned_root=/newer esplaned_start "$a" a "$(conf a aes256gcm16-prfsha384-mlkem768-ke1_mlkem1024 aes256gcm16)" &&
	esplaned_root=/newer esplaned_start "$b" b "$(conf b aes256gcm16-prfsha384-mlkem768-ke1_mlkem1024 aes256gcm16)"
	ktap_check "ML-KEM alone: initiate" esplane a initiate site net || ktap_print_msg "$(tail -n 20 "$(log_of a)" "$(log_of b)")"
	capture_stop
	finish
}

# conf_ppk END CONN_KEYS PPK: with the PPK of that name.
conf_ppk() {
	conf "$1" aes128gcm16-prfsha256-x25519 aes128gcm16 "$2" | sed '/^secrets {/,$d'
	cat <<-EOC
	secrets {
		ike-1 {
			id-1 = a.example.org
			id-2 = b.example.org
			secret = $INTEROP_PSK
		}
		ppk-1 {
			id = $3
			secret = 0sMTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTI=
		}
	}
	EOC
}

# ppk_case CASE CONF_A CONF_B INITIATOR
ppk_case() {
	rm -rf "$(daemon_dir a)" "$(daemon_dir b)"
	esplaned_start "$a" a "$2" && charon_root=/newer charon_start "$b" b "$3"
	swan "$4" --initiate --child net >/dev/null 2>&1
	ktap_check "$1: up" sa_up a || ktap_print_msg "$(tail -n 20 "$(log_of a)" "$(log_of b)")"
}

ppk() {
	ppk_case "PPK by esplaned" "$(conf_ppk a "ppk_id = one
			ppk_required = yes" one)" "$(conf_ppk b "ppk_id = one
			ppk_required = yes" one)" a
	ktap_check "PPK by esplaned: in use at both ends" logged a 'IKE SA is up .*, with PPK'
	ktap_check "PPK by esplaned: ping" net_ping "$a" $INNER_B -I $INNER_A
	finish
	ppk_case "PPK by strongSwan" "$(conf_ppk a "ppk_required = yes" one)" "$(conf_ppk b "ppk_id = one
			ppk_required = yes" one)" b
	ktap_check "PPK by strongSwan: in use" logged a 'IKE SA is up .*, with PPK'
	finish
	# With a ppk_id of its own strongSwan refuses all others, even where it does not require any.
	ppk_case "another PPK, not required" "$(conf_ppk a "ppk_id = two" two)" "$(conf_ppk b "" one)" a
	ktap_check "another PPK, not required: said so" logged a 'does not have the PPK: going on without'
	finish
	ppk_case "another PPK by strongSwan, not required" "$(conf_ppk a "ppk_id = two" two)" "$(conf_ppk b "ppk_id = one" one)" b
	finish
}

# Debian 12's OpenSSL has no ML-KEM.
refused() {
	local conf=$NET_TMP/refused.conf
	conf a aes128gcm16-prfsha256-x25519-ke1_mlkem768 aes128gcm16 >"$conf"
	command esplane check "$conf" >"$NET_TMP/said" 2>&1
	ktap_check "OpenSSL 3.0: refused, with the reason and the line" \
		grep -Eq "refused.conf:[0-9]+: .*\"ke1_mlkem768\" needs OpenSSL 3.5 or later, and this is OpenSSL 3\.0" "$NET_TMP/said" ||
		ktap_print_msg "$(cat "$NET_TMP/said")"
}

strongswan
ml_kem
ppk
refused
ktap_finished
