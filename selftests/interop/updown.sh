#!/bin/bash
# SPDX-License-Identifier: MIT
# Commands of child.updown and marks of children. esplaned on a runs a command when the tunnel with strongSwan comes up
# and when it goes down: what its environment holds is what strongSwan's own script gets on b, seen from the other
# side. It runs with the privileges that the daemon gave up. With mark_out only marked packets enter the tunnel, and
# set_mark_out is seen by netfilter on the ESP packets, set_mark_in on what comes out of the tunnel.
. "$(dirname "$0")/../lib/ktap.sh"
. "$(dirname "$0")/../lib/net.sh"
. "$(dirname "$0")/lib.sh"

need_command swanctl esplaned esplane tcpdump nft
ktap_print_header
ktap_set_plan 15

script=$NET_TMP/updown
record=$NET_TMP/record

write_script() {
	cat >"$script" <<-EOS
	#!/bin/sh
	# \$1: which end
	env | grep ^PLUTO_ | sort >$record.\$1.\$PLUTO_VERB
	id -u >$record.\$1.uid
	ip route replace blackhole 10.77.0.0/24 2>&1 && echo route set for \$PLUTO_PEER_CLIENT
	EOS
	chmod 755 "$script"
	printf '#!/bin/sh\nexit 4\n' >"$script-fails"
	chmod 755 "$script-fails"
}

has() { grep -qxF -- "$2" "$record.$1"; }

conf_a() {
	conf_psk site $OUTER_A $OUTER_B a.example.org b.example.org $NET_A $NET_B "" "$1"
}

write_script
net_direct
ip -n "$a" route add $NET_B via $OUTER_B src $INNER_A
ip -n "$b" route add $NET_A via $OUTER_A src $INNER_B
charon_start "$b" b "$(conf_psk site $OUTER_B $OUTER_A b.example.org a.example.org $NET_B $NET_A "" "updown = $script b")"
# As it is run in earnest: without privileges, which can reach its files all the same.
chmod 711 "$NET_TMP"
esplaned_options="--user nobody --debug" esplaned_start "$a" a "$(conf_a "updown = $script a
	mark_out = 0x10/0xf0
	set_mark_out = 9
	set_mark_in = 11")"
ktap_check "esplaned starts, without privileges" esplane a version
ktap_check "tunnel comes up" esplane a initiate site net
ktap_check "the command has run" busywait "$(slowly 5000)" test -s "$record.a.up-client"
same_variables() {
	local name
	for name in VERB CONNECTION INTERFACE PROTO; do
		[ "$(grep "^PLUTO_$name=" "$record.a.up-client")" = "$(grep "^PLUTO_$name=" "$record.b.up-client")" ] ||
			{ ktap_print_msg "PLUTO_$name differs"; return 1; }
	done
	# What is mine there is the peer's here.
	for name in ID CLIENT PORT PROTOCOL; do
		[ "$(sed -n "s/^PLUTO_MY_$name=//p" "$record.a.up-client")" = \
			"$(sed -n "s/^PLUTO_PEER_$name=//p" "$record.b.up-client")" ] || {
			ktap_print_msg "PLUTO_MY_$name here is not PLUTO_PEER_$name there"
			return 1
		}
	done
}
busywait "$(slowly 5000)" test -s "$record.b.up-client"
ktap_check "its environment is what strongSwan's own has" same_variables
ktap_check "it ran as root" grep -qx 0 "$record.a.uid"
ktap_check "it could set a route" ip -n "$a" route show exact 10.77.0.0/24
ktap_check "what it printed is in the log" busywait "$(slowly 5000)" logged a "net\{1\}.*updown: route set for $NET_B"

ns "$a" nft -f - <<-EOR
table inet t {
	counter marked { }
	counter decrypted { }
	chain in { type filter hook input priority 0
		ip saddr $INNER_B icmp type echo-reply meta mark 11 counter name decrypted
	}
	chain out { type filter hook postrouting priority 0
		meta l4proto esp meta mark 9 counter name marked
	}
}
EOR
esp_marked() { ns "$a" nft list counter inet t marked | grep -Eq 'packets [1-9]'; }
clear_on_wire() {
	capture "$b" eth0 "$NET_TMP/wire.pcap" "icmp" || return 1
	"$@"
	capture_stop
	[ "$(captured "$NET_TMP/wire.pcap" icmp)" -gt 0 ]
}
ktap_check "a packet with the mark goes through the tunnel" ns "$a" ping -n -c 2 -i 0.2 -W "$(slowly 2)" -m 19 \
	-I $INNER_A $INNER_B
ktap_check "and its ESP packet has the other mark" esp_marked
decrypted_marked() { ns "$a" nft list counter inet t decrypted | grep -Eq 'packets [1-9]'; }
ktap_check "and its answer, decrypted, has a third" decrypted_marked
unmarked_is_clear() { clear_on_wire ns "$a" ping -n -c 2 -i 0.2 -W 1 -I $INNER_A $INNER_B; }
ktap_check "one without leaves in clear" unmarked_is_clear
ktap_check "the tunnel is ended" esplane a terminate site
ktap_check "the command has run for that too" busywait "$(slowly 5000)" test -s "$record.a.down-client"

sed -i "s|updown = .*|updown = $script-fails|" "$(daemon_dir a)/conf"
chmod 644 "$(daemon_dir a)/conf"
ktap_check "another command after a reload" esplane a reload
esplane a initiate site net >/dev/null
ktap_check "its failure is an error in the log" busywait "$(slowly 5000)" logged a 'updown: the command failed with status 4'
ktap_finished
