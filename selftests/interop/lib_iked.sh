# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# OpenIKED in a network namespace, from the root of newer peers. Source it after lib.sh.
#
#	iked_start NS NAME CONF		starts iked in NS with CONF, the text of an iked.conf
#				$iked_options: more options
#	iked_give NAME CA CERT		before the start: the authority it trusts, its own key and certificate
#	iked_stop NAME [SIGNAL]
#	ikectl NAME ARGS...		a command to it
#	iked_delete NAME ID		has it delete its IKE SAs with ID, an FQDN, and begin no other one
#	iked_rekey NAME NS		has it rekey the CHILD_SA that it has in namespace NS
#	iked_down NAME			true if it holds no IKE SA any more
#
# It drives the kernel by PF_KEY, whose Linux kind has no AEAD and cuts HMAC-SHA2-256 to 96 bits, against RFC 4868
# section 2.3: ESP has to be AES-CBC with HMAC-SHA2-384 or -512.

IKED_ROOT=/newer
IKED_MODPROBE=/proc/sys/kernel/modprobe

# At each start PF_KEY has the kernel look for every algorithm it has heard of, and modprobe is run for each one that is
# not there: 20 seconds of starting nothing. What is used is loaded before, and during the start none is looked for.
IKED_LOADER=$(cat $IKED_MODPROBE)
at_exit iked_loading "$IKED_LOADER"
iked_loading() { echo "$1" >$IKED_MODPROBE; }
iked_ready() { grep -q 'compilation done' "$(log_of "$1")" && ikectl "$1" show sa; }

iked_give() {
	local dir
	dir=$(daemon_dir "$1")/iked
	mkdir -p "$dir"/{ca,certs,crls,private,pubkeys}
	cp "$NET_TMP/pki/$2.pem" "$dir/ca/ca.crt"
	cp "$NET_TMP/pki/$3.pem" "$dir/certs/$3.crt"
	install -m 600 "$NET_TMP/pki/$3.key" "$dir/private/local.key"
	openssl pkey -in "$NET_TMP/pki/$3.key" -pubout -out "$dir/local.pub"
}

iked_start() {
	local name_space=$1 name=$2 dir
	dir=$(daemon_dir "$name")
	mkdir -p "$dir/iked"/{ca,certs,crls,private,pubkeys}
	# It wants a key of its own even where none is used.
	[ -e "$dir/iked/private/local.key" ] || pki_key ec:P-256 "$dir/iked/private/local.key"
	printf '%s\n' "$3" >"$dir/conf"
	chmod 600 "$dir/conf"
	chmod 755 "$NET_TMP" "$dir"
	modprobe -qa esp4 authenc cbc sha512_generic
	iked_loading ""
	ip netns exec "$name_space" sh -c '
		mount --bind "$2/iked" "$1/etc/iked" && mkdir -p "$1/run/iked" && exec chroot "$1" /usr/sbin/iked -d -vv $3 -s "$2/sock" -f "$2/conf"' \
		sh $IKED_ROOT "$dir" "${iked_options:-}" >"$dir/log" 2>&1 &
	# shellcheck disable=SC2034	# lib.sh reads it
	daemon_pid[$name]=$!
	at_exit kill -KILL $!
	busywait "$(slowly 30000)" iked_ready "$name" || {
		iked_loading "$IKED_LOADER"
		ktap_print_msg "iked $name did not start: $(tail -n 5 "$dir/log" 2>&1)"
		return 1
	}
	iked_loading "$IKED_LOADER"
}
iked_stop() { daemon_stop "$@"; }

ikectl() {
	local name=$1
	shift
	chroot $IKED_ROOT timeout "$(slowly 30)" /usr/sbin/ikectl -s "$(daemon_dir "$name")/sock" "$@"
}

# An active policy would be initiated again within a minute.
iked_delete() { ikectl "$1" passive && ikectl "$1" reset id "FQDN/$2"; }

# It has no command for that: its kernel says that the lifetime of the SA ends.
iked_rekey() {
	local sa
	read -ra sa < <(ip -n "$2" xfrm state | awk '/^src/ { to = $4 } /proto esp spi/ { print to, $4; exit }')
	ns "$2" "$INTEROP_DIR/../lib/xfrm_expire.py" "${sa[@]}"
}

iked_down() { ! ikectl "$1" show sa | grep -q iked_sas; }
