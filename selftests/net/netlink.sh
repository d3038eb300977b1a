#!/bin/bash
# SPDX-License-Identifier: MIT
# The genetlink family: every refusal says why, keys never come back, who may use it, the kernel's own
# client understands it by the spec, and lists are whole however long they are.
# Variables that lib.sh sets or reads.
# shellcheck disable=SC2034,SC2154
. "$(dirname "$0")/lib.sh"

SPEC=$NET_DIR/../../include/netlink/esplane.yaml
YNL=/opt/ynl/tools/net/ynl/pyynl/cli.py
MANY=2000
POLICIES=300

genl() { ip netns exec "$a" python3 "$NET_DIR/genl.py" "$@"; }

# Requests that must be refused: what is wrong | the request | errors allowed | what the text, or the
# attribute that the kernel blames, must name. The well-formed beginning of a request is written GOOD.
refusals() {
	cat <<-EOT
	SA without direction|sa-new spi=0x1000 src=1.1.1.1 dst=1.1.1.2 encr=20 keymat=$key|EINVAL|direction
	SA with a third direction|$sa_out direction=3|EINVAL ERANGE|direction
	SA without SPI|sa-new direction=2 src=1.1.1.1 dst=1.1.1.2 encr=20 keymat=$key|EINVAL|spi
	SA with a reserved SPI|sa-new direction=2 spi=255 src=1.1.1.1 dst=1.1.1.2 encr=20 keymat=$key|EINVAL|spi
	SA without source|sa-new direction=2 spi=0x1000 dst=1.1.1.2 encr=20 keymat=$key|EINVAL|src|source
	SA without destination|sa-new direction=2 spi=0x1000 src=1.1.1.1 encr=20 keymat=$key|EINVAL|dst|destination
	SA with half an address|$sa_out src=!0101|EINVAL ERANGE|src|address
	SA with two families|$sa_out src=2001:db8::1|EINVAL EAFNOSUPPORT|famil|IPv6
	SA with a link-local source without scope|$sa_out src=fe80::1 dst=2001:db8::1|EINVAL|src|ifindex
	SA with a link-local destination without scope|$sa_out src=2001:db8::1 dst=fe80::1|EINVAL|dst|ifindex
	SA with an IPv4 address in IPv6's clothes|$sa_out src=::ffff:1.1.1.1 dst=::ffff:1.1.1.2|EINVAL|IPv4
	SA in an unknown mode|$sa_out mode=3|EINVAL ERANGE|mode
	SA in transport mode with an interface|$sa_out mode=2 if-id=5|EINVAL|if-id
	SA in transport mode between link-local addresses|$sa_out mode=2 src=fe80::1 dst=fe80::2 ifindex=1|EINVAL|mode|link-local
	SA without transform|sa-new direction=2 spi=0x1000 src=1.1.1.1 dst=1.1.1.2 keymat=$key|EINVAL|encr
	SA with a transform that is unknown|$sa_out encr=99|EINVAL EOPNOTSUPP ENOENT|transform
	SA with a cipher alone|$sa_out encr=12|EINVAL|integ
	SA with more integrity than it needs|$sa_out integ=12|EINVAL|integ
	SA with an integrity transform that is unknown|$sa_out encr=12 integ=99|EINVAL|integ
	SA with a key for another transform|$sa_out encr=12 integ=12|EINVAL|key
	SA without key|sa-new direction=2 spi=0x1000 src=1.1.1.1 dst=1.1.1.2 encr=20|EINVAL|key
	SA with a key one byte short|$sa_out keymat=${key:2}|EINVAL|key
	SA with a key without salt|$sa_out keymat=${key:8}|EINVAL|key
	SA with a key longer than any|$sa_out keymat=$(make_key 256 x)$(make_key 256 y)$(make_key 256 z)|EINVAL ERANGE|key
	SA with an unknown flag|$sa_out flags=0x80|EINVAL ERANGE|flag
	SA with too large a window|$sa_in replay-window=5000|EINVAL ERANGE|window
	SA with one port|$sa_out encap-sport=4500|EINVAL|encap|port
	SA with a port that is none|$sa_out encap-sport=65536 encap-dport=4500|EINVAL ERANGE|encap-sport
	SA beyond 32-bit numbers|$sa_out seq=0x100000000|EINVAL ERANGE|seq
	SA with a selector without destination|$sa_in selector=[src-first=1.1.1.1;src-last=1.1.1.1]|EINVAL|selector|dst
	SA with a selector that ends before it begins|$sa_in selector=[src-first=1.1.1.2;src-last=1.1.1.1;dst-first=1.1.1.1;dst-last=1.1.1.1]|EINVAL|selector|range
	SA with a selector of two families|$sa_in selector=[src-first=::1;src-last=::1;dst-first=1.1.1.1;dst-last=1.1.1.1]|EINVAL EAFNOSUPPORT|selector|famil|IPv6
	SA with a protocol that is none|$sa_in selector=[protocol=256;$everywhere]|EINVAL ERANGE|protocol
	SA with ports that end before they begin|$sa_in selector=[src-port-first=9;src-port-last=8;$everywhere]|EINVAL|port|selector|range
	SA with more selectors than allowed|$sa_in $(repeat "$any" 33)|EINVAL E2BIG ERANGE|selectors
	SA with an attribute that does not exist|$sa_out 200=1|EINVAL|attribute
	inbound SPI that is taken|$sa_in spi=0x4000|EEXIST EADDRINUSE|spi
	no such SA, get|sa-get id=4000000000|ENOENT|SA
	no such SA, delete|sa-del id=4000000000|ENOENT|SA
	no such SA, update|sa-update id=4000000000 src=1.1.1.1|ENOENT|SA
	SA get without ID|sa-get|EINVAL|id
	SA delete without ID|sa-del|EINVAL|id
	keys of an SA, from a module that has none|sa-keys-get id=$inbound|ENOTSUP|built without key export
	SA update with one port|sa-update id=$inbound encap-sport=4500|EINVAL|encap|port
	SA update of one address to another family|sa-update id=$inbound src=2001:db8::1|EINVAL|famil
	policy without direction|policy-set action=2 $any|EINVAL|direction
	policy without action|policy-set direction=2 $any|EINVAL|action
	policy with an unknown action|policy-set direction=2 action=4 $any|EINVAL ERANGE|action
	policy without selector|policy-set direction=2 action=2|EINVAL|selector
	policy with an SA that does not exist|policy-set direction=2 action=1 $any sa-id=4000000000|ENOENT EINVAL|SA
	policy with an inbound SA|policy-set direction=2 action=1 $any sa-id=$inbound|EINVAL|outbound|inbound|direction
	interface's policy with an SA of none|policy-set direction=2 action=1 if-id=5 $any sa-id=$outbound|EINVAL|sa-id|if-id
	inbound policy with an SA|policy-set direction=1 action=1 $any sa-id=$outbound|EINVAL|sa-id|inbound|outbound
	BYPASS policy with an SA|policy-set direction=2 action=2 $any sa-id=$outbound|EINVAL|sa-id|protect
	policy to replace that does not exist|policy-set id=4000000000 direction=2 action=2 $any|ENOENT|policy
	mark outside of its mask|policy-set direction=2 action=2 $any mark=0x11 mark-mask=0x10|EINVAL|mark
	default that protects|spd-set default-out=1|EINVAL|default-out
	unknown default|spd-set default-in=4|EINVAL ERANGE|default-in
	no such policy, get|policy-get id=4000000000|ENOENT|policy
	no such policy, delete|policy-del id=4000000000|ENOENT|policy
	policy delete without ID|policy-del|EINVAL|id
	SPI range upside down|spi-alloc lowest=2000 highest=1000 dst=1.1.1.1|EINVAL ERANGE|lowest|highest|range
	SPI range of reserved ones|spi-alloc lowest=1 highest=255 dst=1.1.1.1|EINVAL ERANGE|lowest|spi
	SPI range that is used up|spi-alloc lowest=0x4000 highest=0x4000 dst=1.1.1.1|ENOSPC EBUSY EEXIST|spi
	SPI that is not reserved, free|spi-free spi=0x7777 dst=1.1.1.1|ENOENT|spi|reserv
	encapsulation without socket|encap-add|EINVAL|fd|socket
	encapsulation with a descriptor that is closed|encap-add fd=99|EBADF EINVAL|fd|descriptor|socket
	encapsulation with a file|encap-add fd=0|ENOTSOCK EINVAL|socket
	encapsulation with a TCP socket|encap-add fd=100|EINVAL EPROTONOSUPPORT EPROTOTYPE EOPNOTSUPP|UDP
	encapsulation with a socket without port|encap-add fd=101|EINVAL EADDRNOTAVAIL EDESTADDRREQ ENOTCONN|port|bound
	encapsulation with a unix socket|encap-add fd=102|EINVAL EAFNOSUPPORT EPROTONOSUPPORT EPROTOTYPE EOPNOTSUPP|UDP
	port that is not registered, delete|encap-del port=9999|ENOENT|port
	port delete without port|encap-del|EINVAL|port
	EOT
}

repeat() { printf "$1 %.0s" $(seq "$2"); }

refused() {
	local name request errors names answer
	refusals >"$NET_TMP/refusals"
	cut -d '|' -f 2 "$NET_TMP/refusals" | genl - >"$NET_TMP/answers" 2>&1
	paste -d '|' "$NET_TMP/answers" "$NET_TMP/refusals" |
		while IFS='|' read -r answer name request errors names; do
			printf '%s\n' "$name|$errors|$names|$answer"
		done >"$NET_TMP/judged"
	while IFS= read -r line; do
		answer=${line##*|} name=${line%%|*}
		errors=${line#*|} errors=${errors%%|*}
		names=${line#*|*|} names=${names%|*}
		ktap_check "refused with a text: $name" refusal_is "$errors" "$names" "$answer"
	done <"$NET_TMP/judged"
}

# refusal_is ERRORS NAMES ANSWER: one of the errors, and a text of two words or more that, with the
# attribute blamed, names what is wrong.
refusal_is() {
	echo "$3"
	[[ " $1 " == *" ${3%% *} "* ]] &&
	[[ "$3" =~ ^[A-Z0-9]+\ (\([^\)]*\)\ )?[^\ ]+\ .+ ]] &&
	grep -Eqi "$2" <<<"${3#* }"
}

# Keys and their salts as they lie in no reply: of all SAs at once, of one, of the request's own reply.
keys_hidden() {
	genl sa-get,dump "sa-get id=$inbound" "sa-get id=$outbound" >"$NET_TMP/raw" || return 1
	# The replies hold what was set otherwise: the SPI and the cookie.
	grep -q 00004000 "$NET_TMP/raw" && grep -q 8877665544332211 "$NET_TMP/raw" || return 1
	! grep -qi -e "${key:0:32}" -e "${key:32:8}" "$NET_TMP/raw"
}

as_nobody() { ip netns exec "$a" setpriv --reuid 65534 --regid 65534 --clear-groups "$@"; }

# Every request there is, without the capability.
denied_everything() {
	# shellcheck disable=SC2054
	local requests=(caps-get spi-alloc spi-free sa-new sa-get sa-get,dump sa-update sa-del sa-flush
		policy-set policy-get policy-get,dump policy-del policy-flush encap-add encap-del stats-get
		spd-set spd-get sa-keys-get)
	"$@" python3 "$NET_DIR/genl.py" "${requests[@]}" >"$NET_TMP/denied"
	cat "$NET_TMP/denied"
	[ "$(grep -c '^EPERM' "$NET_TMP/denied")" = ${#requests[@]} ]
}

# In a user namespace of its own, with its own network namespace, anybody is at home; in a user
# namespace alone one is not.
at_home() {
	setpriv --reuid 65534 --regid 65534 --clear-groups unshare -Urn sh -c \
		'espctl spi-alloc dst=192.0.2.1 >/dev/null && espctl stats get=sas'
}
as_guest() { ip netns exec "$a" unshare -Ur "$@"; }

# What the kernel's client prints for each SA, by the spec alone.
ynl_view() {
	ip netns exec "$a" python3 "$YNL" --spec "$SPEC" --no-schema --output-json --dump sa-get |
		jq -r '.[] | "\(.id) \(.direction) \(.spi) \(.src) \(.dst) \(.["key-len"]) \(.cookie // 0)"' | sort
}

espctl_view() {
	esp "$a" sa-list --json |
		jq -r '.[] | "\(.id) \(.direction) \(.spi) \(.src) \(.dst) \(.key_len) \(.cookie // 0)"' |
		while read -r id direction spi rest; do
			echo "$id $direction $((spi)) $rest"
		done | sort
}

# SPIs INNER, all inbound, in one process.
add_many() {
	local i
	for ((i = 0; i < $1; i++)); do
		echo "sa-new direction=1 spi=$((0x100000 + i)) src=192.0.2.2 dst=192.0.2.1 encr=20 keymat=$key cookie=$((i + 1)) selector=[src-first=10.0.0.0;src-last=10.255.255.255;dst-first=10.0.0.0;dst-last=10.255.255.255]"
	done | genl - | grep -vc '^ok'
}

whole_list() { [ "$(esp "$a" sa-list get=spi | sort -u | wc -l)" = "$1" ]; }

# Lists taken while SAs come and go must not miss one of those that stay, nor show one twice.
consistent_lists() {
	local i adder list
	for ((i = 0; i < 400; i++)); do
		echo "sa-new direction=1 spi=$((0x200000 + i)) src=192.0.2.2 dst=192.0.2.1 encr=20 keymat=$key"
	done | genl - >/dev/null &
	adder=$!
	list=$NET_TMP/list
	while kill -0 $adder 2>/dev/null; do
		esp "$a" sa-list get=id >"$list" || return 1
		[ "$(wc -l <"$list")" = "$(sort -u "$list" | wc -l)" ] || return 1
		[ "$(wc -l <"$list")" -ge "$MANY" ] || return 1
	done
}

sa_comes_and_goes() {
	local i
	for ((i = 0; i < 150; i++)); do
		echo "sa-add direction=in spi=$((0x300000 + i)) src=192.0.2.2 dst=192.0.2.1 key=$key"
		echo "sa-del id=last"
	done | esp "$a" -
}

policy_comes_and_goes() {
	local i
	for ((i = 0; i < 150; i++)); do
		echo "policy-set direction=out action=bypass priority=9 selector=10.77.0.$i,10.78.0.0/16"
		echo "policy-del id=last"
	done | esp "$a" -
}

# list_is_steady sa-list|policy-list COUNT COMMAND: none of so many that stay is missed or doubled meanwhile.
list_is_steady() {
	local list=$NET_TMP/list changer lists=0
	"$3" >/dev/null &
	changer=$!
	while kill -0 $changer 2>/dev/null; do
		esp "$a" "$1" get=id >"$list" || return 1
		lists=$((lists + 1))
		echo "list $lists: $(wc -l <"$list"), $(sort -u "$list" | wc -l) different"
		[ "$(wc -l <"$list")" = "$(sort -u "$list" | wc -l)" ] && [ "$(wc -l <"$list")" -ge "$2" ] || return 1
	done
	wait $changer && [ $lists -gt 0 ]
}

# dump_tells WANT DUMP REQUEST...: what is said of a dump that comes in more than two parts (one is on its way
# before the other is read) when the requests come in its midst.
dump_tells() {
	local said
	said=$(ip netns exec "$a" python3 "$NET_DIR/genl.py" --between "${@:2}")
	echo "$said"
	[ "${said% *}" = "$1" ] && [ "${said#* }" -gt 2 ]
}

interruptions() {
	local id policy_id
	id=$(esp "$a" sa-list get=id | tail -n 1)
	policy_id=$(esp "$a" policy-list get=id | tail -n 1)
	ktap_check "a dump of SAs in whose midst nothing changes is whole" dump_tells whole sa-get,dump "sa-get id=$id"
	ktap_check "one SA less: NLM_F_DUMP_INTR" dump_tells interrupted sa-get,dump "sa-del id=$id"
	ktap_check "one more: the same" dump_tells interrupted sa-get,dump "$sa_in"
	ktap_check "a dump of policies in whose midst nothing changes is whole" \
		dump_tells whole policy-get,dump "policy-get id=$policy_id"
	ktap_check "one policy less: NLM_F_DUMP_INTR" dump_tells interrupted policy-get,dump "policy-del id=$policy_id"
}

reservations() {
	local spi
	spi=$(esp "$a" spi-alloc dst=192.0.2.1 lowest=0x9000 highest=0x9000) && [ "$spi" = 0x00009000 ] || return 1
	! esp "$a" spi-alloc dst=192.0.2.1 lowest=0x9000 highest=0x9000 || return 1
	esp "$a" spi-free spi=0x9000 dst=192.0.2.1 || return 1
	esp "$a" spi-alloc dst=192.0.2.1 lowest=0x9000 highest=0x9000 || return 1
	# sa-new with it ends the reservation, and now the SA has the SPI.
	esp "$a" sa-add direction=in spi=0x9000 src=192.0.2.2 dst=192.0.2.1 "key=$key" || return 1
	! esp "$a" spi-free spi=0x9000 dst=192.0.2.1 || return 1
	! esp "$a" spi-alloc dst=192.0.2.1 lowest=0x9000 highest=0x9000
}

lapse() {
	esp "$a" spi-alloc dst=192.0.2.1 lowest=0x9001 highest=0x9001 timeout=1 &&
	busywait "$(slowly 4000)" esp "$a" spi-alloc dst=192.0.2.1 lowest=0x9001 highest=0x9001
}

# b has its own everything.
separate() {
	[ "$(esp "$b" sa-list | wc -l)" = 0 ] &&
	esp "$b" sa-add direction=in spi=0x4000 src=192.0.2.1 dst=192.0.2.2 "key=$key" &&
	esp "$b" flush && [ "$(counter "$a" sas)" -gt 0 ]
}

ktap_print_header
ns_add a b || ktap_skip_all "cannot make namespaces"
key=$(make_key 128 netlink)
everywhere="src-first=0.0.0.0;src-last=255.255.255.255;dst-first=0.0.0.0;dst-last=255.255.255.255"
any="selector=[$everywhere]"
sa_out="sa-new direction=2 spi=0x1000 src=1.1.1.1 dst=1.1.1.2 encr=20 keymat=$key"
sa_in="sa-new direction=1 spi=0x1001 src=1.1.1.1 dst=1.1.1.2 encr=20 keymat=$key"
inbound=$(esp "$a" sa-add direction=in spi=0x4000 src=1.1.1.1 dst=1.1.1.2 "key=$key" \
	cookie=0x1122334455667788)
outbound=$(esp "$a" sa-add direction=out spi=0x4001 src=1.1.1.2 dst=1.1.1.1 "key=$key")
ktap_set_plan $(($(refusals | wc -l) + 22))

refused
ktap_equal "none of them left anything behind" \
	"$(counter "$a" sas) $(counter "$a" policies)" "2 0"
ktap_check "keys are in no reply" keys_hidden
ktap_check "a SPI is reserved, freed, used" reservations
ktap_check "a reservation lapses" lapse
ktap_check "another namespace has its own SAs" separate
ktap_check "nobody may ask or change anything" denied_everything as_nobody
ktap_equal "nobody may listen" "$(as_nobody python3 "$NET_DIR/genl.py" --events)" EPERM
ktap_check "root of another user namespace neither" denied_everything as_guest
ktap_check "in a user and network namespace of one's own one may" at_home
ktap_check "caps tell the version and AES-GCM with three key lengths" sh -c "
	ip netns exec $a espctl caps --json | jq -e '(.version | length > 0) and
		(.transforms[] | select(.encr == 20) | .key_lens == [128, 192, 256])'"
if [ -e $YNL ]; then
	ktap_equal "the kernel's own client lists the same SAs by the spec" "$(ynl_view)" "$(espctl_view)"
else
	ktap_test_skip "the kernel's own client lists the same SAs by the spec" "no $YNL"
fi
esp "$a" flush
ktap_equal "$MANY SAs can be added" "$(add_many $MANY)" 0
ktap_check "and the list has them all" whole_list $MANY
ktap_check "lists are whole and without doubles while SAs are added" consistent_lists
ktap_check "and while SAs are deleted" list_is_steady sa-list $MANY sa_comes_and_goes
esp "$a" policy-set direction=out action=bypass selector=10.70.0.0/16,10.80.0.0/32 --count $POLICIES >/dev/null
ktap_check "lists of policies too" list_is_steady policy-list $POLICIES policy_comes_and_goes
interruptions
esp "$a" flush
ktap_equal "flush takes them all" "$(counter "$a" sas) $(esp "$a" sa-list | wc -l)" "0 0"
ktap_finished
