#!/bin/bash
# SPDX-License-Identifier: MIT
# ESP transforms as IKE agrees on them: esplaned on esplane.ko and strongSwan on xfrm, in one IKE SA a CHILD_SA for each
# proposal, the two ends as initiator by turns. Both must name the same transforms, and echoes pass both ways. Where no
# proposal fits, esplaned says which.
# Variables that lib.sh sets or reads.
# shellcheck disable=SC2034,SC2154
. "$(dirname "$0")/../lib/ktap.sh"
. "$(dirname "$0")/../lib/net.sh"
. "$(dirname "$0")/lib.sh"

# PROPOSAL|what swanctl --list-sas says of the child: cipher-bits/integrity/key exchange/ESN. The first child has the keys
# of IKE_AUTH and so no key exchange of its own.
PROPOSALS='aes128gcm12|AES_GCM_12-128
aes256gcm8|AES_GCM_8-256
aes192ccm|AES_CCM_16-192
aes128ccm96|AES_CCM_12-128
aes256gmac|NULL_AES_GMAC-256
chacha20poly1305-sha256-x25519|CHACHA20_POLY1305/CURVE_25519
aes256-sha256|AES_CBC-256/HMAC_SHA2_256_128
aes128ctr-sha384|AES_CTR-128/HMAC_SHA2_384_192
null-sha512|NULL/HMAC_SHA2_512_256
aes192-sha512-ecp256-esn|AES_CBC-192/HMAC_SHA2_512_256/ECP_256/ESN
default|AES_GCM_16-256'

# What conf_psk's own child joins, which is not used.
OTHER_A=10.3.0.0/24 OTHER_B=10.4.0.0/24

# children LOCAL REMOTE PROPOSAL...: one a proposal, named after it, between 10.LOCAL.0.N and 10.REMOTE.0.N
children() {
	local local_net=10.$1.0 remote_net=10.$2.0 proposal n=0
	shift 2
	echo "children {"
	for proposal in "$@"; do
		n=$((n + 1))
		cat <<-EOC
		$proposal {
			local_ts = $local_net.$n
			remote_ts = $remote_net.$n
			esp_proposals = $proposal
			rekey_time = 1h
		}
		EOC
	done
	echo "}"
}

initiate() { swan "$1" --initiate --child "$2" --timeout "$(slowly 15)"; }

# transforms_of LIST CHILD
transforms_of() { sed -En "s/^ *$2: #.*, ESP:([A-Z0-9_\/-]+)$/\1/p" "$1"; }

agreed() {
	echo "a: $(transforms_of "$NET_TMP/sas-a" "$1") b: $(transforms_of "$NET_TMP/sas-b" "$1")"
	[ "$(transforms_of "$NET_TMP/sas-a" "$1")" = "$2" ] && [ "$(transforms_of "$NET_TMP/sas-b" "$1")" = "$2" ]
}

echoes() {
	ns "$a" ping -n -c 1 -W "$(slowly 2)" -I "10.1.0.$1" "10.2.0.$1" &&
	ns "$b" ping -n -c 1 -W "$(slowly 2)" -s 1000 -I "10.2.0.$1" "10.1.0.$1"
}

say_logs() { tail -n 30 "$(log_of a)" "$(log_of b)"; }

need_command swanctl esplaned esplane
ktap_print_header
mapfile -t rows <<<"$PROPOSALS"
count=${#rows[@]}
ktap_set_plan $((3 * count + 5))
net_direct
need_module esplane
for ((n = 2; n <= count; n++)); do
	ip -n "$a" addr add 10.1.0.$n/24 dev lan
	ip -n "$b" addr add 10.2.0.$n/24 dev lan
done
ip -n "$a" route add $NET_B via $OUTER_B
ip -n "$b" route add $NET_A via $OUTER_A
names=("${rows[@]%|*}")
esplaned_start "$a" a "$(conf_psk site $OUTER_A $OUTER_B a.example.org b.example.org $OTHER_A $OTHER_B \
	"$(children 1 2 "${names[@]}" aes128gcm16-ecp384)")"
charon_start "$b" b "$(conf_psk site $OUTER_B $OUTER_A b.example.org a.example.org $OTHER_B $OTHER_A \
	"$(children 2 1 "${names[@]}" aes128gcm16-ecp384 | sed 's/= aes128gcm16-ecp384/= aes256-sha384-ecp521/')")"

initiators=(a b)
for ((n = 1; n <= count; n++)); do
	initiator=${initiators[n % 2]}
	ktap_check "${names[n - 1]}: $initiator initiates" initiate "$initiator" "${names[n - 1]}" ||
		ktap_print_msg "$(say_logs)"
done
capture "$a" eth0 "$NET_TMP/wire"
swan a --list-sas >"$NET_TMP/sas-a"
swan b --list-sas >"$NET_TMP/sas-b"
for ((n = 1; n <= count; n++)); do
	row=${rows[n - 1]}
	ktap_check "${row%|*}: both have ${row#*|}" agreed "${row%|*}" "${row#*|}" ||
		ktap_print_msg "$(cat "$NET_TMP/sas-a" "$NET_TMP/sas-b")"
	ktap_check "${row%|*}: echoes both ways" echoes "$n"
done
capture_stop
ktap_check "no echo passed in the clear" only_protected "$NET_TMP/wire"

ktap_check_fails "no overlap: a initiates in vain" initiate a aes128gcm16-ecp384
ktap_check "no overlap: a says so" busywait "$(slowly 5000)" logged a 'NO_PROPOSAL_CHOSEN.*aes128gcm16-ecp384'
ktap_check_fails "no overlap: b initiates in vain" initiate b aes128gcm16-ecp384
ktap_check "no overlap: a names both sides and what they lack in common" busywait "$(slowly 5000)" logged a \
	'configured aes128gcm16-ecp384; peer offers aes256-sha384-ecp521: no common encryption'
ktap_finished
