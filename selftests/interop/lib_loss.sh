# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Rekeying while messages of IKE get lost. Source it after lib_matrix.sh, whose peer it is about.
#
#	loss_rekeys ROUNDS	with nine of ten datagrams of IKE arriving each way, a tunnel by pre-shared key is
#				rekeyed ROUNDS times by us and, as peer_rekey can, by the peer, and our IKE SA once, while a
#				numbered stream runs from us to it: LOSS_RESULTS results. By night only (MATRIX=full): what
#				is lost is sent again after seconds, so this takes minutes
#
# A peer that answers a rekeying before it can receive on the new SA has a function peer_misses of the script's, which
# prints how many packets came to it too early so far: the stream may lack these.

# shellcheck disable=SC2034	# for the script's plan
LOSS_RESULTS=6
LOSS_PERCENT=10

# Only UDP passes netem: without NAT that is IKE. ESP, which carries the stream, goes by it.
loss_set() {
	tc -n "$1" qdisc add dev eth0 root handle 1: prio &&
	tc -n "$1" qdisc add dev eth0 parent 1:3 handle 30: netem loss $LOSS_PERCENT% limit 1000 &&
	tc -n "$1" filter add dev eth0 parent 1: protocol ip prio 1 u32 match ip protocol 17 0xff flowid 1:3 &&
	# All else, whatever its TOS, into another band.
	tc -n "$1" filter add dev eth0 parent 1: protocol all prio 99 matchall flowid 1:1
}
loss_clear() { tc -n "$1" qdisc del dev eth0 root; }
loss_count() { tc -n "$1" -s qdisc show dev eth0 | sed -n '/netem/,$ s/.*dropped \([0-9]*\),.*/\1/p' | head -n 1; }

loss_round() {
	local before
	before=$(our_spis)
	esplane u rekey --child net
	busywait "$(slowly 30000)" another_pair "$before"
	before=$(our_spis)
	peer_rekey
	busywait "$(slowly 60000)" another_pair "$before"
}

loss_excused() { if declare -F peer_misses >/dev/null; then peer_misses; else echo 0; fi; }

loss_rounds() {
	local i
	for ((i = 0; i < $1; i++)); do
		loss_round || return 1
	done
}

loss_rekeys() {
	local i
	if [ "${MATRIX:-}" = full ]; then
		loss_case "$1"
	else
		for ((i = 0; i < LOSS_RESULTS; i++)); do
			ktap_test_skip "loss: rekeys" "takes minutes, MATRIX=full runs it"
		done
	fi
}

loss_case() {
	local role=initiator auth=psk nat=none failed=0 matrix_failed='' lost=0 missed spi
	matrix_places $nat
	matrix_nat $nat
	matrix_start && matrix_initiate >/dev/null 2>&1 && busywait "$(slowly 20000)" one_pair || failed=1
	missed=$(loss_excused)
	stream_start "$ns_u" "$ns_p" $in_p || failed=1
	ktap_equal "loss: the tunnel is up, the stream runs" $failed 0
	loss_set "$ns_u" && loss_set "$ns_p"
	ktap_check "loss: rekeyings of the CHILD_SA by each end" loss_rounds "$1" || loss_show
	spi=$(swan u --list-sas --raw | grep -o 'initiator-spi=[0-9a-f]*')
	ktap_check "loss: rekeying of the IKE SA" loss_rekey_ike "$spi" || loss_show
	lost=$(($(loss_count "$ns_u") + $(loss_count "$ns_p")))
	ktap_at_least "loss: messages of IKE were lost" $lost 1
	busywait "$(slowly 30000)" one_pair
	stream_stop
	# What is in the queue goes with it.
	loss_clear "$ns_u"
	loss_clear "$ns_p"
	missed=$(($(loss_excused) - missed))
	ktap_at_most "loss: no packet of the stream was, of $stream_sent, but $missed that the peer was not ready for" \
		"$stream_lost" $missed ||
		ktap_print_msg "$(ns "$ns_u" espctl stats --json; ns "$ns_p" awk '$2' /proc/net/xfrm_stat)"
	ktap_check "loss: one pair of SAs, one IKE SA at rest" busywait "$(slowly 180000)" at_rest || loss_show
	daemon_stop u
	daemon_stop p
}

loss_rekey_ike() {
	esplane u rekey --ike site
	busywait "$(slowly 40000)" ike_is_another "$1"
}
# strongSwan answers the DELETE of the old one once, and forgets it: if that is lost, we ask for long.
ike_is_another() {
	swan u --list-sas --raw | grep -o 'state=ESTABLISHED[^{]*initiator-spi=[0-9a-f]*' | grep -qv "$1"
}

at_rest() {
	one_pair && [ "$(swan u --list-sas --raw | grep -o 'state=ESTABLISHED' | wc -l)" = 1 ]
}

loss_show() { ktap_print_msg "$(tail -n 40 "$(log_of u)" "$(log_of p)" 2>&1)"; }
