# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# A kernel tree with kernel/ dropped in as net/esplane, the way a kernel developer takes it. All clones
# share it in the cache, so hold the lock "tree" while you use it. src/ is the source; each build has a
# directory beside it. Source this after lib.sh.

tree_dir() { echo "$CACHE/tree-$(cat "$(root_dir)/usr/src/debug-version")"; }

# in_tree COMMAND...: as in_root, with the tree as /tree.
in_tree() { in_root --bind "$(tree_dir)" /tree "$@"; }

tree_unpack() {
	local target
	target=$(tree_dir)
	[ -e "$target/ready" ] && return 0
	say "unpacking the kernel's source (once)"
	rm -rf "$target"
	mkdir -p "$target/src"
	in_tree sh -ec '
		tar -C /tree/src --strip-components=1 -xf /usr/src/linux-debug.tar.xz
		cd /tree/src/net
		echo "source \"net/esplane/Kconfig\"" >>Kconfig
		echo "obj-\$(CONFIG_ESPLANE) += esplane/" >>Makefile'
	touch "$target/ready"
}

# By content, and with the time of now: what differs from the clone that was built last must be compiled
# anew, however old the file is.
tree_drop_in() {
	tree_unpack
	in_tree sh -ec '
		rsync -rlpc --delete /esplane/kernel/ /tree/src/net/esplane/
		rsync -rlpc /esplane/include/uapi/linux/ /tree/src/include/uapi/linux/'
}
