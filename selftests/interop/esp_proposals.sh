#!/bin/bash
# SPDX-License-Identifier: MIT
# ESP transforms as IKE agrees on them: esplaned on esplane.ko and strongSwan on xfrm, a proposal at a time, the two as
# initiator by turns. Both ends must name the same transforms, and echoes pass both ways.
# Variables that lib.sh sets or reads.
# shellcheck disable=SC2034,SC2154
. "$(dirname "$0")/../lib/ktap.sh"
. "$(dirname "$0")/../lib/net.sh"
. "$(dirname "$0")/lib.sh"

# PROPOSAL|what swanctl --list-sas says of the child: cipher-bits/integrity
PROPOSALS='aes128gcm12|ESP:AES_GCM_12-128
aes256gcm8|ESP:AES_GCM_8-256
aes192ccm16|ESP:AES_CCM_16-192
aes256gmac|ESP:NULL_AES_GMAC-256
chacha20poly1305|ESP:CHACHA20_POLY1305
aes256-sha256|ESP:AES_CBC-256/HMAC_SHA2_256_128
aes128ctr-sha384|ESP:AES_CTR-128/HMAC_SHA2_384_192
null-sha512|ESP:NULL/HMAC_SHA2_512_256
aes128-sha512-esn|ESP:AES_CBC-128/HMAC_SHA2_512_256'

# conf LOCAL REMOTE a|b PROPOSAL
conf() {
	local ids=(a.example.org b.example.org) nets=("$NET_A" "$NET_B")
	[ "$3" = a ] || { ids=(b.example.org a.example.org) nets=("$NET_B" "$NET_A"); }
	conf_psk site "$1" "$2" "${ids[@]}" "${nets[@]}" '' "esp_proposals = $4"
}

brought_up() {
	swan "$1" --initiate --child net && busywait "$(slowly 5000)" sa_up a && busywait "$(slowly 5000)" sa_up b
}

# Without /ESN, which swanctl adds. What IANA calls NULL_AUTH_AES_GMAC has a shorter name in strongSwan.
transforms_at() {
	swan "$1" --list-sas | grep -Eo 'ESP:[A-Z0-9_/-]+' | sed -e 's|/ESN$||' -e 's/NULL_AUTH_AES/NULL_AES/' | head -n 1
}

agreed() {
	echo "a: $(transforms_at a) b: $(transforms_at b)"
	[ "$(transforms_at b)" = "$1" ] && [ "$(transforms_at a)" = "$1" ]
}

echoes() { net_ping "$a" $INNER_B -I $INNER_A && net_ping "$b" $INNER_A -I $INNER_B; }

say_logs() { tail -n 20 "$(log_of a)" "$(log_of b)"; }

proposal() {
	local proposal=$1 wanted=$2 initiator=$3
	esplaned_start "$a" a "$(conf "$OUTER_A" "$OUTER_B" a "$proposal")" &&
	charon_start "$b" b "$(conf "$OUTER_B" "$OUTER_A" b "$proposal")"
	ktap_check "$proposal: $initiator initiates" brought_up "$initiator" || ktap_print_msg "$(say_logs)"
	ktap_check "$proposal: both have $wanted" agreed "$wanted"
	ktap_check "$proposal: echoes both ways" echoes
	daemon_stop a
	daemon_stop b
	ip -n "$b" xfrm state flush
	ip -n "$b" xfrm policy flush
}

need_command swanctl esplaned esplane
ktap_print_header
mapfile -t rows <<<"$PROPOSALS"
ktap_set_plan $((3 * ${#rows[@]}))
net_direct
need_module esplane
ip -n "$a" route add $NET_B via $OUTER_B src $INNER_A
ip -n "$b" route add $NET_A via $OUTER_A src $INNER_B
initiator=a
for row in "${rows[@]}"; do
	proposal "${row%|*}" "${row#*|}" $initiator
	[ $initiator = a ] && initiator=b || initiator=a
done
ktap_finished
