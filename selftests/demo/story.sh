#!/bin/bash
# SPDX-License-Identifier: MIT
# The demonstration, inside the guest: each step says what it does, shows the command and what came of it. It fails
# loudly if anything it tells does not come true.
. "$(dirname "$0")/../lib/ktap.sh"
. "$(dirname "$0")/../lib/net.sh"
. "$(dirname "$0")/../interop/lib.sh"

MEGABYTES=16

say() { printf '\n== %s\n' "$*"; }
show() {
	printf '$ %s\n' "$1"
	shift
	"$@" 2>&1 | sed 's/^/  /'
	[ "${PIPESTATUS[0]}" = 0 ] || die "that failed"
}
die() {
	printf '\n!! %s\n-- esplaned:\n%s\n-- strongSwan:\n%s\n' "$1" \
		"$(tail -n 30 "$(log_of a)")" "$(tail -n 30 "$(log_of b)")"
	exit 1
}

transfer() {
	local began ended
	began=$(date +%s%3N)
	net_send "$2" "$3" "$4" $((MEGABYTES << 20)) || die "the transfer $1 failed or came out different"
	ended=$(date +%s%3N)
	echo "  $MEGABYTES MB $1: arrived identical, $(((ended - began) / 1000)).$((((ended - began) % 1000) / 100)) s"
}

child_spi() { esplane a status --json | jq -r '.sas[0].children[] | select(.state == "INSTALLED") | ."spi-in"'; }
rekeyed() { [ "$(child_spi)" != "$1" ]; }

say "Two hosts, a and b, on one wire; kernel $(uname -r), esplane.ko $(cat /sys/module/esplane/version)"
net_direct || exit 1
ip -n "$a" route add $NET_B via $OUTER_B src $INNER_A
ip -n "$b" route add $NET_A via $OUTER_A src $INNER_B
# Tapped at a: xfrm, at b, puts decrypted packets back on the device they came by.
capture "$a" eth0 "$NET_TMP/wire" ip
echo "  a: $OUTER_A, network $NET_A behind it: esplaned and esplane.ko"
echo "  b: $OUTER_B, network $NET_B behind it: strongSwan $(/usr/lib/ipsec/charon --version 2>/dev/null | grep -o '[0-9][0-9.]*' | head -n 1) and the kernel's xfrm"

say "The daemons start"
# The limit lets the module ask for one rekey during the transfers, and only one.
esplaned_start "$a" a "$(conf_psk site $OUTER_A $OUTER_B a.example.org b.example.org $NET_A $NET_B "" \
	"rekey_bytes = $(((MEGABYTES * 3 / 2) << 20))
					life_bytes = $((MEGABYTES << 22))
					rand_bytes = 0")" || die "esplaned"
charon_start "$b" b "$(conf_psk site $OUTER_B $OUTER_A b.example.org a.example.org $NET_B $NET_A)" || die "strongSwan"
grep -v '^ *$' "$(daemon_dir a)/conf" | sed 's/secret = .*/secret = (hidden)/; s/^/  /'

say "a brings the tunnel up"
show "esplane initiate site net" esplane a initiate site net
spi=$(child_spi)

say "Traffic both ways"
show "ping $INNER_B" net_ping "$a" $INNER_B -I $INNER_A
transfer "from a to b" "$a" "$b" $INNER_B
transfer "from b to a" "$b" "$a" $INNER_A

say "The module reported its soft limit of bytes, the daemon rekeyed"
transfer "from a to b" "$a" "$b" $INNER_B
busywait "$(slowly 10000)" rekeyed "$spi" || die "no rekey was seen"
grep -Ei 'soft|rekey' "$(log_of a)" | head -n 6 | sed 's/^/  /'
echo "  inbound SPI $spi became $(child_spi)"
show "ping $INNER_B" net_ping "$a" $INNER_B -I $INNER_A

say "What a says, what b says"
show "esplane" esplane a
show "swanctl --list-sas" swan b --list-sas

say "What went over the wire"
capture_stop
echo "  $(captured "$NET_TMP/wire" 'udp port 500 or udp port 4500') packets of IKE, $(captured "$NET_TMP/wire" 'ip proto 50') of ESP, $(captured "$NET_TMP/wire" 'ip and not (proto 50 or udp port 500 or udp port 4500)') of anything else"
only_protected "$NET_TMP/wire" || die "cleartext was seen on the wire"

say "a says goodbye"
esplaned_stop a || die "esplaned did not end"
busywait 5000 sa_down b || die "strongSwan still holds an SA"
echo "  strongSwan holds no SA any more"
charon_stop b
printf '\nAll of it worked.\n'
