# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# What the tests share that have esplane at a and xfrm at b. Source it after lib.sh; workers at both ends
# have to run, and STREAM is how many packets a stream has.
#
#	aead WORD SALT_LEN KERNEL_NAME ICV_BITS		a transform for both, in espctl's word and xfrm's
#	hmac ENCR SALT_LEN KERNEL_NAME 256|384|512	the same of two algorithms
#	say_variant			which it is, how long its key, and the rest
#	xfrm_errors			all errors that xfrm has counted at b
#	remember_drops			what either end has dropped, for
#	nothing_dropped			true if it is no more now, but for what was too big
#	echoes ADDR_A ADDR_B		of one byte, and of more than one packet holds, both ways
#	stream_arrives FROM TO ADDR [SIZE [OPTIONS]]	true if all of it comes, undamaged
#	only_esp FILTER OTHERS		ends a capture in $NET_TMP/wire; true if it has packets of FILTER and
#					none that neither this nor OTHERS matches

# The scripts that source this set and read variables of it.
# shellcheck disable=SC2034,SC2154
HMAC_256=hmac-sha2-256-128 HMAC_384=hmac-sha2-384-192 HMAC_512=hmac-sha2-512-256

aead() {
	ENCR=$1 INTEG='' SALT_LEN=$2 INTEG_LEN=0 XFRM=(aead "$3" KEY "$4")
}

hmac() {
	local name=HMAC_$4
	ENCR=$1 INTEG=${!name} SALT_LEN=$2 INTEG_LEN=$(($4 / 8))
	XFRM=(auth-trunc "hmac(sha$4)" INTEG_KEY "$(($4 / 2))" enc "$3" KEY)
}

say_variant() {
	local encap=native esn=off
	[ $UDP = 0 ] || encap="in UDP"
	[ $ESN = 0 ] || esn=on
	echo "$ENCR${INTEG:+ $INTEG}, $BITS bits, $encap, ESN $esn"
}

xfrm_errors() {
	local name count sum=0
	while read -r name count; do
		sum=$((sum + count))
	done <"/proc/${worker_pid[$b]}/net/xfrm_stat"
	echo $sum
}

remember_drops() {
	drops_before=$(drops "$a")
	errors_before=$(xfrm_errors)
}

# The first packets that do not fit are dropped and their sender told: TOO_BIG is no fault.
nothing_dropped() {
	local dropped
	dropped=$(($(drops "$a") - drops_before - $(counter "$a" TOO_BIG)))
	echo "esplane: $dropped beside TOO_BIG; xfrm: $(($(xfrm_errors) - errors_before))"
	esp "$a" stats
	[ $dropped -le 0 ] && [ "$(xfrm_errors)" = "$errors_before" ]
}

echoes() {
	local size
	for size in 1 3000; do
		ns "$a" ping -n -c 2 -i 0.01 -W "$(slowly 2)" -s $size "$2" || return 1
		ns "$b" ping -n -c 2 -i 0.01 -W "$(slowly 2)" -s $size "$1" || return 1
	done
}

stream_arrives() {
	local came
	receiver "$2" "$3" 9000 $STREAM && sender "$1" "$3" 9000 $STREAM 500 "${@:4}" || return 1
	came=$(received)
	echo "$came of $STREAM came"
	[ "$came" = $STREAM ]
}

only_esp() {
	capture_stop
	tcpdump -n -c 10 -r "$NET_TMP/wire" "not ($1) and not ($2)" 2>/dev/null | tee "$NET_TMP/others"
	[ "$(captured "$NET_TMP/wire" "$1")" -gt 100 ] && [ ! -s "$NET_TMP/others" ]
}
