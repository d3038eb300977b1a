# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# IKE daemons in network namespaces: esplaned and strongSwan's charon, each with files and sockets of its own.
# Source it after ktap.sh and net.sh.
#
#	esplaned_start NS NAME CONF	starts esplaned in NS with configuration text CONF; waits until it answers
#				$esplaned_options: instead of --no-privdrop --debug
#	esplaned_stop NAME [SIGNAL]	TERM unless named; waits until it has gone
#	esplane NAME ARGS...		the command, against that daemon
#	charon_start NS NAME CONF	starts charon in NS, loads CONF (text of a swanctl.conf)
#				$charon_keys: more lines for section charon of its strongswan.conf
#				$charon_plugins: more plugins; $charon_log: levels of its log
#				$charon_root=/newer: the Debian 13 one; $esplaned_root likewise
#	charon_stop NAME [SIGNAL]
#	swan NAME ARGS...		swanctl against that daemon, or against an esplaned of that name
#	log_of NAME			file with what the daemon said
#	logged NAME REGEX		true if it said so
#
#	conf_connection CONN LOCAL REMOTE LOCAL_KEYS REMOTE_KEYS LOCAL_TS REMOTE_TS [CONN_KEYS] [CHILD_KEYS]
#					prints a configuration both kinds of daemon load; the child is "net".
#					*_KEYS are lines for the sections; they win over the defaults here
#	conf_psk CONN LOCAL REMOTE LOCAL_ID REMOTE_ID LOCAL_TS REMOTE_TS [CONN_KEYS] [CHILD_KEYS]
#					the same by pre-shared key, with the secret
#
#	pki_ca NAME KEY			makes an authority; KEY is rsa:2048, ec:P-256, ed25519 or the like
#	pki_issue CA NAME KEY CN SAN [DAYS] [EXTENSION]
#					makes a key and a certificate of it, with this subjectAltName
#	pki_give DAEMON FILE DIRECTORY	copies $NET_TMP/pki/FILE to where a daemon that will be started finds it
#
#	sa_up NAME / sa_down NAME	true if the daemon has (no) installed CHILD_SA
#	only_protected FILE		true if a capture from the wire holds ESP, IKE and nothing else of IP but ARP
#	stream_start NS_FROM NS_TO ADDR	numbered UDP packets, 200 a second, from one namespace to another
#	stream_stop			ends it; sets stream_sent and stream_lost

INTEROP_PSK=0sRXNwbGFuZSBpbnRlcm9wIHRlc3Qga2V5
# daemon_root: where the programs of a daemon are, if not here.
declare -A daemon_pid daemon_root

# from_root NAME COMMAND...: of the root that the daemon is from.
from_root() {
	local root=${daemon_root[$1]:-}
	shift
	if [ -n "$root" ]; then
		chroot "$root" "$@"
	else
		command "$@"
	fi
}

daemon_dir() { echo "$NET_TMP/daemon-$1"; }
log_of() { echo "$(daemon_dir "$1")/log"; }
logged() { grep -Eq -- "$2" "$(log_of "$1")"; }

daemon_gone() { ! kill -0 "${daemon_pid[$1]}" 2>/dev/null; }

daemon_stop() {
	local name=$1 signal=${2:-TERM}
	[ -n "${daemon_pid[$name]:-}" ] || return 0
	kill -"$signal" "${daemon_pid[$name]}" 2>/dev/null
	busywait "$(slowly 15000)" daemon_gone "$name" || {
		kill -KILL "${daemon_pid[$name]}"
		return 1
	}
	unset "daemon_pid[$name]"
}
esplaned_stop() { daemon_stop "$@"; }
charon_stop() { daemon_stop "$@"; }

esplaned_start() {
	local name_space=$1 name=$2 dir
	dir=$(daemon_dir "$name")
	mkdir -p "$dir"
	printf '%s\n' "$3" >"$dir/conf"
	swanctl_conf >"$dir/strongswan.conf"
	daemon_root[$name]=${esplaned_root:-}
	# shellcheck disable=SC2086
	ip netns exec "$name_space" ${esplaned_root:+chroot $esplaned_root} esplaned --config "$dir/conf" --vici "$dir/vici" \
		${esplaned_options:---no-privdrop --debug} \
		>>"$dir/log" 2>&1 &
	daemon_pid[$name]=$!
	at_exit kill -KILL $!
	busywait "$(slowly 30000)" esplane "$name" version || {
		ktap_print_msg "esplaned $name did not start: $(tail -n 5 "$dir/log")"
		return 1
	}
}

esplane() {
	local name=$1
	shift
	from_root "$name" esplane --uri "unix://$(daemon_dir "$name")/vici" "$@"
}

# For swanctl, whichever daemon it talks to: few plugins.
swanctl_conf() {
	cat <<-EOC
	swanctl {
		load = random nonce openssl pem pkcs1 pkcs8 x509 pubkey
	}
	EOC
}

charon_conf() {
	swanctl_conf
	cat <<-EOC
	charon {
		# Few plugins: the distribution's hundred take long to start.
		load_modular = no
		load = random nonce aes sha2 hmac kdf gcm x509 pubkey pkcs1 pkcs8 pem openssl curve25519 kernel-netlink \
			socket-default vici updown ${charon_plugins:-}
		install_routes = no
		retransmit_tries = 5
		retransmit_timeout = 2.0
		${charon_keys:-}
		plugins {
			vici {
				socket = unix://$1/vici
			}
		}
		filelog {
			log {
				path = $1/log
				append = yes
				flush_line = yes
				${charon_log:-default = 1
				ike = 2
				cfg = 2
				knl = 2}
			}
		}
	}
	EOC
}

charon_start() {
	local name_space=$1 name=$2 dir
	dir=$(daemon_dir "$name")
	mkdir -p "$dir"
	printf '%s\n' "$3" >"$dir/conf"
	charon_conf "$dir" >"$dir/strongswan.conf"
	# A /run of its own: charon refuses to start where another one has left its PID. "ip netns exec" has made
	# a mount namespace for it already.
	daemon_root[$name]=${charon_root:-}
	STRONGSWAN_CONF=$dir/strongswan.conf ip netns exec "$name_space" sh -c '
		mount -t tmpfs tmpfs "$1/run" && exec ${1:+chroot "$1"} /usr/lib/ipsec/charon' \
		sh "${charon_root:-}" >"$dir/stderr" 2>&1 &
	daemon_pid[$name]=$!
	at_exit kill -KILL $!
	busywait "$(slowly 60000)" swan "$name" --stats || {
		ktap_print_msg "charon $name did not start: $(tail -n 5 "$dir/stderr" "$dir/log" 2>&1)"
		return 1
	}
	swan "$name" --load-all --file "$dir/conf" >"$dir/load" 2>&1 || {
		ktap_print_msg "charon $name did not load: $(cat "$dir/load")"
		return 1
	}
}

swan() {
	local name=$1 command=$2
	shift 2
	STRONGSWAN_CONF=$(daemon_dir "$name")/strongswan.conf SWANCTL_DIR=$(daemon_dir "$name") \
		from_root "$name" timeout "$(slowly 60)" swanctl "$command" --uri "unix://$(daemon_dir "$name")/vici" "$@"
}

conf_connection() {
	cat <<-EOC
	connections {
		$1 {
			version = 2
			local_addrs = $2
			remote_addrs = $3
			proposals = aes128gcm16-prfsha256-x25519
			local {
				$4
			}
			remote {
				$5
			}
			children {
				net {
					local_ts = $6
					remote_ts = $7
					esp_proposals = aes128gcm16-x25519
					rekey_time = 1h
					${9:-}
				}
			}
			${8:-}
		}
	}
	EOC
}

conf_psk() {
	conf_connection "$1" "$2" "$3" "auth = psk
				id = $4" "auth = psk
				id = $5" "${@:6}"
	cat <<-EOC
	secrets {
		ike-1 {
			id-1 = $4
			id-2 = $5
			secret = $INTEROP_PSK
		}
	}
	EOC
}

# pki_key KEY FILE
pki_key() {
	case $1 in
	rsa:*) openssl genpkey -algorithm RSA -pkeyopt "rsa_keygen_bits:${1#*:}" -out "$2" ;;
	ec:*) openssl genpkey -algorithm EC -pkeyopt "ec_paramgen_curve:${1#*:}" -out "$2" ;;
	*) openssl genpkey -algorithm "$1" -out "$2" ;;
	esac 2>/dev/null && chmod 600 "$2"
}

pki_ca() {
	local dir=$NET_TMP/pki
	mkdir -p "$dir"
	pki_key "$2" "$dir/$1.key" &&
	openssl req -x509 -new -key "$dir/$1.key" -subj "/C=CH/O=esplane/CN=$1" -days 30 -out "$dir/$1.pem" \
		-addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign
}

pki_issue() {
	local dir=$NET_TMP/pki
	pki_key "$3" "$dir/$2.key" &&
	openssl req -new -key "$dir/$2.key" -subj "/C=CH/O=esplane/CN=$4" -out "$dir/$2.csr" &&
	openssl x509 -req -in "$dir/$2.csr" -CA "$dir/$1.pem" -CAkey "$dir/$1.key" -CAcreateserial \
		-days "${6:-30}" -out "$dir/$2.pem" 2>/dev/null \
		-extfile <(printf 'subjectAltName = %s\nkeyUsage = digitalSignature\n%s\n' "$5" "${7:-}")
}

pki_give() {
	local dir
	dir=$(daemon_dir "$1")/$3
	mkdir -p "$dir" && cp -p "$NET_TMP/pki/$2" "$dir/"
}

sa_up() { swan "$1" --list-sas --raw | grep -q 'state=INSTALLED'; }
sa_down() { ! swan "$1" --list-sas --raw | grep -Eq 'state=(INSTALLED|ESTABLISHED)'; }
sa_count() { swan "$1" --list-sas --raw | grep -o 'state=INSTALLED' | wc -l; }

# The inner networks never show in clear, and what shows is ESP, IKE or UDP-encapsulated ESP.
only_protected() {
	local file=$1
	[ "$(captured "$file" 'ip and (proto 50 or udp port 4500 or udp portrange 61000-62000)')" -gt 0 ] &&
	[ "$(captured "$file" 'ip and not (proto 50 or udp port 500 or udp port 4500 or udp portrange 61000-62000)')" -eq 0 ]
}

stream_start() {
	local port=7007 endless=1000000000 size=200
	stream_result=$NET_TMP/stream
	stream_sender=
	rm -f "$stream_result".{got,sent}
	ip netns exec "$2" "$INTEROP_DIR/../lib/stream.py" receive "$3" $port $endless "$(slowly 60)" \
		>"$stream_result.got" &
	stream_receiver=$!
	at_exit kill $stream_receiver
	busywait "$(slowly 30000)" stream_listens "$2" $port || {
		ktap_print_msg "the stream's receiver does not listen"
		return 1
	}
	ip netns exec "$1" "$INTEROP_DIR/../lib/stream.py" send "$3" $port $endless 200 $size \
		>"$stream_result.sent" &
	stream_sender=$!
	at_exit kill $stream_sender
}

stream_listens() { ns "$1" ss -Hlun "sport = :$2" | grep -q .; }

# A packet that came twice counts as one lost, and a stream that did not start has lost one that nobody sent. What is
# set is read by the scripts that source this file.
# shellcheck disable=SC2034
stream_stop() {
	local twice=0 got
	stream_sent=0 stream_lost=1
	[ -n "$stream_sender" ] || return 1
	kill -TERM $stream_sender
	wait $stream_sender
	# The last packets are still on their way.
	sleep 1
	kill -TERM $stream_receiver
	wait $stream_receiver || twice=1
	got=$(cat "$stream_result.got" 2>/dev/null)
	stream_sent=$(cat "$stream_result.sent" 2>/dev/null)
	# One that ended before it could say anything has nothing to show.
	[ -n "$stream_sent" ] && [ -n "$got" ] || { stream_sent=0; return 1; }
	stream_lost=$((stream_sent - got + twice))
}
INTEROP_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
