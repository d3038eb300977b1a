#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# probe.sh HEADER DIRECTORY CC FLAGS...: compiles every file of DIRECTORY and writes to HEADER a
# definition for each that compiles. If always.c does not, the flags are wrong, and no answer of
# the others would mean anything.
set -eu

header=$1
probes=$2
shift 2

# What a warning would hide is an error here; other warnings are no answer.
compiles() {
	"$@" -Wno-error -Werror=implicit-function-declaration -Werror=incompatible-pointer-types \
		-Werror=int-conversion -DMODULE -DKBUILD_BASENAME='"probe"' \
		-DKBUILD_MODNAME='"probe"' -D__KBUILD_MODNAME=probe -fsyntax-only "$file"
}

file=$probes/always.c
compiles "$@" || { echo "$0: cannot compile for this kernel at all" >&2; exit 1; }

{
	echo "/* Written by probe.sh for one kernel. */"
	for file in "$probes"/*.c; do
		name=$(basename "$file" .c | tr '[:lower:]' '[:upper:]')
		if compiles "$@" 2>/dev/null; then
			echo "#define ESPLANE_HAVE_$name 1"
		else
			echo "/* not here: $name */"
		fi
	done
} >"$header.tmp"
mv "$header.tmp" "$header"
