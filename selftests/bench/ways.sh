# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Ways from namespace a to b that benchmarks compare; bench/packets lists them. Sourced behind net/lib.sh.
#
# way_up NS a|b: gives this end of $way, on links of $MTU. clear_end of net/lib.sh takes it away. WireGuard's ends
# have their keys in the files wg-a and wg-b, made by way_keys.

# Variables that net/lib.sh sets or reads.
# shellcheck disable=SC2034,SC2154
WIREGUARD=80	# what wg-quick takes off the MTU

way_keys() {
	local end
	for end in a b; do
		(umask 077; wg genkey >"$NET_TMP/wg-$end") || return 1
	done
}

tunnel_route() {
	local local_outer remote_outer local_net remote_net local_inner spi_out key_out spi_in key_in
	end_of "$2"
	ip -n "$1" link set ipsec0 up &&
	ip -n "$1" route replace "$remote_net" dev ipsec0 src "$local_inner"
}

xfrmi_end() {
	ip -n "$1" link add ipsec0 mtu "$MTU" type xfrm dev eth0 if_id $IF_ID &&
	XFRM_IF_ID=$IF_ID xfrm_end "$@" && tunnel_route "$@"
}

wireguard_end() {
	local other=b
	local local_outer remote_outer local_net remote_net local_inner spi_out key_out spi_in key_in
	[ "$2" = a ] || other=a
	end_of "$2"
	ip -n "$1" link add ipsec0 mtu $((MTU - WIREGUARD)) type wireguard &&
	ns "$1" wg set ipsec0 private-key "$NET_TMP/wg-$2" listen-port 51820 \
		peer "$(wg pubkey <"$NET_TMP/wg-$other")" endpoint "$remote_outer:51820" allowed-ips "$remote_net" &&
	tunnel_route "$@"
}

aes_gcm() { ENCR=aes-gcm-16 BITS=128 XFRM=(aead 'rfc4106(gcm(aes))' KEY 128); }
chacha() { ENCR=chacha20-poly1305 BITS=256 XFRM=(aead 'rfc7539esp(chacha20,poly1305)' KEY 128); }

way_up() {
	aes_gcm
	[[ $way != *-chacha ]] || chacha
	new_keys
	UDP=1 MODE=policy
	case $way in
	plain) inner_route "$@" ;;
	xfrm-native) UDP=0 && xfrm_end "$@" && inner_route "$@" ;;
	xfrm-udp*) xfrm_end "$@" && inner_route "$@" ;;
	xfrmi) xfrmi_end "$@" ;;
	wireguard) wireguard_end "$@" ;;
	esplane-native) UDP=0 && esplane_end "$@" && inner_route "$@" ;;
	esplane-udp*) esplane_end "$@" && inner_route "$@" ;;
	esplane-route) MODE=route && esplane_end "$@" ;;
	*) echo "no way $way" >&2; return 1 ;;
	esac
}
