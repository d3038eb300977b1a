# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Additional key exchanges (RFC 9370) between a, an esplaned, and b on one wire. Source it after lib.sh.
#
#	pq_net				makes them
#	conf END PROPOSALS ESP_PROPOSALS [CONN_KEYS]
#	begin				forgets both daemons' files and captures the wire
#	exchanges TYPE			how many messages of it, or first fragments of one, the wire saw
#	fragments			how many of IKE
#	finish				stops both daemons
#	shows SUITE			true if a says that the IKE SA, or the CHILD_SA, has it
#	both_ping CASE			two results
#	rekeys CASE			of the CHILD_SA and of the IKE SA, by each end: eight results

# shellcheck disable=SC2034	# the scripts read them
IKE_INTERMEDIATE=43
IKE_FOLLOWUP_KE=44

pq_net() {
	net_direct
	ip -n "$a" route add $NET_B via $OUTER_B src $INNER_A
	ip -n "$b" route add $NET_A via $OUTER_A src $INNER_B
}

conf() {
	local keys="proposals = $2
			mobike = no
			${4:-}"
	if [ "$1" = a ]; then
		conf_psk site $OUTER_A $OUTER_B a.example.org b.example.org $NET_A $NET_B "$keys" "esp_proposals = $3"
	else
		conf_psk site $OUTER_B $OUTER_A b.example.org a.example.org $NET_B $NET_A "$keys" "esp_proposals = $3"
	fi
}

exchanges() {
	captured "$wire" "udp port 500 and udp[26] = $1 and (udp[24] = 46 or (udp[24] = 53 and udp[40:2] = 1))"
}
fragments() { captured "$wire" "udp port 500 and udp[24] = 53"; }

begin() {
	rm -rf "$(daemon_dir a)" "$(daemon_dir b)"
	wire=$NET_TMP/wire
	rm -f "$wire"
	capture "$b" eth0 "$wire" ip
}

finish() {
	daemon_stop a
	daemon_stop b
}

ike_sas() { swan "$1" --list-sas --raw | grep -o 'initiator-spi=[0-9a-f]*'; }
ike_changed() { [ "$(ike_sas a)" != "$1" ] && [ "$(ike_sas a)" = "$(ike_sas b)" ]; }
child_spi() { swan a --list-sas --raw | grep -o 'spi-in=[0-9a-f]*' | sort -u; }
child_changed() { [ "$(sa_count a) $(sa_count b)" = "1 1" ] && [ "$(child_spi)" != "$1" ]; }

shows() { esplane a status | grep -q "cipher: .*$1\$"; }

both_ping() {
	ktap_check "$1: ping a to b" net_ping "$a" $INNER_B -I $INNER_A
	ktap_check "$1: ping b to a" net_ping "$b" $INNER_A -I $INNER_B
}

rekeys() {
	local before
	before=$(child_spi)
	ktap_check "$1: the CHILD_SA rekeyed by esplaned" esplane a rekey --child net
	ktap_check "$1: and replaced" busywait "$(slowly 10000)" child_changed "$before"
	before=$(child_spi)
	ktap_check "$1: the CHILD_SA rekeyed by the peer" swan b --rekey --child net
	ktap_check "$1: and replaced" busywait "$(slowly 20000)" child_changed "$before"
	before=$(ike_sas a)
	ktap_check "$1: the IKE SA rekeyed by esplaned" esplane a rekey --ike site
	ktap_check "$1: and replaced" busywait "$(slowly 10000)" ike_changed "$before"
	before=$(ike_sas a)
	ktap_check "$1: the IKE SA rekeyed by the peer" swan b --rekey --ike site
	ktap_check "$1: and replaced" busywait "$(slowly 20000)" ike_changed "$before"
}
