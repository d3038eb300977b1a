#!/bin/bash
# SPDX-License-Identifier: MIT
# strongSwan begins, esplaned answers and knows no user: FreeRADIUS does, by EAP-MSCHAPv2 and by EAP-TLS, which goes in
# fragments, and which group the user is in. Then a wrong password, a server that is silent beside one that is not, none
# at all, and somebody who lets anybody in, without the secret and without Message-Authenticator.
. "$(dirname "$0")/../lib/ktap.sh"
. "$(dirname "$0")/../lib/net.sh"
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/eap_lib.sh"

need_command swanctl esplaned esplane openssl freeradius python3
ktap_print_header
ktap_set_plan 23

SECRET=radius-secret PORT=1812 OTHER=1822
eap_hosts eap-mschapv2 eap-tls

# A server with one user and one authority, and nothing else.
raddb() {
	local dir=$NET_TMP/raddb
	mkdir -p "$dir"
	echo '$INCLUDE /usr/share/freeradius/dictionary' >"$dir/dictionary"
	# The group is "staff".
	printf '%s\n' 'carol	Cleartext-Password := "Ar3etTnp"' '	Class = 0x7374616666' >"$dir/users"
	cat >"$dir/radiusd.conf" <<-EOC
	libdir = /usr/lib/freeradius
	raddbdir = $dir
	logdir = $dir
	run_dir = $dir
	security {
		reject_delay = 0
	}
	client here {
		ipaddr = 127.0.0.0/8
		secret = $SECRET
		require_message_authenticator = yes
	}
	modules {
		files {
			filename = $dir/users
		}
		mschap {
		}
		eap {
			default_eap_type = mschapv2
			mschapv2 {
			}
			tls-config common {
				private_key_file = $NET_TMP/pki/radius.key
				certificate_file = $NET_TMP/pki/radius.pem
				ca_file = $NET_TMP/pki/ca.pem
				tls_max_version = "1.2"
				cipher_list = "DEFAULT"
				fragment_size = 1000
			}
			tls {
				tls = common
			}
		}
	}
	server default {
		listen {
			type = auth
			ipaddr = 127.0.0.1
			port = $PORT
		}
		authorize {
			eap {
				ok = return
			}
			files
		}
		authenticate {
			Auth-Type eap {
				eap
			}
			Auth-Type MS-CHAP {
				mschap
			}
		}
	}
	EOC
}

radius_ready() { grep -q 'Ready to process requests' "$NET_TMP/radius.log"; }
radius_start() {
	ip netns exec "$a" freeradius -d "$NET_TMP/raddb" -X >"$NET_TMP/radius.log" 2>&1 &
	radius_pid=$!
	at_exit kill -KILL $!
	busywait "$(slowly 60000)" radius_ready || {
		ktap_print_msg "$(tail -n 15 "$NET_TMP/radius.log")"
		return 1
	}
}
radius_stop() {
	kill $radius_pid
	wait $radius_pid
}
show_radius() {
	show_logs
	ktap_print_msg "$(tail -n 40 "$NET_TMP/radius.log")"
}

# Lets anybody in: answers each request twice with an Access-Accept, by the wrong secret, and by the right one but without
# Message-Authenticator.
liar_start() {
	ip netns exec "$a" python3 - $OTHER $SECRET >"$NET_TMP/liar.log" 2>&1 <<-'EOC' &
	import hashlib, socket, sys
	server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
	server.bind(("127.0.0.1", int(sys.argv[1])))
	print("listening", flush=True)
	def accept(request, secret):
	    head = bytes([2, request[1], 0, 26])
	    attributes = bytes([79, 6, 3, 1, 0, 4])
	    return head + hashlib.md5(head + request[4:20] + attributes + secret).digest() + attributes
	while True:
	    request, peer = server.recvfrom(4096)
	    for secret in (b"another", sys.argv[2].encode()):
	        server.sendto(accept(request, secret), peer)
	EOC
	at_exit kill -KILL $!
	busywait "$(slowly 5000)" grep -q listening "$NET_TMP/liar.log"
}

# servers PORT...: the section of esplaned's configuration
servers() {
	local port
	printf 'radius {\n retransmit_timeout = 0.5\n retransmit_tries = 1\n nas_identifier = gateway\n servers {\n'
	for port; do
		printf 's%s {\n address = 127.0.0.1\n port = %s\n secret = %s\n }\n' "$port" "$port" $SECRET
	done
	printf ' }\n}\n'
}

PASSWORD="auth = eap-mschapv2
id = $NAME_B
eap_id = carol"
CERTIFICATE="auth = eap-tls
certs = own.pem
aaa_id = radius.example.org
id = $NAME_B"

# start LOCAL_KEYS PASSWORD PORT...
start() {
	local keys=$1 password=$2
	shift 2
	esplaned_start "$a" a "$(eap_server $OUTER_A $NAME_A "auth = eap-radius
groups = ${groups:-}" $NET_A $NET_B; servers "$@")" &&
	charon_start "$b" b "$(eap_client $OUTER_B $OUTER_A "$keys" $NAME_A $NET_B $NET_A; users eap carol "$password")"
}

pki_ca ca rsa:2048 && pki_issue ca server-a ec:P-256 a DNS:$NAME_A && pki_issue ca client-b rsa:2048 b DNS:$NAME_B &&
	pki_issue ca radius rsa:2048 radius DNS:radius.example.org
own a server-a
own b client-b
raddb
radius_start
ktap_equal "FreeRADIUS starts" $? 0

start "$PASSWORD" Ar3etTnp $PORT
ktap_equal "a password: the daemons start" $? 0 || show_logs
ktap_check "a password: up, and a ping goes through" up_and_ping b || show_radius
ktap_check "a password: esplaned knows who it is" logged a \
	"peer $NAME_B has proven its identity by eap-radius as carol" || show_logs
ktap_check "a password: FreeRADIUS was told who asks, and for whom" \
	grep -Eq 'Calling-Station-Id = "192.0.2.2"' "$NET_TMP/radius.log"
ktap_check "a password: rekeying of the IKE SA" swan b --rekey --ike site
ktap_check "a password: a ping after it" net_ping "$a" $INNER_B -I $INNER_A
stop

start "$CERTIFICATE" - $PORT
ktap_equal "a certificate: the daemons start" $? 0 || show_logs
ktap_check "a certificate: up, and a ping goes through" up_and_ping b || show_radius
stop

groups="admins, staff" start "$PASSWORD" Ar3etTnp $PORT
ktap_check "one of the groups that are let in: up" up_and_ping b || show_radius
stop
groups=admins start "$PASSWORD" Ar3etTnp $PORT
refused "another group" b "the user is in none of the groups .*remote.groups: admins.*RADIUS names \(Class\) staff"

start "$PASSWORD" Wrong $PORT
refused "a wrong password" b "AUTHENTICATION_FAILED: eap-radius as carol: the RADIUS server refuses the user"

start "$PASSWORD" Ar3etTnp 1899 $PORT
ktap_check "the first server is silent: up by the second" up_and_ping b || show_radius
ktap_check "the first server is silent: esplaned says so" logged a \
	"RADIUS server s1899 \(127.0.0.1 port 1899\) does not answer \(sent 2 times\)" || show_logs
stop

liar_start
start "$PASSWORD" Ar3etTnp $OTHER $PORT
ktap_check "a forger: up by the real server" up_and_ping b || show_radius
ktap_check "a forger: who lacks the secret is ignored" logged a \
	"an answer of RADIUS server s1822 .* is ignored: its Response Authenticator is wrong" || show_logs
ktap_check "a forger: who lacks Message-Authenticator is ignored" logged a \
	"an answer of RADIUS server s1822 .* is ignored: there is no Message-Authenticator in it" || show_logs
stop

radius_stop
start "$PASSWORD" Ar3etTnp $PORT
refused "no server" b "AUTHENTICATION_FAILED: no RADIUS server answers: s1812 \(127.0.0.1 port 1812\)"

start "$PASSWORD" Ar3etTnp $OTHER
refused "none but a forger" b "AUTHENTICATION_FAILED: no RADIUS server answers: s1822 \(127.0.0.1 port 1822\)"

ktap_finished
