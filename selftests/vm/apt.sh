# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# The host's apt for the packages of another suite, or for sources: it keeps what it fetches in a directory of its own,
# and has its keys and its mirrors from a root. Source it after lib.sh.
#
#	apt_from ROOT DIR LINE...	prepares DIR for sources.list's LINEs, with the keys of ROOT; then
#	apt_do get|cache ARGUMENTS...	is apt-get or apt-cache
#	apt_sources ROOT DIR ARGUMENTS...	apt-get source of the first source of the root that has it, into DIR/package;
#				false if none has

apt_from() {
	local root=$1 dir=$2
	shift 2
	mkdir -p "$dir/lists/partial" "$dir/cache"
	printf '%s\n' "$@" >"$dir/sources.list"
	apt_options=(-qq -o Dir::Etc::sourcelist="$dir/sources.list" -o Dir::Etc::sourceparts=/nonexistent
		-o Dir::Etc::trustedparts="$root/etc/apt/trusted.gpg.d" -o Dir::State::lists="$dir/lists"
		-o Dir::Cache="$dir/cache" -o Acquire::Check-Valid-Until=false -o Acquire::Check-Date=false
		-o Acquire::Languages=none -o Acquire::Retries=3 -o APT::Sandbox::User=root)
}

apt_do() {
	local program=apt-$1
	shift
	"$program" "${apt_options[@]}" "$@"
}

# Of several sources that name a version the first may not hold it any more: each by itself, the last ones, which have
# few packages, first.
apt_sources() {
	local root=$1 dir=$2 line
	shift 2
	mkdir -p "$dir/package"
	while read -r line; do
		apt_from "$root" "$dir" "${line/#deb /deb-src }"
		if (cd "$dir/package" && apt_do get update && apt_do get source --download-only "$@") >>"$dir/log" 2>&1; then
			return 0
		fi
	done < <(grep '^deb ' "$root/etc/apt/sources.list" | tac)
	cat "$dir/log" >&2
	return 1
}
