# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# One esplaned with a connection for each of many peers (a hub, in namespace $b), and esplane-load, which is all of
# these peers (in $a). Source it after lib.sh, and call net_direct.
#
#	hub_start COUNT CONN_KEYS CHILD_KEYS	the hub with that many connections c1, c2, ..., each with a peer's
#						identity and a network behind it; *_KEYS are lines for all of them.
#						The hub itself brings up c1.
#	hub_conf COUNT CONN_KEYS CHILD_KEYS [NET]	prints its configuration; NET is what c1 is for (10.0.0.0/16)
#	peers_start COUNT			before it; they bring up a tenth of them at a time
#	peers LINE			tells them that line (load/main.c); what they answer is in $peers_answer
#	peers_up			all of them bring up theirs
#	both_have COUNT			true if both ends have that many IKE SAs and CHILD_SAs
#	hub_ids				prints the hub's: a line "CONNECTION IKE_ID CHILD_ID" each, sorted
#	hub_busy / hub_resident		nanoseconds that it has had a CPU for; bytes of its memory

HUB_IKE="proposals = aes128gcm16-prfsha256-x25519
		mobike = no"

hub_base() {
	cat <<-EOC
	base {
		$HUB_IKE
		$1
		$2
		local {
			auth = psk
			$3
		}
		remote {
			auth = psk
			$4
		}
		children {
			net {
				$5
				esp_proposals = aes128gcm16
				$6
			}
		}
	}
	EOC
}

hub_secret() {
	cat <<-EOC
	secrets {
		ike {
			secret = $INTEROP_PSK
		}
	}
	EOC
}

# hub_conns COUNT END SIDE [KEYS_OF_FIRST [CHILD_KEYS_OF_FIRST]]: END is whose identity is the peer's, SIDE whose network.
hub_conns() {
	echo "connections {"
	awk -v count="$1" -v end="$2" -v side="$3" -v keys="${4:-}" -v child="${5:-}" 'BEGIN {
		for (i = 1; i <= count; i++) {
			printf "c%d : base { %s\n%s { id = c%d.example.org\n} children { net { %s = 10.%d.%d.0/24\n%s\n} } }\n",
				i, i == 1 ? keys : "", end, i, side, 1 + int(i / 256), i % 256, i == 1 ? child : ""
		}
	}'
	echo "}"
}

hub_conf() {
	hub_base "local_addrs = $OUTER_B" "$2" "id = hub.example.org" "" "local_ts = 10.0.0.0/16" "$3"
	hub_conns "$1" remote remote_ts "remote_addrs = $OUTER_A" "start_action = start
		local_ts = ${4:-10.0.0.0/16}"
	hub_secret
}

# shellcheck disable=SC2034
hub_start() {
	esplaned_options=--no-privdrop
	esplaned_start "$b" b "$(hub_conf "$@")"
	hub_pid=${daemon_pid[b]}
}

# Their lifetimes are endless: it is the hub that rekeys.
peers_start() {
	local conf=$NET_TMP/peers.conf
	{
		hub_base "local_addrs = $OUTER_A
		remote_addrs = $OUTER_B" "rekey_time = 0" "" "id = hub.example.org" "remote_ts = 10.0.0.0/16" "rekey_time = 0"
		hub_conns "$1" local local_ts
		hub_secret
	} >"$conf"
	coproc PEERS { exec ip netns exec "$a" esplane-load "$conf" 500 $(($1 / 10)) 2>"$NET_TMP/peers.log"; }
	at_exit kill -KILL "$PEERS_PID"
}

peers() {
	echo "$1" >&"${PEERS[1]}" && read -r -t "$(slowly 300)" peers_answer <&"${PEERS[0]}"
}

peers_up() {
	local i
	for ((i = 0; i < 10; i++)); do
		peers "" && [ "${peers_answer%% *}" = up ] || {
			echo "$peers_answer; $(tail -n 3 "$(log_of b)")"
			return 1
		}
	done
}

hub_ids() {
	esplane b status --json | grep -o '^.*"children": \[{"name": "[a-z]*", "uniqueid": [0-9]*' |
		sed 's/^.*{"name": "\(c[0-9]*\)", "uniqueid": \([0-9]*\), .*"uniqueid": \([0-9]*\)$/\1 \2 \3/' | sort
}

hub_count() {
	esplane b status --json >"$NET_TMP/status"
	echo "$(grep -c '"version": 2, "state": "ESTABLISHED"' "$NET_TMP/status")" \
		"$(grep -o '"reqid": [0-9]*, "state": "INSTALLED"' "$NET_TMP/status" | wc -l)"
}

both_have() {
	local ours
	ours=$(hub_count)
	peers count || return 1
	echo "hub: $ours, peers: $peers_answer, wanted: $1"
	[ "$ours" = "$1 $1" ] && [[ $peers_answer = "count $1 $1 "* ]]
}

hub_busy() { cat "/proc/$hub_pid"/task/*/schedstat | awk '{ sum += $1 } END { printf "%.0f\n", sum }'; }
hub_resident() { awk '/^VmRSS/ { print $2 * 1024 }' "/proc/$hub_pid/status"; }
