#!/bin/bash
# SPDX-License-Identifier: MIT
# Runs the test programs of one directory in turn and reports each as one KTAP test with its own
# results nested below it. It wants root and a loaded module, nothing else.
#
# Usage: run_tests.sh DIR PROGRAM...	(paths of the programs are relative to DIR)
#
# kselftest's conventions: exit 0 passes, 4 skips, all else fails; "timeout=SECONDS" in DIR/settings.
# Beyond them a program fails that prints no plan, fewer or more results than planned, or that leaves
# network namespaces behind.
set -u
dir=$1
shift
KSFT_SKIP=4
TIMED_OUT=124
LINES_KEPT=$(mktemp)
trap 'rm -f "$LINES_KEPT"' EXIT

time_limit() {
	local limit
	limit=$(sed -n 's/^timeout=//p' "$dir/settings" 2>/dev/null)
	limit=${limit:-120}
	# With every checker on, all takes several times as long.
	case $(uname -r) in
	*debug*) limit=$((limit * 4)) ;;
	esac
	[ "${MATRIX:-}" != full ] || limit=$((limit * 4))
	echo $((limit + ${FUZZ_SECONDS:-0}))
}

# Whether the top-level results match the plan; says what is wrong if not.
judge_plan() {
	awk '
		/^1\.\.[0-9]+/ { plan = substr($1, 4); plans++ }
		/^(not )?ok / { results++ }
		END {
			if (plans != 1) { print "printed " plans + 0 " plans"; exit 1 }
			if (results + 0 != plan) {
				print "planned " plan ", ran " results + 0
				exit 1
			}
		}' "$LINES_KEPT"
}

verdict() {
	local number=$1 name=$2 status=$3 problem=$4
	case $status in
	0 | "$KSFT_SKIP") ;;
	"$TIMED_OUT") problem="timeout after $limit s" ;;
	*) problem=exit=$status ;;
	esac
	if [ -n "$problem" ]; then
		echo "not ok $number $name # $problem"
		failures=$((failures + 1))
	elif [ "$status" = $KSFT_SKIP ]; then
		echo "ok $number $name # SKIP"
	else
		echo "ok $number $name"
	fi
}

run_one() {
	local number=$1 program=$2 name before status problem='' started=$SECONDS
	name=${dir##*/}/$program
	echo "    # Subtest: $name"
	# The console then tells during which program a splat came.
	echo "<4>selftests: $name" 2>/dev/null >/dev/kmsg
	before=$(ls /run/netns 2>/dev/null)
	(cd "$dir" && exec timeout --kill-after=10 "$limit" "./$program") </dev/null 2>&1 |
		tee "$LINES_KEPT" | sed -u 's/^/    /'
	status=${PIPESTATUS[0]}
	echo "    # took $((SECONDS - started)) s"
	problem=$(judge_plan)
	[ "$before" = "$(ls /run/netns 2>/dev/null)" ] || problem="leaves network namespaces behind"
	verdict "$number" "$name" "$status" "$problem"
}

# Each ping asks for timestamps, and the kernel then patches its own code, on and off again: hundreds of
# times, which costs, and under emulation a second CPU was once caught by the breakpoint of a patch that
# was already done. While one socket keeps asking nothing is patched.
keep_timestamps() {
	python3 -c 'import signal, socket
keeper = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
keeper.setsockopt(socket.SOL_SOCKET, 29, 1)		# SO_TIMESTAMP
signal.pause()' </dev/null >/dev/null 2>&1 &
	keeper=$!
	trap 'rm -f "$LINES_KEPT"; kill $keeper 2>/dev/null' EXIT
}

failures=0
limit=$(time_limit)
keep_timestamps
echo "TAP version 13"
echo "1..$#"
number=0
for program in "$@"; do
	number=$((number + 1))
	run_one $number "$program"
done
[ $failures = 0 ]
