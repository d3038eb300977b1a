#!/bin/bash
# SPDX-License-Identifier: MIT
# The control path without memory: whichever allocation fails, a request is refused as a whole or done as a
# whole (faults.py tells how that is judged), and the tunnel of before still works afterwards. That
# nothing leaks is for the guest's balance to tell, at the end. Needs a kernel with fault injection.
#
#	a esplane 10.1.0.1 === ESP === 10.2.0.1 esplane b; the requests are a's
# Variables that lib.sh sets or reads.
# shellcheck disable=SC2034,SC2154
. "$(dirname "$0")/lib.sh"

DEBUGFS=/sys/kernel/debug
# The module's own are the last of them; what the core allocates after it fails, too, before they do.
OF_A_NAMESPACE=80

set_rows() {
	new_in="sa-new direction=1 spi=0x5001 src=$OUTER_B dst=$OUTER_A encr=20 keymat=$KEY_BA"
	everything="src-first=0.0.0.0;src-last=255.255.255.255;dst-first=0.0.0.0;dst-last=255.255.255.255"
	some="src-first=10.66.0.0;src-last=10.66.0.9;dst-first=10.77.0.0;dst-last=10.77.3.77;protocol=6"
	six="src-first=2001:db8::1;src-last=2001:db8::7;dst-first=2001:db9::;dst-last=2001:db9::ffff"
	discard="policy-set direction=2 action=3 priority=900"

	rows=(
		"caps-get|caps-get|"
		"stats-get|stats-get|"
		"spd-get|spd-get|"
		"sa-get|sa-get id=@sa|"
		"all of sa-get|sa-get,dump|"
		"policy-get|policy-get id=@policy|"
		"all of policy-get|policy-get,dump|"
		"spi-alloc|spi-alloc lowest=0x9000 highest=0x9000 timeout=900|spi-free spi=0x9000"
		"|spi-alloc lowest=0x9001 highest=0x9001 timeout=900|"
		"spi-free|spi-free spi=0x9001|spi-alloc lowest=0x9001 highest=0x9001 timeout=900"
		"sa-new, inbound|$new_in selector=[$some] selector=[$everything]|sa-del id=@sa"
		"sa-new, outbound|${new_in/direction=1/direction=2}|sa-del id=@sa"
		"sa-new, two algorithms|${new_in%%encr*}encr=12 integ=12 keymat=$(make_key 352 x)|sa-del id=@sa"
		"sa-new, IPv6|${new_in/src=* encr/src=2001:db8::1 dst=2001:db8::2 encr}|sa-del id=@sa"
		"|$new_in|"
		"sa-update|sa-update id=@sa src=192.0.2.9|sa-update id=@sa src=$OUTER_B"
		"sa-del|sa-del id=@sa|$new_in"
		"|sa-del id=@sa|"
		"policy-set|$discard selector=[$some] selector=[$everything] selector=[$six]|policy-del id=@policy"
		"|$discard selector=[$some]|"
		"policy-set, another|$discard id=@policy selector=[$six]|$discard id=@policy selector=[$some]"
		"policy-del|policy-del id=@policy|$discard selector=[$some]"
		"|link-add faults0 66|"
		"|${new_in/direction=1/direction=2} if-id=66|"
		"policy-set, an interface's|policy-set direction=2 action=1 if-id=66 sa-id=@sa selector=[$some]|policy-del id=@policy"
		"|sa-del id=@sa|"
		"spd-set|spd-set default-in=3|spd-set default-in=2"
		"encap-add|encap-add fd=104|encap-del port=4501"
		"|encap-add fd=104|"
		"encap-del|encap-del port=4501|~encap-add fd=104"
		"an interface is made|link-add faults1 67|link-del faults1"
		"an interface is removed|link-del faults0|link-add faults0 66"
		"|link-del esplane0|"
		"sa-new, with the interface for it|$new_in|sa-del id=@sa"
	)
}

# prepare KIND: failures by number alone, of whatever may sleep or not.
prepare() {
	local dir=$DEBUGFS/$1 file
	[ -d "$dir" ] && echo 0 >"$dir/verbose" && echo 0 >"$dir/probability" && echo -1 >"$dir/times" &&
	for file in ignore-gfp-wait ignore-gfp-highmem; do
		[ ! -e "$dir/$file" ] || echo N >"$dir/$file"
	done &&
	{ [ ! -e "$dir/min-order" ] || echo 0 >"$dir/min-order"; }
}

# One result for each line of faults.py.
judged() {
	local line
	while IFS= read -r line; do
		case $line in
		"ok "*) ktap_test_pass "${line#ok }" ;;
		*) ktap_test_fail "${line#not ok }" "$line" ;;
		esac
	done
}

ktap_print_header
[ -e /proc/self/fail-nth ] && prepare failslab && prepare fail_page_alloc ||
	ktap_skip_all "this kernel has no fault injection"
two_hosts
set_rows
named=()
for row in "${rows[@]}"; do
	[ -z "${row%%|*}" ] || named+=("$row")
done
ktap_set_plan $((1 + ${#named[@]} + 2 + 1))
check_here "a tunnel" eval 'esplane_end "$a" a && esplane_end "$b" b && inner_route "$a" a &&
	inner_route "$b" b && net_ping "$a" $INNER_B'
judged < <(nsenter --net="/run/netns/$a" python3 "$NET_DIR/faults.py" "${rows[@]}" 2>&1)
judged < <(python3 "$NET_DIR/faults.py" --namespace $OF_A_NAMESPACE 2>&1)
ktap_check "the tunnel still works" net_ping "$a" $INNER_B
ktap_check "and so does the rest" net_send "$a" "$b" $INNER_B 100000
ktap_finished
