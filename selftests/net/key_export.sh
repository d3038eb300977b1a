#!/bin/bash
# SPDX-License-Identifier: MIT
# Keys for Wireshark: the module as it is built by default has none to give; one that is built to give
# them says so, gives them to root of the machine alone and when asked outright, logs it, and they
# decrypt what was captured.
#
#	a esplane === ESP ===> eth0 b
# Variables that lib.sh sets or reads.
# shellcheck disable=SC2034,SC2154
. "$(dirname "$0")/lib.sh"

DEFAULT=/build/module/esplane.ko
EXPORTING=/build/key-export/esplane.ko
TEXT="the key fits"
WARNING="esplane: warning: the module gives the keys of SAs to root, it was built with KEY_EXPORT=1"
ONLY_ROOT="EPERM keys: only for CAP_SYS_ADMIN in the initial user namespace"

genl() { nsenter --net="/run/netns/$a" "$@" python3 "$NET_DIR/genl.py" "${requests[@]}"; }
cli() { nsenter --net="/run/netns/$a" esplane "$@"; }
genl_without() { genl setpriv --bounding-set "-$1" --inh-caps "-$1"; }
# Once the namespaces of others are gone, which takes a moment.
unload() { busywait "$(slowly 10000)" rmmod esplane; }
use() { unload && insmod "$1" && in_use=$1; }
back() { [ "$in_use" = $DEFAULT ] || use $DEFAULT; }
# What the kernel said since log_begin.
log_begin() { echo "key_export.sh $$ begins" >/dev/kmsg; }
log() { dmesg | sed "1,/key_export.sh $$ begins/d"; }
exports_logged() { log | grep -c 'esplane: keys of SA '; }

# SAs of both directions, and a packet from a captured at b.
talk() {
	esp "$a" flush
	new_keys
	esplane_end "$a" a && inner_route "$a" a &&
	capture "$b" eth0 "$NET_TMP/$1.pcap" esp &&
	ns "$a" bash -c "printf %s '$TEXT' >/dev/udp/$INNER_B/9000" &&
	busywait "$(slowly 5000)" sent && capture_stop
}

sent() { [ "$(sa_get "$a" "$SA_OUT_a" packets)" = 1 ]; }

# exported NAME: all keys into NAME.esp_sa, what is said beside into NAME.err, the process into $pid.
exported() {
	pid=$(cli_pid sa --wireshark-keys 2>"$NET_TMP/$1.err" 3>"$NET_TMP/$1.esp_sa")
}

cli_pid() { nsenter --net="/run/netns/$a" sh -c 'echo $$; exec esplane "$@" >&3' - "$@"; }

decrypted() { python3 "$NET_DIR/esp_sa.py" "$NET_TMP/$1.esp_sa" "$NET_TMP/$2.pcap" 2>&1; }

# Of the user namespace that owns the network namespace, one is root; of the machine one is not.
at_home() {
	setpriv --reuid 65534 --regid 65534 --clear-groups unshare -Urn sh -c "
		id=\$(espctl sa-add direction=out spi=0x3000 src=1.1.1.1 dst=1.1.1.2 key=$KEY_AB) &&
		python3 '$NET_DIR/genl.py' sa-get,dump sa-keys-get\ id=\$id | cut -c 1-100"
}

# No reply but that of sa-keys-get has a key, its salt included.
plain_replies() {
	requests=("sa-get,dump" "sa-get id=$SA_OUT_a" "sa-get id=$SA_IN_a" caps-get)
	genl >"$NET_TMP/raw" && [ "$(grep -c '^ok ..' "$NET_TMP/raw")" = 4 ] &&
	esp "$a" sa-list --json >>"$NET_TMP/raw" && cli sa >>"$NET_TMP/raw" 2>&1 &&
	cli sa --json >>"$NET_TMP/raw" && cli sa --dump >>"$NET_TMP/raw" &&
	! grep -qi -e "${KEY_AB:0:32}" -e "${KEY_BA:0:32}" -e "${KEY_AB:32:8}" "$NET_TMP/raw"
}

line() { echo "\"IPv4\",\"$1\",\"$2\",\"$3\",\"$4\",\"0x$5\",\"$6\",\"${7:+0x$7}\""; }

by_default() {
	ktap_equal "by default modinfo knows of no key export" "$(modinfo -F key_export $DEFAULT)" ""
	esplane_end "$a" a
	requests=("sa-keys-get id=$SA_OUT_a")
	ktap_equal "by default the module gives no keys, and says why" "$(genl)" \
		"ENOTSUP the module was built without key export (KEY_EXPORT=1)"
	ktap_equal "esplane sa --wireshark-keys fails with the reason" "$(cli sa --wireshark-keys 2>&1 || echo failed)" \
		"esplane: the module was built without key export (make KEY_EXPORT=1)
failed"
}

announced() {
	ktap_equal "modinfo tells of key export" "$(modinfo -F key_export $EXPORTING)" \
		"Y: root can read the keys of all SAs"
	ktap_equal "so does the kernel's log" "$(log | grep -c \
		'esplane: built with key export: root can read the keys of all SAs')" 1
	ktap_equal "and esplane sa" "$(cli sa 2>&1 >/dev/null)" "$WARNING"
	ktap_equal "and esplane version" "$(cli version 2>&1 | grep -c -e "^$WARNING$" -e '^esplane.ko [0-9]')" 2
}

refusals() {
	requests=("sa-keys-get id=$SA_OUT_a")
	ktap_equal "root without CAP_SYS_ADMIN gets no keys" "$(genl_without sys_admin)" "$ONLY_ROOT"
	ktap_check "root without CAP_NET_ADMIN neither" grep -q ^EPERM <<<"$(genl_without net_admin)"
	ktap_equal "nor root of a user namespace, who made the SA" "$(at_home | sed 's/^ok .*/ok/')" \
		"ok
$ONLY_ROOT"
	requests=("sa-keys-get,dump")
	ktap_check "there is no list of keys" grep -q ^ENOTSUP <<<"$(genl)"
	ktap_check "no other reply holds a key" plain_replies
	ktap_equal "none of this was an export" "$(exports_logged)" 0
}

exports() {
	check_here "root gets the keys" exported gcm
	ktap_equal "as lines for Wireshark" "$(grep -v '^#' "$NET_TMP/gcm.esp_sa" | sort)" \
		"$(line $OUTER_A $OUTER_B 0x00001000 'AES-GCM with 16 octet ICV [RFC4106]' "$KEY_AB" NULL
		line $OUTER_B $OUTER_A 0x00002000 'AES-GCM with 16 octet ICV [RFC4106]' "$KEY_BA" NULL)"
	ktap_equal "and each is logged, with who asked for which" \
		"$(log | sed -n 's/.*esplane: \(keys of SA .*\), netns [0-9]*\(.*\)/\1\2/p' | sort)" \
		"$(for sa in "$SA_IN_a (SPI 0x00002000" "$SA_OUT_a (SPI 0x00001000"; do
			echo "keys of SA $sa) given to esplane, pid $pid, uid 0"
		done | sort)"
	ktap_equal "AES-GCM: the captured packet decrypts with it" "$(decrypted gcm gcm)" \
		"0x00001000 1 $INNER_A $INNER_B $TEXT"
	sed 's/"0x\(.\)\([0-9a-f]*\)","NULL"/"0x\2\1","NULL"/' "$NET_TMP/gcm.esp_sa" >"$NET_TMP/wrong.esp_sa"
	ktap_equal "and not with another" "$(decrypted wrong gcm)" "wrong ICV"
	ENCR=aes-ctr INTEG=hmac-sha2-512-256 INTEG_LEN=64 BITS=256	# RFC 3686 section 5.1, RFC 4868 section 2.6
	check_here "another SA, AES-CTR and HMAC" talk ctr
	check_here "its keys, asked for by SPI" one_exported
	ktap_equal "are two" "$(grep -v '^#' "$NET_TMP/ctr.esp_sa")" \
		"$(line $OUTER_A $OUTER_B 0x00001000 'AES-CTR [RFC3686]' "${KEY_AB:0:72}" \
			'HMAC-SHA-512-256 [RFC4868]' "${KEY_AB:72}")"
	ktap_equal "AES-CTR, HMAC: the captured packet decrypts with them" "$(decrypted ctr ctr)" \
		"0x00001000 1 $INNER_A $INNER_B $TEXT"
	# An SA that the table has no name for.
	ENCR=aes-ccm-16 INTEG='' INTEG_LEN=0 SALT_LEN=3
	check_here "another one, AES-CCM" talk ccm
	ktap_equal "is told of in a comment" "$(cli sa "$SA_OUT_a" --wireshark-keys 2>/dev/null | tail -n +2)" \
		"# SPI 0x00001000: Wireshark has no aes-ccm-16"
}

one_exported() { cli sa 0x1000 --wireshark-keys >"$NET_TMP/ctr.esp_sa"; }

EXPORT_ROWS=24
ktap_print_header
two_hosts
ktap_set_plan $((3 + EXPORT_ROWS))
by_default
if [ ! -e $EXPORTING ]; then
	for ((i = 0; i < EXPORT_ROWS; i++)); do
		ktap_test_skip "key export" "no $EXPORTING (vm/run --key-export)"
	done
	ktap_finished
fi
in_use=$DEFAULT
at_exit back
log_begin
check_here "the module that gives keys takes its place" use $EXPORTING
check_here "SAs, and a packet captured" talk gcm
announced
refusals
exports
check_here "the default module takes its place again" use $DEFAULT
ktap_finished
