# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# KTAP for test scripts: results are printed as they come, and a script that stops half way cannot
# pass, because the plan is not met.
#
#	ktap_print_header			once, first
#	ktap_set_plan N				N results will follow
#	ktap_test_pass NAME
#	ktap_test_fail NAME [WHY]		WHY goes to a diagnostic line
#	ktap_test_skip NAME WHY
#	ktap_check NAME COMMAND...		pass or fail by COMMAND's status; its output is shown on failure
#	ktap_check_fails NAME COMMAND...	the same, but COMMAND must fail
#	ktap_equal NAME GOT WANTED		pass if the strings are the same, else shows both
#	ktap_at_least NAME GOT MINIMUM		numbers
#	ktap_at_most NAME GOT MAXIMUM
#	ktap_print_msg TEXT			a diagnostic line
#	ktap_skip_all WHY			nothing can run here: says so and exits with 4
#	ktap_finished				last: totals; exits 0 if every planned test passed or was skipped,
#						4 if all were skipped, else 1
#
# Names hold no "#": KTAP would read a directive. Usage:
#	. "$(dirname "$0")/../lib/ktap.sh"

KTAP_EXIT_PASS=0
KTAP_EXIT_FAIL=1
KTAP_EXIT_SKIP=4

ktap_count=0
ktap_passed=0
ktap_failed=0
ktap_skipped=0
ktap_planned=

ktap_print_header() { echo "TAP version 13"; }

ktap_print_msg() { printf '%s\n' "$*" | sed 's/^/# /'; }

ktap_set_plan() {
	ktap_planned=$1
	echo "1..$1"
}

ktap_skip_all() {
	echo "1..0 # SKIP $*"
	exit $KTAP_EXIT_SKIP
}

ktap_result() {
	ktap_count=$((ktap_count + 1))
	echo "$1 $ktap_count $2${3:+ # $3}"
}

ktap_test_pass() {
	ktap_passed=$((ktap_passed + 1))
	ktap_result ok "$1"
}

ktap_test_fail() {
	ktap_failed=$((ktap_failed + 1))
	ktap_result "not ok" "$1"
	[ -z "${2:-}" ] || ktap_print_msg "$2"
}

ktap_test_skip() {
	ktap_skipped=$((ktap_skipped + 1))
	ktap_result ok "$1" "SKIP $2"
}

ktap_check() {
	local name=$1 output
	shift
	if output=$("$@" 2>&1); then
		ktap_test_pass "$name"
	else
		ktap_test_fail "$name" "failed ($?): $*
$output"
		return 1
	fi
}

ktap_check_fails() {
	local name=$1 output
	shift
	if output=$("$@" 2>&1); then
		ktap_test_fail "$name" "succeeded, but must not: $*
$output"
		return 1
	fi
	ktap_test_pass "$name"
}

ktap_compare() {
	local name=$1 got=$2 operator=$3 wanted=$4
	if test "$got" "$operator" "$wanted"; then
		ktap_test_pass "$name"
	else
		ktap_test_fail "$name" "got '$got', wanted $operator '$wanted'"
		return 1
	fi
}

ktap_equal() { ktap_compare "$1" "$2" = "$3"; }
ktap_at_least() { ktap_compare "$1" "$2" -ge "$3"; }
ktap_at_most() { ktap_compare "$1" "$2" -le "$3"; }

ktap_finished() {
	echo "# Totals: pass:$ktap_passed fail:$ktap_failed xfail:0 xpass:0 skip:$ktap_skipped error:0"
	if [ "$ktap_failed" -ne 0 ]; then
		exit $KTAP_EXIT_FAIL
	elif [ "$((ktap_passed + ktap_skipped))" != "$ktap_planned" ]; then
		ktap_print_msg "planned ${ktap_planned:-nothing}, ran $((ktap_passed + ktap_skipped))"
		exit $KTAP_EXIT_FAIL
	elif [ "$ktap_passed" -eq 0 ]; then
		exit $KTAP_EXIT_SKIP
	fi
	exit $KTAP_EXIT_PASS
}
