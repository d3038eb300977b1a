# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# The matrix: a peer in each role, by each method, with a NAT in each place. Source it after lib.sh and say
#
#	matrix_peer=NAME	for the table; peer_start and so on, see below, are functions of the script
#	matrix_plan CELL...	sets the plan; more results than those of the cells: $matrix_more
#	matrix_run CELL...	CELL is ROLE/AUTH/NAT, "*" for all of one kind
#	matrix_show		prints the table, as diagnostic lines
#	$matrix_keys		of rsa, ecdsa and ed25519 those that the peer can sign with, if not all
#
# ROLE	initiator, responder: esplaned's
# AUTH	psk, rsa, ecdsa, ed25519, eap-mschapv2 (the initiator by password, the responder by an ECDSA certificate)
# NAT	none, us, peer (who sits behind it), both (forced: each end says that it does)
#
# A cell is one result: the tunnel comes up, pings go both ways, a rekeying of the CHILD_SA by each end leaves one
# pair of SAs and pings still go, whoever initiated deletes, both ends are clean then, and on the wire was nothing
# but IKE and ESP. esplaned is "u" with namespace $ns_u, the peer "p" in $ns_p; inside are $in_u, $in_p of $net_u,
# $net_p; $addr_u, $addr_p are what each has, $to_u, $to_p what the other one knows it by.
#
# What a peer offers, all with $role, $auth and $nat set:
#	peer_cannot		prints why it cannot do this cell; nothing if it can
#	peer_start		starts it in $ns_p; it initiates nothing yet
#	peer_initiate
#	peer_rekey		of the CHILD_SA; returns when it has asked
#	peer_delete		of the IKE SA
#	peer_down		true if it holds no IKE SA
#	peer_us			lines for section children.net of ours, on standard output
#	peer_conn		the same for our connection

NAME_U=us.example.org NAME_P=peer.example.org
MATRIX_USER=carol MATRIX_PASSWORD=Ar3etTnp
MATRIX_ROLES="initiator responder"
MATRIX_AUTHS="psk rsa ecdsa ed25519 eap-mschapv2"
MATRIX_NATS="none us peer both"
declare -A matrix_result

# matrix_cells CELL...: each once, "*" written out
matrix_cells() {
	local pattern role auth nat
	for pattern in "$@"; do
		for role in $MATRIX_ROLES; do
			for auth in $MATRIX_AUTHS; do
				for nat in $MATRIX_NATS; do
					# shellcheck disable=SC2254	# it is a pattern
					case $role/$auth/$nat in
					$pattern) echo "$role/$auth/$nat" ;;
					esac
				done
			done
		done
	done | awk '!seen[$0]++'
}

matrix_plan() { ktap_set_plan $(($(matrix_cells "$@" | wc -l) + ${matrix_more:-0})); }

# The wire: the one behind the NAT, if there is one, is in $a, and r has an address for it.
matrix_net() {
	net_routed &&
	ip -n "$a" route add $NET_B via 192.0.2.254 src $INNER_A &&
	ip -n "$b" route add $NET_A via 198.51.100.254 src $INNER_B &&
	# The other one has to find who sits behind a NAT: its ports are handed on.
	ns "$r" nft -f - <<-EOR
	table ip nat {
		chain prerouting {
			type nat hook prerouting priority dstnat;
		}
		chain postrouting {
			type nat hook postrouting priority srcnat;
		}
	}
	EOR
	for auth in ${matrix_keys:-rsa ecdsa ed25519}; do
		matrix_pki $auth || return 1
	done
}

matrix_pki() {
	local key=ed25519
	case $1 in
	rsa) key=rsa:2048 ;;
	ecdsa) key=ec:P-256 ;;
	esac
	pki_ca "ca-$1" $key &&
	pki_issue "ca-$1" "us-$1" $key us DNS:$NAME_U &&
	pki_issue "ca-$1" "peer-$1" $key peer DNS:$NAME_P
}

matrix_nat() {
	ns "$r" nft flush chain ip nat prerouting
	ns "$r" nft flush chain ip nat postrouting
	ns "$r" conntrack -F >/dev/null 2>&1
	case $1 in
	us | peer)
		ns "$r" nft add rule ip nat prerouting iifname eth1 udp dport '{ 500, 4500 }' dnat to $OUTER_A
		ns "$r" nft add rule ip nat postrouting oifname eth1 ip protocol udp masquerade to :61000-62000 ;;
	esac
}

# shellcheck disable=SC2034	# the scripts and libraries of peers read them
matrix_places() {
	ns_u=$a in_u=$INNER_A net_u=$NET_A addr_u=$OUTER_A
	ns_p=$b in_p=$INNER_B net_p=$NET_B addr_p=$OUTER_B
	[ "$1" != peer ] || {
		ns_u=$b in_u=$INNER_B net_u=$NET_B addr_u=$OUTER_B
		ns_p=$a in_p=$INNER_A net_p=$NET_A addr_p=$OUTER_A
	}
	to_u=$addr_u to_p=$addr_p
	[ "$1" != us ] || to_u=198.51.100.254
	[ "$1" != peer ] || to_p=198.51.100.254
}

# The certificate of cell's method.
matrix_kind() {
	case $auth in
	eap-mschapv2) echo ecdsa ;;
	*) echo "$auth" ;;
	esac
}

# matrix_proof initiator|responder us|peer local|remote NAME: lines of that section in swanctl's syntax
matrix_proof() {
	case $auth:$1 in
	psk:*) printf 'auth = psk\nid = %s\n' "$4" ;;
	eap-*:initiator)
		# Who is asked for no name gives that of its identity in IKE.
		[ "$3" = local ] || { printf 'auth = %s\nid = %s\neap_id = %%any\n' "$auth" "$4"; return; }
		printf 'auth = %s\nid = %s\neap_id = %s\n' "$auth" "$4" "$MATRIX_USER" ;;
	*)
		printf 'auth = pubkey\nid = %s\n' "$4"
		[ "$3" != local ] || printf 'certs = %s-%s.pem\n' "$2" "$(matrix_kind)" ;;
	esac
}

matrix_secrets() {
	cat <<-EOC
	secrets {
		ike {
			id-1 = $NAME_U
			id-2 = $NAME_P
			secret = $INTEROP_PSK
		}
		eap {
			id = $MATRIX_USER
			secret = $MATRIX_PASSWORD
		}
	}
	EOC
}

# matrix_swanctl us|peer [CHILD_KEYS]: a configuration of that end in swanctl's syntax
matrix_swanctl() {
	local mine=$role its=initiator keys='mobike = no'
	[ "$role" = responder ] || its=responder
	[ "$nat" != both ] || keys="$keys
		encap = yes"
	if [ "$1" = us ]; then
		keys="$keys
		$(peer_conn)"
		conf_connection site "$addr_u" "$to_p" "$(matrix_proof "$mine" us local $NAME_U)" \
			"$(matrix_proof "$its" peer remote $NAME_P)" "$net_u" "$net_p" "$keys" "${2:-}"
	else
		conf_connection site "$addr_p" "$to_u" "$(matrix_proof "$its" peer local $NAME_P)" \
			"$(matrix_proof "$mine" us remote $NAME_U)" "$net_p" "$net_u" "$keys" "${2:-}"
	fi
	matrix_secrets
}

# matrix_give DAEMON us|peer: the files of that end, where swanctl and esplaned look
matrix_give() {
	[ "$auth" != psk ] || return 0
	pki_give "$1" "ca-$(matrix_kind).pem" x509ca &&
	pki_give "$1" "$2-$(matrix_kind).pem" x509 &&
	pki_give "$1" "$2-$(matrix_kind).key" private
}

spis_of() { ip -n "$1" xfrm state | sed -n 's/.*proto esp spi \(0x[0-9a-f]*\).*/\1/p' | sort; }
our_spis() { swan u --list-sas --raw | grep -Eo 'spi-(in|out)=[0-9a-f]+' | sed 's/.*=/0x/' | sort; }
# Not one more, not one less, and both ends mean the same.
one_pair() { [ "$(spis_of "$ns_p" | wc -l)" = 2 ] && [ "$(spis_of "$ns_p")" = "$(our_spis)" ]; }
another_pair() { one_pair && [ "$(our_spis)" != "$1" ]; }
both_down() { sa_down u && peer_down && [ -z "$(spis_of "$ns_p")" ]; }

both_ping() { net_ping "$ns_u" $in_p -I $in_u && net_ping "$ns_p" $in_u -I $in_p; }

# step NAME COMMAND...: remembers what failed first
step() {
	local name=$1
	shift
	[ -z "$matrix_failed" ] || return 1
	"$@" >"$NET_TMP/step" 2>&1 && return 0
	matrix_failed=$name
	ktap_print_msg "$name: $* failed: $(tail -n 20 "$NET_TMP/step")"
	return 1
}

matrix_start() {
	rm -rf "$(daemon_dir u)" "$(daemon_dir p)"
	matrix_give u us
	esplaned_start "$ns_u" u "$(matrix_swanctl us "$(peer_us)")" && peer_start
}

matrix_initiate() {
	if [ "$role" = initiator ]; then esplane u initiate site net; else peer_initiate; fi
}

matrix_delete() {
	if [ "$role" = initiator ]; then esplane u terminate --ike site; else peer_delete; fi
}

matrix_steps() {
	local before file=$NET_TMP/wire.pcap
	# Not as a step: what that runs may be a subshell's, and this one must know the daemons.
	matrix_start || matrix_failed="start"
	capture "$r" eth0 "$file"
	step "comes up" matrix_initiate
	step "comes up at both ends" busywait "$(slowly 20000)" one_pair
	step "ping" both_ping
	before=$(our_spis)
	step "rekeying by us" esplane u rekey --child net
	step "rekeying by us: one pair of SAs" busywait "$(slowly 10000)" another_pair "$before"
	step "ping after rekeying by us" both_ping
	before=$(our_spis)
	step "rekeying by the peer" peer_rekey
	step "rekeying by the peer: one pair of SAs" busywait "$(slowly 30000)" another_pair "$before"
	step "ping after rekeying by the peer" both_ping
	step "delete" matrix_delete
	step "delete: both ends are clean" busywait "$(slowly 10000)" both_down
	capture_stop
	step "only IKE and ESP on the wire" only_protected "$file"
	step "encapsulation" encapsulated "$file"
}

# Where there is a NAT, or seems to be, no bare ESP goes; else nothing else does.
encapsulated() {
	if [ "$nat" = none ]; then
		[ "$(captured "$1" 'udp port 4500')" -eq 0 ] || [ "$(captured "$1" 'proto 50')" -gt 0 ]
	else
		[ "$(captured "$1" 'proto 50')" -eq 0 ]
	fi
}

matrix_cell() {
	local role auth nat why matrix_failed='' cell=$1
	IFS=/ read -r role auth nat <<<"$cell"
	matrix_places "$nat"
	why=$(peer_cannot)
	if [ -n "$why" ]; then
		matrix_result[$cell]="- $why"
		ktap_test_skip "$matrix_peer: $cell" "$why"
		return
	fi
	matrix_nat "$nat"
	matrix_steps
	if [ -z "$matrix_failed" ]; then
		matrix_result[$cell]=yes
		ktap_test_pass "$matrix_peer: $cell"
	else
		matrix_result[$cell]=NO
		ktap_test_fail "$matrix_peer: $cell" "$matrix_failed
$(tail -n 30 "$(log_of u)" "$(log_of p)" 2>&1)"
	fi
	daemon_stop u
	daemon_stop p
}

matrix_run() {
	local cell
	for cell in $(matrix_cells "$@"); do
		matrix_cell "$cell"
	done
}

# A line for each role and method, a column for each place of the NAT; reasons once, below.
matrix_show() {
	local role auth nat result line
	printf '# matrix: %-24s %-10s %-13s' "$matrix_peer" "esplaned" "auth"
	printf ' %-6s' $MATRIX_NATS
	echo
	for role in $MATRIX_ROLES; do
		for auth in $MATRIX_AUTHS; do
			printf -v line '# matrix: %-24s %-10s %-13s' "" "$role" "$auth"
			for nat in $MATRIX_NATS; do
				result=${matrix_result[$role/$auth/$nat]:-.}
				printf -v line '%s %-6s' "$line" "${result%% *}"
			done
			echo "$line"
		done
	done
	echo "# matrix: yes: all steps passed; NO: failed; -: the peer cannot; .: not run (MATRIX=full runs it)"
	for result in "${matrix_result[@]}"; do
		case $result in
		-*) echo "# matrix: $result" ;;
		esac
	done | sort -u
}
