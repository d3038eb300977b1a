#!/bin/bash
# SPDX-License-Identifier: MIT
# Every ESP transform against the kernel's own IPsec (xfrm), in all key sizes of each cipher, native and in UDP, with and
# without extended sequence numbers: datagrams of all paddings and TCP both ways, nothing dropped. Those that xfrm does
# not have (implicit IV, RFC 8750) between two esplanes, with the wire watched. What the kernel lacks is refused by name.
#
#	a esplane 10.1.0.1 === ESP === 10.2.0.1 xfrm or esplane b
#
# The debug kernel, which is several times slower, has each transform in one key size.
# Variables that lib.sh sets or reads.
# shellcheck disable=SC2034,SC2154
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/against_xfrm.sh"

PORT=7
# 1 to 16 bytes of data: each length of padding to a block of 16 bytes; and a datagram in two fragments.
SIZES="1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 1111 1800"
TRANSFER=100000
# Less than any tunnel's MTU, that no packet be too big.
INNER_MTU=1280

# What stays for all rows: routes, policies of a, ports of ESP in UDP, what answers.
prepare() {
	local end
	esplane_end "$a" a && UDP=1 xfrm_end "$b" b && worker "$a" && worker "$b" || return 1
	esp "$a" encap-add port=$ENCAP_PORT >/dev/null
	ip -n "$a" route replace $NET_B via $OUTER_B src $INNER_A mtu $INNER_MTU &&
	ip -n "$b" route replace $NET_A via $OUTER_A src $INNER_B mtu $INNER_MTU &&
	ask "$a" serve $INNER_A $PORT && ask "$b" serve $INNER_B $PORT
}

# renew NS a|b: new SAs for an esplane end, whose policy takes the new one at once; then the old ones go.
renew() {
	local words="encr=$ENCR" ids old_in=SA_IN_$2 old_out=SA_OUT_$2 policy=POLICY_OUT_$2
	local local_outer remote_outer local_net remote_net local_inner spi_out key_out spi_in key_in
	end_of "$2"
	[ -z "$INTEG" ] || words+=" integ=$INTEG"
	[ $UDP = 0 ] || words+=" encap=$ENCAP_PORT:$ENCAP_PORT"
	[ $ESN = 0 ] || words+=" esn=1"
	ids=$(esp "$1" - <<-EOC
	sa-add direction=in spi=$spi_in src=$remote_outer dst=$local_outer key=$key_in selector=$remote_net,$local_net $words
	sa-add direction=out spi=$spi_out src=$local_outer dst=$remote_outer key=$key_out $words
	policy-set id=${!policy} direction=out action=protect priority=100 selector=$local_net,$remote_net sa_id=last
	sa-del id=${!old_in}
	sa-del id=${!old_out}
	EOC
	) || return 1
	# shellcheck disable=SC2086
	set -- "$2" $ids
	printf -v "SA_IN_$1" %s "$2"
	printf -v "SA_OUT_$1" %s "$3"
}

# renew_xfrm NS a|b: the same for an xfrm end, whose policies name no SA.
renew_xfrm() {
	local local_outer remote_outer local_net remote_net local_inner spi_out key_out spi_in key_in
	end_of "$2"
	{
		echo xfrm state flush
		xfrm_sa $local_outer $remote_outer $spi_out "$key_out"
		xfrm_sa $remote_outer $local_outer $spi_in "$key_in"
	} | ip -n "$1" -batch -
}

# What a has dropped, and what its two SAs have carried.
look() {
	local shown
	mapfile -t shown < <(esp "$a" - <<-EOC
	stats get=drops
	sa-list id=$SA_IN_a get=packets
	sa-list id=$SA_OUT_a get=packets
	EOC
	)
	DROPS=$(sum_of_map "${shown[0]}") PACKETS_IN=${shown[1]} PACKETS_OUT=${shown[2]}
}

# 18 datagrams, of which one is in two fragments, and answers to as many; of TCP both ways at least 100,000 bytes / 1,240 in a
# direction, handshake and FIN.
PACKETS=$((19 + TRANSFER / 1240 + 4))

works_with() {
	local drops_before errors_before
	SPI_AB=$((SPI_AB + 1)) SPI_BA=$((SPI_BA + 1))
	new_keys
	renew "$a" a && "$1" "$b" b && ask "$a" echo $INNER_B $PORT $SIZES && ask "$b" echo $INNER_A $PORT $SIZES ||
		return 1
	# By now what TCP had still to say in the last row has met the one or the other end's new SAs.
	look
	drops_before=$DROPS errors_before=$(xfrm_errors)
	ask "$a" push $INNER_B $PORT $TRANSFER && ask "$b" push $INNER_A $PORT $TRANSFER || return 1
	look
	echo "in $PACKETS_IN, out $PACKETS_OUT, dropped $((DROPS - drops_before)), xfrm: $(xfrm_errors) after $errors_before"
	[ "$PACKETS_IN" -ge $PACKETS ] && [ "$PACKETS_OUT" -ge $PACKETS ] && [ "$DROPS" = "$drops_before" ] &&
	[ "$(xfrm_errors)" = "$errors_before" ]
}

variant() { check_here "$(say_variant)" works_with "$1"; }

# Each key size once: one native, one native with ESN, one in UDP with ESN. $KEY_SIZES of them.
key_sizes() {
	[ $KEY_SIZES = 1 ] || {
		UDP=0 ESN=0 BITS=128 variant "$1"
		UDP=0 ESN=1 BITS=192 variant "$1"
	}
	UDP=1 ESN=1 BITS=256 variant "$1"
}
KEY_SIZES=3
[ "$(slowly 1)" = 1 ] || KEY_SIZES=1

# IV, ICV and padding on the wire: 40 bytes of data, and 40 of answer, are an IP packet of 68, with pad length and next
# header 70 bytes, padded to 72 (RFC 4303 section 2.4). 20 and 8 bytes of IP and ESP header, 16 of ICV.
# on_wire IV_LEN SPI_AB SPI_BA: both ways, once each.
on_wire() {
	local length=$((20 + 8 + $1 + 72 + 16))
	tcpdump -n -r "$NET_TMP/wire" "ip[20:4] = $2 or ip[20:4] = $3"
	[ "$(captured "$NET_TMP/wire" "ip[2:2] = $length and src $OUTER_A and ip[20:4] = $2")" = 1 ] &&
	[ "$(captured "$NET_TMP/wire" "ip[2:2] = $length and src $OUTER_B and ip[20:4] = $3")" = 1 ] &&
	[ "$(captured "$NET_TMP/wire" "ip[20:4] = $2 or ip[20:4] = $3")" = 2 ]
}

# wire WORD SALT_LEN BITS
wire() {
	aead "$1" "$2"
	SPI_AB=$((SPI_AB + 1)) SPI_BA=$((SPI_BA + 1))
	BITS=$3 new_keys
	UDP=0 ESN=0 renew "$a" a && UDP=0 ESN=0 renew "$b" b && ask "$a" echo $INNER_B $PORT 40
}

wires() {
	local ab=$SPI_AB ba=$SPI_BA
	capture "$a" eth0 "$NET_TMP/wire" esp
	wire aes-gcm-16 4 128
	wire aes-gcm-16-iiv 4 128
	wire chacha20-poly1305 4 256
	wire chacha20-poly1305-iiv 4 256
	capture_stop
	ktap_check "aes-gcm-16: 8 bytes of IV on the wire" on_wire 8 $((ab + 1)) $((ba + 1))
	ktap_check "aes-gcm-16-iiv: none" on_wire 0 $((ab + 2)) $((ba + 2))
	ktap_check "chacha20-poly1305: 8 bytes of IV on the wire" on_wire 8 $((ab + 3)) $((ba + 3))
	ktap_check "chacha20-poly1305-iiv: none" on_wire 0 $((ab + 4)) $((ba + 4))
}

# The module is kept from loading; where it is built in, the crypto layer is asked for what nobody has.
lack_ccm() {
	if grep -q '^ccm ' /proc/modules || modprobe -n -v ccm 2>/dev/null | grep -q ^insmod; then
		modprobe -r ccm 2>/dev/null
		echo "install ccm /bin/false" >$BLACKLIST
	else
		echo lacking >$OVERRIDE
	fi
}
BLACKLIST=/etc/modprobe.d/esplane-test.conf

lack_nothing() {
	rm -f $BLACKLIST
	usual_driver
}

lacking() {
	local output status
	at_exit lack_nothing
	lack_ccm
	output=$(SALT_LEN=3 && esp "$a" sa-add direction=out spi=0x9999 src=192.0.2.1 dst=192.0.2.2 \
		encr=aes-ccm-16 "key=$(make_key 128 x)" 2>&1)
	status=$?
	echo "$output"
	[ $status != 0 ] && [[ $output == *'rfc4309(ccm(aes))'* ]] &&
	esp "$a" caps --json | jq -e 'all((.transforms // [])[]; .encr != 16)'
	status=$?
	lack_nothing
	return $status
}

all_capable() {
	esp "$a" caps --json | jq -c '.transforms[]'
	esp "$a" caps --json | jq -e '[.transforms[] | {encr, integ: (.integ // 0)}] | unique | length == 19'
}

ktap_print_header
two_hosts
need_module xfrm_user
need_module esp4
# In all key sizes CCM, GMAC, CBC, CTR and GCM without IV; in one, four AEADs of shorter ICV and ChaCha20 of both kinds; CBC
# and CTR with two more hashes each, NULL with three; the wire.
ktap_set_plan $((2 + (2 + 3) * KEY_SIZES + 4 + 2 + 4 + 3 + 4))
ktap_check "a cipher that the kernel lacks is refused by name" lacking
ktap_check "the kernel can do every transform" all_capable
prepare || ktap_print_msg "no tunnel"
look

aead aes-ccm-16 3 'rfc4309(ccm(aes))' 128
key_sizes renew_xfrm
aead aes-gmac 4 'rfc4543(gcm(aes))' 128
key_sizes renew_xfrm
UDP=1 ESN=1 BITS=256
aead aes-gcm-12 4 'rfc4106(gcm(aes))' 96
variant renew_xfrm
aead aes-gcm-8 4 'rfc4106(gcm(aes))' 64
variant renew_xfrm
aead aes-ccm-12 3 'rfc4309(ccm(aes))' 96
variant renew_xfrm
aead aes-ccm-8 3 'rfc4309(ccm(aes))' 64
variant renew_xfrm
aead chacha20-poly1305 4 'rfc7539esp(chacha20,poly1305)' 128
variant renew_xfrm

hmac aes-cbc 0 'cbc(aes)' 256
key_sizes renew_xfrm
hmac aes-ctr 4 'rfc3686(ctr(aes))' 256
key_sizes renew_xfrm
UDP=0 ESN=1 BITS=128
for HASH in 384 512; do
	hmac aes-cbc 0 'cbc(aes)' $HASH
	variant renew_xfrm
	hmac aes-ctr 4 'rfc3686(ctr(aes))' $HASH
	variant renew_xfrm
done
for HASH in 256 384 512; do
	hmac null 0 'ecb(cipher_null)' $HASH
	BITS=0 variant renew_xfrm
done

clear_end "$b"
esplane_end "$b" b && inner_route "$b" b
esp "$b" encap-add port=$ENCAP_PORT >/dev/null
aead aes-gcm-16-iiv 4
key_sizes renew
aead chacha20-poly1305-iiv 4
UDP=1 ESN=1 BITS=256 variant renew
wires
ktap_finished
