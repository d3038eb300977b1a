# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# OpenIKED in a network namespace, from the root of newer peers. Source it after lib.sh.
#
#	iked_start NS NAME CONF		starts iked in NS with CONF, the text of an iked.conf
#				$iked_options: more options
#	iked_give NAME CA CERT		before the start: the authority it trusts, its own key and certificate
#	iked_stop NAME [SIGNAL]
#	ikectl NAME ARGS...		a command to it
#	iked_down NAME			true if it holds no IKE SA any more
#
# It drives the kernel by PF_KEY, whose Linux kind has no AEAD and cuts HMAC-SHA2-256 to 96 bits, against RFC 4868
# section 2.3: ESP has to be AES-CBC with HMAC-SHA2-384 or -512.

IKED_ROOT=/newer

iked_give() {
	local dir
	dir=$(daemon_dir "$1")/iked
	mkdir -p "$dir"/{ca,certs,crls,private,pubkeys}
	cp "$NET_TMP/pki/$2.pem" "$dir/ca/ca.crt"
	cp "$NET_TMP/pki/$3.pem" "$dir/certs/$3.crt"
	install -m 600 "$NET_TMP/pki/$3.key" "$dir/private/local.key"
	openssl pkey -in "$NET_TMP/pki/$3.key" -pubout -out "$dir/local.pub"
}

# Not busywait for its socket alone: the file is there before anyone listens.
iked_start() {
	local name_space=$1 name=$2 dir
	dir=$(daemon_dir "$name")
	mkdir -p "$dir/iked"/{ca,certs,crls,private,pubkeys}
	# It wants a key of its own even where none is used.
	[ -e "$dir/iked/private/local.key" ] || pki_key ec:P-256 "$dir/iked/private/local.key"
	printf '%s\n' "$3" >"$dir/conf"
	chmod 600 "$dir/conf"
	chmod 755 "$NET_TMP" "$dir"
	ip netns exec "$name_space" sh -c '
		mount --bind "$2/iked" "$1/etc/iked" && mkdir -p "$1/run/iked" && exec chroot "$1" /usr/sbin/iked -d -vv $3 -s "$2/sock" -f "$2/conf"' \
		sh $IKED_ROOT "$dir" "${iked_options:-}" >"$dir/log" 2>&1 &
	# shellcheck disable=SC2034	# lib.sh reads it
	daemon_pid[$name]=$!
	at_exit kill -KILL $!
	busywait "$(slowly 30000)" ikectl "$name" show sa || {
		ktap_print_msg "iked $name did not start: $(tail -n 5 "$dir/log" 2>&1)"
		return 1
	}
}
iked_stop() { daemon_stop "$@"; }

ikectl() {
	local name=$1
	shift
	chroot $IKED_ROOT timeout "$(slowly 30)" /usr/sbin/ikectl -s "$(daemon_dir "$name")/sock" "$@"
}

iked_down() { ! ikectl "$1" show sa | grep -q iked_sas; }
