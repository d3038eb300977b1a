#!/bin/bash
# SPDX-License-Identifier: MIT
# Loads every KUnit module and prints what its suites found, as KTAP. Runs in a guest whose kernel has
# KUnit and debugfs. Usage: run_kunit.sh [NAME]: only modules whose name contains NAME.
set -u
SUITES=/sys/kernel/debug/kunit
shopt -s nullglob
modules=(/build/module/*"${1:-}"*_kunit.ko)

echo "TAP version 13"
echo "1..${#modules[@]}"
[ ${#modules[@]} -gt 0 ] || exit 1
number=0
failures=0
for module in "${modules[@]}"; do
	number=$((number + 1))
	name=$(basename "$module" .ko)
	echo "<4>kunit: $name" >/dev/kmsg
	echo "    # Subtest: $name"
	before=" $(cd $SUITES && echo *) "
	verdict="not ok"
	modprobe "$name" 2>&1 | sed 's/^/    # /'
	results=()
	for suite in "$SUITES"/*; do
		[[ $before == *" ${suite##*/} "* ]] || results+=("$suite/results")
	done
	if [ ${#results[@]} -gt 0 ]; then
		echo "    1..${#results[@]}"
		# Each file is a document of its own whose last line sums the suite up.
		sed -e '/^1\.\.1$/d' -e '/^K*TAP version/d' -e 's/^/    /' "${results[@]}"
		grep -q '^ *not ok' "${results[@]}" || verdict=ok
		modprobe -r "$name"
	else
		echo "    # $name loaded no suite"
	fi
	[ "$verdict" = ok ] || failures=$((failures + 1))
	echo "$verdict $number $name"
done
[ $failures = 0 ]
