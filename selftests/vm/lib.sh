# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# What every script of selftests/vm shares: where things are cached, how it speaks, how it locks,
# and how a command is run inside the build root.

VM_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
TREE=$(cd "$VM_DIR/../.." && pwd)
CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/esplane
# shellcheck disable=SC2034
KERNELS="6.1 6.12 7.3 7.3-debug"
JOBS=${JOBS:-$(nproc)}

say() { echo "# vm: $*" >&2; }
die() { echo "vm: $*" >&2; exit 1; }

# A short key over the files and strings that decide what a cached thing holds.
key_of() { cat "$@" | sha256sum | cut -c1-12; }

# The tree's own corner of the cache: two clones never share build products.
build_dir() { echo "$CACHE/build-$(printf %s "$TREE" | sha256sum | cut -c1-12)"; }

root_dir() { echo "$CACHE/root-$(key_of "$VM_DIR/packages" "$VM_DIR/root")"; }

newer_dir() { echo "$CACHE/newer-$(key_of "$VM_DIR/packages-newer" "$VM_DIR/newer")"; }

newer_ml_dir() { echo "$CACHE/newer-ml-$(key_of "$VM_DIR/packages-newer" "$VM_DIR/newer" "$VM_DIR/newer-ml" "$VM_DIR/apt.sh")"; }

vici_python_dir() { echo "$CACHE/vici-python-$(key_of "$VM_DIR/packages" "$VM_DIR/vici-python" "$VM_DIR/apt.sh")"; }

newer_kernel_dir() { echo "$CACHE/newer-kernel-$(key_of "$VM_DIR/newer-kernel" "$VM_DIR/apt.sh")"; }

# kernel_base NAME: where Debian's kernel of that name lies, with its modules under lib/modules.
kernel_base() { if [ "$1" = 7.3 ]; then "$VM_DIR/newer-kernel"; else root_dir; fi; }

# kernel_release NAME: the full release string of Debian's kernel 6.1, 6.12 or 7.3.
kernel_release() {
	local base releases pattern=$1
	base=$(kernel_base "$1")
	# There is but one.
	[ "$1" != 7.3 ] || pattern=7
	releases=$(cd "$base/lib/modules" && ls -d "$pattern".*-amd64 2>/dev/null | sort -V | tail -n 1)
	[ -n "$releases" ] || die "no kernel $1 in $base"
	echo "$releases"
}

debug_kernel_dir() {
	echo "$CACHE/linux-$(cat "$(root_dir)/usr/src/debug-version")-$(key_of "$VM_DIR/debug.config")"
}

# with_lock NAME COMMAND...: one builder of a cached thing at a time; the others wait for it.
with_lock() {
	local name=$1 fd status
	shift
	mkdir -p "$CACHE"
	exec {fd}>"$CACHE/$name.lock"
	flock -n "$fd" || { say "waiting for another run that builds $name"; flock "$fd"; }
	"$@"
	status=$?
	exec {fd}>&-
	return $status
}

# Not through vm/root's lock: what is there need not wait while another root is being made.
# In a mount namespace of its own: if it is killed, no mount stays for the next one to trip over.
ensure_root() {
	[ -e "$(root_dir)" ] || unshare --mount --propagation private "$VM_DIR/root" >/dev/null
}

need_root() { [ "$(id -u)" = 0 ] || die "$1 needs root (it mounts and enters a build root)"; }

ensure_newer() {
	[ -e "$(newer_dir)" ] || unshare --mount --propagation private "$VM_DIR/newer" >/dev/null
}

# in_root [--bind HOSTDIR GUESTDIR]... COMMAND...: run a command inside the build root, in a mount
# namespace of its own so that nothing stays mounted. The tree is /esplane there, read-only.
in_root() { in_root_of "$(root_dir)" "$@"; }

# in_root_of ROOT ...: the same in another root.
in_root_of() {
	local root=$1 binds=()
	shift
	while [ "$1" = --bind ]; do
		binds+=("$2" "$3")
		shift 3
	done
	ESPLANE_ROOT=$root ESPLANE_TREE=$TREE unshare --mount --propagation private \
		bash "$VM_DIR/enter" "${#binds[@]}" "${binds[@]}" "$@"
}
