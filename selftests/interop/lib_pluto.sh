# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Libreswan's daemon in a network namespace, from the root of newer peers, with files and sockets of its own.
# Source it after lib.sh.
#
#	pluto_start NS NAME CONF	starts pluto in NS with CONF, connections of an ipsec.conf; loads each of them
#				its secrets: file "secrets" in daemon_dir NAME (ipsec.secrets), if it is there
#				its certificates: see pluto_give
#	pluto_give NAME CA CERT		before the start: makes its NSS database, with pki_ca's CA and pki_issue's CERT
#	pluto_stop NAME [SIGNAL]
#	whack NAME ARGS...		a command to it
#	pluto_down NAME			true if it holds no IKE SA any more

PLUTO_ROOT=/newer
PLUTO_DIR=/usr/libexec/ipsec
PLUTO_P12_PASSWORD=between-two-tools

pluto_run() { chroot $PLUTO_ROOT "$@"; }

pluto_give() {
	local dir nss
	dir=$(daemon_dir "$1")
	nss=sql:$dir/nss
	pluto_database "$1" &&
	pluto_run certutil -A -d "$nss" -n "$2" -t CT,, -i "$NET_TMP/pki/$2.pem" &&
	pluto_run openssl pkcs12 -export -in "$NET_TMP/pki/$3.pem" -inkey "$NET_TMP/pki/$3.key" -name "$3" \
		-passout pass:$PLUTO_P12_PASSWORD -out "$dir/$3.p12" &&
	pluto_run pk12util -i "$dir/$3.p12" -d "$nss" -W $PLUTO_P12_PASSWORD -K ''
}

# Neither of the two things that make one is loud when it fails.
pluto_database() {
	local dir
	dir=$(daemon_dir "$1")/nss
	mkdir -p "$dir"
	[ -e "$dir/cert9.db" ] || pluto_run certutil -N -d "sql:$dir" --empty-password
}

pluto_conf() {
	cat <<-EOC
	config setup
	    uniqueids=no

	EOC
}

whack() {
	local name=$1
	shift
	pluto_run timeout "$(slowly 60)" $PLUTO_DIR/whack --rundir "$(daemon_dir "$name")/run" "$@"
}

pluto_start() {
	local name_space=$1 name=$2 dir conn
	dir=$(daemon_dir "$name")
	mkdir -p "$dir/run" "$dir/policies"
	pluto_database "$name"
	touch "$dir/secrets"
	{ pluto_conf; printf '%s\n' "$3"; } >"$dir/conf"
	ip netns exec "$name_space" chroot $PLUTO_ROOT $PLUTO_DIR/pluto --nofork --config "$dir/conf" --rundir "$dir/run" \
		--nssdir "$dir/nss" --ipsecdir "$dir" --secretsfile "$dir/secrets" --logfile "$dir/log" \
		>"$dir/stderr" 2>&1 &
	# shellcheck disable=SC2034	# lib.sh reads it
	daemon_pid[$name]=$!
	at_exit kill -KILL $!
	busywait "$(slowly 30000)" whack "$name" --briefstatus || {
		ktap_print_msg "pluto $name did not start: $(tail -n 5 "$dir/stderr" "$dir/log" 2>&1)"
		return 1
	}
	whack "$name" --listen >/dev/null
	for conn in $(sed -n 's/^conn //p' "$dir/conf"); do
		pluto_run $PLUTO_DIR/addconn --config "$dir/conf" --ctlsocket "$dir/run/pluto.ctl" "$conn" \
			>"$dir/load" 2>&1 || {
			ktap_print_msg "pluto $name did not load $conn: $(cat "$dir/load")"
			return 1
		}
	done
}
pluto_stop() { daemon_stop "$@"; }
pluto_down() { ! whack "$1" --showstates | grep -q '#'; }
